//! JSON replies, plain or with base64 strings.

use memchr::memchr2;

use super::tape::{MAX_DEPTH, Node, Nodes, Tape, check_size, too_deep};
use super::{IGNORES_ENCODING, Parsed, base64};
use crate::error::{Error, Result};

/// How the strings of results are encoded. Errors are always plain text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Strings {
    Plain,
    Base64,
}

/// Parses the reply to one command: an object with `result` or `error`. The tape holds one value.
pub(crate) fn parse_one(buffer: Vec<u8>, strings: Strings, max_values: usize) -> Result<Tape> {
    check_size(&buffer)?;
    let mut parser = Parser::new(buffer, strings, max_values);
    parser.envelope()?;
    parser.end()
}

/// Parses the reply to `count` commands: an array of envelopes, or one error for all of them.
pub(crate) fn parse_many(buffer: Vec<u8>, strings: Strings, count: usize, max_values: usize) -> Result<Parsed> {
    check_size(&buffer)?;
    let mut parser = Parser::new(buffer, strings, max_values);
    if parser.peek()? == b'{' {
        parser.envelope()?;
        let tape = parser.end()?;
        return match tape.nodes.first() {
            Some(Node::Error { .. }) => Ok(Parsed::Refusal(tape)),
            _ => Err(Error::protocol(format!("one result came for {count} commands"))),
        };
    }
    let mut found = 0;
    parser.expect(b'[')?;
    if parser.peek()? == b']' {
        parser.at += 1;
    } else {
        loop {
            parser.envelope()?;
            found += 1;
            if !parser.comma_or(b']')? {
                break;
            }
        }
    }
    let tape = parser.end()?;
    if found == count {
        Ok(Parsed::Replies(tape))
    } else {
        Err(Error::protocol(format!("{found} replies came for {count} commands")))
    }
}

/// A number: its value, or the range of its digits.
enum Number {
    Int(i64),
    Text(usize, usize),
}

struct Parser {
    buffer: Vec<u8>,
    at: usize,
    strings: Strings,
    nodes: Nodes,
}

impl Parser {
    fn new(buffer: Vec<u8>, strings: Strings, max_values: usize) -> Self {
        // An estimate with which most replies need one allocation: few values are shorter than 16 bytes.
        let nodes = Nodes::new(buffer.len() / 16 + 2, max_values);
        Parser { buffer, at: 0, strings, nodes }
    }

    fn malformed(&self, expected: &str) -> Error {
        match self.buffer.get(self.at) {
            _ if self.buffer.is_empty() => Error::protocol("the reply is empty"),
            Some(b'<') if self.at == 0 => {
                Error::protocol("the reply is HTML or XML, not JSON; check that the URL is that of a Redis REST API")
            }
            Some(_) => Error::protocol(format!("the reply is not valid JSON: expected {expected} at byte {}", self.at)),
            None => Error::protocol(format!("the reply ends after {} bytes, where {expected} should follow", self.at)),
        }
    }

    fn skip_space(&mut self) {
        while let Some(b' ' | b'\n' | b'\r' | b'\t') = self.buffer.get(self.at) {
            self.at += 1;
        }
    }

    /// The next byte that is not white space. It is not consumed.
    #[inline]
    fn peek(&mut self) -> Result<u8> {
        match self.buffer.get(self.at) {
            Some(&byte) if byte > b' ' => Ok(byte),
            _ => self.peek_after_space(),
        }
    }

    #[cold]
    fn peek_after_space(&mut self) -> Result<u8> {
        self.skip_space();
        self.buffer.get(self.at).copied().ok_or_else(|| self.malformed("a value"))
    }

    fn expect(&mut self, byte: u8) -> Result<()> {
        self.skip_space();
        if self.buffer.get(self.at) == Some(&byte) {
            self.at += 1;
            Ok(())
        } else {
            Err(self.malformed(&format!("`{}`", char::from(byte))))
        }
    }

    /// Consumes a comma (`true`) or `close` (`false`).
    #[inline]
    fn comma_or(&mut self, close: u8) -> Result<bool> {
        match self.peek()? {
            b',' => {
                self.at += 1;
                Ok(true)
            }
            byte if byte == close => {
                self.at += 1;
                Ok(false)
            }
            _ => Err(self.malformed(&format!("`,` or `{}`", char::from(close)))),
        }
    }

