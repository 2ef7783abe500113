//! The transport over JavaScript's `fetch`: the only file that knows it.
//!
//! JavaScript has one thread here. What holds its values is wrapped, and panics on another thread, which no program has.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use http::header::{CONTENT_ENCODING, CONTENT_LENGTH};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use js_sys::{Array, ArrayBuffer, Function, Object, Promise, Reflect, Uint8Array};
use send_wrapper::SendWrapper;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{AbortController, Headers, ReadableStreamDefaultReader, RequestInit, RequestRedirect};

use super::{Body, Inner, Request, Response, Transport, TransportError};
use crate::error::Result;

/// What an interrupted request means.
pub(crate) const INTERRUPTED: &str =
    "`fetch` failed, or the reply broke off; JavaScript does not tell whether the request was sent";

/// A body of up to this length is read as a whole: in one promise, where a stream takes several.
const SMALL: u64 = 64 << 10;

/// The most that is kept of what JavaScript says about a failure.
const MAX_TEXT: usize = 200;

/// Sends requests by the global function `fetch`.
#[derive(Debug)]
struct FetchTransport {
    base: String,
}

/// Returns a transport to `base`, which has passed the checks of the builder and ends in a slash. `fetch` connects as long as
/// the attempt lasts.
pub(crate) fn open(base: &str, _connect_timeout: Duration) -> Result<Arc<dyn Transport>> {
    Ok(Arc::new(FetchTransport { base: base.to_owned() }))
}

#[async_trait]
impl Transport for FetchTransport {
    async fn send(&self, request: Request) -> std::result::Result<Response, TransportError> {
        let path = request.endpoint.path();
        let url = format!("{}{}", self.base, path.strip_prefix('/').unwrap_or(path));
        SendWrapper::new(fetch(url, request.headers, request.body)).await
    }
}

async fn fetch(url: String, headers: HeaderMap, body: Bytes) -> std::result::Result<Response, TransportError> {
    // What is thrown before there is a promise was thrown before anything was sent.
    let (promise, abort) =
        begin(&url, &headers, &body).map_err(|error| TransportError::not_sent(text(&error, &url)))?;
    drop((headers, body));
    let interrupted = |error: JsValue| TransportError::interrupted(text(&error, &url));
    let response = JsFuture::from(promise).await.map_err(interrupted)?;
    let response: web_sys::Response = response.dyn_into().map_err(interrupted)?;
    let status = match response.status() {
        // A browser hides where a redirect leads, and which of them it is.
        0 => StatusCode::FOUND,
        status => StatusCode::from_u16(status).map_err(TransportError::interrupted)?,
    };
    let headers = received(&response.headers()).map_err(interrupted)?;
    let body = Body(Inner::Default(Chunks(SendWrapper::new(Arriving::new(&response, &headers, abort)))));
    Ok(Response { status, headers, body })
}

/// Calls `fetch`.
fn begin(url: &str, headers: &HeaderMap, body: &Bytes) -> std::result::Result<(Promise, Abort), JsValue> {
    let abort = Abort(Some(AbortController::new()?));
    let init = RequestInit::new();
    init.set_method("POST");
    // They would carry the command, and on some platforms the token, to another host.
    init.set_redirect(RequestRedirect::Manual);
    init.set_signal(abort.0.as_ref().map(AbortController::signal).as_ref());
    init.set_body(&Uint8Array::from(&body[..]));
    let list = Headers::new()?;
    for (name, value) in headers {
        // The text of this error is ours: it contains no value.
        let value = value.to_str().map_err(|error| JsValue::from(error.to_string()))?;
        list.append(name.as_str(), value)?;
    }
    init.set_headers(&list);
    let global = js_sys::global();
    let fetch: std::result::Result<Function, _> = Reflect::get(&global, &"fetch".into())?.dyn_into();
    let fetch = fetch.map_err(|_| JsValue::from("this JavaScript host has no function `fetch`"))?;
    let promise = fetch.call2(&global, &url.into(), &init)?.dyn_into()?;
    Ok((promise, abort))
}

