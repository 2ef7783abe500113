//! The gateway, asked by a plain HTTP client.

use std::sync::OnceLock;
use std::time::Duration;

use redis_model::redis_rest::{Error, Executor as _, Result, StringCommands as _, Value as Reply};
use redis_model_tests::{ENCODINGS, key, stack};
use redis_rest_gateway::Gateway;
use reqwest::{Client, Method, RequestBuilder, StatusCode};
use serde_json::{Value, json};

fn request(method: Method, path: &str) -> RequestBuilder {
    request_to(&stack().gateway, method, path)
}

pub(super) fn request_to(gateway: &Gateway, method: Method, path: &str) -> RequestBuilder {
    static CLIENT: OnceLock<Client> = OnceLock::new();
    let client = CLIENT.get_or_init(|| {
        // A connection lives on the runtime of its test, so another test cannot use it.
        Client::builder().pool_max_idle_per_host(0).build().unwrap()
    });
    client.request(method, format!("{}{path}", gateway.url()))
}

fn post(path: &str) -> RequestBuilder {
    request(Method::POST, path).bearer_auth(stack().gateway.token())
}

pub(super) async fn answer(request: RequestBuilder) -> (u16, Value) {
    let response = request.send().await.unwrap();
    let status = response.status().as_u16();
    let text = response.text().await.unwrap();
    (status, serde_json::from_str(&text).unwrap_or(Value::String(text)))
}

