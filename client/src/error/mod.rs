//! The one error type.

mod redact;

use std::borrow::Cow;
use std::error::Error as StdError;
use std::fmt::{self, Write as _};
use std::sync::Arc;
use std::time::Duration;

pub(crate) use self::redact::json as json_text;

/// `Result` with this crate's [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why a request failed.
///
/// An error has a [`kind`](Error::kind), the [`command`](Error::command) that failed, and whether the database
/// [may have changed](Error::may_have_executed).
///
/// ```no_run
/// # async fn example(redis: redis_rest::Redis) -> redis_rest::Result<()> {
/// use redis_rest::{ErrorKind, StringCommands};
///
/// match redis.incr("greeting").await {
///     Ok(count) => println!("{count}"),
///     Err(error) if error.kind() == ErrorKind::Redis => println!("{error}"), // INCR: ERR value is not an integer or ..
///     Err(error) if error.may_have_executed() => println!("the counter may have been incremented: {error}"),
///     Err(error) if error.is_retryable() => println!("nothing happened, try again: {error}"),
///     Err(error) => return Err(error),
/// }
/// # Ok(())
/// # }
/// ```
///
/// # What an error contains
///
/// An error can be logged. Its `Display`, its `Debug` and its [`source`](std::error::Error::source) contain
///
/// - never the token, nor a header or a body of a request;
/// - the name of the command, and the names of a model and its field;
/// - the key of a record, but only if a model issued the command. `Display` and `Debug` show its first 64 characters, and
///   [`key`](Error::key) returns all of it;
/// - Redis's own text, up to 512 characters. Redis repeats arguments in its texts, in quotes, so what stands in quotes is
///   cut: `ERR Error in ACL SETUSER modifier '..': Syntax error`. So is what follows the few texts of Redis 8.2 and Valkey 9
///   that repeat an argument without quotes: `ERR Unsupported option ..`. The name of a command remains, and so do the names of
///   variables in a script's error. If several parts are quoted, all from the first to the last is cut;
/// - the first 32 characters of a model's field that cannot be read, and the reason that its type or codec states: up to 128
///   characters, without what it quotes;
/// - of serde's errors, what the type expects and the position, without the value that was found;
/// - the error of the transport, which may name the host, and the errors of your own codecs, as they are.
///
/// The text of an error that a script raises is the script's own: it is treated like Redis's. Its first words are as
/// written, so [`code`](Error::code) and `message().starts_with(..)` recognize it. A [`Value::Error`](crate::Value::Error)
/// inside an array is a reply, not an error of this type, and is not cut.
#[derive(Clone)]
pub struct Error(Box<Inner>);

#[derive(Clone)]
struct Inner {
    kind: ErrorKind,
    message: Cow<'static, str>,
    command: Option<Cow<'static, str>>,
    subject: Option<Box<Subject>>,
    context: Option<Cow<'static, str>>,
    field: Option<Cow<'static, str>>,
    status: Option<u16>,
    retry_after: Option<Duration>,
    attempts: u32,
    may_have_executed: bool,
    unconfirmed: Vec<(usize, Cow<'static, str>)>,
    source: Option<Arc<dyn StdError + Send + Sync>>,
    /// Whether the reply itself says that nothing was changed.
    is_without_effect: bool,
    /// Whether the reply says that of all attempts, those on their way included.
    is_settled: bool,
    /// What only errors about records have.
    record: Option<Box<RecordDetails>>,
}

#[derive(Debug, Clone, Default)]
struct RecordDetails {
    owner: Option<String>,
    stored_version: Option<u64>,
    operation: Option<usize>,
    is_unknown_variant: bool,
}

/// The record that a command is about, for error messages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Subject {
    pub(crate) name: &'static str,
    pub(crate) key: String,
}

/// The most characters of a key in a text.
const MAX_KEY: usize = 64;

/// How many causes `Debug` shows, each that of the one before it.
const MAX_CAUSES: usize = 8;

impl Subject {
    /// The key, or the start of a long one.
    fn shown(&self) -> Cow<'_, str> {
        redact::shortened(&self.key, MAX_KEY)
    }
}

/// Whether a text of the service is about a request or replies that are too large.
pub(crate) fn is_too_large(text: &str) -> bool {
    text.starts_with("ERR max request size exceeded")
}

