//! Models on a real server.

use std::collections::HashSet;
use std::net::IpAddr;
use std::time::Duration;

use redis_model::commands::expiry::Ttl;
use redis_model::prelude::*;
use redis_model::{Entry, Error, Log};
use redis_model_tests::{clients, key, stack, valkey};
use serde_derive::{Deserialize, Serialize};
use ulid::Ulid;
use uuid::Uuid;

#[derive(Debug, Clone, PartialEq, RedisModel)]
#[redis(prefix = "user", rename_all = "camelCase")]
struct User {
    #[redis(id)]
    id: u64,
    full_name: String,
    #[redis(alias = "mail")]
    email: Option<String>,
    country: Country,
    score: Score,
    rate: f64,
    active: bool,
    address: Option<IpAddr>,
    #[redis(default)]
    visits: i64,
    #[redis(default = unlimited)]
    quota: u32,
    #[redis(skip)]
    cache: Vec<u8>,
    #[redis(json)]
    settings: Settings,
    #[redis(json)]
    draft: Option<Settings>,
    #[redis(bincode)]
    embedding: Vec<f32>,
    #[redis(base64)]
    avatar: Vec<u8>,
    #[redis(flatten)]
    place: Place,
}

fn unlimited() -> u32 {
    u32::MAX
}

#[derive(Debug, Clone, PartialEq, RedisModel)]
#[redis(rename_all = "lowercase")]
enum Country {
    Tr,
    #[redis(alias = "gb")]
    Uk,
}

#[derive(Debug, Clone, PartialEq, RedisModel)]
struct Score(f64);

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Settings {
    dark: bool,
    tags: Vec<String>,
}

#[derive(Debug, Clone, PartialEq, RedisModel)]
#[redis(embedded)]
struct Place {
    city: String,
    zip: Option<u32>,
}

fn user(id: u64) -> User {
    User {
        id,
        full_name: "Ada \"é\" 🦀\n".into(),
        email: Some(String::new()),
        country: Country::Uk,
        score: Score(0.1),
        rate: f64::INFINITY,
        active: true,
        address: None,
        visits: i64::MIN,
        quota: 7,
        cache: Vec::new(),
        settings: Settings { dark: true, tags: vec!["a,b".into()] },
        draft: None,
        embedding: vec![0.5, -1.0],
        avatar: (0..=255).collect(),
        place: Place { city: "London".into(), zip: None },
    }
}

#[tokio::test]
async fn a_record_comes_back_as_it_went() -> Result<()> {
    for (redis, id) in clients().iter().zip(1000..) {
        assert_eq!(User::load(redis, id).await?, None);
        user(id).save(redis).await?;
        assert_eq!(User::load(redis, id).await?, Some(user(id)));
        assert!(User::exists(redis, id).await?);
        assert_eq!(User::load_field(redis, id, User::SCORE).await?, Some(Score(0.1)));
        assert_eq!(User::load_field(redis, id, User::EMAIL).await?, Some(String::new()));
        assert_eq!(User::load_field(redis, id, User::DRAFT).await?, None);
        assert_eq!(User::load_field(redis, id, User::SETTINGS).await?.map(|settings| settings.dark), Some(true));
        assert!(User::delete(redis, id).await?);
        assert!(!User::delete(redis, id).await?);
    }
    Ok(())
}

#[tokio::test]
async fn none_removes_a_field_and_unknown_fields_stay() -> Result<()> {
    let redis = stack().redis();
    let k = User::key(1)?;
    redis.hset(&k, [("unknown", "kept"), ("mail", "old@name")]).await?;
    user(1).save(&redis).await?;
    let cleared = User { email: None, place: Place { zip: None, ..user(1).place }, ..user(1) };
    cleared.save(&redis).await?;
    assert_eq!(User::load(&redis, 1).await?, Some(cleared), "the alias is gone too");
    assert_eq!(redis.hmget::<String>(&k, ["unknown", "mail", "email"]).await?, [Some("kept".into()), None, None]);
    Ok(())
}

