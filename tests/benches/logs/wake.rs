//! How long it takes from the call of an append until a reader that waits has the entry, and how many requests the reader sends.

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use redis_model::prelude::*;
use redis_model::redis_rest::RedisBuilder;
use redis_model::{Log, Since};
use redis_model_tests::Stack;
use redis_model_tests::counting::{Counting, Seen};
use serde_derive::{Deserialize, Serialize};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::time::sleep;

use crate::measure::{client as process, quantile, redis_rs};
use crate::{Heard, Outcome, Placed, heard, placed};

const BY_HAND: &str = "XREAD BLOCK by hand, TCP";
const READERS: [&str; 5] =
    [BY_HAND, "tail, woken by SSE", "tail that polls", "worker, woken by SSE", "worker that polls"];

/// How many entries come, and how many milliseconds one after the other.
const GAPS: [(u32, u64); 2] = [(200, 250), (25, 2000)];

/// What a reader prints.
#[derive(Debug, Serialize, Deserialize)]
struct Woken {
    /// From the call of each append until the reader has it, in milliseconds.
    latencies: Vec<f64>,
    /// How long each append took, in milliseconds.
    appends: Vec<f64>,
    requests: usize,
    seconds: f64,
}

/// All readers wait at the same time: what they do takes a small part of it.
pub(crate) fn compare(stack: &Stack) -> Outcome<()> {
    let by_hand = redis_rs()?;
    for (count, gap) in GAPS {
        let args = [count.to_string(), gap.to_string()];
        let mut started = Vec::new();
        for reader in READERS {
            let mut command = match reader {
                BY_HAND => {
                    let mut command = Command::new(&by_hand);
                    command.args(["wake", stack.server.url(), &args[0], &args[1]]);
                    command
                }
                _ => process(stack, "wake", &[reader, &args[0], &args[1]])?,
            };
            started.push((reader, command.stdout(Stdio::piped()).spawn()?));
        }
        println!("from an append to the reader that waits, {count} entries, one every {gap} ms:");
        for (reader, process) in started {
            let woken: Woken = serde_json::from_slice(&process.wait_with_output()?.stdout)?;
            println!(
                "  {reader:<25} median {:>7.2} ms, p99 {:>7.2} ms; the append itself {:.2} ms; {:.2} requests of the reader an entry",
                quantile(woken.latencies.clone(), 0.5),
                quantile(woken.latencies, 0.99),
                quantile(woken.appends, 0.5),
                float(woken.requests) / f64::from(count),
            );
        }
    }
    Ok(())
}

#[expect(clippy::cast_precision_loss, reason = "counts of requests")]
fn float(count: usize) -> f64 {
    count as f64
}

pub(crate) async fn client(builder: RedisBuilder, args: &[&str]) -> Outcome<()> {
    let [reader, count, gap] = args else { return Err("READER COUNT GAP".into()) };
    let (count, gap) = (count.parse()?, Duration::from_millis(gap.parse()?));
    let seen = Seen::default();
    let counted = seen.clone();
    let redis = builder.clone().wrap_transport(move |inner| Counting::new(inner, counted.clone())).build()?;
    let writer = builder.build()?;
    let (sender, receiver) = unbounded_channel();
    let key = format!("wake-{}", std::process::id());
    let woken = match *reader {
        "tail, woken by SSE" => {
            let log = Heard::log(key);
            let append = async |n| log.append(&writer, &heard(n)).await.map(drop);
            race(append, receiver, tail(&redis, &log, sender), &seen, count, gap).await?
        }
        "tail that polls" => {
            let log = Placed::log(key);
            let append = async |n| log.append(&writer, &placed(n)).await.map(drop);
            race(append, receiver, tail(&redis, &log, sender), &seen, count, gap).await?
        }
        "worker, woken by SSE" => {
            let log = Heard::log(key);
            let append = async |n| log.append(&writer, &heard(n)).await.map(drop);
            race(append, receiver, work(&redis, &log, sender), &seen, count, gap).await?
        }
        _ => {
            let log = Placed::log(key);
            let append = async |n| log.append(&writer, &placed(n)).await.map(drop);
            race(append, receiver, work(&redis, &log, sender), &seen, count, gap).await?
        }
    };
    println!("{}", serde_json::to_string(&woken)?);
    Ok(())
}

async fn tail<M: StreamModel + Send + 'static>(
    redis: &Redis,
    log: &Log<M>,
    sender: UnboundedSender<Instant>,
) -> Outcome<()> {
    let mut tail = log.tail(redis, Since::Start);
    while let Some(entry) = tail.next().await {
        entry?.event?;
        sender.send(Instant::now())?;
    }
    Ok(())
}

async fn work<M: StreamModel>(redis: &Redis, log: &Log<M>, sender: UnboundedSender<Instant>) -> Outcome<()> {
    let handler = async |_| sender.send(Instant::now());
    Ok(Worker::new(log.group("group"), "worker-1").run(redis, handler).await?)
}

/// Appends one entry after the other, while the reader runs.
async fn race(
    append: impl AsyncFn(u64) -> Result<()>,
    mut receiver: UnboundedReceiver<Instant>,
    reader: impl Future<Output = Outcome<()>>,
    seen: &Seen,
    count: u32,
    gap: Duration,
) -> Outcome<Woken> {
    let appends = async {
        // The first one finds all connected.
        sleep(Duration::from_secs(1)).await;
        append(0).await?;
        receiver.recv().await.ok_or("no reader")?;
        seen.take();
        let began = Instant::now();
        let (mut latencies, mut appends) = (Vec::new(), Vec::new());
        for n in 0..count {
            // So that no pace of polls fits that of the appends.
            sleep(gap + gap / 10 * (n % 7)).await;
            let called = Instant::now();
            append(u64::from(n)).await?;
            appends.push(called.elapsed().as_secs_f64() * 1e3);
            let received = receiver.recv().await.ok_or("no reader")?;
            latencies.push(received.duration_since(called).as_secs_f64() * 1e3);
        }
        Ok(Woken { latencies, appends, requests: seen.take().len(), seconds: began.elapsed().as_secs_f64() })
    };
    tokio::select! {
        woken = appends => woken,
        ended = reader => Err(format!("the reader has ended: {ended:?}").into()),
    }
}
