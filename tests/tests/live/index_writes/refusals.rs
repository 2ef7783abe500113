//! Writes that are refused: the error says why, and nothing has changed.

use redis_model::prelude::*;
use redis_model::{ErrorKind, Unit};

use super::{Item, User, entries, fails, item, on_each_server, user};

#[tokio::test]
async fn refusals_say_what_to_do_and_change_nothing() -> Result<()> {
    on_each_server(async |redis| {
        let bob = User { nick: Some("bob".into()), ..user(2) };
        assert_eq!(user(1).insert(redis).await?, 1);
        assert_eq!(bob.insert(redis).await?, 1);
        fails(
            redis,
            async || user(1).insert(redis).await,
            ErrorKind::AlreadyExists,
            r#"EVALSHA for User at "user:1": the record already exists; call `save` to overwrite it"#,
        )
        .await?;
        fails(
            redis,
            async || user(3).update(redis).await,
            ErrorKind::NotFound,
            r#"EVALSHA for User at "user:3": the record does not exist; call `save` to create it"#,
        )
        .await?;
        fails(
            redis,
            async || User::patch(3).set(User::AGE, 1).exec(redis).await,
            ErrorKind::NotFound,
            r#"EVALSHA for User at "user:3": the record does not exist"#,
        )
        .await?;
        let same_email = User { email: user(2).email, ..user(3) };
        let error = fails(
            redis,
            async || same_email.insert(redis).await,
            ErrorKind::Duplicate,
            r#"EVALSHA for User at "user:3": field "email": the record with the id "2" has the same value, and no two may; use another, or change that record"#,
        )
        .await?;
        assert_eq!((error.field(), error.owner(), error.operation()), (Some("email"), Some("2"), None));
        let same_nick = User { nick: Some("bob".into()), ..user(3) };
        let error = same_nick.save(redis).await.unwrap_err();
        assert_eq!((error.field(), error.owner()), (Some("tenant+nick"), Some("2")));

        // Versions.
        assert_eq!(User { age: 37, version: 1, ..user(1) }.update(redis).await?, 2);
        let error = fails(
            redis,
            async || User { version: 1, ..user(1) }.save(redis).await,
            ErrorKind::Conflict,
            r#"EVALSHA for User at "user:1": field "version": the record has the version "2", not "1": it was written since it was loaded; load it again"#,
        )
        .await?;
        assert_eq!(error.stored_version(), Some(2));
        fails(
            redis,
            async || User { version: 4, ..user(3) }.save(redis).await,
            ErrorKind::Conflict,
            r#"EVALSHA for User at "user:3": field "version": the record was deleted since its version 4 was loaded"#,
        )
        .await?;
        fails(
            redis,
            async || User { version: u32::MAX, ..user(3) }.save(redis).await,
            ErrorKind::InvalidInput,
            r#"EVALSHA for User at "user:3": field "version": the version 4294967295 is the largest of its type; use `u64`, or start again at 0 with `delete`; nothing was sent"#,
        )
        .await?;

        // Conditions and increments.
        let error = User::patch(1).set(User::AGE, 1).if_eq(User::COUNTRY, "UK").exec(redis).await.unwrap_err();
        assert_eq!((error.kind(), error.field()), (ErrorKind::Conflict, Some("country")));
        fails(
            redis,
            async || User::patch(1).incr(User::AGE, 219).exec(redis).await,
            ErrorKind::Conflict,
            r#"EVALSHA for User at "user:1": field "age": the sum does not fit the type of the field; nothing was changed. Use a smaller increment, or a larger type"#,
        )
        .await?;
        User::patch(1).incr(User::AGE, 218).exec(redis).await?;
        assert_eq!(entries(redis, "age").await?, ["60236\u{0}2", "603255\u{0}1"]);
        redis.hset("user:1", ("age", "many")).await?;
        let error = User::patch(1).incr(User::AGE, 1).exec(redis).await.unwrap_err();
        assert_eq!((error.kind(), error.field()), (ErrorKind::Decode, Some("age")));
        assert!(!error.may_have_executed() && !error.to_string().contains("may have been"), "{error}");
        let error = User::patch(1).append(User::COUNTRY, "x".repeat(1023)).exec(redis).await.unwrap_err();
        assert_eq!((error.kind(), error.field()), (ErrorKind::Conflict, Some("country")), "{error}");
        User::patch(1).append(User::COUNTRY, "x".repeat(1022)).exec(redis).await?;
        fails(
            redis,
            async || User { country: "x".repeat(1025), ..user(3) }.save(redis).await,
            ErrorKind::InvalidInput,
            r#"EVALSHA for User at "user:3": field "country": the value cannot be in an index: it is longer than 1,024 bytes, the most that an index takes; nothing was sent"#,
        )
        .await?;
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_unit_names_the_operation_that_failed() -> Result<()> {
    on_each_server(async |redis| {
        user(1).insert(redis).await?;
        let error = fails(
            redis,
            async || Unit::new().save(&item(1, &["a"])).insert(&user(1)).commit(redis).await,
            ErrorKind::AlreadyExists,
            r#"EVALSHA for User at "user:1": the record already exists; call `save` to overwrite it"#,
        )
        .await?;
        assert_eq!(error.operation(), Some(1));
        assert_eq!(Item::load(redis, 1).await?, None);
        let error = Unit::new().save(&user(3)).save(&item(1, &[])).delete::<User>(3).commit(redis).await.unwrap_err();
        assert_eq!((error.kind(), error.operation(), error.key()), (ErrorKind::InvalidInput, Some(2), Some("user:3")));
        let two = Unit::new().insert(&user(2)).insert(&User { email: user(2).email, ..user(3) });
        let error = two.commit(redis).await.unwrap_err();
        assert_eq!((error.field(), error.owner(), error.operation()), (Some("email"), Some("2"), Some(1)));

        // Unique values are those after all operations: a swap, or a deletion and an insert.
        user(2).insert(redis).await?;
        let swapped = Unit::new().save(&User { email: user(2).email, version: 1, ..user(1) }).save(&User {
            email: user(1).email,
            version: 1,
            ..user(2)
        });
        swapped.commit(redis).await?;
        let taken_over = User { email: user(1).email, ..user(3) };
        Unit::new().insert(&taken_over).delete::<User>(2).commit(redis).await?;
        assert_eq!(entries(redis, "email").await?, ["1@example.org\u{0}3", "2@example.org\u{0}1"]);
        Ok(())
    })
    .await
}
