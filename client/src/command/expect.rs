//! What a command expects: how its replies are decoded, and what its errors say.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use super::attempts::Attempts;
use super::exactly_once;
use super::idempotency::Idempotency;
use crate::error::{Error, ErrorKind, Result, Subject};
use crate::reply::{Replies, Reply, Shape};

/// How to decode the replies to a command, and what its errors say.
pub struct Expect<R> {
    pub(super) name: Cow<'static, str>,
    pub(super) idempotency: Idempotency,
    /// The number of commands on the wire: 1, or that of a group.
    pub(super) parts: usize,
    /// Whether the commands of a group are a transaction.
    pub(super) atomic: bool,
    pub(super) execution: Execution,
    pub(super) decode: Decode<R>,
    pub(super) subject: Option<Box<Subject>>,
    pub(super) field: Option<&'static str>,
    /// What the errors of the command become.
    pub(super) explain: Option<fn(Error) -> Error>,
}

/// How the commands get to the server, if nothing else is in the request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Execution {
    /// As they are.
    Plain,
    /// In a script that executes them once, if the client may repeat the request.
    OnceIfAlone,
    /// In that script, which returns all replies in one.
    InScript,
}

pub(super) enum Decode<R> {
    One(fn(Reply<'_>) -> Result<R>),
    /// Takes the key that the command is about, too.
    OfKey(fn(Reply<'_>, &str) -> Result<R>),
    Group(fn(Replies<'_>) -> Result<R>),
    /// Decodes by what it has captured.
    With(Arc<DecodeWith<R>>),
}

pub(super) type DecodeWith<R> = dyn Fn(Replies<'_>, &str) -> Result<R> + Send + Sync;

impl<R> Decode<R> {
    /// Decodes the replies to a command that is about `key`.
    pub(super) fn run(&self, mut replies: Replies<'_>, key: &str) -> Result<R> {
        match self {
            Decode::One(decode) => replies.expect_next().and_then(decode),
            Decode::OfKey(decode) => replies.expect_next().and_then(|reply| decode(reply, key)),
            Decode::Group(decode) => decode(replies),
            Decode::With(decode) => decode(replies, key),
        }
    }
}

impl<R> Clone for Decode<R> {
    fn clone(&self) -> Self {
        match self {
            Decode::One(decode) => Decode::One(*decode),
            Decode::OfKey(decode) => Decode::OfKey(*decode),
            Decode::Group(decode) => Decode::Group(*decode),
            Decode::With(decode) => Decode::With(Arc::clone(decode)),
        }
    }
}

impl<R> Expect<R> {
    pub(crate) fn name(&self) -> &Cow<'static, str> {
        &self.name
    }

    /// The number of replies in the response.
    pub(crate) fn parts(&self) -> usize {
        if self.execution == Execution::InScript { 1 } else { self.parts }
    }

    pub(crate) fn is_atomic(&self) -> bool {
        self.atomic
    }

    pub(crate) fn idempotency(&self) -> Idempotency {
        self.idempotency
    }

    /// Takes the replies to this command off the front of `replies` and decodes them.
    pub(crate) fn decode(&self, replies: &mut Replies<'_>, attempts: Attempts) -> Result<R> {
        let own = replies.split(self.parts());
        if self.idempotency == Idempotency::Once {
            return self.decode_outcome(own, attempts);
        }
        self.decode_parts(own, attempts)
    }

    /// Decodes the outcome that the server keeps, whichever attempt caused it.
    fn decode_outcome(&self, mut own: Replies<'_>, attempts: Attempts) -> Result<R> {
        if own.clone().any(|reply| matches!(reply.shape(), Shape::Error(_))) {
            // An error of the script itself, which it did not keep.
            return self.decode_parts(own, attempts);
        }
        let attempts = attempts.and_settled();
        if self.execution != Execution::InScript {
            return self.decode_parts(own, attempts);
        }
        match own.expect_next().and_then(exactly_once::replies_in) {
            Ok(tape) => {
                let replies = Reply::root(&tape).array();
                replies.and_then(|inner| self.decode_parts(inner, attempts))
            }
            Err(error) => Err(attempts.record_in(self.blame(error), self.idempotency)),
        }
    }

    fn decode_parts(&self, own: Replies<'_>, attempts: Attempts) -> Result<R> {
        let key = self.subject.as_ref().map_or("", |subject| subject.key.as_str());
        self.decode.run(own, key).map_err(|error| {
            // If Redis refused one command of a group, the others were executed.
            let others_executed = self.parts > 1 && error.kind() == ErrorKind::Redis && own.any_executed();
            let attempts = if others_executed { attempts.assume_executed() } else { attempts };
            let error =
                if self.execution == Execution::InScript { exactly_once::without_imprecise(error) } else { error };
            attempts.record_in(self.blame(error), self.idempotency)
        })
    }

    /// Names this command, and the record it is about, in `error`.
    #[cold]
    pub(crate) fn blame(&self, error: Error) -> Error {
        let error = match self.explain {
            Some(explain) => explain(error),
            None => error,
        };
        let error = error.with_command(self.name.clone()).with_subject(self.subject.as_deref());
        match self.field {
            Some(field) => error.with_field(field),
            None => error,
        }
    }
}

impl<R> Clone for Expect<R> {
    fn clone(&self) -> Self {
        Expect { name: self.name.clone(), decode: self.decode.clone(), subject: self.subject.clone(), ..*self }
    }
}

impl<R> fmt::Debug for Expect<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Expect").field("command", &self.name).finish_non_exhaustive()
    }
}
