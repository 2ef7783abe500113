use std::collections::HashMap;
use std::time::{Duration, SystemTime};

use redis_model::redis_rest::commands::stream::{
    EntryRemoval, GroupInfo, GroupPosition, GroupStart, NewId, ReadPosition, RefPolicy, StreamEntries, StreamEntry,
    StreamId, Trim, XAddOptions, XClaimOptions, XGroupCreateOptions, XPendingOptions, XReadGroupOptions,
};
use redis_model::redis_rest::{Result, StreamCommands};
use redis_model_tests::key;
use redis_model_tests::via::{Via, everywhere};

type Fields = HashMap<String, String>;

const fn id(millis: u64) -> StreamId {
    StreamId::new(millis, 0)
}

fn entry(millis: u64) -> StreamEntry<Fields> {
    StreamEntry { id: id(millis), fields: Fields::from([("n".to_owned(), millis.to_string())]) }
}

/// The entries, if the fields of each could be read.
fn whole<F>(entries: impl IntoIterator<Item = StreamEntry<Result<F>>>) -> Result<Vec<StreamEntry<F>>> {
    entries.into_iter().map(StreamEntry::into_result).collect()
}

/// Entries 1-0 to n-0.
async fn fill(redis: &Via, k: &str, n: u64) -> Result<()> {
    for millis in 1..=n {
        let options = XAddOptions::new().id(NewId::Exact(id(millis)));
        assert_eq!(redis.xadd_with(k, [("n", millis)], options).await?, Some(id(millis)));
    }
    Ok(())
}

async fn entries(redis: &Via) -> Result<()> {
    let (k, none) = (&key("stream"), &key("none"));
    assert_eq!(redis.xadd_with(none, [("n", 1)], XAddOptions::new().no_mkstream()).await?, None);
    fill(redis, k, 5).await?;
    assert_eq!(redis.xlen(k).await?, 5);
    assert_eq!(whole(redis.xrange::<Fields>(k, id(2)..id(4), None).await?)?, [entry(2), entry(3)]);
    assert_eq!(whole(redis.xrevrange::<Fields>(k, .., Some(2)).await?)?, [entry(5), entry(4)]);
    let read = redis.xread::<String, Fields>([(k, id(3)), (none, id(0))], Some(9)).await?;
    let read = read.into_iter().map(StreamEntries::into_result).collect::<Result<Vec<_>>>()?;
    assert_eq!(read, [StreamEntries { key: k.clone(), entries: vec![entry(4), entry(5)] }]);
    assert!(redis.xread::<String, Fields>([(none, id(0))], None).await?.is_empty());
    let last = redis.xread::<String, Fields>([(k, ReadPosition::Last), (none, ReadPosition::Last)], None).await?;
    let last = last.into_iter().map(StreamEntries::into_result).collect::<Result<Vec<_>>>()?;
    assert_eq!(last, [StreamEntries { key: k.clone(), entries: vec![entry(5)] }]);
    assert!(redis.xread::<String, Fields>([(k, ReadPosition::End)], None).await?.is_empty());
    assert_eq!(redis.xdel(k, [id(1), id(99)]).await?, 1);
    let removed = redis.xdelex(k, [id(2), id(99)], RefPolicy::Keep).await?;
    assert_eq!(removed, [EntryRemoval::Removed, EntryRemoval::Missing]);
    assert_eq!(redis.xtrim(k, Trim::min_id(id(4))).await?, 1);
    assert_eq!(redis.xtrim(k, Trim::max_len(1)).await?, 1);
    let info = redis.xinfo_stream::<Fields>(k).await?;
    assert_eq!((info.length, info.groups, info.last_generated_id), (1, 0, id(5)));
    assert_eq!(
        (info.recorded_first_entry_id, info.radix_tree_keys, info.radix_tree_nodes),
        (Some(id(5)), Some(1), Some(2))
    );
    assert_eq!((info.entries_added, info.first_entry, info.last_entry), (Some(5), Some(entry(5)), Some(entry(5))));
    assert!(redis.xadd(k, [("n", 6)]).await? > id(5));
    let options = XAddOptions::new().trim(Trim::max_len(1).policy(RefPolicy::Delete));
    assert!(redis.xadd_with(k, [("n", 7)], options).await?.is_some());
    assert_eq!(redis.xlen(k).await?, 1);
    assert!(redis.xinfo_stream::<Fields>(none).await.unwrap_err().to_string().contains("no such key"));
    Ok(())
}

