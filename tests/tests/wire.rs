//! The wire decoders, as a user reaches them: any reply comes back from any encoding, and any bytes are decoded or
//! refused.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use proptest::prelude::*;
use redis_model::redis_rest::{Build, Command, Encoding, Executor as _, StringCommands as _, Value};

/// Any reply, with errors inside arrays where the encoding can tell them from text.
fn reply(bytes: impl Strategy<Value = Vec<u8>> + 'static) -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Nil),
        any::<i64>().prop_map(Value::Int),
        bytes.prop_map(|bytes| Value::Bytes(bytes.into())),
        Just(Value::Bytes("OK".into())),
    ];
    leaf.prop_recursive(8, 64, 8, |inner| prop::collection::vec(inner, 0..8).prop_map(Value::Array))
}

fn json(value: &Value, text: &dyn Fn(&[u8]) -> String) -> String {
    match value {
        Value::Int(int) => int.to_string(),
        Value::Bytes(bytes) => serde_json::to_string(&text(bytes)).unwrap_or_default(),
        Value::Array(items) => format!("[{}]", items.iter().map(|item| json(item, text)).collect::<Vec<_>>().join(",")),
        _ => "null".to_owned(),
    }
}

fn resp2(value: &Value, wire: &mut Vec<u8>) {
    match value {
        Value::Int(int) => wire.extend_from_slice(format!(":{int}\r\n").as_bytes()),
        Value::Bytes(bytes) => {
            wire.extend_from_slice(format!("${}\r\n", bytes.len()).as_bytes());
            wire.extend_from_slice(bytes);
            wire.extend_from_slice(b"\r\n");
        }
        Value::Array(items) => {
            wire.extend_from_slice(format!("*{}\r\n", items.len()).as_bytes());
            items.iter().for_each(|item| resp2(item, wire));
        }
        _ => wire.extend_from_slice(b"$-1\r\n"),
    }
}

fn command() -> Command<Value> {
    Build.execute(["ANY"])
}

fn lossless(bytes: &[u8]) -> String {
    // The status OK is the one string that base64 leaves as it is.
    if bytes == b"OK" { "OK".to_owned() } else { STANDARD.encode(bytes) }
}

proptest! {
    #[test]
    fn base64_brings_back_any_reply(value in reply(any::<Vec<u8>>())) {
        let body = format!("{{\"result\":{}}}", json(&value, &lossless));
        prop_assert_eq!(command().decode(body, Encoding::Base64).unwrap(), value);
    }

    #[test]
    fn json_brings_back_any_reply_of_text(value in reply(any::<String>().prop_map(String::into_bytes))) {
        let body = format!(" {{ \"result\" : {} }} ", json(&value, &|bytes| String::from_utf8_lossy(bytes).into_owned()));
        prop_assert_eq!(command().decode(body, Encoding::Json).unwrap(), value);
    }

    #[test]
    fn resp2_brings_back_any_reply(value in reply(any::<Vec<u8>>())) {
        let mut body = Vec::new();
        resp2(&value, &mut body);
        prop_assert_eq!(command().decode(body, Encoding::Resp2).unwrap(), value);
    }

    #[test]
    fn any_bytes_are_decoded_or_refused(body: Vec<u8>) {
        for encoding in [Encoding::Base64, Encoding::Json, Encoding::Resp2] {
            let _ = command().decode(body.clone(), encoding);
        }
    }

    /// Bytes that look like replies reach deeper than arbitrary ones.
    #[test]
    fn any_nearly_valid_reply_is_decoded_or_refused(
        body in r#"(\{"(result|error)":)?[\[\]\{\}",:0-9a-zA-Z=+/\\u\-]{0,60}\}?"#,
        wire in r"([\*\$:+\-][0-9\-]{0,4}\r\n|[a-z]{0,6}\r\n){0,12}",
    ) {
        for encoding in [Encoding::Base64, Encoding::Json] {
            let _ = command().decode(body.clone(), encoding);
        }
        let _ = command().decode(wire, Encoding::Resp2);
    }

    #[test]
    fn any_bytes_as_an_argument_are_kept(bytes: Vec<u8>) {
        let args = Build.set("key", &bytes).args();
        prop_assert_eq!(args.last().map(|arg| arg.to_vec()), Some(bytes));
    }
}
