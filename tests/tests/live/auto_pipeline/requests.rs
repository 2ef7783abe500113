//! Which commands share a request, and in which order.

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::future::{join_all, select};
use redis_model::redis_rest::transport::{Endpoint, Request, Response, Transport, TransportError};
use redis_model::redis_rest::{
    AutoPipelining, Build, ConnectionCommands as _, ErrorKind, Executor as _, GenericCommands as _, ListCommands as _,
    Result, Script, ScriptingCommands as _, StringCommands as _,
};
use redis_model_tests::fault::Faulty;
use redis_model_tests::{ENCODINGS, key, stack};
use tokio::time::{sleep, timeout};

use super::{Noted, pipelined};

#[tokio::test]
async fn what_is_awaited_together_travels_together_and_in_order() -> Result<()> {
    for encoding in ENCODINGS {
        let noted = Noted::default();
        let redis = noted.wrap(pipelined().encoding(encoding)).build()?;
        let k = &key("order");
        let pushed = join_all((0..100).map(|n| redis.rpush(k, [n]))).await;
        assert_eq!(pushed.into_iter().collect::<Result<Vec<_>>>()?, (1..=100).collect::<Vec<u64>>());
        assert_eq!(noted.endpoints(), [Endpoint::Pipeline]);
        assert_eq!(redis.lrange::<i64>(k, 0, -1).await?, (0..100).collect::<Vec<_>>());
        assert_eq!(noted.endpoints(), [Endpoint::Command], "a lone command is no pipeline");
        let wrong = redis.incr(k);
        let (wrong, length) = tokio::join!(wrong, redis.llen(k));
        assert!(wrong.unwrap_err().is_wrong_type() && length? == 100);
    }
    Ok(())
}

/// Reads and writes of one task that it does not await one by one, over and over.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_read_sees_the_write_before_it() -> Result<()> {
    let redis = Arc::new(pipelined().build()?);
    let tasks = (0..20).map(|task| {
        let redis = Arc::clone(&redis);
        tokio::spawn(async move {
            let k = &format!("{}.{task}", key("read"));
            for n in 0..50 {
                let (set, got, count) = tokio::join!(redis.set(k, n), redis.get::<i64>(k), redis.exists([k]));
                set?;
                assert_eq!((got?, count?), (Some(n), 1));
            }
            Ok(())
        })
    });
    for task in tasks.collect::<Vec<_>>() {
        task.await.unwrap()?;
    }
    Ok(())
}

#[tokio::test]
async fn requests_are_bounded_in_commands_and_in_bytes() -> Result<()> {
    let noted = Noted::default();
    let k = &key("bounds");
    let limits = AutoPipelining::new().max_commands(30).max_bytes(2000);
    let redis = noted.wrap(stack().builder().auto_pipelining(limits)).build()?;
    for counted in join_all((0..100).map(|_| redis.incr(k))).await {
        counted?;
    }
    assert_eq!(noted.take().len(), 4);
    let long = "x".repeat(900);
    for set in join_all((0..10).map(|_| redis.set(k, &long))).await {
        set?;
    }
    let sizes: Vec<usize> = noted.take().into_iter().map(|(_, bytes)| bytes).collect();
    assert!(sizes.len() == 5 && sizes.iter().all(|&bytes| bytes <= 2002), "{sizes:?}");
    redis.set(k, "x".repeat(5000)).await?;
    for nothing in [AutoPipelining::new().max_commands(0), AutoPipelining::new().max_bytes(0)] {
        let error = stack().builder().auto_pipelining(nothing).build().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Config);
    }
    Ok(())
}

#[tokio::test]
async fn a_request_is_as_large_as_its_limit_and_no_larger() -> Result<()> {
    let two = r#"[["GET","a"],["GET","a"]]"#.len();
    for (max_request_bytes, requests) in [(two - 1, 2), (two, 1)] {
        let noted = Noted::default();
        let redis = noted.wrap(pipelined().max_request_bytes(max_request_bytes)).build()?;
        let (first, second) = tokio::join!(redis.get::<String>("a"), redis.get::<String>("a"));
        assert_eq!((first?, second?), (None, None));
        assert_eq!(noted.take().len(), requests);
    }
    Ok(())
}

#[tokio::test]
async fn what_cannot_travel_with_others_keeps_its_place() -> Result<()> {
    let noted = Noted::default();
    let redis = noted.wrap(pipelined()).build()?;
    let k = &key("alone");
    let group = Build.append(k, "3").and(Build.append(k, "4"), |replies| Ok(replies.len()));
    let script = Script::new("return redis.call('APPEND', KEYS[1], ARGV[1])");
    let group = redis.submit(group);
    let script = redis.run_script::<u64>(script.key(k).arg("5"));
    let (one, raw, two, group, script, six) = tokio::join!(
        redis.append(k, "1"),
        redis.append(k, b"\xff"),
        redis.append(k, "2"),
        group,
        script,
        redis.append(k, "6"),
    );
    assert_eq!((one?, raw?, two?, group?, script?, six?), (1, 2, 3, 2, 6, 7));
    assert_eq!(redis.get::<Vec<u8>>(k).await?.as_deref(), Some(&b"1\xff23456"[..]));
    let endpoints = noted.endpoints();
    assert!(matches!(endpoints[1], Endpoint::Path(_)), "{endpoints:?}");
    let nothing: [&str; 0] = [];
    let (refused, fine) = tokio::join!(redis.del(nothing), redis.exists([k]));
    assert!(refused.unwrap_err().is_invalid_input() && fine? == 1);
    Ok(())
}

