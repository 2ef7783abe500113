//! Random operations. The values collide often: in unique fields, in order, and in their separators.

use std::ops::Bound;

use redis_model_tests::random::Random;

use crate::op::{Change, Life, Mode, Op, PatchSpec, What};
use crate::schema::{Fields, Table, Val, field};
use crate::state::State;
use crate::world::Cut;

const EMAILS: [&str; 11] = ["a", "b\0", "b", "c\u{1}", "d\u{2}x", "e", "é", "", "Zed", "zed", "\u{1}\u{3}"];
const COUNTRIES: [&str; 8] = ["tr", "uk", "", "TR", "t\0r", "ü", "t", "T"];
const TAGS: [&str; 7] = ["x", "y", "z\u{2}", "", "Y", "é\0", "x\u{1}"];
const TENANTS: [&str; 2] = ["t1", "t2\0"];
const NICKS: [&str; 5] = ["n", "", "m", "n\0", "N"];
const SCORES: [i64; 14] = [0, 1, -1, 9, 10, 11, 99, 100, -100, -99, i64::MAX, i64::MIN, 1 << 53, (1 << 53) + 1];
const RATES: [f64; 14] = [
    0.0,
    -0.0,
    0.1,
    0.2,
    -0.1,
    1e300,
    -1e300,
    5e-324,
    f64::INFINITY,
    f64::NEG_INFINITY,
    1.5,
    -2.25,
    f64::MAX,
    123_456_789.125,
];
const ODD_IDS: [&str; 6] = ["r\0", "rows", "é", "\u{1}x", "a b", "expiry"];

/// How many ids there are of each kind.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ids(pub(crate) usize);

impl Ids {
    pub(crate) fn pick(self, random: &Random, table: Table) -> String {
        let at = random.below(self.0 + if self.0 > 20 { ODD_IDS.len() } else { 0 });
        match at.checked_sub(self.0) {
            Some(odd) if table == Table::Users => ODD_IDS[odd].to_owned(),
            _ => (at % self.0).to_string(),
        }
    }
}

fn text(random: &Random, field: &str) -> String {
    match field {
        "email" if random.chance(60) => format!("u{}", random.below(200)),
        "email" => random.pick(&EMAILS).to_owned(),
        "country" => random.pick(&COUNTRIES).to_owned(),
        "tags" => random.pick(&TAGS).to_owned(),
        "tenant" => random.pick(&TENANTS).to_owned(),
        "nick" if random.chance(50) => format!("n{}", random.below(100)),
        "nick" => random.pick(&NICKS).to_owned(),
        "role" => random.pick(&["admin", "guest"]).to_owned(),
        "iban" => format!("i{}", random.below(90)),
        _ => random.pick(&["hello", "q", ""]).to_owned(),
    }
}

pub(crate) fn value(random: &Random, name: &str) -> Val {
    let is_optional = matches!(name, "email" | "role" | "nick" | "bio" | "text");
    match name {
        "score" | "cents" if random.chance(50) => Val::Int(random.pick(&SCORES)),
        "score" | "cents" => Val::Int(random.below(400) - 200),
        "age" => Val::Int(random.below(30)),
        "rate" if random.chance(50) => Val::Float(random.pick(&RATES)),
        "rate" => Val::Float(f64::from(random.below(80) - 40) / 8.0),
        "tags" => {
            let count = random.below(4);
            Val::List((0..count).map(|_| text(random, "tags")).collect())
        }
        _ if is_optional && random.chance(15) => Val::Absent,
        _ => Val::Text(text(random, name)),
    }
}

const USER_FIELDS: [&str; 10] = ["email", "country", "role", "score", "rate", "tags", "tenant", "nick", "age", "bio"];

pub(crate) fn fields(random: &Random, table: Table) -> Fields {
    let names: &[&'static str] = match table {
        Table::Users => &USER_FIELDS,
        Table::Accounts => &["iban", "cents"],
        Table::Notes => &["text"],
    };
    names.iter().map(|name| (*name, value(random, name))).collect()
}

