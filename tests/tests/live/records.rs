//! Models among the commands, several records in one request, and records that are not what their keys say.

use std::collections::{BTreeMap, HashSet};
use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use redis_model::ErrorKind;
use redis_model::commands::expiry::Ttl;
use redis_model::commands::list::ListSide;
use redis_model::hash::RecordScanOptions;
use redis_model::prelude::*;
use redis_model::redis_rest::{AutoPipelining, Encoding};
use redis_model_tests::{clients, key, stack, valkey};
use ulid::Ulid;
use uuid::Uuid;

#[derive(Debug, Clone, PartialEq, Eq, Hash, RedisModel)]
#[redis(id)]
struct UserId(u64);

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, RedisModel)]
#[redis(rename_all = "lowercase")]
enum Role {
    Admin,
    Guest,
}

#[derive(Debug, Clone, PartialEq, RedisModel)]
#[redis(text)]
struct Version {
    major: u32,
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "v{}", self.major)
    }
}

impl FromStr for Version {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let major = text.strip_prefix('v').and_then(|major| major.parse().ok()).ok_or("a version is v and a number")?;
        Ok(Version { major })
    }
}

#[derive(Debug, Clone, PartialEq, RedisModel)]
struct Wrapped<T>(Option<T>);

#[derive(Debug, Clone, PartialEq, RedisModel)]
#[redis(prefix = "member")]
struct Member {
    #[redis(id)]
    id: UserId,
    role: Role,
    visits: i64,
    #[redis(json)]
    tags: Vec<String>,
    note: Option<String>,
}

fn member(id: u64) -> Member {
    Member { id: UserId(id), role: Role::Guest, visits: 1, tags: vec!["a".into()], note: None }
}

#[derive(Debug, Clone, PartialEq, RedisModel)]
#[redis(list, prefix = "task")]
struct Task {
    to: String,
    n: u32,
}

#[tokio::test]
async fn fields_are_arguments_and_replies() -> Result<()> {
    for (redis, id) in clients().iter().zip(10..) {
        let k = &key("k");
        redis.set(k, UserId(7)).await?;
        assert_eq!(redis.get::<UserId>(k).await?, Some(UserId(7)));
        assert_eq!(redis.execute::<UserId>(("INCR", k)).await?, UserId(8), "an integer as a reply");
        let roles = &key("roles");
        assert_eq!(redis.sadd(roles, Role::Admin).await?, 1);
        assert_eq!(redis.sadd(roles, [Role::Admin, Role::Guest]).await?, 1);
        assert_eq!(redis.smembers::<HashSet<Role>>(roles).await?.len(), 2);
        redis.sadd(roles, "king").await?;
        let error = redis.smembers::<HashSet<Role>>(roles).await.unwrap_err();
        assert_eq!(error.to_string(), "SMEMBERS: expected Role, one of `admin`, `guest`, found \"king\"");
        redis.set(k, Wrapped(Some(5))).await?;
        assert_eq!(redis.get::<Wrapped<i64>>(k).await?, Some(Wrapped(Some(5))));
        assert!(redis.set(k, Wrapped::<i64>(None)).await.unwrap_err().is_invalid_input());
        redis.set(k, Version { major: 2 }).await?;
        assert_eq!(redis.get::<String>(k).await?.as_deref(), Some("v2"));
        assert_eq!(redis.get::<Version>(k).await?, Some(Version { major: 2 }));
        let (uuid, ulid) = (Uuid::now_v7(), Ulid::generate());
        assert_eq!(redis.rpush(key("ids"), uuid).await?, 1);
        redis.mset([(key("u"), ulid)]).await?;
        redis.set(k, uuid).await?;
        assert_eq!(redis.get::<Uuid>(k).await?, Some(uuid));
        assert!(redis.get::<Ulid>(k).await.unwrap_err().to_string().contains("expected a ULID"));
        redis.set(k, ulid).await?;
        assert_eq!(redis.get::<Ulid>(k).await?, Some(ulid));

        member(id).save(redis).await?;
        let k = Member::key(&UserId(id))?;
        assert_eq!(redis.hget::<Role>(&k, Member::ROLE).await?, Some(Role::Guest));
        assert_eq!(redis.hincrby(&k, Member::VISITS, 4).await?, 5);
        let tags = vec!["b".to_owned(), "c".to_owned()];
        redis.hset(&k, [Member::ROLE.pair(&Role::Admin), Member::TAGS.pair(&tags)]).await?;
        let changed = Member { role: Role::Admin, tags, visits: 5, ..member(id) };
        assert_eq!(Member::load(redis, &UserId(id)).await?, Some(changed.clone()));
        let error = redis.hset(&k, Member::NOTE.pair(&None)).await.unwrap_err();
        assert!(error.is_invalid_input() && error.message().contains("hdel"), "{error}");
        assert_eq!(redis.hdel(&k, [Member::TAGS, Member::TAGS]).await?, 1);
        assert_eq!(redis.hgetall::<BTreeMap<String, String>>(&k).await?.len(), 3);
        redis.hset(&k, Member::TAGS.pair(&changed.tags)).await?;
        assert_eq!(redis.hgetall::<Member>(&k).await?, changed);
        assert_eq!(redis.hgetall::<Option<Member>>("member:none").await?, None);
        let error = redis.hgetall::<Member>("member:none").await.unwrap_err();
        assert!(error.is_not_found() && error.message().contains("`Option`"), "{error}");

        // What HINCRBY makes of a record that does not exist.
        let other = UserId(id + 1_000_000);
        redis.hincrby(Member::key(&other)?, Member::VISITS, 1).await?;
        let error = Member::load(redis, &other).await.unwrap_err();
        assert!(error.is_decode() && error.message().contains("write the record with `save`"), "{error}");
    }
    Ok(())
}

