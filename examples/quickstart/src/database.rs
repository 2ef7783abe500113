//! Which database: the one that the environment names, or one of our own.

use std::error::Error;
use std::path::Path;

use redis_model::Redis;
use redis_rest_gateway::{Gateway, Server, install};

use crate::wire::{Shown, say};

/// A client, and what must live as long as it.
pub(crate) struct Database {
    pub(crate) redis: Redis,
    _own: Option<(Gateway, Server)>,
}

pub(crate) async fn open() -> Result<Database, Box<dyn Error>> {
    if std::env::var_os("UPSTASH_REDIS_REST_URL").is_some() {
        say("Using the database that UPSTASH_REDIS_REST_URL names.");
        let redis = Redis::builder_from_env().wrap_transport(Shown).build()?;
        return Ok(Database { redis, _own: None });
    }
    say("UPSTASH_REDIS_REST_URL is not set: starting a server of our own, and the REST API over it.");
    let cache = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../.servers");
    let server = install::any_server(&cache)?.start().await?;
    let gateway = Gateway::over(server.url()).start().await?;
    say(&format!("Listening at {}; both are gone when this program ends.", gateway.url()));
    let redis = Redis::builder(gateway.url(), gateway.token()).wrap_transport(Shown).build()?;
    Ok(Database { redis, _own: Some((gateway, server)) })
}
