//! Ending and extending reservations.

use std::time::{Duration, SystemTime};

use redis_rest::{Command, Error, ErrorKind, Executor, Reply, Result, ScriptCall};

use super::reserve::Ticket;
use super::script::{SETTLE, millis, some_millis, texts};
use super::{Queue, time_of};
use crate::list::ListModel;
use crate::write::malformed;

/// How [`Queue::nack`] gives a job back.
///
/// ```no_run
/// use std::time::Duration;
///
/// use redis_model::prelude::*;
/// use redis_model::list::{Nack, Nacked};
///
/// #[derive(Debug, RedisModel)]
/// #[redis(list, prefix = "job")]
/// struct Resize {
///     width: u32,
/// }
///
/// # async fn example(redis: Redis) -> Result<()> {
/// let queue = Resize::queue("images");
/// queue.push(&redis, &Resize { width: 0 }).await?;
/// if let Some(job) = queue.reserve(&redis, "worker-1").await? {
///     let later = Nack::new().error("the disk is full").delay(Duration::from_secs(60));
///     assert_eq!(queue.nack(&redis, job.ticket, later).await?, Nacked::Delayed);
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, Default)]
pub struct Nack {
    delay: Duration,
    error: String,
    is_final: bool,
}

impl Nack {
    /// Creates options that let the job wait again, after all others.
    #[must_use]
    pub fn new() -> Self {
        Nack::default()
    }

    /// Sets how long the job waits before it can be reserved again, by the clock of the server.
    #[must_use]
    pub fn delay(mut self, delay: Duration) -> Self {
        self.delay = delay;
        self
    }

    /// Sets why the attempt has failed, for the history of the job. Of a long text, the first 1,000 characters are
    /// kept.
    #[must_use]
    pub fn error(mut self, why: impl Into<String>) -> Self {
        self.error = shortened(why.into());
        self
    }

    /// Makes the job dead now, whatever attempts it has left: no further attempt would help.
    #[must_use]
    pub fn dead(mut self) -> Self {
        self.is_final = true;
        self
    }
}

/// Returns as much of an error as the history of a job keeps.
pub(super) fn shortened(mut why: String) -> String {
    const MAX_LEN: usize = 1000;
    if let Some((end, _)) = why.char_indices().nth(MAX_LEN) {
        why.truncate(end);
    }
    why
}

/// The outcome of [`Queue::nack`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Nacked {
    /// It waits for another attempt.
    Waiting,
    /// It waits until its delay is over.
    Delayed,
    /// It is dead: it had its last attempt, or [`Nack::dead`] asked for it.
    Dead,
}

impl<M: ListModel> Queue<M> {
    /// Acknowledges a job: it is done, and leaves the queue.
    ///
    /// One script, O(log(n)). If its reply is lost, the client repeats it and gets its outcome. The deadline may have
    /// passed, as long as nobody has taken the job back.
    ///
    /// # Errors
    ///
    /// * `Conflict` if the reservation does not count any more: the deadline has passed, and the job waits again, is
    ///   dead, or is reserved by another worker.
    /// * `NotFound` if there is no such job any more: it was acknowledged before, by this worker or by one that got it
    ///   after the deadline.
    pub fn ack<E: Executor>(&self, executor: E, ticket: Ticket) -> E::Out<()> {
        let command = self.settling(ticket, |call| Ok(call.arg("ack")));
        executor.submit(command.decode_with(|reply| match settled(reply)? {
            Settled::Done => Ok(()),
            _ => Err(malformed()),
        }))
    }

