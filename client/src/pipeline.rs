//! Pipelines and transactions whose type is the tuple of their replies.

use std::fmt;

use crate::command::{Command, Expect};
use crate::encoded::Encoded;
use crate::error::Result;
use crate::executor::{Client, Executor};
use crate::reply::Replies;
use crate::wire::tape::Tape;

/// Commands that travel in one request, and the tuple of their replies' types.
///
/// Begun by [`Redis::pipeline`](crate::Redis::pipeline) and [`Redis::transaction`](crate::Redis::transaction). Each
/// command adds its reply's type to the tuple, up to 16; use a [`Batch`](crate::Batch) for more.
#[must_use = "a pipeline does nothing until `exec`"]
pub struct Pipeline<C, T: Tuple = ()> {
    client: C,
    encoded: Encoded,
    expects: T::Expects,
}

impl<C: Client> Pipeline<C> {
    pub(crate) fn new(client: C, atomic: bool) -> Self {
        Pipeline { client, encoded: Encoded::new(atomic), expects: () }
    }
}

impl<C: Client, T: Tuple + 'static> Pipeline<C, T> {
    /// Sends the commands and gives all their replies.
    ///
    /// # Errors
    ///
    /// The first command's that failed. The others were executed nevertheless, and
    /// [`may_have_executed`](crate::Error::may_have_executed) says so; [`exec_each`](Pipeline::exec_each) tells all
    /// results apart.
    pub fn exec(self) -> C::Ran<T> {
        let Pipeline { client, encoded, expects } = self;
        let others_changed_data = encoded.changes_data() && encoded.count > 1;
        client.run(encoded, move |tape| {
            T::decode(&expects, &tape).map_err(|error| {
                let changed = others_changed_data || error.may_have_executed();
                error.with_may_have_executed(changed)
            })
        })
    }

    /// Sends the commands and gives each one's result.
    ///
    /// # Errors
    ///
    /// Only when there is no reply to tell the results from: nothing was sent, the connection broke, the whole
    /// transaction was refused.
    pub fn exec_each(self) -> C::Ran<T::Results> {
        let Pipeline { client, encoded, expects } = self;
        client.run(encoded, move |tape| Ok(T::decode_each(&expects, &tape)))
    }

    /// How many bytes the request will have.
    pub fn len_bytes(&self) -> usize {
        self.encoded.args.as_ref().map_or(0, |args| args.len() + 2)
    }
}

impl<C, T: Extend> Executor for Pipeline<C, T> {
    type Out<R> = Pipeline<C, T::With<R>>;

    fn submit<R>(mut self, command: Command<R>) -> Self::Out<R> {
        let expect = self.encoded.push(command);
        Pipeline { client: self.client, encoded: self.encoded, expects: T::extend(self.expects, expect) }
    }
}

impl<C: fmt::Debug, T: Tuple> fmt::Debug for Pipeline<C, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pipeline")
            .field("client", &self.client)
            .field("commands", &self.encoded.count)
            .field("atomic", &self.encoded.atomic)
            .finish_non_exhaustive()
    }
}

/// The tuples that a [`Pipeline`] gives: of 0 to 16 replies.
pub trait Tuple: Sized {
    #[doc(hidden)]
    type Expects: Send;
    /// The tuple with a `Result` of each.
    type Results;

    #[doc(hidden)]
    fn decode(expects: &Self::Expects, tape: &Tape) -> Result<Self>;

    #[doc(hidden)]
    fn decode_each(expects: &Self::Expects, tape: &Tape) -> Self::Results;
}

/// The tuples that have room for one more reply.
#[diagnostic::on_unimplemented(
    message = "this pipeline has 16 commands already, as many as a tuple holds",
    label = "one command too many",
    note = "use `redis.batch()` for loops and for more commands"
)]
pub trait Extend: Tuple {
    /// The tuple with `R` behind it.
    type With<R>: Tuple<Expects = Self::ExpectsWith<R>>;
    #[doc(hidden)]
    type ExpectsWith<R>;

    #[doc(hidden)]
    fn extend<R>(expects: Self::Expects, next: Expect<R>) -> Self::ExpectsWith<R>;
}

impl Tuple for () {
    type Expects = ();
    type Results = ();

    fn decode((): &(), _: &Tape) -> Result<()> {
        Ok(())
    }

    fn decode_each((): &(), _: &Tape) {}
}

impl Extend for () {
    type With<R> = (R,);
    type ExpectsWith<R> = (Expect<R>,);

    fn extend<R>((): (), next: Expect<R>) -> (Expect<R>,) {
        (next,)
    }
}

macro_rules! tuple {
    ($($T:ident $expect:ident)*) => {
        impl<$($T),*> Tuple for ($($T,)*) {
            type Expects = ($(Expect<$T>,)*);
            type Results = ($(Result<$T>,)*);

            fn decode(($($expect,)*): &Self::Expects, tape: &Tape) -> Result<Self> {
                let mut replies = Replies::of(tape, 0 $(+ $expect.parts())*);
                Ok(($($expect.decode(&mut replies)?,)*))
            }

            fn decode_each(($($expect,)*): &Self::Expects, tape: &Tape) -> Self::Results {
                let mut replies = Replies::of(tape, 0 $(+ $expect.parts())*);
                ($($expect.decode(&mut replies),)*)
            }
        }
    };
}

macro_rules! extend {
    ($($T:ident $expect:ident)*) => {
        impl<$($T),*> Extend for ($($T,)*) {
            type With<R> = ($($T,)* R,);
            type ExpectsWith<R> = ($(Expect<$T>,)* Expect<R>,);

            fn extend<R>(($($expect,)*): Self::Expects, next: Expect<R>) -> Self::ExpectsWith<R> {
                ($($expect,)* next,)
            }
        }
    };
}

/// Both for each length that has room for one more, `Tuple` alone for the last.
macro_rules! tuples {
    ([$($done:tt)*]) => {
        tuple! { $($done)* }
    };
    ([] $T:ident $expect:ident $($rest:tt)*) => {
        tuples! { [$T $expect] $($rest)* }
    };
    ([$($done:tt)+] $T:ident $expect:ident $($rest:tt)*) => {
        tuple! { $($done)+ }
        extend! { $($done)+ }
        tuples! { [$($done)+ $T $expect] $($rest)* }
    };
}

tuples! {
    [] A a B b C c D d E e F f G g H h I i J j K k L l M m N n O o P p
}
