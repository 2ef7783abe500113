//! Lists and work queues.

use std::time::Duration;

use redis_model::Queue;
use redis_model::commands::list::ListSide::{Left, Right};
use redis_model::list::{JobOptions, Nack, PushOptions};
use redis_model::prelude::*;

use crate::table::Table;

#[derive(Debug, Clone, PartialEq, RedisModel)]
#[redis(list, prefix = "inbox")]
struct Message {
    body: String,
}

/// Of each list, the newest 100 elements stay.
#[derive(Debug, Clone, PartialEq, RedisModel)]
#[redis(list, prefix = "recent", max_len = 100)]
struct Search(String);

#[derive(Debug, Clone, PartialEq, RedisModel)]
#[redis(list, prefix = "job")]
struct Job {
    width: u32,
}

#[tokio::test]
async fn the_table_of_lists_is_what_calls_send() -> Result<()> {
    let (_stack, redis, mut table) = Table::of_a_server()?;
    of_lists(&redis, &mut table).await?;
    of_bounded_lists(&redis, &mut table).await?;
    warm_up(&redis).await?;
    table.forget();
    of_queues(&redis, &mut table).await?;
    table.compare("list_costs.md");
    Ok(())
}

fn message(body: &str) -> Message {
    Message { body: body.into() }
}

async fn of_lists(redis: &Redis, table: &mut Table) -> Result<()> {
    table.section("a list");
    let (inbox, archive) = (Message::list(42), Message::list("archive"));
    let [a, b, c] = ["a", "b", "c"].map(message);
    inbox.push_back(redis, &a).await?;
    table.row("inbox.push_back(&redis, &a)", "", 1, 1);
    inbox.push_back_many(redis, [&a, &b, &c]).await?;
    table.row("inbox.push_back_many(&redis, [&a, &b, &c])", "", 1, 1);
    inbox.push_back(redis, &a).exactly_once().await?;
    table.forget();
    inbox.push_back(redis, &a).exactly_once().await?;
    table.row("inbox.push_back(&redis, &a).exactly_once()", "", 1, 1);
    inbox.push_back_with(redis, [&a], PushOptions::new().max_len(5).ttl(Duration::from_secs(60))).await?;
    table.row("inbox.push_back_with(&redis, [&a], PushOptions::new().max_len(5).ttl(..))", "", 1, 3);
    inbox.range(redis, ..10).await?;
    table.row("inbox.range(&redis, ..10)", "", 1, 1);
    inbox.get(redis, -1).await?;
    table.row("inbox.get(&redis, -1)", "", 1, 1);
    inbox.set(redis, 0, &b).await?;
    table.row("inbox.set(&redis, 0, &b)", "", 1, 1);
    inbox.insert_before(redis, &b, &a).await?;
    table.row("inbox.insert_before(&redis, &b, &a)", "", 1, 1);
    inbox.remove(redis, 1, &c).await?;
    table.row("inbox.remove(&redis, 1, &c)", "", 1, 1);
    inbox.position(redis, &a).await?;
    table.row("inbox.position(&redis, &a)", "", 1, 1);
    inbox.trim(redis, -5..).await?;
    table.row("inbox.trim(&redis, -5..)", "", 1, 1);
    inbox.len(redis).await?;
    table.row("inbox.len(&redis)", "", 1, 1);
    inbox.move_to(redis, Left, &archive, Right).await?;
    table.row("inbox.move_to(&redis, Left, &archive, Right)", "", 1, 1);
    inbox.pop_front(redis).await?;
    table.row("inbox.pop_front(&redis)", "", 1, 1);
    inbox.pop_front_many(redis, 10).await?;
    table.row("inbox.pop_front_many(&redis, 10)", "", 1, 1);
    inbox.push_back_many(redis, &vec![a; 600]).await?;
    table.forget();
    assert_eq!(inbox.elements(redis, ..).collect().await?.len(), 600);
    table.row("inbox.elements(&redis, ..)", ", 600 elements, 500 a page", 2, 2);
    inbox.expire(redis, Duration::from_secs(60)).await?;
    table.row("inbox.expire(&redis, ttl)", "", 1, 1);
    inbox.clear(redis).await?;
    table.row("inbox.clear(&redis)", "", 1, 1);
    Ok(())
}

