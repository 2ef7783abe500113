//! Auto-pipelining: commands that tasks await at the same time travel in one request.
//!
//! One request is under way at a time. What is awaited meanwhile queues up, and is the next request, in the order in which
//! it was awaited: so the order of a program's commands is kept, whoever reads or writes. A lone command finds no
//! request under way and goes at once.
//!
//! A task of its own drives the queue. Whoever awaits a command holds one end of a channel, and its dropping is all that a
//! cancellation does: the replies of the others stay where they are.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::runtime::Handle;
use tokio::sync::oneshot;
use tokio::task::yield_now;

use crate::args::Args;
use crate::client::Core;
use crate::command::{Command, Expect, Safety};
use crate::encoded::Encoded;
use crate::error::{Error, ErrorKind, Result};
use crate::reply::{Replies, Reply};
use crate::wire::tape::Tape;

/// How much one request of [auto-pipelining](crate::RedisBuilder::auto_pipelining) may hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AutoPipelining {
    pub(crate) max_commands: usize,
    pub(crate) max_bytes: usize,
}

impl Default for AutoPipelining {
    /// 1000 commands, and 1 MiB.
    fn default() -> Self {
        AutoPipelining { max_commands: 1000, max_bytes: 1 << 20 }
    }
}

impl AutoPipelining {
    /// 1000 commands, and 1 MiB.
    #[must_use]
    pub fn new() -> Self {
        AutoPipelining::default()
    }

    /// The most commands in one request.
    #[must_use]
    pub fn max_commands(mut self, commands: usize) -> Self {
        self.max_commands = commands;
        self
    }

    /// The most bytes in one request, unless a single command is larger.
    #[must_use]
    pub fn max_bytes(mut self, bytes: usize) -> Self {
        self.max_bytes = bytes;
        self
    }
}

/// The commands that wait to be sent.
#[derive(Debug)]
pub(crate) struct AutoPipeline {
    limits: AutoPipelining,
    queue: Mutex<Queue>,
}

#[derive(Debug, Default)]
struct Queue {
    entries: VecDeque<Entry>,
    /// Whether a task is there that sends them.
    is_driven: bool,
}

/// A command, and who awaits its reply.
#[derive(Debug)]
struct Entry {
    encoded: Encoded,
    reply: oneshot::Sender<Result<Share>>,
}

/// One command's part of the replies to a request.
#[derive(Debug)]
struct Share {
    tape: Arc<Tape>,
    start: usize,
}

impl AutoPipeline {
    pub(crate) fn new(limits: AutoPipelining) -> Self {
        AutoPipeline { limits, queue: Mutex::default() }
    }

    /// Queues a command, and gives its reply.
    pub(crate) async fn execute<R>(&self, core: &Arc<Core>, command: Command<R>) -> Result<R> {
        let mut encoded = Encoded::new(false);
        let expect = encoded.push(command);
        self.submit(core, encoded, &expect)
            .await
            .map_err(|error| expect.blame(error))
            .and_then(|Share { tape, start }| expect.decode(&mut Replies::starting_at(&tape, start, expect.parts())))
    }

