//! Redis's values as the API's replies.

use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use redis::{ServerError, Value};

/// In which form a reply is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Format {
    Json,
    Base64,
    Resp2,
}

/// `{"result": …}` or `{"error": …}`.
pub(crate) fn envelope(value: &Value, format: Format) -> String {
    let mut json = String::new();
    match value {
        Value::ServerError(error) => push_error(&mut json, &error_text(error)),
        // The status OK is the one string that base64 leaves as it is, at the top of a result alone.
        Value::Okay => json.push_str(r#"{"result":"OK"}"#),
        _ => {
            json.push_str(r#"{"result":"#);
            push_value(&mut json, value, format);
            json.push('}');
        }
    }
    json
}

/// `{"error": …}`.
pub(crate) fn error(text: &str) -> String {
    let mut json = String::new();
    push_error(&mut json, text);
    json
}

fn push_error(json: &mut String, text: &str) {
    json.push_str(r#"{"error":"#);
    push_text(json, text);
    json.push('}');
}

/// The text that Redis sent, put together again.
pub(crate) fn error_text(error: &ServerError) -> String {
    match error.details() {
        Some(details) => format!("{} {details}", error.code()),
        None => error.code().to_owned(),
    }
}

fn push_value(json: &mut String, value: &Value, format: Format) {
    match value {
        Value::Nil => json.push_str("null"),
        Value::Int(int) => {
            let _ = write!(json, "{int}");
        }
        Value::BulkString(bytes) => push_bytes(json, bytes, format),
        Value::SimpleString(text) => push_bytes(json, text.as_bytes(), format),
        Value::Okay => push_bytes(json, b"OK", format),
        Value::ServerError(error) => push_bytes(json, error_text(error).as_bytes(), format),
        Value::Array(items) | Value::Set(items) => {
            json.push('[');
            for (at, item) in items.iter().enumerate() {
                if at > 0 {
                    json.push(',');
                }
                push_value(json, item, format);
            }
            json.push(']');
        }
        // RESP2, which the backend speaks, has no other type.
        _ => json.push_str("null"),
    }
}

fn push_bytes(json: &mut String, bytes: &[u8], format: Format) {
    match format {
        Format::Base64 => {
            json.push('"');
            STANDARD.encode_string(bytes, json);
            json.push('"');
        }
        Format::Json | Format::Resp2 => push_text(json, &String::from_utf8_lossy(bytes)),
    }
}

fn push_text(json: &mut String, text: &str) {
    // A &str always serializes.
    json.push_str(&serde_json::to_string(text).unwrap_or_default());
}

/// The value in RESP2.
pub(crate) fn push_resp2(wire: &mut Vec<u8>, value: &Value) {
    match value {
        Value::Nil => wire.extend_from_slice(b"$-1\r\n"),
        Value::Int(int) => wire.extend_from_slice(format!(":{int}\r\n").as_bytes()),
        Value::BulkString(bytes) => {
            wire.extend_from_slice(format!("${}\r\n", bytes.len()).as_bytes());
            wire.extend_from_slice(bytes);
            wire.extend_from_slice(b"\r\n");
        }
        Value::SimpleString(text) => wire.extend_from_slice(format!("+{text}\r\n").as_bytes()),
        Value::Okay => wire.extend_from_slice(b"+OK\r\n"),
        Value::ServerError(error) => push_resp2_error(wire, &error_text(error)),
        Value::Array(items) | Value::Set(items) => {
            wire.extend_from_slice(format!("*{}\r\n", items.len()).as_bytes());
            for item in items {
                push_resp2(wire, item);
            }
        }
        // RESP2, which the backend speaks, has no other type.
        _ => wire.extend_from_slice(b"$-1\r\n"),
    }
}

/// An error in RESP2: one line, whatever it repeats of what was asked.
pub(crate) fn push_resp2_error(wire: &mut Vec<u8>, text: &str) {
    wire.extend_from_slice(format!("-{}\r\n", text.replace(['\r', '\n'], " ")).as_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_spares_the_status_ok_at_the_top_alone() {
        let nested = Value::Array(vec![Value::Okay, Value::BulkString(b"\xff".to_vec()), Value::Nil, Value::Int(7)]);
        assert_eq!(envelope(&Value::Okay, Format::Base64), r#"{"result":"OK"}"#);
        assert_eq!(envelope(&nested, Format::Base64), r#"{"result":["T0s=","/w==",null,7]}"#);
        assert_eq!(envelope(&Value::SimpleString("PONG".into()), Format::Base64), r#"{"result":"UE9ORw=="}"#);
    }

    #[test]
    fn plain_json_replaces_what_is_not_utf8() {
        assert_eq!(envelope(&Value::BulkString(b"a\xff\"".to_vec()), Format::Json), "{\"result\":\"a\u{fffd}\\\"\"}");
    }

    #[test]
    fn resp2_is_redis_own() {
        let mut wire = Vec::new();
        push_resp2(&mut wire, &Value::Array(vec![Value::Okay, Value::Nil, Value::BulkString(b"\xff".to_vec())]));
        assert_eq!(wire, b"*3\r\n+OK\r\n$-1\r\n$1\r\n\xff\r\n");
    }
}