    /// Gives a job back after an attempt that has failed, and returns the outcome. [`Nack`] shows an example.
    ///
    /// One script, O(log(n)). If its reply is lost, the client repeats it and gets its outcome.
    ///
    /// # Errors
    ///
    /// Those of [`ack`](Queue::ack).
    pub fn nack<E: Executor>(&self, executor: E, ticket: Ticket, options: Nack) -> E::Out<Nacked> {
        let Nack { delay, error, is_final } = options;
        let attempts = if is_final { 0 } else { self.max_attempts };
        let command = self
            .settling(ticket, |call| Ok(call.arg("nack").arg(millis("the delay", delay)?).arg(attempts).arg(error)));
        executor.submit(command.decode_with(|reply| match settled(reply)? {
            Settled::Back(nacked) => Ok(nacked),
            _ => Err(malformed()),
        }))
    }

    /// Moves the deadline of a reservation to `time` from now, by the clock of the server, and returns it. Call it
    /// from time to time during a long job.
    ///
    /// One script, O(log(n)). If its reply is lost, the client repeats it and gets its outcome.
    ///
    /// ```no_run
    /// # use std::time::Duration;
    /// # use redis_model::prelude::*;
    /// # #[derive(Debug, PartialEq, RedisModel)]
    /// # #[redis(list, prefix = "job")]
    /// # struct Resize { width: u32 }
    /// # async fn part(_: u32) {}
    /// # async fn example(redis: Redis) -> Result<()> {
    /// let queue = Resize::queue("images").hold_for(Duration::from_secs(30));
    /// if let Some(job) = queue.reserve(&redis, "worker-1").await? {
    ///     for number in 0..10 {
    ///         part(number).await;
    ///         queue.extend(&redis, job.ticket, Duration::from_secs(30)).await?; // an error: stop, another worker has it
    ///     }
    ///     queue.ack(&redis, job.ticket).await?;
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// Those of [`ack`](Queue::ack), and `InvalidInput` if the time is less than a millisecond.
    pub fn extend<E: Executor>(&self, executor: E, ticket: Ticket, time: Duration) -> E::Out<SystemTime> {
        let command = self.settling(ticket, |call| Ok(call.arg("extend").arg(some_millis("the time", time)?)));
        executor.submit(command.decode_with(|reply| match settled(reply)? {
            Settled::Reserved(deadline) => Ok(deadline),
            _ => Err(malformed()),
        }))
    }

    fn settling(&self, ticket: Ticket, action: impl FnOnce(ScriptCall) -> Result<ScriptCall>) -> Command {
        let call = self.call(&SETTLE).arg(ticket.id()).arg(ticket.reservation());
        match action(call.clone()) {
            _ if !ticket.is_of(self.key.as_str()) => self
                .command(call)
                .reject("the ticket is of another queue; pass it to the queue that has reserved the job"),
            Ok(call) => self.command(call),
            Err(error) => self.command(call).fail(error),
        }
    }
}

enum Settled {
    Done,
    Reserved(SystemTime),
    Back(Nacked),
}

fn settled(reply: Reply<'_>) -> Result<Settled> {
    let mut texts = texts(reply)?;
    let conflict = |why: &'static str| Err(Error::new(ErrorKind::Conflict, why));
    match &*texts.text()?.unwrap_or_default() {
        b"done" => Ok(Settled::Done),
        b"reserved" => texts.number().map(time_of).map(Settled::Reserved),
        b"waiting" => Ok(Settled::Back(Nacked::Waiting)),
        b"delayed" => Ok(Settled::Back(Nacked::Delayed)),
        b"dead" => Ok(Settled::Back(Nacked::Dead)),
        b"taken" => conflict(
            "the reservation does not count any more: its deadline has passed, and another worker has reserved the job; \
             nothing was changed. Hold jobs for longer, or extend the deadline in time",
        ),
        b"free" => conflict(
            "the reservation does not count any more: the job was given back, or its deadline has passed and it was taken \
             back; nothing was changed. Hold jobs for longer, or extend the deadline in time",
        ),
        b"gone" => Err(Error::new(
            ErrorKind::NotFound,
            "there is no such job any more: it was acknowledged before, by this worker or by one that got it after the \
             deadline, or it was removed; nothing was changed",
        )),
        _ => Err(malformed()),
    }
}
