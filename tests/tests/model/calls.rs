//! The calls of the public API that the operations stand for.

use std::ops::Bound;
use std::time::Duration;

use redis_model::hash::{SaveOptions, Version};
use redis_model::prelude::*;
use redis_model::{Committed, Error, ErrorKind, Patch, Query, Unit};

use crate::generate::{Condition, Search};
use crate::op::{Change, Did, Life, Mode, Op, PatchSpec, What};
use crate::schema::{Account, Fields, Note, Record, Role, Table, User, Val, field};

fn millis(millis: i64) -> Duration {
    Duration::from_millis(u64::try_from(millis).unwrap())
}

fn options(life: Life) -> SaveOptions {
    match life {
        Life::Keep => SaveOptions::new(),
        Life::Set(ttl) => SaveOptions::new().ttl(millis(ttl)),
        Life::Persist => SaveOptions::new().persist(),
    }
}

fn with_version(fields: &Fields, version: Option<i64>) -> Fields {
    let mut fields = fields.clone();
    if let Some(version) = version {
        fields.insert("version", Val::Int(version));
    }
    fields
}

fn number<V: Version>(version: &V) -> Option<i64> {
    version.number().map(|number| i64::try_from(number).unwrap())
}

/// Makes the call. `None` for what the model says of it, but the caller is not told.
pub(crate) async fn one(redis: &Redis, op: &Op) -> Result<Did> {
    match op.table {
        Table::Users => {
            let id = op.id.as_str();
            match &op.what {
                What::Patch(patch) if !patch.returning.is_empty() => {
                    let returning = (User::SCORE, User::EMAIL, User::COUNTRY);
                    let (score, email, country) =
                        user_patch(id, patch, op.life).returning(returning).exec(redis).await?;
                    let text = |text: Option<String>| text.map_or(Val::Absent, Val::Text);
                    let returned = vec![score.map_or(Val::Absent, Val::Int), text(email), text(country)];
                    Ok(Did { returned, ..Did::default() })
                }
                What::Patch(patch) => {
                    user_patch(id, patch, op.life).exec(redis).await?;
                    Ok(Did::default())
                }
                What::Delete => happened(User::delete(redis, id).await?),
                What::Expire { .. } => match op.life {
                    Life::Set(ttl) => happened(User::expire(redis, id, millis(ttl)).await?),
                    _ => happened(User::persist(redis, id).await?),
                },
                What::Put { .. } => put::<User>(redis, op).await,
            }
        }
        Table::Accounts => {
            let id: u64 = op.id.parse().unwrap();
            match &op.what {
                What::Patch(patch) => {
                    account_patch(id, patch, op.life).exec(redis).await?;
                    Ok(Did::default())
                }
                What::Delete => happened(Account::delete(redis, id).await?),
                What::Expire { .. } => match op.life {
                    Life::Set(ttl) => happened(Account::expire(redis, id, millis(ttl)).await?),
                    _ => happened(Account::persist(redis, id).await?),
                },
                What::Put { .. } => put::<Account>(redis, op).await,
            }
        }
        Table::Notes => unit(std::slice::from_ref(op)).commit(redis).await.map(|_| Did::default()),
    }
}

fn happened(happened: bool) -> Result<Did> {
    Ok(Did { happened: Some(happened), ..Did::default() })
}

async fn put<R: Record>(redis: &Redis, op: &Op) -> Result<Did> {
    let What::Put { mode, fields, version } = &op.what else { unreachable!() };
    let record = R::from_fields(&op.id, &with_version(fields, *version));
    let stored = match (mode, op.life) {
        (Mode::Insert, Life::Keep) => record.insert(redis).await?,
        (Mode::Save, Life::Keep) => record.save(redis).await?,
        (Mode::Update, Life::Keep) => record.update(redis).await?,
        (Mode::Insert, life) => record.insert_with(redis, options(life)).await?,
        (Mode::Save, life) => record.save_with(redis, options(life)).await?,
        (Mode::Update, life) => record.update_with(redis, options(life)).await?,
    };
    Ok(Did { version: number(&stored), ..Did::default() })
}

