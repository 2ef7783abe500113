//! What a tail knows of a log, and what the log's own facts say about it.

use redis_rest::commands::stream::StreamId;

/// What a tail has read of a log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Position {
    /// The id of the last entry that was read, or the one after which the tail starts.
    pub(super) id: StreamId,
    /// How many entries had ever been added to the log when this was the last one, if known. It tells how many were
    /// removed unread.
    pub(super) rank: Option<u64>,
}

impl Position {
    /// Before the first entry of a log that has had none.
    pub(super) const NOTHING: Position = Position { id: StreamId::MIN, rank: Some(0) };

    /// Before whatever entry is the first.
    pub(super) const START: Position = Position { id: StreamId::MIN, rank: None };
}

/// Facts about an existing stream, at one moment.
#[derive(Debug, Clone, Copy)]
pub(super) struct Facts {
    /// The last id that was ever given.
    pub(super) last: StreamId,
    /// The number of entries that were ever added, if the server counts them.
    pub(super) added: Option<u64>,
    pub(super) length: u64,
    pub(super) first: Option<StreamId>,
    /// Whether no entry after the first was ever deleted: all removed entries were before it.
    pub(super) is_unbroken: bool,
}

impl Facts {
    /// Returns how many entries had been added before the first, if that is certain.
    pub(super) fn rank_before_first(&self) -> Option<u64> {
        Some(self.added.filter(|_| self.is_unbroken)?.saturating_sub(self.length))
    }
}

/// Whether the entries after a position are still there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// All of them are there.
    Complete,
    /// So many were removed, or an unknown number that may be 0.
    Lagged(Option<u64>),
    /// The stream was deleted, and perhaps made anew.
    Anew,
}

/// Decides by the facts about a stream, or by `None` if it does not exist, what a reader at `position` has missed.
///
/// The stream loses entries at its start (trimming), or anywhere (XDEL). As long as an entry before the position exists, no
/// entry after it was trimmed.
pub(super) fn judge(position: Position, facts: Option<&Facts>) -> Verdict {
    let Some(facts) = facts else {
        let had_none = position.id == StreamId::MIN && position.rank.unwrap_or(0) == 0;
        return if had_none { Verdict::Complete } else { Verdict::Anew };
    };
    let is_fewer = position.rank.zip(facts.added).is_some_and(|(rank, added)| added < rank);
    if facts.last < position.id || is_fewer {
        return Verdict::Anew;
    }
    if facts.first.is_some_and(|first| first <= position.id) {
        return Verdict::Complete;
    }
    // An entry of this rank or a lower one exists, so the first entry cannot come after the position.
    let is_longer = |rank: u64, added: u64| added.saturating_sub(facts.length) < rank && facts.is_unbroken;
    if facts.length > 0 && position.rank.zip(facts.added).is_some_and(|(rank, added)| is_longer(rank, added)) {
        return Verdict::Anew;
    }
    let lost = match (position, facts.added) {
        // All entries come after the position, so in the same stream they were added after `rank` others.
        (Position { rank: Some(rank), .. }, Some(added)) => {
            match added.checked_sub(facts.length.saturating_add(rank)) {
                Some(lost) => Some(lost),
                None => return Verdict::Anew,
            }
        }
        _ if position.id == facts.last || position.id == StreamId::MIN => Some(0),
        // Nothing was ever removed.
        (_, Some(added)) if added == facts.length => Some(0),
        _ => None,
    };
    if lost == Some(0) { Verdict::Complete } else { Verdict::Lagged(lost) }
}

/// Returns the greatest id below `id`: reading after it includes `id`.
pub(super) fn before(id: StreamId) -> StreamId {
    match (id.sequence.checked_sub(1), id.millis.checked_sub(1)) {
        (Some(sequence), _) => StreamId::new(id.millis, sequence),
        (None, Some(millis)) => StreamId::new(millis, u64::MAX),
        (None, None) => StreamId::MIN,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(millis: u64) -> StreamId {
        StreamId::new(millis, 0)
    }

    fn at(millis: u64, rank: Option<u64>) -> Position {
        Position { id: id(millis), rank }
    }

    fn facts(first: u64, last: u64, length: u64, added: u64) -> Facts {
        Facts { last: id(last), added: Some(added), length, first: (length > 0).then(|| id(first)), is_unbroken: true }
    }

    #[test]
    fn what_was_trimmed_unread_is_counted() {
        for (position, facts, verdict) in [
            // The entry itself is there, or one before it is: nothing after it was trimmed.
            (at(5, Some(5)), facts(5, 9, 5, 9), Verdict::Complete),
            (at(5, Some(5)), facts(2, 9, 7, 9), Verdict::Complete),
            (at(5, None), facts(2, 9, 7, 9), Verdict::Complete),
            // It was trimmed, but what follows it was not.
            (at(5, Some(5)), facts(6, 9, 4, 9), Verdict::Complete),
            (at(5, Some(5)), facts(0, 5, 0, 5), Verdict::Complete),
            (at(5, None), facts(0, 5, 0, 5), Verdict::Complete),
            // What follows was trimmed too.
            (at(5, Some(5)), facts(8, 9, 2, 9), Verdict::Lagged(Some(2))),
            (at(5, Some(5)), facts(0, 9, 0, 9), Verdict::Lagged(Some(4))),
            (at(5, None), facts(8, 9, 2, 9), Verdict::Lagged(None)),
            (at(5, None), facts(8, 9, 2, 2), Verdict::Complete),
            (Position::NOTHING, facts(3, 9, 7, 9), Verdict::Lagged(Some(2))),
            (Position::START, facts(3, 9, 7, 9), Verdict::Complete),
        ] {
            assert_eq!(judge(position, Some(&facts)), verdict, "{position:?} {facts:?}");
        }
    }

    #[test]
    fn a_stream_that_was_deleted_is_noticed() {
        assert_eq!(judge(at(5, Some(5)), None), Verdict::Anew);
        assert_eq!(judge(at(5, None), None), Verdict::Anew);
        assert_eq!(judge(at(5, Some(5)), Some(&facts(1, 2, 2, 2))), Verdict::Anew);
        assert_eq!(judge(at(5, Some(5)), Some(&facts(7, 9, 2, 2))), Verdict::Anew, "higher ids, but fewer entries");
        assert_eq!(judge(at(5, Some(5)), Some(&facts(7, 9, 6, 6))), Verdict::Anew, "all 6 follow, and 5 came before");
        assert_eq!(judge(Position::NOTHING, None), Verdict::Complete);
        assert_eq!(judge(Position::START, None), Verdict::Complete);
    }

    #[test]
    fn a_rank_is_known_unless_entries_were_deleted_among_others() {
        let mut facts = facts(3, 9, 5, 7);
        assert_eq!(facts.rank_before_first(), Some(2));
        facts.is_unbroken = false;
        assert_eq!(facts.rank_before_first(), None);
    }

    #[test]
    fn the_id_before() {
        assert_eq!(before(StreamId::new(5, 3)), StreamId::new(5, 2));
        assert_eq!(before(StreamId::new(5, 0)), StreamId::new(4, u64::MAX));
        assert_eq!(before(StreamId::MIN), StreamId::MIN);
    }
}
