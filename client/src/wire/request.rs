//! Requests: arguments as JSON, and as the path that carries raw bytes.

use std::borrow::Cow;
use std::fmt::Write as _;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_encode};

use crate::arg::{Arg, float_text};
use crate::error::{Error, Result};

/// Bytes that a JSON string must escape.
#[expect(clippy::indexing_slicing, reason = "evaluated by the compiler, where a wrong index is an error")]
const ESCAPED: [bool; 256] = {
    let mut table = [false; 256];
    let mut byte = 0;
    while byte < 0x20 {
        table[byte] = true;
        byte += 1;
    }
    table[b'"' as usize] = true;
    table[b'\\' as usize] = true;
    table
};

/// What a path segment or a query must escape: all but the unreserved characters of RFC 3986.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// Appends `text` as a JSON string.
#[expect(clippy::indexing_slicing, reason = "a byte is below 256")]
pub(crate) fn push_text(json: &mut Vec<u8>, text: &str) {
    let bytes = text.as_bytes();
    json.reserve(bytes.len() + 2);
    json.push(b'"');
    let mut rest = bytes;
    while let Some(at) = rest.iter().position(|&byte| ESCAPED[usize::from(byte)]) {
        let (plain, from) = rest.split_at(at);
        json.extend_from_slice(plain);
        let Some((&byte, after)) = from.split_first() else { break };
        push_escape(json, byte);
        rest = after;
    }
    json.extend_from_slice(rest);
    json.push(b'"');
}

fn push_escape(json: &mut Vec<u8>, byte: u8) {
    let short = match byte {
        b'"' => b'"',
        b'\\' => b'\\',
        b'\n' => b'n',
        b'\r' => b'r',
        b'\t' => b't',
        _ => {
            json.extend_from_slice(format!("\\u{byte:04x}").as_bytes());
            return;
        }
    };
    json.extend_from_slice(&[b'\\', short]);
}

/// Reads the JSON string that [`push_text`] wrote at the front of `json`; returns its text and what follows it.
pub(crate) fn pop_text(json: &[u8]) -> Option<(Vec<u8>, &[u8])> {
    let mut rest = json.strip_prefix(b"\"")?;
    let mut text = Vec::new();
    loop {
        let (&byte, after) = rest.split_first()?;
        rest = after;
        match byte {
            b'"' => return Some((text, rest)),
            b'\\' => {
                let (&escape, after) = rest.split_first()?;
                rest = after;
                text.push(match escape {
                    b'n' => b'\n',
                    b'r' => b'\r',
                    b't' => b'\t',
                    b'u' => {
                        let (digits, after) = rest.split_at_checked(4)?;
                        rest = after;
                        u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()?
                    }
                    other => other,
                });
            }
            other => text.push(other),
        }
    }
}

