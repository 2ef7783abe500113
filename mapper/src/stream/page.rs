//! A page of a log, and what is known about the log at the same moment.

use std::ops::Bound;
use std::sync::LazyLock;

use redis_rest::commands::stream::StreamId;
use redis_rest::{
    Command, Error, ErrorKind, Executor as _, FromReply, Reply, Result, Script, ScriptCall, Session, Shape,
};

use super::entry::{Entry, read_entries};
use super::facts::{Facts, Following};
use super::log::Log;
use super::{StreamModel, oversized};
use crate::key::Key;
use crate::page_len::PageLen;
use crate::scripts::{lua, script};

static PAGE: LazyLock<Script> = LazyLock::new(|| {
    let code = &[lua::STREAM_FACTS, lua::LOG_PAGE];
    script(code).read_only().key_locking()
});

/// A page of a log.
pub(super) struct LogPage<M> {
    /// What is known about the log.
    pub(super) head: Facts,
    /// The id after which the page begins.
    pub(super) after: StreamId,
    pub(super) snapshot: Found,
    pub(super) entries: Vec<Entry<Result<M>>>,
    /// Whether there may be more entries after the page.
    pub(super) is_full: bool,
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

impl<M> LogPage<M> {
    /// What the page says about the entries after its beginning.
    pub(super) fn following(&self) -> Following {
        Following { count: self.entries.len() as u64, is_all: !self.is_full }
    }
}

/// Reads the page after an id. An entry that no reply has room for comes with that error.
pub(super) async fn read<M: StreamModel>(
    session: &Session,
    log: &Log<M>,
    after: StreamId,
    len: &mut PageLen,
) -> Result<LogPage<M>> {
    read_by(session, log, len, |len| named::<M>(log, PAGE.key(log.key()).arg(after).arg(len))).await
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
    read_by(session, log, &mut PageLen::default(), call).await
}

async fn read_by<M: StreamModel>(
    session: &Session,
    log: &Log<M>,
    len: &mut PageLen,
    command: impl Fn(u64) -> Command<LogPage<M>>,
) -> Result<LogPage<M>> {
    loop {
        match session.submit(command(len.get())).await {
            Ok(page) => {
                let is_full = page.entries.len() as u64 >= len.get();
                len.grow();
                return Ok(LogPage { is_full, ..page });
            }
            Err(error) if len.divide(&error) => {}
            Err(error) if error.kind() == ErrorKind::TooLarge => {
                // If a page without entries fails too, the snapshot is too large.
                let page = session.submit(command(0)).await?;
                let range = (Bound::Excluded(page.after), Bound::Unbounded);
                let id = session.submit(oversized::first_id(log.key(), "XRANGE", range)).await?;
                let entries = id.map(|id| oversized::entry(id, error, log.key())).into_iter().collect();
                return Ok(LogPage { entries, is_full: true, ..page });
            }
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
    let [head, after, snapshot, entries] = reply.array_of()?;
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
    Ok(LogPage {
        head: Facts::from_reply(head)?,
        after: StreamId::from_reply(after)?,
        snapshot,
        entries: read_entries(entries, key)?,
        is_full: false,
    })
}

/// The error about entries that are missing.
#[cold]
pub(super) fn trimmed(key: &Key, why: impl Into<String>) -> Error {
    Error::new(ErrorKind::Lagged, why.into()).about(key.model(), key.as_str())
}
