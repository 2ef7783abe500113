//! The server's time for queries that find 20 records out of 1,000, 100,000 and 1,000,000, as it counts that for each command
//! (`INFO commandstats`).

use redis_model::Query;
use redis_model::prelude::*;
use redis_model_tests::by_hand::ByHand;
use redis_model_tests::own_stack;

use crate::Outcome;
use crate::server::past_the_gateway;

const SIZES: [u64; 3] = [1_000, 100_000, 1_000_000];
const CALLS: u64 = 100;
/// The fastest one counts: whatever else the machine does only adds to the time.
const ROUNDS: u64 = 10;

#[derive(Debug, Clone, PartialEq, RedisModel)]
#[redis(prefix = "user", index(country, age))]
struct User {
    #[redis(id)]
    id: u64,
    #[redis(unique)]
    email: String,
    #[redis(index)]
    country: String,
    #[redis(index)]
    age: u32,
    name: String,
}

const DESCRIPTOR: &str = "User;email t,country t,age i;email=1!;country=2;age=3;country+age=2+3";

fn email(id: u64) -> String {
    format!("user{id}@example.org")
}

fn user(id: u64) -> User {
    // Neighbours in one index are far apart in the others.
    let mixed = id.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32;
    User {
        id,
        email: email(id),
        country: format!("c{}", mixed % 10),
        age: u32::try_from(mixed / 10 % 100).unwrap_or_default(),
        name: "Ada Lovelace".into(),
    }
}

/// A query, and how it is run.
struct Case {
    name: &'static str,
    query: fn(u64) -> Query<User>,
    run: Run,
}

#[derive(Clone, Copy)]
enum Run {
    FindBy,
    Fetch,
    InOneRequest,
    Ids,
    First,
}

fn of_country(n: u64) -> Query<User> {
    User::query().eq(User::COUNTRY, format!("c{}", n % 10))
}

fn of_age(n: u64) -> Query<User> {
    User::query().range(User::AGE, at(n)..at(n) + 50)
}

const CASES: [Case; 10] = [
    Case { name: "find_by, 1 record", query: of_country, run: Run::FindBy },
    Case { name: "equality, 20 ids", query: of_country, run: Run::Ids },
    Case { name: "equality, 20 records", query: of_country, run: Run::Fetch },
    Case { name: "equality, 20 records, one request", query: of_country, run: Run::InOneRequest },
    Case { name: "range, 20 ids", query: of_age, run: Run::Ids },
    Case { name: "range, descending, 20 records", query: |n| of_age(n).order_by_desc(User::AGE), run: Run::Fetch },
    Case { name: "equality, ordered, 20 records", query: |n| of_country(n).order_by(User::AGE), run: Run::Fetch },
    Case {
        name: "equality and range, 20 records",
        query: |n| of_country(n).range(User::AGE, at(n)..at(n) + 50),
        run: Run::Fetch,
    },
    Case {
        name: "two indexes, 1 of 10 matches, 20 ids",
        query: |n| of_country(n).order_by(User::EMAIL),
        run: Run::Ids,
    },
    Case { name: "first of a range", query: of_age, run: Run::First },
];

fn at(n: u64) -> u32 {
    u32::try_from(n % 50).unwrap_or_default()
}

/// The time of all scripts, and of all loads, so far, in microseconds.
async fn server_time(redis: &Redis, run: Run) -> Outcome<f64> {
    let info: String = redis.execute(("INFO", "commandstats")).await?;
    // What a script calls is counted for the script, and again for the command.
    let loads = if matches!(run, Run::Fetch | Run::First) { "cmdstat_hgetall:" } else { "cmdstat_evalsha_ro:" };
    let counted = ["cmdstat_evalsha_ro:", "cmdstat_eval_ro:", loads];
    let commands = info.lines().filter(|line| counted.iter().any(|name| line.starts_with(name)));
    let time = |line: &str| line.split_once("usec=")?.1.split(',').next()?.parse::<f64>().ok();
    Ok(commands.filter_map(time).sum())
}

async fn measure_case(redis: &Redis, case: &Case, size: u64) -> Outcome<f64> {
    let before = server_time(redis, case.run).await?;
    for call in 0..CALLS {
        let n = 1 + call * 7919 % size;
        let query = (case.query)(n).limit(20);
        let found = match case.run {
            Run::FindBy => 19 + usize::from(User::find_by(redis, User::EMAIL, email(n)).await?.is_some()),
            Run::Fetch => query.fetch(redis).await?.items.len(),
            Run::InOneRequest => query.in_one_request().fetch(redis).await?.items.len(),
            Run::Ids => query.ids(redis).await?.items.len(),
            Run::First => 19 + usize::from(query.first(redis).await?.is_some()),
        };
        if found != 20 {
            return Err(format!("{} of {size} records found {found} of 20", case.name).into());
        }
    }
    Ok((server_time(redis, case.run).await? - before) / CALLS as f64)
}

/// Fills a server, past the gateway.
async fn fill(redis: &Redis, size: u64) -> Outcome<()> {
    let by_hand = ByHand::new::<User>(DESCRIPTOR);
    by_hand.create(redis).await?;
    for start in (1..=size).step_by(20_000) {
        let part = |start: u64| (start..(start + 10_000).min(size + 1)).map(user).collect::<Vec<_>>();
        let (one, other) = (part(start), part(start + 10_000));
        tokio::try_join!(by_hand.insert(redis, &one), by_hand.insert(redis, &other))?;
    }
    Ok(())
}

pub(crate) async fn measure(largest: u64) -> Outcome<()> {
    let mut results = Vec::new();
    for size in SIZES.into_iter().filter(|size| *size <= largest) {
        let stack = own_stack();
        let redis = &past_the_gateway(&stack)?;
        let start = std::time::Instant::now();
        fill(redis, size).await?;
        eprintln!("filled with {size} records in {:.0} s", start.elapsed().as_secs_f64());
        let mut times = Vec::new();
        for case in &CASES {
            let mut fastest = f64::INFINITY;
            for _ in 0..ROUNDS {
                fastest = fastest.min(measure_case(redis, case, size).await?);
            }
            times.push(fastest);
        }
        results.push(times);
    }
    println!("server time of one call in microseconds, with {SIZES:?} records, and the times of the smallest number");
    for (at, case) in CASES.iter().enumerate() {
        let times: Vec<_> = results.iter().filter_map(|times| times.get(at)).collect();
        let figures: Vec<_> = times.iter().map(|time| format!("{time:7.1}")).collect();
        let first = times.first().copied().copied().unwrap_or_default();
        let ratios: Vec<_> = times.iter().skip(1).map(|time| format!("{:.2}", **time / first)).collect();
        println!("  {:38}{}   {} times (the bound is 1.5)", case.name, figures.join(" "), ratios.join(" and "));
    }
    Ok(())
}
