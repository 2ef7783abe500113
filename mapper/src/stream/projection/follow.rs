//! How a projection follows its logs: it catches up whenever the watch calls for it.

use std::future::{Future, poll_fn};
use std::pin::pin;

use futures_util::future::{Either, select};
use redis_rest::{Client as _, Redis, Result};

use super::failure::{HandlerError, cause};
use super::position::Position;
use super::{CaughtUp, Projection, ProjectionNotice, run};
use crate::hash::Unit;
use crate::stream::StreamModel;
use crate::stream::entry::Entry;
use crate::stream::log::Log;
use crate::stream::watch::Watch;
use crate::waiting::can_be_repeated;

pub(super) async fn follow<M, E, F>(
    projection: &Projection<M, E>,
    redis: &Redis,
    shutdown: impl Future<Output = ()>,
    mut handler: impl FnMut(Unit, Entry<M>) -> F,
) -> Result<()>
where
    M: StreamModel,
    E: HandlerError,
    F: Future<Output = Result<Unit, E>>,
{
    let session = redis.run(|session| async move { Ok(session) }).await?;
    let listens = projection.wake_ups.unwrap_or(M::PUBLISH);
    let mut watch = Watch::new(redis, projection.logs.iter().map(Log::key), listens, projection.polling);
    // As they were after the last read: another program that moves one is noticed by the next commit.
    let mut positions: Option<Vec<Position>> = None;
    // What was done since the last notice. A pass that fails has perhaps done something, too.
    let mut done = CaughtUp::default();
    let mut is_first = true;
    let mut shutdown = pin!(shutdown);
    loop {
        let due = poll_fn(|cx| {
            watch.listen(cx, |number| Some(positions.as_ref()?.get(number)?.after()));
            watch.poll_due(cx)
        });
        let Either::Left((due, _)) = select(due, shutdown.as_mut()).await else { return Ok(()) };
        let before = positions.take().unwrap_or_default();
        let pass = run::pass(&session, projection, before.clone(), &mut handler, &mut done);
        let Either::Left((outcome, _)) = select(pin!(pass), shutdown.as_mut()).await else { return Ok(()) };
        match outcome {
            Ok(after) => {
                watch.succeeded();
                for (number, position) in after.iter().enumerate() {
                    let is_found = before.get(number) != Some(position);
                    watch.has_read(number, due, Some(position.after()), is_found);
                }
                watch.rest();
                positions = Some(after);
                let done = std::mem::take(&mut done);
                if std::mem::take(&mut is_first) || done != CaughtUp::default() {
                    projection.notice(&ProjectionNotice::CaughtUp { done });
                }
            }
            // A commit can have been made, although its reply was lost. So the positions are read again.
            Err(error) if can_be_repeated(cause(&error)) => {
                tracing::warn!(projection = projection.key(), error = %error, "a request is repeated");
                watch.failed(cause(&error));
                projection.notice(&ProjectionNotice::Repeated { error: &error });
            }
            Err(error) => return Err(error),
        }
    }
}
