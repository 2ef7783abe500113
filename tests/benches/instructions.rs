//! Instructions, counted by callgrind: what a GET costs against a bare POST of the same bytes, and over hyper against
//! reqwest; what decoding a record costs, alone and in a page of 20, against code written by hand for that one struct; and
//! what decoding ten thousand entries of a stream costs against a tree of `serde_json::Value`.
//!
//! `cargo bench -p redis-model-tests --bench instructions`. It needs valgrind.

#![expect(clippy::print_stdout, clippy::indexing_slicing, reason = "it is there to print")]

use std::error::Error;
use std::hint::black_box;
use std::process::Command;

use redis_model::prelude::*;
use redis_model::redis_rest::{Build, Encoding, FromReply, Reply};
use redis_model_tests::fault::{Answer, Canned};
use redis_model_tests::stack;

type Outcome<T> = Result<T, Box<dyn Error>>;

/// How many records a page of a query has.
const PAGE: u64 = 20;

#[derive(Debug, PartialEq, RedisModel)]
#[redis(prefix = "user")]
struct User {
    #[redis(id)]
    id: u64,
    name: String,
    email: String,
    country: String,
    age: u8,
    visits: i64,
    score: f64,
    active: bool,
    bio: Option<String>,
    city: String,
}

fn main() -> Outcome<()> {
    let args: Vec<String> = std::env::args().collect();
    // Started by itself, below: one scenario, so many times.
    if let [_, scenario, count, rest @ ..] = args.as_slice()
        && let Ok(count) = count.parse()
    {
        return run(scenario, count, rest);
    }
    compare()
}

fn compare() -> Outcome<()> {
    let gateway = &stack().gateway;
    let at = [gateway.url(), gateway.token().to_owned()];
    let get = instructions("get", 200, &at)?;
    let bare = instructions("bare", 200, &at)?;
    report("GET by the client", get, "a bare reqwest post of the same bytes", bare, 0.95);
    let by_hyper = instructions("get_by_hyper", 200, &at)?;
    report("the same over hyper", by_hyper, "the GET over reqwest", get, 0.5);
    let derived = instructions("derived", 2000, &[])?;
    let by_hand = instructions("by_hand", 2000, &[])?;
    report("HGETALL of 10 fields to a derived struct", derived, "code by hand for that struct", by_hand, 1.5);
    let with_serde = instructions("by_hand_with_serde", 2000, &[])?;
    report("the same", derived, "code by hand over serde_json and base64", with_serde, 1.5);
    let page = instructions("page", 200, &[])? / PAGE as f64;
    report("a record of a page of 20, requested and decoded", page, "the decoding by hand", by_hand, 1.5);
    let tree = instructions("tree_json", 4, &[])?;
    let decoded_tree = instructions("tree_base64", 4, &[])?;
    for (encoding, tree, against, bound) in [
        ("json", tree, "serde_json::Value", 0.5),
        ("base64", decoded_tree, "serde_json::Value with its strings decoded", 0.5),
        ("resp2", tree, "serde_json::Value of the plain JSON", 1.0),
    ] {
        let typed = instructions(&format!("entries_{encoding}"), 4, &[])?;
        report(&format!("XRANGE of 10,000 entries in {encoding} to typed entries"), typed, against, tree, bound);
    }
    Ok(())
}

fn report(what: &str, ours: f64, against: &str, theirs: f64, bound: f64) {
    println!("{what}: {:.3} of {against} ({ours:.0} to {theirs:.0} instructions; the bound is {bound})", ours / theirs);
}

/// Instructions of one more time: those of twice as many times, less those of once as many.
fn instructions(scenario: &str, count: u64, rest: &[String]) -> Outcome<f64> {
    let once = callgrind(scenario, count, rest)?;
    let twice = callgrind(scenario, 2 * count, rest)?;
    #[expect(clippy::cast_precision_loss, reason = "a ratio of counts below 2^53")]
    Ok((twice - once) as f64 / count as f64)
}

fn callgrind(scenario: &str, count: u64, rest: &[String]) -> Outcome<u64> {
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
        .arg(std::env::current_exe()?)
        .args([scenario, &count.to_string()])
        .args(rest)
        .output()
        .map_err(|error| format!("valgrind cannot be run ({error}): install Debian's package valgrind"))?;
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    let collected = said.lines().find_map(|line| line.split("Collected :").nth(1)?.trim().parse().ok());
    collected.ok_or_else(|| format!("callgrind failed: {said}").into())
}

