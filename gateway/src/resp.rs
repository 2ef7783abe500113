//! RESP2, the protocol of Redis: encodes commands and parses replies.
//!
//! The crate `redis` is not used, because it rejects replies that Redis does send: statuses and errors that are not UTF-8,
//! since they quote what a client sent, and deeply nested arrays, which scripts can return.

use std::mem;
use std::ops::Deref;

use bytes::{Buf as _, Bytes, BytesMut};

use crate::budget::{Excess, Share};

/// A command: its name and its arguments.
pub(crate) type Args = Vec<Bytes>;

/// A reply of Redis.
#[derive(Debug, PartialEq)]
pub(crate) enum Value {
    Nil,
    Int(i64),
    Status(Bytes),
    Bulk(Bytes),
    Error(Bytes),
    Array(Array),
}

impl Value {
    /// Returns the status OK.
    pub(crate) fn ok() -> Self {
        Value::Status(Bytes::from_static(b"OK"))
    }

    /// Returns the items of an array. Any other value has none.
    pub(crate) fn items(&self) -> &[Value] {
        match self {
            Value::Array(items) => items,
            _ => &[],
        }
    }

    /// Returns the text of a string or status, or `None` if it is not UTF-8 or the value has another type.
    pub(crate) fn text(&self) -> Option<&str> {
        match self {
            Value::Bulk(bytes) | Value::Status(bytes) => std::str::from_utf8(bytes).ok(),
            _ => None,
        }
    }
}

/// The items of an array.
///
/// A script can return arrays that are nested thousands of levels deep. Nothing that handles values recurses, not even the
/// drop, so that they do not overflow the stack.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Array(Vec<Value>);

impl Deref for Array {
    type Target = [Value];

    fn deref(&self) -> &[Value] {
        &self.0
    }
}

impl From<Vec<Value>> for Array {
    fn from(items: Vec<Value>) -> Self {
        Array(items)
    }
}

impl FromIterator<Value> for Array {
    fn from_iter<I: IntoIterator<Item = Value>>(items: I) -> Self {
        Array(items.into_iter().collect())
    }
}

impl IntoIterator for Array {
    type Item = Value;
    type IntoIter = std::vec::IntoIter<Value>;

    fn into_iter(mut self) -> Self::IntoIter {
        mem::take(&mut self.0).into_iter()
    }
}

impl Drop for Array {
    fn drop(&mut self) {
        if !self.0.iter().any(|item| matches!(item, Value::Array(_))) {
            return;
        }
        let mut nested = vec![mem::take(&mut self.0)];
        while let Some(items) = nested.pop() {
            for item in items {
                if let Value::Array(mut array) = item {
                    nested.push(mem::take(&mut array.0));
                }
            }
        }
    }
}

/// The longest string that Redis allows by default.
const MAX_STRING: usize = 512 << 20;

/// The input is not RESP2.
#[derive(Debug, PartialEq)]
pub(crate) struct Malformed;

/// Adds a command as an array of bulk strings.
pub(crate) fn push_command(wire: &mut Vec<u8>, args: &Args) {
    push_length(wire, b'*', args.len());
    for arg in args {
        push_length(wire, b'$', arg.len());
        wire.extend_from_slice(arg);
        wire.extend_from_slice(b"\r\n");
    }
}

/// Adds a line that consists of a type byte and a length.
pub(crate) fn push_length(wire: &mut Vec<u8>, kind: u8, length: usize) {
    wire.push(kind);
    push_number(wire, length);
    wire.extend_from_slice(b"\r\n");
}

/// Adds a number in decimal digits.
fn push_number(wire: &mut Vec<u8>, mut number: usize) {
    let start = wire.len();
    loop {
        #[expect(clippy::cast_possible_truncation, reason = "a digit")]
        wire.push(b'0' + (number % 10) as u8);
        number /= 10;
        if number == 0 {
            break;
        }
    }
    if let Some(digits) = wire.get_mut(start..) {
        digits.reverse();
    }
}

/// The size of an element of an array without its text.
const ELEMENT: usize = size_of::<Value>();

