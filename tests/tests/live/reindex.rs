//! Indexes that were changed, lost, or bypassed: `verify` finds what is wrong, and `reindex` repairs it.

#![expect(clippy::print_stdout, reason = "seeds and figures")]

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use redis_model::commands::sorted_set::ZRange;
use redis_model::prelude::*;
use redis_model::{Drift, ErrorKind, IndexPhase, Reindexed};
use redis_model_tests::counting::{Counting, Seen};
use redis_model_tests::fault::Mutated;
use redis_model_tests::random::{Random, seed};
use redis_model_tests::{Stack, own_redis_7_0, own_stack, stack, valkey};

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

#[tokio::test]
async fn a_new_index_is_built_from_existing_records() -> Result<()> {
    use account::{after, before};

    for redis in [stack().redis(), valkey().redis()] {
        let country = |id: u64| if id.is_multiple_of(2) { "TR" } else { "UK" };
        let old = |id| before::Account {
            id,
            email: email(id),
            plan: "free".into(),
            age: u8::try_from(id % 100).unwrap(),
            country: country(id).into(),
        };
        let accounts: Vec<_> = (0..600).map(old).collect();
        before::Account::save_many(&redis, &accounts).await?.all()?;
        assert_eq!(before::Account::verify_to_end(&redis).await?, []);

        // The new program does nothing before it has its indexes.
        let new =
            after::Account { id: 600, email: email(600), plan: "pro".into(), age: "7".into(), country: "TR".into() };
        assert_eq!(new.save(&redis).await.unwrap_err().kind(), ErrorKind::Index);
        let drifts = after::Account::verify_to_end(&redis).await?;
        assert!(matches!(drifts.as_slice(), [Drift::OtherLayout { stored }] if stored.contains("age i")), "{drifts:?}");

        let mut run = after::Account::reindex(&redis);
        let first = run.next().await.unwrap()?;
        assert_eq!((first.phase(), first.looked_at()), (IndexPhase::Records, 0));
        assert!(first.total() >= 600, "{first:?}");
        // From the start of the run on, the old program is refused, and the new one can write, but not query.
        assert_eq!(old(601).save(&redis).await.unwrap_err().kind(), ErrorKind::Index);
        assert_eq!(before::Account::delete(&redis, 1).await.unwrap_err().kind(), ErrorKind::Index);
        new.save(&redis).await?;
        after::Account { age: "8".into(), ..new.clone() }.save(&redis).await?;
        assert!(after::Account::delete(&redis, 3).await?);
        let query = after::Account::query().eq(after::Account::COUNTRY, "TR");
        assert_eq!(query.clone().count(&redis).await.unwrap_err().kind(), ErrorKind::Index);
        assert_eq!(after::Account::verify_to_end(&redis).await?, [Drift::Building]);

        let mut last = first;
        while let Some(progress) = run.next().await {
            let progress = progress?;
            assert!(progress.looked_at() >= last.looked_at() && progress.total() >= progress.looked_at());
            last = progress;
        }
        assert_eq!((last.phase(), last.looked_at(), last.indexed()), (IndexPhase::Finished, last.total(), 599));

        assert_eq!(after::Account::verify_to_end(&redis).await?, []);
        assert_eq!(query.count(&redis).await?, 301);
        let young = after::Account::query().eq(after::Account::COUNTRY, "UK").eq(after::Account::AGE, "5");
        assert_eq!(young.count(&redis).await?, 6);
        assert_eq!(redis.exists("re-account::index:plan").await?, 0);
        let fields: Vec<String> = redis.hkeys("re-account::rows").await?;
        assert_eq!(fields.iter().filter(|field| field.starts_with(':')).count(), 1, "only the label remains");

        // Nothing is left to do.
        let Reindexed { progress, errors, .. } = after::Account::reindex_to_end(&redis).await?;
        assert!(errors.is_empty());
        let done = (progress.indexed(), progress.purged(), progress.added(), progress.removed(), progress.marked());
        assert_eq!(done, (0, 0, 0, 0, 0));
    }
    Ok(())
}

mod note {
    pub(crate) mod plain {
        use redis_model::prelude::*;

