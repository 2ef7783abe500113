//! What other programs have put where records are.

use redis_model::prelude::*;
use redis_model::{ErrorKind, Unit};

use crate::{User, no_drift, servers, user};

/// The error names the key that holds the text, not the one of the new record.
#[tokio::test]
async fn an_owner_that_is_no_hash_is_named() -> Result<()> {
    for server in servers() {
        let redis = &server.redis();
        user("text", "text@x").insert(redis).await?;
        redis.set("user:text", "no hash").await?;
        let next = user("next", "text@x");
        let alone = next.insert(redis).await.unwrap_err();
        assert_eq!((alone.operation(), alone.may_have_executed()), (None, false));
        let unit = Unit::new().insert(&user("other", "other@x")).insert(&next).commit(redis).await.unwrap_err();
        assert_eq!(unit.operation(), Some(1));
        for error in [alone, unit] {
            assert!(error.is_wrong_type() && error.kind() == ErrorKind::Redis, "{error}");
            assert_eq!((error.model(), error.key()), (Some("User"), Some("user:text")));
        }
        assert!(!User::exists(redis, "other").await? && !User::exists(redis, "next").await?);
        assert_eq!(redis.get("user:text").await?, Some("no hash".to_owned()));

        // A record of a unit itself is named too.
        let unit = Unit::new().insert(&user("other", "other@x")).save(&user("text", "new@x")).commit(redis).await;
        let error = unit.unwrap_err();
        assert!(error.is_wrong_type(), "{error}");
        assert_eq!((error.operation(), error.key()), (Some(1), Some("user:text")));

        redis.del(["user:text"]).await?;
        next.insert(redis).await?;
        no_drift::<User>(redis).await?;
    }
    Ok(())
}

/// A record that another program counts up, by a command that is executed once.
#[tokio::test]
async fn a_raw_increment_of_a_record_counts_once_and_leaves_no_record() -> Result<()> {
    for server in servers() {
        let redis = &server.redis();
        user("a", "a@x").insert(redis).await?;
        let visits = redis.hincrby(User::key("a")?, "visits", 1).exactly_once().await?;
        assert_eq!(visits, 1);
        // What is kept for repetitions has a key that begins as those of records do.
        assert_eq!(User::scan(redis).collect().await?.len(), 1);
        no_drift::<User>(redis).await?;
    }
    Ok(())
}

#[derive(Debug, Clone, PartialEq, RedisModel)]
#[redis(prefix = "note")]
struct Note {
    #[redis(id)]
    id: u64,
    text: Option<String>,
}

#[derive(Debug, Clone, PartialEq, RedisModel)]
#[redis(prefix = "leased", ttl = "1h")]
struct Leased {
    #[redis(id)]
    id: u64,
}

/// A hash with none of the record's fields, not even the id.
#[tokio::test]
async fn an_insert_does_not_join_a_hash_that_is_there() -> Result<()> {
    for server in servers() {
        let redis = &server.redis();
        redis.hset("note:1", [("other", "1")]).await?;
        redis.hset("leased:1", [("other", "1")]).await?;
        let note = Note { id: 1, text: Some("x".into()) };
        let error = note.insert(redis).await.unwrap_err();
        assert!(error.is_already_exists(), "{error}");
        assert_eq!((error.model(), error.key()), (Some("Note"), Some("note:1")));
        assert!(redis.pipeline().insert(&note).exec().await.unwrap_err().is_already_exists());
        assert!(redis.transaction().insert(&note).exec().await.unwrap_err().is_already_exists());
        assert!(Leased { id: 1 }.insert(redis).await.unwrap_err().is_already_exists());
        assert_eq!(redis.hkeys::<String>("note:1").await?, ["other"]);

        redis.set("note:2", "no hash").await?;
        assert!(Note { id: 2, text: None }.insert(redis).await.unwrap_err().is_wrong_type());
        redis.del(["note:1"]).await?;
        note.insert(redis).await?;
        assert_eq!(Note::load(redis, 1).await?, Some(note));
    }
    Ok(())
}
