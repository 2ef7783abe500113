//! Every kind of call, and what it sends.

use std::collections::HashSet;
use std::ops::Bound;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use redis_model::prelude::*;
use redis_model::{ErrorKind, Query};
use redis_model_tests::by_hand::ByHand;
use redis_model_tests::fault::{Answer, Canned, Faulty};
use redis_model_tests::{own_stack, own_valkey};

use super::people::{PERSON, Person, ids};
use super::{Account, Address, Plan, account, accounts};

/// Records that the library wrote, by all kinds of fields.
#[tokio::test]
async fn every_kind_of_call() -> Result<()> {
    for stack in [own_stack(), own_valkey()] {
        let redis = &stack.redis();
        let accounts = accounts(redis, 40).await?;
        let by =
            |filter: &dyn Fn(&Account) -> bool| accounts.iter().filter(|one| filter(one)).cloned().collect::<Vec<_>>();
        let fetched = |query: Query<Account>| async move {
            let mut items = query.fetch(redis).await?.items;
            items.sort_by_key(|account| account.id);
            Result::Ok(items)
        };
        assert_eq!(fetched(Account::query().eq(Account::PLAN, Plan::Team)).await?, by(&|one| one.plan == Plan::Team));
        assert_eq!(
            fetched(Account::query().any_of(Account::PLAN, [Plan::Team, Plan::Free]).range(Account::SEATS, ..3))
                .await?,
            by(&|one| one.seats < 3),
        );
        let after_seven = (Bound::Excluded(7), Bound::Unbounded);
        assert_eq!(fetched(Account::query().range(Account::SEATS, after_seven)).await?, by(&|one| one.seats > 7));
        assert_eq!(fetched(Account::query().range(Account::SEATS, ..)).await?, accounts);
        assert_eq!(
            fetched(Account::query().eq(Account::ADDRESS.field(Address::CITY), "Izmir")).await?,
            by(&|one| one.address.city == "Izmir"),
        );
        assert_eq!(
            fetched(Account::query().contains(Account::TAGS, "t1").contains(Account::TAGS, "all")).await?,
            by(&|one| one.id % 4 == 1),
        );
        assert_eq!(fetched(Account::query().prefix(Account::EMAIL, "2")).await?, by(&|one| one.email.starts_with('2')));
        assert_eq!(fetched(Account::query()).await?, accounts, "all records, by an index that has them");
        assert_eq!(fetched(Account::query().any_of(Account::SEATS, [0_u32; 0])).await?, []);
        assert_eq!(fetched(Account::query().range(Account::SEATS, 5..5)).await?, []);

        assert_eq!(Account::find_by(redis, Account::EMAIL, "7@example.org").await?, Some(account(7)));
        assert_eq!(Account::find_by(&stack.blocking(), Account::EMAIL, "41@example.org")?, None);
        let (found, hits) = redis.pipeline().find_by(Account::EMAIL, "8@example.org").incr("hits").exec().await?;
        assert_eq!((found, hits), (Some(account(8)), 1));

        let explain =
            Account::query().eq(Account::PLAN, Plan::Team).range(Account::SEATS, 2..=4).explain(redis).await?;
        assert_eq!((explain.index(), explain.entries()), ("plan+seats", 4));
        assert_eq!(
            explain.to_string().lines().next(),
            Some(r#"Account: walks plan+seats from ("Team", 2) to ("Team", 4), ascending: about 4 entries"#)
        );
        let explain = Account::query().contains(Account::TAGS, "all").eq(Account::SEATS, 3).explain(redis).await?;
        assert_eq!(
            explain.to_string(),
            "Account: walks seats at 3, ascending: about 4 entries\n\
             tests on each row: tags at \"all\"\n\
             could also walk tags: about 40 entries",
        );
    }
    Ok(())
}

/// Counts requests, and commands in them.
#[tokio::test]
async fn round_trips() -> Result<()> {
    let stack = own_stack();
    accounts(&stack.redis(), 40).await?;
    let sent = Arc::new(AtomicU32::new(0));
    let counter = sent.clone();
    let builder = stack.builder().wrap_transport(move |inner| Faulty::new(inner, Vec::new(), Arc::clone(&counter)));
    let redis = &builder.build()?;
    let count = || sent.swap(0, Ordering::SeqCst);
    let teams = || Account::query().eq(Account::PLAN, Plan::Team);
    // The server learns the scripts, and the client its dialect.
    teams().fetch(redis).await?;
    teams().in_one_request().fetch(redis).await?;
    Account::patch(1).set(Account::NOTE, "").exec(redis).await?;
    Account::delete(redis, 1000).await?;
    count();
    assert_eq!((teams().fetch(redis).await?.items.len(), count()), (13, 2));
    assert_eq!((teams().in_one_request().fetch(redis).await?.items.len(), count()), (13, 1));
    assert_eq!((teams().limit(1000).ids(redis).await?.items.len(), count()), (13, 1));
    assert_eq!((teams().range(Account::SEATS, 3..).count(redis).await?, count()), (10, 1));
    assert_eq!((teams().exists(redis).await?, count()), (true, 1));
    assert_eq!((teams().first(redis).await?.is_some(), count()), (true, 2));
    assert_eq!((Account::find_by(redis, Account::EMAIL, "7@example.org").await?.is_some(), count()), (true, 1));
    assert_eq!((teams().stream(redis).collect().await?.len(), count()), (13, 2));
    assert_eq!((teams().any_of(Account::SEATS, [0_u32; 0]).fetch(redis).await?.items.len(), count()), (0, 0));
    teams().explain(redis).await?;
    assert_eq!(count(), 1);
    assert_eq!((teams().patch(redis, |patch| patch.set(Account::NOTE, "x")).await?, count()), (13, 3));
    assert_eq!((teams().patch(redis, |patch| patch).await?, count()), (0, 0), "an empty patch");
    assert_eq!((teams().delete(redis).await?, count()), (13, 3));
    Ok(())
}

#[tokio::test]
async fn wrong_queries_send_nothing() -> Result<()> {
    let sent = Canned::new([Answer::ok("{}")]);
    let redis = &Redis::builder("http://127.0.0.1:1", "t").transport(sent.clone()).build()?;
    let query = || Account::query().eq(Account::PLAN, Plan::Team);
    let error = query().limit(0).fetch(redis).await.unwrap_err();
    assert!(error.is_invalid_input() && error.message().contains("limit"), "{error}");
    let error = query().eq(Account::EMAIL, "x".repeat(1025)).ids(redis).await.unwrap_err();
    assert_eq!((error.kind(), error.field(), error.model()), (ErrorKind::InvalidInput, Some("email"), Some("Account")));
    let error = Person::query().range(Person::SCORE, f64::NAN..).count(redis).await.unwrap_err();
    assert_eq!((error.kind(), error.field()), (ErrorKind::InvalidInput, Some("score")));
    let error = Person::find_by(redis, Person::EMAIL, "x".repeat(1025)).await.unwrap_err();
    assert_eq!((error.kind(), error.field()), (ErrorKind::InvalidInput, Some("email")));
    let error = query().stream(redis).collect().await.map(|_| ()).err();
    assert!(error.is_some_and(|error| error.is_decode() || error.kind() == ErrorKind::Protocol), "this one was sent");
    let count = sent.requests().len();
    let people = Person::query().range(Person::AGE, 18..);
    let error = people.patch(redis, |patch| patch.incr_by_float(Person::SCORE, f64::NAN)).await.unwrap_err();
    assert_eq!((error.kind(), error.field()), (ErrorKind::InvalidInput, Some("score")));
    assert_eq!(sent.requests().len(), count);
    Ok(())
}

/// One run of the script is bounded, and calls go on by themselves.
#[tokio::test]
async fn many_entries_are_looked_at_in_bounded_runs() -> Result<()> {
    let stack = own_stack();
    let redis = &stack.redis();
    let people: Vec<_> = (1..=25_000)
        .map(|id| Person {
            id,
            email: format!("{id}"),
            country: "tr".into(),
            age: (id % 100) as i16,
            nick: (id % 12_000 == 0).then(|| "rare".into()),
            score: 0.0,
            tags: Vec::new(),
            bio: None,
        })
        .collect();
    ByHand::new::<Person>(PERSON).insert(redis, &people).await?;
    let rare = || Person::query().eq(Person::COUNTRY, "tr").prefix(Person::NICK, "rare").order_by(Person::COUNTRY);
    assert_eq!(rare().count(redis).await?, 2);
    assert!(rare().exists(redis).await?);
    let page = rare().fetch(redis).await?;
    assert_eq!((ids(&page.items), page.cursor), (vec![12_000, 24_000], None));
    let none = Person::query().eq(Person::COUNTRY, "tr").eq(Person::SCORE, 0.0).range(Person::AGE, 100..);
    assert_eq!(none.clone().order_by(Person::COUNTRY).count(redis).await?, 0);
    assert_eq!(none.order_by(Person::COUNTRY).first(redis).await?, None);
    let all = Person::query().eq(Person::COUNTRY, "tr").stream(redis).collect().await?;
    assert_eq!(all.len(), 25_000);
    assert_eq!(all.iter().map(|person| person.id).collect::<HashSet<_>>().len(), 25_000);
    let many = Person::query().range(Person::AGE, 10..60).limit(5_000).fetch(redis).await?;
    assert_eq!((many.items.len(), many.cursor.is_some()), (5_000, true));
    Ok(())
}
