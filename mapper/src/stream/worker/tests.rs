//! Decisions of a worker that are hard to bring about on a server.

use std::time::Duration;

use redis_rest::commands::stream::StreamId;

use super::book::Book;
use super::counters::{Counters, Counts, Reporter};
use super::held::{Ended, Found, Next};
use super::options::Options;
use super::turn::{Answer, Settled, Taken, Ticket, What};
use crate::failure::Failure;

const FIRST: Ticket = Ticket { is_redriven: false, id: StreamId::new(1, 0) };

fn taken(attempts: u64, is_started: bool, is_adopted: bool) -> Taken {
    Taken {
        ticket: FIRST,
        attempts,
        is_started,
        is_adopted,
        from: None,
        fields: Some(Vec::new()),
        wait: Duration::ZERO,
    }
}

fn answer(settled: &[Settled], taken: Vec<Taken>) -> Answer {
    let settled = settled.iter().cloned().enumerate().map(|(at, one)| (at + 1, one)).collect();
    Answer {
        is_recreated: false,
        settled,
        lost: Vec::new(),
        trimmed: Vec::new(),
        taken,
        missed: None,
        removed: 0,
        first: StreamId::MIN,
    }
}

/// Runs a test with the book of a new worker, and returns what it has counted.
fn with_book(test: impl FnOnce(&mut Book<'_>)) -> Counts {
    let (options, counters) = (Options::default(), Counters::default());
    let reporter = Reporter { counters: &counters, options: &options, log: "log", group: "g" };
    test(&mut Book::new(&options, &reporter, "w"));
    counters.read()
}

/// A start whose reply is lost is repeated as the same attempt.
#[test]
fn an_entry_whose_start_was_lost_begins_at_the_same_attempt() {
    with_book(|book| {
        let mut next = Vec::new();
        assert_eq!(book.turn().unwrap().starting, 8);
        assert!(book.repeat(true, false));
        let turn = book.turn().unwrap();
        assert!(turn.adopts && turn.starting == 0);
        // If that request arrives only now, it is to do nothing.
        assert_eq!((turn.number, turn.overtaken), (2, Some(1)));
        // The server has counted the start of the request whose reply was lost.
        assert_eq!(book.answer(answer(&[], vec![taken(1, false, true)]), &mut next), Found::Some);
        let turn = book.turn().unwrap();
        assert_eq!(turn.overtaken, None);
        let operations = turn.operations;
        assert_eq!((operations[0].what.clone(), operations[0].attempts), (What::Start, 0));
        assert!(operations[0].is_repeated);
        book.answer(answer(&[Settled::Done], Vec::new()), &mut next);
        let [Next::Handle(start)] = next.as_slice() else { panic!("{next:?}") };
        assert_eq!(start.attempt, 1);
    });
}

/// A handler that would be called after the time for the last ones is over is not called, and its entry is given up.
#[test]
fn nothing_is_handled_after_the_grace() {
    with_book(|book| {
        let mut next = Vec::new();
        book.turn().unwrap();
        book.stop();
        book.abandon();
        book.answer(answer(&[], vec![taken(1, true, false)]), &mut next);
        assert!(next.is_empty());
        let operations = book.turn().unwrap().operations;
        assert_eq!((operations[0].what.clone(), operations[0].attempts), (What::Release, 1));
        book.answer(answer(&[Settled::Done], Vec::new()), &mut next);
        assert!(book.is_empty() && book.turn().is_none());
    });
}

/// The next request that asks for entries tells the server which loss was reported, even if others come before it.
#[test]
fn a_reported_loss_is_not_forgotten() {
    let counts = with_book(|book| {
        let mut next = Vec::new();
        book.turn().unwrap();
        // All handlers are busy now, with entries that were redriven.
        let busy = (1..=8).map(|millis| Ticket { is_redriven: true, id: StreamId::new(millis, 0) });
        let busy = busy.map(|ticket| Taken { ticket, ..taken(1, true, false) }).collect();
        book.answer(Answer { missed: Some(3), removed: 3, ..answer(&[], busy) }, &mut next);
        for _ in 0..2 {
            book.is_heartbeat_due = true;
            assert_eq!(book.turn().map(|turn| (turn.wanted, turn.reported)), Some((0, Some(3))));
            book.answer(answer(&[], Vec::new()), &mut next);
        }
    });
    assert_eq!(counts.missed, 3);
}

/// If the reply to a commit was lost, the entry is gone because it was committed.
#[test]
fn a_commit_whose_reply_was_lost_counts_as_handled() {
    let counts = with_book(|book| {
        let mut next = Vec::new();
        book.turn().unwrap();
        book.answer(answer(&[], vec![taken(5, true, false)]), &mut next);
        let ended = Ended::Failed { failure: Failure::from("no reply"), may_be_committed: true };
        book.end(FIRST, ended, &mut next);
        assert_eq!(book.turn().unwrap().operations[0].what, What::Bury("no reply".into()));
        book.answer(answer(&[Settled::Lost], Vec::new()), &mut next);
        assert!(book.is_empty());
    });
    assert_eq!((counts.handled, counts.lost, counts.dead), (1, 0, 0));
}

/// What the documentation of `Worker` states: an hour without entries, after the first polls.
#[test]
fn an_idle_hour_costs_what_is_documented() {
    let options = Options::default();
    let requests = |is_woken| 3600 / options.longest_poll(is_woken).as_secs();
    assert_eq!((requests(false), requests(true)), (720, 60));
    assert_eq!(options.heartbeat().as_secs(), 15);
    // While nothing is held, a heartbeat is no reason for a request.
    with_book(|book| {
        book.turn().unwrap();
        book.answer(answer(&[], Vec::new()), &mut Vec::new());
        (book.is_heartbeat_due, book.is_reclaim_due) = (true, true);
        assert!(book.turn().is_none());
        book.is_poll_due = true;
        assert!(book.turn().unwrap().reclaims);
    });
}
