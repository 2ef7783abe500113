//! Reads pages strictly: nothing but the tags, attributes and nesting of the view's own pages. What a stored value has become
//! markup would be found here, and so would what a screen reader needs and lacks.

use std::collections::{BTreeMap, BTreeSet};

/// An element or a text.
#[derive(Debug)]
pub(crate) struct Tag {
    pub(crate) name: String,
    pub(crate) attributes: BTreeMap<String, String>,
    /// The names of the elements around it, outermost first.
    pub(crate) path: Vec<String>,
    /// The text in it and in the elements in it.
    pub(crate) text: String,
}

impl Tag {
    pub(crate) fn attribute(&self, name: &str) -> &str {
        self.attributes.get(name).map_or("", String::as_str)
    }
}

const VOID: [&str; 4] = ["meta", "link", "input", "!doctype"];

const TAGS: [&str; 41] = [
    "!doctype", "html", "head", "meta", "title", "link", "script", "body", "a", "header", "nav", "ul", "ol", "li",
    "form", "label", "input", "button", "main", "h1", "h2", "h3", "p", "section", "div", "table", "thead", "tbody",
    "tr", "th", "td", "dl", "dt", "dd", "span", "code", "pre", "time", "noscript", "footer", "details",
];

const ATTRIBUTES: [&str; 32] = [
    "html",
    "lang",
    "charset",
    "name",
    "content",
    "rel",
    "href",
    "type",
    "class",
    "id",
    "aria-label",
    "aria-current",
    "aria-hidden",
    "aria-live",
    "role",
    "action",
    "for",
    "value",
    "placeholder",
    "autocomplete",
    "spellcheck",
    "tabindex",
    "scope",
    "data-column",
    "data-id",
    "data-events",
    "data-entry",
    "data-last",
    "datetime",
    "hidden",
    "src",
    "defer",
];

/// Reads a page. Panics at what is not as the view writes it.
pub(crate) fn read(page: &str) -> Vec<Tag> {
    let mut tags: Vec<Tag> = Vec::new();
    let mut open: Vec<usize> = Vec::new();
    let mut rest = page;
    while !rest.is_empty() {
        let (text, after) = rest.split_once('<').unwrap_or((rest, ""));
        assert!(!text.contains('>'), "a bracket that is not escaped: {text:.100}");
        for at in &open {
            tags[*at].text.push_str(&unescaped(text));
        }
        if after.is_empty() {
            break;
        }
        let end = after.find('>').unwrap_or_else(|| panic!("an open tag: {after:.100}"));
        let (inside, after) = (&after[..end], &after[end + 1..]);
        rest = after;
        if let Some(name) = inside.strip_prefix('/') {
            let at = open.pop().unwrap_or_else(|| panic!("nothing is open at </{name}>"));
            assert_eq!(tags[at].name, name, "nesting, before {rest:.100}");
            continue;
        }
        let (name, attributes) = inside.split_once(' ').unwrap_or((inside, ""));
        assert!(TAGS.contains(&name), "<{inside:.100}>");
        let path = open.iter().map(|at| tags[*at].name.clone()).collect();
        tags.push(Tag { name: name.to_owned(), attributes: attributes_of(attributes), path, text: String::new() });
        if !VOID.contains(&name) {
            open.push(tags.len() - 1);
        }
    }
    assert!(open.is_empty(), "not closed: {:?}", open.iter().map(|at| &tags[*at].name).collect::<Vec<_>>());
    tags
}

fn attributes_of(mut text: &str) -> BTreeMap<String, String> {
    let mut attributes = BTreeMap::new();
    while !text.is_empty() {
        let (name, value) = match text.split_once("=\"") {
            Some((name, rest)) if !name.contains(' ') => {
                let (value, rest) = rest.split_once('"').unwrap_or_else(|| panic!("an open attribute: {text:.100}"));
                text = rest.strip_prefix(' ').unwrap_or(rest);
                (name, value)
            }
            _ => {
                let (name, rest) = text.split_once(' ').unwrap_or((text, ""));
                text = rest;
                (name, "")
            }
        };
        assert!(ATTRIBUTES.contains(&name), "the attribute {name:.100}");
        assert!(!value.contains(['<', '>', '\'']), "{name}={value}");
        assert!(attributes.insert(name.to_owned(), unescaped(value)).is_none(), "{name} twice");
    }
    attributes
}

fn unescaped(text: &str) -> String {
    let mut out = text.to_owned();
    for (entity, character) in [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&#39;", "'"), ("&amp;", "&")] {
        out = out.replace(entity, character);
    }
    let entities = text.matches('&').count();
    let known: usize =
        ["&lt;", "&gt;", "&quot;", "&#39;", "&amp;"].iter().map(|entity| text.matches(entity).count()).sum();
    assert_eq!(entities, known, "an ampersand that is not escaped: {text:.100}");
    out
}

