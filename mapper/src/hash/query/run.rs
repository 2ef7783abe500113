//! How a query is executed: requests, one after the other.

use std::marker::PhantomData;

use redis_rest::{Batch, Command, Error, ErrorKind, Executor as _, Reply, Result, Session};

use super::{Names, Page, Query};
use crate::hash::commands;
use crate::hash::hash_model::{self, HashModel};
use crate::id::Id as _;
use crate::index::Layout;
use crate::key::Key;
use crate::kind::Kind;
use crate::mismatch::excerpt;
use crate::model::{Sink, WithoutHooks};
use crate::pairs::ReplyPairs;
use crate::query::{self, Answer, Call, Condition, Cursor, Explain, Found, Plan, Position};
use crate::write::{Action, Operation};

/// The most records of one run of the script, and of one pipeline.
const MAX_STEP: usize = 1_000;

/// The most records of one page of a stream.
const STREAM_STEP: usize = 250;

/// The most runs of the script for one page.
const MAX_RUNS: usize = 20;

/// A query with its plan.
pub(super) struct Prepared<M> {
    layout: &'static Layout,
    conditions: Vec<Condition>,
    fields: Vec<Names>,
    plan: Plan,
    fingerprint: u64,
    start: Option<Position>,
    in_one_request: bool,
    of: PhantomData<fn() -> M>,
}

/// What was found, and where to go on, if there is more.
type Step<T> = (Vec<T>, Option<Position>);

impl<M: HashModel> Prepared<M> {
    /// Checks and plans a query.
    pub(super) fn new(query: Query<M>) -> Result<Self> {
        let Query { conditions, fields, order, limit, after, in_one_request, problem, of } = query;
        if let Some(problem) = problem {
            return Err(problem);
        }
        if limit == Some(0) {
            return Err(invalid::<M>("the limit is 0; use a limit of at least 1"));
        }
        let layout = hash_model::layout::<M>();
        let plan = Plan::new(layout, &conditions, order)?;
        let fingerprint = query::fingerprint(layout, &conditions, order);
        let start = None;
        let mut prepared = Prepared { layout, conditions, fields, plan, fingerprint, start, in_one_request, of };
        prepared.start = after.map(|cursor| prepared.position(cursor)).transpose()?;
        Ok(prepared)
    }

    fn position(&self, cursor: Cursor) -> Result<Position> {
        let Cursor { fingerprint, index, range, member } = cursor;
        let mut candidates = self.plan.candidates.iter().enumerate();
        let candidate = candidates.find(|(_, candidate)| u32::try_from(candidate.index) == Ok(index));
        let Some((at, candidate)) = candidate.filter(|_| fingerprint == self.fingerprint) else {
            return Err(invalid::<M>(
                "the cursor is of another query; use it with the model, the conditions and the order of the page that it comes from",
            ));
        };
        // A stranger may have made it up: it must not lead out of the range.
        let bounds = range.checked_sub(1).and_then(|range| candidate.ranges.get(usize::try_from(range).ok()?));
        if bounds.is_some_and(|bounds| member.is_empty() || bounds.contains_entry(&member)) {
            return Ok(Position { candidate: at, range, member });
        }
        Err(query::damaged().about(M::MODEL_NAME, M::KEY_PREFIX))
    }

    fn cursor(&self, position: Position) -> Option<Cursor> {
        let Position { candidate, range, member } = position;
        let index = u32::try_from(self.plan.candidates.get(candidate)?.index).ok()?;
        Some(Cursor { fingerprint: self.fingerprint, index, range, member })
    }

    pub(super) async fn fetch(&self, session: &Session, limit: usize) -> Result<Page<M>> {
        let mut page = Collected::new(limit, self.start.clone());
        while page.needs_more() {
            let position = page.position.take();
            let step = self.records(session, page.step(), position).await?;
            page.add(step)?;
        }
        Ok(Page { items: page.items, cursor: page.position.and_then(|position| self.cursor(position)) })
    }

    pub(super) async fn page_of_ids(&self, session: &Session, limit: usize) -> Result<Page<M::Id>> {
        let mut page = Collected::new(limit, self.start.clone());
        while page.needs_more() {
            let position = page.position.take();
            let step = self.ids(session, page.step(), position).await?;
            page.add(step)?;
        }
        Ok(Page { items: page.items, cursor: page.position.and_then(|position| self.cursor(position)) })
    }

