//! Writes, and what they tell.

use std::sync::Arc;

use redis_model::prelude::*;
use redis_model::{Error, ErrorKind};

use super::Task;
use super::expected::Expected;
use crate::op::{Change, Did, Life, Mode, Op, PatchSpec, Span, What};
use crate::schema::{Account, Record, Table, Val};
use crate::world::{Call, clock, lock};
use crate::{calls, generate};

impl Task {
    pub(super) async fn write(&mut self) {
        self.label = "write";
        let table = self.table();
        let op = self.op(table).await;
        let cuts = generate::cuts(&self.random);
        self.turn().begin(vec![op.clone()], cuts);
        let result = calls::one(&self.redis, &op).await;
        let (call, _) = self.turn().end();
        self.compare(&[op], result.map(|did| vec![did]), call).await;
    }

    pub(super) async fn unit(&mut self) {
        self.label = "unit";
        let mut ops: Vec<Op> = Vec::new();
        for _ in 0..self.random.pick(&[1, 2, 3, 5]) {
            let table = self.random.pick(&Table::ALL);
            let mut op = self.op(table).await;
            let is_persist = matches!((&op.what, op.life), (What::Expire { .. }, Life::Persist));
            if let What::Expire { must_exist } = &mut op.what {
                *must_exist = true;
            }
            if !is_persist && !ops.iter().any(|other| other.table == op.table && other.id == op.id) {
                ops.push(op);
            }
        }
        let is_twice = self.random.chance(3) && !ops.is_empty();
        if is_twice {
            ops.push(ops[0].clone());
        }
        let cuts = generate::cuts(&self.random);
        self.turn().begin(ops.clone(), cuts);
        let result = calls::unit(&ops).commit(&self.redis).await;
        let (call, _) = self.turn().end();
        match result {
            Ok(committed) if !is_twice => {
                let dids = calls::committed(&ops, &committed);
                self.compare(&ops, if ops.is_empty() { Ok(Vec::new()) } else { Ok(dids) }, call).await;
            }
            Err(error) if is_twice => {
                if !error.is_invalid_input() || error.operation().is_none() || !call.outcomes.is_empty() {
                    self.problem(format!("a unit with a record twice: {error:?}")).await;
                }
            }
            Ok(_) => self.problem("a unit with a record twice was done".to_owned()).await,
            Err(error) => {
                if error.operation().is_none() {
                    self.problem(format!("the error of a unit names no operation: {error:?}")).await;
                }
                self.compare(&ops, Err(error), call).await;
            }
        }
    }

    /// Several records in one request, each on its own.
    pub(super) async fn many(&mut self) {
        self.label = "many";
        let deletes = self.random.chance(30);
        let mut ops: Vec<Op> = Vec::new();
        for _ in 0..=self.random.below(4) {
            let id = self.ids.pick(&self.random, Table::Users);
            let fields = generate::fields(&self.random, Table::Users);
            let put = What::Put { mode: Mode::Save, fields, version: None };
            let what = if deletes { What::Delete } else { put };
            ops.push(Op { table: Table::Users, id, what, life: Life::Keep });
        }
        self.turn().begin(ops.clone(), Vec::new());
        lock(&self.call).is_pipeline = true;
        let result = if deletes {
            calls::delete_many(&self.redis, &ops).await
        } else {
            calls::save_many(&self.redis, &ops).await
        };
        let (call, _) = self.turn().end();
        match result {
            Err(error) => self.problem(format!("a pipeline failed: {error:?}")).await,
            Ok(results) => {
                let outcomes = call.outcomes;
                if outcomes.len() != ops.len() {
                    self.problem(format!("{} outcomes for {} operations", outcomes.len(), ops.len())).await;
                }
                for ((op, result), outcome) in ops.iter().zip(results).zip(outcomes) {
                    let call = Call { outcomes: vec![outcome], ..Call::default() };
                    self.compare(std::slice::from_ref(op), result.map(|did| vec![did]), call).await;
                }
            }
        }
    }

    /// Loads, changes and saves, while others take turns in between.
    pub(super) async fn modify(&mut self) {
        self.label = "modify";
        let id = self.ids.pick(&self.random, Table::Accounts);
        let cuts = generate::cuts(&self.random);
        self.turn().begin(Vec::new(), cuts);
        let by = self.random.below(100);
        let call = Arc::clone(&self.call);
        let change = move |account: &mut Account| {
            account.cents = account.cents.wrapping_add(by);
            let fields = account.to_fields();
            let version = Some(calls::version_of(&fields));
            let what = What::Put { mode: Mode::Update, fields, version };
            lock(&call).ops = vec![Op { table: Table::Accounts, id: account.id_text(), what, life: Life::Keep }];
        };
        let result = Account::modify(&self.redis, id.parse().unwrap(), change).await;
        let (mut call, _) = self.turn().end();
        let ops = std::mem::take(&mut call.ops);
        match result {
            Ok(account) => {
                let version = Some(i64::try_from(account.version).unwrap());
                self.compare(&ops, Ok(vec![Did { version, ..Did::default() }]), call).await;
            }
            Err(error) if error.is_not_found() => {}
            Err(error) => self.compare(&ops, Err(error), call).await,
        }
    }

