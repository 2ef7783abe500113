//! Connects to the database that the environment names, or starts a local one.

use std::error::Error;
use std::path::Path;

use redis_model::Redis;
use redis_rest_gateway::{Gateway, Server, install};

/// A client, and the local server that it uses.
pub(crate) struct Database {
    pub(crate) redis: Redis,
    /// Both stop when they are dropped.
    _local: Option<(Gateway, Server)>,
}

pub(crate) async fn open() -> Result<Database, Box<dyn Error>> {
    if std::env::var_os("UPSTASH_REDIS_REST_URL").is_some() {
        println!("Using the database at UPSTASH_REDIS_REST_URL, with keys that start with `orders-demo-`.");
        return Ok(Database { redis: Redis::from_env()?, _local: None });
    }
    println!("UPSTASH_REDIS_REST_URL is not set. Starting a local server, and a gateway that serves the REST API.");
    let cache = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../.servers");
    let server = install::any_server(&cache)?.start().await?;
    let gateway = Gateway::over(server.url()).start().await?;
    let redis = Redis::new(gateway.url(), gateway.token())?;
    Ok(Database { redis, _local: Some((gateway, server)) })
}
