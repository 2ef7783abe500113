//! A request to this Worker.

use std::collections::BTreeMap;
use std::time::Duration;

use redis_model::redis_rest::{RedisBuilder, RetryPolicy};
use redis_model::{Error, ErrorKind, Redis};
use worker::{Env, Request};

pub struct Call {
    route: String,
    params: BTreeMap<String, String>,
    env: Env,
}

impl Call {
    pub fn new(request: &Request, env: Env) -> worker::Result<Self> {
        let params = request.url()?.query_pairs().into_owned().collect();
        Ok(Call { route: request.path(), params, env })
    }

    pub fn route(&self) -> &str {
        &self.route
    }

    /// Returns a parameter, or nothing.
    pub fn text(&self, name: &str) -> &str {
        self.params.get(name).map_or("", String::as_str)
    }

    /// Returns a parameter that is a number.
    pub fn number(&self, name: &str) -> Option<u64> {
        self.params.get(name)?.parse().ok()
    }

    /// Returns the settings of a client: a parameter `url` or `token` takes the place of a binding.
    pub fn builder(&self) -> RedisBuilder {
        let given = |name: &str| match name {
            "UPSTASH_REDIS_REST_URL" => self.params.get("url").cloned(),
            "UPSTASH_REDIS_REST_TOKEN" => self.params.get("token").cloned(),
            _ => None,
        };
        let mut builder =
            Redis::builder_from_vars(|name| given(name).or_else(|| Some(self.env.var(name).ok()?.to_string())));
        if let Some(millis) = self.number("timeout") {
            builder = builder.timeout(Duration::from_millis(millis));
        }
        if let Some(millis) = self.number("deadline") {
            builder = builder.deadline(Duration::from_millis(millis));
        }
        let retries = self.number("retries").and_then(|retries| retries.try_into().ok());
        let backoff = Duration::from_millis(1);
        builder.retry(RetryPolicy::default().retries(retries.unwrap_or(0)).backoff(backoff, backoff))
    }

    pub fn redis(&self) -> Result<Redis, Error> {
        self.builder().build()
    }
}

/// Returns an error of a check.
pub fn wrong(what: impl std::fmt::Debug) -> Error {
    Error::new(ErrorKind::Handler, format!("{what:?}"))
}
