//! The commands that load a record.

use redis_rest::{Command, Error, ErrorKind, Reply, Result};

use super::field_ref::FieldRef;
use super::hash_model::{HashModel, IdRef, key_of};
use super::writes;
use crate::field_codec::FieldCodec;
use crate::id::Id as _;
use crate::key::{Key, SEPARATOR};
use crate::mismatch::excerpt;
use crate::model::Fields;
use crate::pairs::ReplyPairs;
use crate::write::Lifetime;

/// Loads the record with this id, and sets its time to live if the model wants that.
pub(super) fn load_by_id<M: HashModel>(id: IdRef<'_, M>) -> Command<Option<M>> {
    match M::TTL {
        Some(ttl) if M::SLIDING => writes::touch::<M>(id, Lifetime::Set(ttl)),
        _ => load(&key_of::<M>(id)),
    }
}

/// Loads the record at a key.
pub(super) fn load<M: HashModel>(key: &Key) -> Command<Option<M>> {
    key.push_to(Command::read("HGETALL")).decode_with_key(read_loaded)
}

/// Reads the record at a key from a reply to HGETALL.
pub(super) fn read_loaded<M: HashModel>(reply: Reply<'_>, key: &str) -> Result<Option<M>> {
    let record = read_record::<M>(reply)?;
    record.map(|record| with_id_of_key(record, key)).transpose()
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
