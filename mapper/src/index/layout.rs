//! The layout of a model's indexes: which columns and indexes it has, and the names of its keys.

use std::any::TypeId;
use std::collections::HashMap;
use std::fmt::Write as _;
use std::sync::{LazyLock, PoisonError, RwLock};

use super::value::IndexField;
use crate::key::SEPARATOR;

/// The layout of the indexes of one model.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Layout {
    pub(crate) model: &'static str,
    pub(crate) prefix: &'static str,
    pub(crate) columns: Vec<Column>,
    pub(crate) indexes: Vec<Index>,
    /// The name of the field that holds the version.
    pub(crate) version: Option<&'static str>,
    /// How many parts the rows and each index are split into; 1 if they are not.
    pub(crate) partitions: u32,
    /// Names the descriptor.
    tag: String,
    descriptor: String,
}

/// The layouts of all models that the program has used. A static in a generic function could not be one for each model.
static LAYOUTS: LazyLock<RwLock<HashMap<TypeId, &'static Layout>>> = LazyLock::new(RwLock::default);

/// A field of the model that is in an index.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Column {
    pub(crate) name: &'static str,
    pub(crate) kind: ColumnKind,
    /// Whether the field may hold no value.
    pub(crate) optional: bool,
    /// Whether the field holds any number of values, each with an entry of its own.
    pub(crate) many: bool,
}

/// How the values of a column are encoded.
#[doc(hidden)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ColumnKind {
    Text,
    Integer,
    Float,
}

/// An index over one column, or over several, in this order.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Index {
    /// The names of its columns, joined by `+`.
    pub(crate) name: String,
    /// Positions in the layout's columns.
    pub(crate) columns: Vec<usize>,
    pub(crate) unique: bool,
}

impl Layout {
    /// Returns the layout of the model `M`, which `describe` describes. It is built once.
    pub(crate) fn of<M: 'static>(describe: impl FnOnce(&mut LayoutBuilder)) -> &'static Layout {
        let id = TypeId::of::<M>();
        if let Some(layout) = LAYOUTS.read().unwrap_or_else(PoisonError::into_inner).get(&id) {
            return layout;
        }
        let mut builder = LayoutBuilder::default();
        describe(&mut builder);
        let layout = builder.finish();
        let mut layouts = LAYOUTS.write().unwrap_or_else(PoisonError::into_inner);
        // There is one for each model of the program, so nothing is leaked but what statics would hold.
        layouts.entry(id).or_insert_with(|| Box::leak(Box::new(layout)))
    }

