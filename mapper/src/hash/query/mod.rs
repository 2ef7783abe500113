//! Queries for records by their indexed fields.

mod change;
mod page;
mod run;

use std::fmt;
use std::marker::PhantomData;
use std::ops::Bound;
use std::sync::Arc;

use redis_rest::{Client, Command, Error, ErrorKind, Result, Value};

use self::change::Write;
pub use self::page::Page;
use self::run::Prepared;
use super::field_ref::FieldRef;
use super::hash_model::{self, HashModel};
use super::patch::Patch;
use crate::field_codec::FieldCodec;
use crate::index::{IndexField, IndexValue, IsIndexed, encode};
use crate::query::{Bounds, Condition, Cursor, Edge, Explain, Order, RangeFor, SequenceField, SingleField, TextValue};
use crate::value_for::ValueFor;

/// A query for records by their indexed fields: what [`HashModel::query`] returns.
///
/// ```no_run
/// use redis_model::prelude::*;
///
/// #[derive(Debug, Clone, PartialEq, RedisModel)]
/// #[redis(prefix = "user", index(country, age))]
/// struct User {
///     #[redis(id)]
///     id: u64,
///     #[redis(unique)]
///     email: String,
///     #[redis(index)]
///     country: String,
///     #[redis(index)]
///     age: u8,
///     #[redis(index)]
///     tags: Vec<String>,
/// }
///
/// # async fn example(redis: Redis) -> Result<()> {
/// let page = User::query()
///     .eq(User::COUNTRY, "tr")
///     .range(User::AGE, 18..30)
///     .contains(User::TAGS, "new")
///     .order_by_desc(User::AGE)
///     .limit(20)
///     .fetch(&redis)
///     .await?;
/// for user in &page.items {
///     println!("{} is {}", user.email, user.age);
/// }
/// if let Some(cursor) = page.cursor {
///     println!("the next page: /users?after={cursor}");
/// }
///
/// let adults = User::query().range(User::AGE, 18..).count(&redis).await?;
/// let first = User::query().prefix(User::EMAIL, "ada@").order_by(User::EMAIL).first(&redis).await?;
/// let mut all = User::query().eq(User::COUNTRY, "tr").stream(&redis);
/// while let Some(user) = all.next().await {
///     println!("{}", user?.email);
/// }
/// # Ok(())
/// # }
/// ```
///
/// # Conditions
///
/// A record matches if all conditions hold. Only fields with `#[redis(index)]`, `#[redis(unique)]` or a place in a compound
/// index can be in a condition; others do not compile. Two conditions on the same field must both hold.
///
/// `None` is in no index: a record matches no condition on a field that is `None`, and is left out if that field is what
/// orders the records.
///
/// # How it is executed
///
/// A read-only script walks one index and tests the other conditions on small rows, without touching a record. It walks the
/// index that has the order; without an order, the one with the fewest entries in the ranges of the conditions. Compound
/// indexes are used by themselves if there are conditions on their first fields. [`explain`](Self::explain) shows what is
/// walked. Without an order, records come in the order of that index.
///
/// The records are then loaded by one pipeline of `HGETALL`s, and the conditions are tested again on what was loaded: a record
/// that has changed in between is left out. So [`fetch`](Self::fetch) takes two requests. With
/// [`in_one_request`](Self::in_one_request) it takes one. Queries leave times to live as they are, also if
/// [`load`](HashModel::load) extends them.
///
/// One run of the script looks at about 10,000 entries, so that it does not keep the server from other work for long. Calls
/// that need more send further requests.
///
/// | call | requests | limit |
/// | --- | --- | --- |
/// | [`fetch`](Self::fetch) | 2 for each 1,000 records; 20 runs of the script at most | 100 unless set |
/// | [`ids`](Self::ids) | 1 for each 1,000 ids; 20 runs at most | 100 unless set |
/// | [`first`](Self::first), [`exists`](Self::exists) | 2, 1; more if few of many records match | |
/// | [`count`](Self::count) | 1; more if there are other conditions than the index covers | counts all |
/// | [`stream`](Self::stream) | 2 for each 250 records | none unless set |
/// | [`delete`](Self::delete), [`patch`](Self::patch) | 3 for each 100 records | none unless set |
/// | [`explain`](Self::explain) | 1 | |
///
/// # What is guaranteed
///
/// A record that is in the answer was stored with values that match at the time of the call. A record that has
/// [expired](HashModel::expire) is in no answer. Records that were written before the model had its indexes are not found
/// until `reindex` has run. [`ids`](Self::ids), [`count`](Self::count) and [`exists`](Self::exists) load no records: they
/// rely on the indexes, which writes of other programs (a raw `DEL` or `HSET`) do not change.
///
/// # Errors
///
/// * `InvalidInput` before anything is sent: a value that cannot be in an index, such as NaN; an order that no index has; a
///   limit of 0; a cursor of another query.
/// * `Index` if the indexes are incomplete (keys were evicted or deleted), are those of another version of the model, or are
///   being built. The message says whether to call `reindex`.
/// * `Decode` if a record cannot be read. The error names its key and field. A stream continues after it.
#[must_use = "a query sends nothing until `fetch` or another call executes it"]
pub struct Query<M> {
    conditions: Vec<Condition>,
    /// The fields of the conditions.
    fields: Vec<Names>,
    order: Option<Order>,
    limit: Option<usize>,
    after: Option<Cursor>,
    in_one_request: bool,
    /// The first value that cannot be in an index.
    problem: Option<Error>,
    of: PhantomData<fn() -> M>,
}

