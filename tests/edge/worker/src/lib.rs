//! The Worker of `cargo edge test`. The path of a request names what to do, its query the settings of the client. A call
//! that succeeds answers with what it has found, as text; a call that fails with its error, in one line.

mod call;
mod commands;
mod faults;
mod live;
mod models;
mod sends;
mod start;

use redis_model::Error;
use worker::{Context, Env, Request, Response, Result, event};

use crate::call::{Call, wrong};

#[event(fetch)]
async fn fetch(request: Request, env: Env, _ctx: Context) -> Result<Response> {
    let call = Call::new(&request, env)?;
    let outcome = match call.route() {
        "/get" => commands::get(&call).await,
        "/incr" => commands::incr(&call).await,
        "/incr-once" => commands::incr_once(&call).await,
        "/basics" => commands::basics(&call).await,
        "/pipeline" => commands::pipeline(&call).await,
        "/transaction" => commands::transaction(&call).await,
        "/bytes" => commands::bytes(&call).await,
        "/expiry" => commands::expiry(&call).await,
        "/static" => commands::on_static_client(&call).await,
        "/memory" => commands::memory(&call).await,
        "/twice" => commands::twice(&call).await,
        "/ids" => models::ids(),
        "/records" => models::records(&call).await,
        "/query" => models::query(&call).await,
        "/log" => models::log(&call).await,
        "/tail" => models::tail(&call).await,
        "/append" => models::append(&call).await,
        "/publish" => live::publish(&call).await,
        "/subscribe" => live::subscribe(&call).await,
        "/resubscribe" => live::resubscribe(&call).await,
        "/keep" => live::keep(&call).await,
        "/kept" => live::kept().await,
        "/sse" => return live::events(&call),
        "/dropped" => faults::dropped(&call).await,
        "/started" => start::started().await,
        "/panic" => panic!("on purpose"),
        route => return Response::error(format!("there is no route {route}"), 404),
    };
    match outcome {
        Ok(text) => Response::ok(text),
        Err(error) => Response::error(described(&error), 500),
    }
}

/// Returns what a check can tell from an error.
fn described(error: &Error) -> String {
    let status = error.status().map_or_else(String::new, |status| format!(" status={status}"));
    let kind = error.kind();
    let (executed, attempts) = (error.may_have_executed(), error.attempts());
    let mut text = format!("{kind:?} may_have_executed={executed} attempts={attempts}{status}: {error}");
    let mut cause = std::error::Error::source(error);
    while let Some(error) = cause {
        text.push_str(&format!("; because: {error}"));
        cause = error.source();
    }
    text
}