#[tokio::test]
async fn elements_are_arguments_and_replies() -> Result<()> {
    for redis in &clients() {
        let (queue, doing) = (Task::list(key("queue")), key("doing"));
        let task = |n| Task { to: "a".into(), n };
        redis.rpush(queue.key(), task(1)).await?;
        redis.rpush(queue.key(), &[task(2), task(3)]).await?;
        assert_eq!(queue.range(redis, ..).await?, [task(1), task(2), task(3)]);
        let moved: Option<Task> = redis.lmove(queue.key(), &doing, ListSide::Left, ListSide::Right).await?;
        assert_eq!(moved, Some(task(1)));
        assert_eq!(redis.lrange::<Task>(&doing, 0, -1).await?, [task(1)]);
        assert_eq!(redis.lrem(&doing, 1, task(1)).await?, 1);
        assert_eq!(redis.lpop::<Task>(&doing).await?, None);
        assert_eq!(redis.rpop_count::<Task>(queue.key(), 9).await?, [task(3), task(2)]);
        redis.rpush(&doing, "{}").await?;
        let error = redis.lpop::<Task>(&doing).await.unwrap_err();
        assert_eq!((error.kind(), error.field(), error.command()), (ErrorKind::Decode, Some("to"), Some("LPOP")));
    }
    Ok(())
}

#[derive(Debug, Clone, PartialEq, RedisModel)]
#[redis(prefix = "page")]
struct Page {
    #[redis(id)]
    name: String,
    note: Option<String>,
}

#[derive(Debug, Clone, PartialEq, RedisModel)]
#[redis(prefix = "many")]
struct Many {
    #[redis(id)]
    name: String,
    note: Option<String>,
}

#[tokio::test]
async fn many_are_saved_and_deleted_in_one_request() -> Result<()> {
    let redis = stack().redis();
    let many = |name: &str, note: Option<&str>| Many { name: name.into(), note: note.map(str::to_owned) };
    redis.set("many:text", "not a hash").await?;
    for note in [Some("x"), None] {
        let records = [many("a", note), many("b:c", note), many("text", note), many("d", note), many("", note)];
        let saved = Many::save_many(&redis, &records).await?.into_vec();
        assert!(saved[0].is_ok() && saved[3].is_ok(), "{saved:?}");
        let invalid = saved[1].as_ref().unwrap_err();
        assert_eq!((invalid.kind(), invalid.key()), (ErrorKind::InvalidInput, Some("many:b:c")));
        let wrong = saved[2].as_ref().unwrap_err();
        assert!(wrong.is_wrong_type() && wrong.key() == Some("many:text"), "{wrong:?}");
        assert!(saved[4].as_ref().unwrap_err().is_invalid_input());
        assert_eq!(Many::load_many(&redis, ["a", "d"]).await?, [Some(many("a", note)), Some(many("d", note))]);
        let error = Many::save_many(&stack().blocking(), &records)?.all().unwrap_err();
        assert_eq!(error.key(), Some("many:b:c"), "the first error");
    }
    let deleted = Many::delete_many(&redis, ["a", "none", "x:y", "d"]).await?;
    let deleted: Vec<_> = deleted.into_iter().map(|deleted| deleted.map_err(|error| error.kind())).collect();
    assert_eq!(deleted, [Ok(true), Ok(false), Err(ErrorKind::InvalidInput), Ok(true)]);
    assert!(Many::save_many(&redis, []).await?.all()?.is_empty());
    assert_eq!(Many::delete_many(&stack().blocking(), ["a"])?.all()?, [false]);
    Ok(())
}