    fn end(mut self) -> Result<Tape> {
        self.skip_space();
        if self.at == self.buffer.len() { Ok(self.nodes.finish(self.buffer)) } else { Err(self.malformed("its end")) }
    }

    /// `{"result": R}` or `{"error": "..."}`. Other members are skipped.
    fn envelope(&mut self) -> Result<()> {
        let start = self.nodes.len();
        let (mut has_result, mut has_error) = (false, false);
        self.expect(b'{')?;
        if self.peek()? == b'}' {
            self.at += 1;
        } else {
            loop {
                self.expect(b'"')?;
                let (name, len) = self.string()?;
                let name = self.buffer.get(name..name + len).unwrap_or_default();
                let (is_result, is_error) = (name == b"result", name == b"error");
                self.expect(b':')?;
                // Nothing can come after an error: it takes the place of the result.
                if is_error && self.peek()? == b'"' && !has_error {
                    self.at += 1;
                    let (text, len) = self.string()?;
                    self.nodes.truncate(start);
                    self.nodes.error(text, len);
                    has_error = true;
                } else if is_result && !has_result && !has_error {
                    self.value(0)?;
                    has_result = true;
                } else if is_result && has_result || is_error && self.peek()? != b'n' {
                    return Err(Error::protocol(
                        "the reply has `result` or `error` twice, or an error that is not a text",
                    ));
                } else {
                    self.skip(0)?;
                }
                if !self.comma_or(b'}')? {
                    break;
                }
            }
        }
        if has_result || has_error {
            Ok(())
        } else {
            Err(Error::protocol("the reply has neither `result` nor `error`"))
        }
    }

    /// Reads any JSON value, of which nothing is kept.
    fn skip(&mut self, depth: usize) -> Result<()> {
        let close = match self.peek()? {
            b'"' => {
                self.at += 1;
                return self.string().map(|_| ());
            }
            b'n' => return self.word(b"null"),
            b't' => return self.word(b"true"),
            b'f' => return self.word(b"false"),
            b'-' | b'0'..=b'9' => return self.digits().map(|_| ()),
            b'[' => b']',
            b'{' => b'}',
            _ => return Err(self.malformed("a value")),
        };
        if depth == MAX_DEPTH {
            return Err(too_deep());
        }
        self.at += 1;
        if self.peek()? == close {
            self.at += 1;
            return Ok(());
        }
        loop {
            if close == b'}' {
                self.expect(b'"')?;
                self.string()?;
                self.expect(b':')?;
            }
            self.skip(depth + 1)?;
            if !self.comma_or(close)? {
                return Ok(());
            }
        }
    }

    fn value(&mut self, depth: usize) -> Result<()> {
        self.nodes.check_room()?;
        match self.peek()? {
            b'"' => {
                self.at += 1;
                let (start, len) = self.string()?;
                let len = self.decoded(start, len)?;
                self.nodes.bytes(start, len);
            }
            b'[' => {
                if depth == MAX_DEPTH {
                    return Err(too_deep());
                }
                self.at += 1;
                self.array(depth + 1)?;
            }
            b'-' | b'0'..=b'9' => self.number()?,
            b'n' => {
                self.word(b"null")?;
                self.nodes.nil();
            }
            b't' => {
                self.word(b"true")?;
                self.nodes.int(1);
            }
            b'f' => {
                self.word(b"false")?;
                self.nodes.int(0);
            }
            _ => return Err(self.malformed("a string, a number, an array or null")),
        }
        Ok(())
    }

    fn array(&mut self, depth: usize) -> Result<()> {
        let opened = self.nodes.open();
        let mut count = 0;
        if self.peek()? == b']' {
            self.at += 1;
        } else {
            loop {
                self.value(depth)?;
                count += 1;
                if !self.comma_or(b']')? {
                    break;
                }
            }
        }
        self.nodes.close(opened, count);
        Ok(())
    }

    fn word(&mut self, word: &[u8]) -> Result<()> {
        if self.buffer.get(self.at..).is_some_and(|rest| rest.starts_with(word)) {
            self.at += word.len();
            Ok(())
        } else {
            Err(self.malformed("null, true or false"))
        }
    }

