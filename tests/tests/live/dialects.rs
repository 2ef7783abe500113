//! Scripts and commands in the form that the server understands, and scripts that keep their outcome.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use redis_model::redis_rest::transport::{Request, Response, Transport, TransportError};
use redis_model::redis_rest::{
    AutoPipelining, ErrorKind, Executor as _, Redis, Result, RetryPolicy, Script, ScriptCall, ScriptingCommands as _,
    StringCommands as _,
};
use redis_model_tests::fault::{Cut, Faulty};
use redis_model_tests::{Stack, key, own_redis_7_0, stack, valkey};

/// A transport that keeps the bodies that it sends. Over an open-source server without the gateway's help, the server refuses
/// the flag of the service.
#[derive(Debug)]
struct Recorder {
    inner: Arc<dyn Transport>,
    is_open_source: bool,
    sent: Sent,
}

type Sent = Arc<Mutex<Vec<String>>>;

#[async_trait]
impl Transport for Recorder {
    async fn send(&self, mut request: Request) -> Result<Response, TransportError> {
        let body = String::from_utf8_lossy(&request.body).into_owned();
        if self.is_open_source {
            // The gateway removes the flag of this name, and passes on any other.
            request.body = body.replace("allow-key-locking", "allow-key-lockinG").into();
        }
        self.sent.lock().unwrap().push(body);
        self.inner.send(request).await
    }
}

fn recorded(stack: &Stack, is_open_source: bool) -> (Redis, Sent) {
    let sent = Sent::default();
    let kept = Arc::clone(&sent);
    let builder = stack.builder().wrap_transport(move |inner| Recorder { inner, is_open_source, sent: kept.clone() });
    (builder.build().unwrap(), sent)
}

/// The command of each request since the last call, and whether it is in the locking dialect.
fn taken(sent: &Sent, locking: &str) -> Vec<(String, bool)> {
    let form = |body: String| {
        let name = body.split('"').nth(1).unwrap_or_default().to_owned();
        (name, body.contains("#!lua flags=allow-key-locking") || body.contains(locking))
    };
    sent.lock().unwrap().drain(..).map(form).collect()
}

fn add(k: &str) -> (Script, String) {
    let code = format!("return redis.call('INCRBY', KEYS[1], ARGV[1]) -- {k}");
    let locking = Script::new(format!("#!lua flags=allow-key-locking\n{code}"));
    (Script::new(code).key_locking(), locking.sha1().to_owned())
}

#[tokio::test]
async fn the_dialect_is_learned_from_the_first_call() -> Result<()> {
    let oldest = own_redis_7_0();
    for stack in [stack(), valkey()].into_iter().chain(&oldest) {
        let k = &key("dialect");
        let (script, locking) = add(k);
        // As the service: the gateway understands the flag.
        let (redis, sent) = recorded(stack, false);
        assert_eq!(redis.run_script::<i64>(script.key(k).arg(5)).await?, 5);
        assert_eq!(taken(&sent, &locking), [("EVALSHA".into(), true), ("EVAL".into(), true)]);
        let clone = redis.clone();
        assert_eq!(clone.run_script::<i64>(script.key(k).arg(1)).await?, 6);
        assert_eq!(taken(&sent, &locking), [("EVALSHA".into(), true)]);
        let pipeline = redis.pipeline().get::<i64>(k).run_script::<i64>(script.key(k).arg(1));
        assert_eq!(pipeline.exec().await?, (Some(6), 7));
        assert_eq!(taken(&sent, &locking), [("GET".into(), true)]);
        let transaction = redis.transaction().get::<i64>(k).run_script::<i64>(script.key(k).arg(1));
        assert_eq!(transaction.exec().await?, (Some(7), 8));
        assert_eq!(taken(&sent, &locking), [("GET".into(), false)]);

        // As an open-source server.
        let k = &key("dialect");
        let (script, locking) = add(k);
        let (redis, sent) = recorded(stack, true);
        let pipeline = redis.pipeline().get::<i64>(k).run_script::<i64>(script.key(k).arg(2));
        assert_eq!(pipeline.exec().await?, (None, 2));
        assert_eq!(taken(&sent, &locking), [("GET".into(), false)]);
        assert_eq!(redis.run_script::<i64>(script.key(k).arg(5)).await?, 7);
        assert_eq!(taken(&sent, &locking), [("EVALSHA".into(), true), ("EVAL".into(), true), ("EVAL".into(), false)]);
        assert_eq!(redis.run_script::<i64>(script.key(k).arg(1)).await?, 8);
        assert_eq!(taken(&sent, &locking), [("EVALSHA".into(), false)]);
    }
    Ok(())
}

#[tokio::test]
async fn a_script_that_does_not_compile_is_an_error_in_both_dialects() {
    let (redis, sent) = recorded(stack(), true);
    let error = redis.run_script::<()>(&Script::new("return nonsense(").key_locking()).await.unwrap_err();
    assert!(error.message().starts_with("ERR Error compiling script"), "{error}");
    assert_eq!(sent.lock().unwrap().len(), 3);
}

