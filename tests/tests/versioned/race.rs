//! Writers that race, and lose replies.

use std::collections::{BTreeMap, BTreeSet};

use redis_model::Error;
use redis_model::prelude::*;
use redis_model::stream::{Expected, Versioned};
use redis_model_tests::random::Random;
use redis_model_tests::{Stack, key, own_valkey};

use crate::lossy::{lossy, mutated};
use crate::{Account, Event, number, paid, seed, servers};

const WRITERS: u64 = 16;
const LOGS: u64 = 10;

/// What a writer was told of one append: the log, the tokens of its events, and the first version.
type Told = (u64, Vec<String>, u64);

struct Report {
    told: Vec<Told>,
    refused: BTreeSet<String>,
    failed: Vec<Error>,
}

async fn write(redis: Redis, names: Vec<String>, writer: u64, rounds: u64, seed: u64) -> Report {
    let random = Random::new(seed);
    let mut report = Report { told: Vec::new(), refused: BTreeSet::new(), failed: Vec::new() };
    let mut known = BTreeMap::new();
    for round in 0..rounds {
        let at = random.below(LOGS);
        let log = Event::log(&names[usize::try_from(at).unwrap()]).versioned();
        let count = 1 + random.below(3);
        for attempt in 0.. {
            let tokens: Vec<_> = (0..count).map(|event| format!("{writer}.{round}.{attempt}.{event}")).collect();
            let events: Vec<_> =
                tokens.iter().map(|token| Event::Paid { cents: 1, note: Some(token.clone()) }).collect();
            let expected = match random.below(5) {
                0 => Expected::Any,
                _ => match known.get(&at) {
                    None => Expected::NoStream,
                    Some(version) => Expected::Exact(*version),
                },
            };
            match log.append(&redis, expected, &events).await {
                Ok(appended) => {
                    assert_eq!(appended.count, count);
                    known.insert(at, appended.version);
                    report.told.push((at, tokens, appended.first_version()));
                    break;
                }
                Err(error) if error.is_conflict() => {
                    assert!(!error.may_have_executed(), "{error:?}");
                    known.insert(at, error.stored_version().unwrap());
                    report.refused.extend(tokens);
                }
                Err(error) => {
                    report.failed.push(error);
                    break;
                }
            }
        }
    }
    report
}

