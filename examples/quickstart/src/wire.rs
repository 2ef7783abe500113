//! Prints the requests that the client sends.

use std::io::Write as _;
use std::sync::Arc;

use async_trait::async_trait;
use redis_model::redis_rest::transport::{Request, Response, Transport, TransportError};

/// A transport that prints the path and the body of each request before it sends it. It does not print the headers,
/// because they contain the token.
#[derive(Debug)]
pub(crate) struct Printing(pub(crate) Arc<dyn Transport>);

#[async_trait]
impl Transport for Printing {
    async fn send(&self, request: Request) -> Result<Response, TransportError> {
        say(&format!("-> POST {} {}", request.endpoint.path(), String::from_utf8_lossy(&request.body)));
        self.0.send(request).await
    }
}

pub(crate) fn say(text: &str) {
    // A closed output is no reason to stop.
    let _ = writeln!(std::io::stdout(), "{text}");
}