    /// An integer of 64 bits becomes a number. A fraction or a larger integer keeps its digits as text.
    fn number(&mut self) -> Result<()> {
        match self.digits()? {
            Number::Int(int) => self.nodes.int(int),
            Number::Text(start, len) => self.nodes.bytes(start, len),
        }
        Ok(())
    }

    fn digits(&mut self) -> Result<Number> {
        let start = self.at;
        let rest = self.buffer.get(start..).unwrap_or_default();
        let len = rest
            .iter()
            .position(|byte| !matches!(byte, b'0'..=b'9' | b'-' | b'+' | b'.' | b'e' | b'E'))
            .unwrap_or(rest.len());
        let text = std::str::from_utf8(rest.get(..len).unwrap_or_default()).unwrap_or_default();
        let number = match text.parse() {
            Ok(int) => Number::Int(int),
            Err(_) if text.parse::<f64>().is_ok() => Number::Text(start, len),
            Err(_) => return Err(self.malformed("a number")),
        };
        self.at += len;
        Ok(number)
    }

    /// Reads the string whose opening quote was just consumed, and unescapes it in place.
    fn string(&mut self) -> Result<(usize, usize)> {
        let start = self.at;
        let rest = self.buffer.get(start..).unwrap_or_default();
        match quote_or_backslash(rest) {
            Some(len) if rest.get(len) == Some(&b'"') => {
                self.at = start + len + 1;
                Ok((start, len))
            }
            Some(len) => self.escaped_string(start, start + len),
            None => {
                self.at = self.buffer.len();
                Err(self.malformed("the end of a string"))
            }
        }
    }

    /// Slow path: `at` is the first backslash. An escape is never shorter than the character it encodes, so the unescaped
    /// text never overtakes the position that is read.
    fn escaped_string(&mut self, start: usize, mut at: usize) -> Result<(usize, usize)> {
        let mut write = at;
        loop {
            let Some(&byte) = self.buffer.get(at) else {
                self.at = self.buffer.len();
                return Err(self.malformed("the end of a string"));
            };
            at += 1;
            match byte {
                b'"' => {
                    self.at = at;
                    return Ok((start, write - start));
                }
                b'\\' => {
                    let (decoded, taken) = self.escape(at)?;
                    at += taken;
                    let mut utf8 = [0; 4];
                    let encoded = decoded.encode_utf8(&mut utf8).as_bytes();
                    if let Some(target) = self.buffer.get_mut(write..write + encoded.len()) {
                        target.copy_from_slice(encoded);
                    }
                    write += encoded.len();
                }
                _ => {
                    if let Some(target) = self.buffer.get_mut(write) {
                        *target = byte;
                    }
                    write += 1;
                }
            }
        }
    }

    /// The escape that follows the backslash before `at`, and its length.
    fn escape(&mut self, at: usize) -> Result<(char, usize)> {
        let short = match self.buffer.get(at) {
            Some(b'"') => '"',
            Some(b'\\') => '\\',
            Some(b'/') => '/',
            Some(b'b') => '\u{8}',
            Some(b'f') => '\u{c}',
            Some(b'n') => '\n',
            Some(b'r') => '\r',
            Some(b't') => '\t',
            Some(b'u') => return self.unicode_escape(at),
            _ => {
                self.at = at;
                return Err(self.malformed("an escape"));
            }
        };
        Ok((short, 1))
    }

    fn unicode_escape(&mut self, at: usize) -> Result<(char, usize)> {
        let Some(unit) = self.hex(at + 1) else {
            self.at = at;
            return Err(self.malformed("four hexadecimal digits"));
        };
        if !(0xD800..0xDC00).contains(&unit) {
            // A low surrogate on its own is not a character.
            return Ok((char::from_u32(unit).unwrap_or(char::REPLACEMENT_CHARACTER), 5));
        }
        let low = match self.buffer.get(at + 5..at + 7) {
            Some(b"\\u") => self.hex(at + 7).filter(|low| (0xDC00..0xE000).contains(low)),
            _ => None,
        };
        match low {
            Some(low) => {
                let scalar = 0x10000 + ((unit - 0xD800) << 10) + (low - 0xDC00);
                Ok((char::from_u32(scalar).unwrap_or(char::REPLACEMENT_CHARACTER), 11))
            }
            None => Ok((char::REPLACEMENT_CHARACTER, 5)),
        }
    }

