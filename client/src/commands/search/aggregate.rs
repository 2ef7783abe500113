//! What to compute over the documents that a filter matches.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::{Map, Value};

use crate::command::{Args, ToArgs};

/// Aggregations by the names of their results.
///
/// ```no_run
/// # async fn example(redis: redis_rest::Redis) -> redis_rest::Result<()> {
/// use redis_rest::SearchCommands;
/// use redis_rest::commands::search::{Aggregation, Aggregations, SearchFilter};
///
/// let aggregations = Aggregations::new()
///     .with("average", Aggregation::avg("price"))
///     .with("categories", Aggregation::terms("category").option("size", 5).nested("dearest", Aggregation::max("price")));
/// let all = SearchFilter::new();
/// if let Some(results) = redis.search_aggregate("products", &all, &aggregations).await? {
///     println!("average price: {:?}", results.get("average").and_then(|average| average.value()));
///     for category in results.get("categories").map(|terms| terms.buckets()).unwrap_or_default() {
///         let dearest = category.aggregate("dearest").and_then(|dearest| dearest.value());
///         println!("{}: {} products, up to {dearest:?}", category.key(), category.count());
///     }
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, Default)]
pub struct Aggregations {
    json: Map<String, Value>,
    problem: Option<String>,
}

impl Aggregations {
    /// No aggregations.
    #[must_use]
    pub fn new() -> Self {
        Aggregations::default()
    }

    /// Adds an aggregation under the name of its result.
    #[must_use]
    pub fn with(mut self, name: impl Into<String>, aggregation: Aggregation) -> Self {
        let Aggregation { operator, options, nested } = aggregation;
        let mut json = Map::from_iter([(operator.to_owned(), Value::Object(options.json))]);
        self.problem = self.problem.or(options.problem).or(nested.problem);
        if !nested.json.is_empty() {
            json.insert("$aggs".to_owned(), Value::Object(nested.json));
        }
        let name = name.into();
        if self.json.contains_key(&name) {
            self.problem.get_or_insert_with(|| format!("two aggregations have the name `{name}`"));
        }
        self.json.insert(name, Value::Object(json));
        self
    }
}

impl ToArgs for Aggregations {
    fn write_args(&self, args: &mut Args) {
        if let Some(why) = &self.problem {
            args.reject(why.clone());
        }
        if self.json.is_empty() {
            args.reject("needs at least one aggregation");
        }
        args.push(Value::Object(self.json.clone()).to_string());
    }
}

/// One aggregation. Its field must be a fast, keyword or facet field.
#[derive(Debug, Clone)]
pub struct Aggregation {
    operator: &'static str,
    options: Aggregations,
    nested: Aggregations,
}

impl Aggregation {
    fn of_field(operator: &'static str, field: &str) -> Self {
        let json = Map::from_iter([("field".to_owned(), field.into())]);
        Aggregation { operator, options: Aggregations { json, problem: None }, nested: Aggregations::new() }
    }

    /// Computes the average: `$avg`.
    #[must_use]
    pub fn avg(field: &str) -> Self {
        Aggregation::of_field("$avg", field)
    }

    /// Computes the sum: `$sum`.
    #[must_use]
    pub fn sum(field: &str) -> Self {
        Aggregation::of_field("$sum", field)
    }

    /// Finds the smallest value: `$min`.
    #[must_use]
    pub fn min(field: &str) -> Self {
        Aggregation::of_field("$min", field)
    }

    /// Finds the greatest value: `$max`.
    #[must_use]
    pub fn max(field: &str) -> Self {
        Aggregation::of_field("$max", field)
    }

    /// Counts the values: `$count`.
    #[must_use]
    pub fn count(field: &str) -> Self {
        Aggregation::of_field("$count", field)
    }

    /// Estimates the number of different values: `$cardinality`.
    #[must_use]
    pub fn cardinality(field: &str) -> Self {
        Aggregation::of_field("$cardinality", field)
    }

    /// Computes the count, minimum, maximum, sum and average: `$stats`.
    #[must_use]
    pub fn stats(field: &str) -> Self {
        Aggregation::of_field("$stats", field)
    }

    /// As [`stats`](Self::stats), with the variance and the standard deviation: `$extendedStats`.
    #[must_use]
    pub fn extended_stats(field: &str) -> Self {
        Aggregation::of_field("$extendedStats", field)
    }

