//! Cursors: where a query goes on.

use std::fmt::{self, Write as _};
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use redis_rest::{Error, ErrorKind};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::condition::Condition;
use super::plan::Order;
use crate::index::Layout;

/// Where a query goes on: after the last record of a page.
///
/// It is opaque text for links and for the replies of an API: [`Display`](fmt::Display) writes it, [`FromStr`] reads it. It
/// contains the value and the id of that record. They are encoded, not encrypted. A cursor that someone has made up finds
/// nothing that the query does not find.
///
/// A cursor belongs to one query: the same model, conditions and order. The limit may differ. It does not expire, and it takes
/// no memory of the server. A record whose indexed value does not change comes exactly once, whatever others write in
/// between. A record that moves within the index may come twice or not at all.
///
/// ```no_run
/// use redis_model::Cursor;
/// use redis_model::prelude::*;
///
/// #[derive(Debug, RedisModel)]
/// #[redis(prefix = "user")]
/// struct User {
///     #[redis(id)]
///     id: u64,
///     #[redis(index)]
///     age: u8,
/// }
///
/// # async fn example(redis: Redis) -> Result<()> {
/// let adults = User::query().range(User::AGE, 18..).limit(20);
/// let page = adults.clone().fetch(&redis).await?;
/// let Some(cursor) = page.cursor else { return Ok(()) };
///
/// let link = format!("/users?after={cursor}");
/// let cursor: Cursor = link.trim_start_matches("/users?after=").parse()?;
/// let next = adults.after(cursor).fetch(&redis).await?;
///
/// // It is text for serde, too: a field of a query string or of a JSON body.
/// let error = "nonsense".parse::<Cursor>().unwrap_err();
/// assert!(error.is_invalid_input());
/// # Ok(())
/// # }
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Cursor {
    /// Names the query.
    pub(crate) fingerprint: u64,
    /// The position of the index in the layout.
    pub(crate) index: u32,
    /// The number of the range, counted from 1.
    pub(crate) range: u32,
    /// The last entry, or `""` at the start of the range.
    pub(crate) member: String,
}

/// The version of the form.
const VERSION: u8 = 1;

/// How many bytes stand before the entry: version, checksum, fingerprint, index, range.
const HEAD: usize = 1 + 4 + 8 + 4 + 4;

/// Names a query: the layout, the conditions and the order.
pub(crate) fn fingerprint(layout: &Layout, conditions: &[Condition], order: Option<Order>) -> u64 {
    let mut text = layout.tag().to_owned();
    let mut push = |part: &str| {
        let _ = write!(text, " {}:{part}", part.len());
    };
    push(&order.map_or(String::new(), |order| format!("{} {}", order.column, order.descending)));
    for condition in conditions {
        push(&format!("{} {}", condition.column, condition.ranges.len()));
        for range in &condition.ranges {
            push(&range.lower.to_argument());
            push(&range.upper.to_argument());
        }
    }
    let digest = sha1_smol::Sha1::from(text).digest().bytes();
    digest.first_chunk().copied().map_or(0, u64::from_be_bytes)
}

impl Cursor {
    fn to_bytes(&self) -> Vec<u8> {
        let mut content = Vec::with_capacity(HEAD + self.member.len());
        content.extend_from_slice(&self.fingerprint.to_be_bytes());
        content.extend_from_slice(&self.index.to_be_bytes());
        content.extend_from_slice(&self.range.to_be_bytes());
        content.extend_from_slice(self.member.as_bytes());
        let mut bytes = vec![VERSION];
        bytes.extend_from_slice(&checksum(&content));
        bytes.extend_from_slice(&content);
        bytes
    }

    fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (version, rest) = bytes.split_first()?;
        let (sum, content) = rest.split_first_chunk::<4>()?;
        if *version != VERSION || checksum(content) != *sum {
            return None;
        }
        let (fingerprint, rest) = content.split_first_chunk()?;
        let (index, rest) = rest.split_first_chunk()?;
        let (range, member) = rest.split_first_chunk()?;
        Some(Cursor {
            fingerprint: u64::from_be_bytes(*fingerprint),
            index: u32::from_be_bytes(*index),
            range: u32::from_be_bytes(*range),
            member: std::str::from_utf8(member).ok()?.to_owned(),
        })
    }
}

/// Recognizes a cursor that was cut or changed on its way.
fn checksum(content: &[u8]) -> [u8; 4] {
    let digest = sha1_smol::Sha1::from(content).digest().bytes();
    digest.first_chunk().copied().unwrap_or_default()
}

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&URL_SAFE_NO_PAD.encode(self.to_bytes()))
    }
}

impl fmt::Debug for Cursor {
    /// Shows no value, because it may be a secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cursor").finish_non_exhaustive()
    }
}

impl Serialize for Cursor {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Cursor {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(|error: Error| serde::de::Error::custom(error.message()))
    }
}

impl FromStr for Cursor {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let bytes = URL_SAFE_NO_PAD.decode(text).ok();
        bytes.and_then(|bytes| Cursor::from_bytes(&bytes)).ok_or_else(damaged)
    }
}

#[cold]
pub(crate) fn damaged() -> Error {
    Error::new(ErrorKind::InvalidInput, "the cursor is damaged; pass the text of a page's cursor as it was")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_comes_back_from_its_text() {
        let cursor = Cursor { fingerprint: u64::MAX, index: 3, range: 7, member: "tr\0élan\u{1}\u{3}\u{0}7".into() };
        let text = cursor.to_string();
        assert!(text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte)), "{text}");
        assert_eq!(text.parse::<Cursor>().unwrap(), cursor);
        for cut in 0..text.len() {
            assert!(text.get(..cut).unwrap().parse::<Cursor>().unwrap_err().is_invalid_input(), "{cut}");
        }
        for at in 0..text.len() {
            let mut damaged = text.clone().into_bytes();
            damaged[at] = if damaged[at] == b'A' { b'B' } else { b'A' };
            assert!(String::from_utf8(damaged).unwrap().parse::<Cursor>().is_err(), "{at}");
        }
    }
}
