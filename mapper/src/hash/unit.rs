//! Units of work: writes of several records and logs, all or nothing.

use std::fmt;
use std::time::Duration;

use redis_rest::commands::stream::StreamId;
use redis_rest::{Command, Error, Executor, Result};

use super::hash_model::{HashModel, IdRef, key_of};
use super::patch::Patch;
use super::returned::ReturnedFields;
use super::save_options::{self, SaveOptions};
use super::version::VersionNumber;
use super::writes;
use crate::id::Id as _;
use crate::key::Key;
use crate::write::{self, Action, Lifetime, Mode, Operation, Outcome, OwnedEntry, RowOf};

/// A unit of work: writes of any number of records of any models, and events. Either all of them are made, or none.
///
/// It is one request, and one command on the server. First every condition is checked: versions, existence, unique
/// values. Unique values are checked against the state after all writes, so two records can exchange theirs.
///
/// ```no_run
/// use redis_model::Unit;
/// use redis_model::prelude::*;
///
/// #[derive(Debug, RedisModel)]
/// #[redis(prefix = "account")]
/// struct Account {
///     #[redis(id)]
///     id: u64,
///     cents: u64,
/// }
///
/// #[derive(Debug, RedisModel)]
/// #[redis(prefix = "transfer")]
/// struct Transfer {
///     #[redis(id)]
///     id: u64,
///     cents: u64,
/// }
///
/// # async fn example(redis: Redis) -> Result<()> {
/// let transfer = Unit::new()
///     .patch(Account::patch(1).incr(Account::CENTS, -20))
///     .patch(Account::patch(2).incr(Account::CENTS, 20))
///     .insert(&Transfer { id: 9, cents: 20 });
///
/// // The first account has too little: nothing is written.
/// let error = transfer.commit(&redis).await.unwrap_err();
/// assert_eq!((error.operation(), error.key()), (Some(0), Some("account:1")));
/// # Ok(())
/// # }
/// ```
///
/// Events of logs are part of a unit too: see [`append`](Unit::append).
///
/// A unit with the same record twice fails as `InvalidInput`: combine the two writes. Other commands cannot be part of
/// a unit; a [`transaction`](crate::Redis::transaction) takes both, but has no conditions.
#[derive(Clone, Default)]
#[must_use = "a unit changes nothing until `commit` sends it"]
pub struct Unit {
    operations: Vec<Operation>,
    /// For each operation, what reads its record if the indexes do not know it.
    rows: Vec<RowOf>,
    /// The first operation that cannot be sent.
    error: Option<Error>,
}

/// What a [`Unit`] did with each record, by the position of its operation, counted from 0.
#[derive(Debug, Clone)]
pub struct Committed(Vec<Outcome>);

impl Unit {
    /// Creates a unit without operations.
    pub fn new() -> Self {
        Unit::default()
    }

    /// Creates a record; see [`HashModel::insert`].
    pub fn insert<M: HashModel>(self, record: &M) -> Self {
        self.put(record, Mode::Insert, SaveOptions::new())
    }

    /// Writes a record, whether or not it exists; see [`HashModel::save`].
    pub fn save<M: HashModel>(self, record: &M) -> Self {
        self.put(record, Mode::Save, SaveOptions::new())
    }

    /// Writes a record if it exists; see [`HashModel::update`].
    pub fn update<M: HashModel>(self, record: &M) -> Self {
        self.put(record, Mode::Update, SaveOptions::new())
    }

    /// Creates a record, with options for its time to live.
    pub fn insert_with<M: HashModel>(self, record: &M, options: SaveOptions) -> Self {
        self.put(record, Mode::Insert, options)
    }

    /// Writes a record, with options for its time to live.
    pub fn save_with<M: HashModel>(self, record: &M, options: SaveOptions) -> Self {
        self.put(record, Mode::Save, options)
    }

    /// Writes a record if it exists, with options for its time to live.
    pub fn update_with<M: HashModel>(self, record: &M, options: SaveOptions) -> Self {
        self.put(record, Mode::Update, options)
    }

    /// Changes fields of a record; see [`HashModel::patch`]. What the patch asks to return is left out.
    pub fn patch<M: HashModel, R: ReturnedFields<M>>(self, patch: Patch<M, R>) -> Self {
        let key = patch.key().clone();
        self.add::<M>(&key, patch.into_operation())
    }

    /// Deletes a record. It need not exist.
    pub fn delete<M: HashModel>(self, id: IdRef<'_, M>) -> Self {
        self.add_action::<M>(id, Ok(Action::Delete { version: None, conditions: Vec::new() }))
    }

    /// Deletes a record if it has this version; see [`HashModel::delete_version`]. It need not exist.
    #[expect(clippy::needless_pass_by_value, reason = "versions are numbers")]
    pub fn delete_version<M: HashModel<Version: VersionNumber>>(self, id: IdRef<'_, M>, version: M::Version) -> Self {
        self.add_action::<M>(id, writes::delete_of_version(&version))
    }

    /// Sets the time to live of a record, which must exist.
    pub fn expire<M: HashModel>(self, id: IdRef<'_, M>, ttl: Duration) -> Self {
        let lifetime = save_options::set(ttl);
        self.add_action::<M>(id, lifetime.map(|lifetime| Action::Expire { lifetime, load: false, may_be_gone: false }))
    }