        #[derive(Debug, Clone, PartialEq, RedisModel)]
        #[redis(prefix = "re-note")]
        pub(crate) struct Note {
            #[redis(id)]
            pub(crate) id: String,
            pub(crate) topic: String,
        }
    }

    pub(crate) mod indexed {
        use redis_model::prelude::*;

        #[derive(Debug, Clone, PartialEq, RedisModel)]
        #[redis(prefix = "re-note")]
        pub(crate) struct Note {
            #[redis(id)]
            pub(crate) id: String,
            #[redis(index)]
            pub(crate) topic: String,
        }
    }
}

#[tokio::test]
async fn a_model_gets_its_first_index_and_loses_its_last() -> Result<()> {
    use note::{indexed, plain};

    for redis in [stack().redis(), valkey().redis()] {
        plain::Note { id: "a".into(), topic: "rust".into() }.save(&redis).await?;
        let drifts = indexed::Note::verify_to_end(&redis).await?;
        assert_eq!(drifts, [Drift::RecordWithoutRow { id: "a".into() }]);
        assert_eq!(indexed::Note::reindex_to_end(&redis).await?.progress.indexed(), 1);
        assert_eq!(indexed::Note::verify_to_end(&redis).await?, []);
        let notes = indexed::Note::query().eq(indexed::Note::TOPIC, "rust");
        assert_eq!(notes.count(&redis).await?, 1);

        // Nothing remains of the indexes but a label, which refuses the old program: it would not see new writes.
        let progress = plain::Note::reindex_to_end(&redis).await?.progress;
        assert_eq!(progress.phase(), IndexPhase::Finished);
        let mut left: Vec<String> = redis.keys("re-note::*").await?;
        left.retain(|key| !key.starts_with("re-note::once:"));
        assert_eq!(left, ["re-note::rows"]);
        assert_eq!(redis.hlen("re-note::rows").await?, 1);
        let note = indexed::Note { id: "b".into(), topic: "redis".into() };
        assert_eq!(note.save(&redis).await.unwrap_err().kind(), ErrorKind::Index);
        assert!(plain::Note::reindex_to_end(&redis).await?.errors.is_empty());
        assert_eq!(plain::Note::verify_to_end(&redis).await?, []);

        // And back.
        plain::Note { id: "b".into(), topic: "redis".into() }.save(&redis).await?;
        assert_eq!(indexed::Note::reindex_to_end(&redis).await?.progress.indexed(), 2);
        assert_eq!(indexed::Note::verify_to_end(&redis).await?, []);
    }
    Ok(())
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

#[derive(Debug, Clone, PartialEq, RedisModel)]
#[redis(prefix = "re-member")]
struct Member {
    #[redis(id)]
    id: u64,
    #[redis(unique)]
    email: String,
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
#[redis(prefix = "re-job")]
struct Job {
    #[redis(id)]
    id: u64,
    #[redis(index)]
    queue: String,
}

#[tokio::test]
async fn an_aborted_run_is_started_again() -> Result<()> {
    for stack in [stack(), valkey()] {
        let redis = stack.redis();
        for id in 0..30_u64 {
            redis.hset(format!("re-job:{id}"), [("id", id.to_string()), ("queue", "mail".to_owned())]).await?;
        }
        for steps in [1, 9, 4, 1, 2] {
            let mut run = Job::reindex(&redis);
            for _ in 0..steps {
                let _ = run.next().await;
            }
        }
        assert_eq!(Job::verify_to_end(&redis).await?, [Drift::Building]);
        let error = Job::query().eq(Job::QUEUE, "mail").count(&redis).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Index, "{error}");

        // With the blocking client, and two runs at once, of which the first ends last.
        let blocking = stack.blocking();
        tokio::task::spawn_blocking(move || -> Result<()> {
            let mut first = Job::reindex(&blocking);
            first.next().unwrap()?;
            let second = Job::reindex_to_end(&blocking)?;
            assert!(second.errors.is_empty());
            assert_eq!(Job::verify_to_end(&blocking)?, []);
            for progress in first {
                progress?;
            }
            let drifts = Job::verify(&blocking).map(|step| Ok(step?.into_drifts())).collect::<Result<Vec<_>>>()?;
            assert_eq!(drifts.concat(), []);
            Ok(())
        })
        .await
        .unwrap()?;
        assert_eq!(Job::query().eq(Job::QUEUE, "mail").count(&redis).await?, 30);
    }
    Ok(())
}

#[tokio::test]
async fn a_run_that_has_lost_keys_does_not_end_the_one_that_builds_them() -> Result<()> {
    #[derive(Debug, Clone, PartialEq, RedisModel)]
    #[redis(prefix = "re-task")]
    struct Task {
        #[redis(id)]
        id: u64,
        #[redis(index)]
        queue: String,
    }

    let redis = stack().redis();
    for id in 0..30 {
        Task { id, queue: "mail".into() }.save(&redis).await?;
    }
    let mut first = Task::reindex(&redis);
    for _ in 0..2 {
        first.next().await.unwrap()?;
    }
    redis.del("re-task::index:queue").await?;
    let mut second = Task::reindex(&redis);
    second.next().await.unwrap()?;
    let error = first.collect().await.unwrap_err();
    assert!(error.kind() == ErrorKind::Index && error.message().contains("another run"), "{error}");
    assert_eq!(Task::verify_to_end(&redis).await?, [Drift::Building]);
    second.collect().await?;
    assert_eq!(Task::verify_to_end(&redis).await?, []);

    // Lost while the only run goes on.
    let mut run = Task::reindex(&redis);
    run.next().await.unwrap()?;
    redis.del("re-task::index:queue").await?;
    let error = run.collect().await.unwrap_err();
    assert!(error.kind() == ErrorKind::Index && error.message().contains("reindex"), "{error}");
    assert!(Task::reindex_to_end(&redis).await?.errors.is_empty());
    assert_eq!(Task::verify_to_end(&redis).await?, []);
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

#[tokio::test]
async fn the_number_of_partitions_can_change() -> Result<()> {
    use parts::{eight, four, one};

    for redis in [stack().redis(), valkey().redis()] {
        for id in 0..50 {
            one::Thing { id, name: email(id), kind: "tool".into() }.save(&redis).await?;
        }
        assert!(matches!(four::Thing::verify_to_end(&redis).await?.as_slice(), [Drift::OtherLayout { .. }]));
        assert_eq!(four::Thing::reindex_to_end(&redis).await?.progress.indexed(), 50);
        assert_eq!(four::Thing::verify_to_end(&redis).await?, []);
        let thing = four::Thing { id: 50, name: email(50), kind: "toy".into() };
        thing.save(&redis).await?;
        let refused = one::Thing { id: 51, name: email(51), kind: "toy".into() }.save(&redis).await.unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::Index, "{refused}");

        // Every kind of drift is found in the partition that it belongs to.
        redis.hset("re-parts:1", [("kind", "toy")]).await?;
        redis.del("re-parts:2").await?;
        let keys: Vec<String> = redis.keys("re-parts::index:*").await?;
        let entries = async |member: &str| {
            for key in &keys {
                if redis.zscore(key, member).await?.is_some() {
                    return Ok(Some(key.clone()));
                }
            }
            Ok::<_, redis_model::Error>(None)
        };
        let at = entries("tool\u{0}3").await?.unwrap();
        redis.zrem(&at, "tool\u{0}3").await?;
        let elsewhere = keys.iter().find(|key| key.contains("kind") && **key != at).unwrap();
        redis.zadd(elsewhere, [(0.0, "tool\u{0}3")]).await?;
        let expected = vec![
            Drift::RowDiffers { id: "1".into(), fields: vec!["kind"] },
            Drift::RowWithoutRecord { id: "2".into() },
            Drift::MissingEntry { index: "kind".into(), id: "3".into() },
            Drift::EntryWithoutRow { index: "kind".into(), id: "3".into() },
        ];
        assert_eq!(sorted(four::Thing::verify_to_end(&redis).await?), sorted(expected));
        assert!(four::Thing::reindex_to_end(&redis).await?.errors.is_empty());
        assert_eq!(four::Thing::verify_to_end(&redis).await?, []);

        // A partition is lost.
        redis.del(["re-parts::rows:3", "re-parts::index:name:0"]).await?;
        let lost = ["re-parts::index:name:0", "re-parts::rows:3"].map(|key| Drift::LostKey { key: key.into() });
        assert_eq!(sorted(four::Thing::verify_to_end(&redis).await?), lost);
        assert!(four::Thing::reindex_to_end(&redis).await?.errors.is_empty());
        assert_eq!(four::Thing::verify_to_end(&redis).await?, []);

        assert_eq!(eight::Thing::reindex_to_end(&redis).await?.progress.indexed(), 50);
        assert_eq!(eight::Thing::verify_to_end(&redis).await?, []);
        assert_eq!(thing.save(&redis).await.unwrap_err().kind(), ErrorKind::Index);
        let kinds: Vec<String> = redis.keys("re-parts::index:kind*").await?;
        assert!(kinds.is_empty(), "{kinds:?}");

        assert_eq!(four::Thing::reindex_to_end(&redis).await?.progress.indexed(), 50);
        assert_eq!(four::Thing::verify_to_end(&redis).await?, []);
        assert_eq!(one::Thing::reindex_to_end(&redis).await?.progress.indexed(), 50);
        assert_eq!(one::Thing::verify_to_end(&redis).await?, []);
        assert_eq!(one::Thing::query().eq(one::Thing::KIND, "tool").count(&redis).await?, 48);
        assert_eq!(thing.save(&redis).await.unwrap_err().kind(), ErrorKind::Index);
    }
    Ok(())
}

#[derive(Debug, Clone, PartialEq, RedisModel)]
#[redis(prefix = "re-busy", index(group, size))]
struct Busy {
    #[redis(id)]
    id: u64,
    #[redis(unique)]
    name: Option<String>,
    #[redis(index)]
    group: String,
    #[redis(index)]
    size: i32,
    #[redis(index)]
    tags: Vec<u32>,
}

fn any_busy(random: &Random) -> Busy {
    Busy {
        id: random.below(200),
        name: (random.below(3) > 0).then(|| random.below(150).to_string()),
        group: random.pick(&["a", "b", "c"]).to_owned(),
        size: random.below(50) - 25,
        tags: Vec::new(),
    }
}

/// Writes at random. With `behind_our_back`, some writes bypass the indexes.
async fn write(redis: &Redis, random: &Random, behind_our_back: bool) -> Result<()> {
    let busy = any_busy(random);
    let key = Busy::key(busy.id)?;
    let result = match random.below(if behind_our_back { 12 } else { 8 }) {
        0 | 1 => busy.save(redis).await,
        2 => busy.insert(redis).await,
        3 => Busy::delete(redis, busy.id).await.map(drop),
        4 => Busy::patch(busy.id).set(Busy::GROUP, busy.group).exec(redis).await,
        5 => Busy::patch(busy.id).incr(Busy::SIZE, 1).exec(redis).await,
        6 => Busy::expire(redis, busy.id, Duration::from_millis(1 + random.below(20))).await.map(drop),
        7 => Busy::persist(redis, busy.id).await.map(drop),
        8 => redis.del(&key).await.map(drop),
        9 => redis
            .hset(
                &key,
                [("id", busy.id.to_string()), ("size", "3".into()), ("group", "a".into()), ("tags", "[]".into())],
            )
            .await
            .map(drop),
        10 => redis.pexpire(&key, Duration::from_millis(10)).await.map(drop),
        _ => redis.zrem("re-busy::index:size", format!("60{}\u{0}{}", busy.size, busy.id)).await.map(drop),
    };
    match result {
        Err(error) if matches!(error.kind(), ErrorKind::AlreadyExists | ErrorKind::NotFound | ErrorKind::Duplicate) => {
            Ok(())
        }
        result => result,
    }
}

/// Writes until it is done. Returns how often.
async fn write_until(redis: &Redis, done: &AtomicBool, seed: u64) -> Result<u64> {
    let random = Random::new(seed);
    let mut writes = 0;
    while !done.load(Ordering::Relaxed) {
        match write(redis, &random, false).await {
            // Until a run of `reindex` has started.
            Err(error) if error.kind() == ErrorKind::Index => {}
            result => result?,
        }
        writes += 1;
    }
    Ok(writes)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn writers_go_on_while_indexes_are_built() -> Result<()> {
    let redis_7_0 = own_redis_7_0();
    let servers = [Some(stack()), Some(valkey()), redis_7_0.as_ref()];
    for redis in servers.into_iter().flatten().map(Stack::redis) {
        let seed = seed("SEED");
        let random = Random::new(seed);
        for round in 0..6 {
            for _ in 0..150 {
                write(&redis, &random, true).await?;
            }
            match round % 3 {
                0 => drop(redis.del("re-busy::index:group").await?),
                1 => drop(redis.del("re-busy::rows").await?),
                _ => {}
            }
            let done = AtomicBool::new(false);
            let writer = |seed| write_until(&redis, &done, seed);
            let builder = async {
                let runs = tokio::join!(Busy::reindex_to_end(&redis), Busy::reindex_to_end(&redis));
                done.store(true, Ordering::Relaxed);
                Ok::<_, redis_model::Error>((runs.0, runs.1))
            };
            let (a, b, c, runs) = tokio::try_join!(
                writer(random.below(1 << 30)),
                writer(random.below(1 << 30)),
                writer(random.below(1 << 30)),
                builder
            )?;
            // Of two runs that start at the same time, one may find that the other has built lost keys.
            let (first, second) = runs;
            let reindexed = match (first, second) {
                (Ok(first), Ok(second)) => {
                    assert!(second.errors.is_empty(), "{:?}", second.errors);
                    first
                }
                (first, second) => first.or(second)?,
            };
            println!("{} writes beside {:?}", a + b + c, reindexed.progress);
            // No unique value was lost, so none could be taken twice.
            assert!(reindexed.errors.is_empty(), "seed {seed}, round {round}: {:?}", reindexed.errors);
            let drifts = Busy::verify_to_end(&redis).await?;
            assert_eq!(drifts, [], "seed {seed}, round {round}");
        }
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn writes_are_no_drift() -> Result<()> {
    #[derive(Debug, Clone, PartialEq, RedisModel)]
    #[redis(prefix = "re-brisk")]
    struct Brisk {
        #[redis(id)]
        id: u64,
        #[redis(unique)]
        name: String,
        #[redis(index)]
        size: i32,
    }

    for redis in [stack().redis(), valkey().redis()] {
        let done = AtomicBool::new(false);
        let writer = async |seed: u64| {
            let random = Random::new(seed);
            while !done.load(Ordering::Relaxed) {
                let (id, size) = (random.below(40), random.below(9));
                let written: Result<()> = match random.below(5) {
                    0 => Brisk::delete(&redis, id).await.map(drop),
                    1 => Brisk::expire(&redis, id, Duration::from_millis(random.below(30) + 1)).await.map(drop),
                    2 => Brisk::patch(id).set(Brisk::SIZE, size).exec(&redis).await,
                    _ => Brisk { id, name: random.below(60).to_string(), size }.save(&redis).await,
                };
                if let Err(error) = written {
                    assert!(error.is_duplicate() || error.is_not_found(), "{error}");
                }
            }
            Ok::<_, redis_model::Error>(())
        };
        let verifier = async {
            for _ in 0..12 {
                assert_eq!(Brisk::verify_to_end(&redis).await?, []);
            }
            done.store(true, Ordering::Relaxed);
            Ok(())
        };
        tokio::try_join!(writer(3), writer(5), writer(7), verifier)?;
    }
    Ok(())
}

#[tokio::test]
async fn a_record_that_the_new_program_cannot_read_is_in_no_index() -> Result<()> {
    mod before {
        use redis_model::prelude::*;

        #[derive(Debug, RedisModel)]
        #[redis(prefix = "re-size")]
        pub(crate) struct Shirt {
            #[redis(id)]
            pub(crate) id: u64,
            #[redis(unique)]
            pub(crate) size: String,
        }
    }

    mod after {
        use redis_model::prelude::*;

        #[derive(Debug, RedisModel)]
        #[redis(prefix = "re-size")]
        pub(crate) struct Shirt {
            #[redis(id)]
            pub(crate) id: u64,
            #[redis(unique)]
            pub(crate) size: u8,
        }
    }

    let redis = stack().redis();
    before::Shirt { id: 1, size: "40".into() }.save(&redis).await?;
    before::Shirt { id: 2, size: "XL".into() }.save(&redis).await?;
    let Reindexed { progress, errors, .. } = after::Shirt::reindex_to_end(&redis).await?;
    assert_eq!((progress.indexed(), progress.purged(), progress.removed()), (1, 1, 1), "{progress:?}");
    let errors: Vec<_> = errors.iter().map(|error| (error.kind(), error.key(), error.field())).collect();
    assert_eq!(errors, [(ErrorKind::Decode, Some("re-size:2"), Some("size"))]);
    let entries: Vec<String> = redis.zrange("re-size::index:size", ZRange::rank(0, -1)).await?;
    assert_eq!(entries, ["", "60240\u{0}1"]);
    let drifts = after::Shirt::verify_to_end(&redis).await?;
    assert!(matches!(drifts.as_slice(), [Drift::UnreadableRecord { id, .. }] if id == "2"), "{drifts:?}");
    Ok(())
}

/// The service bills each command, and each request costs a round trip.
#[tokio::test]
async fn a_page_takes_few_commands() -> Result<()> {
    #[derive(Debug, RedisModel)]
    #[redis(prefix = "re-page")]
    struct Item {
        #[redis(id)]
        id: u64,
        #[redis(index)]
        kind: String,
    }

    let stack = own_stack();
    let redis = stack.redis();
    let mut batch = redis.batch();
    for id in 0..1000_u64 {
        let _ = batch.hset(format!("re-page:{id}"), [("id", id.to_string()), ("kind", "tool".to_owned())]);
    }
    batch.exec().await?;

    let seen = Seen::default();
    let sent = seen.clone();
    let redis = stack.builder().wrap_transport(move |inner| Counting::new(inner, sent.clone())).build()?;
    let count = |call: &str, most: (usize, usize)| {
        let requests = seen.take();
        let commands: usize = requests.iter().map(Vec::len).sum();
        println!("{call}: {} requests, {commands} commands", requests.len());
        assert!(
            requests.len() <= most.0 && commands <= most.1,
            "{call}: {} requests, {commands} commands",
            requests.len()
        );
    };
    assert_eq!(Item::reindex_to_end(&redis).await?.progress.indexed(), 1000);
    count("reindex of 1,000 records", (80, 100));
    assert_eq!(Item::verify_to_end(&redis).await?, []);
    count("verify of 1,000 records", (40, 60));
    assert_eq!(Item::reindex_to_end(&redis).await?.progress.indexed(), 0);
    count("reindex of 1,000 records that are indexed", (40, 60));
    Ok(())
}

/// Repairs, with a client that sends mutated scripts, what others have changed. Returns what is still wrong.
async fn wrong_after_repair(stack: &Stack, right: &'static str, wrong: &'static str) -> Result<Vec<String>> {
    use account::{after, before};

    let redis = stack.redis();
    redis.flushall().await?;
    User::save_many(&redis, &(0..10).map(user).collect::<Vec<_>>()).await?.all()?;
    disturb(&redis).await?;
    user(5).save(&redis).await?;
    user(6).save(&redis).await?;
    let account = before::Account { id: 1, email: email(1), plan: "free".into(), age: 36, country: "TR".into() };
    account.save(&redis).await?;
    for id in [1, 2] {
        parts::four::Thing { id, name: email(id), kind: "tool".into() }.save(&redis).await?;
        Member { id, email: email(id) }.save(&redis).await?;
    }
    let kinds: Vec<String> = redis.keys("re-parts::index:kind:*").await?;
    for key in &kinds {
        redis.zadd(key, [(0.0, "tool\u{0}1")]).await?;
    }
    // The claim of a member was lost and taken, and one row has the layout of a program that nobody knows any more.
    redis.zrem("re-member::index:email", format!("{}\u{0}1", email(1))).await?;
    redis.hset("re-member:3", [("id", "3".to_owned()), ("email", email(1))]).await?;
    redis.hset("re-member::rows", [("2", "01234567\u{0}=x")]).await?;

    // The server must not know the scripts as they are.
    redis.script_flush().await?;
    let mutated = stack.builder().wrap_transport(move |inner| Mutated { inner, right, wrong }).build()?;
    let mut found = Vec::new();
    let mut note = |what: &str, result: Result<Vec<Drift>>| match result {
        Ok(drifts) => found.extend(drifts.iter().map(|drift| format!("{what}: {drift}"))),
        Err(error) => found.push(format!("{what}: {error}")),
    };
    let done = |result: Result<Reindexed>| result.map(|_| Vec::new());
    note("reindex", done(User::reindex_to_end(&mutated).await));
    note("reindex", done(after::Account::reindex_to_end(&mutated).await));
    note("reindex", done(parts::four::Thing::reindex_to_end(&mutated).await));
    note("reindex", done(Member::reindex_to_end(&mutated).await));
    note("check", User::verify_to_end(&mutated).await);
    note("user", User::verify_to_end(&redis).await);
    note("account", after::Account::verify_to_end(&redis).await);
    note("thing", parts::four::Thing::verify_to_end(&redis).await);
    // One of two members with the same value is in no index.
    let members = Member::verify_to_end(&redis).await?;
    if members.len() != 1 {
        note("member", Ok(members));
    }
    let taken: Vec<String> = redis.zrange("re-member::index:email", ZRange::rank(0, -1)).await?;
    if taken.iter().filter(|entry| entry.starts_with(&email(1))).count() != 1 {
        found.push(format!("member: {taken:?}"));
    }
    if redis.exists("re-account::index:plan").await? > 0 {
        found.push("account: an index remains".to_owned());
    }
    let fields: Vec<String> = redis.hkeys("re-account::rows").await?;
    if fields.iter().filter(|field| field.starts_with(':')).count() != 1 {
        found.push("account: the descriptor of an earlier layout remains".to_owned());
    }
    Ok(found)
}

/// A test of the test: each mistake in a script is noticed.
#[tokio::test]
async fn mistakes_in_the_scripts_are_noticed() -> Result<()> {
    let stack = own_stack();
    let none: Vec<String> = Vec::new();
    assert_eq!(wrong_after_repair(&stack, "nothing of a script", "").await?, none);
    for (right, wrong) in [
        // rows
        ("call('ZADD', key, 0, member)", ""),
        ("if repairs then return forget(rows, expiry, id, columns) end", "if repairs then return end"),
        ("if expected then", "if false then"),
        ("local owner = index.unique and owner_of(key, number, entry, id)", "local owner"),
        ("elseif row and repairs then", "elseif false then"),
        // entries
        ("if repairs then call('ZREM', key, member) end", ""),
        (
            "return entry and partition_of_entry(number, entry, id) == partition and has_entry(id, number, entry)",
            "return true",
        ),
        ("partition_of_entry(number, entry, id) == partition and has_entry", "has_entry"),
        // start and finish
        ("call('UNLINK', KEYS[next_key])", ""),
        ("for at = 3, #ARGV do", "for at = 4, #ARGV do"),
        ("call('HDEL', rows_key(partition), ':building')", ""),
    ] {
        let found = wrong_after_repair(&stack, right, wrong).await?;
        println!("{right}\n    {found:?}");
        assert_ne!(found, none, "{right}");
    }
    Ok(())
}

/// The service locks the declared keys alone, so a script must not touch another.
#[tokio::test]
async fn the_scripts_touch_only_the_keys_that_they_declare() -> Result<()> {
    let strict = "local declared = {} for _, key in ipairs(KEYS) do declared[key] = true end \
                  local function call(name, key, ...) \
                  if name == 'TIME' then return redis.call(name) end \
                  if not declared[key] then error(name .. ' of an undeclared key') end \
                  return redis.call(name, key, ...) end";
    let found = wrong_after_repair(&own_stack(), "local call = redis.call", strict).await?;
    assert_eq!(found, Vec::<String>::new());
    // The test notices a key that is not declared.
    let other = "local function call(name, key, ...) return redis.call(name, (key or '') .. 'x', ...) end";
    assert_ne!(wrong_after_repair(&own_stack(), "local call = redis.call", other).await?, Vec::<String>::new());
    Ok(())
}