/// The names of a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Names {
    name: &'static str,
    /// Earlier ones.
    aliases: &'static [&'static str],
}

/// The limit of a page, unless it is set.
const DEFAULT_LIMIT: usize = 100;

impl<M: HashModel> Query<M> {
    pub(super) fn new() -> Self {
        Query {
            conditions: Vec::new(),
            fields: Vec::new(),
            order: None,
            limit: None,
            after: None,
            in_one_request: false,
            problem: None,
            of: PhantomData,
        }
    }

    /// Finds records whose field is equal to `value`.
    pub fn eq<T: SingleField, C: FieldCodec<T>, I: IsIndexed>(
        self,
        field: FieldRef<M, T, C, I>,
        value: impl ValueFor<T::Value>,
    ) -> Self {
        self.any_of(field, [value])
    }

    /// Finds records whose field is equal to one of `values`. Without values, no record matches, and nothing is sent.
    pub fn any_of<T: SingleField, C: FieldCodec<T>, I: IsIndexed>(
        self,
        field: FieldRef<M, T, C, I>,
        values: impl IntoIterator<Item = impl ValueFor<T::Value>>,
    ) -> Self {
        self.values(field, values)
    }

    /// Finds records whose field, a `Vec` or a set, contains `value`.
    pub fn contains<T: SequenceField, C: FieldCodec<T>, I: IsIndexed>(
        self,
        field: FieldRef<M, T, C, I>,
        value: impl ValueFor<T::Value>,
    ) -> Self {
        self.values(field, [value])
    }

    /// Finds records whose field, a `Vec` or a set, contains at least one of `values`. Each record is returned once. For records
    /// that contain all of several values, call [`contains`](Self::contains) for each.
    pub fn contains_any<T: SequenceField, C: FieldCodec<T>, I: IsIndexed>(
        self,
        field: FieldRef<M, T, C, I>,
        values: impl IntoIterator<Item = impl ValueFor<T::Value>>,
    ) -> Self {
        self.values(field, values)
    }

    /// Finds records whose field is in `range`: `18..30`, `18..=30`, `18..`, `..30`, or a pair of [`Bound`]s. An empty range
    /// matches no record.
    ///
    /// ```no_run
    /// # use std::ops::Bound;
    /// # use redis_model::prelude::*;
    /// # #[derive(RedisModel)]
    /// # #[redis(prefix = "user")]
    /// # struct User { #[redis(id)] id: u64, #[redis(index)] age: u8, #[redis(index)] name: String }
    /// let older_than_18 = User::query().range(User::AGE, (Bound::Excluded(18), Bound::Unbounded));
    /// let from_a_to_m = User::query().range(User::NAME, "A".."N");
    /// ```
    pub fn range<T: SingleField, C: FieldCodec<T>, I: IsIndexed>(
        self,
        field: FieldRef<M, T, C, I>,
        range: impl RangeFor<T::Value>,
    ) -> Self {
        let bounds = range.with_bounds(|start, end| Ok(Bounds { lower: edge(start)?, upper: edge(end)? }));
        self.condition(field, |column| bounds.map(|bounds| Condition::range(column, bounds)))
    }

