//! Events of earlier and later versions of a program.

use std::collections::BTreeMap;

use redis_model::ErrorKind;
use redis_model::prelude::*;
use redis_model::redis_rest::Build;
use redis_model::stream::UnknownEvent;
use redis_model_tests::key;
use redis_model_tests::via::everywhere_over;
use serde_derive::{Deserialize, Serialize};

use crate::servers;

#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
struct Address {
    street: String,
    lines: Vec<String>,
}

/// The first version of a program.
mod first {
    use redis_model::prelude::*;

    #[derive(Debug, Clone, PartialEq, RedisModel)]
    #[redis(stream, prefix = "evolve", tag = "type")]
    pub(super) enum Event {
        Ordered { sku: String, amount: u32 },
        Paid { cents: i64 },
    }

    #[derive(Debug, Clone, PartialEq, RedisModel)]
    #[redis(stream, prefix = "evolve-readings")]
    pub(super) struct Reading {
        pub(super) temperature: f64,
    }
}

/// The second: a variant and a field have other names, and there are more fields.
#[derive(Debug, Clone, PartialEq, RedisModel)]
#[redis(stream, prefix = "evolve", tag = "type", rename_all = "snake_case")]
enum Event {
    #[redis(alias = "Ordered", alias = "ordered")]
    Placed {
        sku: String,
        #[redis(rename = "quantity", alias = "amount")]
        count: u32,
        #[redis(default)]
        gift: bool,
        #[redis(json)]
        address: Option<Address>,
        #[redis(skip)]
        cached: u8,
    },
    #[redis(rename = "Paid")]
    Settled {
        cents: i64,
        #[redis(default = euro)]
        currency: String,
        #[redis(bincode)]
        embedding: Option<Vec<f32>>,
        #[redis(postcard, default)]
        rates: BTreeMap<String, u32>,
    },
    Closed,
}

#[derive(Debug, Clone, PartialEq, RedisModel)]
#[redis(stream, prefix = "evolve-readings")]
struct Reading {
    #[redis(alias = "temperature")]
    celsius: f64,
    #[redis(default = roof)]
    place: String,
    #[redis(json, default)]
    address: Address,
    #[redis(bincode)]
    raw: Option<Vec<u16>>,
    #[redis(skip)]
    seen: bool,
    note: Option<String>,
}

fn euro() -> String {
    "EUR".into()
}

fn roof() -> String {
    "roof".into()
}

#[tokio::test]
async fn old_entries_are_read_by_a_new_program() -> Result<()> {
    for stack in servers() {
        for redis in &everywhere_over(stack) {
            let k = key("log");
            let (old, new) = (first::Event::log(&k), Event::log(&k));
            old.append(redis, &first::Event::Ordered { sku: "tea".into(), amount: 2 }).await?;
            old.append(redis, &first::Event::Paid { cents: 990 }).await?;
            let address = Address { street: "a:b\n\u{e9}".into(), lines: vec!["1".into(), String::new()] };
            let placed = Event::Placed { sku: "\0".into(), count: 3, gift: true, address: Some(address), cached: 0 };
            let settled = Event::Settled {
                cents: -1,
                currency: "TRY".into(),
                embedding: Some(vec![0.5, -1.0]),
                rates: BTreeMap::from([("EUR".into(), 7)]),
            };
            new.append_many(redis, [&placed, &settled, &Event::Closed]).await?;

            let read: Result<Vec<_>> = new.range(redis, .., 9).await?.into_iter().map(|entry| entry.event).collect();
            let upgraded = [
                Event::Placed { sku: "tea".into(), count: 2, gift: false, address: None, cached: 0 },
                Event::Settled { cents: 990, currency: euro(), embedding: None, rates: BTreeMap::new() },
            ];
            assert_eq!(read?, [upgraded[0].clone(), upgraded[1].clone(), placed, settled.clone(), Event::Closed]);

            // The old program reads what it knows: `Paid` with more fields; the rest is unknown to it.
            let read = old.range(redis, .., 9).await?;
            assert_eq!(read[3].event.as_ref().unwrap(), &first::Event::Paid { cents: -1 });
            for (at, name) in [(2, "placed"), (4, "closed")] {
                let error = read[at].event.as_ref().unwrap_err();
                assert!(error.is_unknown_variant() && error.is_decode() && read[at].is_unknown_variant());
                assert!(error.message().ends_with(&format!("found \"{name}\"")), "{error}");
                assert_eq!((error.field(), error.key()), (Some("type"), Some(new.key())));
            }
        }
    }
    Ok(())
}

