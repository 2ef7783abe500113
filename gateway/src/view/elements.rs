//! The elements of lists, sets, sorted sets and strings, a page at a time.

use bytes::Bytes;

use super::encoding::{self, Encoding};
use super::html::Html;
use super::layout::{self, Mark, Role};
use super::link::{Link, Parameters};
use super::overview;
use super::page::{self, note, section, table, value};
use super::shown;
use super::store::{MAX_REPLY, Problem, Read, Store, bulk, items, number, pairs};
use super::time::{self, count};

/// The elements that a page shows.
const PAGE: u64 = 50;

pub(super) async fn list(
    store: Store<'_>,
    html: &mut Html,
    key: &[u8],
    parameters: &Parameters,
) -> Result<(), Problem> {
    let offset = parameters.number("offset");
    let length = number(&store.one(Read::LLEN.of(&[key])).await?).unwrap_or_default();
    let elements = store.range(Read::LRANGE, key, offset, PAGE, None).await?;
    let elements: Vec<_> = elements.into_iter().filter_map(bulk).collect();
    section(html, &format!("{} elements", count(length)), |html| {
        table(html, "Elements", &["Position", "Element"], (offset..).zip(&elements), |row, (at, bytes)| {
            row.text(&at.to_string());
            let whole = Link::to("/value").with("key", key).with("index", at.to_string());
            row.cell(|html| value(html, bytes, Some(&whole), &format!("element {at}")));
        });
        offsets(html, key, offset, elements.len() as u64, length);
    });
    Ok(())
}

/// Adds links to the parts before and after the one that is shown.
fn offsets(html: &mut Html, key: &[u8], offset: u64, shown: u64, length: u64) {
    let to = |offset: u64| Link::to_key(key).with("offset", offset.to_string());
    let mut links = Vec::new();
    if offset > 0 {
        links.push((to(0), "First"));
        links.push((to(offset.saturating_sub(PAGE)), "Previous"));
    }
    if offset + shown < length {
        links.push((to(offset + shown), "Next"));
        links.push((to(length.saturating_sub(PAGE)), "Last"));
    }
    page::pager(html, &links);
}

pub(super) async fn set(store: Store<'_>, html: &mut Html, key: &[u8], parameters: &Parameters) -> Result<(), Problem> {
    let length = number(&store.one(Read::SCARD.of(&[key])).await?).unwrap_or_default();
    let part = store.scan_in(Read::SSCAN, key, parameters.number("cursor"), PAGE).await?;
    let mut members: Vec<_> = part.items.into_iter().filter_map(bulk).collect();
    members.sort_unstable();
    section(html, &format!("{} members", count(length)), |html| {
        table(html, "Members", &["Member"], &members, |row, bytes| {
            row.cell(|html| value(html, bytes, None, "the member"));
        });
        cursors(html, key, part.next);
    });
    Ok(())
}

/// Adds a link to the rest of a scan.
pub(super) fn cursors(html: &mut Html, key: &[u8], next: Option<u64>) {
    if let Some(next) = next {
        page::pager(html, &[(Link::to_key(key).with("cursor", next.to_string()), "More")]);
    }
}

pub(super) async fn sorted_set(
    store: Store<'_>,
    html: &mut Html,
    key: &[u8],
    role: Role<'_>,
    parameters: &Parameters,
) -> Result<(), Problem> {
    let offset = parameters.number("offset");
    let length = number(&store.one(Read::ZCARD.of(&[key])).await?).unwrap_or_default();
    let members = pairs(store.range(Read::ZRANGE, key, offset, PAGE, Some(b"WITHSCORES")).await?);
    let mark = match role {
        Role::Index { prefix, .. } => overview::mark(store, prefix).await?,
        _ => None,
    };
    section(html, &format!("{} members", count(length)), |html| {
        match (role, mark) {
            (Role::Index { prefix, name }, Some(mark)) => index(html, prefix, name, &mark, &members),
            (Role::Expiry { prefix }, _) => expiry(html, prefix, &members),
            (Role::Part { part, .. }, _) if part.starts_with(b"queue:") => jobs(html, &members),
            _ => table(
                html,
                "Members",
                &["Rank", "Member", "Score"],
                (offset..).zip(&members),
                |row, (at, (member, score))| {
                    row.text(&at.to_string());
                    let whole = Link::to("/value").with("key", key).with("rank", at.to_string());
                    row.cell(|html| value(html, member, Some(&whole), &format!("the member of rank {at}")));
                    row.text(&shown::name(score));
                },
            ),
        }
        offsets(html, key, offset, members.len() as u64, length);
    });
    Ok(())
}

/// The entries of an index.
fn index(html: &mut Html, prefix: &[u8], name: &[u8], mark: &Mark, members: &[(Bytes, Bytes)]) {
    let Some(index) = mark.indexes.iter().find(|index| index.name.as_bytes() == name) else {
        note(html, "The mark of the model does not name this index: it is one of an earlier version of the model.");
        return;
    };
    let encodings = mark.encodings(index);
    // The first member is empty. It shows that the key was not evicted.
    let members = members.iter().map(|(member, _)| member).filter(|member| !member.is_empty());
    table(html, "Entries", &["Value", "Record"], members, |row, member| {
        match layout::member_parts(member, encodings.len()) {
            Some((values, id)) => {
                row.cell(|html| values_of(html, &encodings, &values));
                let key = [prefix, b":", id].concat();
                row.cell(|html| page::key_link(html, &key));
            }
            None => {
                row.cell(|html| value(html, member, None, "the member"));
                row.text("not an entry of this index");
            }
        }
    });
}

