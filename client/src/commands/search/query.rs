//! A query: a filter, and what to return of the documents that it matches.

use super::filter::SearchFilter;
use super::push_named;
use crate::command::{Args, ToArgs};

/// A filter, and what to return of the documents that it matches: by default the best 10, whole.
///
/// ```no_run
/// # async fn example(redis: redis_rest::Redis) -> redis_rest::Result<()> {
/// use std::collections::HashMap;
///
/// use redis_rest::SearchCommands;
/// use redis_rest::commands::search::{Highlight, SearchFilter, SearchQuery};
///
/// let query = SearchQuery::new(SearchFilter::new().matches("name", "headphones"))
///     .select(["name"])
///     .highlight(Highlight::fields(["name"]))
///     .limit(20);
/// for hit in redis.search_query::<HashMap<String, String>>("products", &query).await?.unwrap_or_default() {
///     println!("{}: {}", hit.key, hit.document["name"]); // product:1: wireless <em>headphones</em>
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct SearchQuery {
    filter: SearchFilter,
    limit: Option<u64>,
    offset: Option<u64>,
    order: Option<(String, SearchOrder)>,
    score: Option<ScoreFunction>,
    select: Vec<String>,
    highlight: Option<Highlight>,
}

/// The direction of an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SearchOrder {
    /// The smallest value first.
    Ascending,
    /// The greatest value first.
    Descending,
}

impl SearchQuery {
    /// The documents that a filter matches.
    #[must_use]
    pub fn new(filter: SearchFilter) -> Self {
        SearchQuery { filter, limit: None, offset: None, order: None, score: None, select: Vec::new(), highlight: None }
    }

    /// Returns at most `limit` documents, up to 1000: `LIMIT`.
    #[must_use]
    pub fn limit(mut self, limit: u64) -> Self {
        self.limit = Some(limit);
        self
    }

    /// Skips the first `offset` documents: `OFFSET`.
    #[must_use]
    pub fn offset(mut self, offset: u64) -> Self {
        self.offset = Some(offset);
        self
    }

    /// Orders by a fast field, whose value becomes the score: `ORDERBY`.
    #[must_use]
    pub fn order_by(mut self, field: impl Into<String>, order: SearchOrder) -> Self {
        self.order = Some((field.into(), order));
        self
    }

    /// Changes the score by fast fields: `SCOREFUNC`. See [`ScoreFunction`] for an example.
    #[must_use]
    pub fn score_by(mut self, function: ScoreFunction) -> Self {
        self.score = Some(function);
        self
    }

    /// Returns only these fields, or paths: `SELECT`.
    #[must_use]
    pub fn select(mut self, fields: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.select.extend(fields.into_iter().map(Into::into));
        self
    }

    /// Marks the matches in the returned text: `HIGHLIGHT`.
    #[must_use]
    pub fn highlight(mut self, highlight: Highlight) -> Self {
        self.highlight = Some(highlight);
        self
    }

    pub(super) fn without_content(&self) -> WithoutContent<'_> {
        WithoutContent(self)
    }

    fn write(&self, args: &mut Args, without_content: bool) {
        self.filter.write_args(args);
        if self.limit == Some(0) {
            args.reject("a limit of 0 asks for nothing; use at least 1");
        }
        push_named(args, "LIMIT", self.limit);
        push_named(args, "OFFSET", self.offset);
        if let Some((field, order)) = &self.order {
            args.push("ORDERBY").push(field).push(match order {
                SearchOrder::Ascending => "ASC",
                SearchOrder::Descending => "DESC",
            });
            if self.score.is_some() {
                args.reject("`order_by` and `score_by` exclude each other");
            }
        }
        if without_content {
            if !self.select.is_empty() || self.highlight.is_some() {
                args.reject("a query without content takes no `select` and no `highlight`");
            }
            args.push("NOCONTENT");
        }
        if !self.select.is_empty() {
            args.push("SELECT").push(self.select.len()).extend(&self.select);
        }
        self.highlight.write_args(args);
        self.score.write_args(args);
    }
}

impl ToArgs for SearchQuery {
    fn write_args(&self, args: &mut Args) {
        self.write(args, false);
    }
}

/// A query for keys and scores alone.
pub(super) struct WithoutContent<'a>(&'a SearchQuery);

impl ToArgs for WithoutContent<'_> {
    fn write_args(&self, args: &mut Args) {
        self.0.write(args, true);
    }
}

/// The fields in which matches are marked, and the tags around a match: `<em>` and `</em>` by default.
#[derive(Debug, Clone)]
pub struct Highlight {
    fields: Vec<String>,
    tags: Option<(String, String)>,
}

impl Highlight {
    /// Marks matches in these fields.
    #[must_use]
    pub fn fields(fields: impl IntoIterator<Item = impl Into<String>>) -> Self {
        Highlight { fields: fields.into_iter().map(Into::into).collect(), tags: None }
    }

    /// Sets the text before and after a match: `TAGS`.
    #[must_use]
    pub fn tags(mut self, open: impl Into<String>, close: impl Into<String>) -> Self {
        self.tags = Some((open.into(), close.into()));
        self
    }
}

