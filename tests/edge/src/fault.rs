//! HTTP servers that fail on purpose, and record what they see.

use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use redis_model_tools::Outcome;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

/// What the server does with a request.
#[derive(Debug, Clone)]
pub enum Act {
    /// Sends this and closes the connection.
    Send(String),
    /// Sends this and leaves the connection open.
    SendAndHold(String),
    /// Sends the request to the server at this address, waits for the reply, and closes the connection without it.
    LoseReply(String),
    /// Passes the request on to the server at this address, and its reply back.
    Forward(String),
}

impl Act {
    /// A reply with a status and a body.
    pub fn reply(status: &str, body: &str) -> Self {
        let length = body.len();
        Act::Send(format!(
            "HTTP/1.1 {status}\r\ncontent-type: application/json\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{body}"
        ))
    }

    /// The reply `"hello"` to a command.
    pub fn hello() -> Self {
        Act::reply("200 OK", r#"{"result":"aGVsbG8="}"#)
    }

    /// No answer.
    pub fn silence() -> Self {
        Act::SendAndHold(String::new())
    }
}

/// A request that has arrived.
#[derive(Debug, Clone, Default)]
pub struct Seen {
    /// The head, in lower case.
    pub head: String,
    /// When the client closed the connection, which only a server that holds it notices.
    pub closed: Option<Instant>,
}

/// A server on a free port. It lasts as long as the runtime.
pub struct FaultServer {
    pub url: String,
    seen: Arc<Mutex<Vec<Seen>>>,
}

impl FaultServer {
    /// Does the first act with the first request, and so on, and from then on the last.
    pub async fn start(acts: impl IntoIterator<Item = Act>) -> Outcome<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let url = format!("http://{}", listener.local_addr()?);
        let (acts, seen) = (Arc::new(acts.into_iter().collect::<Vec<_>>()), Arc::default());
        let server = FaultServer { url, seen: Arc::clone(&seen) };
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                // A connection that breaks is what this server is for.
                tokio::spawn({
                    let (acts, seen) = (Arc::clone(&acts), Arc::clone(&seen));
                    async move { drop(serve(stream, &acts, &seen).await) }
                });
            }
        });
        Ok(server)
    }

    /// Returns the requests so far.
    pub fn seen(&self) -> Vec<Seen> {
        lock(&self.seen).clone()
    }

    /// Returns the number of requests so far.
    pub fn count(&self) -> usize {
        lock(&self.seen).len()
    }
}

/// Returns the URL of a port on which nothing listens.
pub async fn nobody() -> Outcome<String> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    Ok(format!("http://{}", listener.local_addr()?))
}

fn lock(seen: &Mutex<Vec<Seen>>) -> MutexGuard<'_, Vec<Seen>> {
    seen.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn serve(mut stream: TcpStream, acts: &[Act], seen: &Mutex<Vec<Seen>>) -> io::Result<()> {
    let Some((raw, request)) = read(&mut stream).await? else { return Ok(()) };
    let number = {
        let mut seen = lock(seen);
        seen.push(request);
        seen.len() - 1
    };
    let Some(act) = acts.get(number).or(acts.last()) else { return Ok(()) };
    match act {
        Act::Send(text) => stream.write_all(text.as_bytes()).await?,
        Act::SendAndHold(text) => {
            stream.write_all(text.as_bytes()).await?;
            // It ends when the client closes the connection, or breaks it.
            let _ = stream.read(&mut [0; 1]).await;
            if let Some(request) = lock(seen).get_mut(number) {
                request.closed = Some(Instant::now());
            }
        }
        Act::LoseReply(address) => drop(exchange(address, &raw).await?),
        Act::Forward(address) => stream.write_all(&exchange(address, &raw).await?).await?,
    }
    stream.shutdown().await?;
    Ok(())
}

/// Reads a request: all of it as it came, and what is recorded. `None` if the client closes the connection before that.
async fn read(stream: &mut TcpStream) -> io::Result<Option<(Vec<u8>, Seen)>> {
    let mut raw = Vec::new();
    loop {
        if let Some(end) = raw.windows(4).position(|window| window == b"\r\n\r\n") {
            let head = String::from_utf8_lossy(raw.get(..end).unwrap_or_default()).to_lowercase();
            let length = head.lines().find_map(|line| line.strip_prefix("content-length:"));
            let length: usize = length.and_then(|length| length.trim().parse().ok()).unwrap_or(0);
            if raw.len() >= end + 4 + length {
                return Ok(Some((raw, Seen { head, closed: None })));
            }
        }
        if stream.read_buf(&mut raw).await? == 0 {
            return Ok(None);
        }
    }
}

/// Sends a request to another server, and reads its reply to the end.
async fn exchange(address: &str, request: &[u8]) -> io::Result<Vec<u8>> {
    let mut stream = TcpStream::connect(address.trim_start_matches("http://")).await?;
    let at = request
        .windows(2)
        .position(|window| window == b"\r\n")
        .ok_or_else(|| io::Error::other("a request without a line"))?;
    let (line, rest) = request.split_at(at);
    stream.write_all(&[line, b"\r\nconnection: close", rest].concat()).await?;
    let mut reply = Vec::new();
    stream.read_to_end(&mut reply).await?;
    Ok(reply)
}
