//! Pipelines for loops: any number of commands, whose replies are taken one by one.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};

use super::{Client, Executor};
use crate::command::{Command, Encoded, Expect, Received};
use crate::error::{Error, Result};
use crate::reply::{Replies, Reply};

/// Any number of commands that are sent in one request.
///
/// [`Redis::batch`](crate::Redis::batch) and [`Redis::atomic_batch`](crate::Redis::atomic_batch) start one, and so do
/// [`new`](Batch::new) and [`atomic`](Batch::atomic) in code that is generic over [`Client`]. Each command returns a
/// [`Slot`]; [`exec`](Batch::exec) returns the [`BatchReplies`] to take its reply from.
///
/// ```no_run
/// # async fn example(redis: redis_rest::Redis) -> redis_rest::Result<()> {
/// use redis_rest::StringCommands;
///
/// let mut batch = redis.batch();
/// let slots: Vec<_> = (0..100).map(|n| batch.incr(format!("counter:{n}"))).collect();
/// let replies = batch.exec().await?;
/// let counts = slots.into_iter().map(|slot| replies.take(slot)).collect::<Result<Vec<i64>, _>>()?;
/// # Ok(())
/// # }
/// ```
#[must_use = "a batch does nothing until `exec`"]
pub struct Batch<C> {
    client: C,
    id: u64,
    encoded: Encoded,
}

/// The place of one command's reply among the replies to its batch.
#[derive(Debug)]
#[must_use = "the reply is taken from the batch's replies by its slot"]
pub struct Slot<R> {
    batch: u64,
    at: usize,
    expect: Expect<R>,
}

/// The replies to a [`Batch`].
#[derive(Debug)]
pub struct BatchReplies {
    batch: u64,
    received: Received,
    /// The node at which each reply begins.
    starts: Vec<usize>,
}

impl<C: Client> Batch<C> {
    /// Starts a batch.
    pub fn new(client: C) -> Self {
        Batch::of(client, Encoded::new())
    }

    /// Starts a batch whose commands run atomically.
    pub fn atomic(client: C) -> Self {
        Batch::of(client, Encoded::atomic())
    }

    fn of(client: C, encoded: Encoded) -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        Batch { client, id: NEXT.fetch_add(1, Ordering::Relaxed), encoded }
    }

    /// Returns the number of commands, counting every command of an atomic group.
    pub fn len(&self) -> usize {
        self.encoded.count()
    }

    /// Returns whether there are no commands yet.
    pub fn is_empty(&self) -> bool {
        self.encoded.count() == 0
    }

    /// Sends the commands. If there are none, nothing is sent.
    ///
    /// # Errors
    ///
    /// Only if there are no replies: nothing was sent, the connection broke, or the server refused the whole request.
    /// [`BatchReplies::take`] returns the error of a single command.
    pub fn exec(self) -> C::Out<BatchReplies> {
        self.exec_with(Ok)
    }

    /// Sends the commands and combines their replies into one result.
    ///
    /// # Errors
    ///
    /// Those of [`exec`](Batch::exec), and those of `finish`.
    pub fn exec_with<T: 'static>(self, finish: impl FnOnce(BatchReplies) -> Result<T> + Send + 'static) -> C::Out<T> {
        let Batch { client, id, encoded } = self;
        let count = encoded.count();
        client.request(encoded, move |received| {
            let starts = Replies::of(&received.tape, count).map(Reply::index).collect();
            finish(BatchReplies { batch: id, received, starts })
        })
    }
}

impl<C> Executor for &mut Batch<C> {
    type Out<R> = Slot<R>;

    fn submit<R>(self, command: Command<R>) -> Slot<R> {
        let at = self.encoded.count();
        Slot { batch: self.id, at, expect: self.encoded.push(command) }
    }
}

impl<C: fmt::Debug> fmt::Debug for Batch<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Batch")
            .field("client", &self.client)
            .field("commands", &self.encoded.count())
            .finish_non_exhaustive()
    }
}

impl BatchReplies {
    /// Returns the reply to the command that returned `slot`.
    ///
    /// # Errors
    ///
    /// The command's own error; `InvalidInput` if the slot belongs to another batch.
    #[expect(clippy::needless_pass_by_value, reason = "a slot is good for one reply")]
    pub fn take<R>(&self, slot: Slot<R>) -> Result<R> {
        match self.starts.get(slot.at) {
            _ if slot.batch == self.batch && slot.expect.parts() == 0 => {
                slot.expect.decode(&mut Replies::of(&self.received.tape, 0), self.received.attempts)
            }
            Some(&start) if slot.batch == self.batch => {
                let mut replies = Replies::starting_at(&self.received.tape, start, slot.expect.parts());
                slot.expect.decode(&mut replies, self.received.attempts)
            }
            _ => Err(slot.expect.blame(Error::invalid_input("the slot belongs to another batch"))),
        }
    }
}
