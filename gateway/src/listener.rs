//! Connections from clients: how many there are, how long they may take, and how they end.
//!
//! A connection has a seat while a request with a valid token is open on it. Seats are limited for each kind of token. Any
//! other connection may be closed to make room for a new one. So neither idle connections, nor slow ones, nor the requests
//! of one token can keep the others out.

use std::collections::HashMap;
use std::convert::Infallible;
use std::fmt;
use std::io::{self, IoSlice};
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::Request;
use axum::http::{Extensions, StatusCode};
use axum::response::Response;
use hyper::body::{Body as HttpBody, Frame, Incoming, SizeHint};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore, watch};
use tokio::task::JoinSet;
use tokio::time::Instant;

use crate::limits::Limits;
use crate::response::Refusal;

/// The time for a connection to end by itself before it is cut.
const LEAVE: Duration = Duration::from_millis(250);

/// The time for which a new connection waits for room.
const PATIENCE: Duration = Duration::from_secs(1);

/// Gives the request of a connection a seat until its response has ended.
///
/// `extensions` are those of the request. `is_full` says whether its token allows all commands.
pub(crate) fn admit(extensions: &Extensions, is_full: bool) -> Result<(), Refusal> {
    extensions.get::<Arc<Line>>().map_or(Ok(()), |line| line.sit_down(is_full))
}

/// Serves connections until `stop` is true, and then until their requests have ended. Cuts all when the sender of `stop` is
/// dropped.
pub(crate) async fn serve<S, F>(listener: TcpListener, limits: Limits, mut stop: watch::Receiver<bool>, service: S)
where
    S: Fn(Request) -> F + Clone + Send + Sync + 'static,
    F: Future<Output = Response> + Send + 'static,
{
    let hall = Arc::new(Hall::new(limits));
    // They are aborted when this is dropped.
    let mut connections = JoinSet::new();
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            stopping = stop.wait_for(|stopping| *stopping) => match stopping {
                Ok(_) => break,
                Err(_) => return,
            },
            Some(_) = connections.join_next() => continue,
        };
        match accepted {
            Ok((stream, _)) => {
                if let Some(place) = hall.place().await {
                    connections.spawn(drive(stream, place, Arc::clone(&hall), stop.clone(), service.clone()));
                }
            }
            Err(error) if is_of_the_client(&error) => {}
            Err(_) => {
                // The process has too many open files.
                hall.make_room();
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
    }
    drop(listener);
    tokio::select! {
        () = async { while connections.join_next().await.is_some() {} } => {}
        // This ends only when the sender is dropped.
        _ = stop.wait_for(|stopping| !*stopping) => {}
    }
}

/// Returns whether an error of `accept` concerns only the connection that was to be accepted.
fn is_of_the_client(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset)
}

