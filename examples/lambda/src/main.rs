//! A URL shortener on AWS Lambda: `POST /` stores a link, `GET /CODE` redirects and counts, `GET /CODE/visits` returns
//! the count.
//!
//! `cargo run -p lambda-local` runs it on this machine: with a local server, at a port to which `curl` can talk.
//! `cargo run -p lambda-local -- demo` sends it some requests, also while it is frozen, and ends.
//!
//! [cargo-lambda](https://www.cargo-lambda.info) deploys it:
//!
//! ```sh
//! cargo lambda build --release --arm64 -p lambda
//! cargo lambda deploy lambda --enable-function-url --env-file .env.production
//! ```
//!
//! The file sets `UPSTASH_REDIS_REST_URL` and `UPSTASH_REDIS_REST_TOKEN`. The token is a secret: keep the file out of
//! the repository. The database should be in the region of the function. A function URL is open to everybody.
//! Deployment is *unverified*: where this was built, there was no account at AWS.

use std::sync::LazyLock;
use std::time::{Duration, SystemTime};

use lambda_http::http::header::LOCATION;
use lambda_http::http::{HeaderValue, StatusCode, Uri};
use lambda_http::{Body, Context, Error, Request, RequestExt as _, Response, service_fn};
use redis_model::prelude::*;

/// A link, at `lambda-link:CODE`.
#[derive(Debug, RedisModel)]
#[redis(prefix = "lambda-link")]
struct Link {
    #[redis(id)]
    code: String,
    url: String,
    visits: u64,
}

/// One client for all invocations of this process, so that each uses the connection of the one before it. A client made
/// in the handler would open a new connection each time, with a TLS handshake.
///
/// Lambda freezes the process between invocations, and its connection may die meanwhile. The client notices that when
/// it sends the next request, and sends the request again on a new connection, unless it may have been executed and
/// must not be executed twice. Everything here can be sent again: `load_field` only reads, and `insert` and `patch` are
/// scripts that keep their outcome for the retry. For a plain command such as `incr`, that is what `.exactly_once()`
/// does.
///
/// A connection can also die in silence, for example if a NAT gateway has dropped it. Then the attempt ends by this
/// timeout, which is short, so that there is time for the next one.
static REDIS: LazyLock<Result<Redis>> =
    LazyLock::new(|| Redis::builder_from_env().timeout(Duration::from_secs(1)).build());

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    // A wrong variable fails here, with a message in the log. The first event finds an open connection.
    REDIS.as_ref()?.check().await?;
    lambda_http::run(service_fn(handle)).await
}

async fn handle(request: Request) -> Result<Response<Body>, Error> {
    // Lambda kills an invocation that takes longer than the function's timeout. The client gives up before that.
    let end = request.lambda_context_ref().map_or_else(SystemTime::now, Context::deadline);
    let left = end.duration_since(SystemTime::now()).unwrap_or_default();
    let redis = REDIS.as_ref()?.with_deadline(left.saturating_sub(Duration::from_millis(200)));

    match route(&redis, &request).await {
        Err(error) if error.is_not_found() => Ok(answer(StatusCode::NOT_FOUND, "there is no such link")),
        Err(error) if error.is_transient() => {
            eprintln!("{error}");
            Ok(answer(StatusCode::SERVICE_UNAVAILABLE, "try again later"))
        }
        // Lambda logs other errors, and the caller sees a 5xx.
        outcome => Ok(outcome?),
    }
}

async fn route(redis: &Redis, request: &Request) -> Result<Response<Body>> {
    let path: Vec<_> = request.uri().path().split('/').skip(1).collect();
    match (request.method().as_str(), path.as_slice()) {
        ("POST", [""]) => shorten(redis, request.body()).await,
        ("GET", [code]) if is_code(code) => {
            // One command counts the visit, and returns the URL.
            let url = Link::patch(code).incr(Link::VISITS, 1).returning(Link::URL).exec(redis).await?;
            let mut response = answer(StatusCode::FOUND, "");
            if let Some(url) = url.and_then(|url| HeaderValue::try_from(url).ok()) {
                response.headers_mut().insert(LOCATION, url);
            }
            Ok(response)
        }
        ("GET", [code, "visits"]) if is_code(code) => Ok(match Link::load_field(redis, code, Link::VISITS).await? {
            Some(visits) => answer(StatusCode::OK, visits.to_string()),
            None => answer(StatusCode::NOT_FOUND, "there is no such link"),
        }),
        _ => Ok(answer(StatusCode::NOT_FOUND, "POST a URL to /, or GET /CODE or /CODE/visits")),
    }
}

async fn shorten(redis: &Redis, body: &[u8]) -> Result<Response<Body>> {
    let url = str::from_utf8(body).unwrap_or_default().trim();
    let is_web = |uri: Uri| matches!(uri.scheme_str(), Some("http" | "https"));
    if !url.parse().is_ok_and(is_web) {
        return Ok(answer(StatusCode::UNPROCESSABLE_ENTITY, "the body is not a URL"));
    }
    loop {
        // Not a secret: whoever guesses a code finds the page.
        let code = std::iter::repeat_with(fastrand::alphanumeric).take(7).collect();
        let link = Link { code, url: url.into(), visits: 0 };
        match link.insert(redis).await {
            // The code of another link: `insert` does not overwrite it.
            Err(error) if error.is_already_exists() => {}
            inserted => {
                inserted?;
                return Ok(answer(StatusCode::CREATED, link.code));
            }
        }
    }
}

/// Whether it can be a code. Not every text can be the id of a record.
fn is_code(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

fn answer(status: StatusCode, text: impl Into<Body>) -> Response<Body> {
    let mut response = Response::new(text.into());
    *response.status_mut() = status;
    response
}
