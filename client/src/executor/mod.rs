//! What takes commands, and what it returns for them.

mod batch;
mod client;
mod pages;
mod pipeline;
mod session;

pub use self::batch::{Batch, BatchReplies, Slot};
pub use self::client::Client;
pub use self::pages::{Pages, Paging};
pub use self::pipeline::{Pipeline, Tuple};
pub use self::session::SessionRequest;
use crate::command::Command;
use crate::reply::FromReply;

/// Takes commands. Every method of every command family is a provided method over [`submit`](Executor::submit), so every
/// type that implements this trait has them all.
///
/// | executor | what it returns for a command |
/// | --- | --- |
/// | `&`[`Redis`](crate::Redis) | a [`Request`](crate::Request): await it for the reply |
/// | `&`[`blocking::Redis`](crate::blocking::Redis) | the reply |
/// | [`Pipeline`] | the pipeline with the reply's type added to its tuple |
/// | `&mut` [`Batch`] | a [`Slot`], to take the reply after `exec` |
/// | [`Build`] | the [`Command`] itself, unsent |
///
/// Executors and command families cannot be trait objects (`dyn Executor`). A struct stores a [`Redis`](crate::Redis), whose
/// [transport](crate::RedisBuilder::transport) can be replaced in tests.
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not take commands",
    label = "not an executor; is a `&` missing?",
    note = "executors are `&Redis`, `&blocking::Redis`, `Pipeline`, `&mut Batch` and `Build`: pass a client by reference"
)]
pub trait Executor: Sized {
    /// What this executor returns for a command with a reply of type `R`.
    type Out<R>;

    /// Takes `command`.
    fn submit<R>(self, command: Command<R>) -> Self::Out<R>;

    /// Executes any command, and decodes its reply to the type that the caller asks for. [`Value`](crate::Value) takes any
    /// reply.
    ///
    /// A tuple, an array or a `Vec` is a command whose first item is the name, and a string is a command without arguments.
    /// They count as [`write`](Command::write)s; [`Command::read`] and its like declare whether a client may retry a
    /// command.
    ///
    /// ```no_run
    /// # async fn example(redis: redis_rest::Redis) -> redis_rest::Result<()> {
    /// use redis_rest::{Command, Executor};
    ///
    /// let length: i64 = redis.execute(["XLEN", "orders"]).await?;
    /// let pong: String = redis.execute("PING").await?;
    /// redis.execute::<()>(("SETEX", "session", 60, "s3cr3t")).await?;
    /// let ones: i64 = redis.execute(Command::read("BITCOUNT").key("visits").arg(0).arg(-1)).await?;
    /// # Ok(())
    /// # }
    /// ```
    fn execute<R: FromReply>(self, command: impl Into<Command>) -> Self::Out<R> {
        self.submit(command.into().reply())
    }
}

/// An executor that sends nothing: it returns each [`Command`], to inspect it or to submit it elsewhere.
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
