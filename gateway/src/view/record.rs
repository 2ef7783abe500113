//! The page of a hash: a record with its indexes, the rows of a model, or any other hash.

use bytes::Bytes;

use super::elements::{self, values_of};
use super::encoding::{self, Encoding};
use super::html::Html;
use super::layout::{Mark, Role, Row};
use super::link::{Link, Parameters};
use super::overview;
use super::page::{self, key_link, note, section, state, table, value};
use super::shown;
use super::store::{Problem, Read, Store, bulk, number, pairs};
use super::time::{self, count};

/// The fields that a page shows. A small hash is shown as a whole.
const PAGE: u64 = 100;

pub(super) async fn hash(
    store: Store<'_>,
    html: &mut Html,
    key: &[u8],
    role: Role<'_>,
    expires_at: Option<u64>,
    parameters: &Parameters,
) -> Result<(), Problem> {
    let length = number(&store.one(Read::HLEN.of(&[key])).await?).unwrap_or_default();
    let part = match store.scan_in(Read::HSCAN, key, parameters.number("cursor"), PAGE).await {
        Err(Problem::TooLarge) => return large(store, html, key, parameters).await,
        part => part?,
    };
    let mut fields = pairs(part.items);
    fields.sort_unstable();
    if let Role::Rows { prefix } = role {
        rows(html, prefix, &fields);
    } else {
        let heading = if length == 1 { "1 field".to_owned() } else { format!("{} fields", count(length)) };
        section(html, &heading, |html| {
            table(html, "Fields", &["Field", "Value"], &fields, |row, (field, bytes)| {
                let name = shown::name(field);
                row.cell(|html| html.leaf("code", &[], &name));
                let whole = Link::to("/value").with("key", key).with("field", field);
                row.cell(|html| value(html, bytes, Some(&whole), &name));
            });
        });
    }
    elements::cursors(html, key, part.next);
    if let Role::Member { prefix, id } = role
        && let Some(mark) = overview::mark(store, prefix).await?
    {
        let indexed = Indexed::read(store, prefix, id, key, mark).await?;
        section(html, "Indexes", |html| indexed.show(html, expires_at));
    }
    Ok(())
}

/// A hash whose values are too large to be shown together.
async fn large(store: Store<'_>, html: &mut Html, key: &[u8], parameters: &Parameters) -> Result<(), Problem> {
    let (fields, next) = store.lengths_in(key, parameters.number("cursor")).await?;
    section(html, "Fields", |html| {
        note(html, "The values are too large to be shown together.");
        table(html, "Fields", &["Field", "Value"], &fields, |row, (field, length)| {
            let name = shown::name(field);
            row.cell(|html| html.leaf("code", &[], &name));
            let whole = Link::to("/value").with("key", key).with("field", field);
            row.cell(|html| page::whole_link(html, &whole, *length, &name));
        });
    });
    elements::cursors(html, key, next);
    Ok(())
}

/// The rows of a model, and its marks, which begin with `:`.
fn rows(html: &mut Html, prefix: &[u8], fields: &[(Bytes, Bytes)]) {
    let (marks, rows): (Vec<_>, Vec<_>) = fields.iter().partition(|(id, _)| id.starts_with(b":"));
    let mark = marks.iter().find(|(name, _)| name == ":").and_then(|(_, mark)| std::str::from_utf8(mark).ok());
    let mark = mark.and_then(Mark::parse);
    if !marks.is_empty() {
        section(html, "Marks", |html| {
            table(html, "Marks", &["Name", "Value"], marks, |row, (name, mark)| {
                row.cell(|html| html.leaf("code", &[], &shown::name(name)));
                row.cell(|html| value(html, mark, None, "the mark"));
            });
        });
    }
    section(html, "Rows", |html| {
        table(html, "Rows", &["Record", "Indexed values"], rows, |row, (id, bytes)| {
            row.cell(|html| key_link(html, &[prefix, b":", id].concat()));
            let parsed = Row::parse(bytes);
            row.cell(|html| match mark.as_ref().filter(|mark| mark.tag.as_bytes() == parsed.tag) {
                Some(mark) => {
                    for (at, column) in mark.columns.iter().enumerate() {
                        html.tag("p", &[], |html| {
                            html.text(&format!("{}: ", column.field));
                            column_values(html, mark, &parsed, at);
                        });
                    }
                }
                None => value(html, bytes, None, "the row"),
            });
        });
    });
}

