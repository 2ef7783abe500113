//! A command as a value: its encoded arguments, the type of its reply, and what a retry needs to know.

use std::borrow::Cow;
use std::fmt;

use bytes::Bytes;

use crate::arg::ToArg;
use crate::args::{Args, ToArgs};
use crate::config::Encoding;
use crate::error::{Error, ErrorKind, Result, Subject};
use crate::reply::{FromReply, Replies, Reply};
use crate::wire;
use crate::wire::tape::History;

/// Whether a request that may have been executed can be sent again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Safety {
    /// It changes nothing.
    Read,
    /// Executed twice in a row, it leaves the same data and gives the same reply.
    Idempotent,
    /// Twice is not once.
    Once,
}

/// One command, ready to be executed: its arguments, already encoded for the wire, and the type `R` of its reply.
///
/// Methods such as [`get`](crate::StringCommands::get) make commands and hand them to an
/// [`Executor`](crate::Executor) at once; the executor [`Build`](crate::Build) gives them back unsent.
///
/// A command of your own, as a method that every executor has:
///
/// ```
/// use redis_rest::{Build, Command, Executor, ToArg};
///
/// trait BloomCommands: Executor {
///     /// Whether `item` may be in the filter.
///     fn bf_exists(self, key: impl ToArg, item: impl ToArg) -> Self::Out<bool> {
///         self.submit(Command::read("BF.EXISTS").arg(key).arg(item))
///     }
/// }
///
/// impl<E: Executor> BloomCommands for E {}
///
/// assert_eq!(Build.bf_exists("seen", 7).args(), ["BF.EXISTS", "seen", "7"]);
/// ```
#[must_use = "a command does nothing until it is submitted to an executor"]
pub struct Command<R> {
    pub(crate) args: Args,
    pub(crate) expect: Expect<R>,
}

/// What to do with the replies to a command, once they are there.
pub struct Expect<R> {
    name: Cow<'static, str>,
    safety: Safety,
    /// How many commands go over the wire: 1, or as many as an atomic group has.
    parts: usize,
    decode: Decode<R>,
    subject: Option<Box<Subject>>,
    field: Option<&'static str>,
}

