//! How events get into a log: by a plain XADD, or by a script if an append has to do more.

use std::borrow::Cow;
use std::sync::LazyLock;
use std::time::Duration;

use redis_rest::commands::stream::{NewId, StreamId, XAddOptions};
use redis_rest::{Command, Error, ErrorKind, Executor, FromReply, Reply, Result, ScriptCall};
use sha1_smol::Sha1;

use super::retention::Retention;
use super::{Log, StreamModel};
use crate::millis::millis;
use crate::once::Once;
use crate::pairs::FieldPairs;
use crate::scripts::{MayPublish, lua, script};

static APPEND: LazyLock<MayPublish> = LazyLock::new(|| {
    MayPublish::new(script(&[lua::RETAIN, lua::STREAM_FACTS, lua::STREAM_ROOM, lua::APPEND_EVENTS, lua::APPEND]))
});

/// The same under a key of the caller, by which the script knows a repetition.
static APPEND_ONCE: LazyLock<MayPublish> = LazyLock::new(|| MayPublish::new(APPEND.script(true).clone().idempotent()));

/// The client repeats a command for less than this. If the ids are kept for a shorter time, they cannot stand for a
/// nonce.
const LONG: Duration = Duration::from_secs(60 * 60);

/// The most names and values of an event in a script: Lua's stack has room for some 8,000.
const MAX_TEXTS: usize = 7_900;

/// Options of [`Log::append_with`].
///
/// ```no_run
/// use std::time::Duration;
///
/// use redis_model::prelude::*;
/// use redis_model::stream::{AppendOptions, Retention};
///
/// #[derive(Debug, RedisModel)]
/// #[redis(stream, prefix = "order-events")]
/// enum OrderEvent {
///     Paid { cents: i64 },
/// }
///
/// # async fn example(redis: Redis) -> Result<()> {
/// let log = OrderEvent::log(17);
/// let paid = OrderEvent::Paid { cents: 990 };
///
/// // However often the payment service reports the payment within 30 days, the log has it once.
/// let options = AppendOptions::new().once("payment-17").once_for(Duration::from_secs(30 * 86_400));
/// let first = log.append_with(&redis, [&paid], &options).await?;
/// let again = log.append_with(&redis, [&paid], &options).await?;
/// assert_eq!(first, again);
///
/// // Another event under the same key is a mistake.
/// let error = log.append_with(&redis, [&OrderEvent::Paid { cents: 1 }], &options).await.unwrap_err();
/// assert!(error.is_conflict());
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, Default)]
pub struct AppendOptions {
    once: Once,
    retention: Option<Retention>,
}

impl AppendOptions {
    /// Appends the events whenever it is called, and keeps the entries that the model says.
    #[must_use]
    pub const fn new() -> Self {
        AppendOptions { once: Once::NO, retention: None }
    }

    /// Appends the events only if none were appended to this log under `key` within [the last 24
    /// hours](Self::once_for). Otherwise nothing is changed, and the ids of the first events are returned. Other events
    /// under the same key are a `Conflict`. The guide has [the whole rule](crate::guide::logs#once-by-a-key-of-yours).
    ///
    /// Use what identifies the reason of the events: the id of a payment, of a request or of a message. Programs can
    /// then repeat the append, also after a crash, and the client repeats it after a lost reply. A service that reports
    /// a payment again for days needs [`once_for`](Self::once_for).
    ///
    /// # Price
    ///
    /// A script appends the events: one round trip. It keeps their ids and a hash of the events in a string of its own,
    /// `order-events:17::once:payment-17`, of some 200 bytes.
    #[must_use]
    pub fn once(mut self, key: impl Into<Cow<'static, str>>) -> Self {
        self.once.key = Some(key.into());
        self
    }

    /// Sets for how long the key of [`once`](Self::once) is known. The default is 24 hours.
    #[must_use]
    pub const fn once_for(mut self, window: Duration) -> Self {
        self.once.known_for = Some(window);
        self
    }

    /// Sets which entries the log keeps, instead of those that the model's attributes say. `Retention::new()` keeps
    /// all.
    #[must_use]
    pub const fn retention(mut self, retention: Retention) -> Self {
        self.retention = Some(retention);
        self
    }

