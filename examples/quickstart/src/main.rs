//! A first look at `redis-model`: saves, loads and changes a record, a list and an event log, and prints every request.
//!
//! If `UPSTASH_REDIS_REST_URL` and `UPSTASH_REDIS_REST_TOKEN` are set, it uses that database, with keys that start with
//! `quickstart-`. Otherwise it starts a local server.

mod wire;

use std::error::Error as StdError;
use std::process::ExitCode;

use database::say;
use redis_model::prelude::*;
use redis_model::{Entry, Since};
use serde_derive::{Deserialize, Serialize};

/// A record: a hash at `quickstart-user:ID`. No two users have the same e-mail address, and queries find users by country.
#[derive(Debug, Clone, PartialEq, RedisModel)]
#[redis(prefix = "quickstart-user")]
struct User {
    #[redis(id)]
    id: u64,
    #[redis(unique)]
    email: String,
    #[redis(index)]
    country: Country,
    visits: i64,
    bio: Option<String>,
    #[redis(json)]
    settings: Settings,
    #[redis(postcard)]
    embedding: Vec<f32>,
}

/// One field of a record, stored as `tr` or `uk`.
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

/// An element of lists at `quickstart-inbox:KEY`.
#[derive(Debug, RedisModel)]
#[redis(list, prefix = "quickstart-inbox")]
struct Message {
    from: String,
    body: String,
}

/// An event of the streams at `quickstart-order:KEY`. `publish` makes each append wake those who tail the log.
#[derive(Debug, RedisModel)]
#[redis(stream, prefix = "quickstart-order", max_len = 1_000_000, publish)]
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
            say(&format!("\nThe quickstart failed: {error}"));
            ExitCode::FAILURE
        }
    }
}

async fn quickstart() -> Result<(), Box<dyn StdError>> {
    let database = database::open_with("quickstart-", |builder| builder.wrap_transport(wire::Printing)).await?;
    run(&database.redis).await?;
    say("\nDone. README.md shows what to try next.");
    Ok(())
}

async fn run(redis: &Redis) -> Result<()> {
    let step = say;

    step("\nDelete the keys of an earlier run.");
    redis.del(["quickstart-inbox:42", "quickstart-order:17", "quickstart-hits"]).await?;
    User::delete(redis, 42).await?;
    User::delete(redis, 7).await?;

    step("\nSave a record: a hash with one field for each field of the struct. `None` removes a field.");
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

    step("\nLoad the record.");
    let loaded = User::load(redis, 42).await?;
    step(&format!("   {loaded:?}"));
    assert_eq!(loaded.as_ref(), Some(&ada), "load returns what was saved");

    step("\nInsert another record. Two records with the same e-mail address are an error.");
    let cahit = User { id: 7, email: "cahit@example.org".into(), country: Country::Tr, ..ada.clone() };
    cahit.insert(redis).await?;
    let twin = User { id: 8, ..cahit.clone() };
    let error = twin.insert(redis).await.err();
    step(&format!("   the second insert: {}", error.map_or_else(String::new, |error| error.to_string())));

    step("\nA patch changes some fields of a record, and returns others, in one command.");
    let patch = User::patch(42).set(User::BIO, "Wrote the first program.").incr(User::VISITS, 1);
    let visits = patch.returning(User::VISITS).exec(redis).await?;
    step(&format!("   visits: {visits:?}"));

    step("\nFind records by a unique field, and by an index.");
    let found = User::find_by(redis, User::EMAIL, "cahit@example.org").await?;
    step(&format!("   {:?}", found.map(|user| user.id)));
    let page = User::query().any_of(User::COUNTRY, [Country::Tr, Country::Uk]).limit(10).fetch(redis).await?;
    step(&format!("   {:?}", page.items.iter().map(|user| user.id).collect::<Vec<_>>()));

    step("\nLoad several records in one request. User 1 does not exist.");
    let users = User::load_many(redis, [42, 7, 1]).await?;
    let emails: Vec<_> = users.iter().map(|user| user.as_ref().map(|user| user.email.as_str())).collect();
    step(&format!("   {emails:?}"));

    step("\nPush messages to a typed list, and read it.");
    let inbox = Message::list(42);
    for body in ["hello", "are you there?"] {
        inbox.push_back(redis, &Message { from: "cahit".into(), body: body.into() }).await?;
    }
    step(&format!("   {:?}", inbox.range(redis, ..).await?));

    step(
        "\nTail an event log, append to it meanwhile, and print the entries as they come. Each append wakes the tail.",
    );
    let order = OrderEvent::log(17);
    let mut tail = order.tail(redis, Since::Now);
    tail.started().await?;
    let appends = async {
        order.append(redis, &OrderEvent::Placed { sku: "tea".into(), quantity: 2 }).await?;
        let events = [OrderEvent::Paid { cents: 990 }, OrderEvent::Shipped { carrier: "sea".into() }];
        order.append_many(redis, &events).await
    };
    let prints = async {
        for _ in 0..3 {
            let Some(entry) = tail.next().await else { break };
            let Entry { id, event } = entry?.into_result()?;
            step(&format!("   {id}: {event:?}"));
        }
        Ok(())
    };
    tokio::try_join!(appends, prints)?;

    step("\nThe log keeps its entries. Read the last one.");
    for entry in order.last(redis, 1).await? {
        step(&format!("   {:?}", entry.event?));
    }

    step("\nSend several commands in one request: a pipeline. The replies are a typed tuple.");
    let (user, hits, length) =
        redis.pipeline().load::<User>(42).incr("quickstart-hits").strlen("quickstart-hits").exec().await?;
    step(&format!("   visits: {:?}, hits: {hits}, length of the text of hits: {length}", user.map(|user| user.visits)));

    step("\nRun any command by its name.");
    let kind: String = redis.execute(["TYPE", "quickstart-hits"]).await?;
    step(&format!("   the type of hits: {kind}"));
    Ok(())
}
