//! The commands that run the script.

use std::collections::HashSet;
use std::sync::{Arc, LazyLock};

use redis_rest::{Command, Error, ErrorKind, Executor as _, Reply, Result, Script, ScriptCall, Session};

use super::arguments::{self, Arguments};
use super::operation::{Action, Operation};
use super::outcome::{self, NoRow, Outcome};
use crate::key::Key;
use crate::scripts::{MayPublish, lua, script};

/// Names the arguments and keys, which [`in_commit`] gives other ones.
const START: &str = "local args, keys = ARGV, KEYS\n";

/// The files of a script of writes. Each script has what its operations need and no more: the server creates all functions of
/// a script again with each call.
const SHORT_FILES: &[&str] = &[START, lua::ROWS, lua::WRITE_START, lua::WRITE, lua::WRITE_CLAIMS, lua::WRITE_CHANGES];

/// The files for all operations on records. `straight` stands before them, and `append` among them.
fn all_files(straight: &[&'static str], append: &[&'static str]) -> Vec<&'static str> {
    let records = [lua::ROWS, lua::VALUES, lua::WRITE_START, lua::WRITE, lua::WRITE_PATCH];
    [&[START], straight, &records, append, &[lua::WRITE_CLAIMS, lua::WRITE_CHANGES]].concat()
}

/// All operations on records, with the usual put in a straight line.
fn writes() -> Vec<&'static str> {
    all_files(&[lua::PUT], &[])
}

/// The same, and appends to logs.
fn writes_and_appends() -> Vec<&'static str> {
    let before = [lua::PUT, lua::RETAIN, lua::STREAM_FACTS, lua::STREAM_ROOM, lua::APPEND_EVENTS];
    all_files(&before, &[lua::WRITE_APPEND])
}

/// Such a script, together with the acknowledgement of an entry of a stream.
fn in_commit(write: &[&str]) -> Script {
    script(&[&["local function write(KEYS, ARGV)\n"], write, &["end\n", lua::GROUP_COMMIT]].concat())
}

static WRITE: LazyLock<Script> = LazyLock::new(|| script(&writes()).key_locking());

/// Patches, and what [`SHORT`] does.
static PATCH: LazyLock<Script> = LazyLock::new(|| script(&all_files(&[], &[])).key_locking());

static COMMIT: LazyLock<Script> = LazyLock::new(|| in_commit(&writes()).key_locking());

static WRITE_AND_APPEND: LazyLock<MayPublish> = LazyLock::new(|| MayPublish::new(script(&writes_and_appends())));

static COMMIT_AND_APPEND: LazyLock<MayPublish> = LazyLock::new(|| MayPublish::new(in_commit(&writes_and_appends())));

/// Any operations but patches. Full writes begin with [`WRITE`]'s straight line instead.
static SHORT: LazyLock<Script> = LazyLock::new(|| script(SHORT_FILES).key_locking());

/// The same, for loads that set the time to live: twice is as good as once, so no outcome is kept.
static LOAD: LazyLock<Script> = LazyLock::new(|| SHORT.clone().idempotent());

/// Returns the shortest script for these operations, and for the acknowledgement of an entry.
fn script_for(operations: &[Operation], with_entry: bool) -> &'static Script {
    let are_any = |is_such: fn(&Action) -> bool| operations.iter().any(|operation| is_such(&operation.action));
    if are_any(|action| matches!(action, Action::Append { .. })) {
        let scripts = if with_entry { &COMMIT_AND_APPEND } else { &WRITE_AND_APPEND };
        scripts.script(are_any(|action| matches!(action, Action::Append { publishes: true, .. })))
    } else if with_entry {
        &COMMIT
    } else if are_any(|action| matches!(action, Action::Put { .. })) {
        &WRITE
    } else if are_any(|action| matches!(action, Action::Patch { .. })) {
        &PATCH
    } else {
        &SHORT
    }
}

/// Returns the command that executes these operations, of any models: all of them, or none. Its errors name the operation
/// and its record.
pub(crate) fn command(operations: &[Operation]) -> Command<Vec<Outcome>> {
    run(operations).decode_with(outcome::decode)
}

