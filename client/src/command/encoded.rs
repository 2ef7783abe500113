//! The commands of one request, joined: brackets, scripts in full, and the endpoint that takes them.

use std::borrow::Cow;
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;

use super::args::{NOT_ON_ITS_OWN, RawArg, texts};
use super::form::Scripted;
use super::idempotency::Idempotency;
use super::learned::{Dialect, Learned};
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
    /// The commands that can have another form than in `json`, in order, and where they stand in it.
    forms: Vec<(Range<usize>, Arc<Scripted>)>,
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
    /// The other form of a command on its own, if the server does not know the one in `bytes`.
    pub(crate) form: Option<Arc<Scripted>>,
}

impl Body {
    /// The body of a request with one command, which is encoded in `json` without its closing bracket.
    pub(super) fn of_one(mut json: Vec<u8>, raw: Option<RawArg>, form: Option<Arc<Scripted>>) -> Result<Self> {
        let Some(raw) = raw else {
            json.push(b']');
            return Ok(Body { endpoint: Endpoint::Command, bytes: Bytes::from(json), form });
        };
        let form = match form.as_deref() {
            Some(script) => {
                // The path has no second form to fall back to.
                let mut in_full = Vec::new();
                script.render(&json, Dialect::Plain, true, &mut in_full);
                json = in_full;
                None
            }
            _ => form,
        };
        let (args, _) = texts(&json);
        let path = raw_path(args.iter().map(Bytes::as_ref), raw.at)?;
        Ok(Body { endpoint: Endpoint::Path(path), bytes: Bytes::from(raw.bytes), form })
    }
}

impl Encoded {
    /// No commands yet, for a command on its own or a pipeline.
    pub(crate) fn new() -> Self {
        Encoded {
            json: Vec::new(),
            raw: None,
            forms: Vec::new(),
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
        let Command { args, form, others, extra_time, recovery: _, expect } = command;
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
        let fits = (others.into_iter()).fold(self.append(args.into_parts(), form), |fits, (args, form)| {
            self.append(args.into_parts(), form).and(fits)
        });
        if self.error.is_none() {
            self.error = error.or_else(|| fits.err().map(|error| expect.blame(error)));
        }
        expect
    }

    fn append(&mut self, (json, raw): (Vec<u8>, Option<RawArg>), form: Option<Arc<Scripted>>) -> Result<()> {
        self.count += 1;
        if self.count == 1 {
            self.forms.extend(form.map(|form| (0..json.len(), form)));
            (self.json, self.raw) = (json, raw);
            return Ok(());
        }
        let start = self.extend(&json);
        self.forms.extend(form.map(|form| (start..self.json.len(), form)));
        if raw.is_some() || self.raw.is_some() { Err(Error::invalid_input(NOT_ON_ITS_OWN)) } else { Ok(()) }
    }

    /// Adds encoded commands after those that are there. Returns where they start.
    fn extend(&mut self, json: &[u8]) -> usize {
        self.json.reserve(json.len() + 4);
        self.json.extend_from_slice(b"],");
        let start = self.json.len();
        self.json.extend_from_slice(json);
        start
    }

    /// Joins the commands of several requests. Which of them write is not kept, because each reports its own outcome.
    pub(crate) fn join<'a>(all: impl Iterator<Item = &'a Encoded>) -> Self {
        let mut joined = Encoded::new();
        for one in all {
            joined.idempotency = joined.idempotency.max(one.idempotency);
            joined.atomic |= one.atomic;
            joined.extra_time = joined.extra_time.saturating_add(one.extra_time);
            let start = if joined.count == 0 {
                joined.name = one.name.clone();
                joined.json.clone_from(&one.json);
                joined.raw.clone_from(&one.raw);
                0
            } else {
                joined.extend(&one.json)
            };
            let moved = one.forms.iter().map(|(at, form)| (at.start + start..at.end + start, Arc::clone(form)));
            joined.forms.extend(moved);
            joined.count += one.count;
        }
        joined
    }

