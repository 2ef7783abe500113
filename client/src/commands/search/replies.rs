//! What the commands on search indexes reply.

use serde::de::DeserializeOwned;

use super::document;
use crate::commands::info::Info;
use crate::error::Result;
use crate::reply::{FromReply, Reply, Shape, Value};

/// A document that a query found.
#[derive(Debug, Clone, PartialEq)]
pub struct SearchHit<D> {
    /// Its key.
    pub key: String,
    /// How well it fits.
    pub score: f64,
    /// The document, or what was selected of it.
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

/// An index.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SearchIndex {
    /// Its name.
    pub name: String,
    /// What it is over: `JSON`, `HASH`, `STRING` or `STREAM`.
    pub kind: String,
    /// What the keys begin with.
    pub prefixes: Vec<String>,
    /// The language of its texts.
    pub language: Option<String>,
    /// How many bytes it has.
    pub size: Option<u64>,
    /// How many changes are not in it yet.
    pub pending_updates: Option<u64>,
    /// Its fields.
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
pub struct SearchField {
    /// Its name, or path.
    pub name: String,
    /// Its type: `TEXT`, `F64`.
    pub kind: String,
    /// `FAST`, `NOSTEM`, `NOTOKENIZE`.
    pub flags: Vec<String>,
    /// The field of the document that it is taken from, if that has another name.
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

/// Aliases and their indexes; 0 when there are none.
pub(super) fn aliases(reply: Reply<'_>) -> Result<Vec<(String, String)>> {
    match reply.shape() {
        Shape::Int(0) => Ok(Vec::new()),
        _ => Vec::from_reply(reply),
    }
}

/// Names and types of indexes.
pub(super) fn indexes(reply: Reply<'_>) -> Result<Vec<(String, String)>> {
    let index = |reply| {
        let info = Info::of(reply)?;
        Ok((info.get("name")?, info.get("type")?))
    };
    reply.array()?.map(index).collect()
}

/// The results of aggregations, by their names.
#[derive(Debug, Clone, PartialEq)]
pub struct Aggregates(Aggregate);

impl Aggregates {
    /// The result of this name.
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

/// The result of one aggregation: names and values, to be read by what was asked for.
#[derive(Debug, Clone, PartialEq)]
pub struct Aggregate(Vec<(String, Value)>);

impl FromReply for Aggregate {
    fn from_reply(reply: Reply<'_>) -> Result<Self> {
        let part = |(name, value): (Reply<'_>, Reply<'_>)| Ok((String::from_reply(name)?, Value::from(value)));
        reply.pairs()?.map(part).collect::<Result<_>>().map(Aggregate)
    }
}

impl Aggregate {
    /// The value of this name as it came.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.0.iter().find(|(found, _)| found == name).map(|(_, value)| value)
    }

    /// The number of this name: `min` of `$stats`, `stdDeviation` of `$extendedStats`.
    #[must_use]
    pub fn number(&self, name: &str) -> Option<f64> {
        number(self.get(name)?)
    }

    /// The one value of `$avg`, `$sum`, `$min`, `$max`, `$count` and `$cardinality`; `None` over no documents.
    #[must_use]
    pub fn value(&self) -> Option<f64> {
        self.number("value")
    }

    /// The values of this name, which have names of their own: `stdDeviationBounds` of `$extendedStats`.
    #[must_use]
    pub fn part(&self, name: &str) -> Option<Aggregate> {
        Aggregate::of(self.get(name)?)
    }

    /// The percents of `$percentiles` and their values.
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

    /// The buckets of `$terms`, `$range`, `$histogram`, `$dateHistogram` and `$composite`.
    #[must_use]
    pub fn buckets(&self) -> Vec<Bucket> {
        self.list("buckets").map(Bucket).collect()
    }

    /// The categories that `$facet` found.
    #[must_use]
    pub fn facets(&self) -> Vec<FacetValue> {
        self.list("children").map(FacetValue).collect()
    }

    fn of(value: &Value) -> Option<Self> {
        let Value::Array(items) = value else { return None };
        let part = |pair: &[Value]| match pair {
            [Value::Bytes(name), value] => Some((String::from_utf8_lossy(name).into_owned(), value.clone())),
            _ => None,
        };
        items.chunks(2).map(part).collect::<Option<_>>().map(Aggregate)
    }

    fn list(&self, name: &str) -> impl Iterator<Item = Aggregate> {
        let items = match self.get(name) {
            Some(Value::Array(items)) => items.as_slice(),
            _ => &[],
        };
        items.iter().filter_map(Aggregate::of)
    }

    fn count(&self) -> u64 {
        match self.get("docCount") {
            Some(Value::Int(count)) => u64::try_from(*count).unwrap_or_default(),
            other => other.and_then(text).and_then(|count| count.parse().ok()).unwrap_or_default(),
        }
    }
}

/// Documents that have a value in common.
#[derive(Debug, Clone, PartialEq)]
pub struct Bucket(Aggregate);

impl Bucket {
    /// The value, or the range's name.
    #[must_use]
    pub fn key(&self) -> String {
        self.0.get("key").and_then(text).unwrap_or_default()
    }

    /// How many documents there are.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.0.count()
    }

    /// The aggregation of this name over them.
    #[must_use]
    pub fn aggregate(&self, name: &str) -> Option<Aggregate> {
        self.0.part(name)
    }

    /// All that came: `from` and `to` of a range.
    #[must_use]
    pub fn fields(&self) -> &Aggregate {
        &self.0
    }
}

/// A category.
#[derive(Debug, Clone, PartialEq)]
pub struct FacetValue(Aggregate);

impl FacetValue {
    /// Its path: `/electronics/audio`.
    #[must_use]
    pub fn path(&self) -> String {
        self.0.get("path").and_then(text).unwrap_or_default()
    }

    /// How many documents it has.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.0.count()
    }

    /// The categories below it.
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
