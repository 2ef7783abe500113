//! Entries that other programs have written: each has an error of its own that names the log, the entry and the field.

use redis_model::Log;
use redis_model::commands::stream::{GroupPosition, GroupStart, XReadGroupOptions};
use redis_model::prelude::*;
use redis_model::redis_rest::Encoding;
use redis_model::stream::UnknownEvent;
use redis_model_tests::Stack;
use redis_model_tests::key;

use crate::servers;

#[derive(Debug, Clone, PartialEq, RedisModel)]
#[redis(embedded)]
struct Place {
    city: String,
}

#[derive(Debug, Clone, PartialEq, RedisModel)]
#[redis(stream, prefix = "foreign")]
enum Event {
    Paid {
        cents: i64,
        #[redis(alias = "memo")]
        note: Option<String>,
        #[redis(flatten)]
        place: Place,
    },
    Closed,
}

#[derive(Debug, Clone, PartialEq, RedisModel)]
#[redis(stream, prefix = "foreign")]
enum Raw {
    Closed,
    #[redis(unknown)]
    Other(UnknownEvent),
}

type Fields = Vec<(&'static [u8], &'static [u8])>;

/// Entries that are wrong, the field that their errors name, and a part of the message.
fn wrong() -> Vec<(Fields, Option<&'static str>, &'static str)> {
    vec![
        (vec![(b"cents", b"5"), (b"city", b"x")], Some("event"), "missing"),
        (vec![(b"event", b"\xff")], Some("event"), "not UTF-8"),
        (vec![(b"event", b"Closed"), (b"event", b"Paid")], Some("event"), "twice"),
        (vec![(b"event", b"Gone")], Some("event"), "expected one of `Paid`, `Closed`"),
        (vec![(b"event", b"Paid"), (b"city", b"x")], Some("cents"), "missing"),
        (vec![(b"event", b"Paid"), (b"cents", b""), (b"city", b"x")], Some("cents"), "expected i64"),
        (vec![(b"event", b"Paid"), (b"cents", b"\xfe\xff"), (b"city", b"x")], Some("cents"), "not UTF-8"),
        (vec![(b"event", b"Paid"), (b"cents", b"1"), (b"cents", b"2"), (b"city", b"x")], Some("cents"), "twice"),
        (vec![(b"event", b"Paid"), (b"cents", b"1"), (b"city", b"x"), (b"city", b"x")], Some("city"), "twice"),
        (
            vec![(b"event", b"Paid"), (b"cents", b"1"), (b"city", b"x"), (b"memo", b"a"), (b"memo", b"b")],
            Some("note"),
            "twice",
        ),
        (vec![(b"", b"")], Some("event"), "missing"),
    ]
}

/// Entries that are odd, and can be read.
fn odd() -> Vec<(Fields, Event)> {
    let paid =
        |note: Option<&str>| Event::Paid { cents: 1, note: note.map(str::to_owned), place: Place { city: "x".into() } };
    vec![
        (vec![(b"", b"x"), (b"event", b"Closed"), (b"more", b"\xff"), (b"\xff", b""), (b"more", b"y")], Event::Closed),
        (vec![(b"city", b"x"), (b"cents", b"1"), (b"event", b"Paid")], paid(None)),
        (
            vec![(b"event", b"Paid"), (b"memo", b"a"), (b"cents", b"1"), (b"city", b"x"), (b"note", b"b")],
            paid(Some("b")),
        ),
    ]
}

async fn add(stack: &Stack, log: &Log<Event>, fields: &Fields) -> Result<StreamId> {
    // REST carries bytes only in the last argument, so a script decodes them.
    let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("\\{byte:03}")).collect::<String>();
    let args: String = fields.iter().map(|(name, text)| format!(",'{}','{}'", hex(name), hex(text))).collect();
    let code = format!("return redis.call('XADD', KEYS[1], '*'{args})");
    stack.redis().execute(("EVAL", code, 1, log.key())).await
}

#[tokio::test]
async fn a_wrong_entry_is_one_entrys_error() -> Result<()> {
    for stack in servers() {
        for encoding in [Encoding::Base64, Encoding::Resp2] {
            let redis = stack.builder().encoding(encoding).build()?;
            let log = Event::log(key("log"));
            let mut expected = Vec::new();
            for (fields, field, message) in wrong() {
                let id = add(stack, &log, &fields).await?;
                expected.push((id, field, message));
                log.append(&redis, &Event::Closed).await?;
            }
            redis.xgroup_create(log.key(), "g", GroupStart::Beginning).await?;
            let new = [(log.key(), GroupPosition::New)];
            let group = redis.xreadgroup::<String, Event>("g", "me", new, XReadGroupOptions::new()).await?.remove(0);
            let delivered: Vec<_> = group.entries.into_iter().map(|entry| (entry.id, entry.fields)).collect();

            let forward = log.range(&redis, .., 100).await?;
            let mut backward = log.range_rev(&redis, .., 100).await?;
            backward.reverse();
            let paged = log.entries(&redis, ..).collect().await?;
            for entries in [forward, backward, paged] {
                assert_eq!(entries.len(), 2 * expected.len());
                for (pair, (id, field, message)) in entries.chunks(2).zip(&expected) {
                    let error = pair[0].event.as_ref().unwrap_err();
                    assert_eq!((pair[0].id, error.field()), (*id, *field), "{error}");
                    assert_eq!((error.model(), error.key()), (Some("Event"), Some(log.key())), "{error}");
                    assert!(error.is_decode() && error.message().contains(message), "{error}");
                    assert!(error.to_string().contains(&format!("entry {id}")), "{error}");
                    assert_eq!(pair[1].event.as_ref().unwrap(), &Event::Closed);
                }
            }
            for (pair, (id, field, _)) in delivered.chunks(2).zip(&expected) {
                let error = pair[0].1.as_ref().unwrap_err();
                assert_eq!((pair[0].0, error.field()), (*id, *field));
                assert!(pair[1].1.is_ok());
            }
        }
    }
    Ok(())
}

#[tokio::test]
async fn odd_fields_do_no_harm() -> Result<()> {
    for stack in servers() {
        for encoding in [Encoding::Base64, Encoding::Resp2] {
            let redis = stack.builder().encoding(encoding).build()?;
            let log = Event::log(key("log"));
            for (fields, event) in odd() {
                let id = add(stack, &log, &fields).await?;
                assert_eq!(log.get(&redis, id).await?.unwrap().into_result()?.event, event);
            }
        }
    }
    Ok(())
}

#[tokio::test]
async fn a_raw_event_that_is_not_text_is_an_error_too() -> Result<()> {
    let stack = redis_model_tests::stack();
    let redis = stack.redis();
    let log = Event::log(key("log"));
    add(stack, &log, &vec![(b"event", b"New"), (b"data", b"\xff")]).await?;
    add(stack, &log, &vec![(b"event", b"New"), (b"\xff", b"")]).await?;
    let raw = Raw::log(log.key().rsplit(':').next().unwrap_or_default());
    let read = raw.range(&redis, .., 9).await?;
    let errors: Vec<_> = read.iter().map(|entry| entry.event.as_ref().unwrap_err()).collect();
    assert_eq!((errors[0].field(), errors[1].field()), (Some("data"), None));
    for error in errors {
        assert!(error.is_decode() && error.message().contains("not UTF-8"), "{error}");
        assert!(!error.is_unknown_variant());
    }
    Ok(())
}
