//! Typed lists.

use redis_model::prelude::*;
use redis_model_tests::{clients, key, stack};

use super::{Message, Place};

#[tokio::test]
async fn typed_lists() -> Result<()> {
    for redis in &clients() {
        let inbox = Message::list(key("box"));
        let message = |from: &str| Message { from: from.into(), stars: 3, settings: None, score: f64::NEG_INFINITY };
        assert_eq!(inbox.pop_front(redis).await?, None);
        assert_eq!(inbox.push_back(redis, &message("b")).await?, 1);
        assert_eq!(inbox.push_back_many(redis, &[message("c"), message("d\"é")]).await?, 3);
        assert_eq!(inbox.push_front(redis, &message("a")).await?, 4);
        assert_eq!(inbox.len(redis).await?, 4);
        assert_eq!(inbox.get(redis, 1).await?, Some(message("b")));
        assert_eq!(inbox.get(redis, 9).await?, None);
        assert_eq!(inbox.range(redis, ..).await?.len(), 4);
        assert_eq!(inbox.range(redis, 1..3).await?, [message("b"), message("c")]);
        assert_eq!(inbox.range(redis, 0..0).await?, []);
        assert_eq!(inbox.pop_front(redis).await?, Some(message("a")));
        assert_eq!(inbox.pop_back(redis).await?, Some(message("d\"é")));
        redis.execute::<i64>(["RPUSH", inbox.key(), "not json"]).await?;
        let error = inbox.range(redis, ..).await.unwrap_err();
        assert!(error.to_string().contains("expected the JSON object of Message"), "{error}");
        redis.execute::<i64>(["RPUSH", inbox.key(), r#"{"from":"x","stars":"300","score":1}"#]).await?;
        let error = inbox.pop_back(redis).await.unwrap_err();
        assert_eq!((error.field(), error.may_have_executed()), (Some("stars"), true), "{error}");
        assert!(inbox.clear(redis).await?);
    }
    Ok(())
}

#[derive(Debug, Clone, PartialEq, RedisModel)]
#[redis(list, prefix = "job")]
enum Job {
    Resize { width: u32 },
    Mail(Place),
    Stop,
}

#[tokio::test]
async fn lists_of_enums() -> Result<()> {
    let redis = stack().redis();
    let jobs = [Job::Resize { width: 5 }, Job::Mail(Place { city: "x".into(), zip: Some(1) }), Job::Stop];
    let queue = Job::list(key("queue"));
    queue.push_back_many(&redis, &jobs).await?;
    assert_eq!(queue.range(&redis, ..).await?, jobs);
    Ok(())
}
