//! RESP2 replies (`Upstash-Response-Format: resp2`): binary-safe, and a quarter smaller than base64.

use memchr::memchr;

use super::tape::{MAX_DEPTH, Node, Nodes, Tape, check_size, too_deep};
use super::{IGNORES_ENCODING, Parsed, number};
use crate::error::{Error, Result};

/// Parses the reply to one command. The tape holds one value.
pub(crate) fn parse_one(buffer: Vec<u8>, max_values: usize) -> Result<Tape> {
    let (tape, count) = parse_all(buffer, max_values)?;
    match count {
        1 => Ok(tape),
        _ => Err(Error::protocol(format!("{count} replies came for 1 command"))),
    }
}

/// Parses the reply to `count` commands: that many values in a row, one array of them, or one error for all of them.
///
/// The API's documentation does not say which. The number of values distinguishes them.
pub(crate) fn parse_many(buffer: Vec<u8>, count: usize, max_values: usize) -> Result<Parsed> {
    let (mut tape, found) = parse_all(buffer, max_values)?;
    if found == count {
        return Ok(Parsed::Replies(tape));
    }
    match tape.nodes.first() {
        Some(Node::Error { .. }) if found == 1 => Ok(Parsed::Refusal(tape)),
        Some(&Node::Array { count: inner, .. }) if found == 1 && inner as usize == count => {
            tape.nodes.remove(0);
            for node in &mut tape.nodes {
                if let Node::Array { end, .. } = node {
                    *end -= 1;
                }
            }
            Ok(Parsed::Replies(tape))
        }
        _ => Err(Error::protocol(format!("{found} replies came for {count} commands"))),
    }
}

fn parse_all(buffer: Vec<u8>, max_values: usize) -> Result<(Tape, usize)> {
    check_size(&buffer)?;
    if buffer.is_empty() {
        return Err(Error::protocol("the reply is empty"));
    }
    if let Some(b'{' | b'[') = buffer.first() {
        return Err(Error::protocol(format!("the reply is JSON, although RESP2 was asked for; {IGNORES_ENCODING}")));
    }
    let mut parser = Parser { buffer: &buffer, at: 0, nodes: Nodes::new(buffer.len() / 16 + 2, max_values) };
    let mut count = 0;
    while parser.at < buffer.len() {
        parser.value(0)?;
        count += 1;
    }
    let nodes = parser.nodes;
    Ok((nodes.finish(buffer), count))
}

/// The most digits of a number that is read without a search for its end: a length of a string has no more.
const MAX_DIGITS: usize = 10;

struct Parser<'a> {
    buffer: &'a [u8],
    at: usize,
    nodes: Nodes,
}

impl Parser<'_> {
    fn truncated(&self) -> Error {
        Error::protocol(format!("the RESP2 reply ends early, after {} bytes", self.buffer.len()))
    }

    fn malformed(&self) -> Error {
        Error::protocol(format!("the reply is not valid RESP2 at byte {}", self.at))
    }

    /// Consumes the rest of the line. Returns its start and its length, without CR LF.
    fn line(&mut self) -> Result<(usize, usize)> {
        let rest = self.buffer.get(self.at..).unwrap_or_default();
        let len = memchr(b'\r', rest).ok_or_else(|| self.truncated())?;
        match rest.get(len + 1) {
            Some(b'\n') => {}
            Some(_) => return Err(self.malformed()),
            None => return Err(self.truncated()),
        }
        let start = self.at;
        self.at += len + 2;
        Ok((start, len))
    }

    /// Consumes a line with a number.
    #[inline]
    fn integer(&mut self) -> Result<i64> {
        // Most are lengths, a few digits long: read digit by digit, without a search for the end of the line.
        let rest = self.buffer.get(self.at..).unwrap_or_default();
        let (mut number, mut len) = (0, 0);
        for &byte in rest.iter().take(MAX_DIGITS) {
            let digit = byte.wrapping_sub(b'0');
            if digit > 9 {
                break;
            }
            number = number * 10 + i64::from(digit);
            len += 1;
        }
        if let (1.., Some(b"\r\n")) = (len, rest.get(len..).and_then(|rest| rest.get(..2))) {
            self.at += len + 2;
            return Ok(number);
        }
        self.any_integer()
    }

    fn any_integer(&mut self) -> Result<i64> {
        let at = self.at;
        let (start, len) = self.line()?;
        let digits = self.buffer.get(start..start + len).unwrap_or_default();
        number::integer(digits)
            .ok_or_else(|| Error::protocol(format!("the RESP2 reply has a malformed number at byte {at}")))
    }

    /// The length of a string or an array; `None` is nil.
    fn length(&mut self) -> Result<Option<usize>> {
        match self.integer()? {
            -1 => Ok(None),
            length => usize::try_from(length).map(Some).map_err(|_| self.malformed()),
        }
    }

    /// Consumes a string after its `$`.
    #[inline]
    fn string(&mut self) -> Result<()> {
        let Some(len) = self.length()? else {
            self.nodes.nil();
            return Ok(());
        };
        let start = self.at;
        let end = start.checked_add(len).ok_or_else(|| self.truncated())?;
        match self.buffer.get(end..).and_then(|rest| rest.get(..2)) {
            Some(b"\r\n") => {}
            Some(_) => return Err(self.malformed()),
            None => return Err(self.truncated()),
        }
        self.at = end + 2;
        self.nodes.bytes(start, len);
        Ok(())
    }

    fn value(&mut self, depth: usize) -> Result<()> {
        self.nodes.check_room()?;
        let Some(&kind) = self.buffer.get(self.at) else { return Err(self.truncated()) };
        self.at += 1;
        match kind {
            b'+' => {
                let (start, len) = self.line()?;
                self.nodes.bytes(start, len);
            }
            b'-' => {
                let (start, len) = self.line()?;
                self.nodes.error(start, len);
            }
            b':' => {
                let int = self.integer()?;
                self.nodes.int(int);
            }
            b'$' => self.string()?,
            b'*' => match self.length()? {
                None => self.nodes.nil(),
                Some(_) if depth == MAX_DEPTH => return Err(too_deep()),
                Some(count) => {
                    let opened = self.nodes.open();
                    for _ in 0..count {
                        // Most values are strings, and need no call of their own.
                        if self.buffer.get(self.at) == Some(&b'$') {
                            self.nodes.check_room()?;
                            self.at += 1;
                            self.string()?;
                        } else {
                            self.value(depth + 1)?;
                        }
                    }
                    self.nodes.close(opened, count);
                }
            },
            _ => {
                self.at -= 1;
                return Err(self.malformed());
            }
        }
        Ok(())
    }
}
