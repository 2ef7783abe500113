//! The end: what the keys hold, read raw, against the model and against each other.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use redis_model::hash::Drift;
use redis_model::{Error, ErrorKind, Redis};
use redis_model_tests::direct::Raw;

use crate::calls;
use crate::op::{Life, Mode, Op, Span, What};
use crate::schema::{Account, Fields, Record, Table, User, Val, claims, field};
use crate::state::{Slot, State, distinct};
use crate::world::{Turn, World, now};

/// All that the keys of a table's indexes hold.
struct Dump {
    /// The names and kinds of the columns.
    columns: Vec<(String, char)>,
    /// The name and the positions of the columns of each index.
    indexes: Vec<(String, Vec<usize>)>,
    rows: BTreeMap<String, Vec<Vec<u8>>>,
    entries: Vec<BTreeSet<Vec<u8>>>,
    marks: BTreeMap<String, i64>,
}

pub(crate) async fn at_the_end(world: &World) {
    tokio::time::sleep(Duration::from_millis(1100)).await;
    sweep(world).await;
    compare_all(world).await;
    let (redis, call) = world.client(None);
    let turn = Turn { call: &call };
    turn.begin(Vec::new(), Vec::new());
    verify::<User>(world, &redis, &[]).await;
    verify::<Account>(world, &redis, &[]).await;
    let users = reindex::<User>(world, &redis).await;
    let accounts = reindex::<Account>(world, &redis).await;
    compare_all(world).await;
    verify::<User>(world, &redis, &users).await;
    verify::<Account>(world, &redis, &accounts).await;
    let state = &mut *world.state.lock().await;
    for ((table, id), slot) in state.slots.clone() {
        let is_refused = users.contains(&id) && table == Table::Users;
        if table.has_rows() && slot.has_drifted(table, now()) == Some(true) && !is_refused {
            state.problem(format!("{id:?} of {table:?} after reindex: {slot:?}"));
        }
    }
}

async fn compare_all(world: &World) {
    let mut state = world.state.lock().await;
    state.settle(now());
    for table in [Table::Users, Table::Accounts] {
        compare_records(world, &mut state, table).await;
        if let Some(dump) = dump(world, table).await {
            compare(&dump, &mut state, table);
        }
    }
}

/// Reports what other programs have broken, and nothing else. `refused` are records that `reindex` could not index.
async fn verify<R: Record>(world: &World, redis: &Redis, refused: &[String]) {
    let from = now().from;
    let drifts = R::verify_to_end(redis).await;
    let mut state = world.state.lock().await;
    state.settle(Span { from, to: now().to });
    match drifts {
        Ok(drifts) => compare_drifts(&mut state, R::TABLE, &drifts, refused, from),
        Err(error) => state.problem(format!("verify: {error:?}")),
    }
}

pub(crate) fn compare_drifts(state: &mut State, table: Table, drifts: &[Drift], refused: &[String], from: i64) {
    let now = Span { from, to: now().to };
    let slots: Vec<_> = state.slots.iter().filter(|((of, _), _)| *of == table).collect();
    let mut problems = Vec::new();
    for ((_, id), slot) in slots {
        let found: Vec<_> = drifts.iter().filter(|drift| drift.id() == Some(id)).collect();
        match slot.has_drifted(table, now) {
            Some(true) if found.is_empty() => problems.push(format!("verify misses {id:?}: {slot:?}")),
            Some(false) if !found.is_empty() && !refused.contains(id) => {
                problems.push(format!("verify reports {found:?}: {slot:?}"));
            }
            _ => {}
        }
    }
    if let Some(drift) = drifts.iter().find(|drift| drift.id().is_none()) {
        problems.push(format!("verify reports {drift:?}"));
    }
    state.count(if drifts.is_empty() { "verify: clean" } else { "verify: drifts" });
    problems.into_iter().for_each(|problem| state.problem(problem));
}

