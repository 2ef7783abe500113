//! Workers whose sizes and times are compared: one that answers, one that sends a GET, one that uses models.

use worker::{Context, Env, Request, Response, Result, event};

#[event(fetch)]
async fn fetch(_request: Request, env: Env, _ctx: Context) -> Result<Response> {
    match answer(&env).await {
        Ok(text) => Response::ok(text),
        Err(text) => Response::error(text, 500),
    }
}

#[cfg(not(any(feature = "get", feature = "models")))]
async fn answer(_env: &Env) -> std::result::Result<String, String> {
    Ok("hello".to_owned())
}

#[cfg(any(feature = "get", feature = "models"))]
macro_rules! client {
    ($redis:path, $env:expr) => {{
        static CLIENT: std::sync::OnceLock<$redis> = std::sync::OnceLock::new();
        match CLIENT.get() {
            Some(client) => client,
            None => {
                let vars = |name: &str| Some($env.var(name).ok()?.to_string());
                let client = <$redis>::builder_from_vars(vars).build().map_err(|error| error.to_string())?;
                CLIENT.get_or_init(|| client)
            }
        }
    }};
}

#[cfg(feature = "get")]
async fn answer(env: &Env) -> std::result::Result<String, String> {
    use redis_rest::StringCommands as _;

    let redis = client!(redis_rest::Redis, env);
    let found: Option<String> = redis.get("bench").await.map_err(|error| error.to_string())?;
    Ok(found.unwrap_or_default())
}

#[cfg(all(feature = "models", not(feature = "get")))]
async fn answer(env: &Env) -> std::result::Result<String, String> {
    models::answer(client!(redis_model::Redis, env)).await.map_err(|error| error.to_string())
}

#[cfg(all(feature = "models", not(feature = "get")))]
mod models {
    use redis_model::Since;
    use redis_model::prelude::*;

    #[derive(Debug, Clone, RedisModel)]
    #[redis(prefix = "bench-user")]
    struct User {
        #[redis(id)]
        id: u64,
        #[redis(unique)]
        email: String,
        #[redis(index)]
        age: u8,
        visits: i64,
    }

    #[derive(Debug, RedisModel)]
    #[redis(stream, prefix = "bench-order", publish)]
    enum Event {
        Placed { sku: String },
    }

    pub async fn answer(redis: &Redis) -> Result<String> {
        let user = User { id: 1, email: "ada@example.org".into(), age: 36, visits: 0 };
        user.save(redis).await?;
        let visits = User::patch(1).incr(User::VISITS, 1).returning(User::VISITS).exec(redis).await?;
        let page = User::query().range(User::AGE, 30..40).fetch(redis).await?;
        let log = Event::log(1);
        log.append(redis, &Event::Placed { sku: "tea".into() }).await?;
        let mut tail = log.tail(redis, Since::Start);
        let first = tail.next().await.transpose()?.map(|entry| entry.event).transpose()?;
        Ok(format!("{visits:?} {:?} {first:?}", page.items.len()))
    }
}