#[tokio::test]
async fn records_in_pipelines() -> Result<()> {
    let redis = stack().redis();
    let (a, b) = (&UserId(70), &UserId(71));
    let minute = Duration::from_secs(60);
    let ((), exists, missing, expires) = redis
        .transaction()
        .save(&member(70))
        .record_exists::<Member>(a)
        .record_exists::<Member>(b)
        .expire_record::<Member>(a, minute)
        .exec()
        .await?;
    assert_eq!((exists, missing, expires), (true, false, true));
    let (ttl, persisted, after, role, deleted) = redis
        .pipeline()
        .record_ttl::<Member>(a)
        .persist_record::<Member>(a)
        .record_ttl::<Member>(a)
        .load_field(a, Member::ROLE)
        .delete::<Member>(a)
        .exec()
        .await?;
    assert!(matches!(ttl, Ttl::Expires(left) if left <= minute));
    assert_eq!((persisted, after, role, deleted), (true, Ttl::Persistent, Some(Role::Guest), true));
    let mut batch = redis.batch();
    let slots = [batch.next_id::<Member>(), batch.next_id::<Member>()];
    let replies = batch.exec().await?;
    let [first, second] = slots.map(|slot| replies.take(slot));
    assert_eq!(first?.0 + 1, second?.0);
    Ok(())
}

#[tokio::test]
async fn scans_on_both_clients() -> Result<()> {
    let redis = stack().redis();
    let names: HashSet<_> = (0..300).map(|n| format!("{}-{n}", 2026 + n % 3)).collect();
    let pages: Vec<_> = names.iter().map(|name| Page { name: name.clone(), note: None }).collect();
    Page::save_many(&redis, &pages).await?.all()?;
    // A key of another program: not UTF-8. It can be sent only as the body of a request.
    redis.hset(b"page:\xff\xfe".as_slice(), ("name", "x")).await?;
    redis.hset("page:other:kind", ("name", "x")).await?;
    let all: HashSet<_> = Page::scan(&redis).collect().await?.into_iter().map(|page| page.name).collect();
    assert_eq!(all, names);
    for encoding in [Encoding::Base64, Encoding::Json, Encoding::Resp2] {
        let blocking = stack().builder().encoding(encoding).build_blocking()?;
        let all: HashSet<_> = Page::scan(&blocking).map(|page| page.map(|page| page.name)).collect::<Result<_>>()?;
        assert_eq!(all, names, "{encoding:?}");
    }
    let queued = stack().builder().auto_pipelining(AutoPipelining::new()).build()?;
    assert_eq!(Page::scan(&queued).collect().await?.len(), 300);
    for count in [1, 10_000] {
        let options = RecordScanOptions::new().matching("2027-*").count(count);
        let some = Page::scan_with(&redis, options).collect().await?;
        let some: HashSet<_> = some.into_iter().map(|page| page.name).collect();
        assert!(some.len() == 100 && some.iter().all(|name| name.starts_with("2027-")), "{some:?}");
    }
    let options = RecordScanOptions::new().matching("2026-[12]").count(1000);
    let some = Page::scan_with(&stack().blocking(), options).collect::<Result<Vec<_>>>()?;
    assert!(some.iter().all(|page| page.name == "2026-1" || page.name == "2026-2"));
    let error = Page::scan_with(&redis, RecordScanOptions::new().count(0)).collect().await.unwrap_err();
    assert!(error.is_invalid_input(), "{error}");
    Ok(())
}

#[derive(Debug, Clone, PartialEq, RedisModel)]
#[redis(prefix = "renamed")]
struct Renamed {
    #[redis(id, rename = "no")]
    number: u64,
}

#[tokio::test]
async fn a_record_with_the_id_of_another_key_is_an_error() -> Result<()> {
    for redis in [stack().redis(), valkey().redis()] {
        Renamed { number: 41 }.save(&redis).await?;
        redis.hset("renamed:42", ("no", 7)).await?;
        let error = Renamed::load(&redis, 42).await.unwrap_err();
        assert_eq!((error.kind(), error.field(), error.key()), (ErrorKind::Decode, Some("no"), Some("renamed:42")));
        let text = r#"HGETALL for Renamed at "renamed:42": field "no": expected "42", the id in the key, found "7""#;
        assert_eq!(error.to_string(), text);
        let error = Renamed::load_many(&redis, [41, 42]).await.unwrap_err();
        assert_eq!(error.to_string(), text);
        let (error,) = redis.pipeline().load::<Renamed>(42).exec_each().await?;
        assert_eq!(error.unwrap_err().to_string(), text);
        let mut batch = redis.atomic_batch();
        let slot = batch.load::<Renamed>(42);
        assert_eq!(batch.exec().await?.take(slot).unwrap_err().to_string(), text);
        let mut records = Renamed::scan(&redis);
        let mut found = (Vec::new(), Vec::new());
        while let Some(record) = records.next().await {
            match record {
                Ok(record) => found.0.push(record.number),
                Err(error) => found.1.push(error.to_string()),
            }
        }
        assert_eq!(found, (vec![41], vec![text.to_owned()]));
        // Another way to write the same id is the same id.
        redis.hset("renamed:42", ("no", "042")).await?;
        assert_eq!(Renamed::load(&redis, 42).await?, Some(Renamed { number: 42 }));
    }
    Ok(())
}
