//! One log of a tail: what was read of it.

use std::collections::VecDeque;

use redis_rest::commands::stream::StreamId;
use redis_rest::{Error, ErrorKind, Result};

use super::read::{Ask, Page};
use super::since::Since;
use crate::stream::facts::{Facts, Following, Position, Verdict};
use crate::stream::{Entry, StreamModel};

/// One log.
pub(super) struct Source {
    pub(super) key: String,
    since: Since,
    /// Up to where it was read; `None` before the start.
    pub(super) read: Option<Position>,
    /// Up to where it was yielded.
    pub(super) yielded: Option<Position>,
    /// Whether the first entries are whatever there is: nothing can have been missed yet.
    is_fresh: bool,
    /// Whether the next read asks for the facts about the stream.
    checks: bool,
    /// Whether the last entry that was read is known to be gone.
    is_absent: bool,
    /// Whether the server counts the entries that were added.
    counts: bool,
}

/// An item that was read and not yet yielded.
pub(super) struct Buffered<M> {
    pub(super) source: usize,
    /// The position after it was yielded.
    pub(super) position: Position,
    pub(super) item: Result<Entry<Result<M>>>,
}

/// What follows from a read.
#[derive(Debug, Default)]
pub(super) struct Absorbed {
    /// Whether to read on at once.
    pub(super) reads_on: bool,
    /// Whether the stream is another one.
    pub(super) is_anew: bool,
}

impl Source {
    pub(super) fn new(key: &str, since: Since, resumed: Option<Position>) -> Self {
        Source {
            key: key.to_owned(),
            since,
            read: resumed,
            yielded: resumed,
            is_fresh: resumed.is_none() && !matches!(since, Since::After(_)),
            checks: true,
            is_absent: false,
            counts: true,
        }
    }

    /// Where the log starts.
    pub(super) fn beginning(&self) -> (String, Since) {
        // A position that is known costs no request.
        let since = self.read.map_or(self.since, |position| Since::After(position.id));
        (self.key.clone(), since)
    }

    pub(super) fn ask(&self, is_bare: bool) -> Ask {
        let id = self.read.map_or(StreamId::MIN, |read| read.id);
        let includes = id != StreamId::MIN && !self.is_absent && !is_bare;
        Ask { key: self.key.clone(), id, includes, facts: self.checks && !is_bare }
    }

    /// Takes what was read.
    pub(super) fn absorb<M: StreamModel>(
        &mut self,
        number: usize,
        ask: &Ask,
        page: Page<M>,
        buffer: &mut VecDeque<Buffered<M>>,
    ) -> Absorbed {
        let Some(read) = self.read else { return Absorbed::default() };
        let is_present = ask.includes && page.entries.first().is_some_and(|entry| entry.id == ask.id);
        let mut rank = read.rank;
        match &page.facts {
            None if ask.includes && !is_present => {
                // The entry that was last read is gone. The facts tell what else is.
                (self.checks, self.is_absent) = (true, true);
                return Absorbed { reads_on: true, is_anew: false };
            }
            None => {}
            Some(facts) => {
                let lagged = |position, why| {
                    let error = Error::new(ErrorKind::Lagged, why).about(M::MODEL_NAME, self.key.as_str());
                    Buffered { source: number, position, item: Err(error) }
                };
                let count = (page.entries.len() as u64).saturating_sub(u64::from(is_present));
                match facts.judge(read, Following { count, is_all: !page.is_full }) {
                    Verdict::Anew => {
                        buffer.push_back(lagged(Position::NOTHING, anew(read.id)));
                        self.read = Some(Position::NOTHING);
                        (self.is_absent, self.is_fresh) = (true, false);
                        return Absorbed { reads_on: facts.length > 0, is_anew: true };
                    }
                    Verdict::Lagged(lost) if lost > 0 || !self.is_fresh => {
                        rank = rank.filter(|_| lost > 0).map(|rank| rank.saturating_add(lost));
                        buffer.push_back(lagged(Position { id: read.id, rank }, missed(read.id, lost)));
                    }
                    Verdict::Lagged(_) | Verdict::Deleted(_) | Verdict::Complete => {}
                }
                self.is_fresh = false;
                self.counts = facts.added.is_some();
            }
        }
        if rank.is_none()
            && let Some(facts) = &page.facts
            && facts.first.is_some()
            && facts.first == page.entries.first().map(|entry| entry.id)
        {
            rank = facts.rank_before_first().map(|rank| rank.saturating_add(u64::from(is_present)));
        }
        let entries = page.entries.into_iter().skip(usize::from(is_present));
        let count = entries.len() as u64;
        let last_rank = match page.facts {
            // All of them were read.
            Some(Facts { added: Some(added), .. }) if !page.is_full => Some(added),
            _ => rank.map(|rank| rank.saturating_add(count)),
        };
        let mut id = read.id;
        for (entry, left) in entries.zip((0..count).rev()) {
            id = entry.id;
            let rank = last_rank.map(|rank| rank.saturating_sub(left));
            buffer.push_back(Buffered { source: number, position: Position { id, rank }, item: Ok(entry) });
        }
        self.read = Some(Position { id, rank: last_rank });
        self.is_absent = count == 0 && (id == StreamId::MIN || (!is_present && ask.includes) || self.is_absent);
        self.checks = self.is_absent || (last_rank.is_none() && !page.is_full && self.counts);
        Absorbed { reads_on: page.is_full, is_anew: false }
    }
}

fn missed(id: StreamId, lost: u64) -> String {
    match lost {
        0 => format!(
            "entries after {id} may have been removed before they were read; the tail continues with the first that is \
             left"
        ),
        1 => format!("1 entry after {id} was removed before it was read; the tail continues after it"),
        lost => format!("{lost} entries after {id} were removed before they were read; the tail continues after them"),
    }
}

fn anew(id: StreamId) -> String {
    format!("the stream was deleted since {id} was read; the tail continues with the first entry of a new stream")
}
