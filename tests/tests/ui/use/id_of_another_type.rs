use redis_model::prelude::*;

#[derive(Clone, RedisModel)]
#[redis(id)]
struct OrderId(u64);

#[derive(RedisModel)]
#[redis(prefix = "order")]
struct Order {
    #[redis(id)]
    id: OrderId,
}

async fn run(redis: Redis) -> Result<()> {
    Order::load(&redis, 7).await?;
    Order::load(&redis, OrderId(7)).await?;
    Ok(())
}

fn main() {}
