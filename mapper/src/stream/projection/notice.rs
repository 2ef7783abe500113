//! What a projection tells about its work.

use std::sync::Arc;

use redis_rest::Error;

use super::Projection;

pub(super) type OnNotice = Arc<dyn Fn(&ProjectionNotice<'_>) + Send + Sync>;

/// What [`Projection::catch_up`] has done.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct CaughtUp {
    /// The number of events that were handled, and are in the view.
    pub events: u64,
    /// The number of entries that could not be read, and were skipped; see [`Projection::skip_unreadable`].
    pub skipped: u64,
    /// The number of entries that were removed before they were read; see [`Projection::skip_missing`].
    pub missing: u64,
    /// How often another program that runs the same projection was faster.
    pub conflicts: u64,
}

/// Something that happened to a projection that follows its logs, for
/// [`Projection::on_notice`](super::Projection::on_notice).
#[derive(Debug)]
#[non_exhaustive]
pub enum ProjectionNotice<'a> {
    /// A request has failed, or the handler with an error that can pass. The projection repeats it after a delay.
    Repeated {
        /// Why.
        error: &'a Error,
    },
    /// The view has all events that were there when the logs were read. That is told after the first read, and then
    /// after each read that has found something.
    CaughtUp {
        /// What was done since the last such notice.
        done: CaughtUp,
    },
}

impl<M, E> Projection<M, E> {
    pub(super) fn notice(&self, notice: &ProjectionNotice<'_>) {
        if let Some(on_notice) = &self.on_notice {
            on_notice(notice);
        }
    }
}
