//! Full-text search over hashes, JSON documents, strings and the entries of a stream. Only the service has these commands; open-source Redis
//! does not.

mod aggregate;
mod document;
mod filter;
mod query;
mod replies;
mod schema;

use std::time::Duration;

use serde::de::DeserializeOwned;

pub use self::aggregate::{Aggregation, Aggregations};
pub use self::filter::{Filters, SearchFilter, SearchFuzzy};
pub use self::query::{
    CombineMode, Highlight, ScoreField, ScoreFunction, ScoreMode, ScoreModifier, SearchOrder, SearchQuery,
};
pub use self::replies::{Aggregate, Aggregates, Bucket, FacetValue, SearchField, SearchHit, SearchIndex};
pub use self::schema::{FastField, IndexField, KeywordField, SearchSchema, TextField};
use crate::arg::ToArg;
use crate::command::{Args, Command, ToArgs};
use crate::executor::Executor;
use crate::reply::FromReply as _;

/// Commands on search indexes.
///
/// *Unverified*: only the service has these commands, and it was not available for tests. The requests match those of
/// its official SDKs. The replies are decoded as those SDKs and the documentation describe them.
///
/// ```no_run
/// # async fn example(redis: redis_rest::Redis) -> redis_rest::Result<()> {
/// use redis_rest::commands::search::{FastField, SearchFilter, SearchOrder, SearchQuery, SearchSchema, TextField};
/// use redis_rest::{JsonCommands, SearchCommands};
/// use serde_json::{Value, json};
///
/// let schema = SearchSchema::json("product:").field("name", TextField::new()).field("price", FastField::f64().fast());
/// assert!(redis.search_create("products", &schema).await?);
///
/// redis.json_set("product:1", "$", json!({"name": "wireless headphones", "price": 79})).await?;
/// redis.search_waitindexing("products").await?;
///
/// let cheap = SearchFilter::new().matches("name", "headphones").lt("price", 100);
/// let query = SearchQuery::new(cheap).order_by("price", SearchOrder::Ascending).limit(5);
/// // Ask for your own type: anything that serde deserializes.
/// let hits = redis.search_query::<Value>("products", &query).await?.unwrap_or_default();
/// assert_eq!(hits[0].key, "product:1");
/// assert_eq!(hits[0].document["price"], 79);
///
/// // `None`: there is no such index.
/// assert_eq!(redis.search_count("no-such-index", &SearchFilter::new()).await?, None);
/// # Ok(())
/// # }
/// ```
pub trait SearchCommands: Executor {
    /// Aggregates the documents that a filter matches, or returns `None` if the index does not exist. See
    /// [`Aggregations`] for an example. [SEARCH.AGGREGATE](https://upstash.com/docs/redis/commands/search/search-aggregate),
    /// O(n) in the matches.
    fn search_aggregate(
        self,
        index: impl ToArg,
        filter: &SearchFilter,
        aggregations: &Aggregations,
    ) -> Self::Out<Option<Aggregates>> {
        self.execute(Command::read("SEARCH.AGGREGATE").arg(index).options(filter).options(aggregations))
    }

    /// Makes an alias refer to an index, and returns whether the alias is new.
    /// [SEARCH.ALIASADD](https://upstash.com/docs/redis/commands/search/search-aliasadd), O(1).
    fn search_aliasadd(self, alias: impl ToArg, index: impl ToArg) -> Self::Out<bool> {
        let command = Command::write("SEARCH.ALIASADD").arg(alias).arg(index);
        self.submit(command.decode_with(|reply| match u64::from_reply(reply)? {
            1 => Ok(true),
            2 => Ok(false),
            _ => Err(reply.mismatch("1 for a new alias or 2 for a changed one")),
        }))
    }

    /// Removes an alias and returns whether it existed.
    /// [SEARCH.ALIASDEL](https://upstash.com/docs/redis/commands/search/search-aliasdel), O(1).
    fn search_aliasdel(self, alias: impl ToArg) -> Self::Out<bool> {
        self.execute(Command::write("SEARCH.ALIASDEL").arg(alias))
    }

    /// Returns the number of documents that a filter matches, or `None` if the index does not exist.
    /// [SEARCH.COUNT](https://upstash.com/docs/redis/commands/search/search-count), O(n) in the matches.
    fn search_count(self, index: impl ToArg, filter: &SearchFilter) -> Self::Out<Option<u64>> {
        let command = Command::read("SEARCH.COUNT").arg(index).options(filter);
        self.submit(command.decode_with(|reply| Ok(u64::try_from(i64::from_reply(reply)?).ok())))
    }

    /// Creates an index and returns whether it is new. Fails if the index exists, unless [`SearchSchema::exists_ok`]
    /// is set and the index is the same. [SEARCH.CREATE](https://upstash.com/docs/redis/commands/search/search-create), O(n)
    /// in the keys to index, in the background.
    fn search_create(self, index: impl ToArg, schema: &SearchSchema) -> Self::Out<bool> {
        self.execute(Command::write("SEARCH.CREATE").arg(index).options(schema))
    }

    /// Returns the description of an index, or `None` if the index does not exist.
    /// [SEARCH.DESCRIBE](https://upstash.com/docs/redis/commands/search/search-describe), O(1).
    fn search_describe(self, index: impl ToArg) -> Self::Out<Option<SearchIndex>> {
        self.execute(Command::read("SEARCH.DESCRIBE").arg(index))
    }