impl ToArgs for Highlight {
    fn write_args(&self, args: &mut Args) {
        if self.fields.is_empty() {
            args.reject("a highlight needs at least one field");
        }
        args.push("HIGHLIGHT").push("FIELDS").push(self.fields.len()).extend(&self.fields);
        if let Some((open, close)) = &self.tags {
            args.push("TAGS").push(open).push(close);
        }
    }
}

/// How fast fields change the score of a document.
///
/// ```
/// use redis_rest::commands::search::{ScoreField, ScoreFunction, ScoreMode, ScoreModifier, SearchFilter, SearchQuery};
///
/// // Multiplies the score by the logarithm of the number of reviews.
/// let popular = ScoreFunction::new([ScoreField::new("reviews").modifier(ScoreModifier::Log1p).missing(0.0)])
///     .mode(ScoreMode::Multiply);
/// let query = SearchQuery::new(SearchFilter::new().matches("name", "headphones")).score_by(popular);
/// ```
#[derive(Debug, Clone)]
pub struct ScoreFunction {
    fields: Vec<ScoreField>,
    mode: Option<ScoreMode>,
    combine: Option<CombineMode>,
}

impl ScoreFunction {
    /// Uses the values of these fields.
    #[must_use]
    pub fn new(fields: impl IntoIterator<Item = ScoreField>) -> Self {
        ScoreFunction { fields: fields.into_iter().collect(), mode: None, combine: None }
    }

    /// Sets how to combine the document's score and the function's value: `SCOREMODE`.
    #[must_use]
    pub fn mode(mut self, mode: ScoreMode) -> Self {
        self.mode = Some(mode);
        self
    }

    /// Sets how to combine the values of several fields: `COMBINEMODE`.
    #[must_use]
    pub fn combine(mut self, mode: CombineMode) -> Self {
        self.combine = Some(mode);
        self
    }
}

impl ToArgs for ScoreFunction {
    fn write_args(&self, args: &mut Args) {
        if self.fields.is_empty() {
            args.reject("a score function needs at least one field");
        }
        args.push("SCOREFUNC");
        push_named(args, "COMBINEMODE", self.combine.map(CombineMode::word));
        push_named(args, "SCOREMODE", self.mode.map(ScoreMode::word));
        for field in &self.fields {
            args.push("FIELDVALUE").push(&field.name);
            push_named(args, "MODIFIER", field.modifier.map(ScoreModifier::word));
            push_named(args, "FACTOR", field.factor);
            push_named(args, "MISSING", field.missing);
        }
    }
}

/// A field of a [`ScoreFunction`].
#[derive(Debug, Clone)]
pub struct ScoreField {
    name: String,
    modifier: Option<ScoreModifier>,
    factor: Option<f64>,
    missing: Option<f64>,
}

impl ScoreField {
    /// Uses the field's value.
    #[must_use]
    pub fn new(name: impl Into<String>) -> Self {
        ScoreField { name: name.into(), modifier: None, factor: None, missing: None }
    }

    /// Sets what to compute from the value: `MODIFIER`.
    #[must_use]
    pub fn modifier(mut self, modifier: ScoreModifier) -> Self {
        self.modifier = Some(modifier);
        self
    }

    /// Multiplies the value by `factor`: `FACTOR`.
    #[must_use]
    pub fn factor(mut self, factor: f64) -> Self {
        self.factor = Some(factor);
        self
    }

    /// Sets the value for a document without the field: `MISSING`.
    #[must_use]
    pub fn missing(mut self, value: f64) -> Self {
        self.missing = Some(value);
        self
    }
}

macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident = $word:literal,)* }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum $name {
            $($(#[$variant_doc])* $variant,)*
        }

        impl $name {
            fn word(self) -> &'static str {
                match self {
                    $($name::$variant => $word,)*
                }
            }
        }
    };
}

words! {
    /// How to combine a document's score and the value of its score function.
    ScoreMode {
        /// The sum.
        Sum = "SUM",
        /// The product.
        Multiply = "MULTIPLY",
        /// The function's value alone.
        Replace = "REPLACE",
    }
}

words! {
    /// How to combine the values of several fields.
    CombineMode {
        /// The sum.
        Sum = "SUM",
        /// The product.
        Multiply = "MULTIPLY",
    }
}

words! {
    /// What to compute from a field's value.
    ScoreModifier {
        /// The value itself.
        None = "NONE",
        /// The logarithm to base 10.
        Log = "LOG",
        /// The logarithm to base 10 of the value plus 1.
        Log1p = "LOG1P",
        /// The logarithm to base 10 of the value plus 2.
        Log2p = "LOG2P",
        /// The natural logarithm.
        Ln = "LN",
        /// The natural logarithm of the value plus 1.
        Ln1p = "LN1P",
        /// The natural logarithm of the value plus 2.
        Ln2p = "LN2P",
        /// The square.
        Square = "SQUARE",
        /// The square root.
        Sqrt = "SQRT",
        /// 1 divided by the value.
        Reciprocal = "RECIPROCAL",
    }
}
