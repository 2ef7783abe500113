//! Many fields, many records, many values, and no memory left.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use redis_model::Unit;
use redis_model::hash::SaveOptions;
use redis_model::prelude::*;

use crate::{no_drift, servers};

/// More than Lua's `unpack` takes at once.
const FIELDS: usize = 10_000;

fn rest(prefix: &str) -> BTreeMap<String, String> {
    (0..FIELDS).map(|n| (format!("f{n}"), format!("{prefix}{n}"))).collect()
}

#[derive(Debug, Clone, PartialEq, RedisModel)]
#[redis(prefix = "huge")]
struct Huge {
    #[redis(id)]
    id: u64,
    #[redis(index)]
    age: u8,
    #[redis(unknown)]
    rest: BTreeMap<String, String>,
}

/// The same, split into partitions, with loads that make it live on.
#[derive(Debug, Clone, PartialEq, RedisModel)]
#[redis(prefix = "wide", partitions = 3, ttl = "1h", sliding)]
struct Wide {
    #[redis(id)]
    id: u64,
    #[redis(index)]
    age: u8,
    #[redis(version)]
    version: u64,
    #[redis(unknown)]
    rest: BTreeMap<String, String>,
}

/// The same without indexes.
#[derive(Debug, Clone, PartialEq, RedisModel)]
#[redis(prefix = "plain")]
struct Plain {
    #[redis(id)]
    id: u64,
    #[redis(unknown)]
    rest: BTreeMap<String, String>,
}

#[tokio::test]
async fn a_record_of_10_000_fields_with_an_index() -> Result<()> {
    for server in servers() {
        let redis = &server.redis();
        let huge = Huge { id: 1, age: 3, rest: rest("") };
        huge.insert(redis).await?;
        assert_eq!(Huge::load(redis, 1).await?.as_ref(), Some(&huge));
        assert!(huge.insert(redis).await.unwrap_err().is_already_exists());
        huge.save(redis).await?;
        Huge::patch(1).incr(Huge::AGE, 1).exec(redis).await?;

        let changed = Huge { age: 4, rest: rest("x"), ..huge.clone() };
        huge.diff(&changed).exec(redis).await?;
        assert_eq!(Huge::load(redis, 1).await?.as_ref(), Some(&changed));
        let query = Huge::query().eq(Huge::AGE, 4);
        assert_eq!(query.clone().fetch(redis).await?.items.as_slice(), std::slice::from_ref(&changed));
        assert_eq!(query.clone().in_one_request().fetch(redis).await?.items.as_slice(), std::slice::from_ref(&changed));
        assert_eq!(query.patch(redis, |patch| patch.set(Huge::AGE, 5)).await?, 1);

        let bare = Huge { age: 5, rest: BTreeMap::new(), ..changed.clone() };
        Huge { age: 5, ..changed }.diff(&bare).exec(redis).await?;
        assert_eq!(Huge::load(redis, 1).await?, Some(bare));
        no_drift::<Huge>(redis).await?;
    }
    Ok(())
}

/// Another program has written it, so no index knows it.
#[tokio::test]
async fn a_raw_record_of_10_000_fields() -> Result<()> {
    for server in servers() {
        let redis = &server.redis();
        for key in ["wide:1", "wide:2"] {
            redis.hset(key, rest("")).await?;
            redis.hset(key, [("id", &key[5..]), ("age", "3")]).await?;
        }
        // The patch adds the first to the indexes, `reindex` the second.
        Wide::patch(1).set(Wide::AGE, 4).exec(redis).await?;
        let _ = Wide::reindex_to_end(redis).await?;
        no_drift::<Wide>(redis).await?;
        assert_eq!(Wide::query().range(Wide::AGE, 3..).count(redis).await?, 2);

        let mut loaded = Wide::load(redis, 1).await?.unwrap();
        assert_eq!((loaded.age, loaded.version, loaded.rest.len()), (4, 1, FIELDS));
        loaded.version = loaded.save(redis).await?;
        loaded.version = loaded.update_with(redis, SaveOptions::new().persist()).await?;
        assert!(Unit::new().insert(&loaded).commit(redis).await.unwrap_err().is_already_exists());
        assert_eq!(Wide::load(redis, 1).await?, Some(loaded.clone()));
        let two = Wide { id: 2, version: 0, ..loaded.clone() };
        Unit::new().save(&loaded).save(&two).commit(redis).await?;
        assert_eq!(Wide::query().eq(Wide::AGE, 4).fetch(redis).await?.items.len(), 2);
        assert!(Wide::delete_version(redis, 1, loaded.version + 1).await?);
        assert_eq!(Wide::query().eq(Wide::AGE, 4).delete(redis).await?, 1);
        assert_eq!(Wide::query().range(Wide::AGE, ..).count(redis).await?, 0);
        no_drift::<Wide>(redis).await?;
    }
    Ok(())
}

