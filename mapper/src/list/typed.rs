//! What reads and takes elements of a list.

use std::fmt;
use std::marker::PhantomData;
use std::ops::RangeBounds;

use redis_rest::commands::list::LposOptions;
use redis_rest::{Build, Command, Executor, ListCommands as _, Result};

use super::ListModel;
use super::bounds::bounds;
use super::raw::{read, read_each, read_optional};
use crate::key::Key;

/// A list of elements of the type `M`, from [`ListModel::list`].
///
/// The methods take any [`Executor`]: a client, a pipeline, a transaction or a batch.
///
/// ```no_run
/// use redis_model::ErrorKind;
/// use redis_model::prelude::*;
///
/// #[derive(Debug, Clone, PartialEq, RedisModel)]
/// #[redis(list, prefix = "job")]
/// enum Job {
///     Resize { width: u32 },
///     Stop,
/// }
///
/// # async fn example(redis: Redis) -> Result<()> {
/// let queue = Job::list("images");
/// queue.push_back_many(&redis, &[Job::Resize { width: 640 }, Job::Stop]).await?;
/// assert_eq!(queue.len(&redis).await?, 2);
///
/// let (first, left) = queue.len(queue.pop_front(redis.pipeline())).exec().await?;
/// assert_eq!((first, left), (Some(Job::Resize { width: 640 }), 1));
///
/// // Another program pushes an element that does not fit.
/// redis.rpush("job:images", [r#"{"event":"Resize","width":"wide"}"#]).await?;
/// let error = queue.range(&redis, ..).await.unwrap_err();
/// assert_eq!((error.kind(), error.field()), (ErrorKind::Decode, Some("width")));
/// # Ok(())
/// # }
/// ```
pub struct List<M> {
    pub(super) key: Key,
    of: PhantomData<fn(M) -> M>,
}

impl<M: ListModel> List<M> {
    pub(super) fn new(key: &str) -> Self {
        List { key: Key::new(M::MODEL_NAME, M::KEY_PREFIX, key), of: PhantomData }
    }

    /// Returns the key of the list.
    #[must_use]
    pub fn key(&self) -> &str {
        self.key.as_str()
    }

    /// Removes and returns the first element, or `None` if the list is empty.
    ///
    /// [LPOP](https://redis.io/docs/latest/commands/lpop/), O(1).
    ///
    /// ```no_run
    /// # use redis_model::prelude::*;
    /// # #[derive(Debug, PartialEq, RedisModel)]
    /// # #[redis(list, prefix = "inbox")]
    /// # struct Message { body: String }
    /// # async fn example(redis: Redis) -> Result<()> {
    /// let inbox = Message::list(42);
    /// inbox.push_back(&redis, &Message { body: "hello".into() }).await?;
    /// while let Some(message) = inbox.pop_front(&redis).await? {
    ///     println!("{}", message.body);
    /// }
    /// assert_eq!(inbox.len(&redis).await?, 0);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// `Decode` if the element cannot be read. It is removed from the list all the same, and
    /// [`RawElement`](crate::list::RawElement) finds its text in the error.
    pub fn pop_front<E: Executor>(&self, executor: E) -> E::Out<Option<M>> {
        executor.submit(self.key.check(Build.lpop::<M>(self.key())).decode_with(read_optional))
    }

    /// Removes and returns the last element, or `None` if the list is empty.
    ///
    /// [RPOP](https://redis.io/docs/latest/commands/rpop/), O(1).
    ///
    /// # Errors
    ///
    /// `Decode` if the element cannot be read. It is removed from the list all the same, and
    /// [`RawElement`](crate::list::RawElement) finds its text in the error.
    pub fn pop_back<E: Executor>(&self, executor: E) -> E::Out<Option<M>> {
        executor.submit(self.key.check(Build.rpop::<M>(self.key())).decode_with(read_optional))
    }

    /// Removes and returns up to `count` elements from the start, in order.
    ///
    /// An element that cannot be read is an error in its place, and [`RawElement`](crate::list::RawElement) finds its text
    /// there: nothing is lost.
    ///
    /// [LPOP](https://redis.io/docs/latest/commands/lpop/), O(n) in the count. If the reply is lost, so are the
    /// elements: call `.exactly_once()`, or use a [work queue](ListModel::queue).
    ///
    /// ```no_run
    /// # use redis_model::list::RawElement;
    /// # use redis_model::prelude::*;
    /// # #[derive(Debug, PartialEq, RedisModel)]
    /// # #[redis(list, prefix = "inbox")]
    /// # struct Message { body: String }
    /// # async fn example(redis: Redis) -> Result<()> {
    /// for message in Message::list(42).pop_front_many(&redis, 10).exactly_once().await? {
    ///     match message {
    ///         Ok(message) => println!("{}", message.body),
    ///         Err(error) => {
    ///             // Keep it for somebody who can read it.
    ///             let raw = RawElement::of(&error).map(RawElement::bytes).unwrap_or_default();
    ///             redis.rpush("inbox-unreadable", [raw]).await?;
    ///         }
    ///     }
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn pop_front_many<E: Executor>(&self, executor: E, count: u64) -> E::Out<Vec<Result<M>>> {
        executor.submit(self.many(Command::write("LPOP"), count))
    }

