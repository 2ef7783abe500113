//! The web view: pages that show what is in the store, for a developer in front of this machine.
//!
//! It has a listener of its own: the API may be open to other machines and allows pages of any origin, the view neither.
//! `guard` decides who may see it. It only reads (`store`), and what it reads is never markup (`html`).
//!
//! Each page is one response that a browser shows without JavaScript. Only the live tail has a script, which adds entries to a
//! page that is complete without it. There is no framework and no build step, and nothing is loaded from elsewhere.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::body::Body;
use axum::extract::Request;
use axum::http::header::{ALLOW, CONTENT_TYPE, LOCATION, SET_COOKIE};
use axum::http::request::Parts;
use axum::http::{HeaderValue, StatusCode};
use axum::response::Response;
use tokio::net::TcpListener;

use crate::error::Error;
use crate::limits::Limits;
use crate::listener;
use crate::state::State;

mod elements;
mod encoding;
mod guard;
mod html;
mod key;
mod keys;
mod layout;
mod link;
mod overview;
mod page;
mod record;
mod shown;
mod store;
mod stream;
mod tail;
mod time;

use self::guard::{Guard, Refusal, Verdict};
use self::link::Parameters;
use self::page::{Page, Section};
use self::store::{Problem, Store};

/// The web view of a gateway, before it is served.
pub(crate) struct View {
    listener: TcpListener,
    address: SocketAddr,
    guard: Guard,
}

/// The largest number of connections. Half of them can be live tails.
const CONNECTIONS: usize = 32;

impl View {
    /// Listens on a loopback address.
    pub(crate) async fn bind(address: SocketAddr) -> Result<View, Error> {
        if !address.ip().to_canonical().is_loopback() {
            return Err(Error::new(format!(
                "the view shows all data, so it listens on this machine only: {} is not a loopback address, use 127.0.0.1 or \
                 [::1]. To see the view from another machine, forward the port: ssh -L {port}:127.0.0.1:{port} HOST",
                address.ip(),
                port = address.port(),
            )));
        }
        let listener = TcpListener::bind(address)
            .await
            .map_err(|error| Error::caused(format!("cannot listen on {address} for the view"), error))?;
        let address = listener
            .local_addr()
            .map_err(|error| Error::caused("cannot determine the address of the view's socket", error))?;
        Ok(View { listener, address, guard: Guard::new(address.port())? })
    }

    /// Returns the URL, with the key that opens it.
    pub(crate) fn url(&self) -> String {
        format!("http://{}/?access={}", self.address, self.guard.key())
    }

    /// Answers requests until the gateway stops.
    pub(crate) async fn serve(self, state: Arc<State>, limits: Limits) {
        let View { listener, guard, .. } = self;
        let limits = Limits { connections: CONNECTIONS.min(limits.connections), ..limits };
        let guard = Arc::new(guard);
        let stop = state.stop.clone();
        let answer = move |request| answer(Arc::clone(&state), Arc::clone(&guard), request);
        listener::serve(listener, limits, stop, answer).await;
    }
}

async fn answer(state: Arc<State>, guard: Arc<Guard>, request: Request) -> Response {
    let (parts, _) = request.into_parts();
    let parameters = Parameters::of(parts.uri.query().unwrap_or_default());
    let mut response = match guard.judge(&parts.method, &parts.headers, &parameters) {
        Verdict::Allow => page_of(&state, &parts, &parameters).await,
        Verdict::Enter => enter(&guard),
        Verdict::Refuse(refusal) => refuse(refusal),
    };
    guard::protect(response.headers_mut());
    response
}

/// Redirects to the page without the key, so that the key is in neither the address bar nor a bookmark.
fn enter(guard: &Guard) -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::SEE_OTHER;
    // Always the same page: a path of the caller's could name another host.
    response.headers_mut().insert(LOCATION, HeaderValue::from_static("/"));
    if let Ok(cookie) = HeaderValue::try_from(guard.set_cookie()) {
        response.headers_mut().insert(SET_COOKIE, cookie);
    }
    response
}