/// Adds the values of a column of a row.
fn column_values(html: &mut Html, mark: &Mark, row: &Row, at: usize) {
    let encoding = mark.columns.get(at).map_or(Encoding::Text, |column| column.encoding);
    let values = row.values(at);
    if values.is_empty() {
        html.text("none");
    }
    for (number, value) in values.into_iter().enumerate() {
        if number > 0 {
            html.text(", ");
        }
        values_of(html, &[encoding], &[value]);
    }
}

/// What the indexes of a model say about a record.
struct Indexed {
    mark: Mark,
    row: Option<Row>,
    /// Whether another program wrote the record while it was read, so that the parts may not fit.
    has_changed: bool,
    is_building: bool,
    /// The fields of the record that are in indexes.
    fields: Vec<Option<Bytes>>,
    entries: Vec<Entry>,
    /// When the record expires, by its mark.
    expires_at: Option<u64>,
}

/// An entry that the row of a record asks for.
struct Entry {
    /// The position of the index in the mark.
    index: usize,
    key: Vec<u8>,
    entry: Vec<u8>,
    is_present: bool,
}

impl Indexed {
    async fn read(store: Store<'_>, prefix: &[u8], id: &[u8], key: &[u8], mark: Mark) -> Result<Indexed, Problem> {
        let rows_key = mark.rows_key(prefix, id);
        let columns = mark.columns.iter().map(|column| column.field.as_bytes());
        let fields: Vec<&[u8]> = std::iter::once(key).chain(columns).collect();
        let mut commands =
            vec![Read::HMGET.of(&[&rows_key, id, b":building"]), Read::ZSCORE.of(&[&mark.expiry_key(prefix, id), id])];
        if !mark.columns.is_empty() {
            commands.push(Read::HMGET.of(&fields));
        }
        let mut replies = store.all(commands).await?.into_iter();
        let found = replies.next().map(super::store::items).unwrap_or_default();
        let mut found = found.into_iter().map(bulk);
        let (row_bytes, building) = (found.next().flatten(), found.next().flatten());
        let expires_at = replies.next().and_then(bulk).and_then(|score| elements::ms_of(&score));
        let fields = replies.next().map(super::store::items).unwrap_or_default().into_iter().map(bulk).collect();
        let row = row_bytes.as_ref().map(|bytes| Row::parse(bytes));
        let mut entries = Vec::new();
        for (at, index) in mark.indexes.iter().enumerate() {
            for entry in row.iter().flat_map(|row| index.entries(row)) {
                let key = mark.index_key(prefix, index, &entry, id);
                entries.push(Entry { index: at, key, entry, is_present: false });
            }
        }
        let member = |entry: &Entry| [&entry.entry, &b"\0"[..], id].concat();
        let mut commands: Vec<_> = entries.iter().map(|entry| Read::ZSCORE.of(&[&entry.key, &member(entry)])).collect();
        // Read again: writers go on between the commands.
        commands.push(Read::HGET.of(&[&rows_key, id]));
        let mut replies = store.all(commands).await?;
        let has_changed = replies.pop().and_then(bulk) != row_bytes;
        for (entry, score) in entries.iter_mut().zip(replies) {
            entry.is_present = bulk(score).is_some();
        }
        Ok(Indexed { mark, row, has_changed, is_building: building.is_some(), fields, entries, expires_at })
    }