    fn hex(&self, at: usize) -> Option<u32> {
        let digits = self.buffer.get(at..at + 4)?;
        digits.iter().try_fold(0, |value, &digit| Some(value * 16 + char::from(digit).to_digit(16)?))
    }

    /// Decodes the base64 of a result's string. The status `OK` is the only string that is not encoded; its length of two
    /// characters distinguishes it from base64.
    fn decoded(&mut self, start: usize, len: usize) -> Result<usize> {
        let Some(text) = self.buffer.get_mut(start..start + len) else { return Ok(len) };
        if self.strings == Strings::Plain || text == b"OK" {
            return Ok(len);
        }
        base64::decode_in_place(text).ok_or_else(|| {
            Error::protocol(format!(
                "a string of the reply, at byte {start}, is not base64, although base64 was asked for; {IGNORES_ENCODING}"
            ))
        })
    }
}

/// The position of the first quote or backslash. Most strings are short names and numbers, for which eight bytes at a time
/// are quicker than a search made for long strings.
#[inline]
fn quote_or_backslash(bytes: &[u8]) -> Option<usize> {
    const ONES: u64 = 0x0101_0101_0101_0101;
    const HIGHS: u64 = 0x8080_8080_8080_8080;
    // Sets the high bit of the lowest zero byte, and possibly of some bytes above it.
    let zeros = |word: u64| word.wrapping_sub(ONES) & !word & HIGHS;
    let mut at = 0;
    while at < 32 {
        let Some(chunk) = bytes.get(at..).and_then(|rest| rest.first_chunk()) else { break };
        let word = u64::from_le_bytes(*chunk);
        let found = zeros(word ^ (ONES * u64::from(b'"'))) | zeros(word ^ (ONES * u64::from(b'\\')));
        if found != 0 {
            return Some(at + found.trailing_zeros() as usize / 8);
        }
        at += 8;
    }
    memchr2(b'"', b'\\', bytes.get(at..).unwrap_or_default()).map(|behind| at + behind)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Any JSON value, with white space and escapes.
    fn any_json() -> impl Strategy<Value = String> {
        let leaf = prop_oneof![
            Just("null".to_owned()),
            Just("true".to_owned()),
            any::<i64>().prop_map(|int| int.to_string()),
            any::<f64>()
                .prop_filter("JSON has no NaN", |float| float.is_finite())
                .prop_map(|float| format!("{float:e}")),
            any::<String>().prop_map(|text| serde_json::Value::from(text).to_string()),
            Just(r#""\ud83e\udd80\/\u00e9""#.to_owned()),
        ];
        leaf.prop_recursive(4, 32, 4, |inner| {
            let name = any::<String>().prop_map(|name| serde_json::Value::from(name).to_string());
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(|values| format!("[ {} ]", values.join(" ,"))),
                prop::collection::vec((name, inner), 0..4).prop_map(|members| {
                    let members: Vec<_> = members.iter().map(|(name, value)| format!("{name}:\n{value}")).collect();
                    format!("{{{}}}", members.join(","))
                }),
            ]
        })
    }

    proptest! {
        #[test]
        fn whatever_json_an_unknown_member_has_is_skipped(before in any_json(), after in any_json()) {
            let body = format!(r#"{{"x":{before},"result":[7],"y":{after}}}"#);
            prop_assert!(serde_json::from_str::<serde_json::Value>(&body).is_ok(), "{}", body);
            let tape = parse_one(body.clone().into(), Strings::Base64, 2);
            prop_assert!(tape.is_ok_and(|tape| tape.nodes.len() == 2), "{}", body);
        }

        #[test]
        fn the_first_quote_or_backslash_is_found(bytes in "[a!\"\\\\\u{a2}]{0,3}.{0,60}") {
            let found = bytes.bytes().position(|byte| matches!(byte, b'"' | b'\\'));
            prop_assert_eq!(quote_or_backslash(bytes.as_bytes()), found);
        }
    }
}
