use redis_model::prelude::*;

#[derive(RedisModel)]
#[redis(embedded)]
struct Labels {
    #[redis(index)]
    labels: Vec<String>,
}

#[derive(RedisModel)]
#[redis(prefix = "article", index(author, tags), unique(author, labels.labels))]
struct Article {
    #[redis(id)]
    id: u64,
    author: String,
    tags: Vec<String>,
    #[redis(flatten)]
    labels: Labels,
}

fn main() {}
