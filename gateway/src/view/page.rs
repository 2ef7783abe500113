//! What all pages have in common: their frame, and the parts that several of them show.

use super::html::Html;
use super::link::Link;
use super::shown::{self, CUT};
use super::store::Entry;
use super::time;

/// The parts of the view that the navigation leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Section {
    Overview,
    Keys,
    Groups,
    None,
}

/// A page.
#[derive(Debug)]
pub(super) struct Page {
    pub(super) title: String,
    pub(super) section: Section,
    /// The content below the heading.
    pub(super) body: Html,
    /// What the search field holds.
    pub(super) search: String,
    /// Whether the page uses the script.
    pub(super) is_live: bool,
}

impl Page {
    /// Returns an empty page.
    pub(super) fn new(section: Section, title: impl Into<String>) -> Page {
        Page { title: title.into(), section, body: Html::default(), search: String::new(), is_live: false }
    }

    /// Returns the text of the page.
    pub(super) fn render(self) -> String {
        let mut html = Html::default();
        html.markup("<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\">");
        html.markup("<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">");
        html.markup("<meta name=\"color-scheme\" content=\"light dark\">");
        html.leaf("title", &[], &format!("{} \u{b7} Redis view", self.title));
        html.markup("<link rel=\"icon\" href=\"/assets/icon.svg\" type=\"image/svg+xml\">");
        html.markup("<link rel=\"stylesheet\" href=\"/assets/view.css\">");
        if self.is_live {
            html.markup("<script src=\"/assets/tail.js\" defer></script>");
        }
        html.markup("</head><body><a class=\"skip\" href=\"#content\">Skip to content</a>");
        header(&mut html, self.section, &self.search);
        html.markup("<main id=\"content\" tabindex=\"-1\">");
        html.leaf("h1", &[], &self.title);
        html.append(&self.body);
        html.markup(
            "</main><footer><p>This view only reads. Values change only by your programs.</p></footer></body></html>",
        );
        html.into_string()
    }
}

const SECTIONS: [(Section, &str, &str); 3] =
    [(Section::Overview, "/", "Overview"), (Section::Keys, "/keys", "Keys"), (Section::Groups, "/groups", "Groups")];

fn header(html: &mut Html, current: Section, search: &str) {
    html.markup("<header class=\"bar\"><a class=\"brand\" href=\"/\">Redis view</a>");
    html.tag("nav", &[("aria-label", "Sections")], |html| {
        html.tag("ul", &[], |html| {
            for (section, target, name) in SECTIONS {
                let mut attributes = vec![("href", target)];
                attributes.extend((section == current).then_some(("aria-current", "page")));
                html.tag("li", &[], |html| html.leaf("a", &attributes, name));
            }
        });
    });
    html.tag("form", &[("role", "search"), ("action", "/keys")], |html| {
        html.leaf("label", &[("for", "search")], "Find keys");
        html.void(
            "input",
            &[
                ("id", "search"),
                ("name", "search"),
                ("type", "search"),
                ("value", search),
                ("placeholder", "user:42"),
                ("autocomplete", "off"),
                ("spellcheck", "false"),
            ],
        );
        html.leaf("button", &[("type", "submit")], "Find");
    });
    html.markup("</header>");
}

/// Adds a section with a heading.
pub(super) fn section(html: &mut Html, heading: &str, content: impl FnOnce(&mut Html)) {
    html.tag("section", &[], |html| {
        html.leaf("h2", &[], heading);
        content(html);
    });
}

/// Adds a table. Each row is written by its function.
///
/// Each cell names its column too, because a narrow screen shows a row as a list. A table that is too wide anyway can be
/// scrolled, also by the keyboard.
pub(super) fn table<R>(
    html: &mut Html,
    name: &str,
    columns: &[&str],
    rows: impl IntoIterator<Item = R>,
    mut row: impl FnMut(&mut Row<'_>, R),
) {
    html.tag("div", &[("class", "table"), ("role", "region"), ("aria-label", name), ("tabindex", "0")], |html| {
        html.tag("table", &[], |html| {
            html.tag("thead", &[], |html| {
                html.tag("tr", &[], |html| {
                    for column in columns {
                        html.leaf("th", &[("scope", "col")], column);
                    }
                });
            });
            html.tag("tbody", &[], |html| {
                for item in rows {
                    html.tag("tr", &[], |html| row(&mut Row { html, columns: columns.iter() }, item));
                }
            });
        });
    });
}

/// A row of a table that is being written.
pub(super) struct Row<'r> {
    html: &'r mut Html,
    columns: std::slice::Iter<'r, &'r str>,
}

impl Row<'_> {
    /// Adds a cell.
    pub(super) fn cell(&mut self, content: impl FnOnce(&mut Html)) {
        let column = self.columns.next().copied().unwrap_or_default();
        self.html.tag("td", &[("data-column", column)], content);
    }