async fn drive<S, F>(stream: TcpStream, place: Place, hall: Arc<Hall>, mut stop: watch::Receiver<bool>, service: S)
where
    S: Fn(Request) -> F + Clone + Send + Sync + 'static,
    F: Future<Output = Response> + Send + 'static,
{
    // Small responses must not wait for acknowledgements. If this fails, they do.
    let _ = stream.set_nodelay(true);
    let line = &place.line;
    let answer = service_fn(|request: Request<Incoming>| {
        line.head_has_arrived();
        // Its drop ends the request, also if the client goes away before there is a response.
        let visit = Visit(Arc::clone(line));
        let mut request = request.map(|body| Body::new(Upload { body, line: Arc::clone(line) }));
        request.extensions_mut().insert(Arc::clone(line));
        let response = service(request);
        async move { Ok::<_, Infallible>(response.await.map(|body| Download { body, _visit: visit })) }
    });
    let io = TokioIo::new(Watched { stream, line: Arc::clone(line) });
    let mut connection =
        pin!(http1::Builder::new().timer(TokioTimer::new()).header_read_timeout(None).serve_connection(io, answer));
    let tick = hall.limits.head.min(hall.limits.stalled).min(Duration::from_secs(8)) / 4;
    let mut clock = tokio::time::interval(tick);
    let mut leave_at: Option<Instant> = None;
    loop {
        let leave = async {
            match leave_at {
                Some(at) => tokio::time::sleep_until(at).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            // An error is the client's, or its absence. There is nobody to tell.
            _ = connection.as_mut() => return,
            () = line.leave.notified() => {
                if line.has_nothing_to_lose() {
                    return;
                }
            }
            _ = stop.wait_for(|stopping| *stopping), if leave_at.is_none() => {}
            () = leave => {
                if line.may_be_cut() {
                    return;
                }
            }
            _ = clock.tick() => {
                if line.is_overdue(&hall.limits) {
                    return;
                }
                continue;
            }
        }
        connection.as_mut().graceful_shutdown();
        leave_at = Some(Instant::now() + LEAVE);
    }
}

/// All connections.
struct Hall {
    limits: Limits,
    places: Arc<Semaphore>,
    seats: Arc<Seats>,
    lines: Mutex<HashMap<u64, Arc<Line>>>,
    next: AtomicU64,
}

/// The open requests that there may still be.
#[derive(Debug)]
struct Seats {
    all: Arc<Semaphore>,
    full: Arc<Semaphore>,
    others: Arc<Semaphore>,
}

impl Hall {
    fn new(limits: Limits) -> Self {
        Hall {
            places: Arc::new(Semaphore::new(limits.connections)),
            seats: Arc::new(Seats {
                all: Arc::new(Semaphore::new(limits.requests())),
                full: Arc::new(Semaphore::new(limits.full_requests())),
                others: Arc::new(Semaphore::new(limits.other_requests())),
            }),
            lines: Mutex::default(),
            next: AtomicU64::new(0),
            limits,
        }
    }

    /// Returns a place for a new connection. Closes another one if there is none. Returns `None` if all have seats.
    async fn place(self: &Arc<Self>) -> Option<Place> {
        let waiting = Instant::now();
        let permit = loop {
            if let Ok(permit) = Arc::clone(&self.places).try_acquire_owned() {
                break permit;
            }
            if waiting.elapsed() > PATIENCE {
                return None;
            }
            self.make_room();
            let place = Arc::clone(&self.places).acquire_owned();
            if let Ok(Ok(permit)) = tokio::time::timeout(PATIENCE / 8, place).await {
                break permit;
            }
        };
        let id = self.next.fetch_add(1, Ordering::Relaxed);
        let line = Arc::new(Line::new(Arc::clone(&self.seats)));
        self.lines().insert(id, Arc::clone(&line));
        Some(Place { id, line, hall: Arc::clone(self), _permit: permit })
    }

    /// Closes the connection that has been without a seat for the longest time.
    fn make_room(&self) {
        let lines = self.lines();
        let oldest = lines.values().filter_map(|line| Some((line.without_seat_since()?, line)));
        if let Some((_, line)) = oldest.min_by_key(|(since, _)| *since) {
            line.state().is_leaving = true;
            line.leave.notify_one();
        }
    }

    fn lines(&self) -> MutexGuard<'_, HashMap<u64, Arc<Line>>> {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The place of a connection among all. It is free again when this value is dropped.
struct Place {
    id: u64,
    line: Arc<Line>,
    hall: Arc<Hall>,
    _permit: OwnedSemaphorePermit,
}

impl Drop for Place {
    fn drop(&mut self) {
        self.hall.lines().remove(&self.id);
    }
}

/// What is known about a connection.
pub(crate) struct Line {
    seats: Arc<Seats>,
    state: Mutex<LineState>,
    /// Tells the connection to end.
    leave: Notify,
}

struct LineState {
    phase: Phase,
    /// When the phase began.
    since: Instant,
    /// When the body of the request began, if it has not ended.
    body_since: Option<Instant>,
    /// Since when the client has taken nothing of a response.
    stalled_since: Option<Instant>,
    /// Of the token, and of all.
    seat: Option<(OwnedSemaphorePermit, OwnedSemaphorePermit)>,
    is_leaving: bool,
}

#[derive(Clone, Copy, PartialEq)]
enum Phase {
    /// Between two requests.
    Idle,
    /// The head of a request is expected: it has begun, or the connection is new.
    Head,
    /// A request is open.
    Request,
}

impl Line {
    fn new(seats: Arc<Seats>) -> Self {
        let state = LineState {
            phase: Phase::Head,
            since: Instant::now(),
            body_since: None,
            stalled_since: None,
            seat: None,
            is_leaving: false,
        };
        Line { seats, state: Mutex::new(state), leave: Notify::new() }
    }

    fn state(&self) -> MutexGuard<'_, LineState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn enter(&self, phase: Phase) {
        let mut state = self.state();
        state.phase = phase;
        state.since = Instant::now();
    }

    fn bytes_have_arrived(&self) {
        if self.state().phase == Phase::Idle {
            self.enter(Phase::Head);
        }
    }

    fn head_has_arrived(&self) {
        self.enter(Phase::Request);
        self.state().body_since = Some(Instant::now());
    }

    fn request_has_ended(&self) {
        self.enter(Phase::Idle);
        self.state().seat = None;
    }

    fn sit_down(&self, is_full: bool) -> Result<(), Refusal> {
        let seats = if is_full { &self.seats.full } else { &self.seats.others };
        let take = |seats: &Arc<Semaphore>| Arc::clone(seats).try_acquire_owned().ok();
        let Some(seat) = take(seats).zip(take(&self.seats.all)) else {
            return Err(Refusal(
                StatusCode::TOO_MANY_REQUESTS,
                "ERR max concurrent connections exceeded: there are too many open requests and subscriptions"
                    .to_owned(),
            ));
        };
        self.state().seat = Some(seat);
        Ok(())
    }

    /// Returns since when the connection has had no seat. Returns `None` if it has one, or is about to end.
    fn without_seat_since(&self) -> Option<Instant> {
        let state = self.state();
        (state.seat.is_none() && !state.is_leaving).then_some(state.since)
    }

    /// Returns whether nothing is lost that a client with a valid token waits for.
    fn has_nothing_to_lose(&self) -> bool {
        let state = self.state();
        state.seat.is_none() && state.phase != Phase::Idle && state.stalled_since.is_none()
    }

    /// Returns whether a connection that was told to end can be cut: another client needs its place, or no request is open
    /// and all of its response has been sent.
    fn may_be_cut(&self) -> bool {
        let state = self.state();
        let has_ended = state.phase != Phase::Request && state.stalled_since.is_none();
        state.seat.is_none() && (state.is_leaving || has_ended)
    }

    fn is_overdue(&self, limits: &Limits) -> bool {
        let state = self.state();
        let has_passed = |since: Option<Instant>, limit| since.is_some_and(|since| since.elapsed() > limit);
        let phase_has_passed = match state.phase {
            Phase::Idle => state.since.elapsed() > limits.idle,
            Phase::Head => state.since.elapsed() > limits.head,
            Phase::Request => false,
        };
        phase_has_passed || has_passed(state.body_since, limits.body) || has_passed(state.stalled_since, limits.stalled)
    }
}

impl fmt::Debug for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Line")
    }
}

