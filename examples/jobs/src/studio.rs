//! The jobs of a photo studio, and what they do.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use redis_model::Queue;
use redis_model::prelude::*;
use tokio::time::sleep;

/// Something to do, stored as JSON: `{"event":"Resize","photo":"7"}`.
#[derive(Debug, Clone, PartialEq, RedisModel)]
#[redis(list, prefix = "jobs-studio")]
pub(crate) enum Job {
    Resize { photo: u32 },
    Film { film: u32 },
    Invoice { order: u32 },
    Remind { order: u32 },
}

/// A job of a worker that dies comes back after this time.
pub(crate) const HOLD_FOR: Duration = Duration::from_secs(2);

/// The queue at `jobs-studio:main::queue`.
pub(crate) fn queue() -> Queue<Job> {
    Job::queue("main").hold_for(HOLD_FOR).max_attempts(3)
}

/// What the jobs work on. A real one would be elsewhere: files, a mail server, a database.
#[derive(Debug, Default)]
pub(crate) struct Studio {
    /// Invoices fail while the printer is off.
    pub(crate) printer: AtomicBool,
    /// How often each job was done.
    done: Mutex<BTreeMap<String, u32>>,
}

impl Studio {
    /// Does a job, or returns why it cannot be done.
    pub(crate) async fn run(&self, job: &Job) -> Result<(), String> {
        match job {
            Job::Resize { .. } | Job::Remind { .. } => sleep(Duration::from_millis(150)).await,
            Job::Film { .. } => sleep(HOLD_FOR + HOLD_FOR / 2).await,
            Job::Invoice { .. } if self.printer.load(Ordering::Relaxed) => {}
            Job::Invoice { .. } => return Err("the printer is off".into()),
        }
        let mut done = self.done.lock().unwrap_or_else(PoisonError::into_inner);
        *done.entry(format!("{job:?}")).or_default() += 1;
        Ok(())
    }

    /// Returns how often a job was done.
    pub(crate) fn times_done(&self, job: &Job) -> u32 {
        let done = self.done.lock().unwrap_or_else(PoisonError::into_inner);
        done.get(&format!("{job:?}")).copied().unwrap_or_default()
    }
}
