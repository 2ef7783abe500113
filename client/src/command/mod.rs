//! A command as a value: its encoded arguments, the type of its reply, and what a retry may assume.

mod args;
mod attempts;
mod encoded;
mod exactly_once;
mod expect;
mod form;
mod from;
mod idempotency;
mod learned;
mod one_or_more;
mod script;
mod session;

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;

use self::args::NOT_ON_ITS_OWN;
pub use self::args::{Args, ToArgs};
pub(crate) use self::attempts::Attempts;
pub(crate) use self::attempts::Received;
pub(crate) use self::encoded::Body;
pub(crate) use self::encoded::Encoded;
pub(crate) use self::expect::Expect;
use self::expect::{Decode, Execution};
pub(crate) use self::form::Scripted;
pub use self::form::nonce;
pub(crate) use self::idempotency::Idempotency;
pub(crate) use self::learned::{Dialect, Learned};
pub use self::one_or_more::{OneOrMore, OneOrMorePairs};
pub use self::script::{Script, ScriptCall};
pub use self::session::Session;
pub(crate) use self::session::{BoxFuture, Recovery, Requests};
use crate::arg::ToArg;
use crate::error::{Error, Result, Subject};
use crate::reply::{self, Answered, FromReply, Replies, Reply, Value};
use crate::wire::Encoding;

/// One command: its arguments, already encoded for the wire, and the type `R` of its reply.
///
/// [`read`](Command::read), [`idempotent_write`](Command::idempotent_write) and [`write`](Command::write) start a
/// command, and say when a client may retry it; [`key`](Command::key), [`arg`](Command::arg) and their like add arguments.
/// The reply type comes last: [`reply`](Command::reply) sets it, and [`execute`](crate::Executor::execute) takes it from
/// its caller. Until then the reply is [`Untyped`].
///
/// Methods such as [`get`](crate::StringCommands::get) create commands and pass them to an
/// [`Executor`](crate::Executor) at once; the executor [`Build`](crate::Build) returns them instead of sending them.
///
/// A command by its name, with arguments of several types:
///
/// ```no_run
/// # async fn example(redis: redis_rest::Redis) -> redis_rest::Result<()> {
/// use redis_rest::{Command, Executor};
///
/// let ones: i64 = redis.execute(Command::read("BITCOUNT").key("visits").arg(0).arg(-1)).await?;
/// # Ok(())
/// # }
/// ```
///
/// And as a method that every executor has:
///
/// ```
/// use redis_rest::{Build, Command, Executor, ToArg};
///
/// trait BloomCommands: Executor {
///     /// Returns whether `item` may be in the filter.
///     fn bf_exists(self, key: impl ToArg, item: impl ToArg) -> Self::Out<bool> {
///         self.execute(Command::read("BF.EXISTS").key(key).arg(item))
///     }
/// }
///
/// impl<E: Executor> BloomCommands for E {}
///
/// assert_eq!(Build.bf_exists("seen", 7).args(), ["BF.EXISTS", "seen", "7"]);
/// ```
#[must_use = "a command does nothing until it is submitted to an executor"]
pub struct Command<R = Untyped> {
    args: Args,
    /// How it can be sent in another form than the arguments.
    form: Option<Arc<Scripted>>,
    /// The other commands of a group.
    others: Vec<(Args, Option<Arc<Scripted>>)>,
    /// How long the command itself asks the server to wait.
    extra_time: Duration,
    /// What follows a failure, if the command is sent on its own.
    recovery: Option<Recovery<R>>,
    expect: Expect<R>,
}

/// The reply to a [`Command`] whose reply type is not set: any [`Value`].
///
/// It is a type of its own so that a command with a decoder of its own cannot lose it: only an untyped command takes a
/// reply type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Untyped(Value);

impl Untyped {
    /// Returns the reply.
    #[must_use]
    pub fn into_value(self) -> Value {
        self.0
    }
}

