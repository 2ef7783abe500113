//! The commands on vector indexes, which no server here has: the requests against those that the official TypeScript SDK
//! was recorded to send for the same calls (`tests/sdk`), the replies against the documented ones.

use redis_model::redis_rest::commands::vector::{Vector, VectorIndex, VectorMetric, VectorProfile, VectorQuery};
use redis_model::redis_rest::{Build, Command, Encoding, VectorCommands};

use crate::recorded::Recorded;
use crate::refusal;

#[test]
fn requests_are_those_of_the_official_sdk() {
    let mut sdk = Recorded::load("vector");
    let create = |dimension, metric| VectorIndex::new(dimension, metric);
    sdk.check("vector_create", Build.vector_create("docs", create(3, VectorMetric::Cosine)));
    let same = create(1536, VectorMetric::Euclidean).exists_ok();
    sdk.check("vector_create_exists_ok", Build.vector_create("docs", same));
    sdk.check("vector_create_dot", Build.vector_create("docs", create(1, VectorMetric::Dot)));
    sdk.check("vector_add", Build.vector_add("docs", "doc-1", [0.1, -2.0, 1e-7]));
    sdk.check("vector_add_f32", Build.vector_add("docs", "doc-1", vec![0.1_f32, -2.0, 1e-7, 65504.0]));
    sdk.check("vector_add_base64", Build.vector_add("docs", "doc-1", Vector::base64("AAAAPwAAgD8=")));
    sdk.check("vector_count", Build.vector_count("docs"));
    sdk.check("vector_del", Build.vector_del("docs", "doc-1"));
    sdk.check("vector_drop", Build.vector_drop("docs"));
    sdk.check("vector_get", Build.vector_get("docs", "doc-1"));
    sdk.check("vector_info", Build.vector_info("docs"));
    sdk.check("vector_query", Build.vector_query("docs", VectorQuery::new([0.5, 1.0], 5)));
    for (call, profile) in [
        ("vector_query_fast", VectorProfile::Fast),
        ("vector_query_balanced", VectorProfile::Balanced),
        ("vector_query_precise", VectorProfile::Precise),
    ] {
        sdk.check(call, Build.vector_query("docs", VectorQuery::new([0.5_f32, 1.0], 1000).profile(profile)));
    }
    sdk.finish();
}

fn decoded<R>(command: Command<R>, body: &str) -> R {
    command.decode(body, Encoding::Json).expect("a reply")
}

#[test]
fn replies_are_the_documented_ones() {
    let add = || Build.vector_add("docs", "1", [0.5]);
    assert!(decoded(add(), r#"{"result":1}"#) && !decoded(add(), r#"{"result":0}"#));
    assert_eq!(decoded(Build.vector_count("docs"), r#"{"result":2}"#), 2);
    let get = || Build.vector_get("docs", "1");
    // Floats of 32 bits, written as doubles.
    assert_eq!(decoded(get(), r#"{"result":["0.10000000149011612","-2","1e-7"]}"#), Some(vec![0.1, -2.0, 1e-7]));
    assert_eq!(decoded(get(), r#"{"result":null}"#), None);
    let missing = get().decode(r#"{"error":"ERR Index docs is not found"}"#, Encoding::Json).expect_err("no index");
    assert_eq!(missing.code(), Some("ERR"));
    let info = || Build.vector_info("docs");
    // The SDK expects lower case too.
    for facts in
        [r#"{"result":["dimension",1536,"metric","COSINE"]}"#, r#"{"result":["metric","cosine","dimension","1536"]}"#]
    {
        let index = decoded(info(), facts).expect("an index");
        assert_eq!((index.dimension, index.metric), (1536, VectorMetric::Cosine));
    }
    assert_eq!(decoded(info(), r#"{"result":null}"#), None);
    let unknown = info().decode(r#"{"result":["dimension",3,"metric","HAMMING"]}"#, Encoding::Json);
    assert!(unknown.expect_err("no such metric").is_decode());
    let query = || Build.vector_query("docs", VectorQuery::new([0.5, 1.0], 5));
    let hits = decoded(query(), r#"{"result":[["doc-1","0.99"],["7",0]]}"#);
    assert_eq!((hits[0].id.as_str(), hits[0].score, hits[1].id.as_str()), ("doc-1", 0.99, "7"));
    assert!(decoded(query(), r#"{"result":[]}"#).is_empty());
}

#[test]
fn what_cannot_be_meant_is_not_sent() {
    assert!(refusal(Build.vector_add("docs", "1", Vec::<f32>::new())).contains("at least one number"));
    assert!(refusal(Build.vector_add("docs", "1", [1.0, f64::NAN])).contains("not finite"));
    assert!(refusal(Build.vector_add("docs", "1", [f32::INFINITY].as_slice())).contains("not finite"));
    assert!(refusal(Build.vector_query("docs", VectorQuery::new([1.0], 0))).contains("at least 1"));
    assert!(refusal(Build.vector_create("docs", VectorIndex::new(0, VectorMetric::Dot))).contains("at least 1"));
}
