//! Calls in the global scope of the module, where Workers forbid requests, timers and random numbers.

use std::cell::RefCell;

use redis_model::redis_rest::{Build, Executor as _, StringCommands as _};
use redis_model::{Error, Redis};
use wasm_bindgen::prelude::wasm_bindgen;

use crate::{described, wrong};

thread_local! {
    static OUTCOMES: RefCell<Vec<String>> = const { RefCell::new(Vec::new()) };
}

/// The module of a Worker calls this while it is evaluated.
#[wasm_bindgen]
pub fn in_global_scope(url: &str, token: &str) {
    let redis = Redis::builder(url, token).build();
    wasm_bindgen_futures::spawn_local(async move {
        let outcomes = match redis {
            Ok(redis) => {
                let get = redis.get::<String>("start").await.map(|found| format!("{found:?}"));
                let once = redis.submit(Build.incr("start").exactly_once()).await.map(|count| count.to_string());
                let next = redis.subscribe(["start"]).next().await.map(|event| event.map(|event| format!("{event:?}")));
                [get, once, next.unwrap_or_else(|| Err(wrong("the subscription has ended")))]
            }
            Err(error) => [Err(error), Ok(String::new()), Ok(String::new())],
        };
        let outcomes = outcomes.map(|outcome| outcome.unwrap_or_else(|error| described(&error)));
        OUTCOMES.with_borrow_mut(|all| all.extend(outcomes));
    });
}

/// Returns what became of the calls, a line each.
pub async fn started() -> Result<String, Error> {
    Ok(OUTCOMES.with_borrow(|outcomes| outcomes.join("\n")))
}
