//! Lambda's [runtime API](https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html), from Lambda's side: a
//! program asks for its next event, and posts the answer.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use axum::Router;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{AppendHeaders, IntoResponse};
use axum::routing::{get, post};
use database::say;
use tokio::sync::{mpsc, oneshot};
use tokio::time::timeout;

/// How long an invocation may take: Lambda's own default.
const TIMEOUT: Duration = Duration::from_secs(3);

/// What a program posts: its response, or its error. Both are JSON.
pub(crate) type Answer = Result<String, String>;

/// An event, and where its answer goes.
#[derive(Debug)]
struct Invocation {
    event: String,
    answer: oneshot::Sender<Answer>,
}

/// The way to the program.
#[derive(Debug, Clone)]
pub(crate) struct Function(mpsc::Sender<Invocation>);

impl Function {
    /// Invokes the program. It handles one event at a time, as on Lambda. Here the others wait; Lambda starts more
    /// programs.
    pub(crate) async fn invoke(&self, event: String) -> Answer {
        let (answer, answered) = oneshot::channel();
        let outcome = timeout(TIMEOUT, async {
            self.0.send(Invocation { event, answer }).await.ok()?;
            answered.await.ok()
        });
        outcome.await.ok().flatten().unwrap_or_else(|| Err(format!("no answer within {TIMEOUT:?}")))
    }
}

/// What the routes share.
struct Lambda {
    events: tokio::sync::Mutex<mpsc::Receiver<Invocation>>,
    running: Mutex<Running>,
}

/// The invocations without an answer, by their ids.
#[derive(Default)]
struct Running {
    count: u64,
    answers: HashMap<String, oneshot::Sender<Answer>>,
}

/// Returns the way to the program, and the routes that the program calls.
pub(crate) fn new() -> (Function, Router) {
    let (sender, events) = mpsc::channel(1);
    let lambda = Lambda { events: tokio::sync::Mutex::new(events), running: Mutex::default() };
    let router = Router::new()
        .route("/2018-06-01/runtime/invocation/next", get(next))
        .route("/2018-06-01/runtime/invocation/{id}/response", post(response))
        .route("/2018-06-01/runtime/invocation/{id}/error", post(error))
        .route("/2018-06-01/runtime/init/error", post(init_error))
        .with_state(Arc::new(lambda));
    (Function(sender), router)
}

async fn next(State(lambda): State<Arc<Lambda>>) -> Result<impl IntoResponse, StatusCode> {
    let Some(Invocation { event, answer }) = lambda.events.lock().await.recv().await else {
        return Err(StatusCode::GONE);
    };
    let deadline = (SystemTime::now() + TIMEOUT).duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    let mut running = lambda.running.lock().unwrap_or_else(PoisonError::into_inner);
    running.count += 1;
    let id = format!("local-{}", running.count);
    running.answers.insert(id.clone(), answer);
    let headers = [
        ("lambda-runtime-aws-request-id", id),
        ("lambda-runtime-deadline-ms", deadline.as_millis().to_string()),
        ("lambda-runtime-invoked-function-arn", "arn:aws:lambda:local:000000000000:function:local".into()),
        ("content-type", "application/json".into()),
    ];
    Ok((AppendHeaders(headers), event))
}

async fn response(State(lambda): State<Arc<Lambda>>, Path(id): Path<String>, body: String) -> StatusCode {
    lambda.finish(&id, Ok(body))
}

async fn error(State(lambda): State<Arc<Lambda>>, Path(id): Path<String>, body: String) -> StatusCode {
    lambda.finish(&id, Err(body))
}

async fn init_error(body: String) -> StatusCode {
    say(&format!("The function could not start: {body}"));
    StatusCode::ACCEPTED
}

impl Lambda {
    fn finish(&self, id: &str, answer: Answer) -> StatusCode {
        let waiting = self.running.lock().unwrap_or_else(PoisonError::into_inner).answers.remove(id);
        match waiting {
            // An answer that comes too late finds nobody who waits for it.
            Some(waiting) => drop(waiting.send(answer)),
            None => return StatusCode::BAD_REQUEST,
        }
        StatusCode::ACCEPTED
    }
}
