//! The bytes of requests and replies that the gateway holds in memory.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// The bytes that requests may hold: the replies to each of them, and the bodies and the replies of all tokens but the full
/// one together.
///
/// The token for all commands has no common limit: it can fill the memory of Redis anyway. The other tokens are given to
/// clients that are trusted less, and must not take the memory of the gateway.
#[derive(Debug)]
pub(crate) struct Budget {
    request: usize,
    others: Arc<Others>,
}

/// What all tokens but the full one have in common.
#[derive(Debug)]
struct Others {
    replies: Common,
    bodies: Common,
}

/// The bytes that several requests share.
#[derive(Debug)]
struct Common {
    limit: usize,
    left: AtomicUsize,
}

impl Common {
    fn new(limit: usize) -> Self {
        Common { limit, left: AtomicUsize::new(limit) }
    }

    /// Returns whether there were as many bytes left.
    fn take(&self, bytes: usize) -> bool {
        let take = |left: usize| left.checked_sub(bytes);
        self.left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, take).is_ok()
    }

    fn give_back(&self, bytes: usize) {
        self.left.fetch_add(bytes, Ordering::Relaxed);
    }
}

/// How many of the largest bodies and replies the tokens other than the full one may hold together.
const OTHERS: usize = 2;

impl Budget {
    /// Returns the budget for bodies and for replies to a request of up to this many bytes.
    pub(crate) fn new(max_request_bytes: usize, max_reply_bytes: usize) -> Self {
        let replies = Common::new(max_reply_bytes.saturating_mul(OTHERS));
        let bodies = Common::new(max_request_bytes.saturating_mul(OTHERS));
        Budget { request: max_reply_bytes, others: Arc::new(Others { replies, bodies }) }
    }

    /// Returns the share of a request of the token for all commands, or of another token.
    pub(crate) fn share(&self, is_full: bool) -> Share {
        Share { limit: self.request, held: 0, body: 0, others: (!is_full).then(|| Arc::clone(&self.others)) }
    }
}

/// What the body of one request and the replies to it hold. It is given back when this value is dropped.
#[derive(Debug)]
pub(crate) struct Share {
    /// The limit of the replies.
    limit: usize,
    /// The bytes of the replies.
    held: usize,
    /// The bytes of the body.
    body: usize,
    others: Option<Arc<Others>>,
}

/// The replies are too large.
#[derive(Debug, PartialEq)]
pub(crate) enum Excess {
    /// Those to the request, whose limit this is.
    Request(usize),
    /// Those to all requests of the tokens other than the full one, whose limit this is.
    Others(usize),
}

impl Share {
    /// Returns a share without a limit.
    pub(crate) fn unlimited() -> Self {
        Share { limit: usize::MAX, held: 0, body: 0, others: None }
    }

    /// Lowers the limit of the replies.
    pub(crate) fn at_most(mut self, limit: usize) -> Self {
        self.limit = self.limit.min(limit);
        self
    }

    /// Returns whether it is that of a request whose token is not the full one.
    pub(crate) fn is_of_others(&self) -> bool {
        self.others.is_some()
    }

    /// Returns the number of bytes of the replies.
    pub(crate) fn held(&self) -> usize {
        self.held
    }

    /// Takes bytes for a reply that arrives.
    pub(crate) fn take(&mut self, bytes: usize) -> Result<(), Excess> {
        let held = self.held.checked_add(bytes).filter(|held| *held <= self.limit);
        let held = held.ok_or(Excess::Request(self.limit))?;
        if let Some(others) = &self.others
            && !others.replies.take(bytes)
        {
            return Err(Excess::Others(others.replies.limit));
        }
        self.held = held;
        Ok(())
    }

    /// Takes bytes for a part of the body. Returns whether there were as many left.
    ///
    /// The body and its commands are freed before the response, but for each command a reply remains.
    pub(crate) fn take_body(&mut self, bytes: usize) -> bool {
        let taken = self.others.as_ref().is_none_or(|others| others.bodies.take(bytes));
        if taken {
            self.body += bytes;
        }
        taken
    }

    /// Gives back bytes of a reply that was dropped.
    pub(crate) fn give_back(&mut self, bytes: usize) {
        let bytes = bytes.min(self.held);
        self.held -= bytes;
        if let Some(others) = &self.others {
            others.replies.give_back(bytes);
        }
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        self.give_back(self.held);
        if let Some(others) = &self.others {
            others.bodies.give_back(self.body);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_has_a_limit_and_the_other_tokens_have_one_together() {
        let budget = Budget::new(10, 100);
        let mut full: Vec<Share> = (0..9).map(|_| budget.share(true)).collect();
        assert!(full.iter_mut().all(|share| share.take(100) == Ok(())));
        let [mut one, mut two, mut three] = [(); 3].map(|()| budget.share(false));
        assert_eq!(one.take(60), Ok(()));
        assert_eq!(one.take(41), Err(Excess::Request(100)));
        assert_eq!(two.take(100), Ok(()));
        assert_eq!(three.take(41), Err(Excess::Others(200)));
        assert_eq!(three.take(40), Ok(()));
        one.give_back(10);
        assert_eq!((one.held(), three.take(11)), (50, Err(Excess::Others(200))));
        drop(two);
        assert_eq!(three.take(60), Ok(()));
        assert!(one.take_body(9) && three.take_body(11) && !three.take_body(1));
        drop(one);
        assert!(three.take_body(9) && !three.take_body(1) && budget.share(true).take_body(1));
        assert_eq!(Share::unlimited().take(usize::MAX), Ok(()));
    }
}
