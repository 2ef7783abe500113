//! JSON replies, plain and with base64 strings, against serde_json: what it reads of the API's shapes is read alike, and
//! nothing else makes more than an error.

#![no_main]

use libfuzzer_sys::fuzz_target;
use redis_rest::{Build, Command, Encoding, FromReply as _, Executor as _, Value};
use serde_json::Value as Json;

fuzz_target!(|body: &[u8]| {
    let command = Build.execute::<Value>(["GET", "k"]);
    let _ = command.decode(body, Encoding::Base64);
    let several: Command<Vec<Value>> = command.clone().and(Build.execute::<Value>(["PING"]), |replies| {
        replies.map(Value::from_reply).collect()
    });
    let _ = several.decode(body, Encoding::Json);
    let ours = command.decode(body, Encoding::Json);
    let Ok(Json::Object(envelope)) = serde_json::from_slice::<Json>(body) else { return };
    // Other members are skipped. A name that stands twice is no reply of the API, and of such serde_json keeps the last.
    if let (None, Some(result)) = (envelope.get("error"), envelope.get("result"))
        && let (Some(theirs), Ok(ours)) = (comparable(result), ours)
    {
        assert_eq!(ours, theirs);
    }
});

/// What serde_json has read, where a reply can have it: objects are none, and fractions keep their own digits.
fn comparable(json: &Json) -> Option<Value> {
    Some(match json {
        Json::Null => Value::Nil,
        Json::Bool(truth) => Value::Int((*truth).into()),
        Json::Number(number) => Value::Int(number.as_i64()?),
        Json::String(text) => Value::Bytes(text.clone().into()),
        Json::Array(items) => Value::Array(items.iter().map(comparable).collect::<Option<_>>()?),
        Json::Object(_) => return None,
    })
}