#[tokio::test]
async fn insert_creates_and_update_changes() -> Result<()> {
    for (stack, id) in [(stack(), 10), (valkey(), 11)] {
        let redis = stack.redis();
        let error = user(id).update(&redis).await.unwrap_err();
        assert!(error.is_not_found(), "{error}");
        assert!(!User::exists(&redis, id).await?);
        user(id).insert(&redis).await?;
        let other = User { full_name: "Other".into(), email: None, ..user(id) };
        let error = other.insert(&redis).await.unwrap_err();
        assert!(error.is_already_exists() && !error.may_have_executed(), "{error}");
        assert_eq!(User::load(&redis, id).await?, Some(user(id)));
        other.update(&redis).await?;
        assert_eq!(User::load(&redis, id).await?, Some(other));
    }
    Ok(())
}

#[tokio::test]
async fn records_expire() -> Result<()> {
    let redis = stack().redis();
    assert!(!User::expire(&redis, 20, Duration::from_secs(60)).await?);
    assert_eq!(User::ttl(&redis, 20).await?, Ttl::Missing);
    user(20).save(&redis).await?;
    assert!(User::expire(&redis, 20, Duration::from_secs(60)).await?);
    user(20).save(&redis).await?;
    assert!(matches!(User::ttl(&redis, 20).await?, Ttl::Expires(_)), "a save keeps it");
    assert!(User::persist(&redis, 20).await?);
    assert_eq!(User::ttl(&redis, 20).await?, Ttl::Persistent);
    Ok(())
}

#[tokio::test]
async fn many_in_one_request() -> Result<()> {
    let redis = stack().redis();
    for id in [30, 31] {
        user(id).save(&redis).await?;
    }
    assert_eq!(User::load_many(&redis, [31, 39, 30]).await?, [Some(user(31)), None, Some(user(30))]);
    assert!(User::load_many(&redis, []).await?.is_empty());
    assert_eq!(User::load_many(&stack().blocking(), [30])?, [Some(user(30))]);
    Ok(())
}

#[tokio::test]
async fn models_on_every_executor() -> Result<()> {
    let redis = stack().redis();
    let ((), loaded, deleted) = redis.pipeline().save(&user(40)).load::<User>(40).delete::<User>(40).exec().await?;
    assert_eq!((loaded, deleted), (Some(user(40)), true));
    let mut batch = redis.batch();
    let slots: Vec<_> = (41..44).map(|id| (batch.insert(&user(id)), batch.load::<User>(id))).collect();
    let replies = batch.exec().await?;
    for (slot, id) in slots.into_iter().zip(41..) {
        replies.take(slot.0)?;
        assert_eq!(replies.take(slot.1)?, Some(user(id)));
    }
    let blocking = stack().blocking();
    user(45).save(&blocking)?;
    assert_eq!(User::load(&blocking, 45)?, Some(user(45)));
    assert_eq!(Message::list("blocking").len(&blocking)?, 0);
    Ok(())
}

#[tokio::test]
async fn errors_name_model_key_field_type_and_what_was_found() -> Result<()> {
    let redis = stack().redis();
    let broken = async |field: &str, value: &str| {
        user(50).save(&redis).await?;
        redis.hset("user:50", [(field, value)]).await?;
        Ok::<_, Error>(User::load(&redis, 50).await.unwrap_err())
    };
    let error = broken("visits", "12x").await?;
    assert_eq!((error.model(), error.key(), error.field()), (Some("User"), Some("user:50"), Some("visits")));
    assert_eq!(error.to_string(), "HGETALL for User at \"user:50\": field \"visits\": expected i64, found \"12x\"");
    let error = broken("country", "mars").await?;
    assert!(
        error.to_string().ends_with("field \"country\": expected Country, one of `tr`, `uk`, found \"mars\""),
        "{error}"
    );
    let error = broken("settings", "{").await?;
    assert!(
        error.is_decode() && error.to_string().ends_with("EOF while parsing an object at line 1 column 1"),
        "{error}"
    );
    assert!(broken("embedding", "!").await?.to_string().contains("expected Vec<f32>"));
    redis.hdel("user:50", ["fullName"]).await?;
    redis.hset("user:50", [("embedding", "AA==")]).await?;
    user(50).save(&redis).await?;
    redis.hdel("user:50", ["fullName"]).await?;
    let error = User::load(&redis, 50).await.unwrap_err();
    assert!(error.to_string().contains("field \"fullName\": missing; expected String"), "{error}");
    redis.execute::<i64>(["HSET", "user:50", "fullName", "x", "rate", "fast"]).await?;
    let error = User::load_field(&redis, 50, User::RATE).await.unwrap_err();
    assert_eq!(error.to_string(), "HGET for User at \"user:50\": field \"rate\": expected f64, found \"fast\"");
    Ok(())
}

