//! A full server that evicts keys. What is lost must be noticed: no write may go on with a part of the indexes, and no
//! answer may miss a record in silence.

use std::collections::BTreeSet;

use redis_model::ErrorKind;
use redis_model::prelude::*;
use redis_model_tests::direct::{Direct, Raw};
use redis_model_tests::random::{Random, seed};
use redis_model_tests::{Stack, own_stack};

use crate::calls;
use crate::generate;
use crate::schema::{Record as _, Table, User, Val};

const IDS: usize = 60;

#[derive(Debug, Default)]
struct Counts {
    written: u64,
    answered: u64,
    refused: u64,
    repaired: u64,
    /// Times that all keys of the indexes were lost at once.
    emptied: u64,
    evicted: u64,
}

#[test]
fn evicted_keys_are_noticed() {
    let seed = seed("MODEL_SEED");
    let stack = own_stack();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let counts = runtime.block_on(run(&stack, seed)).unwrap_or_else(|error| panic!("MODEL_SEED={seed}: {error:?}"));
    println!("{counts:?}");
    assert!(counts.evicted > 0 && counts.refused > 0 && counts.repaired > 0, "nothing was lost: {counts:?}");
    assert!(counts.written > 0 && counts.answered > 0, "nothing was done: {counts:?}");
}

async fn run(stack: &Stack, seed: u64) -> Result<Counts> {
    let (redis, raw) = (stack.redis(), Direct::new(stack.server.url()));
    let random = Random::new(seed);
    let mut counts = Counts::default();
    command(&raw, &["CONFIG", "SET", "maxmemory-policy", "allkeys-lru"]).await;
    for round in 0..1500 {
        // Another program fills the server now and then.
        match round % 100 {
            40 => fill(&raw).await,
            60 => make_room(&raw).await,
            _ => {}
        }
        let (lost, all) = (missing(&raw).await, shared_keys().len());
        let mut is_new = false;
        let result = if random.chance(60) {
            let mut fields = generate::fields(&random, Table::Users);
            fields.insert("email", Val::text(format!("u{}", random.below(1000))));
            let user = User::from_fields(&random.below(IDS).to_string(), &fields);
            let result: Result<()> = user.save(&redis).await;
            // If the last of them was evicted now, the write is the first one of a new model, and its row the only one: a
            // limit that the guide names.
            if result.is_ok() && (1..all).contains(&lost) {
                let rows = command(&raw, &["HLEN", "user::rows"]).await;
                assert!(matches!(rows, Raw::Int(0..=2)), "MODEL_SEED={seed}: written without {lost} keys: {user:?}");
                is_new = true;
            }
            counts.written += u64::from(result.is_ok());
            result
        } else {
            query(&redis, &raw, &random, &mut counts).await
        };
        match result {
            Ok(()) => {}
            Err(error) if error.kind() == ErrorKind::Index => counts.refused += 1,
            // By chance, two records got the same value.
            Err(error) if error.kind() == ErrorKind::Duplicate => {}
            // There was nothing left to evict.
            Err(error) if error.code() == Some("OOM") => counts.refused += 1,
            Err(error) => return Err(error),
        }
        let lost = missing(&raw).await;
        if lost == all || is_new {
            make_room(&raw).await;
            command(&raw, &["FLUSHALL"]).await;
            counts.emptied += 1;
        } else if lost > 0 && random.chance(10) {
            make_room(&raw).await;
            let reindexed = User::reindex_to_end(&redis).await?;
            assert!(reindexed.errors.is_empty(), "MODEL_SEED={seed}: {:?}", reindexed.errors);
            let drifts = User::verify_to_end(&redis).await?;
            assert!(drifts.is_empty(), "MODEL_SEED={seed}: after reindex: {drifts:?}");
            counts.repaired += 1;
        }
    }
    counts.evicted = number(&command(&raw, &["INFO", "stats"]).await, "evicted_keys:");
    Ok(counts)
}

/// Compares an answer with the records that are there.
async fn query(redis: &Redis, raw: &Direct, random: &Random, counts: &mut Counts) -> Result<()> {
    let search = generate::search(random);
    let found = calls::query(&search).limit(1000).fetch(redis).await?;
    let ids: Vec<String> = (0..IDS).map(|id| id.to_string()).collect();
    let stored = User::load_many(redis, ids.iter().map(String::as_str)).await?;
    if missing(raw).await == shared_keys().len() {
        return Ok(());
    }
    counts.answered += 1;
    let found: BTreeSet<String> = found.items.into_iter().map(|user| user.id).collect();
    for user in stored.into_iter().flatten() {
        let matches = search.matches(&user.to_fields());
        let lost = missing(raw).await;
        assert!(!matches || found.contains(&user.id), "{search:?} misses {user:?} in silence, without {lost} keys");
    }
    Ok(())
}

/// The keys that all writes of users need, beside the records.
fn shared_keys() -> Vec<String> {
    let names = Table::Users.indexes().iter().map(|(columns, _)| format!("user::index:{}", columns.join("+")));
    names.chain(["user::rows".to_owned()]).collect()
}

/// How many of the shared keys do not exist.
async fn missing(raw: &Direct) -> usize {
    let keys = shared_keys();
    let args: Vec<&str> = ["EXISTS"].into_iter().chain(keys.iter().map(String::as_str)).collect();
    match command(raw, &args).await {
        Raw::Int(existing) => keys.len() - usize::try_from(existing).unwrap(),
        other => panic!("{other:?}"),
    }
}

async fn fill(raw: &Direct) {
    let used = number(&command(raw, &["INFO", "memory"]).await, "used_memory:");
    command(raw, &["CONFIG", "SET", "maxmemory", &(used + 28_000).to_string()]).await;
    for filler in 0..4 {
        // It fails if there is nothing left to evict.
        raw.run(["SET", &format!("filler:{filler}"), &"x".repeat(8_000)]).await.unwrap();
    }
}

async fn make_room(raw: &Direct) {
    command(raw, &["CONFIG", "SET", "maxmemory", "0"]).await;
    let fillers: Vec<String> = (0..4).map(|filler| format!("filler:{filler}")).collect();
    let args: Vec<&str> = ["DEL"].into_iter().chain(fillers.iter().map(String::as_str)).collect();
    command(raw, &args).await;
}

async fn command(raw: &Direct, args: &[&str]) -> Raw {
    match raw.run(args).await.unwrap() {
        Raw::Error(error) => panic!("{}: {error}", args[0]),
        reply => reply,
    }
}

/// A figure of INFO.
fn number(info: &Raw, name: &str) -> u64 {
    let Raw::Text(text) = info else { panic!("{info:?}") };
    let text = String::from_utf8_lossy(text);
    text.lines().find_map(|line| line.strip_prefix(name)).unwrap().trim().parse().unwrap()
}
