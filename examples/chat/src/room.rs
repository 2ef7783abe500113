//! What a room stores, and a visit to it.

use std::time::Duration;

use redis_model::prelude::*;
use redis_model::{Entry, Error, Since};
use tokio::sync::mpsc;
use tokio::time::{MissedTickBehavior, interval};

/// What happens in a room: an entry of the log at `chat-room:ROOM`. The log keeps the last 100. Each append publishes a wake-up
/// for those who follow the room, and is in the log once, also if a lost reply makes the client repeat it.
#[derive(Debug, Clone, PartialEq, RedisModel)]
#[redis(stream, prefix = "chat-room", rename_all = "lowercase", max_len = 100, exact, publish)]
pub(crate) enum Event {
    Joined { user: String },
    Said { user: String, text: String },
    Left { user: String },
}

/// Somebody who is in a room, at `chat-presence:USER`. It expires unless the user's program saves it again and again, so a program
/// that dies needs nobody to clean up. The index finds who is in a room, by name.
#[derive(Debug, Clone, PartialEq, RedisModel)]
#[redis(prefix = "chat-presence", ttl = "5s")]
pub(crate) struct Presence {
    #[redis(id)]
    pub(crate) user: String,
    #[redis(index)]
    pub(crate) room: String,
}

/// Several heartbeats may fail before a user counts as gone. Each is a request: a program with many users uses longer times.
const HEARTBEAT: Duration = Duration::from_secs(1);

/// How many events of the past a visitor sees.
pub(crate) const HISTORY: u64 = 5;

/// What a visitor sees.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Shown {
    /// What has happened in the room.
    Event(Entry<Event>),
    /// The answer to `/who`.
    Here(Vec<String>),
    /// What does not work, or is missing.
    Trouble(String),
}

impl From<Error> for Shown {
    fn from(error: Error) -> Self {
        Shown::Trouble(error.to_string())
    }
}

/// Returns who is in a room, by name: records with the same room are in the order of their ids.
pub(crate) async fn who(redis: &Redis, room: &str) -> Result<Vec<String>> {
    let here = Presence::query().eq(Presence::ROOM, room).fetch(redis).await?;
    Ok(here.items.into_iter().map(|presence| presence.user).collect())
}

/// Visits a room until `lines` ends. Each line is something to say, or `/who`.
///
/// It is one task: it waits for what others say, for what its user types, and for its next heartbeat.
pub(crate) async fn visit(
    redis: &Redis,
    room: &str,
    user: &str,
    mut lines: mpsc::Receiver<String>,
    mut show: impl FnMut(Shown),
) -> Result<()> {
    // No two users have the same name: an insert fails if the record exists.
    let presence = Presence { user: user.into(), room: room.into() };
    presence.insert(redis).await?;

    // History and live events come from one stream, so nothing is missed between them, and nothing comes twice.
    let log = Event::log(room);
    let mut events = log.tail(redis, Since::Last(HISTORY));
    events.started().await?;
    log.append(redis, &Event::Joined { user: user.into() }).await?;

    let mut heartbeat = interval(HEARTBEAT);
    heartbeat.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            event = events.next() => match event {
                Some(Ok(entry)) => match entry.into_result() {
                    Ok(entry) => show(Shown::Event(entry)),
                    Err(error) => show(Shown::Trouble(format!("skipped: {error}"))),
                },
                // The room has moved on by more than it keeps, or the server cannot be reached. The tail continues by itself.
                Some(Err(error)) => show(error.into()),
                None => break,
            },
            line = lines.recv() => match line.as_deref() {
                Some("/who") => show(who(redis, room).await.map_or_else(Shown::from, Shown::Here)),
                Some(text) => {
                    let said = Event::Said { user: user.into(), text: text.into() };
                    if let Err(error) = log.append(redis, &said).await {
                        show(error.into());
                    }
                }
                None => break,
            },
            _ = heartbeat.tick() => if let Err(error) = presence.save(redis).await {
                show(error.into());
            },
        }
    }
    Presence::delete(redis, user).await?;
    log.append(redis, &Event::Left { user: user.into() }).await?;
    Ok(())
}