#[tokio::test]
async fn a_plain_record_of_10_000_fields() -> Result<()> {
    for server in servers() {
        let redis = &server.redis();
        let plain = Plain { id: 1, rest: rest("") };
        plain.insert(redis).await?;
        assert!(plain.insert(redis).await.unwrap_err().is_already_exists());
        let changed = Plain { rest: rest("x"), ..plain.clone() };
        changed.update(redis).await?;
        assert_eq!(Plain::load(redis, 1).await?, Some(changed));
        assert!(plain.save(redis).exactly_once().await.unwrap_err().is_invalid_input(), "it says how many it takes");
        plain.save(redis).await?;
        assert_eq!(Plain::load(redis, 1).await?.as_ref(), Some(&plain));
        plain.diff(&Plain { rest: BTreeMap::new(), ..plain.clone() }).exec(redis).await?;
        assert_eq!(redis.hlen("plain:1").await?, 1);
        assert!(Plain::delete(redis, 1).await?);
    }
    Ok(())
}

#[derive(Debug, Clone, PartialEq, RedisModel)]
#[redis(prefix = "part", partitions = 4)]
struct Part {
    #[redis(id)]
    id: u64,
    #[redis(unique)]
    name: Option<String>,
    #[redis(index)]
    tags: Vec<String>,
}

fn part(id: u64, name: &str) -> Part {
    Part { id, name: Some(name.into()), tags: vec!["t".into()] }
}

#[tokio::test]
async fn a_unit_moves_a_thousand_unique_values_on() -> Result<()> {
    for server in servers() {
        let redis = &server.redis();
        let records = (1..=1000).map(|id| part(id, &format!("n{id}")));
        records.fold(Unit::new(), |unit, record| unit.insert(&record)).commit(redis).await?;
        let moves = (1..=1000_u64).map(|id| Part::patch(id).set(Part::NAME, format!("n{}", id % 1000 + 1)));
        moves.fold(Unit::new(), Unit::patch).commit(redis).await?;
        assert_eq!(Part::find_by(redis, Part::NAME, "n1").await?.unwrap().id, 1000);
        no_drift::<Part>(redis).await?;
        let tagged = Part::query().contains(Part::TAGS, "t").limit(700);
        assert_eq!(tagged.clone().count(redis).await?, 1000);
        assert_eq!(tagged.clone().delete(redis).await?, 700);
        assert_eq!(tagged.ids(redis).await?.items.len(), 300);
        no_drift::<Part>(redis).await?;
    }
    Ok(())
}

#[derive(Debug, Clone, PartialEq, RedisModel)]
#[redis(prefix = "many", index(city, age))]
struct Many {
    #[redis(id)]
    id: u64,
    #[redis(index)]
    tags: Vec<u32>,
    city: String,
    age: u32,
}

#[tokio::test]
async fn a_query_with_many_values_does_not_block_the_server() -> Result<()> {
    for server in servers() {
        let redis = &server.redis();
        let many = |id: u32| Many { id: id.into(), tags: vec![id, 50_000, 50_001], city: "x".into(), age: id };
        for start in 0..4 {
            let records = (start * 500..start * 500 + 500).map(many);
            records.fold(Unit::new(), |unit, record| unit.insert(&record)).commit(redis).await?;
        }
        for count in [10, 1000] {
            let started = Instant::now();
            let query = Many::query().contains_any(Many::TAGS, (0..count).chain([50_000])).limit(1000);
            assert_eq!(query.ids(redis).await?.items.len(), 1000);
            assert!(started.elapsed() < Duration::from_secs(5), "{count} values: {:?}", started.elapsed());
        }
        let query = Many::query().eq(Many::CITY, "x").any_of(Many::AGE, 0..5000).limit(usize::MAX);
        assert_eq!(query.ids(redis).await?.items.len(), 2000);
    }
    Ok(())
}

/// A full server refuses what needs memory, before anything is changed.
#[tokio::test]
async fn a_full_server_has_indexes_that_fit() -> Result<()> {
    for server in servers() {
        let redis = &server.redis();
        for id in 1..=50 {
            part(id, &format!("n{id}")).insert(redis).await?;
        }
        let config = |name: &'static str, value: &'static str| redis.execute::<String>(["CONFIG", "SET", name, value]);
        config("maxmemory-policy", "noeviction").await?;
        config("maxmemory", "1").await?;
        let refused = [
            part(99, "new").insert(redis).await,
            part(1, "other").save(redis).await,
            Part::patch(2).set(Part::NAME, "other").exec(redis).await,
        ];
        for result in refused {
            assert_eq!(result.unwrap_err().code(), Some("OOM"));
        }
        // Whether the server deletes or refuses, the indexes fit.
        let deleted = Part::delete(redis, 4).await.is_ok();
        config("maxmemory", "0").await?;
        no_drift::<Part>(redis).await?;
        assert_eq!(Part::load(redis, 1).await?, Some(part(1, "n1")));
        assert_eq!(Part::load(redis, 2).await?, Some(part(2, "n2")));
        assert_eq!(Part::exists(redis, 4).await?, !deleted);
    }
    Ok(())
}
