use redis_model::redis_rest::commands::list::{ListPlace, ListSide, LposOptions};
use redis_model::redis_rest::{Build, ListCommands};

use crate::{line, refusal};

#[test]
fn lists() {
    assert_eq!(line(Build.lindex::<String>("k", -1)), "LINDEX k -1");
    assert_eq!(line(Build.linsert("k", ListPlace::Before, "p", "e")), "LINSERT k BEFORE p e");
    assert_eq!(line(Build.linsert("k", ListPlace::After, "p", "e")), "LINSERT k AFTER p e");
    assert_eq!(line(Build.llen("k")), "LLEN k");
    assert_eq!(line(Build.lmove::<String>("a", "b", ListSide::Left, ListSide::Right)), "LMOVE a b LEFT RIGHT");
    assert_eq!(line(Build.lmpop::<String, String>(["a", "b"], ListSide::Right, 3)), "LMPOP 2 a b RIGHT COUNT 3");
    assert_eq!(line(Build.lpop::<String>("k")), "LPOP k");
    assert_eq!(line(Build.lpop_count::<String>("k", 2)), "LPOP k 2");
    assert_eq!(line(Build.lpos("k", "e", LposOptions::new())), "LPOS k e");
    let options = LposOptions::new().rank(-1).max_len(9);
    assert_eq!(line(Build.lpos("k", "e", options)), "LPOS k e RANK -1 MAXLEN 9");
    assert_eq!(line(Build.lpos_count("k", "e", 0, options)), "LPOS k e RANK -1 MAXLEN 9 COUNT 0");
    assert_eq!(line(Build.lpush("k", ["a", "b"])), "LPUSH k a b");
    assert_eq!(line(Build.lpushx("k", ["a"])), "LPUSHX k a");
    assert_eq!(line(Build.lrange::<String>("k", 0, -1)), "LRANGE k 0 -1");
    assert_eq!(line(Build.lrem("k", -2, "e")), "LREM k -2 e");
    assert_eq!(line(Build.lset("k", 0, "e")), "LSET k 0 e");
    assert_eq!(line(Build.ltrim("k", 0, 9)), "LTRIM k 0 9");
    assert_eq!(line(Build.rpop::<String>("k")), "RPOP k");
    assert_eq!(line(Build.rpop_count::<String>("k", 2)), "RPOP k 2");
    assert_eq!(line(Build.rpoplpush::<String>("a", "b")), "RPOPLPUSH a b");
    assert_eq!(line(Build.rpush("k", [1, 2])), "RPUSH k 1 2");
    assert_eq!(line(Build.rpushx("k", ["a"])), "RPUSHX k a");
}

#[test]
fn what_redis_would_refuse_is_not_sent() {
    let nothing: [&str; 0] = [];
    assert!(refusal(Build.lpush("k", nothing)).contains("at least one element"));
    assert!(refusal(Build.lmpop::<String, String>(nothing, ListSide::Left, 1)).contains("at least one key"));
    assert!(refusal(Build.lmpop::<String, String>(["a"], ListSide::Left, 0)).contains("at least 1"));
    assert!(refusal(Build.lpos("k", "e", LposOptions::new().rank(0))).contains("rank of 0"));
}
