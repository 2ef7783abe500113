//! Runs of `verify` and `reindex`, and what other programs do.

use std::sync::Arc;

use redis_model::ErrorKind;
use redis_model::hash::Drift;
use redis_model::prelude::*;
use redis_model_tests::direct::Raw;

use super::Task;
use super::expected::same_fields;
use crate::op::Span;
use crate::schema::{Account, Table, User, Val};
use crate::world::{clock, now};
use crate::{check, generate};

impl Task {
    /// Compares the indexes with the records, or builds them while others write.
    pub(super) async fn upkeep(&mut self) {
        self.label = "upkeep";
        self.turn().begin(Vec::new(), Vec::new());
        if self.random.chance(50) {
            self.turn().hold(&self.world).await;
            let from = clock();
            let drifts = User::verify_to_end(&self.redis).await;
            let (_, held) = self.turn().end();
            let Some(mut state) = held else { return };
            state.settle(Span { from, to: clock() });
            return match drifts {
                Ok(drifts) if drifts.contains(&Drift::Building) && state.reindexed.0 > state.reindexed.1 => {}
                Ok(drifts) => check::compare_drifts(&mut state, Table::Users, &drifts, &[], from),
                Err(error) => state.problem(format!("verify: {error:?}")),
            };
        }
        self.world.state.lock().await.reindexed.0 += 1;
        let result = if self.random.chance(50) {
            User::reindex_to_end(&self.redis).await
        } else {
            Account::reindex_to_end(&self.redis).await
        };
        let mut state = Arc::clone(&self.world.state).lock_owned().await;
        state.reindexed.1 += 1;
        state.count("reindex beside writers");
        match result {
            Ok(reindexed) => {
                if let Some(error) = reindexed.errors.iter().find(|error| error.kind() != ErrorKind::Duplicate) {
                    state.problem(format!("reindex: {error:?}"));
                }
            }
            // Another run has begun.
            Err(error) if error.kind() == ErrorKind::Index && state.reindexed.0 > state.reindexed.1 => {}
            Err(error) => state.problem(format!("reindex: {error:?}")),
        }
    }

    /// What other programs do to the server.
    pub(super) async fn behind_the_back(&mut self) {
        self.label = "raw";
        let mut id = self.ids.pick(&self.random, Table::Users);
        let world = Arc::clone(&self.world);
        let mut state = Arc::clone(&world.state).lock_owned().await;
        let span = now();
        state.settle(span);
        if self.random.chance(10) {
            // What others do to a time to live is rare otherwise.
            let mut users = state.slots.iter().filter(|((table, _), _)| *table == Table::Users);
            let with_ttl = users.find(|(_, slot)| slot.expires.is_some_and(|expires| expires.from > span.to + 50));
            id = with_ttl.map_or(id, |((_, id), _)| id.clone());
        }
        let key = Table::Users.key(&id);
        let slot = state.get(Table::Users, &id).cloned().unwrap_or_default();
        let is_alive = slot.is_alive(span) == Some(true);
        let is_far = slot.expires.is_none_or(|expires| expires.from > span.to + 50);
        let is_in_step = slot.mark == slot.expires && same_fields(slot.record.as_ref(), slot.row.as_ref());
        let done = match self.random.below(100) {
            0..10 => {
                world.run(["SCRIPT", "FLUSH"]).await;
                None
            }
            10..40 => {
                world.run(["DEL", &key]).await;
                let slot = state.slot(Table::Users, &id);
                (slot.record, slot.expires) = (None, None);
                Some("raw DEL")
            }
            40..60 if is_alive && is_far && slot.mark == slot.expires => {
                let score = self.random.below(100);
                world.run(["HSET", &key, "score", &score.to_string()]).await;
                let slot = state.slot(Table::Users, &id);
                slot.record.as_mut().unwrap().insert("score", Val::Int(score));
                Some("raw HSET")
            }
            60..70 if is_alive && is_far && is_in_step => {
                let at = clock() + 30;
                world.run(["PEXPIREAT", &key, &at.to_string()]).await;
                state.slot(Table::Users, &id).expires = Some(Span { from: at, to: at });
                Some("raw PEXPIRE")
            }
            70..80 if is_alive && is_far && is_in_step && slot.expires.is_some() => {
                if world.run(["PERSIST", &key]).await != Raw::Int(1) {
                    state.problem(format!("there was no TTL: {slot:?}"));
                }
                state.slot(Table::Users, &id).expires = None;
                Some("raw PERSIST")
            }
            80..100 if slot.record.is_none() && slot.is_held(span) == Some(false) && slot.mark.is_none() => {
                let fields = generate::fields(&self.random, Table::Users);
                let mut args = vec!["HSET".to_owned(), key, "id".to_owned(), id.clone()];
                for (name, value) in &fields {
                    if let Some(text) = value.stored() {
                        args.extend([(*name).to_owned(), text]);
                    }
                }
                let reply = world.run(&args).await;
                if let Raw::Error(error) = reply {
                    state.problem(format!("raw HSET: {error}"));
                }
                state.slot(Table::Users, &id).record = Some(fields);
                Some("raw creation")
            }
            _ => None,
        };
        if let Some(done) = done {
            state.count(done);
            state.slot(Table::Users, &id).remember(span, done);
            state.touch(Table::Users, &id);
        }
    }
}