/// The longest status or error that has no size if it is the whole reply. So an error of Redis is never replaced by the
/// error that the replies are too large.
const FREE_LINE: usize = 1 << 10;

/// Parses values from input that arrives in pieces.
///
/// Incomplete arrays are kept on an explicit stack, so the nesting depth is not limited by the call stack, and no element is
/// parsed twice.
#[derive(Debug)]
pub(crate) struct Parser {
    /// The incomplete arrays, outermost first.
    open: Vec<Incomplete>,
    /// The size of the current value so far: of its text, and [`ELEMENT`] for each element of an array.
    size: usize,
    /// Why the current value is too large, if it is. Its items are dropped as they arrive.
    excess: Option<Excess>,
    /// The number of bytes to drop: the rest of a string of a value that is too large.
    skip: usize,
    /// The number of bytes at the start of the buffer that contain no end of a line.
    searched: usize,
    /// The number of bytes that the buffer will have when the current string is complete.
    wanted: usize,
}

/// An array of which items are missing.
#[derive(Debug)]
struct Incomplete {
    items: Vec<Value>,
    missing: usize,
}

/// What has been removed from the buffer.
enum Element {
    Complete(Value),
    /// A string that was dropped because the value is too large.
    Dropped,
    /// The header of an array.
    Header,
}

impl Parser {
    pub(crate) fn new() -> Self {
        Parser { open: Vec::new(), size: 0, excess: None, skip: 0, searched: 0, wanted: 0 }
    }

    /// Returns the number of bytes that the buffer needs for the current string. It may be more than the string's.
    pub(crate) fn wanted(&self) -> usize {
        self.wanted
    }

    /// Removes the next value from `buffer`. Returns `None` if the value is incomplete.
    ///
    /// Its size is taken from `share` as it arrives. A value that is larger than what is left is replaced by an error.
    pub(crate) fn next(&mut self, buffer: &mut BytesMut, share: &mut Share) -> Result<Option<Value>, Malformed> {
        loop {
            let Some(element) = self.element(buffer, share)? else { return Ok(None) };
            let mut complete = match element {
                Element::Complete(value) => Some(value),
                Element::Dropped => Some(Value::Nil),
                Element::Header => None,
            };
            // The value may complete an array, which may complete the array around it, and so on.
            loop {
                if let Some(value) = complete {
                    let is_too_large = self.excess.is_some();
                    match self.open.last_mut() {
                        None => return Ok(Some(self.finish(value, share))),
                        Some(array) => {
                            array.missing -= 1;
                            if !is_too_large {
                                array.items.push(value);
                            }
                        }
                    }
                }
                match self.open.pop_if(|array| array.missing == 0) {
                    Some(array) => complete = Some(Value::Array(array.items.into())),
                    None => break,
                }
            }
        }
    }

    /// Returns whether no value is incomplete.
    pub(crate) fn is_between_values(&self) -> bool {
        self.open.is_empty() && self.skip == 0
    }

    /// Returns the value, or the error in its place.
    fn finish(&mut self, value: Value, share: &Share) -> Value {
        let size = mem::take(&mut self.size);
        let text = match self.excess.take() {
            None => return value,
            Some(Excess::Request(limit)) => format!(
                "ERR max request size exceeded: the replies to a request are limited. Limit: {limit} bytes, Actual: {} \
                 bytes. The command was executed",
                share.held().saturating_add(size)
            ),
            Some(Excess::Others(limit)) => format!(
                "ERR max request size exceeded: the replies that are held for the read-only token and for ACL users are \
                 limited. Limit: {limit} bytes. The command was executed"
            ),
        };
        Value::Error(text.into())
    }

    /// Adds to the size of the current value. Drops its items if it is too large.
    fn grow(&mut self, bytes: usize, share: &mut Share) {
        if self.excess.is_none()
            && let Err(excess) = share.take(bytes)
        {
            self.excess = Some(excess);
            share.give_back(self.size);
            for array in &mut self.open {
                array.items = Vec::new();
            }
        }
        self.size = self.size.saturating_add(bytes);
    }

