//! Random cuts, for every method that writes: whatever breaks, what a user is told is what has become of the
//! data. A second server, to which nothing happens, says what once is.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use redis_model::redis_rest::{
    Command, ErrorKind, Executor as _, GenericCommands as _, HashCommands as _, ListCommands as _, Redis, Result,
    RetryPolicy, StringCommands as _, Value,
};
use redis_model_tests::fault::{Cut, Faulty};
use redis_model_tests::random::Random;
use redis_model_tests::{ENCODINGS, Stack, own_stack};

use super::writes::{looks, setup, writes};

const CUTS: u64 = 1000;

fn any_cut(random: &Random) -> Cut {
    match random.below(4) {
        0 => Cut::Before,
        1 => Cut::During,
        2 => Cut::After,
        _ => Cut::InReply(random.below(40)),
    }
}

async fn run_all(redis: &Redis, commands: Vec<Command<Value>>) -> Result<Vec<Option<Value>>> {
    let mut batch = redis.batch();
    let slots: Vec<_> = commands.into_iter().map(|command| batch.submit(command)).collect();
    let replies = batch.exec().await?;
    // A look at a key of another type is an error on both servers.
    Ok(slots.into_iter().map(|slot| replies.take(slot).ok()).collect())
}

/// A client whose next requests are cut as told.
fn cut(stack: &Stack, cuts: Vec<Cut>, way: usize) -> Result<Redis> {
    let policy = RetryPolicy::default().backoff(Duration::from_millis(1), Duration::from_millis(1));
    let builder = stack.builder().encoding(ENCODINGS[way % 3]).retry(policy);
    builder.wrap_transport(move |inner| Faulty::new(inner, cuts.clone(), Arc::default())).build()
}

#[tokio::test]
async fn what_is_told_is_what_has_become_of_the_data() -> Result<()> {
    let (broken, whole) = (own_stack(), own_stack());
    let (at_broken, at_whole) = (broken.redis(), whole.redis());
    at_whole.set("dumped", "value").await?;
    let commands = writes(&at_whole.dump::<Vec<u8>>("dumped").await?.unwrap());
    let random = Random::new(7);
    let (mut done, mut uncertain, mut refused) = (0, 0, 0);
    for round in 0..CUTS {
        let way = usize::try_from(round).unwrap();
        let command = commands[way % commands.len()].clone();
        let name = command.name().to_owned();
        let cuts: Vec<Cut> = match random.below(8) {
            0 => vec![Cut::Before; 4],
            1 => vec![Cut::Before; 2],
            _ => (0..=random.below(4)).map(|_| any_cut(&random)).collect(),
        };
        run_all(&at_broken, setup()).await?;
        run_all(&at_whole, setup()).await?;
        let before = run_all(&at_whole, looks()).await?;
        let reply = at_whole.submit(command.clone()).await?;
        let once = run_all(&at_whole, looks()).await?;

        let outcome = cut(&broken, cuts.clone(), way)?.submit(command).await;
        let after = run_all(&at_broken, looks()).await?;
        let told = format!("{name} {cuts:?} {outcome:?}");
        match outcome {
            Ok(given) => {
                done += 1;
                assert_eq!((given, after), (reply, once), "{told}: done once, and replied so");
            }
            Err(error) if error.may_have_executed() => {
                uncertain += 1;
                assert!(after == once || after == before, "{told}: once or not at all");
            }
            Err(error) => {
                refused += 1;
                // A refusal whose text was cut away is a refusal: of a script that the server did not know.
                assert!(matches!(error.kind(), ErrorKind::Connect | ErrorKind::Rejected), "{told}");
                assert_eq!(after, before, "{told}: not at all");
            }
        }
    }
    assert!(done > 100 && uncertain > 100 && refused > 10, "{done} {uncertain} {refused}");
    Ok(())
}

/// A command is retried only if its declaration says that twice is the same as once: then it is, for data and reply.
#[tokio::test]
async fn what_is_repeated_gives_the_same_data_and_the_same_reply() -> Result<()> {
    let stack = own_stack();
    let redis = stack.redis();
    let mut repeated = 0;
    redis.set("dumped", "value").await?;
    for command in writes(&redis.dump::<Vec<u8>>("dumped").await?.unwrap()) {
        run_all(&redis, setup()).await?;
        let sent = Arc::new(AtomicU32::new(0));
        let counter = Arc::clone(&sent);
        let builder = stack.builder().retry(RetryPolicy::default().backoff(Duration::ZERO, Duration::ZERO));
        let cuts = vec![Cut::After];
        let builder = builder.wrap_transport(move |inner| Faulty::new(inner, cuts.clone(), Arc::clone(&counter)));
        let outcome = builder.build()?.submit(command.clone()).await;
        let after = run_all(&redis, looks()).await?;
        run_all(&redis, setup()).await?;
        let reply = redis.submit(command.clone()).await?;
        let once = run_all(&redis, looks()).await?;
        if command.name() != "EVALSHA" {
            assert_eq!(after, once, "{}", command.name());
        }
        if let Ok(again) = outcome {
            repeated += 1;
            assert_eq!(again, reply, "{}", command.name());
        }
        assert!(sent.load(Ordering::Relaxed) <= 2);
    }
    assert!(repeated > 5);
    Ok(())
}

#[tokio::test]
async fn a_cut_pipeline_tells_which_commands_may_have_run() -> Result<()> {
    let stack = own_stack();
    let expected = [(1, "INCR"), (3, "RPUSH"), (4, "HSET")];
    for at in [Cut::During, Cut::After, Cut::InReply(30)] {
        let redis = cut(&stack, vec![at], 0)?;
        let pipeline = || {
            let begun = redis.pipeline().get::<Value>("a").incr("b").exists(["c"]);
            begun.rpush("d", [1]).hset("e", [("f", 1)])
        };
        let error = pipeline().exec_each().await.unwrap_err();
        assert_eq!(error.unconfirmed_commands().collect::<Vec<_>>(), expected);
        let redis = cut(&stack, vec![at], 0)?;
        let mut batch = redis.atomic_batch();
        let _ = (batch.incr("b"), batch.get::<Value>("a"));
        let error = batch.exec().await.unwrap_err();
        assert_eq!(error.unconfirmed_commands().collect::<Vec<_>>(), [(0, "INCR")]);
    }
    // Nothing has left, or there is no doubt.
    let redis = cut(&stack, vec![Cut::Before; 4], 0)?;
    let error = redis.pipeline().incr("b").incr("b").exec().await.unwrap_err();
    assert!(error.is_connect() && error.unconfirmed_commands().next().is_none());
    let error = cut(&stack, vec![Cut::After], 0)?.incr("b").await.unwrap_err();
    assert!(error.may_have_executed() && error.unconfirmed_commands().next().is_none(), "a command alone names itself");
    Ok(())
}

#[tokio::test]
async fn a_request_that_is_too_large_is_not_sent() -> Result<()> {
    let stack = own_stack();
    let redis = stack.builder().max_request_bytes(1000).build()?;
    let long = "x".repeat(600);
    for error in [
        redis.pipeline().set("a", &long).set("b", &long).exec().await.unwrap_err(),
        redis.set("a", long.repeat(2)).await.unwrap_err(),
        redis.set("a", [0xff; 1001]).await.unwrap_err(),
    ] {
        assert!(error.kind() == ErrorKind::TooLarge && !error.may_have_executed(), "{error}");
        assert!(error.to_string().contains("max_request_bytes, 1000"), "{error}");
    }
    redis.set("a", &long).await?;
    assert_eq!(stack.redis().exists(["a", "b"]).await?, 1);
    Ok(())
}
