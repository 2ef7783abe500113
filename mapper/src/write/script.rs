//! The commands that run the scripts.

use std::sync::LazyLock;

use redis_rest::{Build, Command, Error, ErrorKind, Script, ScriptCall, ScriptingCommands as _, Value};

use super::arguments::{self, Arguments};
use super::operation::Operation;
use super::outcome::{self, Outcome};

/// Any operations.
static WRITE: LazyLock<Script> = LazyLock::new(|| {
    Script::new(concat!(
        include_str!("../scripts/rows.lua"),
        include_str!("../scripts/values.lua"),
        include_str!("../scripts/write.lua"),
    ))
});

/// One full write of one record of a model without partitions.
static PUT: LazyLock<Script> =
    LazyLock::new(|| Script::new(concat!(include_str!("../scripts/rows.lua"), include_str!("../scripts/put.lua"))));

/// Returns the command that executes these operations, of any models: all of them, or none. Its errors name the operation
/// and its record.
pub(crate) fn command(operations: &[Operation]) -> Command<Vec<Outcome>> {
    run(operations).decode_with(outcome::decode)
}

/// Returns the command that executes one operation. Its errors name the record. A decoder of the caller's own can begin with
/// [`Outcome::of`].
pub(crate) fn lone(operation: &Operation) -> Command<Outcome> {
    operation.key.check(run(std::slice::from_ref(operation))).decode_with(Outcome::of)
}

fn run(operations: &[Operation]) -> Command<Value> {
    let (script, arguments) = match operations {
        [only] if arguments::is_lone_put(only) => (&PUT, arguments::of_put(only)),
        _ => (&WRITE, arguments::of_all(operations)),
    };
    let Arguments { keys, args } = arguments;
    let call = ScriptCall::from(script).arg(0).keys(keys).args(args);
    let command = Build.run_script(call);
    if operations.is_empty() {
        return command.fail(Error::new(ErrorKind::InvalidInput, "needs at least one operation"));
    }
    match arguments::problem(operations) {
        None => command,
        Some(error) => command.fail(error),
    }
}