    /// The commands in the forms for a request with several. None of them may depend on a second request, because those
    /// after it have run by then: a script is in full until it was in the request once.
    fn in_final_forms(&self, learned: &Learned) -> Cow<'_, [u8]> {
        if self.forms.is_empty() {
            return Cow::Borrowed(&self.json);
        }
        let dialect = if self.atomic { Dialect::Plain } else { learned.dialect().unwrap_or(Dialect::Plain) };
        let mut out = Vec::with_capacity(self.json.len() + self.extra_bytes());
        let mut in_full = Vec::new();
        let mut copied = 0;
        for (at, script) in &self.forms {
            out.extend_from_slice(self.json.get(copied..at.start).unwrap_or_default());
            let json = self.json.get(at.clone()).unwrap_or_default();
            let is_new = !in_full.contains(&script.sha1());
            script.render(json, dialect, is_new, &mut out);
            in_full.push(script.sha1());
            copied = at.end;
        }
        out.extend_from_slice(self.json.get(copied..).unwrap_or_default());
        Cow::Owned(out)
    }

    /// How many bytes longer the commands can be in their final forms.
    fn extra_bytes(&self) -> usize {
        self.forms.iter().map(|(_, script)| script.extra_bytes()).sum()
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
        self.json.len() + 2 + self.extra_bytes()
    }

    /// The length of the body of a request with these commands alone.
    pub(crate) fn body_len(&self) -> usize {
        match self.count {
            0 => 0,
            1 if !self.atomic => self.json.len() + 1,
            _ => self.in_final_forms(&Learned::default()).len() + 3,
        }
    }

    /// Whether the commands should not share a request with others: raw bytes, groups, and commands that wait.
    pub(crate) fn stands_alone(&self) -> bool {
        self.atomic || self.count > 1 || self.raw.is_some() || !self.extra_time.is_zero()
    }

    /// Takes the position and the name of each command that changes data, if there are several commands.
    pub(crate) fn take_writes(&mut self) -> Vec<(usize, Cow<'static, str>)> {
        std::mem::take(&mut self.writes)
    }

    /// Makes the request fail before anything is sent. The first error counts.
    pub(crate) fn fail(&mut self, error: Error) {
        self.error.get_or_insert(error);
    }

    /// Takes the reason why the request cannot be sent.
    pub(crate) fn take_error(&mut self) -> Option<Error> {
        self.error.take()
    }

    /// The arguments of each command.
    pub(super) fn commands(&self) -> Vec<Vec<Bytes>> {
        let mut commands = Vec::new();
        let json = self.in_final_forms(&Learned::default());
        let mut rest = &*json;
        while !rest.is_empty() {
            let (command, after) = texts(rest);
            commands.push(command);
            // A closing bracket and a comma stand between two commands.
            rest = after.get(2..).unwrap_or_default();
        }
        commands
    }

    /// The request's body; `None` if there are no commands.
    pub(crate) fn into_body(mut self, learned: &Learned) -> Result<Option<Body>> {
        if let Some(error) = self.error {
            return Err(error);
        }
        if self.count == 0 {
            return Ok(None);
        }
        if self.count == 1 && !self.atomic || self.raw.is_some() {
            let form = self.forms.pop().map(|(_, form)| form);
            return Body::of_one(self.json, self.raw, form).map(Some);
        }
        let endpoint = if self.atomic { Endpoint::Transaction } else { Endpoint::Pipeline };
        let mut json = if self.forms.is_empty() { self.json } else { self.in_final_forms(learned).into_owned() };
        json.extend_from_slice(b"]]");
        json.insert(0, b'[');
        Ok(Some(Body { endpoint, bytes: Bytes::from(json), form: None }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn body(encoded: Encoded) -> (Endpoint, Bytes) {
        let body = encoded.into_body(&Learned::default()).unwrap().unwrap();
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
            let error = encoded.into_body(&Learned::default()).err().unwrap();
            assert!(error.message().contains("pipeline"), "{error}");
        }
    }
}