/// The kind of failure that an [`Error`] reports.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The client could not be built: the URL or the token is missing or malformed, or the URL is plain HTTP to another
    /// host.
    Config,
    /// The arguments do not form a valid command. Nothing was sent.
    InvalidInput,
    /// No connection. The request never left this machine.
    Connect,
    /// No reply in time.
    Timeout,
    /// The connection broke after the request, or a part of it, was sent.
    Interrupted,
    /// 401 or 403: the token is wrong or missing, or does not permit this.
    Unauthorized,
    /// 429: too many requests. See [`Error::retry_after`].
    RateLimited,
    /// The request is larger than the service allows, or the reply is larger than the client reads.
    TooLarge,
    /// The server refused the request with a status that the API does not document, such as 404 or a redirect, and did not
    /// execute it. Check the URL.
    Rejected,
    /// Redis replied with an error. See [`Error::code`].
    Redis,
    /// 5xx: the service, or a proxy in front of it, failed.
    Unavailable,
    /// The reply is not what the API documents: it is not JSON, it is cut short, or the number of replies is wrong.
    Protocol,
    /// The reply is well-formed, but does not have the type that was asked for.
    Decode,
    /// The record to create exists already.
    AlreadyExists,
    /// The record to change does not exist, or a pending entry of a stream was removed.
    NotFound,
    /// The record to write has another version than the one that was loaded, or a condition of the write does not hold. See
    /// [`Error::is_conflict`].
    Conflict,
    /// Another record holds a value that is unique.
    Duplicate,
    /// The indexes of a model are not those that the program needs: they are incomplete, or of another version of the model.
    Index,
    /// Entries of a stream that a reader needs were removed before it has read them, or the stream was deleted. See [`Error::is_lagged`].
    Lagged,
    /// A handler of yours failed with an error of its own, which is the [`source`](std::error::Error::source).
    Handler,
}

impl ErrorKind {
    /// Whether the same request can succeed later.
    pub(crate) fn is_transient(self) -> bool {
        matches!(self, Self::Connect | Self::RateLimited | Self::Timeout | Self::Interrupted | Self::Unavailable)
    }
}

impl Error {
    /// Creates an error, for layers above this client such as a codec of your own.
    pub fn new(kind: ErrorKind, message: impl Into<Cow<'static, str>>) -> Self {
        Error(Box::new(Inner {
            kind,
            message: message.into(),
            command: None,
            subject: None,
            context: None,
            field: None,
            status: None,
            retry_after: None,
            attempts: 0,
            may_have_executed: false,
            unconfirmed: Vec::new(),
            source: None,
            is_without_effect: false,
            is_settled: false,
            record: None,
        }))
    }

    /// Adds the cause. An error of `serde_json` is replaced by its text without values.
    #[must_use]
    pub fn with_source(mut self, source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        self.0.source = Some(redact::source(source.into()));
        self
    }

    /// Adds the field of the record that the error is about. It has no effect if the error has one.
    #[must_use]
    pub fn with_field(mut self, field: impl Into<Cow<'static, str>>) -> Self {
        self.0.field.get_or_insert_with(|| field.into());
        self
    }

    /// Adds the part of the reply or the record that the error is about, such as `entry 5-0`. It has no effect if the error
    /// has one.
    #[must_use]
    pub fn context(mut self, what: impl Into<Cow<'static, str>>) -> Self {
        self.0.context.get_or_insert_with(|| what.into());
        self
    }

    /// Adds the record that the error is about. It has no effect if the error has one.
    #[must_use]
    pub fn about(self, model: &'static str, key: impl Into<String>) -> Self {
        self.with_subject(Some(&Subject { name: model, key: key.into() }))
    }

    /// Adds the id of the record that holds a unique value.
    #[must_use]
    pub fn with_owner(mut self, id: impl Into<String>) -> Self {
        self.record_details().owner = Some(id.into());
        self
    }

    /// Adds the version that the record has in the database.
    #[must_use]
    pub fn with_stored_version(mut self, version: u64) -> Self {
        self.record_details().stored_version = Some(version);
        self
    }

    /// Adds the position of the operation that failed, counted from 0.
    #[must_use]
    pub fn with_operation(mut self, position: usize) -> Self {
        self.record_details().operation = Some(position);
        self
    }

    /// Declares that a stored variant is not one of the enum's. See [`Error::is_unknown_variant`].
    #[must_use]
    pub fn of_unknown_variant(mut self) -> Self {
        self.record_details().is_unknown_variant = true;
        self
    }

