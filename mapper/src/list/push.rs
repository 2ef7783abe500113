//! What adds elements to a list.

use std::time::Duration;

use redis_rest::commands::list::ListSide;
use redis_rest::{
    Build, Command, Executor, FromReply as _, GenericCommands as _, ListCommands as _, Replies, Result, Value,
};

use super::{List, ListModel};

/// Options of [`List::push_back_with`] and [`List::push_front_with`].
///
/// ```no_run
/// use std::time::Duration;
///
/// use redis_model::list::PushOptions;
/// use redis_model::prelude::*;
///
/// #[derive(Debug, PartialEq, RedisModel)]
/// #[redis(list, prefix = "recent")]
/// struct Search(String);
///
/// # async fn example(redis: Redis) -> Result<()> {
/// // The last two searches of user 42, for an hour after the last of them.
/// let options = PushOptions::new().max_len(2).ttl(Duration::from_secs(3600));
/// for text in ["tea", "cups", "pots"] {
///     Search::list(42).push_back_with(&redis, [&Search(text.into())], options).await?;
/// }
/// assert_eq!(Search::list(42).range(&redis, ..).await?, [Search("cups".into()), Search("pots".into())]);
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, Copy, Default)]
pub struct PushOptions {
    max_len: Option<u64>,
    ttl: Option<Duration>,
}

impl PushOptions {
    /// Creates options that add elements, and change nothing else.
    #[must_use]
    pub fn new() -> Self {
        PushOptions::default()
    }

    /// Keeps this many elements: the newest. The others leave the list at its other end. It counts instead of the
    /// model's own `max_len`.
    ///
    /// 0 fails with `InvalidInput`.
    #[must_use]
    pub fn max_len(mut self, elements: u64) -> Self {
        self.max_len = Some(elements);
        self
    }

    /// Makes the whole list expire after `ttl`.
    ///
    /// A time of 0, or of more than 100 years, fails with `InvalidInput`.
    #[must_use]
    pub fn ttl(mut self, ttl: Duration) -> Self {
        self.ttl = Some(ttl);
        self
    }
}

impl<M: ListModel> List<M> {
    /// Adds an element after the last one, and returns the new length.
    ///
    /// [RPUSH](https://redis.io/docs/latest/commands/rpush/), O(1). With `max_len`, an
    /// [LTRIM](https://redis.io/docs/latest/commands/ltrim/) follows in the same transaction, so that no reader sees a
    /// longer list.
    ///
    /// It is not retried if it may have been executed, because that could add the element twice. Call `.exactly_once()`
    /// for that.
    #[doc(alias = "push")]
    pub fn push_back<E: Executor>(&self, executor: E, element: &M) -> E::Out<u64> {
        self.push_back_with(executor, [element], PushOptions::new())
    }

