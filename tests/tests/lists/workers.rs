//! Several workers at once that die, are late, fail and lose replies: every job is handled or dead, and no two workers
//! hold one before its deadline.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant, SystemTime};

use redis_model::list::{Nack, Reserved, Ticket};
use redis_model::prelude::*;
use redis_model_tests::Stack;
use redis_model_tests::fault::Cut;

use crate::gate::Gate;
use crate::queue::Job;
use crate::random::Random;
use crate::{number, servers};

const JOBS: u64 = 300;
const WORKERS: u64 = 4;
const HOLD_FOR: Duration = Duration::from_millis(120);

/// What the workers have seen.
#[derive(Default)]
struct Seen {
    /// For each job its reservations: the number, the start and the deadline, and whether it was given back.
    held: BTreeMap<u64, Vec<Held>>,
    handled: BTreeMap<u64, u64>,
    abandoned: u64,
    too_late: u64,
}

struct Held {
    reservation: u64,
    start: SystemTime,
    deadline: SystemTime,
    given_back: bool,
}

fn is_poison(number: u64) -> bool {
    number.is_multiple_of(50)
}

async fn work(stack: &Stack, worker: u64, seed: u64, seen: &Mutex<Seen>) -> Result<()> {
    let mut random = Random::new(seed + worker);
    let gate = Gate::default();
    let redis = gate.before(stack.builder()).build()?;
    let queue = Job::queue("workers").hold_for(HOLD_FOR).max_attempts(6);
    let until = Instant::now() + Duration::from_secs(60);
    let cuts = |random: &mut Random| {
        if random.one_in(4) {
            gate.set([random.pick(&[Cut::Before, Cut::During, Cut::After])]);
        }
    };
    loop {
        assert!(Instant::now() < until, "the queue is not empty after a minute: {:?}", queue.stats(&redis).await?);
        cuts(&mut random);
        let jobs = queue.reserve_many(&redis, &format!("worker-{worker}"), random.below(3) + 1).await?;
        if jobs.is_empty() {
            let stats = queue.stats(&redis).await?;
            if stats.waiting + stats.delayed + stats.reserved == 0 {
                return Ok(());
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        for Reserved { ticket, element, deadline, .. } in jobs {
            let held =
                Held { reservation: ticket.reservation(), start: deadline - HOLD_FOR, deadline, given_back: false };
            seen.lock().unwrap().held.entry(ticket.id()).or_default().push(held);
            let number = element?.number;
            cuts(&mut random);
            let settled = match random.below(12) {
                // This worker dies, or forgets the job.
                0 => {
                    seen.lock().unwrap().abandoned += 1;
                    continue;
                }
                1 => {
                    tokio::time::sleep(HOLD_FOR + Duration::from_millis(30)).await;
                    handle(&queue, &redis, seen, ticket, number).await
                }
                2 => {
                    tokio::time::sleep(HOLD_FOR / 4).await;
                    let deadline = queue.extend(&redis, ticket, HOLD_FOR).await;
                    if let Ok(deadline) = deadline {
                        extended(seen, ticket, deadline);
                    }
                    handle(&queue, &redis, seen, ticket, number).await
                }
                _ => handle(&queue, &redis, seen, ticket, number).await,
            };
            match settled {
                Err(error) if error.is_conflict() || error.is_not_found() => seen.lock().unwrap().too_late += 1,
                settled => settled?,
            }
        }
    }
}

fn extended(seen: &Mutex<Seen>, ticket: Ticket, deadline: SystemTime) {
    let mut seen = seen.lock().unwrap();
    let held = seen.held.get_mut(&ticket.id()).unwrap();
    held.iter_mut().find(|held| held.reservation == ticket.reservation()).unwrap().deadline = deadline;
}

async fn handle(
    queue: &redis_model::Queue<Job>,
    redis: &Redis,
    seen: &Mutex<Seen>,
    ticket: Ticket,
    number: u64,
) -> Result<()> {
    // Marked before the call: it may be executed at any time from now on.
    let mark = || {
        let mut seen = seen.lock().unwrap();
        let held = seen.held.get_mut(&ticket.id()).unwrap();
        held.iter_mut().find(|held| held.reservation == ticket.reservation()).unwrap().given_back = true;
    };
    if is_poison(number) {
        mark();
        return queue.nack(redis, ticket, Nack::new().error("poison")).await.map(drop);
    }
    *seen.lock().unwrap().handled.entry(number).or_default() += 1;
    queue.ack(redis, ticket).await
}

async fn all(name: &str, stack: Arc<Stack>, seed: u64) -> Result<()> {
    let redis = stack.redis();
    let queue = Job::queue("workers");
    let jobs: Vec<_> = (1..=JOBS).map(|number| Job { number }).collect();
    queue.push_many(&redis, &jobs).await?;
    let seen = Mutex::new(Seen::default());
    let workers = (0..WORKERS).map(|worker| work(&stack, worker, seed, &seen));
    futures_util::future::join_all(workers).await.into_iter().collect::<Result<()>>()?;

    let dead = queue.dead(&redis, 0, 1000).await?;
    let dead: BTreeSet<_> = dead.into_iter().map(|job| job.element.map(|job| job.number)).collect::<Result<_>>()?;
    let seen = seen.into_inner().unwrap();
    for number in 1..=JOBS {
        let is_handled = seen.handled.contains_key(&number);
        assert!(is_handled || dead.contains(&number), "{name}: job {number} is lost");
        assert!(!is_poison(number) || dead.contains(&number), "{name}: the poison {number} is not dead");
    }
    for (id, reservations) in &seen.held {
        let mut reservations: Vec<_> = reservations.iter().collect();
        reservations.sort_by_key(|held| held.reservation);
        for pair in reservations.windows(2) {
            let is_free = pair[0].given_back || pair[0].deadline <= pair[1].start;
            assert!(is_free, "{name}: job {id} was held by two workers at once");
        }
    }
    let repeats: u64 = seen.handled.values().map(|times| times - 1).sum();
    let (abandoned, too_late) = (seen.abandoned, seen.too_late);
    println!(
        "{name}: {} handled, {} dead, {repeats} handled again, {abandoned} abandoned, {too_late} too late",
        seen.handled.len(),
        dead.len()
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn workers_that_die() -> Result<()> {
    let seed = number("QUEUE_SEED").unwrap_or_else(|| u64::from(std::process::id()));
    println!("QUEUE_SEED={seed}");
    for (name, stack) in servers() {
        all(name, Arc::new(stack), seed).await?;
    }
    Ok(())
}
