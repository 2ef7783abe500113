//! The transport over hyper: what a client does with it, against the real gateway, and what it makes of servers that break
//! their connections.
//!
//! `cargo test -p redis-model-tests --test hyper`. Other tests use it, too, if the variable `REDIS_REST_HYPER` is set.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "a test fails by panicking")]

mod broken;
mod server;
mod timers;

use std::sync::Arc;
use std::thread;

use redis_model::redis_rest::subscribe::SubscriptionEvent;
use redis_model::redis_rest::{Encoding, ErrorKind, PubSubCommands as _, Redis, Result, StringCommands as _};
use redis_model_tests::{ENCODINGS, key, stack};
use tokio::runtime::{Builder, Runtime};

use self::server::{Server, Then, ok};

fn redis() -> Redis {
    stack().builder().hyper().build().unwrap()
}

/// A runtime that runs only while a test waits on it.
fn current_thread() -> Runtime {
    Builder::new_current_thread().enable_all().build().unwrap()
}

#[tokio::test]
async fn commands_pipelines_and_transactions() -> Result<()> {
    for encoding in ENCODINGS {
        let redis = stack().builder().encoding(encoding).hyper().build()?;
        let [text, number, bytes] = ["text", "number", "bytes"].map(key);
        redis.set(&*text, "hello").await?;
        assert_eq!(redis.get::<String>(&*text).await?.as_deref(), Some("hello"));
        assert_eq!(redis.get::<String>(key("missing")).await?, None);
        let (first, second, read) = redis.pipeline().incr(&*number).incr(&*number).get::<String>(&*text).exec().await?;
        assert_eq!((first, second, read.as_deref()), (1, 2, Some("hello")));
        assert_eq!(redis.transaction().incr(&*number).incr(&*number).exec().await?, (3, 4));
        let error = redis.incr(&*text).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Redis);

        // All byte values, and more than the buffers of the connection hold.
        let large: Vec<u8> = (0..1 << 20).map(|n: u32| (n % 251) as u8 ^ (n >> 12) as u8).collect();
        redis.set(&*bytes, large.clone()).await?;
        // The JSON encoding carries text alone.
        let same = redis.get::<Vec<u8>>(&*bytes).await?.as_ref() == Some(&large);
        assert_eq!(same, encoding != Encoding::Json, "{encoding:?}");
    }
    Ok(())
}

