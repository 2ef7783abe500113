//! Full-text search over hashes, JSON documents and strings: the service's own commands, which open-source Redis does
//! not have.

mod aggregate;
mod document;
mod filter;
mod query;
mod replies;
mod schema;

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

/// The commands on search indexes. *Unverified*: only the service has them, and it was out of reach. The requests are those
/// of its official SDKs, the replies are read as those SDKs and its documentation read them.
///
/// ```
/// use redis_rest::commands::search::{FastField, SearchFilter, SearchOrder, SearchQuery, SearchSchema, TextField};
/// use redis_rest::{Build, SearchCommands};
///
/// let schema = SearchSchema::json("product:").field("name", TextField::new()).field("price", FastField::f64().fast());
/// assert_eq!(
///     Build.search_create("products", &schema).args(),
///     ["SEARCH.CREATE", "products", "ON", "JSON", "PREFIX", "1", "product:", "SCHEMA", "name", "TEXT", "price", "F64", "FAST"],
/// );
/// let cheap = SearchFilter::new().matches("name", "headphones").lt("price", 100);
/// let query = SearchQuery::new(cheap).order_by("price", SearchOrder::Ascending).limit(5);
/// assert_eq!(
///     Build.search_query::<serde_json::Value>("products", &query).args(),
///     ["SEARCH.QUERY", "products", r#"{"name":"headphones","price":{"$lt":100}}"#, "LIMIT", "5", "ORDERBY", "price", "ASC"],
/// );
/// ```
pub trait SearchCommands: Executor {
    /// Aggregates the documents that a filter matches; `None` when there is no such index.
    /// [SEARCH.AGGREGATE](https://upstash.com/docs/redis/commands/search/aggregate), O(n) in the matches.
    fn search_aggregate(
        self,
        index: impl ToArg,
        filter: &SearchFilter,
        aggregations: &Aggregations,
    ) -> Self::Out<Option<Aggregates>> {
        self.execute(Command::read("SEARCH.AGGREGATE").arg(index).options(filter).options(aggregations))
    }

    /// Makes an alias of an index, or lets it stand for another index, and says whether it is new.
    /// [SEARCH.ALIASADD](https://upstash.com/docs/redis/commands/search/aliasadd), O(1).
    fn search_aliasadd(self, alias: impl ToArg, index: impl ToArg) -> Self::Out<bool> {
        let command = Command::write("SEARCH.ALIASADD").arg(alias).arg(index);
        self.submit(command.decode_with(|reply| match u64::from_reply(reply)? {
            1 => Ok(true),
            2 => Ok(false),
            _ => Err(reply.mismatch("1 for a new alias or 2 for a changed one")),
        }))
    }

    /// Removes an alias, and says whether there was one.
    /// [SEARCH.ALIASDEL](https://upstash.com/docs/redis/commands/search/aliasdel), O(1).
    fn search_aliasdel(self, alias: impl ToArg) -> Self::Out<bool> {
        self.execute(Command::write("SEARCH.ALIASDEL").arg(alias))
    }

    /// How many documents a filter matches; `None` when there is no such index.
    /// [SEARCH.COUNT](https://upstash.com/docs/redis/commands/search/count), O(n) in the matches.
    fn search_count(self, index: impl ToArg, filter: &SearchFilter) -> Self::Out<Option<u64>> {
        let command = Command::read("SEARCH.COUNT").arg(index).options(filter);
        self.submit(command.decode_with(|reply| Ok(u64::try_from(i64::from_reply(reply)?).ok())))
    }

    /// Makes an index, and says whether it is new: with [`SearchSchema::exists_ok`] the same index may be there already.
    /// [SEARCH.CREATE](https://upstash.com/docs/redis/commands/search/create), O(n) in the keys to be indexed, in the background.
    fn search_create(self, index: impl ToArg, schema: &SearchSchema) -> Self::Out<bool> {
        self.execute(Command::write("SEARCH.CREATE").arg(index).options(schema))
    }

    /// What there is to know of an index; `None` when there is no such index.
    /// [SEARCH.DESCRIBE](https://upstash.com/docs/redis/commands/search/describe), O(1).
    fn search_describe(self, index: impl ToArg) -> Self::Out<Option<SearchIndex>> {
        self.execute(Command::read("SEARCH.DESCRIBE").arg(index))
    }

