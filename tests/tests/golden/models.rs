use std::time::Duration;

use redis_model::prelude::*;
use redis_model::redis_rest::Build;
use serde_derive::{Deserialize, Serialize};

use crate::{line, refusal};

#[derive(Debug, Clone, PartialEq, RedisModel)]
#[redis(prefix = "user", rename_all = "camelCase")]
struct User {
    #[redis(id)]
    id: u64,
    full_name: String,
    #[redis(alias = "mail")]
    email: Option<String>,
    #[redis(rename = "from")]
    country: Country,
    #[redis(skip)]
    cache: u8,
    #[redis(json)]
    settings: Settings,
    #[redis(bincode)]
    embedding: Option<Vec<f32>>,
    #[redis(base64)]
    avatar: Vec<u8>,
    #[redis(flatten)]
    address: Address,
}

#[derive(Debug, Clone, PartialEq, RedisModel)]
#[redis(rename_all = "UPPERCASE")]
enum Country {
    Tr,
    #[redis(rename = "GB")]
    Uk,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Settings {
    dark: bool,
}

#[derive(Debug, Clone, PartialEq, RedisModel)]
#[redis(embedded)]
struct Address {
    city: String,
    zip: Option<u32>,
}

fn user() -> User {
    User {
        id: 42,
        full_name: "Ada".into(),
        email: None,
        country: Country::Uk,
        cache: 9,
        settings: Settings { dark: true },
        embedding: None,
        avatar: vec![0xff, 0],
        address: Address { city: "London".into(), zip: None },
    }
}

#[test]
fn records() {
    assert_eq!(line(User::load(Build, 42)), "HGETALL user:42");
    assert_eq!(line(User::load_field(Build, 42, User::FULL_NAME)), "HGET user:42 fullName");
    assert_eq!(line(User::load_field(Build, 42, User::COUNTRY)), "HGET user:42 from");
    assert_eq!(line(User::delete(Build, 42)), "DEL user:42");
    assert_eq!(line(User::exists(Build, 42)), "EXISTS user:42");
    assert_eq!(line(User::expire(Build, 42, Duration::from_secs(9))), "PEXPIRE user:42 9000");
    assert_eq!(line(User::ttl(Build, 42)), "PTTL user:42");
    assert_eq!(line(User::persist(Build, 42)), "PERSIST user:42");
    assert_eq!(line(User::next_id(Build)), "INCR user::id");
    assert_eq!(line(Build.record_exists::<User>(42)), "EXISTS user:42");
    assert_eq!(line(Build.expire_record::<User>(42, Duration::from_secs(9))), "PEXPIRE user:42 9000");
    assert_eq!(line(Build.record_ttl::<User>(42)), "PTTL user:42");
    assert_eq!(line(Build.persist_record::<User>(42)), "PERSIST user:42");
    assert_eq!(line(Build.next_id::<User>()), "INCR user::id");
}

#[test]
fn what_derives_a_model_is_an_argument() {
    assert_eq!(line(Build.hget::<Country>("user:42", User::COUNTRY)), "HGET user:42 from");
    let pairs = [User::COUNTRY.pair(&Country::Tr), User::SETTINGS.pair(&Settings { dark: true })];
    assert_eq!(line(Build.hset("user:42", pairs)), "HSET user:42 from TR settings {\"dark\":true}");
    assert_eq!(line(Build.sadd("countries", [Country::Tr, Country::Uk])), "SADD countries TR GB");
    assert!(refusal(Build.hset("user:42", User::EMAIL.pair(&None))).contains("field \"email\""));
}

#[test]
fn writes() {
    let fields = "id 42 fullName Ada from GB settings {\"dark\":true} avatar /wA= city London";
    let insert = line(user().insert(Build));
    assert!(insert.starts_with("EVALSHA "), "{insert}");
    assert!(insert.ends_with(&format!(" 1 user:42 0 0 keep 12 {fields}")), "{insert}");
    assert_eq!(line(user().save(Build)), format!("HSET user:42 {fields} | HDEL user:42 email mail embedding zip"));
    let update = line(user().update(Build));
    assert!(update.starts_with("EVALSHA "), "{update}");
    assert!(update.ends_with(&format!(" 1 user:42 0 1 keep 12 {fields} email mail embedding zip")), "{update}");
    let full = User {
        email: Some("a@b".into()),
        embedding: Some(vec![0.5]),
        address: Address { zip: Some(1), ..user().address },
        ..user()
    };
    assert!(line(full.save(Build)).starts_with("HSET user:42 id 42 fullName Ada email a@b from GB"));
    assert_eq!(full.save(Build).commands().len(), 1, "without a None there is nothing to delete");
}

#[derive(Debug, RedisModel)]
#[redis(prefix = "session")]
struct Session {
    #[redis(id)]
    id: String,
}

#[test]
fn ids_that_would_be_another_key_are_not_sent() {
    assert!(refusal(Session::load(Build, "")).contains("empty"));
    let error = Session::load(Build, "unique:email").validate().unwrap_err();
    assert_eq!((error.model(), error.key()), (Some("Session"), Some("session:unique:email")));
    assert!(error.to_string().contains("separates"));
    assert!(refusal(Session { id: "a:b".into() }.save(Build)).contains("separates"));
    assert!(Session::key("a:b").is_err());
}

#[derive(Debug, Clone, PartialEq, RedisModel)]
#[redis(list, prefix = "inbox")]
struct Message {
    from: String,
    stars: u8,
    urgent: bool,
    score: f64,
    #[redis(json)]
    settings: Settings,
    note: Option<String>,
}

#[test]
fn lists() {
    let settings = Settings { dark: false };
    let message = Message { from: "a\"b".into(), stars: 3, urgent: true, score: f64::NAN, settings, note: None };
    let inbox = Message::list(42);
    let json = r#"{"from":"a\"b","stars":3,"urgent":true,"score":"NaN","settings":{"dark":false}}"#;
    assert_eq!(line(inbox.push_back(Build, &message)), format!("RPUSH inbox:42 {json}"));
    assert_eq!(line(inbox.push_front_many(Build, [&message, &message])), format!("LPUSH inbox:42 {json} {json}"));
    assert_eq!(line(inbox.pop_front(Build)), "LPOP inbox:42");
    assert_eq!(line(inbox.pop_back(Build)), "RPOP inbox:42");
    assert_eq!(line(inbox.get(Build, -1)), "LINDEX inbox:42 -1");
    assert_eq!(line(inbox.len(Build)), "LLEN inbox:42");
    assert_eq!(line(inbox.clear(Build)), "DEL inbox:42");
    assert!(refusal(inbox.push_back_many(Build, [])).contains("at least one element"));
    assert!(refusal(Message::list("").len(Build)).contains("empty"));
}

#[derive(Debug, Clone, PartialEq, RedisModel)]
#[redis(stream, prefix = "order", tag = "type", rename_all = "snake_case")]
enum OrderEvent {
    PaidInFull { cents: i64, note: Option<String> },
    Cancelled,
    Moved(Address),
}

#[test]
fn streams() {
    let log = OrderEvent::log("17");
    let paid = OrderEvent::PaidInFull { cents: 990, note: None };
    let moved = OrderEvent::Moved(Address { city: "Izmir".into(), zip: Some(35) });
    assert_eq!(line(log.append(Build, &paid)), "XADD order:17 * type paid_in_full cents 990");
    assert_eq!(line(log.append(Build, &OrderEvent::Cancelled)), "XADD order:17 * type cancelled");
    assert_eq!(
        line(log.append_many(Build, [&paid, &moved])),
        "XADD order:17 * type paid_in_full cents 990 | XADD order:17 * type moved city Izmir zip 35"
    );
    assert_eq!(line(log.len(Build)), "XLEN order:17");
    assert_eq!(line(log.range(Build, StreamId::MIN..StreamId::new(5, 0), 9)), "XRANGE order:17 0-0 (5-0 COUNT 9");
    assert!(refusal(log.append_many(Build, [])).contains("at least one event"));
    assert!(refusal(log.range(Build, .., 0)).contains("at least 1"));
}
