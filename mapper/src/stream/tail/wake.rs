//! The subscription that wakes a tail. It is a hint only: whatever happens to it, polling finds the entries.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use futures_core::Stream as _;
use redis_rest::commands::stream::StreamId;
use redis_rest::subscribe::{Subscription, SubscriptionEvent};
use redis_rest::{Redis, sleep};

use crate::pace::{doubled, jittered};

/// A timer.
pub(super) type Timer = Pin<Box<dyn Future<Output = ()> + Send>>;

pub(super) fn timer(duration: Duration) -> Timer {
    Box::pin(sleep(duration))
}

/// The wake-ups of one log.
pub(in crate::stream) struct Wake {
    redis: Redis,
    channel: String,
    state: State,
    /// How often the subscription broke, since it last lasted for a while.
    failures: u64,
    /// When this runs out, the subscription has lasted.
    lasting: Option<Timer>,
}

enum State {
    Off,
    Waiting(Timer),
    Open { subscription: Box<Subscription>, is_confirmed: bool },
}

/// What a poll has heard.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(in crate::stream) struct Heard {
    /// The subscription is active from now on, or was active until now. A read covers what was not heard.
    pub(in crate::stream) has_changed: bool,
    /// The greatest id that a message contained.
    pub(in crate::stream) newest: Option<StreamId>,
    /// Whether there was a message without an id.
    pub(in crate::stream) anything: bool,
}

/// The most events that one poll takes, so that a flood of them lets the reads go on.
const MOST: u32 = 2000;

/// A subscription that lasts for this time does not count as a failure.
const LASTING: Duration = Duration::from_secs(30);

const FIRST_WAIT: Duration = Duration::from_millis(250);
const LONGEST_WAIT: Duration = Duration::from_secs(60);

/// What cannot be mended by another attempt, such as a missing permission, is tried seldom.
const HOPELESS_WAIT: Duration = Duration::from_secs(300);

impl Wake {
    pub(super) fn off(redis: Redis, channel: &str) -> Self {
        Wake { redis, channel: channel.to_owned(), state: State::Off, failures: 0, lasting: None }
    }

    pub(in crate::stream) fn on(redis: Redis, channel: &str) -> Self {
        let mut wake = Wake::off(redis, channel);
        wake.open();
        wake
    }

    fn open(&mut self) {
        let subscription = Box::new(self.redis.subscribe(self.channel.as_str()));
        self.state = State::Open { subscription, is_confirmed: false };
    }

    /// Whether each message that is published now arrives.
    pub(in crate::stream) fn is_listening(&self) -> bool {
        matches!(self.state, State::Open { is_confirmed: true, .. })
    }

    /// Takes the messages that have arrived.
    pub(in crate::stream) fn poll(&mut self, cx: &mut Context<'_>) -> Heard {
        let mut heard = Heard::default();
        if self.lasting.as_mut().is_some_and(|lasting| lasting.as_mut().poll(cx).is_ready()) {
            (self.lasting, self.failures) = (None, 0);
        }
        for _ in 0..MOST {
            let event = match &mut self.state {
                State::Off => return heard,
                State::Waiting(timer) => match timer.as_mut().poll(cx) {
                    Poll::Ready(()) => {
                        self.open();
                        continue;
                    }
                    Poll::Pending => return heard,
                },
                State::Open { subscription, .. } => match Pin::new(&mut **subscription).poll_next(cx) {
                    Poll::Ready(event) => event,
                    Poll::Pending => return heard,
                },
            };
            match event {
                Some(Ok(SubscriptionEvent::Message(message))) => {
                    match message.text().ok().and_then(|text| text.parse().ok()) {
                        Some(id) => heard.newest = heard.newest.max(Some(id)),
                        None => heard.anything = true,
                    }
                }
                Some(Ok(SubscriptionEvent::Subscribed { .. })) => {
                    if let State::Open { is_confirmed, .. } = &mut self.state {
                        *is_confirmed = true;
                    }
                    heard.has_changed = true;
                    self.lasting = Some(timer(LASTING));
                }
                Some(Ok(SubscriptionEvent::Gap { cause: error, .. }) | Err(error)) => {
                    heard.has_changed |= self.is_listening();
                    self.broke(error.is_retryable());
                }
                None => {
                    heard.has_changed |= self.is_listening();
                    self.broke(true);
                }
                Some(Ok(_)) => {}
            }
        }
        cx.waker().wake_by_ref();
        heard
    }

    /// Drops the subscription. The next one opens after a wait of its own, so that a server that ends each of them at once gets
    /// no more than a request a minute.
    fn broke(&mut self, can_be_mended: bool) {
        self.failures = self.failures.saturating_add(1);
        let wait = if can_be_mended { doubled(FIRST_WAIT, LONGEST_WAIT, self.failures) } else { HOPELESS_WAIT };
        self.lasting = None;
        self.state = State::Waiting(timer(jittered(wait)));
    }
}
