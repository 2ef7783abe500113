//! A unit does not give away a unique value that another of its records keeps.

use std::time::Duration;

use redis_model::Unit;
use redis_model::prelude::*;
use redis_model_tests::own_stack;

#[derive(Debug, Clone, PartialEq, RedisModel)]
#[redis(prefix = "user")]
struct User {
    #[redis(id)]
    id: u64,
    #[redis(unique)]
    email: String,
    name: String,
}

#[tokio::test]
async fn a_value_that_is_kept_is_taken() -> Result<()> {
    let stack = own_stack();
    let redis = stack.redis();
    let ada = User { id: 1, email: "ada@example.org".into(), name: "Ada".into() };
    let other = User { id: 2, ..ada.clone() };
    ada.insert(&redis).await?;
    let renamed = || User::patch(1).set(User::NAME, "Ada King");
    for unit in [
        Unit::new().patch(renamed()).insert(&other),
        Unit::new().insert(&other).patch(renamed()),
        Unit::new().patch(renamed().ttl(Duration::from_secs(60))).insert(&other),
    ] {
        let error = unit.commit(&redis).await.unwrap_err();
        assert!(error.is_duplicate(), "{error}");
    }
    assert_eq!(User::load(&redis, 1).await?, Some(ada));
    assert!(User::verify_to_end(&redis).await?.is_empty());

    // Once it is free, another operation of the unit can have it.
    Unit::new().patch(User::patch(1).set(User::EMAIL, "king@example.org")).insert(&other).commit(&redis).await?;
    assert_eq!(User::find_by(&redis, User::EMAIL, "ada@example.org").await?, Some(other));
    assert!(User::verify_to_end(&redis).await?.is_empty());
    Ok(())
}
