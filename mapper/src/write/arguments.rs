//! What the scripts take: keys and arguments.

use std::borrow::Cow;
use std::collections::HashMap;

use redis_rest::{Error, ErrorKind};

use super::operation::{Action, Change, Condition, FieldChange, Mode, Operation};
use crate::index::{Index, Layout};
use crate::pairs::FieldPairs;

/// The most texts that a script passes to one command. `unpack` fails at 8,000.
const MAX_UNPACKED: usize = 4000;

/// The keys and the arguments of a script.
#[derive(Debug, Default)]
pub(super) struct Arguments<'a> {
    pub(super) keys: Vec<Cow<'a, str>>,
    pub(super) args: Vec<Cow<'a, str>>,
}

impl<'a> Arguments<'a> {
    fn key(&mut self, key: impl Into<Cow<'a, str>>) {
        self.keys.push(key.into());
    }

    fn arg(&mut self, arg: impl Into<Cow<'a, str>>) {
        self.args.push(arg.into());
    }

    fn number(&mut self, number: usize) {
        self.arg(number.to_string());
    }

    /// Adds the number of the items, and the items.
    fn counted(&mut self, items: impl ExactSizeIterator<Item = &'a str>) {
        self.number(items.len());
        self.args.extend(items.map(Cow::Borrowed));
    }

    /// Adds the number of the texts in fields, the fields and their texts, and the names of the fields to remove.
    fn fields(&mut self, fields: &'a FieldPairs) {
        self.number(2 * fields.len());
        self.set(fields);
        self.counted(fields.cleared.iter().copied());
    }

    fn set(&mut self, fields: &'a FieldPairs) {
        for (name, text) in fields.pairs() {
            self.arg(name);
            self.arg(text);
        }
    }

    /// Adds the version that the record must have, and the one that is stored then.
    fn versions(&mut self, version: Option<u64>) {
        self.arg(version.map_or(String::new(), |version| version.to_string()));
        self.arg(version.map_or(String::new(), |version| version.saturating_add(1).to_string()));
    }

    /// Adds a column for each of the layout.
    fn columns(&mut self, layout: &Layout, columns: &'a [(&'static str, String)]) {
        self.args.extend(layout.columns.iter().map(|column| Cow::Borrowed(text_of(columns, column.name))));
    }

    /// Adds the number of a field's names, and the names.
    fn names(&mut self, field: &'a str, aliases: &'static [&'static str]) {
        self.number(1 + aliases.len());
        self.arg(field);
        self.args.extend(aliases.iter().copied().map(Cow::Borrowed));
    }

    /// Adds the position of a field's column, counted from 1, or `""` if the field is in no index.
    fn column(&mut self, layout: &Layout, field: &str) {
        let position = layout.columns.iter().position(|column| column.name == field);
        self.arg(position.map_or(String::new(), |position| (position + 1).to_string()));
    }

    fn conditions(&mut self, conditions: &'a [Condition]) {
        self.number(conditions.len());
        for Condition { field, aliases, text } in conditions {
            self.names(field, aliases);
            self.arg(text.as_ref().map_or(String::new(), |text| format!("={text}")));
        }
    }

    /// Adds the name of the version's field, or `""`, and the version that the record must have.
    fn version(&mut self, layout: &Layout, version: Option<u64>) {
        self.arg(layout.version.unwrap_or_default());
        self.arg(version.map_or(String::new(), |version| version.to_string()));
    }
}

/// Returns why the operations cannot be sent.
pub(super) fn problem(operations: &[Operation]) -> Option<Error> {
    let mut keys: HashMap<_, (usize, &Action)> = HashMap::new();
    let is_append = |action: &Action| matches!(action, Action::Append { .. });
    let problems = operations.iter().enumerate().filter_map(|(position, operation)| {
        let key = &operation.key;
        let why: Cow<'_, str> = if let Some(why) = key.problem() {
            why.into()
        } else if let Some((first, other)) = keys.insert(key.as_str(), (position, &operation.action))
            && !(is_append(other) && is_append(&operation.action))
        {
            format!("operations {first} and {position} write the same record; combine them").into()
        } else {
            let (why, field) = problem_of(operation)?;
            let error = Error::new(ErrorKind::InvalidInput, why);
            let error = if let Some(field) = field { error.with_field(field) } else { error };
            return Some((position, error, key));
        };
        Some((position, Error::new(ErrorKind::InvalidInput, why.into_owned()), key))
    });
    let (position, error, key) = problems.into_iter().next()?;
    let error = error.about(key.model(), key.as_str());
    Some(if operations.len() > 1 { error.with_operation(position) } else { error })
}