#[tokio::test]
async fn structs_too() -> Result<()> {
    for stack in servers() {
        for redis in &everywhere_over(stack) {
            let k = key("log");
            let (old, new) = (first::Reading::log(&k), Reading::log(&k));
            old.append(redis, &first::Reading { temperature: 21.5 }).await?;
            let full = Reading {
                celsius: -0.5,
                place: String::new(),
                address: Address { street: "x".into(), lines: vec![] },
                raw: Some(vec![1, 2, 65535]),
                seen: true,
                note: Some("n".into()),
            };
            new.append(redis, &full).await?;
            let read = new.range(redis, .., 9).await?;
            let upgraded = Reading {
                celsius: 21.5,
                place: roof(),
                address: Address::default(),
                raw: None,
                seen: false,
                note: None,
            };
            assert_eq!(read[0].event.as_ref().unwrap(), &upgraded);
            assert_eq!(read[1].event.as_ref().unwrap(), &Reading { seen: false, ..full });
            // The old program has another name for the field, and no alias.
            assert_eq!(old.last(redis, 1).await?[0].event.as_ref().unwrap_err().field(), Some("temperature"));
        }
    }
    Ok(())
}

#[derive(Debug, Clone, PartialEq, RedisModel)]
#[redis(stream, prefix = "evolve-raw")]
enum Raw {
    Paid {
        cents: i64,
    },
    #[redis(unknown)]
    Other(UnknownEvent),
}

#[derive(Debug, Clone, PartialEq, RedisModel)]
#[redis(stream, prefix = "evolve-raw")]
enum Ignoring {
    Paid {
        cents: i64,
    },
    #[redis(unknown)]
    Other,
}

#[derive(Debug, Clone, PartialEq, RedisModel)]
#[redis(stream, prefix = "evolve-raw")]
enum Strict {
    Paid { cents: i64 },
}

#[tokio::test]
async fn an_unknown_variant_is_an_error_skipped_or_received_raw() -> Result<()> {
    for stack in servers() {
        for redis in &everywhere_over(stack) {
            let k = key("log");
            let (raw, ignoring, strict) = (Raw::log(&k), Ignoring::log(&k), Strict::log(&k));
            raw.append(redis, &Raw::Paid { cents: 1 }).await?;
            redis.xadd(raw.key(), [("cents", "7"), ("event", "Refunded"), ("why", "\u{e9}\n")]).await?;
            redis.xadd(raw.key(), [("event", "Paid"), ("cents", "many")]).await?;
            redis.xadd(raw.key(), [("cents", "5")]).await?;
            let refunded = UnknownEvent {
                variant: "Refunded".into(),
                fields: vec![("cents".into(), "7".into()), ("why".into(), "\u{e9}\n".into())],
            };

            // An error of its own.
            let mut read = strict.range(redis, .., 9).await?;
            let unknown: Vec<_> = read.iter().map(redis_model::Entry::is_unknown_variant).collect();
            assert_eq!(unknown, [false, true, false, false]);
            // Skipped: other errors remain.
            read.retain(|entry| !entry.is_unknown_variant());
            assert_eq!(read.len(), 3);
            assert_eq!(read[1].event.as_ref().unwrap_err().field(), Some("cents"));
            assert_eq!(read[2].event.as_ref().unwrap_err().field(), Some("event"));

            // Received without data, and raw.
            assert_eq!(ignoring.range(redis, .., 9).await?[1].event.as_ref().unwrap(), &Ignoring::Other);
            let read = raw.range(redis, .., 9).await?;
            let other = read[1].event.as_ref().unwrap();
            assert_eq!(other, &Raw::Other(refunded.clone()));
            assert!(read[2].event.is_err() && read[3].event.is_err(), "only unknown variants are received");

            // It can be appended as it was read.
            let id = raw.append(redis, other).await?;
            assert_eq!(raw.get(redis, id).await?.unwrap().event.as_ref().unwrap(), other);
        }
    }
    let error = Ignoring::log(1).append(Build, &Ignoring::Other).validate().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidInput);
    assert!(error.message().contains("cannot be appended"), "{error}");
    let fields = vec![("event".to_owned(), "x".to_owned())];
    let twice = Raw::Other(UnknownEvent { variant: "x".into(), fields });
    assert!(Raw::log(1).append(Build, &twice).validate().unwrap_err().is_invalid_input());
    Ok(())
}
