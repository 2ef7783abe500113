//! What redis-rs and commands written by hand take to append to a stream, to read it, to handle its entries in a consumer
//! group, and to wait for one, for `tests/benches/logs`. It prints the lines that the clients there print.
//!
//! Usage: redis-rs-logs append URL PART COUNT | read URL PART KEY | work URL COUNT BATCH CONCURRENCY MILLIS |
//! wake URL COUNT GAP

use std::error::Error;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use redis::{Connection, Pipeline};
use redis_rs_by_hand::{Outcome, measure};

type Failed = Box<dyn Error + Send + Sync>;
/// An id, and names and texts of fields.
type Entry = (String, Vec<(String, String)>);

struct Placed {
    order: u64,
    sku: String,
    cents: i64,
}

impl Placed {
    fn new(order: u64) -> Self {
        Placed { order, sku: "A-1000-BLUE".into(), cents: 1990 }
    }

    fn push_append(&self, pipeline: &mut Pipeline, key: &str) {
        pipeline.cmd("XADD").arg(key).arg("*");
        for (name, text) in
            [("order", self.order.to_string()), ("sku", self.sku.clone()), ("cents", self.cents.to_string())]
        {
            pipeline.arg(name).arg(text);
        }
        pipeline.ignore();
    }

    fn from_fields(fields: Vec<(String, String)>) -> Result<Self, Failed> {
        let (mut order, mut sku, mut cents) = (None, None, None);
        for (name, text) in fields {
            match &*name {
                "order" => order = Some(text.parse()?),
                "sku" => sku = Some(text),
                "cents" => cents = Some(text.parse()?),
                _ => {}
            }
        }
        Ok(Placed { order: order.ok_or("order")?, sku: sku.ok_or("sku")?, cents: cents.ok_or("cents")? })
    }

    fn read(fields: Vec<(String, String)>) -> Result<u64, Failed> {
        let placed = Placed::from_fields(fields)?;
        assert!(placed.cents == 1990 && placed.sku.len() == 11);
        Ok(placed.order)
    }
}

fn main() -> Outcome<()> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    match args.as_slice() {
        ["append", url, part, count] => append(&mut connect(url)?, part, count.parse()?),
        ["read", url, part, key] => read(&mut connect(url)?, part, key),
        ["work", url, count, batch, concurrency, millis] => {
            work(url, count.parse()?, batch.parse()?, concurrency.parse()?, millis.parse()?)
        }
        ["wake", url, count, gap] => wake(url, count.parse()?, Duration::from_millis(gap.parse()?)),
        _ => Err("see the source".into()),
    }
}

fn connect(url: &str) -> redis::RedisResult<Connection> {
    redis::Client::open(url)?.get_connection()
}

fn fill(redis: &mut Connection, key: &str, count: u64, at_once: u64) -> Outcome<()> {
    for first in (0..count).step_by(at_once.try_into()?) {
        let mut pipeline = redis::pipe();
        for n in first..count.min(first + at_once) {
            Placed::new(n).push_append(&mut pipeline, key);
        }
        pipeline.exec(redis)?;
    }
    Ok(())
}

fn append(redis: &mut Connection, part: &str, count: u64) -> Outcome<()> {
    let at_once = if part.ends_with("pipelined") { 500 } else { 1 };
    measure(redis, part, count, |redis| fill(redis, "by-hand", count, at_once))
}

fn read(redis: &mut Connection, part: &str, key: &str) -> Outcome<()> {
    // Five times, as the other client does.
    measure(redis, part, 500_000, |redis| (0..5).try_for_each(|_| read_all(redis, key)))
}

fn read_all(redis: &mut Connection, key: &str) -> Outcome<()> {
    let (mut from, mut sum, mut count) = ("-".to_owned(), 0, 0);
    loop {
        let page: Vec<Entry> = redis::cmd("XRANGE").arg(key).arg(&from).arg(&["+", "COUNT", "500"]).query(redis)?;
        let is_full = page.len() == 500;
        for (id, fields) in page {
            sum += Placed::read(fields).map_err(|error| error.to_string())?;
            count += 1;
            from = id;
        }
        from.insert(0, '(');
        if !is_full {
            assert!(count == 100_000 && sum == count * (count - 1) / 2);
            return Ok(());
        }
    }
}

