//! Records next to their rows, as they are stored at one moment.

use redis_rest::bytes::Bytes;
use redis_rest::{Batch, BatchReplies, Build, Command, Executor as _, HashCommands as _, Reply, Result, Session};

use crate::hash::hash_model::{HashModel, layout};
use crate::hash::{commands, writes};
use crate::key::Key;
use crate::write::{Action, Operation};

/// A record and its row.
pub(super) struct Stored {
    pub(super) id: String,
    pub(super) row: Option<Bytes>,
    /// `None` if there is no record. An error if it cannot be read, or if its values cannot be in an index.
    pub(super) record: Result<Option<Content>>,
}

/// What the indexes have to know of a record.
pub(super) struct Content {
    /// Writes the row, if the record is still as it was read.
    index: Action,
    /// What the row should be.
    pub(super) row: String,
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
    if let Some(record) = commands::read_record::<M>(reply)? {
        commands::with_id_of_key(record, key)?;
    }
    let Some(index) = writes::row_of::<M>(reply)? else { return Ok(None) };
    let columns = if let Action::Index { columns, .. } = &index { columns.as_slice() } else { &[] };
    Ok(Some(Content { row: layout::<M>().row(columns), index }))
}

impl Content {
    /// Returns the operation that writes the row of the record, if it is still as it was read.
    pub(super) fn index<M: HashModel>(self, id: &str) -> Operation {
        operation::<M>(id, self.index)
    }
}

/// Returns an operation on the record with this id.
pub(super) fn operation<M: HashModel>(id: &str, action: Action) -> Operation {
    let key = Key::new(M::MODEL_NAME, M::KEY_PREFIX, id);
    Operation { layout: layout::<M>(), key, id: id.to_owned(), action }
}