    /// Removes and returns up to `count` elements from the end, the last one first.
    ///
    /// An element that cannot be read is an error in its place, as [`pop_front_many`](List::pop_front_many) shows.
    ///
    /// [RPOP](https://redis.io/docs/latest/commands/rpop/), O(n) in the count.
    pub fn pop_back_many<E: Executor>(&self, executor: E, count: u64) -> E::Out<Vec<Result<M>>> {
        executor.submit(self.many(Command::write("RPOP"), count))
    }

    /// Returns the element at `index`, or `None` if there is none. Negative indexes count from the end: -1 is the last
    /// element.
    ///
    /// [LINDEX](https://redis.io/docs/latest/commands/lindex/), O(n) in the distance to the nearer end.
    pub fn get<E: Executor>(&self, executor: E, index: i64) -> E::Out<Option<M>> {
        executor.submit(self.key.check(Build.lindex::<M>(self.key(), index)).decode_with(read_optional))
    }

    /// Returns the elements of a range of indexes. Negative indexes count from the end: -1 is the last element.
    ///
    /// [LRANGE](https://redis.io/docs/latest/commands/lrange/), O(s + n) in the distance to the start and the number of
    /// returned elements.
    ///
    /// ```no_run
    /// # use redis_model::prelude::*;
    /// # #[derive(Debug, Clone, PartialEq, RedisModel)]
    /// # #[redis(list, prefix = "inbox")]
    /// # struct Message { body: String }
    /// # async fn example(redis: Redis) -> Result<()> {
    /// let inbox = Message::list(42);
    /// let [a, b, c] = ["a", "b", "c"].map(|body| Message { body: body.into() });
    /// inbox.push_back_many(&redis, [&a, &b, &c]).await?;
    ///
    /// assert_eq!(inbox.range(&redis, ..).await?, [a.clone(), b.clone(), c.clone()]);
    /// assert_eq!(inbox.range(&redis, 0..1).await?, [a]);
    /// assert_eq!(inbox.range(&redis, -2..).await?, [b, c]);
    /// assert_eq!(inbox.range(&redis, 7..9).await?, []);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// `Decode` if an element cannot be read. The text of the error names its position within the range.
    pub fn range<E: Executor>(&self, executor: E, range: impl RangeBounds<i64>) -> E::Out<Vec<M>> {
        let (start, stop) = bounds(&range);
        let command = self.key.check(Build.lrange::<M>(self.key(), start, stop));
        executor.submit(command.decode_with(|reply| {
            let elements = reply.array()?.enumerate();
            elements
                .map(|(at, reply)| read::<M>(reply).map_err(|error| error.context(format!("element {at}"))))
                .collect()
        }))
    }

    /// Returns the elements of a range of indexes, as [`range`](List::range) does. An element that cannot be read is an
    /// error in its place, and affects no other.
    ///
    /// [LRANGE](https://redis.io/docs/latest/commands/lrange/), O(s + n) in the distance to the start and the number of
    /// returned elements.
    pub fn range_each<E: Executor>(&self, executor: E, range: impl RangeBounds<i64>) -> E::Out<Vec<Result<M>>> {
        let (start, stop) = bounds(&range);
        executor.submit(self.key.check(Build.lrange::<M>(self.key(), start, stop)).decode_with_key(read_each))
    }

    /// Returns the index of the first element that has the same text as `element`, or `None` if there is none.
    ///
    /// [LPOS](https://redis.io/docs/latest/commands/lpos/), O(n).
    pub fn position<E: Executor>(&self, executor: E, element: &M) -> E::Out<Option<u64>> {
        executor.submit(self.key.check(Build.lpos(self.key(), element, LposOptions::new())))
    }

    /// Returns the indexes of all elements that have the same text as `element`.
    ///
    /// [LPOS](https://redis.io/docs/latest/commands/lpos/), O(n).
    pub fn positions<E: Executor>(&self, executor: E, element: &M) -> E::Out<Vec<u64>> {
        executor.submit(self.key.check(Build.lpos_count(self.key(), element, 0, LposOptions::new())))
    }

    /// Returns the number of elements.
    ///
    /// [LLEN](https://redis.io/docs/latest/commands/llen/), O(1).
    pub fn len<E: Executor>(&self, executor: E) -> E::Out<u64> {
        executor.submit(self.key.check(Build.llen(self.key())))
    }

    /// Removes all elements, and returns whether there were any.
    ///
    /// [DEL](https://redis.io/docs/latest/commands/del/), O(n) in the number of elements.
    pub fn clear<E: Executor>(&self, executor: E) -> E::Out<bool> {
        executor.execute(self.key.push_to(Command::write("DEL")))
    }

    /// Makes `command` return up to `count` elements.
    fn many(&self, command: Command, count: u64) -> Command<Vec<Result<M>>> {
        self.key.push_to(command).arg(count.min(i64::MAX.cast_unsigned())).decode_with_key(read_each)
    }
}

impl<M> Clone for List<M> {
    fn clone(&self) -> Self {
        List { key: self.key.clone(), of: PhantomData }
    }
}

impl<M> fmt::Debug for List<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("List").field("key", &self.key.as_str()).finish_non_exhaustive()
    }
}