    /// Adds a cell with a text.
    pub(super) fn text(&mut self, text: &str) {
        self.cell(|html| html.text(text));
    }

    /// Adds a cell with a number, or a dash if it is not known.
    pub(super) fn count(&mut self, number: Option<u64>) {
        self.text(&number.map_or_else(|| "\u{2014}".to_owned(), time::count));
    }
}

/// Adds names and what they stand for.
pub(super) fn facts(html: &mut Html, facts: &[(&str, String)]) {
    html.tag("dl", &[("class", "facts")], |html| {
        for (name, value) in facts {
            html.tag("div", &[], |html| {
                html.leaf("dt", &[], name);
                html.leaf("dd", &[], value);
            });
        }
    });
}

/// Adds a key that leads to its page.
pub(super) fn key_link(html: &mut Html, key: &[u8]) {
    html.leaf("a", &[("class", "key"), ("href", Link::to_key(key).as_str())], &shown::name(key));
}

/// Adds the type of a key.
pub(super) fn badge(html: &mut Html, text: &str) {
    html.leaf("span", &[("class", "badge")], text);
}

/// Adds a value. If it is too long, it is cut, and `whole` leads to all of it.
pub(super) fn value(html: &mut Html, bytes: &[u8], whole: Option<&Link>, name: &str) {
    let shown = shown::value(bytes, CUT);
    if let Some(label) = shown.kind.label() {
        badge(html, label);
    }
    if !shown.text.is_empty() {
        html.leaf("pre", &[], &shown.text);
    }
    if shown.is_cut {
        html.tag("p", &[("class", "cut")], |html| {
            html.text("\u{2026} ");
            match whole {
                Some(link) => whole_link(html, link, bytes.len() as u64, name),
                None => html.text(&format!("cut, {} in all", time::size(bytes.len() as u64))),
            }
        });
    }
}

/// Adds a link to all of a value. `name` tells a screen reader which one.
pub(super) fn whole_link(html: &mut Html, link: &Link, length: u64, name: &str) {
    html.tag("a", &[("href", link.as_str())], |html| {
        html.text(&format!("Show all {}", time::size(length)));
        html.leaf("span", &[("class", "unseen")], &format!(" of {name}"));
    });
}

/// The most fields of an entry that a page of several entries shows.
const MAX_FIELDS: usize = 30;

/// Adds entries of a stream.
pub(super) fn entries(html: &mut Html, key: &[u8], entries: &[Entry]) {
    html.tag("ol", &[("class", "entries")], |html| {
        for entry in entries {
            html.tag("li", &[("data-id", &entry.id)], |html| {
                let whole = Link::to("/value").with("key", key).with("entry", &entry.id);
                html.tag("p", &[("class", "entry")], |html| {
                    html.leaf("a", &[("class", "key"), ("href", whole.as_str())], &entry.id);
                    entry_time(html, &entry.id);
                });
                html.tag("dl", &[("class", "fields")], |html| {
                    for (name, bytes) in entry.fields.iter().take(MAX_FIELDS) {
                        let name = shown::name(name);
                        html.leaf("dt", &[], &name);
                        html.tag("dd", &[], |html| value(html, bytes, Some(&whole), &name));
                    }
                });
                if entry.fields.len() > MAX_FIELDS {
                    html.link(whole.as_str(), &format!("Show all {} fields", entry.fields.len()));
                }
            });
        }
    });
}

/// Returns the time in an id of a stream, if the id has one: those of a versioned log begin with a version.
pub(super) fn time_of(id: &str) -> Option<u64> {
    const YEAR_2001: u64 = 1_000_000_000_000;
    let ms = id.split('-').next()?.parse().ok()?;
    (YEAR_2001..100 * YEAR_2001).contains(&ms).then_some(ms)
}

fn entry_time(html: &mut Html, id: &str) {
    if let Some(ms) = time_of(id) {
        html.text(" ");
        html.leaf("time", &[("datetime", &time::timestamp(ms))], &time::readable(ms));
    }
}

/// Adds links to other parts of what the page shows.
pub(super) fn pager(html: &mut Html, links: &[(Link, &str)]) {
    if links.is_empty() {
        return;
    }
    html.tag("nav", &[("class", "pager"), ("aria-label", "Pages")], |html| {
        for (link, text) in links {
            html.link(link.as_str(), text);
        }
    });
}

/// Adds a paragraph of text.
pub(super) fn note(html: &mut Html, text: &str) {
    html.leaf("p", &[("class", "note")], text);
}

/// Adds whether something is as it should be, in words.
pub(super) fn state(html: &mut Html, is_good: bool, text: &str) {
    html.tag("span", &[("class", if is_good { "good" } else { "bad" })], |html| {
        html.leaf("span", &[("aria-hidden", "true")], if is_good { "\u{2713} " } else { "\u{2717} " });
        html.text(text);
    });
}
