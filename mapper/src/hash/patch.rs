//! Changes of some fields of a record.

use std::fmt;
use std::marker::PhantomData;
use std::time::Duration;

use redis_rest::{Command, Error, ErrorKind, Executor, Result};

use super::field_ref::FieldRef;
use super::hash_model::{HashModel, IdRef, layout};
use super::returned::ReturnedFields;
use super::save_options;
use super::version::{self, Version as _, VersionNumber};
use super::writes;
use crate::evolution::Converted;
use crate::evolution::SCHEMA_FIELD;
use crate::field_codec::{AsField, FieldCodec, OptionalWith};
use crate::id::Id as _;
use crate::index::InIndex;
use crate::key::Key;
use crate::mismatch;
use crate::pairs::FieldPairs;
use crate::value_for::ValueFor;
use crate::write::{Action, Change, Condition, FieldChange, Lifetime, Operation, Outcome};

/// Changes of some fields of one record: [`HashModel::patch`] starts it, and [`exec`](Patch::exec) sends it.
///
/// All changes are made at once, or none. A record that does not exist is not created. Indexes and the version are kept up to
/// date; fields that are not named do not change. The version counts up only if a field is set or cleared: not with conditions,
/// `returning` or a time to live alone.
///
/// ```no_run
/// use redis_model::prelude::*;
///
/// #[derive(Debug, RedisModel)]
/// #[redis(prefix = "user")]
/// struct User {
///     #[redis(id)]
///     id: u64,
///     #[redis(index)]
///     age: u8,
///     bio: Option<String>,
///     visits: i64,
/// }
///
/// # async fn example(redis: Redis) -> Result<()> {
/// User { id: 42, age: 30, bio: None, visits: 7 }.save(&redis).await?;
///
/// let patch = User::patch(42).set(User::AGE, 31).set(User::BIO, "Mathematician").incr(User::VISITS, 1);
/// let (age, visits) = patch.returning((User::AGE, User::VISITS)).exec(&redis).await?;
/// assert_eq!((age, visits), (Some(31), Some(8)));
///
/// let error = User::patch(43).incr(User::VISITS, 1).exec(&redis).await.unwrap_err();
/// assert!(error.is_not_found());
/// # Ok(())
/// # }
/// ```
///
/// A patch knows the fields of the current version of a model. If the model has a `schema_version`, a record of an earlier one is
/// not patched: the patch fails as `Conflict`, until the record has been loaded and saved.
///
/// Each change costs one call of Redis within one script: a patch is one command, and one round trip.
#[must_use = "a patch changes nothing until `exec` sends it"]
pub struct Patch<M, R = ()> {
    operation: Operation,
    /// Why the patch cannot be sent: the first value that cannot be encoded.
    error: Option<Error>,
    /// Whether the caller requires a version. An empty [difference](HashModel::diff) has one as well, but need not be sent.
    asks_version: bool,
    of: PhantomData<fn() -> (M, R)>,
}

/// An integer that [`incr`](Patch::incr) changes.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be incremented",
    label = "not an integer",
    note = "`incr` takes fields that are integers, or `Option`s of integers; for `f64`, use `incr_by_float`; otherwise load the record, and `set` the new value"
)]
pub trait Counter {
    #[doc(hidden)]
    const BOUNDS: (i128, u128);
}

macro_rules! counters {
    ($($int:ty)*) => {$(
        impl Counter for $int {
            #[expect(clippy::allow_attributes, reason = "not every type has all of these lints")]
            #[allow(clippy::cast_lossless, clippy::unnecessary_cast, clippy::cast_possible_wrap, clippy::cast_sign_loss,
                reason = "each bound fits its own type")]
            const BOUNDS: (i128, u128) = (if <$int>::MIN == 0 { 0 } else { <$int>::MIN as i128 }, <$int>::MAX as u128);
        }
    )*};
}

counters! { i8 i16 i32 i64 i128 isize u8 u16 u32 u64 u128 usize }

impl<T: Counter> Counter for Option<T> {
    const BOUNDS: (i128, u128) = T::BOUNDS;
}

