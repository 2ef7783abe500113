use std::collections::HashMap;

use redis_model::redis_rest::commands::json::{JsonFormat, JsonSetCondition, JsonType};
use redis_model::redis_rest::{JsonCommands, Result, Value};
use redis_model_tests::key;
use redis_model_tests::via::{Via, everywhere};
use serde_json::json;

async fn documents(redis: &Via) -> Result<()> {
    let (k, l, none) = (&key("json"), &key("json"), &key("none"));
    let document = json!({"a": [1, 2], "n": 5, "s": "h\u{e9}", "o": {"x": 1}, "b": true, "z": null});
    assert!(redis.json_set(k, "$", &document).await?);
    assert!(!redis.json_set_with(k, "$", 1, JsonSetCondition::Nx).await?);
    assert!(!redis.json_set_with(none, "$", 1, JsonSetCondition::Xx).await?);
    assert!(!redis.json_set(k, "$.deep.er", 1).await?);
    assert_eq!(redis.json_get::<serde_json::Value>(k).await?, Some(document));
    assert_eq!(redis.json_get::<serde_json::Value>(none).await?, None);
    assert!(redis.json_get::<i64>(k).await.unwrap_err().is_decode());
    assert_eq!(redis.json_get_path::<i64>(k, "$.n").await?, Some(vec![5]));
    assert_eq!(redis.json_get_path::<i64>(k, ".n").await?, Some(vec![5]));
    assert_eq!(redis.json_get_path::<i64>(k, "$.none").await?, Some(vec![]));
    assert_eq!(redis.json_get_path::<i64>(none, "$.n").await?, None);
    let found = redis.json_get_paths::<HashMap<String, Vec<i64>>>(k, ["$.n", "$.o.x"]).await?;
    assert_eq!(found, Some(HashMap::from([("$.n".to_owned(), vec![5]), ("$.o.x".to_owned(), vec![1])])));
    let text = redis.json_get_with(k, ["$.o"], JsonFormat::pretty()).await?;
    assert_eq!(text.as_deref(), Some("[\n    {\n        \"x\": 1\n    }\n]"));
    redis.json_mset([(k, "$.n", 6), (l, "$", 7)]).await?;
    assert_eq!(redis.json_mget::<i64>([k, none], "$.n").await?, [Some(vec![6]), None]);
    assert_eq!(redis.json_mget::<i64>([k, none], ".n").await?, [Some(vec![6]), None]);
    assert!(redis.json_merge(k, "$", json!({"z": null, "m": "new"})).await?);
    assert!(!redis.json_merge(k, "$.deep.er", 1).await?);
    assert_eq!(redis.json_objkeys(k, "$").await?[0].as_ref().map(Vec::len), Some(6));
    assert_eq!(redis.json_objkeys(k, ".o").await?, [Some(vec!["x".to_owned()])]);
    assert_eq!(redis.json_objlen(k, "$").await?, [Some(6)]);
    let types =
        [("$.a", JsonType::Array), ("$.n", JsonType::Integer), ("$.s", JsonType::String), (".b", JsonType::Boolean)];
    for (path, kind) in types {
        assert_eq!(redis.json_type(k, path).await?, [kind]);
    }
    assert!(redis.json_type(none, "$").await?.is_empty());
    assert_eq!(redis.json_resp::<Value>(k, "$.n").await?, [Value::Int(6)]);
    assert!(redis.json_debug_memory(k, "$").await?[0].is_some_and(|bytes| bytes > 0));
    assert!(redis.json_debug_help().await?.iter().any(|line| line.contains("MEMORY")));
    assert_eq!(redis.json_del(k, "$.o").await?, 1);
    assert_eq!(redis.json_forget(l, "$").await?, 1);
    Ok(())
}

async fn values(redis: &Via) -> Result<()> {
    let (k, none) = (&key("json"), &key("none"));
    redis.json_set(k, "$", json!({"a": ["x"], "n": 5, "s": "hi", "b": true})).await?;
    assert_eq!(redis.json_arrappend(k, "$.a", ["y", "z"]).await?, [Some(3)]);
    assert_eq!(redis.json_arrappend(k, ".a", ["y"]).await?, [Some(4)]);
    assert_eq!(redis.json_arrinsert(k, "$.a", 0, ["w"]).await?, [Some(5)]);
    assert_eq!(redis.json_arrindex(k, "$['a','n']", "y").await?, [Some(2), None]);
    assert_eq!(redis.json_arrindex(k, ".a", "none").await?, [None]);
    assert_eq!(redis.json_arrindex_range(k, "$.a", "y", 3, 0).await?, [Some(4)]);
    assert_eq!(redis.json_arrlen(k, "$['a','n']").await?, [Some(5), None]);
    assert_eq!(redis.json_arrpop::<String>(k, "$['a','n']", 0).await?, [Some("w".to_owned()), None]);
    assert_eq!(redis.json_arrpop::<String>(k, ".a", -1).await?, [Some("y".to_owned())]);
    assert_eq!(redis.json_arrtrim(k, "$.a", 1, 2).await?, [Some(2)]);
    assert_eq!(redis.json_numincrby::<f64>(k, "$['s','n']", 0.5).await?, [None, Some(5.5)]);
    assert_eq!(redis.json_nummultby::<f64>(k, ".n", 2).await?, [Some(11.0)]);
    assert_eq!(redis.json_strappend(k, "$.s", "!\"").await?, [Some(4)]);
    assert_eq!(redis.json_strlen(k, ".s").await?, [Some(4)]);
    assert_eq!(redis.json_toggle(k, "$['n','b']").await?, [None, Some(false)]);
    assert_eq!(redis.json_toggle(k, ".b").await?, [Some(true)]);
    assert_eq!(redis.json_clear(k, "$.a").await?, 1);
    assert_eq!(redis.json_get_path::<Vec<String>>(k, "$.a").await?, Some(vec![vec![]]));
    let error = redis.json_arrappend(none, "$", [1]).await.unwrap_err();
    assert_eq!(error.command(), Some("JSON.ARRAPPEND"), "{error}");
    Ok(())
}

#[tokio::test]
async fn every_method_on_every_executor() -> Result<()> {
    for redis in &everywhere() {
        documents(redis).await?;
        values(redis).await?;
    }
    Ok(())
}
