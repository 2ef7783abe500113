//! Requests as commands: JSON bodies, and the path form.

use std::borrow::Cow;

use percent_encoding::percent_decode;
use serde_json::value::RawValue;

use crate::backend::Args;

/// The command of `POST /`.
pub(crate) fn command(body: &[u8]) -> Result<Args, String> {
    let items: Vec<&RawValue> = serde_json::from_slice(body)
        .map_err(|_| "ERR failed to parse command: expected a JSON array of strings and numbers".to_owned())?;
    if items.is_empty() {
        return Err("ERR empty command".to_owned());
    }
    items.into_iter().map(arg).collect()
}

/// The commands of `POST /pipeline` (`what` is `pipeline`) and `POST /multi-exec`. A command that has a wrong
/// argument is an error of its own.
pub(crate) fn commands(body: &[u8], what: &str) -> Result<Vec<Result<Args, String>>, String> {
    let lists: Vec<Vec<&RawValue>> =
        serde_json::from_slice(body).map_err(|_| format!("ERR failed to parse {what} request"))?;
    if lists.is_empty() {
        return Err(format!("ERR empty {what} request"));
    }
    let command = |items: Vec<&RawValue>| {
        if items.is_empty() { Err("ERR empty command".to_owned()) } else { items.into_iter().map(arg).collect() }
    };
    Ok(lists.into_iter().map(command).collect())
}

/// A string's text; a number's or a bool's own digits or letters.
fn arg(item: &RawValue) -> Result<Vec<u8>, String> {
    let json = item.get();
    match json.as_bytes().first() {
        Some(b'"') if !json.contains('\\') => Ok(json.as_bytes().get(1..json.len() - 1).unwrap_or_default().to_vec()),
        Some(b'"') => serde_json::from_str::<String>(json)
            .map(String::into_bytes)
            .map_err(|_| "ERR failed to parse command".to_owned()),
        Some(b'n') => Err("ERR null args are not supported".to_owned()),
        Some(&bracket @ (b'[' | b'{')) => {
            Err(format!("ERR unsupported arg type: \"{}\": json.Delim", char::from(bracket)))
        }
        _ => Ok(json.as_bytes().to_vec()),
    }
}

/// The command in a path, with the body as the argument after it, and the query's names and values behind that.
pub(crate) fn path_command(path: &str, query: &str, body: &[u8]) -> Args {
    let mut args: Args = path.trim_start_matches('/').split('/').map(decode_segment).collect();
    if !body.is_empty() {
        args.push(body.to_vec());
    }
    for (name, value) in query_pairs(query).filter(|(name, _)| name != b"_token") {
        args.push(name);
        if !value.is_empty() {
            args.push(value);
        }
    }
    args
}

/// The value of the query's `_token`.
pub(crate) fn query_token(query: &str) -> Option<String> {
    let (_, value) = query_pairs(query).find(|(name, _)| name == b"_token")?;
    String::from_utf8(value).ok()
}

/// The channels or patterns of a subscription's path.
pub(crate) fn segments(path: &str) -> Vec<Vec<u8>> {
    path.split('/').filter(|segment| !segment.is_empty()).map(decode_segment).collect()
}

fn decode_segment(segment: &str) -> Vec<u8> {
    Cow::from(percent_decode(segment.as_bytes())).into_owned()
}

fn query_pairs(query: &str) -> impl Iterator<Item = (Vec<u8>, Vec<u8>)> {
    query.split('&').filter(|pair| !pair.is_empty()).map(|pair| {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        (decode_query(name), decode_query(value))
    })
}

fn decode_query(text: &str) -> Vec<u8> {
    decode_segment(&text.replace('+', " "))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn args(items: &[&str]) -> Args {
        items.iter().map(|item| item.as_bytes().to_vec()).collect()
    }

    #[test]
    fn json_arguments_keep_their_own_digits() {
        let body = br#"["SET","k\u00e9y",1e+21,-0.10,9223372036854775807,true]"#;
        assert_eq!(command(body).unwrap(), args(&["SET", "k\u{e9}y", "1e+21", "-0.10", "9223372036854775807", "true"]));
    }

    #[test]
    fn what_is_no_command_is_refused() {
        for (body, error) in [
            ("", "failed to parse"),
            ("{}", "failed to parse"),
            ("[]", "empty command"),
            (r#"["GET",null]"#, "null args"),
            (r#"["GET",["k"]]"#, "unsupported arg type"),
        ] {
            assert!(command(body.as_bytes()).unwrap_err().contains(error), "{body}");
        }
        assert_eq!(commands(b"[]", "pipeline").unwrap_err(), "ERR empty pipeline request");
        assert_eq!(commands(b"[[\"PING\"],[]]", "pipeline").unwrap().len(), 2);
    }

    #[test]
    fn a_path_is_a_command_with_the_body_before_the_query() {
        assert_eq!(
            path_command("/set/a%2Fb", "_token=t&EX=100&NX", b"\xff"),
            [b"set".to_vec(), b"a/b".to_vec(), vec![0xff], b"EX".to_vec(), b"100".to_vec(), b"NX".to_vec()]
        );
        assert_eq!(path_command("/get//", "", b""), args(&["get", "", ""]));
        assert_eq!(query_token("a=b&_token=x%20y").as_deref(), Some("x y"));
    }
}
