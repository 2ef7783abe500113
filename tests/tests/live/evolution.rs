//! Records of an earlier version of a program, and hooks, on all paths of a real server.

use std::collections::BTreeMap;

use redis_model::hash::StoredFields;
use redis_model::prelude::*;
use redis_model::{ErrorKind, Unit};
use redis_model_tests::own_stack;

/// What the first version of the program has written.
#[derive(Debug, RedisModel)]
#[redis(prefix = "customer")]
struct Old {
    #[redis(id)]
    id: u64,
    full_name: String,
    /// In words.
    level: String,
    town: String,
}

#[derive(Debug, Clone, PartialEq, RedisModel)]
#[redis(prefix = "customer", schema_version = 2, upgrade = upgrade)]
#[redis(validate = Customer::check, before_save = Customer::normalize, after_load = Customer::loaded)]
struct Customer {
    #[redis(id)]
    id: u64,
    name: String,
    #[redis(from = String, convert = level)]
    level: Option<u8>,
    #[redis(unknown)]
    rest: BTreeMap<String, String>,
    #[redis(skip)]
    loads: u32,
}

impl Customer {
    fn check(&self) -> Result<(), String> {
        if self.name.is_empty() { Err("the name is empty".into()) } else { Ok(()) }
    }

    fn normalize(&mut self) {
        self.name = self.name.trim().to_owned();
    }

    fn loaded(&mut self) {
        self.loads += 1;
    }
}

fn upgrade(customer: &mut StoredFields, _from: u32) -> std::result::Result<(), &'static str> {
    if customer.rename("full_name", "name") || customer.contains("name") { Ok(()) } else { Err("no name") }
}

#[expect(clippy::needless_pass_by_value, reason = "a conversion takes the old value")]
fn level(word: String) -> std::result::Result<u8, String> {
    match word.as_str() {
        "low" => Ok(1),
        "high" => Ok(9),
        _ => Err(format!("\"{word}\" is neither low nor high")),
    }
}

fn customer(id: u64, name: &str) -> Customer {
    Customer {
        id,
        name: name.into(),
        level: Some(9),
        rest: BTreeMap::from([("town".into(), "Izmir".into())]),
        loads: 1,
    }
}

#[tokio::test]
async fn an_older_record_is_read_and_written_everywhere() -> Result<()> {
    let stack = own_stack();
    let redis = stack.redis();
    for id in 1..=2 {
        Old { id, full_name: format!("Ada {id}"), level: "high".into(), town: "Izmir".into() }.save(&redis).await?;
    }
    let expected = [customer(1, "Ada 1"), customer(2, "Ada 2")];
    assert_eq!(Customer::load(&redis, 1).await?.as_ref(), Some(&expected[0]));
    assert_eq!(Customer::load_many(&redis, [1, 2]).await?, expected.clone().map(Some));
    let ((), hashed) =
        redis.pipeline().ping().hgetall::<Option<Customer>>("customer:2").exec().await.map(|(_, one)| ((), one))?;
    assert_eq!(hashed.as_ref(), Some(&expected[1]));
    let mut scanned = Vec::new();
    let mut pages = Customer::scan(&redis);
    while let Some(found) = pages.next().await {
        scanned.push(found?);
    }
    scanned.sort_by_key(|customer| customer.id);
    assert_eq!(scanned, expected);
    assert_eq!(Customer::load_field(&redis, 1, Customer::LEVEL).await?, Some(9));

    // Written, a record is of the current version. What the model does not know remains, but not what the upgrade has renamed.
    let ada = &expected[0];
    ada.update(&redis).await?;
    let stored: BTreeMap<String, String> = redis.hgetall("customer:1").await?;
    let pairs = [(":schema", "2"), ("id", "1"), ("level", "9"), ("name", "Ada 1"), ("town", "Izmir")];
    assert_eq!(stored.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect::<Vec<_>>(), pairs);

    // A copy has the unknown fields, too.
    Customer { id: 3, ..ada.clone() }.insert(&redis).await?;
    assert_eq!(redis.hget("customer:3", "town").await?, Some("Izmir".to_owned()));
    assert_eq!(Customer::load(&redis, 3).await?, Some(Customer { id: 3, ..ada.clone() }));

    redis.hset("customer:3", [(":schema", "3")]).await?;
    let error = Customer::load(&redis, 3).await.unwrap_err();
    assert_eq!((error.kind(), error.model(), error.key()), (ErrorKind::Decode, Some("Customer"), Some("customer:3")));
    assert!(error.to_string().contains("schema version 3, and this program knows 2"), "{error}");
    redis.hset("customer:1", [("level", "middle")]).await?;
    let error = Customer::load(&redis, 1).await.unwrap_err();
    assert_eq!((error.kind(), error.field()), (ErrorKind::Decode, Some("level")));
    Ok(())
}

