//! How a projection catches up.

use redis_rest::commands::stream::StreamId;
use redis_rest::{Error, Executor as _, Result, Session};

use super::failure::HandlerError;
use super::position::Position;
use super::{CaughtUp, Projection, failure};
use crate::hash::Unit;
use crate::page_len::PageLen;
use crate::stream::StreamModel;
use crate::stream::entry::Entry;
use crate::stream::facts::{Facts, Verdict};
use crate::stream::log::Log;
use crate::stream::page::{self, LogPage, trimmed};

/// What the events of a page make, up to one commit.
struct Step {
    unit: Unit,
    to: Position,
    /// The first event that was handled.
    first: Option<StreamId>,
    /// The number of events that were handled.
    events: u64,
    /// The number of those that have writes.
    writing: usize,
    skipped: Vec<(StreamId, String)>,
}

/// The outcome of a commit.
enum Commit {
    Done,
    /// Another program has moved the position.
    Overtaken,
    /// Several events write the same record.
    Divide,
}

impl Step {
    fn at(position: Position) -> Self {
        Step { unit: Unit::new(), to: position, first: None, events: 0, writing: 0, skipped: Vec::new() }
    }
}

pub(super) async fn run<M, E, F>(
    session: Session,
    projection: Projection<M, E>,
    mut handler: impl FnMut(Unit, Entry<M>) -> F,
) -> Result<CaughtUp>
where
    M: StreamModel,
    E: HandlerError,
    F: Future<Output = Result<Unit, E>>,
{
    let mut done = CaughtUp::default();
    pass(&session, &projection, Vec::new(), &mut handler, &mut done).await?;
    Ok(done)
}

/// Handles all that follows these positions, or those that are stored if there are none. Returns the positions after
/// that.
pub(super) async fn pass<M, E, F>(
    session: &Session,
    projection: &Projection<M, E>,
    mut positions: Vec<Position>,
    handler: &mut impl FnMut(Unit, Entry<M>) -> F,
    done: &mut CaughtUp,
) -> Result<Vec<Position>>
where
    M: StreamModel,
    E: HandlerError,
    F: Future<Output = Result<Unit, E>>,
{
    if positions.is_empty() {
        let keys: Vec<_> = projection.logs.iter().map(Log::key).collect();
        positions = projection.record.read(session, &keys).await?;
    }
    for (log, position) in projection.logs.iter().zip(&mut positions) {
        let (batch, len) = (projection.batch, PageLen::default());
        let mut reader = Reader { session, projection, log, position: *position, batch, len };
        while reader.read_page(handler, done).await? {}
        *position = reader.position;
    }
    Ok(positions)
}

struct Reader<'a, M, E> {
    session: &'a Session,
    projection: &'a Projection<M, E>,
    log: &'a Log<M>,
    position: Position,
    /// The most events in the next commits.
    batch: usize,
    len: PageLen,
}