fn work(url: &str, count: u64, batch: u64, concurrency: u64, millis: u64) -> Outcome<()> {
    let redis = &mut connect(url)?;
    fill(redis, "work", count, 1000)?;
    redis::cmd("XGROUP").arg(&["CREATE", "work", "billing", "0"]).exec(redis)?;
    let part = format!("by hand {count} {batch} {concurrency} {millis}");
    let (handled, sum) = (AtomicU64::new(0), AtomicU64::new(0));
    measure(redis, &part, count, |_| {
        thread::scope(|scope| {
            let threads: Vec<_> = (0..concurrency)
                .map(|n| {
                    scope.spawn({
                        let (handled, sum) = (&handled, &sum);
                        move || thread_of(url, n, batch, millis, count, handled, sum)
                    })
                })
                .collect();
            threads.into_iter().try_for_each(|thread| thread.join().expect("a thread"))
        })
        .map_err(|error| error.to_string())?;
        assert_eq!(sum.load(Ordering::Relaxed), count * (count - 1) / 2);
        Ok(())
    })
}

fn thread_of(
    url: &str,
    number: u64,
    batch: u64,
    millis: u64,
    count: u64,
    handled: &AtomicU64,
    sum: &AtomicU64,
) -> Result<(), Failed> {
    let redis = &mut connect(url)?;
    while handled.load(Ordering::Relaxed) < count {
        let read: Option<Vec<(String, Vec<Entry>)>> = redis::cmd("XREADGROUP")
            .arg(&["GROUP", "billing"])
            .arg(format!("worker-{number}"))
            .arg("COUNT")
            .arg(batch)
            .arg(&["BLOCK", "10", "STREAMS", "work", ">"])
            .query(redis)?;
        let entries: Vec<Entry> = read.into_iter().flatten().flat_map(|(_, entries)| entries).collect();
        if entries.is_empty() {
            continue;
        }
        let mut acknowledge = redis::cmd("XACK");
        acknowledge.arg(&["work", "billing"]);
        let mut done = 0;
        for (id, fields) in entries {
            if millis > 0 {
                thread::sleep(Duration::from_millis(millis));
            }
            sum.fetch_add(Placed::read(fields)?, Ordering::Relaxed);
            acknowledge.arg(id);
            done += 1;
        }
        let acknowledged: u64 = acknowledge.query(redis)?;
        assert_eq!(acknowledged, done);
        handled.fetch_add(done, Ordering::Relaxed);
    }
    Ok(())
}

fn wake(url: &str, count: u32, gap: Duration) -> Outcome<()> {
    let (sender, receiver) = mpsc::channel();
    let (mut reading, redis) = (connect(url)?, &mut connect(url)?);
    redis::cmd("DEL").arg("wake-by-hand").exec(redis)?;
    thread::spawn(move || {
        let mut from = "0".to_owned();
        let mut requests = 0_u64;
        loop {
            requests += 1;
            let read: redis::RedisResult<Option<Vec<(String, Vec<Entry>)>>> =
                redis::cmd("XREAD").arg(&["BLOCK", "60000", "STREAMS", "wake-by-hand"]).arg(&from).query(&mut reading);
            for (id, _) in read.ok().flatten().into_iter().flatten().flat_map(|(_, entries)| entries) {
                from = id;
                if sender.send((Instant::now(), requests)).is_err() {
                    return;
                }
            }
        }
    });
    thread::sleep(Duration::from_secs(1));
    let began = Instant::now();
    let (mut latencies, mut appends, mut requests) = (Vec::new(), Vec::new(), 0);
    for n in 0..count {
        thread::sleep(gap + gap / 10 * (n % 7));
        let mut pipeline = redis::pipe();
        Placed::new(n.into()).push_append(&mut pipeline, "wake-by-hand");
        let called = Instant::now();
        pipeline.exec(redis)?;
        appends.push(called.elapsed().as_secs_f64() * 1e3);
        let (received, sent) = receiver.recv()?;
        requests = sent;
        latencies.push(received.duration_since(called).as_secs_f64() * 1e3);
    }
    let seconds = began.elapsed().as_secs_f64();
    println!("{{\"latencies\":{latencies:?},\"appends\":{appends:?},\"requests\":{requests},\"seconds\":{seconds}}}");
    Ok(())
}
