//! Patches in units, transactions, and with a time to live.

use std::time::Duration;

use redis_model::Unit;
use redis_model::commands::expiry::Ttl;
use redis_model::hash::SaveOptions;
use redis_model::prelude::*;
use redis_model_tests::{stack, valkey};

use super::{Plain, User, plain, user};

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
