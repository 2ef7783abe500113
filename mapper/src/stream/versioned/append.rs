//! Appends to a versioned log.

use std::sync::LazyLock;

use redis_rest::commands::stream::StreamId;
use redis_rest::{Command, Error, ErrorKind, Executor, Reply, Result, ScriptCall, nonce};

use super::VersionedLog;
use crate::key::Key;
use crate::pairs::FieldPairs;
use crate::scripts::{MayPublish, lua, script};
use crate::stream::StreamModel;
use crate::stream::facts::foreign;

/// With a once slot, for commits that can be anywhere in the log.
static WITH_SLOT: LazyLock<MayPublish> =
    LazyLock::new(|| MayPublish::new(script(&[lua::STREAM_FACTS, lua::STREAM_ROOM, lua::APPEND_VERSIONED])));

/// For commits that are recognized: by their entry, or by an outcome under the caller's id.
static REPEATABLE: LazyLock<MayPublish> =
    LazyLock::new(|| MayPublish::new(WITH_SLOT.script(true).clone().idempotent()));

/// How long the outcome of a commit is kept under an id of the caller, in ms.
const KEEP_OUTCOME_FOR: &str = "86400000";

/// The most texts in the fields of an event. Lua's stack has room for some 8,000.
const MAX_TEXTS: usize = 4000;

/// The longest id of a commit, in bytes.
const MAX_COMMIT_ID: usize = 256;

/// The version that an append expects the log to have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Expected {
    /// Any version.
    Any,
    /// There are no events yet: version 0.
    NoStream,
    /// This version.
    Exact(u64),
}

/// What an append to a versioned log has done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Appended {
    /// The version that the last event has made.
    pub version: u64,
    /// The number of events.
    pub count: u64,
    /// The id of the last entry in the category stream. It is not known if the log has recognized a repeated commit.
    pub category_id: Option<StreamId>,
}

impl Appended {
    /// Returns the version that the first event has made.
    #[must_use]
    pub fn first_version(&self) -> u64 {
        (self.version + 1).saturating_sub(self.count)
    }
}

impl<M: StreamModel> VersionedLog<M> {
    /// Appends events if the log has the expected version: all of them, or none.
    ///
    /// One script with `XINFO STREAM` and an `XADD` for each event; one more for each with a category, and a `PUBLISH`
    /// if the model has the attribute `publish`. With a request each, it takes the server two to four times what a
    /// plain append takes, and ten times or more in pipelines (`cargo bench -p redis-model-tests --bench logs --
    /// appends`).
    ///
    /// It executes exactly once, although the client repeats it after a lost reply. Each commit has a random id, which
    /// its first entry holds (45 bytes). With [`Expected::Exact`] and [`Expected::NoStream`], a repeated commit is
    /// recognized by that entry, at any time. With [`Expected::Any`], the server keeps the outcome for twice the
    /// deadline of the call; see [`Command::exactly_once`](crate::redis_rest::Command::exactly_once).
    ///
    /// # Errors
    ///
    /// - `Conflict` if the log has another version, which is [`Error::stored_version`]. Nothing was appended. Load the
    ///   events that are new, decide again, and append to that version;
    ///   [`AggregateLog::commit`](crate::AggregateLog::commit) does.
    /// - `InvalidInput` if there are no events, or if all fields of an event are `None`.
    /// - `Lagged` if the entry was removed that would tell whether a repeated commit was made.
    /// - `Decode` if another writer has added entries with ids of their own.
    pub fn append<'m, E: Executor>(
        &self,
        executor: E,
        expected: Expected,
        events: impl IntoIterator<Item = &'m M>,
    ) -> E::Out<Appended> {
        executor.submit(self.append_command(Commit::OWN, expected, events))
    }

    /// Appends events under an id of the caller for the commit: a message that arrives twice, or a program that starts
    /// again, appends once, and gets the same outcome twice. Other events under the same id are a `Conflict`. The guide
    /// has [the whole rule](crate::guide::logs#once-by-a-key-of-yours).
    ///
    /// With [`Expected::Exact`] and [`Expected::NoStream`], the commit is recognized at any time, if it expects the
    /// same version again. With [`Expected::Any`], it is recognized for 24 hours, by one more key:
    /// `order-events:17::commit:ID`.
    ///
    /// ```no_run
    /// # use redis_model::prelude::*;
    /// # use redis_model::stream::Expected;
    /// # #[derive(Debug, RedisModel)]
    /// # #[redis(stream, versioned, prefix = "order-events")]
    /// # enum OrderEvent { Paid { cents: i64 } }
    /// # async fn example(redis: Redis) -> Result<()> {
    /// let log = OrderEvent::log(17).versioned();
    /// let paid = [OrderEvent::Paid { cents: 990 }];
    /// let first = log.append_as(&redis, "payment-5012", Expected::Exact(1), &paid).await?;
    /// let again = log.append_as(&redis, "payment-5012", Expected::Exact(1), &paid).await?;
    /// assert_eq!((first.version, again.version, log.version(&redis).await?), (2, 2, 2));
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// Those of [`append`](Self::append), `Conflict` if a commit of other events has this id, and `InvalidInput` if the
    /// id is empty or longer than 256 bytes.
    pub fn append_as<'m, E: Executor>(
        &self,
        executor: E,
        commit_id: &str,
        expected: Expected,
        events: impl IntoIterator<Item = &'m M>,
    ) -> E::Out<Appended> {
        let commit = Commit { id: Some(commit_id), is_kept: expected == Expected::Any };
        executor.submit(self.append_command(commit, expected, events))
    }

    /// Returns the key that has the outcome of a commit.
    pub(super) fn outcome_key(&self, commit_id: &str) -> Key {
        self.log.typed_key().beside(&format!("commit:{commit_id}"))
    }

    pub(super) fn append_command<'m>(
        &self,
        Commit { id: commit_id, is_kept }: Commit<'_>,
        expected: Expected,
        events: impl IntoIterator<Item = &'m M>,
    ) -> Command<Appended> {
        let key = self.log.typed_key();
        let (commit, problem) = match commit_id {
            Some(id) => (id.to_owned(), check_id(id).err()),
            None => match nonce() {
                Ok(id) => (id, None),
                Err(error) => (String::new(), Some(error)),
            },
        };
        let repeatable = REPEATABLE.script(M::PUBLISH);
        let mut call = match (expected, commit_id) {
            (Expected::Any, None) => ScriptCall::from(WITH_SLOT.script(M::PUBLISH)).once_under(key.as_str().to_owned()),
            (_, Some(id)) if is_kept => repeatable.key(self.outcome_key(id).as_str()).arg(KEEP_OUTCOME_FOR),
            _ => repeatable.arg(0),
        };
        call = call.key(self.key());
        if self.writes_category {
            call = call.key(M::category().key());
        }
        call = call.arg(expected.text()).arg(commit);
        call = call.arg(if self.writes_category { key.part() } else { "" }).arg(u32::from(M::PUBLISH));
        let (call, written) = add_events(call, events);
        let command = self.log.command(call.command());
        match problem.map_or(written, Err) {
            Ok(()) => command,
            Err(error) => command.fail(error),
        }
        .decode_with(decode)
    }
}