    /// Replaces the kind and the message by others that say what to do.
    #[doc(hidden)]
    #[must_use]
    pub fn explained(mut self, kind: ErrorKind, message: impl Into<Cow<'static, str>>) -> Self {
        self.0.kind = kind;
        self.0.message = message.into();
        self
    }

    /// Declares that the reply says why nothing was changed, although the kind of the error leaves that open.
    #[doc(hidden)]
    #[must_use]
    pub fn without_effect(mut self) -> Self {
        self.0.is_without_effect = true;
        self
    }

    /// Declares that no attempt at the request has changed anything, and none on its way can: the reply says so.
    #[doc(hidden)]
    #[must_use]
    pub fn settled(mut self) -> Self {
        self.0.is_settled = true;
        self.without_effect()
    }

    /// Whether no attempt at the request has changed anything.
    pub(crate) fn is_settled(&self) -> bool {
        self.0.is_settled
    }

    fn record_details(&mut self) -> &mut RecordDetails {
        self.0.record.get_or_insert_with(Box::default)
    }

    pub(crate) fn invalid_input(message: impl Into<Cow<'static, str>>) -> Self {
        Error::new(ErrorKind::InvalidInput, message)
    }

    pub(crate) fn timeout(message: &'static str) -> Self {
        Error::new(ErrorKind::Timeout, message)
    }

    pub(crate) fn protocol(message: impl Into<Cow<'static, str>>) -> Self {
        Error::new(ErrorKind::Protocol, message)
    }

    /// An error with Redis's text, without the parts that repeat the caller's arguments.
    pub(crate) fn of_redis(kind: ErrorKind, text: &str) -> Self {
        Error::new(kind, redact::redis_text(text))
    }

    /// The error in a reply. One that stands for a reply that is too large does not say that nothing was executed.
    pub(crate) fn redis(text: &str) -> Self {
        Error::of_redis(if is_too_large(text) { ErrorKind::TooLarge } else { ErrorKind::Redis }, text)
    }

    /// Whether a request that failed with this error may have been executed nevertheless.
    pub(crate) fn is_uncertain(&self) -> bool {
        match self.0.kind {
            _ if self.0.is_without_effect => false,
            ErrorKind::Timeout
            | ErrorKind::Interrupted
            | ErrorKind::Unavailable
            | ErrorKind::Protocol
            | ErrorKind::Decode => true,
            // A reply that is too large was sent after execution. A request that is too large was refused, with a status.
            ErrorKind::TooLarge => self.0.status.is_none(),
            _ => false,
        }
    }

    /// The same error for a command that was never sent, whatever request the error comes from.
    pub(crate) fn before_sending(mut self) -> Self {
        self.0.command = None;
        self.0.status = None;
        self.0.retry_after = None;
        self.0.attempts = 0;
        self.0.may_have_executed = false;
        self.0.unconfirmed = Vec::new();
        self
    }

    /// Adds the name of the command that failed. It has no effect if the error has one.
    #[must_use]
    pub fn with_command(mut self, name: Cow<'static, str>) -> Self {
        self.0.command.get_or_insert(name);
        self
    }

    pub(crate) fn with_subject(mut self, subject: Option<&Subject>) -> Self {
        if self.0.subject.is_none() {
            self.0.subject = subject.map(|subject| Box::new(subject.clone()));
        }
        self
    }

    pub(crate) fn with_status(mut self, status: u16) -> Self {
        self.0.status = Some(status);
        self
    }

    pub(crate) fn with_retry_after(mut self, retry_after: Option<Duration>) -> Self {
        self.0.retry_after = retry_after;
        self
    }

    pub(crate) fn with_attempts(mut self, attempts: u32) -> Self {
        self.0.attempts = attempts;
        self
    }

    pub(crate) fn with_may_have_executed(mut self, may_have_executed: bool) -> Self {
        self.0.may_have_executed = may_have_executed;
        self
    }

    /// Adds the commands that may have been executed, if any may.
    pub(crate) fn with_unconfirmed(mut self, writes: Vec<(usize, Cow<'static, str>)>) -> Self {
        if self.0.may_have_executed {
            self.0.unconfirmed = writes;
        }
        self
    }

    /// Returns the kind of failure.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// Returns the name of the command that failed, such as `HGET`; `None` if the error does not belong to one command.
    #[must_use]
    pub fn command(&self) -> Option<&str> {
        self.0.command.as_deref()
    }

    /// Returns the name of the model whose record the command was about.
    #[must_use]
    pub fn model(&self) -> Option<&'static str> {
        self.0.subject.as_ref().map(|subject| subject.name)
    }

