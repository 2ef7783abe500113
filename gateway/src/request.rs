//! The commands in a request: in its JSON body or in its path.

use std::borrow::Cow;
use std::fmt;

use bytes::Bytes;
use percent_encoding::percent_decode;
use serde::de::{Deserialize, Deserializer, Visitor};
use serde_json::value::RawValue;

use crate::resp::Args;

/// Reads the command in the body of `POST /`.
pub(crate) fn command(body: &Bytes) -> Result<Args, String> {
    let items: Vec<&RawValue> = serde_json::from_slice(body)
        .map_err(|_| "ERR failed to parse command: expected a JSON array of strings and numbers".to_owned())?;
    if items.is_empty() {
        return Err("ERR empty command".to_owned());
    }
    items.into_iter().map(|item| arg(body, item)).collect()
}

/// Reads the commands in the body of `POST /pipeline` or `POST /multi-exec`; `endpoint` names which.
///
/// A command with an invalid argument is an error in the list and does not affect the others.
pub(crate) fn commands(body: &Bytes, endpoint: &str) -> Result<Vec<Result<Args, String>>, String> {
    let lists: Vec<Vec<&RawValue>> =
        serde_json::from_slice(body).map_err(|_| format!("ERR failed to parse {endpoint} request"))?;
    if lists.is_empty() {
        return Err(format!("ERR empty {endpoint} request"));
    }
    let command = |items: Vec<&RawValue>| {
        if items.is_empty() {
            Err("ERR empty command".to_owned())
        } else {
            items.into_iter().map(|item| arg(body, item)).collect()
        }
    };
    Ok(lists.into_iter().map(command).collect())
}

/// Returns the text of a JSON string, or a number or boolean as it is written.
///
/// Text without escapes is a slice of the body and not copied.
fn arg(body: &Bytes, item: &RawValue) -> Result<Bytes, String> {
    let json = item.get();
    match json.as_bytes().first() {
        Some(b'"') if !json.contains('\\') => {
            Ok(body.slice_ref(json.as_bytes().get(1..json.len() - 1).unwrap_or_default()))
        }
        Some(b'"') => match serde_json::from_str::<Text>(json) {
            Ok(Text(bytes)) => Ok(bytes.into()),
            Err(_) => Err("ERR failed to parse command".to_owned()),
        },
        Some(b'n') => Err("ERR null args are not supported".to_owned()),
        Some(&bracket @ (b'[' | b'{')) => {
            Err(format!("ERR unsupported arg type: \"{}\": json.Delim", char::from(bracket)))
        }
        _ => Ok(body.slice_ref(json.as_bytes())),
    }
}

/// The content of a JSON string, in which U+FFFD replaces each half of a surrogate pair that is on its own.
///
/// JavaScript writes such a half (`\ud83d`) if a text is cut within an emoji.
struct Text(Vec<u8>);

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_byte_buf(TextVisitor)
    }
}

struct TextVisitor;

impl Visitor<'_> for TextVisitor {
    type Value = Text;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string")
    }

    fn visit_bytes<E>(self, bytes: &[u8]) -> Result<Text, E> {
        let mut bytes = bytes.to_vec();
        // serde_json writes a lone half as three bytes, as if it were a character: ED, A0 to BF, 80 to BF. The body is
        // UTF-8, which has no such bytes, and U+FFFD is three bytes too.
        let mut at = 0;
        while let Some(rest) = bytes.get_mut(at..).filter(|rest| !rest.is_empty()) {
            match rest {
                [first @ 0xed, second @ 0xa0..=0xbf, third, ..] => {
                    [*first, *second, *third] = *b"\xef\xbf\xbd";
                    at += 3;
                }
                _ => at += 1,
            }
        }
        Ok(Text(bytes))
    }
}

