//! The pages of streams and of consumer groups.

use super::html::Html;
use super::keys::{ago, dead_key, dead_letters, table_of_groups};
use super::link::{Link, Parameters};
use super::page::{self, Page, Section, facts, note, section, table};
use super::shown;
use super::store::{Entry, Facts, Problem, Read, Store, items, number};
use super::time::count;

/// The entries that a page shows.
const PAGE: u64 = 50;

/// Returns an id of a stream that a request names.
pub(super) fn id<'p>(parameters: &'p Parameters, name: &str) -> Option<&'p str> {
    parameters.text(name).filter(|id| is_id(id))
}

/// Returns whether a text is an id of a stream, `MS-SEQUENCE` or `MS`.
pub(super) fn is_id(text: &str) -> bool {
    let (ms, sequence) = text.split_once('-').unwrap_or((text, "0"));
    ms.parse::<u64>().is_ok() && sequence.parse::<u64>().is_ok() && !text.contains('+')
}

pub(super) async fn stream(
    store: Store<'_>,
    html: &mut Html,
    key: &[u8],
    parameters: &Parameters,
) -> Result<(), Problem> {
    let info = Facts::of(&store.one(Read::XINFO_STREAM.of(&[key])).await?);
    let length = info.number("length").unwrap_or_default();
    let mut rows = vec![("Entries", count(length))];
    for (name, label) in [("last-generated-id", "Last ID"), ("max-deleted-entry-id", "Highest deleted ID")] {
        if let Some(id) = info.bytes(name).filter(|id| *id != b"0-0") {
            rows.push((label, shown::name(id)));
        }
    }
    if let Some(added) = info.number("entries-added") {
        rows.push(("Added in all", count(added)));
    }
    facts(html, &rows);
    let groups = store.groups(key).await?;
    if !groups.is_empty() {
        let dead = dead_letters(store, key, &groups).await?;
        section(html, "Consumer groups", |html| table_of_groups(html, key, &groups, &dead));
    }
    let is_old_first = parameters.text("order") == Some("old");
    let after = id(parameters, "after").map(|id| format!("({id}"));
    let (entries, asked) = match is_old_first {
        true => store.entries(Read::XRANGE, key, [after.as_deref().unwrap_or("-"), "+"], PAGE).await?,
        false => store.entries(Read::XREVRANGE, key, [after.as_deref().unwrap_or("+"), "-"], PAGE).await?,
    };
    section(html, "Entries", |html| {
        html.tag("nav", &[("class", "filter"), ("aria-label", "Order")], |html| {
            let link = Link::to_key(key);
            for (is_current, link, text) in [
                (!is_old_first, link.clone(), "newest first"),
                (is_old_first, link.with("order", "old"), "oldest first"),
                (false, Link::to("/tail").with("key", key), "live tail"),
            ] {
                let mut attributes = vec![("href", link.as_str())];
                attributes.extend(is_current.then_some(("aria-current", "true")));
                html.leaf("a", &attributes, text);
            }
        });
        if entries.is_empty() {
            note(html, "There are no entries here.");
        }
        page::entries(html, key, &entries);
        if let Some(last) = entries.last().filter(|_| entries.len() as u64 == asked) {
            let link = Link::to_key(key).with("order", if is_old_first { "old" } else { "new" });
            page::pager(html, &[(link.with("after", &last.id), if is_old_first { "Newer" } else { "Older" })]);
        }
    });
    Ok(())
}

/// An entry that a consumer has and has not acknowledged.
struct Pending {
    id: String,
    consumer: Vec<u8>,
    idle: Option<u64>,
    deliveries: Option<u64>,
}

pub(super) async fn group(store: Store<'_>, parameters: &Parameters) -> Result<Page, Problem> {
    let key = parameters.bytes("key").ok_or(Problem::Malformed("The address names no key."))?;
    let name = parameters.bytes("group").ok_or(Problem::Malformed("The address names no group."))?;
    let groups = store.groups(key).await?;
    let missing = || Problem::Missing(format!("The stream {} has no group {}.", shown::name(key), shown::name(name)));
    let group = groups.iter().find(|group| group.bytes("name") == Some(name)).ok_or_else(missing)?;
    let mut page = Page::new(Section::Groups, format!("Group {}", shown::name(name)));
    let html = &mut page.body;
    html.tag("p", &[], |html| {
        html.text("Of the stream ");
        page::key_link(html, key);
    });
    let known = |field: &str| group.number(field).map_or_else(|| "not known".to_owned(), count);
    facts(
        html,
        &[
            ("Lag", known("lag")),
            ("Pending", known("pending")),
            ("Read", known("entries-read")),
            ("Last delivered", shown::name(group.bytes("last-delivered-id").unwrap_or_default())),
        ],
    );
    consumers(store, html, key, name).await?;
    pending(store, html, key, name, parameters).await?;
    let dead = dead_key(key, name);
    let retry = [key, b"::retry:", name].concat();
    for (heading, key) in [("Dead letters", dead), ("To be delivered again", retry)] {
        // A key that does not exist is an empty stream.
        let length = number(&store.one(Read::XLEN.of(&[&key])).await?).unwrap_or_default();
        let (entries, _) = store.entries(Read::XREVRANGE, &key, ["+", "-"], 10).await?;
        section(html, heading, |html| {
            if length == 0 {
                note(html, "None.");
                return;
            }
            html.tag("p", &[], |html| {
                html.text(&format!("{} in ", count(length)));
                page::key_link(html, &key);
                html.text(", newest first");
            });
            page::entries(html, &key, &entries);
        });
    }
    Ok(page)
}

