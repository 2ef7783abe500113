//! The arguments of a command, encoded for the wire as they are added.

use std::borrow::Cow;

use bytes::Bytes;

use crate::arg::{Arg, ToArg};
use crate::error::{Error, Result};
use crate::reply::{FromReply, Reply, Shape};
use crate::script::{BySha1, Script};
use crate::wire::json;
use crate::wire::request::{NotText, push_arg, push_text, raw_path};

/// The arguments of a command, encoded for the wire as they are added.
///
/// A type that adds several arguments at once (options, a range) implements [`ToArgs`] with these methods.
/// An argument that cannot be sent is remembered, and the command fails with it before anything is sent.
#[derive(Debug, Clone)]
pub struct Args {
    /// The commands so far, without the bracket that ends the last: `["SET","k","v"`.
    json: Vec<u8>,
    /// How many arguments the last command has, its name included.
    count: usize,
    /// What most commands have nothing of, apart: commands are moved about.
    rare: Option<Box<Rare>>,
}

#[derive(Debug, Clone, Default)]
struct Rare {
    /// The argument that JSON cannot hold; `""` stands in its place.
    raw: Option<RawArg>,
    problem: Option<Cow<'static, str>>,
    /// The script that the one command names by its SHA-1.
    by_sha1: Option<Box<BySha1>>,
    /// The scripts that stand whole among several commands: those behind may name them by their SHA-1.
    whole: Vec<Script>,
}

#[derive(Debug, Clone)]
struct RawArg {
    /// Which argument it is; 0 would be the command's name.
    at: usize,
    bytes: Vec<u8>,
}

/// A type that adds any number of arguments to a command: options, ranges, field lists.
///
/// ```
/// use redis_rest::{Args, RawCommand, ToArgs};
///
/// struct Limit { offset: u64, count: u64 }
///
/// impl ToArgs for Limit {
///     fn write_args(&self, args: &mut Args) {
///         args.push("LIMIT").push(self.offset).push(self.count);
///     }
/// }
///
/// let command = RawCommand::new("ZRANGE").arg("key").options(&Limit { offset: 0, count: 9 });
/// assert_eq!(command.args(), ["ZRANGE", "key", "LIMIT", "0", "9"]);
/// ```
pub trait ToArgs {
    /// Adds the arguments.
    fn write_args(&self, args: &mut Args);
}

impl ToArgs for () {
    fn write_args(&self, _: &mut Args) {}
}

impl<T: ToArgs + ?Sized> ToArgs for &T {
    fn write_args(&self, args: &mut Args) {
        (**self).write_args(args);
    }
}

impl<T: ToArgs> ToArgs for Option<T> {
    fn write_args(&self, args: &mut Args) {
        if let Some(options) = self {
            options.write_args(args);
        }
    }
}

impl Args {
    pub(crate) fn new(name: &str) -> Self {
        let mut json = Vec::with_capacity(96);
        json.push(b'[');
        push_text(&mut json, name);
        Args { json, count: 1, rare: None }
    }

    fn rare(&mut self) -> &mut Rare {
        self.rare.get_or_insert_default()
    }

    fn raw(&self) -> Option<&RawArg> {
        self.rare.as_ref()?.raw.as_ref()
    }

    fn script_by_sha1(&self) -> Option<&BySha1> {
        self.rare.as_ref()?.by_sha1.as_deref()
    }

    /// Adds one argument.
    pub fn push(&mut self, arg: impl ToArg) -> &mut Self {
        self.push_arg(arg.to_arg());
        self
    }

    /// Adds an argument for each item.
    pub fn extend(&mut self, args: impl IntoIterator<Item = impl ToArg>) -> &mut Self {
        for arg in args {
            self.push_arg(arg.to_arg());
        }
        self
    }

    /// Makes the command fail as `InvalidInput`, before anything is sent. The first reason counts.
    pub fn reject(&mut self, why: impl Into<Cow<'static, str>>) -> &mut Self {
        self.rare().problem.get_or_insert_with(|| why.into());
        self
    }

    fn push_arg(&mut self, arg: Arg<'_>) {
        self.json.push(b',');
        match push_arg(&mut self.json, arg) {
            Ok(()) => {}
            Err(NotText::Raw(bytes)) => {
                self.json.extend_from_slice(b"\"\"");
                let raw = RawArg { at: self.count, bytes };
                if self.rare().raw.replace(raw).is_some() {
                    self.reject(
                        "two arguments are bytes that are not UTF-8, and a request can carry one; \
                         send them in commands of their own, or encode them as text",
                    );
                }
            }
            Err(NotText::Invalid(why)) => {
                self.json.extend_from_slice(b"\"\"");
                self.reject(why);
            }
        }
        self.count += 1;
    }

    /// Remembers that what was added so far names `script` by its SHA-1, and which command takes it whole.
    pub(crate) fn set_script(&mut self, name: &'static str, script: Script) {
        let prefix = self.json.len();
        self.rare().by_sha1 = Some(Box::new(BySha1 { name, script, prefix }));
    }

    /// Puts the script that is named by its SHA-1 in whole.
    fn inline_script(&mut self) {
        if let Some(by_sha1) = self.take_by_sha1() {
            self.json = by_sha1.inline(&self.json);
            self.rare().whole.push(by_sha1.script);
        }
    }

    /// Takes the script that has to be put in whole where the server does not know it.
    pub(crate) fn take_by_sha1(&mut self) -> Option<Box<BySha1>> {
        self.rare.as_mut()?.by_sha1.take()
    }

