//! A worker in a task of its own: the queue's worker does the rest.

use std::sync::Arc;
use std::time::Duration;

use database::say;
use redis_model::Queue;
use redis_model::list::{JobNotice, WorkerJob};
use redis_model::prelude::{Redis, Result};
use tokio::sync::Notify;
use tokio::task::JoinHandle;

use crate::studio::{Job, Studio};

pub(crate) struct Worker {
    task: JoinHandle<Result<()>>,
    stop: Arc<Notify>,
}

impl Worker {
    /// Starts a worker that does so many jobs at a time.
    pub(crate) fn start(redis: &Redis, queue: &Queue<Job>, studio: &Arc<Studio>, name: &str, slots: usize) -> Worker {
        let stop = Arc::new(Notify::new());
        let (redis, studio, name, asked) = (redis.clone(), Arc::clone(studio), name.to_owned(), Arc::clone(&stop));
        let reporter = name.clone();
        let worker = queue
            .worker(&name)
            .concurrency(slots)
            .retry(Duration::from_millis(300), Duration::from_secs(1))
            // Its price when idle is a request a second.
            .poll(Duration::from_millis(50), Duration::from_secs(1))
            .on_notice(move |notice| match notice {
                JobNotice::Failed { id, attempt, error, .. } => {
                    say(&format!("  {reporter}: job {id}, attempt {attempt}: {error}; later again"));
                }
                JobNotice::Dead { id, error } => say(&format!("  {reporter}: job {id}: {error}; it is dead now")),
                notice => say(&format!("  {reporter}: {notice:?}")),
            });
        let task = tokio::spawn(async move {
            let handler = async move |WorkerJob { job, attempt, .. }: WorkerJob<Job>| {
                studio.run(&job).await?;
                say(&format!("  {name}: {job:?}, attempt {attempt}: done"));
                Ok::<_, String>(())
            };
            worker.run_until(&redis, asked.notified(), handler).await
        });
        Worker { task, stop }
    }

    /// Asks the worker to end: it reserves no other job. A program does this on a signal.
    pub(crate) fn stop(&self) {
        self.stop.notify_one();
    }

    /// Waits until the worker has finished its jobs.
    pub(crate) async fn finished(self) -> std::result::Result<(), Box<dyn std::error::Error>> {
        Ok(self.task.await??)
    }

    /// Ends the worker as `kill -9` does: its jobs remain reserved.
    pub(crate) async fn kill(self) {
        self.task.abort();
        let _ = self.task.await;
    }
}
