//! The state machine of a tail: at most one read on its way, and a buffer. All of it is polled by the caller.
//!
//! A read begins when the [watch](Watch) calls for it, or after a full page, and never before the buffer is empty.

use std::collections::{BTreeSet, VecDeque};
use std::pin::Pin;
use std::task::{Context, Poll};

use redis_rest::{Error, ErrorKind, Redis, Result};

use super::options::TailOptions;
use super::read::{self, Ask, Page};
use super::since::Since;
use super::source::{Absorbed, Buffered, Source};
use super::token::TailToken;
use crate::stream::explain::explain;
use crate::stream::facts::Position;
use crate::stream::watch::{Due, Watch};
use crate::stream::{Entry, Log, StreamModel};

/// An item: the number of the log, and its entry.
pub(super) type Item<M> = Result<(usize, Entry<Result<M>>)>;

pub(super) struct Engine<M> {
    redis: Redis,
    sources: Vec<Source>,
    watch: Watch,
    retries: u32,
    /// The most entries of each log that a read returns.
    page: u64,
    /// The same for the next read: less, after a reply that was too large.
    size: u64,
    /// Whether the next read asks for nothing but entries, because not even one fits beside what else it asks for.
    is_bare: bool,
    /// Whether the next read asks for one entry of each log, because one of them fits no reply.
    is_single: bool,
    buffer: VecDeque<Buffered<M>>,
    reading: Option<Reading<M>>,
    refused: Option<Error>,
    is_over: bool,
}

struct Reading<M> {
    due: Due,
    answer: Pin<Box<dyn Future<Output = Result<Answer<M>>> + Send>>,
}

enum Answer<M> {
    Started(Vec<Position>),
    Pages(Vec<(Ask, Page<M>)>),
}

/// The outcome of one step.
pub(super) enum Step<M> {
    Done,
    Waits,
    Item(Option<Item<M>>),
}

