//! Auto-pipelining: commands that tasks await at the same time share one request.
//!
//! One request is in flight at a time. Commands that are awaited meanwhile queue, and form the next request in the order in
//! which they were awaited. This preserves the order of a program's commands, whichever of them read or write. A command on
//! its own finds no request in flight and is sent at once.
//!
//! A separate task, the driver, sends what is queued. A task that awaits a command holds one end of a channel. Cancelling it
//! only drops that end, so the replies to other commands are not affected. Each runtime has a queue and a driver of its own,
//! because a driver on a runtime that is not running would block the commands of all others. If reads are sent apart, they
//! have a queue and a driver too.
//!
//! A request has the longest of the limits of its commands. The task that awaits a command ends its wait by the command's
//! own deadline.

mod recovery;
mod settings;

use std::collections::VecDeque;
use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::runtime::{Handle, Id};
use tokio::sync::oneshot;
use tokio::task::yield_now;

pub use self::settings::AutoPipelining;
use crate::command::{Attempts, Command, Encoded, Idempotency, Received};
use crate::connection::{Connection, Patience, Progress};
use crate::error::{Error, ErrorKind, Result};
use crate::platform::Instant;
use crate::platform::timer::timeout;
use crate::reply::Replies;

/// How much longer a command waits than its own deadline. If the request ends at the same time, the request's error is
/// returned, which is more precise.
const GRACE: Duration = Duration::from_millis(5);

/// The commands that are waiting to be sent.
#[derive(Debug)]
pub(super) struct AutoPipeline {
    connection: Arc<Connection>,
    limits: AutoPipelining,
    queues: Mutex<Queues>,
}

/// The queues that have a driver, and a number for the next command.
#[derive(Debug, Default)]
struct Queues {
    all: Vec<(Lane, VecDeque<Queued>)>,
    next: u64,
}

/// What has a queue and a driver of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Lane {
    runtime: Id,
    /// Whether this lane is for reads alone.
    reads: bool,
}

/// A command, and the channel to the task that awaits its reply.
#[derive(Debug)]
struct Queued {
    number: u64,
    encoded: Encoded,
    /// The command's own limits on time.
    progress: Progress,
    /// When the server may forget the outcome of a command that it executes once.
    forgotten_at: Option<Instant>,
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
    pub(super) fn execute<R>(
        self: Arc<Self>,
        mut command: Command<R>,
        patience: Patience,
    ) -> impl Future<Output = Result<R>> + Send {
        self.connection.prepare(&mut command, patience);
        // Encoded outside of the future, which is smaller without the command.
        let mut encoded = Encoded::new();
        let expect = encoded.push(command);
        async move {
            let share = self.share_of(encoded, patience).await;
            let Share { received, start } = share.map_err(|error| expect.blame(error))?;
            let mut replies = Replies::starting_at(&received.tape, start, expect.parts());
            expect.decode(&mut replies, received.attempts)
        }
    }

    /// Queues a command, and returns its share of the replies to the request that it is sent in.
    async fn share_of(self: Arc<Self>, mut encoded: Encoded, patience: Patience) -> Result<Share> {
        if let Some(error) = encoded.take_error() {
            return Err(error);
        }
        let runtime = Handle::try_current().map_err(|error| {
            Error::new(ErrorKind::Config, "auto-pipelining needs a tokio runtime; nothing was sent").with_source(error)
        })?;
        let idempotency = encoded.idempotency();
        let lane = Lane { runtime: runtime.id(), reads: self.limits.separate_reads && !idempotency.writes() };
        let progress = self.connection.limits().starting_now(patience, encoded.extra_time());
        let (reply, receiver) = oneshot::channel();
        let memory =
            (idempotency == Idempotency::Once).then(|| self.connection.limits().memory(patience, Duration::ZERO));
        let forgotten_at = memory.map(|memory| Instant::now() + memory);
        let (number, is_new) = self.push(lane, Queued { number: 0, encoded, progress, forgotten_at, reply });
        if is_new {
            let driver = Driver { pipeline: Arc::clone(&self), lane, has_finished: false };
            drop(runtime.spawn(driver.run()));
        }
        let failed = |error| Err(Attempts::default().and_failed(&error).record_in(error, idempotency));
        let left = (progress.deadline + GRACE).saturating_duration_since(Instant::now());
        match timeout(self.connection.timer(), left, pin!(receiver)).await {
            Ok(Ok(share)) => share,
            Ok(Err(_)) => {
                // The driver was dropped while it waited for the replies.
                failed(Error::new(ErrorKind::Interrupted, "the runtime that sends the commands has ended"))
            }
            Err(_) if self.withdraw(lane, number) => Err(never_sent()),
            Err(_) => failed(Error::timeout("no reply in time")),
        }
    }