/// Repairs the indexes. Returns the ids of the records that are in none, because another record has their unique values.
async fn reindex<R: Record>(world: &World, redis: &Redis) -> Vec<String> {
    match R::reindex_to_end(redis).await {
        Ok(reindexed) => {
            let id = |error: &Error| error.key().and_then(|key| key.split_once(':')).map(|(_, id)| id.to_owned());
            for error in reindexed.errors.iter().filter(|error| error.kind() != ErrorKind::Duplicate) {
                world.state.lock().await.problem(format!("reindex: {error:?}"));
            }
            reindexed.errors.iter().filter_map(id).collect()
        }
        Err(error) => {
            world.state.lock().await.problem(format!("reindex: {error:?}"));
            Vec::new()
        }
    }
}

/// Writes now and then remove what expired records have left behind. These reach every partition.
async fn sweep(world: &World) {
    let (redis, call) = world.client(None);
    for number in 0..24 {
        for table in [Table::Users, Table::Accounts] {
            let id = number.to_string();
            let stored = {
                let mut state = world.state.lock().await;
                state.settle(now());
                state.get(table, &id).and_then(|slot| slot.record.clone())
            };
            let version = stored.map_or(0, |record| field(&record, "version").to_int());
            // No user has an empty value in a unique field, and no account has this one.
            let (fields, version) = match table {
                Table::Users => (User::from_fields("0", &Fields::new()).to_fields(), None),
                _ => (
                    Fields::from([("iban", Val::text(format!("sweep{number}"))), ("cents", Val::Int(0))]),
                    Some(version),
                ),
            };
            let what = What::Put { mode: Mode::Save, fields, version };
            let op = Op { table, id, what, life: Life::Persist };
            let turn = Turn { call: &call };
            turn.begin(vec![op.clone()], Vec::new());
            let result = calls::one(&redis, &op).await;
            turn.end();
            if let Err(error) = result {
                world.state.lock().await.problem(format!("the write that sweeps: {error:?}, {op:?}"));
            }
        }
    }
}

fn texts(raw: Raw) -> Vec<Vec<u8>> {
    match raw {
        Raw::Array(items) => items
            .into_iter()
            .map(|item| match item {
                Raw::Text(text) => text,
                other => format!("{other:?}").into_bytes(),
            })
            .collect(),
        _ => Vec::new(),
    }
}

