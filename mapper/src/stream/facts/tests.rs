use proptest::prelude::*;

use super::*;

fn id(millis: u64) -> StreamId {
    StreamId::new(millis, 0)
}

fn at(millis: u64, rank: Option<u64>) -> Position {
    Position { id: id(millis), rank }
}

fn facts(first: u64, last: u64, length: u64, added: u64) -> Facts {
    let first = (length > 0).then(|| id(first));
    Facts { last: id(last), added: Some(added), length, first, max_deleted: StreamId::MIN }
}

const SOME: Following = Following { count: 1, is_all: false };

fn all(count: u64) -> Following {
    Following { count, is_all: true }
}

#[test]
fn what_was_removed_unread_is_counted() {
    for (position, facts, following, verdict) in [
        // The entry itself is there, or one before it is: nothing after it was trimmed.
        (at(5, Some(5)), facts(5, 9, 5, 9), all(4), Verdict::Complete),
        (at(5, Some(5)), facts(2, 9, 7, 9), all(4), Verdict::Complete),
        (at(5, Some(5)), facts(2, 9, 7, 9), SOME, Verdict::Complete),
        (at(5, None), facts(2, 9, 7, 9), all(4), Verdict::Complete),
        // Some of those after it were deleted.
        (at(5, Some(5)), facts(2, 9, 6, 9), all(3), Verdict::Deleted(1)),
        (at(5, Some(5)), Facts { max_deleted: id(8), ..facts(2, 9, 6, 9) }, SOME, Verdict::Deleted(1)),
        (at(5, None), Facts { max_deleted: id(8), ..facts(2, 9, 6, 9) }, all(3), Verdict::Deleted(1)),
        // It was trimmed, but what follows it was not.
        (at(5, Some(5)), facts(6, 9, 4, 9), SOME, Verdict::Complete),
        (at(5, Some(5)), facts(0, 5, 0, 5), all(0), Verdict::Complete),
        (at(5, None), facts(0, 5, 0, 5), all(0), Verdict::Complete),
        // What follows was trimmed too.
        (at(5, Some(5)), facts(8, 9, 2, 9), SOME, Verdict::Lagged(2)),
        (at(5, Some(5)), facts(0, 9, 0, 9), all(0), Verdict::Lagged(4)),
        (at(5, None), facts(8, 9, 2, 9), all(2), Verdict::Lagged(0)),
        (at(5, None), facts(8, 9, 2, 2), all(2), Verdict::Complete),
        (Position::NOTHING, facts(3, 9, 7, 9), all(7), Verdict::Lagged(2)),
        (Position::START, facts(3, 9, 7, 9), all(7), Verdict::Complete),
    ] {
        assert_eq!(facts.judge(position, following), verdict, "{position:?} {facts:?} {following:?}");
    }
}

#[test]
fn a_stream_that_was_deleted_is_noticed() {
    for (position, facts, following, why) in [
        (at(5, Some(5)), Facts::NONE, all(0), "there is none"),
        (at(5, None), Facts::NONE, all(0), "there is none"),
        (at(5, Some(5)), facts(1, 2, 2, 2), all(0), "the last id is lower"),
        (at(5, Some(5)), facts(7, 9, 2, 2), all(2), "higher ids, but fewer entries"),
        (at(5, Some(5)), facts(7, 9, 6, 6), SOME, "all 6 follow, and 5 came before"),
        (at(3, Some(3)), facts(12, 18, 7, 9), all(7), "7 follow, and only 2 of 9 can have come before"),
        (at(5, Some(5)), facts(4, 19, 9, 9), all(8), "8 follow, and 5 came before"),
    ] {
        assert_eq!(facts.judge(position, following), Verdict::Anew, "{why}");
    }
    assert_eq!(Facts::NONE.judge(Position::NOTHING, all(0)), Verdict::Complete);
    assert_eq!(Facts::NONE.judge(Position::START, all(0)), Verdict::Complete);
}

#[test]
fn a_server_without_counters_tells_less() {
    let facts = |first, last, length| Facts { added: None, ..facts(first, last, length, 0) };
    for (position, facts, verdict) in [
        (at(5, Some(5)), facts(2, 9, 7), Verdict::Complete),
        (at(5, Some(5)), facts(8, 9, 2), Verdict::Lagged(0)),
        (at(5, Some(5)), facts(0, 5, 0), Verdict::Complete),
        (at(5, Some(5)), facts(1, 2, 2), Verdict::Anew),
        (Position::NOTHING, facts(8, 9, 2), Verdict::Complete),
    ] {
        assert_eq!(facts.judge(position, SOME), verdict, "{position:?} {facts:?}");
    }
}

