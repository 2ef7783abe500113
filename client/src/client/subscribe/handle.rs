//! What reaches a subscription while it is waited for.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Waker;

use super::topic::Kind;
use crate::arg::ToArg;

/// Ends a [`Subscription`](super::Subscription), or channels and patterns of it, while another task or thread waits for its
/// events. [`Subscription::handle`](super::Subscription::handle) returns it; clones reach the same subscription.
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
    /// Ends the subscription to a channel. No event of it follows. It has no effect if there is none. See
    /// [UNSUBSCRIBE](https://redis.io/docs/latest/commands/unsubscribe/).
    pub fn unsubscribe(&self, channel: impl ToArg) {
        self.0.add(Kind::Channel, channel);
    }

    /// Ends the subscription to a pattern. No event of it follows. It has no effect if there is none. See
    /// [PUNSUBSCRIBE](https://redis.io/docs/latest/commands/punsubscribe/).
    pub fn punsubscribe(&self, pattern: impl ToArg) {
        self.0.add(Kind::Pattern, pattern);
    }

    /// Ends the subscription to all channels and patterns. The stream ends.
    pub fn close(&self) {
        self.0.ask(|wishes| wishes.all = true);
    }
}

/// What handles have asked a subscription for.
#[derive(Debug, Default)]
pub(super) struct Inbox(Mutex<Wishes>);

#[derive(Debug, Default)]
pub(super) struct Wishes {
    pub(super) all: bool,
    pub(super) names: Vec<(Kind, Vec<u8>)>,
    waker: Option<Waker>,
}

impl Inbox {
    fn add(&self, kind: Kind, name: impl ToArg) {
        // What is not a valid argument was not subscribed to.
        if let Ok(name) = name.to_arg().into_bytes() {
            self.ask(|wishes| wishes.names.push((kind, name)));
        }
    }

    fn ask(&self, wish: impl FnOnce(&mut Wishes)) {
        let waker = {
            let mut wishes = self.lock();
            wish(&mut wishes);
            wishes.waker.take()
        };
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    /// Takes what was asked for so far. The next wish wakes `waker`.
    pub(super) fn take(&self, waker: Option<&Waker>) -> Wishes {
        let mut wishes = self.lock();
        let waker = waker.cloned().or_else(|| wishes.waker.take());
        std::mem::replace(&mut *wishes, Wishes { waker, ..Wishes::default() })
    }

    fn lock(&self) -> MutexGuard<'_, Wishes> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