    /// Removes an index, but not the keys that it indexes, and returns whether it existed.
    /// [SEARCH.DROP](https://upstash.com/docs/redis/commands/search/search-drop), O(1).
    fn search_drop(self, index: impl ToArg) -> Self::Out<bool> {
        self.execute(Command::write("SEARCH.DROP").arg(index))
    }

    /// Returns all aliases, each with its index.
    /// [SEARCH.LISTALIASES](https://upstash.com/docs/redis/commands/search/search-listaliases), O(n) in the aliases.
    fn search_listaliases(self) -> Self::Out<Vec<(String, String)>> {
        self.submit(Command::read("SEARCH.LISTALIASES").decode_with(replies::aliases))
    }

    /// Returns the names of indexes, each with its type: all of them, or a page of those that match a glob-style
    /// pattern. See [`ListIndexesOptions`] for an example.
    /// [SEARCH.LISTINDEXES](https://upstash.com/docs/redis/commands/search/search-listindexes), O(n) in the indexes.
    fn search_listindexes(self, options: ListIndexesOptions) -> Self::Out<Vec<(String, String)>> {
        self.submit(Command::read("SEARCH.LISTINDEXES").options(options).decode_with(replies::indexes))
    }

    /// Returns the documents that a query finds, best first, or `None` if the index does not exist. See
    /// [`SearchQuery`] for an example.
    ///
    /// A transaction accepts only [`search_query_nocontent`](Self::search_query_nocontent).
    /// [SEARCH.QUERY](https://upstash.com/docs/redis/commands/search/search-query), O(n) in the matches.
    fn search_query<D: DeserializeOwned>(
        self,
        index: impl ToArg,
        query: &SearchQuery,
    ) -> Self::Out<Option<Vec<SearchHit<D>>>> {
        self.execute(Command::read("SEARCH.QUERY").arg(index).options(query))
    }

    /// Returns the keys and scores of the documents that a query finds, best first, or `None` if the index does not
    /// exist. [SEARCH.QUERY](https://upstash.com/docs/redis/commands/search/search-query), O(n) in the matches.
    fn search_query_nocontent(self, index: impl ToArg, query: &SearchQuery) -> Self::Out<Option<Vec<(String, f64)>>> {
        self.execute(Command::read("SEARCH.QUERY").arg(index).options(query.without_content()))
    }

    /// Rebuilds an index in the background and returns whether it exists.
    /// [SEARCH.REINDEX](https://upstash.com/docs/redis/commands/search/search-reindex), O(n) in the keys.
    fn search_reindex(self, index: impl ToArg) -> Self::Out<bool> {
        self.execute(Command::idempotent_write("SEARCH.REINDEX").arg(index))
    }

    /// Waits until an index contains all earlier writes, and returns whether it exists. The client's own limits on the time
    /// of the request do not apply; [`with_deadline`](crate::Redis::with_deadline) sets others.
    ///
    /// [SEARCH.WAITINDEXING](https://upstash.com/docs/redis/commands/search/search-waitindexing), as long as the indexing
    /// takes.
    fn search_waitindexing(self, index: impl ToArg) -> Self::Out<bool> {
        self.execute(Command::read("SEARCH.WAITINDEXING").arg(index).waits(Duration::MAX))
    }
}

impl<E: Executor> SearchCommands for E {}

/// Options of [`search_listindexes`](SearchCommands::search_listindexes).
///
/// ```no_run
/// # async fn example(redis: redis_rest::Redis) -> redis_rest::Result<()> {
/// use redis_rest::SearchCommands;
/// use redis_rest::commands::search::ListIndexesOptions;
///
/// let first = ListIndexesOptions::new().matching("product*").limit(10);
/// for (name, kind) in redis.search_listindexes(first).await? {
///     println!("{name} indexes {kind} keys");
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, Default)]
pub struct ListIndexesOptions {
    pattern: Option<String>,
    limit: Option<u64>,
    offset: Option<u64>,
}

impl ListIndexesOptions {
    /// All indexes.
    #[must_use]
    pub fn new() -> Self {
        ListIndexesOptions::default()
    }

    /// Returns only indexes whose name matches the glob-style `pattern`: `MATCH`.
    #[must_use]
    pub fn matching(mut self, pattern: impl Into<String>) -> Self {
        self.pattern = Some(pattern.into());
        self
    }

    /// Returns at most `limit` indexes: `LIMIT`.
    #[must_use]
    pub fn limit(mut self, limit: u64) -> Self {
        self.limit = Some(limit);
        self
    }

    /// Skips the first `offset` indexes: `OFFSET`.
    #[must_use]
    pub fn offset(mut self, offset: u64) -> Self {
        self.offset = Some(offset);
        self
    }
}

impl ToArgs for ListIndexesOptions {
    fn write_args(&self, args: &mut Args) {
        push_named(args, "MATCH", self.pattern.as_ref());
        push_named(args, "LIMIT", self.limit);
        push_named(args, "OFFSET", self.offset);
    }
}

/// Adds a word and its value, if there is a value.
fn push_named(args: &mut Args, word: &str, value: Option<impl ToArg>) {
    if let Some(value) = value {
        args.push(word).push(value);
    }
}