#[tokio::test]
async fn another_type_of_key_is_an_error_and_stays_as_it_is() -> Result<()> {
    let redis = stack().redis();
    redis.set("user:60", "text").await?;
    for error in [
        User::load(&redis, 60).await.unwrap_err(),
        user(60).save(&redis).await.unwrap_err(),
        user(60).insert(&redis).await.unwrap_err(),
        user(60).update(&redis).await.unwrap_err(),
    ] {
        assert!(error.is_wrong_type() && error.key() == Some("user:60") && !error.may_have_executed(), "{error:?}");
    }
    assert_eq!(redis.get::<String>("user:60").await?.as_deref(), Some("text"));
    Ok(())
}

#[tokio::test]
async fn missing_fields_have_their_defaults() -> Result<()> {
    let redis = stack().redis();
    user(70).save(&redis).await?;
    redis.hdel("user:70", ["visits", "quota", "email"]).await?;
    redis.hset("user:70", [("mail", "by@alias")]).await?;
    let loaded = User::load(&redis, 70).await?.unwrap();
    assert_eq!((loaded.visits, loaded.quota, loaded.email.as_deref()), (0, u32::MAX, Some("by@alias")));
    Ok(())
}

#[derive(Debug, Clone, PartialEq, RedisModel)]
#[redis(prefix = "scanned*[x]")]
struct Scanned {
    #[redis(id)]
    id: u16,
    nothing: Option<String>,
}

#[tokio::test]
async fn scan_finds_every_record_and_nothing_else() -> Result<()> {
    let redis = stack().redis();
    let mut batch = redis.batch();
    let slots: Vec<_> = (0..1200).map(|id| batch.save(&Scanned { id, nothing: None })).collect();
    let replies = batch.exec().await?;
    slots.into_iter().try_for_each(|slot| replies.take(slot))?;
    redis.hset("scanned*[x]:unique:email", [("a", 1)]).await?;
    redis.hset("scanned*[x]:notanumber", [("a", 1)]).await?;
    redis.set("scanned*[x]:99", 1).await.ok();
    redis.hset("scannedZx:7", [("id", 7)]).await?;
    let found: HashSet<u16> = Scanned::scan(&redis).collect().await?.into_iter().map(|record| record.id).collect();
    assert_eq!(found.len(), 1199, "all but the one that is no hash any more");
    // They read as the id 7, but `load(7)` reads none of them.
    for foreign in ["007", "+7", "0007"] {
        redis.hset(format!("scanned*[x]:{foreign}"), [("id", 7)]).await?;
    }
    let options = redis_model::RecordScanOptions::new().matching("*0*07");
    let found = Scanned::scan_with(&redis, options).collect().await?;
    assert!(found.iter().all(|record| record.id == 1007), "{found:?}");
    Ok(())
}

#[derive(Debug, Clone, PartialEq, RedisModel)]
#[redis(id)]
struct OrderId(u32);

#[derive(Debug, Clone, PartialEq, RedisModel)]
#[redis(prefix = "order")]
struct Order {
    #[redis(id)]
    id: OrderId,
}

#[derive(Debug, Clone, PartialEq, RedisModel)]
#[redis(prefix = "upload")]
struct Upload {
    #[redis(id)]
    id: Uuid,
}

#[derive(Debug, Clone, PartialEq, RedisModel)]
#[redis(prefix = "ticket")]
struct Ticket {
    #[redis(id)]
    id: Ulid,
}

#[derive(Debug, Clone, PartialEq, RedisModel)]
#[redis(prefix = "session")]
struct Session {
    #[redis(id)]
    id: String,
}

