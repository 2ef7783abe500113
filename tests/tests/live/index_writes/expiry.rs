//! Times to live of records and of fields.

use std::sync::Arc;
use std::time::Duration;

use redis_model::commands::expiry::Ttl;
use redis_model::commands::sorted_set::ZRange;
use redis_model::hash::SaveOptions;
use redis_model::prelude::*;
use redis_model_tests::counting::{Counting, Seen};
use redis_model_tests::fault::{Cut, Faulty};
use redis_model_tests::{own_redis_7_0, own_stack, own_valkey};

use super::{Session, Visit, about, on_each_server, session};

#[tokio::test]
async fn times_to_live() -> Result<()> {
    on_each_server(async |redis| {
        let (one, visit) = (session(1), Visit { id: 1, code: None });
        one.insert(redis).await?;
        visit.insert(redis).await?;
        assert!(visit.insert(redis).await.unwrap_err().is_already_exists());
        about(Session::ttl(redis, 1).await?, 10);
        about(Visit::ttl(redis, 1).await?, 10);
        for minute in [SaveOptions::new().ttl(Duration::from_secs(60))] {
            one.save_with(redis, minute).await?;
            visit.save_with(redis, minute).await?;
        }
        about(Session::ttl(redis, 1).await?, 60);
        about(Visit::ttl(redis, 1).await?, 60);
        visit.update_with(redis, SaveOptions::new().keep_ttl()).await?;
        about(Visit::ttl(redis, 1).await?, 60);
        one.update(redis).await?;
        visit.update(redis).await?;
        about(Session::ttl(redis, 1).await?, 10);
        about(Visit::ttl(redis, 1).await?, 10);
        one.save_with(redis, SaveOptions::new().persist()).await?;
        visit.save_with(redis, SaveOptions::new().persist()).await?;
        assert_eq!((Session::ttl(redis, 1).await?, Visit::ttl(redis, 1).await?), (Ttl::Persistent, Ttl::Persistent));
        assert_eq!(redis.zcard("session::expiry").await?, 0);

        // Sliding: a load sets it again.
        let once: Vec<String> = redis.keys("*::once:*").await?;
        redis.del(once).await?;
        assert_eq!(Session::load(redis, 1).await?, Some(one.clone()));
        assert_eq!(Visit::load(redis, 1).await?, Some(visit.clone()));
        assert_eq!(redis.keys::<String>("*::once:*").await?, [""; 0]);
        about(Session::ttl(redis, 1).await?, 10);
        about(Visit::ttl(redis, 1).await?, 10);
        assert_eq!(Session::load_many(redis, [1, 2]).await?, [Some(one.clone()), None]);
        assert_eq!(Visit::load(redis, 2).await?, None);
        assert_eq!(redis.zrange::<Vec<String>>("session::expiry", ZRange::rank(0, -1)).await?, ["1"]);
        assert!(Session::persist(redis, 1).await?);
        assert!(!Session::persist(redis, 1).await?);
        assert!(!Session::persist(redis, 2).await?);
        assert!(!Session::expire(redis, 2, Duration::from_secs(1)).await?);
        for wrong in [Duration::ZERO, Duration::from_micros(999), Duration::MAX] {
            let plain = Visit::expire(redis, 1, wrong).await.unwrap_err();
            for error in [&plain, &Session::expire(redis, 1, wrong).await.unwrap_err()] {
                assert!(error.is_invalid_input() && error.key().is_some(), "{error}");
            }
        }
        assert!(Visit::exists(redis, 1).await?);
        // A load is a read: it keeps no outcome.
        redis.set("visit:3", "text").await?;
        redis.pexpire("visit:3", Duration::from_secs(60)).await?;
        assert!(Visit::load(redis, 3).await.unwrap_err().is_wrong_type());
        about(redis.pttl("visit:3").await?, 60);
        redis.del("visit:3").await?;

        // What another program did to it is noticed by the next write.
        redis.pexpire("session:1", Duration::from_secs(5)).await?;
        one.save_with(redis, SaveOptions::new().keep_ttl()).await?;
        assert_eq!(redis.zcard("session::expiry").await?, 1);
        redis.persist("session:1").await?;
        one.save_with(redis, SaveOptions::new().keep_ttl()).await?;
        assert_eq!(redis.zcard("session::expiry").await?, 0);
        Ok(())
    })
    .await
}

