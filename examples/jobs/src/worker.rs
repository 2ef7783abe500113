//! A worker: it reserves jobs, does some of them at a time, and reports what became of them.

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use database::say;
use redis_model::prelude::{Redis, Result};
use redis_model::{Nack, Nacked, Queue, Reserved, Ticket};
use tokio::sync::watch;
use tokio::task::{JoinError, JoinSet};
use tokio::time::{Instant, interval_at, sleep};

use crate::studio::{HOLD_FOR, Job, Studio};

/// While there is nothing to do, a slot asks less and less often. That is its price when idle: here, a request a second.
const FIRST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

/// A job that has failed waits for this time.
const RETRY_AFTER: Duration = Duration::from_millis(300);

/// A worker with a number of slots. Each slot does one job at a time.
pub(crate) struct Worker {
    slots: JoinSet<()>,
    stop: watch::Sender<bool>,
}

impl Worker {
    pub(crate) fn start(redis: &Redis, queue: &Queue<Job>, studio: &Arc<Studio>, name: &str, slots: usize) -> Worker {
        let stop = watch::Sender::new(false);
        let slot = Slot { redis: redis.clone(), queue: queue.clone(), studio: Arc::clone(studio), worker: name.into() };
        let slots = (0..slots).map(|_| slot.clone().run(stop.subscribe())).collect();
        Worker { slots, stop }
    }

    /// Asks the worker to end: no slot reserves another job. A program does this on a signal.
    pub(crate) fn stop(&self) {
        self.stop.send_replace(true);
    }

    /// Waits until each slot has finished its job.
    pub(crate) async fn finished(mut self) -> std::result::Result<(), JoinError> {
        while let Some(slot) = self.slots.join_next().await {
            slot?;
        }
        Ok(())
    }

    /// Ends the worker as `kill -9` does: its jobs remain reserved.
    pub(crate) async fn kill(mut self) {
        self.slots.shutdown().await;
    }
}

#[derive(Clone)]
struct Slot {
    redis: Redis,
    queue: Queue<Job>,
    studio: Arc<Studio>,
    worker: String,
}

impl Slot {
    async fn run(self, mut stop: watch::Receiver<bool>) {
        let mut pause = FIRST_PAUSE;
        while !*stop.borrow_and_update() {
            match self.queue.reserve(&self.redis, &self.worker).await {
                Ok(Some(job)) => {
                    pause = FIRST_PAUSE;
                    self.handle(job).await;
                    continue;
                }
                Ok(None) => {}
                // The client has tried several times.
                Err(error) => self.reports(&format!("cannot reserve a job: {error}")),
            }
            tokio::select! {
                () = sleep(pause) => pause = (2 * pause).min(LONGEST_PAUSE),
                _ = stop.changed() => {}
            }
        }
    }

    async fn handle(&self, Reserved { ticket, element, attempt, .. }: Reserved<Job>) {
        let (name, outcome) = match &element {
            Ok(job) => (format!("{job:?}"), self.work(ticket, job).await),
            // Another version of the program may know it.
            Err(error) => ("a job that cannot be read".into(), Err(error.to_string())),
        };
        let settled = match outcome {
            Ok(()) => self.queue.ack(&self.redis, ticket).await.map(|()| "done".to_owned()),
            Err(why) => self.give_back(ticket, &why).await,
        };
        // A Conflict or NotFound here means that the work took longer than the reservation: another worker has the job.
        let settled = settled.unwrap_or_else(|error| format!("not settled: {error}"));
        self.reports(&format!("{name}, attempt {attempt}: {settled}"));
    }

    /// Does a job, and extends its reservation meanwhile.
    async fn work(&self, ticket: Ticket, job: &Job) -> std::result::Result<(), String> {
        let mut extend = interval_at(Instant::now() + HOLD_FOR / 3, HOLD_FOR / 3);
        let mut work = pin!(self.studio.run(job));
        loop {
            tokio::select! {
                outcome = &mut work => return outcome,
                _ = extend.tick() => {
                    self.queue.extend(&self.redis, ticket, HOLD_FOR).await.map_err(|error| error.to_string())?;
                }
            }
        }
    }

    async fn give_back(&self, ticket: Ticket, why: &str) -> Result<String> {
        let nacked = self.queue.nack(&self.redis, ticket, Nack::new().error(why).delay(RETRY_AFTER)).await?;
        Ok(match nacked {
            Nacked::Waiting | Nacked::Delayed => format!("{why}; later again"),
            Nacked::Dead => format!("{why}; it is dead now"),
        })
    }

    fn reports(&self, what: &str) {
        say(&format!("  {}: {what}", self.worker));
    }
}
