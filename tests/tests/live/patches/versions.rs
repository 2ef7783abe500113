//! Versions: patches count them, and `modify` is repeated.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use redis_model::prelude::*;
use redis_model::{ErrorKind, Unit};
use redis_model_tests::{stack, valkey};

use super::{Country, User, entries, user};

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