/// An open request.
struct Visit(Arc<Line>);

impl Drop for Visit {
    fn drop(&mut self) {
        self.0.request_has_ended();
    }
}

/// The body of a request, which reports its end.
struct Upload {
    body: Incoming,
    line: Arc<Line>,
}

impl HttpBody for Upload {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<hyper::Result<Frame<Bytes>>>> {
        Pin::new(&mut self.body).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl Drop for Upload {
    fn drop(&mut self) {
        self.line.state().body_since = None;
    }
}

/// The body of a response. The request is open until it is dropped.
struct Download {
    body: Body,
    _visit: Visit,
}

impl HttpBody for Download {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.body).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// A stream that reports when bytes arrive, and when the client takes none.
struct Watched {
    stream: TcpStream,
    line: Arc<Line>,
}

impl Watched {
    fn report<T>(&self, written: Poll<T>) -> Poll<T> {
        let mut state = self.line.state();
        if written.is_pending() {
            state.stalled_since.get_or_insert_with(Instant::now);
        } else {
            state.stalled_since = None;
        }
        written
    }
}

impl AsyncRead for Watched {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        let read = Pin::new(&mut self.stream).poll_read(cx, buf);
        if buf.filled().len() > before {
            self.line.bytes_have_arrived();
        }
        read
    }
}

impl AsyncWrite for Watched {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(cx, buf);
        self.report(written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(cx, bufs);
        self.report(written)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::task::JoinHandle;

    use super::*;

    const SHORT: Duration = Duration::from_millis(200);
    const LONG: Duration = Duration::from_secs(60);

    /// A gateway that answers each request after its body, with a body of so many bytes as its path says.
    async fn start(limits: Limits) -> (std::net::SocketAddr, watch::Sender<bool>, JoinHandle<()>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopping) = watch::channel(false);
        let answer = |request: Request| async move {
            let (parts, body) = request.into_parts();
            let is_full = parts.uri.query() == Some("full");
            let seated = parts.uri.query().map_or(Ok(()), |_| admit(&parts.extensions, is_full));
            if let Err(refusal) = seated {
                return axum::response::IntoResponse::into_response(refusal);
            }
            match parts.uri.path().trim_start_matches('/').parse() {
                Ok(length) => {
                    let _ = axum::body::to_bytes(body, usize::MAX).await;
                    Response::new(Body::from(vec![b'x'; length]))
                }
                Err(_) => {
                    Response::new(Body::from_stream(futures_util::stream::pending::<Result<Bytes, Infallible>>()))
                }
            }
        };
        (address, stop, tokio::spawn(serve(listener, limits, stopping, answer)))
    }

