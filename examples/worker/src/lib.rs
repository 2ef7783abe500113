//! Rooms in which visitors post, as a Cloudflare Worker.
//!
//! | request | answer |
//! | --- | --- |
//! | `GET /` | a page that shows a room, live |
//! | `POST /rooms/ROOM` | posts `{"by":"Ada","text":"hello"}`; 429 after 5 posts in 10 seconds |
//! | `GET /rooms/ROOM` | the newest posts, and a cursor for older ones: `?after=CURSOR` |
//! | `GET /rooms/ROOM/live` | new posts as they come, as server-sent events |
//!
//! `cargo edge run` starts it with a local database. `wrangler.toml` says what to set for a real one.

#![cfg(target_family = "wasm")]

use std::error::Error;
use std::future::ready;
use std::sync::{LazyLock, OnceLock};
use std::time::Duration;

use futures_util::{FutureExt as _, StreamExt as _, stream};
use redis_model::prelude::*;
use redis_model::redis_rest::Script;
use redis_model::stream::TailOptions;
use redis_model::{Cursor, Entry, Since, Unit};
use serde_derive::{Deserialize, Serialize};
use serde_json::json;
use uuid::Uuid;
use worker::{Context, Date, Delay, Env, Method, Request, Response, console_error, event};

type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// A post: a hash at `post:ID`. The compound index finds the newest posts of a room.
#[derive(Debug, Clone, Serialize, Deserialize, RedisModel)]
#[redis(prefix = "post", index(room, at), validate = check)]
struct Post {
    #[redis(id)]
    id: Uuid,
    room: String,
    by: String,
    text: String,
    /// Milliseconds since 1970.
    at: u64,
}

/// Runs before each write of a post.
fn check(post: &Post) -> std::result::Result<(), &'static str> {
    let fits = |text: &str, most| (1..=most).contains(&text.trim().chars().count());
    if fits(&post.by, 40) && fits(&post.text, 500) {
        Ok(())
    } else {
        Err("a post has a name of up to 40 characters, and a text of up to 500")
    }
}

/// An entry of the log at `posted:ROOM`. `publish` makes each append wake the streams of the room.
#[derive(Debug, RedisModel)]
#[redis(stream, prefix = "posted", max_len = 1000, publish)]
struct Posted {
    #[redis(json)]
    post: Post,
}

#[event(fetch)]
async fn fetch(request: Request, env: Env, _: Context) -> worker::Result<Response> {
    answer(request, &env).await.or_else(|error| match error.downcast_ref::<redis_model::Error>() {
        Some(error) if error.is_invalid_input() => Response::error(error.message(), 400),
        // The log says what is wrong. The visitor cannot help it.
        _ => {
            console_error!("{error:?}");
            Response::error("Something went wrong. Try again later.", 500)
        }
    })
}

async fn answer(request: Request, env: &Env) -> Result<Response> {
    let redis = redis(env)?;
    let path = request.path();
    let path: Vec<_> = path.split('/').skip(1).collect();
    match (request.method(), path.as_slice()) {
        (Method::Get, [""]) => Ok(Response::from_html(include_str!("page.html"))?),
        (Method::Post, ["rooms", room]) => post(redis, room, request).await,
        (Method::Get, ["rooms", room]) => list(redis, room, &request).await,
        (Method::Get, ["rooms", room, "live"]) => live(redis, room, &request).await,
        _ => Ok(Response::error("There is no such page.", 404)?),
    }
}

/// Returns the client, which all requests share. A Worker must not keep connections, streams or timers from one request to the
/// next: the client holds none. It keeps what it has learned about the server, such as which scripts are there.
fn redis(env: &Env) -> Result<&'static Redis> {
    static REDIS: OnceLock<Redis> = OnceLock::new();
    if let Some(redis) = REDIS.get() {
        return Ok(redis);
    }
    // Secrets are read as variables are.
    let redis = Redis::builder_from_vars(|name| Some(env.var(name).ok()?.to_string())).build()?;
    Ok(REDIS.get_or_init(|| redis))
}

