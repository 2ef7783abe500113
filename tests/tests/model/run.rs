//! Tasks that make random calls, and compare what they are told with the model.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use redis_model::commands::expiry::Ttl;
use redis_model::prelude::*;
use redis_model::{Cursor, Drift, Error, ErrorKind};
use redis_model_tests::Stack;
use redis_model_tests::direct::{Mutation, Raw};
use redis_model_tests::random::Random;

use crate::calls;
use crate::check;
use crate::generate::{self, Ids, Search};
use crate::schema::{Account, Fields, Record, Table, User, Val, field};
use crate::state::{Change, Did, Life, Mode, Op, PatchSpec, Slot, Span, State, What};
use crate::world::{Call, Cut, SharedCall, Turn, World, clock, lock, now};

#[derive(Debug, Clone)]
pub(crate) struct Settings {
    pub(crate) operations: u64,
    pub(crate) seed: u64,
    pub(crate) tasks: usize,
    pub(crate) ids: usize,
    pub(crate) mutation: Option<Mutation>,
    pub(crate) through_gateway: bool,
    /// Stops at the first problem.
    pub(crate) stops: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Settings { operations: 0, seed: 1, tasks: 4, ids: 50, mutation: None, through_gateway: false, stops: false }
    }
}

#[derive(Debug, Default)]
pub(crate) struct Report {
    pub(crate) problems: Vec<String>,
    counts: BTreeMap<String, u64>,
    pub(crate) has_mutated: bool,
    pub(crate) operations: u64,
    millis: i64,
}

impl Report {
    pub(crate) fn summary(&self) -> String {
        format!("{} operations in {} ms: {:?}", self.operations, self.millis, self.counts)
    }
}

/// Runs the operations on an empty server.
pub(crate) async fn run(stack: &Stack, settings: Settings) -> Report {
    let began = clock();
    let world = World::new(stack, settings.mutation.clone());
    world.run(["FLUSHALL"]).await;
    world.run(["SCRIPT", "FLUSH"]).await;
    let each = settings.operations / settings.tasks as u64 + 1;
    let tasks: Vec<_> = (0..settings.tasks)
        .map(|number| {
            // One task's requests go through the gateway.
            let (redis, call) = world.client((number == 0 && settings.through_gateway).then_some(stack));
            let random = Random::new(settings.seed.wrapping_mul(1000) + number as u64);
            let world = Arc::clone(&world);
            let mut task = Task { world, redis, call, random, ids: Ids(settings.ids), label: "" };
            tokio::spawn(async move {
                for done in 0..each {
                    task.step().await;
                    if done % 64 == 0 && settings.stops && !task.world.state.lock().await.problems.is_empty() {
                        return done;
                    }
                }
                each
            })
        })
        .collect();
    let mut operations = 0;
    for task in tasks {
        match task.await {
            Ok(done) => operations += done,
            Err(error) => world.state.lock().await.problem(format!("a task panicked: {error}")),
        }
    }
    let mut is_clean = world.state.lock().await.problems.is_empty();
    if is_clean {
        check::at_the_end(&world).await;
        is_clean = world.state.lock().await.problems.is_empty();
    }
    let state = world.state.lock().await;
    let _ = is_clean;
    Report {
        problems: state.problems.clone(),
        counts: state.counts.clone(),
        has_mutated: world.has_mutated(),
        operations,
        millis: clock() - began,
    }
}

pub(crate) struct Task {
    pub(crate) world: Arc<World>,
    pub(crate) redis: Redis,
    pub(crate) call: SharedCall,
    pub(crate) random: Random,
    pub(crate) ids: Ids,
    label: &'static str,
}

