//! Environments that lack something, and calls at the wrong time.

use std::time::{Duration, Instant};

use redis_model_tools::Outcome;

use super::{Suite, equal, error, holds, traps};
use crate::bundle::Bundle;
use crate::fault::{Act, FaultServer};
use crate::stack::Stack;
use crate::workerd::Worker;

/// What Workers of this suite lack: the name of the Worker, and the globals.
const LACKING: [(&str, &str); 5] = [
    ("noCrypto", "crypto"),
    ("noPerformance", "performance"),
    ("noTimers", "setTimeout"),
    ("noFetch", "fetch"),
    ("noAbort", "AbortController"),
];

/// Workers whose `fetch` somebody has replaced, as tools for tests and traces do: what it does, and how an INCR ends.
const REPLACED: [(&str, &str, &str); 5] = [
    ("thenable", "(...a) => { const p = real(...a); return { then: (f, r) => p.then(f, r) } }", "Decode"),
    ("noPromise", "(...a) => { real(...a).catch(() => {}); return 5 }", "Interrupted"),
    ("noResponse", "async (...a) => { await real(...a); return null }", "Interrupted"),
    ("throws", "async () => { throw new Proxy(new Error(), { get() { throw 1 } }) }", "Interrupted"),
    ("locked", "async (...a) => { const r = await real(...a); r.body.getReader(); return r }", "Interrupted"),
];

/// Adds the modules of these Workers.
pub fn add(mut bundle: Bundle, stack: &Stack) -> Outcome<(Bundle, Vec<Worker>)> {
    let mut workers = Vec::new();
    let lacking = LACKING.map(|(name, global)| {
        (name, format!("Object.defineProperty(globalThis, \"{global}\", {{ value: undefined }});\n"))
    });
    let replaced = REPLACED.map(|(name, with, _)| (name, format!("const real = fetch;\nglobalThis.fetch = {with};\n")));
    for (name, text) in lacking.into_iter().chain(replaced) {
        let main: &'static str = Box::leak(format!("{name}.js").into_boxed_str());
        let before = format!("{name}-before.js");
        // Imports are evaluated in order.
        bundle = bundle.with(&before, &text)?;
        bundle = bundle.with(main, &format!("import \"./{before}\";\nexport {{ default }} from \"./shim.js\";\n"))?;
        workers.push(Worker { main, ..stack.worker(name) });
    }
    let (url, token) = (stack.gateway.url(), stack.gateway.token());
    let start = format!(
        "import {{ in_global_scope }} from \"./index.js\";\nin_global_scope(\"{url}\", \"{token}\");\n\
         export {{ default }} from \"./shim.js\";\n"
    );
    bundle = bundle.with("start.js", &start)?;
    workers.push(Worker { main: "start.js", ..stack.worker("start") });
    for (name, missing) in [("noToken", "UPSTASH_REDIS_REST_TOKEN"), ("noUrl", "UPSTASH_REDIS_REST_URL")] {
        let mut worker = stack.worker(name);
        worker.variables.retain(|(name, _)| name != missing);
        workers.push(worker);
    }
    workers.push(Worker { date: "2022-01-01", ..stack.worker("old") });
    // A Worker of its own: nothing can be expected of one that has panicked.
    workers.push(stack.worker("panics"));
    Ok((bundle, workers))
}

/// A Worker may neither connect nor wait nor draw random numbers then.
pub async fn calls_in_the_global_scope(suite: &Suite) -> Outcome<()> {
    let answer = suite.call_on("start", "/started").await?;
    let text = answer.text();
    let expected = [
        "Interrupted may_have_executed=false attempts=4: GET:",
        "Config may_have_executed=false attempts=0: INCR: a command that executes once needs a random number",
        "Interrupted may_have_executed=false attempts=4: SUBSCRIBE:",
    ];
    let lines: Vec<&str> = text.lines().collect();
    let all = lines.len() == 3 && lines.iter().zip(expected).all(|(line, start)| line.starts_with(start));
    // The reason is what helps the user.
    holds(all && text.matches("Disallowed operation called within global scope").count() >= 2, || text.clone())
}

pub async fn without_crypto(suite: &Suite) -> Outcome<()> {
    let answer = suite.call_on("noCrypto", "/incr-once?key=k&retries=2").await?;
    error(
        "Config may_have_executed=false attempts=0: INCR: a command that executes once needs a random number",
        &answer,
    )?;
    // Waits between retries need one, too, and do without.
    let server = FaultServer::start([Act::reply("503 Service Unavailable", ""), Act::hello()]).await?;
    let answer = suite.call_on("noCrypto", &format!("/get?key=k&retries=2&url={}", server.url)).await?;
    equal((200, r#"Some("hello")"#), &answer)?;
    holds(server.count() == 2, || format!("{} requests", server.count()))
}

/// `Date.now()` takes its place.
pub async fn without_a_monotonic_clock(suite: &Suite) -> Outcome<()> {
    let server = FaultServer::start([Act::reply("503 Service Unavailable", ""), Act::silence()]).await?;
    let path = format!("/get?key=k&retries=9&timeout=200&deadline=500&url={}", server.url);
    let started = Instant::now();
    let answer = suite.call_on("noPerformance", &path).await?;
    error("Timeout may_have_executed=false attempts=", &answer)?;
    let waited = started.elapsed().as_millis();
    holds((450..3_000).contains(&waited), || format!("{waited} ms"))
}

pub async fn without_timers(suite: &Suite) -> Outcome<()> {
    let answer = suite.call_on("noTimers", "/get?key=k").await?;
    error("Config may_have_executed=false attempts=0: there are no timers on this platform", &answer).map(drop)
}

pub async fn without_fetch(suite: &Suite) -> Outcome<()> {
    let answer = suite.call_on("noFetch", "/incr?key=k&retries=2").await?;
    let why = error("Connect may_have_executed=false attempts=3: INCR:", &answer)?;
    holds(why.contains("no function `fetch`"), || why)
}

pub async fn without_abort_controller(suite: &Suite) -> Outcome<()> {
    let answer = suite.call_on("noAbort", "/incr?key=k&retries=2").await?;
    let why = error("Connect may_have_executed=false attempts=3: INCR:", &answer)?;
    holds(why.contains("AbortController"), || why)
}

/// A write that was sent is not repeated, and no request hangs.
pub async fn a_fetch_that_was_replaced(suite: &Suite) -> Outcome<()> {
    let body = r#"{"result":"aGVsbG8="}"#;
    // It is read in another way than a body of an announced length.
    let unannounced = Act::Send(format!("HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n{body}"));
    for reply in [Act::reply("200 OK", body), unannounced] {
        let server = FaultServer::start([reply]).await?;
        for (name, _, kind) in REPLACED {
            let answer = suite.call_on(name, &format!("/incr?key=k&retries=2&url={}", server.url)).await?;
            error(&format!("{kind} may_have_executed=true attempts=1: INCR:"), &answer)?;
        }
    }
    Ok(())
}

/// Without this, no check would notice a panic.
pub async fn a_panic_is_noticed(suite: &Suite) -> Outcome<()> {
    // The connection may break, or hang.
    let _ = suite.call_on("panics", "/panic").await;
    tokio::time::sleep(Duration::from_millis(100)).await;
    let printed = suite.workerd.printed();
    holds(traps(&printed), || format!("nothing shows the panic: {printed:?}"))
}
