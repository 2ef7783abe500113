//! The scripts of `reindex` and `verify`: their mistakes are noticed, and they touch their own keys alone.

#![expect(clippy::print_stdout, reason = "seeds and figures")]

use redis_model::commands::sorted_set::ZRange;
use redis_model::hash::{Drift, Reindexed};
use redis_model::prelude::*;
use redis_model_tests::fault::Mutated;
use redis_model_tests::{Stack, own_stack};

use super::{Member, User, account, disturb, email, parts, user};

/// Repairs, with a client that sends mutated scripts, what others have changed. Returns what is still wrong.
async fn wrong_after_repair(stack: &Stack, right: &'static str, wrong: &'static str) -> Result<Vec<String>> {
    use account::{after, before};

    let redis = stack.redis();
    redis.flushall().await?;
    User::save_many(&redis, &(0..10).map(user).collect::<Vec<_>>()).await?.all()?;
    disturb(&redis).await?;
    user(5).save(&redis).await?;
    user(6).save(&redis).await?;
    let account = before::Account { id: 1, email: email(1), plan: "free".into(), age: 36, country: "TR".into() };
    account.save(&redis).await?;
    for id in [1, 2] {
        parts::four::Thing { id, name: email(id), kind: "tool".into() }.save(&redis).await?;
        Member { id, email: email(id) }.save(&redis).await?;
    }
    let kinds: Vec<String> = redis.keys("re-parts::index:kind:*").await?;
    for key in &kinds {
        redis.zadd(key, [(0.0, "tool\u{0}1")]).await?;
    }
    // The claim of a member was lost and taken, and one row has the layout of a program that nobody knows any more.
    redis.zrem("re-member::index:email", format!("{}\u{0}1", email(1))).await?;
    redis.hset("re-member:3", [("id", "3".to_owned()), ("email", email(1))]).await?;
    redis.hset("re-member::rows", [("2", "01234567\u{0}=x")]).await?;

    // The server must not know the scripts as they are.
    redis.script_flush().await?;
    let mutated = stack.builder().wrap_transport(move |inner| Mutated { inner, right, wrong }).build()?;
    let mut found = Vec::new();
    let mut note = |what: &str, result: Result<Vec<Drift>>| match result {
        Ok(drifts) => found.extend(drifts.iter().map(|drift| format!("{what}: {drift}"))),
        Err(error) => found.push(format!("{what}: {error}")),
    };
    let done = |result: Result<Reindexed>| result.map(|_| Vec::new());
    note("reindex", done(User::reindex_to_end(&mutated).await));
    note("reindex", done(after::Account::reindex_to_end(&mutated).await));
    note("reindex", done(parts::four::Thing::reindex_to_end(&mutated).await));
    note("reindex", done(Member::reindex_to_end(&mutated).await));
    note("check", User::verify_to_end(&mutated).await);
    note("user", User::verify_to_end(&redis).await);
    note("account", after::Account::verify_to_end(&redis).await);
    note("thing", parts::four::Thing::verify_to_end(&redis).await);
    // One of two members with the same value is in no index.
    let members = Member::verify_to_end(&redis).await?;
    if members.len() != 1 {
        note("member", Ok(members));
    }
    let taken: Vec<String> = redis.zrange("re-member::index:email", ZRange::rank(0, -1)).await?;
    if taken.iter().filter(|entry| entry.starts_with(&email(1))).count() != 1 {
        found.push(format!("member: {taken:?}"));
    }
    if redis.exists("re-account::index:plan").await? > 0 {
        found.push("account: an index remains".to_owned());
    }
    let fields: Vec<String> = redis.hkeys("re-account::rows").await?;
    if fields.iter().filter(|field| field.starts_with(':')).count() != 1 {
        found.push("account: the descriptor of an earlier layout remains".to_owned());
    }
    Ok(found)
}

/// A test of the test: each mistake in a script is noticed.
#[tokio::test]
async fn mistakes_in_the_scripts_are_noticed() -> Result<()> {
    let stack = own_stack();
    let none: Vec<String> = Vec::new();
    assert_eq!(wrong_after_repair(&stack, "nothing of a script", "").await?, none);
    for (right, wrong) in [
        // rows
        ("call('ZADD', key, 0, member)", ""),
        ("if repairs then return forget(rows, expiry, id, columns) end", "if repairs then return end"),
        ("if expected then", "if false then"),
        ("local owner = index.unique and owner_of(key, number, entry, id)", "local owner"),
        ("elseif row and repairs then", "elseif false then"),
        // entries
        ("if repairs then call('ZREM', key, member) end", ""),
        (
            "return entry and partition_of_entry(number, entry, id) == partition and has_entry(id, number, entry)",
            "return true",
        ),
        ("partition_of_entry(number, entry, id) == partition and has_entry", "has_entry"),
        // start and finish
        ("call('UNLINK', KEYS[next_key])", ""),
        ("for at = 3, #ARGV do", "for at = 4, #ARGV do"),
        ("call('HDEL', rows_key(partition), ':building')", ""),
    ] {
        let found = wrong_after_repair(&stack, right, wrong).await?;
        println!("{right}\n    {found:?}");
        assert_ne!(found, none, "{right}");
    }
    Ok(())
}

/// The service locks the declared keys alone, so a script must not touch another.
#[tokio::test]
async fn the_scripts_touch_only_the_keys_that_they_declare() -> Result<()> {
    let strict = "local declared = {} for _, key in ipairs(KEYS) do declared[key] = true end \
                  local function call(name, key, ...) \
                  if name == 'TIME' then return redis.call(name) end \
                  if not declared[key] then error(name .. ' of an undeclared key') end \
                  return redis.call(name, key, ...) end";
    let found = wrong_after_repair(&own_stack(), "local call = redis.call", strict).await?;
    assert_eq!(found, Vec::<String>::new());
    // The test notices a key that is not declared.
    let other = "local function call(name, key, ...) return redis.call(name, (key or '') .. 'x', ...) end";
    assert_ne!(wrong_after_repair(&own_stack(), "local call = redis.call", other).await?, Vec::<String>::new());
    Ok(())
}
