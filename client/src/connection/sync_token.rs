//! Read your writes: every request carries the newest `Upstash-Sync-Token`.

use std::sync::{Mutex, PoisonError};

use http::HeaderValue;

/// The token to send next.
#[derive(Debug, Default)]
pub(crate) struct SyncToken(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    token: Option<HeaderValue>,
    /// Whether the token is known to cover a write of this client.
    covers_write: bool,
}

impl SyncToken {
    /// The token for the next request.
    pub(crate) fn current(&self) -> Option<HeaderValue> {
        self.lock().token.clone()
    }

    pub(crate) fn set(&self, token: HeaderValue) {
        *self.lock() = State { token: Some(token), covers_write: true };
    }

    /// Takes the token of a reply to a request that carried `sent`.
    ///
    /// Tokens are opaque, but a reply is never older than the token of its request. If that token is still current, the
    /// reply's token is newer. If another reply came in between, neither is known to be newer. A write's token then wins
    /// over a read's, because the read may come from a replica that has not seen the write.
    pub(crate) fn observe(&self, token: HeaderValue, sent: Option<&HeaderValue>, is_write: bool) {
        let mut state = self.lock();
        let in_sequence = state.token.as_ref() == sent;
        if in_sequence || is_write || !state.covers_write {
            // A newer token covers what an older one covers.
            let covers_write = is_write || (in_sequence && state.covers_write);
            *state = State { token: Some(token), covers_write };
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(text: &'static str) -> HeaderValue {
        HeaderValue::from_static(text)
    }

    #[test]
    fn a_reply_in_sequence_always_counts() {
        let sync = SyncToken::default();
        sync.observe(value("1"), None, true);
        sync.observe(value("2"), Some(&value("1")), false);
        assert_eq!(sync.current(), Some(value("2")));
    }

    #[test]
    fn a_slow_read_does_not_hide_a_write() {
        let sync = SyncToken::default();
        sync.observe(value("write"), None, true);
        sync.observe(value("read of a stale replica"), None, false);
        assert_eq!(sync.current(), Some(value("write")));
    }

    #[test]
    fn nor_after_another_read_in_between() {
        let sync = SyncToken::default();
        sync.observe(value("write"), None, true);
        sync.observe(value("read after it"), Some(&value("write")), false);
        sync.observe(value("read of a stale replica"), None, false);
        assert_eq!(sync.current(), Some(value("read after it")));
    }

    #[test]
    fn a_slow_write_counts_over_a_read() {
        let sync = SyncToken::default();
        sync.observe(value("read"), None, false);
        sync.observe(value("write"), None, true);
        assert_eq!(sync.current(), Some(value("write")));
    }
}
