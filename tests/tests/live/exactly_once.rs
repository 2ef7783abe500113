//! Commands that execute once although their replies are lost, others write in between, and attempts arrive late.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use redis_model::redis_rest::commands::stream::XAddOptions;
use redis_model::redis_rest::transport::{Request, Response, Transport, TransportError};
use redis_model::redis_rest::{
    AutoPipelining, Build, Command, Encoding, ErrorKind, Executor as _, FromReply as _, GenericCommands as _,
    HashCommands as _, ListCommands as _, PubSubCommands as _, Redis, Result, RetryPolicy, Script,
    ScriptingCommands as _, ServerCommands as _, SetCommands as _, SortedSetCommands as _, StreamCommands as _,
    StringCommands as _,
};
use redis_model_tests::fault::{Cut, Faulty};
use redis_model_tests::{ENCODINGS, Stack, key, own_redis_7_0, own_stack, stack, valkey};

/// A client whose first requests are cut, and the number of requests it has sent.
fn cut(stack: &Stack, encoding: Encoding, cuts: &[Cut]) -> (Redis, Arc<AtomicU32>) {
    let sent = Arc::new(AtomicU32::new(0));
    let (cuts, counter) = (cuts.to_vec(), Arc::clone(&sent));
    let policy = RetryPolicy::default().backoff(Duration::from_millis(1), Duration::from_millis(2));
    let builder = stack.builder().encoding(encoding).retry(policy);
    let builder = builder.wrap_transport(move |inner| Faulty::new(inner, cuts.clone(), Arc::clone(&counter)));
    (builder.build().unwrap(), sent)
}

/// Makes the server know the script, so that the first request executes it.
async fn warm(stack: &Stack) -> Result<()> {
    stack.redis().incr(key("warm")).exactly_once().await?;
    Ok(())
}

async fn once_keys(redis: &Redis, k: &str) -> Result<Vec<String>> {
    redis.execute(("KEYS", format!("{k}::once:*"))).await
}

#[tokio::test]
async fn an_incr_counts_once_wherever_the_connection_breaks() -> Result<()> {
    let mut cuts = vec![Cut::Before, Cut::During, Cut::After];
    cuts.extend((0..20).map(Cut::InReply));
    for stack in [stack(), valkey()] {
        warm(stack).await?;
        for encoding in ENCODINGS {
            for &at in &cuts {
                let k = &key("once");
                let (redis, sent) = cut(stack, encoding, &[Cut::Before, at, at]);
                assert_eq!(redis.incr(k).exactly_once().await?, 1, "{encoding:?} {at:?}");
                assert!(sent.load(Ordering::SeqCst) >= 4);
                assert_eq!(redis.get::<i64>(k).await?, Some(1), "{encoding:?} {at:?}");
                assert_eq!(redis.incr(k).exactly_once().await?, 2);
                assert_eq!(once_keys(&redis, k).await?.len(), 2);
            }
        }
    }
    Ok(())
}

#[tokio::test]
async fn the_outcome_is_kept_for_twice_the_deadline_of_the_call() -> Result<()> {
    let k = &key("once");
    let redis = stack().redis();
    redis.incr(k).exactly_once().deadline(Duration::from_secs(5)).await?;
    let left: i64 = redis.execute(("PTTL", &once_keys(&redis, k).await?[0])).await?;
    assert!((5_000..=10_000).contains(&left), "{left}");
    Ok(())
}

type Hold = Arc<Mutex<Option<Request>>>;

/// Loses the first reply, after something else has happened.
#[derive(Debug)]
enum Between {
    /// Another client increments this key twice.
    Incremented(String),
    /// Another client deletes this key.
    Deleted(String),
    /// The first request gets stuck on its way, until the test sends it.
    Stuck(Hold),
}

#[derive(Debug)]
struct Meddler {
    inner: Arc<dyn Transport>,
    between: Between,
    sent: AtomicU32,
}

#[async_trait]
impl Transport for Meddler {
    async fn send(&self, request: Request) -> std::result::Result<Response, TransportError> {
        if self.sent.fetch_add(1, Ordering::SeqCst) > 0 {
            return self.inner.send(request).await;
        }
        match &self.between {
            Between::Incremented(k) => {
                self.inner.send(request).await?;
                stack().redis().incrby(k, 2).await.unwrap();
            }
            Between::Deleted(k) => {
                self.inner.send(request).await?;
                assert_eq!(stack().redis().del(k).await.unwrap(), 1);
            }
            Between::Stuck(hold) => *hold.lock().unwrap() = Some(request),
        }
        Err(TransportError::interrupted("the reply is lost, on purpose"))
    }
}

fn meddled(between: impl Fn() -> Between + Send + Sync + 'static) -> Redis {
    let builder = stack().builder();
    let builder = builder.wrap_transport(move |inner| Meddler { inner, between: between(), sent: AtomicU32::new(0) });
    builder.build().unwrap()
}

