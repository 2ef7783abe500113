//! Writes of records: as plain commands, or as operations of the script that keeps indexes and versions.

use redis_rest::{Command, Error, ErrorKind, Reply, Result};

use super::commands;
use super::hash_model::{HashModel, IdRef, key_of, layout};
use super::plain;
use super::save_options::{self, SaveOptions};
use super::version::{self, Version};
use crate::evolution::SCHEMA_FIELD;
use crate::id::Id as _;
use crate::index;
use crate::key::Key;
use crate::model::WithoutHooks;
use crate::pairs::{FieldPairs, OutcomePairs, ReplyPairs};
use crate::write::{self, Action, Condition, Lifetime, Mode, Operation, Outcome};

/// What a full write does to the time to live, if the caller says nothing.
pub(crate) fn lifetime<M: HashModel>() -> Lifetime {
    M::TTL.map_or(Lifetime::Keep, Lifetime::Set)
}

/// Returns the command that writes all fields of a record.
pub(crate) fn put<M: HashModel>(record: &M, mode: Mode, lifetime: Lifetime) -> Command<M::Version> {
    let (fields, version) = match fields_of(record) {
        Ok(fields) => fields,
        Err(error) => return failed(record, mode, error),
    };
    if layout::<M>().is_plain() {
        return plain::put(&key_of::<M>(record.id().as_ref()), &fields, mode, lifetime);
    }
    let put = operation::<M>(record.id().as_ref(), Action::Put { mode, fields, version, lifetime });
    lone::<M>(put).and_then(|outcome| stored_version(outcome.version))
}

/// Returns the command that writes all fields of a record, with options for its time to live.
pub(super) fn put_with<M: HashModel>(record: &M, mode: Mode, options: SaveOptions) -> Command<M::Version> {
    match options.lifetime(M::TTL) {
        Ok(lifetime) => put(record, mode, lifetime),
        Err(error) => failed(record, mode, error),
    }
}

/// Returns the operation that writes all fields of a record.
///
/// # Errors
///
/// `InvalidInput` if a field cannot be encoded, or if there is no next version.
pub(crate) fn put_operation<M: HashModel>(record: &M, mode: Mode, lifetime: Lifetime) -> Result<Operation> {
    let (fields, version) = fields_of(record)?;
    Ok(operation::<M>(record.id().as_ref(), Action::Put { mode, fields, version, lifetime }))
}

/// Returns the fields of a record with its next version, and the version that it has.
fn fields_of<M: HashModel>(record: &M) -> Result<(FieldPairs, Option<u64>)> {
    let mut fields = FieldPairs::default();
    record.write(&mut fields)?;
    let version = record.version().number();
    if let (Some(name), Some(number)) = (layout::<M>().version, version) {
        set_version::<M>(&mut fields, name, number)?;
    }
    Ok((fields, version))
}

/// Replaces the version by the next one, which is what the write stores.
fn set_version<M: HashModel>(fields: &mut FieldPairs, name: &'static str, number: u64) -> Result<()> {
    let next = number.checked_add(1).filter(|next| M::Version::from_number(Some(*next)).is_some());
    let next = next.ok_or_else(|| {
        let why =
            format!("the version {number} is the largest of its type; use `u64`, or start again at 0 with `delete`");
        Error::new(ErrorKind::InvalidInput, why).with_field(name)
    })?;
    for (field, text) in &mut fields.set {
        if *field == name {
            *text = next.to_string();
        }
    }
    for (field, column) in &mut fields.columns {
        if *field == name {
            *column = index::column_text(&next).unwrap_or_default();
        }
    }
    Ok(())
}

/// Returns an operation on the record with this id.
pub(crate) fn operation<M: HashModel>(id: IdRef<'_, M>, action: Action) -> Operation {
    let id = M::Id::key_part(id).into_owned();
    Operation { layout: layout::<M>(), key: Key::new(M::MODEL_NAME, M::KEY_PREFIX, &id), id, action }
}

pub(super) fn delete<M: HashModel>(id: IdRef<'_, M>) -> Command<bool> {
    let operation = operation::<M>(id, Action::Delete { version: None, conditions: Vec::new() });
    if operation.layout.is_plain() {
        return plain::delete(&operation.key);
    }
    lone::<M>(operation).and_then(|outcome| Ok(outcome.happened))
}

/// Returns the command that deletes a record if it has this version.
pub(super) fn delete_version<M: HashModel>(id: IdRef<'_, M>, version: &M::Version) -> Command<bool> {
    match delete_of_version(version) {
        Ok(action) => lone::<M>(operation::<M>(id, action)).and_then(|outcome| Ok(outcome.happened)),
        Err(error) => key_of::<M>(id).check(Command::write("EVALSHA")).fail(error).reply(),
    }
}

