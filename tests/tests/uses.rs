//! What users write and what must compile. Nothing here runs.

#![allow(dead_code, unused_must_use, reason = "what counts is that it compiles")]

use std::collections::{BTreeMap, HashMap, HashSet};
use std::pin::Pin;
use std::time::Duration;

use redis_model::Client;
use redis_model::hash::IdRef;
use redis_model::prelude::*;
use redis_model::redis_rest::bytes::Bytes;
use redis_model::redis_rest::{Batch, Command, Encoding};

async fn twice<C: Client>(client: C, key: &str) -> Result<i64> {
    let once = C::resolve(client.incr(key)).await?;
    C::resolve(client.incrby(key, once)).await
}

async fn batched<C: Client>(client: C) -> Result<i64> {
    let mut batch = Batch::new(client);
    let slot = batch.incr("hits");
    C::resolve(batch.exec()).await?.take(slot)
}

fn counted<C: Client>(client: C) -> C::Out<i64> {
    client.incr("hits")
}

async fn clients(redis: Redis, blocking: blocking::Redis) -> Result<()> {
    twice(&redis, "hits").await?;
    twice(&blocking, "hits").await?;
    batched(&redis).await?;
    batched(&blocking).await?;
    counted(&blocking)?;
    counted(&redis).await?;
    Ok(())
}

struct App {
    redis: Redis,
}

impl App {
    fn hits(&self, page: u64) -> impl Future<Output = Result<i64>> + Send + use<> {
        self.redis.incr(format!("hits:{page}"))
    }

    fn boxed(&self) -> Pin<Box<dyn Future<Output = Result<i64>> + Send>> {
        Box::pin(self.redis.incr("hits"))
    }
}

async fn futures(app: App) -> std::result::Result<(), Box<dyn std::error::Error>> {
    let hits = app.hits(1);
    let redis = app.redis.clone();
    drop(app);
    hits.await?;
    tokio::spawn(redis.get::<String>("name")).await??;
    tokio::join!(redis.incr("a"), redis.get::<i64>("b"));
    tokio::try_join!(redis.incr("a"), redis.incr("b"))?;
    futures_util::future::try_join_all((0..3).map(|page| redis.incr(page))).await?;
    tokio::time::timeout(Duration::from_secs(1), redis.incr("a")).await??;
    tokio::select! {
        hits = redis.incr("a") => drop(hits?),
        () = tokio::time::sleep(Duration::from_secs(1)) => {}
    }
    redis.get::<String>("name").timeout(Duration::from_secs(1)).deadline(Duration::from_secs(2)).await?;
    redis.pipeline().incr("a").exec().timeout(Duration::from_secs(1)).await?;
    Ok(())
}

async fn one_or_many(redis: Redis, key: String, keys: Vec<String>, set: HashSet<String>) -> Result<()> {
    redis.del("a").await?;
    redis.del(&key).await?;
    redis.del(key.clone()).await?;
    redis.del(["a", "b"]).await?;
    redis.del(&keys).await?;
    redis.del(keys.iter()).await?;
    redis.del(keys.iter().map(|key| format!("user:{key}"))).await?;
    redis.del(&set).await?;
    redis.del(keys.clone()).await?;
    redis.sadd("set", 5).await?;
    redis.sadd("set", [1, 2, 3]).await?;
    redis.sadd("set", vec![1.5, 2.0]).await?;
    redis.hdel("hash", "field").await?;
    redis.zrem("zset", "member").await?;
    redis.lpush("list", &key).await?;
    let all = redis.subscribe("channel").subscribe(["one", "two"]).psubscribe("pattern.*").psubscribe(&keys);
    drop((all, redis.subscribe(&key), redis.psubscribe(keys.iter().map(|key| format!("{key}.*")))));
    Ok(())
}

async fn bytes_are_one_value(redis: Redis, owned: Vec<u8>, shared: Bytes, text: String) -> Result<()> {
    redis.rpush("list", &owned).await?;
    redis.rpush("list", owned.clone()).await?;
    redis.rpush("list", [owned, b"second".to_vec()]).await?;
    redis.rpush("list", shared).await?;
    redis.del(b"key").await?;
    redis.del(text.as_bytes()).await?;
    Ok(())
}

async fn pairs(redis: Redis, map: HashMap<String, i64>, sorted: BTreeMap<&str, f64>) -> Result<()> {
    redis.hset("hash", ("field", 1)).await?;
    redis.hset("hash", [("field", 1), ("other", 2)]).await?;
    redis.hset("hash", &map).await?;
    redis.hset("hash", map).await?;
    redis.hset("hash", sorted).await?;
    redis.zadd("zset", (1.0, "member")).await?;
    redis.zadd("zset", [(1.0, "a"), (2.0, "b")]).await?;
    redis.mset(("a", 1)).await?;
    redis.xadd("stream", ("field", "value")).await?;
    Ok(())
}

async fn arguments(redis: Redis, key: String, keys: Vec<String>) -> Result<()> {
    let () = redis.execute(("SET", "a", 1)).await?;
    let _: String = redis.execute("PING").await?;
    let _: i64 = redis.execute(("HSET", &key, "f", 1.5, "g", true)).await?;
    let _: i64 = redis.eval("return 1", (), ()).await?;
    let _: i64 = redis.eval("return 1", ["k"], ("a", 1)).await?;
    let _: i64 = redis.eval("return 1", &keys, keys.clone()).await?;
    Ok(())
}

/// The prelude's `Result` takes another error type too.
fn parsed(text: &str) -> Result<i32, std::num::ParseIntError> {
    text.parse()
}

/// Code that is generic over models.
struct Repository<M> {
    redis: Redis,
    _models: std::marker::PhantomData<M>,
}

impl<M: HashModel + Send + Sync> Repository<M> {
    async fn get(&self, id: IdRef<'_, M>) -> Result<Option<M>> {
        M::load(&self.redis, id).await
    }

    async fn put(&self, model: &M) -> Result<()> {
        model.save(&self.redis).await.map(drop)
    }

    async fn all(&self) -> Result<Vec<M>> {
        M::scan(&self.redis).collect().await
    }
}

/// One bound for each reply type still works.
async fn bump<C>(client: C, key: &str) -> Result<i64>
where
    C: Client,
    C::Out<i64>: IntoFuture<Output = Result<i64>>,
{
    let hits = client.incr(key).await?;
    client.incrby(key, hits).await
}

/// An executor of the user's own, as in a test.
struct Fake;

impl Executor for Fake {
    type Out<R> = std::future::Ready<Result<R>>;

    fn submit<R>(self, command: Command<R>) -> Self::Out<R> {
        std::future::ready(command.decode("{\"result\":1}", Encoding::Json))
    }
}
