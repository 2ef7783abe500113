//! A work queue: jobs that are pushed once, delayed, given back, dead and retried, and workers that stop and die.
//!
//! `studio.rs` has the jobs, `worker.rs` the worker; this file is a day in the studio, and checks that every job is
//! done. If `UPSTASH_REDIS_REST_URL` and `UPSTASH_REDIS_REST_TOKEN` are set, it uses that database. Otherwise it starts
//! a local server.

mod studio;
mod worker;

use std::error::Error;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use database::say;
use redis_model::list::{JobOptions, QueueStats};
use redis_model::{Queue, Redis};
use tokio::time::{Instant, sleep};

use self::studio::{Job, Studio};
use self::worker::Worker;

type Outcome<T = ()> = Result<T, Box<dyn Error>>;

/// The day fails if it waits longer for anything.
const PATIENCE: Duration = Duration::from_secs(60);

#[tokio::main]
async fn main() -> Outcome {
    let database = database::open("jobs-").await?;
    let redis = &database.redis;
    let queue = studio::queue();
    queue.clear(redis).await?;
    // The queue remembers for a day what was pushed once, so each run has an order of its own.
    let order = std::process::id();
    let studio = Arc::new(Studio::default());
    let jobs = push(redis, &queue, order).await?;

    say("\nA worker dies while it holds a job. The job comes back when its time is over.");
    let doomed = Worker::start(redis, &queue, &studio, "worker-1", 1);
    until(redis, &queue, |stats| stats.reserved == 1).await?;
    doomed.kill().await;
    let stats = queue.stats(redis).await?;
    say(&format!("  {} held by nobody, {} waiting", stats.reserved, stats.waiting));
    assert_eq!(stats.reserved, 1, "the job of a dead worker is not lost");

    say("\nTwo workers, with two slots each. The film takes longer than a reservation: its worker extends it.");
    let workers = ["worker-2", "worker-3"].map(|name| Worker::start(redis, &queue, &studio, name, 2));
    until(redis, &queue, |stats| stats.dead == 1 && stats.waiting + stats.delayed + stats.reserved == 0).await?;

    say("\nThe invoice is dead, and has its history. Somebody turns the printer on, and it is retried.");
    for job in queue.dead(redis, 0, 10).await? {
        for failure in &job.failures {
            say(&format!("  attempt {} by {}: {}", failure.attempt, failure.worker, failure.error));
        }
        assert_eq!((job.element?, job.attempts), (Job::Invoice { order }, 3));
        studio.printer.store(true, Ordering::Relaxed);
        assert!(queue.retry(redis, job.id).await?);
    }
    until(redis, &queue, is_empty).await?;

    say("\nThe workers stop while jobs wait. They finish what they have; the rest stays in the queue.");
    let mut more: Vec<_> = (2..=5).map(|film| Job::Film { film }).collect();
    more.extend((9..=16).map(|photo| Job::Resize { photo }));
    queue.push_many(redis, &more).await?;
    until(redis, &queue, |stats| stats.reserved == 4).await?;
    for worker in &workers {
        worker.stop();
    }
    for worker in workers {
        worker.finished().await?;
    }
    let stats = queue.stats(redis).await?;
    say(&format!("  {} held, {} waiting", stats.reserved, stats.waiting));
    assert_eq!((stats.reserved, stats.waiting), (0, 8), "they hold nothing, and have not begun the rest");

    say("\nThe next worker does the rest.");
    let next = Worker::start(redis, &queue, &studio, "worker-4", 4);
    until(redis, &queue, is_empty).await?;
    next.stop();
    next.finished().await?;

    let times: Vec<_> = jobs.iter().chain(&more).map(|job| studio.times_done(job)).collect();
    assert!(times.iter().all(|times| *times > 0), "every job is done at least once");
    // A worker that is late can do a job twice. Here that happens only if the machine stands still for two seconds.
    say(&format!(
        "\n{} jobs are done, {} of them more than once.",
        times.len(),
        times.iter().filter(|n| **n > 1).count()
    ));
    Ok(())
}

/// Pushes the first jobs, and returns them.
async fn push(redis: &Redis, queue: &Queue<Job>, order: u32) -> Outcome<Vec<Job>> {
    say("\nPush jobs: many at once, one by a key of ours, one for later");
    let mut jobs = vec![Job::Film { film: 1 }];
    jobs.extend((1..=8).map(|photo| Job::Resize { photo }));
    queue.push_many(redis, &jobs).await?;

    // Whoever pushes it again, after a crash or a click too many, adds nothing.
    let invoice = Job::Invoice { order };
    let once = JobOptions::new().once(format!("invoice-{order}"));
    let first = queue.push_with(redis, &invoice, &once).await?;
    let second = queue.push_with(redis, &invoice, &once).await?;
    say(&format!("  the invoice is job {}; pushed again, it is job {}", first.id, second.id));
    assert_eq!((first.is_new, second.is_new, first.id), (true, false, second.id));

    let reminder = Job::Remind { order };
    queue.push_with(redis, &reminder, &JobOptions::new().delay(Duration::from_secs(3))).await?;
    let stats = queue.stats(redis).await?;
    say(&format!("  {} waiting, {} delayed", stats.waiting, stats.delayed));
    assert_eq!((stats.waiting, stats.delayed), (10, 1));
    jobs.extend([invoice, reminder]);
    Ok(jobs)
}

fn is_empty(stats: QueueStats) -> bool {
    stats.waiting + stats.delayed + stats.reserved + stats.dead == 0
}

/// Waits until the queue is as it should be.
async fn until(redis: &Redis, queue: &Queue<Job>, mut is_so: impl FnMut(QueueStats) -> bool) -> Outcome {
    let start = Instant::now();
    loop {
        let stats = queue.stats(redis).await?;
        if is_so(stats) {
            return Ok(());
        }
        if start.elapsed() > PATIENCE {
            return Err(format!("waited too long; the queue is at {stats:?}").into());
        }
        sleep(Duration::from_millis(50)).await;
    }
}
