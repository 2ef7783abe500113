//! Replies that no honest server gives: typed errors, no panic, bounded memory.

use std::time::Duration;

use http::StatusCode;
use redis_model::redis_rest::{
    Encoding, Error, ErrorKind, GenericCommands as _, Redis, Result, RetryPolicy, StringCommands as _, Value,
};
use redis_model_tests::ENCODINGS;
use redis_model_tests::fault::{Answer, Canned};

fn client(encoding: Encoding, canned: &Canned) -> Redis {
    let fast = RetryPolicy::default().backoff(Duration::from_millis(1), Duration::from_millis(1));
    let builder = Redis::builder("http://localhost:1", "token").encoding(encoding).retry(fast);
    builder.transport(canned.clone()).max_response_bytes(1 << 20).build().unwrap()
}

async fn get(encoding: Encoding, answer: Answer) -> Result<Option<String>> {
    client(encoding, &Canned::new([answer])).get("k").await
}

async fn refused(encoding: Encoding, body: impl Into<bytes::Bytes>) -> Error {
    get(encoding, Answer::ok(body)).await.unwrap_err()
}

#[tokio::test]
async fn replies_cut_anywhere_are_protocol_errors() {
    let replies = [
        (Encoding::Json, r#"{"result":["a\u00e9\ud83e\udd80",null,-12,{"x":1}]}"#.replace(r#",{"x":1}"#, "")),
        (Encoding::Base64, r#"{"result":["T0s=",null,[7]]}"#.to_owned()),
        (Encoding::Resp2, "*3\r\n$2\r\nab\r\n:7\r\n*1\r\n$-1\r\n".to_owned()),
    ];
    for (encoding, whole) in replies {
        let canned = Canned::new([Answer::ok(whole.clone())]);
        assert!(client(encoding, &canned).keys::<Value>("*").await.is_ok(), "{whole}");
        for end in 0..whole.len() {
            let canned = Canned::new([Answer::ok(whole[..end].to_owned())]);
            let error = client(encoding, &canned).keys::<Value>("*").await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Protocol, "{:?}", &whole[..end]);
            assert_eq!(error.command(), Some("KEYS"));
        }
    }
}

#[tokio::test]
async fn nesting_is_bounded() {
    let deep = |open: &str, close: &str| format!("{}{}", open.repeat(10_000), close.repeat(10_000));
    for (encoding, body) in [
        (Encoding::Json, format!("{{\"result\":{}}}", deep("[", "]"))),
        (Encoding::Base64, format!("{{\"result\":{}}}", deep("[", "]"))),
        (Encoding::Resp2, deep("*1\r\n", "")),
    ] {
        let error = refused(encoding, body).await;
        assert_eq!(error.kind(), ErrorKind::Protocol);
        assert!(error.to_string().contains("deeper than 128"), "{error}");
    }
}

#[tokio::test]
async fn lengths_that_lie_reserve_nothing() {
    for body in [
        "$9223372036854775807\r\nx\r\n",
        "*9223372036854775807\r\n",
        "$-2\r\n",
        "*99999999999\r\n:1\r\n",
        "$3\r\nabcd\r\n",
    ] {
        assert_eq!(refused(Encoding::Resp2, body).await.kind(), ErrorKind::Protocol, "{body:?}");
    }
}

#[tokio::test]
async fn what_is_no_reply_at_all() {
    for encoding in ENCODINGS {
        for body in [
            "",
            "<!doctype html><h1>Welcome</h1>",
            "null",
            "[]",
            "{}",
            r#"{"data":1}"#,
            r#"{"result":1}x"#,
            "hello",
            "\u{feff}{}",
        ] {
            let error = refused(encoding, body).await;
            assert_eq!(error.kind(), ErrorKind::Protocol, "{encoding:?} {body}");
            assert!(!error.may_have_executed(), "a read executes nothing");
        }
    }
    assert!(refused(Encoding::Base64, "<html>").await.to_string().contains("check that the URL"));
    assert!(refused(Encoding::Base64, r#"{"result":"not base64!"}"#).await.to_string().contains("not base64"));
}

#[tokio::test]
async fn members_that_nobody_knows_are_skipped() {
    let unknown = r#""time":[{"ms":1.5e3,"a\\\"b":null},[],{},true,false,"\u00e9"]"#;
    for body in [
        format!(r#"{{"result":7,{unknown}}}"#),
        format!(r#"{{{unknown}, "result" : 7 }}"#),
        format!(r#"{{{unknown},"error":null,"result":7,{unknown}}}"#),
    ] {
        let redis = client(Encoding::Json, &Canned::new([Answer::ok(body.clone())]));
        assert_eq!(redis.incr("k").await.unwrap(), 7, "{body}");
        let redis = client(Encoding::Json, &Canned::new([Answer::ok(format!("[{body},{body}]"))]));
        assert_eq!(redis.pipeline().incr("a").incr("b").exec().await.unwrap(), (7, 7), "{body}");
    }
    for body in [
        format!(r#"{{"error":"ERR no",{unknown}}}"#),
        format!(r#"{{{unknown},"result":null,"error":"ERR no"}}"#),
        r#"{"error":"ERR no","result":null}"#.to_owned(),
    ] {
        let error = refused(Encoding::Base64, body.clone()).await;
        assert_eq!((error.kind(), error.message()), (ErrorKind::Redis, "ERR no"), "{body}");
    }
    for body in [
        r#"{"result":1,"result":2}"#.to_owned(),
        r#"{"error":"a","error":"b"}"#.to_owned(),
        r#"{"error":7}"#.to_owned(),
        r#"{"time":1}"#.to_owned(),
        r#"{"result":1,}"#.to_owned(),
        r#"{"result":1,"x":[1,]}"#.to_owned(),
        r#"{"result":1,"x":{"y"}}"#.to_owned(),
        r#"{"result":1,"x":nope}"#.to_owned(),
        format!(r#"{{"x":{}1{},"result":1}}"#, "[".repeat(10_000), "]".repeat(10_000)),
        format!(r#"{{"x":{}1{},"result":1}}"#, r#"{"y":"#.repeat(10_000), "}".repeat(10_000)),
    ] {
        assert_eq!(refused(Encoding::Base64, body.clone()).await.kind(), ErrorKind::Protocol, "{body:.60}");
    }
}

#[tokio::test]
async fn a_write_without_a_usable_reply_may_have_executed() {
    let redis = client(Encoding::Base64, &Canned::new([Answer::ok("<html>")]));
    let error = redis.incr("k").await.unwrap_err();
    assert!(error.may_have_executed() && error.to_string().ends_with("; the write may have been executed"), "{error}");
    let redis = client(Encoding::Base64, &Canned::new([Answer::ok(r#"{"result":"eA=="}"#)]));
    let error = redis.incr("k").await.unwrap_err();
    assert!(error.is_decode() && error.may_have_executed());
    assert_eq!(error.message(), "expected a number that fits i64, found a string of 1 bytes");
}

#[tokio::test]
async fn the_wrong_number_of_replies() {
    for (body, expected) in [
        (r#"[{"result":1}]"#, "1 replies came for 2"),
        (r#"[{"result":1},{"result":2},{"result":3}]"#, "3 replies came for 2"),
        ("[]", "0 replies came for 2"),
        (r#"{"result":1}"#, "one result came for 2"),
    ] {
        let redis = client(Encoding::Json, &Canned::new([Answer::ok(body)]));
        let error = redis.pipeline().incr("a").incr("b").exec().await.unwrap_err();
        assert!(error.to_string().contains(expected) && error.may_have_executed(), "{error}");
    }
    for body in [":1\r\n", ":1\r\n:2\r\n:3\r\n", "*3\r\n:1\r\n:2\r\n:3\r\n"] {
        let redis = client(Encoding::Resp2, &Canned::new([Answer::ok(body)]));
        assert_eq!(redis.pipeline().incr("a").incr("b").exec().await.unwrap_err().kind(), ErrorKind::Protocol);
    }
    for body in [":1\r\n:2\r\n", "*2\r\n:1\r\n:2\r\n"] {
        let redis = client(Encoding::Resp2, &Canned::new([Answer::ok(body)]));
        assert_eq!(redis.pipeline().incr("a").incr("b").exec().await.unwrap(), (1, 2), "either form is understood");
    }
}

#[tokio::test]
async fn statuses_are_kinds() {
    let error_body = r#"{"error":"WRONGPASS invalid or missing auth token"}"#;
    let cases = [
        (401, error_body, ErrorKind::Unauthorized, "WRONGPASS"),
        (401, "denied", ErrorKind::Unauthorized, "the token is wrong or missing"),
        (400, r#"{"error":"WRONGTYPE Operation"}"#, ErrorKind::Redis, "WRONGTYPE"),
        (404, "<html>", ErrorKind::Rejected, "has no endpoint `/`"),
        (413, "", ErrorKind::TooLarge, "too large"),
        (400, r#"{"error":"ERR max request size exceeded. Limit: 1 bytes"}"#, ErrorKind::TooLarge, "max request size"),
        (500, r#"{"error":"ERR internal"}"#, ErrorKind::Unavailable, "ERR internal"),
        (302, "", ErrorKind::Rejected, "check that the URL"),
    ];
    for (status, body, kind, text) in cases {
        let answer = Answer::ok(body).status(StatusCode::from_u16(status).unwrap());
        let error = get(Encoding::Base64, answer).await.unwrap_err();
        assert_eq!((error.kind(), error.status()), (kind, Some(status)));
        assert!(error.to_string().contains(text), "{error}");
        let status = StatusCode::from_u16(status).unwrap();
        let redis = client(Encoding::Base64, &Canned::new([Answer::ok(body).status(status)]));
        let error = redis.incr("k").await.unwrap_err();
        assert_eq!(error.may_have_executed(), kind == ErrorKind::Unavailable, "{error}");
    }
}

#[tokio::test]
async fn a_certain_reply_does_not_undo_an_uncertain_attempt() {
    let unavailable = Answer::default().status(StatusCode::BAD_GATEWAY);
    let full = Answer::ok(r#"[{"result":"OK"},{"error":"OOM command not allowed"}]"#);
    let redis = client(Encoding::Base64, &Canned::new([unavailable, full]));
    let (first, second) = redis.pipeline().set("a", 1).set("b", 1).exec_each().await.unwrap();
    let error = second.unwrap_err();
    assert!(first.is_ok() && error.may_have_executed() && error.attempts() == 2, "{error}");
}

#[tokio::test]
async fn too_many_requests_waits_as_told() {
    let limited = Answer::ok(r#"{"error":"ERR max requests limit exceeded"}"#).status(StatusCode::TOO_MANY_REQUESTS);
    let canned = Canned::new([limited.clone().header("retry-after", "1"), Answer::ok(r#"{"result":7}"#)]);
    let began = std::time::Instant::now();
    assert_eq!(client(Encoding::Base64, &canned).incr("k").await.unwrap(), 7, "not executed, so it may be sent again");
    assert!(began.elapsed() >= Duration::from_secs(1));
    assert_eq!(canned.requests().len(), 2);

    for (header, seconds) in [("86400", 86400), ("99999999999999999999999", u64::MAX)] {
        let canned = Canned::new([limited.clone().header("retry-after", header)]);
        let error = client(Encoding::Base64, &canned).incr("k").await.unwrap_err();
        assert!(error.is_rate_limited() && error.is_retryable() && !error.may_have_executed());
        assert_eq!((error.retry_after(), canned.requests().len()), (Some(Duration::from_secs(seconds)), 1));
    }
}

#[tokio::test]
async fn a_response_over_the_limit_is_not_read() {
    let error = refused(Encoding::Base64, format!(r#"{{"result":"{}"}}"#, "A".repeat(2 << 20))).await;
    assert_eq!(error.kind(), ErrorKind::TooLarge);
}

/// Two bytes on the wire become many in memory.
#[tokio::test]
async fn a_response_of_too_many_values_is_not_decoded() {
    let most = (1 << 20) / 16;
    for (encoding, body) in [
        (Encoding::Json, format!(r#"{{"result":[{}1]}}"#, "1,".repeat(most))),
        (Encoding::Base64, format!(r#"{{"result":[{}[]]}}"#, "[],".repeat(most))),
        (Encoding::Resp2, format!("*{most}\r\n{}", ":1\r\n".repeat(most))),
        (Encoding::Resp2, format!("*{most}\r\n{}", "*0\r\n".repeat(most))),
    ] {
        let error = client(encoding, &Canned::new([Answer::ok(body)])).keys::<Value>("*").await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::TooLarge, "{encoding:?}");
        assert!(error.message().contains("max_response_bytes"), "{error}");
    }
    let fits = format!(r#"{{"result":[{}1]}}"#, "1,".repeat(most - 2));
    let canned = Canned::new([Answer::ok(fits)]);
    assert_eq!(client(Encoding::Json, &canned).keys::<i64>("*").await.unwrap().len(), most - 1);
    // A small limit on bytes does not forbid small values.
    let redis = Redis::builder("http://localhost:1", "token").max_response_bytes(300).encoding(Encoding::Json);
    let redis = redis.transport(Canned::new([Answer::ok(format!(r#"{{"result":[{}1]}}"#, "1,".repeat(99)))])).build();
    assert_eq!(redis.unwrap().keys::<i64>("*").await.unwrap().len(), 100);
}

#[tokio::test]
async fn the_sync_token_never_lags() {
    let answer = |token| Answer::ok(r#"{"result":"OK"}"#).header("upstash-sync-token", token);
    let canned = Canned::new([answer("1"), answer("2"), answer("3")]);
    let redis = client(Encoding::Base64, &canned);
    assert_eq!(redis.sync_token(), None);
    for _ in 0..3 {
        redis.set("k", 1).await.unwrap();
    }
    assert_eq!(redis.sync_token().as_deref(), Some("3"));
    redis.set_sync_token("from elsewhere").unwrap();
    redis.set("k", 1).await.unwrap();
    assert!(redis.set_sync_token("a\nb").is_err());
    let sent: Vec<_> =
        canned.requests().iter().map(|request| request.headers.get("upstash-sync-token").cloned()).collect();
    let sent: Vec<_> = sent.iter().map(|token| token.as_ref().map(|token| token.to_str().unwrap())).collect();
    assert_eq!(sent, [None, Some("1"), Some("2"), Some("from elsewhere")]);
}

#[tokio::test]
async fn headers_say_who_asks_and_how_often() {
    let unavailable = Answer::default().status(StatusCode::SERVICE_UNAVAILABLE);
    let canned = Canned::new([unavailable, Answer::ok(r#"{"result":null}"#)]);
    let redis = client(Encoding::Base64, &canned);
    assert_eq!(redis.get::<String>("k").await.unwrap(), None);
    let requests = canned.requests();
    let header = |at: usize, name: &str| requests[at].headers.get(name).map(|value| value.to_str().unwrap().to_owned());
    assert_eq!(header(0, "authorization").as_deref(), Some("Bearer token"));
    assert_eq!(header(0, "upstash-encoding").as_deref(), Some("base64"));
    assert!(header(0, "upstash-telemetry-sdk").is_some_and(|sdk| sdk.starts_with("redis-rest@")));
    assert_eq!(
        (header(0, "upstash-telemetry-retry"), header(1, "upstash-telemetry-retry").as_deref()),
        (None, Some("1"))
    );
    assert!(!format!("{requests:?}").contains("token\""), "the authorization is marked sensitive");

    let canned = Canned::new([Answer::ok(r#"{"result":null}"#)]);
    let quiet =
        Redis::builder("http://localhost:1", "token").telemetry(false).read_your_writes(false).header("x-mine", "1");
    quiet.transport(canned.clone()).build().unwrap().get::<String>("k").await.unwrap();
    let headers = &canned.requests()[0].headers;
    assert!(headers.contains_key("x-mine") && headers.keys().all(|name| !name.as_str().contains("telemetry")));
}

#[tokio::test]
async fn no_message_carries_a_secret() {
    let unknown = r#"{"error":"ERR unknown command 'FOO', with args beginning with: 'hunter2' "}"#;
    let answer = Answer::ok(unknown).status(StatusCode::BAD_REQUEST);
    let redis = client(Encoding::Base64, &Canned::new([answer]));
    let error = redis.set("k", "hunter2").await.unwrap_err();
    assert!(!format!("{error} {error:?}").contains("hunter2"), "{error:?}");
}
