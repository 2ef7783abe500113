//! How `redis-model` lays out its keys: what a key is for, and what the marks, rows and entries of indexes say.
//!
//! The gateway uses no other crate of the project, so this is written a second time. The first is `mapper/src/index`; a test
//! compares the two through a store that the mapper has filled.

use super::encoding::Encoding;

/// What a key is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role<'k> {
    /// `user:42`: a record, a list or a log of the model with the prefix `user`; or a key of another program.
    Member { prefix: &'k [u8], id: &'k [u8] },
    /// A key without a prefix.
    Plain,
    /// `user::rows`: for each record its values as they are in the indexes.
    Rows { prefix: &'k [u8] },
    /// `user::index:email`.
    Index { prefix: &'k [u8], name: &'k [u8] },
    /// `user::expiry`: when records expire.
    Expiry { prefix: &'k [u8] },
    /// `order-events::category`: the entries of all logs of a model.
    Category { prefix: &'k [u8] },
    /// `user::once:NONCE` or `order-events:17::once:KEY`: the outcome of a write.
    Once { of: &'k [u8] },
    /// `order-events:17::snapshot`, and others that belong to one log or list.
    Part { of: &'k [u8], part: &'k [u8] },
}

/// Returns the text before and after the first occurrence of a separator.
fn split_once<'k>(bytes: &'k [u8], separator: &[u8]) -> Option<(&'k [u8], &'k [u8])> {
    let at = bytes.windows(separator.len()).position(|window| window == separator)?;
    Some((bytes.get(..at)?, bytes.get(at + separator.len()..)?))
}

/// Returns the prefix and the id of a key: no id contains `:`, but a prefix can.
fn prefix_and_id(key: &[u8]) -> Option<(&[u8], &[u8])> {
    let at = key.iter().rposition(|byte| *byte == b':')?;
    Some((key.get(..at)?, key.get(at + 1..)?))
}

impl<'k> Role<'k> {
    /// Returns what a key with this name is for.
    pub(super) fn of(key: &'k [u8]) -> Role<'k> {
        let Some((owner, part)) = split_once(key, b"::") else {
            return prefix_and_id(key).map_or(Role::Plain, |(prefix, id)| Role::Member { prefix, id });
        };
        let (word, detail) = split_once(part, b":").unwrap_or((part, b""));
        match word {
            b"rows" => Role::Rows { prefix: owner },
            b"expiry" => Role::Expiry { prefix: owner },
            b"category" => Role::Category { prefix: owner },
            b"index" => Role::Index { prefix: owner, name: split_once(detail, b":").map_or(detail, |(name, _)| name) },
            b"once" => Role::Once { of: owner },
            _ => Role::Part { of: owner, part },
        }
    }

    /// Returns the prefix of the model that the key belongs to. It is empty for a key without a prefix.
    ///
    /// For the outcome of a write it is a guess: the name does not tell whether its owner is a prefix or a log.
    pub(super) fn prefix(self) -> &'k [u8] {
        match self {
            Role::Member { prefix, .. }
            | Role::Rows { prefix }
            | Role::Index { prefix, .. }
            | Role::Expiry { prefix }
            | Role::Category { prefix } => prefix,
            Role::Once { of } | Role::Part { of, .. } => prefix_and_id(of).map_or(of, |(prefix, _)| prefix),
            Role::Plain => b"",
        }
    }

    /// Says what the key is for, if `redis-model` gives it a meaning.
    pub(super) fn meaning(self) -> Option<&'static str> {
        Some(match self {
            Role::Member { .. } | Role::Plain => return None,
            Role::Rows { .. } => "rows of the indexes: each record's values as they are in the indexes",
            Role::Index { .. } => "index: an entry is a value and the id of a record",
            Role::Expiry { .. } => "expiry marks: when records expire",
            Role::Category { .. } => "category stream: the entries of all logs of the model",
            Role::Once { .. } => "outcome of a write, kept in case its reply is lost",
            Role::Part { part, .. } => match split_once(part, b":").map_or(part, |(word, _)| word) {
                b"snapshot" => "snapshot of a log",
                b"dead" => "dead letters of a consumer group",
                b"retry" => "entries that a consumer group gets again",
                b"queue" => {
                    QUEUE.iter().find(|(name, _)| *name == part).map_or("part of a work queue", |(_, what)| what)
                }
                _ => return None,
            },
        })
    }
}

/// The keys of a work queue, after `job:images::`.
pub(super) const QUEUE: [(&[u8], &str); 5] = [
    (b"queue", "the jobs of a work queue that wait"),
    (b"queue:delayed", "the jobs of a work queue that are delayed, by the time at which they are due"),
    (b"queue:reserved", "the jobs of a work queue that workers have reserved, by their deadline"),
    (b"queue:dead", "the dead jobs of a work queue, by the time at which they died"),
    (b"queue:jobs", "the jobs of a work queue: their elements, attempts and history"),
];

/// The mark of the indexes of a model: which columns and indexes they have.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Mark {
    /// Begins each row.
    pub(super) tag: String,
    pub(super) model: String,
    pub(super) columns: Vec<Column>,
    pub(super) indexes: Vec<Index>,
    /// How many parts the rows and each index are split into; 1 if they are not.
    pub(super) partitions: u64,
}

