//! Prints the requests that the client sends.

use std::sync::Arc;

use async_trait::async_trait;
use database::say;
use redis_model::redis_rest::transport::{Request, Response, Transport, TransportError};

/// A transport that prints the path and the body of each request before it sends it. It cuts scripts, and does not print the
/// headers, because they contain the token.
#[derive(Debug)]
pub(crate) struct Printing(pub(crate) Arc<dyn Transport>);

#[async_trait]
impl Transport for Printing {
    async fn send(&self, request: Request) -> Result<Response, TransportError> {
        let body = shortened(&String::from_utf8_lossy(&request.body));
        say(&format!("-> POST {} {body}", request.endpoint.path()));
        self.0.send(request).await
    }
}

/// The most characters of an argument that are printed. The text of a script has thousands.
const MAX_ARGUMENT: usize = 72;

/// Cuts long arguments.
fn shortened(json: &str) -> String {
    let argument = |text: &str| match text.char_indices().nth(MAX_ARGUMENT) {
        Some((end, _)) => format!("{}..", text.get(..end).unwrap_or_default()),
        None => text.to_owned(),
    };
    json.split("\",\"").map(argument).collect::<Vec<_>>().join("\",\"")
}
