//! Fields of every kind on a real server, and stored contents that no writer of ours makes.

use std::error::Error as _;
use std::fmt;
use std::net::SocketAddrV6;
use std::str::FromStr;

use chrono::{DateTime, FixedOffset, NaiveDate, TimeDelta, Utc};
use jiff::Timestamp;
use redis_model::prelude::*;
use redis_model::{Error, ErrorKind};
use redis_model_tests::{clients, key, stack};
use serde_derive::{Deserialize, Serialize};
use time::OffsetDateTime;

/// A type with a text of its own, which is an id as well.
#[derive(Debug, Clone, PartialEq, RedisModel)]
#[redis(id, text)]
struct Seat {
    row: u32,
    letter: char,
}

impl fmt::Display for Seat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.row, self.letter)
    }
}

impl FromStr for Seat {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (row, letter) = text.split_once('-').ok_or("no `-`")?;
        let row = row.parse().map_err(|_| format!("the row \"{row}\" is not a number"))?;
        Ok(Seat { row, letter: letter.parse().map_err(|_| "not one letter".to_owned())? })
    }
}

#[derive(Debug, Clone, PartialEq, RedisModel)]
#[redis(prefix = "booking")]
struct Booking {
    #[redis(id)]
    id: Seat,
    next_to: Option<Seat>,
    #[redis(text)]
    from: SocketAddrV6,
    #[redis(text)]
    via: Option<SocketAddrV6>,
    created: DateTime<Utc>,
    local: Option<DateTime<FixedOffset>>,
    day: NaiveDate,
    length: TimeDelta,
    seen: Timestamp,
    paid: OffsetDateTime,
    #[redis(postcard)]
    embedding: Vec<f32>,
    #[redis(postcard)]
    maybe: Option<Tree>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
enum Tree {
    Leaf,
    Node(Vec<Tree>),
}

fn booking() -> Booking {
    Booking {
        id: Seat { row: 12, letter: 'C' },
        next_to: None,
        from: "[::1]:80".parse().unwrap(),
        via: None,
        created: DateTime::from_timestamp(1_795_277_261, 5).unwrap(),
        local: "2026-11-21T18:07:41+02:00".parse().ok(),
        day: NaiveDate::from_ymd_opt(2026, 11, 21).unwrap(),
        length: TimeDelta::milliseconds(-1_500),
        seen: Timestamp::from_second(-1).unwrap(),
        paid: OffsetDateTime::UNIX_EPOCH,
        embedding: vec![0.5, -1.0],
        maybe: Some(Tree::Node(vec![Tree::Leaf])),
    }
}

#[tokio::test]
async fn fields_of_other_crates_come_back_as_they_went() -> Result<()> {
    for (redis, row) in clients().iter().zip(100..) {
        let booking = Booking { id: Seat { row, letter: 'C' }, ..booking() };
        booking.insert(redis).await?;
        assert_eq!(Booking::load(redis, &booking.id).await?, Some(booking));
    }
    let redis = stack().redis();
    booking().save(&redis).await?;
    for (field, text) in [
        ("id", "12-C"),
        ("from", "[::1]:80"),
        ("created", "2026-11-21T16:07:41.000000005Z"),
        ("local", "2026-11-21T18:07:41.000000000+02:00"),
        ("day", "2026-11-21"),
        ("length", "-1500"),
        ("seen", "1969-12-31T23:59:59.000000000Z"),
        ("paid", "1970-01-01T00:00:00.000000000Z"),
        ("embedding", "AgAAAD8AAIC/"),
    ] {
        assert_eq!(redis.hget("booking:12-C", field).await?, Some(text.to_owned()), "{field}");
    }
    for absent in ["next_to", "via"] {
        assert!(!redis.hexists("booking:12-C", absent).await?, "{absent}");
    }
    let seat = Seat { row: 12, letter: 'C' };
    assert_eq!(Booking::load_field(&redis, &seat, Booking::SEEN).await?, Some(booking().seen));
    Ok(())
}

#[tokio::test]
async fn texts_that_do_not_fit_are_named_and_explained() -> Result<()> {
    let redis = stack().redis();
    let id = Seat { row: 13, letter: 'A' };
    let wrong = async |field: &'static str, text: &str| -> Result<String> {
        Booking { id: id.clone(), ..booking() }.save(&redis).await?;
        redis.hset("booking:13-A", [(field, text)]).await?;
        let error = Booking::load(&redis, &id).await.unwrap_err();
        assert_eq!((error.kind(), error.field()), (ErrorKind::Decode, Some(field)));
        Ok(error.message().to_owned())
    };
    assert_eq!(wrong("next_to", "12").await?, r#"expected Seat (no `-`), found "12""#);
    let message = wrong("next_to", "first-A").await?;
    assert_eq!(message, r#"expected Seat (the row `..` is not a number), found "first-A""#);
    assert_eq!(
        wrong("from", "localhost").await?,
        r#"expected SocketAddrV6, found "localhost": invalid IPv6 socket address syntax"#
    );
    assert_eq!(
        wrong("via", "").await?,
        r#"expected Option<SocketAddrV6>, found "": invalid IPv6 socket address syntax"#
    );
    assert_eq!(wrong("created", "today").await?, r#"expected a date and time of RFC 3339, found "today""#);
    assert_eq!(wrong("length", "1s").await?, r#"expected a TimeDelta in milliseconds, found "1s""#);
    Ok(())
}

/// What an attacker would aim at, as a record, a list element and an event.
macro_rules! targets {
    ($($name:ident($($shape:tt)*) { $($id:tt)* })*) => {$(
        #[derive(Debug, PartialEq, RedisModel)]
        #[redis($($shape)*)]
        struct $name {
            $($id)*
            #[redis(bincode)]
            body: Option<String>,
            #[redis(bincode)]
            tree: Option<Tree>,
            #[redis(bincode)]
            units: Option<Vec<()>>,
            #[redis(postcard)]
            small_tree: Option<Tree>,
            #[redis(postcard)]
            small_units: Option<Vec<()>>,
            #[redis(json)]
            json: Option<serde_json::Value>,
        }
    )*};
}

targets! {
    Record(prefix = "target") { #[redis(id)] id: u64, }
    Element(list, prefix = "targets") {}
    Event(stream, prefix = "target-log") {}
}

/// The contents, and what the error says about each.
fn hostile() -> [(&'static str, String, &'static str); 6] {
    let ones = "AQEB".repeat(100_000);
    [
        ("body", "/QAAAAAAQAAA".to_owned(), "UnexpectedEnd"),
        ("tree", ones.clone(), "nested more than 256 values deep"),
        ("units", "/QAAAAAAQAAA".to_owned(), "more than 4096 elements that take no bytes"),
        ("small_tree", ones, "nested more than 256 values deep"),
        ("small_units", "gICAgIAB".to_owned(), "more than 4096 elements that take no bytes"),
        ("json", "[".repeat(1_000_000), "recursion limit exceeded"),
    ]
}

fn assert_refused(error: &Error, field: &str, reason: &str) {
    assert_eq!((error.kind(), error.field()), (ErrorKind::Decode, Some(field)), "{error}");
    assert!(error.message().contains(reason) && error.message().len() < 300, "{error}");
}

#[tokio::test]
async fn no_content_aborts_or_hangs_its_reader() -> Result<()> {
    let redis = stack().redis();
    for (field, text, reason) in hostile() {
        redis.execute::<i64>(["DEL", "target:1"]).await?;
        redis.hset("target:1", [("id", "1"), (field, &text)]).await?;
        assert_refused(&Record::load(&redis, 1).await.unwrap_err(), field, reason);

        let list = Element::list(key("hostile"));
        let element =
            if field == "json" { format!("{{\"json\":{text}") } else { format!("{{\"{field}\":\"{text}\"}}") };
        redis.execute::<i64>(["RPUSH", list.key(), &element]).await?;
        let error = list.pop_back(&redis).await.unwrap_err();
        if field == "json" {
            assert_eq!(error.kind(), ErrorKind::Decode);
        } else {
            assert_refused(&error, field, reason);
        }

        let log = Event::log(key("hostile"));
        redis.execute::<StreamId>(["XADD", log.key(), "*", field, &text]).await?;
        let entry = log.range(&redis, .., 1).await?.remove(0);
        assert_refused(&entry.event.unwrap_err(), field, reason);
    }
    Ok(())
}

#[derive(Debug, PartialEq, RedisModel)]
#[redis(prefix = "vault")]
struct Vault {
    #[redis(id)]
    id: u64,
    #[redis(json)]
    login: Login,
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Login {
    name: String,
    attempts: u64,
}

#[tokio::test]
async fn the_reason_of_serde_is_shown_and_the_value_is_not() -> Result<()> {
    let redis = stack().redis();
    let long_name = "n".repeat(40);
    for (json, reason) in [
        (
            format!(r#"{{"name":"{long_name}","attempts":"hunter2"}}"#),
            "invalid type: string `..`, expected u64 at line 1 column 71",
        ),
        (format!(r#"{{"name":"{long_name}","hunter2":1}}"#), "unknown field `..`, expected `name` or `attempts`"),
        (format!(r#"{{"name":"{long_name}"}}"#), "missing field `attempts` at line 1 column 51"),
        (format!(r#"{{"name":"{long_name}""#), "EOF while parsing an object at line 1 column 50"),
    ] {
        redis.hset("vault:1", [("id", "1"), ("login", &json)]).await?;
        let error = Vault::load(&redis, 1).await.unwrap_err();
        assert_eq!(error.field(), Some("login"));
        assert!(error.message().contains(reason), "{error}");
        let whole = format!("{error} {error:?} {:?}", error.source());
        assert!(!whole.contains("hunter2") && !whole.contains(&long_name), "{whole}");
    }
    Ok(())
}
