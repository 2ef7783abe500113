//! What the gateway does with replies that are unusually deep or large.

use redis_model::redis_rest::{
    ConnectionCommands as _, Error, ErrorKind, ListCommands as _, Redis, StringCommands as _,
};
use redis_model_tests::{ENCODINGS, key, stack};
use redis_rest_gateway::Gateway;
use reqwest::{Client, RequestBuilder};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

fn post(path: &str) -> RequestBuilder {
    Client::new().post(format!("{}{path}", stack().gateway.url())).bearer_auth(stack().gateway.token())
}

async fn text(request: RequestBuilder) -> String {
    request.send().await.unwrap().text().await.unwrap()
}

#[tokio::test]
async fn replies_may_be_nested_as_deep_as_a_script_can() {
    let depth = 7_900;
    let script = json!(["EVAL", format!("local t = 1 for i = 1, {depth} do t = {{t}} end return t"), 0]);
    let array = format!("{}1{}", "[".repeat(depth), "]".repeat(depth));
    let result = format!(r#"{{"result":{array}}}"#);
    let list = format!("[{result}]");
    let one = || post("/").body(script.to_string());
    assert_eq!(text(one()).await, result);
    assert_eq!(text(one().header("upstash-encoding", "base64")).await, result);
    let resp2 = text(one().header("upstash-response-format", "resp2")).await;
    assert_eq!(resp2, format!("{}:1\r\n", "*1\r\n".repeat(depth)));
    assert_eq!(text(post("/pipeline").body(json!([script]).to_string())).await, list);
    assert_eq!(text(post("/multi-exec").body(json!([script]).to_string())).await, list);
}

#[tokio::test]
async fn a_large_pipeline_is_answered_in_order_and_in_each_format() {
    // More than one portion, and more than is sent in one piece.
    let commands: Vec<Value> =
        (0..300).map(|number| json!(["ECHO", format!("{number} {}", "x".repeat(10_000))])).collect();
    let pipeline = || post("/pipeline").body(json!(commands).to_string());
    let replies: Vec<Value> = commands.iter().map(|command| json!({"result": command[1]})).collect();
    assert_eq!(serde_json::from_str::<Value>(&text(pipeline()).await).unwrap(), json!(replies));
    let resp2 = text(pipeline().header("upstash-response-format", "resp2")).await;
    let expected: String = commands
        .iter()
        .map(|command| {
            let echoed = command[1].as_str().unwrap();
            format!("${}\r\n{echoed}\r\n", echoed.len())
        })
        .collect();
    assert_eq!(resp2, expected);
}

#[tokio::test]
async fn a_command_whose_reply_is_too_large_may_have_executed() {
    let gateway = Gateway::over(stack().server.url()).max_reply_bytes(10_000).start().await.unwrap();
    for encoding in ENCODINGS {
        let redis = Redis::builder(gateway.url(), gateway.token()).encoding(encoding).build().unwrap();
        let k = &key("large");
        let large = "x".repeat(5_000);
        let pushed = |error: Error| {
            assert!(error.kind() == ErrorKind::TooLarge && error.may_have_executed(), "{error:?}");
        };
        redis.rpush(k, [&large, &large, &large]).await.unwrap();
        // On its own, in a pipeline and in a transaction.
        pushed(redis.lpop_count::<String>(k, 3).await.unwrap_err());
        redis.rpush(k, [&large, &large, &large]).await.unwrap();
        let (popped, counted) = redis.pipeline().lpop_count::<String>(k, 3).incr("n").exec_each().await.unwrap();
        pushed(popped.unwrap_err());
        counted.unwrap();
        redis.rpush(k, [&large, &large, &large]).await.unwrap();
        pushed(redis.transaction().lpop_count::<String>(k, 3).incr("n").exec().await.unwrap_err());
        assert_eq!(redis.llen(k).await.unwrap(), 0);
        // A read changes nothing.
        redis.set(k, large.repeat(3)).await.unwrap();
        let error = redis.get::<String>(k).await.unwrap_err();
        assert!(error.kind() == ErrorKind::TooLarge && !error.may_have_executed(), "{error:?}");
    }
}

#[tokio::test]
async fn parts_of_a_pipeline_share_the_limit_of_the_request() {
    let gateway = Gateway::over(stack().server.url()).max_reply_bytes(10_000).start().await.unwrap();
    let echo = json!(["ECHO", "x".repeat(6_000)]);
    // The gateway runs the second command itself, between two parts.
    let body = json!([echo, ["ACL", "GENTOKEN", "nobody"], echo, ["ECHO", "x"]]);
    let request = Client::new().post(format!("{}/pipeline", gateway.url())).bearer_auth(gateway.token());
    let replies: Value = serde_json::from_str(&text(request.body(body.to_string())).await).unwrap();
    assert!(replies[0]["result"].is_string() && replies[1]["result"].is_string() && replies[3]["result"] == "x");
    let error = replies[2]["error"].as_str().unwrap();
    assert!(error.contains("Limit: 10000 bytes, Actual: 12000 bytes"), "{error}");
}

#[tokio::test]
async fn unread_replies_of_the_read_only_token_are_limited_together() {
    let size = 1 << 20;
    let gateway = Gateway::over(stack().server.url()).max_reply_bytes(20 * size).start().await.unwrap();
    let redis = Redis::builder(gateway.url(), gateway.token()).build().unwrap();
    let k = &key("unread");
    redis.set(k, "x".repeat(size)).await.unwrap();
    // More than the buffers of two sockets.
    let body = json!(vec![["GET", k]; 20]).to_string();
    let mut unread = Vec::new();
    for _ in 0..2 {
        let mut stream = TcpStream::connect(gateway.url().trim_start_matches("http://")).await.unwrap();
        let (token, length) = (gateway.read_only_token(), body.len());
        let head = format!("authorization: Bearer {token}\r\ncontent-length: {length}\r\n");
        stream.write_all(format!("POST /pipeline HTTP/1.1\r\nhost: x\r\n{head}\r\n{body}").as_bytes()).await.unwrap();
        assert_eq!(stream.read_u8().await.unwrap(), b'H');
        unread.push(stream);
    }
    let reader = Redis::builder(gateway.url(), gateway.read_only_token()).build().unwrap();
    let error = reader.get::<String>(k).await.unwrap_err();
    assert!(error.kind() == ErrorKind::TooLarge, "{error:?}");
    // Small replies have no size, and the token for all commands has no part in it.
    assert_eq!(reader.ping().await.unwrap(), "PONG");
    let all = Client::new().post(format!("{}/pipeline", gateway.url())).bearer_auth(gateway.token()).body(body);
    assert!(text(all).await.len() > 20 * size);
    unread.pop();
    let start = std::time::Instant::now();
    while let Err(error) = reader.get::<String>(k).await {
        assert!(start.elapsed().as_secs() < 10, "{error:?}");
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn bodies_of_the_read_only_token_are_limited_together() {
    let gateway = Gateway::over(stack().server.url()).max_request_bytes(1000).start().await.unwrap();
    let (full, reader) = (gateway.token(), gateway.read_only_token());
    let mut open = Vec::new();
    for _ in 0..2 {
        let mut stream = TcpStream::connect(gateway.url().trim_start_matches("http://")).await.unwrap();
        let head =
            format!("POST / HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {reader}\r\ncontent-length: 1000\r\n\r\n");
        // All but the last byte.
        stream.write_all(format!("{head}{}", " ".repeat(999)).as_bytes()).await.unwrap();
        open.push(stream);
    }
    let ping = async |token: &str| {
        let request = Client::new().post(gateway.url()).bearer_auth(token).body(r#"["PING"]"#);
        request.send().await.unwrap().status().as_u16()
    };
    let becomes = async |expected: u16| {
        let start = std::time::Instant::now();
        while ping(reader).await != expected {
            assert!(start.elapsed().as_secs() < 10, "no {expected}");
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
    };
    becomes(429).await;
    assert_eq!(ping(full).await, 200);
    open.pop();
    becomes(200).await;
}