    pub(super) async fn first(&self, session: &Session) -> Result<Option<M>> {
        let mut position = self.start.clone();
        loop {
            let (found, next) = self.records(session, 1, position).await?;
            if let Some(record) = found.into_iter().next() {
                return record.map(Some);
            }
            if next.is_none() {
                return Ok(None);
            }
            position = next;
        }
    }

    pub(super) async fn exists(&self, session: &Session) -> Result<bool> {
        let mut position = None;
        loop {
            let (found, next) = self.ids(session, 1, position).await?;
            if !found.is_empty() || next.is_none() {
                return Ok(!found.is_empty());
            }
            position = next;
        }
    }

    pub(super) async fn count(&self, session: &Session) -> Result<u64> {
        let (mut count, mut position) = (0, None);
        loop {
            let command = self
                .command(Found::Count, MAX_STEP, position.as_ref())
                .decode_with(|reply| query::read_count(hash_model::layout::<M>(), reply));
            let Some((found, next)) = self.run(session, command, position).await? else { return Ok(count) };
            count += found;
            if next.is_none() {
                return Ok(count);
            }
            position = next;
        }
    }

    pub(super) async fn explain(&self, session: &Session) -> Result<Explain> {
        let command = self
            .command(Found::Estimates, MAX_STEP, None)
            .decode_with(|reply| query::read_estimates(hash_model::layout::<M>(), reply));
        let answer = session.submit(command).await?;
        Ok(Explain::new(self.layout, &self.conditions, &self.plan, answer.candidate, &answer.found))
    }

    async fn ids(&self, session: &Session, limit: usize, position: Option<Position>) -> Result<Step<Result<M::Id>>> {
        let (ids, next) = self.found_ids(session, Found::Ids, limit, position).await?;
        let ids = ids.into_iter().map(|id| {
            M::Id::from_key_part(&id).ok_or_else(|| {
                let message = format!("expected an id in the index, found {}", excerpt(&id));
                Error::new(ErrorKind::Decode, message)
                    .about(M::MODEL_NAME, key_of::<M>(&id).as_str())
                    .with_field(M::ID_FIELD)
            })
        });
        Ok((ids.collect(), next))
    }

    /// Returns a page of a stream, and how many records may follow it.
    pub(super) async fn stream_page(
        &self,
        session: &Session,
        position: Option<Position>,
        left: usize,
    ) -> Result<(Vec<Result<M>>, Option<(Position, usize)>)> {
        let position = position.or_else(|| self.start.clone());
        let (records, next) = self.records(session, left.min(STREAM_STEP), position).await?;
        let left = left.saturating_sub(records.len());
        Ok((records, next.filter(|_| left > 0).map(|position| (position, left))))
    }

    /// Returns the next records, each with its own error. Those that do not match any more are left out.
    async fn records(&self, session: &Session, limit: usize, position: Option<Position>) -> Result<Step<Result<M>>> {
        let (found, next) = if self.in_one_request {
            let command = self.command(Found::Records, limit, position.as_ref()).decode_with(read_records::<M>);
            self.run(session, command, position).await?.unwrap_or_default()
        } else {
            let (ids, next) = self.ids_to_load(session, limit, position).await?;
            (load::<M>(session, &ids).await?, next)
        };
        Ok((self.matching(found), next))
    }

    /// Returns the command that finds the first record.
    pub(super) fn into_find(self) -> Command<Option<M>> {
        let command = self.command(Found::Records, 1, None);
        command.decode_by(move |reply| {
            let records = self.matching(read_records::<M>(reply)?.found);
            records.into_iter().next().transpose()
        })
    }

    /// Leaves out records that do not exist, or do not match any more.
    fn matching(&self, records: Records<M>) -> Vec<Result<M>> {
        let records = records.into_iter().filter_map(Result::transpose);
        let matching = records.filter(|record| record.as_ref().map_or(true, |record| self.holds(record.as_stored())));
        matching.map(|record| record.map(|loaded| loaded.record)).collect()
    }

