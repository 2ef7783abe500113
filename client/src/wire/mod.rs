//! The wire formats as pure functions: from arguments to bytes, from bytes to a [`Tape`]. No HTTP, no async.

pub(crate) mod base64;
mod encoding;
mod json;
pub(crate) mod number;
pub(crate) mod request;
mod resp2;
pub(crate) mod sse;
pub(crate) mod tape;

pub use self::encoding::Encoding;
use self::json::Strings;
use self::tape::Tape;
use crate::error::Result;

/// What to do about a server that does not return replies in the encoding that was asked for.
pub(crate) const IGNORES_ENCODING: &str = "the server seems to ignore the encoding that was asked for; \
     use `Encoding::Json`: `Redis::builder(url, token).encoding(Encoding::Json)`";

/// What a response to several commands holds.
#[derive(Debug)]
pub(crate) enum Parsed {
    /// A reply to each command.
    Replies(Tape),
    /// One error for all commands, none of which was executed.
    Refusal(Tape),
}

/// Parses the body of a successful response to one command.
pub(crate) fn parse_one(body: Vec<u8>, encoding: Encoding, max_values: usize) -> Result<Tape> {
    match encoding {
        Encoding::Resp2 => resp2::parse_one(body, max_values),
        Encoding::Base64 => json::parse_one(body, Strings::Base64, max_values),
        Encoding::Json => json::parse_one(body, Strings::Plain, max_values),
    }
}

/// Parses the body of a successful response from an endpoint that takes several commands, of which there are `count`.
pub(crate) fn parse_many(body: Vec<u8>, encoding: Encoding, count: usize, max_values: usize) -> Result<Parsed> {
    match encoding {
        Encoding::Resp2 => resp2::parse_many(body, count, max_values),
        Encoding::Base64 => json::parse_many(body, Strings::Base64, count, max_values),
        Encoding::Json => json::parse_many(body, Strings::Plain, count, max_values),
    }
}

/// Parses the body of an error response. The service's own refusals are JSON even if RESP2 was asked for.
pub(crate) fn parse_error(body: Vec<u8>, encoding: Encoding) -> Result<Tape> {
    match (encoding, body.first()) {
        (Encoding::Resp2, Some(b'-')) => resp2::parse_one(body, usize::MAX),
        _ => json::parse_one(body, Strings::Plain, usize::MAX),
    }
}
