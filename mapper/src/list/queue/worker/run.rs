//! The loop of a worker: one request at a time, and handlers beside it. It polls all of them itself, and spawns
//! nothing.

use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::task::Poll;
use std::time::Duration;

use futures_util::future::{AbortHandle, Abortable, FutureExt as _};
use futures_util::stream::{FuturesUnordered, Stream as _, StreamExt as _};
use redis_rest::{ErrorKind, Executor as _, Redis, Request, Result, nonce};
use tracing::Instrument as _;

use super::book::{Book, Found, TICKS};
use super::counters::JobNotice;
use super::turn::Answer;
use super::{QueueWorker, WorkerJob};
use crate::failure::Failure;
use crate::list::ListModel;
use crate::list::queue::Queue;
use crate::pace::Pace;
use crate::waiting::{Timer, can_be_repeated, wait_before_repeating, within};

/// What is the same in all requests of a worker.
pub(super) struct Settings<'a, M> {
    pub(super) queue: &'a Queue<M>,
    pub(super) worker: &'a str,
    pub(super) turn_key: &'a str,
}

/// What a worker waits for.
enum Event<M> {
    Stop,
    Answered(Result<Answer<M>>),
    /// A handler has ended, or was dropped because of its deadline.
    Ended(u64, Option<Result<(), Failure>>),
    Poll,
    Tick,
    /// A failed request can be repeated.
    Repeat,
    /// The time for the last handlers is over.
    GraceIsOver,
}

/// How often a request is repeated after the last handlers had their time: their jobs come back by themselves.
const LAST_ATTEMPTS: u32 = 3;

/// Runs a worker until `shutdown`.
pub(super) async fn run<M, F, Fut, S>(worker: &QueueWorker<M>, redis: &Redis, shutdown: S, handle: F) -> Result<()>
where
    M: ListModel,
    F: Fn(WorkerJob<M>) -> Fut,
    Fut: Future<Output = Result<(), Failure>>,
    S: Future<Output = ()>,
{
    let QueueWorker { queue, name, options, counters } = worker;
    let turn_key = format!("{}:turn:{}", queue.key(), nonce()?);
    let settings = Settings { queue, worker: name, turn_key: &turn_key };
    let mut shutdown = pin!(shutdown);
    let mut book = Book::new(worker);
    let mut pace = Pace::new(options.shortest_poll, options.longest_poll, 2.0);
    let mut errors = Pace::new(Duration::from_millis(100), Duration::from_secs(5), 2.0);
    let (mut poll, mut repeat, mut grace) = (Timer::default(), Timer::default(), Timer::default());
    let mut tick = Timer::after(redis, queue.hold_for / TICKS);
    let mut request: Option<Request<Answer<M>>> = None;
    let mut handlers = FuturesUnordered::new();
    let (mut is_stopping, mut last_attempts) = (false, u32::MAX);

    loop {
        if request.is_none() && !repeat.is_set() {
            if let Some(turn) = book.turn() {
                request = Some(redis.submit(turn.command(&settings)?));
                counters.add(|counts| &mut counts.requests);
            } else if is_stopping && book.is_empty() {
                return Ok(());
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
            if tick.is_due(cx) {
                return Poll::Ready(Event::Tick);
            }
            if let Poll::Ready(Some((reservation, ended))) = Pin::new(&mut handlers).poll_next(cx) {
                return Poll::Ready(Event::Ended(reservation, ended));
            }
            let timers = [(&mut repeat, Event::Repeat), (&mut grace, Event::GraceIsOver), (&mut poll, Event::Poll)];
            for (timer, event) in timers {
                if timer.is_due(cx) {
                    return Poll::Ready(event);
                }
            }
            Poll::Pending
        })
        .await;

        match event {
            Event::Stop => {
                is_stopping = true;
                book.stop();
                grace = Timer::after(redis, options.grace);
            }
            Event::Answered(Ok(answer)) => {
                request = None;
                errors.quicken();
                let (jobs, found) = book.answer(answer);
                for reserved in jobs {
                    let reservation = reserved.ticket.reservation();
                    let (id, attempt) = (reserved.ticket.id(), reserved.attempt);
                    let (abort, registration) = AbortHandle::new_pair();
                    let Some((job, lease)) = book.begin(reserved, abort) else { continue };
                    let span = tracing::info_span!("redis_model.job", queue = queue.key.as_str(), id, attempt);
                    // One whose deadline may have passed is not polled again.
                    let handler = within(redis, options.timeout, handle(job)).map(Result::flatten).instrument(span);
                    let handler = Abortable::new(lease.bind(redis, handler), registration);
                    handlers.push(handler.map(move |ended| (reservation, ended.ok().flatten())));
                }
                if matches!(found, Found::Some | Found::More) {
                    pace.quicken();
                }
                match found {
                    Found::NotAsked => {}
                    Found::More => book.is_poll_due = true,
                    Found::Nothing | Found::Some => poll = Timer::after(redis, pace.next()),
                }
            }
            Event::Answered(Err(error)) => {
                request = None;
                let is_too_large = error.kind() == ErrorKind::TooLarge;
                let can_repeat = can_be_repeated(&error) || is_too_large;
                if !can_repeat || last_attempts == 0 || !book.repeat(&error) {
                    return Err(error);
                }
                last_attempts -= 1;
                counters.add(|counts| &mut counts.errors);
                book.notice(&JobNotice::Repeated { error: &error });
                // The next reply is smaller: there is nothing to wait for.
                if !is_too_large {
                    repeat = Timer::after(redis, wait_before_repeating(&error, errors.next()));
                }
            }
            Event::Ended(reservation, ended) => {
                let mut next = Some((reservation, ended));
                // What has ended at the same time is settled by the same request.
                while let Some((reservation, ended)) = next {
                    match ended {
                        Some(ended) => book.end(reservation, ended),
                        None => book.lose(reservation),
                    }
                    next = handlers.next().now_or_never().flatten();
                }
            }
            Event::Poll => book.is_poll_due = true,
            Event::Tick => {
                book.tick();
                tick = Timer::after(redis, queue.hold_for / TICKS);
            }
            Event::Repeat => {}
            Event::GraceIsOver => {
                last_attempts = LAST_ATTEMPTS;
                handlers.clear();
                book.abandon();
            }
        }
    }
}
