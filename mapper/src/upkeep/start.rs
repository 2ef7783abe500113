//! The start of a run: the keys get the layout of the program.

use std::sync::LazyLock;

use redis_rest::{Batch, BatchReplies, Build, Command, Executor as _, HashCommands as _, Result, Script, Session};

use super::script::{call, script_of};
use crate::index::{Layout, StoredLayout};
use crate::scripts::lua;
use crate::write;

static START: LazyLock<Script> = LazyLock::new(|| script_of(lua::REINDEX_START).idempotent());

/// The labels that a model's rows have, each of them `""` if there is none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Found {
    /// That of each partition.
    own: Vec<String>,
    /// That of the rows of a layout without partitions, if this one has partitions.
    whole: String,
    /// That of the first rows of a layout with partitions, if this one has none.
    first_part: String,
}

/// Reads the labels.
pub(crate) async fn find(session: &Session, layout: &'static Layout) -> Result<Found> {
    let partitions = if layout.indexes.is_empty() { 0 } else { layout.partitions };
    let own: Vec<_> = (0..partitions).map(|partition| layout.rows_key(partition)).collect();
    let first_of = |partitions| {
        let keys = StoredLayout { indexes: Vec::new(), partitions }.rows_keys(layout.prefix);
        keys.into_iter().next().filter(|key| !own.contains(key))
    };
    let (whole, first_part) = (first_of(1), first_of(2));

    let mut batch = Batch::new(session);
    let mut read = |key: &String| (&mut batch).submit(Build.hget::<String>(key, ":"));
    let own: Vec<_> = own.iter().map(&mut read).collect();
    let (whole, first_part) = (whole.as_ref().map(&mut read), first_part.as_ref().map(&mut read));
    let found = move |replies: BatchReplies| {
        let label = |slot| Ok(Option::unwrap_or_default(replies.take(slot)?));
        let other = |slot: Option<_>| slot.map_or(Ok(String::new()), label);
        let (whole, first_part) = (other(whole)?, other(first_part)?);
        Ok(Found { own: own.into_iter().map(label).collect::<Result<_>>()?, whole, first_part })
    };
    batch.exec_with(found).await
}

impl Found {
    /// Returns the layouts whose rows are at other keys than those of this one, or are not all of them. With each comes the
    /// label in its first rows.
    ///
    /// A label that tells of other partitions than its key has was left there by an earlier run, to refuse old programs.
    fn others(&self, layout: &Layout) -> Vec<(&str, StoredLayout)> {
        let mut others: Vec<(&str, StoredLayout)> = Vec::new();
        let mut add = |label_of_first, label: &str, is_partitioned: bool| {
            let stored = StoredLayout::of_label(label);
            let is_there = !label.is_empty() && label != layout.label() && (stored.partitions > 1) == is_partitioned;
            if is_there && others.iter().all(|(_, other)| *other != stored) {
                others.push((label_of_first, stored));
            }
        };
        add(&self.whole, &self.whole, false);
        add(&self.first_part, &self.first_part, true);
        let first = self.own.first().map_or("", String::as_str);
        for label in self.own.iter().filter(|label| StoredLayout::of_label(label).partitions != layout.partitions) {
            add(first, label, layout.partitions > 1);
        }
        others
    }

    /// Returns the label of such a layout, if there is one.
    pub(crate) fn other_label(&self, layout: &Layout) -> Option<String> {
        self.others(layout).into_iter().next().map(|(label, _)| label.to_owned())
    }

    /// Returns the keys of the indexes that the layout does not have any more.
    fn gone(&self, layout: &Layout) -> Vec<String> {
        let mut keys = Vec::new();
        for stored in self.own.iter().map(|label| StoredLayout::of_label(label)) {
            if stored.partitions == layout.partitions {
                let is_gone = |name: &&String| layout.indexes.iter().all(|index| index.name != **name);
                let gone = stored.indexes.iter().filter(is_gone);
                keys.extend(gone.flat_map(|name| stored.index_keys(name, layout.prefix)));
            }
        }
        keys.sort();
        keys.dedup();
        keys
    }
}

/// Starts a run, if the labels are still those that were found. Returns its token, which is that of an earlier run if that
/// one has not ended, and no key was missing.
pub(crate) fn start(layout: &Layout, token: &str, found: &Found) -> Command<Option<String>> {
    let mut call = call(&START, layout).arg(token).args(&found.own);
    let others = found.others(layout);
    call = call.arg(others.len());
    for (label, stored) in others {
        let (rows, others) = (stored.rows_keys(layout.prefix), stored.other_keys(layout.prefix));
        call = call.arg(label).arg(rows.len()).arg(others.len()).keys(rows).keys(others);
    }
    call.keys(found.gone(layout)).command().decode_by(|reply| match reply.bytes()? {
        b"changed" => Ok(None),
        refused if refused.starts_with(b"7:refused") => Err(write::refusal_of_layout(reply)),
        token => Ok(Some(String::from_utf8_lossy(token).into_owned())),
    })
}
