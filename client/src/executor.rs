//! Who takes a command, and what it gives for it.

use crate::batch::Batch;
use crate::command::{Command, RawCommand};
use crate::encoded::Encoded;
use crate::error::Result;
use crate::pages::Paging;
use crate::reply::FromReply;
use crate::wire::tape::Tape;

/// Takes commands. Every typed method of every family is a provided method over [`submit`](Executor::submit),
/// so whatever implements this trait has them all.
///
/// | executor | a command gives |
/// | --- | --- |
/// | `&`[`Redis`](crate::Redis) | a [`Request`](crate::Request), to be awaited for the reply |
/// | `&`[`blocking::Redis`](crate::blocking::Redis) | the reply |
/// | [`Pipeline`](crate::Pipeline) | the pipeline with the reply's type added to its tuple |
/// | `&mut` [`Batch`](crate::Batch) | a [`Slot`](crate::Slot) to take the reply from, after `exec` |
/// | [`Build`] | the [`Command`] itself, unsent |
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not take commands",
    label = "not an executor",
    note = "executors are `&Redis`, `&blocking::Redis`, `Pipeline` (of at most 16 commands; use a `Batch` for more), `&mut Batch` and `Build`"
)]
pub trait Executor: Sized {
    /// What a command with a reply of type `R` gives.
    type Out<R>;

    /// Takes `command`.
    fn submit<R>(self, command: Command<R>) -> Self::Out<R>;
}

/// A client: `&`[`Redis`](crate::Redis) or `&`[`blocking::Redis`](crate::blocking::Redis). Code that is generic over
/// it, and needs more than one command, serves both.
pub trait Client: Executor + Copy {
    /// What a batch with a result of type `T` gives: a future of it, or the result itself.
    type Ran<T>;

    /// What items that come in pages are given as: a [`Pages`](crate::Pages) or a [`PageIter`](crate::PageIter).
    type Paged<T>;

    /// Begins a batch.
    fn batch(self) -> Batch<Self> {
        Batch::new(self, false)
    }

    /// Sends what is encoded, and hands the replies to `finish`.
    #[doc(hidden)]
    fn run<T: 'static>(self, encoded: Encoded, finish: impl FnOnce(Tape) -> Result<T> + Send + 'static)
    -> Self::Ran<T>;

    /// The items of pages, each fetched when it is needed.
    fn paged<P: Paging>(self, paging: P) -> Self::Paged<P::Item>;
}

/// The executor that executes nothing: it gives the [`Command`] back, to look at or to submit elsewhere.
///
/// ```
/// use redis_rest::{Build, StringCommands};
///
/// assert_eq!(Build.incrby("hits", 5).args(), ["INCRBY", "hits", "5"]);
/// ```
#[derive(Debug, Clone, Copy, Default)]
pub struct Build;

impl Executor for Build {
    type Out<R> = Command<R>;

    fn submit<R>(self, command: Command<R>) -> Command<R> {
        command
    }
}

/// Commands by name, with a reply of the type that the caller asks for.
pub trait RawCommands: Executor {
    /// Executes any command. The reply is decoded to `R`; [`Value`](crate::Value) takes any reply.
    ///
    /// An array or a `Vec` of text will do as a command, its first item being the name; [`RawCommand`] builds
    /// one of mixed arguments, and says whether it is safe to retry.
    fn execute<R: FromReply>(self, command: impl Into<RawCommand>) -> Self::Out<R> {
        self.submit(command.into().typed())
    }
}

impl<E: Executor> RawCommands for E {}
