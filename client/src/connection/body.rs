//! Bodies of responses, and the errors of transports.

use crate::error::{Error, ErrorKind, Result};
use crate::transport::{Body, TransportError, default};

/// Reads a whole body, up to `limit` bytes.
pub(super) async fn read_body(mut body: Body, limit: usize) -> Result<Vec<u8>> {
    // The announced size only saves reallocations. It may be wrong, so what it can reserve is bounded.
    let announced = usize::try_from(body.size_hint()).unwrap_or(usize::MAX).min(limit);
    let mut whole = Vec::with_capacity(announced.min(64 << 20));
    while let Some(chunk) = body.chunk().await {
        let chunk = chunk.map_err(transport_error)?;
        if whole.len() + chunk.len() > limit {
            return Err(Error::new(
                ErrorKind::TooLarge,
                format!("the response is larger than max_response_bytes, {limit}"),
            ));
        }
        whole.extend_from_slice(&chunk);
    }
    Ok(whole)
}

/// The error for a request without a response.
pub(crate) fn transport_error(error: TransportError) -> Error {
    let (kind, message) = if error.not_sent {
        (ErrorKind::Connect, "no connection to the server")
    } else {
        (ErrorKind::Interrupted, default::INTERRUPTED)
    };
    Error::new(kind, message).with_source(error.source)
}