    /// Removes an index, not the keys that it is over, and says whether there was one.
    /// [SEARCH.DROP](https://upstash.com/docs/redis/commands/search/drop), O(1).
    fn search_drop(self, index: impl ToArg) -> Self::Out<bool> {
        self.execute(Command::write("SEARCH.DROP").arg(index))
    }

    /// All aliases, each with its index. [SEARCH.LISTALIASES](https://upstash.com/docs/redis/commands/search/listaliases),
    /// O(n) in the aliases.
    fn search_listaliases(self) -> Self::Out<Vec<(String, String)>> {
        self.submit(Command::read("SEARCH.LISTALIASES").decode_with(replies::aliases))
    }

    /// The names of the indexes, each with its type, all or a page of those that match a glob-style pattern.
    /// [SEARCH.LISTINDEXES](https://upstash.com/docs/redis/commands/search/listindexes), O(n) in the indexes.
    fn search_listindexes(self, options: ListIndexesOptions) -> Self::Out<Vec<(String, String)>> {
        self.submit(Command::read("SEARCH.LISTINDEXES").options(options).decode_with(replies::indexes))
    }

    /// The documents that a query finds, best first, as whatever serde makes of them; `None` when there is no such index.
    ///
    /// Within a transaction only [`search_query_nocontent`](Self::search_query_nocontent) is allowed.
    /// [SEARCH.QUERY](https://upstash.com/docs/redis/commands/search/query), O(n) in the matches.
    fn search_query<D: DeserializeOwned>(
        self,
        index: impl ToArg,
        query: &SearchQuery,
    ) -> Self::Out<Option<Vec<SearchHit<D>>>> {
        self.execute(Command::read("SEARCH.QUERY").arg(index).options(query))
    }

    /// The keys and scores of the documents that a query finds, best first; `None` when there is no such index.
    /// [SEARCH.QUERY](https://upstash.com/docs/redis/commands/search/query), O(n) in the matches.
    fn search_query_nocontent(self, index: impl ToArg, query: &SearchQuery) -> Self::Out<Option<Vec<(String, f64)>>> {
        self.execute(Command::read("SEARCH.QUERY").arg(index).options(query.without_content()))
    }

    /// Builds an index anew, in the background, and says whether there is one.
    /// [SEARCH.REINDEX](https://upstash.com/docs/redis/commands/search/reindex), O(n) in the keys.
    fn search_reindex(self, index: impl ToArg) -> Self::Out<bool> {
        self.execute(Command::idempotent_write("SEARCH.REINDEX").arg(index))
    }

    /// Waits until an index has all that was written before, and says whether there is one.
    /// [SEARCH.WAITINDEXING](https://upstash.com/docs/redis/commands/search/waitindexing), as slow as what is waited for.
    fn search_waitindexing(self, index: impl ToArg) -> Self::Out<bool> {
        self.execute(Command::read("SEARCH.WAITINDEXING").arg(index))
    }
}

impl<E: Executor> SearchCommands for E {}

/// Which indexes [`search_listindexes`](SearchCommands::search_listindexes) gives; all by default.
#[derive(Debug, Clone, Default)]
pub struct ListIndexesOptions {
    pattern: Option<String>,
    limit: Option<u64>,
    offset: Option<u64>,
}

impl ListIndexesOptions {
    /// All.
    #[must_use]
    pub fn new() -> Self {
        ListIndexesOptions::default()
    }

    /// Only those whose name matches the glob-style `pattern`: `MATCH`.
    #[must_use]
    pub fn matching(mut self, pattern: impl Into<String>) -> Self {
        self.pattern = Some(pattern.into());
        self
    }

    /// At most so many: `LIMIT`.
    #[must_use]
    pub fn limit(mut self, limit: u64) -> Self {
        self.limit = Some(limit);
        self
    }

    /// Without the first so many: `OFFSET`.
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

/// Adds a word and its value, if there is one.
fn push_named(args: &mut Args, word: &str, value: Option<impl ToArg>) {
    if let Some(value) = value {
        args.push(word).push(value);
    }
}
