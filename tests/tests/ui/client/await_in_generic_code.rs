// A client may be a blocking one: `C::resolve(client.incr("hits")).await` serves both.
use redis_model::Client;
use redis_model::prelude::*;

async fn example<C: Client>(client: C) -> Result<i64> {
    let hits: i64 = client.incr("hits").await?;
    Ok(hits)
}

fn main() {}