/// A number that [`incr`](Patch::incr) adds: any integer.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not an integer",
    label = "not an integer",
    note = "for an `f64`, use `incr_by_float`"
)]
pub trait Increment {
    #[doc(hidden)]
    fn amount(self) -> i128;
}

macro_rules! increments {
    ($($int:ty)*) => {$(
        impl Increment for $int {
            fn amount(self) -> i128 {
                // Integers of up to 64 bits always fit.
                i128::try_from(self).unwrap_or(i128::MAX)
            }
        }
    )*};
}

increments! { i8 i16 i32 i64 i128 isize u8 u16 u32 u64 usize }

/// A float that [`incr_by_float`](Patch::incr_by_float) changes.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be incremented by a float",
    label = "not an `f64`",
    note = "`incr_by_float` takes fields that are `f64` or `Option<f64>`; Redis adds with the precision of an `f64`, so the sum may not be an `f32`"
)]
pub trait FloatCounter {}

impl FloatCounter for f64 {}
impl FloatCounter for Option<f64> {}

/// Text that [`append`](Patch::append) extends.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not text to which something can be appended",
    label = "not text",
    note = "`append` takes fields that are `String`, or `Option<String>`"
)]
pub trait AppendText {}

impl AppendText for String {}
impl AppendText for Option<String> {}

/// A field that need not exist: an `Option`.
#[diagnostic::on_unimplemented(
    message = "the field must exist: `{T}` is not an `Option`",
    label = "cannot be cleared",
    note = "a record without this field could not be loaded; make it an `Option`, or `set` it to another value"
)]
pub trait MayBeAbsent<T> {}

impl<T> MayBeAbsent<Option<T>> for AsField {}
impl<T, C> MayBeAbsent<Option<T>> for OptionalWith<C> {}
impl<T, C: MayBeAbsent<T>, M, const FIELD: usize> MayBeAbsent<T> for Converted<C, M, FIELD> {}

impl<M: HashModel> Patch<M> {
    pub(super) fn of(id: IdRef<'_, M>) -> Self {
        let patch = Patch::of_each();
        let Operation { action, .. } = patch.operation;
        Patch { operation: writes::operation::<M>(id, action), ..patch }
    }

    /// Creates a patch of the records that a query finds.
    pub(super) fn of_each() -> Self {
        let action = Action::Patch {
            version: None,
            largest_version: M::Version::LARGEST,
            conditions: Vec::new(),
            changes: Vec::new(),
            returning: Vec::new(),
            lifetime: Lifetime::Keep,
        };
        let key = Key::new(M::MODEL_NAME, M::KEY_PREFIX, "");
        let operation = Operation { layout: layout::<M>(), key, id: String::new(), action };
        Patch { operation, error: None, asks_version: false, of: PhantomData }
    }

    /// Creates the patch that makes `after` of `before`.
    pub(super) fn between(before: &M, after: &M) -> Self {
        let mut patch = Patch::of(before.id().as_ref());
        if M::Id::key_part(before.id().as_ref()) != M::Id::key_part(after.id().as_ref()) {
            patch.fail(Error::new(
                ErrorKind::InvalidInput,
                "the two records have different ids; insert the new record and delete the old one",
            ));
            return patch;
        }
        let written = write_both(before, after);
        match written {
            Ok((old, new)) => patch.difference(&old, &new, before.version().number()),
            Err(error) => patch.fail(error),
        }
        patch
    }

    fn difference(&mut self, old: &FieldPairs, new: &FieldPairs, number: Option<u64>) {
        let layout = self.operation.layout;
        let Action::Patch { version, changes, .. } = &mut self.operation.action else { return };
        *version = number;
        let is_version = |name: &str| layout.version == Some(name);
        let column = |name: &str| new.columns.iter().find(|(column, _)| *column == name).map(|(_, text)| text.clone());
        for (name, text) in &new.set {
            let before = old.set.iter().find(|(old, _)| old == name).map(|(_, text)| text);
            if before != Some(text) && !is_version(name) {
                let change = FieldChange::Set { text: text.clone(), column: column(name) };
                changes.push(Change { field: (*name).into(), aliases: &[], change });
            }
        }
        for name in &new.cleared {
            // A field that is gone must not come back from one of its earlier names.
            let field = new.aliases.iter().find(|(_, alias)| alias == name).map_or(name, |(field, _)| field);
            if old.set.iter().any(|(old, _)| old == field) {
                changes.push(Change { field: (*name).into(), aliases: &[], change: FieldChange::Clear });
            }
        }
        for (name, text) in &new.unknown {
            if !old.unknown.iter().any(|pair| (&pair.0, &pair.1) == (name, text)) {
                let change = FieldChange::Set { text: text.clone(), column: None };
                changes.push(Change { field: name.clone().into(), aliases: &[], change });
            }
        }
        for (name, _) in &old.unknown {
            if !new.unknown.iter().any(|(new, _)| new == name) {
                changes.push(Change { field: name.clone().into(), aliases: &[], change: FieldChange::Clear });
            }
        }
    }
}