/// Adds the values of an entry of an index.
pub(super) fn values_of(html: &mut Html, encodings: &[Encoding], values: &[&[u8]]) {
    for (at, (encoding, bytes)) in encodings.iter().zip(values).enumerate() {
        if at > 0 {
            html.text(" + ");
        }
        html.leaf("code", &[], &shown::name(&encoding::decoded(*encoding, bytes)));
    }
}

/// When records expire.
fn expiry(html: &mut Html, prefix: &[u8], members: &[(Bytes, Bytes)]) {
    table(html, "Expiry marks", &["Record", "Expires"], members, |row, (id, score)| {
        let key = [prefix, b":", id].concat();
        row.cell(|html| page::key_link(html, &key));
        row.text(&ms_of(score).map_or_else(|| shown::name(score), time::readable));
    });
}

/// The jobs of a work queue by time.
fn jobs(html: &mut Html, members: &[(Bytes, Bytes)]) {
    table(html, "Jobs", &["Job", "Time"], members, |row, (id, score)| {
        row.text(&shown::name(id));
        row.text(&ms_of(score).map_or_else(|| shown::name(score), time::readable));
    });
}

/// Returns a score that is a time in ms.
pub(super) fn ms_of(score: &[u8]) -> Option<u64> {
    let number: f64 = std::str::from_utf8(score).ok()?.parse().ok()?;
    let is_time = (0.0..9e15).contains(&number);
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it is a whole number below 2^53")]
    is_time.then_some(number as u64)
}

/// The bytes of a string that a page shows.
const STRING: u64 = 256 << 10;

pub(super) async fn string(
    store: Store<'_>,
    html: &mut Html,
    key: &[u8],
    parameters: &Parameters,
) -> Result<(), Problem> {
    let offset = parameters.number("offset");
    let length = number(&store.one(Read::STRLEN.of(&[key])).await?).unwrap_or_default();
    let (start, end) = (offset.to_string(), offset.saturating_add(STRING - 1).to_string());
    let bytes = bulk(store.one(Read::GETRANGE.of(&[key, start.as_bytes(), end.as_bytes()])).await?).unwrap_or_default();
    section(html, "Value", |html| {
        let shown = shown::value(&bytes, usize::MAX);
        if let Some(label) = shown.kind.label() {
            page::badge(html, label);
        }
        html.text(&format!(" {}", time::size(length)));
        html.leaf("pre", &[], &shown.text);
        let to = |offset: u64| Link::to_key(key).with("offset", offset.to_string());
        let mut links = Vec::new();
        if offset > 0 {
            links.push((to(offset.saturating_sub(STRING)), "Previous part"));
        }
        if offset.saturating_add(STRING) < length {
            links.push((to(offset + STRING), "Next part"));
        }
        page::pager(html, &links);
    });
    Ok(())
}

/// A document of the JSON module.
pub(super) async fn json(store: Store<'_>, html: &mut Html, key: &[u8]) -> Result<(), Problem> {
    let document = bulk(store.one(Read::JSON_GET.of(&[key])).await?).unwrap_or_default();
    section(html, "Document", |html| {
        html.leaf("pre", &[], &shown::value(&document, usize::MAX).text);
    });
    Ok(())
}

/// Returns a title and the values that a link to a whole value names.
pub(super) async fn whole(
    store: Store<'_>,
    key: &[u8],
    parameters: &Parameters,
) -> Result<(String, Vec<(Bytes, Bytes)>), Problem> {
    let gone = || Problem::Missing("The value is gone.".to_owned());
    if let Some(field) = parameters.bytes("field") {
        let length = number(&store.one(Read::HSTRLEN.of(&[key, field])).await?).unwrap_or_default();
        if length > MAX_REPLY as u64 {
            return Err(Problem::TooLarge);
        }
        let value = bulk(store.one(Read::HGET.of(&[key, field])).await?).ok_or_else(gone)?;
        return Ok((shown::name(field), vec![("Value".into(), value)]));
    }
    if let Some(id) = parameters.text("entry") {
        let (entries, _) = store.entries(Read::XRANGE, key, [id, id], 1).await?;
        let entry = entries.into_iter().next().ok_or_else(gone)?;
        return Ok((format!("Entry {id}"), entry.fields));
    }
    let (command, at, name) = match parameters.text("rank") {
        Some(rank) => (Read::ZRANGE, rank, "Rank"),
        None => (Read::LRANGE, parameters.text("index").ok_or_else(gone)?, "Position"),
    };
    let values = items(store.one(command.of(&[key, at.as_bytes(), at.as_bytes()])).await?);
    let value = values.into_iter().next().and_then(bulk).ok_or_else(gone)?;
    Ok((format!("{name} {at}"), vec![("Value".into(), value)]))
}
