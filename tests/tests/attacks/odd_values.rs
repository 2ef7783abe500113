//! Odd ids, and odd company: units, pipelines, hooks.

use redis_model::Unit;
use redis_model::prelude::*;
use redis_model::redis_rest::AutoPipelining;

use crate::{User, no_drift, servers, user};

#[tokio::test]
async fn any_text_without_a_colon_is_an_id() -> Result<()> {
    let ids = [
        "rows",
        "expiry",
        " ",
        "a b",
        "a\0b",
        "\0",
        "\u{1}",
        "\u{2}",
        "ü",
        "\u{10ffff}",
        "=",
        ";",
        "\"",
        "\n",
        "{x}",
        "*",
        "[a]",
    ];
    for server in servers() {
        let redis = &server.redis();
        for (n, id) in ids.iter().enumerate() {
            user(id, &format!("{n}\0{id}")).insert(redis).await?;
            User::patch(*id).incr(User::VISITS, 1).exec(redis).await?;
        }
        for id in ["", ":", ":rows", "a:b"] {
            assert!(user(id, "x").insert(redis).await.unwrap_err().is_invalid_input(), "{id:?}");
        }
        for (n, id) in ids.iter().enumerate() {
            let found = User::find_by(redis, User::EMAIL, format!("{n}\0{id}")).await?.unwrap();
            assert_eq!((found.id.as_str(), found.visits), (*id, 1));
        }
        assert_eq!(User::query().range(User::EMAIL, ..).limit(1000).fetch(redis).await?.items.len(), ids.len());

        let (mut one_by_one, mut count) = (User::query().order_by_desc(User::EMAIL).limit(1), 0);
        loop {
            let page = one_by_one.clone().ids(redis).await?;
            count += page.items.len();
            let Some(cursor) = page.cursor else { break };
            one_by_one = one_by_one.after(cursor.to_string().parse()?);
        }
        assert_eq!(count, ids.len());
        no_drift::<User>(redis).await?;
        assert_eq!(User::query().range(User::EMAIL, ..).delete(redis).await?, ids.len() as u64);
        no_drift::<User>(redis).await?;
    }
    Ok(())
}

#[tokio::test]
async fn no_value_matches_nothing() -> Result<()> {
    for server in servers() {
        let redis = &server.redis();
        user("a", "a@x").insert(redis).await?;
        let nothing = User::query().any_of(User::EMAIL, Vec::<String>::new());
        assert_eq!(nothing.clone().count(redis).await?, 0);
        assert_eq!(nothing.clone().first(redis).await?, None);
        assert!(!nothing.clone().exists(redis).await?);
        assert_eq!(nothing.clone().delete(redis).await?, 0);
        nothing.explain(redis).await?;
        assert!(User::exists(redis, "a").await?);
    }
    Ok(())
}

mod small {
    use redis_model::prelude::*;

    #[derive(Debug, Clone, PartialEq, RedisModel)]
    #[redis(prefix = "view")]
    pub(super) struct View {
        #[redis(id)]
        pub(super) id: u64,
        #[redis(unique)]
        pub(super) name: String,
    }
}

#[derive(Debug, Clone, PartialEq, RedisModel)]
#[redis(prefix = "view")]
struct View {
    #[redis(id)]
    id: u64,
    #[redis(unique)]
    name: String,
    bio: Option<String>,
}

/// Two structs of one model: a full one and a small one.
#[tokio::test]
async fn two_structs_of_one_model_share_its_unique_values() -> Result<()> {
    for server in servers() {
        let redis = &server.redis();
        let (full, small) = (View { id: 1, name: "x".into(), bio: None }, small::View { id: 2, name: "x".into() });
        let error = Unit::new().insert(&full).insert(&small).commit(redis).await.unwrap_err();
        assert!(error.is_duplicate(), "{error}");
        assert_eq!((error.operation(), error.owner()), (Some(1), Some("1")));
        assert!(!View::exists(redis, 1).await?);
    }
    Ok(())
}

#[tokio::test]
async fn each_command_of_a_pipeline_has_its_own_outcome() -> Result<()> {
    for server in servers() {
        let redis = &server.redis();
        let (one, two) = (user("1", "a@x"), user("2", "a@x"));
        let mut batch = redis.batch();
        let slots = (batch.insert(&one), batch.insert(&two), batch.set("key", 1));
        let found = batch.find_by::<User, _, _, _>(User::EMAIL, "a@x");
        let replies = batch.exec().await?;
        replies.take(slots.0)?;
        let error = replies.take(slots.1).unwrap_err();
        assert_eq!((error.is_duplicate(), error.owner(), error.key()), (true, Some("1"), Some("user:2")), "{error}");
        replies.take(slots.2)?;
        assert_eq!(replies.take(found)?, Some(one));
        no_drift::<User>(redis).await?;
    }
    Ok(())
}

/// Writes that look again after a refusal do so when the client pipelines them by itself.
#[tokio::test]
async fn auto_pipelining_recovers_too() -> Result<()> {
    for server in servers() {
        let redis = &server.builder().auto_pipelining(AutoPipelining::new()).build()?;
        redis.hset("user:raw", [("id", "raw"), ("email", "raw@x"), ("visits", "3")]).await?;
        user("gone", "taken@x").insert(redis).await?;
        redis.del(["user:gone"]).await?;
        let new = user("new", "taken@x");
        let (patched, inserted) = tokio::join!(User::patch("raw").incr(User::VISITS, 1).exec(redis), new.insert(redis));
        patched?;
        inserted?;
        assert_eq!(User::find_by(redis, User::EMAIL, "raw@x").await?.unwrap().visits, 4);
        assert_eq!(User::find_by(redis, User::EMAIL, "taken@x").await?.unwrap().id, "new");
    }
    Ok(())
}

#[derive(Debug, Clone, PartialEq, RedisModel)]
#[redis(prefix = "hook", before_save = Hook::stamp)]
struct Hook {
    #[redis(id)]
    id: u64,
    #[redis(index)]
    age: u8,
}

impl Hook {
    fn stamp(&mut self) {
        assert!(self.age != 13, "unlucky");
    }
}

#[tokio::test]
async fn a_hook_that_panics_does_no_harm_to_others() -> Result<()> {
    for server in servers() {
        let redis = server.redis();
        let other = redis.clone();
        let task = tokio::spawn(async move { Hook { id: 1, age: 13 }.insert(&other).await });
        assert!(task.await.is_err());
        Hook { id: 1, age: 12 }.insert(&redis).await?;
        assert_eq!(Hook::query().eq(Hook::AGE, 12).count(&redis).await?, 1);
    }
    Ok(())
}
