//! The trait of records.

use std::time::Duration;

use redis_rest::commands::expiry::Ttl;
use redis_rest::{Batch, Build, Client, Command, Executor, FromReply, GenericCommands, Result};

use super::commands;
use super::each::{self, Each};
use super::field_ref::FieldRef;
use super::modify;
use super::patch::{MayBeAbsent, Patch};
use super::plain;
use super::query::Query;
use super::save_options::{self, SaveOptions};
use super::scan::{RecordScanOptions, Scan};
use super::upkeep::{self, Drift, ReindexProgress, Reindexed, VerifyProgress};
use super::version::{Version, VersionNumber};
use super::writes;
use crate::field_codec::FieldCodec;
use crate::id::{GenerateId, Id, IntegerId};
use crate::index::{IsUnique, Layout, LayoutBuilder, NotIndexed};
use crate::key::{Key, SEPARATOR};
use crate::model::Fields;
use crate::query::SingleField;
use crate::value_for::ValueFor;
use crate::write::{Lifetime, Mode};

/// The type of the id argument of the model `M`: `u64`, `&str`, `&OrderId`.
pub type IdRef<'a, M> = <<M as HashModel>::Id as Id>::Ref<'a>;

/// A record: a struct with an id, stored as a hash at `prefix:id` with one hash field for each of its fields.
///
/// Derive it with [`RedisModel`](derive@crate::RedisModel) on a struct that has a field marked `#[redis(id)]`.
///
/// ```no_run
/// use redis_model::ErrorKind;
/// use redis_model::prelude::*;
///
/// #[derive(Debug, Clone, PartialEq, RedisModel)]
/// #[redis(prefix = "user")]
/// struct User {
///     #[redis(id)]
///     id: u64,
///     name: String,
///     visits: u32,
/// }
///
/// # async fn example(redis: Redis) -> Result<()> {
/// let ada = User { id: 42, name: "Ada".into(), visits: 0 };
/// ada.save(&redis).await?;
/// assert_eq!(User::load(&redis, 42).await?, Some(ada));
/// assert_eq!(User::load(&redis, 43).await?, None);
///
/// // Another program writes a text that is not a number.
/// redis.hset("user:42", [("visits", "many")]).await?;
/// let error = User::load(&redis, 42).await.unwrap_err();
/// assert_eq!((error.kind(), error.field()), (ErrorKind::Decode, Some("visits")));
/// assert_eq!(
///     error.to_string(),
///     r#"HGETALL for User at "user:42": field "visits": expected u32, found "many""#,
/// );
/// # Ok(())
/// # }
/// ```
///
/// | method | command | result |
/// | --- | --- | --- |
/// | [`load`](Self::load) | `HGETALL` | the record, or `None` |
/// | [`load_many`](Self::load_many) | one pipeline of `HGETALL`s | each record, or `None` |
/// | [`load_field`](Self::load_field) | `HGET` | the field, or `None` |
/// | [`insert`](Self::insert) | a script | an error if the record exists |
/// | [`save`](Self::save) | `HSET`; if a field is `None`, also `HDEL` in one transaction | |
/// | [`update`](Self::update) | a script | an error if the record does not exist |
/// | [`delete`](Self::delete) | `DEL` | whether the record existed |
/// | [`exists`](Self::exists) | `EXISTS` | whether the record exists |
/// | [`expire`](Self::expire), [`ttl`](Self::ttl), [`persist`](Self::persist) | `PEXPIRE`, `PTTL`, `PERSIST` | |
/// | [`expire_field`](Self::expire_field), [`field_ttl`](Self::field_ttl), [`persist_field`](Self::persist_field) | `HPEXPIRE`, `HPTTL`, `HPERSIST` | |
/// | [`save_many`](Self::save_many), [`delete_many`](Self::delete_many) | one request | a result for each record |
/// | [`find_by`](Self::find_by) | one script | the record with a unique value, or `None` |
/// | [`query`](Self::query) | a script, and one pipeline of `HGETALL`s | a page of the records that match |
/// | [`scan`](Self::scan) | for each page `SCAN` and one pipeline of `HGETALL`s | a stream or an iterator of all records |
/// | [`reindex`](Self::reindex), [`verify`](Self::verify) | several requests for each page | a stream or an iterator of the progress |
///
/// These are the commands of a model without indexes and without a version. Of other models, each write, and with indexes
/// `expire` and `persist` too, is one call of a script, which keeps indexes and versions right. The script also refuses a
/// write with one of these errors, and changes nothing then:
///
/// | error | reason |
/// | --- | --- |
/// | `Duplicate` | another record has the same value in a unique field; [`Error::owner`](crate::Error::owner) is its id |
/// | `Conflict` | the record has another version than the one that was loaded |
/// | `Index` | the indexes in the database are incomplete, or those of another version of the model: see [`reindex`](Self::reindex) |
///
/// Two refusals are looked into, if the call is not in a pipeline, a transaction or a batch. The owner of a unique value may
/// have been deleted by another program: that takes one more request. And a record that another program has written is in no
/// index: before a patch or `expire`, it is added, which takes three.
///
/// A method that sends one command takes any [`Executor`]: `User::load(&redis, 42).await?` with the async client,
/// `User::load(&redis, 42)?` with the blocking client, `User::load(pipeline, 42)` in a pipeline.
/// [`ModelCommands`](crate::ModelCommands) has them as methods of pipelines, transactions and batches. `load_many`,
/// `save_many`, `delete_many` and `scan` take a client of either kind.
///
/// A record is also the reply of a command that returns a hash: `redis.hgetall::<Option<User>>("user:42").await?`. Its id
/// is then not compared with the one in the key.
///
/// Writing a record does not change hash fields that the model does not know. The id is a field of the hash too, so a
/// record exists even if its other fields are all `None`.
pub trait HashModel: Fields + FromReply {
    /// The type of the id.
    type Id: Id;

