//! Read, change, write, until no other writer came between.

use std::time::Duration;

use redis_rest::{Error, ErrorKind, Result, Session};

use super::hash_model::HashModel;
use super::version::VersionNumber;
use crate::id::Id;
use crate::mismatch::excerpt;

/// How often a record is loaded and changed before the call fails as `Conflict`.
const ATTEMPTS: u32 = 16;

/// How long the wait after the first conflict is at most. Each wait can be so much longer than the one before.
const PAUSE: Duration = Duration::from_millis(2);

/// Loads the record with the id of this key part, changes it, and saves it.
pub(super) async fn run<M>(session: Session, id: String, mut change: impl FnMut(&mut M) -> Result<()>) -> Result<M>
where
    M: HashModel<Version: VersionNumber> + Send + Sync,
{
    let id = M::Id::from_key_part(&id).ok_or_else(|| {
        let why = format!("the id {} cannot be read back from its key", excerpt(&id));
        Error::new(ErrorKind::InvalidInput, why)
    })?;
    let mut attempts = 0;
    loop {
        let Some(mut record) = M::load(&session, id.as_ref()).await? else {
            let error = Error::new(ErrorKind::NotFound, "the record does not exist; call `insert` to create it");
            return Err(error.about(M::MODEL_NAME, M::key(id.as_ref())?));
        };
        let loaded = record.version();
        change(&mut record)?;
        if M::Id::key_part(record.id().as_ref()) != M::Id::key_part(id.as_ref()) {
            let error = Error::new(
                ErrorKind::InvalidInput,
                "the id of a record cannot change; insert a new record and delete the old one",
            );
            return Err(error.about(M::MODEL_NAME, M::key(id.as_ref())?));
        }
        // The version that was loaded counts, whatever the closure made of it.
        record.set_version(loaded);
        attempts += 1;
        match M::update(&record, &session).await {
            Ok(version) => {
                record.set_version(version);
                return Ok(record);
            }
            Err(error) if error.is_conflict() && attempts < ATTEMPTS => session.pause(PAUSE * attempts).await,
            Err(error) => return Err(error),
        }
    }
}
