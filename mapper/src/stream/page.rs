//! A page of a log, and what is known about the log at the same moment.

use std::sync::LazyLock;

use redis_rest::commands::stream::StreamId;
use redis_rest::{
    Command, Error, ErrorKind, Executor as _, FromReply, Reply, Result, Script, ScriptCall, Session, Shape,
};

use super::StreamModel;
use super::entry::{Entry, read_entries};
use super::log::Log;
use crate::key::Key;
use crate::page_len::PageLen;
use crate::scripts::script;

static PAGE: LazyLock<Script> = LazyLock::new(|| {
    let code = concat!(include_str!("../scripts/stream_facts.lua"), include_str!("../scripts/log_page.lua"));
    script(code).read_only().key_locking()
});

/// A page of a log.
pub(super) struct LogPage<M> {
    pub(super) head: Head,
    /// The id after which the page begins.
    pub(super) after: StreamId,
    pub(super) snapshot: Found,
    pub(super) entries: Vec<Entry<Result<M>>>,
    /// Whether there may be more entries after the page.
    pub(super) is_full: bool,
}

/// What is known about a log.
#[derive(Debug, Clone, Copy)]
pub(super) struct Head {
    /// The id of the last entry that was added, even if it has been removed.
    pub(super) last: StreamId,
    /// The number of entries that were ever added, if the server counts them.
    added: Option<u64>,
    /// The largest id that `XDEL` has removed.
    pub(super) removed: StreamId,
    /// The number of entries.
    pub(super) len: u64,
}

/// The snapshot beside a page.
#[derive(Debug)]
pub(super) enum Found {
    None,
    /// There is one, of another schema, from the future, or damaged.
    Unfit,
    Snapshot {
        state: String,
        checksum: String,
    },
}

impl Head {
    /// Returns the version of a versioned log.
    pub(super) fn version(self) -> Result<u64> {
        let version = self.last.millis;
        if self.last.sequence != 0 || self.added.is_some_and(|added| added != version) {
            return Err(foreign(self.last));
        }
        Ok(version)
    }

    /// Returns the number of entries that were ever added.
    pub(super) fn added(self) -> Result<u64> {
        self.added.ok_or_else(|| {
            Error::new(
                ErrorKind::Decode,
                "the server does not report how many entries were added (`entries-added` of XINFO STREAM), so a missing \
                 entry could not be noticed; use Redis 7 or newer, or a versioned log",
            )
        })
    }
}

/// Reads the page after an id.
pub(super) async fn read<M: StreamModel>(
    session: &Session,
    log: &Log<M>,
    after: StreamId,
    len: &mut PageLen,
) -> Result<LogPage<M>> {
    read_by(session, len, |len| named::<M>(log, PAGE.key(log.key()).arg(after).arg(len))).await
}

/// Reads the page after the version of a snapshot, or the first page if there is none that fits.
pub(super) async fn read_with_snapshot<M: StreamModel>(
    session: &Session,
    log: &Log<M>,
    snapshot: &Key,
    schema: &str,
) -> Result<LogPage<M>> {
    let keys = PAGE.key(log.key()).key(snapshot.as_str());
    let call = |len| named::<M>(log, keys.clone().arg(StreamId::MIN).arg(len).arg(schema));
    read_by(session, &mut PageLen::default(), call).await
}

async fn read_by<M: StreamModel>(
    session: &Session,
    len: &mut PageLen,
    command: impl Fn(u64) -> Command<LogPage<M>>,
) -> Result<LogPage<M>> {
    loop {
        match session.submit(command(len.get())).await {
            Ok(page) => return Ok(LogPage { is_full: page.entries.len() as u64 >= len.get(), ..page }),
            Err(error) if len.divide(&error) => {}
            Err(error) => return Err(error),
        }
    }
}

/// Returns the command that returns what is known about a log.
pub(super) fn head<M: StreamModel>(log: &Log<M>) -> Command<LogPage<M>> {
    named::<M>(log, PAGE.key(log.key()).arg(StreamId::MIN).arg(0))
}

fn named<M: StreamModel>(log: &Log<M>, call: ScriptCall) -> Command<LogPage<M>> {
    log.command(call.command()).decode_with_key(decode)
}

fn decode<M: StreamModel>(reply: Reply<'_>, key: &str) -> Result<LogPage<M>> {
    let [last, added, removed, len, after, snapshot, entries] = reply.array_of()?;
    let snapshot = match snapshot.shape() {
        Shape::Array(_) => {
            let [state, checksum] = snapshot.array_of()?;
            // Bytes that are not text are no snapshot of ours.
            match (state.text(), checksum.text()) {
                (Ok(state), Ok(checksum)) => Found::Snapshot { state: state.to_owned(), checksum: checksum.to_owned() },
                _ => Found::Unfit,
            }
        }
        Shape::Bytes(b"unfit") => Found::Unfit,
        _ => Found::None,
    };
    let head = Head {
        last: StreamId::from_reply(last)?,
        added: u64::try_from(i64::from_reply(added)?).ok(),
        removed: StreamId::from_reply(removed)?,
        len: u64::from_reply(len)?,
    };
    Ok(LogPage {
        head,
        after: StreamId::from_reply(after)?,
        snapshot,
        entries: read_entries(entries, key)?,
        is_full: false,
    })
}

/// The error about a log that is not versioned.
#[cold]
pub(super) fn foreign(last: StreamId) -> Error {
    let message = format!(
        "the log is not versioned: another writer has added entries with ids of their own, and the last one is {last}; \
         use another key, or read it as a plain log"
    );
    Error::new(ErrorKind::Decode, message).settled()
}

/// The error about entries that are missing.
#[cold]
pub(super) fn trimmed(key: &Key, why: impl Into<String>) -> Error {
    Error::new(ErrorKind::Lagged, why.into()).about(key.model(), key.as_str())
}
