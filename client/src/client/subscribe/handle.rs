//! Handles, which end a subscription while another task waits for its events.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Waker;

use super::topic::Kind;
use crate::arg::ToArg;

/// Ends a [`Subscription`](super::Subscription), or some of its channels and patterns, while another task or thread waits
/// for its events. [`Subscription::handle`](super::Subscription::handle) returns it. Clones end the same subscription.
///
/// ```no_run
/// # fn example(redis: redis_rest::blocking::Redis) -> redis_rest::Result<()> {
/// let chat = redis.subscribe(["chat"]);
/// let handle = chat.handle();
/// std::thread::scope(|threads| {
///     threads.spawn(move || {
///         for event in chat {
///             println!("{event:?}");
///         }
///     });
///     handle.close(); // The loop ends.
/// });
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct SubscriptionHandle(pub(super) Arc<Inbox>);

impl SubscriptionHandle {
    /// Ends the subscription to a channel. No event of the channel follows. Has no effect if the channel is not subscribed
    /// to. See [UNSUBSCRIBE](https://redis.io/docs/latest/commands/unsubscribe/).
    pub fn unsubscribe(&self, channel: impl ToArg) {
        self.0.add(Kind::Channel, channel);
    }

    /// Ends the subscription to a pattern. No event of the pattern follows. Has no effect if the pattern is not subscribed
    /// to. See [PUNSUBSCRIBE](https://redis.io/docs/latest/commands/punsubscribe/).
    pub fn punsubscribe(&self, pattern: impl ToArg) {
        self.0.add(Kind::Pattern, pattern);
    }

    /// Ends the subscription to all channels and patterns. The stream ends.
    pub fn close(&self) {
        self.0.ask(|requests| requests.all = true);
    }
}

/// The requests of handles that a subscription has not carried out yet.
#[derive(Debug, Default)]
pub(super) struct Inbox(Mutex<Requests>);

#[derive(Debug, Default)]
pub(super) struct Requests {
    pub(super) all: bool,
    pub(super) names: Vec<(Kind, Vec<u8>)>,
    waker: Option<Waker>,
}

impl Inbox {
    fn add(&self, kind: Kind, name: impl ToArg) {
        // A name that is not a valid argument was never subscribed to.
        if let Ok(name) = name.to_arg().into_bytes() {
            self.ask(|requests| requests.names.push((kind, name)));
        }
    }

    fn ask(&self, request: impl FnOnce(&mut Requests)) {
        let waker = {
            let mut requests = self.lock();
            request(&mut requests);
            requests.waker.take()
        };
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    /// Takes the requests so far. The next request wakes `waker`.
    pub(super) fn take(&self, waker: Option<&Waker>) -> Requests {
        let mut requests = self.lock();
        let waker = waker.cloned().or_else(|| requests.waker.take());
        std::mem::replace(&mut *requests, Requests { waker, ..Requests::default() })
    }

    fn lock(&self) -> MutexGuard<'_, Requests> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