/// Checks what a page must have for everybody to use it. Returns its links.
pub(crate) fn check(path: &str, page: &str) -> BTreeSet<String> {
    let tags = read(page);
    let all = |name: &'static str| tags.iter().filter(move |tag| tag.name == name);
    let one = |name: &'static str| {
        assert_eq!(all(name).count(), 1, "{path}: <{name}>");
        all(name).next().unwrap()
    };
    assert_eq!(one("html").attribute("lang"), "en");
    assert!(!one("title").text.trim().is_empty() && !one("h1").text.trim().is_empty(), "{path}: a title");
    assert_eq!(one("main").attribute("id"), "content");
    for landmark in ["header", "footer"] {
        one(landmark);
    }
    let first_link = all("a").next().unwrap();
    assert_eq!((first_link.attribute("href"), first_link.attribute("class")), ("#content", "skip"), "{path}");
    // Levels of headings follow each other.
    let mut level = 0;
    for heading in tags.iter().filter(|tag| ["h1", "h2", "h3"].contains(&tag.name.as_str())) {
        let next = heading.name[1..].parse::<u32>().unwrap();
        assert!(next <= level + 1, "{path}: <{}> {}", heading.name, heading.text);
        level = next;
    }
    let ids: Vec<_> = tags.iter().map(|tag| tag.attribute("id")).filter(|id| !id.is_empty()).collect();
    assert_eq!(ids.len(), ids.iter().collect::<BTreeSet<_>>().len(), "{path}: {ids:?}");
    for input in all("input") {
        assert!(all("label").any(|label| label.attribute("for") == input.attribute("id")), "{path}: a label");
    }
    for tag in tags.iter().filter(|tag| ["a", "button"].contains(&tag.name.as_str())) {
        assert!(!tag.text.trim().is_empty(), "{path}: <{}> without a name", tag.name);
    }
    for nav in all("nav") {
        assert!(!nav.attribute("aria-label").is_empty(), "{path}: a nav without a name");
    }
    assert!(all("th").all(|cell| cell.attribute("scope") == "col"), "{path}: scope");
    for region in tags.iter().filter(|tag| tag.attribute("role") == "region") {
        assert!(!region.attribute("aria-label").is_empty() && region.attribute("tabindex") == "0", "{path}: a region");
    }
    for item in all("li") {
        assert!(["ul", "ol"].contains(&item.path.last().unwrap().as_str()), "{path}: {:?}", item.path);
    }
    // Nothing is loaded from elsewhere, and no script but the one of the tail.
    let sources = all("script").map(|tag| (tag.attribute("src"), tag.text.as_str()));
    assert!(sources.into_iter().all(|source| source == ("/assets/tail.js", "")), "{path}: scripts");
    let links: BTreeSet<String> = tags.iter().map(|tag| tag.attribute("href").to_owned()).collect();
    links
        .into_iter()
        .filter(|link| !link.is_empty() && link != "#content")
        .inspect(|link| assert!(link.starts_with('/') && !link.starts_with("//"), "{path}: a link to {link}"))
        .collect()
}

/// Returns the variables of colours in the style sheet: those of the light and of the dark scheme.
fn colours(css: &str) -> [BTreeMap<String, [f64; 3]>; 2] {
    let roots: Vec<_> = css.split(":root {").skip(1).collect();
    let read = |root: &str| {
        let lines = root.split('}').next().unwrap().lines();
        let pairs = lines.filter_map(|line| line.trim().strip_prefix("--")?.split_once(": #"));
        pairs
            .map(|(name, hex)| {
                let part = |at: usize| f64::from(u8::from_str_radix(&hex[at..at + 2], 16).unwrap()) / 255.0;
                (name.to_owned(), [part(0), part(2), part(4)])
            })
            .collect()
    };
    [read(roots[0]), read(roots[1])]
}

/// Returns the contrast of two colours, as WCAG 2 defines it.
fn contrast(one: [f64; 3], other: [f64; 3]) -> f64 {
    let linear = |part: f64| if part <= 0.04045 { part / 12.92 } else { ((part + 0.055) / 1.055).powf(2.4) };
    let luminance =
        |[red, green, blue]: [f64; 3]| 0.2126 * linear(red) + 0.7152 * linear(green) + 0.0722 * linear(blue);
    let (one, other) = (luminance(one) + 0.05, luminance(other) + 0.05);
    one.max(other) / one.min(other)
}

#[test]
fn colours_have_contrast_in_both_schemes() {
    let css = include_str!("../../../gateway/src/view/assets/view.css");
    let [light, dark] = colours(css);
    assert_eq!(light.keys().collect::<Vec<_>>(), dark.keys().collect::<Vec<_>>());
    for (scheme, colours) in [("light", light), ("dark", dark)] {
        for text in ["text", "muted", "accent", "good", "bad"] {
            for ground in ["page", "surface", "quiet"] {
                let contrast = contrast(colours[text], colours[ground]);
                assert!(contrast >= 4.5, "{scheme}: {text} on {ground}: {contrast:.2}");
            }
        }
        for ground in ["page", "surface", "quiet"] {
            let contrast = contrast(colours["control"], colours[ground]);
            assert!(contrast >= 3.0, "{scheme}: the border of a control on {ground}: {contrast:.2}");
        }
    }
    assert!((contrast([0.0; 3], [1.0; 3]) - 21.0).abs() < 0.01);
    assert!(css.contains("prefers-reduced-motion") && css.contains(":focus-visible"));
    assert!(!css.contains("url(") && !css.contains("@import"), "nothing is loaded");
}

#[test]
fn markup_is_read_strictly() {
    assert_eq!(read("<p title=\"x\">".replace("title", "class").as_str().replace('>', "></p>").as_str()).len(), 1);
    for page in ["<p>", "</p>", "<p><a></p></a>", "<p onclick=\"x\"></p>", "<img>", "<p>a > b</p>", "<p>&x;</p>"] {
        assert!(std::panic::catch_unwind(|| read(page)).is_err(), "{page}");
    }
}