/// Reads the command in a path. The body is the next argument, followed by the names and values of the query.
pub(crate) fn path_command(path: &str, query: &str, body: &Bytes) -> Args {
    let mut args: Args = path.trim_start_matches('/').split('/').map(decode_segment).collect();
    if !body.is_empty() {
        args.push(body.clone());
    }
    for (name, value) in query_pairs(query).filter(|(name, _)| name != "_token") {
        args.push(name);
        if !value.is_empty() {
            args.push(value);
        }
    }
    args
}

/// Returns the value of the query parameter `_token`.
pub(crate) fn query_token(query: &str) -> Option<String> {
    let (_, value) = query_pairs(query).find(|(name, _)| name == "_token")?;
    String::from_utf8(value.into()).ok()
}

/// Returns the segments of a path: the channels or patterns of a subscription.
pub(crate) fn segments(path: &str) -> Vec<Bytes> {
    path.split('/').filter(|segment| !segment.is_empty()).map(decode_segment).collect()
}

fn decode_segment(segment: &str) -> Bytes {
    Cow::from(percent_decode(segment.as_bytes())).into_owned().into()
}

fn query_pairs(query: &str) -> impl Iterator<Item = (Bytes, Bytes)> {
    query.split('&').filter(|pair| !pair.is_empty()).map(|pair| {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        (decode_query(name), decode_query(value))
    })
}

fn decode_query(text: &str) -> Bytes {
    decode_segment(&text.replace('+', " "))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn args(items: &[&str]) -> Args {
        items.iter().map(|item| Bytes::copy_from_slice(item.as_bytes())).collect()
    }

    #[test]
    fn json_numbers_are_passed_as_written() {
        let body = Bytes::from_static(br#"["SET","k\u00e9y",1e+21,-0.10,9223372036854775807,true]"#);
        assert_eq!(
            command(&body).unwrap(),
            args(&["SET", "k\u{e9}y", "1e+21", "-0.10", "9223372036854775807", "true"])
        );
    }

    #[test]
    fn half_a_surrogate_pair_is_replaced() {
        for (json, text) in [
            (r#"\ud83d\ude00"#, "\u{1f600}"),
            (r#"cut \ud83d"#, "cut \u{fffd}"),
            (r#"\ude00\ud83d"#, "\u{fffd}\u{fffd}"),
            (r#"\ud83d\ud83d\ude00\uD800x"#, "\u{fffd}\u{1f600}\u{fffd}x"),
            (r#"\ud83d\n\ufffd"#, "\u{fffd}\n\u{fffd}"),
            (r#"\ud7ff\ue000"#, "\u{d7ff}\u{e000}"),
        ] {
            let body = Bytes::from(format!(r#"["ECHO","{json}"]"#));
            assert_eq!(command(&body).unwrap(), args(&["ECHO", text]), "{json}");
        }
        assert!(command(&Bytes::from_static(br#"["ECHO","\ud83"]"#)).is_err());
    }

    #[test]
    fn invalid_commands_are_rejected() {
        for (body, error) in [
            ("", "failed to parse"),
            ("{}", "failed to parse"),
            ("[]", "empty command"),
            (r#"["GET",null]"#, "null args"),
            (r#"["GET",["k"]]"#, "unsupported arg type"),
        ] {
            assert!(command(&body.into()).unwrap_err().contains(error), "{body}");
        }
        assert_eq!(commands(&"[]".into(), "pipeline").unwrap_err(), "ERR empty pipeline request");
        assert_eq!(commands(&"[[\"PING\"],[]]".into(), "pipeline").unwrap().len(), 2);
    }

    #[test]
    fn path_commands_take_the_body_before_the_query() {
        assert_eq!(
            path_command("/set/a%2Fb", "_token=t&EX=100&NX", &Bytes::from_static(b"\xff")),
            [&b"set"[..], b"a/b", b"\xff", b"EX", b"100", b"NX"]
        );
        assert_eq!(path_command("/get//", "", &Bytes::new()), args(&["get", "", ""]));
        assert_eq!(query_token("a=b&_token=x%20y").as_deref(), Some("x y"));
    }
}
