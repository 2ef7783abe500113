//! At least once, under `kill -9`. See the top of `main.rs`.

use std::collections::HashMap;
use std::process::{Child, Command};
use std::time::{Duration, Instant};

use redis_model::Group;
use redis_model::prelude::*;
use redis_model_tests::key;
use redis_model_tests::random::{Random, number};

use crate::{Job, SERVERS, direct};

struct Processes {
    children: Vec<Child>,
}

impl Drop for Processes {
    fn drop(&mut self) {
        for child in &mut self.children {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// What the processes do.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Mode {
    AtLeastOnce,
    /// Each event changes a record, in a unit of work.
    Exactly,
}

fn start(server: &str, key: &str, slot: u64, seed: u64, mode: Mode) -> Child {
    let mut command = Command::new(env!("CARGO_BIN_EXE_worker"));
    if mode == Mode::Exactly {
        command.env("WORKER_EXACTLY", "1");
    }
    command
        .env("WORKER_SERVER", server)
        .env("WORKER_KEY", key)
        .env("WORKER_NAME", format!("w{slot}"))
        .env("WORKER_SEED", seed.to_string())
        .spawn()
        .unwrap()
}

/// Every hundredth entry is poison: it has no `number`.
fn is_poison(number: u64) -> bool {
    number % 100 == 42
}

struct Run {
    server: &'static str,
    redis: Redis,
    group: Group<Job>,
    key: String,
    events: u64,
    summary: String,
}

/// Adds events, and kills processes until all events are settled.
async fn run(mode: Mode, default_events: u64) -> Result<Run> {
    let seed = number("WORKER_SEED").unwrap_or_else(|| u64::from(std::process::id()));
    let events = number("WORKER_EVENTS").filter(|_| mode == Mode::AtLeastOnce).unwrap_or(default_events);
    let random = Random::new(seed);
    let at = number("WORKER_SERVER").unwrap_or_else(|| random.below(SERVERS.len() as u64));
    let (server, stack) = &SERVERS[usize::try_from(at).unwrap()];
    println!("{mode:?}: WORKER_SEED={seed}, {events} events, {server}");
    let (redis, server_url) = (direct(stack), stack.server.url());
    let log = Job::log(key("killed"));
    let key = log.key().trim_start_matches("worker-test:").to_owned();
    let group = log.group("g");
    for start in (0..events).step_by(1000) {
        let mut batch = redis.batch();
        for number in start..(start + 1000).min(events) {
            let name = if is_poison(number) { "poison" } else { "number" };
            let _ = (&mut batch).xadd(log.key(), [(name, number)]);
        }
        batch.exec().await?;
    }
    if mode == Mode::Exactly {
        Total { id: key.clone(), sum: 0 }.insert(&redis).await?;
    }
    group.create(&redis).await?;

    let start = |slot| start(server_url, &key, slot, random.below(u64::MAX), mode);
    let mut processes = Processes { children: (0..3).map(start).collect() };
    let (began, mut kills) = (Instant::now(), 0);
    let limit = Duration::from_secs(20 + events / 100);
    loop {
        // The first one falls before a quick machine is done.
        let wait = if kills == 0 { 100 } else { 150 + random.below(600) };
        tokio::time::sleep(Duration::from_millis(wait)).await;
        let status = group.status(&redis).await?;
        if status.waiting == Some(0) && status.info.pending == 0 {
            break;
        }
        assert!(began.elapsed() < limit, "{server}, WORKER_SEED={seed}: not done in time: {status:?}");
        // In the second half of the time, they may finish.
        if began.elapsed() < limit / 2 {
            let slot = random.below(3);
            let child = &mut processes.children[usize::try_from(slot).unwrap()];
            child.kill().unwrap();
            child.wait().unwrap();
            *child = start(slot);
            kills += 1;
        }
    }
    assert!(kills > 0);
    let summary = format!("{server}: {events} events in {:?}, {kills} kills", began.elapsed());
    Ok(Run { server, redis, group, key, events, summary })
}

#[tokio::test]
async fn three_processes_that_are_killed_handle_every_event() -> Result<()> {
    let Run { server, redis, group, key, events, summary } = run(Mode::AtLeastOnce, 2000).await?;
    let poison = (0..events).filter(|number| is_poison(*number)).count() as u64;
    let seen: HashMap<u64, u64> = redis.hgetall(format!("{key}.seen")).await?;
    let missing: Vec<_> = (0..events).filter(|number| !is_poison(*number) && !seen.contains_key(number)).collect();
    assert!(missing.is_empty(), "{server}: never handled: {missing:?}");
    let letters = group.count_dead_letters(&redis).await?;
    assert_eq!(letters, poison, "{server}: dead letters are the poison, and nothing else");
    let repeated = seen.values().filter(|times| **times > 1).count();
    let most = seen.values().max().copied().unwrap_or_default();
    println!(
        "{summary}; {} handled, {repeated} of them more than once (at most {most} times), {letters} dead letters, nothing pending",
        seen.len(),
    );
    Ok(())
}

#[derive(Debug, RedisModel)]
#[redis(prefix = "worker-total")]
struct Total {
    #[redis(id)]
    id: String,
    #[redis(index)]
    sum: i64,
}

#[tokio::test]
async fn three_processes_that_are_killed_change_a_record_once_for_each_event() -> Result<()> {
    let Run { server, redis, key, events, summary, .. } = run(Mode::Exactly, 1000).await?;
    let expected: u64 = (0..events).filter(|number| !is_poison(*number)).sum();
    let total = Total::load(&redis, &key).await?.unwrap();
    assert_eq!(u64::try_from(total.sum).unwrap(), expected, "{server}: each event once");
    println!("{summary}; the sum is exact");
    Ok(())
}
