//! Records, queries and upkeep.

use std::time::Duration;

use redis_model::Unit;
use redis_model::hash::SaveOptions;
use redis_model::prelude::*;

use crate::table::Table;

/// A model with indexes.
#[derive(Debug, Clone, PartialEq, RedisModel)]
#[redis(prefix = "user", index(country, age))]
struct User {
    #[redis(id)]
    id: u64,
    #[redis(unique)]
    email: String,
    #[redis(index)]
    country: String,
    #[redis(index)]
    age: u8,
    bio: Option<String>,
    #[redis(version)]
    version: u64,
}

/// A model without.
#[derive(Debug, Clone, PartialEq, RedisModel)]
#[redis(prefix = "note")]
struct Note {
    #[redis(id)]
    id: u64,
    text: String,
    title: Option<String>,
}

/// A model whose time to live begins again with each load.
#[derive(Debug, Clone, PartialEq, RedisModel)]
#[redis(prefix = "session", ttl = "30m", sliding)]
struct Session {
    #[redis(id)]
    id: u64,
    user: u64,
}

/// The same with an index.
#[derive(Debug, Clone, PartialEq, RedisModel)]
#[redis(prefix = "cart", ttl = "30m", sliding)]
struct Cart {
    #[redis(id)]
    id: u64,
    #[redis(index)]
    user: u64,
}

fn user(id: u64) -> User {
    let email = format!("{id}@example.org");
    User { id, email, country: "TR".into(), age: 36, bio: None, version: 0 }
}

fn note(id: u64) -> Note {
    Note { id, text: "milk".into(), title: Some("shopping".into()) }
}

#[tokio::test]
async fn the_table_of_the_guide_is_what_calls_send() -> Result<()> {
    let (_stack, redis, mut table) = Table::of_a_server()?;
    warm_up(&redis).await?;
    table.forget();
    of_plain_models(&redis, &mut table).await?;
    of_indexed_models(&redis, &mut table).await?;
    of_queries(&redis, &mut table).await?;
    of_upkeep(&redis, &mut table).await?;
    of_commands(&redis, &mut table).await?;
    table.compare("costs.md");
    Ok(())
}

/// The server knows the scripts from here on.
async fn warm_up(redis: &Redis) -> Result<()> {
    for id in 1..=300 {
        user(id).insert(redis).await?;
    }
    User::patch(1).set(User::BIO, "x").exec(redis).await?;
    User::patch(1).set(User::BIO, "x").exec(redis).await?;
    User::query().ids(redis).await?;
    User::query().ids(redis).await?;
    User::find_by(redis, User::EMAIL, "1@example.org").await?;
    Session { id: 1, user: 1 }.insert(redis).await?;
    Session::load(redis, 1).await?;
    Cart { id: 1, user: 1 }.insert(redis).await?;
    Cart::load(redis, 1).await?;
    redis.incr("hits").exactly_once().await?;
    note(1).save(redis).exactly_once().await?;
    note(1).save(redis).exactly_once().await?;
    Note::patch(1).set(Note::TEXT, "x").exec(redis).await?;
    Note::delete(redis, 1).await?;
    Ok(())
}

async fn of_plain_models(redis: &Redis, table: &mut Table) -> Result<()> {
    table.section("a model without `index`, `unique` and `version`");
    note(1).insert(redis).await?;
    table.row("note.insert(&redis)", "", 1, 1);
    note(1).save(redis).await?;
    table.row("note.save(&redis)", "", 1, 1);
    Note { title: None, ..note(1) }.save(redis).await?;
    table.row("note.save(&redis)", ", with a field that is `None`", 1, 2);
    note(1).save(redis).exactly_once().await?;
    table.row("note.save(&redis).exactly_once()", "", 1, 1);
    note(1).update(redis).await?;
    table.row("note.update(&redis)", "", 1, 1);
    note(1).save_with(redis, SaveOptions::new().ttl(Duration::from_secs(60))).await?;
    table.row("note.save_with(&redis, SaveOptions::new().ttl(..))", "", 1, 2);
    Note::load(redis, 1).await?;
    table.row("Note::load(&redis, 1)", "", 1, 1);
    Note::load_many(redis, [1, 2, 3]).await?;
    table.row("Note::load_many(&redis, [1, 2, 3])", "", 1, 3);
    Note::load_field(redis, 1, Note::TEXT).await?;
    table.row("Note::load_field(&redis, 1, Note::TEXT)", "", 1, 1);
    Session::load(redis, 1).await?;
    table.row("Session::load(&redis, 1)", ", with `#[redis(sliding)]`", 1, 1);
    Note::patch(1).set(Note::TEXT, "bread").exec(redis).await?;
    table.row("Note::patch(1).set(..).exec(&redis)", "", 1, 1);
    Note::expire(redis, 1, Duration::from_secs(60)).await?;
    table.row("Note::expire(&redis, 1, ttl)", "", 1, 1);
    Note::ttl(redis, 1).await?;
    table.row("Note::ttl(&redis, 1)", "", 1, 1);
    Note::persist(redis, 1).await?;
    table.row("Note::persist(&redis, 1)", "", 1, 1);
    Note::expire_field(redis, 1, Note::TITLE, Duration::from_secs(60)).await?;
    table.row("Note::expire_field(&redis, 1, Note::TITLE, ttl)", "", 1, 1);
    Note::field_ttl(redis, 1, Note::TITLE).await?;
    table.row("Note::field_ttl(&redis, 1, Note::TITLE)", "", 1, 1);
    Note::persist_field(redis, 1, Note::TITLE).await?;
    table.row("Note::persist_field(&redis, 1, Note::TITLE)", "", 1, 1);
    Note::exists(redis, 1).await?;
    table.row("Note::exists(&redis, 1)", "", 1, 1);
    Note::next_id(redis).await?;
    table.row("Note::next_id(&redis)", "", 1, 1);
    Note::save_many(redis, &[note(1), note(2), note(3)]).await?.all()?;
    table.row("Note::save_many(&redis, &[a, b, c])", "", 1, 3);
    Note::delete(redis, 1).await?;
    table.row("Note::delete(&redis, 1)", "", 1, 1);
    Ok(())
}

