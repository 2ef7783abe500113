//! The subscription that wakes a reader. It is a hint only: whatever happens to it, polling finds the entries.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use futures_core::Stream as _;
use redis_rest::Redis;
use redis_rest::commands::stream::StreamId;
use redis_rest::subscribe::{Subscription, SubscriptionEvent};

use crate::pace::{doubled, jittered};
use crate::waiting::Timer;

/// The wake-ups of one log.
pub(super) struct Wake {
    redis: Redis,
    channel: String,
    state: State,
    /// How often the subscription broke, since it last lasted for a while.
    failures: u64,
    /// When this runs out, the subscription has lasted.
    lasting: Timer,
}

enum State {
    Off,
    Waiting(Timer),
    Open { subscription: Box<Subscription>, is_confirmed: bool },
}

/// What a poll has heard.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(super) struct Heard {
    /// The subscription is active from now on, or was active until now. A read covers what was not heard.
    pub(super) has_changed: bool,
    /// The greatest id that a message contained.
    pub(super) newest: Option<StreamId>,
    /// Whether there was a message without an id.
    pub(super) anything: bool,
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
        Wake { redis, channel: channel.to_owned(), state: State::Off, failures: 0, lasting: Timer::default() }
    }

    pub(super) fn on(redis: Redis, channel: &str) -> Self {
        let mut wake = Wake::off(redis, channel);
        wake.open();
        wake
    }

    fn open(&mut self) {
        let subscription = Box::new(self.redis.subscribe(self.channel.as_str()));
        self.state = State::Open { subscription, is_confirmed: false };
    }

    /// Whether each message that is published now arrives.
    pub(super) fn is_listening(&self) -> bool {
        matches!(self.state, State::Open { is_confirmed: true, .. })
    }

    /// Takes the messages that have arrived.
    pub(super) fn poll(&mut self, cx: &mut Context<'_>) -> Heard {
        let mut heard = Heard::default();
        if self.lasting.is_due(cx) {
            self.failures = 0;
        }
        for _ in 0..MOST {
            let event = match &mut self.state {
                State::Off => return heard,
                State::Waiting(timer) => {
                    if !timer.is_due(cx) {
                        return heard;
                    }
                    self.open();
                    continue;
                }
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
                    self.lasting = Timer::after(&self.redis, LASTING);
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

    /// Drops the subscription. The next one opens after a wait of its own, so that a server that ends each of them at
    /// once gets no more than a request a minute.
    fn broke(&mut self, can_be_mended: bool) {
        self.failures = self.failures.saturating_add(1);
        let wait = if can_be_mended { doubled(FIRST_WAIT, LONGEST_WAIT, self.failures) } else { HOPELESS_WAIT };
        self.lasting = Timer::default();
        self.state = State::Waiting(Timer::after(&self.redis, jittered(wait)));
    }
}