    /// Adds a command to its queue, under the next number. Returns that, and whether the queue needs a driver.
    fn push(&self, lane: Lane, entry: Queued) -> (u64, bool) {
        let mut queues = self.lock();
        let number = queues.next;
        queues.next += 1;
        let entry = Queued { number, ..entry };
        match queues.all.iter_mut().find(|(queue, _)| *queue == lane) {
            Some((_, entries)) => {
                entries.push_back(entry);
                (number, false)
            }
            None => {
                queues.all.push((lane, VecDeque::from([entry])));
                (number, true)
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, Queues> {
        self.queues.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes a command out of its queue. Returns whether it was still there.
    fn withdraw(&self, lane: Lane, number: u64) -> bool {
        let mut queues = self.lock();
        let Some((_, entries)) = queues.all.iter_mut().find(|(queue, _)| *queue == lane) else { return false };
        let at = entries.iter().position(|entry| entry.number == number);
        at.and_then(|at| entries.remove(at)).is_some()
    }

    /// Removes a queue, which then has no driver.
    fn remove(&self, lane: Lane) -> VecDeque<Queued> {
        let mut queues = self.lock();
        let at = queues.all.iter().position(|(queue, _)| *queue == lane);
        at.map(|at| queues.all.swap_remove(at).1).unwrap_or_default()
    }

    /// Takes as many commands as fit into one request. Returns `None` if none are left; the queue is then removed.
    fn next(&self, lane: Lane) -> Option<Vec<Queued>> {
        let mut late = Vec::new();
        let batch = self.take(lane, &mut late);
        // Not under the lock: a task that receives its result may run at once.
        for entry in late {
            let _ = entry.reply.send(Err(never_sent()));
        }
        batch
    }

    fn take(&self, lane: Lane, late: &mut Vec<Queued>) -> Option<Vec<Queued>> {
        let now = Instant::now();
        let mut queues = self.lock();
        let at = queues.all.iter().position(|(queue, _)| *queue == lane)?;
        let entries = &mut queues.all.get_mut(at)?.1;
        let mut batch: Vec<Queued> = Vec::with_capacity(entries.len().min(self.limits.max_commands));
        // The outer brackets take two bytes, and the last command has no comma.
        let mut bytes = 1;
        // Attempts are made until the latest deadline, and no outcome may be forgotten before.
        let (mut latest, mut forgotten_at) = (now, None);
        while let Some(next) = entries.front() {
            // Cancelled or out of time before it was sent.
            if next.reply.is_closed() || now >= next.progress.deadline {
                late.extend(entries.pop_front());
                continue;
            }
            bytes += next.encoded.len();
            let is_full = batch.len() >= self.limits.max_commands || bytes > self.limits.max_bytes;
            let stands_alone =
                next.encoded.stands_alone() || batch.last().is_some_and(|last| last.encoded.stands_alone());
            latest = latest.max(next.progress.deadline);
            forgotten_at = next.forgotten_at.into_iter().chain(forgotten_at).min();
            let is_forgotten = forgotten_at.is_some_and(|at| at < latest);
            if !batch.is_empty() && (is_full || stands_alone || is_forgotten) {
                break;
            }
            batch.extend(entries.pop_front());
        }
        if batch.is_empty() {
            queues.all.swap_remove(at);
            return None;
        }
        Some(batch)
    }
}

fn never_sent() -> Error {
    Error::timeout("there was no time left to send it")
}

/// The task that sends what queues in one lane.
struct Driver {
    pipeline: Arc<AutoPipeline>,
    lane: Lane,
    /// Whether the queue was removed. Another driver may already have a new one for the same lane.
    has_finished: bool,
}

impl Driver {
    async fn run(mut self) {
        let connection = &self.pipeline.connection;
        loop {
            // Tasks that are ready to run can still join, above all those that have just received their replies.
            yield_now().await;
            let Some(batch) = self.pipeline.next(self.lane) else { break };
            let progress = batch.iter().map(|entry| entry.progress).reduce(Progress::or_longer);
            if let Some(progress) = progress {
                recovery::send(connection, batch, progress).await;
            }
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
        for Queued { reply, .. } in self.pipeline.remove(self.lane) {
            let gone = Error::new(
                ErrorKind::Interrupted,
                "the runtime that sends the commands has ended; the command was not sent",
            );
            let _ = reply.send(Err(gone));
        }
    }
}
