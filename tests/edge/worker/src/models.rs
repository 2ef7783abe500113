//! Records and logs.

use redis_model::Since;
use redis_model::prelude::*;

use crate::call::Call;

#[derive(Debug, Clone, PartialEq, RedisModel)]
#[redis(prefix = "edge-user")]
struct User {
    #[redis(id)]
    id: u64,
    #[redis(unique)]
    email: String,
    #[redis(index)]
    age: u8,
    visits: i64,
    bio: Option<String>,
}

#[derive(Debug, Clone, PartialEq, RedisModel)]
#[redis(stream, prefix = "edge-order", publish)]
enum Event {
    Placed { sku: String },
    Paid { cents: i64 },
}

fn user(id: u64) -> User {
    User { id, email: format!("{id}@example.org"), age: id as u8 * 10, visits: 0, bio: None }
}

/// Returns the lengths of generated ids, which need a clock and random numbers.
pub fn ids() -> Result<String> {
    let (uuid, ulid) = (uuid::Uuid::generate(), ulid::Ulid::generate());
    Ok(format!("{} {}", uuid.to_string().len(), ulid.to_string().len()))
}

pub async fn records(call: &Call) -> Result<String> {
    let redis = &call.redis()?;
    User::delete(redis, 1).await?;
    let ada = User { bio: Some("Wrote the first program.".into()), ..user(1) };
    ada.save(redis).await?;
    let same = User::load(redis, 1).await?.as_ref() == Some(&ada);
    let visits = User::patch(1).incr(User::VISITS, 3).clear(User::BIO).returning(User::VISITS).exec(redis).await?;
    let patched = User::load(redis, 1).await?;
    let twin = User { email: ada.email.clone(), ..user(9) };
    let twin = twin.insert(redis).await.map_err(|error| error.kind());
    Ok(format!("{same} {visits:?} {:?} {twin:?}", patched.map(|user| (user.visits, user.bio))))
}

pub async fn query(call: &Call) -> Result<String> {
    let redis = &call.redis()?;
    for id in 2..=6 {
        user(id).save(redis).await?;
    }
    let page = User::query().range(User::AGE, 30..=50).fetch(redis).await?;
    let ids: Vec<u64> = page.items.iter().map(|user| user.id).collect();
    let found = User::find_by(redis, User::EMAIL, "4@example.org").await?;
    Ok(format!("{ids:?} {:?}", found.map(|user| user.id)))
}

pub async fn log(call: &Call) -> Result<String> {
    let redis = &call.redis()?;
    let log = Event::log("log");
    log.clear(redis).await?;
    log.append(redis, &Event::Placed { sku: "tea".into() }).await?;
    log.append_many(redis, &[Event::Paid { cents: 990 }, Event::Paid { cents: -1 }]).await?;
    let mut events = Vec::new();
    for entry in log.range(redis, .., 10).await? {
        events.push(entry.event?);
    }
    Ok(format!("{events:?}"))
}

/// Tails a log until it has as many entries as `count`.
pub async fn tail(call: &Call) -> Result<String> {
    let redis = &call.redis()?;
    let mut tail = Event::log(call.text("log")).tail(redis, Since::Start);
    tail.started().await?;
    let mut events = Vec::new();
    while (events.len() as u64) < call.number("count").unwrap_or(1) {
        let Some(entry) = tail.next().await else { break };
        events.push(entry?.event?);
    }
    Ok(format!("{events:?}"))
}

pub async fn append(call: &Call) -> Result<String> {
    let redis = &call.redis()?;
    Event::log(call.text("log")).append(redis, &Event::Placed { sku: call.text("sku").to_owned() }).await?;
    Ok("appended".to_owned())
}