    /// Finds records whose field, a text, begins with `prefix`. Case matters.
    pub fn prefix<T: SingleField<Value: TextValue>, C: FieldCodec<T>, I: IsIndexed>(
        self,
        field: FieldRef<M, T, C, I>,
        prefix: impl AsRef<str>,
    ) -> Self {
        let mut encoded = String::new();
        encode::push_text(prefix.as_ref(), &mut encoded);
        self.condition(field, |column| Ok(Condition::range(column, Bounds::prefix(encoded))))
    }

    /// Orders the records by a field, from its smallest value. Records whose field is `None` are left out. Records with equal
    /// values are ordered by the text of their ids, if the field has an index of its own or is the last one of a compound
    /// index.
    pub fn order_by<T: SingleField, C: FieldCodec<T>, I: IsIndexed>(self, field: FieldRef<M, T, C, I>) -> Self {
        self.order(field.name(), false)
    }

    /// As [`order_by`](Self::order_by), from the largest value.
    pub fn order_by_desc<T: SingleField, C: FieldCodec<T>, I: IsIndexed>(self, field: FieldRef<M, T, C, I>) -> Self {
        self.order(field.name(), true)
    }

    /// Returns at most this many records.
    pub fn limit(mut self, limit: usize) -> Self {
        self.limit = Some(limit);
        self
    }

    /// Goes on after the page that the cursor comes from. See [`Cursor`] for what is guaranteed if others write in between.
    pub fn after(mut self, cursor: Cursor) -> Self {
        self.after = Some(cursor);
        self
    }

    /// Makes the script return the records themselves: one request instead of two, and one command instead of one for each
    /// record.
    ///
    /// The script then reads keys that it cannot declare, because only the index knows them. The hosted service runs such a
    /// script alone, while it locks only the declared keys for others. Prefer it for small pages, where the round trip is what
    /// costs.
    pub fn in_one_request(mut self) -> Self {
        self.in_one_request = true;
        self
    }

    /// Returns the command that loads the first record that matches.
    pub(super) fn into_find(self) -> Command<Option<M>> {
        match Prepared::new(self) {
            Ok(query) => query.into_find(),
            Err(error) => Command::read("EVALSHA_RO").fail(error).reply::<Value>().decode_with(|_| Ok(None)),
        }
    }

    fn values<T: IndexField, C, I>(
        self,
        field: FieldRef<M, T, C, I>,
        values: impl IntoIterator<Item = impl ValueFor<T::Value>>,
    ) -> Self {
        let encoded: Result<Vec<_>, _> = values.into_iter().map(|value| value.with_value(encoded)).collect();
        self.condition(field, |column| encoded.map(|encoded| Condition::any_of(column, encoded)))
    }

    fn condition<T, C, I>(
        mut self,
        field: FieldRef<M, T, C, I>,
        condition: impl FnOnce(usize) -> Result<Condition, &'static str>,
    ) -> Self {
        if let Some(column) = self.column(field.name()) {
            match condition(column) {
                Ok(condition) => {
                    let names = Names { name: field.name(), aliases: field.aliases() };
                    if !self.fields.contains(&names) {
                        self.fields.push(names);
                    }
                    self.conditions.push(condition);
                }
                Err(why) => self.reject(field.name(), format!("the value cannot be in an index: it {why}")),
            }
        }
        self
    }

    fn order(mut self, field: &'static str, descending: bool) -> Self {
        self.order = self.column(field).map(|column| Order { column, descending });
        self
    }

    fn column(&mut self, field: &'static str) -> Option<usize> {
        let column = hash_model::layout::<M>().column(field);
        if column.is_none() {
            self.reject(field, "the field is in no index".to_owned());
        }
        column
    }

    fn reject(&mut self, field: &'static str, why: String) {
        let error = Error::new(ErrorKind::InvalidInput, why).about(M::MODEL_NAME, M::KEY_PREFIX).with_field(field);
        self.problem.get_or_insert(error);
    }
}

