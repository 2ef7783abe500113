//! The most memory that a GET of a value of 10 MB takes, in each encoding: how much more than a GET of a short one. And the
//! most that a reply of many values takes as a `Value`, compared with `max_response_bytes`.
//!
//! `cargo bench -p redis-model-tests --bench memory`. It needs Linux.

#![expect(clippy::print_stdout, reason = "it is there to print")]

use std::error::Error;
use std::process::Command;

use http::{HeaderMap, StatusCode};
use redis_model::prelude::*;
use redis_model::redis_rest::bytes::Bytes;
use redis_model::redis_rest::transport::{Body, Request, Response, Transport, TransportError};
use redis_model::redis_rest::{Encoding, Value};
use redis_model_tests::{Stack, process, stack};

type Outcome<T> = Result<T, Box<dyn Error>>;

const LENGTH: usize = 9_600_000;

fn main() -> Outcome<()> {
    let args: Vec<String> = std::env::args().collect();
    // Started by itself, below.
    if let [_, encoding, key, url, token] = args.as_slice() {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        if encoding == "values" {
            return runtime.block_on(values(key));
        }
        return runtime.block_on(get(encoding, key, url, token));
    }
    let stack = stack();
    tokio::runtime::Runtime::new()?.block_on(async {
        // What base64 and JSON have to do something about.
        let text: String = ('a'..='z').chain(['"', '\\', '\u{e9}']).cycle().take(LENGTH / 30 * 29).collect();
        let redis = stack.redis();
        redis.set("long", &text).await?;
        redis.set("short", "text").await
    })?;
    let length = stack.blocking().strlen("long")?;
    for (encoding, bound) in [("resp2", Some(1.3)), ("base64", None), ("json", None)] {
        let more = peak(stack, encoding, "long")?.saturating_sub(peak(stack, encoding, "short")?);
        #[expect(clippy::cast_precision_loss, reason = "a ratio of sizes below 2^53")]
        let ratio = more as f64 / length as f64;
        let bound = bound.map_or(String::new(), |bound| format!(" (the bound is {bound})"));
        println!("GET of {length} bytes in {encoding}: at most {ratio:.2} times the value in memory{bound}");
    }
    for shape in SHAPES {
        let more = peak(stack, "values", shape)?.saturating_sub(peak(stack, "values", "0")?);
        #[expect(clippy::cast_precision_loss, reason = "a ratio of sizes below 2^53")]
        let ratio = more as f64 / MAX_RESPONSE as f64;
        println!("`Value` of {shape:.20}..: at most {ratio:.2} times max_response_bytes in memory (the bound is 7)");
    }
    Ok(())
}

/// The limit for replies of many values.
const MAX_RESPONSE: usize = 32 << 20;

/// Elements of an array, repeated until the limit on the number of values or that on bytes is reached: short numbers, texts
/// of the length that fills both limits, and one array in another.
const SHAPES: [&str; 5] = [
    "1",
    "[]",
    r#""abcdefghijklm""#,
    r#"["abcdefghijklmnopqrstuvwxyzab"]"#,
    r#"[[[[[[[["abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyz12345"]]]]]]]]"#,
];

/// A server with one reply, which it makes while it sends it.
#[derive(Debug)]
struct Values(String);

#[async_trait::async_trait]
impl Transport for Values {
    async fn send(&self, _: Request) -> Result<Response, TransportError> {
        const PER_CHUNK: usize = 1000;
        let values = 1 + self.0.matches('[').count() - usize::from(self.0 == "[]");
        let count = (MAX_RESPONSE / 16 / values).min(MAX_RESPONSE / (self.0.len() + 1)) - 16;
        let chunk = Bytes::from(format!("{},", self.0).repeat(PER_CHUNK));
        let chunks = std::iter::repeat_n(chunk, count / PER_CHUNK);
        let ends = |text: String| std::iter::once(Bytes::from(text));
        let all = ends(r#"{"result":["#.to_owned()).chain(chunks).chain(ends(format!("{}]}}", self.0)));
        let body = Body::chunks(futures_util::stream::iter(all.map(Ok)));
        Ok(Response { status: StatusCode::OK, headers: HeaderMap::new(), body })
    }
}

async fn values(shape: &str) -> Outcome<()> {
    let builder = Redis::builder("http://localhost", "token").encoding(Encoding::Json).max_response_bytes(MAX_RESPONSE);
    if shape != "0" {
        let redis = builder.transport(Values(shape.to_owned())).build()?;
        let value: Value = redis.execute(["KEYS", "*"]).await?;
        print_peak()?;
        drop(value);
        return Ok(());
    }
    builder.build()?;
    print_peak()
}

/// The most memory that a process had which got this key, in bytes.
fn peak(stack: &Stack, encoding: &str, key: &str) -> Outcome<u64> {
    let output = Command::new(std::env::current_exe()?)
        .args([encoding, key, &stack.gateway.url(), stack.gateway.token()])
        .output()?;
    let printed = String::from_utf8(output.stdout)?;
    printed.trim().parse().map_err(|error| format!("{error}: {}", String::from_utf8_lossy(&output.stderr)).into())
}

async fn get(encoding: &str, key: &str, url: &str, token: &str) -> Outcome<()> {
    let encoding = match encoding {
        "resp2" => Encoding::Resp2,
        "json" => Encoding::Json,
        _ => Encoding::Base64,
    };
    let redis = Redis::builder(url, token).encoding(encoding).build()?;
    // Shares the buffer in which the reply arrived.
    let value = redis.get::<Bytes>(key).await?.ok_or("no value")?;
    print_peak()?;
    drop(value);
    Ok(())
}

fn print_peak() -> Outcome<()> {
    println!("{}", process::peak("VmHWM")?);
    Ok(())
}
