//! Writes of records that are plain hashes: models without an index and without a version.

use std::sync::LazyLock;
use std::time::Duration;

use redis_rest::commands::expiry::Ttl;
use redis_rest::commands::hash::{FieldExpire, FieldPersist};
use redis_rest::{
    Build, Command, Error, ErrorKind, FromReply, GenericCommands as _, HashCommands as _, Reply, Result, Script,
};

use super::version::Version;
use super::writes::stored_version;
use crate::key::Key;
use crate::pairs::FieldPairs;
use crate::scripts::{lua, script};
use crate::write::{Lifetime, Mode};

/// A full write that depends on whether the record exists.
static PUT_IF: LazyLock<Script> = LazyLock::new(|| script(&[lua::PLAIN]).key_locking());

/// A load that sets the time to live.
static TOUCH: LazyLock<Script> = LazyLock::new(|| script(&[lua::TOUCH]).key_locking().idempotent());

/// Returns the command that writes all fields of a record.
pub(super) fn put<V: Version>(key: &Key, fields: &FieldPairs, mode: Mode, lifetime: Lifetime) -> Command<V> {
    match (mode, lifetime) {
        (Mode::Save, _) => save(key, fields, lifetime),
        (Mode::Insert | Mode::Update, _) => put_if(key, fields, mode, lifetime),
    }
}

/// Repeated after a lost reply, it would overwrite what others wrote in between.
fn save<V: Version>(key: &Key, fields: &FieldPairs, lifetime: Lifetime) -> Command<V> {
    let set = key.push_to(Command::write("HSET")).one_or_more_pairs("field", fields.pairs());
    let clear = (!fields.cleared.is_empty())
        .then(|| Command::write("HDEL").key(key.as_str()).args_of(&fields.cleared).reply::<u64>());
    let expire = match lifetime {
        Lifetime::Keep => None,
        Lifetime::Set(ttl) => Some(Build.pexpire(key.as_str(), ttl)),
        Lifetime::Persist => Some(Build.persist(key.as_str())),
    };
    let mut command = set.decode_with(|reply| all_counts([reply]));
    if let Some(clear) = clear {
        command = command.and(clear, |replies| all_counts(replies));
    }
    if let Some(expire) = expire {
        command = command.and(expire, |replies| all_counts(replies));
    }
    command
}

/// A script, also for an insert without a time to live: `HSETEX FNX` would add the record to a hash that has none of its
/// fields.
fn put_if<V: Version>(key: &Key, fields: &FieldPairs, mode: Mode, lifetime: Lifetime) -> Command<V> {
    let call = PUT_IF.key(key.as_str()).once_under(key.prefix().to_owned());
    let call = call.arg(u32::from(mode == Mode::Update)).arg(lifetime.text()).arg(2 * fields.len());
    let call = fields.pairs().fold(call, |call, (name, text)| call.arg(name).arg(text));
    // A new record has no fields to remove.
    let call = if mode == Mode::Insert { call } else { call.args(&fields.cleared) };
    key.check(call.command()).decode_with(match mode {
        Mode::Insert => if_it_did_not_exist,
        Mode::Save | Mode::Update => if_it_existed,
    })
}

/// Decodes counts that are not used: of new and removed fields, for example.
fn all_counts<'a, V: Version>(replies: impl IntoIterator<Item = Reply<'a>>) -> Result<V> {
    replies.into_iter().try_for_each(|count| u64::from_reply(count).map(drop))?;
    stored_version(None)
}

fn if_it_did_not_exist<V: Version>(reply: Reply<'_>) -> Result<V> {
    if bool::from_reply(reply)? {
        return stored_version(None);
    }
    Err(Error::new(ErrorKind::AlreadyExists, "the record already exists; call `save` to overwrite it"))
}

fn if_it_existed<V: Version>(reply: Reply<'_>) -> Result<V> {
    if bool::from_reply(reply)? {
        return stored_version(None);
    }
    Err(Error::new(ErrorKind::NotFound, "the record does not exist; call `save` to create it"))
}

/// Returns the command that deletes a record.
pub(super) fn delete(key: &Key) -> Command<bool> {
    key.push_to(Command::write("DEL")).reply()
}

/// Sets or removes the time to live of a record.
pub(super) fn expire(key: &Key, lifetime: Lifetime) -> Command<bool> {
    key.check(match lifetime {
        Lifetime::Set(ttl) => Build.pexpire(key.as_str(), ttl),
        Lifetime::Keep | Lifetime::Persist => Build.persist(key.as_str()),
    })
}

/// Sets the time to live of a record, and returns its fields.
pub(super) fn touch(key: &Key, lifetime: Lifetime) -> Command {
    key.check(TOUCH.key(key.as_str()).arg(lifetime.text()).command())
}

/// Sets the time to live of a field, and returns whether the field exists.
pub(super) fn expire_field(key: &Key, field: &'static str, ttl: Duration) -> Command<bool> {
    let outcome = of_field(key, field, Build.hpexpire(key.as_str(), ttl, field));
    outcome.and_then(|outcome: FieldExpire| Ok(outcome != FieldExpire::Missing))
}

/// Returns the time to live of a field.
pub(super) fn field_ttl(key: &Key, field: &'static str) -> Command<Ttl> {
    of_field(key, field, Build.hpttl(key.as_str(), field))
}

/// Removes the time to live of a field, and returns whether it had one.
pub(super) fn persist_field(key: &Key, field: &'static str) -> Command<bool> {
    let outcome = of_field(key, field, Build.hpersist(key.as_str(), field));
    outcome.and_then(|outcome: FieldPersist| Ok(outcome == FieldPersist::Persisted))
}

/// Makes the only one of a command's outcomes its reply.
fn of_field<T: 'static>(key: &Key, field: &'static str, command: Command<Vec<T>>) -> Command<T> {
    let command = key.check(command).about_field(field).and_then(|outcomes| {
        outcomes.into_iter().next().ok_or_else(|| Error::new(ErrorKind::Decode, "expected one outcome, found none"))
    });
    command.recover_with(|_, error| async { Err(too_old(error)) })
}

/// Explains the error of a server whose fields have no time to live.
fn too_old(error: Error) -> Error {
    // The second is what the gateway says.
    let unknown = ["ERR unknown command", "ERR Command is not available"];
    if !unknown.iter().any(|text| error.message().starts_with(text)) {
        return error;
    }
    let why = "fields have a time to live since Redis 7.4 and Valkey 9.0, and this server is older";
    let command = error.command().unwrap_or_default().to_owned();
    let mut explained = Error::new(ErrorKind::Redis, why).with_command(command.into());
    if let (Some(model), Some(key)) = (error.model(), error.key()) {
        explained = explained.about(model, key);
    }
    if let Some(field) = error.field() {
        explained = explained.with_field(field.to_owned());
    }
    explained.with_source(error)
}
