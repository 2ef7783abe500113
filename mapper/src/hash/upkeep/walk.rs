//! The way through all that is stored of a model, a page at a time.

use redis_rest::bytes::Bytes;
use redis_rest::commands::generic::KeyType;
use redis_rest::commands::scan::{Cursor, ScanOptions};
use redis_rest::{
    Batch, BatchReplies, GenericCommands as _, HashCommands as _, Result, ServerCommands as _, Session,
    SortedSetCommands as _,
};

use super::progress::IndexPhase;
use crate::hash::hash_model::{HashModel, layout};
use crate::hash::scan::{escape_glob, id_in_key, is_id};
use crate::index::Layout;
use crate::key::SEPARATOR;

/// About how many keys, rows or marks a page has.
const PAGE: u64 = 250;

/// Where a walk is.
#[derive(Debug, Clone, Default)]
pub(super) enum Position {
    #[default]
    Start,
    /// Among the keys of the database.
    Records(Cursor),
    Rows {
        partition: u32,
        cursor: Cursor,
    },
    Entries {
        index: usize,
        partition: u32,
        cursor: Cursor,
    },
    /// Among the expiry marks.
    Marks {
        partition: u32,
        cursor: Cursor,
    },
    Finish,
}

impl Position {
    /// Returns the position after a page, which has the cursor of the next one.
    pub(super) fn after(self, next: Cursor, layout: &Layout) -> Position {
        let (cursor, is_last) = (Cursor::START, next.is_finished());
        match self {
            Position::Start => Position::Records(cursor),
            Position::Records(_) if is_last => Position::Rows { partition: 0, cursor },
            Position::Records(_) => Position::Records(next),
            Position::Rows { partition, .. } if !is_last => Position::Rows { partition, cursor: next },
            Position::Rows { partition, .. } if partition + 1 < layout.partitions => {
                Position::Rows { partition: partition + 1, cursor }
            }
            Position::Rows { .. } => Position::Entries { index: 0, partition: 0, cursor },
            Position::Entries { index, partition, .. } if !is_last => {
                Position::Entries { index, partition, cursor: next }
            }
            Position::Entries { index, partition, .. } if partition + 1 < layout.partitions => {
                Position::Entries { index, partition: partition + 1, cursor }
            }
            Position::Entries { index, .. } if index + 1 < layout.indexes.len() => {
                Position::Entries { index: index + 1, partition: 0, cursor }
            }
            Position::Entries { .. } => Position::Marks { partition: 0, cursor },
            Position::Marks { partition, .. } if !is_last => Position::Marks { partition, cursor: next },
            Position::Marks { partition, .. } if partition + 1 < layout.partitions => {
                Position::Marks { partition: partition + 1, cursor }
            }
            Position::Marks { .. } | Position::Finish => Position::Finish,
        }
    }

    pub(super) fn phase(&self) -> IndexPhase {
        match self {
            Position::Start | Position::Records(_) => IndexPhase::Records,
            Position::Rows { .. } => IndexPhase::Rows,
            Position::Entries { .. } => IndexPhase::Entries,
            Position::Marks { .. } => IndexPhase::Expiry,
            Position::Finish => IndexPhase::Finished,
        }
    }
}

/// How far a walk is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Way {
    pub(super) phase: IndexPhase,
    pub(super) looked_at: u64,
    pub(super) total: u64,
    /// The number of keys in the database, as far as they are still to be looked at.
    keys: u64,
}