    /// Returns the string that keeps the ids, if there is one, and for how long it does.
    fn slot(&self, log: &str) -> Result<Option<(String, Duration)>, &'static str> {
        self.once.slot(&format!("{log}::once"))
    }

    fn problem(&self, log: &str) -> Option<&'static str> {
        self.slot(log).err().or_else(|| self.retention.and_then(Retention::problem_of_append))
    }
}

impl<M: StreamModel> Log<M> {
    /// Adds an event after the last one, and returns the id of its entry.
    ///
    /// [XADD](https://redis.io/docs/latest/commands/xadd/), O(1). It is not retried if it may have been executed,
    /// because that could add the event twice. [`AppendOptions::once`] can be retried, and so can
    /// `log.append(..).exactly_once()`. To append the event together with the records that it is about, use
    /// [`Unit::append`](crate::Unit::append).
    ///
    /// If the model has the attribute `publish` or `max_age`, a script appends the event, in the same number of round
    /// trips. A client that sends it on its own repeats it safely after a lost reply.
    ///
    /// ```no_run
    /// # use redis_model::prelude::*;
    /// # #[derive(Debug, RedisModel)]
    /// # #[redis(stream, prefix = "temperature")]
    /// # struct Reading { celsius: f64 }
    /// # async fn example(redis: Redis) -> Result<()> {
    /// match Reading::log("roof").append(&redis, &Reading { celsius: 21.5 }).await {
    ///     Ok(id) => println!("added as {id}"),
    ///     Err(error) if error.may_have_executed() => println!("perhaps added: {error}"),
    ///     Err(error) => return Err(error),
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// `InvalidInput` if all fields of the event are `None`. An entry needs at least one field.
    pub fn append<E: Executor>(&self, executor: E, event: &M) -> E::Out<StreamId> {
        executor.submit(self.append_one(NewId::Auto, event))
    }

    /// Adds an event with an id of its own, which must be greater than all ids that the log has had, and returns it.
    ///
    /// [XADD](https://redis.io/docs/latest/commands/xadd/), O(1). Otherwise as [`append`](Self::append).
    ///
    /// ```no_run
    /// # use redis_model::prelude::*;
    /// # #[derive(Debug, RedisModel)]
    /// # #[redis(stream, prefix = "temperature")]
    /// # struct Reading { celsius: f64 }
    /// # async fn example(redis: Redis) -> Result<()> {
    /// // Readings of an earlier day, with the times at which they were taken.
    /// let log = Reading::log("cellar");
    /// log.append_at(&redis, StreamId::new(1_700_000_000_000, 0), &Reading { celsius: 9.5 }).await?;
    ///
    /// let earlier = StreamId::new(1_600_000_000_000, 0);
    /// let error = log.append_at(&redis, earlier, &Reading { celsius: 9.0 }).await.unwrap_err();
    /// assert!(error.is_conflict());
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// `Conflict` if the log has had this id or a greater one, or if the retention by age would remove the entry at
    /// once. `InvalidInput` if the id is `0-0`, or as [`append`](Self::append).
    pub fn append_at<E: Executor>(&self, executor: E, id: StreamId, event: &M) -> E::Out<StreamId> {
        let command = self.append_one(NewId::Exact(id), event);
        executor.submit(if id == StreamId::MIN {
            command.reject("no entry can have the id 0-0; the smallest is 0-1")
        } else {
            command
        })
    }