/// A field that is in an index.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Column {
    pub(super) field: String,
    pub(super) encoding: Encoding,
}

#[derive(Debug, PartialEq, Eq)]
pub(super) struct Index {
    pub(super) name: String,
    /// Positions in the columns of the mark.
    pub(super) columns: Vec<usize>,
    pub(super) is_unique: bool,
}

impl Mark {
    /// Reads a mark: `0123abcd User;age i,email t;email=2!;email+age=2+1;/16`.
    pub(super) fn parse(mark: &str) -> Option<Mark> {
        let (tag, descriptor) = mark.split_once(' ')?;
        let mut parts = descriptor.split(';');
        let model = parts.next()?;
        let mut parsed =
            Mark { tag: tag.into(), model: model.into(), columns: Vec::new(), indexes: Vec::new(), partitions: 1 };
        for part in parts {
            if let Some(number) = part.strip_prefix('/') {
                parsed.partitions = number.parse().ok().filter(|number| (1..=4096).contains(number))?;
            } else if let Some(index) = Index::parse(part) {
                parsed.indexes.push(index);
            } else {
                parsed.columns = part.split(',').map(Column::parse).collect::<Option<_>>()?;
            }
        }
        Some(parsed)
    }

    /// Returns the partition that a text belongs to.
    fn partition_of(&self, text: &[u8]) -> u64 {
        text.iter().fold(0, |hash, byte| (hash * 31 + u64::from(*byte)) % 2_147_483_647) % self.partitions
    }

    /// Returns the key of the row of a record.
    pub(super) fn rows_key(&self, prefix: &[u8], id: &[u8]) -> Vec<u8> {
        self.key(prefix, "rows", self.partition_of(id))
    }

    /// Returns the key of the expiry mark of a record.
    pub(super) fn expiry_key(&self, prefix: &[u8], id: &[u8]) -> Vec<u8> {
        self.key(prefix, "expiry", self.partition_of(id))
    }

    /// Returns the keys of the rows.
    pub(super) fn rows_keys(&self, prefix: &[u8]) -> Vec<Vec<u8>> {
        (0..self.partitions).map(|partition| self.key(prefix, "rows", partition)).collect()
    }

    /// Returns the key of an index that has this entry of a record.
    pub(super) fn index_key(&self, prefix: &[u8], index: &Index, entry: &[u8], id: &[u8]) -> Vec<u8> {
        let partition = self.partition_of(if index.is_unique { entry } else { id });
        self.key(prefix, &format!("index:{}", index.name), partition)
    }

    fn key(&self, prefix: &[u8], name: &str, partition: u64) -> Vec<u8> {
        let mut key = [prefix, b"::", name.as_bytes()].concat();
        if self.partitions > 1 {
            key.extend_from_slice(format!(":{partition}").as_bytes());
        }
        key
    }

    /// Returns the encodings of the values of an index.
    pub(super) fn encodings(&self, index: &Index) -> Vec<Encoding> {
        let column = |position: &usize| self.columns.get(*position).map_or(Encoding::Text, |column| column.encoding);
        index.columns.iter().map(column).collect()
    }
}

impl Column {
    fn parse(text: &str) -> Option<Column> {
        let (field, letter) = text.rsplit_once(' ')?;
        let encoding = match letter {
            "t" => Encoding::Text,
            "i" => Encoding::Integer,
            "f" => Encoding::Float,
            _ => return None,
        };
        Some(Column { field: field.to_owned(), encoding })
    }
}

impl Index {
    fn parse(text: &str) -> Option<Index> {
        let (name, positions) = text.rsplit_once('=')?;
        let is_unique = positions.ends_with('!');
        let positions = positions.trim_end_matches('!').split('+');
        let columns =
            positions.map(|position| position.parse::<usize>().ok()?.checked_sub(1)).collect::<Option<_>>()?;
        Some(Index { name: name.to_owned(), columns, is_unique })
    }

    /// Returns the entries of a record with these columns, without its id: none if one of its columns is empty.
    pub(super) fn entries(&self, row: &Row) -> Vec<Vec<u8>> {
        let mut entries = vec![Vec::new()];
        for (at, position) in self.columns.iter().enumerate() {
            let values = row.values(*position);
            let separator: &[u8] = if at == 0 { b"" } else { b"\0" };
            let longer = |entry: &Vec<u8>| values.iter().map(|value| [entry, separator, *value].concat()).collect();
            entries = entries.iter().flat_map(|entry| -> Vec<Vec<u8>> { longer(entry) }).take(MAX_ENTRIES).collect();
        }
        entries
    }
}

/// The most entries of one record in one index that are shown.
const MAX_ENTRIES: usize = 100;

