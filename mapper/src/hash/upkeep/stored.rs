//! What the indexes have to know of a record.

use redis_rest::{Executor as _, Reply, Result, Session};

use crate::hash::hash_model::{HashModel, layout};
use crate::hash::{commands, writes};
use crate::key::Key;
use crate::model::WithoutHooks;
use crate::pairs::ReplyPairs;
use crate::upkeep;
use crate::write::{Action, Operation};

/// A record and its row. `None` means that there is no record; an error that it cannot be read, or that its values cannot be
/// in an index.
pub(super) type Stored = upkeep::Stored<Option<Content>>;

pub(super) struct Content {
    /// Writes the row, if the record is still as it was read.
    index: Action,
    /// What the row should be.
    pub(super) row: String,
}

/// Reads records and their rows as they are at one moment.
pub(super) async fn read<M: HashModel>(session: &Session, ids: Vec<String>) -> Result<Vec<Stored>> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    session.submit(upkeep::records(layout::<M>(), ids, content::<M>)).await
}

fn content<M: HashModel>(reply: Reply<'_>, key: &str) -> Result<Option<Content>> {
    let Some(index) = writes::row_of::<M>(reply)? else { return Ok(None) };
    // A record with another id would be loaded by none.
    commands::with_id_of_key(M::read(WithoutHooks(ReplyPairs(reply.pairs()?)))?, key)?;
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
