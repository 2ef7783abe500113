//! Adding jobs.

use std::time::Duration;

use redis_rest::{Command, Error, ErrorKind, Executor, Reply, Result};
use sha1_smol::Sha1;

use super::Queue;
use super::script::{PUSH, millis, texts};
use crate::list::ListModel;
use crate::once::Once;
use crate::write::malformed;

/// Options of [`Queue::push_with`].
///
/// ```no_run
/// use std::time::Duration;
///
/// use redis_model::list::JobOptions;
/// use redis_model::prelude::*;
///
/// #[derive(Debug, RedisModel)]
/// #[redis(list, prefix = "job")]
/// struct Reminder {
///     order: u64,
/// }
///
/// # async fn example(redis: Redis) -> Result<()> {
/// let queue = Reminder::queue("mail");
/// // A second call for order 17 adds no second job.
/// let tomorrow = JobOptions::new().delay(Duration::from_secs(24 * 60 * 60)).once("reminder-17");
/// let first = queue.push_with(&redis, &Reminder { order: 17 }, &tomorrow).await?;
/// let second = queue.push_with(&redis, &Reminder { order: 17 }, &tomorrow).await?;
/// assert_eq!((first.is_new, second.is_new), (true, false));
/// assert_eq!(first.id, second.id);
///
/// // Another job under the same key is a mistake.
/// let error = queue.push_with(&redis, &Reminder { order: 18 }, &tomorrow).await.unwrap_err();
/// assert!(error.is_conflict());
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, Default)]
pub struct JobOptions {
    delay: Duration,
    once: Once,
}

impl JobOptions {
    /// Creates options for a job that can be reserved at once.
    #[must_use]
    pub fn new() -> Self {
        JobOptions::default()
    }

    /// Sets how long the job waits before it can be reserved, by the clock of the server.
    #[must_use]
    pub fn delay(mut self, delay: Duration) -> Self {
        self.delay = delay;
        self
    }

    /// Adds the job only if none was pushed to this queue under `key` within [the last 24 hours](Self::once_for), even
    /// if it is finished. Otherwise nothing is changed, and the id of the first job is returned. Another job under the
    /// same key is a `Conflict`; the delay may differ. The guide has [the whole
    /// rule](crate::guide::logs#once-by-a-key-of-yours).
    ///
    /// The script keeps the id and a hash of the job in a string of its own, `job:images::queue:once:KEY`.
    #[must_use]
    pub fn once(mut self, key: impl Into<String>) -> Self {
        self.once.key = Some(key.into().into());
        self
    }

    /// Sets for how long the key of [`once`](Self::once) is known. The default is 24 hours.
    #[must_use]
    pub fn once_for(mut self, window: Duration) -> Self {
        self.once.known_for = Some(window);
        self
    }
}

/// The outcome of [`Queue::push_with`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Pushed {
    /// The id of the job, or of the one that was pushed under the same key before.
    pub id: u64,
    /// Whether the job was added.
    pub is_new: bool,
}

impl<M: ListModel> Queue<M> {
    /// Adds a job after all that wait, and returns its id.
    ///
    /// One script, O(1). It is executed once even if the client has to repeat it.
    pub fn push<E: Executor>(&self, executor: E, job: &M) -> E::Out<u64> {
        let command = self.pushing([job], &JobOptions::new());
        executor.submit(command.and_then(|pushed| pushed.first().map(|pushed| pushed.id).ok_or_else(malformed)))
    }

    /// Adds jobs after all that wait, in order, and returns their ids: all of them or none.
    ///
    /// One script, O(n) in the number of jobs. It is executed once even if the client has to repeat it.
    ///
    /// # Errors
    ///
    /// `InvalidInput` if there are no jobs.
    pub fn push_many<'m, E: Executor>(&self, executor: E, jobs: impl IntoIterator<Item = &'m M>) -> E::Out<Vec<u64>> {
        let command = self.pushing(jobs, &JobOptions::new());
        executor.submit(command.and_then(|pushed| Ok(pushed.into_iter().map(|pushed| pushed.id).collect())))
    }

    /// Adds a job as the options say. [`JobOptions`] shows an example.
    ///
    /// One script, O(log(n)) with a delay.
    ///
    /// # Errors
    ///
    /// `InvalidInput` if an option is not possible. `Conflict` if another job was pushed under the key of
    /// [`once`](JobOptions::once).
    pub fn push_with<E: Executor>(&self, executor: E, job: &M, options: &JobOptions) -> E::Out<Pushed> {
        let command = self.pushing([job], options);
        executor.submit(command.and_then(|pushed| pushed.first().copied().ok_or_else(malformed)))
    }

    fn pushing<'m>(&self, jobs: impl IntoIterator<Item = &'m M>, options: &JobOptions) -> Command<Vec<Pushed>> {
        let call = self.call(&PUSH);
        let texts = jobs.into_iter().map(M::element_text).collect::<Result<Vec<_>>>();
        let (delay, texts) = match millis("the delay", options.delay).and_then(|delay| Ok((delay, texts?))) {
            Ok(checked) => checked,
            Err(error) => return self.command(call).fail(error).decode_with(read),
        };
        if texts.is_empty() {
            return self.command(call).reject("needs at least one job").decode_with(read);
        }
        match options.once.slot(&format!("{}:once", self.key())) {
            Err(why) => self.command(call).reject(why),
            Ok(None) => self.command(call.arg(delay).arg(0).arg("").args(texts)),
            Ok(Some((key, known_for))) => {
                // By it, another job under the same key is noticed.
                let fingerprint = Sha1::from(texts.concat()).digest().to_string();
                let call = call.key(key).arg(delay).arg(crate::millis::millis(known_for));
                self.command(call.arg(fingerprint).args(texts))
            }
        }
        .decode_with(read)
    }
}

fn read(reply: Reply<'_>) -> Result<Vec<Pushed>> {
    let mut texts = texts(reply)?;
    let status = texts.text()?;
    if status.as_deref() == Some(b"used".as_slice()) {
        return Err(used(texts.number()?));
    }
    let is_new = status.as_deref() == Some(b"new".as_slice());
    let mut pushed = Vec::new();
    while !texts.0.is_empty() {
        pushed.push(Pushed { id: texts.number()?, is_new });
    }
    Ok(pushed)
}

/// The error about a key under which another job was pushed.
#[cold]
fn used(id: u64) -> Error {
    let message = format!(
        "another job was pushed under the key of `once`, as job {id}; use another key for another job. Nothing was changed"
    );
    Error::new(ErrorKind::Conflict, message)
}
