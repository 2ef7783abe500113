//! The wire formats as pure functions: arguments to bytes, bytes to a [`Tape`](tape::Tape). No HTTP, no async.

pub(crate) mod base64;
pub(crate) mod json;
pub(crate) mod request;
pub(crate) mod resp2;
pub(crate) mod tape;
