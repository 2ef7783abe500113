//! The answer of the script.

use redis_rest::{Error, ErrorKind, FromReply, Reply, Result};

use crate::mismatch::excerpt;

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

pub(crate) fn read_ids(reply: Reply<'_>) -> Result<Answer<Vec<String>>> {
    read(reply, Vec::new(), |found| found.array()?.map(|id| id.text().map(str::to_owned)).collect())
}

pub(crate) fn read_count(reply: Reply<'_>) -> Result<Answer<u64>> {
    read(reply, 0, |found| {
        let [count] = found.array_of()?;
        u64::from_reply(count)
    })
}

pub(crate) fn read_estimates(reply: Reply<'_>) -> Result<Answer<Vec<u64>>> {
    read(reply, Vec::new(), Vec::from_reply)
}

/// Reads records. `read_record` takes the part of a key that stands for the id, and the reply to `HGETALL`.
pub(crate) fn read_records<T>(reply: Reply<'_>, read_record: impl Fn(&str, Reply<'_>) -> T) -> Result<Answer<Vec<T>>> {
    read(reply, Vec::new(), |found| {
        let records = found.array()?.map(|found| {
            let [id, record] = found.array_of()?;
            Ok(read_record(id.text()?, record))
        });
        records.collect()
    })
}

fn read<T>(reply: Reply<'_>, none: T, read_found: impl FnOnce(Reply<'_>) -> Result<T>) -> Result<Answer<T>> {
    let [state, detail, candidate, range, member, found] = reply.array_of()?;
    match state.text()? {
        "found" => {
            let candidate = u32::from_reply(candidate)?.checked_sub(1).ok_or_else(|| reply.mismatch("an index"))?;
            let range = u32::from_reply(range)?;
            let next = if range > 0 { Some((range, member.text()?.to_owned())) } else { None };
            let candidate = usize::try_from(candidate).unwrap_or(usize::MAX);
            Ok(Answer { found: read_found(found)?, candidate, next })
        }
        // No record was written yet.
        "empty" => Ok(Answer { found: none, candidate: 0, next: None }),
        "building" => Err(index_error("the indexes are being built; query again when `reindex` has finished")),
        "layout" => Err(index_error(format!(
            "the indexes in the database are those of another version of the model, {}; if this program is the newer one, call `reindex`",
            excerpt(detail.text()?)
        ))),
        "lost" => Err(index_error(format!(
            "the indexes are incomplete, because the key {} does not exist; call `reindex`",
            excerpt(detail.text()?)
        ))),
        _ => Err(state.mismatch("the state of a query")),
    }
}

#[cold]
fn index_error(message: impl Into<std::borrow::Cow<'static, str>>) -> Error {
    Error::new(ErrorKind::Index, message)
}
