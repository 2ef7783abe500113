//! Lists keys: all of them, those that a search finds, or the consumer groups of all streams.

use super::layout::Role;
use super::link::{Link, Parameters};
use super::page::{self, Page, Section, key_link, note, section, table};
use super::shown;
use super::store::{Facts, Problem, Read, Store, number};
use super::time;

/// The keys that a page lists.
const PAGE: usize = 100;

/// The types that a list can be restricted to.
const TYPES: [&str; 6] = ["hash", "list", "stream", "string", "set", "zset"];

pub(super) async fn keys(store: Store<'_>, parameters: &Parameters) -> Result<Page, Problem> {
    let search = parameters.bytes("search");
    let kind = parameters.text("type").filter(|kind| TYPES.contains(kind));
    let pattern = search.map(pattern);
    let cursor = parameters.number("cursor");
    let mut scanned = store.scan(cursor, pattern.as_deref(), kind, PAGE).await?;
    // A key that is found exactly is the first, wherever the scan would find it.
    let exact = match search.filter(|_| cursor == 0) {
        Some(key) => store.one(Read::EXISTS.of(&[key])).await.ok().and_then(|value| number(&value)) == Some(1),
        None => false,
    };
    let exact = search.filter(|_| exact).map(bytes::Bytes::copy_from_slice);
    scanned.keys.retain(|key| Some(key) != exact.as_ref());
    let keys: Vec<_> = exact.into_iter().chain(scanned.keys).collect();
    let types = store.types(&keys).await?;
    let mut page = Page::new(Section::Keys, "Keys");
    page.search = search.map(|search| String::from_utf8_lossy(search).into_owned()).unwrap_or_default();
    let html = &mut page.body;
    let with_search = |link: Link| search.into_iter().fold(link, |link, search| link.with("search", search));
    html.tag("nav", &[("class", "filter"), ("aria-label", "Types")], |html| {
        let all = std::iter::once(None).chain(TYPES.into_iter().map(Some));
        for candidate in all {
            let link = with_search(Link::to("/keys"));
            let link = candidate.into_iter().fold(link, |link, kind| link.with("type", kind));
            let mut attributes = vec![("href", link.as_str())];
            attributes.extend((candidate == kind).then_some(("aria-current", "true")));
            html.leaf("a", &attributes, candidate.unwrap_or("all types"));
        }
    });
    if keys.is_empty() {
        note(
            html,
            if scanned.next.is_some() { "None among the keys looked at so far." } else { "There are no such keys." },
        );
    } else {
        table(html, "Keys", &["Key", "Type", "What it is for"], keys.iter().zip(&types), |row, (key, kind)| {
            row.cell(|html| key_link(html, key));
            row.cell(|html| page::badge(html, kind));
            row.text(Role::of(key).meaning().unwrap_or_default());
        });
    }
    if let Some(next) = scanned.next {
        let link = with_search(Link::to("/keys")).with("cursor", next.to_string());
        let link = kind.into_iter().fold(link, |link, kind| link.with("type", kind));
        page::pager(html, &[(link, "More keys")]);
    }
    Ok(page)
}

/// Returns the pattern for a search: what the keys begin with, or a pattern with `*`.
fn pattern(search: &[u8]) -> Vec<u8> {
    let is_pattern = search.contains(&b'*');
    let mut pattern = Vec::with_capacity(search.len() + 1);
    for byte in search {
        if !is_pattern && br"?[]\^-".contains(byte) {
            pattern.push(b'\\');
        }
        pattern.push(*byte);
    }
    if !is_pattern {
        pattern.push(b'*');
    }
    pattern
}

/// The streams whose groups one page lists.
const STREAMS: usize = 50;

pub(super) async fn groups(store: Store<'_>, parameters: &Parameters) -> Result<Page, Problem> {
    let mut page = Page::new(Section::Groups, "Consumer groups");
    let html = &mut page.body;
    let scanned = store.scan(parameters.number("cursor"), None, Some("stream"), STREAMS).await?;
    let mut has_groups = false;
    for key in &scanned.keys {
        let groups = store.groups(key).await?;
        if !groups.is_empty() {
            has_groups = true;
            let counts = dead_letters(store, key, &groups).await?;
            section(html, &shown::name(key), |html| table_of_groups(html, key, &groups, &counts));
        }
    }
    if !has_groups {
        note(html, "None of the streams looked at has a consumer group.");
    }
    if let Some(next) = scanned.next {
        page::pager(html, &[(Link::to("/groups").with("cursor", next.to_string()), "More streams")]);
    }
    Ok(page)
}

/// Returns the key of the dead letters of a group, if the worker has its default.
pub(super) fn dead_key(key: &[u8], group: &[u8]) -> Vec<u8> {
    [key, b"::dead:", group].concat()
}

/// Returns the number of dead letters of each group.
pub(super) async fn dead_letters(store: Store<'_>, key: &[u8], groups: &[Facts]) -> Result<Vec<Option<u64>>, Problem> {
    let length = |group: &Facts| Read::XLEN.of(&[&dead_key(key, group.bytes("name").unwrap_or_default())]);
    Ok(store.all(groups.iter().map(length).collect()).await?.iter().map(number).collect())
}

/// Adds a table of the groups of a stream.
pub(super) fn table_of_groups(html: &mut super::html::Html, key: &[u8], groups: &[Facts], dead: &[Option<u64>]) {
    let columns = ["Group", "Lag", "Pending", "Dead letters", "Consumers", "Last delivered"];
    table(html, "Consumer groups", &columns, groups.iter().zip(dead), |row, (group, dead)| {
        let name = group.bytes("name").unwrap_or_default();
        let link = Link::to("/group").with("key", key).with("group", name);
        row.cell(|html| html.leaf("a", &[("class", "key"), ("href", link.as_str())], &shown::name(name)));
        row.count(group.number("lag"));
        row.count(group.number("pending"));
        row.count(*dead);
        row.count(group.number("consumers"));
        row.text(&shown::name(group.bytes("last-delivered-id").unwrap_or_default()));
    });
}

/// Returns how long ago something was, in words.
pub(super) fn ago(ms: Option<u64>) -> String {
    ms.map_or_else(|| "\u{2014}".to_owned(), time::duration)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_search_is_a_prefix_or_a_pattern() {
        assert_eq!(pattern(b"user:"), b"user:*");
        assert_eq!(pattern(b"a?[b]\\-"), b"a\\?\\[b\\]\\\\\\-*");
        assert_eq!(pattern(b"user:*:[ab]"), b"user:*:[ab]");
    }
}
