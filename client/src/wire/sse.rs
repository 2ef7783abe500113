//! Server-sent events, as the HTML standard defines them: bytes in as they arrive, the data of complete events out.

use crate::error::{Error, ErrorKind, Result};

/// Assembles events from chunks, which can end anywhere.
#[derive(Debug, Default)]
pub(crate) struct Events {
    /// What has arrived and is not parsed yet.
    buffer: Vec<u8>,
    /// How many bytes of it are parsed.
    read: usize,
    /// Up to where the end of the incomplete line was searched for.
    scanned: usize,
    /// The data of the incomplete event, each line with its line end.
    data: Vec<u8>,
    /// The last line ended in CR, so a LF that follows belongs to it.
    after_cr: bool,
    has_started: bool,
    comments: u64,
}

impl Events {
    /// Adds a chunk.
    ///
    /// # Errors
    ///
    /// `TooLarge` if the incomplete event is larger than `limit`.
    pub(crate) fn push(&mut self, chunk: &[u8], limit: usize) -> Result<()> {
        self.buffer.drain(..self.read);
        self.scanned = self.scanned.saturating_sub(self.read);
        self.read = 0;
        if self.buffer.len() + self.data.len() + chunk.len() > limit {
            return Err(Error::new(
                ErrorKind::TooLarge,
                format!("an event is larger than max_response_bytes, {limit}"),
            ));
        }
        self.buffer.extend_from_slice(chunk);
        Ok(())
    }

    /// Returns the data of the next complete event.
    pub(crate) fn next(&mut self) -> Option<Vec<u8>> {
        loop {
            let (start, end) = self.line()?;
            let line = self.buffer.get(start..end).unwrap_or_default();
            if line.is_empty() {
                // An event without data is ignored, whatever other fields it has.
                if self.data.pop().is_some() {
                    return Some(std::mem::take(&mut self.data));
                }
                continue;
            }
            let (name, value) = match line.iter().position(|&byte| byte == b':') {
                Some(colon) => (line.get(..colon), line.get(colon + 1..)),
                None => (Some(line), None),
            };
            if line.first() == Some(&b':') {
                self.comments = self.comments.wrapping_add(1);
            } else if name == Some(b"data") {
                let value = value.unwrap_or_default();
                self.data.extend_from_slice(value.strip_prefix(b" ").unwrap_or(value));
                self.data.push(b'\n');
            }
        }
    }

    /// How many comments were read so far. Servers send them as heartbeats.
    pub(crate) fn comments(&self) -> u64 {
        self.comments
    }

    /// The range of the next complete line, without its end.
    fn line(&mut self) -> Option<(usize, usize)> {
        if !self.has_started {
            // A byte order mark can come first, split into as many chunks as it has bytes.
            const MARK: &[u8] = b"\xef\xbb\xbf";
            let front = self.buffer.get(..MARK.len().min(self.buffer.len())).unwrap_or_default();
            if front.len() < MARK.len() && MARK.starts_with(front) {
                return None;
            }
            self.read = if front == MARK { MARK.len() } else { 0 };
            self.has_started = true;
        }
        if self.after_cr && self.read < self.buffer.len() {
            self.after_cr = false;
            if self.buffer.get(self.read) == Some(&b'\n') {
                self.read += 1;
            }
        }
        let from = self.scanned.max(self.read);
        self.scanned = self.buffer.len();
        let end = from + memchr::memchr2(b'\n', b'\r', self.buffer.get(from..).unwrap_or_default())?;
        self.after_cr = self.buffer.get(end) == Some(&b'\r');
        let start = std::mem::replace(&mut self.read, end + 1);
        self.scanned = self.read;
        Some((start, end))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// All events of a text that arrives in chunks of this size.
    fn events(text: &[u8], chunk: usize) -> Vec<String> {
        let mut events = Events::default();
        let mut all = Vec::new();
        for chunk in text.chunks(chunk) {
            events.push(chunk, 1000).unwrap();
            while let Some(data) = events.next() {
                all.push(String::from_utf8(data).unwrap());
            }
        }
        all
    }

    #[test]
    fn events_are_put_together_wherever_chunks_end() {
        let text = b"\xef\xbb\xbf: a comment\ndata: one\n\ndata:two\r\ndata:  lines\r\n\r\nid: 7\n\nevent: x\rdata\rdata: \r\rdata: cut";
        for chunk in 1..text.len() {
            assert_eq!(events(text, chunk), ["one", "two\n lines", "\n"], "{chunk}");
        }
    }

    #[test]
    fn an_event_that_never_ends_is_refused() {
        let mut events = Events::default();
        for _ in 0..3 {
            events.push(b"data: 0123456789\n", 60).unwrap();
            assert_eq!(events.next(), None);
        }
        assert_eq!(events.push(&[b'x'; 40], 60).unwrap_err().kind(), ErrorKind::TooLarge);
    }

    proptest! {
        #[test]
        fn lines_of_data_come_back(lines in prop::collection::vec("[^\r\n]*", 1..5), chunk in 1..20_usize) {
            let text: String = lines.iter().map(|line| format!("data: {line}\n")).collect();
            prop_assert_eq!(events(format!("{text}\n").as_bytes(), chunk), [lines.join("\n")]);
        }

        #[test]
        fn chunks_make_no_difference(text: Vec<u8>, chunk in 1..20_usize) {
            let all = |size| {
                let mut events = Events::default();
                let mut all = Vec::new();
                for chunk in text.chunks(size) {
                    let _ = events.push(chunk, usize::MAX);
                    all.extend(std::iter::from_fn(|| events.next()));
                }
                all
            };
            prop_assert_eq!(all(chunk), all(text.len().max(1)));
        }
    }
}