fn run(scenario: &str, count: u64, rest: &[String]) -> Outcome<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    match (scenario, rest) {
        ("get", [url, token]) => runtime.block_on(get(count, url, token, false)),
        ("get_by_hyper", [url, token]) => runtime.block_on(get(count, url, token, true)),
        ("bare", [url, token]) => runtime.block_on(bare(count, url, token)),
        ("derived", []) => {
            let body = reply();
            let command = User::load(Build, 42);
            for _ in 0..count {
                black_box(command.decode(black_box(&body).clone(), Encoding::Base64)?);
            }
            Ok(())
        }
        ("page", []) => runtime.block_on(page(count)),
        ("entries_json", []) => entries(count, Encoding::Json),
        ("entries_base64", []) => entries(count, Encoding::Base64),
        ("entries_resp2", []) => entries(count, Encoding::Resp2),
        ("tree_json", []) => trees(count, Encoding::Json),
        ("tree_base64", []) => trees(count, Encoding::Base64),
        ("by_hand", []) => {
            let body = reply();
            for _ in 0..count {
                black_box(by_hand::decode(&black_box(&body).clone()).ok_or("not decoded")?);
            }
            Ok(())
        }
        ("by_hand_with_serde", []) => {
            let body = reply();
            for _ in 0..count {
                black_box(by_hand::decode_with_serde(&black_box(&body).clone())?);
            }
            Ok(())
        }
        _ => Err("no such scenario".into()),
    }
}

async fn get(count: u64, url: &str, token: &str, by_hyper: bool) -> Outcome<()> {
    let builder = Redis::builder(url, token).telemetry(false).read_your_writes(false);
    let redis = if by_hyper { builder.hyper() } else { builder }.build()?;
    for _ in 0..count {
        black_box(redis.get::<String>("greeting").await?);
    }
    Ok(())
}

