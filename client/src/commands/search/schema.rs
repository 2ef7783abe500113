//! Which keys an index covers, and how it indexes their fields.

use super::push_named;
use crate::command::{Args, ToArgs};

/// Which keys an index covers: those of one type that start with one of its prefixes, or the entries of one stream, and
/// which fields of them.
///
/// A field of a nested object has a path as its name: `author.name`.
///
/// ```no_run
/// # async fn example(redis: redis_rest::Redis) -> redis_rest::Result<()> {
/// use redis_rest::SearchCommands;
/// use redis_rest::commands::search::{FastField, KeywordField, SearchSchema, TextField};
///
/// let schema = SearchSchema::hash("book:")
///     .language("english")
///     .field("title", TextField::new())
///     .field("isbn", KeywordField::keyword())
///     .field("year", FastField::u64().fast())
///     .exists_ok();
/// redis.search_create("books", &schema).await?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct SearchSchema {
    kind: &'static str,
    /// For a stream, only its key.
    prefixes: Vec<String>,
    language: Option<String>,
    skip_initial_scan: bool,
    exists_ok: bool,
    fields: Vec<(String, IndexField)>,
}

const STREAM: &str = "STREAM";

impl SearchSchema {
    fn new(kind: &'static str, prefix: impl Into<String>) -> Self {
        SearchSchema {
            kind,
            prefixes: vec![prefix.into()],
            language: None,
            skip_initial_scan: false,
            exists_ok: false,
            fields: Vec::new(),
        }
    }

    /// Indexes JSON documents.
    #[must_use]
    pub fn json(prefix: impl Into<String>) -> Self {
        SearchSchema::new("JSON", prefix)
    }

    /// Indexes hashes.
    #[must_use]
    pub fn hash(prefix: impl Into<String>) -> Self {
        SearchSchema::new("HASH", prefix)
    }

    /// Indexes strings of JSON text.
    #[must_use]
    pub fn string(prefix: impl Into<String>) -> Self {
        SearchSchema::new("STRING", prefix)
    }

    /// Indexes the entries of one [stream](https://upstash.com/docs/redis/search/streams), which need not exist yet. The
    /// key of a [`SearchHit`](super::SearchHit) is the id of an entry.
    #[must_use]
    pub fn stream(key: impl Into<String>) -> Self {
        SearchSchema::new(STREAM, key)
    }

    /// Adds a prefix. For a stream, the command fails with `InvalidInput`.
    #[must_use]
    pub fn prefix(mut self, prefix: impl Into<String>) -> Self {
        self.prefixes.push(prefix.into());
        self
    }

    /// Sets the language of the text fields, by which words are reduced to their stems: `english` by default.
    #[must_use]
    pub fn language(mut self, language: impl Into<String>) -> Self {
        self.language = Some(language.into());
        self
    }

    /// Leaves out the keys that exist already: `SKIPINITIALSCAN`.
    #[must_use]
    pub fn skip_initial_scan(mut self) -> Self {
        self.skip_initial_scan = true;
        self
    }

    /// Accepts that the same index exists already: `EXISTSOK`.
    #[must_use]
    pub fn exists_ok(mut self) -> Self {
        self.exists_ok = true;
        self
    }

    /// Adds a field, or path.
    #[must_use]
    pub fn field(mut self, name: impl Into<String>, field: impl Into<IndexField>) -> Self {
        self.fields.push((name.into(), field.into()));
        self
    }
}

impl ToArgs for SearchSchema {
    fn write_args(&self, args: &mut Args) {
        if self.fields.is_empty() {
            args.reject("an index needs at least one field");
        }
        args.push("ON").push(self.kind);
        match (self.kind, self.prefixes.as_slice()) {
            (STREAM, [key]) => {
                args.push(key);
            }
            (STREAM, _) => {
                args.reject("an index of a stream has no prefixes");
            }
            (_, prefixes) => {
                args.push("PREFIX").push(prefixes.len()).extend(prefixes);
            }
        }
        push_named(args, "LANGUAGE", self.language.as_ref());
        args.extend(self.skip_initial_scan.then_some("SKIPINITIALSCAN"));
        args.extend(self.exists_ok.then_some("EXISTSOK"));
        args.push("SCHEMA");
        for (name, IndexField { kind, flags, from }) in &self.fields {
            args.push(name).push(*kind).extend(flags);
            push_named(args, "FROM", from.as_ref());
        }
    }
}

/// How one field is indexed: a [`TextField`], a [`FastField`] or a [`KeywordField`].
#[derive(Debug, Clone)]
pub struct IndexField {
    kind: &'static str,
    flags: Vec<&'static str>,
    from: Option<String>,
}

impl IndexField {
    fn new(kind: &'static str) -> Self {
        IndexField { kind, flags: Vec::new(), from: None }
    }
}

macro_rules! index_field {
    ($name:ident) => {
        impl $name {
            /// Indexes another field, or path, of the document than the one of the same name: `FROM`.
            #[must_use]
            pub fn from_field(mut self, source: impl Into<String>) -> Self {
                self.0.from = Some(source.into());
                self
            }
        }

        impl From<$name> for IndexField {
            fn from(field: $name) -> Self {
                field.0
            }
        }
    };
}

/// A field to search for words.
#[derive(Debug, Clone)]
pub struct TextField(IndexField);

index_field!(TextField);

impl Default for TextField {
    fn default() -> Self {
        TextField::new()
    }
}

impl TextField {
    /// Splits the text into words and reduces them to their stems.
    #[must_use]
    pub fn new() -> Self {
        TextField(IndexField::new("TEXT"))
    }

    /// Does not reduce words to their stems: `NOSTEM`.
    #[must_use]
    pub fn no_stem(mut self) -> Self {
        self.0.flags.push("NOSTEM");
        self
    }

    /// Does not split the text into words: `NOTOKENIZE`.
    #[must_use]
    pub fn no_tokenize(mut self) -> Self {
        self.0.flags.push("NOTOKENIZE");
        self
    }
}

/// A field of numbers, booleans or times.
#[derive(Debug, Clone)]
pub struct FastField(IndexField);

index_field!(FastField);

impl FastField {
    /// Unsigned integers.
    #[must_use]
    pub fn u64() -> Self {
        FastField(IndexField::new("U64"))
    }

    /// Signed integers.
    #[must_use]
    pub fn i64() -> Self {
        FastField(IndexField::new("I64"))
    }

    /// Floats.
    #[must_use]
    pub fn f64() -> Self {
        FastField(IndexField::new("F64"))
    }

    /// Booleans.
    #[must_use]
    pub fn bool() -> Self {
        FastField(IndexField::new("BOOL"))
    }

    /// Times in the format of RFC 3339.
    #[must_use]
    pub fn date() -> Self {
        FastField(IndexField::new("DATE"))
    }

    /// Allows sorting, scoring and aggregation by the field: `FAST`.
    #[must_use]
    pub fn fast(mut self) -> Self {
        self.0.flags.push("FAST");
        self
    }
}

/// A field of text that matches only as a whole.
#[derive(Debug, Clone)]
pub struct KeywordField(IndexField);

index_field!(KeywordField);

impl KeywordField {
    /// Plain text.
    #[must_use]
    pub fn keyword() -> Self {
        KeywordField(IndexField::new("KEYWORD"))
    }

    /// A path of categories: `/electronics/audio`.
    #[must_use]
    pub fn facet() -> Self {
        KeywordField(IndexField::new("FACET"))
    }
}
