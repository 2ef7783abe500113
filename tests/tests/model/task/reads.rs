//! Queries and loads.

use std::sync::Arc;

use redis_model::commands::expiry::Ttl;
use redis_model::prelude::*;
use redis_model::{Cursor, Error, ErrorKind};
use redis_model_tests::random::Random;

use super::Task;
use super::expected::{Expected, Found, is_building};
use crate::op::Span;
use crate::schema::{Table, User, Val, field};
use crate::state::Slot;
use crate::world::{Cut, clock, now};
use crate::{calls, generate};

enum Told {
    Nothing,
    Count(u64),
    Exists(bool),
    First(Option<Found>),
    All(Vec<Found>),
}

impl Task {
    /// A page, while nobody else writes: it must be exactly what a filter over the model gives.
    pub(super) async fn search(&mut self) {
        self.label = "search";
        let search = generate::search(&self.random);
        let ids_only = self.random.chance(30);
        let cuts = read_cuts(&self.random);
        self.turn().begin(Vec::new(), cuts);
        self.turn().hold(&self.world).await;
        let from = clock();
        let query = calls::query(&search);
        let found = if ids_only {
            query.ids(&self.redis).await.map(|page| (page.items.into_iter().map(Found::Id).collect(), page.cursor))
        } else {
            query.fetch(&self.redis).await.map(|page| (page.items.into_iter().map(Found::of).collect(), page.cursor))
        };
        let span = Span { from, to: clock() };
        let (_, held) = self.turn().end();
        let Some(mut state) = held else { return };
        match found {
            Err(error) if is_building(&error, &state) => {}
            Err(error) => state.problem(format!("{search:?}: {error:?}")),
            Ok((items, cursor)) => {
                let items: Vec<Found> = items;
                state.count("queries");
                let expected = Expected::of(&search, &mut state, span, !ids_only);
                expected.compare(&search, &items, cursor.is_none(), Some(search.limit), &mut state);
            }
        }
    }

    /// All pages, alone or while others write.
    pub(super) async fn pages(&mut self) {
        self.label = "pages";
        let search = generate::search(&self.random);
        let is_alone = self.random.chance(40);
        let cuts = read_cuts(&self.random);
        self.turn().begin(Vec::new(), cuts);
        let before = if is_alone {
            self.turn().hold(&self.world).await;
            None
        } else {
            let mut state = Arc::clone(&self.world.state).lock_owned().await;
            let expected = Expected::of(&search, &mut state, now(), true);
            let with_sequence = |id: &String| (id.clone(), state.get(Table::Users, id).map_or(0, |slot| slot.sequence));
            Some(expected.sure.iter().map(|(_, id)| with_sequence(id)).collect::<Vec<_>>())
        };
        let from = clock();
        let mut items: Vec<Found> = Vec::new();
        let mut cursor: Option<Cursor> = None;
        let mut failure = None;
        for page in 0.. {
            let mut query = calls::query(&search);
            if let Some(cursor) = cursor.take() {
                query = query.after(cursor);
            }
            match query.fetch(&self.redis).await {
                Ok(page) => {
                    items.extend(page.items.into_iter().map(Found::of));
                    cursor = page.cursor;
                }
                Err(error) => failure = Some(error),
            }
            if page > 500 {
                failure = Some(Error::new(ErrorKind::Protocol, "pages without end"));
            }
            if cursor.is_none() || failure.is_some() {
                break;
            }
        }
        let span = Span { from, to: clock() };
        let (_, held) = self.turn().end();
        if let Some(error) = failure {
            let mut state = match held {
                Some(state) => state,
                None => Arc::clone(&self.world.state).lock_owned().await,
            };
            if !is_building(&error, &state) {
                state.problem(format!("{search:?}: {error:?}"));
            }
            return;
        }
        if let Some(mut state) = held {
            state.count("walks alone");
            let expected = Expected::of(&search, &mut state, span, true);
            return expected.compare(&search, &items, true, None, &mut state);
        }
        let mut state = Arc::clone(&self.world.state).lock_owned().await;
        state.count("walks among others");
        let end = Span { from, to: clock() };
        for (id, sequence) in before.unwrap_or_default() {
            let Some(slot) = state.get(Table::Users, &id) else { continue };
            if slot.sequence == sequence && slot.is_held(end) == Some(true) && slot.is_alive(end) == Some(true) {
                let times = items.iter().filter(|found| found.id() == id).count();
                if times != 1 {
                    let text = format!("{search:?}: a record that nobody wrote came {times} times: {id:?} {slot:?}");
                    state.problem(text);
                }
            }
        }
    }

