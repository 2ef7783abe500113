//! `examples/worker`, as a visitor and a browser use it.

use std::path::Path;
use std::time::Duration;

use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use hyper::{Request, Response};
use redis_model_tools::Outcome;
use serde_json::Value;

use super::{Suite, equal, holds, traps};
use crate::bundle::{Bundle, Profile};
use crate::http::{Answer, Connection, answer};
use crate::workerd::{Worker, Workerd};

/// The example as three Workers: as it should be, with a wrong token, and without bindings.
pub struct Example(Workerd);

impl Example {
    /// Returns the example, which the first check starts.
    fn of(suite: &Suite) -> Outcome<&Self> {
        if suite.example.get().is_none() {
            drop(suite.example.set(Example::start(suite)?));
        }
        Ok(suite.example.get().ok_or("the example does not run")?)
    }

    fn start(suite: &Suite) -> Outcome<Self> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/worker");
        let bundle = Bundle::build(&folder, &Profile::dev())?;
        let wrong = Worker::new("wrong", &suite.stack.gateway.url(), "a-wrong-token");
        let unbound = Worker { name: "unbound".to_owned(), variables: Vec::new(), ..wrong.clone() };
        Ok(Example(Workerd::start(&bundle, &[suite.stack.worker("main"), wrong, unbound])?))
    }

    /// Opens a page.
    async fn open(&self, worker: &str, path: &str, last_event: &str) -> Outcome<Response<Incoming>> {
        let mut request = Request::get(path);
        if !last_event.is_empty() {
            request = request.header("last-event-id", last_event);
        }
        Connection::open(self.0.port(worker)?).await?.send(request, "").await
    }

    async fn get(&self, path: &str) -> Outcome<Answer> {
        answer(self.open("main", path, "").await?).await
    }

    /// Posts from an address. Returns the answer, and after how many seconds the next post is possible.
    async fn post(&self, path: &str, visitor: &str, body: &str) -> Outcome<(Answer, Option<u64>)> {
        let request = Request::post(path).header("cf-connecting-ip", visitor);
        let response = Connection::open(self.0.port("main")?).await?.send(request, body).await?;
        let wait = response.headers().get("retry-after").and_then(|wait| wait.to_str().ok()?.parse().ok());
        Ok((answer(response).await?, wait))
    }

    /// Returns what it has logged since the last call.
    async fn log(&self) -> Outcome<String> {
        tokio::time::sleep(Duration::from_millis(20)).await;
        let printed = self.0.printed();
        holds(!traps(&printed), || format!("the Worker has failed:\n{printed}"))?;
        Ok(printed)
    }
}

/// Returns the texts of a list, and the cursor.
async fn list(example: &Example, path: &str) -> Outcome<(Vec<String>, Option<String>)> {
    let answer = example.get(path).await?;
    holds(answer.status == 200, || answer.text())?;
    let page: Value = serde_json::from_slice(&answer.body)?;
    let posts = page.get("posts").and_then(Value::as_array).ok_or("no posts")?;
    let text = |post: &Value| Some(post.get("text")?.as_str()?.to_owned());
    Ok((posts.iter().filter_map(text).collect(), page.get("next").and_then(Value::as_str).map(str::to_owned)))
}

/// Reads a stream until it has sent this.
async fn read_until(stream: &mut Incoming, read: &mut String, expected: &str) -> Outcome<()> {
    while !read.contains(expected) {
        let frame = tokio::time::timeout(Duration::from_secs(20), stream.frame()).await;
        let frame = frame.map_err(|_| format!("no {expected:?} after {read:?}"))?.ok_or("the stream has ended")??;
        read.push_str(&String::from_utf8_lossy(frame.data_ref().map_or(b"", |data| data)));
    }
    Ok(())
}