async fn of_indexed_models(redis: &Redis, table: &mut Table) -> Result<()> {
    table.section("a model with indexes");
    let mut ada = user(1000);
    ada.version = ada.insert(redis).await?;
    table.row("user.insert(&redis)", "", 1, 1);
    ada.version = ada.save(redis).await?;
    table.row("user.save(&redis)", "", 1, 1);
    ada.version = ada.update(redis).await?;
    table.row("user.update(&redis)", "", 1, 1);
    ada.version = ada.save_with(redis, SaveOptions::new().ttl(Duration::from_secs(60))).await?;
    table.row("user.save_with(&redis, SaveOptions::new().ttl(..))", "", 1, 1);
    User::load(redis, 1000).await?;
    table.row("User::load(&redis, 42)", "", 1, 1);
    Cart::load(redis, 1).await?;
    table.row("Cart::load(&redis, 42)", ", with `#[redis(sliding)]`", 1, 1);
    User::exists(redis, 1000).await?;
    table.row("User::exists(&redis, 42)", "", 1, 1);
    User::ttl(redis, 1000).await?;
    table.row("User::ttl(&redis, 42)", "", 1, 1);
    User::next_id(redis).await?;
    table.row("User::next_id(&redis)", "", 1, 1);
    User::expire_field(redis, 1000, User::BIO, Duration::from_secs(60)).await?;
    table.row("User::expire_field(&redis, 42, User::BIO, ttl)", "", 1, 1);
    User::patch(1000).set(User::AGE, 37).exec(redis).await?;
    table.row("User::patch(42).set(..).exec(&redis)", "", 1, 1);
    User::patch(1000).exec(redis).await?;
    table.row("User::patch(42).exec(&redis)", ", without changes", 0, 0);
    User::modify(redis, 1000, |user| user.age += 1).await?;
    table.row("User::modify(&redis, 42, |user| ..)", "", 2, 2);
    User::expire(redis, 1000, Duration::from_secs(60)).await?;
    table.row("User::expire(&redis, 42, ttl)", "", 1, 1);
    User::persist(redis, 1000).await?;
    table.row("User::persist(&redis, 42)", "", 1, 1);
    let unit = Unit::new().insert(&user(1001)).patch(User::patch(1000).set(User::AGE, 40)).delete::<Note>(7);
    unit.commit(redis).await?;
    table.row("Unit::new().insert(&user).patch(..).delete::<Note>(7).commit(&redis)", "", 1, 1);
    let three = [user(2001), user(2002), user(2003)];
    User::save_many(redis, &three).await?.all()?;
    table.row("User::save_many(&redis, &[a, b, c])", "", 1, 3);
    User::delete_many(redis, [2001, 2002, 2003]).await?.all()?;
    table.row("User::delete_many(&redis, [1, 2, 3])", "", 1, 3);
    User::delete(redis, 1001).await?;
    table.row("User::delete(&redis, 42)", "", 1, 1);
    let taken = User { email: "1@example.org".into(), ..user(1002) };
    taken.insert(redis).await.expect_err("a duplicate");
    table.row("user.insert(&redis)", ", of a value that is taken: is its owner still there?", 2, 2);
    redis.hset("user:3000", [("id", "3000"), ("email", "e"), ("country", "x"), ("age", "1"), ("version", "1")]).await?;
    table.forget();
    User::patch(3000).set(User::AGE, 37).exec(redis).await?;
    table.row("User::patch(42).set(..).exec(&redis)", ", of a record that another program has created", 4, 4);
    User::delete(redis, 3000).await?;
    User::delete(redis, 1000).await?;
    table.forget();
    Ok(())
}