#[tokio::test]
async fn the_first_outcome_is_returned_although_others_wrote_since() -> Result<()> {
    warm(stack()).await?;
    let k = key("once");
    let other = k.clone();
    let redis = meddled(move || Between::Incremented(other.clone()));
    assert_eq!(redis.incr(&k).exactly_once().await?, 1);
    assert_eq!(redis.get::<i64>(&k).await?, Some(3));
    Ok(())
}

#[tokio::test]
async fn an_attempt_that_arrives_late_does_nothing() -> Result<()> {
    warm(stack()).await?;
    let hold = Hold::default();
    let held = Arc::clone(&hold);
    let redis = meddled(move || Between::Stuck(Arc::clone(&held)));
    let k = &key("late");
    assert_eq!(redis.set(k, "old").exactly_once().await?, ());
    redis.set(k, "new").await?;
    let late = hold.lock().unwrap().take().unwrap();
    let transport = Arc::new(Mutex::new(None));
    let kept = Arc::clone(&transport);
    let builder = stack().builder().wrap_transport(move |inner| {
        *kept.lock().unwrap() = Some(Arc::clone(&inner));
        Faulty::new(inner, Vec::new(), Arc::default())
    });
    let _client = builder.build()?;
    let transport = transport.lock().unwrap().take().unwrap();
    assert!(transport.send(late).await.unwrap().status.is_success());
    assert_eq!(redis.get::<String>(k).await?.as_deref(), Some("new"));
    Ok(())
}

#[tokio::test]
async fn a_refusal_is_an_outcome_too() -> Result<()> {
    warm(stack()).await?;
    let k = key("once");
    stack().redis().lpush(&k, "x").await?;
    let other = k.clone();
    let redis = meddled(move || Between::Deleted(other.clone()));
    // The second attempt would succeed, but the outcome of the first may have been reported already.
    let error = redis.incr(&k).exactly_once().await.unwrap_err();
    assert!(error.is_wrong_type() && error.attempts() == 2, "{error}");
    // It is the outcome of all attempts, so nothing was executed.
    assert!(!error.may_have_executed() && error.command() == Some("INCR"));
    assert_eq!(redis.get::<i64>(&k).await?, None);
    Ok(())
}

/// Two commands that are one, as a model's `save` with a field that is `None`.
fn save(k: &str) -> Command<(i64, i64)> {
    Build.hset(k, ("name", "Ada")).and(Build.hdel(k, "email"), |mut replies| {
        Ok((i64::from_reply(replies.expect_next()?)?, i64::from_reply(replies.expect_next()?)?))
    })
}

#[tokio::test]
async fn a_group_executes_once_as_a_whole() -> Result<()> {
    for stack in [stack(), valkey()] {
        warm(stack).await?;
        for encoding in ENCODINGS {
            let k = &key("once");
            stack.redis().hset(k, ("email", "ada@example.com")).await?;
            let (redis, sent) = cut(stack, encoding, &[Cut::After]);
            assert_eq!(redis.submit(save(k).exactly_once()).await?, (1, 1));
            assert_eq!(sent.load(Ordering::SeqCst), 2);
            assert_eq!(redis.hlen(k).await?, 1);
            // The first fails, and the second runs nevertheless.
            stack.redis().set(k, 1).await?;
            let group = Build
                .hset(k, ("name", "Ada"))
                .and(Build.incr(k), |mut replies| i64::from_reply(replies.expect_next()?));
            let error = redis.submit(group.exactly_once()).await.unwrap_err();
            assert!(error.is_wrong_type() && error.may_have_executed(), "{error}");
            assert_eq!(stack.redis().get::<i64>(k).await?, Some(2));
        }
    }
    Ok(())
}