    /// Adds elements after the last one, in order, and returns the new length. No other client's element comes between
    /// them.
    ///
    /// [RPUSH](https://redis.io/docs/latest/commands/rpush/), O(n) in the number of added elements.
    ///
    /// # Errors
    ///
    /// `InvalidInput` if there are no elements.
    pub fn push_back_many<'m, E: Executor>(
        &self,
        executor: E,
        elements: impl IntoIterator<Item = &'m M>,
    ) -> E::Out<u64> {
        self.push_back_with(executor, elements, PushOptions::new())
    }

    /// Adds elements after the last one, in order, and returns the new length. [`PushOptions`] shows an example.
    ///
    /// [RPUSH](https://redis.io/docs/latest/commands/rpush/), O(n) in the number of added elements, and in the same
    /// transaction what the options ask for.
    ///
    /// # Errors
    ///
    /// `InvalidInput` if there are no elements, or if an option is 0.
    pub fn push_back_with<'m, E: Executor>(
        &self,
        executor: E,
        elements: impl IntoIterator<Item = &'m M>,
        options: PushOptions,
    ) -> E::Out<u64> {
        executor.submit(self.pushing(ListSide::Right, elements, options))
    }

    /// Adds an element before the first one, and returns the new length.
    ///
    /// [LPUSH](https://redis.io/docs/latest/commands/lpush/), O(1). With `max_len`, the elements past the newest leave
    /// the list at its end, as [`push_back`](List::push_back) describes.
    pub fn push_front<E: Executor>(&self, executor: E, element: &M) -> E::Out<u64> {
        self.push_front_with(executor, [element], PushOptions::new())
    }

    /// Adds elements before the first one, one after the other, and returns the new length. The last one added is then
    /// the first of the list.
    ///
    /// [LPUSH](https://redis.io/docs/latest/commands/lpush/), O(n) in the number of added elements.
    ///
    /// # Errors
    ///
    /// `InvalidInput` if there are no elements.
    pub fn push_front_many<'m, E: Executor>(
        &self,
        executor: E,
        elements: impl IntoIterator<Item = &'m M>,
    ) -> E::Out<u64> {
        self.push_front_with(executor, elements, PushOptions::new())
    }

    /// Adds elements before the first one, one after the other, and returns the new length. [`PushOptions`] shows an
    /// example.
    ///
    /// [LPUSH](https://redis.io/docs/latest/commands/lpush/), O(n) in the number of added elements, and in the same
    /// transaction what the options ask for.
    ///
    /// # Errors
    ///
    /// `InvalidInput` if there are no elements, or if an option is 0.
    pub fn push_front_with<'m, E: Executor>(
        &self,
        executor: E,
        elements: impl IntoIterator<Item = &'m M>,
        options: PushOptions,
    ) -> E::Out<u64> {
        executor.submit(self.pushing(ListSide::Left, elements, options))
    }

    fn pushing<'m>(
        &self,
        side: ListSide,
        elements: impl IntoIterator<Item = &'m M>,
        options: PushOptions,
    ) -> Command<u64> {
        let name = match side {
            ListSide::Left => "LPUSH",
            ListSide::Right => "RPUSH",
        };
        let command = self.key.push_to(Command::write(name));
        let command = match elements.into_iter().map(M::element_text).collect::<Result<Vec<_>>>() {
            Ok(texts) => command.one_or_more("element", texts),
            Err(error) => command.fail(error),
        };
        let mut command = command.reply::<u64>();
        let max_len = options.max_len.or(M::MAX_LEN);
        if let Some(max_len) = max_len {
            command = command.and(self.keep_newest(side, max_len), length);
        }
        if let Some(ttl) = options.ttl {
            command = command.and(some_time(Build.pexpire(self.key(), ttl), ttl), length);
        }
        match max_len {
            Some(0) => command.reject("a maximum of 0 elements would keep none; use at least 1, or `clear`"),
            Some(max_len) => command.and_then(move |length| Ok(length.min(max_len))),
            None => command,
        }
    }

    /// Returns the command that keeps `max_len` elements, after others were added at this side.
    pub(super) fn keep_newest(&self, side: ListSide, max_len: u64) -> Command<()> {
        let max_len = i64::try_from(max_len).unwrap_or(i64::MAX);
        match side {
            ListSide::Left => Build.ltrim(self.key(), 0, max_len - 1),
            ListSide::Right => Build.ltrim(self.key(), -max_len, -1),
        }
    }
}

/// Returns the reply to the push. The others are not used, but may be errors.
fn length(mut replies: Replies<'_>) -> Result<u64> {
    let length = replies.expect_next().and_then(u64::from_reply)?;
    others(replies)?;
    Ok(length)
}

/// Checks that no other reply of a group is an error.
pub(super) fn others(mut replies: Replies<'_>) -> Result<()> {
    replies.try_for_each(|reply| Value::from_reply(reply).map(drop))
}

/// The longest time to live, delay or deadline.
pub(super) const MAX_TIME: Duration = Duration::from_secs(100 * 365 * 24 * 60 * 60);

/// Refuses a time to live that would delete the list, or that the server would refuse after the push.
pub(super) fn some_time<R>(command: Command<R>, ttl: Duration) -> Command<R> {
    if ttl.is_zero() {
        command.reject("a time to live of 0 would delete the list; call `clear` for that")
    } else if ttl > MAX_TIME {
        command.reject("the time to live is longer than 100 years; use a shorter time")
    } else {
        command
    }
}
