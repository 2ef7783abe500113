//! The wake-up of a worker: what appends and redrives publish. It is a hint; polls find what no message has announced.

use std::task::Context;

use redis_rest::Redis;

use crate::stream::StreamModel;
use crate::stream::group::Group;
use crate::stream::tail::wake::Wake as Subscribed;

/// Subscriptions to the log and to the stream of redriven entries, if the model publishes.
pub(super) struct Wake(Vec<Subscribed>);

impl Wake {
    pub(super) fn new<M: StreamModel>(redis: &Redis, group: &Group<M>) -> Self {
        let channels = [group.log().key().to_owned(), group.retries_key()];
        let channels = channels.iter().filter(|_| M::PUBLISH);
        Wake(channels.map(|channel| Subscribed::on(redis.clone(), channel)).collect())
    }

    /// Returns whether all messages arrive that are published now.
    pub(super) fn is_active(&self) -> bool {
        !self.0.is_empty() && self.0.iter().all(Subscribed::is_listening)
    }

    /// Returns whether there may be entries: a message has arrived, or could have been missed.
    pub(super) fn is_woken(&mut self, cx: &mut Context<'_>) -> bool {
        // All of them are polled: each wakes this task.
        let heard = self.0.iter_mut().map(|one| one.poll(cx));
        heard.fold(false, |is_woken, heard| is_woken || heard.has_changed || heard.newest.is_some() || heard.anything)
    }
}
