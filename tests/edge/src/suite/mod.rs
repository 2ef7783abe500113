//! The checks of `cargo edge test`.

mod commands;
mod environment;
mod example;
mod faults;
mod live;
mod models;
mod refusals;

use std::cell::OnceCell;
use std::path::Path;
use std::pin::Pin;
use std::time::{Duration, Instant};

use redis_model_tools::Outcome;

use crate::bundle::{self, Bundle, Profile};
use crate::http::{self, Answer};
use crate::stack::Stack;
use crate::workerd::{self, Workerd};

/// What the checks use.
pub struct Suite {
    pub stack: Stack,
    pub workerd: Workerd,
    example: OnceCell<example::Example>,
}

type Check = for<'a> fn(&'a Suite) -> Pin<Box<dyn Future<Output = Outcome<()>> + 'a>>;

macro_rules! checks {
    ($($room:ident: $($check:ident)*;)*) => {
        &[$($((
            concat!(stringify!($room), "::", stringify!($check)),
            (|suite| Box::pin($room::$check(suite))) as Check,
        ),)*)*]
    };
}

const CHECKS: &[(&str, Check)] = checks! {
    commands: set_and_get pipeline transaction one_mebibyte_and_all_bytes expiry
        two_thousand_requests_share_a_static_client memory_stays_constant;
    models: ids_are_generated records queries a_log_is_appended_to_and_read a_tail_follows_appends;
    live: a_message_arrives a_subscription_is_dropped_and_opened_again messages_are_passed_on_as_events
        a_subscription_of_another_request_fails;
    faults: a_server_that_never_answers a_body_that_stalls a_body_that_ends_early a_chunked_body_that_ends_early
        a_read_is_retried_after_503 a_write_is_not_retried_after_503 a_write_is_retried_after_429
        a_lost_reply_of_a_write a_lost_reply_of_a_write_that_executes_once a_refused_connection
        a_dropped_future_aborts_its_request what_is_not_json
        a_sync_token_that_is_not_ascii;
    refusals: a_redirect_is_not_followed a_url_that_is_not_https a_missing_binding a_wrong_token
        a_url_that_is_none_is_not_quoted;
    environment: calls_in_the_global_scope without_crypto without_a_monotonic_clock without_timers without_fetch
        without_abort_controller a_fetch_that_was_replaced a_panic_is_noticed;
    example: posts_are_listed_in_pages a_visitor_has_to_wait streams_are_live_and_resume
        a_browser_that_leaves_ends_its_subscription mistakes_have_answers;
};

/// Runs the checks whose names contain `filter`. Returns whether all have passed.
///
/// Without npm, or without a way to compile for wasm, it says NOT CHECKED; `WASM=required` makes it fail instead.
pub async fn run(filter: &str) -> Outcome<bool> {
    let started = Instant::now();
    if let Err(why) = bundle::can_build().and_then(|()| workerd::packages_folder()) {
        println!("NOT CHECKED: {}", why.to_string().lines().next().unwrap_or_default());
        return Ok(!std::env::var("WASM").is_ok_and(|wasm| wasm == "required"));
    }
    let stack = Stack::start().await?;
    let bundle = Bundle::build(&Path::new(env!("CARGO_MANIFEST_DIR")).join("worker"), &Profile::dev())?;
    let (bundle, mut workers) = environment::add(bundle, &stack)?;
    workers.push(stack.worker("main"));
    let suite = Suite { workerd: Workerd::start(&bundle, &workers)?, stack, example: OnceCell::new() };
    let built = started.elapsed();

    let chosen: Vec<_> = CHECKS.iter().filter(|(name, _)| name.contains(filter)).collect();
    println!("running {} checks under workerd", chosen.len());
    let started = Instant::now();
    let mut failed = 0;
    for (name, check) in &chosen {
        match passes(&suite, *check).await {
            Ok(()) => println!("check {name} ... ok"),
            Err(why) => {
                failed += 1;
                println!("check {name} ... FAILED\n    {}", why.to_string().replace('\n', "\n    "));
            }
        }
    }
    let result = if failed == 0 { "ok" } else { "FAILED" };
    println!(
        "\ncheck result: {result}. {} passed, {failed} failed; {} filtered out; finished in {:.1} s, after {:.1} s of preparation",
        chosen.len() - failed,
        CHECKS.len() - chosen.len(),
        started.elapsed().as_secs_f64(),
        built.as_secs_f64()
    );
    Ok(failed == 0)
}

async fn passes(suite: &Suite, check: Check) -> Outcome<()> {
    let outcome = tokio::time::timeout(Duration::from_secs(120), check(suite)).await;
    // What a Worker has printed belongs to the check during which it was printed.
    tokio::time::sleep(Duration::from_millis(20)).await;
    let printed = suite.workerd.printed();
    outcome.map_err(|_| "it takes longer than two minutes")?.map_err(|why| format!("{why}\n{printed}"))?;
    if traps(&printed) { Err(format!("the Worker has failed:\n{printed}").into()) } else { Ok(()) }
}

/// Returns whether the runtime reports a panic, a trap, an exception that nobody has caught, or a request that hangs.
fn traps(printed: &str) -> bool {
    const TRACES: [&str; 6] = ["panicked", "RuntimeError", "unreachable", "Uncaught", "hung", "Critical"];
    TRACES.iter().any(|trace| printed.contains(trace))
}

impl Suite {
    /// Calls a route of the Worker `main`.
    pub async fn call(&self, path: &str) -> Outcome<Answer> {
        self.call_on("main", path).await
    }

    /// Calls a route of another Worker.
    pub async fn call_on(&self, worker: &str, path: &str) -> Outcome<Answer> {
        http::get(self.workerd.port(worker)?, path).await
    }

    /// Calls a route that must answer with this text.
    pub async fn expect(&self, path: &str, text: &str) -> Outcome<()> {
        equal((200, text), &self.call(path).await?)
    }

    /// Calls a route that must answer with an error that starts like this. Returns the rest.
    pub async fn expect_error(&self, path: &str, start: &str) -> Outcome<String> {
        error(start, &self.call(path).await?)
    }
}

/// Compares an answer.
pub fn equal((status, text): (u16, &str), answer: &Answer) -> Outcome<()> {
    if answer.status == status && answer.text() == text {
        return Ok(());
    }
    Err(format!("expected {status}: {text}\nfound    {}: {}", answer.status, answer.text()).into())
}

/// Compares the start of an error.
pub fn error(start: &str, answer: &Answer) -> Outcome<String> {
    match answer.text().strip_prefix(start) {
        Some(rest) if answer.status == 500 => Ok(rest.to_owned()),
        _ => Err(format!("expected 500: {start}..\nfound    {}: {}", answer.status, answer.text()).into()),
    }
}

/// Fails with a text if something does not hold.
pub fn holds(what: bool, otherwise: impl FnOnce() -> String) -> Outcome<()> {
    if what { Ok(()) } else { Err(otherwise().into()) }
}
