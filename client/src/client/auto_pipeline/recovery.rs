//! Sends queued commands, and recovers what is possible if their replies are lost.

use std::sync::Arc;

use super::{Queued, Share};
use crate::command::{Attempts, Encoded, Idempotency, Received};
use crate::connection::{Connection, Progress};
use crate::error::{Error, ErrorKind};
use crate::platform::Instant;
use crate::platform::timer::sleep;
use crate::reply::{Replies, Reply};

/// Sends commands in one request, and passes each its reply.
///
/// Together they are as unsafe to repeat as the worst of them. If their replies are lost, the commands that can be
/// repeated on their own are: reads, writes whose outcome the server keeps, and the idempotent writes after the last write
/// that is not idempotent. An idempotent write before that one could undo it.
pub(super) async fn send(connection: &Connection, batch: Vec<Queued>, mut progress: Progress) {
    let joined = Encoded::join(batch.iter().map(|queued| &queued.encoded));
    let error = match connection.continue_request(joined, progress).await {
        Ok(received) => return share(batch, received),
        Err(error) => error,
    };
    let last_non_idempotent = batch.iter().rposition(|entry| entry.encoded.idempotency() == Idempotency::NonIdempotent);
    let repeatable = |at: usize, entry: &Queued| match entry.encoded.idempotency() {
        Idempotency::ReadOnly | Idempotency::Once => true,
        Idempotency::Idempotent => last_non_idempotent.is_none_or(|last| at > last),
        Idempotency::NonIdempotent => false,
    };
    // Without a write that is not idempotent, the request as a whole was already repeated.
    let lost = last_non_idempotent.is_some() && connection.limits().policy.repeats_idempotent(&error);
    // Each command on its own may have a reply that is small enough.
    let too_much =
        error.kind() == ErrorKind::TooLarge && error.attempts() > 0 && error.is_uncertain() && batch.len() > 1;
    if !lost && !too_much {
        return fail(batch, &error);
    }
    let (mut rest, mut failed) = (Vec::new(), Vec::new());
    for (at, entry) in batch.into_iter().enumerate() {
        if repeatable(at, &entry) && !entry.reply.is_closed() { rest.push(entry) } else { failed.push(entry) }
    }
    fail(failed, &error);
    if rest.is_empty() {
        return;
    }
    progress.attempts = progress.attempts.assume_executed();
    if too_much {
        // The request was answered, so this does not count as a retry.
        let half = rest.split_off(rest.len().div_ceil(2));
        Box::pin(send(connection, rest, progress)).await;
        return Box::pin(send(connection, half, progress)).await;
    }
    progress.attempts = Attempts::of(&error).assume_executed();
    let wait = connection.limits().policy.wait(&error, error.attempts().saturating_sub(1));
    if wait >= progress.deadline.saturating_duration_since(Instant::now()) {
        return fail(rest, &error);
    }
    sleep(connection.timer(), wait).await;
    Box::pin(send(connection, rest, progress)).await;
}

fn share(batch: Vec<Queued>, received: Received) {
    let received = Arc::new(received);
    let commands = batch.iter().map(|queued| queued.encoded.count()).sum();
    let mut starts = Replies::of(&received.tape, commands).map(Reply::index);
    for Queued { encoded, reply, .. } in batch {
        let start = starts.next().unwrap_or_default();
        if encoded.count() > 1 {
            starts.nth(encoded.count() - 2);
        }
        // A cancelled task needs no reply.
        let _ = reply.send(Ok(Share { received: Arc::clone(&received), start }));
    }
}

fn fail(batch: Vec<Queued>, error: &Error) {
    for Queued { encoded, reply, .. } in batch {
        let _ = reply.send(Err(Attempts::error_of_one(error, encoded.idempotency())));
    }
}