async fn race(name: &'static str, stack: &'static Stack, seed: u64, rounds: u64, [right, wrong]: [&'static str; 2]) {
    let names: Vec<_> = (0..LOGS).map(|_| key("race")).collect();
    let writers = (0..WRITERS).map(|writer| {
        let redis = mutated(stack, seed + writer, 20, right, wrong);
        tokio::spawn(write(redis, names.clone(), writer, rounds, seed ^ (writer << 32)))
    });
    let mut reports = Vec::new();
    for writer in writers.collect::<Vec<_>>() {
        reports.push(writer.await.unwrap());
    }
    let failed = reports.iter().find_map(|report| report.failed.first());
    assert!(failed.is_none(), "{name}: {failed:?}");
    // What is delivered late.
    tokio::time::sleep(std::time::Duration::from_millis(100)).await;

    let redis = stack.redis();
    let refused: BTreeSet<_> = reports.iter().flat_map(|report| report.refused.iter().cloned()).collect();
    let mut stored = 0;
    for (at, log_name) in names.iter().enumerate() {
        let log = Event::log(log_name).versioned();
        // The fold checks that no version is missing.
        let Versioned { version, state } = log
            .fold(&redis, Vec::new(), |mut tokens, event| {
                if let Event::Paid { note, .. } = event {
                    tokens.push(note.unwrap());
                }
                tokens
            })
            .await
            .unwrap();
        assert_eq!(version, state.len() as u64);
        let mut told = BTreeMap::new();
        for (_, tokens, first) in reports.iter().flat_map(|report| &report.told).filter(|told| told.0 == at as u64) {
            for (number, token) in tokens.iter().enumerate() {
                let before = told.insert(first + number as u64, token.clone());
                assert_eq!(before, None, "{name}: a version was reported twice");
            }
        }
        let found: BTreeMap<_, _> = (1..).zip(state).collect();
        assert!(found.values().all(|token| !refused.contains(token)), "{name}: a refused event is stored");
        assert_eq!(found, told, "{name}: each success is reported once, and is where it was reported");
        stored += found.len();
    }
    println!("{name}: {stored} events of {} writers in {LOGS} logs, {} refused", WRITERS, refused.len());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn racing_writers_make_no_hole_and_repeat_nothing() {
    let (seed, rounds) = (seed(), number("VERSIONED_ROUNDS").unwrap_or(25));
    for (name, stack) in servers() {
        race(name, stack, seed, rounds, ["", ""]).await;
    }
}

/// Eight writers that decide on the state of one log.
async fn commit_race(name: &'static str, stack: &'static Stack, seed: u64, [right, wrong]: [&'static str; 2]) {
    let name_of_log = key("commit");
    let writers = (0..8).map(|writer| {
        let (redis, log_name) = (mutated(stack, seed + writer, 15, right, wrong), name_of_log.clone());
        tokio::spawn(async move {
            let account = Event::log(log_name).versioned().aggregate::<Account>();
            let mut versions = Vec::new();
            while versions.len() < 10 {
                // The state that a decision sees is the one that it is appended to.
                let decide = |account: &Account| vec![paid(i64::try_from(account.events).unwrap() + 1)];
                match account.commit(&redis, decide).await {
                    Ok(account) => versions.push((account.version, account.state.cents)),
                    Err(error) => assert!(error.is_conflict(), "{error:?}"),
                }
            }
            versions
        })
    });
    let mut all = Vec::new();
    for writer in writers.collect::<Vec<_>>() {
        all.extend(writer.await.unwrap());
    }
    all.sort_unstable();
    let expected: Vec<_> =
        (1..=80_u32).map(|version| (version.into(), i64::from(version * (version + 1) / 2))).collect();
    assert_eq!(all, expected, "{name}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn commits_that_race_lose_no_decision() {
    let seed = seed();
    for (name, stack) in servers() {
        commit_race(name, stack, seed, ["", ""]).await;
    }
}

/// Writers that all repeat the same requests: each request withdraws once, whoever makes it, and however often.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_commit_with_an_id_is_made_once() {
    let seed = seed();
    for (name, stack) in servers() {
        let log_name = key("requests");
        let writers = (0..4).map(|writer| {
            let (redis, log_name) = (lossy(stack, seed + writer, 15), log_name.clone());
            tokio::spawn(async move {
                let account = Event::log(log_name).versioned().aggregate::<Account>();
                for request in 0..15 {
                    let id = format!("request-{request}");
                    // The decision depends on the state, and would be another one after the first.
                    let decide = move |account: &Account| {
                        let events = if account.events.is_multiple_of(2) { 1 } else { 2 };
                        vec![paid(1_i64 << request); events]
                    };
                    while let Err(error) = account.commit_as(&redis, &id, decide).await {
                        assert!(error.is_conflict(), "{error:?}");
                    }
                    let seen =
                        account.commit_as(&redis, &id, |_| -> Vec<Event> { panic!("it is decided") }).await.unwrap();
                    assert!(seen.cents & (3 << request) != 0, "{id} is in the state");
                }
            })
        });
        for writer in writers.collect::<Vec<_>>() {
            writer.await.unwrap();
        }
        // Each request has one commit.
        let log = Event::log(log_name);
        let mut amounts = BTreeMap::<i64, usize>::new();
        for entry in log.entries(&stack.redis(), ..).collect().await.unwrap() {
            let Event::Paid { cents, .. } = entry.event.unwrap() else { panic!("another event") };
            *amounts.entry(cents).or_default() += 1;
        }
        assert_eq!(amounts.len(), 15, "{name}: {amounts:?}");
        assert!(amounts.values().all(|count| *count <= 2), "{name}: {amounts:?}");
        let entries =
            stack.redis().execute::<Vec<(String, Vec<String>)>>(["XRANGE", log.key(), "-", "+"]).await.unwrap();
        let commits = entries.iter().filter(|(_, fields)| fields.first().is_some_and(|name| name == ":commit"));
        assert_eq!(commits.count(), 15, "{name}");
    }
}

/// Mistakes in the script that the race has to notice.
const MUTATIONS: [[&str; 2]; 4] = [
    // A repeated commit is not recognized.
    ["if name == commit then", "if name == 0 then"],
    // The outcome of a commit that expects no version is not kept.
    ["if outcome_key then call(", "if false then call("],
    // The version is not checked, so what was decided on an old one is appended.
    ["if expected == 'any' or tonumber(expected) == version then return end", "if true then return end"],
    // Entries are counted from the version that is expected.
    ["outcome = append(version)", "outcome = append(expected == 'any' and version or version + 1)"],
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_mistake_in_the_script_is_noticed() {
    // A server that knows none of the scripts.
    let stack: &'static Stack = Box::leak(Box::new(own_valkey()));
    for mutation in MUTATIONS {
        let raced = tokio::spawn(race("mutated", stack, 7, 20, mutation)).await;
        let committed = tokio::spawn(commit_race("mutated", stack, 7, mutation)).await;
        assert!(raced.is_err() || committed.is_err(), "not noticed: {mutation:?}");
    }
}