#[tokio::test]
async fn every_form_of_a_command() {
    let k = &key("form");
    assert_eq!(answer(post("/").body(format!(r#"["SET","{k}",1]"#))).await, (200, json!({"result": "OK"})));
    assert_eq!(answer(post(&format!("/get/{k}"))).await, (200, json!({"result": "1"})));
    assert_eq!(answer(post(&format!("/set/{k}?EX=100&XX")).body("v")).await, (200, json!({"result": "OK"})));
    assert_eq!(
        answer(request(Method::PUT, &format!("/append/{k}/w")).bearer_auth(stack().gateway.token())).await.1,
        json!({"result": 2})
    );
    let (_, ttl) = answer(post(&format!("/ttl/{k}"))).await;
    assert!(ttl["result"].as_i64().is_some_and(|ttl| ttl > 90));
    assert_eq!(
        answer(post("/pipeline").body(format!(r#"[["INCR","{k}"],["PING"]]"#))).await.1[1],
        json!({"result": "PONG"})
    );
    let body = format!(r#"[["SET","{k}",5],["INCR","{k}"],["LPOP","{k}"]]"#);
    let (status, slots) = answer(post("/multi-exec").body(body)).await;
    assert_eq!(
        (status, &slots[1], slots[2]["error"].as_str().map(|text| &text[..9])),
        (200, &json!({"result": 6}), Some("WRONGTYPE"))
    );
}

#[tokio::test]
async fn tokens() {
    let k = &key("token");
    let path = format!("/get/{k}");
    let gateway = &stack().gateway;
    let denied = json!({
        "error": "WRONGPASS invalid or missing auth token. \
                  See https://docs.upstash.com/redis/troubleshooting/http_unauthorized for details."
    });
    assert_eq!(answer(request(Method::GET, &path)).await, (401, denied.clone()));
    assert_eq!(answer(request(Method::GET, &path).bearer_auth("wrong")).await, (401, denied));
    assert_eq!(answer(request(Method::GET, &format!("{path}?_token={}", gateway.token()))).await.0, 200);
    let reader = || request(Method::POST, "/").bearer_auth(gateway.read_only_token());
    assert_eq!(answer(reader().body(format!(r#"["GET","{k}"]"#))).await.0, 200);
    assert_eq!(answer(reader().body(r#"["PING"]"#)).await.0, 200);
    for command in [r#"["SET","a",1]"#, r#"["EVAL","return 1",0]"#, r#"["KEYS","*"]"#, r#"["FLUSHALL"]"#] {
        let (status, body) = answer(reader().body(command)).await;
        assert!(
            status == 400
                && body["error"].as_str().unwrap().starts_with("NOPERM this user has no permissions to run the '")
        );
    }
    let pipeline = request(Method::POST, "/pipeline").bearer_auth(gateway.read_only_token());
    let (status, slots) = answer(pipeline.body(r#"[["PING"],["SET","a",1]]"#)).await;
    assert!(status == 200 && slots[0]["result"] == "PONG" && slots[1]["error"].is_string());
}

#[tokio::test]
async fn what_the_service_refuses() {
    for (body, text) in [
        (r#"["BLPOP","k",0]"#, "ERR Command is not available: 'BLPOP'"),
        (r#"["NOSUCH"]"#, "ERR Command is not available: 'NOSUCH'"),
        (r#"["WATCH","k"]"#, "ERR Command \"WATCH\" is not allowed in REST"),
        (r#"["SUBSCRIBE","c"]"#, "ERR Command \"SUBSCRIBE\" is not allowed in REST"),
        (r#"["XREAD","BLOCK","0","STREAMS","s","$"]"#, "ERR XREAD with BLOCK"),
        (r#"["SELECT","1"]"#, "ERR DB index is out of range"),
        (r#"["GET",null]"#, "ERR null args are not supported"),
        ("[]", "ERR empty command"),
        ("{", "ERR failed to parse"),
    ] {
        let (status, reply) = answer(post("/").body(body)).await;
        assert!(status == 400 && reply["error"].as_str().unwrap().starts_with(text), "{body}: {reply}");
    }
    assert_eq!(answer(request(Method::DELETE, "/").bearer_auth("x")).await.0, 405);
    assert_eq!(answer(post("/pipeline").body("[]")).await, (400, json!({"error": "ERR empty pipeline request"})));
    let (status, reply) = answer(post("/").body("x".repeat(11 << 20))).await;
    assert!(status == 400 && reply["error"].as_str().unwrap().contains("max request size exceeded"));
}

#[tokio::test]
async fn formats() {
    let k = &key("format");
    answer(post(&format!("/set/{k}")).body(vec![0xff, 0])).await;
    let get = || post(&format!("/get/{k}"));
    assert_eq!(answer(get()).await.1, json!({"result": "\u{fffd}\u{0}"}));
    assert_eq!(answer(get().header("Upstash-Encoding", "base64")).await.1, json!({"result": "/wA="}));
    let response = get().header("Upstash-Response-Format", "resp2").send().await.unwrap();
    assert_eq!(response.headers()["content-type"], "application/octet-stream");
    assert!(response.headers().contains_key("upstash-sync-token"));
    assert_eq!(response.bytes().await.unwrap(), &b"$2\r\n\xff\0\r\n"[..]);
    let both = get().header("Upstash-Response-Format", "resp2").header("Upstash-Encoding", "base64");
    assert_eq!(both.send().await.unwrap().status(), StatusCode::BAD_REQUEST);
}

/// Reads events until `count` are there.
pub(super) async fn events(request: RequestBuilder, count: usize) -> Vec<String> {
    let mut response = request.send().await.unwrap();
    assert_eq!(response.headers()["content-type"], "text/event-stream");
    let mut text = String::new();
    while text.matches("\n\n").count() < count {
        let chunk = tokio::time::timeout(Duration::from_secs(10), response.chunk()).await.unwrap().unwrap().unwrap();
        text.push_str(std::str::from_utf8(&chunk).unwrap());
    }
    text.split("\n\n").take(count).map(str::to_owned).collect()
}

/// Publishes until somebody has heard it.
async fn publish(channel: &str, payload: &'static str) {
    for _ in 0..200 {
        let (_, reply) = answer(post(&format!("/publish/{channel}")).body(payload)).await;
        if reply["result"] != json!(0) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("nobody has subscribed");
}

#[tokio::test]
async fn subscriptions_are_server_sent_events() {
    let channel = key("channel");
    let subscription = tokio::spawn(events(post(&format!("/subscribe/{channel}")), 2));
    publish(&channel, "a,b\nc").await;
    let expected = [format!("data: subscribe,{channel},1"), format!("data: message,{channel},a,b\ndata: c")];
    assert_eq!(subscription.await.unwrap(), expected);

    let pattern = format!("{channel}*");
    let subscription = tokio::spawn(events(post(&format!("/psubscribe/{pattern}")), 2));
    publish(&channel, "x").await;
    let expected = [format!("data: psubscribe,{pattern},1"), format!("data: pmessage,{pattern},{channel},x")];
    assert_eq!(subscription.await.unwrap(), expected);
    assert_eq!(answer(post("/subscribe")).await.0, 400);
}

#[tokio::test]
async fn monitor_shows_commands() {
    let k = key("monitored");
    let own = k.clone();
    let asking = tokio::spawn(async move {
        for _ in 0..300 {
            answer(post(&format!("/get/{own}"))).await;
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    });
    let mut response = post("/monitor").send().await.unwrap();
    let mut text = String::new();
    // Other tests run commands meanwhile.
    while !text.contains(&format!("\"get\" \"{k}\"")) {
        let chunk = tokio::time::timeout(Duration::from_secs(10), response.chunk()).await.unwrap().unwrap().unwrap();
        text.push_str(&String::from_utf8_lossy(&chunk));
    }
    asking.abort();
    assert!(text.starts_with("data: \"OK\"\n\n"), "{text}");
}

/// What a script replies may be no text, and deeper than any command's reply. It is nobody else's business.
#[tokio::test]
async fn odd_replies_reach_their_own_client_alone() -> Result<()> {
    for encoding in ENCODINGS {
        let redis = &stack().builder().encoding(encoding).build()?;
        let k = &key("odd");
        let odd = async {
            for _ in 0..50 {
                let raw = "return redis.error_reply('ODD ' .. string.char(255))";
                let error = redis.execute::<Reply>(["EVAL", raw, "0"]).await.unwrap_err();
                assert_eq!(error.code(), Some("ODD"));
                let deep = "local t = {} for _ = 1, 110 do t = {t} end return t";
                redis.execute::<Reply>(["EVAL", deep, "0"]).await?;
            }
            Ok::<_, Error>(())
        };
        let counting = async {
            for count in 1..=200 {
                assert_eq!(redis.incr(k).await?, count);
            }
            Ok(())
        };
        let (odd, counting) = tokio::join!(odd, counting);
        odd?;
        counting?;
    }
    Ok(())
}
