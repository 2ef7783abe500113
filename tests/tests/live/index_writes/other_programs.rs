//! Writes notice what other programs have changed, deleted or lost.

use std::time::Duration;

use redis_model::commands::sorted_set::ZRange;
use redis_model::prelude::*;
use redis_model::redis_rest::Build;
use redis_model::{ErrorKind, Unit};

use super::{Item, User, entries, fails, item, on_each_server, user};

#[tokio::test]
async fn what_other_programs_did_is_noticed() -> Result<()> {
    on_each_server(async |redis| {
        user(1).insert(redis).await?;
        // A claim whose owner was deleted.
        redis.del("user:1").await?;
        let heir = User { email: user(1).email, ..user(2) };
        heir.insert(redis).await?;
        assert_eq!(entries(redis, "email").await?, ["1@example.org\u{0}2"]);
        assert_eq!(redis.hget::<String>("user::rows", "1").await?, None);
        // In a pipeline nobody looks.
        redis.del("user:2").await?;
        let (inserted,) = redis.pipeline().insert(&user(1)).exec_each().await?;
        assert!(inserted.unwrap_err().is_duplicate());
        User::delete(redis, 2).await?;

        // A record without a row.
        redis.hset("user:5", [("id", "5"), ("country", "DE"), ("age", "9"), ("tenant", "7"), ("version", "3")]).await?;
        let (patched,) = redis.pipeline().submit(User::patch(5).incr(User::AGE, 1).exec(Build)).exec_each().await?;
        let error = patched.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Index, "{error}");
        assert!(error.message().contains("`User::reindex`"), "{error}");
        User::patch(5).incr(User::AGE, 1).exec(redis).await?;
        assert_eq!(entries(redis, "age").await?, ["60210\u{0}5"]);
        assert!(User::expire(redis, 5, Duration::from_secs(60)).await?);
        redis.hset("user:6", [("id", "6"), ("country", "DE"), ("age", "9"), ("tenant", "7"), ("version", "3")]).await?;
        assert!(User::expire(redis, 6, Duration::from_secs(60)).await?);
        assert_eq!(redis.zcard("user::expiry").await?, 2);
        User::delete(redis, 6).await?;

        // Keys that are lost, of another program, or of another type.
        redis.rename("user::index:age", "elsewhere").await?;
        let error = user(7).insert(redis).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Index);
        assert_eq!(
            error.message(),
            "the key \"user::index:age\" of the indexes of User was deleted or evicted, so they are incomplete; run `User::reindex`"
        );
        redis.set("user::index:age", "text").await?;
        for write in [user(7).insert(redis).await, User { version: 4, country: "X".into(), age: 1, ..user(5) }.save(redis).await] {
            assert_eq!(write.unwrap_err().code(), Some("WRONGTYPE"));
        }
        assert!(User::patch(5).set(User::COUNTRY, "X").exec(redis).await.is_err());
        assert_eq!(entries(redis, "country").await?, ["DE\u{0}5"]);
        redis.rename("elsewhere", "user::index:age").await?;
        redis.rename("user::rows", "elsewhere").await?;
        let error = user(7).insert(redis).await.unwrap_err();
        assert!(error.message().contains("the key \"user::rows\""), "{error}");
        redis.rename("elsewhere", "user::rows").await?;
        redis.hset("user::rows", (":", "01234567 User;email t;email=1!")).await?;
        for error in [user(7).insert(redis).await.unwrap_err(), User::delete(redis, 5).await.unwrap_err()] {
            assert_eq!(error.kind(), ErrorKind::Index);
            assert!(error.message().starts_with("the indexes of User are those of another version of the model"), "{error}");
        }
        redis.set("user:8", "text").await?;
        assert!(user(8).insert(redis).await.is_err());
        Ok(())
    })
    .await
}

