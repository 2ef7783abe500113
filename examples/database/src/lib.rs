//! Connects an example to the database that the environment names, or starts a local one.

use std::error::Error;
use std::io::Write as _;
use std::path::Path;

use redis_model::Redis;
use redis_model::redis_rest::RedisBuilder;
use redis_rest_gateway::{Gateway, Server, install};

/// A client, and the local server that it uses.
#[derive(Debug)]
pub struct Database {
    /// The client. Clones share its connections.
    pub redis: Redis,
    /// Both stop when they are dropped.
    local: Option<(Gateway, Server)>,
}

/// Connects to the database at `UPSTASH_REDIS_REST_URL`, or starts a local one. `prefix` begins each key of the example.
///
/// # Errors
///
/// The variables are wrong, or the local server or its gateway does not start.
pub async fn open(prefix: &str) -> Result<Database, Box<dyn Error>> {
    open_with(prefix, |builder| builder).await
}

/// As [`open`], with settings of the client.
///
/// # Errors
///
/// Those of [`open`].
pub async fn open_with(
    prefix: &str,
    settings: impl FnOnce(RedisBuilder) -> RedisBuilder,
) -> Result<Database, Box<dyn Error>> {
    if std::env::var_os("UPSTASH_REDIS_REST_URL").is_some() {
        say(&format!("Using the database at UPSTASH_REDIS_REST_URL, with keys that start with `{prefix}`."));
        return Ok(Database { redis: settings(Redis::builder_from_env()).build()?, local: None });
    }
    say("UPSTASH_REDIS_REST_URL is not set. Starting a local server, and a gateway that serves the REST API.");
    let cache = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../.servers");
    let server = install::any_server(&cache)?.start().await?;
    let gateway = Gateway::over(server.url()).start().await?;
    say(&format!("Listening at {}. Both stop when this program ends.", gateway.url()));
    let redis = settings(Redis::builder(gateway.url(), gateway.token())).build()?;
    Ok(Database { redis, local: Some((gateway, server)) })
}

impl Database {
    /// Returns the variables with which another program uses the local server, or `None` if this program uses another one.
    #[must_use]
    pub fn variables(&self) -> Option<String> {
        let (gateway, _) = self.local.as_ref()?;
        Some(format!("UPSTASH_REDIS_REST_URL={} UPSTASH_REDIS_REST_TOKEN={}", gateway.url(), gateway.token()))
    }
}

/// Prints a line.
pub fn say(text: &str) {
    // A closed output is no reason to stop.
    let _ = writeln!(std::io::stdout(), "{text}");
}
