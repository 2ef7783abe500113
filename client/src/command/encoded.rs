//! The commands of one request, joined: brackets, scripts in full, and the endpoint that takes them.

use std::borrow::Cow;
use std::time::Duration;

use bytes::Bytes;

use super::args::{NOT_ON_ITS_OWN, RawArg, texts};
use super::idempotency::Idempotency;
use super::script::{BySha1, Script};
use super::{Command, Expect};
use crate::error::{Error, Result};
use crate::transport::Endpoint;
use crate::wire::request::raw_path;

/// The commands of one request, encoded.
#[derive(Debug)]
pub struct Encoded {
    /// The commands without the closing bracket of the last: `["INCR","hits"],["GET","name"`.
    json: Vec<u8>,
    /// The argument that JSON cannot hold. Only a command on its own can have one.
    raw: Option<RawArg>,
    /// The script that a command on its own names by its SHA-1.
    by_sha1: Option<Box<BySha1>>,
    /// The scripts that are in the request in full. Later commands can name them by their SHA-1.
    in_full: Vec<Script>,
    /// That of the least safe command.
    idempotency: Idempotency,
    /// The number of commands on the wire.
    count: usize,
    atomic: bool,
    /// The first command's name.
    name: Cow<'static, str>,
    /// The position and the name of each command that changes data; not kept for a command on its own.
    writes: Vec<(usize, Cow<'static, str>)>,
    /// How long the commands ask the server to wait, in all.
    extra_time: Duration,
    /// The number of commands that were pushed. A group counts as one.
    pushed: usize,
    /// Why the request cannot be sent: the error of the first command that cannot.
    error: Option<Error>,
}

/// What goes to the transport.
pub(crate) struct Body {
    pub(crate) endpoint: Endpoint,
    pub(crate) bytes: Bytes,
    /// The script that the body names by its SHA-1.
    pub(crate) by_sha1: Option<Box<BySha1>>,
}

impl Encoded {
    /// No commands yet, for a command on its own or a pipeline.
    pub(crate) fn new() -> Self {
        Encoded {
            json: Vec::new(),
            raw: None,
            by_sha1: None,
            in_full: Vec::new(),
            idempotency: Idempotency::ReadOnly,
            count: 0,
            atomic: false,
            name: Cow::Borrowed(""),
            writes: Vec::new(),
            extra_time: Duration::ZERO,
            pushed: 0,
            error: None,
        }
    }

    /// No commands yet, for a transaction.
    pub(crate) fn atomic() -> Self {
        Encoded { atomic: true, ..Encoded::new() }
    }

    /// Adds a command. Returns how to decode its replies.
    pub(crate) fn push<R>(&mut self, command: Command<R>) -> Expect<R> {
        if command.is_nothing() {
            return command.expect;
        }
        let error = command.validate().err();
        let Command { args, by_sha1, others, extra_time, recovery: _, expect } = command;
        if self.pushed == 1 && self.idempotency.writes() {
            self.writes.push((0, self.name.clone()));
        }
        if self.pushed > 0 && expect.idempotency().writes() {
            self.writes.push((self.pushed, expect.name().clone()));
        }
        if self.pushed == 0 {
            self.name = expect.name().clone();
        }
        self.pushed += 1;
        self.extra_time = self.extra_time.saturating_add(extra_time);
        self.idempotency = self.idempotency.max(expect.idempotency());
        self.atomic |= expect.is_atomic();
        let fits = (others.into_iter()).fold(self.append(args.into_parts(), by_sha1), |fits, (args, by_sha1)| {
            self.append(args.into_parts(), by_sha1).and(fits)
        });
        if self.error.is_none() {
            self.error = error.or_else(|| fits.err().map(|error| expect.blame(error)));
        }
        expect
    }

    fn append(&mut self, (json, raw): (Vec<u8>, Option<RawArg>), by_sha1: Option<Box<BySha1>>) -> Result<()> {
        self.count += 1;
        if self.count == 1 {
            (self.json, self.raw, self.by_sha1) = (json, raw, by_sha1);
            return Ok(());
        }
        self.extend(&json, by_sha1.as_deref());
        if raw.is_some() || self.raw.is_some() { Err(Error::invalid_input(NOT_ON_ITS_OWN)) } else { Ok(()) }
    }

    /// Adds encoded commands after those that are there.
    fn extend(&mut self, json: &[u8], by_sha1: Option<&BySha1>) {
        // Once there are several commands, none may depend on a second request.
        self.put_script_in_full();
        let unknown = by_sha1.filter(|by_sha1| !self.in_full.iter().any(|known| known.sha1() == by_sha1.script.sha1()));
        let in_full = unknown.map(|by_sha1| by_sha1.in_full(json));
        self.in_full.extend(unknown.map(|by_sha1| by_sha1.script.clone()));
        let json = in_full.as_deref().unwrap_or(json);
        self.json.reserve(json.len() + 4);
        self.json.extend_from_slice(b"],");
        self.json.extend_from_slice(json);
    }

    fn put_script_in_full(&mut self) {
        if let Some(by_sha1) = self.by_sha1.take() {
            self.json = by_sha1.in_full(&self.json);
            self.in_full.push(by_sha1.script);
        }
    }