/// The row of a record: its values as they are in the indexes.
#[derive(Debug)]
pub(super) struct Row {
    pub(super) tag: Vec<u8>,
    columns: Vec<Vec<u8>>,
}

impl Row {
    pub(super) fn parse(row: &[u8]) -> Row {
        let mut parts = row.split(|byte| *byte == 0).map(<[u8]>::to_vec);
        Row { tag: parts.next().unwrap_or_default(), columns: parts.collect() }
    }

    /// Returns the text of a column.
    pub(super) fn column(&self, position: usize) -> &[u8] {
        self.columns.get(position).map_or(b"", Vec::as_slice)
    }

    /// Returns the values of a column, each of which begins with `=`.
    pub(super) fn values(&self, position: usize) -> Vec<&[u8]> {
        self.column(position).split(|byte| *byte == 2).filter_map(|value| value.strip_prefix(b"=")).collect()
    }
}

/// Returns the values and the id in a member of an index. Returns `None` if another program has added it.
pub(super) fn member_parts(member: &[u8], values: usize) -> Option<(Vec<&[u8]>, &[u8])> {
    let mut parts: Vec<&[u8]> = member.splitn(values + 1, |byte| *byte == 0).collect();
    let id = parts.pop()?;
    (parts.len() == values).then_some((parts, id))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_tells_what_it_is_for() {
        let part = |of: &'static [u8], part: &'static [u8]| Role::Part { of, part };
        for (key, role, prefix) in [
            ("user:42", Role::Member { prefix: b"user", id: b"42" }, "user"),
            ("app:user:42", Role::Member { prefix: b"app:user", id: b"42" }, "app:user"),
            ("hits", Role::Plain, ""),
            ("user::rows", Role::Rows { prefix: b"user" }, "user"),
            ("app:user::rows:3", Role::Rows { prefix: b"app:user" }, "app:user"),
            ("user::index:country+age", Role::Index { prefix: b"user", name: b"country+age" }, "user"),
            ("user::index:email:15", Role::Index { prefix: b"user", name: b"email" }, "user"),
            ("user::expiry", Role::Expiry { prefix: b"user" }, "user"),
            ("order-events::category", Role::Category { prefix: b"order-events" }, "order-events"),
            ("order-events:17::once:a:b", Role::Once { of: b"order-events:17" }, "order-events"),
            ("order-events:17::snapshot:x", part(b"order-events:17", b"snapshot:x"), "order-events"),
            ("order-events:17::dead:billing", part(b"order-events:17", b"dead:billing"), "order-events"),
            ("job:images::queue:dead", part(b"job:images", b"queue:dead"), "job"),
            ("::", part(b"", b""), ""),
            (":", Role::Member { prefix: b"", id: b"" }, ""),
        ] {
            assert_eq!(Role::of(key.as_bytes()), role, "{key}");
            assert_eq!(role.prefix(), prefix.as_bytes(), "{key}");
        }
        for (key, word) in
            [("l:1::queue", "wait"), ("l:1::queue:dead", "dead"), ("l:1::queue:x", "part of a work queue")]
        {
            assert!(Role::of(key.as_bytes()).meaning().unwrap().contains(word), "{key}");
        }
        assert_eq!(Role::of(b"l:1::other").meaning(), None);
    }

    #[test]
    fn a_mark_names_columns_and_indexes() {
        let mark = Mark::parse("0123abcd User;age i,email t;email=2!;email+age=2+1;/16").unwrap();
        assert_eq!((mark.tag.as_str(), mark.model.as_str(), mark.partitions), ("0123abcd", "User", 16));
        assert_eq!(mark.columns[0], Column { field: "age".into(), encoding: Encoding::Integer });
        assert_eq!(mark.indexes[1], Index { name: "email+age".into(), columns: vec![1, 0], is_unique: false });
        assert!(mark.indexes[0].is_unique);
        assert_eq!(Mark::parse("0123abcd User;version i").unwrap().indexes, []);
        for other in ["", "x", "0123abcd User;age z", "0123abcd User;/0", "0123abcd User;/99999999999"] {
            assert_eq!(Mark::parse(other), None, "{other}");
        }
    }

    #[test]
    fn a_row_has_the_entries_of_each_index() {
        let mark = Mark::parse("0123abcd User;age i,tags t;age=1;tags=2;tags+age=2+1").unwrap();
        let row = Row::parse(b"0123abcd\0=60231\0=a\x02=b");
        let entries: Vec<_> = mark.indexes.iter().map(|index| index.entries(&row)).collect();
        assert_eq!(entries[0], [b"60231"]);
        assert_eq!(entries[1], [b"a", b"b"]);
        assert_eq!(entries[2], [b"a\x0060231", b"b\x0060231"]);
        assert!(mark.indexes[0].entries(&Row::parse(b"0123abcd\0\0=a")).is_empty());
        assert_eq!(member_parts(b"a\x0060231\x004\x002", 2), Some((vec![&b"a"[..], b"60231"], &b"4\x002"[..])));
        assert_eq!(member_parts(b"a", 1), None);
    }
}