#[tokio::test]
async fn messages_arrive_as_they_are_published() -> Result<()> {
    let (redis, channel) = (redis(), key("channel"));
    let mut subscription = redis.subscribe([&*channel]);
    assert!(matches!(subscription.next().await.unwrap()?, SubscriptionEvent::Subscribed { .. }));
    for n in 0..100 {
        assert_eq!(redis.publish(&*channel, n.to_string()).await?, 1);
        let SubscriptionEvent::Message(message) = subscription.next().await.unwrap()? else { panic!("a message") };
        assert_eq!(message.text()?, n.to_string());
    }
    // The server learns that nobody listens any longer.
    drop(subscription);
    while redis.publish(&*channel, "gone").await? != 0 {
        tokio::task::yield_now().await;
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_tasks_at_once() -> Result<()> {
    let (redis, k) = (redis(), Arc::new(key("shared")));
    let tasks: Vec<_> = (0..64)
        .map(|_| {
            let (redis, k) = (redis.clone(), Arc::clone(&k));
            tokio::spawn(async move {
                for _ in 0..50 {
                    redis.incr(&**k).await?;
                }
                Ok::<(), redis_model::redis_rest::Error>(())
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap()?;
    }
    assert_eq!(redis.get::<i64>(&**k).await?, Some(64 * 50));
    Ok(())
}

#[test]
fn the_blocking_client() -> Result<()> {
    let redis = stack().builder().hyper().build_blocking()?;
    let k = key("blocking");
    thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| (0..50).map(|_| (&redis).incr(&*k).unwrap()).max());
        }
    });
    assert_eq!((&redis).get::<i64>(&*k)?, Some(400));
    // Inside a runtime, too.
    current_thread().block_on(async { (&redis).incr(&*k) })?;
    assert_eq!((&redis).get::<i64>(&*k)?, Some(401));
    Ok(())
}

#[test]
fn a_connection_serves_its_own_runtime_alone() -> Result<()> {
    let server = Server::start(|_| (ok(r#"{"result":7}"#), Then::Stay));
    let redis = Redis::builder(server.url(), "token").hyper().build()?;
    let (first, second) = (current_thread(), current_thread());
    for _ in 0..20 {
        // While one runtime runs, the other does not, nor do its connections.
        assert_eq!(first.block_on(async { redis.incr("k").await })?, 7);
        assert_eq!(second.block_on(async { redis.incr("k").await })?, 7);
    }
    assert_eq!(server.accepted(), 2);
    server.wait_until_open(2);

    // A runtime's end closes its connections, although the client lives on.
    drop(first);
    server.wait_until_open(1);
    for _ in 0..20 {
        Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap().block_on(redis.incr("k"))?;
    }
    server.wait_until_open(1);
    assert_eq!(server.accepted(), 22);
    drop(redis);
    server.wait_until_open(0);
    Ok(())
}

/// A program may make a client for each request that it serves.
#[tokio::test]
async fn a_client_leaves_no_task_behind() -> Result<()> {
    let server = Server::start(|_| (ok(r#"{"result":7}"#), Then::Stay));
    for _ in 0..100 {
        assert_eq!(Redis::builder(server.url(), "token").hyper().build()?.incr("k").await?, 7);
    }
    tokio::task::yield_now().await;
    // The last may not have noticed yet.
    assert!(tokio::runtime::Handle::current().metrics().num_alive_tasks() < 3);
    server.wait_until_open(0);
    Ok(())
}

#[test]
fn connections_are_kept_for_a_while() {
    let server = Server::start(|_| (ok(r#"{"result":7}"#), Then::Stay));
    let redis = Redis::builder(server.url(), "token").hyper().build().unwrap();
    let runtime = Builder::new_current_thread().enable_all().start_paused(true).build().unwrap();
    runtime.block_on(async {
        // Without the client's timers, because the stopped clock would let them ring at once.
        let incr = || async {
            tokio::time::resume();
            let reply = redis.incr("k").await;
            tokio::time::pause();
            reply
        };
        for _ in 0..100 {
            assert_eq!(incr().await.unwrap(), 7);
        }
        assert_eq!(server.accepted(), 1);
        tokio::time::advance(std::time::Duration::from_secs(49)).await;
        incr().await.unwrap();
        assert_eq!(server.accepted(), 1);
        tokio::time::advance(std::time::Duration::from_secs(51)).await;
        incr().await.unwrap();
        assert_eq!(server.accepted(), 2);
        // Nobody has to ask for a connection to have it closed.
        for _ in 0..70 {
            tokio::time::advance(std::time::Duration::from_secs(1)).await;
            tokio::task::yield_now().await;
        }
        server.wait_until_open(0);
    });
}

#[tokio::test]
async fn the_path_and_the_host_are_those_of_the_url() -> Result<()> {
    let server = Server::start(|_| (ok(r#"[{"result":1}]"#), Then::Stay));
    let url = format!("http://localhost:{}/some/base/", server.address.port());
    let redis = Redis::builder(url, "token").telemetry(false).header("x-mine", "1").hyper().build()?;
    let _ = redis.incr("k").await;
    let _ = redis.pipeline().incr("k").incr("k").exec().await;
    let _ = redis.transaction().incr("k").incr("k").exec().await;
    let _ = redis.set("k", vec![0xff_u8, 0]).await;
    let requests = server.requests();
    let lines: Vec<_> = requests.iter().map(|request| request.lines().next().unwrap()).collect();
    assert_eq!(
        lines[..3],
        ["POST /some/base/ HTTP/1.1", "POST /some/base/pipeline HTTP/1.1", "POST /some/base/multi-exec HTTP/1.1"]
    );
    assert!(lines[3].starts_with("POST /some/base/SET/k"), "{lines:?}");
    for request in requests {
        let host = format!("host: localhost:{}\r\n", server.address.port());
        assert!(request.contains(&host) && request.contains("x-mine: 1\r\n"), "{request}");
        assert!(request.contains("authorization: Bearer token\r\n"), "{request}");
    }
    Ok(())
}

#[tokio::test]
async fn names_and_addresses_of_both_families() -> Result<()> {
    for (address, hosts) in [("127.0.0.1:0", &["127.0.0.1", "localhost"][..]), ("[::1]:0", &["[::1]"])] {
        let server = Server::start_at(address, |_| (ok(r#"{"result":7}"#), Then::Stay));
        for host in hosts {
            let url = format!("http://{host}:{}", server.address.port());
            assert_eq!(Redis::builder(url, "token").hyper().build()?.incr("k").await?, 7);
        }
    }
    Ok(())
}