pub async fn posts_are_listed_in_pages(suite: &Suite) -> Outcome<()> {
    let example = Example::of(suite)?;
    let page = example.get("/").await?;
    holds(page.status == 200 && page.text().contains("EventSource"), || page.text())?;
    for number in 0..25 {
        let body = format!(r#"{{"by":"Ada","text":"post {number}"}}"#);
        let (answer, _) = example.post("/rooms/pages", &format!("visitor {number}"), &body).await?;
        holds(answer.status == 201, || answer.text())?;
    }
    let (first, cursor) = list(example, "/rooms/pages").await?;
    let (second, end) = list(example, &format!("/rooms/pages?after={}", cursor.ok_or("no second page")?)).await?;
    let expected: Vec<_> = (0..25).rev().map(|number| format!("post {number}")).collect();
    holds((first.len(), end.is_none()) == (20, true), || format!("{first:?}, then {end:?}"))?;
    let mut found = [first, second].concat();
    // Posts of one millisecond are in the order of their ids.
    found.sort_by_key(|text| expected.iter().position(|post| post == text));
    holds(found == expected, || format!("{found:?}"))?;
    equal((200, r#"{"next":null,"posts":[]}"#), &example.get("/rooms/empty").await?)?;
    example.log().await.map(drop)
}

pub async fn a_visitor_has_to_wait(suite: &Suite) -> Outcome<()> {
    let example = Example::of(suite)?;
    for number in 0..7 {
        let (answer, wait) = example.post("/rooms/limit", "hasty", r#"{"by":"Ada","text":"hello"}"#).await?;
        let expected = if number < 5 { 201 } else { 429 };
        holds(answer.status == expected, || format!("post {number}: {}", answer.text()))?;
        let waits = wait.is_some_and(|seconds| (1..=10).contains(&seconds));
        holds(waits == (expected == 429), || format!("post {number}: wait {wait:?}"))?;
    }
    let (other, _) = example.post("/rooms/limit", "patient", r#"{"by":"Eda","text":"hello"}"#).await?;
    holds(other.status == 201, || other.text())?;
    example.log().await.map(drop)
}

pub async fn streams_are_live_and_resume(suite: &Suite) -> Outcome<()> {
    let example = Example::of(suite)?;
    let mut streams = Vec::new();
    for _ in 0..2 {
        let response = example.open("main", "/rooms/live/live", "").await?;
        let kind = response.headers().get("content-type").is_some_and(|kind| kind == "text/event-stream");
        holds(response.status() == 200 && kind, || format!("{:?}", response.headers()))?;
        streams.push((response.into_body(), String::new()));
    }
    for text in ["one", "two", "three"] {
        let body = format!(r#"{{"by":"Ada","text":"{text}"}}"#);
        let (answer, _) = example.post("/rooms/live", text, &body).await?;
        holds(answer.status == 201, || answer.text())?;
        for (stream, read) in &mut streams {
            read_until(stream, read, &format!("\"text\":\"{text}\"}}\n\n")).await?;
        }
    }
    let same = streams.iter().all(|(_, read)| read.matches("data: ").count() == 3);
    holds(same, || format!("{streams:?}"))?;

    // A browser that was away has seen one post. The id of an event stands before its data.
    let (_, read) = streams.swap_remove(0);
    let one = read.split("\n\n").find(|event| event.contains("\"one\"")).unwrap_or_default();
    let seen = one.lines().find_map(|line| line.strip_prefix("id: ")).ok_or("an event without an id")?;
    let mut stream = example.open("main", "/rooms/live/live", seen).await?.into_body();
    let mut resumed = String::new();
    read_until(&mut stream, &mut resumed, "\"text\":\"three\"}\n\n").await?;
    holds(resumed.matches("data: ").count() == 2 && resumed.contains("two"), || resumed.clone())?;

    // The position of another room.
    let other = answer(example.open("main", "/rooms/other/live", seen).await?).await?;
    holds(other.status == 400, || other.text())?;
    example.log().await.map(drop)
}

pub async fn a_browser_that_leaves_ends_its_subscription(suite: &Suite) -> Outcome<()> {
    let example = Example::of(suite)?;
    let gateway = &suite.stack.gateway;
    let mut rest = Connection::open_url(&gateway.url()).await?;
    let stream = example.open("main", "/rooms/gone/live", "").await?;
    for (subscribers, stream) in [(1, Some(stream)), (0, None)] {
        // Only a write shows that the browser has gone: a post, or the heartbeat.
        if stream.is_none() {
            let (answer, _) = example.post("/rooms/gone", "gone", r#"{"by":"Ada","text":"hello"}"#).await?;
            holds(answer.status == 201, || answer.text())?;
        }
        let expected = format!(r#"{{"result":["posted:gone",{subscribers}]}}"#);
        for attempt in 0.. {
            let answer = rest.command(gateway.token(), r#"["PUBSUB","NUMSUB","posted:gone"]"#).await?;
            if answer.text() == expected {
                break;
            }
            holds(attempt < 100, || format!("expected {expected}\nfound    {}", answer.text()))?;
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
    example.log().await.map(drop)
}

pub async fn mistakes_have_answers(suite: &Suite) -> Outcome<()> {
    let example = Example::of(suite)?;
    for (path, status) in [("/nothing", 404), ("/rooms/a?after=x", 400), ("/rooms/a:b/live", 400)] {
        let answer = example.get(path).await?;
        holds(answer.status == status, || format!("{path}: {} {}", answer.status, answer.text()))?;
    }
    for (number, body) in ["", "{}", "[1]", r#"{"by":"","text":"x"}"#, r#"{"by":"x","text":" "}"#].iter().enumerate() {
        let (answer, _) = example.post("/rooms/a", &format!("mistaken {number}"), body).await?;
        holds(answer.status == 400, || format!("{body}: {} {}", answer.status, answer.text()))?;
    }
    let printed = example.log().await?;
    holds(printed.trim().is_empty(), || format!("a visitor fills the log: {printed}"))?;
    // A visitor does not see what is wrong with the settings. The log says it, without the token.
    for (worker, why) in [("wrong", "WRONGPASS"), ("unbound", "UPSTASH_REDIS_REST_URL")] {
        for path in ["/rooms/a", "/rooms/a/live"] {
            let answer = answer(example.open(worker, path, "").await?).await?;
            equal((500, "Something went wrong. Try again later."), &answer)?;
            let printed = example.log().await?;
            holds(printed.contains(why) && !printed.contains("a-wrong-token"), || format!("{worker}: {printed:?}"))?;
        }
    }
    example.log().await.map(drop)
}