    /// The type of the version: that of the field marked `#[redis(version)]`, or `()` if there is none.
    type Version: Version;

    /// The name of the field that holds the id.
    #[doc(hidden)]
    const ID_FIELD: &'static str;

    /// The name of the type, for errors.
    const MODEL_NAME: &'static str;

    /// The first part of each key, without the separator.
    const KEY_PREFIX: &'static str;

    /// The time to live that a full write sets, if the model has one.
    #[doc(hidden)]
    const TTL: Option<Duration> = None;

    /// Whether a load sets the time to live anew.
    #[doc(hidden)]
    const SLIDING: bool = false;

    /// The schema version, if the model has one.
    #[doc(hidden)]
    const SCHEMA_VERSION: Option<u32> = None;

    /// Whether a hook runs after each load. A query then reads a record twice: what it tests is what is stored.
    #[doc(hidden)]
    const AFTER_LOAD: bool = false;

    /// Describes the columns and the indexes.
    #[doc(hidden)]
    fn describe(layout: &mut LayoutBuilder) {
        layout.model(Self::MODEL_NAME, Self::KEY_PREFIX);
        Self::describe_fields(layout);
    }

    /// Returns the id of this record.
    fn id(&self) -> &Self::Id;

    /// Returns the version of this record.
    #[doc(hidden)]
    fn version(&self) -> Self::Version;

    /// Sets the version of this record.
    #[doc(hidden)]
    fn set_version(&mut self, version: Self::Version);

    /// Returns the key of the record with this id.
    ///
    /// # Errors
    ///
    /// `InvalidInput` if the id is empty or contains the separator `:`.
    fn key(id: IdRef<'_, Self>) -> Result<String> {
        key_of::<Self>(id).checked()
    }

    /// Loads the record with this id. Returns `None` if it does not exist.
    ///
    /// [HGETALL](https://redis.io/docs/latest/commands/hgetall/), O(n) in the number of fields. For a model with a sliding
    /// time to live, it is one script, which sets that time too.
    ///
    /// # Errors
    ///
    /// `Decode` if a field is missing or does not fit its type, or if the field of the id holds another id than the key.
    /// [`Error::field`](crate::Error::field) names the field.
    fn load<E: Executor>(executor: E, id: IdRef<'_, Self>) -> E::Out<Option<Self>> {
        executor.submit(commands::load_by_id::<Self>(id))
    }