/// Counts a post of a visitor. Returns for how many milliseconds the visitor has to wait, or 0.
static LIMIT: LazyLock<Script> = LazyLock::new(|| {
    Script::new(
        "local count = redis.call('INCR', KEYS[1])
         if count == 1 then redis.call('PEXPIRE', KEYS[1], ARGV[2]) end
         return count > tonumber(ARGV[1]) and redis.call('PTTL', KEYS[1]) or 0",
    )
    .key_locking()
});

/// What a visitor sends.
#[derive(Deserialize)]
struct NewPost {
    by: String,
    text: String,
}

async fn post(redis: &Redis, room: &str, mut request: Request) -> Result<Response> {
    let visitor = request.headers().get("CF-Connecting-IP")?.unwrap_or_default();
    let wait: u64 = redis.run_script(LIMIT.key(format!("limit:{visitor}")).args([5, 10_000])).await?;
    if wait > 0 {
        let seconds = wait.div_ceil(1000).to_string();
        let refusal = Response::builder().with_header("Retry-After", &seconds)?;
        return Ok(refusal.error(format!("Not so fast: wait {seconds} seconds."), 429)?);
    }
    let Ok(NewPost { by, text }) = request.json().await else {
        return Ok(Response::error(r#"Send {"by":"..","text":".."}."#, 400)?);
    };
    let post = Post { id: Post::generate_id(), room: room.to_owned(), by, text, at: Date::now().as_millis() };
    // The post, its place in the index, and its entry in the log: all or nothing, in one request.
    let posted = Posted { post: post.clone() };
    Unit::new().insert(&post).append(&Posted::log(room), &posted).commit(redis).await?;
    Ok(Response::builder().with_status(201).from_json(&post)?)
}

/// The query of a list.
#[derive(Deserialize)]
struct Page {
    after: Option<Cursor>,
}

async fn list(redis: &Redis, room: &str, request: &Request) -> Result<Response> {
    let Ok(Page { after }) = request.query() else {
        return Ok(Response::error("The cursor is damaged.", 400)?);
    };
    let mut posts = Post::query().eq(Post::ROOM, room).order_by_desc(Post::AT).limit(20).in_one_request();
    if let Some(cursor) = after {
        posts = posts.after(cursor);
    }
    let page = posts.fetch(redis).await?;
    Ok(Response::from_json(&json!({ "posts": page.items, "next": page.cursor }))?)
}

/// How often a stream without posts is written to: only a write shows that the browser has gone.
const HEARTBEAT: Duration = Duration::from_secs(20);

/// Returns a stream that ends when the browser closes it, or when Redis cannot be read. The browser then connects again, and says
/// after which event, so that it misses no post.
async fn live(redis: &Redis, room: &str, request: &Request) -> Result<Response> {
    let options = match request.headers().get("Last-Event-ID")? {
        Some(token) => TailOptions::new().resume(token.parse()?),
        None => TailOptions::new(),
    };
    let mut tail = Posted::log(room).tail_with(redis, Since::Now, options);
    // All posts from here on are in the stream.
    tail.started().await?;
    let start = Ok(format!("id: {}\n\n", tail.token()));
    let posts = stream::try_unfold(tail, |mut tail| async {
        let event = match tail.next().await {
            None => return Ok(None),
            Some(Ok(Entry { event: Ok(Posted { post }), .. })) => format!("data: {}", json!(post)),
            Some(Ok(Entry { event: Err(error), .. })) => {
                console_error!("left out: {error}");
                String::new()
            }
            // The log keeps 1000 posts, and the browser was away for longer.
            Some(Err(error)) if error.is_lagged() => "event: lagged\ndata:".to_owned(),
            Some(Err(error)) => return Err(worker::Error::from(error.to_string())),
        };
        Ok(Some((format!("id: {}\n{event}\n\n", tail.token()), tail)))
    });
    let beats = stream::unfold((), |()| Delay::from(HEARTBEAT).map(|()| Some((Ok(":\n\n".to_owned()), ()))));
    Ok(Response::builder()
        .with_header("Content-Type", "text/event-stream")?
        .with_header("Cache-Control", "no-store")?
        .from_stream(stream::once(ready(start)).chain(stream::select(posts, beats)))?)
}
