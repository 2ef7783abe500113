use redis_model::redis_rest::commands::flush::FlushMode;
use redis_model::redis_rest::{Build, Encoding, ServerCommands};

use crate::{line, refusal};

#[test]
fn users() {
    assert_eq!(line(Build.acl_cat(None)), "ACL CAT");
    assert_eq!(line(Build.acl_cat(Some("read"))), "ACL CAT read");
    assert_eq!(line(Build.acl_deluser(["a", "b"])), "ACL DELUSER a b");
    assert_eq!(line(Build.acl_genpass(None)), "ACL GENPASS");
    assert_eq!(line(Build.acl_genpass(Some(64))), "ACL GENPASS 64");
    assert_eq!(line(Build.acl_gentoken("a", None)), "ACL GENTOKEN a");
    assert_eq!(line(Build.acl_gentoken("a", Some("p"))), "ACL GENTOKEN a p");
    assert_eq!(line(Build.acl_getuser("a")), "ACL GETUSER a");
    assert_eq!(line(Build.acl_list()), "ACL LIST");
    assert_eq!(line(Build.acl_load()), "ACL LOAD");
    assert_eq!(line(Build.acl_log(None)), "ACL LOG");
    assert_eq!(line(Build.acl_log(Some(3))), "ACL LOG 3");
    assert_eq!(line(Build.acl_log_reset()), "ACL LOG RESET");
    assert_eq!(line(Build.acl_resttoken("a", "p")), "ACL RESTTOKEN a p");
    assert_eq!(line(Build.acl_save()), "ACL SAVE");
    assert_eq!(line(Build.acl_setuser("a", ["on", "+get"])), "ACL SETUSER a on +get");
    assert_eq!(line(Build.acl_users()), "ACL USERS");
    assert_eq!(line(Build.acl_whoami()), "ACL WHOAMI");
}

#[test]
fn the_server_itself() {
    assert_eq!(line(Build.command()), "COMMAND");
    assert_eq!(line(Build.config_get(["max*", "save"])), "CONFIG GET max* save");
    assert_eq!(line(Build.config_set([("maxmemory", 0), ("timeout", 1)])), "CONFIG SET maxmemory 0 timeout 1");
    assert_eq!(line(Build.dbsize()), "DBSIZE");
    assert_eq!(line(Build.flushall()), "FLUSHALL");
    assert_eq!(line(Build.flushdb()), "FLUSHDB");
    for (mode, word) in [(FlushMode::Async, "ASYNC"), (FlushMode::Sync, "SYNC")] {
        assert_eq!(line(Build.flushall_with(mode)), format!("FLUSHALL {word}"));
        assert_eq!(line(Build.flushdb_with(mode)), format!("FLUSHDB {word}"));
    }
    assert_eq!(line(Build.info()), "INFO");
    assert_eq!(line(Build.info_with("memory")), "INFO memory");
    assert_eq!(line(Build.info_with(["memory", "server"])), "INFO memory server");
    assert_eq!(line(Build.time()), "TIME");
}

/// As Redis 6 has it: rules in arrays, no selectors.
#[test]
fn users_of_an_older_server() {
    let body = r#"{"result":["flags",["on"],"passwords",[],"commands","+@all","keys",["a*","b*"],"channels",["*"]]}"#;
    let user = Build.acl_getuser("a").decode(body, Encoding::Json).expect("a user").expect("a user");
    assert_eq!((user.root.keys.as_str(), user.root.channels.as_str(), user.selectors.len()), ("a* b*", "*", 0));
}

#[test]
fn what_redis_would_refuse_is_not_sent() {
    let nothing: [&str; 0] = [];
    assert!(refusal(Build.acl_deluser(nothing)).contains("at least one username"));
    assert!(refusal(Build.config_get(nothing)).contains("at least one parameter"));
    assert!(refusal(Build.config_set([] as [(&str, &str); 0])).contains("at least one parameter and value"));
    assert!(refusal(Build.acl_genpass(Some(0))).contains("1 to 4096 bits"));
}
