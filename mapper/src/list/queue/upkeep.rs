//! What keeps a queue in order, and what it looks like.

use redis_rest::{Build, Executor, FromReply as _, ListCommands as _, Replies, Result, SortedSetCommands as _};

use super::Queue;
use super::dead::number;
use super::script::{CLEAR, Keys, MOST_AT_ONCE, RECOVER, texts};
use crate::list::ListModel;

/// The outcome of [`Queue::recover`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Recovered {
    /// How many jobs wait again whose workers have let the deadline pass.
    pub returned: u64,
    /// How many of them had their last attempt, and are dead.
    pub dead: u64,
    /// How many delayed jobs wait because their time has come.
    pub due: u64,
}

/// How many jobs of a queue are where.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct QueueStats {
    /// Jobs that wait for a worker.
    pub waiting: u64,
    /// Jobs whose delay is not over, and those that no call has let wait yet.
    pub delayed: u64,
    /// Jobs that workers hold, and those whose deadline has passed and that no call has taken back yet.
    pub reserved: u64,
    /// Jobs without attempts left.
    pub dead: u64,
}

impl<M: ListModel> Queue<M> {
    /// Takes back up to `limit` jobs whose workers have let the deadline pass, and lets up to `limit` delayed jobs wait
    /// whose time has come.
    ///
    /// Each [`reserve`](Queue::reserve) does the same for 100 jobs, so a queue with workers needs no call of this.
    ///
    /// One script, O(n log(n)) in the number of these jobs, which is at most 10,000. Keep the limit at some 1,000: the
    /// server does nothing else meanwhile.
    pub fn recover<E: Executor>(&self, executor: E, limit: u64) -> E::Out<Recovered> {
        let command = self.command(self.call(&RECOVER).arg(limit.min(MOST_AT_ONCE)).arg(self.max_attempts));
        executor.submit(command.decode_with(|reply| {
            let mut texts = texts(reply)?;
            Ok(Recovered { returned: texts.number()?, dead: texts.number()?, due: texts.number()? })
        }))
    }

    /// Returns how many jobs wait, are delayed, reserved and dead, at one moment.
    ///
    /// LLEN and three ZCARDs in one transaction, O(1).
    pub fn stats<E: Executor>(&self, executor: E) -> E::Out<QueueStats> {
        let Keys { waiting, delayed, reserved, dead, .. } = self.keys();
        let command = self.key.check(Build.llen(waiting));
        let command = command.and(Build.zcard(delayed), |_| Ok(())).and(Build.zcard(reserved), |_| Ok(()));
        executor.submit(command.and(Build.zcard(dead), stats))
    }

    /// Returns the number of jobs that wait for a worker. Reserved, delayed and dead ones do not count:
    /// [`stats`](Queue::stats) counts them.
    ///
    /// [LLEN](https://redis.io/docs/latest/commands/llen/), O(1).
    pub fn len<E: Executor>(&self, executor: E) -> E::Out<u64> {
        executor.submit(self.key.check(Build.llen(self.key())))
    }

    /// Removes all jobs, the reserved and the dead ones too, and returns how many there were. A worker that holds one
    /// gets `NotFound` when it acknowledges it.
    ///
    /// One script, O(1): the server frees the memory in the background.
    pub fn clear<E: Executor>(&self, executor: E) -> E::Out<u64> {
        executor.submit(self.command(self.call(&CLEAR)).decode_with(number))
    }
}

fn stats(mut replies: Replies<'_>) -> Result<QueueStats> {
    let mut next = || replies.expect_next().and_then(u64::from_reply);
    Ok(QueueStats { waiting: next()?, delayed: next()?, reserved: next()?, dead: next()? })
}
