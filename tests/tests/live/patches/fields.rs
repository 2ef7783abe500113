//! What a patch changes, and under which names.

use redis_model::ErrorKind;
use redis_model::prelude::*;
use redis_model_tests::{stack, valkey};

use super::{Address, Country, Plain, Settings, plain};

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

#[derive(Debug, Clone, PartialEq, RedisModel)]
#[redis(prefix = "pa-schema", schema_version = 2, upgrade = rename_hits)]
struct Page {
    #[redis(id)]
    id: u64,
    visits: i64,
}

fn rename_hits(page: &mut redis_model::hash::StoredFields, _: u32) -> std::result::Result<(), &'static str> {
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
