//! What a tail costs while nothing happens, and what wakes it.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::{StreamExt as _, stream};
use http::{HeaderMap, StatusCode};
use redis_model::Since;
use redis_model::prelude::*;
use redis_model::redis_rest::Encoding;
use redis_model::redis_rest::transport::{Body, Endpoint, Request, Response, Transport, TransportError};
use redis_model::stream::{Polling, TailOptions};
use redis_model_tests::direct::commands_of;
use redis_model_tests::{key, own_stack};
use tokio::time::timeout;

use crate::switch::Switch;
use crate::{Quiet, SOON, Tick, append, eager, item, numbers, servers};

/// What happens to subscriptions.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Events {
    /// They are confirmed, and stay open.
    Open,
    /// They are confirmed, and end.
    EndAtOnce,
    /// There is no connection.
    Refused,
    /// The token does not permit them.
    Forbidden,
}

#[derive(Debug, Clone, Copy)]
enum Reader {
    Tail,
    Projection,
}

/// A server without streams, in virtual time: an hour takes no time.
#[derive(Debug, Clone)]
struct Nothing {
    events: Events,
    reads: Arc<Mutex<usize>>,
    subscriptions: Arc<Mutex<usize>>,
}

#[async_trait]
impl Transport for Nothing {
    async fn send(&self, request: Request) -> Result<Response, TransportError> {
        let answer = |status, body| Ok(Response { status, headers: HeaderMap::new(), body });
        let Endpoint::Path(path) = &request.endpoint else {
            *self.reads.lock().unwrap() += 1;
            tokio::time::sleep(Duration::from_millis(5)).await;
            let commands = commands_of(&request).unwrap();
            let replies = commands.iter().map(|command| match &command[0][..] {
                b"XINFO" => r#"{"error":"ERR no such key"}"#,
                // The position of a projection, and a page of its log.
                b"HMGET" => r#"{"result":["idle",null]}"#,
                b"EVALSHA_RO" | b"EVALSHA" => r#"{"result":[["0-0",0,"0-0",0,"0-0"],"0-0","none",[]]}"#,
                _ => r#"{"result":null}"#,
            });
            let text = match request.endpoint {
                Endpoint::Command => replies.collect(),
                _ => format!("[{}]", replies.collect::<Vec<_>>().join(",")),
            };
            return answer(StatusCode::OK, Body::whole(text));
        };
        *self.subscriptions.lock().unwrap() += 1;
        let channel = path.trim_start_matches("/subscribe/").replace("%3A", ":");
        let confirmed = stream::iter([Ok(Bytes::from(format!("data: subscribe,{channel},1\n\n")))]);
        match self.events {
            Events::Open => answer(StatusCode::OK, Body::chunks(confirmed.chain(stream::pending()))),
            Events::EndAtOnce => answer(StatusCode::OK, Body::chunks(confirmed)),
            Events::Refused => Err(TransportError::not_sent("connection refused, on purpose")),
            Events::Forbidden => {
                answer(StatusCode::FORBIDDEN, Body::whole(r#"{"error":"NOPERM this user has no permissions"}"#))
            }
        }
    }
}

/// Returns the reads and the subscriptions of an hour in which nothing happens.
async fn idle_hour<M: StreamModel + Send + 'static>(reader: Reader, events: Events) -> (usize, usize) {
    let nothing = Nothing { events, reads: Arc::default(), subscriptions: Arc::default() };
    let redis = Redis::builder("https://example.com", "token").transport(nothing.clone());
    let redis = redis.encoding(Encoding::Json).build().unwrap();
    let hour = Duration::from_secs(3600);
    match reader {
        Reader::Tail => {
            let mut tail = M::log("idle").tail(&redis, Since::Now);
            assert!(timeout(hour, tail.next()).await.is_err());
        }
        Reader::Projection => {
            let projection = M::log("idle").projection("idle");
            let result = timeout(hour, projection.follow(&redis, async |unit, _| Ok(unit))).await;
            assert!(result.is_err(), "{result:?}");
        }
    }
    (*nothing.reads.lock().unwrap(), *nothing.subscriptions.lock().unwrap())
}

#[tokio::test(start_paused = true)]
async fn an_idle_hour_of_a_tail_costs_what_the_docs_say() {
    idle_hours(Reader::Tail).await;
}

#[tokio::test(start_paused = true)]
async fn an_idle_hour_of_a_projection_that_follows_costs_the_same() {
    idle_hours(Reader::Projection).await;
}

async fn idle_hours(reader: Reader) {
    let polling = idle_hour::<Quiet>(reader, Events::Open).await;
    let subscribed = idle_hour::<Tick>(reader, Events::Open).await;
    let ended = idle_hour::<Tick>(reader, Events::EndAtOnce).await;
    let refused = idle_hour::<Tick>(reader, Events::Refused).await;
    let forbidden = idle_hour::<Tick>(reader, Events::Forbidden).await;
    println!(
        "{reader:?}, reads and subscriptions: polling {polling:?}, subscribed {subscribed:?}, subscriptions that end at once {ended:?}, refused {refused:?}, forbidden {forbidden:?}"
    );
    assert!((715..=740).contains(&polling.0) && polling.1 == 0, "{polling:?}");
    assert!((60..=66).contains(&subscribed.0) && subscribed.1 == 1, "{subscribed:?}");
    // Each attempt costs two more reads.
    assert!(ended.0 <= 920 && ended.1 <= 75, "{ended:?}");
    // The client itself tries four times.
    assert!(refused.0 <= 740 && refused.1 <= 4 * 75, "{refused:?}");
    assert!(forbidden.0 <= 740 && forbidden.1 <= 13, "{forbidden:?}");
}

/// Waits until a tail is subscribed, and has done what follows from that.
async fn settled(
    stack: &redis_model_tests::Stack,
    switch: &Switch,
    log: &redis_model::Log<Tick>,
    tail: &mut redis_model::Tail<Tick>,
) {
    let redis = stack.redis();
    loop {
        assert!(timeout(Duration::from_millis(100), tail.next()).await.is_err());
        let before = switch.requests();
        assert!(timeout(Duration::from_millis(700), tail.next()).await.is_err());
        let is_subscribed = redis.pubsub_numsub::<String>([log.key()]).await.unwrap()[0].1 > 0;
        if is_subscribed && switch.requests() == before {
            return;
        }
    }
}

#[tokio::test]
async fn wake_ups_share_reads_and_cost_none_if_they_are_old() -> Result<()> {
    for (name, stack) in servers() {
        let switch = Arc::new(Switch::default());
        let (redis, writer) = (switch.redis(&stack), stack.redis());
        let log = Tick::log(key("wake"));
        append(&writer, &log, [0]).await?;
        let mut tail = log.tail(&redis, Since::Now);
        settled(&stack, &switch, &log, &mut tail).await;

        // It does not wait for a poll: the next one is a minute away.
        let began = Instant::now();
        append(&writer, &log, [1]).await?;
        assert_eq!(numbers(&mut tail, 1).await?, [1]);
        assert!(began.elapsed() < Duration::from_secs(5), "{name}");

        let before = switch.requests();
        let mut batch = writer.batch();
        let slots: Vec<_> = (0..1000).map(|number| log.append(&mut batch, &Tick { number })).collect();
        let (replies, seen) = tokio::join!(batch.exec(), numbers(&mut tail, 1000));
        assert_eq!((replies?.take(slots.into_iter().last().unwrap()).is_ok(), seen?), (true, (0..1000).collect()));
        println!("{name}: 1000 wake-ups, {} reads", switch.requests() - before);
        assert!(switch.requests() - before <= 100, "{name}: {} reads", switch.requests() - before);

        // An id that was read: nothing. An id that never comes: few reads, soon none.
        settled(&stack, &switch, &log, &mut tail).await;
        let read = tail.token().id(log.key()).unwrap();
        let before = switch.requests();
        for _ in 0..200 {
            writer.publish(log.key(), read).await?;
        }
        assert!(timeout(Duration::from_millis(300), tail.next()).await.is_err());
        assert_eq!(switch.requests(), before, "{name}");
        let polled = timeout(Duration::from_millis(1500), tail.next());
        let flood = async {
            for number in 0..300_u64 {
                writer.publish(log.key(), format!("99999999999999-{number}")).await.unwrap();
                tokio::time::sleep(Duration::from_millis(3)).await;
            }
        };
        assert!(tokio::join!(polled, flood).0.is_err());
        assert!(switch.requests() - before <= 12, "{name}: {} reads", switch.requests() - before);
        append(&writer, &log, [7]).await?;
        assert_eq!(numbers(&mut tail, 1).await?, [7]);
        // A message that is no id wakes it as well.
        settled(&stack, &switch, &log, &mut tail).await;
        writer.xadd(log.key(), [("number", "8")]).await?;
        writer.publish(log.key(), "hello").await?;
        assert_eq!(numbers(&mut tail, 1).await?, [8]);
    }
    Ok(())
}

#[tokio::test]
async fn appends_that_nobody_announces_are_found_by_polling() -> Result<()> {
    for (name, stack) in servers() {
        let redis = stack.redis();
        // A model without `publish`.
        let log = Quiet::log(key("quiet"));
        let mut tail = log.tail_with(&redis, Since::Now, eager());
        tail.started().await?;
        for number in 0..5 {
            log.append(&redis, &Quiet { number }).await?;
            assert_eq!(item(&mut tail).await?.event?.number, number);
        }
        assert_eq!(redis.pubsub_numsub::<String>([log.key()]).await?[0].1, 0);
        // With somebody who appends without publishing, the first one takes the safety poll, and later ones do not.
        let polling = Polling::default().safety(Duration::from_secs(2)).max(Duration::from_millis(200));
        let log = Tick::log(key("unannounced"));
        let switch = Arc::new(Switch::default());
        let watching = switch.redis(&stack);
        let mut tail = log.tail_with(&watching, Since::Now, TailOptions::new().polling(polling));
        settled(&stack, &switch, &log, &mut tail).await;
        redis.xadd(log.key(), [("number", "1")]).await?;
        assert_eq!(numbers(&mut tail, 1).await?, [1]);
        for number in 2..5_u64 {
            let began = Instant::now();
            redis.xadd(log.key(), [("number", number.to_string())]).await?;
            assert_eq!(numbers(&mut tail, 1).await?, [number]);
            assert!(began.elapsed() < Duration::from_secs(1), "{name}");
        }
    }
    Ok(())
}

#[tokio::test]
async fn a_subscription_that_breaks_is_replaced_by_polling_and_restored() -> Result<()> {
    let stack = own_stack();
    let switch = Arc::new(Switch::default());
    let (redis, writer) = (switch.redis(&stack), stack.redis());
    let log = Tick::log(key("broken"));
    let mut tail = log.tail(&redis, Since::Now);
    settled(&stack, &switch, &log, &mut tail).await;
    switch.set_down(true);
    stack.over_tcp("CLIENT KILL TYPE pubsub").await;
    for number in 0..5 {
        let began = Instant::now();
        append(&writer, &log, [number]).await?;
        assert_eq!(numbers(&mut tail, 1).await?, [number]);
        assert!(began.elapsed() < Duration::from_secs(2));
    }
    switch.set_down(false);
    let began = Instant::now();
    while writer.pubsub_numsub::<String>([log.key()]).await?[0].1 == 0 {
        assert!(began.elapsed() < SOON);
        assert!(timeout(Duration::from_millis(100), tail.next()).await.is_err());
    }
    settled(&stack, &switch, &log, &mut tail).await;
    append(&writer, &log, [9]).await?;
    assert_eq!(numbers(&mut tail, 1).await?, [9]);
    Ok(())
}
