//! Errors about a field that does not exist, or whose text does not fit its type.

use std::any::type_name;
use std::borrow::Cow;
use std::fmt;
use std::str::Utf8Error;

use redis_rest::{Arg, Error, ErrorKind};

/// The error of [`Field::decode`](crate::Field::decode): a text is not a value of the type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mismatch {
    /// What was expected. With `None`, errors name the type instead.
    pub expected: Option<Cow<'static, str>>,
}

impl Mismatch {
    /// A mismatch whose error names the type: `expected u8`.
    pub const TYPE: Mismatch = Mismatch { expected: None };

    /// Creates a mismatch whose error says `expected {what}`.
    pub fn expected(what: impl Into<Cow<'static, str>>) -> Self {
        Mismatch { expected: Some(what.into()) }
    }
}

impl std::error::Error for Mismatch {}

impl fmt::Display for Mismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.expected.as_deref().unwrap_or("not a value of this type"))
    }
}

/// Why a codec of this crate cannot read a text. It quotes nothing of the text.
#[derive(Debug)]
pub struct Reason(String);

impl Reason {
    pub(crate) fn of(error: impl fmt::Display) -> Self {
        let mut text = without_quotes(&error.to_string());
        // A type can put a whole value into its message, without quotes.
        if let Some((end, _)) = text.char_indices().nth(MAX_REASON) {
            text.truncate(end);
            text.push_str("..");
        }
        Reason(text)
    }
}

impl std::error::Error for Reason {}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Cuts what the message of an error quotes, because it may quote a long value: `invalid type: string "secret", expected
/// u64`. The part after `, expected` names the type, and remains. So do up to three quoted characters, which are not secret.
///
/// The error may come from any codec or `FromStr`. `redis_rest` has a stricter rule for the errors of serde alone, because
/// its messages, unlike those about a field, show nothing of the value.
fn without_quotes(message: &str) -> String {
    const NAMES: [&str; 2] = ["missing field `", "duplicate field `"];
    if NAMES.iter().any(|names| message.starts_with(names)) {
        return message.to_owned();
    }
    let (found, expected) =
        message.rfind(", expected ").and_then(|at| message.split_at_checked(at)).unwrap_or((message, ""));
    let is_quote = |c: char| matches!(c, '"' | '`' | '\'');
    match (found.find(is_quote), found.rfind(is_quote)) {
        (Some(first), Some(last)) if found.get(first..last).is_some_and(|quoted| quoted.chars().count() > 4) => {
            let (before, after) = (found.get(..first), found.get(last + 1..));
            format!("{}`..`{}{expected}", before.unwrap_or_default(), after.unwrap_or_default())
        }
        _ => message.to_owned(),
    }
}

/// The maximum number of characters of a codec's own message in an error.
const MAX_REASON: usize = 128;

/// The maximum number of characters of a text in an error.
const MAX_EXCERPT: usize = 32;

#[cold]
pub(crate) fn missing<T>(name: &'static str) -> Error {
    let message = format!(
        "missing; expected {}. If the field is optional, make it an `Option` or give it a `default`",
        short_name::<T>()
    );
    Error::new(ErrorKind::Decode, message).with_field(name)
}

#[cold]
pub(crate) fn missing_id<T>(name: &'static str) -> Error {
    let message = format!(
        "missing; expected {}. A record has its id as a field too: write the record with `save` or `insert`, or add the field",
        short_name::<T>()
    );
    Error::new(ErrorKind::Decode, message).with_field(name)
}

#[cold]
pub(crate) fn not_indexable(name: &'static str, why: &str) -> Error {
    Error::new(ErrorKind::InvalidInput, format!("the value cannot be in an index: it {why}")).with_field(name)
}

