//! Details of the API that clients depend on: tokens, texts, event streams and scripts.

use std::time::{Duration, Instant};

use redis_model::redis_rest::{ErrorKind, Redis, StringCommands as _};
use redis_model_tests::{Stack, key, stack, valkey};
use redis_rest_gateway::Gateway;
use reqwest::Method;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::gateway::{answer, events, request_to};

async fn send(gateway: &Gateway, path: &str, body: Value) -> Value {
    answer(request_to(gateway, Method::POST, path).bearer_auth(gateway.token()).body(body.to_string())).await.1
}

#[tokio::test]
async fn the_scheme_of_a_token_has_any_case() {
    let gateway = &stack().gateway;
    for scheme in ["Bearer", "bearer", "BEARER"] {
        let request = request_to(gateway, Method::GET, "/ping");
        let request = request.header("Authorization", format!("{scheme} {}", gateway.token()));
        assert_eq!(answer(request).await, (200, json!({"result": "PONG"})), "{scheme}");
    }
    let query = format!("/ping?_token={}", gateway.token());
    assert_eq!(answer(request_to(gateway, Method::GET, &query).bearer_auth("wrong")).await.0, 401);
    assert_eq!(answer(request_to(gateway, Method::GET, &query)).await.0, 200);
    // A header counts, whatever it holds.
    for header in [&b"Basic YTpi"[..], b"Bearer", b"Bearer ", b"", b"Bearer \xff"] {
        let request = request_to(gateway, Method::GET, &query);
        let header = reqwest::header::HeaderValue::from_bytes(header).unwrap();
        assert_eq!(answer(request.header("Authorization", header)).await.0, 401);
    }
}

/// Node fails with EPIPE if the connection closes while it is sending.
#[tokio::test]
async fn a_wrong_token_is_answered_after_the_body() {
    const BODY: usize = 5 << 20;
    let gateway = &stack().gateway;
    let address = gateway.url().strip_prefix("http://").unwrap().to_owned();
    let mut connection = TcpStream::connect(&address).await.unwrap();
    for (method, path, token, status) in [
        ("POST", "/", "wrong", "401"),
        ("POST", "/subscribe/c", "wrong", "401"),
        ("DELETE", "/", gateway.token(), "405"),
        ("GET", "/ping", gateway.token(), "200"),
    ] {
        let length = if status == "200" { 0 } else { BODY };
        let head = format!(
            "{method} {path} HTTP/1.1\r\nHost: {address}\r\nAuthorization: Bearer {token}\r\nContent-Length: {length}\r\n\r\n"
        );
        connection.write_all(head.as_bytes()).await.unwrap();
        connection.write_all(&vec![b'x'; length]).await.unwrap();
        // The connection goes on after each response.
        let mut response = vec![0; 4096];
        let read = connection.read(&mut response).await.unwrap();
        let response = String::from_utf8_lossy(&response[..read]).into_owned();
        assert!(response.starts_with(&format!("HTTP/1.1 {status} ")), "{response}");
    }

    let redis = Redis::new(gateway.url(), "wrong").unwrap();
    let error = redis.set("k", vec![b'x'; BODY]).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unauthorized, "{error}");
}

/// curl sends a large body only when the server asks for it.
#[tokio::test]
async fn a_wrong_token_is_answered_before_a_body_that_waits() {
    let address = stack().gateway.url().strip_prefix("http://").unwrap().to_owned();
    let mut connection = TcpStream::connect(&address).await.unwrap();
    let head = format!("POST / HTTP/1.1\r\nHost: {address}\r\nExpect: 100-continue\r\nContent-Length: 9\r\n\r\n");
    connection.write_all(head.as_bytes()).await.unwrap();
    let mut response = vec![0; 4096];
    let read = tokio::time::timeout(Duration::from_secs(10), connection.read(&mut response)).await.unwrap().unwrap();
    assert!(response[..read].starts_with(b"HTTP/1.1 401 "));
}

