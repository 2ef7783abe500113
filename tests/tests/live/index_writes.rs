//! Writes of records that have indexes, unique fields and versions.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use proptest::prelude::{Strategy as _, any, prop, prop_assert_eq, proptest};
use proptest::test_runner::Config;
use redis_model::commands::expiry::Ttl;
use redis_model::commands::sorted_set::ZRange;
use redis_model::prelude::*;
use redis_model::redis_rest::transport::{Request, Response, Transport, TransportError};
use redis_model::redis_rest::{Build, Value, blocking};
use redis_model::{Error, ErrorKind, IndexValue, SaveOptions, Unit};
use redis_model_tests::fault::{Cut, Faulty, Mutated};
use redis_model_tests::{Stack, own_redis_7_0, own_stack, own_stack_in_english, own_valkey, stack};
use tokio::sync::Mutex;

/// A transport that keeps the bodies that it sends.
#[derive(Debug)]
struct Bodies {
    inner: Arc<dyn Transport>,
    seen: Arc<std::sync::Mutex<Vec<String>>>,
}

#[async_trait]
impl Transport for Bodies {
    async fn send(&self, request: Request) -> Result<Response, TransportError> {
        self.seen.lock().unwrap().push(String::from_utf8_lossy(&request.body).into_owned());
        self.inner.send(request).await
    }
}

/// Runs a test on all servers: what a script does must not depend on which it is. The database is empty, and the test has
/// it for itself.
async fn on_each_server(test: impl AsyncFn(&Redis) -> Result<()>) -> Result<()> {
    static SERVERS: Mutex<Vec<Stack>> = Mutex::const_new(Vec::new());
    let mut servers = SERVERS.lock().await;
    if servers.is_empty() {
        servers.extend([own_stack(), own_valkey()]);
        servers.extend(own_redis_7_0());
    }
    for server in servers.iter() {
        let redis = server.redis();
        redis.flushall().await?;
        test(&redis).await?;
    }
    Ok(())
}

#[derive(Debug, Clone, PartialEq, RedisModel)]
#[redis(prefix = "user", index(country, age), unique(tenant, nick))]
struct User {
    #[redis(id)]
    id: u64,
    #[redis(unique)]
    email: Option<String>,
    #[redis(index)]
    country: String,
    #[redis(index)]
    age: u8,
    tenant: u32,
    nick: Option<String>,
    bio: Option<String>,
    #[redis(version)]
    version: u32,
}

fn user(id: u64) -> User {
    User {
        id,
        email: Some(format!("{id}@example.org")),
        country: "TR".into(),
        age: 36,
        tenant: 7,
        nick: None,
        bio: None,
        version: 0,
    }
}

/// A model whose indexes are in parts, with an entry for each tag.
#[derive(Debug, Clone, PartialEq, RedisModel)]
#[redis(prefix = "item", partitions = 4)]
struct Item {
    #[redis(id)]
    id: u64,
    #[redis(unique)]
    name: String,
    #[redis(index)]
    tags: Vec<String>,
}

fn item(id: u64, tags: &[&str]) -> Item {
    Item { id, name: format!("item {id}"), tags: tags.iter().map(|&tag| tag.to_owned()).collect() }
}

/// Returns the entries of an index of users, without the member that each index has.
async fn entries(redis: &Redis, index: &str) -> Result<Vec<String>> {
    let mut entries: Vec<String> = redis.zrange(format!("user::index:{index}"), ZRange::rank(0, -1)).await?;
    assert_eq!(entries.remove(0), "");
    Ok(entries)
}

/// All that the indexes hold, as text.
async fn all_indexes(redis: &Redis) -> Result<Vec<String>> {
    let mut keys: Vec<String> = redis.keys("*::*").await?;
    keys.sort();
    let mut all = Vec::new();
    for key in keys {
        let value: Value = if key.ends_with("rows") || key.contains("rows:") {
            let mut rows: Vec<(String, String)> = redis.hgetall(&key).await?;
            rows.sort();
            all.push(format!("{key} {rows:?}"));
            continue;
        } else if key.contains("::once:") {
            continue;
        } else {
            redis.execute(("ZRANGE", &key, 0, -1, "WITHSCORES")).await?
        };
        all.push(format!("{key} {value:?}"));
    }
    Ok(all)
}

