//! What a caller does while a request is on its way.

use std::time::Duration;

use futures_util::future::{Either, select};
use redis_model::Error;
use redis_model::redis_rest::StringCommands as _;
use worker::Delay;

use crate::call::{Call, wrong};

/// Drops a request that is not answered, and stays for another second.
pub async fn dropped(call: &Call) -> Result<String, Error> {
    let redis = call.redis()?;
    let request = Box::pin(async { redis.incr("dropped").await });
    match select(request, Delay::from(Duration::from_millis(200))).await {
        Either::Left((outcome, _)) => return Err(wrong(outcome)),
        Either::Right(((), request)) => drop(request),
    }
    Delay::from(Duration::from_secs(1)).await;
    Ok("stayed".to_owned())
}
