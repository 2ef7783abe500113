//! Replies to the commands on search indexes.

use serde::de::DeserializeOwned;

use super::document;
use crate::commands::info::Info;
use crate::error::Result;
use crate::reply::{FromReply, Reply, Shape, Value};

/// A document that a query found.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct SearchHit<D> {
    /// The key.
    pub key: String,
    /// How well the document matches.
    pub score: f64,
    /// The document, or the selected fields.
    pub document: D,
}

impl<D: DeserializeOwned> FromReply for SearchHit<D> {
    fn from_reply(reply: Reply<'_>) -> Result<Self> {
        let mut parts = reply.array()?;
        let key = String::from_reply(parts.expect_next()?)?;
        let score = f64::from_reply(parts.expect_next()?)?;
        let document =
            document::decode(parts.next(), reply).map_err(|error| error.context(format!("document {key}")))?;
        Ok(SearchHit { key, score, document })
    }
}

/// The description of an index.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct SearchIndex {
    /// The name.
    pub name: String,
    /// The type of the keys: `JSON`, `HASH`, `STRING` or `STREAM`.
    pub kind: String,
    /// The prefixes of the indexed keys.
    pub prefixes: Vec<String>,
    /// The language of the text fields.
    pub language: Option<String>,
    /// The size in bytes.
    pub size: Option<u64>,
    /// The number of writes that are not indexed yet.
    pub pending_updates: Option<u64>,
    /// The fields.
    pub fields: Vec<SearchField>,
}

impl FromReply for SearchIndex {
    fn from_reply(reply: Reply<'_>) -> Result<Self> {
        let info = Info::of(reply)?;
        Ok(SearchIndex {
            name: info.get("name")?,
            kind: info.get("type")?,
            prefixes: info.get("prefixes")?,
            language: info.get_optional("language")?,
            size: info.get_optional("indexSize")?,
            pending_updates: info.get_optional("pendingUpdates")?,
            fields: info.get("schema")?,
        })
    }
}

/// A field of an index.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct SearchField {
    /// The name or path.
    pub name: String,
    /// The type, such as `TEXT` or `F64`.
    pub kind: String,
    /// Flags: `FAST`, `NOSTEM`, `NOTOKENIZE`.
    pub flags: Vec<String>,
    /// The document's field that it indexes, if the name differs.
    pub from: Option<String>,
}

impl FromReply for SearchField {
    fn from_reply(reply: Reply<'_>) -> Result<Self> {
        let mut words = reply.array()?;
        let mut field = SearchField {
            name: String::from_reply(words.expect_next()?)?,
            kind: String::from_reply(words.expect_next()?)?,
            flags: Vec::new(),
            from: None,
        };
        while let Some(word) = words.next() {
            match word.text()? {
                "FROM" => field.from = Some(String::from_reply(words.expect_next()?)?),
                flag => field.flags.push(flag.to_owned()),
            }
        }
        Ok(field)
    }
}

/// Decodes aliases and their indexes. The reply is 0 if there are none.
pub(super) fn aliases(reply: Reply<'_>) -> Result<Vec<(String, String)>> {
    match reply.shape() {
        Shape::Int(0) => Ok(Vec::new()),
        _ => Vec::from_reply(reply),
    }
}

/// Decodes the names and types of indexes.
pub(super) fn indexes(reply: Reply<'_>) -> Result<Vec<(String, String)>> {
    let index = |reply| {
        let info = Info::of(reply)?;
        Ok((info.get("name")?, info.get("type")?))
    };
    reply.array()?.map(index).collect()
}

/// The results of aggregations, by name. See [`Aggregations`](super::Aggregations) for an example.
#[derive(Debug, Clone, PartialEq)]
pub struct Aggregates(Aggregate);

impl Aggregates {
    /// Returns the result of this name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<Aggregate> {
        self.0.part(name)
    }
}

impl FromReply for Aggregates {
    fn from_reply(reply: Reply<'_>) -> Result<Self> {
        Aggregate::from_reply(reply).map(Aggregates)
    }
}

/// The result of one aggregation: names and values. The methods read the results of particular aggregations.
#[derive(Debug, Clone, PartialEq)]
pub struct Aggregate(Vec<(String, Value)>);

impl FromReply for Aggregate {
    fn from_reply(reply: Reply<'_>) -> Result<Self> {
        let part = |(name, value): (Reply<'_>, Reply<'_>)| Ok((String::from_reply(name)?, Value::from(value)));
        reply.pairs()?.map(part).collect::<Result<_>>().map(Aggregate)
    }
}

