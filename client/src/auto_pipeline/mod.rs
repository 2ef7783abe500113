//! Auto-pipelining: commands that tasks await at the same time travel in one request.
//!
//! One request is under way at a time. What is awaited meanwhile queues up, and is the next request, in the order in which
//! it was awaited: so the order of a program's commands is kept, whoever reads or writes. A lone command finds no
//! request under way and goes at once.
//!
//! A task of its own drives the queue. Whoever awaits a command holds one end of a channel, and its dropping is all that a
//! cancellation does: the replies of the others stay where they are. Each runtime has a queue and a driver of its own,
//! since a runtime that nobody runs at the moment would drive nothing for the others.

mod recovery;
mod settings;

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::runtime::{Handle, Id};
use tokio::sync::oneshot;
use tokio::task::yield_now;
use tokio::time::Instant;

pub use self::settings::AutoPipelining;
use crate::command::{Command, Expect, Safety};
use crate::core::Core;
use crate::encoded::Encoded;
use crate::error::{Error, ErrorKind, Result};
use crate::reply::Replies;
use crate::transport::retry::Begun;
use crate::wire::tape::Tape;

/// The commands that wait to be sent.
#[derive(Debug)]
pub(crate) struct AutoPipeline {
    limits: AutoPipelining,
    /// One for each runtime that has a driver.
    queues: Mutex<Vec<(Id, VecDeque<Entry>)>>,
}

/// A command, and who awaits its reply.
#[derive(Debug)]
struct Entry {
    encoded: Encoded,
    since: Instant,
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
        AutoPipeline { limits, queues: Mutex::default() }
    }

    /// Queues a command when it is first polled, and gives its reply.
    pub(crate) fn execute<'a, R: 'a>(
        &'a self,
        core: &'a Arc<Core>,
        command: Command<R>,
    ) -> impl Future<Output = Result<R>> + Send + 'a {
        // Outside of the future, which is the smaller for it.
        let mut encoded = Encoded::new(false);
        let expect = encoded.push(command);
        async move {
            let receiver = self.submit(core, encoded).map_err(|error| expect.blame(error))?;
            let Share { tape, start } =
                receiver.await.unwrap_or_else(|_| Err(gone(&expect))).map_err(|error| expect.blame(error))?;
            expect.decode(&mut Replies::starting_at(&tape, start, expect.parts()))
        }
    }

    fn submit(&self, core: &Arc<Core>, mut encoded: Encoded) -> Result<oneshot::Receiver<Result<Share>>> {
        if let Some(problem) = encoded.problem.take() {
            return Err(problem);
        }
        let runtime = Handle::try_current().map_err(|error| {
            Error::new(ErrorKind::Config, "auto-pipelining needs a tokio runtime; nothing was sent").with_source(error)
        })?;
        let (reply, receiver) = oneshot::channel();
        if self.push(runtime.id(), Entry { encoded, since: Instant::now(), reply }) {
            drop(runtime.spawn(Driver { core: Arc::clone(core), runtime: runtime.id(), has_finished: false }.run()));
        }
        Ok(receiver)
    }

    /// Adds a command to the queue of its runtime, and says whether that needs a driver.
    fn push(&self, runtime: Id, entry: Entry) -> bool {
        let mut queues = self.lock();
        match queues.iter_mut().find(|(id, _)| *id == runtime) {
            Some((_, entries)) => {
                entries.push_back(entry);
                false
            }
            None => {
                queues.push((runtime, VecDeque::from([entry])));
                true
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, Vec<(Id, VecDeque<Entry>)>> {
        self.queues.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes the queue of a runtime, which then has no driver.
    fn remove(&self, runtime: Id) -> VecDeque<Entry> {
        let mut queues = self.lock();
        let at = queues.iter().position(|(id, _)| *id == runtime);
        at.map(|at| queues.swap_remove(at).1).unwrap_or_default()
    }

    /// The next request: as many commands as fit into one. `None` when none is left, and nobody drives from now on.
    fn next(&self, runtime: Id, patience: Duration) -> Option<Vec<Entry>> {
        let mut late = Vec::new();
        let batch = self.take(runtime, patience, &mut late);
        // Not under the lock: who hears of it may run at once.
        for entry in late {
            let _ = entry.reply.send(Err(Error::timeout("there was no time left to send it")));
        }
        batch
    }

    fn take(&self, runtime: Id, patience: Duration, late: &mut Vec<Entry>) -> Option<Vec<Entry>> {
        let now = Instant::now();
        let mut queues = self.lock();
        let at = queues.iter().position(|(id, _)| *id == runtime)?;
        let entries = &mut queues.get_mut(at)?.1;
        let mut batch: Vec<Entry> = Vec::with_capacity(entries.len().min(self.limits.max_commands));
        let mut bytes = 0;
        while let Some(next) = entries.front() {
            // Cancelled, or out of time, before it was sent.
            if next.reply.is_closed() || now.duration_since(next.since) > patience {
                late.extend(entries.pop_front());
                continue;
            }
            bytes += next.encoded.len();
            let is_full = batch.len() >= self.limits.max_commands || bytes > self.limits.max_bytes;
            let stands_alone =
                next.encoded.stands_alone() || batch.last().is_some_and(|last| last.encoded.stands_alone());
            if !batch.is_empty() && (is_full || stands_alone) {
                break;
            }
            batch.extend(entries.pop_front());
        }
        if batch.is_empty() {
            queues.swap_remove(at);
            return None;
        }
        Some(batch)
    }
}

/// The driver was dropped while the command was under way.
#[cold]
fn gone<R>(expect: &Expect<R>) -> Error {
    let gone = Error::new(ErrorKind::Interrupted, "the runtime that sends the commands has ended");
    gone.with_may_have_executed(expect.safety() != Safety::Read)
}

/// The task that sends what queues in one runtime.
struct Driver {
    core: Arc<Core>,
    runtime: Id,
    /// Whether the queue is gone already, in which case another driver may have one of the same runtime.
    has_finished: bool,
}

impl Driver {
    async fn run(mut self) {
        let Some(pipeline) = self.core.auto_pipeline() else { return };
        let deadline = self.core.deadline();
        loop {
            // Tasks that are ready to run now can still join: those that were given their replies just now, above all.
            yield_now().await;
            let Some(batch) = pipeline.next(self.runtime, deadline) else { break };
            // Their time began when they were awaited.
            let since = batch.first().map_or_else(Instant::now, |oldest| oldest.since);
            recovery::send(&self.core, batch, Begun::since(since, deadline)).await;
        }
        self.has_finished = true;
    }
}

impl Drop for Driver {
    /// Dropped with its runtime, the driver leaves nobody waiting.
    fn drop(&mut self) {
        if self.has_finished {
            return;
        }
        // Not under the lock: who hears of it may run at once.
        let unsent = self.core.auto_pipeline().map(|pipeline| pipeline.remove(self.runtime)).unwrap_or_default();
        for Entry { reply, .. } in unsent {
            let gone =
                Error::new(ErrorKind::Interrupted, "the runtime that sends the commands has ended; it was not sent");
            let _ = reply.send(Err(gone));
        }
    }
}
