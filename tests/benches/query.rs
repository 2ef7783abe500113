//! The server's CPU time for queries that find 20 records out of 1,000, 100,000 and 1,000,000.
//!
//! `cargo bench -p redis-model-tests --bench query`, or with the largest number of records: `-- 100000`. The time is what the
//! server counts for each command (`INFO commandstats`), so the client's build does not matter: `--profile dev` saves time.

#![expect(clippy::print_stdout, reason = "it is there to print")]

use std::error::Error;

use redis_model::Query;
use redis_model::prelude::*;
use redis_model_tests::by_hand::ByHand;
use redis_model_tests::own_stack;

const SIZES: [u64; 3] = [1_000, 100_000, 1_000_000];
const CALLS: u64 = 100;
/// The fastest one counts: whatever else the machine does only adds to the time.
const ROUNDS: u64 = 15;

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

const DESCRIPTOR: &str = "User;age i,country t,email t;age=1;country=2;country+age=2+1;email=3!";

fn user(id: u64) -> User {
    // Neighbours in one index are far apart in the others.
    let mixed = id.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32;
    User {
        id,
        email: format!("user{id}@example.org"),
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
    Fetch,
    InOneRequest,
    Ids,
    Count,
}

const CASES: [Case; 10] = [
    Case { name: "unique", query: |n| User::query().eq(User::EMAIL, format!("user{n}@example.org")), run: Run::Ids },
    Case {
        name: "equality, 20 ids",
        query: |n| User::query().eq(User::COUNTRY, format!("c{}", n % 10)),
        run: Run::Ids,
    },
    Case {
        name: "equality, 20 records",
        query: |n| User::query().eq(User::COUNTRY, format!("c{}", n % 10)),
        run: Run::Fetch,
    },
    Case {
        name: "equality, 20 records, one request",
        query: |n| User::query().eq(User::COUNTRY, format!("c{}", n % 10)),
        run: Run::InOneRequest,
    },
    Case { name: "range, 20 ids", query: |n| User::query().range(User::AGE, at(n)..at(n) + 50), run: Run::Ids },
    Case {
        name: "ordered, descending, 20 ids",
        query: |n| User::query().range(User::AGE, ..50 + at(n)).order_by_desc(User::AGE),
        run: Run::Ids,
    },
    Case {
        name: "compound with order, 20 ids",
        query: |n| User::query().eq(User::COUNTRY, format!("c{}", n % 10)).order_by(User::AGE),
        run: Run::Ids,
    },
    Case {
        name: "compound, both covered, 20 ids",
        query: |n| User::query().eq(User::COUNTRY, format!("c{}", n % 10)).range(User::AGE, at(n)..at(n) + 50),
        run: Run::Ids,
    },
    Case {
        name: "a condition on rows, 1 of 5 matches",
        query: |_| User::query().order_by(User::AGE).any_of(User::COUNTRY, ["c1", "c2"]),
        run: Run::Ids,
    },
    Case { name: "count of a range", query: |n| User::query().range(User::AGE, at(n)..at(n) + 50), run: Run::Count },
];

fn at(n: u64) -> u32 {
    u32::try_from(n % 50).unwrap_or_default()
}

/// The time of all scripts, and of all loads, so far, in microseconds.
async fn server_time(redis: &Redis, run: Run) -> Result<f64, Box<dyn Error>> {
    let info: String = redis.execute(("INFO", "commandstats")).await?;
    // What a script calls is counted for the script, and again for the command.
    let loads = if matches!(run, Run::Fetch) { "cmdstat_hgetall:" } else { "cmdstat_evalsha_ro:" };
    let counted = ["cmdstat_evalsha_ro:", "cmdstat_eval_ro:", loads];
    let commands = info.lines().filter(|line| counted.iter().any(|name| line.starts_with(name)));
    let time = |line: &str| line.split_once("usec=")?.1.split(',').next()?.parse::<f64>().ok();
    Ok(commands.filter_map(time).sum())
}

async fn measure(redis: &Redis, case: &Case, size: u64) -> Result<f64, Box<dyn Error>> {
    let before = server_time(redis, case.run).await?;
    for call in 0..CALLS {
        let query = (case.query)(1 + call * 7 % size).limit(20);
        match case.run {
            Run::Fetch => drop(query.fetch(redis).await?),
            Run::InOneRequest => drop(query.in_one_request().fetch(redis).await?),
            Run::Ids => drop(query.ids(redis).await?),
            Run::Count => drop(query.count(redis).await?),
        }
    }
    Ok((server_time(redis, case.run).await? - before) / CALLS as f64)
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let largest = std::env::args().skip(1).find_map(|argument| argument.parse().ok()).unwrap_or(u64::MAX);
    let mut results = Vec::new();
    for size in SIZES.into_iter().filter(|size| *size <= largest) {
        let stack = own_stack();
        let redis = &stack.redis();
        let by_hand = ByHand::new::<User>(DESCRIPTOR);
        for start in (1..=size).step_by(10_000) {
            let users: Vec<_> = (start..(start + 10_000).min(size + 1)).map(user).collect();
            by_hand.insert(redis, &users).await?;
        }
        let mut times = Vec::new();
        for case in &CASES {
            let mut fastest = f64::INFINITY;
            for _ in 0..ROUNDS {
                fastest = fastest.min(measure(redis, case, size).await?);
            }
            times.push(fastest);
        }
        println!("measured with {size} records");
        results.push(times);
    }
    println!("server time for one call in microseconds, and the largest number of records compared with the smallest");
    for (at, case) in CASES.iter().enumerate() {
        let times: Vec<_> = results.iter().filter_map(|times| times.get(at)).collect();
        let figures: Vec<_> = times.iter().map(|time| format!("{time:8.1}")).collect();
        let ratio = times.last().zip(times.first()).map_or(1.0, |(last, first)| *last / *first);
        println!("{:40} {}   {ratio:.2}", case.name, figures.join(" "));
    }
    Ok(())
}
