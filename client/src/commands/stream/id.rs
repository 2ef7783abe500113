//! The ids of stream entries.

use std::fmt;
use std::str::FromStr;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::arg::{Arg, ToArg};
use crate::error::{Error, Result};
use crate::reply::{FromReply, Reply};
use crate::wire::number;

/// The id of a stream entry, `1526919030474-55`: a time in milliseconds and a sequence number. Ids sort as the entries
/// do.
///
/// ```
/// use redis_rest::commands::stream::StreamId;
///
/// let id: StreamId = "1526919030474-55".parse()?;
/// assert!(id < StreamId::new(1526919030474, 56));
/// assert_eq!(id.to_string(), "1526919030474-55");
/// assert!("yesterday".parse::<StreamId>().unwrap_err().is_invalid_input());
/// # Ok::<(), redis_rest::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StreamId {
    /// The time in milliseconds since 1970, or any number in an id that was set explicitly.
    pub millis: u64,
    /// The number of the entry within that millisecond.
    pub sequence: u64,
}

impl StreamId {
    /// The smallest id.
    pub const MIN: StreamId = StreamId { millis: 0, sequence: 0 };
    /// The greatest id.
    pub const MAX: StreamId = StreamId { millis: u64::MAX, sequence: u64::MAX };

    /// The id `millis-sequence`.
    #[must_use]
    pub const fn new(millis: u64, sequence: u64) -> Self {
        StreamId { millis, sequence }
    }

    /// Returns the time of the id, or `None` if a `SystemTime` cannot hold it.
    #[must_use]
    pub fn time(self) -> Option<SystemTime> {
        UNIX_EPOCH.checked_add(Duration::from_millis(self.millis))
    }
}

impl fmt::Display for StreamId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.millis, self.sequence)
    }
}

impl FromStr for StreamId {
    type Err = Error;

    /// Parses `millis-sequence`, or `millis` alone for sequence 0.
    fn from_str(text: &str) -> Result<Self> {
        let (millis, sequence) = text.split_once('-').unwrap_or((text, "0"));
        match (millis.parse(), sequence.parse()) {
            (Ok(millis), Ok(sequence)) => Ok(StreamId { millis, sequence }),
            _ => Err(Error::invalid_input(
                "a stream id is two numbers with a hyphen between them, such as 1526919030474-55",
            )),
        }
    }
}

impl ToArg for StreamId {
    fn to_arg(&self) -> Arg<'_> {
        Arg::from(self.to_string())
    }
}

impl FromReply for StreamId {
    fn from_reply(reply: Reply<'_>) -> Result<Self> {
        let text = reply.bytes()?;
        let hyphen = text.iter().position(|&byte| byte == b'-').unwrap_or(text.len());
        let (millis, sequence) = text.split_at(hyphen);
        match (number::unsigned(millis), sequence.get(1..).and_then(number::unsigned)) {
            (Some(millis), Some(sequence)) => Ok(StreamId { millis, sequence }),
            // An id without a sequence, or text that is not an id.
            _ => reply.text()?.parse().map_err(|_| reply.mismatch("a stream id")),
        }
    }
}
