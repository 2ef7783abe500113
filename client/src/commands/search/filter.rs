//! Which documents a query matches.

use serde::Serialize;
use serde::ser::Error as _;
use serde_json::{Map, Value};

use crate::command::{Args, ToArgs};

/// Which documents a query matches. All conditions of one filter must hold. An empty filter matches every document.
///
/// For a condition without a method, make the filter from JSON: `SearchFilter::from(json!({..}))`.
///
/// ```no_run
/// # async fn example(redis: redis_rest::Redis) -> redis_rest::Result<()> {
/// use redis_rest::SearchCommands;
/// use redis_rest::commands::search::SearchFilter;
///
/// let filter = SearchFilter::new()
///     .matches("name", "wireless headphones")
///     .gte("price", 10)
///     .lte("price", 99.5)
///     .or([SearchFilter::new().eq("inStock", true), SearchFilter::new().gt("rating", 4)]);
/// println!("{:?} products", redis.search_count("products", &filter).await?);
///
/// // The same operator twice on one field is `InvalidInput`: use `and`.
/// let twice = SearchFilter::new().gt("price", 10).gt("price", 20);
/// assert!(redis.search_count("products", &twice).await.unwrap_err().is_invalid_input());
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct SearchFilter {
    json: Value,
    problem: Option<String>,
}

impl Default for SearchFilter {
    fn default() -> Self {
        SearchFilter::new()
    }
}

impl SearchFilter {
    /// Matches every document.
    #[must_use]
    pub fn new() -> Self {
        SearchFilter { json: Value::Object(Map::new()), problem: None }
    }

    /// Matches text in the way that the service considers best, and other fields if they are equal.
    #[must_use]
    pub fn matches(self, field: &str, value: impl Serialize) -> Self {
        match serde_json::to_value(value) {
            Ok(value) => self.insert(field, value),
            Err(error) => self.reject(format!("the value of `{field}` cannot be written as JSON: {error}")),
        }
    }

    /// Matches an equal value: `$eq`.
    #[must_use]
    pub fn eq(self, field: &str, value: impl Serialize) -> Self {
        self.operator(field, "$eq", value)
    }

    /// Matches any of several values: `$in`.
    #[must_use]
    pub fn one_of(self, field: &str, values: impl IntoIterator<Item = impl Serialize>) -> Self {
        self.operator(field, "$in", values.into_iter().collect::<Vec<_>>())
    }

    /// Matches a greater value: `$gt`.
    #[must_use]
    pub fn gt(self, field: &str, value: impl Serialize) -> Self {
        self.operator(field, "$gt", value)
    }

    /// Matches a greater or equal value: `$gte`.
    #[must_use]
    pub fn gte(self, field: &str, value: impl Serialize) -> Self {
        self.operator(field, "$gte", value)
    }

    /// Matches a smaller value: `$lt`.
    #[must_use]
    pub fn lt(self, field: &str, value: impl Serialize) -> Self {
        self.operator(field, "$lt", value)
    }

    /// Matches a smaller or equal value: `$lte`.
    #[must_use]
    pub fn lte(self, field: &str, value: impl Serialize) -> Self {
        self.operator(field, "$lte", value)
    }

    /// Matches words in the way that the service considers best: `$smart`.
    #[must_use]
    pub fn smart(self, field: &str, words: &str) -> Self {
        self.operator(field, "$smart", words)
    }

    /// Matches these words in a row: `$phrase`.
    #[must_use]
    pub fn phrase(self, field: &str, words: &str) -> Self {
        self.operator(field, "$phrase", words)
    }

    /// Matches these words, with up to `slop` other words in between: `$phrase`.
    #[must_use]
    pub fn phrase_slop(self, field: &str, words: &str, slop: u32) -> Self {
        self.operator(field, "$phrase", serde_json::json!({ "value": words, "slop": slop }))
    }

    /// Matches these words in a row, the last of which may be the start of a longer word: `$phrase`.
    #[must_use]
    pub fn phrase_prefix(self, field: &str, words: &str) -> Self {
        self.operator(field, "$phrase", serde_json::json!({ "value": words, "prefix": true }))
    }

    /// Matches a word despite typing errors: `$fuzzy`. See [`SearchFuzzy`] for an example.
    #[must_use]
    pub fn fuzzy(self, field: &str, word: impl Into<SearchFuzzy>) -> Self {
        self.operator(field, "$fuzzy", word.into().0)
    }

    /// Matches words by a regular expression: `$regex`.
    #[must_use]
    pub fn regex(self, field: &str, pattern: &str) -> Self {
        self.operator(field, "$regex", pattern)
    }

    /// Multiplies what a field adds to the score by `factor`: `$boost` among the field's operators.
    #[must_use]
    pub fn boost_field(self, field: &str, factor: f64) -> Self {
        self.operator(field, "$boost", factor)
    }

    /// Multiplies what this filter adds to the score by `factor`: `$boost`.
    #[must_use]
    pub fn boost(self, factor: f64) -> Self {
        self.matches("$boost", factor)
    }

    /// Requires all of these filters: `$and`.
    #[must_use]
    pub fn and(self, filters: impl Into<Filters>) -> Self {
        self.node("$and", filters)
    }

    /// Requires at least one of these filters: `$or`.
    #[must_use]
    pub fn or(self, filters: impl Into<Filters>) -> Self {
        self.node("$or", filters)
    }

    /// Requires all of these filters: `$must`.
    #[must_use]
    pub fn must(self, filters: impl Into<Filters>) -> Self {
        self.node("$must", filters)
    }