/// Writes several records in one request, each on its own.
pub(crate) async fn save_many(redis: &Redis, ops: &[Op]) -> Result<Vec<Result<Did>>> {
    let records: Vec<User> = ops.iter().map(record).collect();
    let each = User::save_many(redis, &records).await?;
    Ok(each.into_vec().into_iter().map(|result| result.map(|()| Did::default())).collect())
}

pub(crate) async fn delete_many(redis: &Redis, ops: &[Op]) -> Result<Vec<Result<Did>>> {
    let each = User::delete_many(redis, ops.iter().map(|op| op.id.as_str())).await?;
    Ok(each.into_vec().into_iter().map(|result| result.and_then(happened)).collect())
}

fn record<R: Record>(op: &Op) -> R {
    let What::Put { fields, version, .. } = &op.what else { unreachable!() };
    R::from_fields(&op.id, &with_version(fields, *version))
}

pub(crate) fn unit(ops: &[Op]) -> Unit {
    ops.iter().fold(Unit::new(), |unit, op| match op.table {
        Table::Users => match &op.what {
            What::Patch(patch) => unit.patch(user_patch(&op.id, patch, op.life)),
            What::Delete => unit.delete::<User>(&op.id),
            What::Expire { .. } => expire(unit, op, |unit, ttl| unit.expire::<User>(&op.id, ttl)),
            What::Put { mode, .. } => put_in_unit(unit, &record::<User>(op), *mode, op.life),
        },
        Table::Accounts => {
            let id: u64 = op.id.parse().unwrap();
            match &op.what {
                What::Patch(patch) => unit.patch(account_patch(id, patch, op.life)),
                What::Delete => unit.delete::<Account>(id),
                What::Expire { .. } => expire(unit, op, |unit, ttl| unit.expire::<Account>(id, ttl)),
                What::Put { mode, .. } => put_in_unit(unit, &record::<Account>(op), *mode, op.life),
            }
        }
        Table::Notes => {
            let id: u64 = op.id.parse().unwrap();
            match &op.what {
                What::Patch(patch) => unit.patch(note_patch(id, patch, op.life)),
                What::Delete => unit.delete::<Note>(id),
                What::Expire { .. } => expire(unit, op, |unit, ttl| unit.expire::<Note>(id, ttl)),
                What::Put { mode, .. } => put_in_unit(unit, &record::<Note>(op), *mode, op.life),
            }
        }
    })
}

fn expire(unit: Unit, op: &Op, with: impl FnOnce(Unit, Duration) -> Unit) -> Unit {
    match op.life {
        Life::Set(ttl) => with(unit, millis(ttl)),
        _ => unit,
    }
}

fn put_in_unit<R: Record>(unit: Unit, record: &R, mode: Mode, life: Life) -> Unit {
    match mode {
        Mode::Insert => unit.insert_with(record, options(life)),
        Mode::Save => unit.save_with(record, options(life)),
        Mode::Update => unit.update_with(record, options(life)),
    }
}

/// What a unit says of its operations.
pub(crate) fn committed(ops: &[Op], committed: &Committed) -> Vec<Did> {
    let did = |(at, op): (usize, &Op)| Did {
        happened: match op.what {
            What::Put { .. } => Some(committed.created(at)),
            What::Delete => Some(committed.deleted(at)),
            _ => None,
        },
        version: committed.version(at).map(|version| i64::try_from(version).unwrap()),
        returned: Vec::new(),
    };
    ops.iter().enumerate().map(did).collect()
}

fn live<M: HashModel>(patch: Patch<M>, life: Life) -> Patch<M> {
    match life {
        Life::Keep => patch,
        Life::Set(ttl) => patch.ttl(millis(ttl)),
        Life::Persist => patch.persist(),
    }
}

fn user_patch(id: &str, spec: &PatchSpec, life: Life) -> Patch<User> {
    user_changes(User::patch(id), spec, life)
}