/// The service locks the whole database for a script in any other form.
#[tokio::test]
async fn a_sliding_load_declares_its_key_and_is_repeated() -> Result<()> {
    for reply in [Cut::Before, Cut::During, Cut::After] {
        let server = own_stack();
        let redis = server.redis();
        session(1).insert(&redis).await?;
        Visit { id: 1, code: None }.insert(&redis).await?;
        Session::load(&redis, 1).await?;
        Visit::load(&redis, 1).await?;
        let seen = Seen::default();
        let sent = seen.clone();
        let client = server.builder().wrap_transport(move |inner| Counting::new(inner, sent.clone()));
        let client = client.wrap_transport(move |inner| Faulty::new(inner, vec![reply], Arc::default())).build()?;
        assert!(Visit::load(&client, 1).await?.is_some());
        assert!(Session::load(&client, 1).await?.is_some());
        let requests = seen.take();
        assert!(requests.iter().all(|commands| commands.len() == 1 && commands[0][0] == b"EVALSHA"), "{requests:?}");
        assert_eq!(Visit::load_many(&client, [1, 2]).await?.len(), 2);
    }
    Ok(())
}

#[tokio::test]
async fn what_has_expired_leaves_nothing_behind() -> Result<()> {
    on_each_server(async |redis| {
        let soon = SaveOptions::new().ttl(Duration::from_millis(15));
        for id in 1..=30 {
            session(id).insert_with(redis, soon).await?;
        }
        tokio::time::sleep(Duration::from_millis(25)).await;
        // A value of a record that has expired is free at once, and a few others are removed with each write.
        let heir = Session { token: "t30".into(), ..session(100) };
        heir.insert(redis).await?;
        session(2).insert(redis).await?;
        assert_eq!(
            redis.zrange::<Vec<String>>("session::index:token", ZRange::rank(0, -1)).await?,
            ["", "t2\u{0}2", "t30\u{0}100"]
        );
        assert_eq!(redis.hlen("session::rows").await?, 3);
        assert_eq!(redis.zcard("session::expiry").await?, 2);
        // A record that comes back after it has expired keeps no time to live.
        session(3).insert_with(redis, soon).await?;
        tokio::time::sleep(Duration::from_millis(25)).await;
        session(3).insert_with(redis, SaveOptions::new().persist()).await?;
        assert_eq!(redis.zscore("session::expiry", "3").await?, None);
        tokio::time::sleep(Duration::from_millis(25)).await;
        heir.save(redis).await?;
        assert!(redis.hget::<String>("session::rows", "3").await?.is_some());
        Ok(())
    })
    .await
}

#[tokio::test]
async fn times_to_live_of_fields() -> Result<()> {
    for server in [Some(own_stack()), Some(own_valkey())].into_iter().flatten() {
        let redis = server.redis();
        Visit { id: 1, code: Some("193-551".into()) }.save(&redis).await?;
        assert_eq!(Visit::field_ttl(&redis, 1, Visit::CODE).await?, Ttl::Persistent);
        assert!(Visit::expire_field(&redis, 1, Visit::CODE, Duration::from_secs(60)).await?);
        about(Visit::field_ttl(&redis, 1, Visit::CODE).await?, 60);
        assert!(Visit::persist_field(&redis, 1, Visit::CODE).await?);
        assert!(!Visit::persist_field(&redis, 1, Visit::CODE).await?);
        assert!(!Visit::expire_field(&redis, 2, Visit::CODE, Duration::from_secs(60)).await?);
        assert!(Visit::expire_field(&redis, 1, Visit::CODE, Duration::from_millis(1)).await?);
        tokio::time::sleep(Duration::from_millis(10)).await;
        assert_eq!(Visit::load(&redis, 1).await?, Some(Visit { id: 1, code: None }));
    }
    let Some(server) = own_redis_7_0() else { return Ok(()) };
    let error = Visit::expire_field(&server.redis(), 1, Visit::CODE, Duration::from_secs(60)).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        r#"HPEXPIRE for Visit at "visit:1": field "code": fields have a time to live since Redis 7.4 and Valkey 9.0, and this server is older"#
    );
    Ok(())
}
