//! A store with something of everything, written by the mapper.

use std::net::IpAddr;
use std::time::Duration;

use redis_model::hash::SaveOptions;
use redis_model::prelude::*;

use crate::site::Site;

#[derive(Debug, Clone, RedisModel)]
#[redis(prefix = "user", index(country, age))]
pub(crate) struct User {
    #[redis(id)]
    pub(crate) id: u64,
    #[redis(unique)]
    pub(crate) email: String,
    #[redis(index)]
    pub(crate) country: String,
    #[redis(index)]
    pub(crate) age: i16,
    #[redis(index)]
    pub(crate) tags: Vec<String>,
    #[redis(index)]
    pub(crate) levels: Vec<u16>,
    #[redis(index)]
    pub(crate) score: f64,
    #[redis(index)]
    pub(crate) nickname: Option<String>,
    #[redis(index)]
    pub(crate) address: IpAddr,
    #[redis(index)]
    pub(crate) joined: chrono::DateTime<chrono::Utc>,
    #[redis(json)]
    pub(crate) settings: Vec<(String, bool)>,
}

/// Its rows and indexes are in several keys.
#[derive(Debug, Clone, RedisModel)]
#[redis(prefix = "device", partitions = 4)]
pub(crate) struct Device {
    #[redis(id)]
    pub(crate) id: String,
    #[redis(unique)]
    pub(crate) serial: u64,
    #[redis(index)]
    pub(crate) room: String,
}

#[derive(Debug, RedisModel)]
#[redis(list, prefix = "inbox")]
pub(crate) struct Message {
    pub(crate) from: String,
    pub(crate) body: String,
}

#[derive(Debug, RedisModel)]
#[redis(stream, prefix = "order-events")]
pub(crate) enum OrderEvent {
    Placed { sku: String, quantity: u32 },
    Paid { cents: i64 },
    Shipped { carrier: String },
}

pub(crate) fn user(id: u64) -> User {
    User {
        id,
        email: format!("user{id}@example.org"),
        country: ["tr", "uk", "\u{e9}\u{1}\u{2}"][usize::try_from(id % 3).unwrap()].into(),
        age: i16::try_from(id).unwrap() - 2,
        tags: vec!["rust".into(), "redis".into(), "rust".into()],
        levels: vec![9, 10],
        score: [0.0, -1.5, 1e300][usize::try_from(id % 3).unwrap()],
        nickname: id.is_multiple_of(2).then(|| "ada".into()),
        address: "127.0.0.1".parse().unwrap(),
        joined: chrono::DateTime::UNIX_EPOCH,
        settings: vec![("dark".into(), true), ("sound".into(), false)],
    }
}

/// Fills the store of a view.
pub(crate) async fn fill(site: &Site) {
    let redis = &site.redis();
    for id in 1..=6 {
        user(id).insert(redis).await.unwrap();
    }
    user(7).insert_with(redis, SaveOptions::new().ttl(Duration::from_secs(5_000))).await.unwrap();
    for id in 1..=9 {
        let device = Device { id: format!("d{id}"), serial: id, room: format!("room {}", id % 2) };
        device.insert(redis).await.unwrap();
    }
    for number in 1..=120 {
        let message = Message { from: "cahit".into(), body: format!("message {number}") };
        Message::list(42).push_back(redis, &message).await.unwrap();
    }
    let log = OrderEvent::log(17);
    log.append(redis, &OrderEvent::Placed { sku: "tea".into(), quantity: 2 }).await.unwrap();
    log.append(redis, &OrderEvent::Paid { cents: 990 }).await.unwrap();
    log.append(redis, &OrderEvent::Shipped { carrier: "sea".into() }).await.unwrap();
    let key = "order-events:17";
    for command in [
        vec!["XGROUP", "CREATE", key, "billing", "0"],
        vec!["XREADGROUP", "GROUP", "billing", "worker-1", "COUNT", "2", "STREAMS", key, ">"],
        vec!["XADD", "order-events:17::dead:billing", "*", "source", "1-0", "error", "card declined"],
        vec!["RPUSH", "job:images::queue", "1", "2"],
        vec!["ZADD", "job:images::queue:reserved", "1700000000000", "3"],
        vec!["SET", "greeting", "hello"],
        vec!["SADD", "colours", "red", "blue"],
        vec!["ZADD", "scores", "1.5", "ada", "2", "cahit"],
        vec![
            "SET",
            "document",
            r#"{"a":[1,2],"b":"a longer text, so that the document is shown on more than one line of the page"}"#,
        ],
    ] {
        run(site, &command).await;
    }
}

/// Runs any command.
pub(crate) async fn run<A: AsRef<[u8]>>(site: &Site, args: &[A]) {
    let reply = redis_model_tests::direct::Direct::new(site.stack.server.url()).run(args).await.unwrap();
    assert!(!matches!(reply, redis_model_tests::direct::Raw::Error(_)), "{reply:?}");
}