fn string(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

async fn keys_of(world: &World, name: &str) -> Vec<String> {
    let all = texts(world.run(["KEYS", &format!("{name}*")]).await);
    let is_own = |key: &String| {
        let rest = key.strip_prefix(name).unwrap_or("?");
        rest.is_empty() || rest.strip_prefix(':').is_some_and(|rest| rest.bytes().all(|byte| byte.is_ascii_digit()))
    };
    all.iter().map(|key| string(key)).filter(is_own).collect()
}

async fn dump(world: &World, table: Table) -> Option<Dump> {
    let prefix = table.prefix();
    let mut dump = Dump {
        columns: Vec::new(),
        indexes: Vec::new(),
        rows: BTreeMap::new(),
        entries: Vec::new(),
        marks: BTreeMap::new(),
    };
    for key in keys_of(world, &format!("{prefix}::rows")).await {
        for pair in texts(world.run(["HGETALL", &key]).await).chunks(2) {
            if pair[0] == b":" {
                read_label(&string(&pair[1]), &mut dump);
            } else if !pair[0].starts_with(b":") {
                let columns = pair[1].split(|byte| *byte == 0).skip(1).map(<[u8]>::to_vec).collect();
                dump.rows.insert(string(&pair[0]), columns);
            }
        }
    }
    for key in keys_of(world, &format!("{prefix}::expiry")).await {
        for pair in texts(world.run(["ZRANGE", &key, "0", "-1", "WITHSCORES"]).await).chunks(2) {
            dump.marks.insert(string(&pair[0]), string(&pair[1]).parse().unwrap());
        }
    }
    for (name, _) in dump.indexes.clone() {
        let mut entries = BTreeSet::new();
        for key in keys_of(world, &format!("{prefix}::index:{name}")).await {
            entries.extend(texts(world.run(["ZRANGE", &key, "0", "-1"]).await));
        }
        entries.remove(&Vec::new());
        dump.entries.push(entries);
    }
    (!dump.indexes.is_empty()).then_some(dump)
}

/// Reads `TAG User;email t,age i;email=1!;email+age=1+2`.
fn read_label(label: &str, dump: &mut Dump) {
    let descriptor = label.split_once(' ').unwrap().1;
    let mut parts = descriptor.split(';').skip(1);
    dump.columns = parts
        .next()
        .unwrap()
        .split(',')
        .map(|column| {
            let (name, kind) = column.rsplit_once(' ').unwrap();
            (name.to_owned(), kind.chars().next().unwrap())
        })
        .collect();
    dump.indexes = parts
        .filter_map(|part| {
            let (name, positions) = part.split_once('=')?;
            let positions = positions.trim_end_matches('!').split('+').map(|at| at.parse::<usize>().unwrap() - 1);
            Some((name.to_owned(), positions.collect()))
        })
        .collect();
}

/// The encoded values of a column.
fn values(column: &[u8]) -> Vec<&[u8]> {
    if column.is_empty() { Vec::new() } else { column.split(|byte| *byte == 2).map(|value| &value[1..]).collect() }
}

fn entries_of(columns: &[Vec<u8>], positions: &[usize], id: &str) -> Vec<Vec<u8>> {
    let member = |values: &[&[u8]]| [values.join(&0), id.as_bytes().to_vec()].join(&0);
    if let [only] = positions {
        return values(&columns[*only]).into_iter().map(|value| member(&[value])).collect();
    }
    let parts: Vec<&[u8]> = positions.iter().flat_map(|at| values(&columns[*at])).collect();
    if parts.len() == positions.len() { vec![member(&parts)] } else { Vec::new() }
}

fn decoded(kind: char, value: &[u8]) -> Val {
    let flipped = |digits: &[u8]| -> String { digits.iter().map(|digit| char::from(b'9' - digit + b'0')).collect() };
    let digits = |value: &[u8]| if value[0] == b'4' { flipped(&value[1..]) } else { string(&value[1..]) };
    match kind {
        'i' => {
            let sign = if value[0] == b'4' { "-" } else { "" };
            Val::Int(format!("{sign}{}", &digits(value)[2..]).parse().unwrap())
        }
        'f' => Val::Float(match value[0] {
            b'7' => f64::INFINITY,
            b'3' => f64::NEG_INFINITY,
            b'5' => 0.0,
            first => {
                let digits = digits(value);
                let exponent: i32 = digits[..4].parse::<i32>().unwrap() - 1100;
                // In two steps, because the power alone may be too large or too small.
                let half = exponent / 2;
                let mantissa = digits[4..].parse::<f64>().unwrap() / 9_007_199_254_740_992.0;
                let number = mantissa * 2f64.powi(half) * 2f64.powi(exponent - half);
                if first == b'4' { -number } else { number }
            }
        }),
        _ => {
            let text = string(value);
            Val::Text(text.replace("\u{1}\u{3}", "\0").replace("\u{1}\u{5}", "\u{2}").replace("\u{1}\u{4}", "\u{1}"))
        }
    }
}

async fn compare_records(world: &World, state: &mut State, table: Table) {
    let prefix = format!("{}:", table.prefix());
    let keys: BTreeSet<String> = texts(world.run(["KEYS", &format!("{prefix}*")]).await)
        .iter()
        .map(|key| string(key))
        .filter(|key| !key[prefix.len()..].starts_with(':'))
        .collect();
    let expected: BTreeSet<String> = (state.slots.iter())
        .filter(|((of, _), slot)| *of == table && slot.record.is_some())
        .map(|((_, id), _)| table.key(id))
        .collect();
    if keys != expected {
        let both: Vec<_> = keys.symmetric_difference(&expected).collect();
        state.problem(format!("lost or doubled records of {table:?}: {both:?}"));
    }
    for key in keys.intersection(&expected) {
        let stored: BTreeMap<String, String> = texts(world.run(["HGETALL", key]).await)
            .chunks(2)
            .map(|pair| (string(&pair[0]), string(&pair[1])))
            .filter(|(name, _)| name != "id")
            .collect();
        let record = state.get(table, &key[prefix.len()..]).and_then(|slot| slot.record.clone()).unwrap_or_default();
        let same = |name: &str, value: &Val| match value {
            Val::Float(number) => stored.get(name).is_some_and(|text| text.parse() == Ok(*number)),
            other => stored.get(name).cloned() == other.stored(),
        };
        let count = record.values().filter(|value| **value != Val::Absent).count();
        if count != stored.len() || !record.iter().all(|(name, value)| same(name, value)) {
            state.problem(format!("{key:?} is {stored:?}, model {record:?}"));
        }
    }
}

fn compare(dump: &Dump, state: &mut State, table: Table) {
    for ((name, positions), entries) in dump.indexes.iter().zip(&dump.entries) {
        let expected: BTreeSet<Vec<u8>> =
            dump.rows.iter().flat_map(|(id, columns)| entries_of(columns, positions, id)).collect();
        if expected != *entries {
            let both: Vec<_> = expected.symmetric_difference(entries).take(5).map(|entry| string(entry)).collect();
            state.problem(format!("the index {name} of {table:?} does not follow the rows: {both:?}"));
        }
    }
    let now = now();
    let slots: Vec<(String, Slot)> = (state.slots.iter())
        .filter(|((of, _), _)| *of == table)
        .map(|((_, id), slot)| (id.clone(), slot.clone()))
        .collect();
    for (id, slot) in &slots {
        match (slot.is_held(now), &slot.row, dump.rows.get(id)) {
            (Some(true), Some(row), Some(columns)) => {
                if let Some(text) = differs(dump, row, columns) {
                    state.problem(format!("the row of {id:?} in {table:?}: {text}, model {slot:?}"));
                }
            }
            (Some(true), _, None) => state.problem(format!("{id:?} of {table:?} has no row, model {slot:?}")),
            (_, None, Some(_)) => state.problem(format!("{id:?} of {table:?} has a row, model {slot:?}")),
            (Some(false), Some(_), Some(_)) => {
                state.problem(format!("{id:?} of {table:?} was not swept, model {slot:?}"));
            }
            _ => {}
        }
        match (slot.mark.filter(|_| slot.is_held(now) == Some(true)), dump.marks.get(id)) {
            (Some(mark), Some(at)) if (mark.from - 3..=mark.to + 3).contains(at) => {}
            (None, None) => {}
            // `reindex` marks a record that it may not index.
            (None, Some(_)) if slot.record.is_some() && slot.row.is_none() => {}
            (mark, at) => state.problem(format!("the mark of {id:?} in {table:?}: {at:?}, model {mark:?}")),
        }
    }
    let known: BTreeSet<&String> = slots.iter().map(|(id, _)| id).collect();
    for id in dump.rows.keys().filter(|id| !known.contains(id)) {
        state.problem(format!("a row of a record that never was: {id:?}"));
    }
    for (columns, is_unique) in table.indexes() {
        let mut owners: Vec<(Vec<Val>, &String)> = Vec::new();
        for (id, slot) in slots.iter().filter(|(_, slot)| slot.is_held(now) == Some(true)) {
            for claim in slot.row.iter().flat_map(|row| claims(row, columns)) {
                if *is_unique && owners.iter().any(|(other, _)| crate::schema::same(other, &claim)) {
                    state.problem(format!("two records of {table:?} have {claim:?}"));
                }
                owners.push((claim, id));
            }
        }
    }
}

fn differs(dump: &Dump, row: &Fields, columns: &[Vec<u8>]) -> Option<String> {
    dump.columns.iter().zip(columns).find_map(|((name, kind), column)| {
        let mut found: Vec<Val> = values(column).into_iter().map(|value| decoded(*kind, value)).collect();
        found.sort_by(Val::order);
        found.dedup_by(|one, two| one.is(two));
        (!crate::schema::same(&found, &distinct(field(row, name)))).then(|| format!("{name} is {found:?}"))
    })
}
