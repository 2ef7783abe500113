//! What a walk tells of its way.

use redis_rest::Error;

use super::verify::Drift;
use super::walk::Way;

/// What [`reindex`](crate::HashModel::reindex) and [`verify`](crate::HashModel::verify) look at.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum IndexPhase {
    /// The keys of the database, for records whose row is missing, or differs.
    #[default]
    Records,
    /// The rows, for records that do not exist, and entries that are missing.
    Rows,
    /// The entries of the indexes, for those that no row has.
    Entries,
    /// The expiry marks.
    Expiry,
    /// Nothing any more.
    Finished,
}

/// How far [`reindex`](crate::HashModel::reindex) is, and what it has done so far.
///
/// [`looked_at`](ReindexProgress::looked_at) never decreases, and is [`total`](ReindexProgress::total) at the end: a
/// position and a length for a progress bar.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ReindexProgress {
    pub(super) way: Way,
    pub(super) indexed: u64,
    pub(super) purged: u64,
    pub(super) added: u64,
    pub(super) removed: u64,
    pub(super) marked: u64,
}

impl ReindexProgress {
    /// Returns what is looked at now.
    #[must_use]
    pub fn phase(&self) -> IndexPhase {
        self.way.phase
    }

    /// Returns how many keys, rows, entries and expiry marks it has looked at. Of keys it is an estimate.
    #[must_use]
    pub fn looked_at(&self) -> u64 {
        self.way.looked_at
    }

    /// Returns about how many there are. It can change, because indexes grow while they are built.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.way.total
    }

    /// Returns the number of records whose row was missing or different, and was written.
    #[must_use]
    pub fn indexed(&self) -> u64 {
        self.indexed
    }

    /// Returns the number of rows that were removed: those of records that do not exist, and those of an earlier layout
    /// whose record cannot be read.
    #[must_use]
    pub fn purged(&self) -> u64 {
        self.purged
    }

    /// Returns the number of entries that were missing although the row had them, and were added.
    #[must_use]
    pub fn added(&self) -> u64 {
        self.added
    }

    /// Returns the number of entries that no row had, and were removed.
    #[must_use]
    pub fn removed(&self) -> u64 {
        self.removed
    }

    /// Returns the number of expiry marks that were not the time to live of the record, and were corrected.
    #[must_use]
    pub fn marked(&self) -> u64 {
        self.marked
    }
}

/// The outcome of [`reindex_to_end`](crate::HashModel::reindex_to_end).
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
#[must_use = "`errors` are records that are in no index"]
pub struct Reindexed {
    /// What was done.
    pub progress: ReindexProgress,
    /// An error for each record that could not be indexed. It names the record.
    pub errors: Vec<Error>,
}

/// How far [`verify`](crate::HashModel::verify) is, and what this step has found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct VerifyProgress {
    pub(super) way: Way,
    pub(super) drifts: Vec<Drift>,
}

impl VerifyProgress {
    /// Returns what is looked at now.
    #[must_use]
    pub fn phase(&self) -> IndexPhase {
        self.way.phase
    }

    /// Returns how many keys, rows, entries and expiry marks it has looked at. Of keys it is an estimate.
    #[must_use]
    pub fn looked_at(&self) -> u64 {
        self.way.looked_at
    }

    /// Returns about how many there are.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.way.total
    }

    /// Returns what this step has found.
    #[must_use]
    pub fn drifts(&self) -> &[Drift] {
        &self.drifts
    }

    /// Returns what this step has found.
    #[must_use]
    pub fn into_drifts(self) -> Vec<Drift> {
        self.drifts
    }
}