    /// Returns the layout with this tag, of a model that this program has used.
    pub(crate) fn with_tag(tag: &str) -> Option<&'static Layout> {
        let layouts = LAYOUTS.read().unwrap_or_else(PoisonError::into_inner);
        layouts.values().find(|layout| layout.tag == tag).copied()
    }

    /// Returns whether records are plain hashes, which no script has to guard.
    pub(crate) fn is_plain(&self) -> bool {
        self.indexes.is_empty() && self.version.is_none()
    }

    /// Returns the position of the column with this name.
    pub(crate) fn column(&self, name: &str) -> Option<usize> {
        self.columns.iter().position(|column| column.name == name)
    }

    /// Names the [descriptor](Layout::descriptor): the first 8 hexadecimal digits of its SHA-1. Each row begins with it.
    pub(crate) fn tag(&self) -> &str {
        &self.tag
    }

    /// Returns whether the two are one layout of the same keys: several structs can be views of one model.
    pub(crate) fn is_stored_as(&self, other: &Layout) -> bool {
        self.tag == other.tag && self.prefix == other.prefix
    }

    /// Returns the label: what the field `:` of the rows holds.
    pub(crate) fn label(&self) -> String {
        format!("{} {}", self.tag, self.descriptor)
    }

    /// Describes columns and indexes, for programs and scripts that meet rows of another layout:
    /// `User;age i,country t,email t;country+age=2+1;email=3!`. Both are sorted by name.
    #[cfg(test)]
    pub(crate) fn descriptor(&self) -> &str {
        &self.descriptor
    }

    /// Returns the row of a record with these columns.
    pub(crate) fn row(&self, columns: &[(&'static str, String)]) -> String {
        let mut row = self.tag.clone();
        for column in &self.columns {
            let text = columns.iter().find(|(name, _)| *name == column.name);
            row.push('\0');
            row.push_str(text.map_or("", |(_, text)| text));
        }
        row
    }

    /// Returns all keys: for each partition the rows, the expiry marks, and each index.
    pub(crate) fn keys(&self) -> impl Iterator<Item = String> {
        (0..self.partitions).flat_map(move |partition| {
            let indexes = self.indexes.iter().map(move |index| self.index_key(index, partition));
            [self.rows_key(partition), self.expiry_key(partition)].into_iter().chain(indexes)
        })
    }

    /// Returns the key of the rows.
    pub(crate) fn rows_key(&self, partition: u32) -> String {
        self.shared_key("rows", partition)
    }

    /// Returns the key of the expiry marks.
    pub(crate) fn expiry_key(&self, partition: u32) -> String {
        self.shared_key("expiry", partition)
    }

    /// Returns the key of an index.
    pub(crate) fn index_key(&self, index: &Index, partition: u32) -> String {
        self.shared_key(&format!("index{SEPARATOR}{}", index.name), partition)
    }

    /// Returns the partition that holds the row of the record with this id.
    pub(crate) fn partition_of(&self, text: &str) -> u32 {
        const MODULUS: u64 = 2_147_483_647;
        let hash = text.bytes().fold(0_u64, |hash, byte| (hash * 31 + u64::from(byte)) % MODULUS);
        u32::try_from(hash % u64::from(self.partitions.max(1))).unwrap_or_default()
    }

    fn shared_key(&self, name: &str, partition: u32) -> String {
        shared_key(self.prefix, name, partition, self.partitions)
    }
}

/// Two separators: no record has this key, because no id is empty.
fn shared_key(prefix: &str, name: &str, partition: u32, partitions: u32) -> String {
    if partitions > 1 {
        format!("{prefix}{SEPARATOR}{SEPARATOR}{name}{SEPARATOR}{partition}")
    } else {
        format!("{prefix}{SEPARATOR}{SEPARATOR}{name}")
    }
}

/// What the label of a layout tells about its keys. The layout may be that of an earlier version of the model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct StoredLayout {
    /// The names of the indexes.
    pub(crate) indexes: Vec<String>,
    pub(crate) partitions: u32,
}

impl StoredLayout {
    /// Reads a [label](Layout::label).
    pub(crate) fn of_label(label: &str) -> StoredLayout {
        let mut layout = StoredLayout { indexes: Vec::new(), partitions: 1 };
        for part in label.split(';').skip(1) {
            let is_positions = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit() || b"+!".contains(&byte));
            match part.rsplit_once('=') {
                Some((name, positions)) if is_positions(positions) => layout.indexes.push(name.to_owned()),
                _ => {
                    let partitions = part.strip_prefix('/').and_then(|number| number.parse().ok());
                    layout.partitions = partitions.unwrap_or(layout.partitions);
                }
            }
        }
        layout
    }

    /// Returns the name of the model in a [label](Layout::label).
    pub(crate) fn model_of_label(label: &str) -> &str {
        let descriptor = label.split_once(' ').map_or(label, |(_, descriptor)| descriptor);
        descriptor.split(';').next().unwrap_or_default()
    }

    /// Returns the keys of the rows of a model with this prefix.
    pub(crate) fn rows_keys(&self, prefix: &str) -> Vec<String> {
        self.keys_named("rows", prefix)
    }

    /// Returns the keys of an index of a model with this prefix.
    pub(crate) fn index_keys(&self, name: &str, prefix: &str) -> Vec<String> {
        self.keys_named(&format!("index{SEPARATOR}{name}"), prefix)
    }

    /// Returns all keys but those of the rows.
    pub(crate) fn other_keys(&self, prefix: &str) -> Vec<String> {
        let indexes = self.indexes.iter().flat_map(|name| self.index_keys(name, prefix));
        self.keys_named("expiry", prefix).into_iter().chain(indexes).collect()
    }

    fn keys_named(&self, name: &str, prefix: &str) -> Vec<String> {
        (0..self.partitions).map(|partition| shared_key(prefix, name, partition, self.partitions)).collect()
    }
}