    /// Adds the commands of `other` behind these, for a pipeline.
    pub(crate) fn append(&mut self, other: &Args) {
        self.inline_script();
        let mut inlined = None;
        if let Some(rare) = &other.rare {
            let known = self.rare.as_ref().map_or(&[][..], |rare| &rare.whole);
            let is_known = |script: &Script| known.iter().any(|known| known.sha1() == script.sha1());
            let unknown = rare.by_sha1.as_ref().filter(|by_sha1| !is_known(&by_sha1.script));
            inlined = unknown.map(|by_sha1| by_sha1.inline(&other.json));
            let whole = &mut self.rare().whole;
            whole.extend(unknown.map(|by_sha1| by_sha1.script.clone()));
            whole.extend_from_slice(&rare.whole);
            if rare.raw.is_some() {
                self.reject(NOT_IN_A_PIPELINE);
            }
            if let Some(why) = &rare.problem {
                self.reject(why.clone());
            }
        }
        let json = inlined.as_ref().unwrap_or(&other.json);
        self.json.reserve(json.len() + 2);
        self.json.extend_from_slice(b"],");
        self.json.extend_from_slice(json);
        if self.is_raw() {
            self.reject(NOT_IN_A_PIPELINE);
        }
        self.count = other.count;
    }

    pub(crate) fn problem(&self) -> Option<&Cow<'static, str>> {
        self.rare.as_ref()?.problem.as_ref()
    }

    pub(crate) fn is_raw(&self) -> bool {
        self.raw().is_some()
    }

    /// How many bytes the commands take in a request.
    pub(crate) fn len(&self) -> usize {
        self.json.len() + 1
    }

    /// The same, with a script in whole.
    pub(crate) fn len_in_pipeline(&self) -> usize {
        self.len() + self.script_by_sha1().map_or(0, BySha1::extra_bytes)
    }

    /// The body of `POST /`.
    pub(crate) fn into_json(mut self) -> Bytes {
        self.json.push(b']');
        Bytes::from(self.json)
    }

    /// The body of `POST /pipeline` and `POST /multi-exec`.
    pub(crate) fn into_json_batch(mut self) -> Bytes {
        self.inline_script();
        self.json.extend_from_slice(b"]]");
        self.json.insert(0, b'[');
        Bytes::from(self.json)
    }

    /// The path and the body of the form that carries raw bytes.
    pub(crate) fn into_raw(mut self) -> Result<(String, Bytes)> {
        // There is no second form to fall back to.
        self.inline_script();
        let Some(raw) = self.rare.as_mut().and_then(|rare| rare.raw.take()) else {
            return Err(Error::invalid_input("no argument is raw"));
        };
        let commands = self.commands();
        let args = commands.iter().flatten().map(Bytes::as_ref);
        Ok((raw_path(args, raw.at)?, Bytes::from(raw.bytes)))
    }

    /// The arguments of each command, as they were added.
    pub(crate) fn commands(&self) -> Vec<Vec<Bytes>> {
        let mut text = Vec::with_capacity(self.json.len() + 3);
        text.push(b'[');
        text.extend_from_slice(&self.json);
        text.extend_from_slice(b"]]");
        // The parser reads what this file wrote; were that not JSON, there would be no arguments to show.
        let Ok(tape) = json::parse_value(text) else { return Vec::new() };
        let Shape::Array(commands) = Reply::root(&tape).shape() else { return Vec::new() };
        let mut commands: Vec<Vec<Bytes>> = commands.map(|args| Vec::from_reply(args).unwrap_or_default()).collect();
        if let (Some(raw), Some(last)) = (self.raw(), commands.last_mut())
            && let Some(arg) = last.get_mut(raw.at)
        {
            *arg = Bytes::copy_from_slice(&raw.bytes);
        }
        commands
    }
}

const NOT_IN_A_PIPELINE: &str = "bytes that are not UTF-8 can only be sent by a command on its own, as the request's body; \
     take the command out of the pipeline, transaction or batch, or encode the bytes as text";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_come_back_as_they_were_added() {
        let mut args = Args::new("SET");
        args.push("k\"\\\n").push(b"\xff\x00".as_slice()).push(1_u8);
        assert_eq!(args.commands(), [[b"SET".as_slice(), b"k\"\\\n", b"\xff\x00", b"1"]]);
        assert_eq!(args.into_raw().unwrap(), ("/SET/k%22%5C%0A?1".to_owned(), Bytes::from_static(b"\xff\x00")));
    }

    #[test]
    fn commands_stand_one_after_the_other() {
        let mut args = Args::new("PING");
        let mut second = Args::new("ECHO");
        second.push("hi");
        args.append(&second);
        assert_eq!(args.into_json_batch(), r#"[["PING"],["ECHO","hi"]]"#);
    }

    #[test]
    fn raw_bytes_are_refused_twice_and_in_a_pipeline() {
        let mut twice = Args::new("HSET");
        twice.push(b"\xff".as_slice()).push(b"\xfe".as_slice());
        assert!(twice.problem().unwrap().contains("two arguments"));
        let mut raw = Args::new("SET");
        raw.push("k").push(b"\xff".as_slice());
        let mut pipeline = Args::new("PING");
        pipeline.append(&raw);
        assert!(pipeline.problem().unwrap().contains("pipeline"));
    }
}
