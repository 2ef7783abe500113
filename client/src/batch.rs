//! Pipelines for loops: any number of commands, whose replies are taken one by one.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::command::{Command, Expect};
use crate::encoded::Encoded;
use crate::error::{Error, Result};
use crate::executor::{Client, Executor};
use crate::reply::{Replies, Reply};
use crate::wire::tape::Tape;

/// Any number of commands that travel in one request.
///
/// Begun by [`Redis::batch`](crate::Redis::batch) and [`Redis::atomic_batch`](crate::Redis::atomic_batch). Each command
/// gives a [`Slot`]; [`exec`](Batch::exec) gives the [`BatchReplies`] to take its reply from.
#[must_use = "a batch does nothing until `exec`"]
pub struct Batch<C> {
    client: C,
    id: u64,
    encoded: Encoded,
}

/// The place of one command's reply in the replies to its batch.
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
    tape: Tape,
    /// The node at which each reply begins.
    starts: Vec<usize>,
}

impl<C: Client> Batch<C> {
    pub(crate) fn new(client: C, atomic: bool) -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        Batch { client, id: NEXT.fetch_add(1, Ordering::Relaxed), encoded: Encoded::new(atomic) }
    }

    /// How many commands there are.
    pub fn len(&self) -> usize {
        self.encoded.count
    }

    /// Whether there is no command yet.
    pub fn is_empty(&self) -> bool {
        self.encoded.count == 0
    }

    /// Sends the commands. Without any, nothing is sent.
    ///
    /// # Errors
    ///
    /// Only when there is no reply to any: nothing was sent, the connection broke, the whole transaction was
    /// refused. A command's own failure comes out of [`BatchReplies::take`].
    pub fn exec(self) -> C::Ran<BatchReplies> {
        self.exec_with(Ok)
    }

    /// Sends the commands and makes one result of their replies.
    ///
    /// # Errors
    ///
    /// As [`exec`](Batch::exec), and what `finish` gives.
    pub fn exec_with<T: 'static>(self, finish: impl FnOnce(BatchReplies) -> Result<T> + Send + 'static) -> C::Ran<T> {
        let Batch { client, id, encoded } = self;
        let count = encoded.count;
        client.run(encoded, move |tape| {
            let starts = Replies::of(&tape, count).map(Reply::index).collect();
            finish(BatchReplies { batch: id, tape, starts })
        })
    }
}

impl<C> Executor for &mut Batch<C> {
    type Out<R> = Slot<R>;

    fn submit<R>(self, command: Command<R>) -> Slot<R> {
        let at = self.encoded.count;
        Slot { batch: self.id, at, expect: self.encoded.push(command) }
    }
}

impl<C: fmt::Debug> fmt::Debug for Batch<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Batch")
            .field("client", &self.client)
            .field("commands", &self.encoded.count)
            .finish_non_exhaustive()
    }
}

impl BatchReplies {
    /// The reply to the command that gave `slot`.
    ///
    /// # Errors
    ///
    /// The command's own; `InvalidInput` when the slot is of another batch.
    #[expect(clippy::needless_pass_by_value, reason = "a slot is good for one reply")]
    pub fn take<R>(&self, slot: Slot<R>) -> Result<R> {
        match self.starts.get(slot.at) {
            Some(&start) if slot.batch == self.batch => {
                slot.expect.decode(&mut Replies::starting_at(&self.tape, start, slot.expect.parts()))
            }
            _ => Err(slot.expect.blame(Error::invalid_input("the slot is of another batch"))),
        }
    }
}
