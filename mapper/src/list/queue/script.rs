//! The scripts of a work queue, and how they are called.

use std::sync::LazyLock;
use std::time::Duration;

use redis_rest::{Command, Error, ErrorKind, Reply, Result, Script, ScriptCall, Untyped};

use super::Queue;
use crate::list::ListModel;
use crate::list::push::MAX_TIME;
use crate::scripts::script;
use crate::write::Netstrings;

/// How many jobs one call moves at most. The server does nothing else meanwhile.
pub(super) const MOST_AT_ONCE: u64 = 10_000;

pub(super) static PUSH: LazyLock<Script> = LazyLock::new(|| of_queue(include_str!("../../scripts/queue_push.lua")));
pub(super) static RESERVE: LazyLock<Script> = LazyLock::new(|| of_queue(&[RESERVES, RESERVE_ONCE].concat()));
pub(super) static SETTLE: LazyLock<Script> = LazyLock::new(|| of_queue(&[SETTLES, SETTLE_ONE].concat()));
pub(super) static TURN: LazyLock<Script> =
    LazyLock::new(|| of_queue(&[RESERVES, SETTLES, include_str!("../../scripts/queue_turn.lua")].concat()));
pub(super) static RECOVER: LazyLock<Script> =
    LazyLock::new(|| of_queue(include_str!("../../scripts/queue_recover.lua")));
pub(super) static RETRY: LazyLock<Script> = LazyLock::new(|| of_queue(include_str!("../../scripts/queue_retry.lua")));
pub(super) static CLEAR: LazyLock<Script> = LazyLock::new(|| of_queue(include_str!("../../scripts/queue_clear.lua")));
pub(super) static DEAD: LazyLock<Script> =
    LazyLock::new(|| script(include_str!("../../scripts/queue_dead.lua")).read_only().key_locking());

/// What calls and workers share: functions, which they call.
const RESERVES: &str = include_str!("../../scripts/queue_reserve.lua");
const RESERVE_ONCE: &str =
    "\nreturn finish((reserve(tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4]), ARGV[5])))";
const SETTLE_ONE: &str = "\nreturn finish(settle(unpack(ARGV, 2)))";
const SETTLES: &str = include_str!("../../scripts/queue_settle.lua");

/// Puts what the scripts share before one that writes.
fn of_queue(code: &str) -> Script {
    script(&[include_str!("../../scripts/queue.lua"), code].concat()).key_locking()
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
