//! What SCAN and its family share.

use std::borrow::Cow;

use super::generic::KeyType;
use crate::arg::{Arg, ToArg};
use crate::command::{Args, ToArgs};
use crate::error::Result;
use crate::reply::{FromReply, Reply};

/// Where a scan goes on. [`Cursor::START`] begins one; a page's cursor leads to the next page.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Cursor(Cow<'static, str>);

impl Cursor {
    /// The beginning of a scan.
    pub const START: Cursor = Cursor(Cow::Borrowed("0"));

    /// Whether the page that gave this cursor was the last.
    #[must_use]
    pub fn is_finished(&self) -> bool {
        self.0 == "0"
    }

    /// The cursor as Redis gave it, to go on later or elsewhere.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Default for Cursor {
    fn default() -> Self {
        Cursor::START
    }
}

impl From<String> for Cursor {
    fn from(cursor: String) -> Self {
        Cursor(cursor.into())
    }
}

impl ToArg for Cursor {
    fn to_arg(&self) -> Arg<'_> {
        Arg::from(&*self.0)
    }
}

impl FromReply for Cursor {
    fn from_reply(reply: Reply<'_>) -> Result<Self> {
        String::from_reply(reply).map(Cursor::from)
    }
}

/// One page of a scan: possibly empty, although more pages follow.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScanPage<T> {
    /// Where the scan goes on, until [`Cursor::is_finished`].
    pub cursor: Cursor,
    /// The items. One that was there from the scan's begin to its end comes at least once, possibly more often.
    pub items: Vec<T>,
}

impl<T: FromReply> FromReply for ScanPage<T> {
    fn from_reply(reply: Reply<'_>) -> Result<Self> {
        let [cursor, items] = reply.array_of()?;
        Ok(ScanPage { cursor: Cursor::from_reply(cursor)?, items: Vec::from_reply(items)? })
    }
}

/// Which items a scan gives, and how much work one page may be.
///
/// ```
/// use redis_rest::{Build, GenericCommands};
/// use redis_rest::commands::generic::KeyType;
/// use redis_rest::commands::scan::{Cursor, ScanOptions};
///
/// let users = ScanOptions::new().matching("user:*").count(500).of_type(KeyType::Hash);
/// let args = Build.scan::<String>(Cursor::START, users).args();
/// assert_eq!(args, ["SCAN", "0", "MATCH", "user:*", "COUNT", "500", "TYPE", "hash"]);
/// ```
#[derive(Debug, Clone, Default)]
pub struct ScanOptions {
    pattern: Option<String>,
    count: Option<u64>,
    kind: Option<KeyType>,
}

impl ScanOptions {
    /// All items, in pages of the server's choice.
    #[must_use]
    pub fn new() -> Self {
        ScanOptions::default()
    }

    /// Only items that match the glob-style `pattern`: `MATCH`.
    #[must_use]
    pub fn matching(mut self, pattern: impl Into<String>) -> Self {
        self.pattern = Some(pattern.into());
        self
    }

    /// About how many items the server looks at for one page: `COUNT`.
    #[must_use]
    pub fn count(mut self, count: u64) -> Self {
        self.count = Some(count);
        self
    }

    /// Only keys that hold this type: `TYPE`. For `SCAN` alone.
    #[must_use]
    pub fn of_type(mut self, kind: KeyType) -> Self {
        self.kind = Some(kind);
        self
    }

    /// For the scans of one key, which know no `TYPE`.
    pub(super) fn write_without_type(&self, args: &mut Args) {
        if self.kind.is_some() {
            args.reject("only SCAN accepts `of_type`; a scan of one key has no types to choose from");
        }
        if let Some(pattern) = &self.pattern {
            args.push("MATCH").push(pattern);
        }
        if let Some(count) = self.count {
            if count == 0 {
                args.reject("a count of 0 scans nothing; use at least 1");
            }
            args.push("COUNT").push(count);
        }
    }
}

impl ToArgs for ScanOptions {
    fn write_args(&self, args: &mut Args) {
        ScanOptions { kind: None, ..self.clone() }.write_without_type(args);
        if let Some(kind) = &self.kind {
            args.push("TYPE").push(kind.as_str());
        }
    }
}