    /// Adds events after the last one, in order, and returns the ids of their entries. No other client's entry comes
    /// between them.
    ///
    /// [XADD](https://redis.io/docs/latest/commands/xadd/)s in one transaction, O(n) in the number of events. If the
    /// model has the attribute `publish` or `max_age`, one script.
    ///
    /// ```no_run
    /// # use redis_model::prelude::*;
    /// # #[derive(Debug, RedisModel)]
    /// # #[redis(stream, prefix = "temperature")]
    /// # struct Reading { celsius: f64 }
    /// # async fn example(redis: Redis) -> Result<()> {
    /// let log = Reading::log("roof");
    /// let ids = log.append_many(&redis, &[Reading { celsius: 21.0 }, Reading { celsius: 20.5 }]).await?;
    /// assert!(ids.len() == 2 && ids[0] < ids[1]);
    ///
    /// let error = log.append_many(&redis, []).await.unwrap_err();
    /// assert!(error.is_invalid_input());
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// `InvalidInput` if there are no events, or if all fields of an event are `None`.
    pub fn append_many<'m, E: Executor>(
        &self,
        executor: E,
        events: impl IntoIterator<Item = &'m M>,
    ) -> E::Out<Vec<StreamId>> {
        self.append_with(executor, events, &AppendOptions::new())
    }

    /// Adds events after the last one as [`append_many`](Self::append_many) does, with options: exactly once by a key
    /// of the caller, or with another retention.
    ///
    /// [`AppendOptions`] shows an example. Without `once`, and with one limit that is not an age, the commands are
    /// those of [`append_many`](Self::append_many). Otherwise it is one script.
    ///
    /// # Errors
    ///
    /// `InvalidInput` if there are no events, if all fields of an event are `None`, or if the options contradict each
    /// other. `Conflict` if other events were appended under the key of `once`.
    pub fn append_with<'m, E: Executor>(
        &self,
        executor: E,
        events: impl IntoIterator<Item = &'m M>,
        options: &AppendOptions,
    ) -> E::Out<Vec<StreamId>> {
        let retention = options.retention.unwrap_or(Retention::of::<M>());
        let events: Vec<_> = events.into_iter().collect();
        let command = match retention.of_append().filter(|_| !M::PUBLISH && options.once.key.is_none()) {
            None => self.run_script(&events, NewId::Auto, retention, options).decode_with(ids_in),
            Some(trim) => {
                let xadd_options = XAddOptions::new();
                let xadd_options = if let Some(trim) = trim { xadd_options.trim(trim) } else { xadd_options };
                self.xadds(&events, xadd_options)
            }
        };
        let command = if events.is_empty() { command.reject("needs at least one event") } else { command };
        let command = unless_versioned::<M, _>(command);
        executor.submit(match options.problem(self.key()) {
            Some(why) => command.reject(why),
            None => command,
        })
    }

    fn append_one(&self, id: NewId, event: &M) -> Command<StreamId> {
        let retention = Retention::of::<M>();
        let command = match retention.of_append().filter(|_| !M::PUBLISH) {
            None => self.run_script(&[event], id, retention, &AppendOptions::new()).decode_with(id_in),
            Some(trim) => {
                let options = XAddOptions::new().id(id);
                self.xadd(event, if let Some(trim) = trim { options.trim(trim) } else { options })
            }
        };
        unless_versioned::<M, _>(command)
    }

    fn xadds(&self, events: &[&M], options: XAddOptions) -> Command<Vec<StreamId>> {
        let mut events = events.iter();
        let Some(first) = events.next() else {
            return self.command(Command::write("XADD").key(self.key())).decode_with(ids_in);
        };
        let first = self.xadd(first, options).decode_with(|reply| Ok(vec![StreamId::from_reply(reply)?]));
        events.fold(first, |group, event| {
            group.and(self.xadd(event, options), |replies| replies.map(StreamId::from_reply).collect())
        })
    }

    fn xadd(&self, event: &M, options: XAddOptions) -> Command<StreamId> {
        let command = self.command(Command::write("XADD").key(self.key())).options(options);
        match fields_of(event) {
            Ok(fields) => command.one_or_more_pairs("field", fields.pairs()),
            Err(error) => command.fail(error),
        }
        .reply()
    }

    fn run_script(&self, events: &[&M], id: NewId, retention: Retention, options: &AppendOptions) -> Command {
        let (fields, problem) = match fields_for_script(events) {
            Ok(fields) => (fields, None),
            Err(error) => (Vec::new(), Some(error)),
        };
        let slot = options.slot(self.key()).unwrap_or_default();
        let fingerprint = if slot.is_some() { fingerprint(&fields) } else { String::new() };
        let (once_key, once_for) = slot.unzip();
        let once_for = once_for.unwrap_or_default();
        let keys = std::iter::once(self.key().to_owned()).chain(once_key);
        let call = if once_for < LONG {
            ScriptCall::from(APPEND.script(M::PUBLISH)).once_under(M::KEY_PREFIX).keys(keys)
        } else {
            APPEND_ONCE.script(M::PUBLISH).keys(keys).arg(0)
        };
        let call = call.arg(millis(once_for)).arg(fingerprint).arg(u32::from(M::PUBLISH));
        let call = call.args(retention.texts()).arg(match id {
            NewId::Exact(id) => id.to_string(),
            NewId::At(_) | NewId::Auto => "*".to_owned(),
        });
        let call = fields.iter().fold(call.arg(fields.len()), |call, event| {
            event.pairs().fold(call.arg(2 * event.len()), |call, (name, text)| call.arg(name).arg(text))
        });
        let command = self.command(call.command());
        match problem {
            Some(error) => command.fail(error),
            None => command,
        }
    }
}

