//! The bytes of replies that the gateway holds in memory.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// The bytes of replies that requests may hold: each of them, and those of all tokens but the full one together.
///
/// The token for all commands has no common limit: it can fill the memory of Redis anyway. The other tokens are given to
/// clients that are trusted less, and must not take the memory of the gateway.
#[derive(Debug)]
pub(crate) struct Budget {
    request: usize,
    others: Arc<Common>,
}

/// The bytes that several requests share.
#[derive(Debug)]
struct Common {
    limit: usize,
    left: AtomicUsize,
}

/// How many of the largest replies the tokens other than the full one may hold together.
const OTHERS: usize = 2;

impl Budget {
    /// Returns the budget for replies to a request of up to this many bytes.
    pub(crate) fn new(max_reply_bytes: usize) -> Self {
        let limit = max_reply_bytes.saturating_mul(OTHERS);
        Budget { request: max_reply_bytes, others: Arc::new(Common { limit, left: AtomicUsize::new(limit) }) }
    }

    /// Returns the share of a request of the token for all commands, or of another token.
    pub(crate) fn share(&self, is_full: bool) -> Share {
        Share { limit: self.request, held: 0, common: (!is_full).then(|| Arc::clone(&self.others)) }
    }
}

/// What the replies to one request hold. It is given back when this value is dropped.
#[derive(Debug)]
pub(crate) struct Share {
    limit: usize,
    held: usize,
    common: Option<Arc<Common>>,
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
        Share { limit: usize::MAX, held: 0, common: None }
    }

    /// Returns whether it is that of a request whose token is not the full one.
    pub(crate) fn is_of_others(&self) -> bool {
        self.common.is_some()
    }

    /// Returns the number of bytes that the request holds.
    pub(crate) fn held(&self) -> usize {
        self.held
    }

    /// Takes bytes for a reply that arrives.
    pub(crate) fn take(&mut self, bytes: usize) -> Result<(), Excess> {
        let held = self.held.checked_add(bytes).filter(|held| *held <= self.limit);
        let held = held.ok_or(Excess::Request(self.limit))?;
        if let Some(common) = &self.common {
            let take = |left: usize| left.checked_sub(bytes);
            let taken = common.left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, take);
            taken.map_err(|_| Excess::Others(common.limit))?;
        }
        self.held = held;
        Ok(())
    }

    /// Gives back bytes of a reply that was dropped.
    pub(crate) fn give_back(&mut self, bytes: usize) {
        let bytes = bytes.min(self.held);
        self.held -= bytes;
        if let Some(common) = &self.common {
            common.left.fetch_add(bytes, Ordering::Relaxed);
        }
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        self.give_back(self.held);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_has_a_limit_and_the_other_tokens_have_one_together() {
        let budget = Budget::new(100);
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
        assert_eq!(Share::unlimited().take(usize::MAX), Ok(()));
    }
}