/// Answers a request that is not allowed. The page says nothing about the store.
fn refuse(refusal: Refusal) -> Response {
    let (status, text) = match refusal {
        Refusal::Method => (StatusCode::METHOD_NOT_ALLOWED, "The view only reads: it answers GET."),
        Refusal::Host => (
            StatusCode::MISDIRECTED_REQUEST,
            "The view answers at 127.0.0.1, [::1] and localhost only. Another name could be that of a page elsewhere.",
        ),
        Refusal::Site => (
            StatusCode::FORBIDDEN,
            "Another page has made this request. Open the view by the address that the gateway printed.",
        ),
        Refusal::Key => (
            StatusCode::UNAUTHORIZED,
            "Open the view by the address that the gateway printed when it started: it contains a key.",
        ),
    };
    let mut response = with_type(status, "text/plain; charset=utf-8", text.to_owned());
    if refusal == Refusal::Method {
        response.headers_mut().insert(ALLOW, HeaderValue::from_static("GET"));
    }
    response
}

const CSS: &str = "text/css; charset=utf-8";
const JAVASCRIPT: &str = "text/javascript; charset=utf-8";
const SVG: &str = "image/svg+xml";

async fn page_of(state: &Arc<State>, parts: &Parts, parameters: &Parameters) -> Response {
    // For this, the view is one of the tokens that must leave room for the API.
    if let Err(refusal) = listener::admit(&parts.extensions, false) {
        return with_type(refusal.0, "text/plain; charset=utf-8", refusal.1);
    }
    let store = Store(state);
    let page = match parts.uri.path() {
        "/assets/view.css" => return with_type(StatusCode::OK, CSS, include_str!("assets/view.css").to_owned()),
        "/assets/tail.js" => return with_type(StatusCode::OK, JAVASCRIPT, include_str!("assets/tail.js").to_owned()),
        "/assets/icon.svg" => return with_type(StatusCode::OK, SVG, include_str!("assets/icon.svg").to_owned()),
        "/tail/events" => match tail::events(state, &parts.headers, parameters).await {
            Ok(events) => return events,
            Err(problem) => Err(problem),
        },
        "/" => overview::overview(store, parameters).await,
        "/keys" => keys::keys(store, parameters).await,
        "/groups" => keys::groups(store, parameters).await,
        "/key" => key::key(store, parameters).await,
        "/value" => key::whole(store, parameters).await,
        "/group" => stream::group(store, parameters).await,
        "/tail" => tail::page(store, parameters).await,
        _ => Err(Problem::Missing("The view has no such page.".to_owned())),
    };
    let (status, page) = match page {
        Ok(page) => (StatusCode::OK, page),
        Err(problem) => problem_page(problem),
    };
    with_type(status, "text/html; charset=utf-8", page.render())
}

fn problem_page(problem: Problem) -> (StatusCode, Page) {
    let (status, title, text) = match problem {
        Problem::Missing(text) => (StatusCode::NOT_FOUND, "Not found", text),
        Problem::Malformed(text) => (StatusCode::BAD_REQUEST, "Nothing to show", text.to_owned()),
        Problem::TooLarge => (
            StatusCode::UNPROCESSABLE_ENTITY,
            "Too large to show",
            "A value here is larger than 8 MB, the most that the view reads at once.".to_owned(),
        ),
        Problem::Refused(text) => (StatusCode::UNPROCESSABLE_ENTITY, "Redis refuses this", text),
        Problem::Unreachable(error) => (StatusCode::SERVICE_UNAVAILABLE, "Redis cannot be reached", error.to_string()),
    };
    let mut page = Page::new(Section::None, title);
    page::note(&mut page.body, &text);
    (status, page)
}

fn with_type(status: StatusCode, content_type: &'static str, body: String) -> Response {
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    response
}
