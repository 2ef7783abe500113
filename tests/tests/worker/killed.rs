//! At least once, under `kill -9`. See the top of `main.rs`.

use std::collections::HashMap;
use std::process::{Child, Command};
use std::time::{Duration, Instant};

use redis_model::prelude::*;
use redis_model_tests::chaos::Random;
use redis_model_tests::key;

use crate::{Job, SERVERS, direct};

fn number(name: &str, default: u64) -> u64 {
    std::env::var(name).map_or(default, |text| text.parse().unwrap_or_else(|_| panic!("{name} is not a number")))
}

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

fn start(server: &str, key: &str, slot: u64, seed: u64) -> Child {
    Command::new(env!("CARGO_BIN_EXE_worker"))
        .env("WORKER_SERVER", server)
        .env("WORKER_KEY", key)
        .env("WORKER_NAME", format!("w{slot}"))
        .env("WORKER_SEED", seed.to_string())
        .spawn()
        .unwrap()
}

#[tokio::test]
async fn three_processes_that_are_killed_handle_every_event() -> Result<()> {
    let (events, seed) = (number("WORKER_EVENTS", 2000), number("WORKER_SEED", u64::from(std::process::id())));
    println!("WORKER_SEED={seed}, {events} events");
    let random = Random::new(seed);
    let (server, stack) = &SERVERS[usize::try_from(random.below(SERVERS.len() as u64)).unwrap()];
    let (redis, server_url) = (direct(stack), stack.server.url());
    let log = Job::log(key("killed"));
    let key = log.key().trim_start_matches("worker-test:").to_owned();
    let group = log.group("g");

    // Every hundredth entry is poison: it has no `number`.
    let is_poison = |number: u64| number % 100 == 42;
    for start in (0..events).step_by(1000) {
        let mut batch = redis.batch();
        for number in start..(start + 1000).min(events) {
            let name = if is_poison(number) { "poison" } else { "number" };
            let _ = (&mut batch).xadd(log.key(), [(name, number)]);
        }
        batch.exec().await?;
    }
    let poison = (0..events).filter(|number| is_poison(*number)).count() as u64;

    let children = (0..3).map(|slot| start(server_url, &key, slot, random.below(u64::MAX))).collect();
    let mut processes = Processes { children };
    let (began, mut kills) = (Instant::now(), 0);
    let limit = Duration::from_secs(20 + events / 100);
    loop {
        tokio::time::sleep(Duration::from_millis(150 + random.below(600))).await;
        let seen: u64 = redis.hlen(format!("{key}.seen")).await?;
        let dead = group.count_dead_letters(&redis).await?;
        let pending = group.pending(&redis).await.map_or(1, |pending| pending.count);
        if seen + dead >= events && pending == 0 {
            break;
        }
        assert!(began.elapsed() < limit, "{seen} handled, {dead} dead, {pending} pending of {events} events on {server}");
        // In the second half of the time, they may finish.
        if began.elapsed() < limit / 2 {
            let slot = random.below(3);
            let child = &mut processes.children[usize::try_from(slot).unwrap()];
            child.kill().unwrap();
            child.wait().unwrap();
            *child = start(server_url, &key, slot, random.below(u64::MAX));
            kills += 1;
        }
    }
    let elapsed = began.elapsed();
    drop(processes);

    let seen: HashMap<u64, u64> = redis.hgetall(format!("{key}.seen")).await?;
    let missing: Vec<_> = (0..events).filter(|number| !is_poison(*number) && !seen.contains_key(number)).collect();
    assert!(missing.is_empty(), "{server}: never handled: {missing:?}");
    let letters = group.count_dead_letters(&redis).await?;
    assert_eq!(letters, poison, "{server}: dead letters are the poison, and nothing else");
    let repeated = seen.values().filter(|times| **times > 1).count();
    let most = seen.values().max().copied().unwrap_or_default();
    println!(
        "{server}: {events} events in {elapsed:?}, {kills} kills; {} handled, {repeated} of them more than once \
         (at most {most} times), {letters} dead letters, nothing pending",
        seen.len(),
    );
    assert!(kills > 0);
    Ok(())
}