/// Writes a user as a program without the mapper does: it has no row.
async fn raw_user(redis: &Redis, id: u64) -> Result<()> {
    let text = id.to_string();
    let fields = [("id", text.as_str()), ("country", "DE"), ("age", "9"), ("tenant", "7"), ("version", "3")];
    redis.hset(format!("user:{id}"), fields).await.map(drop)
}

#[tokio::test]
async fn a_unit_notices_what_other_programs_did() -> Result<()> {
    on_each_server(async |redis| {
        // The owners of several values were deleted.
        for id in [1, 2, 3] {
            User { nick: Some(format!("nick {id}")), ..user(id) }.insert(redis).await?;
        }
        redis.del(["user:1", "user:2", "user:3"]).await?;
        let heir = User { email: user(1).email, nick: Some("nick 2".into()), ..user(11) };
        let unit = Unit::new().insert(&item(1, &["a"])).insert(&heir).insert(&User { email: user(3).email, ..user(12) });
        let committed = unit.clone().commit(redis).await?;
        assert_eq!((committed.len(), committed.version(1), committed.created(2)), (3, Some(1), true));
        assert_eq!(User::verify_to_end(redis).await?, []);
        assert_eq!(entries(redis, "email").await?, ["1@example.org\u{0}11", "3@example.org\u{0}12"]);

        // Owners that live keep their values, whatever is found out about others. The error names the operation.
        redis.del("user:11").await?;
        let second = Unit::new()
            .insert(&item(2, &[]))
            .insert(&User { email: user(1).email, ..user(4) })
            .insert(&User { email: user(3).email, ..user(5) });
        let error = fails(
            redis,
            async || second.clone().commit(redis).await,
            ErrorKind::Duplicate,
            r#"EVALSHA for User at "user:5": field "email": the record with the id "12" has the same value, and no two may; use another, or change that record"#,
        )
        .await?;
        assert_eq!((error.operation(), error.owner(), error.field()), (Some(2), Some("12"), Some("email")));
        // The owner is itself a part of the unit.
        let own = Unit::new().insert(&user(6)).insert(&User { email: user(6).email, ..user(7) });
        assert_eq!(own.commit(redis).await.unwrap_err().operation(), Some(1));

        // Records without rows.
        for id in [21, 22, 23] {
            raw_user(redis, id).await?;
        }
        let unit = Unit::new()
            .save(&item(3, &[]))
            .patch(User::patch(21).incr(User::AGE, 1))
            .patch(User::patch(22).set(User::EMAIL, "1@example.org".to_owned()))
            .expire::<User>(23, Duration::from_secs(60));
        unit.commit(redis).await?;
        assert_eq!(redis.hget::<u8>("user:21", "age").await?, Some(10));
        assert_eq!(redis.zrange::<Vec<String>>("user::expiry", ZRange::rank(0, -1)).await?, ["23"]);
        Unit::new().persist::<User>(23).commit(redis).await?;
        assert_eq!(redis.zcard("user::expiry").await?, 0);
        assert_eq!(User::verify_to_end(redis).await?, []);
        // In a pipeline nobody looks.
        raw_user(redis, 24).await?;
        let patch = Unit::new().save(&item(4, &[])).patch(User::patch(24).incr(User::AGE, 1));
        let (committed,) = redis.pipeline().submit(patch.clone().commit(Build)).exec_each().await?;
        let error = committed.unwrap_err();
        assert!(error.is_index() && error.operation() == Some(1), "{error}");
        // More than a recovery takes.
        let mut many = Unit::new();
        for id in 100..120 {
            raw_user(redis, id).await?;
            many = many.patch(User::patch(id).incr(User::AGE, 1));
        }
        let error = many.clone().commit(redis).await.unwrap_err();
        assert_eq!((error.kind(), error.operation()), (ErrorKind::Index, Some(16)), "{error}");
        many.commit(redis).await?;
        assert_eq!(redis.hget::<u8>("user:119", "age").await?, Some(10));
        Ok(())
    })
    .await
}

