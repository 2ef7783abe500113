//! The commands that load, write and delete a record.

use redis_rest::{Command, Error, ErrorKind, FromReply, Reply, Result};

use super::field_ref::FieldRef;
use super::hash_model::HashModel;
use crate::field_codec::FieldCodec;
use crate::id::Id as _;
use crate::key::{Key, SEPARATOR};
use crate::mismatch::excerpt;
use crate::model::Fields;
use crate::pairs::{FieldPairs, ReplyPairs};

pub(super) fn load<M: HashModel>(key: &Key) -> Command<Option<M>> {
    key.push_to(Command::read("HGETALL")).decode_with_key(|reply, key| {
        let record = read_record::<M>(reply)?;
        record.map(|record| with_id_of_key(record, key)).transpose()
    })
}

/// Reads a record from a reply to HGETALL.
pub(super) fn read_record<M: Fields>(reply: Reply<'_>) -> Result<Option<M>> {
    if is_no_record(reply) { Ok(None) } else { from_reply(reply).map(Some) }
}

/// Returns whether a reply to HGETALL means that the key does not exist.
pub(crate) fn is_no_record(reply: Reply<'_>) -> bool {
    reply.is_nil() || reply.array().is_ok_and(|fields| fields.len() == 0)
}

/// Reads a record from a reply to HGETALL that is not empty.
pub(crate) fn from_reply<M: Fields>(reply: Reply<'_>) -> Result<M> {
    M::read(ReplyPairs(reply.pairs()?))
}

/// Returns the record if its id is the one in its key. A record with another id would be saved under another key.
pub(super) fn with_id_of_key<M: HashModel>(record: M, key: &str) -> Result<M> {
    let found = M::Id::key_part(record.id().as_ref());
    let expected = key.strip_prefix(M::KEY_PREFIX).and_then(|rest| rest.strip_prefix(SEPARATOR)).unwrap_or(key);
    if found == expected {
        return Ok(record);
    }
    let message = format!("expected {}, the id in the key, found {}", excerpt(expected), excerpt(&found));
    Err(Error::new(ErrorKind::Decode, message).with_field(M::ID_FIELD))
}

pub(super) fn load_field<M, T, C: FieldCodec<T>, I>(
    key: &Key,
    field: FieldRef<M, T, C, I>,
) -> Command<Option<C::Value>> {
    if field.aliases().is_empty() {
        let command = key.push_to(Command::read("HGET")).arg(field.name()).about_field(field.name());
        return command.decode_with(read_field::<C, T>);
    }
    let command = key.push_to(Command::read("HMGET")).arg(field.name()).args_of(field.aliases());
    command.about_field(field.name()).decode_with(|reply| {
        let found = reply.array()?.find(|reply| !reply.is_nil());
        found.map_or(Ok(None), read_field::<C, T>)
    })
}

fn read_field<C: FieldCodec<T>, T>(reply: Reply<'_>) -> Result<Option<C::Value>> {
    if reply.is_nil() { Ok(None) } else { C::get_value(reply.bytes()?).map(Some) }
}

pub(super) fn insert(key: &Key, record: &impl Fields) -> Command<()> {
    write(key, record, Command::write("HSETEX"), |command, fields| {
        let command = command.arg("FNX").arg("FIELDS").arg(fields.set.len());
        command.one_or_more_pairs("field", fields.pairs()).decode_with(|reply| {
            if bool::from_reply(reply)? {
                Ok(())
            } else {
                Err(Error::new(ErrorKind::AlreadyExists, "the record already exists; call `save` to overwrite it"))
            }
        })
    })
}

pub(super) fn save(key: &Key, record: &impl Fields) -> Command<()> {
    // Repeated after a lost reply, it would overwrite what others wrote in between.
    write(key, record, Command::write("HSET"), |command, fields| {
        let set = command.one_or_more_pairs("field", fields.pairs());
        if fields.cleared.is_empty() {
            return set.decode_with(|reply| u64::from_reply(reply).map(drop));
        }
        let clear = Command::write("HDEL").arg(key.as_str()).args_of(&fields.cleared);
        set.and(clear, |replies| replies.map(u64::from_reply).try_for_each(|count| count.map(drop)))
    })
}

pub(super) fn delete(key: &Key) -> Command<bool> {
    key.push_to(Command::write("DEL")).reply()
}

/// Only a script can make several writes depend on whether the key exists.
const UPDATE: &str = "\
if redis.call('EXISTS', KEYS[1]) == 0 then return 0 end \
local set = tonumber(ARGV[1]) \
redis.call('HSET', KEYS[1], unpack(ARGV, 2, set + 1)) \
if #ARGV > set + 1 then redis.call('HDEL', KEYS[1], unpack(ARGV, set + 2)) end \
return 1";

pub(super) fn update(key: &Key, record: &impl Fields) -> Command<()> {
    write(key, record, Command::write("EVAL").arg(UPDATE).arg(1), |command, fields| {
        let command = command.arg(2 * fields.set.len()).one_or_more_pairs("field", fields.pairs());
        command.args_of(&fields.cleared).decode_with(|reply| {
            if bool::from_reply(reply)? {
                Ok(())
            } else {
                Err(Error::new(ErrorKind::NotFound, "the record does not exist; call `save` to create it"))
            }
        })
    })
}

/// Adds the key to `command`, and the fields of `record` with `add_fields`. The command fails if a field cannot be
/// encoded.
fn write(
    key: &Key,
    record: &impl Fields,
    command: Command,
    add_fields: impl FnOnce(Command, &FieldPairs) -> Command<()>,
) -> Command<()> {
    let command = key.push_to(command);
    let mut fields = FieldPairs::default();
    match record.write(&mut fields) {
        Ok(()) => add_fields(command, &fields),
        Err(error) => command.fail(error).reply(),
    }
}
