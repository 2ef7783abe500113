//! Versioned appends at their limits: odd ids, other events under one id, the last id of a category, the largest version.

use redis_model::ErrorKind;
use redis_model::prelude::*;
use redis_model::redis_rest::Encoding;
use redis_model::stream::{AppendOptions, Expected};
use redis_model_tests::key;

use crate::{Event, Plain, paid, servers};

/// Its category is its own, so that a test can fill it.
#[derive(Debug, Clone, PartialEq, RedisModel)]
#[redis(stream, prefix = "full-events", category)]
struct Full {
    cents: i64,
}

#[tokio::test]
async fn a_category_that_refuses_does_so_before_the_log_is_written() -> Result<()> {
    for (name, stack) in servers() {
        let redis = stack.redis();
        let (log, category) = (Full::log(key("full")).versioned(), Full::category());
        let two = [Full { cents: 1 }, Full { cents: 2 }];
        redis.set(category.key(), "x").await?;
        let error = log.append(&redis, Expected::Any, &two).await.unwrap_err();
        assert!(error.is_wrong_type(), "{name}: {error:?}");
        redis.del(category.key()).await?;
        // One entry fits, and two do not.
        let almost = ["XADD", category.key(), "18446744073709551615-18446744073709551614", "a", "b"];
        redis.execute::<String>(almost).await?;
        let error = log.append(&redis, Expected::Exact(0), &two).await.unwrap_err();
        assert!(error.is_conflict() && error.message().contains("greatest possible id"), "{name}: {error:?}");
        assert!(!error.may_have_executed(), "{name}: {error:?}");
        assert_eq!((log.version(&redis).await?, category.len(&redis).await?), (0, 1), "{name}");
        let one = log.append(&redis, Expected::Exact(0), &two[..1]).await?;
        assert_eq!((one.version, one.category_id), (1, Some(StreamId::MAX)), "{name}");
        redis.del(category.key()).await?;
    }
    Ok(())
}

#[tokio::test]
async fn the_id_of_a_commit_can_be_any_text_of_256_bytes() -> Result<()> {
    for (name, stack) in servers() {
        let redis = stack.redis();
        let longest = "x".repeat(256);
        for id in [" ", "1 2", "a\nb", "\0", ":", "%d+", "é\u{2028}", &longest] {
            for expected in [Expected::Any, Expected::NoStream, Expected::Exact(0)] {
                let log = Event::log(key("ids")).versioned();
                for _ in 0..2 {
                    assert_eq!(log.append_as(&redis, id, expected, &[paid(1)]).await?.version, 1, "{name} {id:?}");
                }
                assert_eq!(log.version(&redis).await?, 1, "{name} {id:?} {expected:?}");
            }
        }
        let log = Event::log(key("ids")).versioned();
        let error = log.append_as(&redis, &"x".repeat(257), Expected::Any, &[paid(1)]).await.unwrap_err();
        assert!(error.is_invalid_input(), "{name}: {error:?}");
        let error = log.append(&redis, Expected::Exact(u64::MAX), &[paid(1)]).await.unwrap_err();
        assert!(error.is_conflict() && log.version(&redis).await? == 0, "{name}: {error:?}");
    }
    Ok(())
}

#[tokio::test]
async fn other_events_under_the_id_of_a_commit_are_a_conflict() -> Result<()> {
    for (name, stack) in servers() {
        let redis = stack.redis();
        let two = [paid(1), paid(2)];
        let noted = |note: &str| Event::Paid { cents: 2, note: Some(note.into()) };
        let others =
            [vec![paid(1)], vec![paid(2), paid(1)], vec![paid(1), noted("x")], vec![paid(1), paid(2), paid(3)]];
        for expected in [Expected::Any, Expected::NoStream] {
            let log = Event::log(key("others")).versioned();
            let first = log.append_as(&redis, "c", expected, &two).await?;
            for others in &others {
                let error = log.append_as(&redis, "c", expected, others).await.unwrap_err();
                assert!(error.is_conflict() && error.message().contains("other events"), "{name}: {error:?}");
                assert_eq!((error.stored_version(), error.may_have_executed()), (Some(2), false), "{name}");
            }
            assert_eq!(log.append_as(&redis, "c", expected, &two).await?.version, first.version, "{name}");
            // Entries that were removed cannot be compared; their number can.
            log.log().delete(&redis, [StreamId::new(2, 0)]).await?;
            assert_eq!(log.append_as(&redis, "c", expected, &[paid(1), paid(7)]).await?.version, 2, "{name}");
            assert!(log.append_as(&redis, "c", expected, &[paid(1)]).await.unwrap_err().is_conflict(), "{name}");
            assert_eq!(log.version(&redis).await?, 2, "{name}");
        }
        // Under `Any`, the outcome outlives the log.
        let log = Event::log(key("anew")).versioned();
        let first = log.append_as(&redis, "c", Expected::Any, &two).await?;
        log.log().clear(&redis).await?;
        log.append(&redis, Expected::Any, &[paid(8), paid(9)]).await?;
        assert_eq!(log.append_as(&redis, "c", Expected::Any, &two).await?, first, "{name}");
    }
    Ok(())
}

