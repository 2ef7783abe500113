//! Jobs without attempts left.

use std::time::SystemTime;

use redis_rest::{Executor, Reply, Result, ScriptCall};

use super::reserve::element;
use super::script::{DEAD, Keys, MOST_AT_ONCE, RETRY, texts};
use super::{Queue, time_of};
use crate::list::ListModel;
use crate::write::{Netstrings, malformed};

/// A job that had all its attempts, or whose worker gave it up.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct DeadJob<M> {
    /// The id of the job.
    pub id: u64,
    /// The job. If it cannot be read, [`RawElement::of`](crate::list::RawElement::of) returns its text.
    pub element: Result<M>,
    /// How many attempts it had, those before a retry included.
    pub attempts: u64,
    /// When it died, by the clock of the server.
    pub since: SystemTime,
    /// Its failed attempts, the last 20 of them, oldest first.
    pub failures: Vec<FailedAttempt>,
}

/// An attempt at a job that has failed.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct FailedAttempt {
    /// Which attempt it was; 1 is the first.
    pub attempt: u64,
    /// When it ended, by the clock of the server.
    pub at: SystemTime,
    /// The worker that had reserved the job.
    pub worker: String,
    /// The text of [`Nack::error`](crate::list::Nack::error), or `the deadline passed`.
    pub error: String,
}

impl<M: ListModel> Queue<M> {
    /// Returns up to `count` dead jobs from the position `first` on, with their history. Those that died first come
    /// first.
    ///
    /// One script, O(log(n)) for the first and a little for each other. It changes nothing.
    ///
    /// ```no_run
    /// # use redis_model::list::Nack;
    /// # use redis_model::prelude::*;
    /// # #[derive(Debug, RedisModel)]
    /// # #[redis(list, prefix = "job")]
    /// # struct Resize { width: u32 }
    /// # async fn example(redis: Redis) -> Result<()> {
    /// let queue = Resize::queue("images");
    /// for job in queue.dead(&redis, 0, 100).await? {
    ///     for failure in &job.failures {
    ///         println!("{}: attempt {} by {}: {}", job.id, failure.attempt, failure.worker, failure.error);
    ///     }
    /// }
    /// queue.retry_dead(&redis, 100).await?; // the cause is gone: all of them get new attempts
    /// # Ok(())
    /// # }
    /// ```
    pub fn dead<E: Executor>(&self, executor: E, first: u64, count: u64) -> E::Out<Vec<DeadJob<M>>> {
        let Keys { jobs, dead, .. } = self.keys();
        let last = first.saturating_add(count).saturating_sub(1);
        let command = self.command(ScriptCall::from(&DEAD).keys([jobs, dead]).arg(first.min(MOST)).arg(last.min(MOST)));
        let command =
            if count == 0 { command.reject("a count of 0 asks for nothing; use at least 1") } else { command };
        executor.submit(command.decode_with_key(read))
    }

    /// Lets a dead job wait again, with new attempts, and returns whether it was dead. Its history remains.
    ///
    /// One script, O(log(n)).
    pub fn retry<E: Executor>(&self, executor: E, id: u64) -> E::Out<bool> {
        executor.submit(self.command(self.call(&RETRY).arg("retry").arg("one").arg(id)).decode_with(any))
    }

    /// Lets up to `limit` dead jobs wait again, with new attempts, and returns their number. Those that died first come
    /// first.
    ///
    /// One script, O(n log(n)) in the number of these jobs, which is at most 10,000. Call it again until it returns 0
    /// to retry all.
    pub fn retry_dead<E: Executor>(&self, executor: E, limit: u64) -> E::Out<u64> {
        executor.submit(
            self.command(self.call(&RETRY).arg("retry").arg("all").arg(limit.min(MOST_AT_ONCE))).decode_with(number),
        )
    }

    /// Removes a dead job and its history, and returns whether it was dead.
    ///
    /// One script, O(log(n)).
    pub fn discard<E: Executor>(&self, executor: E, id: u64) -> E::Out<bool> {
        executor.submit(self.command(self.call(&RETRY).arg("discard").arg("one").arg(id)).decode_with(any))
    }

    /// Removes up to `limit` dead jobs and their history, and returns their number. Those that died first come first.
    ///
    /// One script, O(n log(n)) in the number of these jobs, which is at most 10,000.
    pub fn discard_dead<E: Executor>(&self, executor: E, limit: u64) -> E::Out<u64> {
        executor.submit(
            self.command(self.call(&RETRY).arg("discard").arg("all").arg(limit.min(MOST_AT_ONCE))).decode_with(number),
        )
    }
}

/// The largest index of a sorted set that Redis takes.
const MOST: u64 = i64::MAX.cast_unsigned();

pub(super) fn number(reply: Reply<'_>) -> Result<u64> {
    texts(reply)?.number()
}

fn any(reply: Reply<'_>) -> Result<bool> {
    number(reply).map(|count| count > 0)
}

fn read<M: ListModel>(reply: Reply<'_>, key: &str) -> Result<Vec<DeadJob<M>>> {
    let mut texts = texts(reply)?;
    let mut jobs = Vec::new();
    while !texts.0.is_empty() {
        let (id, since) = (texts.number()?, time_of(texts.number()?));
        // Another program has deleted it.
        let element = element(&texts.text()?.unwrap_or_default(), id, key);
        let attempts = texts.number()?;
        let known = texts.number()?;
        let failures = (0..known).map(|_| failure(&mut texts)).collect::<Result<_>>()?;
        jobs.push(DeadJob { id, element, attempts, since, failures });
    }
    Ok(jobs)
}

fn failure(texts: &mut Netstrings<'_>) -> Result<FailedAttempt> {
    let attempt = texts.number()?;
    let known = texts.text()?.ok_or_else(malformed)?;
    let mut known = Netstrings(&known);
    let at = time_of(known.number()?);
    let [worker, error] = known.strings()?;
    Ok(FailedAttempt { attempt, at, worker, error })
}