impl ColumnKind {
    /// Names the kind in the descriptor.
    pub(crate) fn letter(self) -> char {
        match self {
            ColumnKind::Text => 't',
            ColumnKind::Integer => 'i',
            ColumnKind::Float => 'f',
        }
    }
}

/// Collects the columns and indexes of a model. The derive calls it.
#[derive(Debug, Default)]
pub struct LayoutBuilder {
    model: &'static str,
    prefix: &'static str,
    columns: Vec<Column>,
    indexes: Vec<Index>,
    version: Option<&'static str>,
    partitions: u32,
}

impl LayoutBuilder {
    /// Names the model and the prefix of its keys.
    pub fn model(&mut self, name: &'static str, prefix: &'static str) {
        (self.model, self.prefix) = (name, prefix);
    }

    /// Adds a column for a field of the type `T`.
    pub fn column<T: IndexField>(&mut self, name: &'static str) {
        if self.columns.iter().all(|column| column.name != name) {
            self.columns.push(Column { name, kind: T::KIND, optional: T::OPTIONAL, many: T::MANY });
        }
    }

    /// Adds an index over the columns with these names.
    pub fn index(&mut self, names: &[&'static str], unique: bool) {
        let columns = names.iter().filter_map(|name| self.columns.iter().position(|column| column.name == *name));
        let name = names.join("+");
        // A record and its embedded struct may both ask for it.
        match self.indexes.iter_mut().find(|index| index.name == name) {
            Some(index) => index.unique |= unique,
            None => self.indexes.push(Index { name, columns: columns.collect(), unique }),
        }
    }

    /// Names the field that holds the version.
    pub fn version(&mut self, name: &'static str) {
        self.version = Some(name);
    }

    /// Splits the rows and the indexes.
    pub fn partitions(&mut self, partitions: u32) {
        self.partitions = partitions;
    }

    fn finish(self) -> Layout {
        let LayoutBuilder { model, prefix, columns, mut indexes, version, partitions } = self;
        // By name: a program whose struct has the same fields in another order fits the same indexes.
        let mut columns: Vec<_> = columns.into_iter().enumerate().collect();
        columns.sort_by_key(|(_, column)| column.name);
        for position in indexes.iter_mut().flat_map(|index| &mut index.columns) {
            *position = columns.iter().position(|(described_at, _)| described_at == position).unwrap_or(*position);
        }
        indexes.sort_by(|one, other| one.name.cmp(&other.name));
        let columns: Vec<_> = columns.into_iter().map(|(_, column)| column).collect();
        let mut descriptor = String::from(model);
        for (at, column) in columns.iter().enumerate() {
            let separator = if at == 0 { ';' } else { ',' };
            let _ = write!(descriptor, "{separator}{} {}", column.name, column.kind.letter());
        }
        for index in &indexes {
            let positions: Vec<_> = index.columns.iter().map(|column| (column + 1).to_string()).collect();
            let mark = if index.unique { "!" } else { "" };
            let _ = write!(descriptor, ";{}={}{mark}", index.name, positions.join("+"));
        }
        if partitions > 1 {
            let _ = write!(descriptor, ";/{partitions}");
        }
        let tag = sha1_smol::Sha1::from(&descriptor).digest().to_string().chars().take(8).collect();
        Layout { model, prefix, columns, indexes, version, partitions: partitions.max(1), tag, descriptor }
    }
}
