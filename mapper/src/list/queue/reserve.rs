//! Reserving jobs.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::time::SystemTime;

use redis_rest::{Command, Executor, Reply, Result};

use super::script::{RESERVE, some_millis, texts};
use super::{Queue, time_of};
use crate::list::{ListModel, raw};
use crate::write::{Netstrings, malformed};

/// A job that a worker has reserved.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Reserved<M> {
    /// What ends the reservation: [`Queue::ack`], [`Queue::nack`] and [`Queue::extend`] take it.
    pub ticket: Ticket,
    /// The job. If it cannot be read, [`RawElement::of`](crate::list::RawElement::of) returns its text.
    pub element: Result<M>,
    /// Which attempt this is; 1 is the first.
    pub attempt: u64,
    /// When the job comes back, by the clock of the server, if nobody acknowledges, gives back or extends it.
    pub deadline: SystemTime,
}

/// Names a job of a queue, and one reservation of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Ticket {
    id: u64,
    reservation: u64,
    /// The hash of the queue's key: jobs of two queues can have the same numbers.
    queue: u64,
}

impl Ticket {
    /// Returns the id of the job: what `push` has returned.
    #[must_use]
    pub fn id(self) -> u64 {
        self.id
    }

    /// Whether it is of the queue with this key.
    pub(super) fn is_of(self, key: &str) -> bool {
        self.queue == hash(key)
    }

    /// Returns the number of the reservation. Each reservation of the queue has a higher number than those before it,
    /// so another system that remembers the highest can refuse a worker that is late: it is a fencing token.
    #[must_use]
    pub fn reservation(self) -> u64 {
        self.reservation
    }
}

fn hash(key: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    key.hash(&mut hasher);
    hasher.finish()
}

/// The most jobs that one call reserves.
pub(super) const MAX_COUNT: u64 = 1000;

impl<M: ListModel> Queue<M> {
    /// Reserves the next job for a worker, or returns `None` if none waits.
    ///
    /// It takes back what dead workers held, and ends delays, up to 100 of each in a call. One script, O(log(n)) for
    /// each of these jobs.
    ///
    /// `worker` is any name. It is in the history of the job.
    ///
    /// ```no_run
    /// # use redis_model::list::Reserved;
    /// # use redis_model::prelude::*;
    /// # #[derive(Debug, PartialEq, RedisModel)]
    /// # #[redis(list, prefix = "job")]
    /// # struct Resize { width: u32 }
    /// # async fn example(redis: Redis) -> Result<()> {
    /// let queue = Resize::queue("images");
    /// let id = queue.push(&redis, &Resize { width: 640 }).await?;
    /// if let Some(Reserved { ticket, element, attempt, .. }) = queue.reserve(&redis, "worker-1").await? {
    ///     assert_eq!((ticket.id(), attempt), (id, 1));
    ///     println!("resize to {}", element?.width);
    ///     queue.ack(&redis, ticket).await?;
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// `InvalidInput` if [`hold_for`](Queue::hold_for) is less than a millisecond.
    pub fn reserve<E: Executor>(&self, executor: E, worker: &str) -> E::Out<Option<Reserved<M>>> {
        executor.submit(self.reserving(worker, 1).and_then(|jobs| Ok(jobs.into_iter().next())))
    }

    /// Reserves up to `count` jobs for a worker, as [`reserve`](Queue::reserve) does.
    ///
    /// All of them have the same deadline, so hold them for as long as all of them take. They come in one reply, so
    /// fewer are reserved if their elements have more than 64 KB together, and a larger job comes alone. If it is
    /// larger than the client reads, its reply is lost: it comes back after the deadline, and is dead in the end. No
    /// other job is affected, if [`max_response_bytes`](redis_rest::RedisBuilder::max_response_bytes) is at least 200
    /// KB.
    ///
    /// # Errors
    ///
    /// `InvalidInput` if the count is 0 or more than 1,000.
    pub fn reserve_many<E: Executor>(&self, executor: E, worker: &str, count: u64) -> E::Out<Vec<Reserved<M>>> {
        executor.submit(self.reserving(worker, count))
    }

    fn reserving(&self, worker: &str, count: u64) -> Command<Vec<Reserved<M>>> {
        let call = self.call(&RESERVE);
        let command = match some_millis("the time of `hold_for`", self.hold_for) {
            Ok(hold_for) => self.command(call.arg(count).arg(hold_for).arg(self.max_attempts).arg(worker)),
            Err(error) => self.command(call).fail(error),
        };
        let command = match count {
            1..=MAX_COUNT => command,
            _ => command.reject("a call reserves from 1 to 1,000 jobs"),
        };
        command.decode_with_key(read)
    }
}

fn read<M: ListModel>(reply: Reply<'_>, key: &str) -> Result<Vec<Reserved<M>>> {
    jobs(texts(reply)?, key)
}

/// Reads the outcome of a reservation.
pub(super) fn jobs<M: ListModel>(mut texts: Netstrings<'_>, key: &str) -> Result<Vec<Reserved<M>>> {
    let deadline = time_of(texts.number()?);
    let mut jobs = Vec::new();
    while !texts.0.is_empty() {
        let ticket = Ticket { id: texts.number()?, reservation: texts.number()?, queue: hash(key) };
        let attempt = texts.number()?;
        let element = element(&texts.text()?.ok_or_else(malformed)?, ticket.id, key);
        jobs.push(Reserved { ticket, element, attempt, deadline });
    }
    Ok(jobs)
}

/// Reads the element of a job. An error names the job.
pub(super) fn element<M: ListModel>(bytes: &[u8], id: u64, key: &str) -> Result<M> {
    raw::of_bytes(bytes).map_err(|error| error.about(M::MODEL_NAME, key).context(format!("job {id}")))
}
