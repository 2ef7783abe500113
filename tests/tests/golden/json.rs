use std::collections::HashMap;

use redis_model::redis_rest::commands::json::{JsonFormat, JsonSetCondition};
use redis_model::redis_rest::{Build, Encoding, JsonCommands};
use serde_json::json;

use crate::{line, refusal};

#[test]
fn documents() {
    assert_eq!(line(Build.json_del("k", "$.a")), "JSON.DEL k $.a");
    assert_eq!(line(Build.json_forget("k", "$")), "JSON.FORGET k $");
    assert_eq!(line(Build.json_get::<i64>("k")), "JSON.GET k");
    assert_eq!(line(Build.json_get_path::<i64>("k", "$..a")), "JSON.GET k $..a");
    assert_eq!(line(Build.json_get_paths::<HashMap<String, Vec<i64>>>("k", ["$.a", "$.b"])), "JSON.GET k $.a $.b");
    let format = JsonFormat::new().indent("-").newline("/").space("_");
    assert_eq!(line(Build.json_get_with("k", ["$"], format)), "JSON.GET k INDENT - NEWLINE / SPACE _ $");
    assert_eq!(line(Build.json_merge("k", "$", json!({"a": null}))), r#"JSON.MERGE k $ {"a":null}"#);
    assert_eq!(line(Build.json_mget::<i64>(["k", "l"], "$.a")), "JSON.MGET k l $.a");
    assert_eq!(line(Build.json_mset([("k", "$", 1), ("l", "$.a", 2)])), "JSON.MSET k $ 1 l $.a 2");
    assert_eq!(line(Build.json_set("k", "$.a", "x\"y")), r#"JSON.SET k $.a "x\"y""#);
    let once = JsonSetCondition::Nx;
    assert_eq!(line(Build.json_set_with("k", "$", [1, 2], once)), "JSON.SET k $ [1,2] NX");
    assert_eq!(line(Build.json_set_with("k", "$", (), JsonSetCondition::Xx)), "JSON.SET k $ null XX");
    assert_eq!(line(Build.json_type("k", "$.*")), "JSON.TYPE k $.*");
    assert_eq!(line(Build.json_resp::<i64>("k", ".")), "JSON.RESP k .");
    assert_eq!(line(Build.json_debug_memory("k", "$")), "JSON.DEBUG MEMORY k $");
    assert_eq!(line(Build.json_debug_help()), "JSON.DEBUG HELP");
}

#[test]
fn values_in_documents() {
    assert_eq!(line(Build.json_arrappend("k", "$.a", ["x", "y"])), r#"JSON.ARRAPPEND k $.a "x" "y""#);
    assert_eq!(line(Build.json_arrindex("k", "$.a", "x")), r#"JSON.ARRINDEX k $.a "x""#);
    assert_eq!(line(Build.json_arrindex_range("k", "$.a", 1, -3, 0)), "JSON.ARRINDEX k $.a 1 -3 0");
    assert_eq!(line(Build.json_arrinsert("k", "$.a", 0, [1, 2])), "JSON.ARRINSERT k $.a 0 1 2");
    assert_eq!(line(Build.json_arrlen("k", "$.a")), "JSON.ARRLEN k $.a");
    assert_eq!(line(Build.json_arrpop::<i64>("k", "$.a", -1)), "JSON.ARRPOP k $.a -1");
    assert_eq!(line(Build.json_arrtrim("k", "$.a", 0, 1)), "JSON.ARRTRIM k $.a 0 1");
    assert_eq!(line(Build.json_clear("k", "$.a")), "JSON.CLEAR k $.a");
    assert_eq!(line(Build.json_numincrby::<f64>("k", "$.a", 0.5)), "JSON.NUMINCRBY k $.a 0.5");
    assert_eq!(line(Build.json_nummultby::<i64>("k", "$.a", u64::MAX)), format!("JSON.NUMMULTBY k $.a {}", u64::MAX));
    assert_eq!(line(Build.json_objkeys("k", "$")), "JSON.OBJKEYS k $");
    assert_eq!(line(Build.json_objlen("k", "$")), "JSON.OBJLEN k $");
    assert_eq!(line(Build.json_strappend("k", "$.a", "x")), r#"JSON.STRAPPEND k $.a "x""#);
    assert_eq!(line(Build.json_strlen("k", "$.a")), "JSON.STRLEN k $.a");
    assert_eq!(line(Build.json_toggle("k", "$.a")), "JSON.TOGGLE k $.a");
}

/// A server may give the numbers one by one, instead of as one text.
#[test]
fn numbers_come_in_two_shapes() {
    let command = Build.json_numincrby::<f64>("k", "$..n", 1);
    for body in [r#"{"result":"[1,null,2.5]"}"#, r#"{"result":[1,null,"2.5"]}"#] {
        assert_eq!(command.decode(body, Encoding::Json).expect("numbers"), [Some(1.0), None, Some(2.5)]);
    }
}

#[test]
fn what_redis_would_refuse_is_not_sent() {
    let nothing: [i64; 0] = [];
    assert!(refusal(Build.json_arrappend("k", "$", nothing)).contains("at least one value"));
    assert!(refusal(Build.json_mset([] as [(&str, &str, i64); 0])).contains("at least one value"));
    assert!(refusal(Build.json_get_paths::<i64>("k", ["$"])).contains("at least two paths"));
    assert!(refusal(Build.json_numincrby::<f64>("k", "$", f64::NAN)).contains("finite number"));
    assert!(refusal(Build.json_nummultby::<f64>("k", "$", "one")).contains("finite number"));
    let unwritable = HashMap::from([((1, 2), 3)]);
    assert!(refusal(Build.json_set("k", "$", unwritable)).contains("cannot be written as JSON"));
}
