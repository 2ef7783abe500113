//! Deletes and patches of all records that match.

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use redis_model::prelude::*;
use redis_model_tests::fault::{Cut, Faulty};
use redis_model_tests::own_stack;
use redis_model_tests::random::{Random, seed};

use super::{Account, Plan, accounts};

#[tokio::test]
async fn deletes_and_patches_of_all_that_match() -> Result<()> {
    let stack = own_stack();
    let redis = &stack.redis();
    accounts(redis, 350).await?;
    // A patch that moves the records ahead of the walk.
    let everyone = || Account::query().range(Account::SEATS, ..);
    assert_eq!(everyone().order_by(Account::SEATS).patch(redis, |patch| patch.incr(Account::SEATS, 100)).await?, 350);
    assert_eq!(Account::query().range(Account::SEATS, 100..=109).count(redis).await?, 350);
    let patched =
        everyone().order_by_desc(Account::SEATS).patch(&stack.blocking(), |patch| patch.incr(Account::SEATS, 1))?;
    assert_eq!((patched, Account::load(redis, 5).await?.unwrap().seats), (350, 106));

    let teams = || Account::query().eq(Account::PLAN, Plan::Team);
    assert_eq!(teams().limit(10).patch(redis, |patch| patch.set(Account::NOTE, "first")).await?, 10);
    assert_eq!(Account::query().stream(redis).collect().await?.iter().filter(|one| one.note.is_some()).count(), 10);

    let error = teams().patch(redis, |patch| patch.set(Account::EMAIL, "same")).await.unwrap_err();
    assert!(error.is_duplicate(), "{error}");
    let error = everyone().patch(redis, |patch| patch.incr(Account::SEATS, u32::MAX)).await.unwrap_err();
    assert!(error.is_conflict() && error.field() == Some("seats"), "{error}");

    assert_eq!(teams().limit(6).delete(redis).await?, 6);
    assert_eq!(teams().delete(redis).await?, 110);
    assert_eq!((teams().count(redis).await?, Account::query().count(redis).await?), (0, 234));
    assert_eq!(Account::query().delete(&stack.blocking())?, 234);
    assert!(redis.keys::<String>("account:[0-9]*").await?.is_empty());
    Ok(())
}

/// A record that stops to match between the query and the write keeps its place.
#[tokio::test]
async fn writes_test_the_conditions_again() -> Result<()> {
    let stack = own_stack();
    let redis = &stack.redis();
    accounts(redis, 300).await?;
    let stop = Arc::new(AtomicU32::new(0));
    let others = tokio::spawn({
        let (redis, stop) = (stack.redis(), stop.clone());
        async move {
            let random = &Random::new(seed("SEED"));
            let mut saved = HashSet::new();
            while stop.load(Ordering::SeqCst) == 0 {
                let id = 3 * (1 + random.below(100));
                // Only what still exists is saved from deletion.
                let patch = Account::patch(id).set(Account::PLAN, Plan::Free).exec(&redis).await;
                if patch.is_ok() {
                    saved.insert(id);
                }
            }
            saved
        }
    });
    let deleted = Account::query().eq(Account::PLAN, Plan::Team).delete(redis).await?;
    stop.store(1, Ordering::SeqCst);
    let saved = others.await.unwrap();
    assert_eq!(deleted + saved.len() as u64, 100, "each is deleted, or changed before");
    let left = Account::query().limit(1000).ids(redis).await?.items;
    assert_eq!(left.len() as u64, 300 - deleted);
    assert!(saved.iter().all(|id| left.contains(id)));
    Ok(())
}

/// A lost reply does not patch twice.
#[tokio::test]
async fn a_patch_of_all_is_executed_once() -> Result<()> {
    let stack = own_stack();
    accounts(&stack.redis(), 9).await?;
    for cut in 0..6 {
        let mut cuts = vec![Cut::Nowhere; cut];
        cuts.push(Cut::After);
        let builder = stack.builder().wrap_transport(move |inner| Faulty::new(inner, cuts.clone(), Arc::default()));
        let redis = builder.build()?;
        let teams = Account::query().eq(Account::PLAN, Plan::Team);
        assert_eq!(teams.patch(&redis, |patch| patch.incr(Account::SEATS, 1)).await?, 3, "{cut}");
    }
    assert_eq!(Account::load(&stack.redis(), 3).await?.unwrap().seats, 3 + 6);
    Ok(())
}