/// Checks that a call fails so, and that nothing has changed.
async fn fails<T: std::fmt::Debug>(
    redis: &Redis,
    call: impl AsyncFn() -> Result<T>,
    kind: ErrorKind,
    text: &str,
) -> Result<Error> {
    let before = all_indexes(redis).await?;
    let error = call().await.unwrap_err();
    assert_eq!(error.kind(), kind, "{error}");
    assert_eq!(error.to_string(), text);
    assert!(!error.may_have_executed());
    assert_eq!(all_indexes(redis).await?, before);
    Ok(error)
}

#[tokio::test]
async fn an_insert_makes_a_row_and_entries() -> Result<()> {
    on_each_server(async |redis| {
        assert_eq!(user(42).insert(redis).await?, 1);
        assert_eq!(User::load(redis, 42).await?, Some(User { version: 1, ..user(42) }));
        assert_eq!(entries(redis, "email").await?, ["42@example.org\u{0}42"]);
        assert_eq!(entries(redis, "country+age").await?, ["TR\u{0}60236\u{0}42"]);
        assert!(entries(redis, "tenant+nick").await?.is_empty(), "one of its values is None");
        let row: Option<String> = redis.hget("user::rows", "42").await?;
        assert!(row.unwrap().ends_with("\u{0}=60236\u{0}=TR\u{0}=42@example.org\u{0}\u{0}=6017"));

        let moved = User { email: None, country: "UK".into(), nick: Some("a\u{0}b".into()), version: 1, ..user(42) };
        assert_eq!(moved.save(redis).await?, 2);
        assert!(entries(redis, "email").await?.is_empty());
        assert_eq!(entries(redis, "country").await?, ["UK\u{0}42"]);
        assert_eq!(entries(redis, "tenant+nick").await?, ["6017\u{0}a\u{1}\u{3}b\u{0}42"]);

        assert!(User::delete(redis, 42).await?);
        assert!(!User::delete(redis, 42).await?);
        for index in ["email", "country", "age", "country+age", "tenant+nick"] {
            assert!(entries(redis, index).await?.is_empty(), "{index}");
        }
        assert_eq!(redis.hlen("user::rows").await?, 1, "the label");
        Ok(())
    })
    .await
}