#[tokio::test]
async fn a_key_of_once_and_the_id_of_a_commit_do_not_meet() -> Result<()> {
    for (name, stack) in servers() {
        let redis = stack.redis();
        let name_of_both = key("meet");
        let (versioned, log) = (Event::log(&name_of_both).versioned(), Plain::log(&name_of_both));
        let commit = versioned.append_as(&redis, "x", Expected::Any, &[paid(1)]).await?;
        let once = log.append_with(&redis, &[Plain { cents: 2 }], &AppendOptions::new().once("x")).await?;
        assert_eq!((commit.version, log.len(&redis).await?), (1, 2), "{name}");
        assert_eq!(versioned.append_as(&redis, "x", Expected::Any, &[paid(1)]).await?, commit, "{name}");
        assert_eq!(
            log.append_with(&redis, &[Plain { cents: 2 }], &AppendOptions::new().once("x")).await?,
            once,
            "{name}"
        );
    }
    Ok(())
}

/// Lua counts exactly up to 2^53. Beyond, an append is refused, and nothing is written.
#[tokio::test]
async fn versions_end_at_2_to_the_53() -> Result<()> {
    for (name, stack) in servers() {
        let redis = stack.redis();
        let log = Event::log(key("large")).versioned();
        log.append(&redis, Expected::NoStream, &[paid(1)]).await?;
        let (last, at) = (9_007_199_254_740_993_u64.to_string(), "9007199254740993-0");
        let set = "return redis.call('XSETID', KEYS[1], ARGV[1], 'ENTRIESADDED', ARGV[2], 'MAXDELETEDID', '0-0')";
        redis.execute::<()>(["EVAL", set, "1", log.key(), at, &last]).await?;
        for expected in [Expected::Any, Expected::Exact(9_007_199_254_740_993)] {
            let error = log.append(&redis, expected, &[paid(2)]).await.unwrap_err();
            assert!(matches!(error.kind(), ErrorKind::Conflict | ErrorKind::Decode), "{name}: {error:?}");
        }
        assert_eq!(log.log().len(&redis).await?, 1, "{name}");
    }
    Ok(())
}

#[tokio::test]
async fn scripts_of_logs_work_in_pipelines_and_transactions() -> Result<()> {
    for (name, stack) in servers() {
        for encoding in [Encoding::Json, Encoding::Base64, Encoding::Resp2] {
            let redis = stack.builder().encoding(encoding).build()?;
            let (log, once) = (Plain::log(key("pipe")), AppendOptions::new().once("k"));
            let version = Full::log(key("pipe")).versioned();
            let full = [Full { cents: 1 }];
            let pipeline = log.append_with(redis.pipeline(), &[Plain { cents: 1 }], &once);
            let pipeline = log.append_with(pipeline, &[Plain { cents: 1 }], &once);
            let (one, again, first) = version.append(pipeline, Expected::NoStream, &full).exec().await?;
            assert_eq!((&one, first.version), (&again, 1), "{name} {encoding:?}");
            let transaction = log.append_with(redis.transaction(), &[Plain { cents: 1 }], &once);
            let transaction = log.append(transaction, &Plain { cents: 2 });
            let (again, next, second) = version.append(transaction, Expected::Exact(1), &full).exec().await?;
            assert!(one == again && one[0] < next && second.version == 2, "{name} {encoding:?}");
            assert_eq!((log.len(&redis).await?, version.version(&redis).await?), (2, 2), "{name} {encoding:?}");
        }
    }
    Ok(())
}
