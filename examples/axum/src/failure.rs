//! The responses to requests that fail.

use axum::response::{IntoResponse, Response};
use http::StatusCode;
use redis_model::{Error, ErrorKind};

/// A status, and a line that says why.
#[derive(Debug)]
pub(crate) struct Failure(StatusCode, String);

pub(crate) type Result<T, E = Failure> = std::result::Result<T, E>;

impl Failure {
    pub(crate) fn unauthorized() -> Self {
        Failure(StatusCode::UNAUTHORIZED, "log in first".into())
    }

    pub(crate) fn not_found() -> Self {
        Failure(StatusCode::NOT_FOUND, "there is no such record".into())
    }
}

/// Handlers use `?` on every call: the kind of an error decides the status.
impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        let field = error.field().unwrap_or("record");
        match error.kind() {
            ErrorKind::Duplicate => Failure(StatusCode::CONFLICT, format!("this {field} is taken")),
            ErrorKind::Conflict => match error.stored_version() {
                Some(version) => {
                    Failure(StatusCode::CONFLICT, format!("the record has changed: its version is {version}"))
                }
                None => Failure(StatusCode::CONFLICT, format!("this {field} has changed")),
            },
            ErrorKind::AlreadyExists => Failure(StatusCode::CONFLICT, "the record exists already".into()),
            ErrorKind::NotFound => Failure::not_found(),
            ErrorKind::InvalidInput => Failure(StatusCode::UNPROCESSABLE_ENTITY, error.message().into()),
            kind => {
                // Not `%error`: that contains the key of the record, and the key of a session contains its secret.
                let (command, may_have_executed) = (error.command(), error.may_have_executed());
                tracing::error!(?kind, command, may_have_executed, "{}", error.message());
                let is_transient = error.is_transient();
                let status =
                    if is_transient { StatusCode::SERVICE_UNAVAILABLE } else { StatusCode::INTERNAL_SERVER_ERROR };
                Failure(status, status.canonical_reason().unwrap_or_default().into())
            }
        }
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        (self.0, self.1).into_response()
    }
}