/// Returns why an operation cannot be sent, and the field that is the reason.
fn problem_of(operation: &Operation) -> Option<(&'static str, Option<&'static str>)> {
    let columns = match &operation.action {
        Action::Put { fields, .. } => Some(&fields.columns),
        Action::Index { columns, .. } => Some(columns),
        _ => None,
    };
    let is_missing =
        |name: &&'static str| columns.is_some_and(|columns| columns.iter().all(|(column, _)| column != name));
    if let Some(missing) = operation.layout.columns.iter().map(|column| column.name).find(is_missing) {
        return Some(("the field is in an index, but its value was not written", Some(missing)));
    }
    if let Action::Put { fields, version, .. } = &operation.action {
        if fields.set.is_empty() {
            return Some(("needs at least one field", None));
        }
        if operation.layout.version.is_some() && version.is_none() {
            return Some((
                "the version is negative; the first is 0, and the version of a record that is stored comes from a load",
                operation.layout.version,
            ));
        }
    }
    None
}

/// Returns whether the operation fits the straight line of the script.
pub(super) fn is_lone_put(operation: &Operation) -> bool {
    match &operation.action {
        Action::Put { fields, .. } => {
            operation.layout.partitions == 1 && 2 * fields.len() <= MAX_UNPACKED && fields.cleared.len() <= MAX_UNPACKED
        }
        _ => false,
    }
}

/// Returns the arguments of one put, for the straight line.
pub(super) fn of_put(operation: &Operation) -> Arguments<'_> {
    let mut out = Arguments::default();
    let Operation { layout, key, id, action } = operation;
    let Action::Put { mode, fields, version, lifetime } = action else { return out };
    out.arg(mode_text(*mode));
    out.arg(lifetime.text());
    out.arg(layout.version.unwrap_or_default());
    if layout.version.is_some() {
        out.versions(*version);
    }
    out.arg(layout.label());
    out.arg(id.as_str());
    out.key(key.as_str());
    let columns: Vec<_> = layout.columns.iter().map(|column| text_of(&fields.columns, column.name)).collect();
    out.arg(if columns.is_empty() { String::new() } else { format!("{}\0{}", layout.tag(), columns.join("\0")) });
    if !layout.indexes.is_empty() {
        out.key(layout.rows_key(0));
        out.key(layout.expiry_key(0));
    }
    let (unique, others): (Vec<_>, Vec<_>) = layout.indexes.iter().partition(|index| index.unique);
    out.number(unique.len());
    let indexes = || unique.iter().chain(&others);
    let positions = |index: &&Index| index.columns.iter().map(|at| (at + 1).to_string()).collect::<Vec<_>>().join("+");
    out.arg(indexes().map(positions).collect::<Vec<_>>().join(","));
    for index in indexes() {
        out.key(layout.index_key(index, 0));
        out.arg(member(&index.columns, &columns, id));
    }
    out.number(2 * fields.len());
    out.set(fields);
    out.args.extend(fields.cleared.iter().copied().map(Cow::Borrowed));
    out
}

/// Returns the member that a record has in an index, or `""` if one of the columns is empty.
fn member(positions: &[usize], columns: &[&str], id: &str) -> String {
    let values = positions.iter().map(|position| columns.get(*position).copied().unwrap_or_default().strip_prefix('='));
    values.collect::<Option<Vec<_>>>().map_or(String::new(), |values| format!("{}\0{id}", values.join("\0")))
}

/// Returns the arguments of any operations.
pub(super) fn of_all(operations: &[Operation]) -> Arguments<'_> {
    let mut out = Arguments::default();
    let mut layouts: Vec<(&Layout, Vec<u32>)> = Vec::new();
    for Operation { layout, id, .. } in operations {
        let at = layouts.iter().position(|(known, _)| known.is_stored_as(layout));
        let at = at.unwrap_or_else(|| {
            layouts.push((layout, Vec::new()));
            layouts.len() - 1
        });
        if let Some((_, partitions)) = layouts.get_mut(at)
            && !layout.indexes.is_empty()
            && !partitions.contains(&layout.partition_of(id))
        {
            partitions.push(layout.partition_of(id));
        }
    }
    out.arg("all");
    out.number(layouts.len());
    for (layout, partitions) in &layouts {
        add_layout(&mut out, layout, partitions);
    }
    out.number(operations.len());
    for operation in operations {
        let layout = layouts.iter().position(|(layout, _)| layout.is_stored_as(operation.layout)).unwrap_or_default();
        let partition = operation.layout.partition_of(&operation.id);
        let partitions = layouts.get(layout).map_or(&[][..], |(_, partitions)| partitions);
        let group = partitions.iter().position(|one| *one == partition).unwrap_or_default();
        add_operation(&mut out, operation, layout + 1, group + 1);
    }
    out
}

