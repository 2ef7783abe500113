//! Futures are `Send` on wasm, as everywhere: `axum` asks for it. This compiles, and is not called.

use std::future::Future;

use redis_model::list::WorkerJob;
use redis_model::prelude::*;
use redis_model::redis_rest::Script;
use redis_model::{Error, Since, Unit};

#[derive(Debug, RedisModel)]
#[redis(prefix = "edge-note")]
struct Note {
    #[redis(id)]
    id: u64,
    #[redis(index)]
    at: u64,
    #[redis(version)]
    version: u64,
}

#[derive(Debug, RedisModel)]
#[redis(stream, prefix = "edge-event")]
struct Event {
    note: u64,
}

#[derive(Debug, RedisModel)]
#[redis(list, prefix = "edge-job")]
struct Job {
    note: u64,
}

fn send<T>(_: impl Future<Output = T> + Send) {}

#[expect(dead_code, reason = "the compiler is the check")]
fn futures(redis: &Redis, note: &Note, script: &Script) {
    let (mut messages, mut tail) = (redis.subscribe(["c"]), Event::log("l").tail(redis, Since::Start));
    send(messages.next());
    send(tail.next());
    send(redis.get::<String>("k").into_future());
    send(redis.pipeline().get::<String>("k").incr("k").exec());
    send(redis.transaction().get::<String>("k").exec());
    send(redis.run_script::<String>(script.key("k")).into_future());
    send(note.save(redis).into_future());
    send(Note::load(redis, 1).into_future());
    send(Note::query().range(Note::AT, 1..).fetch(redis).into_future());
    send(Note::modify(redis, 1, |note: &mut Note| note.at += 1).into_future());
    send(Unit::new().insert(note).commit(redis).into_future());
    send(Worker::new(Event::log("l").group("g"), "w").run(redis, async |_| Ok::<(), Error>(())));
    send(Job::queue("q").worker("w").run(redis, async |_: WorkerJob<Job>| Ok::<(), Error>(())));
}
