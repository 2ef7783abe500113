//! The wake-up of a worker: the messages that appends publish. They are a hint; polls find what a message did not announce.

use std::pin::Pin;
use std::task::{Context, Poll};

use futures_core::Stream as _;
use redis_rest::Redis;
use redis_rest::subscribe::{Subscription, SubscriptionEvent};

use crate::stream::StreamModel;
use crate::stream::group::Group;

/// Subscriptions to the log and to the stream of redriven entries, if the model publishes.
#[derive(Debug)]
pub(super) struct Wake {
    subscription: Option<Subscription>,
    /// How many of the channels are connected.
    connected: usize,
}

/// The log, and the stream of redriven entries.
const CHANNELS: usize = 2;

impl Wake {
    pub(super) fn new<M: StreamModel>(redis: &Redis, group: &Group<M>) -> Self {
        let channels = [group.log().key().to_owned(), group.retries_key()];
        Wake { subscription: M::PUBLISH.then(|| redis.subscribe(channels.as_slice())), connected: 0 }
    }

    /// Returns whether messages arrive.
    pub(super) fn is_active(&self) -> bool {
        self.connected == CHANNELS
    }

    /// Returns whether there may be entries: a message has arrived, or could have been missed.
    pub(super) fn is_woken(&mut self, cx: &mut Context<'_>) -> bool {
        let mut is_woken = false;
        while let Some(subscription) = &mut self.subscription {
            match Pin::new(subscription).poll_next(cx) {
                Poll::Pending => break,
                Poll::Ready(Some(Ok(event))) => match event {
                    SubscriptionEvent::Subscribed { .. } => self.connected += 1,
                    SubscriptionEvent::Gap { .. } => self.connected = self.connected.saturating_sub(1),
                    _ => {}
                },
                // It connects again by itself, unless the client never retries. Polls go on then.
                Poll::Ready(Some(Err(_)) | None) => (self.subscription, self.connected) = (None, 0),
            }
            is_woken = true;
        }
        is_woken
    }
}