/// How a commit is recognized.
#[derive(Debug, Clone, Copy)]
pub(super) struct Commit<'a> {
    /// Its id: one of its own if the caller gives none.
    pub(super) id: Option<&'a str>,
    /// Whether its outcome is kept under a key. Otherwise the entry at the expected version tells.
    pub(super) is_kept: bool,
}

impl Commit<'_> {
    pub(super) const OWN: Commit<'static> = Commit { id: None, is_kept: false };
}

/// Checks the id of a commit.
pub(super) fn check_id(id: &str) -> Result<()> {
    if id.is_empty() || id.len() > MAX_COMMIT_ID {
        Err(invalid("the id of a commit has 1 to 256 bytes"))
    } else {
        Ok(())
    }
}

impl Expected {
    fn text(self) -> String {
        match self {
            Expected::Any => "any".into(),
            Expected::NoStream => "0".into(),
            Expected::Exact(version) => version.to_string(),
        }
    }
}

/// Adds the number of events, and their fields.
fn add_events<'m, M: StreamModel>(
    call: ScriptCall,
    events: impl IntoIterator<Item = &'m M>,
) -> (ScriptCall, Result<()>) {
    let written = events.into_iter().map(|event| {
        let mut fields = FieldPairs::default();
        event.write(&mut fields)?;
        match 2 * fields.len() {
            // XADD needs at least one field.
            0 => Err(invalid("needs at least one field that is not None")),
            MAX_TEXTS.. => Err(invalid("the event has more than 2,000 fields; divide it")),
            _ => Ok(fields),
        }
    });
    match written.collect::<Result<Vec<_>>>() {
        Ok(events) if events.is_empty() => (call, Err(invalid("needs at least one event"))),
        Ok(events) => {
            let call = events.iter().fold(call.arg(events.len()), |call, fields| {
                fields.pairs().fold(call.arg(2 * fields.len()), |call, (name, text)| call.arg(name).arg(text))
            });
            (call, Ok(()))
        }
        Err(error) => (call, Err(error)),
    }
}

fn decode(reply: Reply<'_>) -> Result<Appended> {
    let mut words = reply.text()?.split(' ');
    let mut word = || words.next().unwrap_or_default();
    let number = |text: &str| text.parse::<u64>().map_err(|_| reply.mismatch("the outcome of an append"));
    match word() {
        "ok" => Ok(Appended { version: number(word())?, count: number(word())?, category_id: word().parse().ok() }),
        "conflict" => Err(conflict(number(word())?, number(word())?)),
        "other" => {
            let (version, count) = (number(word())?, number(word())?);
            let message = format!(
                "a commit of other events has this id already: {count} up to the version {version}. Nothing was appended; use \
                 another id for other events"
            );
            Err(Error::new(ErrorKind::Conflict, message).with_stored_version(version))
        }
        "removed" => {
            let (stored, given) = (number(word())?, number(word())?);
            let message = format!(
                "the log has the version {stored}, not {given}, and the entry of version {} was removed, which would tell \
                 whether this commit has made it",
                given.saturating_add(1)
            );
            Err(Error::new(ErrorKind::Lagged, message).with_stored_version(stored))
        }
        "full" => Err(Error::new(
            ErrorKind::Conflict,
            "the category stream has had the greatest possible id, so the events cannot follow, and nothing was appended; rename \
             that stream, or append without `category`",
        )),
        "foreign" => Err(foreign(word().parse().unwrap_or(StreamId::MIN))),
        _ => Err(reply.mismatch("the outcome of an append")),
    }
}

#[cold]
fn conflict(stored: u64, given: u64) -> Error {
    let message = format!(
        "the log has the version {stored}, not {given}: nothing was appended. Load the events that are new, and decide again"
    );
    let error = Error::new(ErrorKind::Conflict, message).with_stored_version(stored);
    // Versions only rise, so an attempt that is still on its way is refused as well. One that expects a later version
    // is not.
    if stored > given { error.settled() } else { error }
}

#[cold]
fn invalid(why: &'static str) -> Error {
    Error::new(ErrorKind::InvalidInput, why)
}
