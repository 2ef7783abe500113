use redis_model::RedisModel;

#[derive(RedisModel)]
#[redis(stream, prefix = "order-events", tag = ":event")]
enum OrderEvent {
    Paid {
        #[redis(rename = ":commit")]
        commit: String,
        #[redis(alias = ":log")]
        log: String,
    },
}

#[derive(RedisModel)]
#[redis(embedded)]
struct Source {
    #[redis(rename = ":version")]
    version: u64,
}

#[derive(RedisModel)]
#[redis(list, prefix = "inbox", category)]
struct Message {
    body: String,
}

fn main() {}