async fn bare(count: u64, url: &str, token: &str) -> Outcome<()> {
    let client = reqwest::Client::new();
    for _ in 0..count {
        let response = client
            .post(url)
            .bearer_auth(token)
            .header("content-type", "application/json")
            .header("upstash-encoding", "base64")
            .body(r#"["GET","greeting"]"#)
            .send()
            .await?;
        black_box(response.bytes().await?);
    }
    Ok(())
}

/// The records of a query's answer, as it loads them: by a pipeline of HGETALLs.
async fn page(count: u64) -> Outcome<()> {
    let record = String::from_utf8(reply())?;
    let body = format!("[{}]", vec![record; usize::try_from(PAGE)?].join(","));
    let redis = Redis::builder("http://localhost", "token").transport(Canned::new([Answer::ok(body)])).build()?;
    for _ in 0..count {
        let users = User::load_many(&redis, std::iter::repeat_n(42, usize::try_from(PAGE)?)).await?;
        assert!(users.iter().all(Option::is_some));
        black_box(users);
    }
    Ok(())
}

/// An entry's fields.
#[derive(Debug, PartialEq)]
struct Reading {
    sensor: u32,
    celsius: f64,
    place: String,
}

impl FromReply for Reading {
    fn from_reply(reply: Reply<'_>) -> Result<Self> {
        let mut reading = Reading { sensor: 0, celsius: 0.0, place: String::new() };
        for (name, value) in reply.pairs()? {
            match name.bytes()? {
                b"sensor" => reading.sensor = u32::from_reply(value)?,
                b"celsius" => reading.celsius = f64::from_reply(value)?,
                b"place" => reading.place = String::from_reply(value)?,
                _ => {}
            }
        }
        Ok(reading)
    }
}

fn entries(count: u64, encoding: Encoding) -> Outcome<()> {
    let body = range(encoding);
    let command = Build.xrange::<Reading>("readings", .., None);
    for _ in 0..count {
        let entries = command.decode(black_box(&body).clone(), encoding)?;
        assert_eq!(entries.len(), 10_000);
        assert!(entries[7].fields.as_ref().is_ok_and(|reading| reading.sensor == 7));
        black_box(entries);
    }
    Ok(())
}

fn trees(count: u64, encoding: Encoding) -> Outcome<()> {
    let body = range(encoding);
    for _ in 0..count {
        let mut tree: serde_json::Value = serde_json::from_slice(&black_box(&body).clone())?;
        if encoding == Encoding::Base64 {
            decode_strings(&mut tree)?;
        }
        black_box(tree);
    }
    Ok(())
}

fn decode_strings(tree: &mut serde_json::Value) -> Outcome<()> {
    match tree {
        serde_json::Value::String(text) => {
            let bytes = base64::Engine::decode(&base64::engine::general_purpose::STANDARD, &text)?;
            *text = String::from_utf8(bytes)?;
            Ok(())
        }
        serde_json::Value::Array(items) => items.iter_mut().try_for_each(decode_strings),
        serde_json::Value::Object(fields) => fields.values_mut().try_for_each(decode_strings),
        _ => Ok(()),
    }
}

/// A reply to XRANGE: 10,000 entries of three fields.
fn range(encoding: Encoding) -> Vec<u8> {
    let string = |text: &str| match encoding {
        Encoding::Resp2 => format!("${}\r\n{text}\r\n", text.len()),
        Encoding::Base64 => {
            format!("\"{}\"", base64::Engine::encode(&base64::engine::general_purpose::STANDARD, text))
        }
        _ => format!("\"{text}\""),
    };
    let array = |items: Vec<String>| match encoding {
        Encoding::Resp2 => format!("*{}\r\n{}", items.len(), items.concat()),
        _ => format!("[{}]", items.join(",")),
    };
    let entry = |n: u32| {
        let celsius = format!("{:.2}", 20.0 + f64::from(n % 100) / 7.0);
        let fields =
            ["sensor", &n.to_string(), "celsius", &celsius, "place", "the roof of the north wing"].map(&string);
        array(vec![string(&format!("{}-0", 1_700_000_000_000_u64 + u64::from(n))), array(fields.to_vec())])
    };
    let entries = array((0..10_000).map(entry).collect());
    if encoding == Encoding::Resp2 { entries.into_bytes() } else { format!("{{\"result\":{entries}}}").into_bytes() }
}

/// A reply to HGETALL, with base64 strings.
fn reply() -> Vec<u8> {
    let fields = [
        ("id", "42"),
        ("name", "Ada Lovelace"),
        ("email", "ada@example.org"),
        ("country", "uk"),
        ("age", "36"),
        ("visits", "1843"),
        ("score", "0.75"),
        ("active", "true"),
        ("bio", "Wrote the first program for a machine that was never built."),
        ("city", "London"),
    ];
    let encode =
        |text: &str| format!("\"{}\"", base64::Engine::encode(&base64::engine::general_purpose::STANDARD, text));
    let strings: Vec<String> = fields.iter().flat_map(|(name, value)| [encode(name), encode(value)]).collect();
    format!("{{\"result\":[{}]}}", strings.join(",")).into_bytes()
}

/// What somebody would write who has this one struct and no library like ours.
mod by_hand {
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;
    use serde_derive::Deserialize;

    use super::{Outcome, User};

    #[derive(Default)]
    struct Fields {
        id: Option<u64>,
        name: Option<String>,
        email: Option<String>,
        country: Option<String>,
        age: Option<u8>,
        visits: Option<i64>,
        score: Option<f64>,
        active: Option<bool>,
        bio: Option<String>,
        city: Option<String>,
    }

    impl Fields {
        fn set(&mut self, name: &[u8], value: &str) -> Option<()> {
            match name {
                b"id" => self.id = Some(value.parse().ok()?),
                b"name" => self.name = Some(value.to_owned()),
                b"email" => self.email = Some(value.to_owned()),
                b"country" => self.country = Some(value.to_owned()),
                b"age" => self.age = Some(value.parse().ok()?),
                b"visits" => self.visits = Some(value.parse().ok()?),
                b"score" => self.score = Some(value.parse().ok()?),
                b"active" => self.active = Some(value.parse().ok()?),
                b"bio" => self.bio = Some(value.to_owned()),
                b"city" => self.city = Some(value.to_owned()),
                _ => {}
            }
            Some(())
        }

        fn finish(self) -> Option<User> {
            Some(User {
                id: self.id?,
                name: self.name?,
                email: self.email?,
                country: self.country?,
                age: self.age?,
                visits: self.visits?,
                score: self.score?,
                active: self.active?,
                bio: self.bio,
                city: self.city?,
            })
        }
    }

    /// Straight from the bytes: no tree, no list, one buffer for all decoded strings.
    pub(super) fn decode(body: &[u8]) -> Option<User> {
        let mut rest = body.strip_prefix(b"{\"result\":[")?;
        let mut fields = Fields::default();
        let (mut name, mut value) = ([0; 256], [0; 4096]);
        loop {
            let (encoded, after) = string(rest)?;
            let name_len = STANDARD.decode_slice(encoded, &mut name).ok()?;
            let (encoded, after) = string(after.strip_prefix(b",")?)?;
            let value_len = STANDARD.decode_slice(encoded, &mut value).ok()?;
            fields.set(name.get(..name_len)?, std::str::from_utf8(value.get(..value_len)?).ok()?)?;
            match after.strip_prefix(b",") {
                Some(more) => rest = more,
                None => return (after == b"]}").then(|| fields.finish())?,
            }
        }
    }

    fn string(json: &[u8]) -> Option<(&[u8], &[u8])> {
        let inner = json.strip_prefix(b"\"")?;
        let end = inner.iter().position(|&byte| byte == b'"')?;
        Some((inner.get(..end)?, inner.get(end + 1..)?))
    }

    #[derive(Deserialize)]
    struct Reply<'a> {
        #[serde(borrow)]
        result: Vec<&'a str>,
    }

    pub(super) fn decode_with_serde(body: &[u8]) -> Outcome<User> {
        let reply: Reply<'_> = serde_json::from_slice(body)?;
        let mut fields = Fields::default();
        for pair in reply.result.chunks_exact(2) {
            let [name, value] = pair else { continue };
            let value = STANDARD.decode(value)?;
            fields.set(&STANDARD.decode(name)?, std::str::from_utf8(&value)?).ok_or("malformed")?;
        }
        fields.finish().ok_or_else(|| "missing".into())
    }
}