    fn limits() -> Limits {
        Limits { connections: 8, head: LONG, body: LONG, idle: LONG, stalled: LONG }
    }

    async fn send(address: std::net::SocketAddr, bytes: &str) -> TcpStream {
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(bytes.as_bytes()).await.unwrap();
        stream
    }

    /// Reads until the gateway closes the connection, which is soon.
    async fn closed(mut stream: TcpStream) -> String {
        let mut read = Vec::new();
        // A cut connection is an error if the gateway had not read all.
        let _ = tokio::time::timeout(10 * SHORT, stream.read_to_end(&mut read)).await.unwrap();
        String::from_utf8_lossy(&read).into_owned()
    }

    async fn status(stream: &mut TcpStream) -> String {
        let mut head = vec![0; 12];
        tokio::time::timeout(20 * SHORT, stream.read_exact(&mut head)).await.unwrap().unwrap();
        String::from_utf8_lossy(&head).into_owned()
    }

    const GET: &str = "GET /3 HTTP/1.1\r\nhost: x\r\n\r\n";

    #[tokio::test]
    async fn slow_heads_and_bodies_and_idle_connections_and_stalled_readers_are_cut() {
        let (address, _stop, _) = start(Limits { head: SHORT, ..limits() }).await;
        assert_eq!(closed(send(address, "").await).await, "");
        assert_eq!(closed(send(address, "GET /3 HTTP/1.1\r\nhost:").await).await, "");
        let (address, _stop, _) = start(Limits { idle: SHORT, head: SHORT, ..limits() }).await;
        assert!(closed(send(address, GET).await).await.ends_with("xxx"));
        let (address, _stop, _) = start(Limits { body: SHORT, head: SHORT, ..limits() }).await;
        assert_eq!(closed(send(address, "POST /3 HTTP/1.1\r\nhost: x\r\ncontent-length: 9\r\n\r\n1").await).await, "");
        let (address, _stop, _) = start(Limits { stalled: SHORT, ..limits() }).await;
        let stream = send(address, &GET.replace('3', "30000000")).await;
        tokio::time::sleep(5 * SHORT).await;
        assert!(closed(stream).await.len() < 30_000_000);
    }

