//! What others have changed or lost is found and repaired.

use std::time::Duration;

use redis_model::ErrorKind;
use redis_model::hash::{Drift, Reindexed};
use redis_model::prelude::*;
use redis_model_tests::{stack, valkey};

use super::{Member, User, disturb, email, sorted, user};

#[tokio::test]
async fn what_others_have_changed_is_found_and_repaired() -> Result<()> {
    for redis in [stack().redis(), valkey().redis()] {
        User::save_many(&redis, &(0..10).map(user).collect::<Vec<_>>()).await?.all()?;
        assert_eq!(User::verify_to_end(&redis).await?, []);
        let missing = |index: &str, id: u64| Drift::MissingEntry { index: index.into(), id: id.to_string() };
        let stray = |index: &str, id: &str| Drift::EntryWithoutRow { index: index.into(), id: id.into() };

        disturb(&redis).await?;
        let drifts = User::verify_to_end(&redis).await?;
        let why = |id: &str| {
            drifts.iter().find_map(|drift| match drift {
                Drift::UnreadableRecord { id: of, why } if of == id => Some(why.clone()),
                _ => None,
            })
        };
        let unreadable = |id: &str| Drift::UnreadableRecord { id: id.into(), why: why(id).unwrap() };
        let expected = vec![
            Drift::RowDiffers { id: "0".into(), fields: vec!["age", "country"] },
            Drift::RowWithoutRecord { id: "1".into() },
            Drift::RecordWithoutRow { id: "100".into() },
            missing("country", 2),
            missing("email", 2),
            stray("tags", "3"),
            stray("age", "no separator"),
            Drift::WrongExpiryMark { id: "4".into() },
            Drift::WrongExpiryMark { id: "77".into() },
            unreadable("5"),
            unreadable("6"),
            Drift::RowWithoutRecord { id: "seven".into() },
            Drift::RowWithoutRecord { id: "8".into() },
        ];
        assert_eq!(sorted(drifts.clone()), sorted(expected));
        assert!(why("5").unwrap().contains(r#"field "age": expected u8"#), "{drifts:?}");
        assert!(why("6").unwrap().contains("1,024 bytes"), "{drifts:?}");

        let Reindexed { progress, errors, .. } = User::reindex_to_end(&redis).await?;
        assert_eq!((progress.indexed(), progress.purged(), progress.added()), (2, 3, 2), "{progress:?}");
        assert_eq!((progress.removed(), progress.marked()), (2, 1), "{progress:?}");
        let errors: Vec<_> = errors.iter().map(|error| (error.kind(), error.key(), error.field())).collect();
        let (decode, invalid) = (ErrorKind::Decode, ErrorKind::InvalidInput);
        assert!(errors.contains(&(decode, Some("re-user:5"), Some("age"))), "{errors:?}");
        assert!(errors.contains(&(invalid, Some("re-user:6"), Some("email"))), "{errors:?}");
        assert_eq!(errors.len(), 2);

        let left = User::verify_to_end(&redis).await?;
        assert_eq!(sorted(left), sorted(vec![unreadable("5"), unreadable("6")]));
        user(5).save(&redis).await?;
        user(6).save(&redis).await?;
        assert_eq!(User::verify_to_end(&redis).await?, []);
        assert_eq!(User::query().eq(User::COUNTRY, "UK").eq(User::AGE, 7).count(&redis).await?, 2);
    }
    Ok(())
}

#[derive(Debug, Clone, PartialEq, RedisModel)]
#[redis(prefix = "re-lost")]
struct Lost {
    #[redis(id)]
    id: u64,
    #[redis(unique)]
    email: String,
    #[redis(index)]
    age: u8,
}

#[tokio::test]
async fn lost_keys_are_reported_and_built_anew() -> Result<()> {
    let (rows, email_index, age_index) = ("re-lost::rows", "re-lost::index:email", "re-lost::index:age");
    for redis in [stack().redis(), valkey().redis()] {
        let lost = |id| Lost { id, email: email(id), age: 36 };
        Lost::save_many(&redis, &(0..40).map(lost).collect::<Vec<_>>()).await?.all()?;
        for keys in
            [vec![rows], vec![email_index], vec![age_index], vec![age_index, email_index], vec![rows, age_index]]
        {
            redis.del(&keys).await?;
            let drifts = Lost::verify_to_end(&redis).await?;
            let expected = keys.iter().map(|key| Drift::LostKey { key: (*key).to_owned() }).collect::<Vec<_>>();
            assert_eq!(drifts, expected);
            let error = lost(1).save(&redis).await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Index, "{error}");
            // While the rows were lost, a record was deleted and another was changed.
            redis.del("re-lost:7").await?;
            redis.hset("re-lost:8", [("email", "8@other.org")]).await?;

            assert!(Lost::reindex_to_end(&redis).await?.errors.is_empty());
            assert_eq!(Lost::verify_to_end(&redis).await?, []);
            assert_eq!(Lost::query().range(Lost::AGE, 30..).count(&redis).await?, 39);
            Lost { id: 9, ..lost(8) }.save(&redis).await?;
            lost(9).save(&redis).await?;
            lost(7).save(&redis).await?;
            lost(8).save(&redis).await?;
        }
        // With all keys gone, nothing tells that there were indexes.
        redis.del([rows, email_index, age_index]).await?;
        assert_eq!(Lost::verify_to_end(&redis).await?.len(), 40);
        assert_eq!(Lost::reindex_to_end(&redis).await?.progress.indexed(), 40);
        assert_eq!(Lost::verify_to_end(&redis).await?, []);
    }
    Ok(())
}

#[tokio::test]
async fn two_records_with_one_unique_value_are_a_conflict() -> Result<()> {
    for redis in [stack().redis(), valkey().redis()] {
        let member = |id| Member { id, email: email(id) };
        Member::save_many(&redis, &(1..=6).map(member).collect::<Vec<_>>()).await?.all()?;
        let set = async |id: u64, email: String| redis.hset(format!("re-member:{id}"), [("email", email)]).await;

        // Two that were swapped, and three in a circle, have no conflict.
        set(1, email(2)).await?;
        set(2, email(1)).await?;
        set(3, email(4)).await?;
        set(4, email(5)).await?;
        set(5, email(3)).await?;
        // The value of a record that is gone is free.
        redis.del("re-member:6").await?;
        redis.hset("re-member:60", [("id", "60".to_owned()), ("email", email(6))]).await?;
        let Reindexed { progress, errors, .. } = Member::reindex_to_end(&redis).await?;
        assert!(errors.is_empty(), "{errors:?}");
        // Those of a circle are indexed together.
        assert!((3..=6).contains(&progress.indexed()), "{progress:?}");
        assert_eq!(Member::verify_to_end(&redis).await?, []);

        redis.hset("re-member:61", [("id", "61".to_owned()), ("email", email(6))]).await?;
        let errors = Member::reindex_to_end(&redis).await?.errors;
        let [error] = errors.as_slice() else { panic!("{errors:?}") };
        assert_eq!((error.kind(), error.key()), (ErrorKind::Duplicate, Some("re-member:61")));
        assert_eq!((error.field(), error.owner(), error.operation()), (Some("email"), Some("60"), None));
        assert_eq!(Member::verify_to_end(&redis).await?, [Drift::RecordWithoutRow { id: "61".into() }]);

        Member { id: 61, email: email(61) }.save(&redis).await?;
        assert_eq!(Member::verify_to_end(&redis).await?, []);

        // The claims were lost, and a value was taken before they were built again.
        redis.del("re-member::index:email").await?;
        redis.hset("re-member:62", [("id", "62".to_owned()), ("email", email(61))]).await?;
        let errors = Member::reindex_to_end(&redis).await?.errors;
        let [error] = errors.as_slice() else { panic!("{errors:?}") };
        assert_eq!(error.kind(), ErrorKind::Duplicate);
        let keys = (error.key().unwrap_or_default(), error.owner().unwrap_or_default());
        assert!([("re-member:62", "61"), ("re-member:61", "62")].contains(&keys), "{keys:?}");
        assert_eq!(Member::query().eq(Member::EMAIL, email(61)).count(&redis).await?, 1);
    }
    Ok(())
}

#[derive(Debug, Clone, PartialEq, RedisModel)]
#[redis(prefix = "re-cart")]
struct Cart {
    #[redis(id)]
    id: u64,
    #[redis(unique)]
    owner: String,
}

#[tokio::test]
async fn records_that_expire_are_no_drift() -> Result<()> {
    for redis in [stack().redis(), valkey().redis()] {
        let cart = |id| Cart { id, owner: email(id) };
        Cart::save_many(&redis, &(0..10).map(cart).collect::<Vec<_>>()).await?.all()?;
        for id in 0..5 {
            assert!(Cart::expire(&redis, id, Duration::from_millis(30)).await?);
        }
        assert_eq!(Cart::verify_to_end(&redis).await?, []);
        tokio::time::sleep(Duration::from_millis(60)).await;
        assert_eq!(Cart::verify_to_end(&redis).await?, []);
        // Rebuilt, the indexes have the times to live too.
        Cart::expire(&redis, 5, Duration::from_secs(1000)).await?;
        redis.del(["re-cart::rows", "re-cart::expiry"]).await?;
        assert!(Cart::reindex_to_end(&redis).await?.errors.is_empty());
        assert_eq!(Cart::verify_to_end(&redis).await?, []);
        assert_eq!(redis.zcard("re-cart::expiry").await?, 1);
        assert_eq!(redis.hlen("re-cart::rows").await?, 6);
        redis.persist("re-cart:5").await?;
        assert_eq!(Cart::verify_to_end(&redis).await?, [Drift::WrongExpiryMark { id: "5".into() }]);
        assert_eq!(Cart::reindex_to_end(&redis).await?.progress.marked(), 1);
        assert_eq!(Cart::verify_to_end(&redis).await?, []);
    }
    Ok(())
}