async fn of_queries(redis: &Redis, table: &mut Table) -> Result<()> {
    table.section("a query that 300 records match");
    let all = || User::query().eq(User::COUNTRY, "TR");
    all().limit(20).fetch(redis).await?;
    table.row("query.limit(20).fetch(&redis)", "", 2, 21);
    all().limit(20).in_one_request().fetch(redis).await?;
    table.row("query.limit(20).in_one_request().fetch(&redis)", "", 1, 1);
    all().limit(20).ids(redis).await?;
    table.row("query.limit(20).ids(&redis)", "", 1, 1);
    all().first(redis).await?;
    table.row("query.first(&redis)", "", 2, 2);
    all().exists(redis).await?;
    table.row("query.exists(&redis)", "", 1, 1);
    all().count(redis).await?;
    table.row("query.count(&redis)", "", 1, 1);
    all().explain(redis).await?;
    table.row("query.explain(&redis)", "", 1, 1);
    User::find_by(redis, User::EMAIL, "1@example.org").await?;
    table.row("User::find_by(&redis, User::EMAIL, \"ada@example.org\")", "", 1, 1);
    assert_eq!(all().stream(redis).collect().await?.len(), 300);
    table.row("query.stream(&redis)", ", 250 records a page", 4, 302);
    assert_eq!(all().patch(redis, |user| user.set(User::BIO, "x")).await?, 300);
    table.row("query.patch(&redis, |user| user.set(..))", ", 100 records a step", 9, 306);
    assert_eq!(all().delete(redis).await?, 300);
    table.row("query.delete(&redis)", ", 100 records a step", 9, 306);
    Ok(())
}

/// What looks at all records: 100, so few that they are one page whatever the order of the server's keys.
async fn of_upkeep(redis: &Redis, table: &mut Table) -> Result<()> {
    redis.flushdb().await?;
    for id in 1..=100 {
        user(id).insert_with(redis, SaveOptions::new().ttl(Duration::from_secs(600))).await?;
    }
    // The server knows the scripts from here on.
    assert!(User::verify_to_end(redis).await?.is_empty());
    lose_rows(redis).await?;
    assert!(User::reindex_to_end(redis).await?.errors.is_empty());
    table.forget();

    table.section("all records of a model, 100 with 4 indexes");
    assert_eq!(User::scan(redis).collect().await?.len(), 100);
    table.row("User::scan(&redis)", ", a page of about 250 keys of the database", 2, 101);
    let mut run = User::verify(redis);
    for (page, requests, commands) in [
        ("the start", 3, 14),
        ("a page of about 250 keys of the database", 2, 2),
        ("a page of about 250 rows", 2, 2),
        ("a page of about 250 entries of the first index", 1, 1),
        ("of the second", 1, 1),
        ("of the third", 1, 1),
        ("of the fourth", 1, 1),
        ("a page of about 250 records that expire", 2, 2),
    ] {
        run.next().await.expect("a page")?;
        table.row("User::verify(&redis)", &format!(", {page}"), requests, commands);
    }
    assert!(run.next().await.is_none(), "the end");
    assert!(User::verify_to_end(redis).await?.is_empty());
    table.row("User::verify_to_end(&redis)", "", 13, 24);
    assert_eq!(User::reindex_to_end(redis).await?.progress.indexed(), 0);
    table.row("User::reindex_to_end(&redis)", ", nothing to do", 15, 27);
    lose_rows(redis).await?;
    table.forget();
    assert_eq!(User::reindex_to_end(redis).await?.progress.indexed(), 100);
    table.row("User::reindex_to_end(&redis)", ", nothing indexed yet: 50 records a script", 17, 29);
    Ok(())
}

/// Removes the indexes behind the mapper's back.
async fn lose_rows(redis: &Redis) -> Result<()> {
    let indexes = ["email", "country", "age", "country+age"].map(|index| format!("user::index:{index}"));
    redis.del(indexes.iter().map(String::as_str).chain(["user::rows", "user::expiry"]).collect::<Vec<_>>()).await?;
    Ok(())
}

/// Commands of the client itself.
async fn of_commands(redis: &Redis, table: &mut Table) -> Result<()> {
    table.section("a command of the client");
    redis.incr("hits").await?;
    table.row("redis.incr(\"hits\")", "", 1, 1);
    redis.incr("hits").exactly_once().await?;
    table.row("redis.incr(\"hits\").exactly_once()", ": the command runs in a script, which keeps its outcome", 1, 1);
    Ok(())
}
