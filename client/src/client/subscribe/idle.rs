//! How long the connection of a subscription may be silent.
//!
//! Silence alone proves nothing: a channel can be quiet for days. Only a server that sends heartbeats breaks a silence in
//! time.

use std::time::Duration;

/// A comment that ends a silence of this length is a heartbeat. One that comes together with other data is not.
const SILENCE: Duration = Duration::from_secs(1);

/// The number of heartbeats after which more are expected.
const HABIT: u32 = 2;

/// How many times as long as the longest silence so far the next one may be.
const PATIENCE: u32 = 4;

/// The shortest limit that is derived from heartbeats: less is jitter.
const SHORTEST: Duration = Duration::from_secs(30);

/// What is known about the silences of one connection.
#[derive(Debug)]
pub(super) struct Idle {
    /// The user's own limit.
    set: Option<Duration>,
    longest: Duration,
    heartbeats: u32,
}

impl Idle {
    pub(super) fn new(set: Option<Duration>) -> Self {
        Idle { set, longest: Duration::ZERO, heartbeats: 0 }
    }

    /// Records that something arrived after this silence.
    pub(super) fn ended(&mut self, silence: Duration, by_comment: bool) {
        self.longest = self.longest.max(silence);
        if by_comment && silence >= SILENCE {
            self.heartbeats = self.heartbeats.saturating_add(1);
        }
    }

    /// The longest that the connection may be silent now, if there is a limit.
    pub(super) fn limit(&self) -> Option<Duration> {
        let learned = || (self.longest.saturating_mul(PATIENCE)).max(SHORTEST);
        self.set.or_else(|| (self.heartbeats >= HABIT).then(learned))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_server_that_sends_heartbeats_has_to_send_more() {
        let seconds = Duration::from_secs;
        let mut idle = Idle::new(None);
        // A quiet channel, and a comment that comes with the head.
        idle.ended(Duration::ZERO, true);
        idle.ended(seconds(3600), false);
        idle.ended(Duration::from_millis(20), true);
        assert_eq!(idle.limit(), None);

        let mut idle = Idle::new(None);
        idle.ended(seconds(15), true);
        assert_eq!(idle.limit(), None, "one comment is no habit");
        idle.ended(seconds(14), true);
        assert_eq!(idle.limit(), Some(seconds(60)));
        idle.ended(seconds(20), false);
        assert_eq!(idle.limit(), Some(seconds(80)));

        let mut quick = Idle::new(None);
        quick.ended(seconds(2), true);
        quick.ended(seconds(2), true);
        assert_eq!(quick.limit(), Some(seconds(30)));
    }

    #[test]
    fn a_limit_that_is_set_is_the_limit() {
        let mut idle = Idle::new(Some(Duration::from_secs(5)));
        assert_eq!(idle.limit(), Some(Duration::from_secs(5)));
        idle.ended(Duration::from_secs(15), true);
        idle.ended(Duration::from_secs(15), true);
        assert_eq!(idle.limit(), Some(Duration::from_secs(5)));
    }
}
