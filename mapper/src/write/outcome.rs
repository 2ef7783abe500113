//! What the scripts answer: the outcome of each operation, or why none was executed.

use std::borrow::Cow;
use std::fmt;

use redis_rest::commands::stream::StreamId;
use redis_rest::{Error, ErrorKind, Reply, Result};

use crate::evolution::SCHEMA_FIELD;
use crate::index::{Layout, state};
use crate::mismatch::excerpt;

/// The outcome of one operation.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[doc(hidden)]
pub struct Outcome {
    /// A full write has created the record; a deletion or a purge has removed something; `Lifetime::Persist` has removed a
    /// time to live.
    pub(crate) happened: bool,
    /// The version that is stored now.
    pub(crate) version: Option<u64>,
    /// The fields that were asked for, and their texts.
    pub(crate) fields: Vec<(Vec<u8>, Option<Vec<u8>>)>,
    /// The ids of the entries that an append has added.
    pub(crate) ids: Vec<StreamId>,
}

/// The source of the error about a record that is in no index, because another program has written it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct NoRow;

impl std::error::Error for NoRow {}

impl fmt::Display for NoRow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the record has no row")
    }
}

impl NoRow {
    /// Returns whether the error is about such a record.
    pub(crate) fn is_why(error: &Error) -> bool {
        std::error::Error::source(error).and_then(|source| source.downcast_ref::<NoRow>()).is_some()
    }
}

/// The source of the error about an entry of a stream that is not pending with the consumer any more.
#[derive(Debug, Clone, Copy)]
struct Fenced;

impl std::error::Error for Fenced {}

impl fmt::Display for Fenced {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the entry is not pending with this consumer")
    }
}

/// Returns whether nothing was written because the entry is not pending with the consumer any more.
pub(crate) fn is_fenced(error: &Error) -> bool {
    std::error::Error::source(error).and_then(|source| source.downcast_ref::<Fenced>()).is_some()
}

impl Outcome {
    /// Decodes the reply of a script to one operation.
    pub(crate) fn of(reply: Reply<'_>) -> Result<Outcome> {
        first(decode_lone(reply)?)
    }
}

/// Returns the outcome of the only operation.
pub(super) fn first(outcomes: Vec<Outcome>) -> Result<Outcome> {
    outcomes.into_iter().next().ok_or_else(malformed)
}

/// Decodes the reply of a script to an operation, and to others that prepare it. Its errors name none of them.
pub(super) fn decode_lone(reply: Reply<'_>) -> Result<Vec<Outcome>> {
    read(reply, false)
}

/// Decodes the reply of a script to several operations. Its errors name the operation and its record.
pub(super) fn decode(reply: Reply<'_>) -> Result<Vec<Outcome>> {
    read(reply, true)
}

fn read(reply: Reply<'_>, names_operation: bool) -> Result<Vec<Outcome>> {
    let mut texts = Netstrings(reply.bytes()?);
    match texts.text()?.as_deref() {
        Some(b"ok") => {}
        Some(b"refused") => return Err(refusal(&mut texts, names_operation)?),
        _ => return Err(malformed()),
    }
    let mut outcomes = Vec::new();
    while !texts.0.is_empty() {
        // The first two values are no fields, and each field has two. A single one is the ids of entries.
        let values = texts.number()?.checked_sub(2).ok_or_else(malformed)?;
        let happened = texts.number()? == 1;
        let version = texts.text()?.map(|text| number(&text)).transpose()?;
        let fields = (0..values / 2).map(|_| {
            let name = texts.text()?.ok_or_else(malformed)?;
            Ok((name.into_owned(), texts.text()?.map(Cow::into_owned)))
        });
        let fields = fields.collect::<Result<_>>()?;
        let ids = if values % 2 == 1 { ids(&texts.text()?.unwrap_or_default())? } else { Vec::new() };
        outcomes.push(Outcome { happened, version, fields, ids });
    }
    Ok(outcomes)
}

/// Returns the error of a refusal that is about a whole layout.
pub(crate) fn refusal_of_layout(reply: Reply<'_>) -> Error {
    let error = reply.bytes().and_then(|bytes| {
        let mut texts = Netstrings(bytes);
        texts.text()?;
        refusal(&mut texts, false)
    });
    error.unwrap_or_else(|_| malformed())
}