fn life(random: &Random) -> Life {
    match random.below(10) {
        0..=5 => Life::Keep,
        6 => Life::Persist,
        _ => Life::Set(random.pick(&[5, 15, 40, 120, 1000])),
    }
}

/// An operation on a record with this id.
pub(crate) fn op(random: &Random, table: Table, id: String, state: &State) -> Op {
    let stored = state.get(table, &id).and_then(|slot| slot.record.clone());
    let version = |random: &Random| {
        let stored = stored.as_ref().map_or(0, |record| field(record, "version").to_int());
        if random.chance(75) { stored } else { random.below(4) }
    };
    match random.below(100) {
        0..=49 => {
            let mode = random.pick(&[Mode::Insert, Mode::Save, Mode::Save, Mode::Update]);
            let version = (table == Table::Accounts).then(|| version(random));
            let what = What::Put { mode, fields: fields(random, table), version };
            Op { table, id, what, life: life(random) }
        }
        50..=61 => Op { table, id, what: What::Delete, life: Life::Keep },
        62..=71 => {
            let life = if random.chance(30) { Life::Persist } else { Life::Set(random.pick(&[5, 15, 40, 120, 1000])) };
            Op { table, id, what: What::Expire { must_exist: false }, life }
        }
        _ => {
            let version = (table == Table::Accounts && random.chance(40)).then(|| version(random));
            let patch = patch(random, table, stored.as_ref(), version);
            let life = if random.chance(70) { Life::Keep } else { life(random) };
            Op { table, id, what: What::Patch(patch), life }
        }
    }
}

pub(crate) fn patch(random: &Random, table: Table, stored: Option<&Fields>, version: Option<i64>) -> PatchSpec {
    let mut patch = PatchSpec { version, ..PatchSpec::default() };
    let names: &[&'static str] = match table {
        Table::Users => &USER_FIELDS,
        Table::Accounts => &["iban", "cents"],
        Table::Notes => &["text"],
    };
    for _ in 0..=random.below(3) {
        let name = random.pick(names);
        if patch.changes.iter().any(|(other, _)| *other == name) {
            continue;
        }
        let change = match name {
            "score" | "cents" if random.chance(60) => {
                Change::Incr(random.pick(&[1, -1, 10, 1 << 62, -(1 << 62), 12_345_678_901_234_567]))
            }
            "age" if random.chance(50) => Change::Incr(random.pick(&[1, -1, 100, 20])),
            "rate" if random.chance(60) => Change::IncrFloat(random.pick(&[0.1, -0.3, 1e300, 1.0, 0.25])),
            "country" if random.chance(30) => Change::Append(random.pick(&["x", "\0", "", "é"]).to_owned()),
            "bio" if random.chance(30) => Change::Append("b".to_owned()),
            "email" | "nick" | "bio" | "role" if random.chance(25) => Change::Clear,
            "email" | "nick" | "bio" | "country" if random.chance(30) => {
                Change::SetIfAbsent(Val::Text(text(random, name)))
            }
            _ => Change::Set(value(random, name)),
        };
        // A value of `None` clears.
        let change = match change {
            Change::Set(Val::Absent) => Change::Clear,
            other => other,
        };
        patch.changes.push((name, change));
    }
    if table == Table::Users && random.chance(20) {
        let own = stored.map(|record| field(record, "score").clone()).filter(|_| random.chance(70));
        patch.conditions.push(("score", own.unwrap_or(Val::Int(5))));
    }
    if table == Table::Users && random.chance(30) {
        patch.returning = vec!["score", "email", "country"];
    }
    patch
}

/// Connections that break, now and then.
pub(crate) fn cuts(random: &Random) -> Vec<Cut> {
    if !random.chance(15) {
        return Vec::new();
    }
    let all = [Cut::Before, Cut::During, Cut::After, Cut::Late];
    (0..=random.below(2)).map(|_| random.pick(&all)).collect()
}

