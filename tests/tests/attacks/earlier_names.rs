//! Fields that had another name: aliases and upgrades.

use std::collections::BTreeMap;

use redis_model::hash::StoredFields;
use redis_model::prelude::*;

use crate::{no_drift, servers};

#[derive(Debug, Clone, PartialEq, RedisModel)]
#[redis(prefix = "member")]
struct Member {
    #[redis(id)]
    id: u64,
    #[redis(alias = "nick")]
    handle: Option<String>,
    #[redis(alias = "hits")]
    visits: u32,
}

async fn store_member(redis: &Redis) -> Result<()> {
    redis.del("member:1").await?;
    redis.hset("member:1", [("id", "1"), ("nick", "ada"), ("hits", "7")]).await?;
    Ok(())
}

#[tokio::test]
async fn none_is_none_under_each_name() -> Result<()> {
    for server in servers() {
        let redis = &server.redis();
        store_member(redis).await?;
        let record = Member { handle: None, ..Member::load(redis, 1).await?.unwrap() };
        record.save(redis).await?;
        assert_eq!(Member::load(redis, 1).await?.as_ref(), Some(&record));

        // Set by one difference, cleared by the next.
        store_member(redis).await?;
        let before = Member::load(redis, 1).await?.unwrap();
        let changed = Member { handle: Some("grace".into()), ..before.clone() };
        before.diff(&changed).exec(redis).await?;
        let loaded = Member::load(redis, 1).await?.unwrap();
        assert_eq!(loaded, changed);
        loaded.diff(&record).exec(redis).await?;
        assert_eq!(Member::load(redis, 1).await?, Some(record));
    }
    Ok(())
}

/// Both names are stored: a load, an increment and a condition agree about which of them counts.
#[tokio::test]
async fn the_name_of_today_counts() -> Result<()> {
    for server in servers() {
        let redis = &server.redis();
        store_member(redis).await?;
        redis.hset("member:1", [("visits", "50")]).await?;
        assert_eq!(Member::load(redis, 1).await?.unwrap().visits, 50);
        let visits = Member::patch(1).if_eq(Member::VISITS, 50).incr(Member::VISITS, 1).returning(Member::VISITS);
        assert_eq!(visits.exec(redis).await?, Some(51));
        assert_eq!(Member::load(redis, 1).await?.unwrap().visits, 51);
    }
    Ok(())
}

#[derive(Debug, Clone, PartialEq, RedisModel)]
#[redis(prefix = "account")]
struct Account {
    #[redis(id)]
    id: u64,
    #[redis(index, alias = "nick")]
    handle: Option<String>,
}

#[tokio::test]
async fn a_difference_of_an_indexed_field_is_no_drift() -> Result<()> {
    for server in servers() {
        let redis = &server.redis();
        redis.hset("account:1", [("id", "1"), ("nick", "ada")]).await?;
        let _ = Account::reindex_to_end(redis).await?;
        let before = Account::load(redis, 1).await?.unwrap();
        assert_eq!(Account::query().eq(Account::HANDLE, "ada").ids(redis).await?.items, [1]);
        before.diff(&Account { handle: None, ..before.clone() }).exec(redis).await?;
        no_drift::<Account>(redis).await?;
    }
    Ok(())
}

fn upgrade(record: &mut StoredFields, _: u32) -> std::result::Result<(), &'static str> {
    record.rename("hits", "visits");
    record.remove("draft");
    // Removed and set again: it is one of today's.
    record.remove("level");
    record.set("level", "1");
    Ok(())
}

#[derive(Debug, Clone, PartialEq, RedisModel)]
#[redis(prefix = "guest", schema_version = 2, upgrade = upgrade)]
struct Guest {
    #[redis(id)]
    id: u64,
    visits: u64,
    #[redis(unknown)]
    rest: BTreeMap<String, String>,
}

/// The same with an index.
#[derive(Debug, Clone, PartialEq, RedisModel)]
#[redis(prefix = "client", schema_version = 2, upgrade = upgrade)]
struct Client {
    #[redis(id)]
    id: u64,
    #[redis(index)]
    visits: u64,
    #[redis(unknown)]
    rest: BTreeMap<String, String>,
}

const STORED: [(&str, &str); 6] =
    [("id", "1"), ("hits", "100"), ("draft", "x"), ("level", "7"), ("theirs", "kept"), ("more", "kept too")];

fn rest<const N: usize>(fields: [(&str, &str); N]) -> BTreeMap<String, String> {
    fields.into_iter().map(|(name, text)| (name.to_owned(), text.to_owned())).collect()
}

/// What an upgrade has renamed or removed is no unknown field after the next save, and what others add is still one.
#[tokio::test]
async fn a_saved_record_has_no_names_of_before_its_upgrade() -> Result<()> {
    for server in servers() {
        let redis = &server.redis();
        redis.hset("guest:1", STORED).await?;
        let loaded = Guest::load(redis, 1).await?.unwrap();
        let unknown = rest([("level", "1"), ("more", "kept too"), ("theirs", "kept")]);
        assert_eq!(loaded, Guest { id: 1, visits: 100, rest: unknown });
        loaded.save(redis).await?;
        assert_eq!(Guest::load(redis, 1).await?.as_ref(), Some(&loaded));
        assert_eq!(redis.hlen("guest:1").await?, 6, "id, visits, :schema and what is unknown");

        // A field with such a name that the record has by itself.
        let own = Guest { id: 2, visits: 1, rest: rest([("hits", "mine")]) };
        own.save(redis).await?;
        own.update(redis).await?;
        assert_eq!(Guest::load(redis, 2).await?, Some(own));

        redis.hset("client:1", STORED).await?;
        let _ = Client::reindex_to_end(redis).await?;
        let loaded = Client::load(redis, 1).await?.unwrap();
        loaded.update(redis).await?;
        assert_eq!(Client::load(redis, 1).await?, Some(loaded));
        no_drift::<Client>(redis).await?;
    }
    Ok(())
}
