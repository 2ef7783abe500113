//! The position of a projection: a hash with a field for each log, and one for each entry that was skipped.

use std::borrow::Cow;

use redis_rest::commands::stream::StreamId;
use redis_rest::{Command, Error, ErrorKind, Executor as _, Reply, Result, Session};

use super::Skipped;
use crate::index::Layout;
use crate::key::Key;
use crate::stream::{StreamModel, facts};
use crate::write::{Action, Change, Condition, FieldChange, Lifetime, Operation};

/// The field that the hash always has: a patch needs a record that exists.
const NAME: &str = ":name";

/// What the names of the fields of skipped entries begin with. The key of the log follows, a space, and the id.
const SKIPPED: &str = ":skipped ";

/// The most characters of the reason why an entry was skipped.
const MAX_WHY: usize = 256;

/// The hash of a projection.
#[derive(Debug, Clone)]
pub(super) struct Record {
    key: Key,
    name: String,
    layout: &'static Layout,
}

/// How far a log was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Position {
    /// The last entry that was read.
    pub(super) id: Option<StreamId>,
    /// The number of entries up to it that were ever added.
    pub(super) count: u64,
    /// How many of them were removed before they were read.
    pub(super) missing: u64,
}

/// The type that the layout of the hash is known by.
struct PositionOf<M>(std::marker::PhantomData<M>);

impl Position {
    pub(super) fn after(self) -> StreamId {
        self.id.unwrap_or(StreamId::MIN)
    }

    /// Returns what was read of the log.
    pub(super) fn seen(self) -> facts::Position {
        facts::Position { id: self.after(), rank: Some(self.count) }
    }

    /// Returns the position after the next entry.
    pub(super) fn and(self, id: StreamId) -> Self {
        Position { id: Some(id), count: self.count + 1, ..self }
    }

    /// `5-0 5 0`.
    fn text(self) -> String {
        format!("{} {} {}", self.after(), self.count, self.missing)
    }

    fn parse(text: &str) -> Option<Self> {
        let mut words = text.split(' ');
        let id: StreamId = words.next()?.parse().ok()?;
        let (count, missing) = (words.next()?.parse().ok()?, words.next()?.parse().ok()?);
        Some(Position { id: Some(id), count, missing })
    }

    fn is_start(self) -> bool {
        self == Position::default()
    }
}

impl Record {
    pub(super) fn new<M: StreamModel>(name: &str) -> Self {
        let prefix = format!("{}::projection", M::KEY_PREFIX);
        let layout = Layout::of::<PositionOf<M>>(|builder| builder.model(M::MODEL_NAME, M::KEY_PREFIX));
        Record { key: Key::new(M::MODEL_NAME, &prefix, name), name: name.to_owned(), layout }
    }

    pub(super) fn key(&self) -> &Key {
        &self.key
    }

    pub(super) fn push_to(&self, command: Command) -> Command {
        self.key.push_to(command)
    }

    /// Reads the positions in these logs. Creates the hash if it does not exist.
    pub(super) async fn read(&self, session: &Session, logs: &[&str]) -> Result<Vec<Position>> {
        let fields = std::iter::once(NAME).chain(logs.iter().copied());
        let read =
            self.push_to(Command::read("HMGET")).args_of(fields.collect::<Vec<_>>()).reply::<Vec<Option<String>>>();
        let mut texts = session.submit(read).await?.into_iter();
        if texts.next().flatten().is_none() {
            let create = self.push_to(Command::idempotent_write("HSETNX")).arg(NAME).arg(&self.name);
            session.submit(create.reply::<i64>()).await?;
        }
        let positions = texts.map(|text| match text {
            None => Ok(Position::default()),
            Some(text) => Position::parse(&text).ok_or_else(|| self.unreadable()),
        });
        positions.collect()
    }

    /// Returns the operation that moves the position in a log, if it is the one that was read.
    pub(super) fn advance(
        &self,
        log: &str,
        from: Position,
        to: Position,
        skipped: Vec<(StreamId, String)>,
    ) -> Operation {
        let text = (!from.is_start()).then(|| from.text());
        let condition = Condition { field: Cow::Owned(log.to_owned()), aliases: &[], text };
        let set = |field: String, text: String| Change {
            field: field.into(),
            aliases: &[],
            change: FieldChange::Set { text, column: None },
        };
        let skipped = skipped
            .into_iter()
            .map(|(id, why)| set(format!("{SKIPPED}{log} {id}"), why.chars().take(MAX_WHY).collect()));
        let changes = std::iter::once(set(log.to_owned(), to.text())).chain(skipped).collect();
        let action = Action::Patch {
            version: None,
            largest_version: 0,
            conditions: vec![condition],
            changes,
            returning: Vec::new(),
            lifetime: Lifetime::Keep,
        };
        Operation { layout: self.layout, key: self.key.clone(), id: self.name.clone(), action }
    }

    /// Returns the command that deletes the hash. Its reply is whether the hash existed.
    pub(super) fn delete(&self) -> Command<bool> {
        // Not repeated if it may have been executed: a late repetition would delete the position of the next run.
        self.push_to(Command::write("DEL")).reply()
    }

    fn unreadable(&self) -> Error {
        let why = "the position is not one that a projection writes; rebuild the view, see `Projection::reset`";
        Error::new(ErrorKind::Decode, why).about(self.key.model(), self.key.as_str())
    }
}

/// Reads the skipped entries.
pub(super) fn skipped(reply: Reply<'_>) -> Result<Vec<Skipped>> {
    let mut all = Vec::new();
    for (name, why) in reply.pairs()? {
        if let Some((key, id)) = name.text()?.strip_prefix(SKIPPED).and_then(|rest| rest.rsplit_once(' ')) {
            all.push(Skipped { key: key.to_owned(), id: id.parse()?, why: why.text()?.to_owned() });
        }
    }
    all.sort_by(|left, right| (&left.key, left.id).cmp(&(&right.key, right.id)));
    Ok(all)
}
