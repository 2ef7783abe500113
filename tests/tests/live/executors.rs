//! The same commands on every executor.

use redis_model::redis_rest::{
    Build, Encoding, ErrorKind, Executor as _, FromReply as _, GenericCommands as _, HashCommands as _, Result,
    StringCommands as _, Value, blocking,
};
use redis_model_tests::{clients, key, stack};

#[tokio::test]
async fn a_pipeline_gives_the_tuple_of_its_replies() -> Result<()> {
    for redis in &clients() {
        let k = &key("pipeline");
        let (set, hits, text, missing) =
            redis.pipeline().set(k, 1).incr(k).get::<String>(k).get::<i64>(key("none")).exec().await?;
        assert_eq!((set, hits, text.as_deref(), missing), ((), 2, Some("2"), None));
    }
    Ok(())
}

#[tokio::test]
async fn a_failed_command_leaves_the_others_their_replies() -> Result<()> {
    for redis in &clients() {
        for atomic in [false, true] {
            let k = &key("mixed");
            let begin = || if atomic { redis.transaction() } else { redis.pipeline() };
            let (set, wrong, length) = begin().set(k, "text").incr(k).strlen(k).exec_each().await?;
            assert!(set.is_ok());
            assert_eq!(length?, 4);
            let error = wrong.unwrap_err();
            assert_eq!(
                (error.kind(), error.command(), error.may_have_executed()),
                (ErrorKind::Redis, Some("INCR"), false)
            );
            let error = begin().set(k, "text").incr(k).exec().await.unwrap_err();
            assert_eq!(error.command(), Some("INCR"));
            assert!(error.may_have_executed(), "the SET was executed");
            let text = error.to_string();
            assert!(text.ends_with("; other commands of the request may have been executed"), "{text}");
        }
    }
    Ok(())
}

#[tokio::test]
async fn a_group_that_fails_in_part_may_have_executed() -> Result<()> {
    let redis = stack().redis();
    let (done, text) = (&key("done"), &key("text"));
    redis.set(text, "text").await?;
    let group = Build.set(done, 1).and(Build.incr(text), |replies| replies.map(i64::from_reply).last().unwrap());
    let error = redis.submit(group).await.unwrap_err();
    assert!(error.kind() == ErrorKind::Redis && error.may_have_executed(), "{error}");
    assert_eq!(redis.exists([done]).await?, 1);
    Ok(())
}

#[tokio::test]
async fn a_transaction_that_is_refused_executes_nothing() -> Result<()> {
    for redis in &clients() {
        let k = &key("refused");
        let outcome = redis.transaction().set(k, 1).execute::<Value>(["GET"]).exec_each().await;
        let error = outcome.unwrap_err();
        assert_eq!((error.kind(), error.may_have_executed()), (ErrorKind::Redis, false));
        assert_eq!(redis.exists([k]).await?, 0);
    }
    Ok(())
}

#[tokio::test]
async fn batches_are_for_loops() -> Result<()> {
    for redis in &clients() {
        let k = &key("batch");
        let mut batch = redis.batch();
        let slots: Vec<_> = (0..50).map(|_| batch.incr(k)).collect();
        let wrong = batch.hlen(k);
        assert_eq!(batch.len(), 51);
        let replies = batch.exec().await?;
        let counts = slots.into_iter().map(|slot| replies.take(slot)).collect::<Result<Vec<i64>>>()?;
        assert_eq!(counts, (1..=50).collect::<Vec<i64>>());
        assert!(replies.take(wrong).unwrap_err().is_wrong_type());

        let mut other = redis.atomic_batch();
        let foreign = other.incr(k);
        assert!(replies.take(foreign).unwrap_err().is_invalid_input());
        assert!(redis.batch().exec().await.is_ok(), "an empty batch sends nothing");
    }
    Ok(())
}

#[tokio::test]
async fn one_bad_command_keeps_the_whole_pipeline_from_being_sent() -> Result<()> {
    let redis = stack().redis();
    let k = &key("unsent");
    let nothing: [&str; 0] = [];
    let error = redis.pipeline().incr(k).del(nothing).exec().await.unwrap_err();
    assert!(error.is_invalid_input());
    let error = redis.pipeline().incr(k).set(k, b"\xff").exec().await.unwrap_err();
    assert!(error.to_string().contains("not UTF-8"), "{error}");
    assert_eq!(redis.exists([k]).await?, 0);
    Ok(())
}

#[test]
fn the_blocking_client_has_the_same_commands() -> Result<()> {
    let redis = stack().blocking();
    let k = &key("blocking");
    redis.set(k, 1)?;
    assert_eq!(redis.incr(k)?, 2);
    let (hits, all) = redis.transaction().incr(k).mget::<i64>([k]).exec()?;
    assert_eq!((hits, all), (3, vec![Some(3)]));
    let mut batch = redis.batch();
    let slot = batch.get::<i64>(k);
    assert_eq!(batch.exec()?.take(slot)?, Some(3));
    assert!(redis.hget::<String>(k, "f").unwrap_err().is_wrong_type());
    Ok(())
}

#[test]
fn the_blocking_client_is_shared_between_threads() -> Result<()> {
    let redis = stack().blocking();
    let k = &key("threads");
    std::thread::scope(|scope| {
        for _ in 0..8 {
            let redis = redis.clone();
            scope.spawn(move || (0..25).try_for_each(|_| redis.incr(k).map(drop)));
        }
    });
    assert_eq!(redis.get::<i64>(k)?, Some(200));
    Ok(())
}

/// So often that the budget, which a task of tokio has between two of its awaits, is long used up.
fn blocking_calls(redis: &blocking::Redis) -> Result<()> {
    let k = &key("within");
    for count in 1..=500 {
        assert_eq!(redis.incr(k)?, count);
    }
    Ok(())
}

#[tokio::test]
async fn the_blocking_client_works_within_a_runtime() -> Result<()> {
    let redis = stack().blocking();
    blocking_calls(&redis)?;
    drop(redis);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_blocking_client_works_within_a_task() {
    let task = tokio::spawn(async { blocking_calls(&stack().blocking()) });
    assert!(matches!(task.await, Ok(Ok(()))));
}

#[tokio::test]
async fn requests_can_be_spawned() -> Result<()> {
    let redis = stack().redis();
    let task = tokio::spawn(async move { redis.pipeline().incr(key("spawned")).exec().await });
    assert!(matches!(task.await, Ok(Ok((1,)))));
    Ok(())
}

#[tokio::test]
async fn resp2_falls_back_to_base64_for_transactions() -> Result<()> {
    let redis = stack().builder().encoding(Encoding::Resp2).build()?;
    let k = &key("resp2");
    redis.set(k, b"\xff\xfe").await?;
    let (bytes, length) = redis.transaction().get::<Vec<u8>>(k).strlen(k).exec().await?;
    assert_eq!((bytes, length), (Some(vec![0xff, 0xfe]), 2));
    Ok(())
}
