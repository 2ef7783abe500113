//! Indexes that are missing, not yet there, or of another model.

use redis_model::ErrorKind;
use redis_model::prelude::*;
use redis_model_tests::own_stack;
use redis_model_tests::random::{Random, seed};

use super::people::{Citizen, citizen, sorted};
use super::{Account, Plan, accounts};

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