    /// Joins the commands of several requests. Which of them write is not kept, because each reports its own outcome.
    pub(crate) fn join<'a>(all: impl Iterator<Item = &'a Encoded>) -> Self {
        let mut joined = Encoded::new();
        for one in all {
            joined.idempotency = joined.idempotency.max(one.idempotency);
            joined.atomic |= one.atomic;
            joined.extra_time = joined.extra_time.saturating_add(one.extra_time);
            if joined.count == 0 {
                joined.name = one.name.clone();
                joined.json.clone_from(&one.json);
                joined.raw.clone_from(&one.raw);
                joined.by_sha1.clone_from(&one.by_sha1);
                joined.in_full.clone_from(&one.in_full);
            } else {
                joined.extend(&one.json, one.by_sha1.as_deref());
                joined.in_full.extend_from_slice(&one.in_full);
            }
            joined.count += one.count;
        }
        joined
    }

    /// The first command's name.
    pub(crate) fn name(&self) -> &Cow<'static, str> {
        &self.name
    }

    /// The number of commands on the wire.
    pub(crate) fn count(&self) -> usize {
        self.count
    }

    pub(crate) fn is_atomic(&self) -> bool {
        self.atomic
    }

    /// What a retry may assume of the whole request.
    pub(crate) fn idempotency(&self) -> Idempotency {
        self.idempotency
    }

    /// How long the commands ask the server to wait, in all.
    pub(crate) fn extra_time(&self) -> Duration {
        self.extra_time
    }

    /// The length of the commands in a request with others: with their brackets and a comma, and with a script in full. The
    /// request has one byte more.
    pub(crate) fn len(&self) -> usize {
        self.json.len() + 2 + self.by_sha1.as_deref().map_or(0, BySha1::extra_bytes)
    }

    /// The length of the body of a request with these commands alone.
    pub(crate) fn body_len(&self) -> usize {
        if self.count == 0 { 0 } else { self.json.len() + 3 }
    }

    /// Whether the commands should not share a request with others: raw bytes, groups, and commands that wait.
    pub(crate) fn stands_alone(&self) -> bool {
        self.atomic || self.count > 1 || self.raw.is_some() || !self.extra_time.is_zero()
    }

    /// Takes the position and the name of each command that changes data, if there are several commands.
    pub(crate) fn take_writes(&mut self) -> Vec<(usize, Cow<'static, str>)> {
        std::mem::take(&mut self.writes)
    }

    /// Takes the reason why the request cannot be sent.
    pub(crate) fn take_error(&mut self) -> Option<Error> {
        self.error.take()
    }

    /// The arguments of each command.
    pub(super) fn commands(&self) -> Vec<Vec<Bytes>> {
        let mut commands = Vec::new();
        let mut rest = self.json.as_slice();
        while !rest.is_empty() {
            let (command, after) = texts(rest);
            commands.push(command);
            // A closing bracket and a comma stand between two commands.
            rest = after.get(2..).unwrap_or_default();
        }
        commands
    }

    /// The request's body; `None` if there are no commands.
    pub(crate) fn into_body(mut self) -> Result<Option<Body>> {
        if let Some(error) = self.error {
            return Err(error);
        }
        if self.count == 0 {
            return Ok(None);
        }
        if let Some(raw) = self.raw.take() {
            // The path has no second form to fall back to.
            self.put_script_in_full();
            let (args, _) = texts(&self.json);
            let path = raw_path(args.iter().map(Bytes::as_ref), raw.at)?;
            return Ok(Some(Body { endpoint: Endpoint::Path(path), bytes: Bytes::from(raw.bytes), by_sha1: None }));
        }
        let (endpoint, by_sha1) = if self.atomic {
            (Endpoint::Transaction, None)
        } else if self.count == 1 {
            (Endpoint::Command, self.by_sha1.take())
        } else {
            (Endpoint::Pipeline, None)
        };
        if endpoint == Endpoint::Command {
            self.json.push(b']');
        } else {
            self.put_script_in_full();
            self.json.extend_from_slice(b"]]");
            self.json.insert(0, b'[');
        }
        Ok(Some(Body { endpoint, bytes: Bytes::from(self.json), by_sha1 }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn body(encoded: Encoded) -> (Endpoint, Bytes) {
        let body = encoded.into_body().unwrap().unwrap();
        (body.endpoint, body.bytes)
    }

    #[test]
    fn commands_follow_each_other() {
        let mut encoded = Encoded::new();
        encoded.push(Command::read("PING"));
        encoded.push(Command::read("ECHO").arg("hi"));
        assert_eq!(body(encoded), (Endpoint::Pipeline, r#"[["PING"],["ECHO","hi"]]"#.into()));
    }

    #[test]
    fn a_raw_argument_is_the_body() {
        let mut encoded = Encoded::new();
        encoded.push(Command::write("SET").arg("k\"\\\n").arg(b"\xff\x00".as_slice()).arg(1_u32));
        assert_eq!(body(encoded), (Endpoint::Path("/SET/k%22%5C%0A?1".into()), Bytes::from_static(b"\xff\x00")));
    }

    #[test]
    fn a_raw_argument_is_refused_in_a_pipeline() {
        for raw_first in [true, false] {
            let mut encoded = Encoded::new();
            let raw = Command::write("SET").arg("k").arg(b"\xff".as_slice());
            if raw_first {
                encoded.push(raw.clone());
            }
            encoded.push(Command::read("PING"));
            if !raw_first {
                encoded.push(raw);
            }
            let error = encoded.into_body().err().unwrap();
            assert!(error.message().contains("pipeline"), "{error}");
        }
    }
}