#[tokio::test]
async fn ids_of_every_type() -> Result<()> {
    let redis = stack().redis();
    let order = Order { id: Order::next_id(&redis).await? };
    assert_eq!((Order::next_id(&redis).await?, Order::key(&order.id)?), (OrderId(2), "order:1".into()));
    order.save(&redis).await?;
    assert_eq!(Order::load(&redis, &order.id).await?, Some(order), "a record of nothing but its id exists");
    let upload = Upload { id: Upload::generate_id() };
    upload.save(&redis).await?;
    assert_eq!(Upload::load(&redis, upload.id).await?, Some(upload));
    let ticket = Ticket { id: Ticket::generate_id() };
    ticket.save(&redis).await?;
    assert_eq!(Ticket::load(&redis, ticket.id).await?, Some(ticket));
    let session = Session { id: "é /?#".into() };
    session.save(&redis).await?;
    assert_eq!(Session::load(&redis, "é /?#").await?, Some(session));
    Ok(())
}

#[derive(Debug, Clone, PartialEq, RedisModel)]
#[redis(prefix = "pair")]
struct Pair<T, const N: usize> {
    #[redis(id)]
    id: u64,
    value: T,
    #[redis(json)]
    more: Vec<T>,
}

#[tokio::test]
async fn generic_models() -> Result<()> {
    let redis = stack().redis();
    let pair = Pair::<i32, 3> { id: 1, value: -5, more: vec![1, 2] };
    pair.save(&redis).await?;
    assert_eq!(Pair::load(&redis, 1).await?, Some(pair));
    assert!(Pair::<bool, 3>::load(&redis, 1).await.unwrap_err().is_decode());
    Ok(())
}

#[derive(Debug, Clone, PartialEq, RedisModel)]
#[redis(list, prefix = "inbox")]
struct Message {
    from: String,
    stars: u8,
    #[redis(json)]
    settings: Option<Settings>,
    score: f64,
}

