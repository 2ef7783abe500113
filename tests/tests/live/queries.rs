//! Queries by indexed fields.

use std::collections::HashSet;
use std::ops::Bound;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use redis_model::prelude::*;
use redis_model::{Cursor, ErrorKind, Query, Unit};
use redis_model_tests::by_hand::ByHand;
use redis_model_tests::fault::{Answer, Canned, Cut, Faulty, Mutated};
use redis_model_tests::random::{Random, seed};
use redis_model_tests::{own_redis_7_0, own_stack, own_valkey};

use super::query_filter::{Citizen, PERSON, Person, citizen, ids, sorted};

/// Real writes of partitioned records. Partitions without records have no keys.
#[tokio::test]
async fn partitions_without_records_are_no_loss() -> Result<()> {
    let stack = own_stack();
    let redis = &stack.redis();
    assert_eq!(Citizen::query().eq(Citizen::COUNTRY, "tr").count(redis).await?, 0);
    let random = &Random::new(seed("SEED"));
    for id in 1..=3 {
        Citizen { country: "tr".into(), ..citizen(random, id) }.insert(redis).await?;
    }
    let found = Citizen::query().eq(Citizen::COUNTRY, "tr").ids(redis).await?;
    assert_eq!(sorted(found.items), [1, 2, 3]);
    Ok(())
}

#[derive(Debug, Clone, PartialEq, RedisModel)]
#[redis(prefix = "account", index(plan, seats))]
struct Account {
    #[redis(id)]
    id: u64,
    #[redis(unique)]
    email: String,
    #[redis(index)]
    plan: Plan,
    #[redis(index)]
    seats: u32,
    #[redis(index)]
    tags: Vec<String>,
    #[redis(flatten)]
    address: Address,
    note: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, RedisModel)]
enum Plan {
    Free,
    Team,
}

#[derive(Debug, Clone, PartialEq, RedisModel)]
#[redis(embedded)]
struct Address {
    #[redis(index)]
    city: String,
}

fn account(id: u64) -> Account {
    Account {
        id,
        email: format!("{id}@example.org"),
        plan: if id.is_multiple_of(3) { Plan::Team } else { Plan::Free },
        seats: (id % 10) as u32,
        tags: vec![format!("t{}", id % 4), "all".into()],
        address: Address { city: if id.is_multiple_of(2) { "Izmir".into() } else { "Ankara".into() } },
        note: None,
    }
}

async fn accounts(redis: &Redis, count: u64) -> Result<Vec<Account>> {
    redis.flushall().await?;
    let accounts: Vec<_> = (1..=count).map(account).collect();
    let mut unit = Unit::new();
    for account in &accounts {
        unit = unit.insert(account);
    }
    unit.commit(redis).await?;
    Ok(accounts)
}

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
    for stack in [Some(own_stack()), Some(own_valkey()), own_redis_7_0()].into_iter().flatten() {
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

#[tokio::test]
async fn indexes_that_do_not_fit() -> Result<()> {
    let stack = own_stack();
    let redis = &stack.redis();
    let query = || Account::query().eq(Account::PLAN, Plan::Team);
    assert_eq!(
        (query().count(redis).await?, query().fetch(redis).await?.items),
        (0, vec![]),
        "no record was written yet"
    );
    for key in ["account::rows", "account::index:plan"] {
        accounts(redis, 9).await?;
        redis.del(key).await?;
        let error = query().fetch(redis).await.unwrap_err();
        assert_eq!((error.kind(), error.model()), (ErrorKind::Index, Some("Account")));
        assert!(error.to_string().contains(key) && error.to_string().contains("reindex"), "{error}");
        assert_eq!(query().count(redis).await.unwrap_err().kind(), ErrorKind::Index);
    }
    accounts(redis, 9).await?;
    redis.del("account::index:email").await?;
    let error = Account::find_by(redis, Account::EMAIL, "1@example.org").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Index, "{error}");

    accounts(redis, 9).await?;
    redis.hset("account::rows", (":building", 1)).await?;
    let error = query().fetch(redis).await.unwrap_err();
    assert!(error.kind() == ErrorKind::Index && error.to_string().contains("being built"), "{error}");
    redis.hdel("account::rows", ":building").await?;
    redis.hset("account::rows", (":", "01234567 Account;plan t;plan=1")).await?;
    let error = query().fetch(redis).await.unwrap_err();
    assert!(error.kind() == ErrorKind::Index && error.to_string().contains("Account;plan t"), "{error}");
    Ok(())
}

