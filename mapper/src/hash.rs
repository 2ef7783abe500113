//! Records: a hash for each, under `prefix:id`.

use std::fmt;
use std::marker::PhantomData;
use std::time::Duration;

use redis_rest::commands::expiry::Ttl;
use redis_rest::commands::generic::KeyType;
use redis_rest::commands::scan::{Cursor, ScanOptions};
use redis_rest::{
    Batch, Build, Client, Command, Error, ErrorKind, Executor, FromReply, GenericCommands, Pages, Redis, Reply, Result,
};

use crate::codec::{FieldCodec, Kind, Text};
use crate::key::{GenerateId, Id, IdRef, IntegerId, Key, SEPARATOR};
use crate::model::{Fields, FlatReply, Sink};

/// A record: a struct with an id, stored as a hash at `prefix:id`, with a hash field for each of its fields.
///
/// Implemented by `#[derive(RedisModel)]` on a struct with a field marked `#[redis(id)]`.
///
/// The calls take any [`Executor`]. What a call gives depends on it: `User::load(&redis, 42).await?` with the async
/// client, `User::load(&redis, 42)?` with the blocking one; pipelines and batches have the same calls as methods, by
/// [`ModelCommands`].
///
/// | call | command | gives |
/// | --- | --- | --- |
/// | [`load`](Self::load) | `HGETALL` | the record; `None` without it |
/// | [`load_many`](Self::load_many) | `HGETALL`s in one pipeline | each record, in order |
/// | [`load_field`](Self::load_field) | `HGET` | one field |
/// | [`insert`](Self::insert) | `HSETEX FNX` | an error if the record exists |
/// | [`save`](Self::save) | `HSET`; with a `None`, `HDEL` in the same transaction | |
/// | [`update`](Self::update) | `EVAL` of a short script | an error if the record does not exist |
/// | [`delete`](Self::delete), [`exists`](Self::exists) | `DEL`, `EXISTS` | whether it existed, exists |
/// | [`expire`](Self::expire), [`ttl`](Self::ttl), [`persist`](Self::persist) | `PEXPIRE`, `PTTL`, `PERSIST` | |
/// | [`scan`](Self::scan) | `SCAN`, then `HGETALL`s in one pipeline, a page | a stream of all records |
///
/// Saving leaves hash fields alone that the model does not know. The id is a field of the hash too, so a record
/// whose other fields are all `None` exists.
pub trait HashModel: Fields {
    /// The type of the id.
    type Id: Id;

    /// The type's name, for errors.
    const MODEL_NAME: &'static str;

    /// What the keys begin with, without the separator.
    const KEY_PREFIX: &'static str;

    /// This record's id.
    fn id(&self) -> &Self::Id;

    /// The key of the record with this id.
    ///
    /// # Errors
    ///
    /// `InvalidInput` when the id is empty or contains the separator `:`.
    fn key(id: IdRef<'_, Self>) -> Result<String> {
        key_of::<Self>(id).checked()
    }

    /// The record with this id; `None` when there is none. One `HGETALL`, O(n) in the fields.
    fn load<E: Executor>(executor: E, id: IdRef<'_, Self>) -> E::Out<Option<Self>> {
        executor.submit(load_command::<Self>(id))
    }