impl<M: StreamModel + Send + 'static> Engine<M> {
    pub(super) fn new(redis: Redis, logs: &[(Log<M>, Since)], options: TailOptions) -> Self {
        let TailOptions { page, polling, wake_ups, retries, token } = options;
        let refused = refusal(logs, token.as_ref());
        let source = |(log, since): &(Log<M>, Since)| {
            let resumed = token.as_ref().and_then(|token| token.position(log.key()));
            Source::new(log.key(), *since, resumed)
        };
        let page = (page / (logs.len() as u64).max(1)).max(1);
        Engine {
            sources: logs.iter().map(source).collect(),
            watch: Watch::new(&redis, logs.iter().map(|(log, _)| log.key()), wake_ups.unwrap_or(M::PUBLISH), polling),
            redis,
            retries,
            page,
            size: page,
            is_bare: false,
            is_single: false,
            buffer: VecDeque::new(),
            reading: None,
            refused,
            is_over: logs.is_empty(),
        }
    }

    /// Whether each log has a position.
    pub(super) fn has_started(&self) -> bool {
        self.sources.iter().all(|source| source.read.is_some())
    }

    pub(super) fn token(&self) -> TailToken {
        let positions = self.sources.iter().enumerate().filter_map(|(number, source)| {
            // What is buffered was read, but not yielded.
            let is_ahead = self.buffer.iter().any(|buffered| buffered.source == number);
            let position = if is_ahead { source.yielded } else { source.read };
            Some((source.key.as_str(), position?))
        });
        TailToken::of(positions)
    }

    /// Yields an item, or does one thing.
    pub(super) fn step(&mut self, cx: &mut Context<'_>) -> Step<M> {
        if let Some(error) = self.refused.take() {
            self.is_over = true;
            return Step::Item(Some(Err(error)));
        }
        if self.is_over {
            return Step::Item(None);
        }
        if let Some(Buffered { source: number, position, item }) = self.buffer.pop_front() {
            if let Some(source) = self.sources.get_mut(number) {
                source.yielded = Some(position);
            }
            return Step::Item(Some(item.map(|entry| (number, entry))));
        }
        let sources = &self.sources;
        self.watch.listen(cx, |number| Some(sources.get(number)?.read?.id));
        if let Some(reading) = &mut self.reading {
            let Poll::Ready(answer) = reading.answer.as_mut().poll(cx) else { return Step::Waits };
            let due = reading.due;
            self.reading = None;
            return match answer {
                Ok(answer) => {
                    self.watch.succeeded();
                    self.take(answer, due);
                    Step::Done
                }
                Err(error) => self.fail(error),
            };
        }
        match self.watch.poll_due(cx) {
            Poll::Ready(due) => {
                self.read(due);
                Step::Done
            }
            Poll::Pending => Step::Waits,
        }
    }

    /// Begins a read.
    fn read(&mut self, due: Due) {
        let redis = self.redis.clone();
        let answer: Pin<Box<dyn Future<Output = Result<Answer<M>>> + Send>> = if self.has_started() {
            let asks: Vec<_> = self.sources.iter().map(|source| source.ask(self.is_bare)).collect();
            let (size, is_single) = (self.size, self.is_single);
            Box::pin(async move {
                let pages = if is_single {
                    read::entries(redis, asks.clone()).await?
                } else {
                    read::pages(redis, asks.clone(), size).await?
                };
                Ok(Answer::Pages(asks.into_iter().zip(pages).collect()))
            })
        } else {
            let logs = self.sources.iter().map(Source::beginning).collect();
            Box::pin(async move { Ok(Answer::Started(read::start::<M>(redis, logs).await?)) })
        };
        self.reading = Some(Reading { due, answer });
    }

    fn take(&mut self, answer: Answer<M>, due: Due) {
        let pages = match answer {
            Answer::Started(positions) => {
                for (source, position) in self.sources.iter_mut().zip(positions) {
                    source.read = source.read.or(Some(position));
                }
                return self.watch.read_on();
            }
            Answer::Pages(pages) => pages,
        };
        let mut is_full = false;
        for (number, (ask, page)) in pages.into_iter().enumerate() {
            let Some(source) = self.sources.get_mut(number) else { continue };
            let before = self.buffer.len();
            let Absorbed { reads_on, is_anew } = source.absorb::<M>(number, &ask, page, &mut self.buffer);
            is_full |= reads_on;
            if is_anew {
                self.watch.forget(number);
            }
            self.watch.has_read(number, due, source.read.map(|read| read.id), self.buffer.len() > before);
        }
        // Slowly, so that few replies are too large again.
        self.size = (self.size + self.size / 8 + 1).min(self.page);
        (self.is_bare, self.is_single) = (false, false);
        if is_full { self.watch.read_on() } else { self.watch.rest() }
    }

    fn fail(&mut self, error: Error) -> Step<M> {
        match error.kind() {
            ErrorKind::InvalidInput => {
                self.is_over = true;
                return Step::Item(Some(Err(error)));
            }
            ErrorKind::TooLarge if !self.is_single && self.has_started() => {
                // Half of it may fit. An entry on its own does without the checks, which contain other entries.
                self.is_single = self.is_bare;
                self.is_bare = self.size == 1;
                self.size = (self.size / 2).max(1);
                self.watch.read_on();
                return Step::Done;
            }
            _ => {}
        }
        let failures = self.watch.failed(&error);
        if error.is_retryable() && failures <= self.retries {
            return Step::Done;
        }
        Step::Item(Some(Err(if error.is_wrong_type() { explain(error) } else { error })))
    }
}

/// Returns why the tail cannot be.
fn refusal<M: StreamModel>(logs: &[(Log<M>, Since)], token: Option<&TailToken>) -> Option<Error> {
    let refuse =
        |why: &'static str, key: &str| Some(Error::new(ErrorKind::InvalidInput, why).about(M::MODEL_NAME, key));
    let mut keys = BTreeSet::new();
    for (log, _) in logs {
        if let Some(why) = log.problem() {
            return refuse(why, log.key());
        }
        if !keys.insert(log.key()) {
            return refuse("the log appears twice in one tail; name it once", log.key());
        }
    }
    let other = token.and_then(|token| token.keys().find(|key| !keys.contains(key)))?;
    refuse("the token is of a tail of this log, which is not among the logs of this tail; add the log", other)
}
