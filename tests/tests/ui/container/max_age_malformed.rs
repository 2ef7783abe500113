use redis_model::prelude::*;

#[derive(RedisModel)]
#[redis(stream, prefix = "temperature", max_age = "30 days")]
struct Reading {
    celsius: f64,
}

#[derive(RedisModel)]
#[redis(stream, prefix = "humidity", max_age = 3600)]
struct Humidity {
    percent: f64,
}

#[derive(RedisModel)]
#[redis(stream, prefix = "pressure", max_age = "0s", maxlen = 5)]
struct Pressure {
    bars: f64,
}

fn main() {}