impl Way {
    /// Counts what is still to be looked at.
    pub(super) async fn count(&mut self, session: &Session, layout: &'static Layout, with_keys: bool) -> Result<()> {
        let mut batch = Batch::new(session);
        let keys = with_keys.then(|| batch.dbsize());
        let mut slots = Vec::new();
        for partition in 0..layout.partitions {
            slots.push(batch.hlen(layout.rows_key(partition)));
            slots.push(batch.zcard(layout.expiry_key(partition)));
            for index in &layout.indexes {
                slots.push(batch.zcard(layout.index_key(index, partition)));
            }
        }
        let counts = move |replies: BatchReplies| {
            let keys = keys.map_or(Ok(0), |keys| replies.take(keys))?;
            let others = slots.into_iter().map(|slot| replies.take(slot)).sum::<Result<u64>>()?;
            Ok((keys, others))
        };
        let (keys, others) = batch.exec_with(counts).await?;
        (self.keys, self.total) = (keys, self.looked_at + keys + others);
        Ok(())
    }

    /// Counts what a page has looked at. The pages of a scan do not tell: each looks at about `PAGE` keys.
    pub(super) fn went(&mut self, looked_at: Option<u64>, next: &Position) {
        let looked_at = match looked_at {
            Some(looked_at) => looked_at,
            None if matches!(next, Position::Records(_)) => PAGE.min(self.keys),
            None => self.keys,
        };
        self.keys = self.keys.saturating_sub(looked_at);
        self.looked_at += looked_at;
        self.phase = next.phase();
        self.total = if self.phase == IndexPhase::Finished { self.looked_at } else { self.total.max(self.looked_at) };
    }
}

/// Returns the ids of a page of the records, and the next cursor.
pub(super) async fn record_ids<M: HashModel>(session: &Session, cursor: Cursor) -> Result<(Vec<String>, Cursor)> {
    let pattern = format!("{}{SEPARATOR}*", escape_glob(M::KEY_PREFIX));
    let options = ScanOptions::new().matching(pattern).of_type(KeyType::Hash).count(PAGE);
    let page = session.scan::<Bytes>(cursor, options).await?;
    let mut ids: Vec<_> = page.items.iter().filter_map(|key| id_in_key::<M>(key).map(str::to_owned)).collect();
    ids.sort();
    ids.dedup();
    Ok((ids, page.cursor))
}

/// A page of the rows, or of the expiry marks. With each id comes whether it is one of the model.
pub(super) struct Ids {
    pub(super) ids: Vec<(String, bool)>,
    /// The tags of earlier layouts.
    pub(super) earlier: Vec<String>,
    pub(super) cursor: Cursor,
    pub(super) looked_at: u64,
}

impl Ids {
    fn of<M: HashModel>(members: &[Bytes], cursor: Cursor) -> Ids {
        let mut page = Ids { ids: Vec::new(), earlier: Vec::new(), cursor, looked_at: members.len() as u64 };
        for text in members.iter().filter_map(|member| std::str::from_utf8(member).ok()) {
            match text.strip_prefix(SEPARATOR) {
                None => page.ids.push((text.to_owned(), is_id::<M>(text))),
                Some(tag) if tag.len() == layout::<M>().tag().len() && tag != "building" => {
                    page.earlier.push(tag.to_owned());
                }
                // The label, and what else describes all rows.
                Some(_) => {}
            }
        }
        page
    }
}

pub(super) async fn row_ids<M: HashModel>(session: &Session, partition: u32, cursor: Cursor) -> Result<Ids> {
    let options = ScanOptions::new().count(PAGE);
    let page = session.hscan::<Bytes, Bytes>(layout::<M>().rows_key(partition), cursor, options).await?;
    let fields: Vec<_> = page.items.into_iter().map(|(field, _)| field).collect();
    Ok(Ids::of::<M>(&fields, page.cursor))
}

pub(super) async fn mark_ids<M: HashModel>(session: &Session, partition: u32, cursor: Cursor) -> Result<Ids> {
    let options = ScanOptions::new().count(PAGE);
    let page = session.zscan::<Bytes>(layout::<M>().expiry_key(partition), cursor, options).await?;
    let members: Vec<_> = page.items.into_iter().map(|(member, _)| member).collect();
    Ok(Ids::of::<M>(&members, page.cursor))
}