impl<M: StreamModel, E: HandlerError> Reader<'_, M, E> {
    /// Handles a page. Returns whether there may be more.
    async fn read_page<F>(&mut self, handler: &mut impl FnMut(Unit, Entry<M>) -> F, done: &mut CaughtUp) -> Result<bool>
    where
        F: Future<Output = Result<Unit, E>>,
    {
        let page = page::read(self.session, self.log, self.position.after(), &mut self.len).await?;
        let missing = self.missing(&page)?;
        let (head, is_full) = (page.head, page.is_full);
        let batch = std::mem::replace(&mut self.batch, self.projection.batch);
        let mut step = Step::at(self.position);
        for Entry { id, event } in page.entries {
            match event {
                Ok(event) => {
                    let before = step.unit.len();
                    let handled = handler(step.unit, Entry { id, event }).await;
                    step.unit = handled.map_err(|error| failure::of_handler(self.log, id, error))?;
                    step.first.get_or_insert(id);
                    step.events += 1;
                    step.writing += usize::from(step.unit.len() > before);
                }
                Err(error) if self.projection.skips_unreadable => step.skipped.push((id, error.to_string())),
                Err(error) => {
                    // What comes before it is in the view then. If another program was faster, this entry may be
                    // behind us.
                    return match self.commit(step, done).await? {
                        Commit::Done => Err(error),
                        Commit::Overtaken | Commit::Divide => Ok(true),
                    };
                }
            }
            step.to = step.to.and(id);
            if step.writing >= batch {
                match self.commit(step, done).await? {
                    Commit::Done => step = Step::at(self.position),
                    // The page is read again, from the position that is right.
                    Commit::Overtaken | Commit::Divide => return Ok(true),
                }
            }
        }
        if missing > 0 {
            // The last of them may be after the last entry that is left.
            let id = if is_full { step.to.id } else { Some(head.last) };
            step.to = Position { id, count: step.to.count + missing, missing: step.to.missing + missing };
        }
        match self.commit(step, done).await? {
            Commit::Done => {
                done.missing += missing;
                Ok(is_full)
            }
            Commit::Overtaken | Commit::Divide => Ok(true),
        }
    }

    /// Returns the number of entries that were removed before they were read, if it is known and the projection
    /// accepts it.
    fn missing(&self, page: &LogPage<M>) -> Result<u64> {
        let head = page.head;
        head.check_counted()?;
        let count = match head.judge(self.position.seen(), page.following()) {
            Verdict::Complete => return Ok(0),
            Verdict::Anew => return Err(self.begun_again(head)),
            // The end of the log tells how many.
            Verdict::Deleted(_) if page.is_full => 0,
            Verdict::Deleted(count) | Verdict::Lagged(count) => count,
        };
        if self.projection.skips_missing {
            return Ok(count);
        }
        let why = format!(
            "entries after {} were removed before the projection has read them: trimmed, or deleted. Rebuild the view of \
             what is left, or go on: both with `skip_missing`. See the docs of `Projection`: Rebuilding",
            self.position.after()
        );
        Err(trimmed(self.log.typed_key(), why))
    }

    #[cold]
    fn begun_again(&self, head: Facts) -> Error {
        let why = format!(
            "the log was deleted and begun again: the projection has read {} entries up to {}, and the log ends at {} \
             after {} entries, of which {} are left. Rebuild the view; see the docs of `Projection`: Rebuilding",
            self.position.count,
            self.position.after(),
            head.last,
            head.added.unwrap_or_default(),
            head.length
        );
        trimmed(self.log.typed_key(), why)
    }

    /// Writes the view and the position.
    async fn commit(&mut self, step: Step, done: &mut CaughtUp) -> Result<Commit> {
        if step.to == self.position {
            return Ok(Commit::Done);
        }
        let skipped = step.skipped.len() as u64;
        let name = |error| self.named(step.first, step.to, error);
        let first = self.projection.record.advance(self.log.key(), self.position, step.to, step.skipped);
        let result = match step.unit.command_with(first) {
            Ok(command) => self.session.submit(command).await,
            Err(error) => return Err(name(error)),
        };
        match result {
            Ok(()) => {
                self.position = step.to;
                done.events += step.events;
                done.skipped += skipped;
                Ok(Commit::Done)
            }
            Err(error) if error.is_conflict() && error.operation() == Some(0) => {
                done.conflicts += 1;
                let positions = self.projection.record.read(self.session, &[self.log.key()]).await?;
                self.position = positions.into_iter().next().unwrap_or_default();
                Ok(Commit::Overtaken)
            }
            Err(error) if error.is_invalid_input() && step.writing > 1 => {
                self.batch = 1;
                Ok(Commit::Divide)
            }
            Err(error) => Err(name(match error.operation() {
                // The caller counts the operations of the unit.
                Some(position @ 1..) => error.with_operation(position - 1),
                _ => error,
            })),
        }
    }

    /// The error of a commit, with the entries whose events it has.
    #[cold]
    fn named(&self, first: Option<StreamId>, to: Position, error: Error) -> Error {
        let key = self.log.key();
        error.context(match first {
            Some(first) if first < to.after() => format!("entries {first} to {} of {key}", to.after()),
            _ => format!("entry {} of {key}", to.after()),
        })
    }
}