fn user_changes(patch: Patch<User>, spec: &PatchSpec, life: Life) -> Patch<User> {
    let mut patch = live(patch, life);
    for (name, value) in &spec.conditions {
        assert_eq!(*name, "score");
        patch = patch.if_eq(User::SCORE, value.to_int());
    }
    for (name, change) in &spec.changes {
        patch = match (*name, change) {
            ("score", Change::Incr(by)) => patch.incr(User::SCORE, *by),
            ("age", Change::Incr(by)) => patch.incr(User::AGE, *by),
            ("rate", Change::IncrFloat(by)) => patch.incr_by_float(User::RATE, *by),
            ("country", Change::Append(text)) => patch.append(User::COUNTRY, text),
            ("bio", Change::Append(text)) => patch.append(User::BIO, text),
            ("email", Change::Clear) => patch.clear(User::EMAIL),
            ("nick", Change::Clear) => patch.clear(User::NICK),
            ("bio", Change::Clear) => patch.clear(User::BIO),
            ("role", Change::Clear) => patch.clear(User::ROLE),
            ("email", Change::SetIfAbsent(value)) => patch.set_if_absent(User::EMAIL, value.to_text()),
            ("nick", Change::SetIfAbsent(value)) => patch.set_if_absent(User::NICK, value.to_text()),
            ("bio", Change::SetIfAbsent(value)) => patch.set_if_absent(User::BIO, value.to_text()),
            ("country", Change::SetIfAbsent(value)) => patch.set_if_absent(User::COUNTRY, value.to_text()),
            ("email", Change::Set(value)) => patch.set(User::EMAIL, value.to_text()),
            ("country", Change::Set(value)) => patch.set(User::COUNTRY, value.to_text()),
            ("role", Change::Set(value)) => patch.set(User::ROLE, Role::named(&value.to_text())),
            ("score", Change::Set(value)) => patch.set(User::SCORE, value.to_int()),
            ("rate", Change::Set(Val::Float(rate))) => patch.set(User::RATE, *rate),
            ("tags", Change::Set(Val::List(tags))) => patch.set(User::TAGS, tags.clone()),
            ("tenant", Change::Set(value)) => patch.set(User::TENANT, value.to_text()),
            ("nick", Change::Set(value)) => patch.set(User::NICK, value.to_text()),
            ("age", Change::Set(value)) => patch.set(User::AGE, u8::try_from(value.to_int()).unwrap()),
            ("bio", Change::Set(value)) => patch.set(User::BIO, value.to_text()),
            other => panic!("no such change: {other:?}"),
        };
    }
    patch
}

fn account_patch(id: u64, spec: &PatchSpec, life: Life) -> Patch<Account> {
    let mut patch = live(Account::patch(id), life);
    if let Some(version) = spec.version {
        patch = patch.if_version(u64::try_from(version).unwrap());
    }
    for (name, change) in &spec.changes {
        patch = match (*name, change) {
            ("cents", Change::Incr(by)) => patch.incr(Account::CENTS, *by),
            ("cents", Change::Set(value)) => patch.set(Account::CENTS, value.to_int()),
            ("iban", Change::Set(value)) => patch.set(Account::IBAN, value.to_text()),
            other => panic!("no such change: {other:?}"),
        };
    }
    patch
}

fn note_patch(id: u64, spec: &PatchSpec, life: Life) -> Patch<Note> {
    spec.changes.iter().fold(live(Note::patch(id), life), |patch, (_, change)| match change {
        Change::Set(value) => patch.set(Note::TEXT, value.to_text()),
        _ => patch.clear(Note::TEXT),
    })
}

