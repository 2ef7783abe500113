//! The one error type.

use std::borrow::Cow;
use std::error::Error as StdError;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// `Result` with this crate's [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why a request failed.
///
/// An error knows what kind of failure it was ([`kind`](Error::kind)), which command failed
/// ([`command`](Error::command)), and whether the database may have changed
/// ([`may_have_executed`](Error::may_have_executed)). No message carries the token or an
/// argument's value.
///
/// ```
/// # use redis_rest::{Build, ErrorKind, HashCommands};
/// let error = Build.hdel("key", [] as [&str; 0]).validate().unwrap_err();
/// assert_eq!(error.kind(), ErrorKind::InvalidInput);
/// assert_eq!(error.to_string(), "HDEL: needs at least one field; nothing was sent");
/// ```
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
}

/// What a command is about, for error messages: a model's name and the key of its record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Subject {
    pub(crate) name: &'static str,
    pub(crate) key: String,
}

/// What kind of failure an [`Error`] is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The client could not be built: a missing or malformed URL or token, plain HTTP to another host.
    Config,
    /// The arguments cannot make a valid command. Nothing was sent.
    InvalidInput,
    /// No connection: the request never left this machine.
    Connect,
    /// No reply in time.
    Timeout,
    /// The connection broke after the request, or a part of it, had been sent.
    Interrupted,
    /// 401 or 403: the token is wrong, missing, or may not do this.
    Unauthorized,
    /// 429: too many requests; see [`Error::retry_after`].
    RateLimited,
    /// The request is larger than the service allows, or the reply than the client reads.
    TooLarge,
    /// The request was refused, and not executed, by a status that the API does not document: 404, a redirect. Is the
    /// URL right?
    Rejected,
    /// Redis replied with an error; see [`Error::code`].
    Redis,
    /// The service, or a proxy before it, failed: a 5xx.
    Unavailable,
    /// The reply is not what the API documents: not JSON, cut short, the wrong number of replies.
    Protocol,
    /// The reply is well-formed, but not of the type that was asked for.
    Decode,
    /// The record to be created is there already.
    AlreadyExists,
    /// The record to be changed is not there.
    NotFound,
}

impl ErrorKind {
    /// Whether the same request can succeed at another time.
    pub(crate) fn is_transient(self) -> bool {
        matches!(self, Self::Connect | Self::RateLimited | Self::Timeout | Self::Interrupted | Self::Unavailable)
    }
}

