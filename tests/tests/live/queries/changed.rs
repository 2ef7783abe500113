//! Records that others have changed, and what has expired.

use std::time::Duration;

use redis_model::prelude::*;
use redis_model::{ErrorKind, Query};
use redis_model_tests::{own_servers, own_stack};

use super::people::sorted;
use super::{Account, Plan, accounts};

/// What other programs do to records is in no answer with records.
#[tokio::test]
async fn records_that_others_changed() -> Result<()> {
    let stack = own_stack();
    let redis = &stack.redis();
    accounts(redis, 9).await?;
    redis.del("account:3").await?;
    redis.hset("account:6", ("plan", "Free")).await?;
    redis.pexpire("account:9", Duration::from_millis(1)).await?;
    tokio::time::sleep(Duration::from_millis(20)).await;
    let teams = || Account::query().eq(Account::PLAN, Plan::Team);
    for query in [teams(), teams().in_one_request()] {
        assert_eq!(query.clone().fetch(redis).await?.items, []);
        assert_eq!(query.clone().first(redis).await?, None);
        assert!(query.stream(redis).collect().await?.is_empty());
    }
    redis.hset("account:1", ("email", "other@example.org")).await?;
    assert_eq!(Account::find_by(redis, Account::EMAIL, "1@example.org").await?, None);

    // A record that cannot be read fails a page, and is one error of a stream.
    redis.hset("account:2", ("seats", "many")).await?;
    let free = || Account::query().eq(Account::PLAN, Plan::Free).order_by(Account::EMAIL);
    for query in [free(), free().in_one_request()] {
        let error = query.clone().fetch(redis).await.unwrap_err();
        assert_eq!((error.kind(), error.key(), error.field()), (ErrorKind::Decode, Some("account:2"), Some("seats")));
        assert_eq!(
            error.to_string(),
            r#"HGETALL for Account at "account:2": field "seats": expected u32, found "many""#
        );
        let (mut ids, mut errors, mut stream) = (Vec::new(), Vec::new(), query.stream(redis));
        while let Some(account) = stream.next().await {
            match account {
                Ok(account) => ids.push(account.id),
                Err(error) => errors.push(error.key().map(str::to_owned)),
            }
        }
        assert_eq!((ids, errors), (vec![1, 4, 5, 7, 8], vec![Some("account:2".to_owned())]));
    }
    Ok(())
}

#[derive(Debug, Clone, PartialEq, RedisModel)]
#[redis(prefix = "ticket", after_load = Ticket::hide)]
struct Ticket {
    #[redis(id)]
    id: u64,
    #[redis(index)]
    state: String,
    note: Option<String>,
}

impl Ticket {
    fn hide(&mut self) {
        self.state = "hidden".into();
    }
}

/// The conditions are those on what is stored, whatever a hook makes of it after the load.
#[tokio::test]
async fn records_with_a_hook_that_others_changed() -> Result<()> {
    let stack = own_stack();
    let redis = &stack.redis();
    for id in 1..=4 {
        Ticket { id, state: "open".into(), note: None }.insert(redis).await?;
    }
    // Not even by the indexes.
    redis.hset("ticket:2", ("state", "closed")).await?;
    let open = || Ticket::query().eq(Ticket::STATE, "open");
    for query in [open(), open().in_one_request()] {
        let found = query.clone().fetch(redis).await?.items;
        assert_eq!(found.iter().map(|ticket| ticket.id).collect::<Vec<_>>(), [1, 3, 4]);
        assert!(found.iter().all(|ticket| ticket.state == "hidden"));
        assert_eq!(query.stream(redis).collect().await?.len(), 3);
    }
    assert_eq!(open().patch(redis, |patch| patch.set(Ticket::NOTE, "urgent")).await?, 3);
    assert_eq!(Ticket::load(redis, 2).await?.unwrap().note, None);
    assert_eq!(open().delete(redis).await?, 3);
    assert!(Ticket::exists(redis, 2).await?);
    Ok(())
}

/// What has expired is in no answer, though no write has removed it yet.
#[tokio::test]
async fn expired_records_are_in_no_answer() -> Result<()> {
    for (_, stack) in own_servers() {
        let redis = &stack.redis();
        accounts(redis, 9).await?;
        assert!(Account::expire(redis, 3, Duration::from_millis(400)).await?);
        assert!(Account::expire(redis, 6, Duration::from_secs(600)).await?);
        let teams = || Account::query().eq(Account::PLAN, Plan::Team);
        assert_eq!(teams().count(redis).await?, 3);
        tokio::time::sleep(Duration::from_millis(500)).await;
        assert_eq!(sorted(teams().ids(redis).await?.items), [6, 9]);
        assert_eq!(teams().count(redis).await?, 2);
        assert_eq!(teams().fetch(redis).await?.items.len(), 2);
        assert_eq!(teams().in_one_request().fetch(redis).await?.items.len(), 2);
        assert!(!teams().eq(Account::EMAIL, "3@example.org").exists(redis).await?);
        assert_eq!(Account::find_by(redis, Account::EMAIL, "3@example.org").await?, None);
    }
    Ok(())
}

/// What another program adds to an index by hand is in no answer, and breaks none.
#[tokio::test]
async fn strange_members_of_an_index_are_skipped() -> Result<()> {
    let stack = own_stack();
    let redis = &stack.redis();
    accounts(redis, 40).await?;
    let strange = (0..500).map(|number| (0.0, format!("Team{number}"))).chain([
        (0.0, "\0".into()),
        (0.0, "Team\0:rows".into()),
        (0.0, "~".into()),
    ]);
    redis.zadd("account::index:plan", strange.collect::<Vec<_>>()).await?;
    redis.zadd("account::index:plan+seats", [(0.0, "A"), (0.0, "A\0b"), (0.0, "Team\0x"), (0.0, "~")]).await?;
    for query in [
        Account::query().prefix(Account::EMAIL, "").order_by(Account::PLAN),
        Account::query().order_by_desc(Account::PLAN),
        Account::query().any_of(Account::PLAN, [Plan::Team, Plan::Free]).range(Account::SEATS, ..),
    ] {
        assert_eq!(query.clone().limit(100).fetch(redis).await?.items.len(), 40, "{query:?}");
        assert_eq!(query.clone().in_one_request().stream(redis).collect().await?.len(), 40, "{query:?}");
        assert_eq!(query.clone().limit(100).ids(redis).await?.items.len(), 40, "{query:?}");
        let (mut found, mut after) = (0, None);
        loop {
            let page = after.into_iter().fold(query.clone(), Query::after).limit(7).fetch(redis).await?;
            found += page.items.len();
            after = page.cursor;
            if after.is_none() {
                break;
            }
        }
        assert_eq!(found, 40, "{query:?}");
    }
    assert!(Account::reindex_to_end(redis).await?.errors.is_empty());
    assert_eq!(redis.zcard("account::index:plan").await?, 41);
    Ok(())
}