    /// The records with these ids, in order; `None` for each that does not exist. One request, of one `HGETALL` for
    /// each id; none at all without ids.
    fn load_many<'a, C: Client>(
        client: C,
        ids: impl IntoIterator<Item = IdRef<'a, Self>>,
    ) -> C::Outcome<Vec<Option<Self>>> {
        let mut batch = Batch::new(client);
        let slots: Vec<_> = ids.into_iter().map(|id| (&mut batch).submit(load_command::<Self>(id))).collect();
        batch.exec_with(move |replies| slots.into_iter().map(|slot| replies.take(slot)).collect())
    }

    /// One field of the record with this id; `None` when the record or the field is missing. One `HGET`, O(1); `HMGET`
    /// for a field that has aliases.
    ///
    /// ```no_run
    /// # use redis_model::prelude::*;
    /// # #[derive(RedisModel)]
    /// # #[redis(prefix = "user")]
    /// # struct User { #[redis(id)] id: u64, nick: String }
    /// # async fn example(redis: Redis) -> Result<()> {
    /// let nick: Option<String> = User::load_field(&redis, 42, User::NICK).await?;
    /// # Ok(())
    /// # }
    /// ```
    fn load_field<E: Executor, T, C: FieldCodec<T>>(
        executor: E,
        id: IdRef<'_, Self>,
        field: FieldRef<Self, T, C>,
    ) -> E::Out<Option<C::Value>> {
        let key = key_of::<Self>(id);
        if field.aliases.is_empty() {
            let command = key.push_to(Command::read("HGET")).arg(field.name).about_field(field.name);
            return executor.submit(command.decode_with(read_field::<C, T>));
        }
        let command = key.push_to(Command::read("HMGET")).arg(field.name).args_of(field.aliases);
        executor.submit(command.about_field(field.name).decode_with(|reply| {
            let found = reply.array()?.find(|reply| !reply.is_nil());
            found.map_or(Ok(None), read_field::<C, T>)
        }))
    }

    /// Creates the record. One `HSETEX FNX` (Redis 8.0, Valkey 9, the hosted service), O(n) in the fields.
    ///
    /// # Errors
    ///
    /// `AlreadyExists` when there is a record with this id; it is left as it is. A hash with none of the fields that
    /// would be written, the id's included, is not a record.
    fn insert<E: Executor>(&self, executor: E) -> E::Out<()> {
        executor.submit(insert_command(self))
    }

    /// Writes the record, whether or not it exists. One `HSET`; if a field is `None`, in a transaction with the `HDEL`
    /// that removes it. O(n) in the fields. The record keeps its time to live.
    fn save<E: Executor>(&self, executor: E) -> E::Out<()> {
        executor.submit(save_command(self))
    }

    /// Writes the record if it exists. One `EVAL`, O(n) in the fields. The record keeps its time to live.
    ///
    /// # Errors
    ///
    /// `NotFound` when there is no record with this id; nothing is written.
    fn update<E: Executor>(&self, executor: E) -> E::Out<()> {
        executor.submit(update_command(self))
    }

    /// Deletes the record, and says whether it existed. One `DEL`, O(n) in the fields.
    fn delete<E: Executor>(executor: E, id: IdRef<'_, Self>) -> E::Out<bool> {
        executor.submit(delete_command::<Self>(id))
    }

    /// Whether the record exists. One `EXISTS`, O(1).
    fn exists<E: Executor>(executor: E, id: IdRef<'_, Self>) -> E::Out<bool> {
        executor.execute(key_of::<Self>(id).push_to(Command::read("EXISTS")))
    }

    /// Lets the record expire after `ttl`, and says whether it exists. One `PEXPIRE`, O(1).
    fn expire<E: Executor>(executor: E, id: IdRef<'_, Self>, ttl: Duration) -> E::Out<bool> {
        let key = key_of::<Self>(id);
        executor.submit(key.check(Build.pexpire(key.as_str(), ttl)))
    }

    /// How long the record lives on. One `PTTL`, O(1).
    fn ttl<E: Executor>(executor: E, id: IdRef<'_, Self>) -> E::Out<Ttl> {
        let key = key_of::<Self>(id);
        executor.submit(key.check(Build.pttl(key.as_str())))
    }

    /// Lets the record live on, and says whether it was to expire. One `PERSIST`, O(1).
    fn persist<E: Executor>(executor: E, id: IdRef<'_, Self>) -> E::Out<bool> {
        let key = key_of::<Self>(id);
        executor.submit(key.check(Build.persist(key.as_str())))
    }

    /// All records, a page at a time: one `SCAN` and one pipeline of `HGETALL`s each. A record that is there from
    /// begin to end comes at least once, possibly more often; one that comes or goes meanwhile may or may not come. One
    /// that cannot be read is an `Err` that names it, and the stream goes on behind it.
    ///
    /// ```no_run
    /// # use redis_model::prelude::*;
    /// # #[derive(RedisModel)]
    /// # #[redis(prefix = "user")]
    /// # struct User { #[redis(id)] id: u64 }
    /// # async fn example(redis: Redis) -> Result<()> {
    /// let mut users = User::scan(&redis);
    /// while let Some(user) = users.next().await {
    ///     println!("{}", user?.id);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    fn scan(redis: &Redis) -> Pages<'_, Self>
    where
        Self: Send,
    {
        Pages::new(Cursor::START, move |cursor| scan_page::<Self>(redis, cursor))
    }

    /// A new id, made here: see [`GenerateId`].
    #[must_use]
    fn generate_id() -> Self::Id
    where
        Self::Id: GenerateId,
    {
        Self::Id::generate()
    }

    /// A new id, counted up by the database at the key `prefix::id`. One `INCR`, O(1).
    ///
    /// # Errors
    ///
    /// `Decode` when the count does not fit the type of the id.
    fn next_id<E: Executor>(executor: E) -> E::Out<Self::Id>
    where
        Self::Id: IntegerId,
    {
        // Two separators: no record has this key, since no id is empty.
        let key = format!("{}{SEPARATOR}{SEPARATOR}id", Self::KEY_PREFIX);
        let command = Command::write("INCR").arg(&key).about(Self::MODEL_NAME, key);
        executor.submit(command.decode_with(|reply| {
            let count = i64::from_reply(reply)?;
            Self::Id::from_count(count).ok_or_else(|| reply.mismatch("a count that fits the type of the id"))
        }))
    }
}

