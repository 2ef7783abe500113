//! The scripts of a work queue, and how they are called.

use std::sync::LazyLock;
use std::time::Duration;

use redis_rest::{Command, Error, ErrorKind, Reply, Result, Script, ScriptCall, Untyped};

use super::Queue;
use crate::list::ListModel;
use crate::list::push::MAX_TIME;
use crate::scripts::{lua, script};
use crate::write::Netstrings;

/// How many jobs one call moves at most. The server does nothing else meanwhile.
pub(super) const MOST_AT_ONCE: u64 = 10_000;

pub(super) static PUSH: LazyLock<Script> = LazyLock::new(|| of_queue(&[lua::QUEUE_PUSH]));
pub(super) static RESERVE: LazyLock<Script> = LazyLock::new(|| of_queue(&[lua::QUEUE_RESERVE, RESERVE_ONCE]));
pub(super) static SETTLE: LazyLock<Script> = LazyLock::new(|| of_queue(&[lua::QUEUE_SETTLE, SETTLE_ONE]));
pub(super) static TURN: LazyLock<Script> =
    LazyLock::new(|| of_queue(&[lua::QUEUE_RESERVE, lua::QUEUE_SETTLE, lua::QUEUE_TURN]));
pub(super) static RECOVER: LazyLock<Script> = LazyLock::new(|| of_queue(&[lua::QUEUE_RECOVER]));
pub(super) static RETRY: LazyLock<Script> = LazyLock::new(|| of_queue(&[lua::QUEUE_RETRY]));
pub(super) static CLEAR: LazyLock<Script> = LazyLock::new(|| of_queue(&[lua::QUEUE_CLEAR]));
pub(super) static DEAD: LazyLock<Script> = LazyLock::new(|| script(&[lua::QUEUE_DEAD]).read_only().key_locking());

/// Files that calls and workers share have functions, which they call.
const RESERVE_ONCE: &str =
    "return finish((reserve(tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4]), ARGV[5])))\n";
const SETTLE_ONE: &str = "return finish(settle(unpack(ARGV, 2)))\n";

/// Puts what the scripts share before one that writes.
fn of_queue(code: &[&str]) -> Script {
    script(&[&[lua::QUEUE], code].concat()).key_locking()
}

/// The keys of a queue, without those of callers.
pub(super) struct Keys {
    pub(super) waiting: String,
    pub(super) jobs: String,
    pub(super) delayed: String,
    pub(super) reserved: String,
    pub(super) dead: String,
}

impl<M: ListModel> Queue<M> {
    pub(super) fn keys(&self) -> Keys {
        let waiting = self.key();
        let of = |name: &str| format!("{waiting}:{name}");
        Keys { jobs: of("jobs"), delayed: of("delayed"), reserved: of("reserved"), dead: of("dead"), waiting }
    }

    /// Starts a call of a script that writes. The client repeats it after a lost reply, and gets its first outcome.
    pub(super) fn call(&self, script: &LazyLock<Script>) -> ScriptCall {
        self.keys_of(ScriptCall::from(script).once_under(M::KEY_PREFIX))
    }

    /// Starts a call that the client does not repeat if it may have been executed. Its first argument is 0: it keeps no
    /// outcome.
    pub(super) fn lone_call(&self, script: &LazyLock<Script>) -> ScriptCall {
        self.keys_of(ScriptCall::from(script))
    }

    fn keys_of(&self, call: ScriptCall) -> ScriptCall {
        let Keys { waiting, jobs, delayed, reserved, dead } = self.keys();
        call.keys([waiting, jobs, delayed, reserved, dead])
    }

    /// Returns the command of a call. Its errors name the queue.
    pub(super) fn command(&self, call: ScriptCall) -> Command<Untyped> {
        self.key.check(call.command())
    }
}

/// Returns the texts of an outcome.
pub(super) fn texts(reply: Reply<'_>) -> Result<Netstrings<'_>> {
    reply.bytes().map(Netstrings)
}

/// Returns a time in whole milliseconds, rounded up.
pub(super) fn millis(what: &str, time: Duration) -> Result<u64> {
    if time > MAX_TIME {
        let message = format!("{what} is longer than 100 years; use a shorter time");
        return Err(Error::new(ErrorKind::InvalidInput, message));
    }
    Ok(crate::millis::millis(time))
}

/// Returns a time as [`millis`] does, which must not be 0.
pub(super) fn some_millis(what: &str, time: Duration) -> Result<u64> {
    match millis(what, time)? {
        0 => Err(Error::new(ErrorKind::InvalidInput, format!("{what} is 0; use at least a millisecond"))),
        millis => Ok(millis),
    }
}
