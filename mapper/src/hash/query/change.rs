//! Deletes and patches of all records that match, in bounded steps.

use std::collections::HashSet;

use redis_rest::{Batch, Command, Error, ErrorKind, Executor as _, Reply, Result, Session};

use super::Names;
use super::run::{self, Prepared};
use crate::hash::hash_model::HashModel;
use crate::write::{self, Action, Condition, Operation};

/// How many records one step writes, all or none of them.
const STEP: usize = 100;

/// How often the write of one record is repeated because others write it too.
const ATTEMPTS: usize = 16;

/// What is done to each record.
#[derive(Debug, Clone)]
pub(super) enum Write {
    Delete,
    Patch(Box<Operation>),
}

/// The texts of the fields that the query has conditions on; `None` if the record does not match.
type Seen = Option<Vec<Option<String>>>;

impl<M: HashModel> Prepared<M> {
    /// Writes up to `limit` of the records that match, and returns how many were written.
    pub(super) async fn write_all(&self, session: &Session, write: Write, limit: usize) -> Result<u64> {
        let (mut left, mut written, mut position) = (limit, 0, self.start());
        // A patch can move a record to where the walk has not been yet.
        let moves = matches!(&write, Write::Patch(operation) if self.walks_over(operation));
        let mut done = HashSet::new();
        while left > 0 {
            let (mut ids, next) = self.ids_to_load(session, left.min(STEP), position).await?;
            ids.retain(|id| !done.contains(id));
            let count = self.write_step(session, &write, &ids).await?;
            written += u64::try_from(count).unwrap_or(u64::MAX);
            left = left.saturating_sub(count);
            if moves {
                done.extend(ids);
            }
            if next.is_none() {
                break;
            }
            position = next;
        }
        Ok(written)
    }

    /// Writes those of these records that match, and returns how many: in one request, or in smaller ones if other programs
    /// change some of the records meanwhile.
    async fn write_step(&self, session: &Session, write: &Write, ids: &[String]) -> Result<usize> {
        let (mut written, mut parts) = (0, vec![(ids, 1)]);
        while let Some((ids, attempt)) = parts.pop() {
            let seen = self.see(session, ids).await?;
            let matching = ids.iter().zip(&seen).filter_map(|(id, seen)| Some((id, seen.as_ref()?)));
            let operations: Vec<_> = matching.map(|(id, texts)| self.operation(write, id, texts)).collect();
            if operations.is_empty() {
                continue;
            }
            let error = match session.submit(write::command(&operations)).await {
                Ok(outcomes) => {
                    written += outcomes.len();
                    continue;
                }
                Err(error) => error,
            };
            // Unless another program has changed or deleted one of them since it was read, the write itself is refused.
            if !(error.is_conflict() || error.is_not_found()) || self.see(session, ids).await? == seen {
                return Err(error);
            }
            match ids.split_at(ids.len() / 2) {
                ([], _) if attempt < ATTEMPTS => parts.push((ids, attempt + 1)),
                ([], _) => {
                    let why = "others change these records faster than they are written; try again";
                    return Err(Error::new(ErrorKind::Conflict, why).about(M::MODEL_NAME, M::KEY_PREFIX));
                }
                (first, second) => parts.extend([(second, 1), (first, 1)]),
            }
        }
        Ok(written)
    }

    /// Reads records, in one request.
    async fn see(&self, session: &Session, ids: &[String]) -> Result<Vec<Seen>> {
        let seeing = {
            let mut batch = Batch::new(session);
            let slots: Vec<_> = ids.iter().map(|id| (&mut batch).submit(self.see_command(id))).collect();
            batch.exec_with(move |replies| slots.into_iter().map(|slot| replies.take(slot)).collect::<Result<Vec<_>>>())
        };
        let records = seeing.await?.into_iter();
        Ok(records.map(|seen| seen.filter(|(record, _)| self.holds(record)).map(|(_, texts)| texts)).collect())
    }

    /// Returns the command that reads a record as it is stored, and the texts of the fields that the query has conditions on.
    fn see_command(&self, id: &str) -> Command<Option<(M, Vec<Option<String>>)>> {
        let fields = self.fields().to_vec();
        run::load_command::<M>(id).decode_by(move |reply| {
            let Some(record) = run::read_stored::<M>(reply)? else { return Ok(None) };
            let texts = fields.iter().map(|field| text_of(reply, field));
            Ok(Some((record, texts.collect::<Result<_>>()?)))
        })
    }

    /// Returns the write of one record, which is refused unless the fields still have these texts.
    fn operation(&self, write: &Write, id: &str, texts: &[Option<String>]) -> Operation {
        let seen = self.fields().iter().zip(texts).map(|(Names { name, aliases }, text)| Condition {
            field: (*name).into(),
            aliases,
            text: text.clone(),
        });
        let mut action = match write {
            Write::Delete => Action::Delete { version: None, conditions: Vec::new() },
            Write::Patch(operation) => operation.action.clone(),
        };
        if let Action::Delete { conditions, .. } | Action::Patch { conditions, .. } = &mut action {
            conditions.extend(seen);
        }
        Operation { layout: self.layout(), key: run::key_of::<M>(id), id: id.to_owned(), action }
    }
}

/// Returns the text of a field in a reply to `HGETALL`, under its name or an earlier one.
fn text_of(reply: Reply<'_>, field: &Names) -> Result<Option<String>> {
    for name in std::iter::once(&field.name).chain(field.aliases) {
        for (found, text) in reply.pairs()? {
            if found.bytes()? == name.as_bytes() {
                return text.text().map(|text| Some(text.to_owned()));
            }
        }
    }
    Ok(None)
}
