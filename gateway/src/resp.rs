//! RESP2, the protocol of Redis: encodes commands and parses replies.
//!
//! The crate `redis` is not used, because it rejects replies that Redis does send: statuses and errors that are not UTF-8,
//! since they quote what a client sent, and deeply nested arrays, which scripts can return.

use bytes::{Buf as _, Bytes, BytesMut};

/// A command: its name and its arguments.
pub(crate) type Args = Vec<Bytes>;

/// A reply of Redis.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Value {
    Nil,
    Int(i64),
    Status(Bytes),
    Bulk(Bytes),
    Error(Bytes),
    Array(Vec<Value>),
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

/// Parses values from input that arrives in pieces.
///
/// Incomplete arrays are kept on an explicit stack, so the nesting depth is not limited by the call stack, and no element is
/// parsed twice.
#[derive(Debug, Default)]
pub(crate) struct Parser {
    /// The incomplete arrays, outermost first: the items so far and the number of items.
    open: Vec<(Vec<Value>, usize)>,
}

impl Parser {
    /// Removes the next value from `buffer`. Returns `None` if the value is incomplete.
    pub(crate) fn next(&mut self, buffer: &mut BytesMut) -> Result<Option<Value>, Malformed> {
        loop {
            let Some(mut value) = self.element(buffer)? else { return Ok(None) };
            // The value may complete an array, which may complete the array around it, and so on.
            loop {
                if let Some(complete) = value {
                    match self.open.last_mut() {
                        None => return Ok(Some(complete)),
                        Some((items, _)) => items.push(complete),
                    }
                }
                match self.open.pop_if(|(items, count)| items.len() == *count) {
                    Some((items, _)) => value = Some(Value::Array(items)),
                    None => break,
                }
            }
        }
    }

    /// Returns whether no array is incomplete.
    pub(crate) fn is_between_values(&self) -> bool {
        self.open.is_empty()
    }

    /// Removes one element from `buffer`.
    ///
    /// Returns `None` if the element is incomplete, and `Some(None)` if it is the header of an array.
    fn element(&mut self, buffer: &mut BytesMut) -> Result<Option<Option<Value>>, Malformed> {
        let Some(end) = buffer.windows(2).position(|pair| pair == b"\r\n") else { return Ok(None) };
        let (Some(&kind), Some(line)) = (buffer.first(), buffer.get(1..end)) else { return Err(Malformed) };
        let number = || -> Result<i64, Malformed> {
            std::str::from_utf8(line).ok().and_then(|digits| digits.parse().ok()).ok_or(Malformed)
        };
        let value = match kind {
            b'+' | b'-' => {
                let mut line = buffer.split_to(end + 2).freeze();
                line.truncate(end);
                line.advance(1);
                return Ok(Some(Some(if kind == b'+' { Value::Status(line) } else { Value::Error(line) })));
            }
            b':' => Some(Value::Int(number()?)),
            b'$' => match usize::try_from(number()?) {
                Err(_) => Some(Value::Nil),
                Ok(length) => {
                    if length > MAX_STRING {
                        return Err(Malformed);
                    }
                    let total = end + 2 + length + 2;
                    if buffer.len() < total {
                        return Ok(None);
                    }
                    let mut bytes = buffer.split_to(total).freeze();
                    bytes.advance(end + 2);
                    if bytes.split_off(length) != b"\r\n"[..] {
                        return Err(Malformed);
                    }
                    return Ok(Some(Some(Value::Bulk(bytes))));
                }
            },
            b'*' => match usize::try_from(number()?) {
                Err(_) => Some(Value::Nil),
                Ok(count) => {
                    self.open.push((Vec::with_capacity(count.min(1024)), count));
                    None
                }
            },
            _ => return Err(Malformed),
        };
        buffer.advance(end + 2);
        Ok(Some(value))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(wire: &[u8], piece: usize) -> Result<Vec<Value>, Malformed> {
        let (mut parser, mut buffer, mut values) = (Parser::default(), BytesMut::new(), Vec::new());
        for piece in wire.chunks(piece) {
            buffer.extend_from_slice(piece);
            while let Some(value) = parser.next(&mut buffer)? {
                values.push(value);
            }
        }
        assert!(buffer.is_empty() && parser.open.is_empty());
        Ok(values)
    }

    #[test]
    fn values_are_parsed_from_pieces_of_any_size() {
        let wire = b"+OK\r\n-ERR \xff\r\n:-7\r\n$-1\r\n*-1\r\n*0\r\n*3\r\n$4\r\na\r\nb\r\n*2\r\n*0\r\n:1\r\n+x\r\n";
        let bulk = |text: &'static str| Value::Bulk(Bytes::from_static(text.as_bytes()));
        let inner = Value::Array(vec![Value::Array(vec![]), Value::Int(1)]);
        let expected = [
            Value::ok(),
            Value::Error(Bytes::from_static(b"ERR \xff")),
            Value::Int(-7),
            Value::Nil,
            Value::Nil,
            Value::Array(vec![]),
            Value::Array(vec![bulk("a\r\nb"), inner, Value::Status(Bytes::from_static(b"x"))]),
        ];
        for piece in 1..wire.len() {
            assert_eq!(parse(wire, piece).unwrap(), expected, "{piece}");
        }
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