impl Aggregate {
    /// Returns the value of this name, not decoded.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.0.iter().find(|(found, _)| found == name).map(|(_, value)| value)
    }

    /// Returns the number of this name: `min` of `$stats`, `stdDeviation` of `$extendedStats`.
    #[must_use]
    pub fn number(&self, name: &str) -> Option<f64> {
        number(self.get(name)?)
    }

    /// Returns the text or number of this name, as text: `keyAsString` of a bucket of `$dateHistogram`.
    #[must_use]
    pub fn text(&self, name: &str) -> Option<String> {
        text(self.get(name)?)
    }

    /// Returns the single value of `$avg`, `$sum`, `$min`, `$max`, `$count` or `$cardinality`, or `None` if it matched
    /// no documents.
    #[must_use]
    pub fn value(&self) -> Option<f64> {
        self.number("value")
    }

    /// Returns the nested values of this name: `stdDeviationBounds` of `$extendedStats`.
    #[must_use]
    pub fn part(&self, name: &str) -> Option<Aggregate> {
        Aggregate::of(self.get(name)?)
    }

    /// Returns the percentages of `$percentiles` and their values.
    #[must_use]
    pub fn percentiles(&self) -> Vec<(f64, Option<f64>)> {
        let Some(Value::Array(values)) = self.get("values") else { return Vec::new() };
        let keyed = |pair: &[Value]| match pair {
            [percent, value] => Some((number(percent)?, number(value))),
            _ => None,
        };
        let listed = |value: &Value| {
            let value = Aggregate::of(value)?;
            Some((value.number("key")?, value.number("value")))
        };
        match values.first() {
            Some(Value::Array(_)) => values.iter().filter_map(listed).collect(),
            _ => values.chunks(2).filter_map(keyed).collect(),
        }
    }

    /// Returns the buckets of `$terms`, `$range`, `$histogram`, `$dateHistogram` or `$composite`, also if the option
    /// `keyed` asked for an object of them.
    #[must_use]
    pub fn buckets(&self) -> Vec<Bucket> {
        let items = self.items("buckets");
        match items {
            [Value::Array(_), ..] => items.iter().filter_map(Aggregate::of).map(Bucket).collect(),
            keyed => keyed.chunks(2).filter_map(Bucket::keyed).collect(),
        }
    }

    /// Returns the option `after` that asks `$composite` for the page after this one, or `None` if this one has no
    /// buckets.
    #[must_use]
    pub fn after_key(&self) -> Option<serde_json::Value> {
        if self.items("buckets").is_empty() {
            return None;
        }
        let json = |(name, value): (String, Value)| {
            let value = match value {
                Value::Nil => serde_json::Value::Null,
                Value::Int(int) => int.into(),
                other => text(&other)?.into(),
            };
            Some((name, value))
        };
        self.part("afterKey")?.0.into_iter().map(json).collect::<Option<serde_json::Map<_, _>>>().map(Into::into)
    }

    /// Returns the categories of `$facet`.
    #[must_use]
    pub fn facets(&self) -> Vec<FacetValue> {
        self.items("children").iter().filter_map(Aggregate::of).map(FacetValue).collect()
    }

    fn of(value: &Value) -> Option<Self> {
        let Value::Array(items) = value else { return None };
        let part = |pair: &[Value]| match pair {
            [Value::Bytes(name), value] => Some((String::from_utf8_lossy(name).into_owned(), value.clone())),
            _ => None,
        };
        items.chunks(2).map(part).collect::<Option<_>>().map(Aggregate)
    }

    fn items(&self, name: &str) -> &[Value] {
        match self.get(name) {
            Some(Value::Array(items)) => items,
            _ => &[],
        }
    }

    fn count(&self) -> u64 {
        match self.get("docCount") {
            Some(Value::Int(count)) => u64::try_from(*count).unwrap_or_default(),
            other => other.and_then(text).and_then(|count| count.parse().ok()).unwrap_or_default(),
        }
    }
}

/// A group of documents with a common value or range.
#[derive(Debug, Clone, PartialEq)]
pub struct Bucket(Aggregate);

impl Bucket {
    /// Makes a bucket of a name and values, among which the name can be missing.
    fn keyed(pair: &[Value]) -> Option<Self> {
        let [name, values] = pair else { return None };
        let mut bucket = Aggregate::of(values)?;
        if bucket.get("key").is_none() {
            bucket.0.push(("key".to_owned(), name.clone()));
        }
        Some(Bucket(bucket))
    }

    /// Returns the value, or the name of the range. It is empty for `$composite`, whose keys have
    /// [parts](super::Aggregation::composite).
    #[must_use]
    pub fn key(&self) -> String {
        self.0.get("key").and_then(text).unwrap_or_default()
    }

    /// Returns the number of documents.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.0.count()
    }

    /// Returns the result of a nested aggregation.
    #[must_use]
    pub fn aggregate(&self, name: &str) -> Option<Aggregate> {
        self.0.part(name)
    }

    /// Returns all values of the bucket, such as `from` and `to` of a range.
    #[must_use]
    pub fn fields(&self) -> &Aggregate {
        &self.0
    }
}

/// A category of a facet.
#[derive(Debug, Clone, PartialEq)]
pub struct FacetValue(Aggregate);

impl FacetValue {
    /// Returns the path, such as `/electronics/audio`.
    #[must_use]
    pub fn path(&self) -> String {
        self.0.get("path").and_then(text).unwrap_or_default()
    }

    /// Returns the number of documents.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.0.count()
    }

    /// Returns the categories below it.
    #[must_use]
    pub fn facets(&self) -> Vec<FacetValue> {
        self.0.facets()
    }
}

fn number(value: &Value) -> Option<f64> {
    text(value)?.parse().ok()
}

fn text(value: &Value) -> Option<String> {
    match value {
        Value::Int(int) => Some(int.to_string()),
        Value::Bytes(bytes) => Some(String::from_utf8_lossy(bytes).into_owned()),
        _ => None,
    }
}
