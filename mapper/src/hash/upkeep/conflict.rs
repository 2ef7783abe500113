//! A record whose row could not be written at the first attempt: it has changed since it was read, or a unique value of it is
//! taken.

use redis_rest::{Error, ErrorKind, Executor as _, Result, Session};

use super::stored::{self, operation};
use crate::hash::hash_model::{HashModel, layout};
use crate::upkeep::{self, What};
use crate::write::{self, Action};

/// How often a record is read again, and how many owners of its values are looked at.
const ATTEMPTS: usize = 16;

/// Whether an error is about one record, so that the run goes on.
pub(super) fn is_about_record(error: &Error) -> bool {
    use ErrorKind::{Conflict, Decode, Duplicate, InvalidInput, NotFound, Redis};
    matches!(error.kind(), Conflict | Decode | Duplicate | InvalidInput | NotFound | Redis)
}

/// Writes the row of a record. Returns whether there is a record.
///
/// The owner of a unique value may be wrong: its record may have another value by now, or may be gone. So the rows of the
/// owners are written together with that of the record, by one command. It fails only if the records themselves have the
/// same value.
///
/// # Errors
///
/// In the outer result those that end the run, in the inner one those about the record.
pub(super) async fn settle<M: HashModel>(session: &Session, id: &str) -> Result<Result<bool>> {
    // The record comes last, so that an error about a value that two of them have is about this record.
    let mut ids = vec![id.to_owned()];
    let mut taken: Option<Error> = None;
    let mut has_repaired = false;
    for _ in 0..ATTEMPTS {
        let mut operations = Vec::new();
        let mut exists = false;
        for record in stored::read::<M>(session, ids.clone()).await? {
            match record.record {
                Ok(Some(content)) => {
                    exists |= record.id == id;
                    operations.push(content.index::<M>(&record.id));
                }
                Ok(None) => operations.push(operation::<M>(&record.id, Action::Purge)),
                // An owner that cannot be read keeps its values.
                Err(error) => return Ok(Err(taken.unwrap_or(error))),
            }
        }
        let error = match session.submit(write::command(&operations)).await {
            Ok(_) => return Ok(Ok(exists)),
            Err(error) => about::<M>(error, id),
        };
        match error.kind() {
            ErrorKind::Duplicate => match error.owner() {
                Some(owner) if ids.iter().all(|id| id != owner) => {
                    ids.insert(0, owner.to_owned());
                    taken = Some(error);
                }
                _ => return Ok(Err(taken.unwrap_or(error))),
            },
            ErrorKind::Conflict | ErrorKind::NotFound => taken = taken.or(Some(error)),
            // A row of a layout that is not known any more, unless the repair fails, too.
            ErrorKind::Index if !has_repaired => {
                let ids = ids.iter().map(|id| (id.clone(), true)).collect();
                session.submit(upkeep::rows(layout::<M>(), What::Repair, ids)).await?;
                has_repaired = true;
            }
            _ if is_about_record(&error) => return Ok(Err(error)),
            _ => return Err(error),
        }
    }
    let why = "the record changes all the time; run `reindex` again";
    Ok(Err(taken.unwrap_or_else(|| about::<M>(Error::new(ErrorKind::Conflict, why), id))))
}

/// Returns the error as one about this record alone.
fn about<M: HashModel>(error: Error, id: &str) -> Error {
    if error.operation().is_none() {
        return error;
    }
    let mut own = Error::new(error.kind(), error.message().to_owned());
    if let Some(field) = error.field() {
        own = own.with_field(field.to_owned());
    }
    if let Some(owner) = error.owner() {
        own = own.with_owner(owner);
    }
    own.about(M::MODEL_NAME, operation::<M>(id, Action::Purge).key.as_str())
}