#[tokio::test]
async fn replies_of_every_type_arrive_as_without() -> Result<()> {
    let oldest = own_redis_7_0();
    for stack in [stack(), valkey()].into_iter().chain(&oldest) {
        for encoding in ENCODINGS {
            let k = &|name: &str| key(name);
            let redis = stack.builder().encoding(encoding).build()?;
            let list = &k("list");
            assert_eq!(redis.lpop::<String>(list).exactly_once().await?, None);
            assert_eq!(redis.rpush(list, ["a", "\u{e9}\r\n$3", ""]).exactly_once().await?, 3);
            let items: Vec<String> = redis.lpop_count(list, 9).exactly_once().await?;
            assert_eq!(items, ["a", "\u{e9}\r\n$3", ""]);
            let set = &k("set");
            assert_eq!(redis.sadd(set, ["x", "y"]).exactly_once().await?, 2);
            let mut popped: Vec<String> = redis.spop_count(set, 2).exactly_once().await?;
            popped.sort();
            assert_eq!(popped, ["x", "y"]);
            let scores = &k("zset");
            assert_eq!(redis.zincrby(scores, 0.1, "m").exactly_once().await?, 0.1);
            assert_eq!(redis.zincrby(scores, 0.2, "m").exactly_once().await?, 0.1 + 0.2);
            let popped = redis.zpopmin::<String>(scores, 1).exactly_once().await?;
            assert_eq!(popped, [("m".to_owned(), 0.1 + 0.2)]);
            let stream = &k("stream");
            let id = redis.xadd_with(stream, ("f", "v"), XAddOptions::new()).exactly_once().await?;
            assert!(id.is_some());
            redis.set(list, "text").exactly_once().await?;
            assert_eq!(redis.getdel::<String>(list).exactly_once().await?.as_deref(), Some("text"));
            assert_eq!(redis.publish("nobody", "hi").exactly_once().await?, 0);
            assert!(redis.execute::<()>(("FUNCTION", "FLUSH")).exactly_once().await.unwrap_err().is_invalid_input());
        }
    }
    Ok(())
}

#[tokio::test]
async fn bytes_that_are_not_text_come_back_where_the_encoding_has_them() -> Result<()> {
    let bytes = b"\xff\x00\r\n".as_slice();
    for encoding in ENCODINGS {
        let k = &key("bytes");
        let redis = stack().builder().encoding(encoding).build()?;
        redis.set(k, bytes).exactly_once().await?;
        let found = redis.getdel::<bytes::Bytes>(k).exactly_once().await;
        match encoding {
            Encoding::Json => {
                let error = found.unwrap_err();
                assert!(error.kind() == ErrorKind::Decode && error.may_have_executed(), "{error}");
                assert!(error.message().contains("not UTF-8"), "{error}");
            }
            _ => assert_eq!(found?.as_deref(), Some(bytes)),
        }
    }
    Ok(())
}

#[tokio::test]
async fn an_integer_that_lua_rounds_is_an_error() -> Result<()> {
    let redis = stack().redis();
    let k = &key("large");
    let largest = (1_i64 << 53) - 1;
    for (number, sign) in [(largest, 1), (-largest, -1)] {
        redis.set(k, number - sign).await?;
        assert_eq!(redis.incrby(k, sign).exactly_once().await?, number);
        let error = redis.incrby(k, sign).exactly_once().await.unwrap_err();
        assert!(error.kind() == ErrorKind::Decode && error.may_have_executed(), "{error}");
        assert!(error.message().contains("2^53"), "{error}");
        assert_eq!(redis.get::<i64>(k).await?, Some(number + sign));
    }
    Ok(())
}

#[tokio::test]
async fn reads_and_clients_without_retries_send_no_script() -> Result<()> {
    let k = &key("plain");
    let (redis, sent) = cut(stack(), Encoding::Base64, &[Cut::After]);
    assert_eq!(redis.get::<i64>(k).exactly_once().await?, None);
    assert_eq!(sent.load(Ordering::SeqCst), 2);
    let impatient = stack().impatient(Encoding::Base64);
    assert_eq!(impatient.incr(k).exactly_once().await?, 1);
    assert!(once_keys(&redis, k).await?.is_empty());
    Ok(())
}

#[tokio::test]
async fn a_pipeline_has_no_exactly_once() -> Result<()> {
    let k = &key("pipeline");
    let redis = stack().redis();
    let error = redis.pipeline().incr(k).exec().exactly_once().await.unwrap_err();
    assert!(error.is_invalid_input() && error.message().contains("on its own"), "{error}");
    let error = redis.batch().exec().exactly_once().await.unwrap_err();
    assert!(error.is_invalid_input(), "{error}");
    // In a pipeline, the command is as it is without.
    let counts = redis.pipeline().submit(Build.incr(k).exactly_once()).incr(k).exec().await?;
    assert_eq!(counts, (1, 2));
    assert!(once_keys(&redis, k).await?.is_empty());
    let (redis, _) = cut(stack(), Encoding::Base64, &[Cut::After]);
    let error = redis.pipeline().submit(Build.incr(k).exactly_once()).incr(k).exec().await.unwrap_err();
    assert!(error.may_have_executed(), "{error}");
    Ok(())
}

/// The list of what is refused is that of real servers.
#[tokio::test]
async fn what_servers_refuse_in_scripts_is_refused_before_it_is_sent() -> Result<()> {
    let is_refused = |flags: &[String]| flags.iter().any(|flag| flag == "noscript");
    for stack in [stack(), valkey()] {
        let commands = stack.redis().command().await?;
        assert!(commands.len() > 200);
        for info in commands {
            let mut parts = info.subcommands.iter().filter(|part| !part.name.ends_with("|help")).peekable();
            let in_all_parts = parts.peek().is_some() && parts.all(|part| is_refused(&part.flags));
            let error = Command::write(info.name.clone()).exactly_once().validate().err();
            assert_eq!(error.is_some(), is_refused(&info.flags) || in_all_parts, "{}", info.name);
        }
    }
    Ok(())
}

