//! The answer of the script.

use redis_rest::{FromReply, Reply, Result};

use crate::index::{Layout, state};

/// Where the walk goes on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Position {
    /// The position among the plan's candidates.
    pub(crate) candidate: usize,
    /// The number of the range, counted from 1.
    pub(crate) range: u32,
    /// The last entry, or `""` at the start of the range.
    pub(crate) member: String,
}

/// What one call has found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Answer<T> {
    pub(crate) found: T,
    /// The position of the index that was walked among those that the call named.
    pub(crate) candidate: usize,
    /// Where the next call goes on; `None` at the end. The candidate is to be filled in.
    pub(crate) next: Option<(u32, String)>,
}

pub(crate) fn read_ids(layout: &Layout, reply: Reply<'_>) -> Result<Answer<Vec<String>>> {
    read(layout, reply, Vec::new(), |found| found.array()?.map(|id| id.text().map(str::to_owned)).collect())
}

pub(crate) fn read_count(layout: &Layout, reply: Reply<'_>) -> Result<Answer<u64>> {
    read(layout, reply, 0, |found| {
        let [count] = found.array_of()?;
        u64::from_reply(count)
    })
}

pub(crate) fn read_estimates(layout: &Layout, reply: Reply<'_>) -> Result<Answer<Vec<u64>>> {
    read(layout, reply, Vec::new(), Vec::from_reply)
}

/// Reads records. `read_record` takes the part of a key that stands for the id, and the reply to `HGETALL`.
pub(crate) fn read_records<T>(
    layout: &Layout,
    reply: Reply<'_>,
    read_record: impl Fn(&str, Reply<'_>) -> T,
) -> Result<Answer<Vec<T>>> {
    read(layout, reply, Vec::new(), |found| {
        let records = found.array()?.map(|found| {
            let [id, record] = found.array_of()?;
            Ok(read_record(id.text()?, record))
        });
        records.collect()
    })
}

fn read<T>(
    layout: &Layout,
    reply: Reply<'_>,
    none: T,
    read_found: impl FnOnce(Reply<'_>) -> Result<T>,
) -> Result<Answer<T>> {
    let [outcome, detail, candidate, range, member, found] = reply.array_of()?;
    match outcome.text()? {
        "found" => {
            let candidate = u32::from_reply(candidate)?.checked_sub(1).ok_or_else(|| reply.mismatch("an index"))?;
            let range = u32::from_reply(range)?;
            let next = if range > 0 { Some((range, member.text()?.to_owned())) } else { None };
            let candidate = usize::try_from(candidate).unwrap_or(usize::MAX);
            Ok(Answer { found: read_found(found)?, candidate, next })
        }
        // No record was written yet.
        "empty" => Ok(Answer { found: none, candidate: 0, next: None }),
        other => Err(state::error_of(other, layout.model, layout.prefix, detail.text()?)
            .unwrap_or_else(|| outcome.mismatch("the state of a query"))),
    }
}