    pub(super) fn layout(&self) -> &'static Layout {
        self.layout
    }

    /// Returns the names of the fields that the query has conditions on.
    pub(super) fn fields(&self) -> &[Names] {
        &self.fields
    }

    /// Returns where the query starts.
    pub(super) fn start(&self) -> Option<Position> {
        self.start.clone()
    }

    /// Returns whether a patch changes fields of an index that may be walked.
    pub(super) fn walks_over(&self, patch: &Operation) -> bool {
        let Action::Patch { changes, .. } = &patch.action else { return false };
        let indexes = self.plan.candidates.iter().filter_map(|candidate| self.layout.indexes.get(candidate.index));
        let columns = indexes.flat_map(|index| &index.columns).filter_map(|column| self.layout.columns.get(*column));
        columns.into_iter().any(|column| changes.iter().any(|change| change.field == column.name))
    }

    /// Returns the parts of the next keys, for a caller who reads the records.
    pub(super) async fn ids_to_load(
        &self,
        session: &Session,
        limit: usize,
        position: Option<Position>,
    ) -> Result<Step<String>> {
        self.found_ids(session, Found::IdsToLoad, limit, position).await
    }

    async fn found_ids(
        &self,
        session: &Session,
        found: Found,
        limit: usize,
        position: Option<Position>,
    ) -> Result<Step<String>> {
        let command = self
            .command(found, limit, position.as_ref())
            .decode_with(|reply| query::read_ids(hash_model::layout::<M>(), reply));
        Ok(self.run(session, command, position).await?.unwrap_or_default())
    }

    fn command(&self, found: Found, limit: usize, position: Option<&Position>) -> Command {
        let call = Call { layout: self.layout, conditions: &self.conditions, plan: &self.plan, found, limit, position };
        call.to_script().command().about(M::MODEL_NAME, M::KEY_PREFIX)
    }

    /// Sends a command. Returns what was found, and where to go on. `None` without a request if no value can match.
    async fn run<T: 'static>(
        &self,
        session: &Session,
        command: Command<Answer<T>>,
        position: Option<Position>,
    ) -> Result<Option<(T, Option<Position>)>> {
        if self.conditions.iter().any(Condition::is_never) {
            return Ok(None);
        }
        let Answer { found, candidate, next } = session.submit(command).await?;
        // The script knows only the candidates of its call.
        let candidate = position.map_or(candidate, |position| position.candidate);
        Ok(Some((found, next.map(|(range, member)| Position { candidate, range, member }))))
    }

    /// Returns whether a record matches. It was read without hooks, which may change it.
    pub(super) fn holds(&self, record: &M) -> bool {
        if self.conditions.is_empty() {
            return true;
        }
        let mut columns = Columns(Vec::new());
        if record.write(&mut columns).is_err() {
            // Another field cannot be encoded again. The row has matched.
            return true;
        }
        self.conditions.iter().all(|condition| {
            let name = self.layout.columns.get(condition.column).map(|column| column.name);
            columns.0.iter().any(|(column, text)| Some(*column) == name && condition.holds(text))
        })
    }
}

/// Records that were found by the index; `None` for one that does not exist.
type Records<M> = Vec<Result<Option<Loaded<M>>>>;

/// A record that was loaded.
struct Loaded<M> {
    record: M,
    /// The record as it is stored, if a hook may have changed the one that was loaded.
    stored: Option<M>,
}

impl<M: HashModel> Loaded<M> {
    fn read(reply: Reply<'_>, key: &str) -> Result<Option<Self>> {
        let Some(record) = commands::read_loaded::<M>(reply, key)? else { return Ok(None) };
        let stored = if M::AFTER_LOAD { read_stored(reply)? } else { None };
        Ok(Some(Loaded { record, stored }))
    }

    fn as_stored(&self) -> &M {
        self.stored.as_ref().unwrap_or(&self.record)
    }
}

/// Reads a record as it is stored, without its hooks, from a reply to `HGETALL`.
pub(super) fn read_stored<M: HashModel>(reply: Reply<'_>) -> Result<Option<M>> {
    if commands::is_no_record(reply) {
        return Ok(None);
    }
    M::read(WithoutHooks(ReplyPairs(reply.pairs()?))).map(Some)
}

/// A page that takes several steps.
struct Collected<T> {
    items: Vec<T>,
    limit: usize,
    runs: usize,
    position: Option<Position>,
}

impl<T> Collected<T> {
    fn new(limit: usize, position: Option<Position>) -> Self {
        Collected { items: Vec::new(), limit, runs: 0, position }
    }