/// The calls of [`HashModel`] as methods, for pipelines, transactions and batches.
///
/// ```no_run
/// # use redis_model::prelude::*;
/// # #[derive(RedisModel)]
/// # #[redis(prefix = "user")]
/// # struct User { #[redis(id)] id: u64 }
/// # async fn example(redis: Redis) -> Result<()> {
/// let (user, hits) = redis.pipeline().load::<User>(42).incr("hits").exec().await?;
/// # Ok(())
/// # }
/// ```
pub trait ModelCommands: Executor {
    /// The record with this id; see [`HashModel::load`].
    fn load<M: HashModel>(self, id: IdRef<'_, M>) -> Self::Out<Option<M>> {
        self.submit(load_command::<M>(id))
    }

    /// Creates a record; see [`HashModel::insert`].
    fn insert<M: HashModel>(self, record: &M) -> Self::Out<()> {
        self.submit(insert_command(record))
    }

    /// Writes a record; see [`HashModel::save`].
    fn save<M: HashModel>(self, record: &M) -> Self::Out<()> {
        self.submit(save_command(record))
    }

    /// Writes a record if it exists; see [`HashModel::update`].
    fn update<M: HashModel>(self, record: &M) -> Self::Out<()> {
        self.submit(update_command(record))
    }

    /// Deletes a record; see [`HashModel::delete`].
    fn delete<M: HashModel>(self, id: IdRef<'_, M>) -> Self::Out<bool> {
        self.submit(delete_command::<M>(id))
    }

    /// One field of a record; see [`HashModel::load_field`].
    fn load_field<M: HashModel, T, C: FieldCodec<T>>(
        self,
        id: IdRef<'_, M>,
        field: FieldRef<M, T, C>,
    ) -> Self::Out<Option<C::Value>> {
        M::load_field(self, id, field)
    }
}

impl<E: Executor> ModelCommands for E {}

/// A field of the model `M`, of type `T` and written by the codec `C`: the constants that the derive makes,
/// `User::EMAIL`.
pub struct FieldRef<M, T, C = Text> {
    name: &'static str,
    aliases: &'static [&'static str],
    of: PhantomData<fn(M, T, C)>,
}

impl<M, T, C> FieldRef<M, T, C> {
    #[doc(hidden)]
    pub const fn new(name: &'static str, aliases: &'static [&'static str]) -> Self {
        FieldRef { name, aliases, of: PhantomData }
    }

    /// The field's name in the hash.
    #[must_use]
    pub const fn name(self) -> &'static str {
        self.name
    }
}

impl<M, T, C> Clone for FieldRef<M, T, C> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<M, T, C> Copy for FieldRef<M, T, C> {}

impl<M, T, C> fmt::Debug for FieldRef<M, T, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("FieldRef").field(&self.name).finish()
    }
}

fn key_of<M: HashModel>(id: IdRef<'_, M>) -> Key {
    Key::new(M::MODEL_NAME, M::KEY_PREFIX, &M::Id::key_part(id))
}

fn load_command<M: HashModel>(id: IdRef<'_, M>) -> Command<Option<M>> {
    key_of::<M>(id).push_to(Command::read("HGETALL")).decode_with(read_record::<M>)
}

/// The record in a reply to HGETALL. The reply is empty if the key does not exist.
fn read_record<M: HashModel>(reply: Reply<'_>) -> Result<Option<M>> {
    let pairs = reply.pairs()?;
    if pairs.len() == 0 { Ok(None) } else { M::read(FlatReply(pairs)).map(Some) }
}

fn read_field<C: FieldCodec<T>, T>(reply: Reply<'_>) -> Result<Option<C::Value>> {
    if reply.is_nil() { Ok(None) } else { C::get_value(reply.bytes()?).map(Some) }
}

/// A record's fields as text.
#[derive(Default)]
struct Written {
    set: Vec<(&'static str, String)>,
    cleared: Vec<&'static str>,
}

impl Sink for Written {
    fn set(&mut self, name: &'static str, text: String, _: Kind) {
        self.set.push((name, text));
    }