    fn show(&self, html: &mut Html, expires_at: Option<u64>) {
        if self.is_building {
            note(html, "The indexes of this model are being built, so they may not be complete yet.");
        }
        let Some(row) = &self.row else {
            let text = "The record is in no index: it has no row. Another program wrote it, or its row was lost.";
            html.tag("p", &[], |html| state(html, false, text));
            note(html, &format!("{}::reindex adds it.", self.mark.model));
            return;
        };
        if row.tag != self.mark.tag.as_bytes() {
            let text = "The row is of an earlier version of the model.";
            html.tag("p", &[], |html| state(html, false, text));
            return;
        }
        let agreements = self.agreements(row);
        let is_good = self.entries.iter().all(|entry| entry.is_present)
            && agreements.iter().all(|agrees| *agrees != Some(false))
            && self.expires_at == expires_at;
        html.tag("p", &[("class", "verdict")], |html| match (is_good, self.has_changed) {
            (true, _) => state(html, true, "The indexes agree with the record."),
            (false, true) => html.text("The record was written while this page was made. Reload to compare again."),
            (false, false) => {
                let model = &self.mark.model;
                state(
                    html,
                    false,
                    &format!("The indexes do not agree with the record. {model}::reindex repairs them."),
                );
            }
        });
        self.show_entries(html);
        self.show_columns(html, row, &agreements);
        if self.expires_at.is_some() || expires_at.is_some() {
            html.leaf("h3", &[], "Expiry mark");
            html.tag("p", &[], |html| {
                let text = self.expires_at.map_or_else(|| "none".to_owned(), time::readable);
                html.text(&format!("{text}: "));
                let agrees = self.expires_at == expires_at;
                state(html, agrees, if agrees { "agrees with the key" } else { "the key expires at another time" });
            });
        }
    }

    /// Returns for each column whether it agrees with the field, if that can be known.
    fn agreements(&self, row: &Row) -> Vec<Option<bool>> {
        let columns = self.mark.columns.iter().zip(&self.fields).enumerate();
        columns
            .map(|(at, (column, field))| match field.as_deref().map(std::str::from_utf8) {
                Some(Err(_)) => None,
                Some(Ok(text)) => encoding::agrees(column.encoding, Some(text), row.column(at)),
                None => encoding::agrees(column.encoding, None, row.column(at)),
            })
            .collect()
    }

    fn show_entries(&self, html: &mut Html) {
        let columns = ["Index", "Entry", "State"];
        table(html, "Entries of the record", &columns, self.mark.indexes.iter().enumerate(), |row, (at, index)| {
            let entries: Vec<_> = self.entries.iter().filter(|entry| entry.index == at).collect();
            row.cell(|html| {
                match entries.first() {
                    Some(entry) => html.link(Link::to_key(&entry.key).as_str(), &index.name),
                    None => html.text(&index.name),
                }
                if index.is_unique {
                    html.text(" ");
                    page::badge(html, "unique");
                }
            });
            let encodings = self.mark.encodings(index);
            row.cell(|html| {
                if entries.is_empty() {
                    html.text("none: a value is missing");
                }
                for entry in &entries {
                    let values: Vec<&[u8]> = entry.entry.split(|byte| *byte == 0).collect();
                    html.tag("p", &[], |html| values_of(html, &encodings, &values));
                }
            });
            row.cell(|html| {
                for entry in &entries {
                    let text = if entry.is_present { "in the index" } else { "missing in the index" };
                    html.tag("p", &[], |html| state(html, entry.is_present, text));
                }
            });
        });
    }

    fn show_columns(&self, html: &mut Html, row: &Row, agreements: &[Option<bool>]) {
        html.leaf("h3", &[], "The row and the fields");
        let columns = self.mark.columns.iter().zip(agreements).enumerate();
        table(
            html,
            "The row and the fields",
            &["Field", "In the row", "State"],
            columns,
            |cells, (at, (column, agrees))| {
                cells.cell(|html| html.leaf("code", &[], &column.field));
                cells.cell(|html| column_values(html, &self.mark, row, at));
                cells.cell(|html| match agrees {
                    Some(true) => state(html, true, "agrees with the field"),
                    Some(false) => state(html, false, "differs from the field"),
                    None => html.text("not compared: only the program knows how the field is indexed"),
                });
            },
        );
    }
}
