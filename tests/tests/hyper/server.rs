//! A server of raw sockets: it answers each request with the bytes that a test prescribes.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;

/// What follows an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Then {
    /// The connection stays open.
    Stay,
    /// It is closed at once.
    Close,
}

/// Runs on a thread of its own until it is dropped, so that a test may block its thread, or stop its clock.
pub(super) struct Server {
    pub(super) address: SocketAddr,
    state: Arc<State>,
    _stop: oneshot::Sender<()>,
}

#[derive(Default)]
struct State {
    accepted: AtomicUsize,
    open: AtomicUsize,
    requests: Mutex<Vec<String>>,
}

impl Server {
    /// `answer` gets the number of the request, from 0.
    pub(super) fn start(answer: impl Fn(usize) -> (Vec<u8>, Then) + Send + Sync + 'static) -> Self {
        Server::start_at("127.0.0.1:0", answer)
    }

    pub(super) fn start_at(address: &str, answer: impl Fn(usize) -> (Vec<u8>, Then) + Send + Sync + 'static) -> Self {
        let listener = std::net::TcpListener::bind(address).unwrap();
        listener.set_nonblocking(true).unwrap();
        let address = listener.local_addr().unwrap();
        let state = Arc::<State>::default();
        let (stop, stopped) = oneshot::channel::<()>();
        let (shared, answer) = (Arc::clone(&state), Arc::new(answer));
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async move {
                let listener = TcpListener::from_std(listener).unwrap();
                let accept = async {
                    while let Ok((stream, _)) = listener.accept().await {
                        shared.accepted.fetch_add(1, Ordering::SeqCst);
                        shared.open.fetch_add(1, Ordering::SeqCst);
                        let (shared, answer) = (Arc::clone(&shared), Arc::clone(&answer));
                        tokio::spawn(async move {
                            let _ = shared.serve(stream, &*answer).await;
                            shared.open.fetch_sub(1, Ordering::SeqCst);
                        });
                    }
                };
                tokio::select! { () = accept => {}, _ = stopped => {} }
            });
        });
        Server { address, state, _stop: stop }
    }

    pub(super) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// How many connections it has accepted.
    pub(super) fn accepted(&self) -> usize {
        self.state.accepted.load(Ordering::SeqCst)
    }

    /// The heads of the requests so far.
    pub(super) fn requests(&self) -> Vec<String> {
        self.state.requests.lock().unwrap().clone()
    }

    /// Blocks until so many connections are open.
    pub(super) fn wait_until_open(&self, count: usize) {
        for _ in 0..1000 {
            if self.state.open.load(Ordering::SeqCst) == count {
                return;
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        panic!("{} connections are open, not {count}", self.state.open.load(Ordering::SeqCst));
    }
}

impl State {
    /// Ends when the client has closed the connection, or the answer says so.
    async fn serve(&self, mut stream: TcpStream, answer: impl Fn(usize) -> (Vec<u8>, Then)) -> std::io::Result<()> {
        let mut read = Vec::new();
        while let Some(request) = request(&mut stream, &mut read).await? {
            let number = {
                let mut requests = self.requests.lock().unwrap();
                requests.push(request);
                requests.len() - 1
            };
            let (bytes, then) = answer(number);
            stream.write_all(&bytes).await?;
            if then == Then::Close {
                break;
            }
        }
        Ok(())
    }
}

/// Reads a request with a `Content-Length`.
async fn request(stream: &mut TcpStream, read: &mut Vec<u8>) -> std::io::Result<Option<String>> {
    loop {
        if let Some(end) = read.windows(4).position(|four| four == b"\r\n\r\n") {
            let head = String::from_utf8_lossy(&read[..end + 4]).into_owned();
            let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
            let end = end + 4 + length.map_or(0, |length| length.parse().unwrap());
            if read.len() >= end {
                read.drain(..end);
                return Ok(Some(head));
            }
        }
        if stream.read_buf(read).await? == 0 {
            return Ok(None);
        }
    }
}

/// A whole response with status 200.
pub(super) fn ok(body: &str) -> Vec<u8> {
    format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{body}", body.len()).into_bytes()
}
