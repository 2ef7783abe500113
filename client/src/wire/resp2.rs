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
    let mut parser = Parser { buffer: &buffer, at: 0, nodes: Nodes::new(8, max_values) };
    let mut count = 0;
    while parser.at < buffer.len() {
        parser.value(0)?;
        count += 1;
    }
    let nodes = parser.nodes;
    Ok((nodes.finish(buffer), count))
}

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
        // Most lines are lengths, a few bytes long.
        let near = rest.iter().take(8).position(|&byte| byte == b'\r');
        let len = near.or_else(|| memchr(b'\r', rest)).ok_or_else(|| self.truncated())?;
        match rest.get(len + 1) {
            Some(b'\n') => {}
            Some(_) => return Err(self.malformed()),
            None => return Err(self.truncated()),
        }
        let start = self.at;
        self.at += len + 2;
        Ok((start, len))
    }

    fn integer(&mut self) -> Result<i64> {
        let at = self.at;
        let (start, len) = self.line()?;
        let digits = self.buffer.get(start..start + len).unwrap_or_default();
        number::integer(digits)
            .ok_or_else(|| Error::protocol(format!("the RESP2 reply has a malformed number at byte {at}")))
    }

    /// The length of a string or an array; `None` is nil.
    #[inline]
    fn length(&mut self) -> Result<Option<usize>> {
        match self.short_length() {
            Some(length) => Ok(Some(length)),
            None => self.any_length(),
        }
    }

    /// A length of one or two digits, as most are. Otherwise nothing is consumed.
    #[inline]
    fn short_length(&mut self) -> Option<usize> {
        let (length, taken) = match *self.buffer.get(self.at..)?.first_chunk()? {
            [ones, b'\r', b'\n', _] => (digit(ones)?, 3),
            [tens, ones, b'\r', b'\n'] => (digit(tens)? * 10 + digit(ones)?, 4),
            _ => return None,
        };
        self.at += taken;
        Some(length)
    }

    #[inline(never)]
    fn any_length(&mut self) -> Result<Option<usize>> {
        match self.integer()? {
            -1 => Ok(None),
            length => usize::try_from(length).map(Some).map_err(|_| self.malformed()),
        }
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
            b'$' => match self.length()? {
                None => self.nodes.nil(),
                Some(len) => {
                    let start = self.at;
                    let end = start.checked_add(len).ok_or_else(|| self.truncated())?;
                    match self.buffer.get(end..).and_then(|rest| rest.get(..2)) {
                        Some(b"\r\n") => {}
                        Some(_) => return Err(self.malformed()),
                        None => return Err(self.truncated()),
                    }
                    self.at = end + 2;
                    self.nodes.bytes(start, len);
                }
            },
            b'*' => match self.length()? {
                None => self.nodes.nil(),
                Some(_) if depth == MAX_DEPTH => return Err(too_deep()),
                Some(count) => {
                    let opened = self.nodes.open();
                    for _ in 0..count {
                        self.value(depth + 1)?;
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

fn digit(byte: u8) -> Option<usize> {
    byte.is_ascii_digit().then(|| usize::from(byte - b'0'))
}