/// The query that a search stands for.
pub(crate) fn query(search: &Search) -> Query<User> {
    let mut query = User::query().limit(search.limit);
    if search.in_one_request {
        query = query.in_one_request();
    }
    macro_rules! add {
        ($condition:expr, $field:expr, $value:expr) => {
            match $condition {
                Condition::AnyOf(values) => match &values[..] {
                    [only] => query.eq($field, $value(only)),
                    all => query.any_of($field, all.iter().map($value)),
                },
                Condition::Range(from, to) => query.range($field, (bound(from, $value), bound(to, $value))),
                other => panic!("no such condition: {other:?}"),
            }
        };
    }
    for (name, condition) in &search.conditions {
        let text = Val::to_text;
        query = match (*name, condition) {
            ("tags", Condition::Contains(tag)) => query.contains(User::TAGS, tag),
            ("tags", Condition::ContainsAny(tags)) => query.contains_any(User::TAGS, tags),
            ("email", Condition::Prefix(prefix)) => query.prefix(User::EMAIL, prefix),
            ("country", Condition::Prefix(prefix)) => query.prefix(User::COUNTRY, prefix),
            ("tenant", Condition::Prefix(prefix)) => query.prefix(User::TENANT, prefix),
            ("nick", Condition::Prefix(prefix)) => query.prefix(User::NICK, prefix),
            ("email", condition) => add!(condition, User::EMAIL, text),
            ("country", condition) => add!(condition, User::COUNTRY, text),
            ("tenant", condition) => add!(condition, User::TENANT, text),
            ("nick", condition) => add!(condition, User::NICK, text),
            ("score", condition) => add!(condition, User::SCORE, Val::to_int),
            ("age", condition) => add!(condition, User::AGE, |value: &Val| u8::try_from(value.to_int()).unwrap()),
            ("rate", condition) => {
                add!(condition, User::RATE, |value: &Val| if let Val::Float(rate) = value { *rate } else { 0.0 })
            }
            ("role", Condition::AnyOf(roles)) => {
                query.any_of(User::ROLE, roles.iter().map(|role| Role::named(&role.to_text())))
            }
            other => panic!("no such condition: {other:?}"),
        };
    }
    match search.order {
        None => query,
        Some(("email", false)) => query.order_by(User::EMAIL),
        Some(("email", true)) => query.order_by_desc(User::EMAIL),
        Some(("country", false)) => query.order_by(User::COUNTRY),
        Some(("country", true)) => query.order_by_desc(User::COUNTRY),
        Some(("role", false)) => query.order_by(User::ROLE),
        Some(("role", true)) => query.order_by_desc(User::ROLE),
        Some(("score", false)) => query.order_by(User::SCORE),
        Some(("score", true)) => query.order_by_desc(User::SCORE),
        Some(("rate", false)) => query.order_by(User::RATE),
        Some(("rate", true)) => query.order_by_desc(User::RATE),
        other => panic!("no such order: {other:?}"),
    }
}

fn bound<T>(bound: &Bound<Val>, value: impl Fn(&Val) -> T) -> Bound<T> {
    match bound {
        Bound::Included(at) => Bound::Included(value(at)),
        Bound::Excluded(at) => Bound::Excluded(value(at)),
        Bound::Unbounded => Bound::Unbounded,
    }
}

/// Writes all records that a search finds.
pub(crate) async fn each(redis: &Redis, search: &Search, op: &Op) -> Result<u64> {
    match &op.what {
        What::Patch(spec) => query(search).patch(redis, |patch| user_changes(patch, spec, op.life)).await,
        _ => query(search).delete(redis).await,
    }
}

/// Whether a failure is the one that a script's refusal stands for.
pub(crate) fn is_error_of(error: &Error, why: &str) -> bool {
    let expected = match why {
        "exists" => ErrorKind::AlreadyExists,
        "absent" | "missing" => ErrorKind::NotFound,
        "duplicate" => ErrorKind::Duplicate,
        "stale" | "condition" | "changed" | "type" | "range" | "long" => ErrorKind::Conflict,
        _ => ErrorKind::Index,
    };
    error.kind() == expected
}

/// The version of an account, as the model has it.
pub(crate) fn version_of(fields: &Fields) -> i64 {
    field(fields, "version").to_int()
}