    #[tokio::test]
    async fn a_stream_of_events_that_is_silent_is_not_cut() {
        let (address, _stop, _) =
            start(Limits { head: SHORT, body: SHORT, idle: SHORT, stalled: SHORT, ..limits() }).await;
        let mut stream = send(address, "POST /events?full HTTP/1.1\r\nhost: x\r\ncontent-length: 5\r\n\r\n").await;
        assert_eq!(status(&mut stream).await, "HTTP/1.1 200");
        tokio::time::sleep(4 * SHORT).await;
        let mut rest = [0; 1 << 10];
        while let Ok(read) = tokio::time::timeout(SHORT, stream.read(&mut rest)).await {
            assert_ne!(read.unwrap(), 0);
        }
    }

    #[tokio::test]
    async fn other_tokens_and_idle_connections_leave_room() {
        let (address, _stop, _) = start(limits()).await;
        let mut crowd = Vec::new();
        for number in 0..30 {
            let mut stream = send(address, "GET /events?other HTTP/1.1\r\nhost: x\r\n\r\n").await;
            let expected = if number < 4 { "HTTP/1.1 200" } else { "HTTP/1.1 429" };
            assert_eq!(status(&mut stream).await, expected, "{number}");
            crowd.push(stream);
            // Some send nothing, or never end their head.
            crowd.push(send(address, "").await);
            crowd.push(send(address, "GET").await);
        }
        for _ in 0..3 {
            let mut stream = send(address, &GET.replace("/3", "/3?full")).await;
            assert_eq!(status(&mut stream).await, "HTTP/1.1 200");
        }
        // The full token is refused only when it has taken the rest itself.
        let mut full = Vec::new();
        for number in 0..6 {
            let mut stream = send(address, "GET /events?full HTTP/1.1\r\nhost: x\r\n\r\n").await;
            let expected = if number < 3 { "HTTP/1.1 200" } else { "HTTP/1.1 429" };
            assert_eq!(status(&mut stream).await, expected, "{number}");
            full.push(stream);
        }
        // The streams that had a place have kept it.
        let mut silent = 0;
        for stream in crowd.iter_mut().step_by(3).take(4) {
            let mut rest = vec![0; 1 << 10];
            loop {
                match tokio::time::timeout(Duration::from_millis(20), stream.read(&mut rest)).await {
                    Ok(Ok(1..)) => {}
                    Ok(_) => break,
                    Err(_) => {
                        silent += 1;
                        break;
                    }
                }
            }
        }
        assert_eq!(silent, 4);
    }

    #[tokio::test]
    async fn a_shutdown_waits_for_open_requests_alone() {
        let (address, stop, served) = start(limits()).await;
        let idle = send(address, GET).await;
        let unused = send(address, "").await;
        let mut open = send(address, "POST /3?full HTTP/1.1\r\nhost: x\r\ncontent-length: 2\r\n\r\n1").await;
        tokio::time::sleep(SHORT).await;
        stop.send(true).unwrap();
        assert!(closed(idle).await.ends_with("xxx"));
        assert_eq!(closed(unused).await, "");
        assert!(TcpStream::connect(address).await.is_err());
        assert!(!served.is_finished());
        tokio::time::sleep(2 * LEAVE).await;
        open.write_all(b"2").await.unwrap();
        assert!(closed(open).await.ends_with("xxx"));
        tokio::time::timeout(10 * SHORT, served).await.unwrap().unwrap();
    }
}
