//! What a client needs of WASI: HTTP and timers, over the async runtime `wstd`. Copy this file.
//!
//! A component has one thread. `SendWrapper` lets what belongs to that thread pass as `Send`, which the client asks for.

use std::pin::Pin;
use std::time::Duration;

use async_trait::async_trait;
use futures_util::StreamExt as _;
use redis_model::redis_rest::Timer;
use redis_model::redis_rest::transport::{Body, Request, Response, Transport, TransportError};
use send_wrapper::SendWrapper;
use wstd::http::body::util::BodyDataStream;
use wstd::http::{Client, ErrorCode};

/// Sends requests by `wasi:http`, which follows no redirects.
#[derive(Debug)]
pub(crate) struct WasiTransport {
    url: String,
}

impl WasiTransport {
    /// `url` is that of the database. The endpoints of requests are relative to it.
    pub(crate) fn new(url: impl Into<String>) -> Self {
        WasiTransport { url: url.into().trim_end_matches('/').to_owned() }
    }
}

#[async_trait]
impl Transport for WasiTransport {
    async fn send(&self, request: Request) -> Result<Response, TransportError> {
        let mut post = wstd::http::Request::post(format!("{}{}", self.url, request.endpoint.path()));
        if let Some(headers) = post.headers_mut() {
            *headers = request.headers;
        }
        let post = post.body(request.body).map_err(TransportError::not_sent)?;
        // The client limits the time, and drops this future then: that closes the connection.
        let sent = SendWrapper::new(async move { Client::new().send(post).await });
        let (head, body) = sent.await.map_err(|error| failure(&error))?.into_parts();
        let chunks = BodyDataStream::new(body.into_boxed_body()).map(|chunk| chunk.map_err(|error| failure(&error)));
        Ok(Response { status: head.status, headers: head.headers, body: Body::chunks(SendWrapper::new(chunks)) })
    }
}

/// The client repeats any request that was certainly not sent, and others only if that is safe. When in doubt, it was sent.
fn failure(error: &wstd::http::Error) -> TransportError {
    match error.downcast_ref() {
        Some(code @ (ErrorCode::ConnectionRefused | ErrorCode::DnsError(_) | ErrorCode::DestinationNotFound)) => {
            TransportError::not_sent(code.to_string())
        }
        _ => TransportError::interrupted(error.to_string()),
    }
}

/// Waits by `wasi:clocks`.
#[derive(Debug)]
pub(crate) struct WasiTimer;

impl Timer for WasiTimer {
    fn sleep(&self, duration: Duration) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        Box::pin(SendWrapper::new(async move {
            wstd::task::sleep(duration.into()).await;
        }))
    }
}
