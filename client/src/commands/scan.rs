//! The types that `SCAN` and its family share.

use std::borrow::Cow;

use super::generic::KeyType;
use crate::arg::{Arg, ToArg};
use crate::command::{Args, ToArgs};
use crate::error::Result;
use crate::reply::{FromReply, Reply};

/// The position of a scan.
///
/// [`Cursor::START`] starts a scan, and each page has the cursor of the next page.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Cursor(Cow<'static, str>);

impl Cursor {
    /// The start of a scan.
    pub const START: Cursor = Cursor(Cow::Borrowed("0"));

    /// Returns whether the page with this cursor was the last one.
    #[must_use]
    pub fn is_finished(&self) -> bool {
        self.0 == "0"
    }

    /// Returns the cursor as text, to continue the scan later or elsewhere.
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

/// One page of a scan. It can be empty although more pages follow.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScanPage<T> {
    /// The cursor of the next page, unless it [is finished](Cursor::is_finished).
    pub cursor: Cursor,
    /// The items of this page. An item can appear in more than one page.
    pub items: Vec<T>,
}

impl<T: FromReply> FromReply for ScanPage<T> {
    fn from_reply(reply: Reply<'_>) -> Result<Self> {
        let [cursor, items] = reply.array_of()?;
        Ok(ScanPage { cursor: Cursor::from_reply(cursor)?, items: Vec::from_reply(items)? })
    }
}

/// Options of `SCAN` and its family.
///
/// ```no_run
/// # async fn example(redis: redis_rest::Redis) -> redis_rest::Result<()> {
/// use redis_rest::GenericCommands;
/// use redis_rest::commands::generic::KeyType;
/// use redis_rest::commands::scan::{Cursor, ScanOptions};
///
/// let users = ScanOptions::new().matching("user:*").count(500).of_type(KeyType::Hash);
/// let mut cursor = Cursor::START;
/// loop {
///     let page = redis.scan::<String>(cursor, users.clone()).await?;
///     for key in page.items {
///         println!("{key}");
///     }
///     if page.cursor.is_finished() {
///         break;
///     }
///     cursor = page.cursor;
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, Default)]
pub struct ScanOptions {
    pattern: Option<String>,
    /// Sets roughly how many items the server looks at for one page: `COUNT`.
    ///
    /// A count of 0 fails with `InvalidInput`.
    count: Option<u64>,
    kind: Option<KeyType>,
}

impl ScanOptions {
    /// Creates options for all items, in pages of the server's choice.
    #[must_use]
    pub fn new() -> Self {
        ScanOptions::default()
    }

    /// Returns only items that match the glob-style `pattern`: `MATCH`.
    #[must_use]
    pub fn matching(mut self, pattern: impl Into<String>) -> Self {
        self.pattern = Some(pattern.into());
        self
    }

    /// Sets roughly how many items the server looks at for one page: `COUNT`.
    ///
    /// A count of 0 fails with `InvalidInput`.
    #[must_use]
    pub fn count(mut self, count: u64) -> Self {
        self.count = Some(count);
        self
    }

    /// Returns only keys of this type: `TYPE`.
    ///
    /// Only `SCAN` has this option; other scans fail with `InvalidInput`.
    #[must_use]
    pub fn of_type(mut self, kind: KeyType) -> Self {
        self.kind = Some(kind);
        self
    }

    /// Writes the options of a scan that has no `TYPE`, for the reason `why`.
    pub(super) fn write_without_type(&self, args: &mut Args, why: &'static str) {
        if self.kind.is_some() {
            args.reject(why);
        }
        self.write_pattern_and_count(args);
    }

    fn write_pattern_and_count(&self, args: &mut Args) {
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
        self.write_pattern_and_count(args);
        if let Some(kind) = &self.kind {
            args.push("TYPE").push(kind.as_str());
        }
    }
}

/// The options of a scan that returns the type of each key.
pub(super) struct WithType(pub(super) ScanOptions);

impl ToArgs for WithType {
    fn write_args(&self, args: &mut Args) {
        self.0.write_without_type(args, "`scan_withtype` returns keys of all types; choose one with `scan`");
        args.push("WITHTYPE");
    }
}
