//! Requests to a Worker.

use std::time::Duration;

use http_body_util::{BodyExt as _, Full};
use hyper::body::{Bytes, Incoming};
use hyper::client::conn::http1::SendRequest;
use hyper::http::request::Builder;
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

/// A connection that stays open.
pub struct Connection {
    sender: SendRequest<Full<Bytes>>,
}

impl Connection {
    /// Connects to a port of this machine.
    ///
    /// # Errors
    ///
    /// Returns an error if nothing listens there.
    pub async fn open(port: u16) -> Outcome<Self> {
        let stream = TcpStream::connect(("127.0.0.1", port)).await?;
        stream.set_nodelay(true)?;
        let (sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
        // It ends with the last request, or when this is dropped.
        tokio::spawn(connection);
        Ok(Connection { sender })
    }

    /// Connects to a URL such as `http://127.0.0.1:8079`.
    ///
    /// # Errors
    ///
    /// Returns an error if nothing listens there.
    pub async fn open_url(url: &str) -> Outcome<Self> {
        let port = url.rsplit(':').next().ok_or("a URL without a port")?;
        Connection::open(port.parse()?).await
    }

    /// Sends a request, and returns the response when its head is there.
    ///
    /// # Errors
    ///
    /// Returns an error if the connection breaks.
    pub async fn send(&mut self, request: Builder, body: &str) -> Outcome<Response<Incoming>> {
        let request = request.header("host", "localhost").body(Full::from(body.to_owned()))?;
        self.sender.ready().await?;
        Ok(self.sender.send_request(request).await?)
    }

    /// Sends a request, and reads the whole response.
    ///
    /// # Errors
    ///
    /// Returns an error if the connection breaks.
    pub async fn get(&mut self, path: &str) -> Outcome<Answer> {
        answer(self.send(Request::get(path), "").await?).await
    }

    /// Sends a command to the REST API.
    ///
    /// # Errors
    ///
    /// Returns an error if the connection breaks.
    pub async fn command(&mut self, token: &str, command: &str) -> Outcome<Answer> {
        let request = Request::post("/").header("authorization", format!("Bearer {token}"));
        answer(self.send(request, command).await?).await
    }
}

/// Reads the whole response.
///
/// # Errors
///
/// Returns an error if the connection breaks.
pub async fn answer(response: Response<Incoming>) -> Outcome<Answer> {
    let status = response.status().as_u16();
    Ok(Answer { status, body: response.into_body().collect().await?.to_bytes() })
}

/// Sends a request on a connection of its own. Returns the response when its head is there.
///
/// # Errors
///
/// Returns an error if the connection breaks.
pub async fn open(port: u16, path: &str) -> Outcome<Response<Incoming>> {
    Connection::open(port).await?.send(Request::get(path), "").await
}

/// Sends a request, and reads the whole response.
///
/// # Errors
///
/// Returns an error if the connection breaks, or if the response takes too long.
pub async fn get(port: u16, path: &str) -> Outcome<Answer> {
    let found = async { answer(open(port, path).await?).await };
    tokio::time::timeout(PATIENCE, found).await.map_err(|_| format!("no answer to {path}"))?
}
