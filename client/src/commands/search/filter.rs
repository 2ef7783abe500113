//! Which documents a query is about.

use serde::Serialize;
use serde::ser::Error as _;
use serde_json::{Map, Value};

use crate::command::{Args, ToArgs};

/// Which documents a query is about. What one filter asks for must all hold; without anything it matches every document.
///
/// A filter that this does not cover can be made of JSON: `SearchFilter::from(json!({..}))`.
///
/// ```
/// use redis_rest::commands::search::SearchFilter;
///
/// let filter = SearchFilter::new()
///     .matches("name", "wireless headphones")
///     .gte("price", 10)
///     .lte("price", 99.5)
///     .or([SearchFilter::new().eq("inStock", true), SearchFilter::new().gt("rating", 4)]);
/// assert_eq!(
///     serde_json::to_string(&filter).unwrap(),
///     r#"{"$or":[{"inStock":{"$eq":true}},{"rating":{"$gt":4}}],"name":"wireless headphones","price":{"$gte":10,"$lte":99.5}}"#,
/// );
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
    /// Every document.
    #[must_use]
    pub fn new() -> Self {
        SearchFilter { json: Value::Object(Map::new()), problem: None }
    }

    /// Texts that match in the ways that the service finds best; other fields that are equal.
    #[must_use]
    pub fn matches(self, field: &str, value: impl Serialize) -> Self {
        match serde_json::to_value(value) {
            Ok(value) => self.insert(field, value),
            Err(error) => self.reject(format!("the value of `{field}` cannot be written as JSON: {error}")),
        }
    }

    /// Equal: `$eq`.
    #[must_use]
    pub fn eq(self, field: &str, value: impl Serialize) -> Self {
        self.operator(field, "$eq", value)
    }

    /// Not equal, beside something that is: `$ne`.
    #[must_use]
    pub fn ne(self, field: &str, value: impl Serialize) -> Self {
        self.operator(field, "$ne", value)
    }

    /// Equal to one of several: `$in`.
    #[must_use]
    pub fn one_of(self, field: &str, values: impl IntoIterator<Item = impl Serialize>) -> Self {
        self.operator(field, "$in", values.into_iter().collect::<Vec<_>>())
    }

    /// Greater: `$gt`.
    #[must_use]
    pub fn gt(self, field: &str, value: impl Serialize) -> Self {
        self.operator(field, "$gt", value)
    }

    /// Greater or equal: `$gte`.
    #[must_use]
    pub fn gte(self, field: &str, value: impl Serialize) -> Self {
        self.operator(field, "$gte", value)
    }

    /// Less: `$lt`.
    #[must_use]
    pub fn lt(self, field: &str, value: impl Serialize) -> Self {
        self.operator(field, "$lt", value)
    }

    /// Less or equal: `$lte`.
    #[must_use]
    pub fn lte(self, field: &str, value: impl Serialize) -> Self {
        self.operator(field, "$lte", value)
    }

    /// In the ways that the service finds best: `$smart`.
    #[must_use]
    pub fn smart(self, field: &str, words: &str) -> Self {
        self.operator(field, "$smart", words)
    }

    /// These words in a row: `$phrase`.
    #[must_use]
    pub fn phrase(self, field: &str, words: &str) -> Self {
        self.operator(field, "$phrase", words)
    }

    /// These words, with up to `slop` others in between: `$phrase`.
    #[must_use]
    pub fn phrase_slop(self, field: &str, words: &str, slop: u32) -> Self {
        self.operator(field, "$phrase", serde_json::json!({ "value": words, "slop": slop }))
    }

    /// These words in a row, of which the last may go on: `$phrase`.
    #[must_use]
    pub fn phrase_prefix(self, field: &str, words: &str) -> Self {
        self.operator(field, "$phrase", serde_json::json!({ "value": words, "prefix": true }))
    }

    /// A word up to some misspelled letters: `$fuzzy`.
    #[must_use]
    pub fn fuzzy(self, field: &str, word: impl Into<SearchFuzzy>) -> Self {
        self.operator(field, "$fuzzy", word.into().0)
    }

    /// A word that matches a regular expression: `$regex`.
    #[must_use]
    pub fn regex(self, field: &str, pattern: &str) -> Self {
        self.operator(field, "$regex", pattern)
    }

    /// Makes a field's part in the score so many times as great: `$boost` beside the field's operators.
    #[must_use]
    pub fn boost_field(self, field: &str, factor: f64) -> Self {
        self.operator(field, "$boost", factor)
    }

    /// Makes this filter's part in the score so many times as great: `$boost`.
    #[must_use]
    pub fn boost(self, factor: f64) -> Self {
        self.matches("$boost", factor)
    }

    /// All of these: `$and`.
    #[must_use]
    pub fn and(self, filters: impl Into<Filters>) -> Self {
        self.node("$and", filters)
    }

    /// At least one of these: `$or`.
    #[must_use]
    pub fn or(self, filters: impl Into<Filters>) -> Self {
        self.node("$or", filters)
    }

    /// All of these: `$must`.
    #[must_use]
    pub fn must(self, filters: impl Into<Filters>) -> Self {
        self.node("$must", filters)
    }

    /// The more of these the better; at least one, without [`must`](Self::must): `$should`.
    #[must_use]
    pub fn should(self, filters: impl Into<Filters>) -> Self {
        self.node("$should", filters)
    }

    /// None of these: `$mustNot`.
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
            Value::Object(_) => self.reject(format!("`{field}` has {operator} twice: put one of them into an `and`")),
            _ => self.reject(format!("`{field}` has a value to match and operators: put one of them into an `and`")),
        }
    }

    fn insert(mut self, name: &str, value: Value) -> Self {
        let Value::Object(fields) = &mut self.json else {
            return self.reject("a filter is a JSON object".to_owned());
        };
        if fields.insert(name.to_owned(), value).is_some() {
            return self.reject(format!("the filter has `{name}` twice: put one of them into an `and`"));
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
            true => Some("a list of filters needs at least one".to_owned()),
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

/// A word, and how far from it another may be.
#[derive(Debug, Clone)]
pub struct SearchFuzzy(Value);

impl From<&str> for SearchFuzzy {
    /// One letter missing, too many or another, or two changed over.
    fn from(word: &str) -> Self {
        SearchFuzzy(word.into())
    }
}

impl SearchFuzzy {
    /// A word and what is like it.
    #[must_use]
    pub fn new(word: &str) -> Self {
        SearchFuzzy(serde_json::json!({ "value": word }))
    }

    /// How many letters may differ: 1 or 2.
    #[must_use]
    pub fn distance(self, distance: u8) -> Self {
        self.with("distance", distance.into())
    }

    /// Whether two letters changed over count as one that differs, and not as two.
    #[must_use]
    pub fn transposition_cost_one(self) -> Self {
        self.with("transpositionCostOne", true.into())
    }

    /// x
    #[must_use]
    pub fn transposition_cost_two(self) -> Self {
        self.with("transpositionCostOne", false.into())
    }

    /// Whether the word may go on.
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
