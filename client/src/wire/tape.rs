//! A parsed reply: a flat list of nodes over the buffer that the reply arrived in.
//!
//! A tree would copy every string of a large reply and allocate for every array. A tape allocates once, whatever the
//! reply's shape, and its strings are ranges of one buffer.

use bytes::Bytes;

use crate::error::{Error, Result};

/// How deep arrays may nest. Redis's own replies stay below 10. Lua scripts can nest deeper, but rarely do.
pub(crate) const MAX_DEPTH: usize = 128;

/// One value of a reply. A range is in bytes of the buffer.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Node {
    Nil,
    Int(i64),
    Bytes {
        start: u32,
        len: u32,
    },
    Error {
        start: u32,
        len: u32,
    },
    /// `count` values follow; `end` is the index of the node after the last of them.
    Array {
        count: u32,
        end: u32,
    },
}

/// The nodes of one HTTP reply, in document order.
#[derive(Debug)]
pub(crate) struct Tape {
    pub(crate) nodes: Vec<Node>,
    pub(crate) buffer: Bytes,
}

impl Tape {
    /// The replies to a request without commands.
    pub(crate) fn empty() -> Self {
        Tape { nodes: Vec::new(), buffer: Bytes::new() }
    }
}

/// Collects the nodes while a parser reads the buffer.
#[derive(Debug, Default)]
pub(crate) struct Nodes(Vec<Node>);

impl Nodes {
    pub(crate) fn with_capacity(capacity: usize) -> Self {
        Nodes(Vec::with_capacity(capacity))
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    /// Forgets all nodes after the first `len`.
    pub(crate) fn truncate(&mut self, len: usize) {
        self.0.truncate(len);
    }

    pub(crate) fn nil(&mut self) {
        self.0.push(Node::Nil);
    }

    pub(crate) fn int(&mut self, int: i64) {
        self.0.push(Node::Int(int));
    }

    pub(crate) fn bytes(&mut self, start: usize, len: usize) {
        self.0.push(Node::Bytes { start: offset(start), len: offset(len) });
    }

    pub(crate) fn error(&mut self, start: usize, len: usize) {
        self.0.push(Node::Error { start: offset(start), len: offset(len) });
    }

    /// Opens an array. Pass the result to [`Nodes::close`].
    pub(crate) fn open(&mut self) -> usize {
        self.0.push(Node::Array { count: 0, end: 0 });
        self.0.len() - 1
    }

    pub(crate) fn close(&mut self, opened: usize, count: usize) {
        let end = offset(self.0.len());
        if let Some(node) = self.0.get_mut(opened) {
            *node = Node::Array { count: offset(count), end };
        }
    }

    pub(crate) fn finish(self, buffer: Vec<u8>) -> Tape {
        Tape { nodes: self.0, buffer: Bytes::from(buffer) }
    }
}

/// Every parser first refuses buffers over 4 GiB, so no offset is truncated.
#[expect(clippy::cast_possible_truncation, reason = "see check_size")]
fn offset(value: usize) -> u32 {
    value as u32
}

/// Checks that offsets into the buffer fit 32 bits.
pub(crate) fn check_size(buffer: &[u8]) -> Result<()> {
    match u32::try_from(buffer.len()) {
        Ok(_) => Ok(()),
        Err(_) => Err(Error::protocol("the reply is larger than 4 GiB")),
    }
}

pub(crate) fn too_deep() -> Error {
    Error::protocol(format!("the reply nests arrays deeper than {MAX_DEPTH}"))
}