    /// Returns whether the page can take more, and there may be more.
    fn needs_more(&self) -> bool {
        let is_at_end = self.runs > 0 && self.position.is_none();
        !is_at_end && self.items.len() < self.limit && self.runs < MAX_RUNS
    }

    /// Returns how many items the next step may find.
    fn step(&self) -> usize {
        self.limit.saturating_sub(self.items.len()).min(MAX_STEP)
    }

    fn add(&mut self, (found, next): Step<Result<T>>) -> Result<()> {
        for item in found {
            self.items.push(item?);
        }
        self.runs += 1;
        self.position = next;
        Ok(())
    }
}

/// The columns of a record, without its other fields.
struct Columns(Vec<(&'static str, String)>);

impl Sink for Columns {
    fn set(&mut self, _: &'static str, _: String, _: Kind) {}

    fn clear(&mut self, _: &'static str) {}

    fn runs_hooks(&self) -> bool {
        false
    }

    fn column(&mut self, name: &'static str, text: impl FnOnce() -> Result<String>) -> Result<()> {
        // A value that cannot be in an index is in no range.
        self.0.extend(text().ok().map(|text| (name, text)));
        Ok(())
    }
}

/// Reads the records that the script returned.
fn read_records<M: HashModel>(reply: Reply<'_>) -> Result<Answer<Records<M>>> {
    query::read_records(hash_model::layout::<M>(), reply, |id, record| {
        let key = key_of::<M>(id);
        let record = Loaded::read(record, key.as_str());
        record.map_err(|error| error.with_command("HGETALL".into()).about(M::MODEL_NAME, key.as_str()))
    })
}

/// Loads records by the parts of their keys, in one request.
async fn load<M: HashModel>(session: &Session, ids: &[String]) -> Result<Records<M>> {
    let loading = {
        let mut batch = Batch::new(session);
        let load = |id: &String| load_command::<M>(id).decode_with_key(Loaded::read);
        let slots: Vec<_> = ids.iter().map(|id| (&mut batch).submit(load(id))).collect();
        batch.exec_with(move |replies| Ok(slots.into_iter().map(|slot| replies.take(slot)).collect()))
    };
    loading.await
}

/// Returns the command that loads a record. It leaves the time to live as it is, also of a model whose loads extend it.
pub(super) fn load_command<M: HashModel>(id: &str) -> Command {
    key_of::<M>(id).push_to(Command::read("HGETALL"))
}

pub(super) fn key_of<M: HashModel>(id: &str) -> Key {
    Key::new(M::MODEL_NAME, M::KEY_PREFIX, id)
}

#[cold]
fn invalid<M: HashModel>(message: &'static str) -> Error {
    Error::new(ErrorKind::InvalidInput, message).about(M::MODEL_NAME, M::KEY_PREFIX)
}

#[cfg(test)]
mod tests {
    use crate::prelude::*;
    use crate::query::Cursor;

    #[derive(Debug, RedisModel)]
    #[redis(prefix = "document")]
    struct Document {
        #[redis(id)]
        id: u64,
        #[redis(index)]
        tenant: String,
    }

    #[test]
    fn a_cursor_stays_within_its_query() {
        let query = || Document::query().any_of(Document::TENANT, ["b", "d"]);
        let prepared = super::Prepared::new(query()).unwrap();
        let position = super::Position { candidate: 0, range: 1, member: "b\0 7".into() };
        let cursor = prepared.cursor(position).unwrap();
        let start = |cursor: Cursor| super::Prepared::new(query().after(cursor)).map(|prepared| prepared.start);
        assert!(start(cursor.clone()).unwrap().is_some());
        assert!(start(Cursor { member: String::new(), range: 2, ..cursor.clone() }).is_ok());
        let other = |range, member: &str| Cursor { range, member: member.into(), ..cursor.clone() };
        for forged in [
            other(1, "a\0 7"),
            other(1, "c\0 7"),
            other(2, "b\0 7"),
            other(1, "\u{10ffff}"),
            other(0, ""),
            other(3, ""),
        ] {
            let error = start(forged.clone()).unwrap_err();
            assert!(error.is_invalid_input() && error.message().contains("damaged"), "{forged:?}: {error}");
        }
    }
}