    pub(super) async fn counts(&mut self) {
        self.label = "counts";
        let search = generate::search(&self.random);
        let cuts = read_cuts(&self.random);
        self.turn().begin(Vec::new(), cuts);
        self.turn().hold(&self.world).await;
        let from = clock();
        let (redis, query) = (&self.redis, calls::query(&search));
        let which = self.random.below(5);
        let told = match which {
            0 => query.exists(redis).await.map(Told::Exists),
            1 => query.first(redis).await.map(|first| Told::First(first.map(Found::of))),
            2 => query.explain(redis).await.map(|_| Told::Nothing),
            3 => query.stream(redis).collect().await.map(|all| Told::All(all.into_iter().map(Found::of).collect())),
            _ => query.count(redis).await.map(Told::Count),
        };
        let span = Span { from, to: clock() };
        let (_, held) = self.turn().end();
        let Some(mut state) = held else { return };
        let expected = Expected::of(&search, &mut state, span, matches!(told, Ok(Told::First(_) | Told::All(_))));
        let (sure, unsure) = (expected.sure.len(), expected.unsure.len());
        match told {
            Err(error) if is_building(&error, &state) => {}
            Err(error) => state.problem(format!("{search:?}: {error:?}")),
            Ok(Told::Nothing) => {}
            Ok(Told::Count(count)) => {
                if !(sure..=sure + unsure).contains(&usize::try_from(count).unwrap()) {
                    state.problem(format!("{search:?}: counts {count}, not {:?}", expected.sure));
                }
            }
            Ok(Told::Exists(exists)) => {
                if exists != (sure > 0) && unsure == 0 {
                    state.problem(format!("{search:?}: exists {exists}, {:?}", expected.sure));
                }
            }
            Ok(Told::First(first)) => {
                let items: Vec<Found> = first.into_iter().collect();
                expected.compare(&search, &items, false, Some(1), &mut state);
            }
            Ok(Told::All(items)) => expected.compare(&search, &items, false, Some(search.limit), &mut state),
        }
    }

    pub(super) async fn find_by(&mut self) {
        self.label = "find_by";
        let email = generate::value(&self.random, "email").to_text();
        let cuts = read_cuts(&self.random);
        self.turn().begin(Vec::new(), cuts);
        self.turn().hold(&self.world).await;
        let from = clock();
        let found = User::find_by(&self.redis, User::EMAIL, &email).await;
        let span = Span { from, to: clock() };
        let (_, held) = self.turn().end();
        let Some(mut state) = held else { return };
        let email = Val::Text(email);
        let owners = state.slots.iter().filter(|((table, _), slot)| {
            *table == Table::Users && slot.row.as_ref().is_some_and(|row| field(row, "email").is(&email))
        });
        let owners: Vec<_> = owners.map(|((_, id), slot)| (id.clone(), slot.clone())).collect();
        match found {
            Err(error) if is_building(&error, &state) => {}
            Err(error) => state.problem(format!("find_by {email:?}: {error:?}")),
            Ok(None) => {
                let is_missed = |(_, slot): &&(String, Slot)| {
                    slot.is_held(span) == Some(true)
                        && slot.is_alive(span) == Some(true)
                        && slot.record.as_ref().is_some_and(|record| field(record, "email").is(&email))
                };
                if let Some(missed) = owners.iter().find(is_missed) {
                    state.problem(format!("find_by {email:?} misses {missed:?}"));
                }
            }
            Ok(Some(user)) => {
                let id = user.id.clone();
                let Some((_, slot)) = owners.iter().find(|(owner, _)| *owner == id) else {
                    return state.problem(format!("find_by {email:?} finds {user:?}, owners {owners:?}"));
                };
                let found = Found::of(user);
                if slot.is_alive(span) == Some(false) || !found.is(slot.record.as_ref()) {
                    state.problem(format!("find_by {email:?} finds {found:?}, model {slot:?}"));
                }
            }
        }
    }

    pub(super) async fn loads(&mut self) {
        self.label = "loads";
        let id = self.ids.pick(&self.random, Table::Users);
        let cuts = read_cuts(&self.random);
        self.turn().begin(Vec::new(), cuts);
        self.turn().hold(&self.world).await;
        let from = clock();
        let which = self.random.below(3);
        let told = match which {
            0 => User::load(&self.redis, &id).await.map(|user| (user.is_some(), user.map(Found::of))),
            1 => User::load_many(&self.redis, [id.as_str()]).await.map(|users| {
                let user = users.into_iter().next().flatten();
                (user.is_some(), user.map(Found::of))
            }),
            _ => User::ttl(&self.redis, &id).await.map(|ttl| (ttl != Ttl::Missing, None)),
        };
        let span = Span { from, to: clock() };
        let (_, held) = self.turn().end();
        let Some(mut state) = held else { return };
        let slot = state.get(Table::Users, &id).cloned().unwrap_or_default();
        match told {
            Err(error) => state.problem(format!("load {id:?}: {error:?}")),
            Ok((exists, user)) => {
                let differs = user.as_ref().is_some_and(|user| !user.is(slot.record.as_ref()));
                if slot.is_alive(span).is_some_and(|alive| alive != exists) || differs {
                    state.problem(format!("load {id:?}: exists {exists}, {user:?}, model {slot:?}"));
                }
            }
        }
    }
}

fn read_cuts(random: &Random) -> Vec<Cut> {
    if random.chance(8) { vec![random.pick(&[Cut::Before, Cut::During, Cut::After])] } else { Vec::new() }
}
