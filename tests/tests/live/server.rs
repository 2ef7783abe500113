use std::time::{Duration, SystemTime};

use redis_model::redis_rest::commands::flush::FlushMode;
use redis_model::redis_rest::commands::server::{FindKeys, FirstKey};
use redis_model::redis_rest::{ErrorKind, Result, ServerCommands, StringCommands as _};
use redis_model_tests::via::{Via, everywhere_over};
use redis_model_tests::{key, own_stack};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

async fn users(redis: &Via) -> Result<()> {
    let name = &key("user");
    assert!(redis.acl_cat(None).await?.iter().any(|category| category == "read"));
    assert!(redis.acl_cat(Some("read")).await?.iter().any(|command| command == "get"));
    assert_eq!(redis.acl_getuser(name).await?, None);
    redis.acl_setuser(name, ["on", ">secret", "~cache:*", "+get", "(+set ~log:*)"]).await?;
    let user = redis.acl_getuser(name).await?.unwrap();
    assert!(user.flags.contains(&"on".to_owned()));
    assert_eq!((user.passwords[0].len(), user.root.keys.as_str()), (64, "~cache:*"));
    assert!(user.root.commands.contains("+get"));
    assert_eq!(user.selectors[0].keys, "~log:*");
    assert!(redis.acl_list().await?.iter().any(|line| line.contains(name)));
    assert!(redis.acl_users().await?.contains(name));
    assert_eq!(redis.acl_deluser([name.as_str(), "nobody"]).await?, 1);
    assert_eq!(redis.acl_whoami().await?, "default");
    assert_eq!(redis.acl_genpass(None).await?.len(), 64);
    assert_eq!(redis.acl_genpass(Some(5)).await?.len(), 2);
    for refused in [redis.acl_save().await, redis.acl_load().await] {
        let error = refused.unwrap_err();
        assert!(error.to_string().contains("ACL file"), "{error}");
    }
    Ok(())
}

/// Only who speaks TCP to a server can be refused by its ACL: the gateway's one user may do everything.
async fn log(redis: &Via, server: &str) -> Result<()> {
    redis.acl_log_reset().await?;
    assert!(redis.acl_log(None).await?.is_empty());
    let (_, address) = server.rsplit_once('@').unwrap();
    let mut connection = TcpStream::connect(address).await.unwrap();
    connection.write_all(b"AUTH nobody wrong\r\n").await.unwrap();
    assert!(connection.read(&mut [0; 64]).await.unwrap() > 0);
    let log = redis.acl_log(Some(5)).await?;
    let entry = &log[0];
    assert_eq!((entry.reason.as_str(), entry.object.as_str(), entry.username.as_str()), ("auth", "AUTH", "nobody"));
    assert!(entry.count == 1 && entry.age < Duration::from_secs(60) && entry.entry_id.is_some());
    for time in [entry.created, entry.last_updated] {
        let ago = SystemTime::now().duration_since(time.unwrap()).unwrap_or_default();
        assert!(ago < Duration::from_secs(60));
    }
    Ok(())
}

async fn server(redis: &Via) -> Result<()> {
    let commands = redis.command().await?;
    let find = |name: &str| commands.iter().find(|command| command.name == name).unwrap();
    let get = find("get");
    assert_eq!((get.arity, get.first_key, get.last_key, get.step), (2, 1, 1, 1));
    assert!(get.flags.contains(&"readonly".to_owned()) && get.categories.contains(&"@string".to_owned()));
    let first = FindKeys::Range { last_key: 0, step: 1, limit: 0 };
    assert_eq!((&get.key_specs[0].first_key, get.key_specs[0].find_keys), (&FirstKey::Index(1), first));
    assert_eq!((get.key_specs.len(), &get.key_specs[0].notes), (1, &None));
    assert!(get.key_specs[0].flags.contains(&"RO".to_owned()));
    let streams = FirstKey::Keyword { keyword: "STREAMS".to_owned(), from: 1 };
    assert_eq!(find("xread").key_specs[0].first_key, streams);
    let eval = &find("eval").key_specs[0];
    assert_eq!(eval.find_keys, FindKeys::KeyNum { count_at: 0, first_key: 1, step: 1 });
    assert!(eval.notes.is_some());
    assert!(find("sort").key_specs.iter().any(|spec| spec.find_keys == FindKeys::Unknown));
    assert!(find("randomkey").tips.contains(&"nondeterministic_output".to_owned()));
    assert!(find("config").subcommands.iter().any(|command| command.name == "config|get"));
    redis.config_set([("hash-max-listpack-entries", 99), ("slowlog-max-len", 7)]).await?;
    let config = redis.config_get(["hash-max-*-entries", "slowlog-max-len"]).await?;
    assert_eq!((config["hash-max-listpack-entries"].as_str(), config["slowlog-max-len"].as_str()), ("99", "7"));
    let error = redis.config_set([("no-such-setting", 1)]).await.unwrap_err();
    assert_eq!((error.kind(), error.command()), (ErrorKind::Redis, Some("CONFIG")));
    let info = redis.info_with("server").await?;
    assert!(info.get("redis_version").is_some_and(|version| version.starts_with("8.2")));
    assert!(info.iter().all(|(section, ..)| section == "Server") && info.get("used_memory").is_none());
    assert!(redis.info().await?.get("used_memory").is_some());
    let two = redis.info_with(["server", "memory"]).await?;
    assert!(
        two.get("redis_version").is_some()
            && two.get("used_memory").is_some()
            && two.get("connected_clients").is_none()
    );
    let apart = redis.time().await?.duration_since(SystemTime::now()).unwrap_or_else(|error| error.duration());
    assert!(apart < Duration::from_secs(60));
    for form in 0..4 {
        redis.set(key("flushed"), 1).await?;
        assert!(redis.dbsize().await? > 0);
        match form {
            0 => redis.flushall_with(FlushMode::Async).await?,
            1 => redis.flushdb_with(FlushMode::Sync).await?,
            2 => redis.flushall().await?,
            _ => redis.flushdb().await?,
        }
        assert_eq!(redis.dbsize().await?, 0);
    }
    Ok(())
}

/// On a server of its own, since it ends with an empty one.
#[tokio::test]
async fn every_method_on_every_executor() -> Result<()> {
    let stack = own_stack();
    for redis in &everywhere_over(&stack) {
        users(redis).await?;
        log(redis, stack.server.url()).await?;
        server(redis).await?;
    }
    Ok(())
}
