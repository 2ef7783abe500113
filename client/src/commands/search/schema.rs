//! What an index is over, and how its fields are indexed.

use super::push_named;
use crate::command::{Args, ToArgs};

/// What an index is over: keys of one type that begin with one of its prefixes, and their fields.
///
/// A field of a nested object has its path as its name: `author.name`.
#[derive(Debug, Clone)]
pub struct SearchSchema {
    kind: &'static str,
    prefixes: Vec<String>,
    language: Option<String>,
    skip_initial_scan: bool,
    exists_ok: bool,
    fields: Vec<(String, IndexField)>,
}

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

    /// Over JSON documents.
    #[must_use]
    pub fn json(prefix: impl Into<String>) -> Self {
        SearchSchema::new("JSON", prefix)
    }

    /// Over hashes.
    #[must_use]
    pub fn hash(prefix: impl Into<String>) -> Self {
        SearchSchema::new("HASH", prefix)
    }

    /// Over strings that hold JSON text.
    #[must_use]
    pub fn string(prefix: impl Into<String>) -> Self {
        SearchSchema::new("STRING", prefix)
    }

    /// One more prefix.
    #[must_use]
    pub fn prefix(mut self, prefix: impl Into<String>) -> Self {
        self.prefixes.push(prefix.into());
        self
    }

    /// The language of its texts, which says how words are reduced to their stems: `turkish`; `english` by default.
    #[must_use]
    pub fn language(mut self, language: impl Into<String>) -> Self {
        self.language = Some(language.into());
        self
    }

    /// Leaves out the keys that are there already: `SKIPINITIALSCAN`.
    #[must_use]
    pub fn skip_initial_scan(mut self) -> Self {
        self.skip_initial_scan = true;
        self
    }

    /// It is no error when the same index exists: `EXISTSOK`.
    #[must_use]
    pub fn exists_ok(mut self) -> Self {
        self.exists_ok = true;
        self
    }

    /// One more field, or path.
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
        args.push("ON").push(self.kind).push("PREFIX").push(self.prefixes.len()).extend(&self.prefixes);
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

/// How one field is indexed: made of a [`TextField`], a [`FastField`] or a [`KeywordField`].
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
            /// Takes its value from another field, or path, of the document than its own name: `FROM`.
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

/// Words to be searched for.
#[derive(Debug, Clone)]
pub struct TextField(IndexField);

index_field!(TextField);

impl Default for TextField {
    fn default() -> Self {
        TextField::new()
    }
}

impl TextField {
    /// Split into words, which are reduced to their stems.
    #[must_use]
    pub fn new() -> Self {
        TextField(IndexField::new("TEXT"))
    }

    /// Words as they are: `NOSTEM`.
    #[must_use]
    pub fn no_stem(mut self) -> Self {
        self.0.flags.push("NOSTEM");
        self
    }

    /// The whole as one word: `NOTOKENIZE`.
    #[must_use]
    pub fn no_tokenize(mut self) -> Self {
        self.0.flags.push("NOTOKENIZE");
        self
    }
}

/// Numbers, booleans and times.
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

    /// Times, in the format of RFC 3339.
    #[must_use]
    pub fn date() -> Self {
        FastField(IndexField::new("DATE"))
    }

    /// Can be sorted by, scored by and aggregated: `FAST`.
    #[must_use]
    pub fn fast(mut self) -> Self {
        self.0.flags.push("FAST");
        self
    }
}

/// Texts that are equal or not.
#[derive(Debug, Clone)]
pub struct KeywordField(IndexField);

index_field!(KeywordField);

impl KeywordField {
    /// A text.
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