    fn clear(&mut self, name: &'static str) {
        self.cleared.push(name);
    }
}

/// Adds the key of `record` to `command`, and with `write` its fields. If a field cannot be encoded, the command fails.
fn writing<M: HashModel>(
    record: &M,
    command: Command,
    write: impl FnOnce(Command, &Key, &Written) -> Command<()>,
) -> Command<()> {
    let key = key_of::<M>(record.id().as_ref());
    let command = key.push_to(command);
    let mut written = Written::default();
    match record.write(&mut written) {
        Ok(()) => write(command, &key, &written),
        Err(error) => command.fail(error).reply(),
    }
}

impl Written {
    fn pairs(&self) -> impl Iterator<Item = (&'static str, &str)> {
        self.set.iter().map(|(name, text)| (*name, text.as_str()))
    }
}

fn insert_command<M: HashModel>(record: &M) -> Command<()> {
    writing(record, Command::write("HSETEX"), |command, _, written| {
        let command = command.arg("FNX").arg("FIELDS").arg(written.set.len());
        command.one_or_more_pairs("field", written.pairs()).decode_with(|reply| {
            if bool::from_reply(reply)? {
                Ok(())
            } else {
                Err(Error::new(ErrorKind::AlreadyExists, "the record exists already; `save` overwrites it"))
            }
        })
    })
}

fn save_command<M: HashModel>(record: &M) -> Command<()> {
    // HSET replies with a count that nobody asked for, and is idempotent apart from it.
    writing(record, Command::idempotent_write("HSET"), |command, key, written| {
        let set = command.one_or_more_pairs("field", written.pairs());
        if written.cleared.is_empty() {
            return set.decode_with(|reply| u64::from_reply(reply).map(drop));
        }
        let clear = Command::idempotent_write("HDEL").arg(key.as_str()).args_of(&written.cleared);
        set.and(clear, |replies| replies.map(u64::from_reply).try_for_each(|count| count.map(drop)))
    })
}

/// Existence can only be made a condition of several writes by a script.
const UPDATE: &str = "\
if redis.call('EXISTS', KEYS[1]) == 0 then return 0 end \
local set = tonumber(ARGV[1]) \
redis.call('HSET', KEYS[1], unpack(ARGV, 2, set + 1)) \
if #ARGV > set + 1 then redis.call('HDEL', KEYS[1], unpack(ARGV, set + 2)) end \
return 1";

fn update_command<M: HashModel>(record: &M) -> Command<()> {
    writing(record, Command::idempotent_write("EVAL").arg(UPDATE).arg(1), |command, _, written| {
        let command = command.arg(2 * written.set.len()).one_or_more_pairs("field", written.pairs());
        command.args_of(&written.cleared).decode_with(|reply| {
            if bool::from_reply(reply)? {
                Ok(())
            } else {
                Err(Error::new(ErrorKind::NotFound, "the record does not exist; `save` creates it"))
            }
        })
    })
}

fn delete_command<M: HashModel>(id: IdRef<'_, M>) -> Command<bool> {
    key_of::<M>(id).push_to(Command::write("DEL")).reply()
}

/// The records that one page of a SCAN names, and where the next page begins.
async fn scan_page<M: HashModel + Send>(redis: &Redis, cursor: Cursor) -> Result<(Vec<Result<M>>, Option<Cursor>)> {
    let pattern = format!("{}{SEPARATOR}*", escape_glob(M::KEY_PREFIX));
    let options = ScanOptions::new().matching(pattern).of_type(KeyType::Hash).count(250);
    let page = redis.scan::<String>(cursor, options).await?;
    // `user:unique:email` belongs to the model, but is no record: no id contains the separator.
    let ids = page.items.iter().filter_map(|key| {
        let part = key.strip_prefix(M::KEY_PREFIX)?.strip_prefix(SEPARATOR)?;
        if part.is_empty() || part.contains(SEPARATOR) { None } else { M::Id::from_key_part(part) }
    });
    let ids: Vec<M::Id> = ids.collect();
    let mut batch = redis.batch();
    let slots: Vec<_> = ids.iter().map(|id| (&mut batch).submit(load_command::<M>(id.as_ref()))).collect();
    let replies = batch.exec().await?;
    // A record that was deleted between the two is gone.
    let records = slots.into_iter().filter_map(|slot| replies.take(slot).transpose()).collect();
    Ok((records, (!page.cursor.is_finished()).then_some(page.cursor)))
}

/// A text that a glob-style pattern matches literally.
fn escape_glob(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        if matches!(character, '*' | '?' | '[' | ']' | '\\') {
            escaped.push('\\');
        }
        escaped.push(character);
    }
    escaped
}
