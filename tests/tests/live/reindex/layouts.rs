//! A program with other indexes: its first run builds them from the records.

use redis_model::ErrorKind;
use redis_model::commands::sorted_set::ZRange;
use redis_model::hash::{Drift, IndexPhase, Reindexed};
use redis_model::prelude::*;
use redis_model_tests::{stack, valkey};

use super::{account, email, parts, sorted};

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
