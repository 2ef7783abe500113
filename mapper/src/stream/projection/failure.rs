//! What the error of a handler becomes.

use std::error::Error as StdError;

use redis_rest::commands::stream::StreamId;
use redis_rest::{Error, ErrorKind};

use crate::stream::StreamModel;
use crate::stream::log::Log;

/// An error that the handler of a [`Projection`](crate::Projection) can return: [`redis_model::Error`](crate::Error),
/// one that implements [`std::error::Error`], `anyhow::Error`, `Box<dyn Error + Send + Sync>`, `String`, and
/// `&'static str`. See [`Projection::handler_error`](crate::Projection::handler_error).
pub trait HandlerError: Into<Box<dyn StdError + Send + Sync>> + Send + 'static {}

impl<E: Into<Box<dyn StdError + Send + Sync>> + Send + 'static> HandlerError for E {}

/// The error of a handler, with the entry that it was called with. The handler's own error is the source.
#[cold]
pub(super) fn of_handler<M: StreamModel>(log: &Log<M>, id: StreamId, error: impl HandlerError) -> Error {
    let failed = Error::new(ErrorKind::Handler, "").with_source(error);
    let kind = match cause(&failed).kind() {
        // Its text says that nothing was sent. That is true of a request of the handler, and not of the projection.
        ErrorKind::InvalidInput => ErrorKind::Handler,
        kind => kind,
    };
    // The text of the source, since values were cut from it.
    let why = match failed.source() {
        None => String::new(),
        Some(source) => {
            source.downcast_ref::<Error>().map_or_else(|| source.to_string(), |error| error.message().into())
        }
    };
    let failed = failed.explained(kind, format!("the handler has failed: {why}"));
    failed.context(format!("entry {id}")).about(M::MODEL_NAME, log.key())
}

/// The error that decides what follows: of a handler's error, the first of this crate in its chain of sources.
pub(super) fn cause(error: &Error) -> &Error {
    let mut next = error.source();
    while let Some(source) = next {
        if let Some(error) = source.downcast_ref::<Error>() {
            return error;
        }
        next = source.source();
    }
    error
}