/// Returns the deletion of a record that has this version.
///
/// # Errors
///
/// `InvalidInput` if the version is negative.
pub(super) fn delete_of_version<V: Version>(version: &V) -> Result<Action> {
    let version = version.number().ok_or_else(version::negative)?;
    Ok(Action::Delete { version: Some(version), conditions: Vec::new() })
}

/// Sets or removes the time to live. Of a record that does not exist, the reply is `false`.
pub(super) fn expire<M: HashModel>(id: IdRef<'_, M>, lifetime: Lifetime) -> Command<bool> {
    let operation = operation::<M>(id, Action::Expire { lifetime, load: false, may_be_gone: true });
    let invalid = match lifetime {
        Lifetime::Set(ttl) => save_options::set(ttl).err(),
        Lifetime::Keep | Lifetime::Persist => None,
    };
    // Only the indexes have to know when a record expires.
    let command = if operation.layout.indexes.is_empty() {
        plain::expire(&operation.key, lifetime)
    } else {
        lone::<M>(operation).and_then(|outcome| Ok(outcome.happened))
    };
    match invalid {
        None => command,
        Some(error) => command.fail(error),
    }
}

/// Loads a record, and sets its time to live. Only the indexes have to know when it expires.
pub(super) fn touch<M: HashModel>(id: IdRef<'_, M>, lifetime: Lifetime) -> Command<Option<M>> {
    let operation = operation::<M>(id, Action::Expire { lifetime, load: true, may_be_gone: true });
    if operation.layout.indexes.is_empty() {
        return plain::touch(&operation.key, lifetime).decode_with_key(commands::read_loaded);
    }
    let key = operation.key.as_str().to_owned();
    lone::<M>(operation).and_then(move |outcome| {
        if outcome.fields.is_empty() {
            return Ok(None);
        }
        let record = M::read(OutcomePairs(&outcome.fields))?;
        commands::with_id_of_key(record, &key).map(Some)
    })
}

/// Returns the command that executes one operation on a record.
pub(super) fn lone<M: HashModel>(operation: Operation) -> Command<Outcome> {
    write::lone(operation, row_of::<M>)
}

/// Reads what the row of a record has to hold from a reply to `HGETALL`, and the fields that it is made of. `None` means that
/// there is no record.
pub(crate) fn row_of<M: HashModel>(reply: Reply<'_>) -> Result<Option<Action>> {
    if commands::is_no_record(reply) {
        return Ok(None);
    }
    let pairs = reply.pairs()?;
    let mut fields = FieldPairs::without_hooks();
    M::read(WithoutHooks(ReplyPairs(pairs)))?.write(&mut fields)?;
    let text_of = |name: &str| {
        let found = pairs.into_iter().find(|(field, _)| field.bytes().is_ok_and(|field| field == name.as_bytes()));
        found.map(|(_, text)| text.text().map(str::to_owned)).transpose()
    };
    let layout = layout::<M>();
    // A column may come from a field's earlier name, which no write sets.
    let names = M::FIELD_NAMES
        .all()
        .filter(|name| layout.column(name).is_some() || fields.set.iter().all(|(written, _)| written != name));
    let mut seen = Vec::new();
    for name in names {
        seen.push(Condition { field: name.into(), aliases: &[], text: text_of(name)? });
    }
    let schema = fields.set.iter().find(|(name, _)| *name == SCHEMA_FIELD);
    if schema.is_some_and(|(_, current)| text_of(SCHEMA_FIELD).is_ok_and(|stored| stored.as_ref() != Some(current))) {
        // The upgrade may have made a column of any field.
        let texts = pairs.into_iter().filter_map(|(name, text)| Some((name.text().ok()?, text.text().ok()?)));
        seen.extend(texts.map(|(name, text)| Condition {
            field: name.to_owned().into(),
            aliases: &[],
            text: Some(text.to_owned()),
        }));
        seen.push(Condition { field: SCHEMA_FIELD.into(), aliases: &[], text: text_of(SCHEMA_FIELD)? });
    }
    Ok(Some(Action::Index { seen, columns: fields.columns }))
}

/// Returns the version that a write has stored.
pub(crate) fn stored_version<V: Version>(number: Option<u64>) -> Result<V> {
    V::from_number(number).ok_or_else(|| not_a_version(number))
}

fn not_a_version(number: Option<u64>) -> Error {
    Error::new(ErrorKind::Decode, format!("expected a version that fits its type, found {number:?}"))
}

/// Returns the command about a record that fails before it is sent.
fn failed<M: HashModel, R>(record: &M, mode: Mode, error: Error) -> Command<R> {
    let name = match mode {
        Mode::Save if layout::<M>().is_plain() => "HSET",
        _ => "EVALSHA",
    };
    key_of::<M>(record.id().as_ref())
        .check(Command::write(name))
        .fail(error)
        .decode_with(|reply| Err(reply.mismatch("nothing")))
}
