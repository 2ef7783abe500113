//! The wire formats as pure functions: arguments to bytes, bytes to a [`Tape`](tape::Tape). No HTTP, no async.

pub(crate) mod base64;
pub(crate) mod json;
pub(crate) mod request;
pub(crate) mod resp2;
pub(crate) mod sse;
pub(crate) mod tape;

use self::json::Strings;
use self::tape::Tape;
use crate::config::Encoding;
use crate::error::Result;

/// Parses the body of a response to `count` commands. `many` says that it is one of the endpoints that take several,
/// also if there is but one.
pub(crate) fn parse(body: Vec<u8>, encoding: Encoding, count: usize, many: bool) -> Result<Tape> {
    let strings = if encoding == Encoding::Base64 { Strings::Base64 } else { Strings::Plain };
    match (encoding, many) {
        (Encoding::Resp2, false) => resp2::parse_one(body),
        (Encoding::Resp2, true) => resp2::parse_many(body, count),
        (_, false) => json::parse_one(body, strings),
        (_, true) => json::parse_many(body, strings, count),
    }
}
