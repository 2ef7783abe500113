//! Builds the indexes of a model, and repairs them.

use std::hash::{BuildHasher, Hasher, RandomState};

use redis_rest::commands::scan::Cursor;
use redis_rest::{Client, Error, ErrorKind, Executor as _, Result, Session};

use super::conflict::{is_about_record, settle};
use super::progress::{ReindexProgress, Reindexed};
use super::stored;
use super::walk::{self, Position};
use crate::hash::hash_model::{HashModel, layout};
use crate::hash::{each, writes};
use crate::index::Layout;
use crate::key::Key;
use crate::upkeep::{self, Problem, What};
use crate::write::{self, Operation};

/// How often the start is tried, if another run starts at the same time.
const STARTS: usize = 8;

/// How many rows one command writes. The server does nothing else for some milliseconds.
const AT_ONCE: usize = 50;

/// A run. Each step continues it.
#[derive(Debug, Default)]
struct Run {
    position: Position,
    progress: ReindexProgress,
    token: String,
    /// The tags of earlier layouts, whose descriptors are not needed at the end.
    earlier: Vec<String>,
}

pub(in crate::hash) fn reindex<M: HashModel, C: Client>(client: C) -> C::Paged<ReindexProgress> {
    client.pages_of(Run::default(), |session, run| async move {
        let (progress, errors, next) = step::<M>(&session, run).await?;
        Ok((errors.into_iter().map(Err).chain([Ok(progress)]).collect(), next))
    })
}

pub(in crate::hash) fn reindex_to_end<M: HashModel, C: Client>(client: C) -> C::Out<Reindexed> {
    client.run(|session| async move {
        let (mut reindexed, mut next) = (Reindexed::default(), Some(Run::default()));
        while let Some(run) = next {
            let (progress, errors, following) = step::<M>(&session, run).await?;
            reindexed.progress = progress;
            reindexed.errors.extend(errors);
            next = following;
        }
        Ok(reindexed)
    })
}

/// Looks at one page. Returns the progress, the errors about records, and the rest of the run.
async fn step<M: HashModel>(session: &Session, mut run: Run) -> Result<(ReindexProgress, Vec<Error>, Option<Run>)> {
    let layout = layout::<M>();
    let mut errors = Vec::new();
    let at = run.position.clone();
    let (cursor, looked_at) = match run.position {
        Position::Start => {
            run.token = start(session, layout).await?;
            if layout.indexes.is_empty() {
                run.progress.way.went(Some(0), &Position::Finish);
                return Ok((run.progress, errors, None));
            }
            run.progress.way.count(session, layout, true).await?;
            (Cursor::START, Some(0))
        }
        Position::Records(cursor) => {
            let (ids, cursor) = walk::record_ids::<M>(session, cursor).await?;
            index::<M>(session, ids, &mut run.progress, &mut errors).await?;
            (cursor, None)
        }
        Position::Rows { partition, cursor } => {
            let page = walk::row_ids::<M>(session, partition, cursor).await?;
            run.earlier.extend(page.earlier);
            repair::<M>(session, page.ids, &mut run.progress, &mut errors).await?;
            (page.cursor, Some(page.looked_at))
        }
        Position::Entries { index, partition, cursor } => {
            let page = session.submit(upkeep::entries(layout, What::Repair, index, partition, &cursor)).await?;
            run.progress.removed += page.stray.len() as u64;
            (page.cursor, Some(page.looked_at))
        }
        Position::Marks { partition, cursor } => {
            let page = walk::mark_ids::<M>(session, partition, cursor).await?;
            repair::<M>(session, page.ids, &mut run.progress, &mut errors).await?;
            (page.cursor, Some(page.looked_at))
        }
        Position::Finish => return Ok((run.progress, errors, None)),
    };
    let is_built = matches!(at, Position::Records(_)) && cursor.is_finished();
    run.position = at.after(cursor, layout);
    run.progress.way.went(looked_at, &run.position);
    if is_built {
        // Rows and entries have been written since they were counted.
        run.progress.way.count(session, layout, false).await?;
    }
    if matches!(run.position, Position::Finish) {
        session.submit(upkeep::finish(layout, &run.token, &run.earlier)).await?;
        return Ok((run.progress, errors, None));
    }
    Ok((run.progress, errors, Some(run)))
}

/// Gives the keys the layout of the program. Returns the token of the run.
async fn start(session: &Session, layout: &'static Layout) -> Result<String> {
    let token = format!("{:016x}", RandomState::new().build_hasher().finish());
    for _ in 0..STARTS {
        let found = upkeep::find(session, layout).await?;
        if let Some(token) = session.submit(upkeep::start(layout, &token, &found)).await? {
            return Ok(token);
        }
    }
    let why =
        "other programs change the layout of the indexes at the same time; run `reindex` in one version of the program";
    Err(Error::new(ErrorKind::Index, why))
}

/// Writes the rows of the records with these ids, if they differ.
async fn index<M: HashModel>(
    session: &Session,
    ids: Vec<String>,
    progress: &mut ReindexProgress,
    errors: &mut Vec<Error>,
) -> Result<()> {
    let mut operations = Vec::new();
    for record in stored::read::<M>(session, ids).await? {
        match record.record {
            Ok(Some(content)) if record.row.as_deref() != Some(content.row.as_bytes()) => {
                operations.push(content.index::<M>(&record.id));
            }
            Ok(_) => {}
            Err(error) => errors.push(error),
        }
    }
    for operations in operations.chunks(AT_ONCE) {
        match session.submit(write::command(operations)).await {
            Ok(outcomes) => progress.indexed += outcomes.len() as u64,
            Err(error) if is_about_record(&error) || error.kind() == ErrorKind::Index => {
                index_each::<M>(session, operations, progress, errors).await?;
            }
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// Writes rows one by one, because one of them cannot be written.
async fn index_each<M: HashModel>(
    session: &Session,
    operations: &[Operation],
    progress: &mut ReindexProgress,
    errors: &mut Vec<Error>,
) -> Result<()> {
    let written = each::send(session, operations.iter().cloned().map(writes::lone::<M>)).await?;
    for (operation, outcome) in operations.iter().zip(written) {
        let outcome = match outcome {
            Ok(_) => Ok(true),
            Err(_) => settle::<M>(session, &operation.id).await?,
        };
        match outcome {
            Ok(exists) => progress.indexed += u64::from(exists),
            Err(error) => errors.push(error),
        }
    }
    Ok(())
}

/// Repairs what is wrong with the rows and the expiry marks of ids.
async fn repair<M: HashModel>(
    session: &Session,
    ids: Vec<(String, bool)>,
    progress: &mut ReindexProgress,
    errors: &mut Vec<Error>,
) -> Result<()> {
    if ids.is_empty() {
        return Ok(());
    }
    let repaired = session.submit(upkeep::rows(layout::<M>(), What::Repair, ids)).await?;
    progress.purged += repaired.purged;
    progress.added += repaired.added;
    progress.marked += repaired.marked;
    for (id, problem) in repaired.problems {
        if let Problem::Duplicate { index, owner } = problem {
            let why = format!(
                "the record with the id {owner:?} has the same value, and no two may; change one of them, and run `reindex` again"
            );
            let key = Key::new(M::MODEL_NAME, M::KEY_PREFIX, &id);
            let error = Error::new(ErrorKind::Duplicate, why).with_field(index).with_owner(owner);
            errors.push(error.about(M::MODEL_NAME, key.as_str()));
        }
    }
    Ok(())
}