#[tokio::test]
async fn a_part_of_a_group_is_not_executed_once() {
    let group = Build.incr("a").exactly_once().and(Build.incr("b"), |_| Ok(()));
    assert!(group.validate().unwrap_err().message().contains("on the group"));
}

#[tokio::test]
async fn a_script_is_refused_before_it_is_sent() {
    let (redis, sent) = cut(stack(), Encoding::Base64, &[]);
    let script = Script::new("return 1");
    let error = redis.run_script::<i64>(&script).exactly_once().await.unwrap_err();
    assert!(error.is_invalid_input() && error.message().contains("inside another"), "{error}");
    let error = redis.eval::<i64>("return 1", (), ()).exactly_once().await.unwrap_err();
    assert!(error.is_invalid_input() && error.message().contains("inside a script"), "{error}");
    assert_eq!(sent.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn the_same_with_auto_pipelining() -> Result<()> {
    warm(stack()).await?;
    let keys = ["a", "b", "c"].map(key);
    let builder = stack().builder().auto_pipelining(AutoPipelining::new());
    let sent = Arc::new(AtomicU32::new(0));
    let counter = Arc::clone(&sent);
    let faulty = move |inner| Faulty::new(inner, vec![Cut::After], Arc::clone(&counter));
    let redis = builder.wrap_transport(faulty).build()?;
    let [a, b, c] = keys.each_ref();
    let patient = redis.with_deadline(Duration::from_secs(3600));
    let (first, second, third) = tokio::join!(
        redis.incr(a).exactly_once(),
        redis.incr(b).exactly_once(),
        // Not in the same request: the others' outcomes would be forgotten before its deadline.
        patient.incr(c).exactly_once(),
    );
    assert_eq!((first?, second?, third?), (1, 1, 1));
    assert_eq!(sent.load(Ordering::SeqCst), 3);
    assert_eq!(redis.mget::<i64>(&keys).await?, [Some(1); 3]);
    Ok(())
}

#[test]
fn the_same_with_the_blocking_client() -> Result<()> {
    let k = &key("blocking");
    let (first, sent) = (stack().blocking(), Arc::new(AtomicU32::new(0)));
    first.exactly_once().incr(key("warm"))?;
    let counter = Arc::clone(&sent);
    let builder = stack().builder();
    let builder = builder.wrap_transport(move |inner| Faulty::new(inner, vec![Cut::After], Arc::clone(&counter)));
    let redis = builder.build_blocking()?;
    assert_eq!(redis.exactly_once().incr(k)?, 1);
    assert_eq!((redis.get::<i64>(k)?, sent.load(Ordering::SeqCst)), (Some(1), 3));
    assert!(redis.incr(k).is_ok());
    Ok(())
}

/// Rule: what frees memory is not refused, although its outcome takes some.
#[tokio::test]
async fn a_full_server_still_deletes() -> Result<()> {
    let stack = own_stack();
    let (redis, k) = (stack.redis(), &key("full"));
    redis.set(k, 1).await?;
    redis.config_set(("maxmemory", 1)).await?;
    assert_eq!(redis.incr(k).exactly_once().await.unwrap_err().code(), Some("OOM"));
    assert_eq!(redis.del(k).exactly_once().await?, 1);
    assert!(once_keys(&redis, k).await?.len() == 1);
    Ok(())
}

/// What the documentation says of eviction.
#[tokio::test]
async fn an_outcome_that_is_gone_does_not_protect() -> Result<()> {
    #[derive(Debug)]
    struct Evicting {
        inner: Arc<dyn Transport>,
        k: String,
        sent: AtomicU32,
    }

    #[async_trait]
    impl Transport for Evicting {
        async fn send(&self, request: Request) -> std::result::Result<Response, TransportError> {
            let response = self.inner.send(request).await?;
            if self.sent.fetch_add(1, Ordering::SeqCst) > 0 {
                return Ok(response);
            }
            let redis = stack().redis();
            let kept = once_keys(&redis, &self.k).await.unwrap();
            assert_eq!(redis.execute::<i64>(("DEL", &kept[0])).await.unwrap(), 1);
            Err(TransportError::interrupted("the reply is lost, on purpose"))
        }
    }

    warm(stack()).await?;
    let k = key("evicted");
    let name = k.clone();
    let builder = stack().builder();
    let evicting = move |inner| Evicting { inner, k: name.clone(), sent: AtomicU32::new(0) };
    let redis = builder.wrap_transport(evicting).build()?;
    assert_eq!(redis.incr(&k).exactly_once().await?, 2);
    Ok(())
}
