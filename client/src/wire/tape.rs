//! A parsed reply: a flat list of nodes over the buffer that the reply arrived in.
//!
//! A tree would copy every string of a large reply and allocate for every array. A tape allocates once, whatever the
//! reply's shape, and its strings are ranges of one buffer.

use bytes::Bytes;

use crate::error::{Error, ErrorKind, Result};

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
#[derive(Debug)]
pub(crate) struct Nodes {
    nodes: Vec<Node>,
    most: usize,
}

impl Nodes {
    /// Room for `most` nodes, of which `capacity` are allocated at once.
    pub(crate) fn new(capacity: usize, most: usize) -> Self {
        Nodes { nodes: Vec::with_capacity(capacity.min(most)), most }
    }

    /// Checks that another node is allowed. A value on the wire can have 2 bytes, and takes many times as much in memory.
    #[inline]
    pub(crate) fn check_room(&self) -> Result<()> {
        if self.nodes.len() < self.most { Ok(()) } else { Err(too_many(self.most)) }
    }

    pub(crate) fn len(&self) -> usize {
        self.nodes.len()
    }

    /// Forgets all nodes after the first `len`.
    pub(crate) fn truncate(&mut self, len: usize) {
        self.nodes.truncate(len);
    }

    pub(crate) fn nil(&mut self) {
        self.nodes.push(Node::Nil);
    }

    pub(crate) fn int(&mut self, int: i64) {
        self.nodes.push(Node::Int(int));
    }

    pub(crate) fn bytes(&mut self, start: usize, len: usize) {
        self.nodes.push(Node::Bytes { start: offset(start), len: offset(len) });
    }

    pub(crate) fn error(&mut self, start: usize, len: usize) {
        self.nodes.push(Node::Error { start: offset(start), len: offset(len) });
    }

    /// Opens an array. Pass the result to [`Nodes::close`].
    pub(crate) fn open(&mut self) -> usize {
        self.nodes.push(Node::Array { count: 0, end: 0 });
        self.nodes.len() - 1
    }

    pub(crate) fn close(&mut self, opened: usize, count: usize) {
        let end = offset(self.nodes.len());
        if let Some(node) = self.nodes.get_mut(opened) {
            *node = Node::Array { count: offset(count), end };
        }
    }

    pub(crate) fn finish(self, buffer: Vec<u8>) -> Tape {
        Tape { nodes: self.nodes, buffer: Bytes::from(buffer) }
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

#[cold]
fn too_many(most: usize) -> Error {
    Error::new(
        ErrorKind::TooLarge,
        format!("the reply has more than {most} values, the most that max_response_bytes allows"),
    )
}

pub(crate) fn too_deep() -> Error {
    Error::protocol(format!("the reply nests arrays deeper than {MAX_DEPTH}"))
}