/// 10,000 tasks, a third of which are cancelled at some time.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_reply_reaches_its_own_caller() -> Result<()> {
    const TASKS: u64 = 10_000;
    let sent = Arc::new(AtomicU32::new(0));
    let counter = Arc::clone(&sent);
    let builder = pipelined().wrap_transport(move |inner| Faulty::new(inner, Vec::new(), Arc::clone(&counter)));
    let redis = Arc::new(builder.build()?);
    let count = Arc::new(key("count"));
    let (counted, cancelled) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicU64::new(0)));
    let tasks = (0..TASKS).map(|n| {
        let (redis, count) = (Arc::clone(&redis), Arc::clone(&count));
        let (counted, cancelled) = (Arc::clone(&counted), Arc::clone(&cancelled));
        tokio::spawn(async move {
            sleep(Duration::from_micros(n * 7919 % 50_000)).await;
            let own = format!("task {n}");
            let work = async {
                assert_eq!(redis.echo::<String>(&own).await?, own);
                redis.incr(&*count).await?;
                counted.fetch_add(1, Ordering::Relaxed);
                assert_eq!(redis.echo::<u64>(n).await?, n);
                Ok(())
            };
            if n % 3 > 0 {
                return work.await;
            }
            let patience = sleep(Duration::from_micros(n * 104_729 % 40_000));
            match select(Box::pin(work), Box::pin(patience)).await {
                futures_util::future::Either::Left((done, _)) => done,
                futures_util::future::Either::Right(_) => {
                    cancelled.fetch_add(1, Ordering::Relaxed);
                    Ok(())
                }
            }
        })
    });
    for task in tasks.collect::<Vec<_>>() {
        task.await.unwrap()?;
    }
    let executed = redis.get::<u64>(&*count).await?.unwrap_or(0);
    let (counted, cancelled) = (counted.load(Ordering::Relaxed), cancelled.load(Ordering::Relaxed));
    assert!(cancelled > 0, "the test cancels nothing");
    assert!(counted <= executed && executed <= counted + cancelled, "{counted} {executed} {cancelled}");
    assert!(counted + cancelled >= TASKS);
    assert!(sent.load(Ordering::Relaxed) < 10_000, "30,000 commands should need fewer requests");
    Ok(())
}

/// Holds back every request with a write until it is told to let them go.
#[derive(Debug)]
struct Gate {
    inner: Arc<dyn Transport>,
    open: Arc<tokio::sync::Semaphore>,
    bodies: Arc<Mutex<Vec<String>>>,
}

#[async_trait::async_trait]
impl Transport for Gate {
    async fn send(&self, request: Request) -> Result<Response, TransportError> {
        let body = String::from_utf8_lossy(&request.body).into_owned();
        let writes = body.contains("INCR");
        self.bodies.lock().unwrap().push(body);
        if writes {
            self.open.acquire().await.unwrap().forget();
        }
        self.inner.send(request).await
    }
}

#[tokio::test]
async fn separate_reads_do_not_wait_for_writes_and_keep_their_own_order() -> Result<()> {
    for separate in [true, false] {
        let (open, bodies) = (Arc::new(tokio::sync::Semaphore::new(0)), Arc::new(Mutex::new(Vec::new())));
        let gate = (Arc::clone(&open), Arc::clone(&bodies));
        let redis = stack().builder().auto_pipelining(AutoPipelining::new().separate_reads(separate));
        let redis = redis
            .wrap_transport(move |inner| Gate { inner, open: Arc::clone(&gate.0), bodies: Arc::clone(&gate.1) })
            .build()?;
        let k = &key("apart");
        let write = tokio::spawn(redis.incr(k));
        let held = async {
            while bodies.lock().unwrap().is_empty() {
                sleep(Duration::from_millis(1)).await;
            }
        };
        timeout(Duration::from_secs(20), held).await.unwrap();
        // The write is on its way. Only a read of its own queue gets there before it.
        let reads = tokio::spawn(join_all([redis.get::<i64>(k), redis.get::<i64>(k)]));
        let second = tokio::spawn(redis.incr(k));
        if separate {
            for read in reads.await.unwrap() {
                assert_eq!(read?, None);
            }
            assert!(!write.is_finished() && !second.is_finished());
        } else {
            sleep(Duration::from_millis(50)).await;
            assert!(!reads.is_finished() && bodies.lock().unwrap().len() == 1);
        }
        open.add_permits(2);
        assert_eq!((write.await.unwrap()?, second.await.unwrap()?), (1, 2));
        // After the reply to a write, a read sees it.
        assert_eq!(redis.get::<i64>(k).await?, Some(2));
        let bodies = bodies.lock().unwrap();
        assert_eq!(bodies.iter().any(|body| body.contains("GET") && body.contains("INCR")), !separate, "{bodies:?}");
    }
    Ok(())
}

#[test]
fn threads_of_the_blocking_client_share_requests() -> Result<()> {
    let noted = Noted::default();
    let redis = noted.wrap(pipelined()).build_blocking()?;
    let k = &key("threads");
    std::thread::scope(|scope| {
        for _ in 0..16 {
            let redis = redis.clone();
            scope.spawn(move || (0..50).try_for_each(|_| redis.incr(k).map(drop)));
        }
    });
    assert_eq!(redis.get::<i64>(k)?, Some(800));
    assert!(noted.take().len() < 700);
    Ok(())
}