/// A condition of a query.
#[derive(Debug, Clone)]
pub(crate) enum Condition {
    AnyOf(Vec<Val>),
    Range(Bound<Val>, Bound<Val>),
    Prefix(String),
    Contains(String),
    ContainsAny(Vec<String>),
}

#[derive(Debug, Clone)]
pub(crate) struct Search {
    pub(crate) conditions: Vec<(&'static str, Condition)>,
    /// The field, and whether the largest value comes first.
    pub(crate) order: Option<(&'static str, bool)>,
    pub(crate) limit: usize,
    pub(crate) in_one_request: bool,
}

pub(crate) fn search(random: &Random) -> Search {
    let names = ["email", "country", "role", "score", "rate", "tags", "tenant", "nick", "age"];
    let conditions = (0..random.pick(&[0, 1, 1, 1, 2, 3])).map(|_| {
        let name = random.pick(&names);
        (name, condition(random, name))
    });
    let conditions = conditions.collect();
    let order =
        random.chance(50).then(|| (random.pick(&["email", "country", "role", "score", "rate"]), random.chance(50)));
    Search { conditions, order, limit: random.pick(&[1, 3, 7, 50]), in_one_request: random.chance(30) }
}

fn condition(random: &Random, name: &'static str) -> Condition {
    let some = |random: &Random| loop {
        let value = value(random, name);
        if value != Val::Absent {
            return value;
        }
    };
    if name == "tags" {
        return if random.chance(50) {
            Condition::Contains(text(random, "tags"))
        } else {
            Condition::ContainsAny((0..3).map(|_| text(random, "tags")).collect())
        };
    }
    let is_text = matches!(name, "email" | "country" | "tenant" | "nick");
    match random.below(10) {
        0..=3 => Condition::AnyOf(vec![some(random)]),
        4..=5 => Condition::AnyOf((0..=random.below(3)).map(|_| some(random)).collect()),
        6 if is_text => Condition::Prefix(random.pick(&["t", "u1", "b", "n", ""]).to_owned()),
        _ if name == "role" => Condition::AnyOf(vec![some(random)]),
        _ => {
            let bound = |random: &Random| {
                let value = some(random);
                random.pick(&[Bound::Included(value.clone()), Bound::Excluded(value), Bound::Unbounded])
            };
            Condition::Range(bound(random), bound(random))
        }
    }
}

impl Search {
    pub(crate) fn holds(&self, fields: &Fields) -> bool {
        self.conditions.iter().all(|(name, condition)| condition.holds(field(fields, name)))
    }

    /// Whether the conditions hold, and the record has a value to order it by.
    pub(crate) fn matches(&self, fields: &Fields) -> bool {
        self.holds(fields) && self.order.is_none_or(|(name, _)| *field(fields, name) != Val::Absent)
    }
}

impl Condition {
    pub(crate) fn holds(&self, value: &Val) -> bool {
        use std::cmp::Ordering::{Greater, Less};

        value.elements().iter().any(|value| match self {
            Condition::AnyOf(values) => values.iter().any(|one| one.is(value)),
            Condition::Contains(text) => value.is(&Val::Text(text.clone())),
            Condition::ContainsAny(texts) => texts.iter().any(|text| value.is(&Val::Text(text.clone()))),
            Condition::Prefix(prefix) => value.to_text().starts_with(prefix),
            Condition::Range(from, to) => {
                let from = match from {
                    Bound::Included(from) => value.order(from) != Less,
                    Bound::Excluded(from) => value.order(from) == Greater,
                    Bound::Unbounded => true,
                };
                let to = match to {
                    Bound::Included(to) => value.order(to) != Greater,
                    Bound::Excluded(to) => value.order(to) == Less,
                    Bound::Unbounded => true,
                };
                from && to
            }
        })
    }
}
