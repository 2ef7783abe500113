//! Writes of records that are plain hashes: models without an index and without a version.

use redis_rest::{Build, Command, Error, ErrorKind, FromReply, GenericCommands as _, Reply, Result};

use super::version::Version;
use super::writes::stored_version;
use crate::key::Key;
use crate::pairs::FieldPairs;
use crate::write::{Lifetime, Mode};

/// A full write whose parts depend on whether the record exists, which only a script can do in one command. It returns 0 if
/// whether the record exists is `ARGV[1]`, the wrong one for the mode.
const PUT: &str = "\
if redis.call('EXISTS', KEYS[1]) == tonumber(ARGV[1]) then return 0 end \
local set = tonumber(ARGV[3]) + 3 \
redis.call('HSET', KEYS[1], unpack(ARGV, 4, set)) \
if #ARGV > set then redis.call('HDEL', KEYS[1], unpack(ARGV, set + 1)) end \
if ARGV[2] == 'persist' then redis.call('PERSIST', KEYS[1]) \
elseif ARGV[2] ~= 'keep' then redis.call('PEXPIRE', KEYS[1], ARGV[2]) end \
return 1";

/// Returns the command that writes all fields of a record.
pub(super) fn put<V: Version>(key: &Key, fields: &FieldPairs, mode: Mode, lifetime: Lifetime) -> Command<V> {
    match (mode, lifetime) {
        (Mode::Save, _) => save(key, fields, lifetime),
        (Mode::Insert, Lifetime::Keep | Lifetime::Persist) => insert(key, fields),
        (Mode::Insert | Mode::Update, _) => put_if(key, fields, mode, lifetime),
    }
}

/// A new record has no time to live, and no fields to remove.
fn insert<V: Version>(key: &Key, fields: &FieldPairs) -> Command<V> {
    let command = key.push_to(Command::write("HSETEX")).arg("FNX").arg("FIELDS").arg(fields.len());
    command.one_or_more_pairs("field", fields.pairs()).decode_with(if_it_did_not_exist)
}

/// Repeated after a lost reply, it would overwrite what others wrote in between.
fn save<V: Version>(key: &Key, fields: &FieldPairs, lifetime: Lifetime) -> Command<V> {
    let set = key.push_to(Command::write("HSET")).one_or_more_pairs("field", fields.pairs());
    let clear = (!fields.cleared.is_empty())
        .then(|| Command::write("HDEL").arg(key.as_str()).args_of(&fields.cleared).reply::<u64>());
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

fn put_if<V: Version>(key: &Key, fields: &FieldPairs, mode: Mode, lifetime: Lifetime) -> Command<V> {
    let command = key.push_to(Command::write("EVAL").arg(PUT).arg(1));
    let command = command.arg(u32::from(mode == Mode::Insert)).arg(lifetime.text()).arg(2 * fields.len());
    let command = command.one_or_more_pairs("field", fields.pairs()).args_of(&fields.cleared);
    command.decode_with(match mode {
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
