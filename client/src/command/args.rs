//! The arguments of one command, encoded for the wire as they are added.

use std::borrow::Cow;
use std::ops::Range;

use bytes::Bytes;

use crate::arg::{Arg, ToArg};
use crate::error::Error;
use crate::wire::request::{NotText, pop_text, push_arg, push_text};

/// The arguments of one command, encoded for the wire as they are added.
///
/// Implement [`ToArgs`] with these methods for a type that adds several arguments: options, a range.
/// If an argument cannot be sent, the command fails with that argument's error before anything is sent.
#[derive(Debug, Clone)]
pub struct Args {
    /// A JSON array without its closing bracket: `["SET","k","v"`.
    json: Vec<u8>,
    /// The number of arguments, the command's name included.
    count: usize,
    /// Which arguments are keys: bit n stands for the argument n, and bit 0, the command's name, for a key from 64 on.
    keys: u64,
    /// What few commands have. It is boxed because commands are moved often.
    exceptions: Option<Box<Exceptions>>,
}

#[derive(Debug, Clone, Default)]
struct Exceptions {
    /// The argument that JSON cannot hold; `""` stands in its place.
    raw: Option<RawArg>,
    /// Why the command cannot be sent.
    error: Option<Error>,
}

/// How many arguments have a bit of their own in `Args::keys`.
const MARKED: usize = u64::BITS as usize;

/// The bit of `Args::keys` that stands for the keys that have none of their own.
const BEYOND: u64 = 1;

/// An argument that is not UTF-8.
#[derive(Debug, Clone)]
pub(super) struct RawArg {
    /// Its position; 0 would be the command's name.
    pub(super) at: usize,
    pub(super) bytes: Vec<u8>,
}

/// Why an argument that is not UTF-8 is refused among several commands.
pub(super) const NOT_ON_ITS_OWN: &str = "bytes that are not UTF-8 can only be sent by a command on its own, as the request's body; \
     take the command out of the pipeline, transaction or batch, or encode the bytes as text";

/// A type that adds any number of arguments to a command: options, ranges, field lists.
///
/// ```
/// use redis_rest::{Args, Command, ToArgs};
///
/// struct Limit { offset: u64, count: u64 }
///
/// impl ToArgs for Limit {
///     fn write_args(&self, args: &mut Args) {
///         args.push("LIMIT").push(self.offset).push(self.count);
///     }
/// }
///
/// let command = Command::read("ZRANGE").key("key").options(&Limit { offset: 0, count: 9 });
/// assert_eq!(command.args(), ["ZRANGE", "key", "LIMIT", "0", "9"]);
/// ```
///
/// Arrays, slices and `Vec`s of arguments of one type, and tuples of arguments of several types, implement it; `()` is no
/// argument.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a list of arguments",
    label = "not a list of arguments",
    note = "no argument: `()`; of one type: `[\"a\", \"b\"]` or a `Vec` (collect an iterator into one); of several types: `(\"a\", 1)`"
)]
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

impl<T: ToArg> ToArgs for [T] {
    fn write_args(&self, args: &mut Args) {
        args.extend(self);
    }
}

impl<T: ToArg, const N: usize> ToArgs for [T; N] {
    fn write_args(&self, args: &mut Args) {
        args.extend(self);
    }
}

impl<T: ToArg> ToArgs for Vec<T> {
    fn write_args(&self, args: &mut Args) {
        args.extend(self);
    }
}

macro_rules! to_args_for_tuples {
    ([$($done:ident $arg:ident)*]) => {};
    ([$($done:ident $at:ident)*] $T:ident $arg:ident $($rest:tt)*) => {
        impl<$($done: ToArg,)* $T: ToArg> ToArgs for ($($done,)* $T,) {
            fn write_args(&self, args: &mut Args) {
                let ($($at,)* $arg,) = self;
                args$(.push($at))*.push($arg);
            }
        }
        to_args_for_tuples! { [$($done $at)* $T $arg] $($rest)* }
    };
}

to_args_for_tuples! { [] A a B b C c D d E e F f G g H h I i J j K k L l }

impl Args {
    pub(super) fn new(name: &str) -> Self {
        let mut json = Vec::with_capacity(96);
        json.push(b'[');
        push_text(&mut json, name);
        Args { json, count: 1, keys: 0, exceptions: None }
    }

    /// Creates a list without a command's name, which [`append`](Args::append) adds to other arguments.
    pub(super) fn fragment() -> Self {
        Args { json: Vec::new(), count: 0, keys: 0, exceptions: None }
    }

    /// Adds one argument that is a key, as [`Command::key`](crate::Command::key) does.
    pub fn push_key(&mut self, key: impl ToArg) -> &mut Self {
        self.mark_key(self.count);
        self.push(key)
    }

    /// Adds a key for each item.
    pub fn extend_keys(&mut self, keys: impl IntoIterator<Item = impl ToArg>) -> &mut Self {
        for key in keys {
            self.push_key(key);
        }
        self
    }

    /// Marks the argument at `at` as a key.
    pub(super) fn mark_key(&mut self, at: usize) {
        self.keys |= if at < MARKED { 1 << at } else { BEYOND };
    }

    /// Whether there are keys, and all that are marked have their own bit and are text.
    pub(super) fn has_known_keys(&self) -> bool {
        self.keys != 0 && self.keys & BEYOND == 0 && !self.raw().is_some_and(|raw| self.is_key(raw.at))
    }

    /// The text of the arguments that are marked as keys, if each has a bit of its own.
    pub(super) fn all_marked_keys(&self) -> Option<Vec<String>> {
        (self.keys & BEYOND == 0).then(|| self.marked_keys())
    }