fn add_layout(out: &mut Arguments<'_>, layout: &Layout, partitions: &[u32]) {
    out.arg(layout.label());
    out.number(partitions.len());
    for &partition in partitions {
        out.arg(partition.to_string());
        out.key(layout.rows_key(partition));
        out.key(layout.expiry_key(partition));
        for index in layout.indexes.iter().filter(|index| !index.unique) {
            out.key(layout.index_key(index, partition));
        }
    }
    // They name the partitions that have keys.
    if !partitions.is_empty() && !partitions.contains(&0) {
        out.key(layout.rows_key(0));
    }
    for index in layout.indexes.iter().filter(|index| index.unique) {
        for partition in 0..layout.partitions {
            out.key(layout.index_key(index, partition));
        }
    }
}

fn add_operation<'a>(out: &mut Arguments<'a>, operation: &'a Operation, layout: usize, group: usize) {
    let Operation { layout: of, key, id, action } = operation;
    out.arg(match action {
        Action::Put { .. } => "put",
        Action::Patch { .. } => "patch",
        Action::Delete { .. } => "delete",
        Action::Expire { .. } => "expire",
        Action::Index { .. } => "index",
        Action::Purge => "purge",
        Action::Append { .. } => "append",
    });
    out.number(layout);
    out.number(group);
    out.arg(id.as_str());
    out.key(key.as_str());
    match action {
        Action::Put { mode, fields, version, lifetime } => {
            out.arg(mode_text(*mode));
            out.arg(lifetime.text());
            out.arg(of.version.unwrap_or_default());
            out.versions(*version);
            out.fields(fields);
            out.columns(of, &fields.columns);
        }
        Action::Patch { version, largest_version, conditions, changes, returning, lifetime } => {
            out.arg(lifetime.text());
            out.version(of, *version);
            out.column(of, of.version.unwrap_or_default());
            out.arg(largest_version.to_string());
            out.conditions(conditions);
            out.number(changes.len());
            for change in changes {
                add_change(out, of, change);
            }
            out.number(returning.len());
            for returned in returning {
                out.arg(returned.field);
                out.counted(returned.aliases.iter().copied());
            }
        }
        Action::Delete { version, conditions } => {
            out.version(of, *version);
            out.conditions(conditions);
        }
        Action::Expire { lifetime, load, may_be_gone } => {
            out.arg(lifetime.text());
            for flag in [load, may_be_gone] {
                out.arg(if *flag { "1" } else { "0" });
            }
        }
        Action::Index { seen, columns } => {
            out.conditions(seen);
            out.columns(of, columns);
        }
        Action::Purge => {}
        Action::Append { events, retention, publishes } => {
            out.arg(if *publishes { "1" } else { "0" });
            out.args.extend(retention.iter().map(|limit| Cow::Borrowed(limit.as_str())));
            out.number(events.len());
            for event in events {
                out.number(2 * event.len());
                out.set(event);
            }
        }
    }
}

fn mode_text(mode: Mode) -> &'static str {
    match mode {
        Mode::Insert => "insert",
        Mode::Save => "save",
        Mode::Update => "update",
    }
}

/// Adds what a patch does to a field: what it is, the position of the field's column, its names, and three details.
fn add_change<'a>(out: &mut Arguments<'a>, layout: &Layout, Change { field, aliases, change }: &'a Change) {
    let column = |column: &'a Option<String>| column.as_deref().unwrap_or_default().into();
    let (what, details): (_, [Cow<'a, str>; 3]) = match change {
        FieldChange::Set { text, column: of } => ("set", [text.into(), column(of), "".into()]),
        FieldChange::SetIfAbsent { text, column: of } => ("absent", [text.into(), column(of), "".into()]),
        FieldChange::Clear => ("clear", ["".into(), "".into(), "".into()]),
        FieldChange::Increment { by, min, max } => ("integer", [by.into(), min.into(), max.into()]),
        FieldChange::IncrementFloat { by } => ("float", [format!("{by:e}").into(), "".into(), "".into()]),
        FieldChange::Append { text } => ("append", [text.into(), "".into(), "".into()]),
    };
    out.arg(what);
    out.column(layout, field);
    out.names(field, aliases);
    out.args.extend(details);
}

/// Returns the text of a column. The operations have been checked, so there is one.
fn text_of<'a>(columns: &'a [(&'static str, String)], name: &str) -> &'a str {
    columns.iter().find(|(column, _)| *column == name).map_or("", |(_, text)| text)
}