#[test]
fn a_group_has_missed_what_it_can_no_longer_read() {
    for (facts, delivered, read, missed) in [
        (facts(3, 9, 7, 9), 0, None, Some(2)),
        // A worker has reported these, and told the server.
        (facts(3, 9, 7, 9), 0, Some(2), Some(0)),
        (facts(8, 9, 2, 9), 5, Some(5), Some(2)),
        (facts(0, 9, 0, 9), 5, Some(5), Some(4)),
        (facts(6, 9, 4, 9), 5, Some(5), Some(0)),
        // Redis 7.0 has delivered 7 of 9, and has not counted the 2 that were lost. Everything is read.
        (facts(8, 9, 2, 9), 9, Some(5), Some(0)),
        (facts(8, 9, 2, 9), 5, None, None),
    ] {
        assert_eq!(facts.missed_by(id(delivered), read), missed, "{facts:?} {delivered} {read:?}");
    }
}

/// A stream, and a reader that notes what becomes of each entry.
#[derive(Debug, Default)]
struct Model {
    entries: Vec<u64>,
    /// It goes on when the stream begins again.
    clock: u64,
    last: u64,
    added: u64,
    max_deleted: u64,
    /// Whether it is another one than the reader has read.
    is_other: bool,
    /// The entries that were removed, not yet read, and not yet reported.
    lost: Vec<u64>,
    read: u64,
    rank: u64,
}

#[derive(Debug, Clone)]
enum Step {
    Append(u64),
    Trim(usize),
    Delete(usize),
    BeginAgain,
    Read(usize),
}

impl Model {
    fn facts(&self) -> Facts {
        let (first, length) = (self.entries.first().copied(), self.entries.len() as u64);
        Facts { max_deleted: id(self.max_deleted), ..facts(first.unwrap_or_default(), self.last, length, self.added) }
    }

    fn remove(&mut self, at: usize) {
        let removed = self.entries.remove(at);
        if removed > self.read {
            self.lost.push(removed);
        }
    }

    fn step(&mut self, step: &Step) {
        match *step {
            Step::Append(count) => {
                for _ in 0..count {
                    (self.clock, self.last, self.added) = (self.clock + 1, self.clock + 1, self.added + 1);
                    self.entries.push(self.last);
                }
            }
            Step::Trim(keep) => {
                while self.entries.len() > keep {
                    self.remove(0);
                }
            }
            Step::Delete(at) if at < self.entries.len() => {
                self.max_deleted = self.max_deleted.max(self.entries[at]);
                self.remove(at);
            }
            Step::Delete(_) => {}
            Step::BeginAgain => {
                (self.last, self.added, self.max_deleted) = (0, 0, 0);
                self.is_other |= self.rank > 0;
                self.entries.clear();
                self.lost.clear();
            }
            Step::Read(most) => self.read(most),
        }
    }

    fn read(&mut self, most: usize) {
        let after: Vec<_> = self.entries.iter().copied().filter(|entry| *entry > self.read).collect();
        let is_all = after.len() < most;
        let count = after.len().min(most);
        let facts = self.facts();
        let position = at(self.read, Some(self.rank));
        let verdict = facts.judge(position, Following { count: count as u64, is_all });
        let lost = self.lost.len() as u64;
        let is_exact = is_all || self.entries.first().is_none_or(|first| *first > self.read);
        match verdict {
            _ if self.is_other => {
                let is_hidden = self.added - self.entries.len() as u64 >= self.rank;
                assert_eq!(verdict == Verdict::Anew, !is_hidden || self.last < self.read, "{verdict:?} {self:?}");
            }
            Verdict::Complete if is_exact => assert_eq!(lost, 0, "{self:?}"),
            // Some can be behind the reader. The end tells.
            Verdict::Complete => assert!(self.lost.iter().all(|lost| *lost <= self.read), "{self:?}"),
            Verdict::Deleted(count) if is_exact => assert_eq!(count, lost, "{self:?}"),
            // It can have been counted before, by a reader that has gone on.
            Verdict::Deleted(_) => assert!(self.max_deleted > self.read, "{self:?}"),
            Verdict::Lagged(count) => assert_eq!(count, lost, "{self:?}"),
            Verdict::Anew => panic!("the same one: {self:?}"),
        }
        self.is_other = false;
        if verdict == Verdict::Anew {
            (self.read, self.rank) = (0, 0);
            return;
        }
        if is_exact {
            self.lost.clear();
            self.rank = self.added - after.len() as u64;
        }
        self.rank += count as u64;
        self.read = after.get(count.wrapping_sub(1)).copied().unwrap_or(self.read);
    }
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        4 => (1..12_u64).prop_map(Step::Append),
        2 => (0..12_usize).prop_map(Step::Trim),
        2 => (0..12_usize).prop_map(Step::Delete),
        1 => Just(Step::BeginAgain),
        5 => (1..9_usize).prop_map(Step::Read),
    ];
    prop::collection::vec(step, 1..40)
}

proptest! {
    #[test]
    fn a_reader_learns_what_it_has_lost(steps in steps()) {
        let mut model = Model::default();
        for step in &steps {
            model.step(step);
        }
    }
}
