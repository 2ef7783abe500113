//! Pages and their cursors.

use redis_model::prelude::*;
use redis_model::{Cursor, Query};
use redis_model_tests::fault::Mutated;
use redis_model_tests::own_stack;
use redis_model_tests::random::{Random, seed};

use super::people::Person;
use super::{Account, Plan, account, accounts};

/// A record whose entry does not change comes once, whatever others write between the pages.
#[tokio::test]
async fn cursors_are_stable_under_writes() -> Result<()> {
    let stack = own_stack();
    let redis = &stack.redis();
    for query in [
        Account::query().order_by(Account::SEATS),
        Account::query().order_by_desc(Account::SEATS).contains(Account::TAGS, "all"),
        Account::query().contains(Account::TAGS, "all"),
        Account::query().eq(Account::PLAN, Plan::Free).order_by(Account::SEATS),
        Account::query().any_of(Account::SEATS, [1, 5, 8]),
    ] {
        accounts(redis, 200).await?;
        let random = &Random::new(seed("SEED"));
        // Others change every third account, all the time.
        let is_quiet = |id: &u64| !id.is_multiple_of(3) && *id <= 200;
        let expected: Vec<_> = query.clone().limit(1000).ids(redis).await?.items.into_iter().filter(is_quiet).collect();
        let (mut found, mut after) = (Vec::new(), None);
        loop {
            let page = after.into_iter().fold(query.clone(), Query::after).limit(7).ids(redis).await?;
            found.extend(page.items);
            after = page.cursor;
            if after.is_none() {
                break;
            }
            for _ in 0..5 {
                let id = 3 * (1 + random.below(66));
                match random.below(4) {
                    0 => drop(Account::delete(redis, id).await?),
                    1 => {
                        Account { seats: random.below(10), tags: Vec::new(), ..account(id) }.save(redis).await?;
                    }
                    2 => Account { plan: Plan::Free, ..account(id) }.save(redis).await?,
                    _ => {
                        let id = 300 + random.below(100);
                        Account { seats: random.below(10), ..account(id) }.save(redis).await?;
                    }
                }
            }
        }
        let quiet: Vec<_> = found.into_iter().filter(is_quiet).collect();
        assert_eq!(quiet, expected, "{query:?}");
    }
    Ok(())
}

#[tokio::test]
async fn cursors_of_other_queries_and_damaged_ones() -> Result<()> {
    let stack = own_stack();
    let redis = &stack.redis();
    accounts(redis, 40).await?;
    let teams = || Account::query().eq(Account::PLAN, Plan::Team);
    let cursor = teams().limit(2).fetch(redis).await?.cursor.unwrap();
    for other in [
        Account::query().eq(Account::PLAN, Plan::Free),
        Account::query(),
        teams().order_by(Account::SEATS),
        teams().order_by_desc(Account::PLAN),
        teams().range(Account::SEATS, 1..),
    ] {
        let error = other.after(cursor.clone()).fetch(redis).await.unwrap_err();
        assert!(error.is_invalid_input() && error.to_string().contains("another query"), "{error}");
    }
    assert!(Person::query().after(cursor.clone()).ids(redis).await.unwrap_err().is_invalid_input());
    // The same in one request, with another limit, or for ids.
    assert!(!teams().after(cursor.clone()).limit(5).in_one_request().fetch(redis).await?.items.is_empty());
    assert!(!teams().after(cursor.clone()).ids(redis).await?.items.is_empty());
    let text = cursor.to_string();
    for damaged in [&text[..text.len() - 1], &text[1..], "", "?", &format!("{text}A")] {
        let error = damaged.parse::<Cursor>().unwrap_err();
        assert!(error.is_invalid_input() && error.to_string().contains("damaged"), "{error}");
    }
    Ok(())
}

/// The script itself does not follow a cursor out of its range, whoever calls it.
#[tokio::test]
async fn a_forged_position_stays_within_the_range() -> Result<()> {
    let stack = own_stack();
    accounts(&stack.redis(), 9).await?;
    for (query, forged) in [
        (Account::query().eq(Account::PLAN, Plan::Team), r"A\u00003"),
        (Account::query().eq(Account::PLAN, Plan::Team), r"Z\u00003"),
        (Account::query().eq(Account::PLAN, Plan::Free).order_by_desc(Account::PLAN), r"Z\u00008"),
    ] {
        let page = query.clone().limit(1).ids(&stack.redis()).await?;
        let right = if page.items == [3] { r"Team\u00003" } else { r"Free\u00008" };
        let forging = stack.builder().wrap_transport(move |inner| Mutated { inner, right, wrong: forged }).build()?;
        let found = query.clone().after(page.cursor.unwrap()).ids(&forging).await?.items;
        let all = query.ids(&stack.redis()).await?.items;
        assert!(found.iter().all(|id| all.contains(id)), "{forged}: {found:?}");
        assert_eq!(found.is_empty(), forged.starts_with('Z') && right.starts_with('T'), "{forged}: {found:?}");
    }
    Ok(())
}
