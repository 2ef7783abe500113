//! The gateway and the client against the official SDKs: the same commands by all of them, and the same values.
//!
//! `SDKS=required cargo test -p redis-model-tests --test sdk` fails where the SDKs cannot be had; without that they are
//! compared where python3, node and npm are.

#![expect(
    clippy::expect_used,
    clippy::panic,
    clippy::print_stderr,
    reason = "a test fails by panicking, and says why it is skipped"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::Request;
use redis_model::redis_rest::{
    AutoPipelining, Batch, Command, Encoding, Error, Executor as _, Redis, Result, Value as Reply,
};
use redis_model_tests::own_stack;
use redis_model_tests::sdk::{Sdk, installed};
use serde_json::{Value, json};
use tokio::net::TcpListener;

const SESSION: &str = include_str!("../sdk/session.json");
const COMMANDS: &str = include_str!("../commands.tsv");

/// The SDKs, or nothing where they need not be there.
fn sdks() -> Option<[Sdk; 2]> {
    match installed() {
        Ok(sdks) => Some(sdks),
        Err(error) if std::env::var_os("SDKS").is_some_and(|value| value == "required") => panic!("{error}"),
        Err(error) => {
            eprintln!("NOT compared with the official SDKs: {error}");
            None
        }
    }
}

fn session() -> Vec<Vec<Value>> {
    serde_json::from_str(SESSION).expect("a session")
}

fn command(args: &[Value]) -> Command {
    args.iter().map(|arg| arg.as_str().map_or_else(|| arg.to_string(), str::to_owned)).collect()
}

/// A reply as the SDKs' programs print it. Bytes that are not UTF-8 are told by a mark that no text of the session has.
fn shown(outcome: Result<Reply>) -> Value {
    match outcome {
        Ok(reply) => json!({ "result": value(&reply) }),
        Err(error) => json!({ "error": error.message() }),
    }
}

const NOT_TEXT: &str = "\u{1}not text\u{1}";

fn value(reply: &Reply) -> Value {
    match reply {
        Reply::Nil => Value::Null,
        Reply::Int(int) => json!(int),
        Reply::Bytes(bytes) => match std::str::from_utf8(bytes) {
            Ok(text) => json!(text),
            Err(_) => json!(format!("{NOT_TEXT}{}", String::from_utf8_lossy(bytes))),
        },
        Reply::Error(text) => json!(text),
        Reply::Array(items) => items.iter().map(value).collect(),
        _ => panic!("a kind of reply that the SDKs do not know"),
    }
}

fn is_text(value: &Value) -> bool {
    !value.to_string().contains(NOT_TEXT.trim_matches('\u{1}'))
}

/// What our client gets for each command of the session, sent in each of its ways.
async fn ours(redis: &Redis, way: &str) -> Vec<Value> {
    let mut outcomes = Vec::new();
    let session = session();
    if way == "one by one" {
        for args in &session {
            outcomes.push(shown(redis.execute::<Reply>(command(args)).await));
        }
        return outcomes;
    }
    for chunk in session.chunks(25) {
        let mut batch: Batch<&Redis> = redis.batch();
        let slots: Vec<_> = chunk.iter().map(|args| batch.execute::<Reply>(command(args))).collect();
        let replies = batch.exec().await.expect("replies");
        outcomes.extend(slots.into_iter().map(|slot| shown(replies.take(slot))));
    }
    outcomes
}

/// The value that an SDK has where ours is `ours`, for what it is known to damage.
fn as_in_typescript(ours: &Value) -> Value {
    match ours {
        // It makes doubles of all numbers, drops a byte order mark, and decodes bytes as text.
        Value::Number(int) => json!(int.as_f64()),
        Value::String(text) => {
            let text = text.strip_prefix(NOT_TEXT).unwrap_or(text);
            json!(text.strip_prefix('\u{feff}').unwrap_or(text))
        }
        Value::Array(items) => items.iter().map(as_in_typescript).collect(),
        Value::Object(fields) => fields.iter().map(|(name, value)| (name.clone(), as_in_typescript(value))).collect(),
        other => other.clone(),
    }
}

/// An error's text without what repeats the caller's arguments, which our client leaves out, and in one line, as RESP2
/// has it.
fn without_arguments(outcome: Value) -> Value {
    match outcome.get("error").and_then(Value::as_str) {
        Some(text) => {
            let text = text.split(", with args beginning with:").next().unwrap_or(text);
            json!({ "error": text.replace(['\r', '\n'], " ").trim_end() })
        }
        None => outcome,
    }
}

fn printed(text: &str) -> Vec<Value> {
    text.lines().map(|line| without_arguments(serde_json::from_str(line).expect("a line of JSON"))).collect()
}