    /// Removes the time to live of a record, which must exist.
    pub fn persist<M: HashModel>(self, id: IdRef<'_, M>) -> Self {
        self.add_action::<M>(id, Ok(Action::Expire { lifetime: Lifetime::Persist, load: false, may_be_gone: false }))
    }

    /// Returns whether there is nothing to write.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.operations.is_empty() && self.error.is_none()
    }

    /// Sends the unit. If it is empty, nothing is sent.
    ///
    /// A script, O(n) in the number of fields and of indexes. A client looks into two refusals, as it does for a write
    /// on its own: the owner of a unique value may have been deleted by another program, which takes one more request,
    /// and a record may be in no index, which takes three. After 16 of them, the refusal is the error. A pipeline does
    /// not look.
    ///
    /// # Errors
    ///
    /// Those of the operation that failed: `AlreadyExists`, `NotFound`, `Conflict`, `Duplicate`, `InvalidInput`.
    /// [`Error::operation`] returns its position, and [`Error::key`] the record. Nothing is written then.
    pub fn commit<E: Executor>(self, executor: E) -> E::Out<Committed> {
        executor.submit(self.command())
    }

    /// Adds an operation on a key that is no record.
    pub(crate) fn with(self, key: &Key, operation: Result<Operation>) -> Self {
        self.add_operation(key, operation, |_| Ok(None))
    }

    /// Returns the number of operations.
    pub(crate) fn len(&self) -> usize {
        self.operations.len()
    }

    /// Returns the command that executes `first` as well, on a record of no model. `first` is operation 0 in
    /// its errors.
    ///
    /// # Errors
    ///
    /// That of an operation of the unit, which cannot be sent.
    pub(crate) fn command_with(mut self, first: Operation) -> Result<Command<()>> {
        if let Some(error) = self.error {
            return Err(error);
        }
        self.operations.insert(0, first);
        self.rows.insert(0, |_| Ok(None));
        Ok(write::together(self.operations, self.rows).and_then(|_| Ok(())))
    }

    fn command(self) -> Command<Committed> {
        if self.is_empty() {
            return Command::nothing(|| Ok(Committed(Vec::new())));
        }
        let command = match self.error {
            Some(error) => write::failed(error),
            None => write::together(self.operations, self.rows),
        };
        command.and_then(|outcomes| Ok(Committed(outcomes)))
    }

    /// Returns the command that commits the unit and acknowledges an entry, both or neither. The unit is not empty.
    pub(crate) fn with_entry(self, entry: OwnedEntry) -> Command<()> {
        let command = match self.error {
            Some(error) => write::failed(error),
            None => write::with_entry(self.operations, self.rows, entry),
        };
        command.and_then(|_| Ok(()))
    }

    fn put<M: HashModel>(self, record: &M, mode: Mode, options: SaveOptions) -> Self {
        let lifetime = options.lifetime(M::TTL);
        let operation = lifetime.and_then(|lifetime| writes::put_operation(record, mode, lifetime));
        self.add::<M>(&key_of::<M>(record.id().as_ref()), operation)
    }

    fn add_action<M: HashModel>(self, id: IdRef<'_, M>, action: Result<Action>) -> Self {
        let key = key_of::<M>(id);
        self.add::<M>(&key, action.map(|action| writes::operation::<M>(id, action)))
    }

    fn add<M: HashModel>(self, key: &Key, operation: Result<Operation>) -> Self {
        self.add_operation(key, operation, writes::row_of::<M>)
    }

    fn add_operation(mut self, key: &Key, operation: Result<Operation>, row: RowOf) -> Self {
        match operation {
            Ok(operation) => {
                self.operations.push(operation);
                self.rows.push(row);
            }
            Err(error) => {
                let position = self.operations.len();
                let error = error.about(key.model(), key.as_str()).with_operation(position);
                self.error.get_or_insert(error);
            }
        }
        self
    }
}

impl Committed {
    /// Returns the number of operations.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Returns whether the unit was empty.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns the version that an operation has stored, for models with a version.
    #[must_use]
    pub fn version(&self, position: usize) -> Option<u64> {
        self.0.get(position)?.version
    }

    /// Returns the ids of the entries that an operation has added, for [`append`](Unit::append) and
    /// [`append_many`](Unit::append_many). Of other operations, there are none.
    #[must_use]
    pub fn ids(&self, position: usize) -> &[StreamId] {
        self.0.get(position).map_or(&[], |outcome| &outcome.ids)
    }

    /// Returns whether an operation has created its record, for `insert` and `save`.
    #[must_use]
    pub fn created(&self, position: usize) -> bool {
        self.0.get(position).is_some_and(|outcome| outcome.happened)
    }

    /// Returns whether an operation has deleted its record, for `delete`.
    #[must_use]
    pub fn deleted(&self, position: usize) -> bool {
        self.created(position)
    }
}

impl fmt::Debug for Unit {
    /// Shows the keys only, because a value may be a secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let keys: Vec<_> = self.operations.iter().map(|operation| operation.key.as_str()).collect();
        f.debug_struct("Unit").field("keys", &keys).finish_non_exhaustive()
    }
}
