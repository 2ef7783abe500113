//! The loop of a worker: one request at a time, and handlers beside it. It polls all of them itself, and spawns
//! nothing.

use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::task::Poll;
use std::time::Duration;

use futures_util::future::{Either, FutureExt as _, select};
use futures_util::stream::{FuturesUnordered, Stream, StreamExt as _};
use redis_rest::{ErrorKind, Executor, Redis, Request, Result, nonce};
use tracing::Instrument as _;

use super::book::Book;
use super::counters::{Notice, Reporter};
use super::delivered::Delivered;
use super::held::{Ended, Found, Next, Start};
use super::turn::{Answer, Ticket};
use super::wake::{Call, Wake};
use super::{Handled, Worker};
use crate::failure::Failure;
use crate::pace::Pace;
use crate::stream::StreamModel;
use crate::waiting::{Timer, can_be_repeated, wait_before_repeating, within};
use crate::write::{OwnedEntry, is_fenced};

/// What a worker waits for.
enum Event {
    Stop,
    Answered(Result<Answer>),
    Ended(Ticket, Ended),
    /// The delay of an entry is over.
    Requeue(Ticket),
    Poll,
    /// Another worker has given entries up.
    Released,
    Heartbeat,
    Reclaim,
    /// A failed request can be repeated.
    Repeat,
    /// The time for the last handlers is over.
    GraceIsOver,
}

/// Runs a worker until `shutdown`.
pub(super) async fn run<M, F, Fut, S>(worker: &Worker<M>, redis: &Redis, shutdown: S, handle: F) -> Result<()>
where
    M: StreamModel,
    F: Fn(Delivered<M>) -> Fut,
    Fut: Future<Output = Handled>,
    S: Future<Output = ()>,
{
    let Worker { group, consumer, options, counters } = worker;
    worker.check()?;
    let reporter = Reporter { counters, options, log: group.log().key(), group: group.name() };
    let mut errors = Pace::new(Duration::from_millis(100), Duration::from_secs(5), 2.0);
    let mut shutdown = pin!(shutdown);
    while let Some(start) = options.start {
        reporter.count(|counts| &mut counts.requests);
        match group.create_at(redis, start).await {
            Ok(()) => break,
            Err(error) if can_be_repeated(&error) => {
                reporter.count(|counts| &mut counts.errors);
                reporter.notice(&Notice::Repeated { error: &error });
                let wait = wait_before_repeating(&error, errors.next());
                if let Either::Left(_) = select(shutdown.as_mut(), redis.sleep(wait)).await {
                    return Ok(());
                }
            }
            Err(error) => return Err(error),
        }
    }
    let run = nonce()?;
    let mut book = Book::new(options, &reporter, consumer);
    let mut pace = Pace::new(options.shortest_poll, options.longest_poll(false), 2.0);
    let mut wake = Wake::new(redis, group);
    let (mut poll, mut repeat, mut grace) = (Timer::default(), Timer::default(), Timer::default());
    let mut heartbeat = Timer::after(redis, options.heartbeat());
    let mut reclaim = Timer::default();
    let mut request: Option<Request<Answer>> = None;
    let (mut handlers, mut delays) = (FuturesUnordered::new(), FuturesUnordered::new());
    let (mut is_stopping, mut is_grace_over) = (false, false);

    loop {
        if request.is_none() && !repeat.is_set() {
            match book.turn() {
                Some(turn) => {
                    reporter.count(|counts| &mut counts.requests);
                    request = Some(redis.submit(turn.command(group, consumer, options, &run)));
                }
                None if is_stopping && book.is_empty() => return Ok(()),
                None => {}
            }
        }
        let event = poll_fn(|cx| {
            if !is_stopping && shutdown.as_mut().poll(cx).is_ready() {
                return Poll::Ready(Event::Stop);
            }
            if let Some(sent) = &mut request
                && let Poll::Ready(answer) = Pin::new(sent).poll(cx)
            {
                return Poll::Ready(Event::Answered(answer));
            }
            if let Poll::Ready(Some((ticket, ended))) = Pin::new(&mut handlers).poll_next(cx) {
                return Poll::Ready(Event::Ended(ticket, ended));
            }
            if let Poll::Ready(Some(ticket)) = Pin::new(&mut delays).poll_next(cx) {
                return Poll::Ready(Event::Requeue(ticket));
            }
            // One after the other: a timer that is due is due once.
            let timers = [
                (&mut repeat, Event::Repeat),
                (&mut grace, Event::GraceIsOver),
                (&mut heartbeat, Event::Heartbeat),
                (&mut reclaim, Event::Reclaim),
                (&mut poll, Event::Poll),
            ];
            for (timer, event) in timers {
                if timer.is_due(cx) {
                    return Poll::Ready(event);
                }
            }
            match wake.poll(cx) {
                Some(Call::Entries) => Poll::Ready(Event::Poll),
                Some(Call::Released) => Poll::Ready(Event::Released),
                None => Poll::Pending,
            }
        })
        .await;

        let mut next = Vec::new();
        match event {
            Event::Stop => {
                is_stopping = true;
                book.stop();
                grace = Timer::after(redis, options.grace);
            }
            Event::Answered(answer) => {
                request = None;
                match answer {
                    Ok(answer) => {
                        errors.quicken();
                        let is_woken = wake.is_active();
                        pace.set(options.shortest_poll(is_woken), options.longest_poll(is_woken));
                        match book.answer(answer, &mut next) {
                            Found::NotAsked => {}
                            Found::Nothing => poll = Timer::after(redis, pace.next()),
                            Found::Some => {
                                pace.quicken();
                                poll = Timer::after(redis, pace.next());
                            }
                            Found::AsManyAsAsked => {
                                pace.quicken();
                                book.is_poll_due = true;
                            }
                        }
                        if !book.is_reclaim_due && !reclaim.is_set() {
                            reclaim = Timer::after(redis, options.reclaim_idle / 2);
                        }
                    }
                    Err(error) => {
                        let is_too_large = error.kind() == ErrorKind::TooLarge;
                        let may_have_executed = error.may_have_executed();
                        let can_repeat = can_be_repeated(&error) || is_too_large;
                        if !can_repeat || is_grace_over || !book.repeat(may_have_executed, is_too_large) {
                            return Err(error);
                        }
                        reporter.count(|counts| &mut counts.errors);
                        reporter.notice(&Notice::Repeated { error: &error });
                        // The next reply is smaller: there is nothing to wait for.
                        if !is_too_large {
                            let wait = wait_before_repeating(&error, errors.next());
                            repeat = Timer::after(redis, wait);
                        }
                    }
                }
            }
            Event::Ended(ticket, ended) => {
                book.end(ticket, ended, &mut next);
                // What has ended at the same time is settled by the same request.
                while let Some(Some((ticket, ended))) = handlers.next().now_or_never() {
                    book.end(ticket, ended, &mut next);
                }
            }
            Event::Requeue(ticket) => book.requeue(ticket),
            Event::Poll => book.is_poll_due = true,
            Event::Released => (book.is_poll_due, book.is_reclaim_due) = (true, true),
            Event::Heartbeat => {
                book.is_heartbeat_due = true;
                heartbeat = Timer::after(redis, options.heartbeat());
            }
            Event::Reclaim => book.is_reclaim_due = true,
            Event::Repeat => {}
            Event::GraceIsOver => {
                is_grace_over = true;
                handlers.clear();
                book.abandon();
            }
        }
        for next in next {
            match next {
                Next::Handle(start) => {
                    let span = tracing::info_span!(
                        "redis_model.worker",
                        log = group.log().key(),
                        group = group.name(),
                        id = %start.ticket.id,
                        attempt = start.attempt,
                    );
                    handlers.push(attend(worker, redis, &handle, start).instrument(span));
                }
                Next::Wait(ticket, delay) => delays.push(redis.sleep(delay).map(move |()| ticket)),
            }
        }
    }
}

