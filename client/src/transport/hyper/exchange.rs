//! One connection, the request that goes out on it, and the body that comes in.

use std::convert::Infallible;
use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::{Request, Response};
use hyper::body::{Body, Frame, Incoming, SizeHint};
use hyper::client::conn::TrySendError;
use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use tokio::runtime::Handle;

use super::pool::Pool;
use super::stream::{Socket, Stream};
use crate::transport::TransportError;

/// A connection, which is closed when it is dropped.
///
/// hyper leaves it to its user who polls a connection. Here, that is whoever waits for the response: a task for each
/// connection would have to be woken for each request, on another thread if the client is blocking.
pub(super) struct Connection {
    /// It works only while this is running.
    runtime: Handle,
    socket: Socket,
    sender: SendRequest<Upload>,
    /// `None` once it has ended.
    driver: Option<http1::Connection<TokioIo<Stream>, Upload>>,
}

impl Connection {
    pub(super) fn new(
        runtime: Handle,
        socket: Socket,
        sender: SendRequest<Upload>,
        driver: http1::Connection<TokioIo<Stream>, Upload>,
    ) -> Self {
        Connection { runtime, socket, sender, driver: Some(driver) }
    }

    pub(super) fn runtime(&self) -> &Handle {
        &self.runtime
    }

    /// Returns whether the last exchange has ended, and another may follow.
    pub(super) fn is_reusable(&self) -> bool {
        self.driver.is_some() && self.sender.is_ready()
    }

    /// Returns whether the server has left the connection open since the last exchange.
    pub(super) fn is_open(&self) -> bool {
        self.socket.is_quiet()
    }

    /// Reads and writes as much as is possible now.
    fn drive(&mut self, cx: &mut Context<'_>) {
        if let Some(driver) = &mut self.driver
            && Pin::new(driver).poll(cx).is_ready()
        {
            // Whoever waits for something from this connection learns now that it does not come.
            self.driver = None;
        }
    }

    /// Returns when the head of the response has arrived. An error contains the request if no byte of it was sent.
    pub(super) async fn send(
        &mut self,
        request: Request<Upload>,
    ) -> Result<Response<Incoming>, TrySendError<Request<Upload>>> {
        let mut response = pin!(self.sender.try_send_request(request));
        poll_fn(|cx| {
            self.drive(cx);
            response.as_mut().poll(cx)
        })
        .await
    }
}

/// The body of a request.
pub(super) struct Upload(Bytes);

impl Upload {
    pub(super) fn new(bytes: Bytes) -> Self {
        Upload(bytes)
    }
}

impl Body for Upload {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let bytes = std::mem::take(&mut self.0);
        Poll::Ready((!bytes.is_empty()).then(|| Ok(Frame::data(bytes))))
    }

    fn is_end_stream(&self) -> bool {
        self.0.is_empty()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.0.len() as u64)
    }
}

/// The body of a response. At its end, the connection returns to the pool; if this is dropped before, it is closed.
pub(crate) struct Chunks {
    incoming: Incoming,
    /// `None` after the end.
    connection: Option<Box<Connection>>,
    pool: Arc<Pool>,
}

impl Chunks {
    pub(super) fn new(incoming: Incoming, connection: Box<Connection>, pool: Arc<Pool>) -> Self {
        let mut chunks = Chunks { incoming, connection: Some(connection), pool };
        chunks.release_at_end();
        chunks
    }

    pub(in crate::transport) fn poll_next(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, TransportError>>> {
        loop {
            let Poll::Ready(frame) = self.poll_frame(cx) else { return Poll::Pending };
            match frame {
                Some(Ok(frame)) => {
                    self.release_at_end();
                    // Anything else is trailers.
                    if let Ok(chunk) = frame.into_data() {
                        return Poll::Ready(Some(Ok(chunk)));
                    }
                }
                Some(Err(error)) => {
                    self.connection = None;
                    return Poll::Ready(Some(Err(TransportError::interrupted(error))));
                }
                None => {
                    self.release();
                    return Poll::Ready(None);
                }
            }
        }
    }

    /// What has been read already comes first.
    fn poll_frame(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        let frame = Pin::new(&mut self.incoming).poll_frame(cx);
        match (frame, &mut self.connection) {
            (Poll::Pending, Some(connection)) => {
                connection.drive(cx);
                Pin::new(&mut self.incoming).poll_frame(cx)
            }
            (frame, _) => frame,
        }
    }

    fn release_at_end(&mut self) {
        if self.incoming.is_end_stream() {
            self.release();
        }
    }

    fn release(&mut self) {
        if let Some(connection) = self.connection.take()
            && connection.is_reusable()
        {
            self.pool.put(connection);
        }
    }

    /// The announced number of bytes; 0 if it is not known.
    pub(in crate::transport) fn announced_bytes(&self) -> u64 {
        self.incoming.size_hint().exact().unwrap_or(0)
    }
}
