//! Redis's own protocol, RESP2, from the side of a client: commands to bytes, bytes to values.
//!
//! A library would do this, had it room for what Redis really sends: statuses and errors that are no UTF-8, since they
//! repeat what a client sent, and arrays as deep as a script makes them.

use bytes::{Buf as _, Bytes, BytesMut};

/// A command's arguments, its name first.
pub(crate) type Args = Vec<Bytes>;

/// What Redis replies.
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
    /// The status OK.
    pub(crate) fn ok() -> Self {
        Value::Status(Bytes::from_static(b"OK"))
    }

    /// The values of an array; none of anything else.
    pub(crate) fn items(&self) -> &[Value] {
        match self {
            Value::Array(items) => items,
            _ => &[],
        }
    }

    /// The text of a string or a status.
    pub(crate) fn text(&self) -> Option<&str> {
        match self {
            Value::Bulk(bytes) | Value::Status(bytes) => std::str::from_utf8(bytes).ok(),
            _ => None,
        }
    }
}

/// The longest string that Redis has, by default.
const LONGEST: usize = 512 << 20;

/// Bytes that are no RESP2.
#[derive(Debug, PartialEq)]
pub(crate) struct Malformed;

/// Adds a command.
pub(crate) fn push_command(wire: &mut Vec<u8>, args: &Args) {
    push_length(wire, b'*', args.len());
    for arg in args {
        push_length(wire, b'$', arg.len());
        wire.extend_from_slice(arg);
        wire.extend_from_slice(b"\r\n");
    }
}

pub(crate) fn push_length(wire: &mut Vec<u8>, kind: u8, length: usize) {
    wire.push(kind);
    push_number(wire, length);
    wire.extend_from_slice(b"\r\n");
}

/// Adds the digits of a number.
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

/// Puts values together from bytes that arrive in any pieces. Arrays that are not whole yet stand on a stack of its own: no
/// depth is too deep, and what was read of them is not read again.
#[derive(Debug, Default)]
pub(crate) struct Parser {
    open: Vec<(Vec<Value>, usize)>,
}

impl Parser {
    /// Takes the next value off the front of `buffer`; `None` when it is not all there.
    pub(crate) fn next(&mut self, buffer: &mut BytesMut) -> Result<Option<Value>, Malformed> {
        loop {
            let Some(mut value) = self.element(buffer)? else { return Ok(None) };
            // It may be the last of an array, and that the last of another.
            loop {
                if let Some(whole) = value {
                    match self.open.last_mut() {
                        None => return Ok(Some(whole)),
                        Some((items, _)) => items.push(whole),
                    }
                }
                match self.open.pop_if(|(items, count)| items.len() == *count) {
                    Some((items, _)) => value = Some(Value::Array(items)),
                    None => break,
                }
            }
        }
    }

    /// Whether nothing has begun that is not whole.
    pub(crate) fn is_between_values(&self) -> bool {
        self.open.is_empty()
    }

    /// Takes one element: a value, or the beginning of an array, which is none yet.
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
                    if length > LONGEST {
                        return Err(Malformed);
                    }
                    let whole = end + 2 + length + 2;
                    if buffer.len() < whole {
                        return Ok(None);
                    }
                    let mut bytes = buffer.split_to(whole).freeze();
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
    fn values_come_whole_wherever_the_bytes_are_cut() {
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
    fn what_is_no_resp_is_refused() {
        for wire in ["x\r\n", "\r\n", ":one\r\n", "$1\r\nab\r\n", "*x\r\n", "$9223372036854775807\r\n"] {
            assert_eq!(parse(wire.as_bytes(), 99), Err(Malformed), "{wire:?}");
        }
    }

    #[test]
    fn commands_are_arrays_of_strings() {
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
