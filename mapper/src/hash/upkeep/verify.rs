//! Compares the indexes of a model with its records.

use std::fmt;

use redis_rest::commands::scan::Cursor;
use redis_rest::{
    Batch, BatchReplies, Client, Executor as _, HashCommands as _, Result, Session, SortedSetCommands as _,
};

use super::progress::VerifyProgress;
use super::stored::{self, Stored};
use super::walk::{self, Position, Way};
use crate::hash::hash_model::{HashModel, layout};
use crate::index::Layout;
use crate::upkeep::{self, Problem, What};

/// Something in the indexes of a model that is not as the records are. [`verify`](crate::HashModel::verify) reports it.
///
/// An id is the part of the record's key after the prefix. `Display` describes the drift in a line.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Drift {
    /// A record is in no index: another program has written it, or it was written before the model had an index.
    RecordWithoutRow {
        /// The id of the record.
        id: String,
    },
    /// The indexes know other values of a record than it has: another program has changed it.
    RowDiffers {
        /// The id of the record.
        id: String,
        /// The fields whose values differ. All of them, if the row has another layout.
        fields: Vec<&'static str>,
    },
    /// The indexes know a record that does not exist: another program has deleted it, or it was evicted.
    RowWithoutRecord {
        /// The id that the record had.
        id: String,
    },
    /// An index has an entry that no row has.
    EntryWithoutRow {
        /// The name of the index.
        index: String,
        /// The id in the entry.
        id: String,
    },
    /// An index has no entry for a record that it should have.
    MissingEntry {
        /// The name of the index.
        index: String,
        /// The id of the record.
        id: String,
    },
    /// The indexes do not know when a record expires: another program has changed its time to live.
    WrongExpiryMark {
        /// The id of the record.
        id: String,
    },
    /// A record cannot be read, or its values cannot be in an index.
    UnreadableRecord {
        /// The id of the record.
        id: String,
        /// The error, as text.
        why: String,
    },
    /// A key was deleted or evicted. Nothing else is compared.
    LostKey {
        /// The key.
        key: String,
    },
    /// The indexes are those of another version of the model. Nothing else is compared.
    OtherLayout {
        /// What describes the stored layout.
        stored: String,
    },
    /// `reindex` is running, or was aborted. Nothing else is compared.
    Building,
}

impl Drift {
    /// Returns the id of the record, if the drift is about one.
    #[must_use]
    pub fn id(&self) -> Option<&str> {
        match self {
            Drift::RecordWithoutRow { id }
            | Drift::RowDiffers { id, .. }
            | Drift::RowWithoutRecord { id }
            | Drift::EntryWithoutRow { id, .. }
            | Drift::MissingEntry { id, .. }
            | Drift::WrongExpiryMark { id }
            | Drift::UnreadableRecord { id, .. } => Some(id),
            Drift::LostKey { .. } | Drift::OtherLayout { .. } | Drift::Building => None,
        }
    }

    /// Returns the name of the index, if the drift is about one.
    #[must_use]
    pub fn index(&self) -> Option<&str> {
        match self {
            Drift::EntryWithoutRow { index, .. } | Drift::MissingEntry { index, .. } => Some(index),
            _ => None,
        }
    }

    fn of_problem(id: String, problem: Problem) -> Option<Drift> {
        Some(match problem {
            Problem::Gone => Drift::RowWithoutRecord { id },
            Problem::Entry { index } => Drift::MissingEntry { index, id },
            Problem::Mark => Drift::WrongExpiryMark { id },
            // The marks have a phase of their own.
            Problem::Orphan | Problem::Duplicate { .. } => return None,
        })
    }

    fn of_mark(id: String, problem: &Problem) -> Option<Drift> {
        // The phase of the rows has reported the others.
        (*problem == Problem::Orphan).then_some(Drift::WrongExpiryMark { id })
    }
}

impl fmt::Display for Drift {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Drift::RecordWithoutRow { id } => write!(f, "the record {id:?} is in no index"),
            Drift::RowDiffers { id, fields } => {
                write!(f, "the indexes have other values of the record {id:?}: {}", fields.join(", "))
            }
            Drift::RowWithoutRecord { id } => write!(f, "the indexes have the record {id:?}, which does not exist"),
            Drift::EntryWithoutRow { index, id } => {
                write!(f, "the index {index:?} has an entry of the record {id:?} that it should not have")
            }
            Drift::MissingEntry { index, id } => {
                write!(f, "the index {index:?} has no entry of the record {id:?} that it should have")
            }
            Drift::WrongExpiryMark { id } => {
                write!(f, "the indexes do not have the time at which the record {id:?} expires")
            }
            Drift::UnreadableRecord { id, why } => write!(f, "the record {id:?} cannot be indexed: {why}"),
            Drift::LostKey { key } => write!(f, "the key {key:?} was deleted or evicted"),
            Drift::OtherLayout { stored } => {
                write!(f, "the indexes are those of another version of the model: {stored:?}")
            }
            Drift::Building => f.write_str("`reindex` is running, or was aborted"),
        }
    }
}