fn write_both<M: HashModel>(before: &M, after: &M) -> Result<(FieldPairs, FieldPairs)> {
    let (mut old, mut new) = (FieldPairs::without_hooks(), FieldPairs::default());
    before.write(&mut old)?;
    after.write(&mut new)?;
    Ok((old, new))
}

impl<M: HashModel, R> Patch<M, R> {
    /// Sets a field. A value of `None` removes it.
    ///
    /// The value has the type of the field. A field that is an `Option` takes the value inside, too, and text `&str`.
    pub fn set<T, C: FieldCodec<T>, I: InIndex<T>>(self, field: FieldRef<M, T, C, I>, value: impl ValueFor<T>) -> Self {
        self.change_to(field, value, |set| match set {
            Some((text, column)) => Some(FieldChange::Set { text, column }),
            None => Some(FieldChange::Clear),
        })
    }

    /// Sets a field if the record does not have it. A value of `None` changes nothing.
    pub fn set_if_absent<T, C: FieldCodec<T>, I: InIndex<T>>(
        self,
        field: FieldRef<M, T, C, I>,
        value: impl ValueFor<T>,
    ) -> Self {
        self.change_to(field, value, |set| set.map(|(text, column)| FieldChange::SetIfAbsent { text, column }))
    }

    /// Removes a field: it is `None` from then on.
    pub fn clear<T, C: FieldCodec<T> + MayBeAbsent<T>, I>(mut self, field: FieldRef<M, T, C, I>) -> Self {
        self.change(field, FieldChange::Clear);
        self
    }

    /// Adds `by` to an integer. A field that does not exist counts as 0.
    ///
    /// The patch fails as `Conflict` if the sum does not fit the field's type: it can succeed later, with another stored
    /// number. It fails as `Decode` if the stored text is not a number. Nothing is changed then.
    pub fn incr<T: Counter, I>(mut self, field: FieldRef<M, T, AsField, I>, by: impl Increment) -> Self
    where
        AsField: FieldCodec<T>,
    {
        let (min, max) = T::BOUNDS;
        let change = FieldChange::Increment { by: by.amount().to_string(), min: min.to_string(), max: max.to_string() };
        self.change(field, change);
        self
    }

    /// Adds `by` to a float. A field that does not exist counts as 0.
    ///
    /// The patch fails as `Conflict` if the sum is not a finite number, and as `Decode` if the stored text is not a number.
    /// Nothing is changed then.
    pub fn incr_by_float<T: FloatCounter, I>(mut self, field: FieldRef<M, T, AsField, I>, by: f64) -> Self
    where
        AsField: FieldCodec<T>,
    {
        if by.is_finite() {
            self.change(field, FieldChange::IncrementFloat { by });
        } else {
            let why = "an increment is a finite number; use `set` for others";
            self.fail(Error::new(ErrorKind::InvalidInput, why).with_field(field.name()));
        }
        self
    }

    /// Appends to a text. A field that does not exist counts as empty.
    ///
    /// Of a field in an index, the patch fails as `Conflict` if the text would be longer than 1,024 bytes, and as `Decode` if it
    /// would not be UTF-8, because another program has stored other bytes. Nothing is changed then.
    pub fn append<T: AppendText, I>(mut self, field: FieldRef<M, T, AsField, I>, text: impl Into<String>) -> Self
    where
        AsField: FieldCodec<T>,
    {
        self.change(field, FieldChange::Append { text: text.into() });
        self
    }