    /// Removes one element from `buffer`. Returns `None` if the element is incomplete.
    fn element(&mut self, buffer: &mut BytesMut, share: &mut Share) -> Result<Option<Element>, Malformed> {
        if self.skip > 0 {
            let skipped = self.skip.min(buffer.len());
            buffer.advance(skipped);
            self.skip -= skipped;
            return Ok((self.skip == 0).then_some(Element::Dropped));
        }
        let unsearched = buffer.get(self.searched..).unwrap_or_default();
        let Some(end) = unsearched.windows(2).position(|pair| pair == b"\r\n").map(|at| self.searched + at) else {
            // The last byte may be the first half of the end.
            self.searched = buffer.len().saturating_sub(1);
            return Ok(None);
        };
        let (Some(&kind), Some(line)) = (buffer.first(), buffer.get(1..end)) else { return Err(Malformed) };
        let number = || -> Result<i64, Malformed> {
            std::str::from_utf8(line).ok().and_then(|digits| digits.parse().ok()).ok_or(Malformed)
        };
        let is_outermost = self.open.is_empty();
        let overhead = if is_outermost { 0 } else { ELEMENT };
        let element = match kind {
            b'+' | b'-' => {
                let mut line = buffer.split_to(end + 2).freeze();
                line.truncate(end);
                line.advance(1);
                self.searched = 0;
                self.grow(if is_outermost && end <= FREE_LINE { 0 } else { overhead + line.len() }, share);
                return Ok(Some(Element::Complete(if kind == b'+' {
                    Value::Status(line)
                } else {
                    Value::Error(line)
                })));
            }
            b':' => {
                let number = number()?;
                self.grow(overhead, share);
                Element::Complete(Value::Int(number))
            }
            b'$' => match usize::try_from(number()?) {
                Err(_) => {
                    self.grow(overhead, share);
                    Element::Complete(Value::Nil)
                }
                Ok(length) => {
                    if length > MAX_STRING {
                        return Err(Malformed);
                    }
                    let total = end + 2 + length + 2;
                    // Taken before the string arrives, and once.
                    if self.wanted == 0 {
                        self.grow(overhead + length, share);
                    }
                    if self.excess.is_some() {
                        self.skip = total;
                        self.searched = 0;
                        return self.element(buffer, share);
                    }
                    if buffer.len() < total {
                        // The search begins at the end of this line next time.
                        self.searched = end;
                        self.wanted = total;
                        return Ok(None);
                    }
                    self.searched = 0;
                    self.wanted = 0;
                    let mut bytes = buffer.split_to(total).freeze();
                    bytes.advance(end + 2);
                    if bytes.split_off(length) != b"\r\n"[..] {
                        return Err(Malformed);
                    }
                    return Ok(Some(Element::Complete(Value::Bulk(bytes))));
                }
            },
            b'*' => match usize::try_from(number()?) {
                Err(_) => {
                    self.grow(overhead, share);
                    Element::Complete(Value::Nil)
                }
                Ok(missing) => {
                    // Room for its items is made as they arrive: the header may promise more than there is memory.
                    self.open.push(Incomplete { items: Vec::new(), missing });
                    self.grow(ELEMENT, share);
                    Element::Header
                }
            },
            _ => return Err(Malformed),
        };
        buffer.advance(end + 2);
        self.searched = 0;
        Ok(Some(element))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::budget::Budget;

    fn parse(wire: &[u8], piece: usize) -> Result<Vec<Value>, Malformed> {
        parse_limited(wire, piece, usize::MAX)
    }

    fn parse_limited(wire: &[u8], piece: usize, limit: usize) -> Result<Vec<Value>, Malformed> {
        let (mut parser, mut buffer, mut values) = (Parser::new(), BytesMut::new(), Vec::new());
        let budget = Budget::new(0, limit);
        let mut share = budget.share(true);
        for piece in wire.chunks(piece) {
            buffer.extend_from_slice(piece);
            while let Some(value) = parser.next(&mut buffer, &mut share)? {
                assert!(matches!(value, Value::Error(_)) == (share.held() == 0) || limit == usize::MAX);
                values.push(value);
                share = budget.share(true);
            }
        }
        assert!(buffer.is_empty() && parser.is_between_values());
        Ok(values)
    }

    #[test]
    fn values_are_parsed_from_pieces_of_any_size() {
        let wire = b"+OK\r\n-ERR \xff\r\n:-7\r\n$-1\r\n*-1\r\n*0\r\n*3\r\n$4\r\na\r\nb\r\n*2\r\n*0\r\n:1\r\n+x\r\n";
        let bulk = |text: &'static str| Value::Bulk(Bytes::from_static(text.as_bytes()));
        let array = |items: Vec<Value>| Value::Array(items.into());
        let inner = array(vec![array(vec![]), Value::Int(1)]);
        let expected = [
            Value::ok(),
            Value::Error(Bytes::from_static(b"ERR \xff")),
            Value::Int(-7),
            Value::Nil,
            Value::Nil,
            array(vec![]),
            array(vec![bulk("a\r\nb"), inner, Value::Status(Bytes::from_static(b"x"))]),
        ];
        for piece in 1..wire.len() {
            assert_eq!(parse(wire, piece).unwrap(), expected, "{piece}");
        }
    }

    #[test]
    fn a_value_larger_than_the_limit_is_replaced_by_an_error_and_the_next_one_is_read() {
        let large = "x".repeat(300);
        for wire in [
            format!("${}\r\n{large}\r\n", large.len()),
            format!("*3\r\n:1\r\n*2\r\n$1\r\na\r\n${}\r\n{large}\r\n+done\r\n", large.len()),
            format!("*9\r\n{}", ":1\r\n".repeat(9)),
            format!("{}:1\r\n", "*1\r\n".repeat(9)),
            format!("*2\r\n+{large}\r\n+{large}\r\n"),
        ] {
            let wire = format!("{wire}$4\r\nnext\r\n-ERR no\r\n");
            for piece in 1..wire.len() {
                let values = parse_limited(wire.as_bytes(), piece, 7 * ELEMENT).unwrap();
                let [Value::Error(error), next, Value::Error(other)] = values.as_slice() else { panic!("{values:?}") };
                assert!(error.starts_with(b"ERR max request size exceeded"), "{error:?}");
                assert_eq!((next, other.as_ref()), (&Value::Bulk(Bytes::from_static(b"next")), &b"ERR no"[..]));
            }
        }
    }

    #[test]
    fn deep_nesting_does_not_overflow_the_stack() {
        let wire = format!("{}:1\r\n", "*1\r\n".repeat(100_000));
        let values = parse(wire.as_bytes(), 1 << 16).unwrap();
        assert!(matches!(values.as_slice(), [Value::Array(_)]));
        drop(values);
        // Also if the connection breaks within it.
        let mut parser = Parser::new();
        assert_eq!(parser.next(&mut BytesMut::from(&wire.as_bytes()[..300_000]), &mut Share::unlimited()), Ok(None));
    }

    #[test]
    fn malformed_input_is_rejected() {
        for wire in ["x\r\n", "\r\n", ":one\r\n", "$1\r\nab\r\n", "*x\r\n", "$9223372036854775807\r\n"] {
            assert_eq!(parse(wire.as_bytes(), 99), Err(Malformed), "{wire:?}");
        }
    }

    #[test]
    fn commands_are_arrays_of_bulk_strings() {
        let mut wire = Vec::new();
        push_command(&mut wire, &vec![Bytes::from_static(b"GET"), Bytes::from_static(b"\xff")]);
        assert_eq!(wire, b"*2\r\n$3\r\nGET\r\n$1\r\n\xff\r\n");
        wire.clear();
        for length in [0, 9, 10, 12_345] {
            push_length(&mut wire, b':', length);
        }
        assert_eq!(wire, b":0\r\n:9\r\n:10\r\n:12345\r\n");
    }
}