/// A walk. Each step continues it.
#[derive(Debug, Default)]
struct Run {
    position: Position,
    way: Way,
}

pub(in crate::hash) fn verify<M: HashModel, C: Client>(client: C) -> C::Paged<VerifyProgress> {
    client.pages_of(Run::default(), |session, run| async move {
        let (progress, next) = step::<M>(&session, run).await?;
        Ok((vec![Ok(progress)], next))
    })
}

pub(in crate::hash) fn verify_to_end<M: HashModel, C: Client>(client: C) -> C::Out<Vec<Drift>> {
    client.run(|session| async move {
        let (mut drifts, mut next) = (Vec::new(), Some(Run::default()));
        while let Some(run) = next {
            let (progress, following) = step::<M>(&session, run).await?;
            drifts.extend(progress.drifts);
            next = following;
        }
        Ok(drifts)
    })
}

/// Looks at one page. Returns what it has found, and the rest of the walk.
async fn step<M: HashModel>(session: &Session, mut run: Run) -> Result<(VerifyProgress, Option<Run>)> {
    let layout = layout::<M>();
    let at = run.position.clone();
    let (drifts, cursor, looked_at) = match run.position {
        Position::Start if layout.indexes.is_empty() => (Vec::new(), None, Some(0)),
        Position::Start => {
            let drifts = of_keys(session, layout).await?;
            run.way.count(session, layout, true).await?;
            let cursor = drifts.is_empty().then_some(Cursor::START);
            (drifts, cursor, Some(0))
        }
        Position::Records(cursor) => {
            let (ids, cursor) = walk::record_ids::<M>(session, cursor).await?;
            (of_records::<M>(session, ids).await?, Some(cursor), None)
        }
        Position::Rows { partition, cursor } => {
            let page = walk::row_ids::<M>(session, partition, cursor).await?;
            (of_ids(session, layout, page.ids, Drift::of_problem).await?, Some(page.cursor), Some(page.looked_at))
        }
        Position::Entries { index, partition, cursor } => {
            let page = session.submit(upkeep::entries(layout, What::Check, index, partition, &cursor)).await?;
            let drifts = page.stray.iter().map(|member| {
                let (index, values) =
                    layout.indexes.get(index).map_or(("", 1), |index| (index.name.as_str(), index.columns.len()));
                // The id stands last, and can contain what is between the values.
                let id = member.splitn(values + 1, |byte| *byte == 0).last().unwrap_or_default();
                Drift::EntryWithoutRow { index: index.to_owned(), id: String::from_utf8_lossy(id).into_owned() }
            });
            (drifts.collect(), Some(page.cursor), Some(page.looked_at))
        }
        Position::Marks { partition, cursor } => {
            let page = walk::mark_ids::<M>(session, partition, cursor).await?;
            let of_mark = |id, problem| Drift::of_mark(id, &problem);
            (of_ids(session, layout, page.ids, of_mark).await?, Some(page.cursor), Some(page.looked_at))
        }
        Position::Finish => (Vec::new(), None, Some(0)),
    };
    run.position = cursor.map_or(Position::Finish, |cursor| at.after(cursor, layout));
    run.way.went(looked_at, &run.position);
    let progress = VerifyProgress { way: run.way, drifts };
    let is_finished = matches!(run.position, Position::Finish);
    Ok((progress, (!is_finished).then_some(run)))
}

/// Compares the keys of the indexes with the layout of the program.
async fn of_keys(session: &Session, layout: &'static Layout) -> Result<Vec<Drift>> {
    if let Some(stored) = upkeep::find(session, layout).await?.other_label(layout) {
        return Ok(vec![Drift::OtherLayout { stored }]);
    }
    let mut batch = Batch::atomic(session);
    let mut slots = Vec::new();
    for partition in 0..layout.partitions {
        let labels = batch.hmget::<String>(layout.rows_key(partition), [":", ":building", ":partitions"]);
        let indexes = layout.indexes.iter().map(|index| {
            let key = layout.index_key(index, partition);
            (batch.zscore(&key, ""), key, index.unique)
        });
        slots.push((labels, indexes.collect::<Vec<_>>(), layout.rows_key(partition)));
    }
    let drifts = move |replies: BatchReplies| {
        let (mut keys, mut created) = (Vec::new(), Vec::new());
        for (labels, indexes, rows) in slots {
            let mut labels = replies.take(labels)?.into_iter();
            let (label, building, named) = (labels.next().flatten(), labels.next().flatten(), labels.next().flatten());
            let numbers = named.iter().flat_map(|named| named.split(','));
            created.extend(numbers.filter_map(|number| number.parse::<usize>().ok()));
            if let Some(stored) = label.as_ref().filter(|label| **label != layout.label()) {
                return Ok(vec![Drift::OtherLayout { stored: stored.clone() }]);
            }
            if building.is_some() {
                return Ok(vec![Drift::Building]);
            }
            let indexes =
                indexes.into_iter().map(|(slot, key, unique)| Ok((replies.take(slot)?.is_some(), key, unique)));
            keys.push((label.is_some(), rows, indexes.collect::<Result<Vec<_>>>()?));
        }
        Ok(lost(&keys, &created).into_iter().map(|key| Drift::LostKey { key }).collect())
    };
    batch.exec_with(drifts).await
}

