//! The rows and entries that writes leave behind.

use std::time::Duration;

use redis_model::ErrorKind;
use redis_model::commands::sorted_set::ZRange;
use redis_model::hash::SaveOptions;
use redis_model::prelude::*;
use redis_model_tests::own_stack_in_english;

use super::{Item, User, about, entries, item, on_each_server, user};

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