async fn groups(redis: &Via) -> Result<()> {
    let k = &key("stream");
    redis.xgroup_create_mkstream(k, "g", GroupStart::Beginning).await?;
    assert_eq!(redis.xgroup_create(k, "g", GroupStart::End).await.unwrap_err().code(), Some("BUSYGROUP"));
    assert!(redis.xinfo_stream::<Fields>(k).await?.first_entry.is_none());
    fill(redis, k, 4).await?;
    assert!(redis.xgroup_createconsumer(k, "g", "idle").await?);
    assert!(!redis.xgroup_createconsumer(k, "g", "idle").await?);
    let all = [(k, GroupPosition::New)];
    let mut read = redis.xreadgroup::<String, Fields>("g", "a", all, XReadGroupOptions::new().count(3)).await?;
    assert_eq!(whole(read.remove(0).entries)?, [entry(1), entry(2), entry(3)]);
    let mut quiet = redis.xreadgroup::<String, Fields>("g", "b", all, XReadGroupOptions::new().no_ack()).await?;
    assert_eq!(whole(quiet.remove(0).entries)?, [entry(4)]);
    assert!(redis.xreadgroup::<String, Fields>("g", "a", all, XReadGroupOptions::new()).await?.is_empty());
    let summary = redis.xpending(k, "g").await?;
    assert_eq!((summary.count, summary.range), (3, Some((id(1), id(3)))));
    assert_eq!(summary.consumers, [("a".to_owned(), 3)]);
    let pending = redis.xpending_range(k, "g", id(2).., 9, XPendingOptions::new().consumer("a")).await?;
    assert_eq!(
        pending.iter().map(|pending| (pending.id, pending.deliveries)).collect::<Vec<_>>(),
        [(id(2), 1), (id(3), 1)]
    );
    let long = XPendingOptions::new().idle(Duration::from_secs(3600));
    assert!(redis.xpending_range(k, "g", .., 9, long).await?.is_empty());
    let group = redis.xinfo_stream_full::<Fields>(k, None).await?.groups.remove(0);
    let delivered: Vec<_> = group.pending.iter().map(|pending| (pending.id, pending.deliveries)).collect();
    assert_eq!((group.pel_count, delivered), (3, vec![(id(1), 1), (id(2), 1), (id(3), 1)]));
    let holder = group.consumers.iter().find(|consumer| consumer.name == "a").unwrap();
    assert_eq!(holder.pending[0], (id(1), group.pending[0].delivered, 1));
    assert!(holder.pel_count == 3 && holder.active.is_some());
    assert_eq!(redis.xack(k, "g", [id(1), id(99)]).await?, 1);
    let removed = redis.xackdel(k, "g", [id(2), id(99)], RefPolicy::Acked).await?;
    assert_eq!(removed, [EntryRemoval::Removed, EntryRemoval::Missing]);
    let claimed =
        redis.xclaim::<Fields>(k, "g", "b", Duration::ZERO, [id(3)], XClaimOptions::new().retry_count(7)).await?;
    assert_eq!(whole(claimed)?, [entry(3)]);
    assert_eq!(redis.xpending_range(k, "g", .., 9, XPendingOptions::new()).await?[0].deliveries, 7);
    let options = XClaimOptions::new().idle(Duration::from_secs(60));
    assert_eq!(redis.xclaim_justid(k, "g", "b", Duration::ZERO, [id(3)], options).await?, [id(3)]);
    redis.xdel(k, [id(3)]).await?;
    let pending = [(k, GroupPosition::PendingAfter(StreamId::MIN))];
    let held = redis.xreadgroup::<String, Fields>("g", "b", pending, XReadGroupOptions::new()).await?;
    let error = held[0].entries[0].fields.as_ref().unwrap_err();
    assert!(held[0].entries[0].id == id(3) && error.is_not_found(), "{error}");
    let mut held = redis.xreadgroup::<String, Option<Fields>>("g", "b", pending, XReadGroupOptions::new()).await?;
    assert_eq!(whole(held.remove(0).entries)?, [StreamEntry { id: id(3), fields: None }], "pending, but removed");
    let auto = redis.xautoclaim::<Fields>(k, "g", "a", Duration::ZERO, StreamId::MIN, Some(9)).await?;
    assert_eq!((auto.next, auto.claimed.len(), auto.deleted), (StreamId::MIN, 0, vec![id(3)]));
    let auto = redis.xautoclaim_justid(k, "g", "a", Duration::ZERO, StreamId::MIN, None).await?;
    assert!(auto.claimed.is_empty());
    let full = redis.xinfo_stream_full::<Fields>(k, Some(1)).await?;
    assert_eq!(redis.xinfo_stream_full::<Fields>(k, Some(0)).await?.entries.len(), 2);
    assert_eq!((full.length, full.entries, full.recorded_first_entry_id), (2, vec![entry(1)], Some(id(1))));
    let group = &full.groups[0];
    assert_eq!((group.name.as_str(), group.last_delivered_id, group.pel_count), ("g", id(4), 0));
    assert_eq!(group.consumers.len(), 3);
    let info = redis.xinfo_groups(k).await?;
    assert_eq!(
        (info[0].name.as_str(), info[0].consumers, info[0].pending, info[0].last_delivered_id),
        ("g", 3, 0, id(4))
    );
    let consumers = redis.xinfo_consumers(k, "g").await?;
    assert_eq!(consumers.iter().map(|consumer| consumer.name.as_str()).collect::<Vec<_>>(), ["a", "b", "idle"]);
    assert!(consumers[2].inactive.is_none());
    redis.xgroup_setid(k, "g", GroupStart::After(id(3))).await?;
    assert_eq!(redis.xgroup_delconsumer(k, "g", "b").await?, 0);
    assert!(redis.xgroup_destroy(k, "g").await?);
    assert!(!redis.xgroup_destroy(k, "g").await?);
    Ok(())
}

