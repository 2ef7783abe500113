//! What changes a list in other ways than by pushing and popping.

use std::ops::RangeBounds;
use std::time::Duration;

use redis_rest::commands::expiry::Ttl;
use redis_rest::commands::list::{Inserted, ListPlace, ListSide};
use redis_rest::{Build, Command, Executor, GenericCommands as _, ListCommands as _, Replies, Result};

use super::bounds::bounds;
use super::push::{others, some_time};
use super::raw::read_optional;
use super::{List, ListModel};

impl<M: ListModel> List<M> {
    /// Replaces the element at `index`. Negative indexes count from the end: -1 is the last element.
    ///
    /// [LSET](https://redis.io/docs/latest/commands/lset/), O(n) in the distance to the nearer end.
    ///
    /// # Errors
    ///
    /// `Redis` if there is no element at `index`. Nothing is changed then.
    pub fn set<E: Executor>(&self, executor: E, index: i64, element: &M) -> E::Out<()> {
        executor.submit(self.key.check(Build.lset(self.key(), index, element)))
    }

    /// Inserts an element before the first one that has the same text as `pivot`.
    ///
    /// A list with `max_len` is not trimmed, because nothing tells which element is the oldest; the next push trims it.
    ///
    /// [LINSERT](https://redis.io/docs/latest/commands/linsert/), O(n) in the elements before the pivot.
    ///
    /// ```no_run
    /// use redis_model::commands::list::Inserted;
    /// use redis_model::prelude::*;
    ///
    /// #[derive(Debug, PartialEq, RedisModel)]
    /// #[redis(list, prefix = "letters")]
    /// struct Letter(char);
    ///
    /// # async fn example(redis: Redis) -> Result<()> {
    /// let letters = Letter::list("latin");
    /// letters.push_back_many(&redis, &[Letter('a'), Letter('c')]).await?;
    /// assert_eq!(letters.insert_before(&redis, &Letter('c'), &Letter('b')).await?, Inserted::Length(3));
    /// assert_eq!(letters.insert_after(&redis, &Letter('y'), &Letter('z')).await?, Inserted::NoPivot);
    /// assert_eq!(letters.remove(&redis, 0, &Letter('a')).await?, 1);
    /// assert_eq!(letters.range(&redis, ..).await?, [Letter('b'), Letter('c')]);
    /// # Ok(())
    /// # }
    /// ```
    pub fn insert_before<E: Executor>(&self, executor: E, pivot: &M, element: &M) -> E::Out<Inserted> {
        executor.submit(self.key.check(Build.linsert(self.key(), ListPlace::Before, pivot, element)))
    }

    /// Inserts an element after the first one that has the same text as `pivot`, as
    /// [`insert_before`](List::insert_before) does.
    ///
    /// [LINSERT](https://redis.io/docs/latest/commands/linsert/), O(n) in the elements before the pivot.
    pub fn insert_after<E: Executor>(&self, executor: E, pivot: &M, element: &M) -> E::Out<Inserted> {
        executor.submit(self.key.check(Build.linsert(self.key(), ListPlace::After, pivot, element)))
    }

    /// Removes elements that have the same text as `element`, and returns how many were removed.
    ///
    /// A positive count removes the first `count` of them, a negative count the last ones, and 0 removes all.
    ///
    /// [LREM](https://redis.io/docs/latest/commands/lrem/), O(n).
    pub fn remove<E: Executor>(&self, executor: E, count: i64, element: &M) -> E::Out<u64> {
        executor.submit(self.key.check(Build.lrem(self.key(), count.max(-i64::MAX), element)))
    }

    /// Keeps the elements of a range of indexes, and removes the others. Negative indexes count from the end.
    ///
    /// To keep the newest elements after each push, use `max_len` or
    /// [`PushOptions::max_len`](crate::list::PushOptions::max_len).
    ///
    /// [LTRIM](https://redis.io/docs/latest/commands/ltrim/), O(n) in the elements removed.
    pub fn trim<E: Executor>(&self, executor: E, range: impl RangeBounds<i64>) -> E::Out<()> {
        let (start, stop) = bounds(&range);
        executor.submit(self.key.check(Build.ltrim(self.key(), start, stop)))
    }

    /// Moves an element from one end of this list to one end of `destination`, and returns it, or `None` if this list
    /// is empty. The two may be one list: its elements then rotate. The element is in one of the lists at any time.
    ///
    /// [LMOVE](https://redis.io/docs/latest/commands/lmove/), O(1). With `max_len`, an LTRIM of the destination follows
    /// in the same transaction.
    ///
    /// ```no_run
    /// use redis_model::commands::list::ListSide::{Left, Right};
    /// use redis_model::prelude::*;
    ///
    /// #[derive(Debug, PartialEq, RedisModel)]
    /// #[redis(list, prefix = "track")]
    /// struct Track(String);
    ///
    /// # async fn example(redis: Redis) -> Result<()> {
    /// let (next, played) = (Track::list("next"), Track::list("played"));
    /// next.push_back_many(&redis, &[Track("one".into()), Track("two".into())]).await?;
    /// assert_eq!(next.move_to(&redis, Left, &played, Right).await?, Some(Track("one".into())));
    /// assert_eq!(next.move_to(&redis, Left, &next, Right).await?, Some(Track("two".into()))); // a rotation
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// `Decode` if the element cannot be read. It was moved all the same.
    pub fn move_to<E: Executor>(
        &self,
        executor: E,
        from: ListSide,
        destination: &List<M>,
        to: ListSide,
    ) -> E::Out<Option<M>> {
        let command =
            self.key.check(Build.lmove::<M>(self.key(), destination.key(), from, to)).decode_with(read_optional);
        let command = match destination.key.problem() {
            Some(why) => command.reject(why),
            None => command,
        };
        executor.submit(match M::MAX_LEN {
            Some(max_len) => command.and(destination.keep_newest(to, max_len), moved),
            None => command,
        })
    }

    /// Returns whether the list exists. It does while it has elements.
    ///
    /// [EXISTS](https://redis.io/docs/latest/commands/exists/), O(1).
    pub fn exists<E: Executor>(&self, executor: E) -> E::Out<bool> {
        executor.execute(self.key.push_to(Command::read("EXISTS")))
    }

    /// Makes the list expire after `ttl`, and returns whether it exists. [`PushOptions::ttl`](crate::list::PushOptions::ttl)
    /// does this together with a push.
    ///
    /// [PEXPIRE](https://redis.io/docs/latest/commands/pexpire/), O(1).
    ///
    /// # Errors
    ///
    /// `InvalidInput` if the time is 0, or more than 100 years.
    pub fn expire<E: Executor>(&self, executor: E, ttl: Duration) -> E::Out<bool> {
        executor.submit(self.key.check(some_time(Build.pexpire(self.key(), ttl), ttl)))
    }

    /// Returns the time to live of the list.
    ///
    /// [PTTL](https://redis.io/docs/latest/commands/pttl/), O(1).
    pub fn ttl<E: Executor>(&self, executor: E) -> E::Out<Ttl> {
        executor.submit(self.key.check(Build.pttl(self.key())))
    }

    /// Removes the time to live of the list, and returns whether it had one.
    ///
    /// [PERSIST](https://redis.io/docs/latest/commands/persist/), O(1).
    pub fn persist<E: Executor>(&self, executor: E) -> E::Out<bool> {
        executor.submit(self.key.check(Build.persist(self.key())))
    }
}

/// Returns the element that was moved.
fn moved<M: ListModel>(mut replies: Replies<'_>) -> Result<Option<M>> {
    let element = replies.expect_next()?;
    others(replies)?;
    read_optional(element)
}