impl Command {
    /// Starts a command that changes nothing. A client retries it after any failure that can pass.
    pub fn read(name: impl Into<Cow<'static, str>>) -> Self {
        Command::new(name.into(), Idempotency::ReadOnly)
    }

    /// Starts a command whose second execution changes the data again (`INCR`, `RPUSH`) or returns another reply
    /// (`DEL`). A client retries it only if it was certainly not executed.
    pub fn write(name: impl Into<Cow<'static, str>>) -> Self {
        Command::new(name.into(), Idempotency::NonIdempotent)
    }

    /// Starts a command that, executed twice in a row, leaves the same data and returns the same reply (`SET`). A client
    /// retries it after any failure that can pass.
    pub fn idempotent_write(name: impl Into<Cow<'static, str>>) -> Self {
        Command::new(name.into(), Idempotency::Idempotent)
    }

    fn new(name: Cow<'static, str>, idempotency: Idempotency) -> Self {
        if name.contains(char::is_whitespace) {
            // Errors show the name, and what follows its first word may be a secret.
            let word = name.split_whitespace().next().unwrap_or("command").to_owned();
            return Command::new(word.into(), idempotency).reject(
                "the name of a command has no spaces; pass the arguments one by one: `execute([\"GET\", \"name\"])`",
            );
        }
        let mut args = Args::new(&name);
        if name.is_empty() {
            args.reject("a command needs a name");
        }
        let decode = Decode::One(|reply| Value::from_reply(reply).map(Untyped));
        let expect = Expect {
            name,
            idempotency,
            parts: 1,
            atomic: false,
            execution: Execution::Plain,
            decode,
            subject: None,
            field: None,
            explain: None,
        };
        Command { args, form: None, others: Vec::new(), extra_time: Duration::ZERO, recovery: None, expect }
    }

    /// Creates a command that sends nothing, and has this result.
    #[doc(hidden)]
    pub fn nothing<T: 'static>(result: impl Fn() -> Result<T> + Send + Sync + 'static) -> Command<T> {
        let mut command = Command::read("nothing").with_decode(Decode::With(Arc::new(move |_, _| result())));
        command.expect.parts = 0;
        command
    }

    /// Sets the type of the reply.
    pub fn reply<T: FromReply>(self) -> Command<T> {
        self.decode_with(T::from_reply)
    }

    /// Starts the command that runs a script.
    pub(crate) fn script(call: ScriptCall) -> Self {
        let idempotency = call.script().idempotency();
        let name = if idempotency.writes() { "EVALSHA" } else { "EVALSHA_RO" };
        let mut command = Command::new(name.into(), idempotency);
        let script = Scripted::encode(&mut command.args, call);
        command.form = Some(Arc::new(script));
        command
    }
}

impl<R> Command<R> {
    /// Adds one argument.
    pub fn arg(mut self, arg: impl ToArg) -> Self {
        self.args.push(arg);
        self
    }

    /// Adds one argument that is a key. [`arg`](Command::arg) and its like add arguments that are not.
    ///
    /// On the wire there is no difference. [`exactly_once`](Command::exactly_once) tells the service to lock these keys alone,
    /// so mark all keys of a command or none.
    pub fn key(mut self, key: impl ToArg) -> Self {
        self.args.push_key(key);
        self
    }

    /// Adds one key or more. Without any the command fails as `InvalidInput`: it needs at least one key.
    pub fn keys<K>(self, keys: impl OneOrMore<K>) -> Self {
        self.keys_of("key", keys)
    }

    /// Adds one key or more, each of which is that of a `what`.
    pub(crate) fn keys_of<K>(mut self, what: &str, keys: impl OneOrMore<K>) -> Self {
        let mut keys = keys.items().peekable();
        if keys.peek().is_none() {
            self.args.reject(format!("needs at least one {what}"));
        }
        self.args.extend_keys(keys);
        self
    }

