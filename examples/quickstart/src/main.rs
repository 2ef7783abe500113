//! The program a newcomer runs first: a record, a list and an event log, saved, loaded, changed and read back, with
//! every request shown as it goes over the wire.
//!
//! With `UPSTASH_REDIS_REST_URL` and `UPSTASH_REDIS_REST_TOKEN` set it runs against that database, under keys that
//! begin with `quickstart-`; otherwise it starts a server and the gateway by itself.

mod database;
mod wire;

use std::error::Error as StdError;
use std::process::ExitCode;

use redis_model::Entry;
use redis_model::prelude::*;
use serde_derive::{Deserialize, Serialize};

#[derive(Debug, Clone, PartialEq, RedisModel)]
#[redis(prefix = "quickstart-user")]
struct User {
    #[redis(id)]
    id: u64,
    email: String,
    country: Country,
    visits: i64,
    bio: Option<String>,
    #[redis(json)]
    settings: Settings,
    #[redis(bincode)]
    embedding: Vec<f32>,
}

#[derive(Debug, Clone, PartialEq, RedisModel)]
#[redis(rename_all = "lowercase")]
enum Country {
    Tr,
    Uk,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Settings {
    dark: bool,
}

#[derive(Debug, RedisModel)]
#[redis(list, prefix = "quickstart-inbox")]
struct Message {
    from: String,
    body: String,
}

#[derive(Debug, RedisModel)]
#[redis(stream, prefix = "quickstart-order", max_len = 1_000_000)]
enum OrderEvent {
    Placed { sku: String, quantity: u32 },
    Paid { cents: i64 },
    Shipped { carrier: String },
}

#[tokio::main]
async fn main() -> ExitCode {
    match quickstart().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            wire::say(&format!("\nThe quickstart failed: {error}"));
            ExitCode::FAILURE
        }
    }
}

async fn quickstart() -> Result<(), Box<dyn StdError>> {
    let database = database::open().await?;
    run(&database.redis).await?;
    wire::say("\nDone. README.md says what else there is.");
    Ok(())
}

async fn run(redis: &Redis) -> Result<()> {
    let step = wire::say;

    step("\nStart afresh: delete what an earlier run left.");
    redis.del(["quickstart-inbox:42", "quickstart-order:17", "quickstart-hits"]).await?;
    User::delete(redis, 42).await?;
    User::delete(redis, 7).await?;

    step("\nSave a record: a hash, one field each, `None` removed.");
    let ada = User {
        id: 42,
        email: "ada@example.org".into(),
        country: Country::Uk,
        visits: 0,
        bio: None,
        settings: Settings { dark: true },
        embedding: vec![0.5, -1.0],
    };
    ada.save(redis).await?;

    step("\nLoad it.");
    let loaded = User::load(redis, 42).await?;
    step(&format!("   {loaded:?}"));
    assert_eq!(loaded.as_ref(), Some(&ada), "what was saved comes back");

    step("\nChange a field, and save.");
    let mut changed = ada.clone();
    changed.bio = Some("Wrote the first program.".into());
    changed.save(redis).await?;
    let bio = User::load_field(redis, 42, User::BIO).await?;
    step(&format!("   bio is now {bio:?}"));

    step("\nCreate another, and fail to create it twice.");
    let cahit = User { id: 7, email: "cahit@example.org".into(), country: Country::Tr, ..ada.clone() };
    cahit.insert(redis).await?;
    let error = cahit.insert(redis).await.err();
    step(&format!("   the second time: {}", error.map_or_else(String::new, |error| error.to_string())));

    step("\nLoad many in one request.");
    let users = User::load_many(redis, [42, 7, 1]).await?;
    let emails: Vec<_> = users.iter().map(|user| user.as_ref().map(|user| user.email.as_str())).collect();
    step(&format!("   {emails:?}"));

    step("\nA typed list.");
    let inbox = Message::list(42);
    for body in ["hello", "are you there?"] {
        inbox.push_back(redis, &Message { from: "cahit".into(), body: body.into() }).await?;
    }
    step(&format!("   {:?}", inbox.range(redis, ..).await?));

    step("\nAn event log: append, append several at once, read back page by page.");
    let order = OrderEvent::log(17);
    let placed = order.append(redis, &OrderEvent::Placed { sku: "tea".into(), quantity: 2 }).await?;
    step(&format!("   placed at {placed}"));
    order.append_many(redis, &[OrderEvent::Paid { cents: 990 }, OrderEvent::Shipped { carrier: "sea".into() }]).await?;
    let mut entries = order.entries(redis, ..);
    while let Some(entry) = entries.next().await {
        let Entry { id, event } = entry?;
        step(&format!("   {id}: {event:?}"));
    }

    step("\nA pipeline: several commands in one request, the replies as a typed tuple.");
    let (user, hits, length) =
        redis.pipeline().load::<User>(42).incr("quickstart-hits").strlen("quickstart-hits").exec().await?;
    step(&format!("   visits {:?}, hits {hits}, {length} digit", user.map(|user| user.visits)));

    step("\nAny command, by its name.");
    let encoding: String = redis.execute(["OBJECT", "ENCODING", "quickstart-hits"]).await?;
    step(&format!("   OBJECT ENCODING is {encoding}"));
    Ok(())
}