    /// Patches or deletes all that match.
    pub(super) async fn each(&mut self) {
        self.label = "each";
        let search = generate::search(&self.random);
        let set = |name, text| (name, Change::Set(Val::text(text)));
        let changes =
            [vec![set("country", "uk")], vec![set("bio", "p"), set("country", "t")], vec![("score", Change::Incr(1))]];
        let patch = PatchSpec { changes: self.random.pick(&changes), ..PatchSpec::default() };
        let what = if self.random.chance(30) { What::Delete } else { What::Patch(patch) };
        let life = if self.random.chance(20) && !matches!(what, What::Delete) { Life::Set(1000) } else { Life::Keep };
        let op = Op { table: Table::Users, id: String::new(), what, life };
        let is_alone = self.random.chance(60);
        let cuts = generate::cuts(&self.random);
        self.turn().begin(Vec::new(), cuts);
        lock(&self.call).each = Some((op.clone(), search.clone()));
        if is_alone {
            self.turn().hold(&self.world).await;
        }
        let expected = {
            let mut held = lock(&self.call).held.take();
            // Those that expire during the call are not certain.
            let during = Span { from: clock(), to: clock() + 500 };
            let expected = held.as_mut().map(|state| Expected::of(&search, state, during, true));
            lock(&self.call).held = held;
            expected
        };
        let result = calls::each(&self.redis, &search, &op).await;
        let (call, held) = self.turn().end();
        let mut state = match held {
            Some(state) => state,
            None => Arc::clone(&self.world.state).lock_owned().await,
        };
        let expects = |count: u64| {
            expected.as_ref().is_none_or(|expected| {
                let (sure, unsure) = (expected.sure.len(), expected.unsure.len());
                (sure.min(search.limit)..=(sure + unsure).min(search.limit)).contains(&usize::try_from(count).unwrap())
            })
        };
        match result {
            Ok(count) if count != call.each_done => {
                state.problem(format!("{op:?} of {search:?}: told {count}, seen {}", call.each_done));
            }
            Ok(count) if expects(count) => {}
            Ok(count) => {
                let sure = expected.map(|expected| expected.sure);
                state.problem(format!("{op:?} of {search:?}: {count}, expected {sure:?}"));
            }
            // A sum that does not fit, or a record whose row somebody has taken away.
            Err(error) if error.is_conflict() || error.kind() == ErrorKind::Index || error.is_not_found() => {
                state.count("each refused");
            }
            Err(error) => state.problem(format!("{op:?} of {search:?}: {error:?}")),
        }
    }
}

impl Task {
    async fn op(&mut self, table: Table) -> Op {
        let id = self.ids.pick(&self.random, table);
        let state = Arc::clone(&self.world.state).lock_owned().await;
        generate::op(&self.random, table, id, &state)
    }

    /// Compares what a caller is told with what the model saw happen.
    async fn compare(&self, ops: &[Op], result: Result<Vec<Did>, Error>, call: Call) {
        let label = self.label;
        match (result, call.outcomes.last()) {
            (Ok(told), Some(Ok(seen))) => {
                let differs = |(told, seen): (&Did, &Did)| {
                    let is_version = told.version.is_some() && told.version != seen.version;
                    let happened = matches!((told.happened, seen.happened), (Some(told), Some(seen)) if told != seen);
                    let returned = !told.returned.is_empty() && !same_values(&told.returned, &seen.returned);
                    is_version || happened || returned
                };
                if told.iter().zip(seen).any(differs) {
                    self.problem(format!("{label}: told {told:?}, seen {seen:?}, {ops:?}")).await;
                }
            }
            (Ok(told), Some(Err(why))) => {
                self.problem(format!("{label}: told {told:?}, but refused as {why}, {ops:?}")).await;
            }
            (Err(error), Some(Err(why))) => {
                let is_of_mending = call.not_mended.as_ref().is_some_and(|why| calls::is_error_of(&error, why));
                if !calls::is_error_of(&error, why) && !is_of_mending {
                    self.problem(format!("{label}: refused as {why}, told {error:?}, {ops:?}")).await;
                }
            }
            (Err(error), Some(Ok(seen))) => {
                self.problem(format!("{label}: done as {seen:?}, told {error:?}, {ops:?}")).await;
            }
            (Ok(_), None) if ops.is_empty() => {}
            (Ok(told), None) => self.problem(format!("{label}: nothing was sent, told {told:?}, {ops:?}")).await,
            (Err(error), None) => {
                self.problem(format!("{label}: failed: {error:?}, lost {}, {ops:?}", call.lost)).await;
            }
        }
    }
}

fn same_values(one: &[Val], two: &[Val]) -> bool {
    one.len() == two.len() && one.iter().zip(two).all(|(one, two)| one == two)
}