/// For each partition, whether the rows exist, their key, and for each index whether it exists, its key, and whether it is
/// unique.
type Existing = [(bool, String, Vec<(bool, String, bool)>)];

/// Returns the keys that are missing although others are there. The first write creates the unique indexes of all
/// partitions, and the first write to a partition its other keys. `created` has the numbers of these partitions.
fn lost(partitions: &Existing, created: &[usize]) -> Vec<String> {
    let Some((any_rows, first_rows, _)) = partitions.first() else { return Vec::new() };
    let are_several = partitions.len() > 1;
    let is_own = |unique: bool| !are_several || !unique;
    let mut lost = Vec::new();
    let mut any_unnamed = false;
    for (number, (rows_exist, rows, indexes)) in partitions.iter().enumerate() {
        // The first rows are there from the first write on, to whichever partition it is.
        let any_own = *rows_exist && (number > 0 || !are_several)
            || indexes.iter().any(|(exists, _, unique)| *exists && is_own(*unique));
        let is_named = created.contains(&number);
        any_unnamed |= are_several && any_own && !is_named;
        any_unnamed |= !any_rows && indexes.iter().any(|(exists, _, unique)| *exists && !is_own(*unique));
        let is_created = any_own || is_named;
        if is_created && !rows_exist {
            lost.push(rows.clone());
        }
        let missing = indexes
            .iter()
            .filter(|(exists, _, unique)| !exists && if is_own(*unique) { is_created } else { *any_rows });
        lost.extend(missing.map(|(_, key, _)| key.clone()));
    }
    if any_unnamed && !lost.contains(first_rows) {
        lost.insert(0, first_rows.clone());
    }
    lost
}

/// Compares records with their rows. What differs is read once more before it is reported.
async fn of_records<M: HashModel>(session: &Session, ids: Vec<String>) -> Result<Vec<Drift>> {
    let suspects = drifts_of::<M>(stored::read::<M>(session, ids).await?);
    if suspects.is_empty() {
        return Ok(suspects);
    }
    let ids = suspects.iter().filter_map(Drift::id).map(str::to_owned).collect();
    Ok(drifts_of::<M>(stored::read::<M>(session, ids).await?))
}

fn drifts_of<M: HashModel>(records: Vec<Stored>) -> Vec<Drift> {
    records.into_iter().filter_map(drift_of::<M>).collect()
}

fn drift_of<M: HashModel>(Stored { id, row, record }: Stored) -> Option<Drift> {
    let layout = layout::<M>();
    let content = match record {
        Ok(content) => content?,
        Err(error) => return Some(Drift::UnreadableRecord { id, why: error.to_string() }),
    };
    let Some(row) = row else { return Some(Drift::RecordWithoutRow { id }) };
    let expected = content.row;
    if row == expected.as_bytes() {
        return None;
    }
    let mut found = row.split(|byte| *byte == 0);
    let has_this_layout = found.next() == Some(layout.tag().as_bytes());
    let expected = expected.split('\0').skip(1);
    let columns = layout.columns.iter().zip(expected).zip(found);
    let fields = columns.filter(|((_, expected), found)| !has_this_layout || *found != expected.as_bytes());
    Some(Drift::RowDiffers { id, fields: fields.map(|((column, _), _)| column.name).collect() })
}

/// Compares the rows and the expiry marks of ids with entries and records. What differs is looked at once more before it is
/// reported.
async fn of_ids(
    session: &Session,
    layout: &'static Layout,
    ids: Vec<(String, bool)>,
    drift: impl Fn(String, Problem) -> Option<Drift>,
) -> Result<Vec<Drift>> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let found = session.submit(upkeep::rows(layout, What::Check, ids.clone())).await?.problems;
    let mut suspects = ids;
    suspects.retain(|(id, _)| found.iter().any(|(suspect, _)| suspect == id));
    if suspects.is_empty() {
        return Ok(Vec::new());
    }
    let found = session.submit(upkeep::rows(layout, What::Check, suspects)).await?.problems;
    Ok(found.into_iter().filter_map(|(id, problem)| drift(id, problem)).collect())
}