#[tokio::test]
async fn a_script_that_does_not_compile_teaches_no_dialect() -> Result<()> {
    let wrong = Script::new("return nonsense(").key_locking();
    for learned_before in [false, true] {
        let k = &key("dialect");
        let (script, locking) = add(k);
        let (redis, sent) = recorded(stack(), false);
        if learned_before {
            assert_eq!(redis.run_script::<i64>(script.key(k).arg(0)).await?, 0);
            sent.lock().unwrap().clear();
        }
        redis.run_script::<()>(&wrong).await.unwrap_err();
        let requests = if learned_before { 2 } else { 3 };
        assert_eq!(sent.lock().unwrap().drain(..).count(), requests);
        assert_eq!(redis.run_script::<i64>(script.key(k).arg(5)).await?, 5);
        assert!(taken(&sent, &locking).into_iter().all(|(_, is_locking)| is_locking));
        assert_eq!(redis.run_script::<i64>(script.key(k).arg(1)).await?, 6);
        assert_eq!(taken(&sent, &locking), [("EVALSHA".into(), true)]);
        // Nor does an error of a script that reads like a refusal.
        let liar = "redis.call('INCR', KEYS[1]) return redis.error_reply('ERR Unexpected flag in script shebang: x')";
        redis.run_script::<()>(Script::new(liar).key_locking().key(k)).await.unwrap_err();
        assert_eq!(redis.run_script::<i64>(script.key(k).arg(0)).await?, 7);
        assert_eq!(taken(&sent, &locking).last(), Some(&("EVALSHA".into(), true)));
    }
    Ok(())
}

/// Increments a counter, and keeps the outcome.
static COUNT: &str = "
local once, keep, first = nil, tonumber(ARGV[1]), 1
if keep > 0 then
  once, first = KEYS[1], 2
  local outcome = redis.call('GET', once)
  if outcome then return outcome end
end
local outcome = tostring(redis.call('INCR', KEYS[first]))
if once then redis.call('SET', once, outcome, 'PX', keep) end
return outcome";

fn count(k: &str) -> ScriptCall {
    Script::new(COUNT).key_locking().key(k).once_under(k.to_owned())
}

async fn kept(redis: &Redis, k: &str) -> Result<usize> {
    Ok(redis.execute::<Vec<String>>(("KEYS", format!("{k}::once:*"))).await?.len())
}

#[tokio::test]
async fn a_script_with_a_nonce_is_repeated_and_returns_the_first_outcome() -> Result<()> {
    for cut in [Cut::Before, Cut::During, Cut::After, Cut::InReply(3)] {
        for auto_pipelining in [false, true] {
            let k = &key("once");
            // Known to the server, so that the first request executes it.
            stack().redis().run_script::<i64>(Script::new(COUNT).key_locking().key("warm").arg(0)).await?;
            let builder = stack().builder().deadline(Duration::from_secs(5));
            let builder = if auto_pipelining { builder.auto_pipelining(AutoPipelining::new()) } else { builder };
            let redis = builder.wrap_transport(move |inner| Faulty::new(inner, vec![cut], Arc::default())).build()?;
            assert_eq!(redis.run_script::<i64>(count(k)).await?, 1, "{cut:?}");
            assert_eq!(redis.get::<i64>(k).await?, Some(1), "{cut:?}");
            assert_eq!(kept(&redis, k).await?, 1);
            let left: i64 = redis
                .execute(("PTTL", redis.execute::<Vec<String>>(("KEYS", format!("{k}::once:*"))).await?.remove(0)))
                .await?;
            assert!((5_000..=10_000).contains(&left), "{left}");
            // The next call has another nonce.
            assert_eq!(redis.run_script::<i64>(count(k)).await?, 2);
        }
    }
    Ok(())
}

#[tokio::test]
async fn without_retries_and_among_other_commands_there_is_no_nonce() -> Result<()> {
    let k = &key("once");
    let redis = stack().builder().retry(RetryPolicy::never()).build()?;
    assert_eq!(redis.run_script::<i64>(count(k)).await?, 1);
    let redis = stack().redis();
    assert_eq!(redis.pipeline().run_script::<i64>(count(k)).get::<i64>(k).exec().await?, (2, Some(2)));
    assert_eq!(redis.transaction().run_script::<i64>(count(k)).get::<i64>(k).exec().await?, (3, Some(3)));
    assert_eq!(kept(&redis, k).await?, 0);
    // A lost reply is then an error.
    let redis =
        stack().builder().wrap_transport(|inner| Faulty::new(inner, vec![Cut::After], Arc::default())).build()?;
    let error = redis.pipeline().run_script::<i64>(count(k)).get::<i64>(k).exec().await.unwrap_err();
    assert!(error.kind() == ErrorKind::Interrupted && error.may_have_executed(), "{error}");
    Ok(())
}

#[tokio::test]
async fn commands_that_joined_a_request_are_repeated_as_far_as_that_is_safe() -> Result<()> {
    let (k, plain) = (&key("once"), &key("incr"));
    let builder = stack().builder().auto_pipelining(AutoPipelining::new());
    let redis = builder.wrap_transport(|inner| Faulty::new(inner, vec![Cut::After], Arc::default())).build()?;
    let (once, incr, second) =
        tokio::join!(redis.run_script::<i64>(count(k)), redis.incr(plain), redis.run_script::<i64>(count(k)));
    assert_eq!((once?, second?), (1, 2));
    assert!(incr.unwrap_err().may_have_executed());
    assert_eq!(stack().redis().mget::<i64>([k, plain]).await?, [Some(2), Some(1)]);
    Ok(())
}