/// The calls that execute a query.
impl<M: HashModel + Send> Query<M> {
    /// Returns a page of records, in order.
    ///
    /// A page has up to [`limit`](Self::limit) records, 100 unless it is set. It is shorter at the end, and also if few of the
    /// records that the index has match the other conditions: after about 200,000 entries, it returns what it has found.
    /// [`Page::cursor`] tells whether there is more.
    ///
    /// # Errors
    ///
    /// See [`Query`](Query#errors). A record that cannot be read fails the page: [`stream`](Self::stream) returns an error for
    /// that record alone.
    pub fn fetch<C: Client>(self, client: C) -> C::Out<Page<M>> {
        client.run(move |session| async move {
            let limit = self.limit.unwrap_or(DEFAULT_LIMIT);
            Prepared::new(self)?.fetch(&session, limit).await
        })
    }

    /// Returns a page of ids, in order. No record is loaded.
    pub fn ids<C: Client>(self, client: C) -> C::Out<Page<M::Id>> {
        client.run(move |session| async move {
            let limit = self.limit.unwrap_or(DEFAULT_LIMIT);
            Prepared::new(self)?.page_of_ids(&session, limit).await
        })
    }

    /// Returns the first record, or `None` if no record matches.
    pub fn first<C: Client>(mut self, client: C) -> C::Out<Option<M>> {
        self.limit = Some(1);
        client.run(move |session| async move { Prepared::new(self)?.first(&session).await })
    }

    /// Counts all records that match, whatever the limit and the cursor are.
    ///
    /// If an index covers all conditions, this takes one request and O(log n). Otherwise the rows of the index are tested, about
    /// 10,000 in each request.
    pub fn count<C: Client>(self, client: C) -> C::Out<u64> {
        client.run(move |session| async move { Prepared::new(self.whole())?.count(&session).await })
    }

    /// Returns whether a record matches.
    pub fn exists<C: Client>(self, client: C) -> C::Out<bool> {
        client.run(move |session| async move { Prepared::new(self.whole())?.exists(&session).await })
    }