    async fn submit<R>(&self, core: &Arc<Core>, mut encoded: Encoded, expect: &Expect<R>) -> Result<Share> {
        if let Some(problem) = encoded.problem.take() {
            return Err(problem);
        }
        let (reply, receiver) = oneshot::channel();
        let must_drive = {
            let mut queue = self.lock();
            queue.entries.push_back(Entry { encoded, reply });
            !std::mem::replace(&mut queue.is_driven, true)
        };
        if must_drive {
            let driver = Driver { core: Arc::clone(core), has_finished: false };
            match Handle::try_current() {
                Ok(runtime) => drop(runtime.spawn(driver.run())),
                // Nothing is sent without one; the driver is dropped, and all that queue hear of it.
                Err(_) => drop(driver),
            }
        }
        receiver.await.unwrap_or_else(|_| {
            let gone = Error::new(ErrorKind::Interrupted, "the runtime that sends the commands has ended");
            Err(gone.with_may_have_executed(expect.safety() != Safety::Read))
        })
    }

    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The next request: as many commands as fit into one. `None` when none is left, and nobody drives from now on.
    fn next(&self) -> Option<Vec<Entry>> {
        let mut queue = self.lock();
        let mut batch: Vec<Entry> = Vec::new();
        let mut bytes = 0;
        while let Some(next) = queue.entries.front() {
            if next.reply.is_closed() {
                // Cancelled before it was sent.
                queue.entries.pop_front();
                continue;
            }
            bytes += next.encoded.len();
            let is_full = batch.len() >= self.limits.max_commands || bytes > self.limits.max_bytes;
            let stands_alone =
                next.encoded.stands_alone() || batch.last().is_some_and(|last| last.encoded.stands_alone());
            if !batch.is_empty() && (is_full || stands_alone) {
                break;
            }
            batch.extend(queue.entries.pop_front());
        }
        queue.is_driven = !batch.is_empty();
        queue.is_driven.then_some(batch)
    }
}

/// The task that sends what queues.
struct Driver {
    core: Arc<Core>,
    has_finished: bool,
}

impl Driver {
    async fn run(mut self) {
        let Some(pipeline) = self.core.auto_pipeline() else { return };
        loop {
            // Tasks that are ready to run now can still join: those that were given their replies just now, above all.
            yield_now().await;
            let Some(batch) = pipeline.next() else { break };
            send(&self.core, batch).await;
        }
        self.has_finished = true;
    }
}

impl Drop for Driver {
    /// Dropped with its runtime, the driver leaves nobody waiting.
    fn drop(&mut self) {
        if let Some(pipeline) = self.core.auto_pipeline().filter(|_| !self.has_finished) {
            let mut queue = pipeline.lock();
            queue.is_driven = false;
            queue.entries.clear();
        }
    }
}

/// Sends commands in one request and gives each its reply.
async fn send(core: &Core, mut batch: Vec<Entry>) {
    let mut was_uncertain = false;
    loop {
        let error = match core.run(Encoded::together(batch.iter().map(|entry| &entry.encoded))).await {
            Ok(mut tape) => {
                tape.history.may_have_executed |= was_uncertain;
                return share(batch, tape);
            }
            Err(error) => error,
        };
        // Together they are as unsafe to repeat as the worst of them. Without those, the others can be tried again.
        let once = |entry: &Entry| entry.encoded.safety == Safety::Once;
        let is_mixed = batch.iter().any(once) && !batch.iter().all(once);
        let may_repeat = is_mixed && core.retry_policy().repeats(&error);
        let (failed, rest) = batch.into_iter().partition(|entry| !may_repeat || once(entry));
        fail(failed, &error, was_uncertain);
        if !may_repeat {
            return;
        }
        was_uncertain |= error.is_uncertain();
        batch = rest;
    }
}

fn share(batch: Vec<Entry>, tape: Tape) {
    let tape = Arc::new(tape);
    let commands = batch.iter().map(|entry| entry.encoded.count).sum();
    let mut starts = Replies::of(&tape, commands).map(Reply::index);
    for Entry { encoded, reply } in batch {
        let start = starts.next().unwrap_or_default();
        if encoded.count > 1 {
            starts.nth(encoded.count - 2);
        }
        // Who has cancelled needs no reply.
        let _ = reply.send(Ok(Share { tape: Arc::clone(&tape), start }));
    }
}

fn fail(batch: Vec<Entry>, error: &Error, was_uncertain: bool) {
    for Entry { encoded, reply } in batch {
        let executed = (was_uncertain || error.may_have_executed()) && encoded.changes_data();
        let _ = reply.send(Err(error.clone().with_may_have_executed(executed)));
    }
}

impl Encoded {
    fn len(&self) -> usize {
        self.args.as_ref().map_or(0, Args::len)
    }

    /// Whether it cannot travel with others: raw bytes, and atomic groups.
    fn stands_alone(&self) -> bool {
        self.atomic || self.args.as_ref().is_some_and(Args::is_raw)
    }
}