    /// Increases the score with each of these filters that matches: `$should`. Without [`must`](Self::must), at least
    /// one is required.
    #[must_use]
    pub fn should(self, filters: impl Into<Filters>) -> Self {
        self.node("$should", filters)
    }

    /// Excludes the documents that one of these filters matches: `$mustNot`. It finds nothing on its own: another
    /// condition must include documents.
    ///
    /// ```
    /// use redis_rest::commands::search::SearchFilter;
    ///
    /// let not_free = SearchFilter::new().matches("name", "headphones").must_not(SearchFilter::new().eq("price", 0));
    /// ```
    #[must_use]
    pub fn must_not(self, filters: impl Into<Filters>) -> Self {
        self.node("$mustNot", filters)
    }

    fn node(mut self, name: &str, filters: impl Into<Filters>) -> Self {
        let Filters { json, problem } = filters.into();
        self.problem = self.problem.or(problem);
        self.insert(name, json)
    }

    fn operator(mut self, field: &str, operator: &str, value: impl Serialize) -> Self {
        let value = match serde_json::to_value(value) {
            Ok(value) => value,
            Err(error) => {
                return self.reject(format!("the value of `{field}` cannot be written as JSON: {error}"));
            }
        };
        let operators = match &mut self.json {
            Value::Object(fields) => fields.entry(field).or_insert_with(|| Value::Object(Map::new())),
            _ => return self.reject("a filter is a JSON object".to_owned()),
        };
        match operators {
            Value::Object(operators) if operators.get(operator).is_none() => {
                operators.insert(operator.to_owned(), value);
                self
            }
            Value::Object(_) => self.reject(format!("`{field}` has {operator} twice; put one of them into an `and`")),
            _ => {
                self.reject(format!("`{field}` has both a value to match and operators; put one of them into an `and`"))
            }
        }
    }

    fn insert(mut self, name: &str, value: Value) -> Self {
        let Value::Object(fields) = &mut self.json else {
            return self.reject("a filter is a JSON object".to_owned());
        };
        if fields.insert(name.to_owned(), value).is_some() {
            return self.reject(format!("the filter has `{name}` twice; put one of them into an `and`"));
        }
        self
    }

    fn reject(mut self, why: String) -> Self {
        self.problem.get_or_insert(why);
        self
    }
}

impl From<Value> for SearchFilter {
    fn from(json: Value) -> Self {
        let problem = (!json.is_object()).then(|| "a filter is a JSON object".to_owned());
        SearchFilter { json, problem }
    }
}

impl Serialize for SearchFilter {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match &self.problem {
            None => self.json.serialize(serializer),
            Some(why) => Err(S::Error::custom(why)),
        }
    }
}

impl ToArgs for SearchFilter {
    fn write_args(&self, args: &mut Args) {
        if let Some(why) = &self.problem {
            args.reject(why.clone());
        }
        args.push(self.json.to_string());
    }
}

/// One filter, or several.
#[derive(Debug, Clone)]
pub struct Filters {
    json: Value,
    problem: Option<String>,
}

impl From<SearchFilter> for Filters {
    fn from(SearchFilter { json, problem }: SearchFilter) -> Self {
        Filters { json, problem }
    }
}

impl From<Vec<SearchFilter>> for Filters {
    fn from(filters: Vec<SearchFilter>) -> Self {
        let problem = match filters.is_empty() {
            true => Some("a list of filters needs at least one filter".to_owned()),
            false => filters.iter().find_map(|filter| filter.problem.clone()),
        };
        Filters { json: filters.into_iter().map(|filter| filter.json).collect(), problem }
    }
}

impl<const N: usize> From<[SearchFilter; N]> for Filters {
    fn from(filters: [SearchFilter; N]) -> Self {
        Filters::from(Vec::from(filters))
    }
}

/// A word, and how far a matching word may differ from it.
///
/// ```
/// use redis_rest::commands::search::{SearchFilter, SearchFuzzy};
///
/// // Finds "headphone" too.
/// let filter = SearchFilter::new().fuzzy("name", SearchFuzzy::new("haedphnoe").distance(2));
/// ```
#[derive(Debug, Clone)]
pub struct SearchFuzzy(Value);

impl From<&str> for SearchFuzzy {
    /// Allows one typing error: a letter that is missing, extra or different, or two adjacent letters in the wrong
    /// order.
    fn from(word: &str) -> Self {
        SearchFuzzy(word.into())
    }
}

impl SearchFuzzy {
    /// Matches words that are similar to `word`.
    #[must_use]
    pub fn new(word: &str) -> Self {
        SearchFuzzy(serde_json::json!({ "value": word }))
    }

    /// Sets how many letters may differ: 1 or 2.
    #[must_use]
    pub fn distance(self, distance: u8) -> Self {
        self.with("distance", distance.into())
    }

    /// Counts two adjacent letters in the wrong order as one difference.
    #[must_use]
    pub fn transposition_cost_one(self) -> Self {
        self.with("transpositionCostOne", true.into())
    }

    /// Counts two adjacent letters in the wrong order as two differences.
    #[must_use]
    pub fn transposition_cost_two(self) -> Self {
        self.with("transpositionCostOne", false.into())
    }

    /// Matches words that start with a similar word too.
    #[must_use]
    pub fn prefix(self) -> Self {
        self.with("prefix", true.into())
    }

    fn with(self, name: &str, value: Value) -> Self {
        let mut options = match self.0 {
            Value::Object(options) => options,
            word => Map::from_iter([("value".to_owned(), word)]),
        };
        options.insert(name.to_owned(), value);
        SearchFuzzy(Value::Object(options))
    }
}
