//! Sending what has queued, and what can be done when the replies are lost.

use std::sync::Arc;

use tokio::time::{Instant, sleep};

use super::{Entry, Share};
use crate::command::Safety;
use crate::core::Core;
use crate::encoded::Encoded;
use crate::error::{Error, ErrorKind};
use crate::reply::{Replies, Reply};
use crate::transport::retry::Begun;
use crate::wire::tape::Tape;

/// Sends commands in one request and gives each its reply.
///
/// Together they are as unsafe to repeat as the worst of them. When their replies are lost, those that can be repeated by
/// themselves are: reads, and of the idempotent writes those behind the last that is not, so that none takes effect
/// again behind one that may have undone it.
pub(super) async fn send(core: &Core, batch: Vec<Entry>, mut begun: Begun) {
    let error = match core.run_from(Encoded::together(batch.iter().map(|entry| &entry.encoded)), begun).await {
        Ok(tape) => return share(batch, tape),
        Err(error) => error,
    };
    let last_once = batch.iter().rposition(|entry| entry.encoded.safety == Safety::Once);
    let repeatable = |at: usize, entry: &Entry| match entry.encoded.safety {
        Safety::Read => true,
        Safety::Idempotent => last_once.is_none_or(|last| at > last),
        Safety::Once => false,
    };
    // All were repeated already, if there was none to stand in the way.
    let lost = last_once.is_some() && core.retry_policy().repeats(&error);
    // Each may have a reply of a size that would be read.
    let too_much =
        error.kind() == ErrorKind::TooLarge && error.attempts() > 0 && error.is_uncertain() && batch.len() > 1;
    if !lost && !too_much {
        return fail(batch, &error);
    }
    let (mut rest, mut failed) = (Vec::new(), Vec::new());
    for (at, entry) in batch.into_iter().enumerate() {
        if repeatable(at, &entry) { rest.push(entry) } else { failed.push(entry) }
    }
    fail(failed, &error);
    if rest.is_empty() {
        return;
    }
    begun.may_have_executed = true;
    if too_much {
        // It was answered: that is no failure to be repeated.
        let half = rest.split_off(rest.len().div_ceil(2));
        Box::pin(send(core, rest, begun)).await;
        return Box::pin(send(core, half, begun)).await;
    }
    begun.attempts = error.attempts();
    let wait = core.retry_policy().wait(&error, error.attempts().saturating_sub(1));
    if wait >= begun.deadline.saturating_duration_since(Instant::now()) {
        return fail(rest, &error);
    }
    sleep(wait).await;
    Box::pin(send(core, rest, begun)).await;
}

fn share(batch: Vec<Entry>, tape: Tape) {
    let tape = Arc::new(tape);
    let commands = batch.iter().map(|entry| entry.encoded.count).sum();
    let mut starts = Replies::of(&tape, commands).map(Reply::index);
    for Entry { encoded, reply, .. } in batch {
        let start = starts.next().unwrap_or_default();
        if encoded.count > 1 {
            starts.nth(encoded.count - 2);
        }
        // Who has cancelled needs no reply.
        let _ = reply.send(Ok(Share { tape: Arc::clone(&tape), start }));
    }
}

fn fail(batch: Vec<Entry>, error: &Error) {
    for Entry { encoded, reply, .. } in batch {
        let executed = error.may_have_executed() && encoded.changes_data();
        let _ = reply.send(Err(error.clone().with_may_have_executed(executed)));
    }
}