enum Decode<R> {
    One(fn(Reply<'_>) -> Result<R>),
    Group(fn(Replies<'_>) -> Result<R>),
}

impl<R> Clone for Decode<R> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<R> Copy for Decode<R> {}

impl<R: FromReply> Command<R> {
    /// A command that changes nothing: it is retried whatever happened to it.
    pub fn read(name: &'static str) -> Self {
        Command::new(name.into(), Safety::Read)
    }

    /// A command of which twice is not once (`INCR`, `RPUSH`), or whose second reply would differ (`DEL`): it is
    /// retried only if it provably was not executed.
    pub fn write(name: &'static str) -> Self {
        Command::new(name.into(), Safety::Once)
    }

    /// A command that, executed twice in a row, leaves the same data and gives the same reply (`SET`): it is
    /// retried whatever happened to it.
    pub fn idempotent_write(name: &'static str) -> Self {
        Command::new(name.into(), Safety::Idempotent)
    }

    pub(crate) fn new(name: Cow<'static, str>, safety: Safety) -> Self {
        let args = Args::new(&name);
        Command {
            args,
            expect: Expect { name, safety, parts: 1, decode: Decode::One(R::from_reply), subject: None, field: None },
        }
    }
}

impl<R> Command<R> {
    /// Adds one argument.
    pub fn arg(mut self, arg: impl ToArg) -> Self {
        self.args.push(arg);
        self
    }

    /// Adds any number of arguments, none included.
    pub fn args_of(mut self, args: impl IntoIterator<Item = impl ToArg>) -> Self {
        self.args.extend(args);
        self
    }

    /// Adds an argument for each item; without any, the command is refused as needing at least one `what`.
    pub fn one_or_more(mut self, what: &str, args: impl IntoIterator<Item = impl ToArg>) -> Self {
        let mut args = args.into_iter().peekable();
        if args.peek().is_none() {
            self.args.reject(format!("needs at least one {what}"));
        }
        self.args.extend(args);
        self
    }

    /// Adds two arguments for each pair; without any, the command is refused as needing at least one `what`.
    pub fn one_or_more_pairs<A: ToArg, B: ToArg>(
        mut self,
        what: &str,
        pairs: impl IntoIterator<Item = (A, B)>,
    ) -> Self {
        let mut pairs = pairs.into_iter().peekable();
        if pairs.peek().is_none() {
            self.args.reject(format!("needs at least one {what}"));
        }
        for (first, second) in pairs {
            self.args.push(first).push(second);
        }
        self
    }

    /// Adds `word`, the number of items, and an argument for each: `FIELDS 2 a b`.
    pub fn counted(mut self, word: &str, what: &str, args: impl IntoIterator<Item = impl ToArg>) -> Self {
        self.args.push(word);
        self.numbered(what, args)
    }

    /// Adds the number of items, and an argument for each: `2 a b`.
    pub fn numbered(self, what: &str, args: impl IntoIterator<Item = impl ToArg>) -> Self {
        let args: Vec<_> = args.into_iter().collect();
        self.arg(args.len()).one_or_more(what, args)
    }

    /// Adds a count that Redis refuses to be 0.
    pub(crate) fn at_least_one(self, count: u64) -> Self {
        if count == 0 { self.reject("a count of 0 asks for nothing; give at least 1") } else { self.arg(count) }
    }

    /// Adds up to where is counted, if it says so. 0 is Redis's word for no limit.
    pub(crate) fn limit(self, limit: Option<u64>) -> Self {
        match limit {
            Some(limit) => self.arg("LIMIT").arg(limit),
            None => self,
        }
    }

    /// Adds the arguments of an options type.
    pub fn options(mut self, options: impl ToArgs) -> Self {
        options.write_args(&mut self.args);
        self
    }

    /// Makes the command fail as `InvalidInput`, before anything is sent.
    pub fn reject(mut self, why: impl Into<Cow<'static, str>>) -> Self {
        self.args.reject(why);
        self
    }

    /// Declares that this form of the command is not idempotent, if `condition` holds.
    pub(crate) fn only_once_if(mut self, condition: bool) -> Self {
        if condition {
            self.expect.safety = Safety::Once;
        }
        self
    }

    /// Decodes the reply by `decode` instead of by its type.
    pub fn decode_with<T>(self, decode: fn(Reply<'_>) -> Result<T>) -> Command<T> {
        self.with_decode(Decode::One(decode))
    }

    /// An atomic group: this command and then `other`, with nothing of anybody else's in between. `decode` gets
    /// the replies to all commands of the group, in order.
    ///
    /// A group travels as one transaction, and makes a transaction of a pipeline that it is put in.
    #[expect(clippy::needless_pass_by_value, reason = "a command is given away")]
    pub fn and<B, T>(mut self, other: Command<B>, decode: fn(Replies<'_>) -> Result<T>) -> Command<T> {
        self.args.append(&other.args);
        self.expect.safety = self.expect.safety.max(other.expect.safety);
        self.expect.parts += other.expect.parts;
        self.with_decode(Decode::Group(decode))
    }

    fn with_decode<T>(self, decode: Decode<T>) -> Command<T> {
        let Expect { name, safety, parts, subject, field, .. } = self.expect;
        Command { args: self.args, expect: Expect { name, safety, parts, decode, subject, field } }
    }

    /// Says whose record the command is about; its errors will name both.
    pub fn about(mut self, model: &'static str, key: impl Into<String>) -> Self {
        self.expect.subject = Some(Box::new(Subject { name: model, key: key.into() }));
        self
    }

    /// Says which field of the record the command is about; its errors will name it.
    pub fn about_field(mut self, field: &'static str) -> Self {
        self.expect.field = Some(field);
        self
    }

    /// The command's name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.expect.name
    }

    /// The arguments as they go over the wire, the command's name first. Of an atomic group, those of its first command.
    #[must_use]
    pub fn args(&self) -> Vec<Bytes> {
        self.args.commands().into_iter().next().unwrap_or_default()
    }

    /// The arguments of each command that goes over the wire: one, or as many as an atomic group has.
    #[must_use]
    pub fn commands(&self) -> Vec<Vec<Bytes>> {
        self.args.commands()
    }

    /// Decodes the body of a successful response to this command alone, as a client with this encoding would.
    ///
    /// ```
    /// use redis_rest::{Build, Encoding, StringCommands};
    ///
    /// let reply = Build.get::<String>("greeting").decode(r#"{"result":"aGVsbG8="}"#, Encoding::Base64)?;
    /// assert_eq!(reply.as_deref(), Some("hello"));
    /// # Ok::<(), redis_rest::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// `Protocol` when the body is malformed, `Server` when it is an error, `Decode` when it is no `R`.
    pub fn decode(&self, body: impl Into<Vec<u8>>, encoding: Encoding) -> Result<R> {
        let parts = self.expect.parts;
        let encoding = if parts > 1 { encoding.of_transactions() } else { encoding };
        let tape = wire::parse(body.into(), encoding, parts, parts > 1).map_err(|error| self.expect.blame(error))?;
        self.expect.decode(&mut Replies::of(&tape, parts))
    }

    /// Whether the command can be sent.
    ///
    /// # Errors
    ///
    /// `InvalidInput`, the error that an executor would give before sending anything.
    pub fn validate(&self) -> Result<()> {
        match self.args.problem() {
            None => Ok(()),
            Some(why) => Err(self.expect.blame(Error::invalid_input(why.clone()))),
        }
    }
}

impl<R> Clone for Command<R> {
    fn clone(&self) -> Self {
        Command { args: self.args.clone(), expect: self.expect.clone() }
    }
}

impl<R> fmt::Debug for Command<R> {
    /// The name alone: an argument may be a secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Command").field("name", &self.expect.name).finish_non_exhaustive()
    }
}

impl<R> Expect<R> {
    pub(crate) fn name(&self) -> &Cow<'static, str> {
        &self.name
    }

    pub(crate) fn parts(&self) -> usize {
        self.parts
    }

    pub(crate) fn safety(&self) -> Safety {
        self.safety
    }

    /// Takes the replies to this command off the front of `replies` and decodes them.
    pub(crate) fn decode(&self, replies: &mut Replies<'_>) -> Result<R> {
        let own = replies.split(self.parts);
        let decoded = match self.decode {
            Decode::One(decode) => own.clone().expect_next().and_then(decode),
            Decode::Group(decode) => decode(own),
        };
        decoded.map_err(|error| {
            // A write whose reply cannot be decoded may have been executed. One that Redis refused was not, but the
            // others of its group were.
            let others_executed = self.parts > 1 && error.kind() == ErrorKind::Server && own.any_executed();
            let uncertain = self.safety != Safety::Read && (error.is_uncertain() || others_executed);
            let History { attempts, may_have_executed } = replies.history();
            self.blame(error)
                .with_attempts(attempts)
                .with_may_have_executed(self.safety != Safety::Read && (uncertain || may_have_executed))
        })
    }

    /// Names this command, and the record it is about, in `error`.
    #[cold]
    pub(crate) fn blame(&self, error: Error) -> Error {
        let error = error.with_command(self.name.clone()).with_subject(self.subject.as_deref());
        match self.field {
            Some(field) => error.with_field(field),
            None => error,
        }
    }
}

impl<R> Clone for Expect<R> {
    fn clone(&self) -> Self {
        Expect { name: self.name.clone(), decode: self.decode, subject: self.subject.clone(), ..*self }
    }
}

impl<R> fmt::Debug for Expect<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Expect").field("command", &self.name).finish_non_exhaustive()
    }
}

/// A command by its name and arguments, for whatever has no method here.
///
/// It counts as a write that must not be executed twice, unless [`read_only`](RawCommand::read_only) or
/// [`idempotent`](RawCommand::idempotent) says otherwise: the client keeps no list of commands.
///
/// ```no_run
/// # async fn example(redis: redis_rest::Redis) -> redis_rest::Result<()> {
/// use redis_rest::{RawCommand, RawCommands};
///
/// let length: i64 = redis.execute(["XLEN", "orders"]).await?;
/// let command = RawCommand::new("OBJECT").arg("FREQ").arg("orders").read_only();
/// let frequency: Option<i64> = redis.execute(command).await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
#[must_use = "a command does nothing until it is executed"]
pub struct RawCommand {
    name: Cow<'static, str>,
    args: Args,
    safety: Safety,
}

impl RawCommand {
    /// The command `name`, `XLEN`, with no arguments yet.
    pub fn new(name: impl Into<Cow<'static, str>>) -> Self {
        let name = name.into();
        let mut args = Args::new(&name);
        if name.is_empty() {
            args.reject("a command needs a name");
        }
        RawCommand { name, args, safety: Safety::Once }
    }

