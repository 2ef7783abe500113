//! What the errors of a log say: what to do.

use redis_rest::{Error, ErrorKind};

/// The ids of XADD are refused by these texts.
const NOT_GREATER: &str = "ERR The ID specified in XADD is equal or smaller";
const EXHAUSTED: &str = "ERR The stream has exhausted the last possible ID";

/// Adds what to do to an error of a command on a log.
pub(super) fn explain(error: Error) -> Error {
    let (kind, message) = match error.kind() {
        ErrorKind::Redis if error.is_wrong_type() => (
            ErrorKind::Redis,
            "WRONGTYPE the key holds another kind of value than a stream, so another model or program uses it; use another \
             prefix, or remove the key",
        ),
        ErrorKind::Redis if error.message().starts_with("NOGROUP") => (
            ErrorKind::NotFound,
            "NOGROUP: the log has no such group, or does not exist; call `create` first, or check the name",
        ),
        ErrorKind::Redis if error.message().starts_with(NOT_GREATER) => (
            ErrorKind::Conflict,
            "the log has had this id or a greater one; use a greater id, or `append`, for which the server chooses it",
        ),
        ErrorKind::Redis if error.message().starts_with(EXHAUSTED) => {
            (ErrorKind::Conflict, "the log has had the greatest possible id, so no entry can follow; use another log")
        }
        ErrorKind::TooLarge if error.status().is_some() => (
            ErrorKind::TooLarge,
            "the request is larger than the service takes; append fewer events at once, or keep large values under keys of \
             their own and put these keys into the event. Nothing was changed",
        ),
        ErrorKind::TooLarge => (
            ErrorKind::TooLarge,
            "the reply is larger than the service or the client takes; read fewer entries at once",
        ),
        _ => return error,
    };
    error.explained(kind, message)
}
