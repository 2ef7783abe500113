//! What the program does: the same as on a server, but for the two lines that set the transport and the timer.

#![expect(clippy::print_stdout, reason = "it shows what it has found")]

use std::error::Error;

use redis_model::Since;
use redis_model::prelude::*;

use crate::platform::{WasiTimer, WasiTransport};

#[derive(Debug, Clone, PartialEq, RedisModel)]
#[redis(prefix = "wasi-user")]
struct User {
    #[redis(id)]
    id: u64,
    #[redis(index)]
    country: String,
    visits: i64,
}

#[derive(Debug, Clone, PartialEq, RedisModel)]
#[redis(stream, prefix = "wasi-visits")]
struct Visit {
    user: u64,
}

pub(crate) async fn run() -> Result<(), Box<dyn Error>> {
    let redis = Redis::builder_from_env()
        .transport(WasiTransport::new(std::env::var("UPSTASH_REDIS_REST_URL").unwrap_or_default()))
        .timer(WasiTimer)
        .build()?;

    User { id: 42, country: "uk".into(), visits: 0 }.save(&redis).await?;
    User::patch(42).incr(User::VISITS, 1).exec(&redis).await?;
    let page = User::query().eq(User::COUNTRY, "uk").fetch(&redis).await?;
    println!("found {:?}", page.items);

    let visits = Visit::log("site");
    let first = visits.append(&redis, &Visit { user: 42 }).await?;
    let mut tail = visits.tail(&redis, Since::After(first));
    visits.append(&redis, &Visit { user: 7 }).await?;
    if let Some(visit) = tail.next().await {
        println!("followed {:?}", visit?.event?);
    }

    Ok(())
}