    /// Adds a key for each item.
    pub(crate) fn keys_if_any<K>(mut self, keys: impl OneOrMore<K>) -> Self {
        self.args.extend_keys(keys.items());
        self
    }

    /// Adds the number of keys, and the keys. There must be one at least.
    pub(crate) fn numbered_keys<K>(self, keys: impl OneOrMore<K>) -> Self {
        let keys: Vec<_> = keys.items().collect();
        self.arg(keys.len()).keys(keys)
    }

    /// Adds a key and its value for each pair, of which there must be one at least.
    pub(crate) fn keys_and_values<K>(mut self, pairs: impl OneOrMorePairs<K, First: ToArg, Second: ToArg>) -> Self {
        let mut pairs = pairs.items().peekable();
        if pairs.peek().is_none() {
            self.args.reject("needs at least one key and value");
        }
        for (key, value) in pairs {
            self.args.push_key(key).push(value);
        }
        self
    }

    /// Adds an argument for each item.
    pub fn args_of<K>(mut self, args: impl OneOrMore<K>) -> Self {
        self.args.extend(args.items());
        self
    }

    /// Adds one argument or more. Without any the command fails as `InvalidInput`: it needs at least one `what`.
    pub fn one_or_more<K>(mut self, what: &str, args: impl OneOrMore<K>) -> Self {
        let mut args = args.items().peekable();
        if args.peek().is_none() {
            self.args.reject(format!("needs at least one {what}"));
        }
        self.args.extend(args);
        self
    }

    /// Adds two arguments for each pair. Without pairs the command fails as `InvalidInput`: it needs at least one `what`.
    pub fn one_or_more_pairs<K>(
        mut self,
        what: &str,
        pairs: impl OneOrMorePairs<K, First: ToArg, Second: ToArg>,
    ) -> Self {
        let mut pairs = pairs.items().peekable();
        if pairs.peek().is_none() {
            self.args.reject(format!("needs at least one {what}"));
        }
        for (first, second) in pairs {
            self.args.push(first).push(second);
        }
        self
    }

    /// Adds `word`, the number of items, and an argument for each item: `FIELDS 2 a b`.
    pub fn counted<K>(mut self, word: &str, what: &str, args: impl OneOrMore<K>) -> Self {
        self.args.push(word);
        self.numbered(what, args)
    }

    /// Adds the number of items, and an argument for each item: `2 a b`.
    pub fn numbered<K>(self, what: &str, args: impl OneOrMore<K>) -> Self {
        let args: Vec<_> = args.items().collect();
        self.arg(args.len()).one_or_more(what, args)
    }

    /// Adds a count, which Redis does not allow to be 0.
    pub(crate) fn at_least_one(self, count: u64) -> Self {
        if count == 0 { self.reject("a count of 0 asks for nothing; use at least 1") } else { self.arg(count) }
    }

    /// Adds the limit of a count, if there is one. For Redis, 0 means no limit.
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

    /// Adds the number of keys, the keys, and the arguments of a script or a function.
    pub(crate) fn keys_and_args(mut self, keys: impl ToArgs, args: impl ToArgs) -> Self {
        let mut list = Args::fragment();
        keys.write_args(&mut list);
        self.args.push(list.count());
        self.args.append(list);
        self.options(args)
    }

    /// Makes the command fail as `InvalidInput` before anything is sent. The first reason counts.
    pub fn reject(mut self, why: impl Into<Cow<'static, str>>) -> Self {
        self.args.reject(why);
        self
    }

    /// Makes the command fail with `error` before anything is sent. The first error counts.
    pub fn fail(mut self, error: Error) -> Self {
        self.args.fail(error);
        self
    }

    /// Declares that this form of the command is not idempotent, if `condition` holds.
    pub(crate) fn non_idempotent_if(mut self, condition: bool) -> Self {
        if condition {
            self.expect.idempotency = Idempotency::NonIdempotent;
        }
        self
    }