    /// Computes percentiles, such as the 50th and 99th: `$percentiles`.
    #[must_use]
    pub fn percentiles(field: &str, percents: impl Serialize) -> Self {
        Aggregation::of_field("$percentiles", field).option("percents", percents)
    }

    /// Makes a bucket for each of the most frequent values: `$terms`.
    #[must_use]
    pub fn terms(field: &str) -> Self {
        Aggregation::of_field("$terms", field)
    }

    /// Makes a bucket for each range. A range includes its start and excludes its end; `None` leaves it open:
    /// `$range`.
    #[must_use]
    pub fn range<T: Serialize>(field: &str, ranges: impl IntoIterator<Item = (Option<T>, Option<T>)>) -> Self {
        let range = |(from, to): (Option<T>, Option<T>)| {
            [("from", from), ("to", to)].into_iter().filter(|(_, bound)| bound.is_some()).collect()
        };
        let ranges: Vec<BTreeMap<_, _>> = ranges.into_iter().map(range).collect();
        Aggregation::of_field("$range", field).option("ranges", ranges)
    }

    /// Makes a bucket for each `interval` of values: `$histogram`.
    #[must_use]
    pub fn histogram(field: &str, interval: impl Serialize) -> Self {
        Aggregation::of_field("$histogram", field).option("interval", interval)
    }

    /// Makes a bucket for each interval of time, such as `1d`: `$dateHistogram`.
    #[must_use]
    pub fn date_histogram(field: &str, fixed_interval: &str) -> Self {
        Aggregation::of_field("$dateHistogram", field).option("fixedInterval", fixed_interval)
    }

    /// Counts the documents of each category below a path: `$facet`.
    #[must_use]
    pub fn facet(field: &str, path: &str) -> Self {
        Aggregation::of_field("$facet", field).option("path", path)
    }

    /// Makes a bucket for each combination of the values of several sources, in pages:
    /// [`$composite`](https://upstash.com/docs/redis/search/aggregation-operators/bucket-aggregations/composite).
    ///
    /// Each source has a name, and groups by `$terms`, `$histogram` or `$dateHistogram`. A page has 10 buckets, or as many
    /// as the option `size` says. For the next page, pass [`Aggregate::after_key`](super::Aggregate::after_key) as the
    /// option `after`. No official SDK has a type for it.
    ///
    /// ```no_run
    /// # async fn example(redis: redis_rest::Redis) -> redis_rest::Result<()> {
    /// use redis_rest::SearchCommands;
    /// use redis_rest::commands::search::{Aggregation, Aggregations, SearchFilter};
    /// use serde_json::json;
    ///
    /// let mut page = Aggregation::composite(json!([
    ///     {"category": {"$terms": {"field": "category"}}},
    ///     {"price": {"$histogram": {"field": "price", "interval": 10}}},
    /// ]));
    /// loop {
    ///     let aggregations = Aggregations::new().with("groups", page.clone());
    ///     let results = redis.search_aggregate("products", &SearchFilter::new(), &aggregations).await?;
    ///     let Some(groups) = results.and_then(|results| results.get("groups")) else { break };
    ///     for bucket in groups.buckets() {
    ///         let source = |name| bucket.fields().part("key")?.text(name);
    ///         println!("{:?} from {:?}: {}", source("category"), source("price"), bucket.count());
    ///     }
    ///     let Some(after) = groups.after_key() else { break };
    ///     page = page.option("after", after);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn composite(sources: impl Serialize) -> Self {
        let none = Aggregations::new();
        Aggregation { operator: "$composite", options: none.clone(), nested: none }.option("sources", sources)
    }

    /// Sets an option of the operator by its documented name: `missing`, `size`, `order`.
    #[must_use]
    pub fn option(mut self, name: &str, value: impl Serialize) -> Self {
        match serde_json::to_value(value) {
            Ok(value) => {
                self.options.json.insert(name.to_owned(), value);
            }
            Err(error) => {
                let why = format!("the option `{name}` cannot be written as JSON: {error}");
                self.options.problem.get_or_insert(why);
            }
        }
        self
    }

    /// Adds an aggregation over the documents of each bucket: `$aggs`.
    #[must_use]
    pub fn nested(mut self, name: impl Into<String>, aggregation: Aggregation) -> Self {
        self.nested = self.nested.with(name, aggregation);
        self
    }
}