impl Task {
    fn turn(&self) -> Turn<'_> {
        Turn { call: &self.call }
    }

    async fn problem(&self, text: String) {
        self.world.state.lock().await.problem(text);
    }

    async fn step(&mut self) {
        match self.random.below(1000) {
            0..400 => self.write().await,
            400..480 => self.unit().await,
            480..510 => self.many().await,
            510..550 => self.modify().await,
            550..700 => self.search().await,
            700..720 => self.each().await,
            720..723 => self.upkeep().await,
            723..790 => self.pages().await,
            790..830 => self.counts().await,
            830..870 => self.find_by().await,
            870..930 => self.loads().await,
            _ => self.behind_the_back().await,
        }
    }

    fn table(&mut self) -> Table {
        if self.random.chance(75) { Table::Users } else { Table::Accounts }
    }

    async fn op(&mut self, table: Table) -> Op {
        let id = self.ids.pick(&self.random, table);
        let state = Arc::clone(&self.world.state).lock_owned().await;
        generate::op(&self.random, table, id, &state)
    }

    async fn write(&mut self) {
        self.label = "write";
        let table = self.table();
        let op = self.op(table).await;
        let cuts = generate::cuts(&self.random);
        self.turn().begin(vec![op.clone()], cuts);
        let result = calls::one(&self.redis, &op).await;
        let (call, _) = self.turn().end();
        self.compare(&[op], result.map(|did| vec![did]), call).await;
    }

    async fn unit(&mut self) {
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
    async fn many(&mut self) {
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
    async fn modify(&mut self) {
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

    /// A page, while nobody else writes: it must be exactly what a filter over the model gives.
    async fn search(&mut self) {
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
    async fn pages(&mut self) {
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

    /// Compares the indexes with the records, or builds them while others write.
    async fn upkeep(&mut self) {
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

    /// Patches or deletes all that match.
    async fn each(&mut self) {
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

    async fn counts(&mut self) {
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

    async fn find_by(&mut self) {
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

    async fn loads(&mut self) {
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

    /// What other programs do to the server.
    async fn behind_the_back(&mut self) {
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

/// Queries are refused while the indexes are built.
fn is_building(error: &Error, state: &State) -> bool {
    error.kind() == ErrorKind::Index && state.reindexed.0 > state.reindexed.1 && error.message().contains("reindex")
}

fn read_cuts(random: &Random) -> Vec<Cut> {
    if random.chance(8) { vec![random.pick(&[Cut::Before, Cut::During, Cut::After])] } else { Vec::new() }
}

fn same_values(one: &[Val], two: &[Val]) -> bool {
    one.len() == two.len() && one.iter().zip(two).all(|(one, two)| one == two)
}

pub(crate) fn same_fields(one: Option<&Fields>, two: Option<&Fields>) -> bool {
    match (one, two) {
        (Some(one), Some(two)) => one.iter().all(|(name, value)| field(two, name) == value) && one.len() == two.len(),
        (None, None) => true,
        _ => false,
    }
}

enum Told {
    Nothing,
    Count(u64),
    Exists(bool),
    First(Option<Found>),
    All(Vec<Found>),
}

/// A record of an answer, or its id alone.
#[derive(Debug, Clone)]
pub(crate) enum Found {
    Id(String),
    Record(String, Fields),
}

impl Found {
    fn of(user: User) -> Self {
        let fields = user.to_fields();
        Found::Record(user.id, fields)
    }

    fn id(&self) -> &str {
        match self {
            Found::Id(id) | Found::Record(id, _) => id,
        }
    }

    fn is(&self, record: Option<&Fields>) -> bool {
        match self {
            Found::Id(_) => true,
            Found::Record(_, fields) => same_fields(Some(fields), record),
        }
    }
}

/// What a query must answer.
struct Expected {
    /// In order, if there is one.
    sure: Vec<(Val, String)>,
    /// Those that expire about now.
    unsure: BTreeSet<String>,
}

impl Expected {
    fn of(search: &Search, state: &mut State, now: Span, loads: bool) -> Self {
        state.settle(now);
        let mut expected = Expected { sure: Vec::new(), unsure: BTreeSet::new() };
        for ((table, id), slot) in &state.slots {
            let Some(row) = slot.row.as_ref().filter(|_| *table == Table::Users) else { continue };
            let matches = |fields: &Fields| search.matches(fields);
            let held = slot.is_held(now);
            let alive = if loads { slot.is_alive(now) } else { Some(true) };
            if held == Some(false) || alive == Some(false) || !matches(row) {
                continue;
            }
            if loads && !slot.record.as_ref().is_some_and(matches) {
                continue;
            }
            if held.is_none() || alive.is_none() {
                expected.unsure.insert(id.clone());
                continue;
            }
            let key = search.order.map_or(Val::Absent, |(name, _)| field(row, name).clone());
            expected.sure.push((key, id.clone()));
        }
        expected.sure.sort_by(|one, two| one.0.order(&two.0).then_with(|| one.1.cmp(&two.1)));
        if search.order.is_some_and(|(_, is_descending)| is_descending) {
            expected.sure.reverse();
        }
        expected
    }

    fn compare(&self, search: &Search, items: &[Found], is_all: bool, limit: Option<usize>, state: &mut State) {
        let slot = |id: &str| state.get(Table::Users, id).cloned();
        let ids: Vec<&str> = items.iter().map(Found::id).collect();
        let distinct: BTreeSet<&str> = ids.iter().copied().collect();
        let sure: Vec<&str> = self.sure.iter().map(|(_, id)| id.as_str()).collect();
        let differing: Vec<_> = sure
            .iter()
            .filter(|id| !distinct.contains(*id))
            .chain(distinct.iter().filter(|id| !sure.contains(id) && !self.unsure.contains(**id)))
            .map(|id| (*id, slot(id)))
            .collect();
        let says = |what: &str| format!("{what}: {search:?} answers {ids:?}, expected {sure:?}, {differing:?}");
        let mut problem = None;
        if distinct.len() != ids.len() {
            problem = Some(says("a record twice"));
        }
        if let Some(wrong) =
            items.iter().find(|found| !found.is(slot(found.id()).as_ref().and_then(|slot| slot.record.as_ref())))
        {
            problem = Some(format!("{search:?}: {wrong:?} differs, {:?}", slot(wrong.id())));
        }
        if !ids.iter().all(|id| sure.contains(id) || self.unsure.contains(*id)) {
            problem = Some(says("a record that does not match"));
        }
        let certain: Vec<&str> = ids.iter().copied().filter(|id| !self.unsure.contains(*id)).collect();
        if search.order.is_some() && !sure.starts_with(&certain) {
            problem = Some(says("another order"));
        }
        if is_all && certain.len() != sure.len() {
            problem = Some(says("a record is missing"));
        }
        let full = limit.unwrap_or(usize::MAX);
        if ids.len() > full || ids.len() < full.min(sure.len()) {
            problem = Some(says("another number of records"));
        }
        if let Some(problem) = problem {
            state.problem(problem);
        }
    }
}
