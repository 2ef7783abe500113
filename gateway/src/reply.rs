//! The encoding of Redis values as replies of the API.

use std::fmt::Write as _;
use std::slice;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::resp::{Value, push_length};

/// The format of a reply.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Format {
    Json,
    Base64,
    Resp2,
}

/// Adds `{"result": …}` or `{"error": …}`.
pub(crate) fn push_envelope(json: &mut String, value: &Value, format: Format) {
    match value {
        Value::Error(error) => push_error(json, &String::from_utf8_lossy(error)),
        // The API does not encode the status OK as base64 if it is the whole result.
        Value::Status(status) if status == "OK" => json.push_str(r#"{"result":"OK"}"#),
        _ => {
            json.push_str(r#"{"result":"#);
            push_value(json, value, format);
            json.push('}');
        }
    }
}

/// Returns `{"error": …}`.
pub(crate) fn error(text: &str) -> String {
    let mut json = String::new();
    push_error(&mut json, text);
    json
}

/// Adds `{"error": …}`.
pub(crate) fn push_error(json: &mut String, text: &str) {
    json.push_str(r#"{"error":"#);
    push_text(json, text);
    json.push('}');
}

fn push_value(json: &mut String, value: &Value, format: Format) {
    walk(value, |token| match token {
        Token::Nil => json.push_str("null"),
        Token::Int(int) => {
            // Writing to a string does not fail.
            let _ = write!(json, "{int}");
        }
        Token::Bulk(bytes) | Token::Status(bytes) | Token::Error(bytes) => push_bytes(json, bytes, format),
        Token::Open(_) => json.push('['),
        Token::Comma => json.push(','),
        Token::Close => json.push(']'),
    });
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

/// Adds the value in RESP2.
pub(crate) fn push_resp2(wire: &mut Vec<u8>, value: &Value) {
    walk(value, |token| match token {
        Token::Nil => wire.extend_from_slice(b"$-1\r\n"),
        Token::Int(int) => wire.extend_from_slice(format!(":{int}\r\n").as_bytes()),
        Token::Bulk(bytes) => {
            push_length(wire, b'$', bytes.len());
            wire.extend_from_slice(bytes);
            wire.extend_from_slice(b"\r\n");
        }
        Token::Status(text) => push_line(wire, b'+', text),
        Token::Error(text) => push_line(wire, b'-', text),
        Token::Open(length) => push_length(wire, b'*', length),
        Token::Comma | Token::Close => {}
    });
}

/// Adds an error of the gateway in RESP2. The text may quote the request, so line breaks become spaces.
pub(crate) fn push_resp2_error(wire: &mut Vec<u8>, text: &str) {
    push_line(wire, b'-', text.replace(['\r', '\n'], " ").as_bytes());
}

/// A part of a value, in the order in which it is written.
enum Token<'a> {
    Nil,
    Int(i64),
    Status(&'a [u8]),
    Bulk(&'a [u8]),
    Error(&'a [u8]),
    /// The start of an array with this number of items.
    Open(usize),
    /// Between two items.
    Comma,
    Close,
}

/// Visits all parts of a value. It does not recurse, since values can be nested thousands of levels deep.
fn walk<'a>(value: &'a Value, mut visit: impl FnMut(Token<'a>)) {
    let mut open: Vec<slice::Iter<'a, Value>> = Vec::new();
    let mut next = Some(value);
    loop {
        match next {
            None => {
                visit(Token::Close);
                open.pop();
            }
            Some(Value::Nil) => visit(Token::Nil),
            Some(Value::Int(int)) => visit(Token::Int(*int)),
            Some(Value::Status(text)) => visit(Token::Status(text)),
            Some(Value::Bulk(bytes)) => visit(Token::Bulk(bytes)),
            Some(Value::Error(text)) => visit(Token::Error(text)),
            Some(Value::Array(items)) => {
                visit(Token::Open(items.len()));
                open.push(items.iter());
            }
        }
        let is_first = matches!(next, Some(Value::Array(_)));
        let Some(items) = open.last_mut() else { return };
        next = items.next();
        if !is_first && next.is_some() {
            visit(Token::Comma);
        }
    }
}

fn push_line(wire: &mut Vec<u8>, kind: u8, line: &[u8]) {
    wire.push(kind);
    wire.extend_from_slice(line);
    wire.extend_from_slice(b"\r\n");
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;

    fn bulk(bytes: &'static [u8]) -> Value {
        Value::Bulk(Bytes::from_static(bytes))
    }

    fn envelope(value: &Value, format: Format) -> String {
        let mut json = String::new();
        push_envelope(&mut json, value, format);
        json
    }

    #[test]
    fn base64_leaves_only_a_top_level_ok_unencoded() {
        let nested = Value::Array(vec![Value::ok(), bulk(b"\xff"), Value::Nil, Value::Int(7)].into());
        assert_eq!(envelope(&Value::ok(), Format::Base64), r#"{"result":"OK"}"#);
        assert_eq!(envelope(&nested, Format::Base64), r#"{"result":["T0s=","/w==",null,7]}"#);
        assert_eq!(envelope(&Value::Status(Bytes::from_static(b"PONG")), Format::Base64), r#"{"result":"UE9ORw=="}"#);
    }

    #[test]
    fn json_replaces_invalid_utf8() {
        assert_eq!(envelope(&bulk(b"a\xff\""), Format::Json), "{\"result\":\"a\u{fffd}\\\"\"}");
    }

    #[test]
    fn resp2_matches_the_redis_protocol() {
        let mut wire = Vec::new();
        push_resp2(&mut wire, &Value::Array(vec![Value::ok(), Value::Nil, bulk(b"\xff")].into()));
        assert_eq!(wire, b"*3\r\n+OK\r\n$-1\r\n$1\r\n\xff\r\n");
    }

    #[test]
    fn arrays_of_any_depth_are_written() {
        let nested = |depth| (0..depth).fold(Value::Int(1), |value, _| Value::Array(vec![value].into()));
        let pair = Value::Array(vec![nested(1), Value::Array(Vec::new().into()), nested(2)].into());
        assert_eq!(envelope(&pair, Format::Json), r#"{"result":[[1],[],[[1]]]}"#);
        let deep = nested(100_000);
        assert_eq!(envelope(&deep, Format::Json).len(), 200_000 + r#"{"result":1}"#.len());
        let mut wire = Vec::new();
        push_resp2(&mut wire, &deep);
        assert_eq!(wire.len(), 400_000 + 4);
    }
}