/// Why the log of a model with versions takes no plain append: its entry would end the versions.
const VERSIONED: &str = "the events of this model have versions; append them by `.versioned()`";

fn unless_versioned<M: StreamModel, R>(command: Command<R>) -> Command<R> {
    if M::VERSIONED { command.reject(VERSIONED) } else { command }
}

/// Returns the fields of events, which a script can append.
pub(super) fn fields_for_script<M: StreamModel>(events: &[&M]) -> Result<Vec<FieldPairs>> {
    let fields = events.iter().map(|event| fields_of(*event)).collect::<Result<Vec<_>>>()?;
    if fields.iter().any(|event| 2 * event.len() > MAX_TEXTS) {
        let why = "the event has more than 3,950 fields, the most that a script can append";
        return Err(Error::new(ErrorKind::InvalidInput, why));
    }
    Ok(fields)
}

/// Returns the fields of an event. XADD needs at least one.
fn fields_of<M: StreamModel>(event: &M) -> Result<FieldPairs> {
    let mut fields = FieldPairs::default();
    event.write(&mut fields)?;
    if fields.len() == 0 {
        let why = "needs at least one field that is not None: an entry of a stream cannot be empty";
        return Err(Error::new(ErrorKind::InvalidInput, why));
    }
    Ok(fields)
}

/// Returns a hash of events, by which others under the same key are noticed.
fn fingerprint(events: &[FieldPairs]) -> String {
    let mut hash = Sha1::new();
    for event in events {
        hash.update(&event.len().to_le_bytes());
        for (name, text) in event.pairs() {
            for part in [name, text] {
                hash.update(&part.len().to_le_bytes());
                hash.update(part.as_bytes());
            }
        }
    }
    hash.digest().to_string()
}

/// Reads the ids that the script has returned.
fn ids_in(reply: Reply<'_>) -> Result<Vec<StreamId>> {
    let text = reply.text()?;
    if let Some(refusal) = text.strip_prefix('!') {
        return Err(refused(refusal));
    }
    text.split(' ').map(|id| id.parse().map_err(|_| reply.mismatch("ids of entries"))).collect()
}

/// Reads the one id that the script has returned.
fn id_in(reply: Reply<'_>) -> Result<StreamId> {
    ids_in(reply)?.into_iter().next().ok_or_else(|| reply.mismatch("the id of an entry"))
}

/// Returns the error that a refusal of the script stands for.
#[cold]
fn refused(refusal: &str) -> Error {
    let message = match refusal.split_once(' ') {
        Some(("used", ids)) => {
            let (first, more) = ids.split_once(' ').unwrap_or((ids, ""));
            let more = if more.is_empty() { "" } else { " and those after it" };
            format!(
                "other events were appended under the key of `once`, as entry {first}{more}; use another key for other \
                 events. Nothing was changed"
            )
        }
        _ if refusal == "full" => {
            "the log has had the greatest possible id, so the events cannot follow; use another log. Nothing was changed".to_owned()
        }
        _ => "the id is older than the `max_age` of the log, so the entry would be removed at once; use a later id, \
              or append with a `Retention` without `max_age`. Nothing was changed"
            .to_owned(),
    };
    Error::new(ErrorKind::Conflict, message)
}