    /// Returns the key of the record that the command was about, if a model issued the command.
    #[must_use]
    pub fn key(&self) -> Option<&str> {
        self.0.subject.as_ref().map(|subject| subject.key.as_str())
    }

    /// Returns the field of the record that could not be read or written.
    #[must_use]
    pub fn field(&self) -> Option<&str> {
        self.0.field.as_deref()
    }

    /// Returns the id of the record that holds the value, if the error is a `Duplicate`.
    #[must_use]
    pub fn owner(&self) -> Option<&str> {
        self.0.record.as_ref()?.owner.as_deref()
    }

    /// Returns the version that the record has in the database, if the error is a `Conflict` of versions.
    #[must_use]
    pub fn stored_version(&self) -> Option<u64> {
        self.0.record.as_ref()?.stored_version
    }

    /// Returns the position of the operation that failed, counted from 0, if several records were written together.
    #[must_use]
    pub fn operation(&self) -> Option<usize> {
        self.0.record.as_ref()?.operation
    }

    /// Returns the first word of Redis's error text: `ERR`, `WRONGTYPE`, `NOSCRIPT`, `OOM`.
    #[must_use]
    pub fn code(&self) -> Option<&str> {
        if self.0.kind != ErrorKind::Redis && self.0.kind != ErrorKind::Unauthorized {
            return None;
        }
        let word = self.0.message.split(' ').next()?;
        let is_code = !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'_');
        is_code.then_some(word)
    }

    /// Returns the message without the command's name and the source. Of Redis's text, quoted parts
    /// [are cut](Error#what-an-error-contains).
    #[must_use]
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// Returns the HTTP status, if a response came.
    #[must_use]
    pub fn status(&self) -> Option<u16> {
        self.0.status
    }

    /// Returns how long the service asked to wait before the next request.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        self.0.retry_after
    }

    /// Returns how many times the request was attempted; 0 if it was never sent.
    #[must_use]
    pub fn attempts(&self) -> u32 {
        self.0.attempts
    }

    /// Returns whether the database may have changed although the call failed.
    ///
    /// | failure | value |
    /// | --- | --- |
    /// | nothing was sent: `Config`, `InvalidInput`, `Connect`, `Timeout` if no time was left | `false` |
    /// | the server refused the request: `Unauthorized`, `RateLimited`, `Rejected`, `TooLarge` of a request | `false` |
    /// | Redis replied with an error: `Redis` (what a script wrote before it failed remains) | `false` |
    /// | the same in an atomic group, whose other commands were executed | `true` |
    /// | a write without a usable reply: `Timeout`, `Interrupted`, `Unavailable`, `Protocol`, `TooLarge` of a reply | `true` |
    /// | a write with a reply of another type: `Decode` | `true` |
    /// | a read, whatever the failure | `false` |
    ///
    /// A pipeline counts as a write if one of its commands is a write. If the outcome of an earlier attempt at the same
    /// request is unknown, the value remains `true`, however the last attempt ended.
    #[must_use]
    pub fn may_have_executed(&self) -> bool {
        self.0.may_have_executed
    }

    /// Returns the commands of a pipeline, a transaction or a batch that change data and may have been executed, if its
    /// replies were lost: each command's position, counted from 0, and its name. An atomic group is one command.
    ///
    /// Commands run in order: if one of them was executed, so were all before it. A transaction was executed as a whole or
    /// not at all. The iterator is empty for a command on its own, and if none
    /// [may have been executed](Error::may_have_executed).
    ///
    /// ```no_run
    /// # async fn example(redis: redis_rest::Redis) {
    /// use redis_rest::StringCommands;
    ///
    /// if let Err(error) = redis.pipeline().get::<String>("name").incr("hits").exec().await {
    ///     for (position, command) in error.unconfirmed_commands() {
    ///         eprintln!("command {position}, {command}, may have been executed");
    ///     }
    /// }
    /// # }
    /// ```
    pub fn unconfirmed_commands(&self) -> impl Iterator<Item = (usize, &str)> {
        self.0.unconfirmed.iter().map(|(place, name)| (*place, name.as_ref()))
    }

    /// Returns whether the same request can succeed later: a `Connect`, `RateLimited`, `Timeout`, `Interrupted` or
    /// `Unavailable` failure, or a reply of a server that is starting, full, busy or changing its role, such as `LOADING`,
    /// `OOM` or `READONLY`. The request [may have executed](Error::may_have_executed) all the same.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        const PASSING: [&str; 9] =
            ["LOADING", "BUSY", "OOM", "MISCONF", "READONLY", "NOREPLICAS", "MASTERDOWN", "CLUSTERDOWN", "TRYAGAIN"];
        let is_passing = || self.code().is_some_and(|code| PASSING.contains(&code));
        self.0.kind.is_transient() || (self.0.kind == ErrorKind::Redis && is_passing())
    }

    /// Returns whether the same request can succeed later and cannot execute a write twice: a failure that is
    /// [transient](Error::is_transient) and [cannot have executed](Error::may_have_executed) anything.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        self.is_transient() && !self.0.may_have_executed
    }

    /// Returns whether there was no reply within the timeout of an attempt or the deadline of all attempts: `Timeout`.
    #[must_use]
    pub fn is_timeout(&self) -> bool {
        self.0.kind == ErrorKind::Timeout
    }

    /// Returns whether the request never left this machine: `Connect`.
    #[must_use]
    pub fn is_connect(&self) -> bool {
        self.0.kind == ErrorKind::Connect
    }

    /// Returns whether the service answered 429: `RateLimited`.
    #[must_use]
    pub fn is_rate_limited(&self) -> bool {
        self.0.kind == ErrorKind::RateLimited
    }

    /// Returns whether the token was refused: `Unauthorized`, or Redis's own `NOPERM`, `WRONGPASS` and `NOAUTH`.
    #[must_use]
    pub fn is_unauthorized(&self) -> bool {
        self.0.kind == ErrorKind::Unauthorized || matches!(self.code(), Some("NOPERM" | "WRONGPASS" | "NOAUTH"))
    }

    /// Returns whether the key holds another kind of value: Redis's `WRONGTYPE`.
    #[must_use]
    pub fn is_wrong_type(&self) -> bool {
        self.code() == Some("WRONGTYPE")
    }

    /// Returns whether the arguments were refused and nothing was sent: `InvalidInput`.
    #[must_use]
    pub fn is_invalid_input(&self) -> bool {
        self.0.kind == ErrorKind::InvalidInput
    }

    /// Returns whether the reply has another type than the one asked for: `Decode`.
    #[must_use]
    pub fn is_decode(&self) -> bool {
        self.0.kind == ErrorKind::Decode
    }

    /// Returns whether an event or an element cannot be read because its variant is not one of the enum's: another version of
    /// the program may have written it. The kind is `Decode`.
    #[must_use]
    pub fn is_unknown_variant(&self) -> bool {
        self.0.record.as_ref().is_some_and(|record| record.is_unknown_variant)
    }

    /// Returns whether the record to create exists already: `AlreadyExists`.
    #[must_use]
    pub fn is_already_exists(&self) -> bool {
        self.0.kind == ErrorKind::AlreadyExists
    }

    /// Returns whether the record to change does not exist, or a pending entry of a stream was removed: `NotFound`.
    #[must_use]
    pub fn is_not_found(&self) -> bool {
        self.0.kind == ErrorKind::NotFound
    }

    /// Returns whether the record has changed since it was loaded, or a condition of the write does not hold: `Conflict`.
    ///
    /// | cause | [`field`](Error::field) | [`stored_version`](Error::stored_version) |
    /// | --- | --- | --- |
    /// | the record has another version | that of the version | `Some` |
    /// | the record was deleted since it was loaded | that of the version | `None` |
    /// | a field does not have the value of a condition | that field | `None` |
    /// | the result of an increment does not fit its field, or a text its index | that field | `None` |
    #[must_use]
    pub fn is_conflict(&self) -> bool {
        self.0.kind == ErrorKind::Conflict
    }

    /// Returns whether another record holds a unique value: `Duplicate`. [`field`](Error::field) names the field, or the fields
    /// of a compound index (`tenant+email`), and
    /// [`owner`](Error::owner) the record.
    #[must_use]
    pub fn is_duplicate(&self) -> bool {
        self.0.kind == ErrorKind::Duplicate
    }

    /// Returns whether the indexes of the model are incomplete, or of another version of the model: `Index`.
    #[must_use]
    pub fn is_index(&self) -> bool {
        self.0.kind == ErrorKind::Index
    }

    /// Returns whether a reader of a stream has missed entries, or may have: they were trimmed before it has read them, or the
    /// stream was deleted: `Lagged`.
    #[must_use]
    pub fn is_lagged(&self) -> bool {
        self.0.kind == ErrorKind::Lagged
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.0.command, &self.0.subject) {
            (Some(command), Some(subject)) => write!(f, "{command} for {} at {:?}: ", subject.name, subject.shown())?,
            (Some(command), None) => write!(f, "{command}: ")?,
            (None, Some(subject)) => write!(f, "{} at {:?}: ", subject.name, subject.shown())?,
            (None, None) => {}
        }
        if let Some(context) = &self.0.context {
            write!(f, "{context}: ")?;
        }
        if let Some(field) = &self.0.field {
            write!(f, "field {field:?}: ")?;
        }
        f.write_str(&self.0.message)?;
        match self.0.kind {
            ErrorKind::InvalidInput => f.write_str("; nothing was sent")?,
            // The command that Redis refused was not executed, but others of its request may have been.
            ErrorKind::Redis if self.0.may_have_executed && self.0.attempts <= 1 => {
                f.write_str("; other commands of the request may have been executed")?;
            }
            _ if self.0.may_have_executed => f.write_str("; the write may have been executed")?,
            _ => {}
        }
        if self.0.attempts > 1 {
            write!(f, " (tried {} times)", self.0.attempts)?;
        }
        Ok(())
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let inner = &self.0;
        let mut debug = f.debug_struct("Error");
        debug.field("kind", &inner.kind).field("message", &inner.message);
        if let Some(command) = &inner.command {
            debug.field("command", command);
        }
        if let Some(subject) = &inner.subject {
            debug.field("model", &subject.name).field("key", &subject.shown());
        }
        if let Some(context) = &inner.context {
            debug.field("context", context);
        }
        if let Some(field) = &inner.field {
            debug.field("field", field);
        }
        if let Some(status) = &inner.status {
            debug.field("status", status);
        }
        if let Some(retry_after) = &inner.retry_after {
            debug.field("retry_after", retry_after);
        }
        debug.field("may_have_executed", &inner.may_have_executed).field("attempts", &inner.attempts);
        if let Some(source) = &inner.source {
            // Some errors of the standard library show in `Debug` what they hide in `Display`.
            let mut causes = source.to_string();
            let mut next = source.source();
            for _ in 1..MAX_CAUSES {
                let Some(cause) = next else { break };
                let _ = write!(causes, ": {cause}");
                next = cause.source();
            }
            debug.field("source", &format_args!("{causes:?}"));
        }
        debug.finish()
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.0.source.as_deref().map(|source| source as _)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn code_is_the_first_word_in_capitals_of_a_server_error() {
        assert_eq!(Error::redis("WRONGTYPE Operation against a key").code(), Some("WRONGTYPE"));
        assert_eq!(Error::redis("oops").code(), None);
        assert_eq!(Error::protocol("ERR no reply").code(), None);
    }

    #[test]
    fn a_long_key_is_shortened() {
        let error = Error::new(ErrorKind::NotFound, "missing").about("User", "k".repeat(8000));
        assert_eq!(error.to_string(), format!("User at \"{}..\": missing", "k".repeat(64)));
        assert!(format!("{error:?}").len() < 200 && error.key().is_some_and(|key| key.len() == 8000));
    }

    #[test]
    fn a_source_shows_no_value() {
        let bytes = String::from_utf8(b"hunter2\xff".to_vec()).unwrap_err();
        let json = serde_json::from_str::<u8>("\"hunter2\"").unwrap_err();
        for error in [Error::protocol("").with_source(bytes), Error::protocol("").with_source(json)] {
            let source = error.source().map(|source| format!("{source}")).unwrap_or_default();
            assert!(!source.is_empty() && !format!("{error} {error:?} {source}").contains("hunter2"), "{error:?}");
        }
    }

    #[test]
    fn an_error_is_one_pointer_wide() {
        assert_eq!(size_of::<Error>(), size_of::<usize>());
    }
}