/// A model in parts without a unique index.
#[derive(Debug, Clone, PartialEq, RedisModel)]
#[redis(prefix = "shelf", partitions = 4)]
struct Shelf {
    #[redis(id)]
    id: u64,
    #[redis(index)]
    room: String,
}

/// One with nothing but a unique index.
#[derive(Debug, Clone, PartialEq, RedisModel)]
#[redis(prefix = "badge", partitions = 4)]
struct Badge {
    #[redis(id)]
    id: u64,
    #[redis(unique)]
    code: String,
}

fn is_lost<T: std::fmt::Debug>(result: Result<T>, key: &str) {
    let error = result.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Index, "{error}");
    assert!(error.message().contains(key) && error.message().contains("deleted or evicted"), "{error}");
}

/// The keys of a partition do not come back in silence, with a part of the records.
#[tokio::test]
async fn a_partition_that_is_lost_is_noticed() -> Result<()> {
    on_each_server(async |redis| {
        let shelf = |id| Shelf { id, room: "A".into() };
        let badge = |id| Badge { id, code: format!("b{id}") };
        // The ids 1 to 8 are in the partitions 1, 2, 3, 0, and so on: the ASCII code of the digit.
        for first in [1, 2, 4] {
            redis.flushall().await?;
            shelf(first).insert(redis).await?;
            badge(first).insert(redis).await?;
            let query = || Shelf::query().eq(Shelf::ROOM, "A");
            assert_eq!(query().ids(redis).await?.items, [first]);
            assert!(Shelf::verify_to_end(redis).await?.is_empty());
            for id in 1..=8 {
                shelf(id).save(redis).await?;
                badge(id).save(redis).await?;
                item(id, &["x"]).save(redis).await?;
            }
            assert_eq!(query().count(redis).await?, 8);
            assert_eq!(Badge::verify_to_end(redis).await?, []);

            for (id, part) in [(1, 1), (4, 0), (3, 3)] {
                let rows = format!("shelf::rows:{part}");
                redis.del([rows.clone(), format!("shelf::index:room:{part}")]).await?;
                if part == 0 {
                    // They name the other partitions, so this write finds nothing at all. Any other, and queries, do.
                    shelf(id).save(redis).await?;
                    is_lost(shelf(1).save(redis).await, &rows);
                } else {
                    is_lost(shelf(id).save(redis).await, &rows);
                }
                is_lost(query().ids(redis).await, &rows);
                let lost: Vec<_> = Shelf::verify_to_end(redis).await?.iter().map(ToString::to_string).collect();
                assert!(lost.iter().any(|lost| lost.contains(&rows)), "{lost:?}");
                assert!(Shelf::reindex_to_end(redis).await?.errors.is_empty());
                assert_eq!(query().count(redis).await?, 8);

                let rows = format!("badge::rows:{part}");
                redis.del([rows.clone()]).await?;
                is_lost(badge(id).save(redis).await, &rows);
                is_lost(Badge::find_by(redis, Badge::CODE, "b2").await, &rows);
                assert!(Badge::reindex_to_end(redis).await?.errors.is_empty());
                badge(id).save(redis).await?;

                let rows = format!("item::rows:{part}");
                redis.del([rows.clone(), format!("item::index:tags:{part}")]).await?;
                is_lost(item(id, &["x"]).save(redis).await, &rows);
                is_lost(Item::query().contains(Item::TAGS, "x").fetch(redis).await, &rows);
                assert!(Item::reindex_to_end(redis).await?.errors.is_empty());
                assert_eq!(Item::query().contains(Item::TAGS, "x").count(redis).await?, 8);
            }
            // All rows of a model with unique indexes alone: what these hold says so.
            redis.del((0..4).map(|part| format!("badge::rows:{part}")).collect::<Vec<_>>()).await?;
            is_lost(badge(9).save(redis).await, "badge::rows:0");
            is_lost(Badge::find_by(redis, Badge::CODE, "b2").await, "badge::rows:0");
            assert!(!Badge::verify_to_end(redis).await?.is_empty());
        }
        Ok(())
    })
    .await
}