/// Returns the command that executes one operation. Its errors name the record. If a client sends it on its own, it
/// recovers from two refusals:
///
/// * another record has a unique value, but may be gone without a trace in the indexes: the command is repeated, and looks;
/// * the record is in no index, because another program has written it: `row` reads it, and it is added.
pub(crate) fn lone(operation: Operation, row: RowOf) -> Command<Outcome> {
    let command = without_recovery(&operation);
    if operation.layout.indexes.is_empty() {
        return command;
    }
    let task = Arc::new(Task { operations: vec![operation], rows: vec![row], is_lone: true, entry: None });
    command.recover_with(move |session, error| {
        let recovered = recover(session, Arc::clone(&task), error);
        async move { outcome::first(recovered.await?) }
    })
}

/// Returns the command that executes operations as [`command`] does, and recovers as [`lone`] does. `rows` has a function for
/// each operation.
pub(crate) fn together(operations: Vec<Operation>, rows: Vec<RowOf>) -> Command<Vec<Outcome>> {
    let command = command(&operations);
    if operations.iter().all(|operation| operation.layout.indexes.is_empty()) {
        return command;
    }
    let task = Arc::new(Task { operations, rows, is_lone: false, entry: None });
    command.recover_with(move |session, error| recover(session, Arc::clone(&task), error))
}

/// Returns the command that executes operations as [`together`] does, and acknowledges an entry. If the entry is not that of
/// the consumer any more, nothing is done: [`is_fenced`](super::is_fenced) tells that error apart.
pub(crate) fn with_entry(operations: Vec<Operation>, rows: Vec<RowOf>, entry: OwnedEntry) -> Command<Vec<Outcome>> {
    let task = Arc::new(Task { operations, rows, is_lone: false, entry: Some(entry) });
    let command = task.command(&[]);
    command.recover_with(move |session, error| recover(session, Arc::clone(&task), error))
}

/// An entry of a stream that is pending with a consumer.
#[derive(Debug, Clone)]
pub(crate) struct OwnedEntry {
    pub(crate) stream: String,
    pub(crate) group: String,
    pub(crate) consumer: String,
    pub(crate) id: String,
    /// Its delivery count.
    pub(crate) count: u64,
    /// Whether it is also removed from the stream.
    pub(crate) is_removed: bool,
}

/// Returns a command that executes operations, which fails before it is sent.
pub(crate) fn failed(error: Error) -> Command<Vec<Outcome>> {
    Command::write("EVALSHA").fail(error).decode_with(outcome::decode)
}