#[tokio::test]
async fn refusals_say_what_to_do_and_change_nothing() -> Result<()> {
    on_each_server(async |redis| {
        let bob = User { nick: Some("bob".into()), ..user(2) };
        assert_eq!(user(1).insert(redis).await?, 1);
        assert_eq!(bob.insert(redis).await?, 1);
        fails(
            redis,
            async || user(1).insert(redis).await,
            ErrorKind::AlreadyExists,
            r#"EVALSHA for User at "user:1": the record already exists; call `save` to overwrite it"#,
        )
        .await?;
        fails(
            redis,
            async || user(3).update(redis).await,
            ErrorKind::NotFound,
            r#"EVALSHA for User at "user:3": the record does not exist; call `save` to create it"#,
        )
        .await?;
        fails(
            redis,
            async || User::patch(3).set(User::AGE, 1).exec(redis).await,
            ErrorKind::NotFound,
            r#"EVALSHA for User at "user:3": the record does not exist"#,
        )
        .await?;
        let same_email = User { email: user(2).email, ..user(3) };
        let error = fails(
            redis,
            async || same_email.insert(redis).await,
            ErrorKind::Duplicate,
            r#"EVALSHA for User at "user:3": field "email": the record with the id "2" has the same value, and no two may; use another, or change that record"#,
        )
        .await?;
        assert_eq!((error.field(), error.owner(), error.operation()), (Some("email"), Some("2"), None));
        let same_nick = User { nick: Some("bob".into()), ..user(3) };
        let error = same_nick.save(redis).await.unwrap_err();
        assert_eq!((error.field(), error.owner()), (Some("tenant+nick"), Some("2")));

        // Versions.
        assert_eq!(User { age: 37, version: 1, ..user(1) }.update(redis).await?, 2);
        let error = fails(
            redis,
            async || User { version: 1, ..user(1) }.save(redis).await,
            ErrorKind::Conflict,
            r#"EVALSHA for User at "user:1": field "version": the record has the version "2", not "1": it was written since it was loaded; load it again"#,
        )
        .await?;
        assert_eq!(error.stored_version(), Some(2));
        fails(
            redis,
            async || User { version: 4, ..user(3) }.save(redis).await,
            ErrorKind::Conflict,
            r#"EVALSHA for User at "user:3": field "version": the record was deleted since its version 4 was loaded"#,
        )
        .await?;
        fails(
            redis,
            async || User { version: u32::MAX, ..user(3) }.save(redis).await,
            ErrorKind::InvalidInput,
            r#"EVALSHA for User at "user:3": field "version": the version 4294967295 is the largest of its type; use `u64`, or start again at 0 with `delete`; nothing was sent"#,
        )
        .await?;

        // Conditions and increments.
        let error = User::patch(1).set(User::AGE, 1).if_eq(User::COUNTRY, "UK").exec(redis).await.unwrap_err();
        assert_eq!((error.kind(), error.field()), (ErrorKind::Conflict, Some("country")));
        fails(
            redis,
            async || User::patch(1).incr(User::AGE, 219).exec(redis).await,
            ErrorKind::Conflict,
            r#"EVALSHA for User at "user:1": field "age": the sum does not fit the type of the field; nothing was changed. Use a smaller increment, or a larger type"#,
        )
        .await?;
        User::patch(1).incr(User::AGE, 218).exec(redis).await?;
        assert_eq!(entries(redis, "age").await?, ["60236\u{0}2", "603255\u{0}1"]);
        redis.hset("user:1", ("age", "many")).await?;
        let error = User::patch(1).incr(User::AGE, 1).exec(redis).await.unwrap_err();
        assert_eq!((error.kind(), error.field()), (ErrorKind::Decode, Some("age")));
        assert!(!error.may_have_executed() && !error.to_string().contains("may have been"), "{error}");
        let error = User::patch(1).append(User::COUNTRY, "x".repeat(1023)).exec(redis).await.unwrap_err();
        assert_eq!((error.kind(), error.field()), (ErrorKind::Conflict, Some("country")), "{error}");
        User::patch(1).append(User::COUNTRY, "x".repeat(1022)).exec(redis).await?;
        fails(
            redis,
            async || User { country: "x".repeat(1025), ..user(3) }.save(redis).await,
            ErrorKind::InvalidInput,
            r#"EVALSHA for User at "user:3": field "country": the value cannot be in an index: it is longer than 1,024 bytes, the most that an index takes; nothing was sent"#,
        )
        .await?;
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_unit_names_the_operation_that_failed() -> Result<()> {
    on_each_server(async |redis| {
        user(1).insert(redis).await?;
        let error = fails(
            redis,
            async || Unit::new().save(&item(1, &["a"])).insert(&user(1)).commit(redis).await,
            ErrorKind::AlreadyExists,
            r#"EVALSHA for User at "user:1": the record already exists; call `save` to overwrite it"#,
        )
        .await?;
        assert_eq!(error.operation(), Some(1));
        assert_eq!(Item::load(redis, 1).await?, None);
        let error = Unit::new().save(&user(3)).save(&item(1, &[])).delete::<User>(3).commit(redis).await.unwrap_err();
        assert_eq!((error.kind(), error.operation(), error.key()), (ErrorKind::InvalidInput, Some(2), Some("user:3")));
        let two = Unit::new().insert(&user(2)).insert(&User { email: user(2).email, ..user(3) });
        let error = two.commit(redis).await.unwrap_err();
        assert_eq!((error.field(), error.owner(), error.operation()), (Some("email"), Some("2"), Some(1)));

        // Unique values are those after all operations: a swap, or a deletion and an insert.
        user(2).insert(redis).await?;
        let swapped = Unit::new().save(&User { email: user(2).email, version: 1, ..user(1) }).save(&User {
            email: user(1).email,
            version: 1,
            ..user(2)
        });
        swapped.commit(redis).await?;
        let taken_over = User { email: user(1).email, ..user(3) };
        Unit::new().insert(&taken_over).delete::<User>(2).commit(redis).await?;
        assert_eq!(entries(redis, "email").await?, ["1@example.org\u{0}3", "2@example.org\u{0}1"]);
        Ok(())
    })
    .await
}

#[tokio::test]
async fn parts_and_several_values() -> Result<()> {
    on_each_server(async |redis| {
        for id in 0..40 {
            item(id, &["all", "a\u{2}b", if id % 2 == 0 { "even" } else { "odd" }]).insert(redis).await?;
        }
        item(7, &["odd", "odd", "new"]).save(redis).await?;
        let mut tags = Vec::new();
        for part in 0..4 {
            tags.extend(redis.zrange::<Vec<String>>(format!("item::index:tags:{part}"), ZRange::rank(0, -1)).await?);
        }
        let count = |tag: &str| tags.iter().filter(|entry| entry.starts_with(&format!("{tag}\u{0}"))).count();
        assert_eq!(
            [count("all"), count("a\u{1}\u{5}b"), count("even"), count("odd"), count("new"), count("")],
            [39, 39, 20, 20, 1, 0]
        );
        assert_eq!(tags.len(), 39 + 39 + 20 + 20 + 1 + 4);

        let error = Item { name: "item 8".into(), ..item(77, &[]) }.insert(redis).await.unwrap_err();
        assert_eq!((error.field(), error.owner()), (Some("name"), Some("8")));
        // The owner may be in another part than the new record: its key is declared by a second request.
        redis.del("item:8").await?;
        Item { name: "item 8".into(), ..item(77, &[]) }.insert(redis).await?;
        assert_eq!(Item::find_by(redis, Item::NAME, "item 8").await?.map(|item| item.id), Some(77));
        Ok(())
    })
    .await
}

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

#[tokio::test]
async fn rows_of_an_earlier_layout_are_removed_exactly() -> Result<()> {
    on_each_server(async |redis| {
        user(1).insert(redis).await?;
        // As if an earlier version of the model had written another record, and `reindex` had not come to it yet.
        let old = "00c0ffee";
        redis
            .hset(
                "user::rows",
                [
                    ("9".to_owned(), format!("{old}\u{0}=60299\u{0}=x\u{2}=y")),
                    (format!(":{old}"), "User;age i,email t;age=1;email=2!;gone=2".to_owned()),
                ],
            )
            .await?;
        redis.zadd("user::index:age", (0.0, "60299\u{0}9")).await?;
        redis.zadd("user::index:email", [(0.0, "x\u{0}9"), (0.0, "y\u{0}9")]).await?;
        redis.hset("user:9", [("id", "9"), ("version", "1")]).await?;
        let error = User { email: Some("x".into()), ..user(3) }.insert(redis).await.unwrap_err();
        assert_eq!(error.owner(), Some("9"));
        assert_eq!(User { age: 1, version: 1, ..user(9) }.save(redis).await?, 2);
        assert_eq!(entries(redis, "email").await?, ["1@example.org\u{0}1", "9@example.org\u{0}9"]);
        assert_eq!(entries(redis, "age").await?, ["6011\u{0}9", "60236\u{0}1"]);

        redis.hset("user::rows", ("9", "deadbeef\u{0}=60299")).await?;
        let error = User { version: 2, ..user(9) }.save(redis).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Index, "{error}");
        Ok(())
    })
    .await
}

#[derive(Debug, Clone, PartialEq, RedisModel)]
#[redis(prefix = "session", ttl = "10s", sliding)]
struct Session {
    #[redis(id)]
    id: u64,
    #[redis(unique)]
    token: String,
}

#[derive(Debug, Clone, PartialEq, RedisModel)]
#[redis(prefix = "visit", ttl = "10s", sliding)]
struct Visit {
    #[redis(id)]
    id: u64,
    code: Option<String>,
}

fn session(id: u64) -> Session {
    Session { id, token: format!("t{id}") }
}

/// Asserts that there is so much time to live, to the second.
fn about(ttl: Ttl, seconds: u64) {
    assert!(matches!(ttl, Ttl::Expires(left) if left.as_millis().div_ceil(1000) == u128::from(seconds)), "{ttl:?}");
}

#[tokio::test]
async fn times_to_live() -> Result<()> {
    on_each_server(async |redis| {
        let (one, visit) = (session(1), Visit { id: 1, code: None });
        one.insert(redis).await?;
        visit.insert(redis).await?;
        assert!(visit.insert(redis).await.unwrap_err().is_already_exists());
        about(Session::ttl(redis, 1).await?, 10);
        about(Visit::ttl(redis, 1).await?, 10);
        for minute in [SaveOptions::new().ttl(Duration::from_secs(60))] {
            one.save_with(redis, minute).await?;
            visit.save_with(redis, minute).await?;
        }
        about(Session::ttl(redis, 1).await?, 60);
        about(Visit::ttl(redis, 1).await?, 60);
        visit.update_with(redis, SaveOptions::new().keep_ttl()).await?;
        about(Visit::ttl(redis, 1).await?, 60);
        one.update(redis).await?;
        visit.update(redis).await?;
        about(Session::ttl(redis, 1).await?, 10);
        about(Visit::ttl(redis, 1).await?, 10);
        one.save_with(redis, SaveOptions::new().persist()).await?;
        visit.save_with(redis, SaveOptions::new().persist()).await?;
        assert_eq!((Session::ttl(redis, 1).await?, Visit::ttl(redis, 1).await?), (Ttl::Persistent, Ttl::Persistent));
        assert_eq!(redis.zcard("session::expiry").await?, 0);

        // Sliding: a load sets it again.
        let once: Vec<String> = redis.keys("*::once:*").await?;
        redis.del(once).await?;
        assert_eq!(Session::load(redis, 1).await?, Some(one.clone()));
        assert_eq!(Visit::load(redis, 1).await?, Some(visit.clone()));
        assert_eq!(redis.keys::<String>("*::once:*").await?, [""; 0]);
        about(Session::ttl(redis, 1).await?, 10);
        about(Visit::ttl(redis, 1).await?, 10);
        assert_eq!(Session::load_many(redis, [1, 2]).await?, [Some(one.clone()), None]);
        assert_eq!(Visit::load(redis, 2).await?, None);
        assert_eq!(redis.zrange::<Vec<String>>("session::expiry", ZRange::rank(0, -1)).await?, ["1"]);
        assert!(Session::persist(redis, 1).await?);
        assert!(!Session::persist(redis, 1).await?);
        assert!(!Session::persist(redis, 2).await?);
        assert!(!Session::expire(redis, 2, Duration::from_secs(1)).await?);
        for wrong in [Duration::ZERO, Duration::from_micros(999), Duration::MAX] {
            let plain = Visit::expire(redis, 1, wrong).await.unwrap_err();
            for error in [&plain, &Session::expire(redis, 1, wrong).await.unwrap_err()] {
                assert!(error.is_invalid_input() && error.key().is_some(), "{error}");
            }
        }
        assert!(Visit::exists(redis, 1).await?);
        // A load is a read: it keeps no outcome.
        redis.set("visit:3", "text").await?;
        redis.pexpire("visit:3", Duration::from_secs(60)).await?;
        assert!(Visit::load(redis, 3).await.unwrap_err().is_wrong_type());
        about(redis.pttl("visit:3").await?, 60);
        redis.del("visit:3").await?;

        // What another program did to it is noticed by the next write.
        redis.pexpire("session:1", Duration::from_secs(5)).await?;
        one.save_with(redis, SaveOptions::new().keep_ttl()).await?;
        assert_eq!(redis.zcard("session::expiry").await?, 1);
        redis.persist("session:1").await?;
        one.save_with(redis, SaveOptions::new().keep_ttl()).await?;
        assert_eq!(redis.zcard("session::expiry").await?, 0);
        Ok(())
    })
    .await
}

#[derive(Debug, Clone, PartialEq, RedisModel)]
#[redis(prefix = "plain")]
struct Plain {
    #[redis(id)]
    id: u64,
    name: Option<String>,
}

/// Alone and in a pipeline, with and without a time to live.
#[tokio::test]
async fn plain_records_are_inserted_everywhere() -> Result<()> {
    on_each_server(async |redis| {
        let plain = Plain { id: 1, name: None };
        plain.insert(redis).await?;
        assert!(plain.insert(redis).await.unwrap_err().is_already_exists());
        let second = Plain { id: 2, ..plain.clone() };
        let (inserted, again) = redis.pipeline().insert(&second).insert(&second).exec_each().await?;
        inserted?;
        assert!(again.unwrap_err().is_already_exists());
        plain.insert_with(redis, SaveOptions::new().ttl(Duration::from_secs(9))).await.unwrap_err();
        Plain { id: 3, ..plain }.insert_with(redis, SaveOptions::new().ttl(Duration::from_secs(9))).await?;
        about(Plain::ttl(redis, 3).await?, 9);
        Ok(())
    })
    .await
}

/// The service locks the whole database for a script in any other form.
#[tokio::test]
async fn a_sliding_load_declares_its_key_and_is_repeated() -> Result<()> {
    for reply in [Cut::Before, Cut::During, Cut::After] {
        let server = own_stack();
        let redis = server.redis();
        session(1).insert(&redis).await?;
        Visit { id: 1, code: None }.insert(&redis).await?;
        Session::load(&redis, 1).await?;
        Visit::load(&redis, 1).await?;
        let seen = Arc::new(std::sync::Mutex::new(Vec::new()));
        let kept = Arc::clone(&seen);
        let client = server.builder().wrap_transport(move |inner| Bodies { inner, seen: Arc::clone(&kept) });
        let client = client.wrap_transport(move |inner| Faulty::new(inner, vec![reply], Arc::default())).build()?;
        assert!(Visit::load(&client, 1).await?.is_some());
        assert!(Session::load(&client, 1).await?.is_some());
        let bodies = seen.lock().unwrap().clone();
        assert!(bodies.iter().all(|body| body.starts_with(r#"["EVALSHA""#)), "{bodies:?}");
        assert_eq!(Visit::load_many(&client, [1, 2]).await?.len(), 2);
    }
    Ok(())
}

#[tokio::test]
async fn what_has_expired_leaves_nothing_behind() -> Result<()> {
    on_each_server(async |redis| {
        let soon = SaveOptions::new().ttl(Duration::from_millis(15));
        for id in 1..=30 {
            session(id).insert_with(redis, soon).await?;
        }
        tokio::time::sleep(Duration::from_millis(25)).await;
        // A value of a record that has expired is free at once, and a few others are removed with each write.
        let heir = Session { token: "t30".into(), ..session(100) };
        heir.insert(redis).await?;
        session(2).insert(redis).await?;
        assert_eq!(
            redis.zrange::<Vec<String>>("session::index:token", ZRange::rank(0, -1)).await?,
            ["", "t2\u{0}2", "t30\u{0}100"]
        );
        assert_eq!(redis.hlen("session::rows").await?, 3);
        assert_eq!(redis.zcard("session::expiry").await?, 2);
        // A record that comes back after it has expired keeps no time to live.
        session(3).insert_with(redis, soon).await?;
        tokio::time::sleep(Duration::from_millis(25)).await;
        session(3).insert_with(redis, SaveOptions::new().persist()).await?;
        assert_eq!(redis.zscore("session::expiry", "3").await?, None);
        tokio::time::sleep(Duration::from_millis(25)).await;
        heir.save(redis).await?;
        assert!(redis.hget::<String>("session::rows", "3").await?.is_some());
        Ok(())
    })
    .await
}

#[tokio::test]
async fn times_to_live_of_fields() -> Result<()> {
    for server in [Some(own_stack()), Some(own_valkey())].into_iter().flatten() {
        let redis = server.redis();
        Visit { id: 1, code: Some("193-551".into()) }.save(&redis).await?;
        assert_eq!(Visit::field_ttl(&redis, 1, Visit::CODE).await?, Ttl::Persistent);
        assert!(Visit::expire_field(&redis, 1, Visit::CODE, Duration::from_secs(60)).await?);
        about(Visit::field_ttl(&redis, 1, Visit::CODE).await?, 60);
        assert!(Visit::persist_field(&redis, 1, Visit::CODE).await?);
        assert!(!Visit::persist_field(&redis, 1, Visit::CODE).await?);
        assert!(!Visit::expire_field(&redis, 2, Visit::CODE, Duration::from_secs(60)).await?);
        assert!(Visit::expire_field(&redis, 1, Visit::CODE, Duration::from_millis(1)).await?);
        tokio::time::sleep(Duration::from_millis(10)).await;
        assert_eq!(Visit::load(&redis, 1).await?, Some(Visit { id: 1, code: None }));
    }
    let Some(server) = own_redis_7_0() else { return Ok(()) };
    let error = Visit::expire_field(&server.redis(), 1, Visit::CODE, Duration::from_secs(60)).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        r#"HPEXPIRE for Visit at "visit:1": field "code": fields have a time to live since Redis 7.4 and Valkey 9.0, and this server is older"#
    );
    Ok(())
}

/// Makes the script fail if it touches a key that it was not called with.
const GUARDED: &str = "\
local real, declared = redis, {} \
for _, key in ipairs(KEYS) do declared[key] = true end \
local function guarded(call) return function(command, key, ...) \
if command == 'TIME' then return call(command) end \
if not declared[key] then error('not declared: ' .. tostring(key)) end \
return call(command, key, ...) end end \
local redis = { call = guarded(real.call), pcall = guarded(real.pcall) } \
";

const FIRST_LINE: &str = "local args, keys = ARGV, KEYS";

#[tokio::test]
async fn scripts_touch_declared_keys_only() -> Result<()> {
    let server = own_stack();
    let guarded = |more: &str| {
        let wrong: &'static str = Box::leak(format!("{GUARDED}{more}{FIRST_LINE}").into_boxed_str());
        server
            .builder()
            .wrap_transport(move |inner| Mutated { inner: Arc::clone(&inner), right: FIRST_LINE, wrong })
            .build()
    };
    let error = user(1).insert(&guarded("redis.call('GET', 'other') ")?).await.unwrap_err();
    assert!(error.message().contains("not declared"), "{error}");

    let redis = &guarded("")?;
    let soon = SaveOptions::new().ttl(Duration::from_millis(10));
    for round in 0..3 {
        user(1).save_with(redis, soon).await?;
        assert!(item(1, &["a", "b"]).insert(redis).await.is_ok());
        item(1, &["b", "c"]).update(redis).await?;
        tokio::time::sleep(Duration::from_millis(20)).await;
        // Expired owners, owners that are gone, records without rows, several models and parts.
        assert_eq!(User { email: user(1).email, ..user(2) }.insert(redis).await?, 1);
        redis.del("user:2").await?;
        assert_eq!(User { email: user(1).email, ..user(3) }.insert(redis).await?, 1);
        redis.hdel("user::rows", "3").await?;
        User::patch(3).incr(User::AGE, 1).append(User::BIO, "x").returning(User::AGE).exec(redis).await?;
        assert!(User::expire(redis, 3, Duration::from_secs(60)).await?);
        let mut unit = Unit::new().delete::<User>(3).insert(&user(4));
        for id in 10..20 {
            unit = unit.save(&item(id, &["x", "y"]));
        }
        unit.patch(Item::patch(1).set(Item::NAME, format!("round {round}"))).commit(redis).await?;
        session(1).save(redis).await?;
        Session::load(redis, 1).await?;
        for id in 0..20 {
            Item::delete(redis, id).await?;
            User::delete(redis, id).await?;
        }
    }
    Ok(())
}

#[tokio::test]
async fn writes_do_not_depend_on_the_locale() -> Result<()> {
    let Some(server) = own_stack_in_english() else {
        eprintln!("skipped: there is no localedef here, or no source of en_US");
        return Ok(());
    };
    let redis = server.redis();
    // A range of two texts between which the locale sorts others.
    for (id, country) in (1..).zip(["a", "B", "A", "b", "é", "Z", "aa", "a b"]) {
        User { country: country.into(), ..user(id) }.insert(&redis).await?;
        User { country: country.to_uppercase(), version: 1, ..user(id) }.save(&redis).await?;
        User { email: Some(country.into()), country: country.into(), version: 2, ..user(id) }.save(&redis).await?;
    }
    User::patch(1).incr(User::AGE, 64).exec(&redis).await?;
    let error = User { email: Some("B".into()), ..user(9) }.insert(&redis).await.unwrap_err();
    assert_eq!(error.owner(), Some("2"));
    assert_eq!(entries(&redis, "country").await?.len(), 8);
    assert_eq!(entries(&redis, "age").await?.last().unwrap(), "603100\u{0}1");
    let drifts = redis.zrange::<Vec<String>>("user::index:email", ZRange::rank(0, -1)).await?;
    assert_eq!(drifts, ["", "A\u{0}3", "B\u{0}2", "Z\u{0}6", "a\u{0}1", "a b\u{0}8", "aa\u{0}7", "b\u{0}4", "é\u{0}5"]);
    Ok(())
}

/// Runs code after that of the scripts' values, with one result for each argument.
fn in_lua(redis: &blocking::Redis, code: &str, args: &[String]) -> Vec<String> {
    let rows = include_str!("../../../mapper/src/scripts/rows.lua");
    let values = include_str!("../../../mapper/src/scripts/values.lua");
    let script = format!(
        "{rows} {values} local results = {{}} for at = 1, #ARGV do local arg = ARGV[at] results[at] = {code} end return results"
    );
    redis.eval(script, (), args.to_vec()).unwrap()
}

fn in_rust<T: IndexValue>(values: &[T]) -> Vec<String> {
    let encode = |value: &T| {
        let mut text = String::new();
        value.push_index(&mut text).unwrap();
        text
    };
    values.iter().map(encode).collect()
}

fn texts<T: ToString>(values: &[T]) -> Vec<String> {
    values.iter().map(T::to_string).collect()
}

#[test]
fn lua_encodes_values_as_rust_does() {
    let redis = stack().blocking();
    proptest!(Config::with_cases(40), |(
        signed in prop::collection::vec(any::<i128>(), 20),
        small in prop::collection::vec(any::<i8>(), 20),
        unsigned in prop::collection::vec(any::<u128>(), 20),
        floats in prop::collection::vec(prop::num::f64::ANY.prop_filter("not NaN", |float| !float.is_nan()), 40),
        subnormal in prop::collection::vec(prop::num::f64::SUBNORMAL, 20),
        words in prop::collection::vec("[\u{0}-\u{3}a-cé🦀]{0,12}", 40),
    )| {
        prop_assert_eq!(in_lua(&redis, "encode_integer(arg)", &texts(&signed)), in_rust(&signed));
        prop_assert_eq!(in_lua(&redis, "encode_integer(arg)", &texts(&small)), in_rust(&small));
        prop_assert_eq!(in_lua(&redis, "encode_integer(arg)", &texts(&unsigned)), in_rust(&unsigned));
        for floats in [&floats, &subnormal, &vec![0.0, -0.0, f64::MAX, f64::MIN_POSITIVE, f64::INFINITY, f64::NEG_INFINITY]] {
            prop_assert_eq!(in_lua(&redis, "encode_float(float_of(arg))", &texts(floats)), in_rust(floats));
            let read: Vec<f64> =
                in_lua(&redis, "float_text(float_of(arg))", &texts(floats)).iter().map(|text| text.parse().unwrap()).collect();
            prop_assert_eq!(&read, floats);
        }
        prop_assert_eq!(in_lua(&redis, "encode_text(arg)", &words), in_rust(&words));
    });
}

#[test]
fn lua_adds_integers_as_rust_does() {
    let redis = stack().blocking();
    let small = -10_000_i128..10_000;
    let any_size = any::<i64>().prop_map(i128::from);
    proptest!(Config::with_cases(40), |(
        pairs in prop::collection::vec((any_size, any::<i64>().prop_map(i128::from)), 40),
        close in prop::collection::vec((small.clone(), small), 40),
        large in prop::collection::vec((any::<i128>().prop_map(|int| int / 2), any::<i128>().prop_map(|int| int / 2)), 40),
    )| {
        for pairs in [pairs, close, large] {
            let args: Vec<String> = pairs.iter().map(|(left, right)| format!("{left} {right}")).collect();
            let split = |function: &str| {
                format!("(function(a, b) return tostring({function}(a, b)) end)(string.match(arg, '(%S+) (%S+)'))")
            };
            let sums: Vec<i128> = pairs.iter().map(|(left, right)| left + right).collect();
            let less: Vec<bool> = pairs.iter().map(|(left, right)| left < right).collect();
            prop_assert_eq!(in_lua(&redis, &split("add_integers"), &args), texts(&sums));
            prop_assert_eq!(in_lua(&redis, &split("is_less_integer"), &args), texts(&less));
        }
    });
}
