//! Records next to their rows, as they are stored at one moment.

use redis_rest::bytes::Bytes;
use redis_rest::{Batch, BatchReplies, Build, Command, Executor as _, HashCommands as _, Reply, Result, Session};

use crate::hash::commands;
use crate::hash::hash_model::{HashModel, layout};
use crate::key::Key;
use crate::mismatch;
use crate::pairs::FieldPairs;
use crate::write::{Action, Condition, Operation};

/// A record and its row.
pub(super) struct Stored {
    pub(super) id: String,
    pub(super) row: Option<Bytes>,
    /// `None` if there is no record. An error if it cannot be read, or if its values cannot be in an index.
    pub(super) record: Result<Option<Content>>,
}

/// What the indexes have to know of a record.
pub(super) struct Content {
    pub(super) columns: Vec<(&'static str, String)>,
    /// The texts of the fields that the columns are made of.
    seen: Vec<Condition>,
}

/// Reads records and their rows in one transaction.
pub(super) async fn read<M: HashModel>(session: &Session, ids: Vec<String>) -> Result<Vec<Stored>> {
    let layout = layout::<M>();
    let mut batch = Batch::atomic(session);
    let slots: Vec<_> = ids
        .into_iter()
        .map(|id| {
            let key = Key::new(M::MODEL_NAME, M::KEY_PREFIX, &id);
            let record = key.push_to(Command::read("HGETALL")).decode_with_key(content::<M>);
            let row = Build.hget::<Bytes>(layout.rows_key(layout.partition_of(&id)), &id);
            (id, (&mut batch).submit(record), (&mut batch).submit(row))
        })
        .collect();
    let stored = move |replies: BatchReplies| {
        let stored = slots.into_iter().map(|(id, record, row)| {
            let (record, row) = (replies.take(record), replies.take(row)?);
            Ok(Stored { id, row, record })
        });
        stored.collect()
    };
    batch.exec_with(stored).await
}

fn content<M: HashModel>(reply: Reply<'_>, key: &str) -> Result<Option<Content>> {
    let Some(record) = commands::read_record::<M>(reply)? else { return Ok(None) };
    let record = commands::with_id_of_key(record, key)?;
    let mut fields = FieldPairs::default();
    record.write(&mut fields)?;
    let seen = layout::<M>().columns.iter().map(|column| condition(reply, column.name));
    Ok(Some(Content { columns: fields.columns, seen: seen.collect::<Result<_>>()? }))
}

/// Returns the condition that a field still is as it was read. It need not name the field's aliases: every write of a model
/// writes the field under its own name.
fn condition(reply: Reply<'_>, field: &'static str) -> Result<Condition> {
    let mut pairs = reply.pairs()?.filter(|(name, _)| name.bytes().is_ok_and(|name| name == field.as_bytes()));
    let text = pairs.next().map(|(_, text)| {
        let bytes = text.bytes()?;
        let text = std::str::from_utf8(bytes);
        text.map(str::to_owned).map_err(|error| mismatch::not_utf8::<String>(bytes, error).with_field(field))
    });
    Ok(Condition { field, aliases: &[], text: text.transpose()? })
}

impl Content {
    /// Returns the operation that writes the row of the record, if it is still as it was read.
    pub(super) fn index<M: HashModel>(self, id: &str) -> Operation {
        operation::<M>(id, Action::Index { seen: self.seen, columns: self.columns })
    }
}

/// Returns an operation on the record with this id.
pub(super) fn operation<M: HashModel>(id: &str, action: Action) -> Operation {
    let key = Key::new(M::MODEL_NAME, M::KEY_PREFIX, id);
    Operation { layout: layout::<M>(), key, id: id.to_owned(), action }
}
