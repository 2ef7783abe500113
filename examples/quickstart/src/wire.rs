//! Shows what goes over the wire.

use std::io::Write as _;
use std::sync::Arc;

use async_trait::async_trait;
use redis_model::redis_rest::transport::{Request, Response, Transport, TransportError};

/// A transport that prints each request's path and body before it sends it. The headers, which hold the token, it
/// keeps to itself.
#[derive(Debug)]
pub(crate) struct Shown(pub(crate) Arc<dyn Transport>);

#[async_trait]
impl Transport for Shown {
    async fn send(&self, request: Request) -> Result<Response, TransportError> {
        say(&format!("-> POST {} {}", request.endpoint.path(), String::from_utf8_lossy(&request.body)));
        self.0.send(request).await
    }
}

pub(crate) fn say(text: &str) {
    // With nobody to read it, the program goes on.
    let _ = writeln!(std::io::stdout(), "{text}");
}