async fn of_bounded_lists(redis: &Redis, table: &mut Table) -> Result<()> {
    table.section("a list with `max_len`");
    let (recent, other) = (Search::list(42), Search::list(43));
    let tea = Search("tea".into());
    recent.push_back(redis, &tea).await?;
    table.row("recent.push_back(&redis, &search)", "", 1, 2);
    recent.push_front_many(redis, [&tea, &tea]).await?;
    table.row("recent.push_front_many(&redis, [&a, &b])", "", 1, 2);
    recent.move_to(redis, Left, &other, Right).await?;
    table.row("recent.move_to(&redis, Left, &other, Right)", "", 1, 2);
    Ok(())
}

/// The server knows the scripts from here on.
async fn warm_up(redis: &Redis) -> Result<()> {
    let queue = Job::queue("warm");
    for width in 0..4 {
        queue.push(redis, &Job { width }).await?;
    }
    for _ in 0..2 {
        let job = queue.reserve(redis, "w").await?.expect("a job");
        queue.nack(redis, job.ticket, Nack::new().dead()).await?;
        queue.retry_dead(redis, 1).await?;
        let job = queue.reserve(redis, "w").await?.expect("a job");
        queue.extend(redis, job.ticket, Duration::from_secs(60)).await?;
        queue.ack(redis, job.ticket).await?;
        queue.recover(redis, 10).await?;
        queue.dead(redis, 0, 10).await?;
    }
    queue.clear(redis).await?;
    queue.push(redis, &Job { width: 0 }).await?;
    work(redis, &queue, 1).await?;
    Ok(())
}

/// Lets a worker do so many jobs, and ends it.
async fn work(redis: &Redis, queue: &Queue<Job>, jobs: u64) -> Result<()> {
    let long = Duration::from_secs(600);
    let worker = queue.worker("worker-1").poll(long, long);
    let counters = worker.counters();
    let stop = async {
        while counters.read().handled < jobs {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    worker.run_until(redis, stop, async |_| Ok::<_, String>(())).await
}

async fn of_queues(redis: &Redis, table: &mut Table) -> Result<()> {
    table.section("a work queue");
    let queue = Job::queue("images");
    let job = Job { width: 640 };
    queue.push(redis, &job).await?;
    table.row("queue.push(&redis, &job)", "", 1, 1);
    queue.push_many(redis, [&job, &job, &job]).await?;
    table.row("queue.push_many(&redis, [&a, &b, &c])", "", 1, 1);
    queue.push_with(redis, &job, &JobOptions::new().once("order-17").delay(Duration::from_secs(60))).await?;
    table.row("queue.push_with(&redis, &job, &JobOptions::new().once(\"order-17\").delay(..))", "", 1, 1);
    let held = queue.reserve(redis, "worker-1").await?.expect("a job");
    table.row("queue.reserve(&redis, \"worker-1\")", "", 1, 1);
    queue.extend(redis, held.ticket, Duration::from_secs(60)).await?;
    table.row("queue.extend(&redis, ticket, time)", "", 1, 1);
    queue.ack(redis, held.ticket).await?;
    table.row("queue.ack(&redis, ticket)", "", 1, 1);
    let held = queue.reserve_many(redis, "worker-1", 10).await?;
    table.row("queue.reserve_many(&redis, \"worker-1\", 10)", "", 1, 1);
    for job in held {
        table.forget();
        queue.nack(redis, job.ticket, Nack::new().error("the disk is full").dead()).await?;
    }
    table.row("queue.nack(&redis, ticket, Nack::new().error(..))", "", 1, 1);
    assert!(queue.reserve(redis, "worker-1").await?.is_none());
    table.row("queue.reserve(&redis, \"worker-1\")", ", if no job waits", 1, 1);
    queue.recover(redis, 1000).await?;
    table.row("queue.recover(&redis, 1000)", "", 1, 1);
    queue.stats(redis).await?;
    table.row("queue.stats(&redis)", "", 1, 4);
    queue.dead(redis, 0, 100).await?;
    table.row("queue.dead(&redis, 0, 100)", "", 1, 1);
    queue.retry_dead(redis, 100).await?;
    table.row("queue.retry_dead(&redis, 100)", "", 1, 1);
    for (note, jobs) in [(", a job", 1), (", 8 jobs that wait and end together", 8)] {
        let queue = Job::queue(jobs);
        queue.push_many(redis, &vec![Job { width: 640 }; usize::try_from(jobs).expect("a number")]).await?;
        table.forget();
        work(redis, &queue, jobs).await?;
        table.row("queue.worker(\"worker-1\").run(&redis, handler)", note, 2, 2);
    }
    Ok(())
}
