//! MONITOR: every command that the server executes, as a stream.

use std::fmt;
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use futures_core::Stream;

use super::feed::{Feed, FeedEvent};
use crate::connection::Connection;
use crate::error::{Error, Result};

/// An event of a [`Monitor`].
#[derive(Debug)]
#[non_exhaustive]
pub enum MonitorEvent {
    /// Monitoring has started. All commands follow, until a gap.
    Started,
    /// A command was executed.
    Command(MonitoredCommand),
    /// The connection broke for this reason. Commands that are executed now are missed, until the next `Started`.
    Gap(Error),
}

/// A command that the server has executed: a line with the time, the client and the arguments.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MonitoredCommand(String);

impl MonitoredCommand {
    /// Returns the line as it came: `1339518083.107412 [0 127.0.0.1:60866] "keys" "*"`.
    #[must_use]
    pub fn line(&self) -> &str {
        &self.0
    }

    /// Returns when the command was executed.
    #[must_use]
    pub fn time(&self) -> Option<SystemTime> {
        let seconds = self.0.split(' ').next()?.parse().ok()?;
        UNIX_EPOCH.checked_add(Duration::try_from_secs_f64(seconds).ok()?)
    }

    /// Returns the arguments, the command's name first.
    #[must_use]
    pub fn args(&self) -> Vec<Vec<u8>> {
        let quoted = self.0.split_once("] ").map_or("", |(_, args)| args);
        let (mut args, mut arg) = (Vec::new(), None);
        let mut bytes = quoted.bytes();
        while let Some(byte) = bytes.next() {
            match (&mut arg, byte) {
                (None, b'"') => arg = Some(Vec::new()),
                (None, _) => {}
                (Some(_), b'"') => args.extend(arg.take()),
                (Some(arg), b'\\') => arg.extend(unescaped(&mut bytes)),
                (Some(arg), byte) => arg.push(byte),
            }
        }
        args
    }
}

/// The byte for the escape after a backslash.
fn unescaped(bytes: &mut impl Iterator<Item = u8>) -> Option<u8> {
    let digit = |bytes: &mut dyn Iterator<Item = u8>| char::from(bytes.next()?).to_digit(16);
    Some(match bytes.next()? {
        b'n' => b'\n',
        b'r' => b'\r',
        b't' => b'\t',
        b'a' => 7,
        b'b' => 8,
        b'x' => u8::try_from(digit(bytes)? * 16 + digit(bytes)?).ok()?,
        other => other,
    })
}

/// A stream of all commands that the server executes. [`Redis::monitor`](crate::Redis::monitor) starts one, and dropping it
/// ends it. A connection that breaks is opened again, like that of a [`Subscription`](super::Subscription).
///
/// ```no_run
/// # async fn example(redis: redis_rest::Redis) -> redis_rest::Result<()> {
/// use redis_rest::subscribe::MonitorEvent;
///
/// let mut monitor = redis.monitor();
/// while let Some(event) = monitor.next().await {
///     if let MonitorEvent::Command(command) = event? {
///         println!("{}", command.line()); // 1339518083.107412 [0 127.0.0.1:60866] "keys" "*"
///     }
/// }
/// # Ok(())
/// # }
/// ```
#[must_use = "nothing is sent until it is polled"]
pub struct Monitor {
    feed: Feed,
}

impl Monitor {
    pub(crate) fn new(connection: Arc<Connection>) -> Self {
        Monitor { feed: Feed::new(connection, "MONITOR", "/monitor".to_owned()) }
    }

    /// Returns the next event; `None` at the end.
    pub async fn next(&mut self) -> Option<Result<MonitorEvent>> {
        poll_fn(|cx| Pin::new(&mut *self).poll_next(cx)).await
    }
}

impl Stream for Monitor {
    type Item = Result<MonitorEvent>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.feed.poll(cx).map(|event| {
            Some(match event? {
                Ok(FeedEvent::Data(data)) => Ok(read(&data)),
                Ok(FeedEvent::Gap(cause)) => Ok(MonitorEvent::Gap(cause)),
                Err(error) => Err(error.with_command("MONITOR".into())),
            })
        })
    }
}

/// The first event is the status OK, with quotes or without.
fn read(data: &[u8]) -> MonitorEvent {
    match data {
        b"OK" | b"\"OK\"" => MonitorEvent::Started,
        line => MonitorEvent::Command(MonitoredCommand(String::from_utf8_lossy(line).into_owned())),
    }
}

impl fmt::Debug for Monitor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Monitor").field(&self.feed).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_a_time_and_arguments() {
        let line = r#"1339518083.107412 [0 127.0.0.1:60866] "set" "a\"b\\" "\x00\xff\n é" """#;
        let command = MonitoredCommand(line.to_owned());
        assert_eq!(command.args(), [&b"set"[..], b"a\"b\\", b"\x00\xff\n \xc3\xa9", b""]);
        let time = command.time().unwrap().duration_since(UNIX_EPOCH).unwrap();
        assert_eq!(time.as_secs(), 1_339_518_083);
        assert!(MonitoredCommand("no [such] line".into()).time().is_none());
        assert!(MonitoredCommand("\"".into()).args().is_empty());
    }
}