    /// Changes the record only if it has this version. Otherwise the patch fails as `Conflict`, and
    /// [`stored_version`](Error::stored_version) returns the record's version.
    #[expect(clippy::needless_pass_by_value, reason = "versions are numbers")]
    pub fn if_version(mut self, expected: M::Version) -> Self
    where
        M::Version: VersionNumber,
    {
        match expected.number() {
            Some(number) => {
                if let Action::Patch { version, .. } = &mut self.operation.action {
                    *version = Some(number);
                }
                self.asks_version = true;
            }
            None => self.fail(version::negative()),
        }
        self
    }

    /// Changes the record only if the field has this value. Otherwise the patch fails as `Conflict`. A value of `None`
    /// means that the record must not have the field.
    ///
    /// Values are compared as they are stored: `0.5` and `0.50` differ.
    pub fn if_eq<T, C: FieldCodec<T>, I>(mut self, field: FieldRef<M, T, C, I>, value: impl ValueFor<T>) -> Self {
        match value.with_value(|value| encoded::<T, C>(field.name(), value)) {
            Ok(text) => {
                if let Action::Patch { conditions, .. } = &mut self.operation.action {
                    conditions.push(Condition { field: field.name().into(), aliases: field.aliases(), text });
                }
            }
            Err(error) => self.fail(error),
        }
        self
    }

    /// Sets the time to live of the record.
    pub fn ttl(mut self, ttl: Duration) -> Self {
        match save_options::set(ttl) {
            Ok(ttl) => self.set_lifetime(ttl),
            Err(error) => self.fail(error),
        }
        self
    }

    /// Removes the time to live of the record.
    pub fn persist(mut self) -> Self {
        self.set_lifetime(Lifetime::Persist);
        self
    }

    /// Returns the values of a field, or of a tuple of fields, as they are after the changes. Each is an `Option`: `None` if
    /// the record does not have the field.
    ///
    /// ```no_run
    /// # use redis_model::prelude::*;
    /// # #[derive(RedisModel)]
    /// # #[redis(prefix = "user")]
    /// # struct User { #[redis(id)] id: u64, visits: i64 }
    /// # async fn example(redis: Redis) -> Result<()> {
    /// let visits = User::patch(42).incr(User::VISITS, 1).returning(User::VISITS).exec(&redis).await?;
    /// # Ok(())
    /// # }
    /// ```
    #[expect(clippy::needless_pass_by_value, reason = "constants are passed by value")]
    pub fn returning<F: ReturnedFields<M>>(self, fields: F) -> Patch<M, F> {
        let Patch { mut operation, error, asks_version, .. } = self;
        if let Action::Patch { returning, .. } = &mut operation.action {
            *returning = fields.names();
        }
        Patch { operation, error, asks_version, of: PhantomData }
    }

