//! The first page: the models in the store, and the keys by prefix and type.

use std::collections::BTreeMap;

use bytes::Bytes;

use super::html::Html;
use super::layout::{Mark, Role};
use super::link::{Link, Parameters};
use super::page::{self, Page, Section, note, section, table};
use super::shown;
use super::store::{self, Problem, Read, Store};
use super::time::count;

/// A model whose records have indexes.
struct Model {
    prefix: Vec<u8>,
    mark: Mark,
    records: u64,
}

/// The keys with one prefix, by type.
#[derive(Default)]
struct Group {
    types: BTreeMap<String, u64>,
    /// The keys that `redis-model` keeps beside them.
    beside: u64,
}

pub(super) async fn overview(store: Store<'_>, parameters: &Parameters) -> Result<Page, Problem> {
    let mut page = Page::new(Section::Overview, "Overview");
    let total = store::number(&store.one(Read::DBSIZE.of(&[])).await?).unwrap_or_default();
    let cursor = parameters.number("cursor");
    let scanned = store.scan(cursor, None, None, usize::MAX).await?;
    let types = store.types(&scanned.keys).await?;
    let models = models(store, &scanned.keys).await?;
    let groups = groups(&scanned.keys, &types);
    let html = &mut page.body;
    let is_part = cursor != 0 || scanned.next.is_some();
    let found = scanned.keys.len() as u64;
    note(
        html,
        &if is_part {
            format!("The store has {} keys. These are {} of them.", count(total), count(found))
        } else {
            format!("The store has {}.", of(found, "key"))
        },
    );
    if total == 0 {
        note(html, "Run a program against the gateway, then reload this page.");
    }
    if !models.is_empty() {
        section(html, "Models with indexes", |html| show_models(html, &models));
    }
    if !groups.is_empty() {
        section(html, "Keys by prefix", |html| show_groups(html, &groups));
    }
    if let Some(next) = scanned.next {
        page::pager(html, &[(Link::to("/").with("cursor", next.to_string()), "Look at more keys")]);
    }
    Ok(page)
}

fn of(number: u64, noun: &str) -> String {
    let plural = match noun {
        _ if number == 1 => "",
        "hash" => "es",
        _ => "s",
    };
    format!("{} {noun}{plural}", count(number))
}

/// The most models that one page describes.
const MAX_MODELS: usize = 100;

async fn models(store: Store<'_>, keys: &[Bytes]) -> Result<Vec<Model>, Problem> {
    let prefix = |key: &Bytes| match Role::of(key) {
        Role::Rows { prefix } => Some(prefix.to_vec()),
        _ => None,
    };
    // The rows can be in several keys.
    let mut prefixes: Vec<_> = keys.iter().filter_map(prefix).collect();
    prefixes.dedup();
    let mut models = Vec::new();
    for prefix in prefixes.into_iter().take(MAX_MODELS) {
        if let Some(mark) = mark(store, &prefix).await? {
            let lengths = mark.rows_keys(&prefix).iter().map(|key| Read::HLEN.of(&[key])).collect();
            let lengths = store.all(lengths).await?;
            // The mark is in each of the keys, and the first one names the others.
            let lengths: Vec<u64> = lengths.iter().filter_map(store::number).collect();
            let marks = lengths.iter().filter(|length| **length > 0).count() as u64 + u64::from(mark.partitions > 1);
            models.push(Model { records: lengths.iter().sum::<u64>().saturating_sub(marks), prefix, mark });
        }
    }
    Ok(models)
}

/// Returns the mark of the model with a prefix, or `None` if the model has no indexes.
pub(super) async fn mark(store: Store<'_>, prefix: &[u8]) -> Result<Option<Mark>, Problem> {
    let rows = [prefix, b"::rows"].concat();
    let first = [prefix, b"::rows:0"].concat();
    let found = store.all(vec![Read::HGET.of(&[&rows, b":"]), Read::HGET.of(&[&first, b":"])]).await?;
    Ok(found.iter().find_map(|value| Mark::parse(value.text()?)))
}

fn groups(keys: &[Bytes], types: &[String]) -> BTreeMap<Vec<u8>, Group> {
    let mut groups: BTreeMap<Vec<u8>, Group> = BTreeMap::new();
    for (key, kind) in keys.iter().zip(types).filter(|(_, kind)| *kind != "none") {
        let role = Role::of(key);
        let prefix = match role {
            // The owner of an outcome is a model if it has rows.
            Role::Once { of } if has_rows(keys, of) => of,
            _ => role.prefix(),
        };
        let group = groups.entry(prefix.to_vec()).or_default();
        match role {
            Role::Member { .. } | Role::Plain => *group.types.entry(kind.clone()).or_default() += 1,
            _ => group.beside += 1,
        }
    }
    groups
}

/// Returns whether one of the keys, which are sorted, has the rows of this model.
fn has_rows(keys: &[Bytes], prefix: &[u8]) -> bool {
    let rows = [prefix, b"::rows"].concat();
    let at = keys.partition_point(|key| key.as_ref() < rows.as_slice());
    keys.get(at).is_some_and(|key| key.starts_with(&rows))
}

fn show_models(html: &mut Html, models: &[Model]) {
    table(html, "Models", &["Model", "Prefix", "Records", "Indexes"], models, |row, model| {
        row.text(&model.mark.model);
        row.cell(|html| prefix_link(html, &model.prefix, Some("hash")));
        row.count(Some(model.records));
        row.cell(|html| {
            html.tag("ul", &[("class", "tags")], |html| {
                for index in &model.mark.indexes {
                    let unique = if index.is_unique { " (unique)" } else { "" };
                    let partition = if model.mark.partitions > 1 { ":0" } else { "" };
                    let key = format!("::index:{}{partition}", index.name);
                    let link = Link::to_key(&[&model.prefix, key.as_bytes()].concat());
                    html.tag("li", &[], |html| html.link(link.as_str(), &format!("{}{unique}", index.name)));
                }
            });
        });
    });
}

fn show_groups(html: &mut Html, groups: &BTreeMap<Vec<u8>, Group>) {
    table(html, "Keys by prefix", &["Prefix", "Types", "Bookkeeping keys"], groups, |row, (prefix, group)| {
        row.cell(|html| match prefix.is_empty() {
            true => html.text("(no prefix)"),
            false => prefix_link(html, prefix, None),
        });
        row.cell(|html| {
            html.tag("ul", &[("class", "tags")], |html| {
                for (kind, number) in &group.types {
                    let link = list(prefix).with("type", kind);
                    html.tag("li", &[], |html| html.link(link.as_str(), &of(*number, type_name(kind))));
                }
            });
        });
        row.count(Some(group.beside));
    });
}

/// Returns a link to the keys with a prefix. Those without one are found among all.
fn list(prefix: &[u8]) -> Link {
    match prefix {
        b"" => Link::to("/keys"),
        prefix => Link::to("/keys").with("search", [prefix, b":"].concat()),
    }
}

fn prefix_link(html: &mut Html, prefix: &[u8], kind: Option<&str>) {
    let link = kind.into_iter().fold(list(prefix), |link, kind| link.with("type", kind));
    html.leaf("a", &[("class", "key"), ("href", link.as_str())], &shown::name(&[prefix, b":"].concat()));
}

/// Returns the name of a type, to which an `s` can be added.
fn type_name(kind: &str) -> &str {
    match kind {
        "zset" => "sorted set",
        // A record, mostly.
        "hash" => "hashe",
        other => other,
    }
}
