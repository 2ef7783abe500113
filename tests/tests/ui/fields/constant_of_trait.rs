use redis_model::prelude::*;

#[derive(RedisModel)]
#[redis(prefix = "tenant", rename_all = "camelCase")]
struct Tenant {
    #[redis(id)]
    id: u64,
    model_name: String,
    key_prefix: String,
    prefix: String,
    name: String,
}

fn main() {
    let _ = (Tenant::NAME.name(), Tenant::PREFIX.name());
}
