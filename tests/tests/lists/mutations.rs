//! Scripts that are wrong on purpose: the random test must notice each. It is a test of the test.

use std::panic::AssertUnwindSafe;

use futures_util::FutureExt as _;
use redis_model::prelude::*;
use redis_model::redis_rest::Encoding;
use redis_model_tests::direct::{Direct, Mutation};
use redis_model_tests::own_stack;

use crate::model::World;

/// What is wrong, a line of a script, and what is sent instead.
const MUTATIONS: &[(&str, &str, &str)] = &[
    ("late workers are not refused", "if holder ~= reservation then", "if not holder then"),
    ("outcomes are not kept", "if outcome then return outcome end", ""),
    (
        "jobs are taken back early",
        "'ZRANGEBYSCORE', reserved, '-inf', now",
        "'ZRANGEBYSCORE', reserved, '-inf', '+inf'",
    ),
    ("delays end early", "'ZRANGEBYSCORE', delayed, '-inf', now", "'ZRANGEBYSCORE', delayed, '-inf', '+inf'"),
    ("jobs never die", "if attempts_of(id) < max_attempts then return false end", "if true then return false end"),
    ("the history of finished jobs stays", "fields[#fields + 1] = id .. ':' .. text_of(attempt)", ""),
    ("what was taken back comes last", "call('LPUSH', waiting, id)", "call('RPUSH', waiting, id)"),
    ("keys of callers are not remembered", "local kept = call('GET', caller_key)", "local kept = nil"),
    ("another job under a known key is no conflict", "used_for == fingerprint and 'known' or 'used'", "'known'"),
    ("a retry has no new attempts", "call('HSET', jobs, id .. ':from', text_of(all))", ""),
    ("a job that was given back is still reserved", "call('ZREM', reserved, id)\ncall('HDEL'", "call('HDEL'"),
    ("a worker that has given back holds on", "call('HDEL', jobs, id .. ':held', id", "call('HDEL', jobs, id"),
    ("numbers begin again after `clear`", "if last then call('HSET', jobs, ':', last) end", ""),
];

#[test]
fn mutations_are_noticed() {
    let stack = own_stack();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let unchanged = Direct::new(stack.server.url());
    let raw = Redis::builder("http://127.0.0.1:1", "none")
        .transport(unchanged.clone())
        .encoding(Encoding::Resp2)
        .build()
        .unwrap();
    let mut missed = Vec::new();
    for &(name, right, wrong) in MUTATIONS {
        let replace = vec![(right.to_owned(), wrong.to_owned())];
        let mutated = Direct::mutated(stack.server.url(), Some(Mutation { name, replace }));
        runtime.block_on(async {
            raw.execute::<()>(["FLUSHALL"]).await.unwrap();
            // Or the server would still know the scripts as they are.
            raw.execute::<()>(["SCRIPT", "FLUSH"]).await.unwrap();
        });
        let world = World::new(&mutated, &unchanged, 7).unwrap();
        // Most are noticed by a panic within the first hundred calls.
        let run = runtime.block_on(AssertUnwindSafe(world.run(6000)).catch_unwind());
        assert!(mutated.has_mutated(), "{name}: no script has this line");
        if let Ok(Ok(_)) = run {
            missed.push(name);
        }
    }
    assert!(missed.is_empty(), "not noticed: {missed:?}");
}