#[cold]
pub(crate) fn mismatch<T>(text: &str, source: Box<dyn std::error::Error + Send + Sync>) -> Error {
    let found = excerpt(text);
    match source.downcast_ref::<Mismatch>() {
        Some(Mismatch { expected: Some(expected) }) => {
            Error::new(ErrorKind::Decode, format!("expected {expected}, found {found}"))
        }
        Some(_) => Error::new(ErrorKind::Decode, format!("expected {}, found {found}", short_name::<T>())),
        None => {
            let reason = without_quotes(&source.to_string());
            let message = format!("expected {}, found {found}: {reason}", short_name::<T>());
            let error = Error::new(ErrorKind::Decode, message);
            if source.is::<Reason>() { error } else { error.with_source(source) }
        }
    }
}

#[cold]
pub(crate) fn not_utf8<T>(bytes: &[u8], error: Utf8Error) -> Error {
    let message = format!("expected {}, found {} bytes that are not UTF-8", short_name::<T>(), bytes.len());
    Error::new(ErrorKind::Decode, message).with_source(error)
}

#[cold]
pub(crate) fn not_encodable<T>(name: &'static str, source: Box<dyn std::error::Error + Send + Sync>) -> Error {
    let message = format!("the {} cannot be encoded: {}", short_name::<T>(), Reason::of(&source));
    Error::new(ErrorKind::InvalidInput, message).with_field(name).with_source(source)
}

/// Returns the argument whose command fails with the message of `error`, which adds that nothing was sent.
#[cold]
pub(crate) fn invalid_arg(error: &Error) -> Arg<'static> {
    Arg::Invalid(match error.field() {
        Some(field) => format!("field {field:?}: {}", error.message()).into(),
        None => error.message().to_owned().into(),
    })
}

#[cold]
pub(crate) fn duplicate_field(name: &'static str) -> Error {
    let message = "the field is there twice, so its value is not certain; write each field once";
    Error::new(ErrorKind::Decode, message).with_field(name)
}

#[cold]
pub(crate) fn unknown_variant(tag: &'static str, found: &str, known: &str) -> Error {
    let message = format!("expected one of {known}, found {}", excerpt(found));
    Error::new(ErrorKind::Decode, message).with_field(tag).of_unknown_variant()
}

/// Returns the start of a text, for errors.
pub(crate) fn excerpt(text: &str) -> String {
    match text.char_indices().nth(MAX_EXCERPT) {
        None => format!("{text:?}"),
        Some((end, _)) => format!("{:?} and {} more bytes", text.get(..end).unwrap_or_default(), text.len() - end),
    }
}

/// Returns the name of a type without paths: `Option<String>`.
pub(crate) fn short_name<T>() -> String {
    let full = type_name::<T>();
    let mut short = String::with_capacity(full.len());
    for segment in full.split_inclusive(['<', '>', ',', ' ', '(', ')', '[', ']', '&', ';']) {
        short.push_str(segment.rsplit("::").next().unwrap_or(segment));
    }
    short
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_are_named_without_their_paths() {
        assert_eq!(short_name::<Option<String>>(), "Option<String>");
        assert_eq!(short_name::<(u8, Vec<std::net::IpAddr>)>(), "(u8, Vec<IpAddr>)");
    }

    #[test]
    fn reasons_quote_nothing() {
        let reason = |message| Reason::of(message).to_string();
        assert_eq!(
            reason("invalid type: string \"it's \\\"secret\\\", expected `x`\", expected u64 at line 1 column 9"),
            "invalid type: string `..`, expected u64 at line 1 column 9"
        );
        assert_eq!(
            reason("unknown variant `secret`, expected `A` or `B`"),
            "unknown variant `..`, expected `A` or `B`"
        );
        assert_eq!(reason("missing field `dark` at line 1 column 2"), "missing field `dark` at line 1 column 2");
        assert_eq!(
            reason("EOF while parsing a value at line 1 column 0"),
            "EOF while parsing a value at line 1 column 0"
        );
    }

    #[test]
    fn long_texts_are_cut() {
        let whole = "é".repeat(MAX_REASON);
        assert_eq!(Reason::of(format!("{whole}secret")).to_string(), format!("{whole}.."));
        assert_eq!(Reason::of(&whole).to_string(), whole);
        assert_eq!(excerpt("12x"), "\"12x\"");
        assert_eq!(excerpt(&"é".repeat(40)), format!("{:?} and 16 more bytes", "é".repeat(32)));
    }
}
