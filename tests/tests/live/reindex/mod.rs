//! Indexes that were changed, lost, or bypassed: `verify` finds what is wrong, and `reindex` repairs it.

mod layouts;
mod repair;
mod runs;
mod scripts;
mod writers;

use std::time::Duration;

use redis_model::hash::Drift;
use redis_model::prelude::*;

/// A model with a version of the program before a change, and one after it.
mod account {
    pub(crate) mod before {
        use redis_model::prelude::*;

        #[derive(Debug, Clone, PartialEq, RedisModel)]
        #[redis(prefix = "re-account")]
        pub(crate) struct Account {
            #[redis(id)]
            pub(crate) id: u64,
            #[redis(unique)]
            pub(crate) email: String,
            #[redis(index)]
            pub(crate) plan: String,
            #[redis(index)]
            pub(crate) age: u8,
            pub(crate) country: String,
        }
    }

    pub(crate) mod after {
        use redis_model::prelude::*;

        /// `plan` is in no index any more, `country` is in one, and `age` is text.
        #[derive(Debug, Clone, PartialEq, RedisModel)]
        #[redis(prefix = "re-account", index(country, age))]
        pub(crate) struct Account {
            #[redis(id)]
            pub(crate) id: u64,
            #[redis(unique)]
            pub(crate) email: String,
            pub(crate) plan: String,
            #[redis(index)]
            pub(crate) age: String,
            #[redis(index)]
            pub(crate) country: String,
        }
    }
}

fn email(id: u64) -> String {
    format!("{id}@example.org")
}

#[derive(Debug, Clone, PartialEq, RedisModel)]
#[redis(prefix = "re-user", index(country, age))]
struct User {
    #[redis(id)]
    id: u64,
    #[redis(unique)]
    email: String,
    #[redis(index)]
    country: String,
    #[redis(index)]
    age: u8,
    #[redis(index)]
    tags: Vec<String>,
}

fn user(id: u64) -> User {
    User { id, email: email(id), country: "TR".into(), age: 36, tags: vec!["a".into(), "b".into()] }
}

fn sorted(mut drifts: Vec<Drift>) -> Vec<Drift> {
    drifts.sort_by_key(|drift| format!("{drift:?}"));
    drifts
}

/// Writes behind the mapper's back.
async fn disturb(redis: &Redis) -> Result<()> {
    redis.hset("re-user:0", [("country", "UK"), ("age", "7")]).await?;
    redis.del("re-user:1").await?;
    let new = [("id", "100"), ("email", "new@example.org"), ("country", "UK"), ("age", "7"), ("tags", "[]")];
    redis.hset("re-user:100", new).await?;
    redis.zrem("re-user::index:country", "TR\u{0}2").await?;
    redis.zrem("re-user::index:email", format!("{}\u{0}2", email(2))).await?;
    redis.zadd("re-user::index:tags", [(0.0, "x\u{0}3")]).await?;
    redis.zadd("re-user::index:age", [(0.0, "no separator")]).await?;
    redis.pexpire("re-user:4", Duration::from_secs(1000)).await?;
    redis.zadd("re-user::expiry", [(9e12, "77")]).await?;
    redis.hset("re-user:5", [("age", "old")]).await?;
    redis.hset("re-user:6", [("email", "e".repeat(1025))]).await?;
    redis.hset("re-user::rows", [("seven", "row of something that is not an id")]).await?;
    redis.del("re-user:8").await?;
    redis.set("re-user:8", "not a record").await?;
    Ok(())
}

#[derive(Debug, Clone, PartialEq, RedisModel)]
#[redis(prefix = "re-member")]
struct Member {
    #[redis(id)]
    id: u64,
    #[redis(unique)]
    email: String,
}

mod parts {
    pub(crate) mod one {
        use redis_model::prelude::*;

        #[derive(Debug, Clone, PartialEq, RedisModel)]
        #[redis(prefix = "re-parts")]
        pub(crate) struct Thing {
            #[redis(id)]
            pub(crate) id: u64,
            #[redis(unique)]
            pub(crate) name: String,
            #[redis(index)]
            pub(crate) kind: String,
        }
    }

    pub(crate) mod four {
        use redis_model::prelude::*;

        #[derive(Debug, Clone, PartialEq, RedisModel)]
        #[redis(prefix = "re-parts", partitions = 4)]
        pub(crate) struct Thing {
            #[redis(id)]
            pub(crate) id: u64,
            #[redis(unique)]
            pub(crate) name: String,
            #[redis(index)]
            pub(crate) kind: String,
        }
    }

    pub(crate) mod eight {
        use redis_model::prelude::*;

        #[derive(Debug, Clone, PartialEq, RedisModel)]
        #[redis(prefix = "re-parts", partitions = 8)]
        pub(crate) struct Thing {
            #[redis(id)]
            pub(crate) id: u64,
            #[redis(unique)]
            pub(crate) name: String,
        }
    }
}
