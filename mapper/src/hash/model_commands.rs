//! The calls of [`HashModel`] as methods of executors.

use std::time::Duration;

use redis_rest::Executor;
use redis_rest::commands::expiry::Ttl;

use super::field_ref::FieldRef;
use super::hash_model::{HashModel, IdRef};
use super::patch::Patch;
use super::returned::ReturnedFields;
use super::save_options::SaveOptions;
use super::version::VersionNumber;
use crate::field_codec::FieldCodec;
use crate::id::IntegerId;
use crate::index::IsUnique;
use crate::query::SingleField;
use crate::value_for::ValueFor;

/// The calls of [`HashModel`] as methods, for pipelines, transactions and batches.
///
/// A pipeline returns its replies as a tuple, one value for each command:
///
/// ```no_run
/// use redis_model::prelude::*;
///
/// #[derive(Debug, Clone, PartialEq, RedisModel)]
/// #[redis(prefix = "user")]
/// struct User {
///     #[redis(id)]
///     id: u64,
///     name: String,
/// }
///
/// # async fn example(redis: Redis) -> Result<()> {
/// let ada = User { id: 42, name: "Ada".into() };
/// let ((), hits) = redis.transaction().save(&ada).incr("hits").exec().await?;
/// let (user, name, deleted) =
///     redis.pipeline().load::<User>(42).load_field(42, User::NAME).delete::<User>(42).exec().await?;
/// assert_eq!((user, name, deleted), (Some(ada), Some("Ada".to_owned()), true));
/// # Ok(())
/// # }
/// ```
///
/// Commands on keys have the names `exists`, `expire`, `ttl` and `persist` already, so those on records name the record:
///
/// ```no_run
/// # use std::time::Duration;
/// # use redis_model::prelude::*;
/// # #[derive(RedisModel)]
/// # #[redis(prefix = "session")]
/// # struct Session { #[redis(id)] id: u64 }
/// # async fn example(redis: Redis) -> Result<()> {
/// let hour = Duration::from_secs(3600);
/// let ((), expires) = redis.transaction().save(&Session { id: 7 }).expire_record::<Session>(7, hour).exec().await?;
/// assert!(expires);
/// # Ok(())
/// # }
/// ```
///
/// A call that is sent on its own looks into two refusals of models with indexes, as [`HashModel`] says. Here the refusal is
/// the error: `Duplicate`, also if the owner of the value was deleted by another program, and `Index` for a change of a record
/// that is in no index.
///
/// A batch is a pipeline for loops. It returns a slot for each command, and later the reply for the slot:
///
/// ```no_run
/// # use redis_model::prelude::*;
/// # #[derive(RedisModel)]
/// # #[redis(prefix = "user")]
/// # struct User { #[redis(id)] id: u64, name: String }
/// # async fn example(redis: Redis, users: Vec<User>) -> Result<()> {
/// let mut batch = redis.batch();
/// let slots: Vec<_> = users.iter().map(|user| batch.insert(user)).collect();
/// let replies = batch.exec().await?;
/// for (slot, user) in slots.into_iter().zip(&users) {
///     if let Err(error) = replies.take(slot) {
///         println!("{} was not inserted: {error}", user.name);
///     }
/// }
/// # Ok(())
/// # }
/// ```
pub trait ModelCommands: Executor {
    /// Loads a record; see [`HashModel::load`].
    fn load<M: HashModel>(self, id: IdRef<'_, M>) -> Self::Out<Option<M>> {
        M::load(self, id)
    }

    /// Loads the record with a unique value; see [`HashModel::find_by`].
    fn find_by<M: HashModel, T: SingleField, C: FieldCodec<T>, I: IsUnique>(
        self,
        field: FieldRef<M, T, C, I>,
        value: impl ValueFor<T::Value>,
    ) -> Self::Out<Option<M>> {
        M::find_by(self, field, value)
    }

    /// Creates a record; see [`HashModel::insert`].
    fn insert<M: HashModel>(self, record: &M) -> Self::Out<M::Version> {
        HashModel::insert(record, self)
    }