/// Why an argument is not part of the JSON.
#[derive(Debug)]
pub(crate) enum NotText {
    /// Bytes that are not UTF-8, which JSON cannot hold.
    Raw(Vec<u8>),
    /// It cannot be sent at all.
    Invalid(Cow<'static, str>),
}

/// Appends one argument as a JSON string.
///
/// Numbers are strings too, because a server that reads JSON numbers as doubles would change integers past 2^53.
pub(crate) fn push_arg(json: &mut Vec<u8>, arg: Arg<'_>) -> Result<(), NotText> {
    match arg {
        Arg::Text(text) => push_text(json, &text),
        Arg::Bytes(bytes) => match std::str::from_utf8(&bytes) {
            Ok(text) => push_text(json, text),
            Err(_) => return Err(NotText::Raw(bytes.into_owned())),
        },
        Arg::Int(int) => push_number(json, itoa::Buffer::new().format(int)),
        Arg::Uint(uint) => push_number(json, itoa::Buffer::new().format(uint)),
        Arg::Float(float) => push_number(json, &float_text(float)),
        Arg::Invalid(why) => return Err(NotText::Invalid(why)),
    }
    Ok(())
}

fn push_number(json: &mut Vec<u8>, digits: &str) {
    json.reserve(digits.len() + 2);
    json.push(b'"');
    json.extend_from_slice(digits.as_bytes());
    json.push(b'"');
}

/// Options after a value that are one word. All others are followed by a value of their own.
const FLAGS: [&[u8]; 6] = [b"NX", b"XX", b"GET", b"KEEPTTL", b"REPLACE", b"ABSTTL"];

/// How long a path may be: what common proxies accept.
const MAX_PATH: usize = 8 << 10;

/// Encodes a name as one segment of a path. Returns `None` for names that a path cannot hold: URLs resolve `.` and `..`,
/// and an empty segment is lost.
pub(crate) fn path_segment(name: &[u8]) -> Option<String> {
    let segment = percent_encode(name, ENCODED).to_string();
    (!matches!(name, b"" | b"." | b"..") && segment.len() < MAX_PATH).then_some(segment)
}

/// Encodes a command whose argument at `raw_at` travels as the body. The arguments before it become the path, and the
/// options after it become the query: `EX=100&NX`.
///
/// # Errors
///
/// If the path or the query cannot hold an argument: URLs resolve `.` and `..`, a query cannot hold an empty argument, and
/// `_token` in a query is a credential.
pub(crate) fn raw_path<'a>(args: impl Iterator<Item = &'a [u8]>, raw_at: usize) -> Result<String> {
    let mut path = String::new();
    let mut query = String::new();
    let mut takes_value = false;
    for (at, arg) in args.enumerate() {
        let encoded = percent_encode(arg, ENCODED);
        if at < raw_at {
            if matches!(arg, b"" | b"." | b"..") {
                return Err(Error::invalid_input(
                    "bytes that are not UTF-8 are sent as the request's body, and the arguments before them as its path, \
                     which cannot hold an empty argument, `.` or `..`; use another key or field, or encode the value as text",
                ));
            }
            let _ = write!(path, "/{encoded}");
        } else if at > raw_at {
            if arg.is_empty() || arg == b"_token" {
                return Err(Error::invalid_input(
                    "only options can follow bytes that are not UTF-8, because they are sent in the query; \
                     send the bytes last, or encode them as text",
                ));
            }
            let before = match query.is_empty() {
                true => '?',
                false if takes_value => '=',
                false => '&',
            };
            takes_value = !takes_value && !FLAGS.contains(&arg);
            let _ = write!(query, "{before}{encoded}");
        }
    }
    path.push_str(&query);
    if path.len() > MAX_PATH {
        return Err(Error::invalid_input(
            "bytes that are not UTF-8 are sent as the request's body, and the other arguments in its URL, which is then \
             too long; send the bytes in a command of their own, or encode them as text",
        ));
    }
    Ok(path)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn json_readers_read_back_any_text(text: String) {
            let mut json = Vec::new();
            push_text(&mut json, &text);
            prop_assert_eq!(&serde_json::from_slice::<String>(&json).unwrap(), &text);
            json.extend_from_slice(b",rest");
            prop_assert_eq!(pop_text(&json), Some((text.into_bytes(), b",rest".as_slice())));
        }

        #[test]
        fn floats_read_back_as_the_same_number(float: f64) {
            prop_assume!(!float.is_nan());
            prop_assert_eq!(float_text(float).parse::<f64>().unwrap(), float);
        }
    }

    #[test]
    fn floats_are_short() {
        let texts = [1.0, -0.5, 1e300, 5e-324, 1e17, 123_456.75, f64::INFINITY, f64::NEG_INFINITY].map(float_text);
        assert_eq!(texts, ["1", "-0.5", "1e300", "5e-324", "1e17", "123456.75", "inf", "-inf"]);
    }

    #[test]
    fn raw_path_splits_arguments_around_the_body() {
        let path = |args: &[&str]| raw_path(args.iter().map(|arg| arg.as_bytes()), 2).unwrap();
        assert_eq!(path(&["SET", "a/b é?", "", "EX", "100", "GET"]), "/SET/a%2Fb%20%C3%A9%3F?EX=100&GET");
        assert_eq!(path(&["SET", "k", "", "NX", "EX", "100"]), "/SET/k?NX&EX=100");
        assert_eq!(path(&["RESTORE", "k", "", "ABSTTL", "IDLETIME", "5"]), "/RESTORE/k?ABSTTL&IDLETIME=5");
        assert_eq!(path(&["SET", "k", "", "IFEQ", "NX", "GET"]), "/SET/k?IFEQ=NX&GET");
    }

    #[test]
    fn raw_path_refuses_what_a_path_cannot_hold() {
        for key in ["", ".", ".."] {
            let error = raw_path([b"SET", key.as_bytes(), b""].into_iter(), 2).unwrap_err();
            assert!(error.is_invalid_input());
        }
        let long = "x".repeat(9000);
        for behind in ["", "_token", &long] {
            let args = ["HSET", "k", "f", "", "g", behind];
            assert!(raw_path(args.iter().map(|arg| arg.as_bytes()), 3).unwrap_err().is_invalid_input());
        }
    }
}