/// The same model in two versions of a program.
mod reordered {
    use super::RedisModel;

    #[derive(Debug, Clone, PartialEq, RedisModel)]
    #[redis(prefix = "parcel", index(city, weight))]
    pub(super) struct Parcel {
        #[redis(id)]
        pub(super) id: u64,
        #[redis(index)]
        pub(super) weight: u32,
        #[redis(unique)]
        pub(super) code: String,
        pub(super) city: String,
    }
}

#[derive(Debug, Clone, PartialEq, RedisModel)]
#[redis(prefix = "parcel", index(city, weight))]
struct Parcel {
    #[redis(unique)]
    code: String,
    city: String,
    #[redis(index)]
    weight: u32,
    #[redis(id)]
    id: u64,
}

#[tokio::test]
async fn fields_in_another_order_are_the_same_model() -> Result<()> {
    let stack = own_stack();
    let redis = &stack.redis();
    for id in 1..=9 {
        let (code, city, weight) =
            (format!("p{id}"), if id % 2 == 0 { "Ankara" } else { "Izmir" }.to_owned(), id as u32);
        if id < 5 {
            Parcel { code, city, weight, id }.insert(redis).await?;
        } else {
            reordered::Parcel { id, weight, code, city }.insert(redis).await?;
        }
    }
    let one = Parcel::query().eq(Parcel::CITY, "Izmir").range(Parcel::WEIGHT, 3..).prefix(Parcel::CODE, "p");
    assert_eq!(one.order_by(Parcel::WEIGHT).ids(redis).await?.items, [3, 5, 7, 9]);
    let other =
        reordered::Parcel::query().range(reordered::Parcel::WEIGHT, 4..=6).order_by_desc(reordered::Parcel::WEIGHT);
    assert_eq!(other.ids(redis).await?.items, [6, 5, 4]);
    reordered::Parcel::patch(2).set(reordered::Parcel::CITY, "Bursa").exec(redis).await?;
    assert_eq!(Parcel::query().eq(Parcel::CITY, "Bursa").fetch(redis).await?.items.len(), 1);
    assert!(Parcel::verify_to_end(redis).await?.is_empty());
    assert!(reordered::Parcel::verify_to_end(redis).await?.is_empty());
    Ok(())
}

mod namesake {
    use super::RedisModel;

    #[derive(Debug, RedisModel)]
    #[redis(prefix = "account")]
    pub(super) struct Customer {
        #[redis(id)]
        pub(super) id: u64,
        #[redis(index)]
        pub(super) name: String,
    }
}

#[tokio::test]
async fn two_models_with_one_prefix() -> Result<()> {
    use namesake::Customer;

    let stack = own_stack();
    let redis = &stack.redis();
    accounts(redis, 3).await?;
    let write = Customer { id: 9, name: "Ada".into() }.save(redis).await.unwrap_err();
    let query = Customer::query().eq(Customer::NAME, "Ada").fetch(redis).await.unwrap_err();
    for error in [write, query] {
        assert_eq!(error.kind(), ErrorKind::Index);
        assert_eq!(
            error.message(),
            "the prefix \"account\" belongs to the indexes of `Account`; use another prefix for `Customer`, or run \
             `Customer::reindex` if the model was renamed"
        );
    }
    Ok(())
}
