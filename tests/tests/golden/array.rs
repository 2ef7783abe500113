//! The commands on arrays, which no server here has: the requests against those that the official TypeScript SDK was
//! recorded to send for the same calls (`tests/sdk`), the replies against the documented ones and those of Redis's source.

use redis_model::redis_rest::commands::array::{ArrayBound, ArrayOp, ArrayPredicate, ArraySearch};
use redis_model::redis_rest::{ArrayCommands, Build, Command, Encoding};
use serde_json::{Value, json};

use crate::recorded::Recorded;
use crate::{line, refusal};

/// 2^64 - 2, the greatest index.
const GREATEST: u64 = u64::MAX - 1;

#[test]
fn requests_are_those_of_the_official_sdk() {
    let mut sdk = Recorded::load("ar");
    sdk.check("arcount", Build.arcount("a"));
    sdk.check("ardel", Build.ardel("a", [1, GREATEST]));
    sdk.check("ardelrange", Build.ardelrange("a", [(0, 99), (200, 299)]));
    sdk.check("arget", Build.arget::<String>("a", 5));
    sdk.check("argetrange", Build.argetrange::<String>("a", 9, 0));
    sdk.check("argrep", Build.argrep("a", 0, 99, ArrayPredicate::exact("x")));
    let predicates = [
        ArrayPredicate::exact("x"),
        ArrayPredicate::contains("y"),
        ArrayPredicate::glob("e*"),
        ArrayPredicate::regex("^z+$"),
    ];
    let search = ArraySearch::all(predicates).no_case().limit(10);
    sdk.check("argrep_all", Build.argrep("a", ArrayBound::First, ArrayBound::Last, search));
    let search = ArraySearch::any([ArrayPredicate::glob("e*"), ArrayPredicate::contains("y")]).limit(3);
    sdk.check("argrep_withvalues", Build.argrep_withvalues::<String>("a", ArrayBound::First, 7, search));
    sdk.check("arinfo", Build.arinfo("a"));
    sdk.check("arinfo_full", Build.arinfo_full("a"));
    sdk.check("arinsert", Build.arinsert("a", ["x", "y"]));
    sdk.check("arlastitems", Build.arlastitems::<String>("a", 10));
    sdk.check("arlastitems_rev", Build.arlastitems_rev::<String>("a", 10));
    sdk.check("arlen", Build.arlen("a"));
    sdk.check("armget", Build.armget::<String>("a", [0, 5, 100]));
    sdk.check("armset", Build.armset("a", [(0, "x"), (100, "y")]));
    sdk.check("arnext", Build.arnext("a"));
    for (call, operation) in [
        ("arop_sum", ArrayOp::Sum),
        ("arop_min", ArrayOp::Min),
        ("arop_max", ArrayOp::Max),
        ("arop_and", ArrayOp::And),
        ("arop_or", ArrayOp::Or),
        ("arop_xor", ArrayOp::Xor),
    ] {
        sdk.check(call, Build.arop::<f64>("a", 0, 99, operation));
    }
    sdk.check("arop_used", Build.arop_used("a", 0, 99));
    sdk.check("arop_match", Build.arop_match("a", 0, 99, "x"));
    sdk.check("arring", Build.arring("a", 100, ["x", "y"]));
    sdk.check("arscan", Build.arscan::<String>("a", 0, 1000));
    sdk.check("arscan_limit", Build.arscan_limit::<String>("a", 0, 1000, 10));
    sdk.check("arseek", Build.arseek("a", 7));
    sdk.check("arset", Build.arset("a", 7, ["x", "y"]));
    sdk.finish();
}

#[test]
fn one_value_or_many() {
    assert_eq!(line(Build.ardel("a", 3)), "ARDEL a 3");
    assert_eq!(line(Build.ardelrange("a", (0, 9))), "ARDELRANGE a 0 9");
    assert_eq!(line(Build.arinsert("a", "x")), "ARINSERT a x");
    assert_eq!(line(Build.armset("a", (GREATEST, 1.5))), "ARMSET a 18446744073709551614 1.5");
    assert_eq!(line(Build.arset("a", 0, "x")), "ARSET a 0 x");
    assert_eq!(line(Build.argrep("a", 5, ArrayBound::Last, ArrayPredicate::exact(7))), "ARGREP a 5 + EXACT 7");
}

/// What a command makes of a reply, which is the same in JSON and in base64.
fn decoded<R: PartialEq + std::fmt::Debug>(command: Command<R>, result: Value) -> R {
    fn encoded(value: &Value) -> Value {
        use base64::Engine as _;
        match value {
            Value::String(text) => json!(base64::engine::general_purpose::STANDARD.encode(text)),
            Value::Array(items) => items.iter().map(encoded).collect(),
            other => other.clone(),
        }
    }
    let body = |result: &Value| json!({ "result": result }).to_string();
    let plain = command.decode(body(&result), Encoding::Json).expect("a reply");
    assert_eq!(command.decode(body(&encoded(&result)), Encoding::Base64).expect("a reply"), plain);
    plain
}