impl Error {
    /// An error of a layer above this client, for instance a codec of your own.
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
        }))
    }

    /// The same error with what caused it.
    #[must_use]
    pub fn with_source(mut self, source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        self.0.source = Some(source.into().into());
        self
    }

    /// The same error, saying which field of a record it is about.
    #[must_use]
    pub fn with_field(mut self, field: impl Into<Cow<'static, str>>) -> Self {
        self.0.field.get_or_insert_with(|| field.into());
        self
    }

    /// The same error, saying what within the reply or the record it is about: `entry 5-0`.
    #[must_use]
    pub fn context(mut self, what: impl Into<Cow<'static, str>>) -> Self {
        self.0.context.get_or_insert_with(|| what.into());
        self
    }

    /// The same error, saying whose record it is about.
    #[must_use]
    pub fn about(self, model: &'static str, key: impl Into<String>) -> Self {
        self.with_subject(Some(&Subject { name: model, key: key.into() }))
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

    /// An error with Redis's own text, without the part that repeats the caller's arguments.
    pub(crate) fn of_redis(kind: ErrorKind, text: &str) -> Self {
        let text = text.split(", with args beginning with:").next().unwrap_or(text);
        Error::new(kind, text.trim_end().to_owned())
    }

    pub(crate) fn redis(text: &str) -> Self {
        Error::of_redis(ErrorKind::Redis, text)
    }

    /// Whether a request that failed like this may have been executed all the same.
    pub(crate) fn is_uncertain(&self) -> bool {
        match self.0.kind {
            ErrorKind::Timeout
            | ErrorKind::Interrupted
            | ErrorKind::Unavailable
            | ErrorKind::Protocol
            | ErrorKind::Decode => true,
            // A reply that is too large has been made; a request that is too large was refused, with a status.
            ErrorKind::TooLarge => self.0.status.is_none(),
            _ => false,
        }
    }

    pub(crate) fn with_command(mut self, name: Cow<'static, str>) -> Self {
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

    /// Says which commands may have been executed, if any may.
    pub(crate) fn with_unconfirmed(mut self, writes: Vec<(usize, Cow<'static, str>)>) -> Self {
        if self.0.may_have_executed {
            self.0.unconfirmed = writes;
        }
        self
    }

    /// What kind of failure this is.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// The name of the command that failed, `HGET`. `None` when no single command is to blame.
    #[must_use]
    pub fn command(&self) -> Option<&str> {
        self.0.command.as_deref()
    }

    /// The name of the model whose record the command was about.
    #[must_use]
    pub fn model(&self) -> Option<&'static str> {
        self.0.subject.as_ref().map(|subject| subject.name)
    }

    /// The key of the record that the command was about, where a model issued it.
    #[must_use]
    pub fn key(&self) -> Option<&str> {
        self.0.subject.as_ref().map(|subject| subject.key.as_str())
    }

    /// The field of the record that does not fit, where a model is read.
    #[must_use]
    pub fn field(&self) -> Option<&str> {
        self.0.field.as_deref()
    }

    /// The first word of Redis's error text: `ERR`, `WRONGTYPE`, `NOSCRIPT`, `OOM`.
    #[must_use]
    pub fn code(&self) -> Option<&str> {
        if self.0.kind != ErrorKind::Redis && self.0.kind != ErrorKind::Unauthorized {
            return None;
        }
        let word = self.0.message.split(' ').next()?;
        let is_code = !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'_');
        is_code.then_some(word)
    }

    /// The message without the command's name and the source.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// The HTTP status, if a reply came.
    #[must_use]
    pub fn status(&self) -> Option<u16> {
        self.0.status
    }

    /// How long the service asked to wait before the next request.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        self.0.retry_after
    }

    /// How many times the request was tried; 0 when it was never tried.
    #[must_use]
    pub fn attempts(&self) -> u32 {
        self.0.attempts
    }

    /// Whether the database may have changed although the call failed.
    ///
    /// | failure | answer |
    /// | --- | --- |
    /// | nothing was sent: `Config`, `InvalidInput`, `Connect` | `false` |
    /// | refused before execution: `Unauthorized`, `RateLimited`, `Rejected`, `TooLarge` of a request | `false` |
    /// | Redis replied with an error: `Redis` (what a script wrote before it failed stays) | `false` |
    /// | the same in an atomic group, whose other commands were executed | `true` |
    /// | a write without a usable reply: `Timeout`, `Interrupted`, `Unavailable`, `Protocol`, `TooLarge` of a reply | `true` |
    /// | a write with a reply of another type: `Decode` | `true` |
    /// | a read, whatever happened | `false` |
    ///
    /// A pipeline is a write as soon as one of its commands is. When an earlier attempt at the same request failed
    /// uncertainly, the answer stays `true`, however the last attempt ended.
    #[must_use]
    pub fn may_have_executed(&self) -> bool {
        self.0.may_have_executed
    }

    /// Of a pipeline, a transaction or a batch whose replies were lost: the commands that change data and may have been
    /// executed, each by its place among them, from 0, and its name. Empty for a command alone, and where none
    /// [may have been executed](Error::may_have_executed). The commands before one that was executed were executed too; of
    /// a transaction all were, or none.
    ///
    /// ```no_run
    /// # async fn example(redis: redis_rest::Redis) {
    /// use redis_rest::StringCommands;
    ///
    /// if let Err(error) = redis.pipeline().get::<String>("name").incr("hits").exec().await {
    ///     for (place, command) in error.unconfirmed_commands() {
    ///         eprintln!("command {place}, {command}, may have been executed");
    ///     }
    /// }
    /// # }
    /// ```
    pub fn unconfirmed_commands(&self) -> impl Iterator<Item = (usize, &str)> {
        self.0.unconfirmed.iter().map(|(place, name)| (*place, name.as_ref()))
    }

    /// Whether sending the same request again later can succeed and cannot execute a write twice: a `Connect`,
    /// `RateLimited`, `Timeout`, `Interrupted` or `Unavailable` failure that
    /// [cannot have executed](Error::may_have_executed) anything.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        self.0.kind.is_transient() && !self.0.may_have_executed
    }

    /// `Timeout`: no reply within the attempt's timeout or the total deadline.
    #[must_use]
    pub fn is_timeout(&self) -> bool {
        self.0.kind == ErrorKind::Timeout
    }

    /// `Connect`: the request never left this machine.
    #[must_use]
    pub fn is_connect(&self) -> bool {
        self.0.kind == ErrorKind::Connect
    }

    /// `RateLimited`: the service answered 429.
    #[must_use]
    pub fn is_rate_limited(&self) -> bool {
        self.0.kind == ErrorKind::RateLimited
    }

    /// `Unauthorized`, or Redis's own `NOPERM`, `WRONGPASS` and `NOAUTH`.
    #[must_use]
    pub fn is_unauthorized(&self) -> bool {
        self.0.kind == ErrorKind::Unauthorized || matches!(self.code(), Some("NOPERM" | "WRONGPASS" | "NOAUTH"))
    }

    /// Redis's `WRONGTYPE`: the key holds another kind of value.
    #[must_use]
    pub fn is_wrong_type(&self) -> bool {
        self.code() == Some("WRONGTYPE")
    }

    /// `InvalidInput`: the arguments were refused and nothing was sent.
    #[must_use]
    pub fn is_invalid_input(&self) -> bool {
        self.0.kind == ErrorKind::InvalidInput
    }

    /// `Decode`: the reply has another type than the one asked for.
    #[must_use]
    pub fn is_decode(&self) -> bool {
        self.0.kind == ErrorKind::Decode
    }

    /// `AlreadyExists`: a record was to be created and is there.
    #[must_use]
    pub fn is_already_exists(&self) -> bool {
        self.0.kind == ErrorKind::AlreadyExists
    }

    /// `NotFound`: a record was to be changed and is not there.
    #[must_use]
    pub fn is_not_found(&self) -> bool {
        self.0.kind == ErrorKind::NotFound
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.0.command, &self.0.subject) {
            (Some(command), Some(subject)) => write!(f, "{command} for {} at {:?}: ", subject.name, subject.key)?,
            (Some(command), None) => write!(f, "{command}: ")?,
            (None, Some(subject)) => write!(f, "{} at {:?}: ", subject.name, subject.key)?,
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
            debug.field("model", &subject.name).field("key", &subject.key);
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
            debug.field("source", source);
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
    fn arguments_that_redis_repeats_are_cut_from_its_message() {
        let error = Error::redis("ERR unknown command 'FOO', with args beginning with: 'hunter2' ");
        assert_eq!(error.to_string(), "ERR unknown command 'FOO'");
    }

    #[test]
    fn an_error_is_one_pointer_wide() {
        assert_eq!(size_of::<Error>(), size_of::<usize>());
    }
}
