//! The page of a key: what it is, and what it holds.

use super::elements;
use super::html::Html;
use super::layout::{QUEUE, Role};
use super::link::{Link, Parameters};
use super::page::{self, Page, Section};
use super::record;
use super::shown;
use super::store::{MAX_REPLY, Problem, Read, Store, number};
use super::stream;
use super::time;

pub(super) async fn key(store: Store<'_>, parameters: &Parameters) -> Result<Page, Problem> {
    let key = parameters.bytes("key").ok_or(Problem::Malformed("The address names no key."))?;
    let about = store
        .all(vec![
            Read::TYPE.of(&[key]),
            Read::PTTL.of(&[key]),
            Read::MEMORY_USAGE.of(&[key]),
            Read::PEXPIRETIME.of(&[key]),
        ])
        .await?;
    let kind = about.first().and_then(|value| value.text()).unwrap_or("none");
    let role = Role::of(key);
    if kind == "none" {
        return Err(Problem::Missing(format!("There is no key {}. It may have expired.", shown::name(key))));
    }
    let mut page = Page::new(Section::Keys, shown::name(key));
    page.search = String::from_utf8_lossy(key).into_owned();
    let html = &mut page.body;
    if let Some(meaning) = role.meaning() {
        page::note(html, &format!("This key is kept by redis-model: {meaning}."));
    }
    let ttl = about.get(1).and_then(number);
    let expires_at = about.get(3).and_then(number);
    let ttl_text = match (ttl, expires_at) {
        (Some(ms), Some(at)) => format!("{} (until {})", time::duration(ms), time::readable(at)),
        (Some(ms), None) => time::duration(ms),
        (None, _) => "none: it does not expire".to_owned(),
    };
    let mut facts = vec![("Type", kind.to_owned()), ("Time to live", ttl_text)];
    let memory = about.get(2).and_then(number);
    if let Some(bytes) = memory {
        facts.push(("Memory", time::size(bytes)));
    }
    page::facts(html, &facts);
    if let Role::Part { of, .. } | Role::Once { of } = role {
        // It may be a prefix, and a key may be gone.
        let link = Link::to("/keys").with("search", of);
        html.tag("p", &[], |html| {
            html.text("It belongs to ");
            html.link(link.as_str(), &shown::name(of));
            html.text(".");
        });
    }
    if let Role::Part { of, part } = role
        && part.starts_with(b"queue")
    {
        queue(store, html, of).await?;
    }
    match kind {
        "hash" => record::hash(store, html, key, role, expires_at, parameters).await?,
        "list" => elements::list(store, html, key, parameters).await?,
        "set" => elements::set(store, html, key, parameters).await?,
        "zset" => elements::sorted_set(store, html, key, role, parameters).await?,
        "string" => elements::string(store, html, key, parameters).await?,
        "stream" => stream::stream(store, html, key, parameters).await?,
        // Its text is as long as its parts together, which are in memory.
        "ReJSON-RL" if memory.is_none_or(|bytes| bytes > MAX_REPLY as u64) => return Err(Problem::TooLarge),
        "ReJSON-RL" => elements::json(store, html, key).await?,
        _ => page::note(html, "The view does not show values of this type."),
    }
    if matches!((kind, role), ("list" | "stream", Role::Member { .. } | Role::Plain)) {
        let beside = Link::to("/keys").with("search", [key, b"::"].concat());
        html.tag("p", &[], |html| html.link(beside.as_str(), "Keys kept beside it"));
    }
    Ok(page)
}

/// The state of a work queue.
async fn queue(store: Store<'_>, html: &mut Html, of: &[u8]) -> Result<(), Problem> {
    let keys = QUEUE.map(|(part, _)| [of, b"::", part].concat());
    let counts = [Read::LLEN, Read::ZCARD, Read::ZCARD, Read::ZCARD, Read::HLEN];
    let counts = store.all(counts.iter().zip(&keys).map(|(count, key)| count.of(&[key])).collect()).await?;
    page::section(html, "The queue", |html| {
        page::table(html, "The queue", &["Key", "Holds", "Count"], keys.iter().zip(counts), |row, (key, count)| {
            let count = number(&count).unwrap_or_default();
            row.cell(|html| match count {
                // An empty list or set does not exist.
                0 => html.leaf("code", &[], &shown::name(key)),
                _ => page::key_link(html, key),
            });
            row.text(Role::of(key).meaning().unwrap_or_default());
            row.count(Some(count));
        });
    });
    Ok(())
}

/// All of one value: a field of a hash, an element of a list or a sorted set, or an entry of a stream.
pub(super) async fn whole(store: Store<'_>, parameters: &Parameters) -> Result<Page, Problem> {
    /// The most characters of a value that a page shows.
    const WHOLE: usize = 1_000_000;
    let key = parameters.bytes("key").ok_or(Problem::Malformed("The address names no key."))?;
    let (title, values) = elements::whole(store, key, parameters).await?;
    let mut page = Page::new(Section::Keys, title);
    let html = &mut page.body;
    html.tag("p", &[], |html| {
        html.text("In ");
        page::key_link(html, key);
    });
    for (name, bytes) in values {
        page::section(html, &shown::name(&name), |html| {
            let shown = shown::value(&bytes, WHOLE);
            if let Some(label) = shown.kind.label() {
                page::badge(html, label);
            }
            html.text(&format!(" {}", time::size(bytes.len() as u64)));
            html.leaf("pre", &[], &shown.text);
            if shown.is_cut {
                page::note(html, "The first 1,000,000 characters are shown.");
            }
        });
    }
    Ok(page)
}
