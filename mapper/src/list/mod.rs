//! Typed lists: a Redis list at `prefix:key`. Each element is a JSON object.

mod element;

pub(crate) use self::element::{from_reply, to_arg};
use std::fmt;
use std::marker::PhantomData;
use std::ops::{Bound, RangeBounds};

use redis_rest::{Build, Command, Executor, FromReply, ListCommands, Result, ToArg};

use crate::key::{Key, KeyPart};
use crate::model::Fields;

/// An element of typed lists: a struct or an enum, stored as a JSON object of its fields.
///
/// Derive it with [`RedisModel`](derive@crate::RedisModel) and `#[redis(list, prefix = "..")]`. The variant of an enum
/// is the field `event`, or the field that `tag = ".."` names.
///
/// ```no_run
/// use redis_model::prelude::*;
///
/// #[derive(Debug, Clone, PartialEq, RedisModel)]
/// #[redis(list, prefix = "inbox")]
/// struct Message {
///     from: String,
///     stars: u8,
/// }
///
/// # async fn example(redis: Redis) -> Result<()> {
/// let inbox = Message::list(42);  // the Redis list at `inbox:42`
/// let message = Message { from: "ada".into(), stars: 3 };
/// assert_eq!(inbox.push_back(&redis, &message).await?, 1);
/// assert_eq!(redis.lindex("inbox:42", 0).await?, Some(r#"{"from":"ada","stars":3}"#.to_owned()));
///
/// assert_eq!(inbox.pop_front(&redis).await?, Some(message));
/// assert_eq!(inbox.pop_front(&redis).await?, None);
/// # Ok(())
/// # }
/// ```
///
/// An element is also an argument and a reply of the commands on lists:
///
/// ```no_run
/// # use redis_model::commands::list::ListSide;
/// # use redis_model::prelude::*;
/// # #[derive(Debug, Clone, PartialEq, RedisModel)]
/// # #[redis(list, prefix = "inbox")]
/// # struct Message { from: String, stars: u8 }
/// # async fn example(redis: Redis) -> Result<()> {
/// // A queue that loses no message: another list holds it while it is processed.
/// let inbox = Message::list(42);
/// inbox.push_back(&redis, &Message { from: "ada".into(), stars: 3 }).await?;
/// let message = redis.lmove::<Message>(inbox.key(), "in-work", ListSide::Left, ListSide::Right).await?;
/// if let Some(message) = message {
///     println!("{}", message.from);
///     redis.lrem("in-work", 1, &message).await?;
/// }
/// # Ok(())
/// # }
/// ```
pub trait ListModel: Fields + FromReply + ToArg {
    /// The name of the type, for errors.
    const MODEL_NAME: &'static str;

    /// The first part of each key, without the separator.
    const KEY_PREFIX: &'static str;

    /// Returns the list at `prefix:key`. Nothing is sent.
    fn list(key: impl KeyPart) -> List<Self> {
        List { key: Key::new(Self::MODEL_NAME, Self::KEY_PREFIX, &key.to_key_part()), of: PhantomData }
    }
}

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
    key: Key,
    of: PhantomData<fn(M) -> M>,
}

impl<M: ListModel> List<M> {
    /// Returns the key of the list.
    #[must_use]
    pub fn key(&self) -> &str {
        self.key.as_str()
    }

    /// Adds an element after the last one, and returns the new length.
    ///
    /// [RPUSH](https://redis.io/docs/latest/commands/rpush/), O(1).
    pub fn push_back<E: Executor>(&self, executor: E, element: &M) -> E::Out<u64> {
        executor.submit(self.push("RPUSH", [element]))
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
        executor.submit(self.push("RPUSH", elements))
    }

    /// Adds an element before the first one, and returns the new length.
    ///
    /// [LPUSH](https://redis.io/docs/latest/commands/lpush/), O(1).
    pub fn push_front<E: Executor>(&self, executor: E, element: &M) -> E::Out<u64> {
        executor.submit(self.push("LPUSH", [element]))
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
        executor.submit(self.push("LPUSH", elements))
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
    /// `Decode` if the element cannot be read. It is removed from the list all the same.
    pub fn pop_front<E: Executor>(&self, executor: E) -> E::Out<Option<M>> {
        executor.submit(self.key.check(Build.lpop::<M>(self.key())))
    }

    /// Removes and returns the last element, or `None` if the list is empty.
    ///
    /// [RPOP](https://redis.io/docs/latest/commands/rpop/), O(1).
    ///
    /// # Errors
    ///
    /// `Decode` if the element cannot be read. It is removed from the list all the same.
    pub fn pop_back<E: Executor>(&self, executor: E) -> E::Out<Option<M>> {
        executor.submit(self.key.check(Build.rpop::<M>(self.key())))
    }

    /// Returns the element at `index`, or `None` if there is none. Negative indexes count from the end: -1 is the last
    /// element.
    ///
    /// [LINDEX](https://redis.io/docs/latest/commands/lindex/), O(n) in the distance to the nearer end.
    pub fn get<E: Executor>(&self, executor: E, index: i64) -> E::Out<Option<M>> {
        executor.submit(self.key.check(Build.lindex::<M>(self.key(), index)))
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
                .map(|(at, reply)| M::from_reply(reply).map_err(|error| error.context(format!("element {at}"))))
                .collect()
        }))
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

    fn push<'m>(&self, name: &'static str, elements: impl IntoIterator<Item = &'m M>) -> Command<u64> {
        let command = self.key.push_to(Command::write(name));
        match elements.into_iter().map(element::encode).collect::<Result<Vec<_>>>() {
            Ok(texts) => command.one_or_more("element", texts),
            Err(error) => command.fail(error),
        }
        .reply()
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

/// Returns a range as the first and the last index of LRANGE, both inclusive.
fn bounds(range: &impl RangeBounds<i64>) -> (i64, i64) {
    const EMPTY: (i64, i64) = (1, 0);
    let start = match range.start_bound() {
        Bound::Included(&start) => start,
        // No element is after the last one. Adding 1 would make it 0, the first one.
        Bound::Excluded(-1) => return EMPTY,
        Bound::Excluded(&start) => start.saturating_add(1),
        Bound::Unbounded => 0,
    };
    match range.end_bound() {
        Bound::Unbounded => (start, -1),
        Bound::Included(&end) => (start, end),
        // No element is before the first one. Subtracting 1 would make it -1, the last one.
        Bound::Excluded(0) => EMPTY,
        Bound::Excluded(&end) => (start, end.saturating_sub(1)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_inclusive_in_redis() {
        assert_eq!(bounds(&(..)), (0, -1));
        assert_eq!(bounds(&(0..0)), (1, 0));
        assert_eq!(bounds(&(2..=4)), (2, 4));
        assert_eq!(bounds(&(..-1)), (0, -2));
        assert_eq!(bounds(&(-5..-2)), (-5, -3));
        assert_eq!(bounds(&(Bound::Excluded(-1), Bound::Unbounded)), (1, 0));
    }
}
