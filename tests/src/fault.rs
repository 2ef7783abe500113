//! Transports that fail on purpose.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::stream::unfold;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use redis_model::redis_rest::transport::{Body, Request, Response, Transport, TransportError};
use tokio::net::TcpListener;

/// Where a request's journey ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cut {
    /// Before it leaves: there is no connection.
    Before,
    /// On its way out: the connection breaks, and the server never sees it.
    During,
    /// The server executes it, and the connection breaks before the reply begins.
    After,
    /// So many bytes into the reply's body.
    InReply(usize),
    /// It arrives, and so does the reply.
    Nowhere,
}

/// A transport that fails the first requests as told, and then lets all pass.
#[derive(Debug)]
pub struct Faulty {
    inner: Arc<dyn Transport>,
    cuts: Vec<Cut>,
    sent: Arc<AtomicU32>,
}

impl Faulty {
    /// Fails the first request by the first cut, and so on; counts all in `sent`.
    pub fn new(inner: Arc<dyn Transport>, cuts: Vec<Cut>, sent: Arc<AtomicU32>) -> Self {
        Faulty { inner, cuts, sent }
    }
}

#[async_trait]
impl Transport for Faulty {
    async fn send(&self, request: Request) -> Result<Response, TransportError> {
        let number = self.sent.fetch_add(1, Ordering::SeqCst) as usize;
        let Some(cut) = self.cuts.get(number) else { return self.inner.send(request).await };
        match cut {
            Cut::Nowhere => self.inner.send(request).await,
            Cut::Before => Err(TransportError::not_sent("connection refused, on purpose")),
            Cut::During => Err(TransportError::interrupted("connection reset, on purpose")),
            Cut::After => {
                self.inner.send(request).await?;
                Err(TransportError::interrupted("connection reset, on purpose"))
            }
            Cut::InReply(bytes) => {
                let mut response = self.inner.send(request).await?;
                response.body = truncated(response.body, *bytes);
                Ok(response)
            }
        }
    }
}

/// A transport that sends another script: one with a mistake in it.
#[derive(Debug)]
pub struct Mutated {
    /// What sends the requests.
    pub inner: Arc<dyn Transport>,
    /// What stands in the script.
    pub right: &'static str,
    /// What is sent instead.
    pub wrong: &'static str,
}

#[async_trait]
impl Transport for Mutated {
    async fn send(&self, mut request: Request) -> Result<Response, TransportError> {
        if let Ok(text) = std::str::from_utf8(&request.body)
            && text.contains(self.right)
        {
            request.body = text.replace(self.right, self.wrong).into();
        }
        self.inner.send(request).await
    }
}

/// A body that breaks off after so many bytes, at its end at the latest.
fn truncated(body: Body, left: usize) -> Body {
    Body::chunks(unfold((body, left), |(mut body, left)| async move {
        let chunk = if left == 0 { None } else { body.chunk().await };
        match chunk {
            Some(Ok(mut chunk)) => {
                chunk.truncate(left);
                let left = left - chunk.len();
                Some((Ok(chunk), (body, left)))
            }
            _ => Some((Err(TransportError::interrupted("connection reset, on purpose")), (body, 0))),
        }
    }))
}

/// What a [`Canned`] transport answers: a status, headers and a body.
#[derive(Debug, Clone, Default)]
pub struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    body: Bytes,
}

impl Answer {
    /// Status 200 with this body.
    pub fn ok(body: impl Into<Bytes>) -> Self {
        Answer { body: body.into(), ..Answer::default() }
    }

    /// Another status.
    #[must_use]
    pub fn status(mut self, status: StatusCode) -> Self {
        self.status = status;
        self
    }

    /// A header.
    #[must_use]
    pub fn header(mut self, name: &'static str, value: &'static str) -> Self {
        self.headers.insert(HeaderName::from_static(name), HeaderValue::from_static(value));
        self
    }
}

/// A transport that answers with prepared responses and keeps what it was asked.
#[derive(Debug, Clone)]
pub struct Canned {
    answers: Arc<Vec<Answer>>,
    requests: Arc<Mutex<Vec<Request>>>,
}

impl Canned {
    /// Answers each request with the next answer, and from then on with the last.
    pub fn new(answers: impl IntoIterator<Item = Answer>) -> Self {
        Canned { answers: Arc::new(answers.into_iter().collect()), requests: Arc::default() }
    }

    /// What it was asked so far.
    pub fn requests(&self) -> Vec<Request> {
        self.requests.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

#[async_trait]
impl Transport for Canned {
    async fn send(&self, request: Request) -> Result<Response, TransportError> {
        let number = {
            let mut requests = self.requests.lock().unwrap_or_else(PoisonError::into_inner);
            requests.push(request);
            requests.len() - 1
        };
        let answer = self.answers.get(number).or(self.answers.last()).cloned().unwrap_or_default();
        Ok(Response { status: answer.status, headers: answer.headers, body: Body::whole(answer.body) })
    }
}

/// The URL of a server that accepts connections and never answers. It lasts as long as the runtime.
#[expect(clippy::expect_used, reason = "a test that cannot be set up should say so at once")]
pub async fn silent_socket() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    tokio::spawn(async move {
        let mut held = Vec::new();
        while let Ok((stream, _)) = listener.accept().await {
            held.push(stream);
        }
    });
    url
}
