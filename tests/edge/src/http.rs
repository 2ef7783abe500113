//! Requests to a Worker.

use std::time::Duration;

use http_body_util::{BodyExt as _, Empty};
use hyper::body::{Bytes, Incoming};
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use redis_model_tools::Outcome;
use tokio::net::TcpStream;

/// No check takes as long.
const PATIENCE: Duration = Duration::from_secs(60);

/// What a Worker has answered.
#[derive(Debug, Clone)]
pub struct Answer {
    pub status: u16,
    pub body: Bytes,
}

impl Answer {
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

/// Sends a request on a connection of its own. Returns the response when its head is there.
///
/// # Errors
///
/// Returns an error if the connection breaks.
pub async fn open(port: u16, path: &str) -> Outcome<Response<Incoming>> {
    let stream = TcpStream::connect(("127.0.0.1", port)).await?;
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
    // It ends with the body, or when that is dropped.
    tokio::spawn(connection);
    let request = Request::get(path).header("host", "localhost").body(Empty::<Bytes>::new())?;
    Ok(sender.send_request(request).await?)
}

/// Sends a request, and reads the whole response.
///
/// # Errors
///
/// Returns an error if the connection breaks, or if the response takes too long.
pub async fn get(port: u16, path: &str) -> Outcome<Answer> {
    let answer = async {
        let response = open(port, path).await?;
        let status = response.status().as_u16();
        Ok(Answer { status, body: response.into_body().collect().await?.to_bytes() })
    };
    tokio::time::timeout(PATIENCE, answer).await.map_err(|_| format!("no answer to {path}"))?
}
