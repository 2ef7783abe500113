use std::time::{Duration, UNIX_EPOCH};

use redis_model::redis_rest::commands::expiry::{ExpireCondition, Expiry};
use redis_model::redis_rest::commands::generic::{CopyOptions, KeyType, RestoreOptions};
use redis_model::redis_rest::commands::scan::{Cursor, ScanOptions};
use redis_model::redis_rest::{Build, Command, Encoding, Executor, GenericCommands, HashCommands, Result};

use crate::{line, refusal};

#[test]
fn keys() {
    let minute = Duration::from_secs(60);
    let time = UNIX_EPOCH + Duration::from_secs(1_700_000_000);
    assert_eq!(line(Build.copy("a", "b")), "COPY a b");
    assert_eq!(line(Build.copy_with("a", "b", CopyOptions::new().database(0).replace())), "COPY a b DB 0 REPLACE");
    assert_eq!(line(Build.del(["a", "b"])), "DEL a b");
    assert_eq!(line(Build.dump::<Vec<u8>>("k")), "DUMP k");
    assert_eq!(line(Build.exists(["a", "a"])), "EXISTS a a");
    assert_eq!(line(Build.expire("k", minute)), "EXPIRE k 60");
    assert_eq!(line(Build.expire_with("k", minute, ExpireCondition::Nx)), "EXPIRE k 60 NX");
    assert_eq!(line(Build.expireat("k", time)), "EXPIREAT k 1700000000");
    assert_eq!(line(Build.expireat_with("k", time, ExpireCondition::Xx)), "EXPIREAT k 1700000000 XX");
    assert_eq!(line(Build.expiretime("k")), "EXPIRETIME k");
    assert_eq!(line(Build.keys::<String>("user:*")), "KEYS user:*");
    assert_eq!(line(Build.memory_usage("k", None)), "MEMORY USAGE k");
    assert_eq!(line(Build.memory_usage("k", Some(0))), "MEMORY USAGE k SAMPLES 0");
    assert_eq!(line(Build.persist("k")), "PERSIST k");
    assert_eq!(line(Build.pexpire("k", minute)), "PEXPIRE k 60000");
    assert_eq!(line(Build.pexpire_with("k", minute, ExpireCondition::Gt)), "PEXPIRE k 60000 GT");
    assert_eq!(line(Build.pexpireat("k", time)), "PEXPIREAT k 1700000000000");
    assert_eq!(line(Build.pexpireat_with("k", time, ExpireCondition::Lt)), "PEXPIREAT k 1700000000000 LT");
    assert_eq!(line(Build.pexpiretime("k")), "PEXPIRETIME k");
    assert_eq!(line(Build.pttl("k")), "PTTL k");
    assert_eq!(line(Build.randomkey::<String>()), "RANDOMKEY");
    assert_eq!(line(Build.rename("a", "b")), "RENAME a b");
    assert_eq!(line(Build.renamenx("a", "b")), "RENAMENX a b");
    assert_eq!(line(Build.touch(["a", "b"])), "TOUCH a b");
    assert_eq!(line(Build.ttl("k")), "TTL k");
    assert_eq!(line(Build.type_of("k")), "TYPE k");
    assert_eq!(line(Build.unlink(["a", "b"])), "UNLINK a b");
    assert_eq!(line(Build.wait(2, Duration::from_millis(50))), "WAIT 2 50");
    assert_eq!(line(Build.waitaof(1, 2, Duration::from_millis(50))), "WAITAOF 1 2 50");
}

#[test]
fn restore_without_a_time_to_live_says_zero() {
    assert_eq!(line(Build.restore("k", "dump", RestoreOptions::new())), "RESTORE k 0 dump");
    let all = RestoreOptions::new()
        .expire(Expiry::after(Duration::from_micros(1)))
        .replace()
        .idle(Duration::from_secs(5))
        .frequency(7);
    assert_eq!(line(Build.restore("k", "dump", all)), "RESTORE k 1 dump REPLACE FREQ 7");
    let idle = RestoreOptions::new().frequency(7).idle(Duration::from_secs(5));
    assert_eq!(line(Build.restore("k", "dump", idle)), "RESTORE k 0 dump IDLETIME 5");
    let past = RestoreOptions::new().replace().expire(UNIX_EPOCH);
    assert_eq!(line(Build.restore("k", "dump", past)), "RESTORE k 1 dump REPLACE ABSTTL");
    let zero = RestoreOptions::new().expire(Expiry::seconds(0));
    assert!(refusal(Build.restore("k", "dump", zero)).contains("time to live of 0"));
}

/// No server here has this form: the reply is the one that the official SDK reads.
#[test]
fn scan_returns_the_types_too() -> Result<()> {
    let body = r#"{"result":["0",["user:1","hash","user:2","none-of-ours"]]}"#;
    let page = Build.scan_withtype::<String>(Cursor::START, ScanOptions::new()).decode(body, Encoding::Json)?;
    let other = KeyType::Other("none-of-ours".to_owned());
    assert_eq!(page.items, [("user:1".to_owned(), KeyType::Hash), ("user:2".to_owned(), other)]);
    Ok(())
}

#[test]
fn scan() {
    assert_eq!(line(Build.scan::<String>(Cursor::START, ScanOptions::new())), "SCAN 0");
    let options = ScanOptions::new().matching("user:*").count(9).of_type(KeyType::SortedSet);
    assert_eq!(
        line(Build.scan::<String>(Cursor::from("17".to_owned()), options)),
        "SCAN 17 MATCH user:* COUNT 9 TYPE zset"
    );
    assert!(refusal(Build.scan::<String>(Cursor::START, ScanOptions::new().count(0))).contains("at least 1"));
    let typed = ScanOptions::new().of_type(KeyType::Hash);
    assert!(refusal(Build.hscan::<String, String>("k", Cursor::START, typed.clone())).contains("only SCAN"));
    let options = ScanOptions::new().matching("user:*").count(9);
    assert_eq!(line(Build.scan_withtype::<String>(Cursor::START, options)), "SCAN 0 MATCH user:* COUNT 9 WITHTYPE");
    assert!(
        refusal(Build.scan_withtype::<String>(Cursor::START, typed)).contains("`scan_withtype` returns keys of all")
    );
}

#[test]
fn any_command_by_its_name() {
    assert_eq!(line(Build.execute::<i64>(["XLEN", "orders"])), "XLEN orders");
    assert_eq!(line(Build.execute::<i64>(vec!["XLEN".to_owned(), "orders".to_owned()])), "XLEN orders");
    assert_eq!(line(Build.execute::<()>(Command::write("SETEX").key("k").arg(9).arg("v"))), "SETEX k 9 v");
    let nothing: [&str; 0] = [];
    assert!(refusal(Build.execute::<i64>(nothing)).contains("needs a name"));
}
