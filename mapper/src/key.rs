//! Keys: the prefix of a model, the separator, and the part that identifies one record, list or log.

use std::borrow::Cow;
use std::num::{NonZeroI32, NonZeroI64, NonZeroU32, NonZeroU64};

use redis_rest::{Command, Error, ErrorKind, Result};

/// Separates the parts of a key.
pub(crate) const SEPARATOR: char = ':';

/// The part of a key that identifies one list or log of a model: text, an integer, and with their features `Uuid` and
/// `Ulid`.
///
/// A part must not be empty, must not contain `:`, and must not make a key of more than 32 KB. A command with such a part fails
/// before anything is sent.
///
/// ```no_run
/// use redis_model::prelude::*;
///
/// #[derive(Debug, RedisModel)]
/// #[redis(list, prefix = "inbox")]
/// struct Message {
///     body: String,
/// }
///
/// assert_eq!(Message::list(42).key(), "inbox:42");
/// assert_eq!(Message::list("ada").key(), "inbox:ada");
///
/// # async fn example(redis: Redis) -> Result<()> {
/// let error = Message::list("a:b").len(&redis).await.unwrap_err();
/// assert!(error.is_invalid_input());
/// # Ok(())
/// # }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be part of a key",
    note = "text and integers can; so can `Uuid` and `Ulid`, with the features `uuid` and `ulid`"
)]
pub trait KeyPart {
    /// Returns the part of the key.
    fn to_key_part(&self) -> Cow<'_, str>;
}

impl KeyPart for str {
    fn to_key_part(&self) -> Cow<'_, str> {
        Cow::Borrowed(self)
    }
}

impl KeyPart for String {
    fn to_key_part(&self) -> Cow<'_, str> {
        Cow::Borrowed(self)
    }
}

impl<T: KeyPart + ?Sized> KeyPart for &T {
    fn to_key_part(&self) -> Cow<'_, str> {
        (**self).to_key_part()
    }
}

macro_rules! key_parts {
    ($($(#[$gate:meta])? $type:ty),*) => {$(
        $(#[$gate])?
        impl KeyPart for $type {
            fn to_key_part(&self) -> Cow<'_, str> {
                Cow::Owned(self.to_string())
            }
        }
    )*};
}

key_parts! {
    i8, i16, i32, i64, i128, isize, u8, u16, u32, u64, u128, usize, NonZeroI32, NonZeroI64, NonZeroU32, NonZeroU64,
    #[cfg(feature = "uuid")] uuid::Uuid,
    #[cfg(feature = "ulid")] ulid::Ulid
}

/// The key of a record, a list or a log. A malformed key is not an error yet: the command that uses it fails before it
/// is sent.
#[derive(Debug, Clone)]
pub(crate) struct Key {
    model: &'static str,
    text: String,
    problem: Option<&'static str>,
}

/// The longest key that the hosted service takes, in bytes.
pub(crate) const MAX_KEY: usize = 32 * 1024;

impl Key {
    pub(crate) fn new(model: &'static str, prefix: &str, part: &str) -> Self {
        let problem = if part.is_empty() {
            Some("the part of the key after the prefix is empty; use an id of at least one character")
        } else if part.contains(SEPARATOR) {
            Some(
                "the part of the key after the prefix contains `:`, which separates the parts of a key; use another character",
            )
        } else if prefix.len() + 1 + part.len() > MAX_KEY {
            Some("the key is longer than 32 KB, the most that the hosted service takes; use a shorter id")
        } else {
            None
        };
        Key { model, text: format!("{prefix}{SEPARATOR}{part}"), problem }
    }

    /// Returns the name of the model.
    pub(crate) fn model(&self) -> &'static str {
        self.model
    }

    /// Returns the part before the last separator: no id contains one.
    pub(crate) fn prefix(&self) -> &str {
        self.text.rsplit_once(SEPARATOR).map_or("", |(prefix, _)| prefix)
    }

    /// Returns the key of what belongs to a record, a list or a log: `order-events:17::snapshot`. No id contains `::`.
    pub(crate) fn beside(&self, name: &str) -> Key {
        Key { model: self.model, text: format!("{}{SEPARATOR}{SEPARATOR}{name}", self.text), problem: self.problem }
    }

    /// Returns the key of what belongs to a model: `order-events::category`.
    pub(crate) fn of_model(model: &'static str, prefix: &str, name: &str) -> Key {
        Key { model, text: format!("{prefix}{SEPARATOR}{SEPARATOR}{name}"), problem: None }
    }

    /// Returns the part after the last separator: the id, in the key of a record, a list or a log.
    pub(crate) fn part(&self) -> &str {
        self.text.rsplit_once(SEPARATOR).map_or("", |(_, part)| part)
    }

    /// Returns why the key is malformed.
    pub(crate) fn problem(&self) -> Option<&'static str> {
        self.problem
    }

    /// Returns the key, whether or not it is well-formed.
    pub(crate) fn as_str(&self) -> &str {
        &self.text
    }

    /// Returns the key if it is well-formed.
    pub(crate) fn checked(self) -> Result<String> {
        match self.problem {
            None => Ok(self.text),
            Some(why) => Err(Error::new(ErrorKind::InvalidInput, why).about(self.model, self.text)),
        }
    }

    /// Adds the key to `command`, as its next argument.
    pub(crate) fn push_to<R>(&self, command: Command<R>) -> Command<R> {
        self.check(command.key(&self.text))
    }

    /// Names the model and the key in the errors of `command`, and makes it fail if the key is malformed.
    pub(crate) fn check<R>(&self, command: Command<R>) -> Command<R> {
        let command = command.about(self.model, self.text.as_str());
        match self.problem {
            Some(why) => command.reject(why),
            None => command,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_prefix_and_part() {
        let key = |part| Key::new("User", "user", part).checked();
        assert_eq!(key("42").unwrap(), "user:42");
        assert!(key("").unwrap_err().message().contains("empty"));
        assert!(key("unique:email").unwrap_err().message().contains("separates"));
        assert!(key(&"x".repeat(MAX_KEY)).unwrap_err().message().contains("32 KB"));
    }
}