async fn consumers(store: Store<'_>, html: &mut Html, key: &[u8], group: &[u8]) -> Result<(), Problem> {
    let consumers = items(store.one(Read::XINFO_CONSUMERS.of(&[key, group])).await?);
    let consumers: Vec<_> = consumers.iter().map(Facts::of).collect();
    section(html, "Consumers", |html| {
        if consumers.is_empty() {
            note(html, "No consumer has read from this group yet.");
            return;
        }
        let columns = ["Consumer", "Pending", "Last attempt", "Last entry"];
        table(html, "Consumers", &columns, &consumers, |row, consumer| {
            row.text(&shown::name(consumer.bytes("name").unwrap_or_default()));
            row.count(consumer.number("pending"));
            row.text(&format!("{} ago", ago(consumer.number("idle"))));
            // Redis 7.0 does not know it; -1 is never.
            row.text(
                &consumer.number("inactive").map_or_else(|| "\u{2014}".into(), |ms| format!("{} ago", ago(Some(ms)))),
            );
        });
    });
    Ok(())
}

async fn pending(
    store: Store<'_>,
    html: &mut Html,
    key: &[u8],
    group: &[u8],
    parameters: &Parameters,
) -> Result<(), Problem> {
    let start = id(parameters, "after").map_or_else(|| "-".to_owned(), |id| format!("({id}"));
    let size = PAGE.to_string();
    let reply = store.one(Read::XPENDING.of(&[key, group, start.as_bytes(), b"+", size.as_bytes()])).await?;
    let pending: Vec<_> = reply.items().iter().filter_map(|value| pending_of(value.items())).collect();
    // Pending entries that were trimmed are lost. XPENDING does not tell.
    let entries = pending.iter().map(|one| Read::XRANGE.of(&[key, one.id.as_bytes(), one.id.as_bytes()])).collect();
    let entries = store.all(entries).await?;
    section(html, "Pending entries", |html| {
        if pending.is_empty() {
            note(html, "None: all that was delivered is acknowledged.");
            return;
        }
        let columns = ["Entry", "Consumer", "Held for", "Deliveries", "Fields"];
        table(html, "Pending entries", &columns, pending.iter().zip(entries), |row, (one, entry)| {
            let whole = Link::to("/value").with("key", key).with("entry", &one.id);
            row.cell(|html| html.leaf("a", &[("class", "key"), ("href", whole.as_str())], &one.id));
            row.text(&shown::name(&one.consumer));
            row.text(&ago(one.idle));
            row.count(one.deliveries);
            row.cell(|html| match entry {
                crate::resp::Value::Array(found) if found.is_empty() => {
                    page::state(html, false, "the entry was trimmed or deleted");
                }
                entry => html.text(
                    &items(entry).into_iter().find_map(Entry::of).map_or_else(String::new, |entry| brief(&entry)),
                ),
            });
        });
        if let Some(last) = pending.last().filter(|_| pending.len() as u64 == PAGE) {
            let link = Link::to("/group").with("key", key).with("group", group).with("after", &last.id);
            page::pager(html, &[(link, "Later ones")]);
        }
    });
    Ok(())
}

fn pending_of(parts: &[crate::resp::Value]) -> Option<Pending> {
    let [id, crate::resp::Value::Bulk(consumer), idle, deliveries] = parts else { return None };
    Some(Pending {
        id: id.text()?.to_owned(),
        consumer: consumer.to_vec(),
        idle: number(idle),
        deliveries: number(deliveries),
    })
}

/// Returns the beginning of an entry.
fn brief(entry: &Entry) -> String {
    let fields = entry.fields.iter().take(6);
    let part = |bytes: &[u8]| shown::value(bytes, 60).text.replace(['\n', '\t'], " ");
    fields.map(|(name, value)| format!("{}: {}", part(name), part(value))).collect::<Vec<_>>().join(" \u{b7} ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_numbers() {
        for (text, expected) in [
            ("1-0", true),
            ("1700000000000", true),
            ("", false),
            ("-", false),
            ("+", false),
            ("+1", false),
            ("1-+2", false),
        ] {
            assert_eq!(is_id(text), expected, "{text}");
        }
    }
}