    /// Extends the limits on the time of the request, because the command asks the server to wait so long.
    pub(crate) fn waits(mut self, extra_time: Duration) -> Self {
        self.extra_time = extra_time;
        self
    }

    /// Decodes the reply with `decode` instead of by its type.
    pub fn decode_with<T>(self, decode: fn(Reply<'_>) -> Result<T>) -> Command<T> {
        self.with_decode(Decode::One(decode))
    }

    /// Decodes the reply with `decode` instead of by its type. `decode` also takes the key that the command is
    /// [about](Command::about), which is empty if it is about none.
    pub fn decode_with_key<T>(self, decode: fn(Reply<'_>, &str) -> Result<T>) -> Command<T> {
        self.with_decode(Decode::OfKey(decode))
    }

    /// Decodes the reply with a closure instead of by its type. It costs an allocation; [`decode_with`](Command::decode_with)
    /// does not.
    #[doc(hidden)]
    pub fn decode_by<T>(self, decode: impl Fn(Reply<'_>) -> Result<T> + Send + Sync + 'static) -> Command<T> {
        self.with_decode(Decode::With(Arc::new(move |mut replies, _| replies.expect_next().and_then(&decode))))
    }

    /// Makes another result of the reply, also of one that a [recovery](Command::recover_with) returns.
    #[doc(hidden)]
    pub fn and_then<T: 'static>(mut self, then: impl Fn(R) -> Result<T> + Send + Sync + 'static) -> Command<T>
    where
        R: 'static,
    {
        let then = Arc::new(then);
        let recovery = self.take_recovery().map(|recovery| recovery.and_then(Arc::clone(&then)));
        let decode = self.expect.decode.clone();
        let decode = Decode::With(Arc::new(move |replies, key| decode.run(replies, key).and_then(&*then)));
        Command { recovery, ..self.with_decode(decode) }
    }

    /// Makes a result of an error in the reply, or another error. A command that a client sends on its own is refused as a
    /// request instead: that is for [`recover_with`](Command::recover_with).
    #[doc(hidden)]
    pub fn or_else(self, otherwise: fn(Error) -> Result<R>) -> Self
    where
        R: 'static,
    {
        let decode = self.expect.decode.clone();
        let decode = Decode::With(Arc::new(move |replies, key| decode.run(replies, key).or_else(otherwise)));
        Command { recovery: self.recovery.clone(), ..self.with_decode(decode) }
    }

    /// Adds `other` to make an atomic group: no command of another client runs between the two. `decode` takes the
    /// replies to all commands of the group, in order.
    ///
    /// An atomic group is sent as one transaction. A pipeline that contains one becomes a transaction.
    pub fn and<B, T>(mut self, other: Command<B>, decode: fn(Replies<'_>) -> Result<T>) -> Command<T> {
        self.expect.atomic = true;
        self.beside(other, decode)
    }

    /// Adds `other` to the same request, as in a pipeline: commands of other clients can run between the two. `decode`
    /// takes the replies to all commands of the group, in order.
    pub fn beside<B, T>(mut self, other: Command<B>, decode: fn(Replies<'_>) -> Result<T>) -> Command<T> {
        if let Some(error) = other.args.error() {
            self.args.fail(error.clone());
        }
        if self.args.is_raw() || other.args.is_raw() {
            self.args.reject(NOT_ON_ITS_OWN);
        }
        if self.expect.execution != Execution::Plain || other.expect.execution != Execution::Plain {
            self.args.reject("call `exactly_once` on the group, not on a part of it");
        }
        self.expect.idempotency = self.expect.idempotency.max(other.expect.idempotency);
        self.expect.parts += other.expect.parts;
        self.expect.atomic |= other.expect.atomic;
        self.extra_time = self.extra_time.saturating_add(other.extra_time);
        self.others.push((other.args, other.form));
        self.others.extend(other.others);
        self.with_decode(Decode::Group(decode))
    }

    /// Sets what follows if the command fails, and a client has sent it on its own: `recover` sends other requests, or
    /// returns the error. It has no effect in a pipeline, a transaction or a batch. It must come last.
    #[doc(hidden)]
    pub fn recover_with<F>(mut self, recover: impl Fn(Session, Error) -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = Result<R>> + Send + 'static,
    {
        self.recovery = Some(Recovery::new(recover));
        self
    }

    /// Whether there is nothing to send.
    pub(crate) fn is_nothing(&self) -> bool {
        self.expect.parts == 0
    }

    /// Takes what follows a failure.
    pub(crate) fn take_recovery(&mut self) -> Option<Recovery<R>> {
        self.recovery.take()
    }

    /// How long the command itself asks the server to wait.
    pub(crate) fn extra_time(&self) -> Duration {
        self.extra_time
    }

    /// Whether the command has a once slot that can be filled.
    fn has_once_slot(&self) -> bool {
        self.others.is_empty() && self.form.as_deref().is_some_and(Scripted::has_slot)
    }

    fn with_decode<T>(self, decode: Decode<T>) -> Command<T> {
        let Expect { name, idempotency, parts, atomic, execution, subject, field, explain, .. } = self.expect;
        Command {
            args: self.args,
            form: self.form,
            others: self.others,
            extra_time: self.extra_time,
            recovery: None,
            expect: Expect { name, idempotency, parts, atomic, execution, decode, subject, field, explain },
        }
    }

    /// Names the model and the key of the record that the command is about. Its errors name both.
    pub fn about(mut self, model: &'static str, key: impl Into<String>) -> Self {
        self.expect.subject = Some(Box::new(Subject { name: model, key: key.into() }));
        self
    }

    /// Names the field of the record that the command is about. Its errors name it.
    pub fn about_field(mut self, field: &'static str) -> Self {
        self.expect.field = Some(field);
        self
    }

    /// Sets what the errors of the command become, whether Redis, the service or the client reports them.
    /// [`Error::explained`] adds what a layer above knows. An error may pass `explain` twice.
    #[doc(hidden)]
    pub fn explain_with(mut self, explain: fn(Error) -> Error) -> Self {
        self.expect.explain = Some(explain);
        self
    }

    /// The command's name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.expect.name
    }

    /// The arguments as they are sent, the command's name first. For a group, those of its first command.
    #[must_use]
    pub fn args(&self) -> Vec<Bytes> {
        if self.others.is_empty() { self.args.to_vec() } else { self.commands().into_iter().next().unwrap_or_default() }
    }

    /// The arguments of each command that is sent: of this one, or of all in a group.
    #[must_use]
    pub fn commands(&self) -> Vec<Vec<Bytes>> {
        if self.others.is_empty() {
            return vec![self.args()];
        }
        let mut encoded = Encoded::new();
        encoded.push(self.clone());
        encoded.commands()
    }

    /// The arguments of each command that are [marked](Command::key) as keys; `None` if a command has more than are counted.
    #[doc(hidden)]
    #[must_use]
    pub fn marked_keys(&self) -> Vec<Option<Vec<String>>> {
        self.all_args().map(Args::all_marked_keys).collect()
    }

    /// Decodes the body of a successful response to this command on its own, as a client with this encoding does.
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
    /// `Protocol` if the body is malformed, `Redis` if it is an error, `Decode` if it is not an `R`.
    pub fn decode(&self, body: impl Into<Vec<u8>>, encoding: Encoding) -> Result<R> {
        let parts = self.expect.parts;
        let encoding = if self.expect.atomic { encoding.of_transactions() } else { encoding };
        let answered = if parts > 1 { Answered::Commands(parts) } else { Answered::Command };
        let tape =
            reply::parse(body.into(), encoding, answered, usize::MAX).map_err(|error| self.expect.blame(error))?;
        self.expect.decode(&mut Replies::of(&tape, parts), Attempts::default())
    }

    /// Checks whether the command can be sent.
    ///
    /// # Errors
    ///
    /// The error that an executor would return before it sends anything, mostly `InvalidInput`.
    pub fn validate(&self) -> Result<()> {
        match self.args.error() {
            None => Ok(()),
            Some(error) => Err(self.expect.blame(error.clone())),
        }
    }
}

impl<R> Clone for Command<R> {
    fn clone(&self) -> Self {
        Command {
            args: self.args.clone(),
            form: self.form.clone(),
            others: self.others.clone(),
            extra_time: self.extra_time,
            recovery: self.recovery.clone(),
            expect: self.expect.clone(),
        }
    }
}

impl<R> fmt::Debug for Command<R> {
    /// Shows the name only, because an argument may be a secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Command").field("name", &self.expect.name).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transport::Endpoint;

    #[test]
    fn a_name_is_one_word_of_utf_8() {
        let refused = |command: Command| command.validate().unwrap_err().to_string();
        for text in ["AUTH hunter2", " AUTH\thunter2", " AUTH"] {
            let error = refused(text.into());
            assert!(error.starts_with("AUTH: the name of a command has no spaces"), "{error}");
            assert!(!error.contains("hunter2"), "{error}");
        }
        assert!(!refused(["AUTH hunter2"].into()).contains("hunter2"));
        assert!(refused(Command::from([&b"\xff"[..], b"k"])).contains("not UTF-8"));
        assert!(refused(Vec::<&str>::new().into()).contains("needs a name"));
        // Redis answers that it is unknown.
        assert_eq!(Command::from((1, "k")).args(), ["1", "k"]);
    }

    #[test]
    fn a_group_with_bytes_is_refused_before_it_is_sent() {
        let raw = || Command::idempotent_write("SET").arg("k").arg(b"\xff".as_slice());
        let get = || Command::read("GET").arg("k");
        for group in [raw().and(get(), |_| Ok(())), get().and(raw(), |_| Ok(()))] {
            assert!(group.validate().unwrap_err().is_invalid_input());
        }
    }

    #[test]
    fn the_arguments_of_a_group_are_those_of_its_first_command_as_it_is_sent() {
        let run = Command::script(Script::new("return 1").arg("a").key("k"));
        let group = run.and(Command::read("GET").arg("k"), |_| Ok(()));
        assert_eq!(group.args(), ["EVAL", "return 1", "1", "k", "a"]);
        assert_eq!(group.commands(), [group.args(), vec!["GET".into(), "k".into()]]);
    }

    #[test]
    fn only_an_atomic_group_is_a_transaction() {
        let get = |key: &str| Command::read("GET").arg(key);
        let endpoint = |group: Command<()>| {
            let mut encoded = Encoded::new();
            encoded.push(group);
            encoded.into_body(&Learned::default()).unwrap().unwrap().endpoint
        };
        assert_eq!(endpoint(get("a").beside(get("b"), |_| Ok(()))), Endpoint::Pipeline);
        assert_eq!(endpoint(get("a").and(get("b"), |_| Ok(()))), Endpoint::Transaction);
        let mixed = get("a").beside(get("b").and(get("c"), |_| Ok(())), |_| Ok(()));
        assert_eq!(endpoint(mixed), Endpoint::Transaction);
    }

    #[test]
    fn the_key_that_a_command_is_about_is_known_when_its_reply_is_decoded() {
        let command = Command::read("GET").about("User", "user:7").decode_with_key(|_, key| Ok(key.to_owned()));
        assert_eq!(command.decode("{\"result\":1}", Encoding::Json).unwrap(), "user:7");
    }

    #[test]
    fn the_error_of_a_command_that_was_never_sent_tells_of_no_attempt() {
        let earlier =
            Error::timeout("no reply").with_command("GET".into()).with_attempts(4).with_may_have_executed(true);
        let error = Command::write("SET").fail(earlier).validate().unwrap_err();
        assert_eq!((error.command(), error.attempts(), error.may_have_executed()), (Some("SET"), 0, false));
    }
}
