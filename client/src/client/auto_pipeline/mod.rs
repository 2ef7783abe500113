//! Auto-pipelining: commands that tasks await at the same time share one request.
//!
//! One request is in flight at a time. Commands that are awaited meanwhile queue, and form the next request in the order in
//! which they were awaited. This preserves the order of a program's commands, whichever of them read or write. A command on
//! its own finds no request in flight and is sent at once.
//!
//! A separate task, the driver, sends what is queued. A task that awaits a command holds one end of a channel. Cancelling it
//! only drops that end, so the replies to other commands are not affected. Each runtime has a queue and a driver of its own,
//! because a driver on a runtime that is not running would block the commands of all others.

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
use crate::command::{Attempts, Command, Encoded, Received};
use crate::connection::{Connection, Progress};
use crate::error::{Error, ErrorKind, Result};
use crate::reply::Replies;

/// The commands that are waiting to be sent.
#[derive(Debug)]
pub(super) struct AutoPipeline {
    connection: Arc<Connection>,
    limits: AutoPipelining,
    /// One for each runtime that has a driver.
    queues: Mutex<Vec<(Id, VecDeque<Queued>)>>,
}

/// A command, and the channel to the task that awaits its reply.
#[derive(Debug)]
struct Queued {
    encoded: Encoded,
    since: Instant,
    reply: oneshot::Sender<Result<Share>>,
}

/// One command's part of the replies to a request.
#[derive(Debug)]
struct Share {
    received: Arc<Received>,
    /// The node at which the command's reply begins.
    start: usize,
}

impl AutoPipeline {
    pub(super) fn new(connection: Arc<Connection>, limits: AutoPipelining) -> Self {
        AutoPipeline { connection, limits, queues: Mutex::default() }
    }

    /// Queues a command when the future is first polled. Returns its reply.
    pub(super) fn execute<'a, R: 'a>(
        self: &'a Arc<Self>,
        command: Command<R>,
    ) -> impl Future<Output = Result<R>> + Send + 'a {
        // Encoded outside of the future, which is smaller without the command.
        let mut encoded = Encoded::new();
        let expect = encoded.push(command);
        async move {
            let share = match self.submit(encoded) {
                Ok(receiver) => receiver.await.unwrap_or_else(|_| {
                    // The driver was dropped while it waited for the replies.
                    let ended = Error::new(ErrorKind::Interrupted, "the runtime that sends the commands has ended");
                    Err(Attempts::default().record_in(ended, expect.idempotency()))
                }),
                Err(error) => Err(error),
            };
            let Share { received, start } = share.map_err(|error| expect.blame(error))?;
            let mut replies = Replies::starting_at(&received.tape, start, expect.parts());
            expect.decode(&mut replies, received.attempts)
        }
    }

    fn submit(self: &Arc<Self>, mut encoded: Encoded) -> Result<oneshot::Receiver<Result<Share>>> {
        if let Some(error) = encoded.take_error() {
            return Err(error);
        }
        let runtime = Handle::try_current().map_err(|error| {
            Error::new(ErrorKind::Config, "auto-pipelining needs a tokio runtime; nothing was sent").with_source(error)
        })?;
        let (reply, receiver) = oneshot::channel();
        if self.push(runtime.id(), Queued { encoded, since: Instant::now(), reply }) {
            let driver = Driver { pipeline: Arc::clone(self), runtime: runtime.id(), has_finished: false };
            drop(runtime.spawn(driver.run()));
        }
        Ok(receiver)
    }

    /// Adds a command to the queue of its runtime. Returns whether the queue needs a driver.
    fn push(&self, runtime: Id, entry: Queued) -> bool {
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

    fn lock(&self) -> MutexGuard<'_, Vec<(Id, VecDeque<Queued>)>> {
        self.queues.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Removes the queue of a runtime, which then has no driver.
    fn remove(&self, runtime: Id) -> VecDeque<Queued> {
        let mut queues = self.lock();
        let at = queues.iter().position(|(id, _)| *id == runtime);
        at.map(|at| queues.swap_remove(at).1).unwrap_or_default()
    }

    /// Takes as many commands as fit into one request. Returns `None` if none are left; the queue is then removed.
    fn next(&self, runtime: Id, patience: Duration) -> Option<Vec<Queued>> {
        let mut late = Vec::new();
        let batch = self.take(runtime, patience, &mut late);
        // Not under the lock: a task that receives its result may run at once.
        for entry in late {
            let _ = entry.reply.send(Err(Error::timeout("there was no time left to send it")));
        }
        batch
    }

    fn take(&self, runtime: Id, patience: Duration, late: &mut Vec<Queued>) -> Option<Vec<Queued>> {
        let now = Instant::now();
        let mut queues = self.lock();
        let at = queues.iter().position(|(id, _)| *id == runtime)?;
        let entries = &mut queues.get_mut(at)?.1;
        let mut batch: Vec<Queued> = Vec::with_capacity(entries.len().min(self.limits.max_commands));
        // The outer brackets take two bytes, and the last command has no comma.
        let mut bytes = 1;
        while let Some(next) = entries.front() {
            // Cancelled or out of time before it was sent.
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

/// The task that sends what queues in one runtime.
struct Driver {
    pipeline: Arc<AutoPipeline>,
    runtime: Id,
    /// Whether the queue was removed. Another driver may already have a new one for the same runtime.
    has_finished: bool,
}

impl Driver {
    async fn run(mut self) {
        let connection = &self.pipeline.connection;
        let deadline = connection.deadline();
        loop {
            // Tasks that are ready to run can still join, above all those that have just received their replies.
            yield_now().await;
            let Some(batch) = self.pipeline.next(self.runtime, deadline) else { break };
            // A command's time starts when it is awaited.
            let start = batch.first().map_or_else(Instant::now, |oldest| oldest.since);
            recovery::send(connection, batch, Progress::starting_at(start, deadline)).await;
        }
        self.has_finished = true;
    }
}

impl Drop for Driver {
    /// If the driver is dropped with its runtime, no task is left waiting.
    fn drop(&mut self) {
        if self.has_finished {
            return;
        }
        // Not under the lock: a task that receives its result may run at once.
        for Queued { reply, .. } in self.pipeline.remove(self.runtime) {
            let gone = Error::new(
                ErrorKind::Interrupted,
                "the runtime that sends the commands has ended; the command was not sent",
            );
            let _ = reply.send(Err(gone));
        }
    }
}
