//! Entries of streams that cannot be read: each has its id and an error of its own, and affects no other.

use std::collections::HashMap;
use std::time::Duration;

use redis_model::commands::stream::{
    AutoClaim, GroupPosition, GroupStart, NewId, StreamEntry, XAddOptions, XClaimOptions, XReadGroupOptions,
};
use redis_model::prelude::*;
use redis_model::redis_rest::{Build, Encoding};
use redis_model_tests::via::{Via, everywhere};
use redis_model_tests::{clients, key, stack};

type Numbers = HashMap<String, i64>;

const fn id(millis: u64) -> StreamId {
    StreamId::new(millis, 0)
}

/// Three entries, of which the second is not a number, and a group.
async fn fill(redis: &Via, k: &str) -> Result<()> {
    for (millis, text) in [(1, "1"), (2, "two"), (3, "3")] {
        let options = XAddOptions::new().id(NewId::Exact(id(millis)));
        redis.xadd_with(k, ("n", text), options).await?;
    }
    redis.xgroup_create(k, "g", GroupStart::Beginning).await
}

/// The outcome for each entry: its number, or the start of the error.
fn outcomes(entries: Vec<StreamEntry<Result<Numbers>>>) -> Vec<(u64, String)> {
    let text = |fields: Result<Numbers>| match fields {
        Ok(fields) => fields["n"].to_string(),
        Err(error) => {
            assert!(error.is_decode() && !error.may_have_executed(), "{error:?}");
            error.to_string()
        }
    };
    entries.into_iter().map(|entry| (entry.id.millis, text(entry.fields))).collect()
}

#[tokio::test]
async fn every_reading_command_returns_the_other_entries() -> Result<()> {
    let expected = [
        (1, "1".to_owned()),
        (2, "entry 2-0: expected a number that fits i64, found a string of 3 bytes".to_owned()),
        (3, "3".to_owned()),
    ];
    for redis in &everywhere() {
        let k = &key("stream");
        fill(redis, k).await?;
        assert_eq!(outcomes(redis.xrange(k, .., None).await?), expected);
        let mut reversed = outcomes(redis.xrevrange(k, .., None).await?);
        reversed.reverse();
        assert_eq!(reversed, expected);
        let read = redis.xread::<String, Numbers>([(k, StreamId::MIN)], None).await?.remove(0);
        assert_eq!(outcomes(read.entries), expected);
        let new = [(k, GroupPosition::New)];
        let mut read = redis.xreadgroup::<String, Numbers>("g", "a", new, XReadGroupOptions::new()).await?;
        assert!(read[0].clone().into_result().unwrap_err().to_string().starts_with("entry 2-0: "));
        assert_eq!(outcomes(read.remove(0).entries), expected);
        let AutoClaim { claimed, .. } = redis.xautoclaim(k, "g", "b", Duration::ZERO, StreamId::MIN, None).await?;
        assert_eq!(outcomes(claimed), expected);
        let options = XClaimOptions::new();
        let claimed = redis.xclaim(k, "g", "c", Duration::ZERO, [id(1), id(2), id(3)], options).await?;
        assert_eq!(outcomes(claimed), expected);
        // What cannot be read is acknowledged by its id, alone or with others.
        assert_eq!(redis.xack(k, "g", id(2)).await?, 1);
        assert_eq!(redis.xpending(k, "g").await?.count, 2);
    }
    Ok(())
}

#[tokio::test]
async fn pages_go_on_after_an_entry_that_cannot_be_read() -> Result<()> {
    let redis = stack().redis();
    let k = &key("stream");
    for millis in 1..=9 {
        let text = if millis == 4 { "four".to_owned() } else { millis.to_string() };
        redis.xadd_with(k, ("n", text), XAddOptions::new().id(NewId::Exact(id(millis)))).await?;
    }
    let entries = redis.xrange_iter::<Numbers>(k, .., 2).collect().await?;
    assert_eq!(entries.iter().filter(|entry| entry.fields.is_err()).map(|entry| entry.id).collect::<Vec<_>>(), [id(4)]);
    assert_eq!(entries.len(), 9);
    Ok(())
}

#[test]
fn removed_entries_of_old_servers_are_left_out() -> Result<()> {
    // Redis 6.2: an entry that was removed is nil in the replies to XCLAIM and XAUTOCLAIM.
    let xclaim = Build.xclaim::<Numbers>("k", "g", "c", Duration::ZERO, [id(1), id(2)], XClaimOptions::new());
    let claimed = xclaim.decode(r#"{"result":[null,["2-0",["n","2"]]]}"#, Encoding::Json)?;
    assert_eq!(claimed.into_iter().map(|entry| entry.id).collect::<Vec<_>>(), [id(2)]);
    let xautoclaim = Build.xautoclaim::<Numbers>("k", "g", "c", Duration::ZERO, StreamId::MIN, None);
    let claimed = xautoclaim.decode(r#"{"result":["0-0",[null,["2-0",["n","2"]]]]}"#, Encoding::Json)?;
    assert_eq!((claimed.claimed.len(), claimed.deleted.len()), (1, 0));
    Ok(())
}

#[derive(Debug, Clone, PartialEq, RedisModel)]
#[redis(stream, prefix = "group-events")]
enum Event {
    Paid { cents: i64 },
    Closed,
}

#[tokio::test]
async fn groups_of_typed_logs() -> Result<()> {
    for redis in &clients() {
        let log = Event::log(key("log"));
        log.append(redis, &Event::Paid { cents: 5 }).await?;
        let broken = redis.xadd(log.key(), [("event", "Paid"), ("cents", "many")]).await?;
        let closed = log.append(redis, &Event::Closed).await?;
        redis.xgroup_create(log.key(), "g", GroupStart::Beginning).await?;
        let new = [(log.key(), GroupPosition::New)];
        let stream = redis.xreadgroup::<String, Event>("g", "me", new, XReadGroupOptions::new()).await?.remove(0);
        let mut handled = Vec::new();
        let mut set_aside = Vec::new();
        for entry in stream.entries {
            match entry.fields {
                Ok(event) => handled.push(event),
                Err(error) => {
                    assert_eq!(error.field(), Some("cents"));
                    set_aside.push(entry.id);
                }
            }
            redis.xack(log.key(), "g", entry.id).await?;
        }
        assert_eq!((handled, set_aside), (vec![Event::Paid { cents: 5 }, Event::Closed], vec![broken]));
        assert_eq!(redis.xpending(log.key(), "g").await?.count, 0);
        let last = redis.xrevrange::<Event>(log.key(), .., Some(1)).await?.remove(0).into_result()?;
        assert_eq!(last, StreamEntry { id: closed, fields: Event::Closed });
    }
    Ok(())
}