#[test]
fn replies_are_the_documented_ones() {
    let some = |text: &str| Some(text.to_owned());
    assert_eq!(decoded(Build.arget::<String>("a", 0), json!("hello")), some("hello"));
    assert_eq!(decoded(Build.arget::<String>("a", 9), json!(null)), None);
    assert_eq!(decoded(Build.armget::<u32>("a", [0, 9]), json!(["10", null])), [Some(10), None]);
    let range = Build.argetrange::<String>("a", 2, 0);
    assert_eq!(decoded(range, json!(["c", null, "a"])), [some("c"), None, some("a")]);
    assert_eq!(decoded(Build.arlastitems::<String>("a", 2), json!([null, "b"])), [None, some("b")]);
    assert!(decoded(Build.arlastitems_rev::<String>("a", 2), json!([])).is_empty());
    assert_eq!(decoded(Build.arset("a", 0, ["x", "y"]), json!(2)), 2);
    assert!(decoded(Build.arseek("a", 7), json!(1)) && !decoded(Build.arseek("nothing", 7), json!(0)));

    // An index past the signed range arrives as text.
    let greatest = json!(GREATEST.to_string());
    assert_eq!(decoded(Build.arinsert("a", "x"), greatest.clone()), GREATEST);
    assert_eq!(decoded(Build.arlen("a"), json!(u64::MAX.to_string())), u64::MAX);
    assert_eq!(decoded(Build.arnext("a"), json!(0)), Some(0));
    assert_eq!(decoded(Build.arnext("a"), json!(null)), None);
    let scanned = decoded(Build.arscan::<String>("a", 0, GREATEST), json!([[0, "x"], [greatest.clone(), "y"]]));
    assert_eq!(scanned, [(0, "x".to_owned()), (GREATEST, "y".to_owned())]);
    let all = || ArrayPredicate::glob("*");
    assert_eq!(decoded(Build.argrep("a", 0, 9, all()), json!([3, greatest])), [3, GREATEST]);
    assert_eq!(decoded(Build.argrep_withvalues::<u8>("a", 0, 9, all()), json!([[3, "7"]])), [(3, 7)]);
    assert!(decoded(Build.argrep_withvalues::<u8>("a", 0, 9, all()), json!([])).is_empty());

    // Text for SUM, MIN and MAX, an integer for the others, nil if nothing in the range is a number.
    assert_eq!(decoded(Build.arop::<f64>("a", 0, 9, ArrayOp::Sum), json!("10.5")), Some(10.5));
    assert_eq!(decoded(Build.arop::<i64>("a", 0, 9, ArrayOp::Max), json!("31")), Some(31));
    assert_eq!(decoded(Build.arop::<i64>("a", 0, 9, ArrayOp::Xor), json!(i64::MIN)), Some(i64::MIN));
    assert_eq!(decoded(Build.arop::<i64>("a", 0, 9, ArrayOp::And), json!(null)), None);
    assert_eq!(
        (decoded(Build.arop_used("a", 0, 9), json!(0)), decoded(Build.arop_match("a", 0, 9, 1), json!(2))),
        (0, 2)
    );
    let fraction = Build.arop::<i64>("a", 0, 9, ArrayOp::Sum).decode(r#"{"result":"10.5"}"#, Encoding::Json);
    assert!(fraction.expect_err("no integer").is_decode());
}

#[test]
fn facts_about_an_array() {
    // The example of https://redis.io/docs/latest/commands/arinfo/.
    let facts = json!([
        "count",
        3,
        "len",
        101,
        "next-insert-index",
        1,
        "slices",
        1,
        "directory-size",
        1,
        "super-dir-entries",
        0,
        "slice-size",
        4096
    ]);
    let array = decoded(Build.arinfo("a"), facts.clone());
    assert_eq!((array.len, array.count, array.next_insert_index, array.slices), (101, 3, 1, 1));
    assert_eq!((array.slice_size, array.directory_size, array.super_dir_entries), (4096, 1, 0));
    let slices = json!([
        "dense-slices",
        1,
        "sparse-slices",
        0,
        "avg-dense-size",
        "128",
        "avg-dense-fill",
        "0.0234375",
        "avg-sparse-size",
        "0"
    ]);
    let all = facts.as_array().into_iter().chain(slices.as_array()).flatten().cloned().collect();
    let full = decoded(Build.arinfo_full("a"), all);
    assert_eq!((full.array, full.dense_slices, full.sparse_slices), (array, 1, 0));
    assert_eq!((full.avg_dense_size, full.avg_dense_fill, full.avg_sparse_size), (128.0, 0.023_437_5, 0.0));
    let error = Build.arinfo("nothing").decode(r#"{"error":"ERR no such key"}"#, Encoding::Json).expect_err("no key");
    assert_eq!(error.code(), Some("ERR"));
}

#[test]
fn what_cannot_be_meant_is_not_sent() {
    assert!(refusal(Build.arring("a", 0, "x")).contains("at least 1"));
    assert!(refusal(Build.arscan_limit::<String>("a", 0, 9, 0)).contains("at least 1"));
    assert!(refusal(Build.argrep("a", 0, 9, ArraySearch::any([]))).contains("at least one predicate"));
    let none = ArraySearch::from(ArrayPredicate::exact("x")).limit(0);
    assert!(refusal(Build.argrep("a", 0, 9, none)).contains("at least 1"));
    assert!(refusal(Build.arset("a", 0, Vec::<String>::new())).contains("at least one value"));
}