    /// Loads the records with these ids in one request, in order. Returns `None` for each that does not exist.
    ///
    /// A pipeline of [HGETALL](https://redis.io/docs/latest/commands/hgetall/)s, O(n) in the number of all fields.
    /// Nothing is sent if there are no ids.
    ///
    /// ```no_run
    /// # use redis_model::prelude::*;
    /// # #[derive(Debug, PartialEq, RedisModel)]
    /// # #[redis(prefix = "user")]
    /// # struct User { #[redis(id)] id: u64, name: String }
    /// # async fn example(redis: Redis) -> Result<()> {
    /// let ada = User { id: 42, name: "Ada".into() };
    /// ada.save(&redis).await?;
    /// assert_eq!(User::load_many(&redis, [42, 43]).await?, [Some(ada), None]);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// Ids that are `String` are passed as `&str`: `User::load_many(&redis, ids.iter().map(String::as_str))`.
    ///
    /// # Errors
    ///
    /// `Decode` if a record cannot be read. [`Error::key`](crate::Error::key) names the first such record.
    fn load_many<'a, C: Client>(
        client: C,
        ids: impl IntoIterator<Item = IdRef<'a, Self>>,
    ) -> C::Out<Vec<Option<Self>>> {
        let mut batch = Batch::new(client);
        let slots: Vec<_> = ids.into_iter().map(|id| (&mut batch).submit(commands::load_by_id::<Self>(id))).collect();
        batch.exec_with(move |replies| slots.into_iter().map(|slot| replies.take(slot)).collect())
    }

    /// Writes records in one request, whether or not they exist, and returns the result for each, in order. A record that
    /// cannot be written, for example because its id is not valid, does not affect the others.
    ///
    /// The commands of [`save`](Self::save). If a field of one of the records is `None`, all of them are sent as one
    /// transaction. With indexes or a version, each record is one script, and nothing needs a transaction. Nothing is sent if
    /// there are no records.
    ///
    /// ```no_run
    /// # use redis_model::prelude::*;
    /// # #[derive(Debug, RedisModel)]
    /// # #[redis(prefix = "session")]
    /// # struct Session { #[redis(id)] id: String }
    /// # async fn example(redis: Redis) -> Result<()> {
    /// let sessions = [Session { id: "k3j9".into() }, Session { id: "a:b".into() }];
    /// let [first, second] = Session::save_many(&redis, &sessions).await?.into_vec().try_into().unwrap();
    /// assert!(first.is_ok());
    /// assert!(second.unwrap_err().is_invalid_input());
    ///
    /// // Or with the first error as the error of the call:
    /// Session::save_many(&redis, &sessions).await?.all()?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// Only if there are no replies. [`Error::may_have_executed`](crate::Error::may_have_executed) tells whether records
    /// may have been written. The results have those of [`save`](Self::save). A `Duplicate` is not looked into: the owner of
    /// the value may have been deleted by another program, and a `save` on its own finds that out.
    fn save_many<'m, C: Client>(client: C, records: impl IntoIterator<Item = &'m Self>) -> C::Out<Each<Self::Version>> {
        each::send(
            client,
            records.into_iter().map(|record| writes::put(record, Mode::Save, writes::lifetime::<Self>())),
        )
    }

    /// Deletes the records with these ids in one request, and returns for each whether it existed, in order. An id that is
    /// not valid does not affect the others.
    ///
    /// A pipeline of [DEL](https://redis.io/docs/latest/commands/del/)s, O(n) in the number of all fields; with indexes or a
    /// version, of scripts. Nothing is sent if there are no ids.
    ///
    /// ```no_run
    /// # use redis_model::prelude::*;
    /// # #[derive(RedisModel)]
    /// # #[redis(prefix = "user")]
    /// # struct User { #[redis(id)] id: u64 }
    /// # async fn example(redis: Redis) -> Result<()> {
    /// User { id: 42 }.save(&redis).await?;
    /// assert_eq!(User::delete_many(&redis, [42, 43]).await?.all()?, [true, false]);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// Only if there are no replies. [`Error::may_have_executed`](crate::Error::may_have_executed) tells whether records
    /// may have been deleted.
    fn delete_many<'a, C: Client>(client: C, ids: impl IntoIterator<Item = IdRef<'a, Self>>) -> C::Out<Each<bool>> {
        each::send(client, ids.into_iter().map(|id| writes::delete::<Self>(id)))
    }

    /// Loads one field of the record with this id. Returns `None` if the record or the field does not exist.
    ///
    /// [HGET](https://redis.io/docs/latest/commands/hget/), O(1). For a field that has aliases,
    /// [HMGET](https://redis.io/docs/latest/commands/hmget/), O(n) in the number of names.
    ///
    /// ```no_run
    /// # use redis_model::prelude::*;
    /// # #[derive(RedisModel)]
    /// # #[redis(prefix = "user")]
    /// # struct User { #[redis(id)] id: u64, name: String, bio: Option<String> }
    /// # async fn example(redis: Redis) -> Result<()> {
    /// User { id: 42, name: "Ada".into(), bio: None }.save(&redis).await?;
    /// assert_eq!(User::load_field(&redis, 42, User::NAME).await?, Some("Ada".to_owned()));
    /// assert_eq!(User::load_field(&redis, 42, User::BIO).await?, None);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// `Decode` if the field does not fit its type.
    fn load_field<E: Executor, T, C: FieldCodec<T>, I>(
        executor: E,
        id: IdRef<'_, Self>,
        field: FieldRef<Self, T, C, I>,
    ) -> E::Out<Option<C::Value>> {
        executor.submit(commands::load_field(&key_of::<Self>(id), field))
    }

    /// Creates the record.
    ///
    /// [EVALSHA](https://redis.io/docs/latest/commands/evalsha/) of a script, O(n) in the number of fields: no command of Redis
    /// creates a hash only if there is none. Returns the version that is stored, for models with a version.
    ///
    /// ```no_run
    /// # use redis_model::prelude::*;
    /// # #[derive(RedisModel)]
    /// # #[redis(prefix = "user")]
    /// # struct User { #[redis(id)] id: u64, name: String }
    /// # async fn example(redis: Redis) -> Result<()> {
    /// let ada = User { id: 42, name: "Ada".into() };
    /// ada.insert(&redis).await?;
    ///
    /// let error = ada.insert(&redis).await.unwrap_err();
    /// assert!(error.is_already_exists());
    /// assert_eq!((error.model(), error.key()), (Some("User"), Some("user:42")));
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// `AlreadyExists` if there is a hash at the key, whatever its fields are: it does not change. `Duplicate` if another record
    /// has the same value in a unique field.
    fn insert<E: Executor>(&self, executor: E) -> E::Out<Self::Version> {
        executor.submit(writes::put(self, Mode::Insert, writes::lifetime::<Self>()))
    }

    /// Creates the record, with options for its time to live.
    ///
    /// [EVALSHA](https://redis.io/docs/latest/commands/evalsha/) of a script, O(n) in the number of fields. Without a time to
    /// live, it is [`insert`](Self::insert).
    ///
    /// ```no_run
    /// # use std::time::Duration;
    /// # use redis_model::hash::SaveOptions;
    /// # use redis_model::prelude::*;
    /// # #[derive(RedisModel)]
    /// # #[redis(prefix = "session")]
    /// # struct Session { #[redis(id)] id: String }
    /// # async fn example(redis: Redis) -> Result<()> {
    /// let session = Session { id: "k3j9".into() };
    /// session.insert_with(&redis, SaveOptions::new().ttl(Duration::from_secs(60))).await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// Those of [`insert`](Self::insert), and `InvalidInput` if the time is less than a millisecond or more than 4,000 years.
    fn insert_with<E: Executor>(&self, executor: E, options: SaveOptions) -> E::Out<Self::Version> {
        executor.submit(writes::put_with(self, Mode::Insert, options))
    }

    /// Writes the record, whether or not it exists (an upsert). Fields that are `None` are removed. The time to live is set to
    /// that of the model, if it has one, and does not change otherwise.
    ///
    /// [HSET](https://redis.io/docs/latest/commands/hset/), O(n) in the number of fields. If a field is `None`, also
    /// [HDEL](https://redis.io/docs/latest/commands/hdel/) in the same transaction, and for a model with a time to live also
    /// [PEXPIRE](https://redis.io/docs/latest/commands/pexpire/). With indexes or a version it is one script.
    ///
    /// Returns the version that is stored: the record's, plus 1. `user.version = user.save(&redis).await?` keeps it for the
    /// next write.
    ///
    /// # Errors
    ///
    /// `Conflict` if the stored record has another version, or was deleted since it was loaded; `Duplicate` if another record
    /// has the same value in a unique field.
    #[doc(alias = "upsert")]
    fn save<E: Executor>(&self, executor: E) -> E::Out<Self::Version> {
        executor.submit(writes::put(self, Mode::Save, writes::lifetime::<Self>()))
    }

    /// Writes the record, whether or not it exists, with options for its time to live.
    ///
    /// The commands of [`save`](Self::save). For a time to live also
    /// [PEXPIRE](https://redis.io/docs/latest/commands/pexpire/) or
    /// [PERSIST](https://redis.io/docs/latest/commands/persist/) in the same transaction; with indexes or a version it is still
    /// one script.
    ///
    /// ```no_run
    /// # use redis_model::hash::SaveOptions;
    /// # use redis_model::prelude::*;
    /// # #[derive(RedisModel)]
    /// # #[redis(prefix = "session", ttl = "30m")]
    /// # struct Session { #[redis(id)] id: String }
    /// # async fn example(redis: Redis, session: Session) -> Result<()> {
    /// session.save_with(&redis, SaveOptions::new().persist()).await?; // does not expire
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// Those of [`save`](Self::save), and `InvalidInput` if the time is less than a millisecond or more than 4,000 years.
    fn save_with<E: Executor>(&self, executor: E, options: SaveOptions) -> E::Out<Self::Version> {
        executor.submit(writes::put_with(self, Mode::Save, options))
    }

    /// Starts a change of some fields of the record with this id. [`Patch::exec`] sends it.
    ///
    /// ```no_run
    /// # use redis_model::prelude::*;
    /// # #[derive(RedisModel)]
    /// # #[redis(prefix = "user")]
    /// # struct User { #[redis(id)] id: u64, bio: Option<String>, visits: i64 }
    /// # async fn example(redis: Redis) -> Result<()> {
    /// User::patch(42).incr(User::VISITS, 1).clear(User::BIO).exec(&redis).await?;
    /// # Ok(())
    /// # }
    /// ```
    fn patch(id: IdRef<'_, Self>) -> Patch<Self> {
        Patch::of(id)
    }

    /// Returns the patch that makes `after` of this record: it has only the fields that differ. For a model with a version, it
    /// requires the version of this record.
    ///
    /// ```no_run
    /// # use redis_model::prelude::*;
    /// # #[derive(Clone, RedisModel)]
    /// # #[redis(prefix = "user")]
    /// # struct User { #[redis(id)] id: u64, name: String, visits: i64 }
    /// # async fn example(redis: Redis, before: User) -> Result<()> {
    /// let mut after = before.clone();
    /// assert!(before.diff(&after).is_empty());
    ///
    /// after.visits += 1;
    /// before.diff(&after).exec(&redis).await?; // sends `visits` only
    /// # Ok(())
    /// # }
    /// ```
    fn diff(&self, after: &Self) -> Patch<Self> {
        Patch::between(self, after)
    }

    /// Loads the record with this id, changes it, and updates it, for models with a
    /// [version](derive@crate::RedisModel). `change` captures by value: write `move |user| ..`. If another writer has changed it in between, this is
    /// repeated, up to 16 times. Returns the record as `change` has left it, with the version that is stored now. What a
    /// [`before_save`](derive@crate::RedisModel) hook changes is written, but is not in the returned record.
    ///
    /// Two commands, in two requests, for each attempt. After a conflict it waits for a random time: up to 2 ms after the
    /// first, up to 4 ms after the second, and so on.
    ///
    /// ```no_run
    /// use redis_model::prelude::*;
    ///
    /// #[derive(Debug, RedisModel)]
    /// #[redis(prefix = "user")]
    /// struct User {
    ///     #[redis(id)]
    ///     id: u64,
    ///     points: u32,
    ///     level: u32,
    ///     #[redis(version)]
    ///     version: u64,
    /// }
    ///
    /// # async fn example(redis: Redis) -> Result<()> {
    /// let user = User::modify(&redis, 42, |user| {
    ///     user.points += 10;
    ///     user.level = user.points / 100;
    /// });
    /// println!("version {}", user.await?.version);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// `NotFound` if the record does not exist, `Conflict` if other writers were faster 16 times, and the errors of
    /// [`load`](Self::load) and [`update`](Self::update).
    fn modify<C: Client>(
        client: C,
        id: IdRef<'_, Self>,
        mut change: impl FnMut(&mut Self) + Send + 'static,
    ) -> C::Out<Self>
    where
        Self: Send + Sync,
        Self::Version: VersionNumber,
    {
        Self::try_modify(client, id, move |record| {
            change(record);
            Ok(())
        })
    }

    /// Does the same as [`modify`](Self::modify), with a change that can fail. Its error ends the call, and nothing is written.
    ///
    /// # Errors
    ///
    /// Those of `change` and of [`modify`](Self::modify).
    fn try_modify<C: Client>(
        client: C,
        id: IdRef<'_, Self>,
        change: impl FnMut(&mut Self) -> Result<()> + Send + 'static,
    ) -> C::Out<Self>
    where
        Self: Send + Sync,
        Self::Version: VersionNumber,
    {
        let part = Self::Id::key_part(id).into_owned();
        client.run(move |session| modify::run(session, part, change))
    }

    /// Writes the record if it exists. Fields that are `None` are removed. The time to live is set to that of the model, if it
    /// has one, and does not change otherwise.
    ///
    /// [EVALSHA](https://redis.io/docs/latest/commands/evalsha/) of a script, O(n) in the number of fields.
    ///
    /// ```no_run
    /// # use redis_model::prelude::*;
    /// # #[derive(RedisModel)]
    /// # #[redis(prefix = "user")]
    /// # struct User { #[redis(id)] id: u64, name: String }
    /// # async fn example(redis: Redis) -> Result<()> {
    /// let mut ada = User { id: 42, name: "Ada".into() };
    /// let error = ada.update(&redis).await.unwrap_err();
    /// assert!(error.is_not_found());
    ///
    /// ada.insert(&redis).await?;
    /// ada.name = "Ada Lovelace".into();
    /// ada.update(&redis).await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// `NotFound` if no record with this id exists; for models with indexes and versions also `Conflict` and `Duplicate`, as
    /// for [`save`](Self::save). Nothing is written.
    fn update<E: Executor>(&self, executor: E) -> E::Out<Self::Version> {
        executor.submit(writes::put(self, Mode::Update, writes::lifetime::<Self>()))
    }

    /// Writes the record if it exists, with options for its time to live.
    ///
    /// [EVALSHA](https://redis.io/docs/latest/commands/evalsha/) of a script, O(n) in the number of fields.
    ///
    /// ```no_run
    /// # use redis_model::hash::SaveOptions;
    /// # use redis_model::prelude::*;
    /// # #[derive(RedisModel)]
    /// # #[redis(prefix = "session", ttl = "30m")]
    /// # struct Session { #[redis(id)] id: String }
    /// # async fn example(redis: Redis, session: Session) -> Result<()> {
    /// session.update_with(&redis, SaveOptions::new().keep_ttl()).await?; // expires when it would have anyway
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// Those of [`update`](Self::update), and `InvalidInput` if the time is less than a millisecond or more than 4,000 years.
    fn update_with<E: Executor>(&self, executor: E, options: SaveOptions) -> E::Out<Self::Version> {
        executor.submit(writes::put_with(self, Mode::Update, options))
    }

    /// Deletes the record with this id, and returns whether it existed.
    ///
    /// [DEL](https://redis.io/docs/latest/commands/del/), O(n) in the number of fields. With indexes or a version it is one
    /// script. It does not compare versions: [`delete_version`](Self::delete_version) does.
    fn delete<E: Executor>(executor: E, id: IdRef<'_, Self>) -> E::Out<bool> {
        executor.submit(writes::delete::<Self>(id))
    }

    /// Deletes the record with this id if it has this version, and returns whether it existed.
    ///
    /// [EVALSHA](https://redis.io/docs/latest/commands/evalsha/) of a script, O(n) in the number of fields.
    ///
    /// ```no_run
    /// # use redis_model::prelude::*;
    /// # #[derive(RedisModel)]
    /// # #[redis(prefix = "cart")]
    /// # struct Cart { #[redis(id)] id: u64, items: u32, #[redis(version)] version: u64 }
    /// # async fn example(redis: Redis, cart: Cart) -> Result<()> {
    /// if cart.items == 0 {
    ///     // Fails if somebody has put something into the cart since it was loaded.
    ///     Cart::delete_version(&redis, cart.id, cart.version).await?;
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// `Conflict` if the record has another version; [`Error::stored_version`](crate::Error::stored_version) returns that.
    /// `InvalidInput` if the version is negative.
    fn delete_version<E: Executor>(executor: E, id: IdRef<'_, Self>, version: Self::Version) -> E::Out<bool>
    where
        Self::Version: VersionNumber,
    {
        executor.submit(writes::delete_version::<Self>(id, &version))
    }

    /// Returns whether a record with this id exists.
    ///
    /// [EXISTS](https://redis.io/docs/latest/commands/exists/), O(1).
    fn exists<E: Executor>(executor: E, id: IdRef<'_, Self>) -> E::Out<bool> {
        executor.execute(key_of::<Self>(id).push_to(Command::read("EXISTS")))
    }

    /// Makes the record expire after `ttl`, and returns whether it exists.
    ///
    /// [PEXPIRE](https://redis.io/docs/latest/commands/pexpire/), O(1). With indexes it is one script, which remembers when the
    /// record leaves them.
    ///
    /// `InvalidInput` if the time is less than a millisecond, or more than 4,000 years.
    ///
    /// ```no_run
    /// # use std::time::Duration;
    /// # use redis_model::commands::expiry::Ttl;
    /// # use redis_model::prelude::*;
    /// # #[derive(RedisModel)]
    /// # #[redis(prefix = "session")]
    /// # struct Session { #[redis(id)] id: String }
    /// # async fn example(redis: Redis) -> Result<()> {
    /// Session { id: "k3j9".into() }.save(&redis).await?;
    /// assert!(Session::expire(&redis, "k3j9", Duration::from_secs(60)).await?);
    /// assert!(matches!(Session::ttl(&redis, "k3j9").await?, Ttl::Expires(left) if left.as_secs() <= 60));
    /// # Ok(())
    /// # }
    /// ```
    fn expire<E: Executor>(executor: E, id: IdRef<'_, Self>, ttl: Duration) -> E::Out<bool> {
        executor.submit(writes::expire::<Self>(id, Lifetime::Set(ttl)))
    }

    /// Returns the time to live of the record.
    ///
    /// [PTTL](https://redis.io/docs/latest/commands/pttl/), O(1).
    fn ttl<E: Executor>(executor: E, id: IdRef<'_, Self>) -> E::Out<Ttl> {
        let key = key_of::<Self>(id);
        executor.submit(key.check(Build.pttl(key.as_str())))
    }

    /// Removes the time to live of the record, and returns whether it had one.
    ///
    /// [PERSIST](https://redis.io/docs/latest/commands/persist/), O(1). With indexes it is one script.
    fn persist<E: Executor>(executor: E, id: IdRef<'_, Self>) -> E::Out<bool> {
        executor.submit(writes::expire::<Self>(id, Lifetime::Persist))
    }

    /// Makes one field of the record expire after `ttl`, and returns whether the field exists. Then it is `None`.
    ///
    /// The field is an `Option`, because a record without another field cannot be loaded, and it is in no index, because the
    /// index would not notice. A later write of the field removes its time to live.
    ///
    /// [HPEXPIRE](https://redis.io/docs/latest/commands/hpexpire/), O(1). It needs Redis 7.4, Valkey 9 or the hosted service.
    ///
    /// ```no_run
    /// # use std::time::Duration;
    /// # use redis_model::prelude::*;
    /// # #[derive(RedisModel)]
    /// # #[redis(prefix = "user")]
    /// # struct User { #[redis(id)] id: u64, code: Option<String> }
    /// # async fn example(redis: Redis) -> Result<()> {
    /// User { id: 42, code: Some("193-551".into()) }.save(&redis).await?;
    /// assert!(User::expire_field(&redis, 42, User::CODE, Duration::from_secs(300)).await?);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// `InvalidInput` if the time is less than a millisecond; `Redis` if the server is older.
    fn expire_field<E: Executor, T, C: FieldCodec<T> + MayBeAbsent<T>>(
        executor: E,
        id: IdRef<'_, Self>,
        field: FieldRef<Self, T, C, NotIndexed>,
        ttl: Duration,
    ) -> E::Out<bool> {
        let command = plain::expire_field(&key_of::<Self>(id), field.name(), ttl);
        executor.submit(match save_options::set(ttl) {
            Ok(_) => command,
            Err(error) => command.fail(error),
        })
    }

    /// Returns the time to live of one field of the record; see [`expire_field`](Self::expire_field).
    ///
    /// [HPTTL](https://redis.io/docs/latest/commands/hpttl/), O(1). It needs Redis 7.4, Valkey 9 or the hosted service.
    fn field_ttl<E: Executor, T, C: FieldCodec<T>>(
        executor: E,
        id: IdRef<'_, Self>,
        field: FieldRef<Self, T, C, NotIndexed>,
    ) -> E::Out<Ttl> {
        executor.submit(plain::field_ttl(&key_of::<Self>(id), field.name()))
    }

    /// Removes the time to live of one field of the record, and returns whether it had one; see
    /// [`expire_field`](Self::expire_field).
    ///
    /// [HPERSIST](https://redis.io/docs/latest/commands/hpersist/), O(1). It needs Redis 7.4, Valkey 9 or the hosted service.
    fn persist_field<E: Executor, T, C: FieldCodec<T>>(
        executor: E,
        id: IdRef<'_, Self>,
        field: FieldRef<Self, T, C, NotIndexed>,
    ) -> E::Out<bool> {
        executor.submit(plain::persist_field(&key_of::<Self>(id), field.name()))
    }

    /// Returns a stream of all records, fetched a page at a time. With the blocking client it is an iterator.
    ///
    /// Each page is one [SCAN](https://redis.io/docs/latest/commands/scan/) and one pipeline of
    /// [HGETALL](https://redis.io/docs/latest/commands/hgetall/)s. A record that exists throughout the scan is returned
    /// at least once, and possibly more than once. A record that is created or deleted during the scan may be missing.
    ///
    /// A record that cannot be read is an `Err` that names its key. The stream then continues with the next record. Keys
    /// that cannot be those of a record, because the part after the prefix is not an id, are skipped.
    ///
    /// ```no_run
    /// # use redis_model::prelude::*;
    /// # #[derive(Debug, RedisModel)]
    /// # #[redis(prefix = "user")]
    /// # struct User { #[redis(id)] id: u64 }
    /// # async fn example(redis: Redis) -> Result<()> {
    /// let mut users = User::scan(&redis);
    /// while let Some(user) = users.next().await {
    ///     match user {
    ///         Ok(user) => println!("{user:?}"),
    ///         Err(error) if error.is_decode() => println!("skipped: {error}"),
    ///         Err(error) => return Err(error),
    ///     }
    /// }
    /// # Ok(())
    /// # }
    /// ```
    fn scan<C: Client>(client: C) -> C::Paged<Self>
    where
        Self: Send,
    {
        Self::scan_with(client, RecordScanOptions::new())
    }

    /// As [`scan`](Self::scan), with a pattern for the ids, or with larger or smaller pages. See [`RecordScanOptions`] for
    /// an example.
    ///
    /// [SCAN](https://redis.io/docs/latest/commands/scan/), O(n) in all keys for the whole scan.
    fn scan_with<C: Client>(client: C, options: RecordScanOptions) -> C::Paged<Self>
    where
        Self: Send,
    {
        client.paged(Scan::new(options))
    }

    /// Starts a query for records by their indexed fields. See [`Query`].
    fn query() -> Query<Self> {
        Query::new()
    }

    /// Loads the record with this value in a unique field. Returns `None` if there is none.
    ///
    /// One command: a script finds the id in the index and returns the record. Only the index knows the key of the record, so
    /// the script cannot declare it: the hosted service runs it alone for the few microseconds that it takes. For a unique
    /// index over several fields, use `User::query().eq(..).eq(..).first(&redis)`.
    ///
    /// ```no_run
    /// # use redis_model::prelude::*;
    /// # #[derive(Debug, PartialEq, RedisModel)]
    /// # #[redis(prefix = "user")]
    /// # struct User { #[redis(id)] id: u64, #[redis(unique)] email: String }
    /// # async fn example(redis: Redis) -> Result<()> {
    /// let ada = User::find_by(&redis, User::EMAIL, "ada@example.org").await?;
    /// assert_eq!(ada, Some(User { id: 42, email: "ada@example.org".into() }));
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// `Decode` if the record cannot be read, `Index` if the indexes are incomplete or of another version of the model.
    fn find_by<E: Executor, T: SingleField, C: FieldCodec<T>, I: IsUnique>(
        executor: E,
        field: FieldRef<Self, T, C, I>,
        value: impl ValueFor<T::Value>,
    ) -> E::Out<Option<Self>> {
        executor.submit(Query::new().eq(field, value).into_find())
    }

    /// Builds the indexes of the model, or repairs them, beside programs that read and write. Returns a stream of its progress,
    /// one item for each page. With the blocking client it is an iterator. [`reindex_to_end`](Self::reindex_to_end) returns
    /// the outcome alone.
    ///
    /// Run it after a change of the model's indexes, when another program has written records without their indexes, or when
    /// keys were lost. Before, all calls fail with `Index`, or the indexes do not know some records. From its start
    /// on, programs with other indexes are refused, and queries are refused until it has finished. Writes go on, and none of
    /// them is undone. Until a record is indexed, a write cannot know that a unique value is taken by it.
    ///
    /// A record that cannot be indexed is an `Err` that names its key, and the run goes on: it cannot be read, or another
    /// record has the same value of a unique field ([`Error::owner`](crate::Error::owner) names that one). Any other error
    /// ends the stream. It is safe to run it again after that, and to run it twice at the same time.
    ///
    /// A page of about 250 keys takes a [SCAN](https://redis.io/docs/latest/commands/scan/) and a script that reads its records,
    /// then a script for each 50 records that are not indexed yet. After that, it takes a script for each 500 entries, and an
    /// [HSCAN](https://redis.io/docs/latest/commands/hscan/) and a script for each 250 rows. O(n) in the number of all keys of
    /// the database.
    ///
    /// ```no_run
    /// # use redis_model::prelude::*;
    /// # #[derive(Debug, RedisModel)]
    /// # #[redis(prefix = "user")]
    /// # struct User { #[redis(id)] id: u64, #[redis(index)] country: String }
    /// # async fn example(redis: Redis) -> Result<()> {
    /// let mut run = User::reindex(&redis);
    /// while let Some(progress) = run.next().await {
    ///     match progress {
    ///         Ok(progress) => println!("{} of {}", progress.looked_at(), progress.total()),
    ///         Err(error) if error.key().is_some() => println!("skipped: {error}"),
    ///         Err(error) => return Err(error),
    ///     }
    /// }
    /// # Ok(())
    /// # }
    /// ```
    fn reindex<C: Client>(client: C) -> C::Paged<ReindexProgress> {
        upkeep::reindex::<Self, C>(client)
    }

    /// As [`reindex`](Self::reindex), to its end. Returns what was done, and the errors about records.
    ///
    /// ```no_run
    /// # use redis_model::prelude::*;
    /// # #[derive(Debug, RedisModel)]
    /// # #[redis(prefix = "user")]
    /// # struct User { #[redis(id)] id: u64, #[redis(index)] country: String }
    /// # async fn example(redis: Redis) -> Result<()> {
    /// let reindexed = User::reindex_to_end(&redis).await?;
    /// println!("{} records indexed", reindexed.progress.indexed());
    /// for error in &reindexed.errors {
    ///     println!("skipped: {error}");
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// Those that end the run.
    fn reindex_to_end<C: Client>(client: C) -> C::Out<Reindexed> {
        upkeep::reindex_to_end::<Self, C>(client)
    }

    /// Compares the indexes of the model with its records, beside programs that read and write. Returns a stream of its
    /// progress, one item for each page, with what it has found. With the blocking client it is an iterator.
    /// [`verify_to_end`](Self::verify_to_end) returns the findings alone.
    ///
    /// Nothing is changed; [`reindex`](Self::reindex) repairs. Writes of the mapper are never reported, because a record and
    /// its row are read at one moment. A record that has expired is not reported either, although the indexes know it
    /// until the next writes remove it.
    ///
    /// The requests are those of a [`reindex`](Self::reindex) that finds nothing to do.
    ///
    /// ```no_run
    /// # use redis_model::prelude::*;
    /// # #[derive(Debug, RedisModel)]
    /// # #[redis(prefix = "user")]
    /// # struct User { #[redis(id)] id: u64, #[redis(index)] country: String }
    /// # async fn example(redis: Redis) -> Result<()> {
    /// let mut run = User::verify(&redis);
    /// while let Some(progress) = run.next().await {
    ///     let progress = progress?;
    ///     println!("{} of {}", progress.looked_at(), progress.total());
    ///     for drift in progress.drifts() {
    ///         println!("{drift}");
    ///     }
    /// }
    /// # Ok(())
    /// # }
    /// ```
    fn verify<C: Client>(client: C) -> C::Paged<VerifyProgress> {
        upkeep::verify::<Self, C>(client)
    }

    /// As [`verify`](Self::verify), to its end. Returns what it has found.
    ///
    /// ```no_run
    /// # use redis_model::prelude::*;
    /// # #[derive(Debug, RedisModel)]
    /// # #[redis(prefix = "user")]
    /// # struct User { #[redis(id)] id: u64, #[redis(index)] country: String }
    /// # async fn example(redis: Redis) -> Result<()> {
    /// use redis_model::hash::Drift;
    ///
    /// User { id: 42, country: "TR".into() }.save(&redis).await?;
    /// redis.hset("user:42", [("country", "UK")]).await?; // behind the mapper's back
    /// let drifts = User::verify_to_end(&redis).await?;
    /// assert_eq!(drifts, [Drift::RowDiffers { id: "42".into(), fields: vec!["country"] }]);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// Those of the requests.
    fn verify_to_end<C: Client>(client: C) -> C::Out<Vec<Drift>> {
        upkeep::verify_to_end::<Self, C>(client)
    }

    /// Generates a new id in the client; see [`GenerateId`].
    #[must_use]
    fn generate_id() -> Self::Id
    where
        Self::Id: GenerateId,
    {
        Self::Id::generate()
    }

    /// Returns a new id from a counter in the database, at the key `prefix::id`.
    ///
    /// [INCR](https://redis.io/docs/latest/commands/incr/), O(1).
    ///
    /// ```no_run
    /// # use redis_model::prelude::*;
    /// # #[derive(RedisModel)]
    /// # #[redis(prefix = "user")]
    /// # struct User { #[redis(id)] id: u64, name: String }
    /// # async fn example(redis: Redis) -> Result<()> {
    /// let id = User::next_id(&redis).await?;
    /// User { id, name: "Ada".into() }.insert(&redis).await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// `Decode` if the count does not fit the type of the id.
    fn next_id<E: Executor>(executor: E) -> E::Out<Self::Id>
    where
        Self::Id: IntegerId,
    {
        // Two separators: no record has this key, because no id is empty.
        let key = format!("{}{SEPARATOR}{SEPARATOR}id", Self::KEY_PREFIX);
        let command = Command::write("INCR").key(&key).about(Self::MODEL_NAME, key);
        executor.submit(command.decode_with(|reply| {
            let count = i64::from_reply(reply)?;
            Self::Id::from_count(count).ok_or_else(|| reply.mismatch("a count that fits the type of the id"))
        }))
    }
}

/// Returns the layout of the model's indexes.
pub(crate) fn layout<M: HashModel>() -> &'static Layout {
    Layout::of::<M>(M::describe)
}

pub(super) fn key_of<M: HashModel>(id: IdRef<'_, M>) -> Key {
    Key::new(M::MODEL_NAME, M::KEY_PREFIX, &M::Id::key_part(id))
}
