//! A query: a filter, and what to give of what it matches.

use super::filter::SearchFilter;
use super::push_named;
use crate::command::{Args, ToArgs};

/// A filter, and what to give of the documents that it matches: the 10 best, whole, by default.
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

/// In which order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SearchOrder {
    /// The least first.
    Ascending,
    /// The greatest first.
    Descending,
}

impl SearchQuery {
    /// What a filter matches.
    #[must_use]
    pub fn new(filter: SearchFilter) -> Self {
        SearchQuery { filter, limit: None, offset: None, order: None, score: None, select: Vec::new(), highlight: None }
    }

    /// At most so many, up to 1000: `LIMIT`.
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

    /// In the order of a fast field, whose value is then the score: `ORDERBY`.
    #[must_use]
    pub fn order_by(mut self, field: impl Into<String>, order: SearchOrder) -> Self {
        self.order = Some((field.into(), order));
        self
    }

    /// Lets fast fields change the score: `SCOREFUNC`.
    #[must_use]
    pub fn score_by(mut self, function: ScoreFunction) -> Self {
        self.score = Some(function);
        self
    }

    /// Only these fields, or paths: `SELECT`.
    #[must_use]
    pub fn select(mut self, fields: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.select.extend(fields.into_iter().map(Into::into));
        self
    }

    /// Marks what was found: `HIGHLIGHT`.
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
            args.reject("a limit of 0 asks for nothing; give at least 1");
        }
        push_named(args, "LIMIT", self.limit);
        push_named(args, "OFFSET", self.offset);
        if let Some((field, order)) = &self.order {
            args.push("ORDERBY").push(field).push(match order {
                SearchOrder::Ascending => "ASC",
                SearchOrder::Descending => "DESC",
            });
            if self.score.is_some() {
                args.reject("results are ordered by a field or by a score function, not by both");
            }
        }
        if without_content {
            if !self.select.is_empty() || self.highlight.is_some() {
                args.reject("without content there is nothing to select and nothing to highlight");
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

/// The same query for keys and scores alone.
pub(super) struct WithoutContent<'a>(&'a SearchQuery);

impl ToArgs for WithoutContent<'_> {
    fn write_args(&self, args: &mut Args) {
        self.0.write(args, true);
    }
}

/// Which fields are marked where they match, and by what: `<em>` and `</em>` by default.
#[derive(Debug, Clone)]
pub struct Highlight {
    fields: Vec<String>,
    tags: Option<(String, String)>,
}

impl Highlight {
    /// These fields.
    #[must_use]
    pub fn fields(fields: impl IntoIterator<Item = impl Into<String>>) -> Self {
        Highlight { fields: fields.into_iter().map(Into::into).collect(), tags: None }
    }

    /// What stands before and behind a match: `TAGS`.
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

/// How fast fields change the score.
#[derive(Debug, Clone)]
pub struct ScoreFunction {
    fields: Vec<ScoreField>,
    mode: Option<ScoreMode>,
    combine: Option<CombineMode>,
}

impl ScoreFunction {
    /// By these fields.
    #[must_use]
    pub fn new(fields: impl IntoIterator<Item = ScoreField>) -> Self {
        ScoreFunction { fields: fields.into_iter().collect(), mode: None, combine: None }
    }

    /// What becomes of the score and the function's value: `SCOREMODE`.
    #[must_use]
    pub fn mode(mut self, mode: ScoreMode) -> Self {
        self.mode = Some(mode);
        self
    }

    /// What becomes of the values of several fields: `COMBINEMODE`.
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
    /// The field's value.
    #[must_use]
    pub fn new(name: impl Into<String>) -> Self {
        ScoreField { name: name.into(), modifier: None, factor: None, missing: None }
    }

    /// What is made of the value: `MODIFIER`.
    #[must_use]
    pub fn modifier(mut self, modifier: ScoreModifier) -> Self {
        self.modifier = Some(modifier);
        self
    }

    /// What the value is multiplied by: `FACTOR`.
    #[must_use]
    pub fn factor(mut self, factor: f64) -> Self {
        self.factor = Some(factor);
        self
    }

    /// The value of a document that has none: `MISSING`.
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
    /// What becomes of a document's score and its score function's value.
    ScoreMode {
        /// Their sum.
        Sum = "SUM",
        /// Their product.
        Multiply = "MULTIPLY",
        /// The function's value alone.
        Replace = "REPLACE",
    }
}

words! {
    /// What becomes of the values of several fields.
    CombineMode {
        /// Their sum.
        Sum = "SUM",
        /// Their product.
        Multiply = "MULTIPLY",
    }
}

words! {
    /// What is made of a field's value.
    ScoreModifier {
        /// The value itself.
        None = "NONE",
        /// Its logarithm to base 10.
        Log = "LOG",
        /// The logarithm to base 10 of it and 1.
        Log1p = "LOG1P",
        /// The logarithm to base 10 of it and 2.
        Log2p = "LOG2P",
        /// Its natural logarithm.
        Ln = "LN",
        /// The natural logarithm of it and 1.
        Ln1p = "LN1P",
        /// The natural logarithm of it and 2.
        Ln2p = "LN2P",
        /// Its square.
        Square = "SQUARE",
        /// Its square root.
        Sqrt = "SQRT",
        /// 1 divided by it.
        Reciprocal = "RECIPROCAL",
    }
}
