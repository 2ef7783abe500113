//! What to compute over the documents that a filter matches.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::{Map, Value};

use crate::command::{Args, ToArgs};

/// Aggregations by the names that their results will have.
///
/// ```
/// use redis_rest::commands::search::{Aggregation, Aggregations, SearchFilter};
/// use redis_rest::{Build, SearchCommands};
///
/// let aggregations = Aggregations::new()
///     .with("average", Aggregation::avg("price"))
///     .with("categories", Aggregation::terms("category").option("size", 5).nested("dearest", Aggregation::max("price")));
/// assert_eq!(
///     Build.search_aggregate("products", &SearchFilter::new(), &aggregations).args()[3],
///     r#"{"average":{"$avg":{"field":"price"}},"categories":{"$aggs":{"dearest":{"$max":{"field":"price"}}},"$terms":{"field":"category","size":5}}}"#,
/// );
/// ```
#[derive(Debug, Clone, Default)]
pub struct Aggregations {
    json: Map<String, Value>,
    problem: Option<String>,
}

impl Aggregations {
    /// None yet.
    #[must_use]
    pub fn new() -> Self {
        Aggregations::default()
    }

    /// One more, and the name of its result.
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

/// One thing to compute. Fields are to be fast, keywords or facets.
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

    /// The average: `$avg`.
    #[must_use]
    pub fn avg(field: &str) -> Self {
        Aggregation::of_field("$avg", field)
    }

    /// The sum: `$sum`.
    #[must_use]
    pub fn sum(field: &str) -> Self {
        Aggregation::of_field("$sum", field)
    }

    /// The least: `$min`.
    #[must_use]
    pub fn min(field: &str) -> Self {
        Aggregation::of_field("$min", field)
    }

    /// The greatest: `$max`.
    #[must_use]
    pub fn max(field: &str) -> Self {
        Aggregation::of_field("$max", field)
    }

    /// How many values there are: `$count`.
    #[must_use]
    pub fn count(field: &str) -> Self {
        Aggregation::of_field("$count", field)
    }

    /// About how many different values there are: `$cardinality`.
    #[must_use]
    pub fn cardinality(field: &str) -> Self {
        Aggregation::of_field("$cardinality", field)
    }

    /// Count, least, greatest, sum and average: `$stats`.
    #[must_use]
    pub fn stats(field: &str) -> Self {
        Aggregation::of_field("$stats", field)
    }

    /// The same, with variance and standard deviation: `$extendedStats`.
    #[must_use]
    pub fn extended_stats(field: &str) -> Self {
        Aggregation::of_field("$extendedStats", field)
    }

    /// The values that so many percent of all are not above: `$percentiles`.
    #[must_use]
    pub fn percentiles(field: &str, percents: impl Serialize) -> Self {
        Aggregation::of_field("$percentiles", field).option("percents", percents)
    }

    /// A bucket for each of the most frequent values: `$terms`.
    #[must_use]
    pub fn terms(field: &str) -> Self {
        Aggregation::of_field("$terms", field)
    }

    /// A bucket for each range, from where it begins to before it ends; `None` where it does not: `$range`.
    #[must_use]
    pub fn range<T: Serialize>(field: &str, ranges: impl IntoIterator<Item = (Option<T>, Option<T>)>) -> Self {
        let range = |(from, to): (Option<T>, Option<T>)| {
            [("from", from), ("to", to)].into_iter().filter(|(_, bound)| bound.is_some()).collect()
        };
        let ranges: Vec<BTreeMap<_, _>> = ranges.into_iter().map(range).collect();
        Aggregation::of_field("$range", field).option("ranges", ranges)
    }

    /// A bucket for each `interval` of values: `$histogram`.
    #[must_use]
    pub fn histogram(field: &str, interval: impl Serialize) -> Self {
        Aggregation::of_field("$histogram", field).option("interval", interval)
    }

    /// A bucket for each interval of time, `1d`: `$dateHistogram`.
    #[must_use]
    pub fn date_histogram(field: &str, fixed_interval: &str) -> Self {
        Aggregation::of_field("$dateHistogram", field).option("fixedInterval", fixed_interval)
    }

    /// How many documents each category below a path has: `$facet`.
    #[must_use]
    pub fn facet(field: &str, path: &str) -> Self {
        Aggregation::of_field("$facet", field).option("path", path)
    }

    /// A bucket for each combination of values, page by page: `$composite`.
    #[must_use]
    pub fn composite(sources: impl Serialize) -> Self {
        let none = Aggregations::new();
        Aggregation { operator: "$composite", options: none.clone(), nested: none }.option("sources", sources)
    }

    /// An option of the operator by its name in the documentation: `missing`, `size`, `order`.
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

    /// One more aggregation, over the documents of each bucket: `$aggs`.
    #[must_use]
    pub fn nested(mut self, name: impl Into<String>, aggregation: Aggregation) -> Self {
        self.nested = self.nested.with(name, aggregation);
        self
    }
}