/// Returns the headers of a response. One that HTTP does not allow is left out.
fn received(headers: &Headers) -> std::result::Result<HeaderMap, JsValue> {
    let mut map = HeaderMap::new();
    for entry in headers.entries() {
        let entry: Array = entry?.dyn_into()?;
        if let (Some(name), Some(value)) = (entry.get(0).as_string(), entry.get(1).as_string())
            && let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::try_from(value))
        {
            map.append(name, value);
        }
    }
    Ok(map)
}

/// Ends the request when it is dropped, unless that has ended.
struct Abort(Option<AbortController>);

impl Drop for Abort {
    fn drop(&mut self) {
        if let Some(controller) = &self.0 {
            controller.abort();
        }
    }
}

/// The body of a response, as it arrives.
pub(super) struct Chunks(SendWrapper<Arriving>);

struct Arriving {
    source: Source,
    announced: u64,
    abort: Abort,
}

enum Source {
    /// All in one.
    Whole(JsFuture),
    Stream {
        reader: ReadableStreamDefaultReader,
        read: Option<JsFuture>,
    },
    Ended,
}

impl Arriving {
    fn new(response: &web_sys::Response, headers: &HeaderMap, abort: Abort) -> Self {
        // The length of compressed data says nothing of that of the data.
        let length = headers.get(CONTENT_LENGTH).filter(|_| !headers.contains_key(CONTENT_ENCODING));
        let announced = length.and_then(|length| length.to_str().ok()?.parse().ok()).unwrap_or(0);
        let whole = (1..=SMALL).contains(&announced).then(|| response.array_buffer().ok()).flatten();
        let source = match (whole, response.body()) {
            (Some(promise), _) => Source::Whole(JsFuture::from(promise)),
            (None, Some(stream)) => Source::Stream { reader: stream.get_reader().unchecked_into(), read: None },
            (None, None) => Source::Ended,
        };
        Arriving { source, announced, abort }
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Option<std::result::Result<Bytes, JsValue>>> {
        let chunk = match &mut self.source {
            Source::Ended => None,
            Source::Whole(body) => {
                let body = ready!(Pin::new(body).poll(cx));
                self.source = Source::Ended;
                Some(body.map(|body| bytes(&Uint8Array::new(body.unchecked_ref::<ArrayBuffer>()))))
            }
            Source::Stream { reader, read } => {
                let next = read.get_or_insert_with(|| JsFuture::from(reader.read()));
                let result = ready!(Pin::new(next).poll(cx));
                *read = None;
                result.and_then(|result| chunk(result.unchecked_ref())).transpose()
            }
        };
        if !matches!(chunk, Some(Ok(_))) {
            self.source = Source::Ended;
        }
        if matches!(self.source, Source::Ended) {
            // There is nothing left to abort.
            self.abort.0 = None;
        }
        Poll::Ready(chunk)
    }
}

/// What a reader of a stream has read.
fn chunk(result: &Object) -> std::result::Result<Option<Bytes>, JsValue> {
    if Reflect::get(result, &"done".into())?.is_truthy() {
        return Ok(None);
    }
    Ok(Some(bytes(&Reflect::get(result, &"value".into())?.dyn_into()?)))
}

fn bytes(array: &Uint8Array) -> Bytes {
    Bytes::from(array.to_vec())
}

impl Chunks {
    pub(super) fn poll_next(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Option<std::result::Result<Bytes, TransportError>>> {
        let chunk = ready!(self.0.poll(cx));
        Poll::Ready(chunk.map(|chunk| chunk.map_err(|error| TransportError::interrupted(text(&error, "")))))
    }

    /// The announced number of bytes; 0 if it is not known.
    pub(super) fn announced_bytes(&self) -> u64 {
        self.0.announced
    }
}

/// What JavaScript says about a failure. It is not said whether the request was sent.
///
/// A text that quotes the URL is cut, because the URL can contain a command.
fn text(error: &JsValue, url: &str) -> String {
    let text = match error.dyn_ref::<js_sys::Error>() {
        Some(error) => String::from(error.to_string()),
        None => error.as_string().unwrap_or_else(|| "JavaScript threw a value that is no error".to_owned()),
    };
    if !url.is_empty() && text.contains(url) {
        return "JavaScript refused the URL".to_owned();
    }
    text.chars().take(MAX_TEXT).collect()
}
