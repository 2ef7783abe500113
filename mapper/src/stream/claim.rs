//! How pending entries change hands.

use std::sync::LazyLock;
use std::time::Duration;

use redis_rest::commands::stream::{AutoClaim, StreamEntry, StreamId};
use redis_rest::{Build, Executor, FromReply, Result, Script, ScriptCall, StreamCommands, ToArg};

use super::StreamModel;
use super::entry::{Entry, named, read_entries};
use super::group::Group;
use crate::millis::millis;
use crate::scripts::{lua, script};

static CLAIM: LazyLock<Script> = LazyLock::new(|| script(&[lua::GROUP_CLAIM]).key_locking());

/// The most entries of an XAUTOCLAIM: the server allocates memory for as many as it is asked for.
const MOST_CLAIMED: u64 = 100_000;

/// What [`Group::claim`] and [`Group::autoclaim`] return.
#[derive(Debug)]
#[non_exhaustive]
pub struct Claimed<M> {
    /// The entries that are pending with the consumer now.
    pub entries: Vec<Entry<Result<M>>>,
    /// Entries that were pending, and were removed from the log before they were acknowledged. Nobody can handle them
    /// any more, so they are not pending any more.
    pub trimmed: Vec<StreamId>,
    /// Where the next [`autoclaim`](Group::autoclaim) begins: [`StreamId::MIN`] if all pending entries have been looked
    /// at.
    pub next: StreamId,
}

impl<M: StreamModel> Group<M> {
    /// Claims entries that have been pending for at least `min_idle`, and returns them. It counts as a delivery of
    /// each. Entries that are not pending are left out, and those that were trimmed are reported.
    ///
    /// A script of [XPENDING](https://redis.io/docs/latest/commands/xpending/) and
    /// [XCLAIM](https://redis.io/docs/latest/commands/xclaim/), O(log n) for each id.
    pub fn claim<E: Executor>(
        &self,
        executor: E,
        consumer: impl ToArg,
        min_idle: Duration,
        ids: impl IntoIterator<Item = StreamId>,
    ) -> E::Out<Claimed<M>> {
        let ids: Vec<_> = ids.into_iter().collect();
        let call = ScriptCall::from(&CLAIM).key(self.log().key()).arg(self.name()).arg(consumer).arg(millis(min_idle));
        let command = self.check(call.args(&ids).command());
        let command = if ids.is_empty() { command.reject("needs at least one id") } else { command };
        executor.submit(command.decode_with_key(|reply, key| {
            let [entries, trimmed] = reply.array_of()?;
            let entries = read_entries(entries, key)?;
            Ok(Claimed { entries, trimmed: Vec::from_reply(trimmed)?, next: StreamId::MIN })
        }))
    }

    /// Claims up to `count` entries, and up to 100,000, from `start` on, that have been pending for at least
    /// `min_idle`, and returns them. It counts as a delivery of each. Entries that were trimmed are reported.
    ///
    /// [XAUTOCLAIM](https://redis.io/docs/latest/commands/xautoclaim/), O(1) for each entry.
    pub fn autoclaim<E: Executor>(
        &self,
        executor: E,
        consumer: impl ToArg,
        min_idle: Duration,
        start: StreamId,
        count: u64,
    ) -> E::Out<Claimed<M>> {
        let (min_idle, count) = (Duration::from_millis(millis(min_idle)), Some(count.min(MOST_CLAIMED)));
        let command = Build.xautoclaim::<M>(self.log().key(), self.name(), consumer, min_idle, start, count);
        let log = self.log().key().to_owned();
        executor.submit(self.check(command).and_then(move |claim: AutoClaim<StreamEntry<Result<M>>>| {
            let AutoClaim { next, claimed, deleted, .. } = claim;
            let entries = claimed.into_iter().map(|entry| named(entry, &log, "XAUTOCLAIM")).collect();
            Ok(Claimed { entries, trimmed: deleted, next })
        }))
    }
}
