use redis_model::redis_rest::commands::list::{Inserted, ListPlace, ListSide, LposOptions, Popped};
use redis_model::redis_rest::{ListCommands, Result};
use redis_model_tests::key;
use redis_model_tests::via::{Via, everywhere};

async fn ends(redis: &Via) -> Result<()> {
    let k = &key("list");
    assert_eq!(redis.rpushx(k, ["x"]).await?, 0);
    assert_eq!(redis.lpushx(k, ["x"]).await?, 0);
    assert_eq!(redis.rpush(k, ["c", "d"]).await?, 2);
    assert_eq!(redis.lpush(k, ["b", "a"]).await?, 4);
    assert_eq!(redis.rpushx(k, ["e"]).await?, 5);
    assert_eq!(redis.lpushx(k, ["z"]).await?, 6);
    assert_eq!(redis.lpop::<String>(k).await?.as_deref(), Some("z"));
    assert_eq!(redis.rpop::<String>(k).await?.as_deref(), Some("e"));
    assert_eq!(redis.lrange::<String>(k, 0, -1).await?, ["a", "b", "c", "d"]);
    assert_eq!(redis.lpop_count::<String>(k, 2).await?, ["a", "b"]);
    assert_eq!(redis.rpop_count::<String>(k, 9).await?, ["d", "c"]);
    assert_eq!(redis.lpop_count::<String>(k, 9).await?, [""; 0]);
    assert_eq!(redis.rpop::<String>(k).await?, None);
    assert_eq!(redis.llen(k).await?, 0);
    Ok(())
}

async fn middles(redis: &Via) -> Result<()> {
    let k = &key("list");
    redis.rpush(k, ["a", "b", "a", "c"]).await?;
    assert_eq!(redis.lindex::<String>(k, -1).await?.as_deref(), Some("c"));
    assert_eq!(redis.lindex::<String>(k, 9).await?, None);
    assert_eq!(redis.linsert(k, ListPlace::Before, "b", "x").await?, Inserted::Length(5));
    assert_eq!(redis.linsert(k, ListPlace::After, "none", "x").await?, Inserted::NoPivot);
    assert_eq!(redis.linsert(key("none"), ListPlace::After, "a", "x").await?, Inserted::NoList);
    assert_eq!(redis.lpos(k, "a", LposOptions::new()).await?, Some(0));
    assert_eq!(redis.lpos(k, "a", LposOptions::new().rank(2).max_len(2)).await?, None);
    assert_eq!(redis.lpos_count(k, "a", 0, LposOptions::new()).await?, [0, 3]);
    assert_eq!(redis.lpos_count(k, "none", 0, LposOptions::new()).await?, [0; 0]);
    redis.lset(k, 1, "y").await?;
    assert!(redis.lset(k, 99, "y").await.unwrap_err().to_string().contains("out of range"));
    assert_eq!(redis.lrem(k, 0, "a").await?, 2);
    redis.ltrim(k, 0, 1).await?;
    assert_eq!(redis.lrange::<String>(k, 0, -1).await?, ["y", "b"]);
    Ok(())
}

async fn between_lists(redis: &Via) -> Result<()> {
    let (a, b) = (&key("a"), &key("b"));
    redis.rpush(a, [1, 2, 3, 4]).await?;
    assert_eq!(redis.lmove::<i64>(a, b, ListSide::Left, ListSide::Right).await?, Some(1));
    assert_eq!(redis.rpoplpush::<i64>(a, b).await?, Some(4));
    assert_eq!(redis.lrange::<i64>(b, 0, -1).await?, [4, 1]);
    let none = &key("none");
    assert_eq!(redis.lmove::<i64>(none, b, ListSide::Left, ListSide::Left).await?, None);
    let popped = redis.lmpop::<String, i64>([none, a], ListSide::Right, 9).await?;
    assert_eq!(popped, Some(Popped { key: a.clone(), items: vec![3, 2] }));
    assert_eq!(redis.lmpop::<String, i64>([none, a], ListSide::Right, 9).await?, None);
    Ok(())
}

#[tokio::test]
async fn every_method_on_every_executor() -> Result<()> {
    for redis in &everywhere() {
        ends(redis).await?;
        middles(redis).await?;
        between_lists(redis).await?;
    }
    Ok(())
}