    /// Returns a stream of the records that match, in order. With the blocking client it is an iterator. Up to
    /// [`limit`](Self::limit) records are returned, or all if it is not set.
    ///
    /// A record that cannot be read is an `Err` that names its key and field. The stream then continues with the next record.
    ///
    /// ```no_run
    /// # use redis_model::prelude::*;
    /// # #[derive(Debug, RedisModel)]
    /// # #[redis(prefix = "user")]
    /// # struct User { #[redis(id)] id: u64, #[redis(index)] age: u8 }
    /// # fn example(redis: blocking::Redis) -> Result<()> {
    /// for user in User::query().range(User::AGE, 18..).order_by(User::AGE).stream(&redis) {
    ///     println!("{:?}", user?);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn stream<C: Client>(self, client: C) -> C::Paged<M> {
        let left = self.limit.unwrap_or(usize::MAX);
        let start = Prepared::new(self).map(|query| (Arc::new(query), None, left));
        client.pages_of(start, |session, at| async move {
            let (query, position, left) = at?;
            let (records, next) = query.stream_page(&session, position, left).await?;
            Ok((records, next.map(|(position, left)| Ok((query, Some(position), left)))))
        })
    }

    /// Returns how the query is executed: which index is walked, how many entries it has for the conditions, and what is tested
    /// on each row.
    ///
    /// ```no_run
    /// # use redis_model::prelude::*;
    /// # #[derive(RedisModel)]
    /// # #[redis(prefix = "user")]
    /// # struct User { #[redis(id)] id: u64, #[redis(index)] country: String, #[redis(index)] age: u8 }
    /// # async fn example(redis: Redis) -> Result<()> {
    /// let explain = User::query().eq(User::COUNTRY, "tr").range(User::AGE, 18..30).explain(&redis).await?;
    /// assert_eq!((explain.index(), explain.entries()), ("country", 120));
    /// assert_eq!(
    ///     explain.to_string(),
    ///     "User: walks country at \"tr\", ascending: about 120 entries\n\
    ///      tests on each row: age from 18 to below 30\n\
    ///      could also walk age: about 4000 entries",
    /// );
    /// # Ok(())
    /// # }
    /// ```
    pub fn explain<C: Client>(self, client: C) -> C::Out<Explain> {
        client.run(move |session| async move { Prepared::new(self.whole())?.explain(&session).await })
    }

    /// Deletes all records that match, or up to [`limit`](Self::limit) of them, and returns how many.
    ///
    /// It works in steps of up to 100 records: one request finds them, one reads them, and one deletes them. A record is deleted
    /// only if the fields of the conditions are still as they were read; one that others have changed in between is read and
    /// tested again. A step deletes all of its records or none, and is executed once even if its reply is lost. Other commands
    /// run between the steps, so this is not one atomic write.
    ///
    /// ```no_run
    /// # use redis_model::prelude::*;
    /// # #[derive(RedisModel)]
    /// # #[redis(prefix = "user")]
    /// # struct User { #[redis(id)] id: u64, #[redis(index)] last_seen: u64 }
    /// # async fn example(redis: Redis) -> Result<()> {
    /// let deleted = User::query().range(User::LAST_SEEN, ..1_600_000_000).delete(&redis).await?;
    /// println!("{deleted} users were deleted");
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// The error of the step that failed. The records of the steps before it are deleted. `Decode` if a record cannot be read.
    pub fn delete<C: Client>(self, client: C) -> C::Out<u64> {
        self.write_all(client, Ok(Some(Write::Delete)))
    }

    /// Patches all records that match, or up to [`limit`](Self::limit) of them, and returns how many. `patch` names the changes.
    ///
    /// It works in steps, as [`delete`](Self::delete) does. Each record is patched once, even if the patch moves it within the
    /// index that is walked: the ids of the records that were patched are then kept in memory until the end.
    ///
    /// ```no_run
    /// # use redis_model::prelude::*;
    /// # #[derive(RedisModel)]
    /// # #[redis(prefix = "user")]
    /// # struct User { #[redis(id)] id: u64, #[redis(index)] country: String, visits: i64 }
    /// # async fn example(redis: Redis) -> Result<()> {
    /// let query = User::query().eq(User::COUNTRY, "TR");
    /// let patched = query.patch(&redis, |user| user.set(User::COUNTRY, "tr").incr(User::VISITS, 1)).await?;
    /// println!("{patched} users were patched");
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// The error of the step that failed, such as `Duplicate` if two records would have the same unique value. The records of
    /// the steps before it are patched.
    pub fn patch<C: Client>(self, client: C, patch: impl FnOnce(Patch<M>) -> Patch<M>) -> C::Out<u64> {
        let patch = patch(Patch::of_each());
        if patch.is_empty() {
            return self.write_all(client, patch.into_operation().map(|_| None));
        }
        self.write_all(client, patch.into_operation().map(|operation| Some(Write::Patch(Box::new(operation)))))
    }

    fn write_all<C: Client>(self, client: C, write: Result<Option<Write>>) -> C::Out<u64> {
        client.run(move |session| async move {
            let Some(write) = write? else { return Ok(0) };
            let limit = self.limit.unwrap_or(usize::MAX);
            Prepared::new(self)?.write_all(&session, write, limit).await
        })
    }

    /// Forgets the limit and the cursor.
    fn whole(mut self) -> Self {
        (self.limit, self.after) = (None, None);
        self
    }
}

fn encoded<V: IndexValue>(value: &V) -> Result<String, &'static str> {
    let mut encoded = String::new();
    value.push_index(&mut encoded)?;
    Ok(encoded)
}

fn edge<V: IndexValue>(bound: Bound<&V>) -> Result<Edge, &'static str> {
    Ok(match bound {
        Bound::Included(value) => Edge::Included(encoded(value)?),
        Bound::Excluded(value) => Edge::Excluded(encoded(value)?),
        Bound::Unbounded => Edge::Unbounded,
    })
}

impl<M> Clone for Query<M> {
    fn clone(&self) -> Self {
        Query {
            conditions: self.conditions.clone(),
            fields: self.fields.clone(),
            order: self.order,
            limit: self.limit,
            after: self.after.clone(),
            in_one_request: self.in_one_request,
            problem: self.problem.clone(),
            of: PhantomData,
        }
    }
}

impl<M> fmt::Debug for Query<M> {
    /// Shows the names of the fields only, because a value may be a secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let fields: Vec<_> = self.fields.iter().map(|field| field.name).collect();
        let mut debug = f.debug_struct("Query");
        debug.field("fields", &fields).field("order", &self.order).field("limit", &self.limit).finish_non_exhaustive()
    }
}
