//! The commands that run the script.

use std::sync::{Arc, LazyLock};

use redis_rest::{Command, Error, ErrorKind, Executor as _, Reply, Result, Script, ScriptCall, Session};

use super::arguments::{self, Arguments};
use super::operation::{Action, Operation};
use super::outcome::{self, NoRow, Outcome};
use crate::key::Key;
use crate::scripts::script;

/// The usual put in a straight line, and any other operations.
static WRITE: LazyLock<Script> = LazyLock::new(|| {
    let code = concat!(
        include_str!("../scripts/put.lua"),
        include_str!("../scripts/rows.lua"),
        include_str!("../scripts/values.lua"),
        include_str!("../scripts/write.lua"),
    );
    script(code).key_locking()
});

/// Returns the command that executes these operations, of any models: all of them, or none. Its errors name the operation
/// and its record.
pub(crate) fn command(operations: &[Operation]) -> Command<Vec<Outcome>> {
    run(operations).decode_with(outcome::decode)
}

/// Returns the command that executes one operation. Its errors name the record. If a client sends it on its own, it
/// recovers from two refusals:
///
/// * another record has a unique value, but may be gone without a trace in the indexes: one more request looks;
/// * the record is in no index, because another program has written it: `row` reads it, and it is added.
pub(crate) fn lone(operation: Operation, row: RowOf) -> Command<Outcome> {
    let command = without_recovery(&operation);
    if operation.layout.indexes.is_empty() {
        return command;
    }
    let operation = Arc::new(operation);
    command.recover_with(move |session, error| recover(session, Arc::clone(&operation), row, error))
}

/// Reads what [`Action::Index`] needs from a reply to `HGETALL`. Returns `None` if there is no record.
pub(crate) type RowOf = fn(Reply<'_>) -> Result<Option<Action>>;

/// How often a record is read whose fields change until its row is written.
const ATTEMPTS: usize = 8;

async fn recover(session: Session, operation: Arc<Operation>, row: RowOf, error: Error) -> Result<Outcome> {
    if NoRow::is_why(&error) {
        add_row(&session, &operation, row).await?;
        return match session.submit(without_recovery(&operation)).await {
            Err(error) if error.is_duplicate() => take_over(&session, &operation, error).await,
            outcome => outcome,
        };
    }
    if error.is_duplicate() { take_over(&session, &operation, error).await } else { Err(error) }
}

/// Writes the row of a record, from its fields.
async fn add_row(session: &Session, operation: &Operation, row: RowOf) -> Result<()> {
    for attempt in 1.. {
        let read = operation.key.push_to(Command::read("HGETALL")).decode_with(row);
        // The operation itself finds out that the record is gone.
        let Some(action) = session.submit(read).await? else { return Ok(()) };
        let added = Operation { action, ..operation.clone() };
        match session.submit(without_recovery(&added)).await {
            Err(error) if error.is_conflict() && attempt < ATTEMPTS => {}
            Err(error) if error.is_not_found() => return Ok(()),
            added => return added.map(drop),
        }
    }
    Ok(())
}

/// Executes an operation once more, after what the indexes know of the owner of a unique value has been removed, if that
/// record does not exist any more.
async fn take_over(session: &Session, operation: &Operation, error: Error) -> Result<Outcome> {
    let Some(owner) = error.owner() else { return Err(error) };
    let layout = operation.layout;
    let key = Key::new(layout.model, layout.prefix, owner);
    // No record has such a key.
    if key.problem().is_some() {
        return Err(error);
    }
    let purge = Operation { layout, key, id: owner.to_owned(), action: Action::Purge };
    let command = operation.key.check(run(&[purge, operation.clone()]));
    session.submit(command.decode_with(Outcome::of_second)).await
}

fn without_recovery(operation: &Operation) -> Command<Outcome> {
    operation.key.check(run(std::slice::from_ref(operation))).decode_with(Outcome::of)
}

/// The outcome is kept under the prefix of the first operation's model.
fn run(operations: &[Operation]) -> Command {
    let Arguments { keys, args } = match operations {
        [only] if arguments::is_lone_put(only) => arguments::of_put(only),
        _ => arguments::of_all(operations),
    };
    let prefix = operations.first().map_or("", |first| first.layout.prefix);
    let command = ScriptCall::from(&WRITE).once_under(prefix).keys(keys).args(args).command();
    if operations.is_empty() {
        return command.fail(Error::new(ErrorKind::InvalidInput, "needs at least one operation"));
    }
    match arguments::problem(operations) {
        None => command,
        Some(error) => command.fail(error),
    }
}