    /// Adds one argument.
    pub fn arg(mut self, arg: impl ToArg) -> Self {
        self.args.push(arg);
        self
    }

    /// Adds any number of arguments.
    pub fn args_of(mut self, args: impl IntoIterator<Item = impl ToArg>) -> Self {
        self.args.extend(args);
        self
    }

    /// Adds the arguments of an options type.
    pub fn options(mut self, options: impl ToArgs) -> Self {
        options.write_args(&mut self.args);
        self
    }

    /// Declares that the command changes nothing, so that it is retried whatever happened to it.
    pub fn read_only(mut self) -> Self {
        self.safety = Safety::Read;
        self
    }

    /// Declares that executing the command twice is the same as once, so that it is retried whatever happened to it.
    pub fn idempotent(mut self) -> Self {
        self.safety = Safety::Idempotent;
        self
    }

    /// The arguments as they go over the wire, the command's name first.
    #[must_use]
    pub fn args(&self) -> Vec<Bytes> {
        self.args.commands().into_iter().next().unwrap_or_default()
    }

    pub(crate) fn typed<R: FromReply>(self) -> Command<R> {
        let mut command = Command::new(self.name, self.safety);
        command.args = self.args;
        command
    }
}

impl fmt::Debug for RawCommand {
    /// The name alone: an argument may be a secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RawCommand").field("name", &self.name).finish_non_exhaustive()
    }
}

/// The first item is the command's name.
impl<A: ToArg> FromIterator<A> for RawCommand {
    fn from_iter<I: IntoIterator<Item = A>>(args: I) -> Self {
        let mut args = args.into_iter();
        let name = match args.next().as_ref().map(ToArg::to_arg) {
            Some(crate::Arg::Text(name)) => name.into_owned(),
            Some(crate::Arg::Bytes(name)) => String::from_utf8_lossy(&name).into_owned(),
            _ => String::new(),
        };
        RawCommand::new(name).args_of(args)
    }
}

impl<A: ToArg, const N: usize> From<[A; N]> for RawCommand {
    fn from(args: [A; N]) -> Self {
        args.into_iter().collect()
    }
}

impl<A: ToArg> From<&[A]> for RawCommand {
    fn from(args: &[A]) -> Self {
        args.iter().collect()
    }
}

impl<A: ToArg> From<Vec<A>> for RawCommand {
    fn from(args: Vec<A>) -> Self {
        args.into_iter().collect()
    }
}