fn ids(text: &[u8]) -> Result<Vec<StreamId>> {
    let text = std::str::from_utf8(text).map_err(|_| malformed())?;
    text.split(' ').map(|id| id.parse().map_err(|_| malformed())).collect()
}

/// Why nothing is changed if the key of a record holds another type.
const NO_HASH: &str = "no hash";

/// Returns the error that a refusal stands for.
fn refusal(texts: &mut Netstrings<'_>, names_operation: bool) -> Result<Error> {
    let operation = texts.number()?;
    let [why, tag, key, first, second] = texts.strings()?;
    let layout = Layout::with_tag(&tag);
    let mut error = error_of(&why, layout, &key, &first, &second);
    // It can be that of another record, the owner of a unique value.
    if let (NO_HASH, Some(layout)) = (why.as_str(), layout) {
        error = error.about(layout.model, key.as_str());
    }
    // The refusal of a whole layout is about no operation.
    if !names_operation || operation == 0 {
        return Ok(error);
    }
    let position = usize::try_from(operation - 1).map_err(|_| malformed())?;
    let error = error.with_operation(position);
    Ok(if let Some(layout) = layout { error.about(layout.model, key) } else { error })
}

fn error_of(why: &str, layout: Option<&Layout>, key: &str, first: &str, second: &str) -> Error {
    let new = |kind, message: String| Error::new(kind, message);
    let model = layout.map_or("the model", |layout| layout.model);
    match why {
        "exists" => new(ErrorKind::AlreadyExists, "the record already exists; call `save` to overwrite it".into()),
        "absent" => new(ErrorKind::NotFound, "the record does not exist; call `save` to create it".into()),
        "fence" => new(
            ErrorKind::Conflict,
            "the entry is not pending with this worker any more, so another may handle it; nothing was written".into(),
        )
        .with_source(Fenced),
        "missing" => new(ErrorKind::NotFound, "the record does not exist".into()),
        "stale" => stale(layout, first, second),
        "condition" if first == SCHEMA_FIELD => new(
            ErrorKind::Conflict,
            "the record is of another schema version than the fields of the patch; load it and save it, then patch it".into(),
        )
        .with_field(SCHEMA_FIELD),
        "condition" => {
            new(ErrorKind::Conflict, "the condition of the write does not hold; nothing was changed".into())
                .with_field(first.to_owned())
        }
        "changed" => {
            new(ErrorKind::Conflict, "another program has changed the field since it was read; load it again".into())
                .with_field(first.to_owned())
        }
        "duplicate" => {
            let owner = excerpt(second);
            new(
                ErrorKind::Duplicate,
                format!("the record with the id {owner} has the same value, and no two may; use another, or change that record"),
            )
            .with_field(first.to_owned())
            .with_owner(second)
        }
        "type" => new(
            ErrorKind::Decode,
            "the stored text is not a number, so it cannot be incremented; nothing was changed. Set the field instead".into(),
        )
        .with_field(first.to_owned())
        .without_effect(),
        "range" => new(
            ErrorKind::Conflict,
            "the sum does not fit the type of the field; nothing was changed. Use a smaller increment, or a larger type".into(),
        )
        .with_field(first.to_owned()),
        "last" => {
            let version = excerpt(second);
            new(
                ErrorKind::Conflict,
                format!(
                    "the stored version {version} is the largest of its type, so nothing was changed; use `u64`, or start \
                     again at 0 with `delete` and `insert`"
                ),
            )
            .with_field(first.to_owned())
        }
        "bytes" => new(
            ErrorKind::Decode,
            "the stored text is not UTF-8, so what is appended to it cannot be in an index; nothing was changed. Set the field \
             instead"
                .into(),
        )
        .with_field(first.to_owned())
        .without_effect(),
        NO_HASH => new(
            ErrorKind::Redis,
            "WRONGTYPE the key of the record holds no hash, because another program has overwritten it; nothing was changed. \
             Delete that key, or restore the record"
                .into(),
        )
        .without_effect(),
        "no stream" => new(
            ErrorKind::Redis,
            "WRONGTYPE the key of the log holds another kind of value than a stream, so another model or program uses it; \
             nothing was changed. Use another prefix, or remove the key"
                .into(),
        )
        .without_effect(),
        "full" => new(
            ErrorKind::Conflict,
            "the log has had the greatest possible id, so the events cannot follow; nothing was changed. Use another log".into(),
        ),
        "long" => new(
            ErrorKind::Conflict,
            "the text would be longer than 1,024 bytes, the most that an index takes; nothing was changed".into(),
        )
        .with_field(first.to_owned()),
        "row" => new(
            ErrorKind::Index,
            format!(
                "a version of {model} that is no longer known has written what the indexes hold of this record; run \
                 `{model}::reindex`"
            ),
        ),
        "norow" => new(
            ErrorKind::Index,
            format!(
                "the record is in no index, because another program has written it. On its own, this command adds it; in a \
                 pipeline, `save` the record first, or run `{model}::reindex`"
            ),
        )
        .with_source(NoRow),
        _ => state::error_of(why, model, prefix_of(key), first).unwrap_or_else(malformed),
    }
}