#[tokio::test]
async fn typed_lists() -> Result<()> {
    for redis in &clients() {
        let inbox = Message::list(key("box"));
        let message = |from: &str| Message { from: from.into(), stars: 3, settings: None, score: f64::NEG_INFINITY };
        assert_eq!(inbox.pop_front(redis).await?, None);
        assert_eq!(inbox.push_back(redis, &message("b")).await?, 1);
        assert_eq!(inbox.push_back_many(redis, &[message("c"), message("d\"é")]).await?, 3);
        assert_eq!(inbox.push_front(redis, &message("a")).await?, 4);
        assert_eq!(inbox.len(redis).await?, 4);
        assert_eq!(inbox.get(redis, 1).await?, Some(message("b")));
        assert_eq!(inbox.get(redis, 9).await?, None);
        assert_eq!(inbox.range(redis, ..).await?.len(), 4);
        assert_eq!(inbox.range(redis, 1..3).await?, [message("b"), message("c")]);
        assert_eq!(inbox.range(redis, 0..0).await?, []);
        assert_eq!(inbox.pop_front(redis).await?, Some(message("a")));
        assert_eq!(inbox.pop_back(redis).await?, Some(message("d\"é")));
        redis.execute::<i64>(["RPUSH", inbox.key(), "not json"]).await?;
        let error = inbox.range(redis, ..).await.unwrap_err();
        assert!(error.to_string().contains("expected the JSON object of Message"), "{error}");
        redis.execute::<i64>(["RPUSH", inbox.key(), r#"{"from":"x","stars":"300","score":1}"#]).await?;
        let error = inbox.pop_back(redis).await.unwrap_err();
        assert_eq!((error.field(), error.may_have_executed()), (Some("stars"), true), "{error}");
        assert!(inbox.clear(redis).await?);
    }
    Ok(())
}

#[derive(Debug, Clone, PartialEq, RedisModel)]
#[redis(list, prefix = "job")]
enum Job {
    Resize { width: u32 },
    Mail(Place),
    Stop,
}

#[tokio::test]
async fn lists_of_enums() -> Result<()> {
    let redis = stack().redis();
    let jobs = [Job::Resize { width: 5 }, Job::Mail(Place { city: "x".into(), zip: Some(1) }), Job::Stop];
    let queue = Job::list(key("queue"));
    queue.push_back_many(&redis, &jobs).await?;
    assert_eq!(queue.range(&redis, ..).await?, jobs);
    Ok(())
}

#[derive(Debug, Clone, PartialEq, RedisModel)]
#[redis(stream, prefix = "order-events", max_len = 1_000_000)]
enum OrderEvent {
    Placed {
        sku: String,
        quantity: u32,
        note: Option<String>,
    },
    #[redis(alias = "Payed")]
    Paid {
        cents: i64,
    },
    Shipped(Place),
    Closed,
}

/// The entries, if the event of each could be read.
fn whole<T>(entries: Vec<Entry<Result<T>>>) -> Result<Vec<Entry<T>>> {
    entries.into_iter().map(Entry::into_result).collect()
}

#[tokio::test]
async fn event_logs() -> Result<()> {
    for redis in &clients() {
        let log = OrderEvent::log(key("log"));
        let placed = OrderEvent::Placed { sku: "tea".into(), quantity: 2, note: None };
        let rest = [
            OrderEvent::Paid { cents: 990 },
            OrderEvent::Shipped(Place { city: "x".into(), zip: None }),
            OrderEvent::Closed,
        ];
        let first = log.append(redis, &placed).await?;
        let ids = log.append_many(redis, &rest).await?;
        assert!(ids.iter().all(|id| *id > first) && ids.is_sorted());
        assert_eq!(log.append_many(redis, [&OrderEvent::Closed]).await?.len(), 1);
        assert_eq!(log.len(redis).await?, 5);
        let entries = whole(log.range(redis, .., 100).await?)?;
        assert_eq!(entries[0], Entry { id: first, event: placed });
        assert_eq!(entries[1..4].iter().map(|entry| entry.event.clone()).collect::<Vec<_>>(), rest);
        assert_eq!(log.range(redis, first..ids[1], 100).await?.len(), 2);
        redis.execute::<StreamId>(["XADD", log.key(), "*", "event", "Payed", "cents", "1", "unknown", "x"]).await?;
        assert_eq!(
            whole(log.range(redis, ids[2].., 100).await?)?[2].event,
            OrderEvent::Paid { cents: 1 },
            "by its old name"
        );
        let lost = redis.execute::<StreamId>(["XADD", log.key(), "*", "event", "Lost"]).await?;
        let entries = log.range(redis, .., 100).await?;
        assert!(entries[..6].iter().all(|entry| entry.event.is_ok()), "an event that cannot be read affects no other");
        assert_eq!((entries.len(), entries[6].id), (7, lost));
        let error = entries[6].clone().into_result().unwrap_err();
        assert_eq!((error.key(), error.command()), (Some(log.key()), Some("XRANGE")));
        assert!(
            error
                .to_string()
                .ends_with("field \"event\": expected one of `Placed`, `Paid`, `Shipped`, `Closed`, found \"Lost\""),
            "{error}"
        );
    }
    Ok(())
}

#[tokio::test]
async fn a_group_of_events_makes_a_transaction_of_its_pipeline() -> Result<()> {
    let redis = stack().redis();
    let log = OrderEvent::log(key("group"));
    let (ids, length) = redis.pipeline_of(&log).await?;
    assert_eq!((ids, length), (2, 2));
    Ok(())
}

trait PipelineOf {
    async fn pipeline_of(&self, log: &Log<OrderEvent>) -> Result<(usize, u64)>;
}

impl PipelineOf for Redis {
    async fn pipeline_of(&self, log: &Log<OrderEvent>) -> Result<(usize, u64)> {
        let pipeline = log.append_many(self.pipeline(), &[OrderEvent::Closed, OrderEvent::Closed]);
        let (ids, length) = log.len(pipeline).exec().await?;
        Ok((ids.len(), length))
    }
}

#[derive(Debug, Clone, PartialEq, RedisModel)]
#[redis(stream, prefix = "temperature")]
struct Reading {
    celsius: f64,
}

#[tokio::test]
async fn a_long_log_is_paged_through() -> Result<()> {
    let redis = stack().redis();
    let log = Reading::log(key("roof"));
    let mut batch = redis.batch();
    for n in 0..1234 {
        let _slot = log.append(&mut batch, &Reading { celsius: f64::from(n) });
    }
    batch.exec().await?;
    let all = whole(log.entries(&redis, ..).collect().await?)?;
    assert_eq!(all.len(), 1234);
    assert!(all.is_sorted_by_key(|entry| entry.id) && all[1233].event.celsius == 1233.0);
    let mut tail = log.entries(&redis, all[1200].id..);
    assert_eq!(tail.next().await.unwrap()?.into_result()?, all[1200]);
    assert_eq!(tail.collect().await?.len(), 33);
    Ok(())
}
