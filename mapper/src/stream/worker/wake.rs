//! The wake-up of a worker: what appends and redrives publish. It is a hint; polls find what no message has announced.

use std::task::Context;

use redis_rest::Redis;
use redis_rest::commands::stream::StreamId;

use crate::stream::StreamModel;
use crate::stream::group::Group;
use crate::stream::wake::Wake as Subscribed;

/// Subscriptions to the log and to the stream of redriven entries, if the model publishes. With each comes the greatest
/// id that it has announced: a message with another one announces nothing.
pub(super) struct Wake(Vec<(Subscribed, Option<StreamId>)>);

impl Wake {
    pub(super) fn new<M: StreamModel>(redis: &Redis, group: &Group<M>) -> Self {
        let channels = [group.log().key().to_owned(), group.retries_key()];
        let channels = channels.iter().filter(|_| M::PUBLISH);
        Wake(channels.map(|channel| (Subscribed::on(redis.clone(), channel), None)).collect())
    }

    /// Returns whether all messages arrive that are published now.
    pub(super) fn is_active(&self) -> bool {
        !self.0.is_empty() && self.0.iter().all(|(subscribed, _)| subscribed.is_listening())
    }

    /// Returns what may be there: a message has arrived, or could have been missed.
    pub(super) fn poll(&mut self, cx: &mut Context<'_>) -> Option<Call> {
        let (mut has_entries, mut has_released) = (false, false);
        // All of them are polled: each wakes this task.
        for (subscribed, newest) in &mut self.0 {
            let heard = subscribed.poll(cx);
            has_released |= heard.anything;
            has_entries |= heard.has_changed || heard.newest > *newest;
            *newest = heard.newest.max(*newest);
        }
        if has_released { Some(Call::Released) } else { has_entries.then_some(Call::Entries) }
    }
}

/// What a message says.
pub(super) enum Call {
    /// There are new entries.
    Entries,
    /// A worker of the group has given entries up, which are pending. The message has no id.
    Released,
}