/// Returns the prefix of the model in a key of its indexes. Two models that differ by it alone have the same tag.
fn prefix_of(key: &str) -> &str {
    key.split_once("::").map_or(key, |(prefix, _)| prefix)
}

fn stale(layout: Option<&Layout>, stored: &str, given: &str) -> Error {
    let error = if stored.is_empty() {
        let message = format!("the record was deleted since its version {given} was loaded");
        Error::new(ErrorKind::Conflict, message)
    } else {
        let found = excerpt(stored);
        let message = format!(
            "the record has the version {found}, not {given:?}: it was written since it was loaded; load it again"
        );
        let error = Error::new(ErrorKind::Conflict, message);
        stored.parse().map_or(error.clone(), |version| error.with_stored_version(version))
    };
    match layout.and_then(|layout| layout.version) {
        Some(field) => error.with_field(field),
        None => error,
    }
}

/// Texts with their lengths before them: `2:ok-:`. `-` is the length of no text, and `x` stands before the length of a text
/// in hexadecimal digits: it is not UTF-8.
pub(crate) struct Netstrings<'a>(pub(crate) &'a [u8]);

impl<'a> Netstrings<'a> {
    pub(crate) fn text(&mut self) -> Result<Option<Cow<'a, [u8]>>> {
        let colon = self.0.iter().position(|byte| *byte == b':').ok_or_else(malformed)?;
        let (length, rest) = self.0.split_at_checked(colon).ok_or_else(malformed)?;
        let rest = rest.get(1..).unwrap_or_default();
        if length == b"-" {
            self.0 = rest;
            return Ok(None);
        }
        let (length, is_hex) = length.strip_prefix(b"x").map_or((length, false), |length| (length, true));
        let length = usize::try_from(number(length)?).map_err(|_| malformed())?;
        let (text, rest) = rest.split_at_checked(length).ok_or_else(malformed)?;
        self.0 = rest;
        Ok(Some(if is_hex { Cow::Owned(of_hex(text)?) } else { Cow::Borrowed(text) }))
    }

    pub(crate) fn number(&mut self) -> Result<u64> {
        number(&self.text()?.unwrap_or_default())
    }

    /// Returns the next texts. No text is an empty one.
    pub(crate) fn strings<const N: usize>(&mut self) -> Result<[String; N]> {
        let mut strings = [const { String::new() }; N];
        for string in &mut strings {
            *string = String::from_utf8_lossy(&self.text()?.unwrap_or_default()).into_owned();
        }
        Ok(strings)
    }
}

fn of_hex(digits: &[u8]) -> Result<Vec<u8>> {
    let byte = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok();
    digits.chunks(2).map(|pair| byte(pair).ok_or_else(malformed)).collect()
}

fn number(text: &[u8]) -> Result<u64> {
    std::str::from_utf8(text).ok().and_then(|text| text.parse().ok()).ok_or_else(malformed)
}

#[cold]
pub(crate) fn malformed() -> Error {
    Error::new(ErrorKind::Decode, "the reply of the script is malformed; is there a proxy that changes replies?")
}
