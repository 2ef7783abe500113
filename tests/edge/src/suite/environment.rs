//! Environments that lack something, and calls at the wrong time.

use redis_model_tools::Outcome;

use super::{Suite, holds, traps};
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

/// Adds the modules of these Workers.
pub fn add(mut bundle: Bundle, stack: &Stack) -> Outcome<(Bundle, Vec<Worker>)> {
    let mut workers = Vec::new();
    for (name, global) in LACKING {
        let main: &'static str = Box::leak(format!("{name}.js").into_boxed_str());
        let before = format!("{name}-before.js");
        // Imports are evaluated in order.
        bundle = bundle.with(&before, &format!("Object.defineProperty(globalThis, \"{global}\", {{ value: undefined }});\n"))?;
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
    // A Worker of its own: nothing can be expected of one that has panicked.
    workers.push(stack.worker("panics"));
    Ok((bundle, workers))
}

pub async fn calls_in_the_global_scope(suite: &Suite) -> Outcome<()> {
    let answer = suite.call_on("start", "/started").await?;
    holds(false, || answer.text())
}

pub async fn without_crypto(suite: &Suite) -> Outcome<()> {
    let answer = suite.call_on("noCrypto", "/incr-once?key=k&retries=2").await?;
    holds(false, || answer.text())
}

pub async fn without_a_monotonic_clock(suite: &Suite) -> Outcome<()> {
    let server = FaultServer::start([Act::reply("503 Service Unavailable", ""), Act::silence()]).await?;
    let answer = suite.call_on("noPerformance", &format!("/get?key=k&retries=1&timeout=200&url={}", server.url)).await?;
    holds(false, || answer.text())
}

pub async fn without_timers(suite: &Suite) -> Outcome<()> {
    let answer = suite.call_on("noTimers", "/get?key=k").await?;
    holds(false, || answer.text())
}

pub async fn without_fetch(suite: &Suite) -> Outcome<()> {
    let answer = suite.call_on("noFetch", "/incr?key=k&retries=2").await?;
    holds(false, || answer.text())
}

pub async fn without_abort_controller(suite: &Suite) -> Outcome<()> {
    let answer = suite.call_on("noAbort", "/incr?key=k&retries=2").await?;
    holds(false, || answer.text())
}

/// Without this, no check would notice a panic.
pub async fn a_panic_is_noticed(suite: &Suite) -> Outcome<()> {
    // The connection may break, or hang.
    let _ = suite.call_on("panics", "/panic").await;
    tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    let printed = suite.workerd.printed();
    holds(traps(&printed), || format!("nothing shows the panic: {printed:?}"))
}