#[tokio::test]
async fn half_an_emoji_becomes_a_replacement_character() {
    let gateway = &stack().gateway;
    let k = key("half");
    let call = async |path: &str, body: String| {
        answer(request_to(gateway, Method::POST, path).bearer_auth(gateway.token()).body(body)).await
    };
    let set = format!(r#"["SET","{k}","cut \ud83d","GET"]"#);
    let stored = json!({"result": "cut \u{fffd}"});
    assert_eq!(call("/", set.clone()).await.0, 200);
    assert_eq!(call("/", set.clone()).await, (200, stored.clone()));
    for path in ["/pipeline", "/multi-exec"] {
        assert_eq!(call(path, format!("[{set}]")).await, (200, json!([stored])), "{path}");
    }
}

#[tokio::test]
async fn an_event_stream_has_a_heartbeat_and_is_not_cached() {
    let silence = Duration::from_millis(50);
    let gateway = &Gateway::over(stack().server.url()).heartbeat(silence).start().await.unwrap();
    let channel = key("heartbeat");
    let subscribe = || request_to(gateway, Method::POST, &format!("/subscribe/{channel}")).bearer_auth(gateway.token());
    let response = subscribe().send().await.unwrap();
    assert_eq!(response.headers()["cache-control"], "no-cache");

    let started = Instant::now();
    let first = events(subscribe(), 3).await;
    assert_eq!(first, [&format!("data: subscribe,{channel},1"), ": heartbeat", ": heartbeat"]);
    assert!(started.elapsed() >= 2 * silence);

    // A comment is no event, and messages arrive between comments.
    let reading = tokio::spawn(events(subscribe(), 12));
    while !reading.is_finished() {
        send(gateway, "/", json!(["PUBLISH", channel, "m"])).await;
        tokio::time::sleep(silence * 2).await;
    }
    let read = reading.await.unwrap();
    let message = format!("data: message,{channel},m");
    assert!(read.contains(&message) && read.contains(&": heartbeat".to_owned()), "{read:?}");
    assert!(read[1..].iter().all(|event| *event == message || event == ": heartbeat"), "{read:?}");
}

async fn key_locking(stack: &Stack) {
    let gateway = &stack.gateway;
    let k = key("locking");
    let call = async |args: Value| send(gateway, "/", args).await["result"].clone();
    let sha = |text: &str| redis_model::redis_rest::Script::new(text).sha1().to_owned();

    // SCRIPT LOAD, EVALSHA and SCRIPT EXISTS.
    let text = "#!lua flags=allow-key-locking\nreturn redis.call('INCR', KEYS[1])";
    let loaded = call(json!(["SCRIPT", "LOAD", text])).await;
    assert_eq!(loaded, json!(sha(text)));
    assert_eq!(call(json!(["EVALSHA", loaded, 1, k])).await, 1);
    assert_eq!(call(json!(["evalsha", sha(text).to_uppercase(), 1, k])).await, 2);
    assert_eq!(call(json!(["EVAL", text, 1, k])).await, 3);
    assert_eq!(call(json!(["SCRIPT", "EXISTS", "0", loaded])).await, json!([0, 1]));

    // EVAL alone makes a script known.
    let reading = format!("#!lua flags=no-writes,allow-key-locking\nreturn redis.call('GET', '{k}')");
    assert_eq!(
        send(gateway, "/", json!(["EVALSHA_RO", sha(&reading), 0])).await["error"].as_str().unwrap()[..8],
        *"NOSCRIPT"
    );
    assert_eq!(call(json!(["EVAL_RO", reading, 0])).await, "3");
    assert_eq!(call(json!(["EVALSHA_RO", sha(&reading), 0])).await, "3");
    // The other flag is in force.
    let writing = "#!lua flags=allow-key-locking,no-writes\nreturn redis.call('DEL', KEYS[1])";
    let error = send(gateway, "/", json!(["EVAL", writing, 1, k])).await;
    assert!(error["error"].as_str().unwrap().contains("Write commands are not allowed"), "{error}");
    // An error names the script by the SHA-1 that the client knows.
    let [failing, plain] = ["#!lua flags=allow-key-locking", "#!lua"].map(|line| format!("{line}\nredis.call('INCR')"));
    let error = send(gateway, "/", json!(["EVAL", failing, 0])).await;
    let expected = send(gateway, "/", json!(["EVAL", plain, 0])).await;
    assert_eq!(error["error"], expected["error"].as_str().unwrap().replace(&sha(&plain), &sha(&failing)));

    for path in ["/pipeline", "/multi-exec"] {
        let commands = json!([["SCRIPT", "LOAD", text], ["EVALSHA", loaded, 1, k], ["SCRIPT", "EXISTS", loaded]]);
        let replies = send(gateway, path, commands).await;
        assert!(replies[0]["result"] == loaded && replies[2]["result"] == json!([1]), "{path} {replies}");
        assert!(replies[1]["result"].is_i64(), "{path} {replies}");
    }
    assert_eq!(call(json!(["EVAL", "return redis.call('GET', KEYS[1])", 1, k])).await, "5");
}

#[tokio::test]
async fn scripts_may_have_the_flag_of_the_service() {
    key_locking(stack()).await;
    key_locking(valkey()).await;
}