/// Reads what [`Action::Index`] needs from a reply to `HGETALL`. Returns `None` if there is no record.
pub(crate) type RowOf = fn(Reply<'_>) -> Result<Option<Action>>;

/// How often a record is read whose fields change until its row is written.
const ATTEMPTS: usize = 8;

/// How often operations are repeated. Each time, another reason for their refusal is gone.
const REPEATS: usize = 16;

/// Operations that are executed together, as often as a recovery takes.
struct Task {
    operations: Vec<Operation>,
    rows: Vec<RowOf>,
    /// Whether the caller has asked for one operation, and does not count.
    is_lone: bool,
    /// What is acknowledged with them.
    entry: Option<OwnedEntry>,
}

/// A record that the indexes know and that may be gone, and the operation that was refused because of it.
struct Purge {
    at: usize,
    operation: Operation,
}

impl Task {
    /// Returns the command that executes the operations after these. Its outcomes are those of the operations.
    fn command(&self, purges: &[Purge]) -> Command<Vec<Outcome>> {
        let purged = purges.iter().map(|purge| &purge.operation);
        let command = run_with(&purged.chain(&self.operations).cloned().collect::<Vec<_>>(), self.entry.as_ref());
        let count = purges.len();
        let command = match self.operations.as_slice() {
            [only] if self.is_lone => only.key.check(command).decode_with(outcome::decode_lone),
            _ => command.decode_with(outcome::decode),
        };
        command.and_then(move |outcomes| Ok(outcomes.into_iter().skip(count).collect()))
    }

    /// Returns what removes the owner of a unique value from the indexes, if that record does not exist any more.
    fn purge(&self, at: usize, owner: &str) -> Option<Purge> {
        let layout = self.operations.get(at)?.layout;
        let key = Key::new(layout.model, layout.prefix, owner);
        // The first: no record has such a key. The second: what becomes of that record is known.
        if key.problem().is_some() || self.operations.iter().any(|other| other.key.as_str() == key.as_str()) {
            return None;
        }
        Some(Purge { at, operation: Operation { layout, key, id: owner.to_owned(), action: Action::Purge } })
    }

    /// Names the operation in an error as the caller counts them.
    fn renumber(&self, error: Error, purges: &[Purge]) -> Error {
        let Some(position) = error.operation() else { return error };
        let at = purges.get(position).map_or(position.saturating_sub(purges.len()), |purge| purge.at);
        error.with_operation(at)
    }
}

async fn recover(session: Session, task: Arc<Task>, mut error: Error) -> Result<Vec<Outcome>> {
    let (mut purges, mut added) = (Vec::<Purge>::new(), HashSet::new());
    for _ in 0..REPEATS {
        // Operations that are alone are not counted.
        let at = error.operation().unwrap_or_default();
        if NoRow::is_why(&error) && added.insert(at) {
            let (Some(operation), Some(row)) = (task.operations.get(at), task.rows.get(at)) else { return Err(error) };
            let result = add_row(&session, operation, *row).await;
            result.map_err(|error| if task.is_lone { error } else { error.with_operation(at) })?;
        } else if let Some(purge) = error.owner().and_then(|owner| task.purge(at, owner))
            && purges.iter().all(|other| other.operation.key.as_str() != purge.operation.key.as_str())
        {
            purges.push(purge);
        } else {
            return Err(error);
        }
        error = match session.submit(task.command(&purges)).await {
            Ok(outcomes) => return Ok(outcomes),
            Err(error) => task.renumber(error, &purges),
        };
    }
    Err(error)
}

/// Writes the row of a record, from its fields.
async fn add_row(session: &Session, operation: &Operation, row: RowOf) -> Result<()> {
    for attempt in 1.. {
        let read = operation.key.push_to(Command::read("HGETALL")).decode_with(row);
        // The operation itself finds out that the record is gone.
        let Some(action) = session.submit(read).await? else { return Ok(()) };
        let added = Operation { action, ..operation.clone() };
        match session.submit(lone(added, row)).await {
            Err(error) if error.is_conflict() && attempt < ATTEMPTS => {}
            Err(error) if error.is_not_found() => return Ok(()),
            added => return added.map(drop),
        }
    }
    Ok(())
}

fn without_recovery(operation: &Operation) -> Command<Outcome> {
    operation.key.check(run(std::slice::from_ref(operation))).decode_with(Outcome::of)
}

fn run(operations: &[Operation]) -> Command {
    run_with(operations, None)
}

/// The outcome is kept under the prefix of the first operation's model.
fn run_with(operations: &[Operation], entry: Option<&OwnedEntry>) -> Command {
    let Arguments { keys, args } = match operations {
        [only] if arguments::is_lone_put(only) => arguments::of_put(only),
        _ => arguments::of_all(operations),
    };
    let prefix = operations.first().map_or("", |first| first.layout.prefix);
    let is_load = |operation: &Operation| matches!(operation.action, Action::Expire { load: true, .. });
    let command = if let Some(entry) = entry {
        let OwnedEntry { stream, group, consumer, id, count, is_removed } = entry;
        let call = ScriptCall::from(script_for(operations, true)).once_under(prefix).key(stream).keys(keys);
        let call = call.args([group, consumer, id]).arg(*count).arg(u32::from(*is_removed));
        call.args(args).command()
    } else if operations.iter().all(is_load) {
        ScriptCall::from(&LOAD).keys(keys).arg(0).args(args).command()
    } else {
        ScriptCall::from(script_for(operations, false)).once_under(prefix).keys(keys).args(args).command()
    };
    if operations.is_empty() {
        return command.fail(Error::new(ErrorKind::InvalidInput, "needs at least one operation"));
    }
    match arguments::problem(operations) {
        None => command,
        Some(error) => command.fail(error),
    }
}
