//! The exact arguments of every typed method, without a network.

#![expect(clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]
#![expect(clippy::needless_pass_by_value, reason = "a command is made to be given away")]

mod array;
mod bitmap;
mod generic;
mod geo;
mod hash;
mod json;
mod list;
mod models;
mod options;
mod recorded;
mod scripting;
mod search;
mod server;
mod set;
mod sorted_set;
mod stream;
mod string;
mod vector;

use redis_model::redis_rest::Command;

/// A command's arguments in one line.
fn line<R>(command: Command<R>) -> String {
    command.validate().unwrap_or_else(|error| panic!("{error}"));
    lines(&command).join(" | ")
}

/// The lines of a group of commands.
fn lines<R>(command: &Command<R>) -> Vec<String> {
    let text = |args: Vec<bytes::Bytes>| {
        args.iter().map(|arg| String::from_utf8_lossy(arg).into_owned()).collect::<Vec<_>>().join(" ")
    };
    command.commands().into_iter().map(text).collect()
}

/// Why a command is refused.
fn refusal<R>(command: Command<R>) -> String {
    let error = command.validate().expect_err("the command should be refused");
    assert!(error.is_invalid_input() && !error.may_have_executed());
    error.to_string()
}