    /// Returns whether the patch changes nothing, requires nothing and returns nothing. Such a patch is not sent. The version
    /// that [`diff`](HashModel::diff) requires does not count.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        let Action::Patch { conditions, changes, returning, lifetime, .. } = &self.operation.action else {
            return false;
        };
        let requires = self.asks_version || !conditions.is_empty();
        changes.is_empty() && !requires && returning.is_empty() && *lifetime == Lifetime::Keep
    }

    /// Returns the key of the record.
    pub(super) fn key(&self) -> &Key {
        &self.operation.key
    }

    /// Returns the operation, for a write of several records.
    pub(super) fn into_operation(self) -> Result<Operation> {
        let this = self.of_this_schema();
        match this.error {
            None => Ok(this.operation),
            Some(error) => Err(error),
        }
    }

    fn change<T, C, I>(&mut self, field: FieldRef<M, T, C, I>, change: FieldChange) {
        let (field, aliases) = (field.name(), field.aliases());
        if self.operation.layout.version == Some(field) {
            let why = "the version counts the writes, so it cannot be changed; use `if_version` for a condition on it";
            return self.fail(Error::new(ErrorKind::InvalidInput, why).with_field(field));
        }
        let Action::Patch { changes, .. } = &mut self.operation.action else { return };
        if changes.iter().any(|other| other.field == field) {
            let why = "a patch changes each field once; combine the changes, or send two patches";
            return self.fail(Error::new(ErrorKind::InvalidInput, why).with_field(field));
        }
        changes.push(Change { field: field.into(), aliases, change });
    }

    fn change_to<T, C: FieldCodec<T>, I: InIndex<T>>(
        mut self,
        field: FieldRef<M, T, C, I>,
        value: impl ValueFor<T>,
        change: impl FnOnce(Option<(String, Option<String>)>) -> Option<FieldChange>,
    ) -> Self {
        let name = field.name();
        let texts = value.with_value(|value| {
            let Some(text) = encoded::<T, C>(name, value)? else { return Ok(None) };
            let column = I::column(value).map_err(|why| mismatch::not_indexable(name, why))?;
            Ok(Some((text, column)))
        });
        match texts {
            Ok(set) => {
                if let Some(change) = change(set) {
                    self.change(field, change);
                }
            }
            Err(error) => self.fail(error),
        }
        self
    }

    fn set_lifetime(&mut self, new: Lifetime) {
        if let Action::Patch { lifetime, .. } = &mut self.operation.action {
            *lifetime = new;
        }
    }

    /// Requires that the record is of the schema version that the fields are of. In a record of an earlier one, a field may stand
    /// under another name, or be something else, until the record is loaded and saved.
    fn of_this_schema(mut self) -> Self {
        if let (Some(version), Action::Patch { conditions, .. }) = (M::SCHEMA_VERSION, &mut self.operation.action) {
            let text = Some(version.to_string());
            conditions.push(Condition { field: SCHEMA_FIELD.into(), aliases: &[], text });
        }
        self
    }

    /// Remembers the first error.
    fn fail(&mut self, error: Error) {
        self.error.get_or_insert(error);
    }
}

/// Returns the text of a value, or `None` if it is stored as no field.
fn encoded<T, C: FieldCodec<T>>(name: &'static str, value: &T) -> Result<Option<String>> {
    if C::is_absent(value) {
        return Ok(None);
    }
    let mut text = String::new();
    C::encode(value, &mut text).map_err(|source| mismatch::not_encodable::<T>(name, source))?;
    Ok(Some(text))
}

impl<M: HashModel, R: ReturnedFields<M>> Patch<M, R> {
    /// Sends the patch. The result is what [`returning`](Patch::returning) asks for, or `()`.
    ///
    /// A script, O(n) in the number of changes and indexes. If the patch [is empty](Patch::is_empty), nothing is sent, and it
    /// is not known whether the record exists.
    ///
    /// # Errors
    ///
    /// `NotFound` if the record does not exist, `Conflict` if a condition does not hold, `Duplicate` if another record has
    /// the value of a unique field, `InvalidInput` if a value does not fit its field or an index, `Decode` if the stored text
    /// of a field to increment is not a number. Nothing is changed then.
    pub fn exec<E: Executor>(self, executor: E) -> E::Out<R::Values> {
        executor.submit(self.command())
    }

    fn command(self) -> Command<R::Values> {
        if self.is_empty() && self.error.is_none() {
            return Command::nothing(|| R::decode(&Outcome::default(), &[]));
        }
        let Patch { operation, error, .. } = self.of_this_schema();
        let names = match &operation.action {
            Action::Patch { returning, .. } => returning.clone(),
            _ => Vec::new(),
        };
        let command = writes::lone::<M>(operation).and_then(move |outcome| R::decode(&outcome, &names));
        match error {
            Some(error) => command.fail(error),
            None => command,
        }
    }
}

impl<M, R> Clone for Patch<M, R> {
    fn clone(&self) -> Self {
        Patch {
            operation: self.operation.clone(),
            error: self.error.clone(),
            asks_version: self.asks_version,
            of: PhantomData,
        }
    }
}

impl<M, R> fmt::Debug for Patch<M, R> {
    /// Shows the names of the fields only, because a value may be a secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let fields: Vec<_> = match &self.operation.action {
            Action::Patch { changes, .. } => changes.iter().map(|change| &*change.field).collect(),
            _ => Vec::new(),
        };
        f.debug_struct("Patch").field("changes", &fields).finish_non_exhaustive()
    }
}