/// Handles one entry.
async fn attend<M, F, Fut>(worker: &Worker<M>, redis: &Redis, handle: &F, start: Start) -> (Ticket, Ended)
where
    M: StreamModel,
    F: Fn(Delivered<M>) -> Fut,
    Fut: Future<Output = Handled>,
{
    let Start { ticket, attempt, fields } = start;
    let delivered = match Delivered::read(ticket, attempt, &fields, worker.group.log().key()) {
        Ok(delivered) => delivered,
        Err(error) => {
            let failure = if worker.options.retries_undecodable { Failure::from(error) } else { Failure::dead(error) };
            return (ticket, Ended::Failed { failure, may_be_committed: false });
        }
    };
    drop(fields);
    let failed = |failure| Ended::Failed { failure, may_be_committed: false };
    let handled = match within(redis, worker.options.timeout, handle(delivered)).await {
        Ok(handled) => handled,
        Err(failure) => return (ticket, failed(failure)),
    };
    let ended = match handled {
        Handled::Done => Ended::Handled,
        Handled::Failed(failure) => failed(failure),
        Handled::Commit(unit) if unit.is_empty() => Ended::Handled,
        Handled::Commit(unit) => {
            worker.counters.add(|counts| &mut counts.requests, 1);
            let commit = unit.with_entry(OwnedEntry {
                stream: if ticket.is_redriven {
                    worker.group.retries_key()
                } else {
                    worker.group.log().key().to_owned()
                },
                group: worker.group.name().to_owned(),
                consumer: worker.consumer.clone(),
                id: ticket.id.to_string(),
                count: attempt,
                is_removed: ticket.is_redriven,
            });
            match redis.submit(commit).await {
                Ok(()) => Ended::Committed,
                Err(error) if is_fenced(&error) => Ended::Fenced,
                Err(error) => {
                    let may_be_committed = error.may_have_executed();
                    Ended::Failed { failure: error.into(), may_be_committed }
                }
            }
        }
    };
    (ticket, ended)
}
