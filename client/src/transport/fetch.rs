//! The transport over JavaScript's `fetch`: the only file that knows it.
//!
//! JavaScript has one thread here. What holds its values is wrapped, and panics on another thread, which no program has.

use std::borrow::Cow;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use http::header::{CONTENT_ENCODING, CONTENT_LENGTH, InvalidHeaderValue};
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
    // What is thrown before `fetch` is called was thrown before anything was sent.
    let (promise, abort) = begin(&url, &headers, &body).map_err(|error| TransportError::not_sent(text(&error)))?;
    drop((headers, body));
    let interrupted = |error: JsValue| TransportError::interrupted(text(&error));
    let response = JsFuture::from(promise).await.map_err(interrupted)?;
    let response: web_sys::Response =
        response.dyn_into().map_err(|_| TransportError::interrupted("`fetch` returned a value that is no response"))?;
    let status = match response.status() {
        // A browser hides where a redirect leads, and which of them it is.
        0 => StatusCode::FOUND,
        status => StatusCode::from_u16(status).map_err(TransportError::interrupted)?,
    };
    let headers = received(&response).map_err(interrupted)?;
    let arriving = Arriving::new(&response, &headers, abort).map_err(interrupted)?;
    let body = Body(Inner::Default(Chunks(SendWrapper::new(arriving))));
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
        // JavaScript has a character for each byte.
        let latin = || value.as_bytes().iter().copied().map(char::from).collect::<String>();
        let value = value.to_str().map_or_else(|_| Cow::from(latin()), Cow::from);
        list.append(name.as_str(), &value)?;
    }
    init.set_headers(&list);
    let global = js_sys::global();
    let fetch: std::result::Result<Function, _> = Reflect::get(&global, &"fetch".into())?.dyn_into();
    let fetch = fetch.map_err(|_| JsValue::from("this JavaScript host has no function `fetch`"))?;
    // A `fetch` that the program has replaced may return no promise of this host, or throw when the request is on its way.
    let promise = match fetch.call2(&global, &url.into(), &init) {
        Ok(returned) => Promise::resolve(&returned),
        Err(thrown) => Promise::reject(&thrown),
    };
    Ok((promise, abort))
}

/// Returns the headers of a response. One that HTTP does not allow is left out.
fn received(response: &web_sys::Response) -> std::result::Result<HeaderMap, JsValue> {
    let headers: Headers = Reflect::get(response, &"headers".into())?.dyn_into()?;
    let mut map = HeaderMap::new();
    for entry in headers.entries() {
        let entry: Array = entry?.dyn_into()?;
        if let (Some(name), Some(value)) = (entry.get(0).as_string(), entry.get(1).as_string())
            && let (Ok(name), Ok(value)) = (HeaderName::try_from(name), header_value(value))
        {
            map.append(name, value);
        }
    }
    Ok(map)
}

/// Returns the bytes of a header, each of which is a character in JavaScript.
fn header_value(value: String) -> std::result::Result<HeaderValue, InvalidHeaderValue> {
    if value.is_ascii() {
        return HeaderValue::try_from(value);
    }
    let bytes: std::result::Result<Vec<u8>, _> = value.chars().map(u8::try_from).collect();
    HeaderValue::try_from(bytes.unwrap_or_else(|_| value.into_bytes()))
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
    fn new(response: &web_sys::Response, headers: &HeaderMap, abort: Abort) -> std::result::Result<Self, JsValue> {
        // The length of compressed data says nothing of that of the data.
        let length = headers.get(CONTENT_LENGTH).filter(|_| !headers.contains_key(CONTENT_ENCODING));
        let announced = length.and_then(|length| length.to_str().ok()?.parse().ok()).unwrap_or(0);
        let whole = (1..=SMALL).contains(&announced).then(|| response.array_buffer().ok()).flatten();
        let source = match (whole, response.body()) {
            (Some(promise), _) => Source::Whole(JsFuture::from(promise)),
            // Whoever has replaced `fetch` has read the body itself.
            (None, Some(stream)) if stream.locked() => return Err("the body of the response is locked".into()),
            (None, Some(stream)) => Source::Stream { reader: stream.get_reader().unchecked_into(), read: None },
            (None, None) => Source::Ended,
        };
        Ok(Arriving { source, announced, abort })
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
        Poll::Ready(chunk.map(|chunk| chunk.map_err(|error| TransportError::interrupted(text(&error)))))
    }

    /// The announced number of bytes; 0 if it is not known.
    pub(super) fn announced_bytes(&self) -> u64 {
        self.0.announced
    }
}

/// What JavaScript says about a failure. It is not said whether the request was sent.
///
/// URLs are cut: they can contain a command.
fn text(error: &JsValue) -> String {
    // Whatever is thrown can be any value, with getters that throw.
    let part = |name: &str| Reflect::get(error, &name.into()).ok()?.as_string();
    let text = match (error.as_string(), part("name"), part("message")) {
        (Some(text), ..) | (None, None, Some(text)) => text,
        (None, Some(name), Some(message)) => format!("{name}: {message}"),
        _ => "JavaScript threw a value that is no error".to_owned(),
    };
    let words = text.split(' ').map(|word| if word.contains("://") { ".." } else { word });
    words.collect::<Vec<_>>().join(" ").chars().take(MAX_TEXT).collect()
}
