//! Indexes that were not kept by this program's writes alone: [`reindex`] builds or repairs them, [`verify`] compares them
//! with the records. Both walk through all that is stored, a page at a time.

mod conflict;
mod progress;
mod reindex;
mod stored;
mod verify;
mod walk;

pub use self::progress::{IndexPhase, ReindexProgress, Reindexed, VerifyProgress};
pub(super) use self::reindex::{reindex, reindex_to_end};
pub use self::verify::Drift;
pub(super) use self::verify::{verify, verify_to_end};
