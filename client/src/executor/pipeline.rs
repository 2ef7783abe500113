//! Pipelines and transactions whose type is the tuple of their replies.

use std::fmt;

use super::{Client, Executor};
use crate::command::{Attempts, Command, Encoded, Expect, Received};
use crate::error::Result;
use crate::reply::Replies;

/// Commands that are sent in one request, and the tuple of their replies' types.
///
/// Each command takes the pipeline and returns it with one more reply in its type. So chain the commands, or assign the
/// pipeline to a new variable; in loops, use a [`Batch`](crate::Batch).
///
/// [`Redis::pipeline`](crate::Redis::pipeline) and [`Redis::transaction`](crate::Redis::transaction) start one. Each
/// command adds its reply's type to the tuple, up to 16; use a [`Batch`](crate::Batch) for more.
///
/// ```no_run
/// # async fn example(redis: redis_rest::Redis) -> redis_rest::Result<()> {
/// use redis_rest::{ListCommands, StringCommands};
///
/// let (hits, name) = redis.pipeline().incr("hits").get::<String>("name").exec().await?;
///
/// // The same, with a result for each command.
/// let (hits, items) = redis.pipeline().incr("hits").llen("name").exec_each().await?;
/// assert!(items.unwrap_err().is_wrong_type());
/// # Ok(())
/// # }
/// ```
#[must_use = "each command returns the pipeline with that command added: chain the commands, or assign the pipeline anew; \
              `exec` sends it (use `redis.batch()` in loops)"]
pub struct Pipeline<C, T: Append = ()> {
    client: C,
    encoded: Encoded,
    expects: T::Expects,
}

impl<C: Client> Pipeline<C> {
    /// Starts a pipeline.
    pub(crate) fn new(client: C) -> Self {
        Pipeline { client, encoded: Encoded::new(), expects: () }
    }

    /// Starts a transaction.
    pub(crate) fn atomic(client: C) -> Self {
        Pipeline { client, encoded: Encoded::atomic(), expects: () }
    }
}

impl<C: Client, T: Append> Pipeline<C, T> {
    /// Sends the commands and returns all replies. With the async client, this is a [`Request`](crate::Request), whose
    /// [`deadline`](crate::Request::deadline) can be set.
    ///
    /// # Errors
    ///
    /// The error of the first command that failed. The others were executed nevertheless, which
    /// [`may_have_executed`](crate::Error::may_have_executed) reports. [`exec_each`](Pipeline::exec_each) returns every
    /// command's own result.
    pub fn exec(self) -> C::Out<T>
    where
        T: Tuple + 'static,
    {
        let Pipeline { client, encoded, expects } = self;
        let (has_others, idempotency) = (encoded.count() > 1, encoded.idempotency());
        client.request(encoded, move |received| {
            T::decode(&expects, &received).map_err(|error| {
                let attempts = Attempts::of(&error);
                if has_others { attempts.assume_executed().record_in(error, idempotency) } else { error }
            })
        })
    }

    /// Sends the commands and returns each command's result.
    ///
    /// # Errors
    ///
    /// Only if there are no replies: nothing was sent, the connection broke, or the server refused the whole request.
    pub fn exec_each(self) -> C::Out<T::Results>
    where
        T: Tuple + 'static,
    {
        let Pipeline { client, encoded, expects } = self;
        client.request(encoded, move |received| Ok(T::decode_each(&expects, &received)))
    }

    /// Returns the number of bytes that the request will have.
    pub fn len_bytes(&self) -> usize {
        self.encoded.body_len()
    }
}

impl<C, T: Append> Executor for Pipeline<C, T> {
    type Out<R> = Pipeline<C, T::With<R>>;

    fn submit<R>(mut self, command: Command<R>) -> Self::Out<R> {
        let expect = self.encoded.push(command);
        Pipeline { client: self.client, encoded: self.encoded, expects: T::append(self.expects, expect) }
    }
}

impl<C: fmt::Debug, T: Append> fmt::Debug for Pipeline<C, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pipeline")
            .field("client", &self.client)
            .field("commands", &self.encoded.count())
            .field("atomic", &self.encoded.is_atomic())
            .finish_non_exhaustive()
    }
}

