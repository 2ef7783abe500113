//! Patches, units of work, and records that are loaded, changed and saved.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use redis_model::commands::expiry::Ttl;
use redis_model::commands::sorted_set::ZRange;
use redis_model::prelude::*;
use redis_model::{ErrorKind, SaveOptions, Unit};
use redis_model_tests::{stack, valkey};
use serde_derive::{Deserialize, Serialize};

#[derive(Debug, Clone, Copy, PartialEq, RedisModel)]
#[redis(rename_all = "lowercase")]
enum Country {
    Tr,
    Uk,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Settings {
    dark: bool,
}

#[derive(Debug, Clone, PartialEq, RedisModel)]
#[redis(embedded)]
struct Address {
    city: String,
    zip: Option<String>,
}

/// A model without indexes.
#[derive(Debug, Clone, PartialEq, RedisModel)]
#[redis(prefix = "pa-plain")]
struct Plain {
    #[redis(id)]
    id: u64,
    name: String,
    bio: Option<String>,
    visits: i64,
    level: u8,
    score: f64,
    country: Country,
    #[redis(json)]
    settings: Settings,
    #[redis(flatten)]
    address: Address,
    #[redis(alias = "nick")]
    nickname: Option<String>,
}

/// One with indexes and a version.
#[derive(Debug, Clone, PartialEq, RedisModel)]
#[redis(prefix = "pa-user", index(country, age))]
struct User {
    #[redis(id)]
    id: u64,
    #[redis(unique)]
    email: String,
    #[redis(index)]
    country: Country,
    #[redis(index)]
    age: u8,
    #[redis(index)]
    tags: Vec<String>,
    visits: i64,
    bio: Option<String>,
    #[redis(version)]
    version: u64,
}

fn plain(id: u64) -> Plain {
    Plain {
        id,
        name: "Ada".into(),
        bio: Some("Mathematician".into()),
        visits: 7,
        level: 250,
        score: 0.5,
        country: Country::Uk,
        settings: Settings { dark: false },
        address: Address { city: "London".into(), zip: None },
        nickname: None,
    }
}

fn user(id: u64) -> User {
    User {
        id,
        email: format!("{id}@example.org"),
        country: Country::Tr,
        age: 36,
        tags: vec!["a".into(), "b".into()],
        visits: 0,
        bio: None,
        version: 0,
    }
}

/// Returns the entries of an index that belong to this record.
async fn entries(redis: &Redis, index: &str, id: u64) -> Result<Vec<String>> {
    let all: Vec<String> = redis.zrange(format!("pa-user::index:{index}"), ZRange::rank(0, -1)).await?;
    let end = format!("\0{id}");
    Ok(all.iter().filter_map(|entry| entry.strip_suffix(&end)).map(str::to_owned).collect())
}

#[tokio::test]
async fn a_plain_record_is_changed_field_by_field() -> Result<()> {
    for redis in [stack().redis(), valkey().redis()] {
        plain(1).save(&redis).await?;
        let patch = Plain::patch(1)
            .set(Plain::NAME, "Ada L.")
            .set(Plain::COUNTRY, Country::Tr)
            .set(Plain::SETTINGS, Settings { dark: true })
            .set(Plain::ADDRESS.field(Address::CITY), "Izmir")
            .set(Plain::ADDRESS.field(Address::ZIP), "35000")
            .clear(Plain::BIO)
            .incr(Plain::VISITS, 1)
            .incr(Plain::LEVEL, 5)
            .incr_by_float(Plain::SCORE, 0.25);
        let (visits, city) = patch.returning((Plain::VISITS, Plain::ADDRESS.field(Address::CITY))).exec(&redis).await?;
        assert_eq!((visits, city.as_deref()), (Some(8), Some("Izmir")));
        let expected = Plain {
            name: "Ada L.".into(),
            country: Country::Tr,
            settings: Settings { dark: true },
            address: Address { city: "Izmir".into(), zip: Some("35000".into()) },
            bio: None,
            visits: 8,
            level: 255,
            score: 0.75,
            ..plain(1)
        };
        assert_eq!(Plain::load(&redis, 1).await?, Some(expected));

        Plain::patch(1).append(Plain::NAME, " Byron").set_if_absent(Plain::NAME, "no").exec(&redis).await.unwrap_err();
        Plain::patch(1).append(Plain::NAME, " Byron").set_if_absent(Plain::BIO, "b").exec(&redis).await?;
        Plain::patch(1)
            .set_if_absent(Plain::BIO, "c")
            .set(Plain::ADDRESS.field(Address::ZIP), None)
            .exec(&redis)
            .await?;
        let loaded = Plain::load(&redis, 1).await?.unwrap();
        assert_eq!((loaded.name.as_str(), loaded.bio.as_deref()), ("Ada L. Byron", Some("b")));
        assert_eq!(loaded.address.zip, None);
        Plain::delete(&redis, 1).await?;
    }
    Ok(())
}

#[tokio::test]
async fn a_patch_that_cannot_be_applied_changes_nothing() -> Result<()> {
    let redis = stack().redis();
    let before = plain(2);
    before.save(&redis).await?;
    let too_large = Plain::patch(2).set(Plain::NAME, "x").incr(Plain::LEVEL, 6).exec(&redis).await.unwrap_err();
    assert_eq!((too_large.kind(), too_large.field()), (ErrorKind::Conflict, Some("level")), "{too_large}");
    let differs = Plain::patch(2).set(Plain::NAME, "x").if_eq(Plain::VISITS, 8).exec(&redis).await.unwrap_err();
    assert!(differs.is_conflict() && differs.field() == Some("visits"), "{differs}");
    let twice = Plain::patch(2).set(Plain::NAME, "x").set(Plain::NAME, "y").exec(&redis).await.unwrap_err();
    assert!(twice.is_invalid_input(), "{twice}");
    let nan = Plain::patch(2).incr_by_float(Plain::SCORE, f64::NAN).exec(&redis).await.unwrap_err();
    assert!(nan.is_invalid_input(), "{nan}");
    assert_eq!(Plain::load(&redis, 2).await?, Some(before));

    Plain::delete(&redis, 2).await?;
    let gone = Plain::patch(2).set(Plain::NAME, "x").exec(&redis).await.unwrap_err();
    assert!(gone.is_not_found() && gone.key() == Some("pa-plain:2"), "{gone}");
    assert!(!Plain::exists(&redis, 2).await?);

    Plain::patch(2).exec(&redis).await?;
    assert!(plain(2).diff(&plain(2)).is_empty());
    plain(2).diff(&plain(2)).exec(&redis).await?;
    let other = plain(2).diff(&plain(3)).exec(&redis).await.unwrap_err();
    assert!(other.is_invalid_input(), "{other}");
    Ok(())
}

#[tokio::test]
async fn an_old_name_of_a_field_is_changed_too() -> Result<()> {
    let redis = stack().redis();
    plain(4).save(&redis).await?;
    redis.hset("pa-plain:4", ("nick", "Countess")).await?;
    Plain::patch(4).append(Plain::NICKNAME, " Ada").if_eq(Plain::NICKNAME, "Countess").exec(&redis).await?;
    assert_eq!(Plain::load(&redis, 4).await?.unwrap().nickname.as_deref(), Some("Countess Ada"));
    Plain::patch(4).clear(Plain::NICKNAME).exec(&redis).await?;
    assert_eq!(Plain::load(&redis, 4).await?.unwrap().nickname, None);
    Plain::delete(&redis, 4).await?;
    Ok(())
}

#[tokio::test]
async fn none_if_absent_changes_nothing() -> Result<()> {
    let redis = stack().redis();
    let before = plain(50);
    before.save(&redis).await?;
    Plain::patch(50).set_if_absent(Plain::BIO, None).exec(&redis).await?;
    Plain::patch(50).set_if_absent(Plain::BIO, None).incr(Plain::VISITS, 1).exec(&redis).await?;
    assert_eq!(Plain::load(&redis, 50).await?, Some(Plain { visits: 8, ..before }));
    Plain::delete(&redis, 50).await?;
    Ok(())
}

#[tokio::test]
async fn a_patch_with_nothing_but_a_version_is_sent() -> Result<()> {
    let redis = stack().redis();
    User::delete(&redis, 51).await?;
    let missing = User::patch(51).if_version(3).exec(&redis).await.unwrap_err();
    assert!(missing.is_not_found(), "{missing}");
    user(51).insert(&redis).await?;
    let stale = User::patch(51).if_version(3).exec(&redis).await.unwrap_err();
    assert_eq!((stale.kind(), stale.stored_version()), (ErrorKind::Conflict, Some(1)), "{stale}");
    User::patch(51).if_version(1).exec(&redis).await?;
    // It changes nothing, so the version stays.
    let stored = User::load(&redis, 51).await?.unwrap();
    assert_eq!(stored.version, 1);
    // The one that `diff` requires is no reason to send it.
    stored.diff(&stored).exec(&redis).await?;
    assert!(stored.diff(&stored).is_empty() && !stored.diff(&stored).if_version(1).is_empty());
    assert_eq!(User::load(&redis, 51).await?, Some(stored));
    User::delete(&redis, 51).await?;
    Ok(())
}

#[derive(Debug, Clone, PartialEq, RedisModel)]
#[redis(prefix = "pa-renamed")]
struct Renamed {
    #[redis(id)]
    id: u64,
    #[redis(unique, alias = "mail")]
    email: Option<String>,
    #[redis(index, alias = "town", alias = "place")]
    city: Option<String>,
    #[redis(alias = "nick")]
    nickname: Option<String>,
}

#[tokio::test]
async fn a_difference_removes_what_stands_under_old_names() -> Result<()> {
    for redis in [stack().redis(), valkey().redis()] {
        redis.del(["pa-renamed:1", "pa-renamed:2", "pa-plain:52"]).await?;
        let old = [("id", "1"), ("mail", "a@x.org"), ("town", "Izmir"), ("place", "Bursa"), ("nick", "Ada")];
        redis.hset("pa-renamed:1", old).await?;
        let before = Renamed::load(&redis, 1).await?.unwrap();
        let after = Renamed { id: 1, email: None, city: None, nickname: None };
        before.diff(&after).exec(&redis).await?;
        assert_eq!(Renamed::load(&redis, 1).await?, Some(after.clone()));
        assert_eq!(redis.hgetall::<Vec<(String, String)>>("pa-renamed:1").await?, [("id".into(), "1".into())]);
        assert_eq!(Renamed::verify_to_end(&redis).await?, []);
        Renamed { id: 2, ..before.clone() }.insert(&redis).await?;
        // A field that is absent in both records is not touched.
        redis.hset("pa-renamed:1", [("nick", "Countess")]).await?;
        let stays = Renamed { city: Some("Izmir".into()), ..after.clone() };
        after.diff(&stays).exec(&redis).await?;
        assert_eq!(redis.hget::<String>("pa-renamed:1", "nick").await?.as_deref(), Some("Countess"));

        plain(52).save(&redis).await?;
        redis.hset("pa-plain:52", ("nick", "Countess")).await?;
        let before = Plain::load(&redis, 52).await?.unwrap();
        before.diff(&Plain { nickname: None, ..before.clone() }).exec(&redis).await?;
        assert_eq!(Plain::load(&redis, 52).await?, Some(plain(52)));
        Plain::delete(&redis, 52).await?;
        for id in [1, 2] {
            Renamed::delete(&redis, id).await?;
        }
    }
    Ok(())
}

#[tokio::test]
async fn indexes_and_the_version_follow_a_patch() -> Result<()> {
    for redis in [stack().redis(), valkey().redis()] {
        User::delete(&redis, 5).await?;
        user(5).insert(&redis).await?;
        let patch = User::patch(5).incr(User::AGE, 1).set(User::TAGS, vec!["b".to_owned(), "c".to_owned()]);
        let version = patch.set(User::COUNTRY, Country::Uk).returning(User::VERSION).exec(&redis).await?;
        assert_eq!(version, Some(2));
        assert_eq!(entries(&redis, "age", 5).await?, ["60237"]);
        assert_eq!(entries(&redis, "tags", 5).await?, ["b", "c"]);
        assert_eq!(entries(&redis, "country+age", 5).await?, ["uk\u{0}60237"]);

        let before = User::load(&redis, 5).await?.unwrap();
        let after = User { bio: Some("x".into()), tags: Vec::new(), ..before.clone() };
        before.diff(&after).exec(&redis).await?;
        assert_eq!(entries(&redis, "tags", 5).await?, [""; 0]);
        // The version that `diff` requires is not the stored one any more.
        let stale = before.diff(&after).exec(&redis).await.unwrap_err();
        assert_eq!((stale.kind(), stale.stored_version()), (ErrorKind::Conflict, Some(3)), "{stale}");
        let stale = User::patch(5).if_version(2).incr(User::VISITS, 1).exec(&redis).await.unwrap_err();
        assert_eq!(stale.stored_version(), Some(3));

        user(6).save(&redis).await.ok();
        let taken = User::patch(5).set(User::EMAIL, "6@example.org").exec(&redis).await.unwrap_err();
        assert_eq!((taken.kind(), taken.field(), taken.owner()), (ErrorKind::Duplicate, Some("email"), Some("6")));
        User::delete(&redis, 5).await?;
        User::delete(&redis, 6).await?;
        assert_eq!(entries(&redis, "email", 5).await?, [""; 0]);
    }
    Ok(())
}

#[derive(Debug, Clone, PartialEq, RedisModel)]
#[redis(prefix = "pa-counted")]
struct Counted {
    #[redis(id)]
    id: u64,
    note: Option<String>,
    #[redis(version)]
    version: i32,
}

#[tokio::test]
async fn a_version_ends_with_its_type() -> Result<()> {
    let redis = stack().redis();
    redis.hset("pa-counted:1", [("id", "1"), ("version", "2147483646")]).await?;
    Counted::patch(1).if_version(2_147_483_646).set(Counted::NOTE, "last").exec(&redis).await?;
    Counted::patch(1).persist().exec(&redis).await?;
    let full = Counted::patch(1).clear(Counted::NOTE).exec(&redis).await.unwrap_err();
    assert_eq!((full.kind(), full.field()), (ErrorKind::Conflict, Some("version")), "{full}");
    let last = Counted::load(&redis, 1).await?.unwrap();
    assert_eq!(last.version, i32::MAX);
    assert!(last.save(&redis).await.unwrap_err().is_invalid_input());
    Counted::delete(&redis, 1).await?;
    Ok(())
}

#[tokio::test]
async fn a_version_counts_changes_of_fields() -> Result<()> {
    for redis in [stack().redis(), valkey().redis()] {
        Counted::delete(&redis, 2).await?;
        Counted { id: 2, note: Some("first".into()), version: 0 }.insert(&redis).await?;
        let patch = || Counted::patch(2);
        let unchanged = patch().if_eq(Counted::NOTE, "first").ttl(Duration::from_secs(60));
        for patch in
            [patch(), patch().if_version(1), unchanged, patch().persist(), patch().set_if_absent(Counted::NOTE, "x")]
        {
            let returned = patch.returning((Counted::NOTE, Counted::VERSION)).exec(&redis).await?;
            assert_eq!(returned, (Some("first".into()), Some(1)));
        }
        let unit = Unit::new().patch(patch().ttl(Duration::from_secs(60)).if_version(1)).commit(&redis).await?;
        assert_eq!(unit.version(0), Some(1));
        let unit = Unit::new().patch(patch().clear(Counted::NOTE)).commit(&redis).await?;
        assert_eq!(unit.version(0), Some(2));
        assert_eq!(patch().set(Counted::NOTE, "new").returning(Counted::VERSION).exec(&redis).await?, Some(3));
    }
    Ok(())
}

#[tokio::test]
async fn a_unit_is_all_or_nothing() -> Result<()> {
    for redis in [stack().redis(), valkey().redis()] {
        for id in [10, 11, 12] {
            User::delete(&redis, id).await?;
            Plain::delete(&redis, id).await?;
        }
        let unit = Unit::new().insert(&user(10)).insert(&user(11)).save(&plain(10)).delete::<Plain>(11);
        let committed = unit.clone().commit(&redis).await?;
        assert_eq!((committed.version(0), committed.version(2)), (Some(1), None));
        assert_eq!((committed.created(2), committed.deleted(3)), (true, false));

        // Two users exchange a unique value.
        let swap = Unit::new()
            .patch(User::patch(10).set(User::EMAIL, "11@example.org"))
            .patch(User::patch(11).set(User::EMAIL, "10@example.org"));
        swap.commit(&redis).await?;
        assert_eq!(User::load(&redis, 11).await?.unwrap().email, "10@example.org");

        let error = Unit::new().save(&plain(12)).insert(&user(10)).commit(&redis).await.unwrap_err();
        assert!(error.is_already_exists(), "{error}");
        assert_eq!((error.operation(), error.model(), error.key()), (Some(1), Some("User"), Some("pa-user:10")));
        assert!(!Plain::exists(&redis, 12).await?);

        let twice = Unit::new().save(&plain(12)).delete::<Plain>(12).commit(&redis).await.unwrap_err();
        assert!(twice.is_invalid_input() && twice.operation() == Some(1), "{twice}");
        let invalid =
            Unit::new().save(&plain(12)).expire::<Plain>(11, Duration::ZERO).commit(&redis).await.unwrap_err();
        assert!(invalid.is_invalid_input() && invalid.operation() == Some(1), "{invalid}");
        assert_eq!(Unit::new().commit(&redis).await?.version(0), None);
        assert!(Unit::new().commit(&redis).await?.is_empty());

        // An error of an operation is the error of the unit, also if there is no other operation or if others are wrong.
        let taken = || Unit::new().save(&plain(12)).save(&plain(12));
        let zero = Duration::ZERO;
        let nan = Plain::patch(12).incr_by_float(Plain::SCORE, f64::NAN);
        for (unit, at) in [
            (Unit::new().expire::<Plain>(12, zero), 0),
            (Unit::new().patch(nan.clone()), 0),
            (Unit::new().patch(Plain::patch(12).ttl(zero)), 0),
            (Unit::new().save_with(&plain(12), SaveOptions::new().ttl(zero)), 0),
            (taken().patch(nan), 2),
        ] {
            let error = unit.commit(&redis).await.unwrap_err();
            assert!(error.is_invalid_input() && !error.message().contains("operation"), "{error}");
            assert_eq!((error.operation(), error.key()), (Some(at), Some("pa-plain:12")), "{error}");
            assert_eq!(error.model(), Some("Plain"));
        }
        let twice = taken().commit(&redis).await.unwrap_err();
        assert_eq!(twice.message(), "operations 0 and 1 write the same record; combine them");
        assert_eq!((twice.operation(), twice.key(), twice.model()), (Some(1), Some("pa-plain:12"), Some("Plain")));
        for id in [10, 11] {
            User::delete(&redis, id).await?;
        }
        Plain::delete(&redis, 10).await?;
    }
    Ok(())
}

#[tokio::test]
async fn modify_is_repeated_until_nobody_came_between() -> Result<()> {
    let redis = stack().redis();
    User::delete(&redis, 20).await?;
    let missing = User::modify(&redis, 20, |_| ()).await.unwrap_err();
    assert!(missing.is_not_found(), "{missing}");
    user(20).insert(&redis).await?;
    let changes = Arc::new(AtomicUsize::new(0));
    let tasks: Vec<_> = (0..8)
        .map(|_| {
            let (redis, changes) = (redis.clone(), Arc::clone(&changes));
            tokio::spawn(async move {
                let change = move |user: &mut User| {
                    changes.fetch_add(1, Ordering::Relaxed);
                    user.visits += 1;
                };
                loop {
                    match User::modify(&redis, 20, change.clone()).await {
                        Err(error) if error.is_conflict() => {}
                        other => return other.map(drop),
                    }
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap()?;
    }
    let stored = User::load(&redis, 20).await?.unwrap();
    assert_eq!((stored.visits, stored.version), (8, 9));
    assert!(changes.load(Ordering::Relaxed) >= 8);

    // Nobody came between the others: 64 changes by 8 tasks, and no conflict that ends one.
    let tasks: Vec<_> = (0..8)
        .map(|_| {
            let redis = redis.clone();
            tokio::spawn(async move {
                for _ in 0..8 {
                    User::modify(&redis, 20, |user| user.visits += 1).await?;
                }
                Ok::<_, redis_model::Error>(())
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap()?;
    }
    assert_eq!(User::load(&redis, 20).await?.unwrap().visits, 72);

    let renamed = User::modify(&redis, 20, |user| user.id = 21).await.unwrap_err();
    assert!(renamed.is_invalid_input(), "{renamed}");
    let why = redis_model::Error::new(ErrorKind::InvalidInput, "not today");
    let refused = User::try_modify(&redis, 20, move |_| Err(why.clone())).await.unwrap_err();
    assert_eq!(refused.message(), "not today");
    User::delete(&redis, 20).await?;
    Ok(())
}

#[test]
fn the_blocking_client_has_them_too() -> Result<()> {
    let redis = stack().blocking();
    User::delete(&redis, 30)?;
    user(30).insert(&redis)?;
    assert_eq!(User::modify(&redis, 30, |user| user.visits = 5)?.version, 2);
    assert_eq!(User::patch(30).incr(User::VISITS, 1).returning(User::VISITS).exec(&redis)?, Some(6));
    Unit::new().delete::<User>(30).commit(&redis)?;
    assert!(!User::exists(&redis, 30)?);
    Ok(())
}

#[tokio::test]
async fn a_transaction_takes_patches_and_options() -> Result<()> {
    let redis = stack().redis();
    let minute = SaveOptions::new().ttl(Duration::from_secs(60));
    let patch = Plain::patch(60).incr(Plain::VISITS, 1).returning(Plain::VISITS);
    let replies = redis.transaction().save_with(&plain(60), minute).patch(patch).record_ttl::<Plain>(60).exec().await?;
    assert!(matches!(replies, ((), Some(8), Ttl::Expires(_))), "{replies:?}");
    let update = redis.pipeline().update_with(&plain(60), SaveOptions::new().persist()).insert_with(&plain(60), minute);
    let (updated, inserted) = update.exec_each().await?;
    updated?;
    assert!(inserted.unwrap_err().is_already_exists());
    assert_eq!(Plain::ttl(&redis, 60).await?, Ttl::Persistent);
    Plain::delete(&redis, 60).await?;
    Ok(())
}

#[tokio::test]
async fn the_time_to_live_is_kept_set_or_removed() -> Result<()> {
    for redis in [stack().redis(), valkey().redis()] {
        let hour = Duration::from_secs(3600);
        let expires = |ttl| matches!(ttl, Ttl::Expires(left) if left <= hour);
        User::delete(&redis, 40).await?;
        user(40).insert_with(&redis, SaveOptions::new().ttl(hour)).await?;
        assert!(expires(User::ttl(&redis, 40).await?));
        User::patch(40).incr(User::VISITS, 1).exec(&redis).await?;
        assert!(expires(User::ttl(&redis, 40).await?));
        User::patch(40).persist().exec(&redis).await?;
        assert_eq!(User::ttl(&redis, 40).await?, Ttl::Persistent);
        User::patch(40).ttl(hour).exec(&redis).await?;
        assert!(expires(User::ttl(&redis, 40).await?));
        let marks: u64 = redis.zcard("pa-user::expiry").await?;
        assert!(marks >= 1);
        User::delete(&redis, 40).await?;

        plain(41).save_with(&redis, SaveOptions::new().ttl(hour)).await?;
        assert!(expires(Plain::ttl(&redis, 41).await?));
        plain(41).save(&redis).await?;
        assert!(expires(Plain::ttl(&redis, 41).await?));
        plain(41).update_with(&redis, SaveOptions::new().persist()).await?;
        assert_eq!(Plain::ttl(&redis, 41).await?, Ttl::Persistent);
        let zero = plain(41).save_with(&redis, SaveOptions::new().ttl(Duration::ZERO)).await.unwrap_err();
        assert!(zero.is_invalid_input(), "{zero}");
        Plain::delete(&redis, 41).await?;
    }
    Ok(())
}

#[derive(Debug, Clone, PartialEq, RedisModel)]
#[redis(prefix = "pa-schema", schema_version = 2, upgrade = rename_hits)]
struct Page {
    #[redis(id)]
    id: u64,
    visits: i64,
}

fn rename_hits(page: &mut redis_model::StoredFields, _: u32) -> std::result::Result<(), &'static str> {
    page.rename("hits", "visits");
    Ok(())
}

#[tokio::test]
async fn a_record_of_an_earlier_schema_is_not_patched() -> Result<()> {
    let redis = stack().redis();
    redis.del("pa-schema:1").await?;
    redis.hset("pa-schema:1", [("id", "1"), ("hits", "100")]).await?;
    let error = Page::patch(1).incr(Page::VISITS, 1).exec(&redis).await.unwrap_err();
    assert!(error.is_conflict() && error.message().contains("load it and save it"), "{error}");
    Page::load(&redis, 1).await?.unwrap().save(&redis).await?;
    let visits = Page::patch(1).incr(Page::VISITS, 1).returning(Page::VISITS).exec(&redis).await?;
    assert_eq!(visits, Some(101));
    Page::delete(&redis, 1).await?;
    Ok(())
}

#[tokio::test]
async fn an_old_name_of_a_field_is_returned() -> Result<()> {
    let redis = stack().redis();
    plain(60).save(&redis).await?;
    redis.hset("pa-plain:60", ("nick", "Countess")).await?;
    let nickname = Plain::patch(60).incr(Plain::VISITS, 1).returning(Plain::NICKNAME).exec(&redis).await?;
    assert_eq!(nickname.as_deref(), Some("Countess"));
    Plain::delete(&redis, 60).await?;
    Ok(())
}