#[tokio::test]
async fn a_session_gives_the_same_values_by_every_client() -> std::result::Result<(), Error> {
    let stack = own_stack();
    let base = ours(&stack.redis(), "one by one").await.into_iter().map(without_arguments).collect::<Vec<_>>();
    assert!(base.len() > 650 && base.iter().filter(|outcome| outcome.get("error").is_some()).count() > 20);

    for encoding in [Encoding::Base64, Encoding::Json, Encoding::Resp2] {
        for way in ["one by one", "in pipelines", "auto-pipelined"] {
            let builder = stack.builder().encoding(encoding);
            let builder =
                if way == "auto-pipelined" { builder.auto_pipelining(AutoPipelining::new()) } else { builder };
            let way = if way == "auto-pipelined" { "one by one" } else { way };
            let outcomes = ours(&builder.build()?, way).await.into_iter().map(without_arguments);
            for ((outcome, expected), args) in outcomes.zip(&base).zip(session()) {
                // Plain JSON cannot carry bytes.
                let expected = if encoding == Encoding::Json { lossy(expected) } else { expected.clone() };
                assert_eq!(outcome, expected, "{encoding:?} {way} {args:?}");
            }
        }
    }

    let Some(sdks) = sdks() else { return Ok(()) };
    let session_file = concat!(env!("CARGO_MANIFEST_DIR"), "/sdk/session.json");
    for sdk in &sdks {
        let (url, token) = (stack.gateway.url(), stack.gateway.token().to_owned());
        let lines = printed(&sdk.run("session", &url, &token, &[session_file]).expect("the SDK's program runs"));
        // TypeScript's program goes through the session twice, the second time in pipelines.
        assert!(lines.len() == base.len() || lines.len() == 2 * base.len(), "{} lines", lines.len());
        for (line, (expected, args)) in lines.iter().zip(base.iter().zip(session()).cycle()) {
            match sdk.name {
                "Python" if !is_text(expected) => assert!(line.get("lost").is_some(), "{args:?}: {line}"),
                "Python" => assert_eq!(line, expected, "Python {args:?}"),
                _ => assert_eq!(as_in_typescript(line), as_in_typescript(expected), "TypeScript {args:?}"),
            }
        }
    }
    Ok(())
}

fn lossy(value: &Value) -> Value {
    match value {
        Value::String(text) => json!(text.strip_prefix(NOT_TEXT).unwrap_or(text)),
        Value::Array(items) => items.iter().map(lossy).collect(),
        Value::Object(fields) => fields.iter().map(|(name, value)| (name.clone(), lossy(value))).collect(),
        other => other.clone(),
    }
}

/// The requests that an SDK's program sends, by the first segment of their paths.
async fn sent_by(sdk: &Sdk, program: &str) -> BTreeMap<String, Value> {
    let requests: Arc<Mutex<BTreeMap<String, Value>>> = Arc::default();
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    let recorder = Arc::clone(&requests);
    let record = move |request: Request| {
        let recorder = Arc::clone(&recorder);
        async move {
            let call = request.uri().path().trim_matches('/').to_owned();
            let body = axum::body::to_bytes(request.into_body(), 1 << 20).await.expect("a body");
            let body = serde_json::from_slice(&body).expect("a body of JSON");
            recorder.lock().expect("the recordings").insert(call, body);
            r#"{"result":null}"#
        }
    };
    let serving = tokio::spawn(async move { axum::serve(listener, Router::new().fallback(record)).await });
    tokio::task::block_in_place(|| sdk.run(program, &url, "token", &[]).expect("the SDK's program runs"));
    serving.abort();
    let requests = requests.lock().expect("the recordings");
    requests.clone()
}

/// The recordings that the golden tests compare with are what the SDKs send. The Python SDK has neither arrays nor vector
/// indexes.
#[tokio::test(flavor = "multi_thread")]
async fn the_recorded_requests_are_what_the_sdks_send() {
    let Some([python, typescript]) = sdks() else { return };
    for (sdk, program, recorded) in [
        (&python, "search", include_str!("../sdk/search-python.json")),
        (&typescript, "search", include_str!("../sdk/search-typescript.json")),
        (&typescript, "array-vector", include_str!("../sdk/array-vector-typescript.json")),
    ] {
        let expected: BTreeMap<String, Value> = serde_json::from_str(recorded).expect("a recording");
        assert_eq!(sent_by(sdk, program).await, expected, "{program} of {}", sdk.name);
    }
}

/// What the SDKs send although the service's documentation does not list it.
const NOT_LISTED: [&str; 1] = ["SUBSTR"]; // An old name of GETRANGE.

/// A command that a new version of an SDK has must be listed, and then the test `coverage` asks for its method.
#[test]
fn every_command_of_the_sdks_is_listed() {
    let Some(sdks) = sdks() else { return };
    let rows: Vec<[&str; 2]> = COMMANDS
        .lines()
        .skip(1)
        .filter_map(|row| row.split('\t').collect::<Vec<_>>().get(..2)?.try_into().ok())
        .collect();
    let listed: BTreeSet<&str> = rows.iter().map(|[_, command]| *command).collect();
    for sdk in &sdks {
        let printed = sdk.run("commands", "", "", &[]).expect("the SDK's program runs").to_ascii_uppercase();
        let sent: BTreeSet<&str> = printed.lines().collect();
        assert!(sent.len() > 200, "{}: only {} commands were found", sdk.name, sent.len());

        // `SCRIPT EXISTS` is a command, `XREADGROUP GROUP` is not, and of `XINFO` the subcommand is not known.
        let is_listed = |words: &str| {
            let name = words.split(' ').next().unwrap_or(words);
            let container = format!("{words} ");
            listed.contains(words)
                || listed.contains(name)
                || listed.iter().any(|command| command.starts_with(&container))
        };
        let missing: Vec<_> = sent.iter().filter(|words| !is_listed(words) && !NOT_LISTED.contains(words)).collect();
        assert!(missing.is_empty(), "{} sends what tests/commands.tsv does not list: {missing:?}", sdk.name);

        // Families that are known from this SDK: their rows are all of its commands, and no others.
        if sdk.name == "TypeScript" {
            for (family, prefix, count) in [("array", "AR", 18), ("vector", "VECTOR.", 8)] {
                let theirs: BTreeSet<&str> =
                    sent.iter().copied().filter(|command| command.starts_with(prefix)).collect();
                let ours: BTreeSet<&str> =
                    rows.iter().filter(|[found, _]| *found == family).map(|[_, command]| *command).collect();
                assert_eq!((&ours, ours.len()), (&theirs, count), "the family {family}");
            }
        }
    }
}