/// What a group knows of its past, and what a claim says of it.
async fn group_history(redis: &Via) -> Result<()> {
    let k = &key("stream");
    let options = XGroupCreateOptions::new().mkstream().entries_read(0);
    redis.xgroup_create_with(k, "g", GroupStart::Beginning, options).await?;
    fill(redis, k, 4).await?;
    let group = |groups: Vec<GroupInfo>| (groups[0].entries_read, groups[0].lag, groups[0].last_delivered_id);
    assert_eq!(group(redis.xinfo_groups(k).await?), (Some(0), Some(4), id(0)));
    redis.xgroup_setid_entriesread(k, "g", GroupStart::After(id(3)), 3).await?;
    assert_eq!(group(redis.xinfo_groups(k).await?), (Some(3), Some(1), id(3)));
    let hour = Duration::from_secs(3600);
    let options = XClaimOptions::new().force().time(SystemTime::now() - hour).last_id(id(4));
    assert_eq!(redis.xclaim_justid(k, "g", "a", Duration::ZERO, [id(2)], options).await?, [id(2)]);
    let pending = redis.xpending_range(k, "g", .., 9, XPendingOptions::new()).await?;
    assert!(pending[0].idle >= hour && pending[0].idle < 2 * hour);
    assert_eq!(group(redis.xinfo_groups(k).await?).2, id(4));
    Ok(())
}

#[tokio::test]
async fn every_method_on_every_executor() -> Result<()> {
    for redis in &everywhere() {
        entries(redis).await?;
        groups(redis).await?;
        group_history(redis).await?;
    }
    Ok(())
}