    /// Writes a record, whether or not it exists; see [`HashModel::save`].
    fn save<M: HashModel>(self, record: &M) -> Self::Out<M::Version> {
        HashModel::save(record, self)
    }

    /// Writes a record if it exists; see [`HashModel::update`].
    fn update<M: HashModel>(self, record: &M) -> Self::Out<M::Version> {
        HashModel::update(record, self)
    }

    /// Creates a record, with options for its time to live; see [`HashModel::insert_with`].
    fn insert_with<M: HashModel>(self, record: &M, options: SaveOptions) -> Self::Out<M::Version> {
        HashModel::insert_with(record, self, options)
    }

    /// Writes a record, whether or not it exists, with options for its time to live; see [`HashModel::save_with`].
    fn save_with<M: HashModel>(self, record: &M, options: SaveOptions) -> Self::Out<M::Version> {
        HashModel::save_with(record, self, options)
    }

    /// Writes a record if it exists, with options for its time to live; see [`HashModel::update_with`].
    fn update_with<M: HashModel>(self, record: &M, options: SaveOptions) -> Self::Out<M::Version> {
        HashModel::update_with(record, self, options)
    }

    /// Changes fields of a record; see [`HashModel::patch`].
    ///
    /// ```no_run
    /// # use redis_model::prelude::*;
    /// # #[derive(RedisModel)]
    /// # #[redis(prefix = "user")]
    /// # struct User { #[redis(id)] id: u64, visits: i64 }
    /// # async fn example(redis: Redis) -> Result<()> {
    /// let visit = User::patch(42).incr(User::VISITS, 1).returning(User::VISITS);
    /// let (total, visits) = redis.transaction().incr("visits").patch(visit).exec().await?;
    /// println!("visit {total}, and {visits:?} of this user");
    /// # Ok(())
    /// # }
    /// ```
    fn patch<M: HashModel, R: ReturnedFields<M>>(self, patch: Patch<M, R>) -> Self::Out<R::Values> {
        patch.exec(self)
    }

    /// Deletes a record; see [`HashModel::delete`].
    fn delete<M: HashModel>(self, id: IdRef<'_, M>) -> Self::Out<bool> {
        M::delete(self, id)
    }

    /// Deletes a record if it has this version; see [`HashModel::delete_version`].
    fn delete_version<M: HashModel<Version: VersionNumber>>(
        self,
        id: IdRef<'_, M>,
        version: M::Version,
    ) -> Self::Out<bool> {
        M::delete_version(self, id, version)
    }

    /// Loads one field of a record; see [`HashModel::load_field`].
    fn load_field<M: HashModel, T, C: FieldCodec<T>, I>(
        self,
        id: IdRef<'_, M>,
        field: FieldRef<M, T, C, I>,
    ) -> Self::Out<Option<C::Value>> {
        M::load_field(self, id, field)
    }

    /// Returns whether a record exists; see [`HashModel::exists`].
    fn record_exists<M: HashModel>(self, id: IdRef<'_, M>) -> Self::Out<bool> {
        M::exists(self, id)
    }

    /// Makes a record expire after `ttl`, and returns whether it exists; see [`HashModel::expire`].
    fn expire_record<M: HashModel>(self, id: IdRef<'_, M>, ttl: Duration) -> Self::Out<bool> {
        M::expire(self, id, ttl)
    }

    /// Returns the time to live of a record; see [`HashModel::ttl`].
    fn record_ttl<M: HashModel>(self, id: IdRef<'_, M>) -> Self::Out<Ttl> {
        M::ttl(self, id)
    }

    /// Removes the time to live of a record, and returns whether it had one; see [`HashModel::persist`].
    fn persist_record<M: HashModel>(self, id: IdRef<'_, M>) -> Self::Out<bool> {
        M::persist(self, id)
    }

    /// Returns a new id from a counter in the database; see [`HashModel::next_id`].
    fn next_id<M: HashModel<Id: IntegerId>>(self) -> Self::Out<M::Id> {
        M::next_id(self)
    }
}

impl<E: Executor> ModelCommands for E {}