/// The replies that a [`Pipeline`] returns: a tuple of 0 to 16.
#[diagnostic::on_unimplemented(
    message = "this pipeline has more than 16 commands, as many as its tuple of replies holds",
    label = "too many commands in one pipeline",
    note = "use `redis.batch()`, or `redis.atomic_batch()` for a transaction: they take any number of commands, also in loops"
)]
pub trait Tuple: Append {
    /// The tuple with a `Result` of each.
    type Results;

    #[doc(hidden)]
    fn decode(expects: &Self::Expects, received: &Received) -> Result<Self>;

    #[doc(hidden)]
    fn decode_each(expects: &Self::Expects, received: &Received) -> Self::Results;
}

/// The types of a [`Pipeline`]'s replies: a tuple, to which each command adds one.
pub trait Append: Sized {
    #[doc(hidden)]
    type Expects: Send;
    /// These types and `R`.
    type With<R>: Append<Expects = Self::ExpectsWith<R>>;
    #[doc(hidden)]
    type ExpectsWith<R>;

    #[doc(hidden)]
    fn append<R>(expects: Self::Expects, next: Expect<R>) -> Self::ExpectsWith<R>;
}

/// In place of a tuple of more than 16 replies. A pipeline of so many commands can be built, but not sent.
#[derive(Debug)]
pub struct TooMany {
    _private: (),
}

impl Append for TooMany {
    type Expects = ();
    type With<R> = TooMany;
    type ExpectsWith<R> = ();

    fn append<R>((): (), _: Expect<R>) {}
}

impl Tuple for () {
    type Results = ();

    fn decode((): &(), _: &Received) -> Result<()> {
        Ok(())
    }

    fn decode_each((): &(), _: &Received) {}
}

impl Append for () {
    type Expects = ();
    type With<R> = (R,);
    type ExpectsWith<R> = (Expect<R>,);

    fn append<R>((): (), next: Expect<R>) -> (Expect<R>,) {
        (next,)
    }
}

macro_rules! tuple {
    ($($T:ident $expect:ident)*) => {
        impl<$($T),*> Tuple for ($($T,)*) {
            type Results = ($(Result<$T>,)*);

            fn decode(($($expect,)*): &Self::Expects, received: &Received) -> Result<Self> {
                let mut replies = Replies::of(&received.tape, 0 $(+ $expect.parts())*);
                Ok(($($expect.decode(&mut replies, received.attempts)?,)*))
            }

            fn decode_each(($($expect,)*): &Self::Expects, received: &Received) -> Self::Results {
                let mut replies = Replies::of(&received.tape, 0 $(+ $expect.parts())*);
                ($($expect.decode(&mut replies, received.attempts),)*)
            }
        }
    };
}

macro_rules! append {
    ($($T:ident $expect:ident)*) => {
        impl<$($T),*> Append for ($($T,)*) {
            type Expects = ($(Expect<$T>,)*);
            type With<R> = ($($T,)* R,);
            type ExpectsWith<R> = ($(Expect<$T>,)* Expect<R>,);

            fn append<R>(($($expect,)*): Self::Expects, next: Expect<R>) -> Self::ExpectsWith<R> {
                ($($expect,)* next,)
            }
        }
    };
}

macro_rules! append_too_many {
    ($($T:ident $expect:ident)*) => {
        impl<$($T),*> Append for ($($T,)*) {
            type Expects = ($(Expect<$T>,)*);
            type With<R> = TooMany;
            type ExpectsWith<R> = ();

            fn append<R>(_: Self::Expects, _: Expect<R>) {}
        }
    };
}

/// All tuples but the empty one.
macro_rules! tuples {
    ([$($done:tt)*]) => {
        tuple! { $($done)* }
        append_too_many! { $($done)* }
    };
    ([] $T:ident $expect:ident $($rest:tt)*) => {
        tuples! { [$T $expect] $($rest)* }
    };
    ([$($done:tt)+] $T:ident $expect:ident $($rest:tt)*) => {
        tuple! { $($done)+ }
        append! { $($done)+ }
        tuples! { [$($done)+ $T $expect] $($rest)* }
    };
}

tuples! {
    [] A a B b C c D d E e F f G g H h I i J j K k L l M m N n O o P p
}
