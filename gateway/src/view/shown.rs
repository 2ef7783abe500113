//! Stored bytes as text that a person can read, and that shows each byte.

use std::fmt::Write as _;

use serde::de::IgnoredAny;

/// The most characters of a value that a page of several values shows.
pub(super) const CUT: usize = 2_000;

/// A value as text.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Shown {
    pub(super) text: String,
    pub(super) kind: Kind,
    /// Whether the value is longer than the text.
    pub(super) is_cut: bool,
}

/// What a value is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Empty,
    Text,
    /// Text that is indented, since it is long.
    Json,
    /// Bytes that are not UTF-8. Those that are not text are written as `\xNN`.
    Bytes,
}

impl Kind {
    /// Returns the name of the kind, if a reader may need it.
    pub(super) fn label(self) -> Option<&'static str> {
        match self {
            Kind::Text => None,
            Kind::Empty => Some("empty"),
            Kind::Json => Some("JSON"),
            Kind::Bytes => Some("bytes"),
        }
    }
}

/// Returns a value as text of up to `limit` characters.
pub(super) fn value(bytes: &[u8], limit: usize) -> Shown {
    let (mut text, kind) = match std::str::from_utf8(bytes) {
        Ok("") => (String::new(), Kind::Empty),
        Ok(text) if is_json(text) => (escaped(indented(text).as_bytes(), true), Kind::Json),
        Ok(_) => (escaped(bytes, true), Kind::Text),
        Err(_) => (escaped(bytes, true), Kind::Bytes),
    };
    let end = text.char_indices().nth(limit).map(|(at, _)| at);
    if let Some(end) = end {
        text.truncate(end);
    }
    Shown { text, kind, is_cut: end.is_some() }
}

/// Returns a key or another name as one line.
pub(super) fn name(bytes: &[u8]) -> String {
    escaped(bytes, false)
}

/// Writes bytes that are not UTF-8 as `\xNN`, and characters that would not be seen, or would change the order of others, as
/// `\u{NNNN}`.
fn escaped(bytes: &[u8], keeps_lines: bool) -> String {
    let mut out = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        for character in chunk.valid().chars() {
            match character {
                '\n' | '\t' if keeps_lines => out.push(character),
                _ if is_invisible(character) => out.extend(character.escape_default()),
                _ => out.push(character),
            }
        }
        for byte in chunk.invalid() {
            // Writing to a string does not fail.
            let _ = write!(out, "\\x{byte:02x}");
        }
    }
    out
}

/// Returns whether a character is a control or a format character: `\u{202e}` would turn the text after it around.
fn is_invisible(character: char) -> bool {
    character.is_control()
        || matches!(character, '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}')
        || matches!(character, '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

/// The largest JSON that is indented, in bytes.
const MAX_JSON: usize = 256 << 10;

/// The most levels that are indented. JSON of any depth would be much longer if all were.
const MAX_INDENT: usize = 16;

/// The longest JSON that is left on its line.
const LINE: usize = 72;

/// Returns whether a text is a JSON object or array that is easier to read on several lines.
fn is_json(text: &str) -> bool {
    (LINE + 1..=MAX_JSON).contains(&text.len())
        && text.trim_start().starts_with(['{', '['])
        && serde_json::from_str::<IgnoredAny>(text).is_ok()
}

/// Indents JSON. All else stays as it is: a number keeps its digits, an object the order of its names and its duplicates.
fn indented(json: &str) -> String {
    let mut out = String::with_capacity(json.len() * 2);
    let (mut depth, mut in_string, mut is_escaped) = (0_usize, false, false);
    let line = |out: &mut String, depth: usize| {
        out.push('\n');
        out.extend(std::iter::repeat_n("  ", depth.min(MAX_INDENT)));
    };
    let mut characters = json.chars().filter(|character| !character.is_control()).peekable();
    while let Some(character) = characters.next() {
        if in_string {
            out.push(character);
            in_string = is_escaped || character != '"';
            is_escaped = !is_escaped && character == '\\';
            continue;
        }
        match character {
            ' ' => {}
            '{' | '[' => {
                out.push(character);
                while characters.next_if_eq(&' ').is_some() {}
                match characters.next_if(|next| matches!(next, '}' | ']')) {
                    Some(end) => out.push(end),
                    None => {
                        depth += 1;
                        line(&mut out, depth);
                    }
                }
            }
            '}' | ']' => {
                depth = depth.saturating_sub(1);
                line(&mut out, depth);
                out.push(character);
            }
            ',' => {
                out.push(character);
                line(&mut out, depth);
            }
            ':' => out.push_str(": "),
            _ => {
                in_string = character == '"';
                out.push(character);
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_is_indented_and_nothing_else_is_changed() {
        let json = "{\"b\" :[1,2.50,1234567890123456789012345678901234567890],\n\"a\":{},\"b\":\"x, {\\\"y\\\\\"  ,\"e\":[ ] }";
        let expected = "{\n  \"b\": [\n    1,\n    2.50,\n    1234567890123456789012345678901234567890\n  ],\n  \"a\": {},\n  \
                        \"b\": \"x, {\\\"y\\\\\",\n  \"e\": []\n}";
        assert_eq!(value(json.as_bytes(), CUT), Shown { text: expected.into(), kind: Kind::Json, is_cut: false });
        for text in ["{\"a\":[1,2]}", "{", "[1,]", "12", "\"a\"", &"[".repeat(100_000)] {
            assert_eq!(value(text.as_bytes(), 10).kind, Kind::Text, "{text:.20}");
        }
        let deep = "[".repeat(100_000) + &"]".repeat(100_000);
        assert!(value(deep.as_bytes(), usize::MAX).text.len() < 10_000_000);
    }

    #[test]
    fn each_byte_is_seen() {
        assert_eq!(value(b"a\xff\x00\nb\xc3\xa9", CUT).text, "a\\xff\\u{0}\nb\u{e9}");
        assert_eq!(value(b"a\xff", CUT).kind, Kind::Bytes);
        assert_eq!(name("a\n\u{202e}b\u{200b}\u{feff}".as_bytes()), "a\\n\\u{202e}b\\u{200b}\\u{feff}");
        assert_eq!(value(b"", CUT).kind, Kind::Empty);
    }

    #[test]
    fn long_values_are_cut_between_characters() {
        let shown = value("\u{e9}".repeat(11).as_bytes(), 10);
        assert_eq!((shown.text.chars().count(), shown.is_cut), (10, true));
        assert!(!value("\u{e9}".repeat(10).as_bytes(), 10).is_cut);
    }
}
