//! Adding jobs.

use std::time::Duration;

use redis_rest::{Command, Error, ErrorKind, Executor, Reply, Result};

use super::Queue;
use super::script::{PUSH, millis, some_millis, texts};
use crate::key::MAX_KEY;
use crate::list::ListModel;
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
/// let first = queue.push_with(&redis, &Reminder { order: 17 }, tomorrow.clone()).await?;
/// let second = queue.push_with(&redis, &Reminder { order: 17 }, tomorrow).await?;
/// assert_eq!((first.is_new, second.is_new), (true, false));
/// assert_eq!(first.id, second.id);
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, Default)]
pub struct JobOptions {
    delay: Duration,
    once: Option<String>,
    remember_for: Option<Duration>,
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

    /// Adds the job only if none was pushed under this key before. The queue remembers the key for a day, or as long as
    /// [`remember_for`](JobOptions::remember_for) says, also when the job is finished.
    ///
    /// An empty key fails with `InvalidInput`.
    #[must_use]
    pub fn once(mut self, key: impl Into<String>) -> Self {
        self.once = Some(key.into());
        self
    }

    /// Sets how long the key of [`once`](JobOptions::once) is remembered.
    #[must_use]
    pub fn remember_for(mut self, time: Duration) -> Self {
        self.remember_for = Some(time);
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

/// How long the key of a caller is remembered.
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

impl<M: ListModel> Queue<M> {
    /// Adds a job after all that wait, and returns its id.
    ///
    /// One script, O(1). It is executed once even if the client has to repeat it.
    pub fn push<E: Executor>(&self, executor: E, job: &M) -> E::Out<u64> {
        let command = self.pushing([job], JobOptions::new());
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
        let command = self.pushing(jobs, JobOptions::new());
        executor.submit(command.and_then(|pushed| Ok(pushed.into_iter().map(|pushed| pushed.id).collect())))
    }

    /// Adds a job as the options say. [`JobOptions`] shows an example.
    ///
    /// One script, O(log(n)) with a delay.
    pub fn push_with<E: Executor>(&self, executor: E, job: &M, options: JobOptions) -> E::Out<Pushed> {
        let command = self.pushing([job], options);
        executor.submit(command.and_then(|pushed| pushed.first().copied().ok_or_else(malformed)))
    }

    fn pushing<'m>(&self, jobs: impl IntoIterator<Item = &'m M>, options: JobOptions) -> Command<Vec<Pushed>> {
        let mut call = self.call(&PUSH);
        let texts = jobs.into_iter().map(M::element_text).collect::<Result<Vec<_>>>();
        let times = options.times();
        let key = options.once.map(|key| format!("{}:once:{key}", self.key()));
        match times.and_then(|times| Ok((times, texts?))) {
            Ok(((delay, remember_for), texts)) => {
                if texts.is_empty() {
                    return self.command(call).reject("needs at least one job").decode_with(read);
                }
                if let Some(key) = key {
                    if key.len() > MAX_KEY {
                        let why =
                            "the key of `once` makes a key of more than 32 KB, the most that the hosted service takes";
                        return self.command(call).reject(why).decode_with(read);
                    }
                    call = call.key(key);
                }
                self.command(call.arg(delay).arg(remember_for).args(texts))
            }
            Err(error) => self.command(call).fail(error),
        }
        .decode_with(read)
    }
}

impl JobOptions {
    /// Returns the delay, and how long the key of the caller is remembered.
    fn times(&self) -> Result<(u64, u64)> {
        let delay = millis("the delay", self.delay)?;
        match self.once.as_deref() {
            None => Ok((delay, 0)),
            Some("") => {
                Err(Error::new(ErrorKind::InvalidInput, "the key of `once` is empty; use a text that names the job"))
            }
            Some(_) => Ok((delay, some_millis("the time of `remember_for`", self.remember_for.unwrap_or(DAY))?)),
        }
    }
}

fn read(reply: Reply<'_>) -> Result<Vec<Pushed>> {
    let mut texts = texts(reply)?;
    let is_new = texts.text()?.as_deref() == Some(b"new".as_slice());
    let mut pushed = Vec::new();
    while !texts.0.is_empty() {
        pushed.push(Pushed { id: texts.number()?, is_new });
    }
    Ok(pushed)
}
