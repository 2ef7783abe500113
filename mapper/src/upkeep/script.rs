//! The commands of a run: each one looks at a page, and may repair it.

use std::sync::LazyLock;

use redis_rest::bytes::Bytes;
use redis_rest::commands::scan::Cursor;
use redis_rest::{Command, Error, ErrorKind, FromReply, Reply, Result, Script, ScriptCall, Shape};

use crate::index::Layout;
use crate::key::SEPARATOR;
use crate::scripts::{lua, script};
use crate::write;

/// Creates a script of this file, after what it needs.
pub(super) fn script_of(file: &str) -> Script {
    script(&[lua::ROWS, lua::REINDEX, file]).key_locking()
}

// Repairing twice is repairing once: a script compares what is stored when it runs.
static RECORDS: LazyLock<Script> = LazyLock::new(|| script_of(lua::REINDEX_RECORDS).read_only());
static REPAIR_ROWS: LazyLock<Script> = LazyLock::new(|| script_of(lua::REINDEX_ROWS).idempotent());
static CHECK_ROWS: LazyLock<Script> = LazyLock::new(|| script_of(lua::REINDEX_ROWS).read_only());
static REPAIR_ENTRIES: LazyLock<Script> = LazyLock::new(|| script_of(lua::REINDEX_ENTRIES).idempotent());
static CHECK_ENTRIES: LazyLock<Script> = LazyLock::new(|| script_of(lua::REINDEX_ENTRIES).read_only());
static FINISH: LazyLock<Script> = LazyLock::new(|| script_of(lua::REINDEX_FINISH).idempotent());

/// How many entries of an index one call looks at.
const ENTRIES: u64 = 500;

/// Whether a script repairs what it finds, or only reports it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum What {
    Check,
    Repair,
}

impl What {
    fn text(self) -> &'static str {
        match self {
            What::Check => "check",
            What::Repair => "repair",
        }
    }
}

/// What a call has repaired, and the problems that it reports.
#[derive(Debug, Default)]
pub(crate) struct Repaired {
    pub(crate) purged: u64,
    pub(crate) added: u64,
    pub(crate) marked: u64,
    pub(crate) problems: Vec<(String, Problem)>,
}

/// What is wrong with the row of an id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Problem {
    /// There is no record.
    Gone,
    /// The index has no entry for it.
    Entry { index: String },
    /// The index has an entry of another record for a unique value of it.
    Duplicate { index: String, owner: String },
    /// The mark is not the time to live of the record.
    Mark,
    /// There is a mark, but no row.
    Orphan,
}

impl Problem {
    fn read(kind: &str, first: String, second: String) -> Option<Problem> {
        Some(match kind {
            "gone" => Problem::Gone,
            "entry" => Problem::Entry { index: first },
            "duplicate" => Problem::Duplicate { index: first, owner: second },
            "mark" => Problem::Mark,
            "orphan" => Problem::Orphan,
            _ => return None,
        })
    }
}

/// Starts the call of a script with all keys of the model, and its label.
pub(super) fn call(script: &LazyLock<Script>, layout: &Layout) -> ScriptCall {
    ScriptCall::from(script).keys(layout.keys().collect::<Vec<_>>()).arg(layout.label())
}

/// Returns the reply, or the error that a refusal stands for, which is a text.
fn accepted<T: FromReply>(reply: Reply<'_>) -> Result<T> {
    match reply.shape() {
        Shape::Array(_) => T::from_reply(reply),
        _ => Err(write::refusal_of_layout(reply)),
    }
}

/// A record and its row.
#[derive(Debug)]
pub(crate) struct Stored<T> {
    pub(crate) id: String,
    pub(crate) row: Option<Bytes>,
    /// Its errors name the record.
    pub(crate) record: Result<T>,
}

/// Reads records and their rows. `read` reads a record from its fields, and takes its key.
pub(crate) fn records<T: 'static>(
    layout: &'static Layout,
    ids: Vec<String>,
    read: fn(Reply<'_>, &str) -> Result<T>,
) -> Command<Vec<Stored<T>>> {
    let keys = ids.iter().map(|id| key_of(layout, id)).collect::<Vec<_>>();
    call(&RECORDS, layout).keys(&keys).args(&ids).command().decode_by(move |reply| {
        let Shape::Array(found) = reply.shape() else { return Err(write::refusal_of_layout(reply)) };
        let records = found.zip(&ids).zip(&keys).map(|((found, id), key)| {
            let [fields, row] = found.array_of()?;
            let record =
                read(fields, key).map_err(|error| error.with_command("HGETALL".into()).about(layout.model, key));
            Ok(Stored { id: id.clone(), row: Option::from_reply(row)?, record })
        });
        records.collect()
    })
}

fn key_of(layout: &Layout, id: &str) -> String {
    format!("{}{SEPARATOR}{id}", layout.prefix)
}

/// Compares the rows and the expiry marks of ids with their entries and records. With each id comes whether it is one of the
/// model.
pub(crate) fn rows(layout: &Layout, what: What, ids: Vec<(String, bool)>) -> Command<Repaired> {
    let script = match what {
        What::Check => &CHECK_ROWS,
        What::Repair => &REPAIR_ROWS,
    };
    let mut call = call(script, layout).arg(what.text());
    for (id, is_id) in &ids {
        call = call.key(key_of(layout, id)).arg(u32::from(*is_id)).arg(id);
    }
    call.command().decode_by(move |reply| {
        let (purged, added, marked, problems): (_, _, _, Vec<(usize, String, String, String)>) = accepted(reply)?;
        let problems = problems.into_iter().filter_map(|(position, kind, first, second)| {
            let (id, _) = ids.get(position.checked_sub(1)?)?;
            Some((id.clone(), Problem::read(&kind, first, second)?))
        });
        Ok(Repaired { purged, added, marked, problems: problems.collect() })
    })
}

/// A page of the entries of an index.
#[derive(Debug)]
pub(crate) struct Entries {
    pub(crate) cursor: Cursor,
    /// How many entries were looked at.
    pub(crate) looked_at: u64,
    /// The entries that no row has.
    pub(crate) stray: Vec<Bytes>,
}

/// Compares a page of the entries of an index with the rows.
pub(crate) fn entries(layout: &Layout, what: What, index: usize, partition: u32, cursor: &Cursor) -> Command<Entries> {
    let script = match what {
        What::Check => &CHECK_ENTRIES,
        What::Repair => &REPAIR_ENTRIES,
    };
    let call = call(script, layout).arg(what.text()).arg(index + 1).arg(partition).arg(cursor).arg(ENTRIES);
    call.command().decode_with(|reply| {
        let (cursor, looked_at, stray) = accepted(reply)?;
        Ok(Entries { cursor, looked_at, stray })
    })
}

/// Ends a run: removes the descriptors of the layouts with these tags.
pub(crate) fn finish(layout: &Layout, token: &str, earlier: &[String]) -> Command<()> {
    call(&FINISH, layout).arg(token).args(earlier).command().decode_by(|reply| match reply.bytes()? {
        b"finished" => Ok(()),
        b"replaced" => Err(Error::new(
            ErrorKind::Index,
            "keys of the indexes were lost during the run, and another run of `reindex` builds them anew; the indexes can be \
             queried when that one has finished",
        )),
        _ => Err(write::refusal_of_layout(reply)),
    })
}