#[tokio::test]
async fn hooks_run_on_every_path() -> Result<()> {
    let stack = own_stack();
    let redis = stack.redis();
    let stored = async |id: u64| redis.hget::<String>(&format!("customer:{id}"), "name").await;
    let spaced = |id| customer(id, "  Ada ");
    spaced(1).insert(&redis).await?;
    spaced(2).save(&redis).await?;
    spaced(2).update(&redis).await?;
    Customer::save_many(&redis, &[spaced(3), spaced(4)]).await?.all()?;
    Unit::new().insert(&spaced(5)).save(&spaced(6)).commit(&redis).await?;
    let ((), ()) = redis.transaction().save(&spaced(7)).insert(&spaced(8)).exec().await?;
    for id in 1..=8 {
        assert_eq!(stored(id).await?.as_deref(), Some("Ada"), "{id}");
    }

    let empty = |id| customer(id, " ");
    for error in [
        empty(1).save(&redis).await.unwrap_err(),
        empty(9).insert(&redis).await.unwrap_err(),
        empty(1).update(&redis).await.unwrap_err(),
        Unit::new().save(&spaced(1)).save(&empty(2)).commit(&redis).await.unwrap_err(),
        redis.pipeline().save(&empty(1)).exec().await.unwrap_err(),
        Customer::save_many(&redis, &[empty(1)]).await?.all().unwrap_err(),
    ] {
        assert_eq!(error.kind(), ErrorKind::InvalidInput);
        let text = error.to_string();
        assert!(text.contains("Customer") && text.contains("the record is not valid: the name is empty"), "{text}");
        assert!(!error.may_have_executed());
    }
    assert_eq!(stored(1).await?.as_deref(), Some("Ada"));
    assert_eq!(Customer::load(&redis, 1).await?.map(|customer| customer.loads), Some(1));
    Ok(())
}

/// With an index: the row is that of the upgraded record.
#[derive(Debug, Clone, PartialEq, RedisModel)]
#[redis(prefix = "customer", schema_version = 2, upgrade = upgrade, validate = Indexed::check)]
struct Indexed {
    #[redis(id)]
    id: u64,
    #[redis(index)]
    name: String,
    #[redis(index, from = String, convert = level)]
    level: u8,
    #[redis(version)]
    version: u64,
}

impl Indexed {
    fn check(&self) -> Result<(), &'static str> {
        if self.name == "forbidden" { Err("forbidden") } else { Ok(()) }
    }
}

#[tokio::test]
async fn an_upgraded_record_has_a_row_of_its_own() -> Result<()> {
    let stack = own_stack();
    let redis = stack.redis();
    for (id, name) in [(1, "Ada"), (2, "forbidden")] {
        Old { id, full_name: name.into(), level: "high".into(), town: "Izmir".into() }.save(&redis).await?;
        redis.hset(format!("customer:{id}"), [("version", "4")]).await?;
    }
    let mut ada = Indexed::load(&redis, 1).await?.unwrap();
    assert_eq!((ada.name.as_str(), ada.level, ada.version), ("Ada", 9, 4));
    ada.version = ada.save(&redis).await?;
    assert_eq!(Indexed::load(&redis, 1).await?, Some(ada));
    assert!(Indexed::query().eq(Indexed::NAME, "Ada").eq(Indexed::LEVEL, 9).exists(&redis).await?);

    // A patch knows the fields of the current version only. A record that a write would refuse has a row nevertheless.
    let error = Indexed::patch(2).set(Indexed::LEVEL, 3).exec(&redis).await.unwrap_err();
    assert!(error.is_conflict() && error.field() == Some(":schema"), "{error}");
    assert!(Indexed::reindex_to_end(&redis).await?.errors.is_empty());
    assert_eq!(Indexed::query().eq(Indexed::NAME, "forbidden").ids(&redis).await?.into_iter().next(), Some(2));
    Ok(())
}