    /// The text of the arguments that are marked as keys, as far as they have a bit of their own and are text.
    pub(super) fn marked_keys(&self) -> Vec<String> {
        let raw = self.raw().map(|raw| raw.at);
        let args = texts(&self.json).0.into_iter().enumerate();
        let keys = args.filter(|(at, _)| self.is_key(*at) && raw != Some(*at));
        keys.filter_map(|(_, key)| String::from_utf8(key.into()).ok()).collect()
    }

    fn is_key(&self, at: usize) -> bool {
        (1..MARKED).contains(&at) && self.keys & (1 << at) != 0
    }

    /// Adds the arguments of a fragment, whose keys are not marked.
    pub(super) fn append(&mut self, fragment: Args) {
        if let Some(exceptions) = fragment.exceptions {
            if let Some(RawArg { at, bytes }) = exceptions.raw {
                self.set_raw(RawArg { at: self.count + at, bytes });
            }
            if let Some(error) = exceptions.error {
                self.fail(error);
            }
        }
        self.json.extend_from_slice(&fragment.json);
        self.count += fragment.count;
    }

    /// The number of arguments.
    pub(super) fn count(&self) -> usize {
        self.count
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

    /// Makes the command fail as `InvalidInput` before anything is sent. The first reason counts.
    pub fn reject(&mut self, why: impl Into<Cow<'static, str>>) -> &mut Self {
        self.fail(Error::invalid_input(why))
    }

    /// Makes the command fail with `error` before anything is sent. The first error counts.
    pub fn fail(&mut self, error: Error) -> &mut Self {
        self.exceptions().error.get_or_insert_with(|| error.before_sending());
        self
    }

    fn exceptions(&mut self) -> &mut Exceptions {
        self.exceptions.get_or_insert_default()
    }

    fn push_arg(&mut self, arg: Arg<'_>) {
        self.json.push(b',');
        match push_arg(&mut self.json, arg) {
            Ok(()) => {}
            Err(NotText::Raw(bytes)) => {
                self.json.extend_from_slice(b"\"\"");
                self.set_raw(RawArg { at: self.count, bytes });
            }
            Err(NotText::Invalid(why)) => {
                self.json.extend_from_slice(b"\"\"");
                self.reject(why);
            }
        }
        self.count += 1;
    }

    fn set_raw(&mut self, raw: RawArg) {
        if self.exceptions().raw.replace(raw).is_some() {
            self.reject(
                "two arguments are bytes that are not UTF-8, but a request can carry only one; \
                 send them in separate commands, or encode them as text",
            );
        }
    }

    /// Why the command cannot be sent.
    pub(super) fn error(&self) -> Option<&Error> {
        self.exceptions.as_ref()?.error.as_ref()
    }

    /// Replaces the argument at `position`, which is encoded in `bytes` together with its comma, by one argument or more.
    pub(super) fn replace(&mut self, position: usize, bytes: Range<usize>, with: &[&str]) {
        let mut json = Vec::new();
        for text in with {
            json.push(b',');
            push_text(&mut json, text);
        }
        self.json.splice(bytes, json);
        self.count = (self.count + with.len()).saturating_sub(1);
        if let Some(raw) = self.exceptions.as_mut().and_then(|exceptions| exceptions.raw.as_mut())
            && raw.at > position
        {
            raw.at = (raw.at + with.len()).saturating_sub(1);
        }
    }

    pub(super) fn is_raw(&self) -> bool {
        self.raw().is_some()
    }

    fn raw(&self) -> Option<&RawArg> {
        self.exceptions.as_ref()?.raw.as_ref()
    }

    /// The first argument, which is the command's name.
    pub(super) fn name(&self) -> Vec<u8> {
        self.json.get(1..).and_then(pop_text).map(|(name, _)| name).unwrap_or_default()
    }

    /// The arguments of the command, its name included, to add to those of another.
    pub(super) fn into_fragment(mut self) -> Args {
        // In place of the bracket before the name.
        if let Some(first) = self.json.first_mut() {
            *first = b',';
        }
        self
    }

    /// The length of the encoded arguments so far.
    pub(super) fn len(&self) -> usize {
        self.json.len()
    }

    /// The encoded arguments, without the closing bracket, and the one that JSON cannot hold.
    pub(super) fn into_parts(self) -> (Vec<u8>, Option<RawArg>) {
        (self.json, self.exceptions.and_then(|exceptions| exceptions.raw))
    }

    /// The arguments as they were added, the command's name first.
    pub(super) fn to_vec(&self) -> Vec<Bytes> {
        let (mut args, _) = texts(&self.json);
        if let Some(raw) = self.exceptions.as_ref().and_then(|exceptions| exceptions.raw.as_ref())
            && let Some(arg) = args.get_mut(raw.at)
        {
            *arg = Bytes::copy_from_slice(&raw.bytes);
        }
        args
    }
}

/// The arguments of the first encoded command, and what follows them.
pub(super) fn texts(json: &[u8]) -> (Vec<Bytes>, &[u8]) {
    let mut args = Vec::new();
    let mut rest = json;
    // A bracket or a comma stands before each string.
    while let Some((text, after)) = rest.get(1..).and_then(pop_text) {
        args.push(Bytes::from(text));
        rest = after;
    }
    (args, rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_come_back_as_they_were_added() {
        let mut args = Args::new("SET");
        args.push("k\"\\\n\u{1}é").push(b"\xff\x00".as_slice()).push(1_u32);
        assert_eq!(args.to_vec(), [b"SET".as_slice(), "k\"\\\n\u{1}é".as_bytes(), b"\xff\x00", b"1"]);
    }

    #[test]
    fn a_second_raw_argument_is_refused() {
        let mut args = Args::new("HSET");
        args.push(b"\xff".as_slice()).push(b"\xfe".as_slice());
        assert!(args.error().unwrap().message().contains("two arguments"));
    }
}
