//! What is cut from an error: the arguments that Redis repeats in its texts, and the values in the errors of serde.

use std::error::Error as StdError;
use std::fmt;
use std::sync::Arc;

/// The most characters of a text that are kept.
const MAX_TEXT: usize = 512;

/// The longest name of a command or of a script's variable. A longer text is not a name.
const MAX_NAME: usize = 48;

/// The longest token of Lua, `function`, as in `'function' expected near ..`.
const MAX_TOKEN: usize = 8;

/// What stands for a part that was cut.
const CUT: &str = "..";

/// Texts that repeat an argument without quotes.
///
/// Nothing in such a text marks the end of the argument, so all that follows is cut.
const UNQUOTED: [Unquoted; 11] = [
    Unquoted { before: ", with args beginning with:", text_has: "", shown: "" },
    // Lua quotes what is near, and search does not.
    Unquoted { before: " near ", text_has: "at offset", shown: " near .." },
    // VSIM with FILTER.
    Unquoted { before: "expression near: ", text_has: "", shown: "expression near: .." },
    // EXPIRE and its like.
    Unquoted { before: "Unsupported option ", text_has: "", shown: "Unsupported option .." },
    // FUNCTION LIST and JSON.SET, HSETEX, FUNCTION LOAD.
    Unquoted { before: "nknown argument ", text_has: "", shown: "nknown argument .." },
    Unquoted { before: "nknown argument: ", text_has: "", shown: "nknown argument: .." },
    Unquoted { before: "Unknown option given: ", text_has: "", shown: "Unknown option given: .." },
    // The first line of a script or a library.
    Unquoted { before: "metadata value given: ", text_has: "", shown: "metadata value given: .." },
    Unquoted { before: "script shebang: ", text_has: "", shown: "script shebang: .." },
    Unquoted { before: "shebang option: ", text_has: "", shown: "shebang option: .." },
    // GEORADIUSBYMEMBER of Valkey.
    Unquoted { before: "ERR member ", text_has: " does not exist", shown: "ERR member .. does not exist" },
];

/// An argument without quotes in a text that has `text_has`.
struct Unquoted {
    /// The words before the argument.
    before: &'static str,
    text_has: &'static str,
    /// What stands for the words and all that follows them.
    shown: &'static str,
}

/// What Lua quotes after these words is a name in the script. Redis quotes nothing after them.
const LUA: [&str; 8] = ["global ", "local ", "upvalue ", "method ", "field ", "variable ", "function ", "to "];

/// Returns a text of Redis without the arguments that it repeats: what it quotes is cut, except for the name of a command
/// and the names of variables in a script.
pub(super) fn redis_text(text: &str) -> String {
    let (mut rest, mut end) = (text, "");
    for Unquoted { before, text_has, shown } in UNQUOTED {
        if let (true, Some((front, _))) = (text.contains(text_has), rest.split_once(before)) {
            (rest, end) = (front, shown);
        }
    }
    let is_script = text.contains("user_script:") || text.contains("user_function:");
    let mut kept = String::with_capacity(rest.len());
    while let Some(at) = opening(&kept, rest) {
        let (before, quoted) = rest.split_at(at);
        kept.push_str(before);
        let (quote, inner) = quoted.split_at(1);
        let (name, after) = inner.split_once(quote).unwrap_or((inner, ""));
        let is_token = is_script && name.len() <= MAX_TOKEN && after.starts_with(" expected");
        if is_token || is_name(name) && names(&kept, after, is_script) {
            kept.push_str(quote);
            kept.push_str(name);
            kept.push_str(quote);
            rest = after;
        } else {
            // An argument can contain quotes itself, so the last one ends what is cut.
            kept.push_str(quote);
            kept.push_str(CUT);
            kept.push_str(quote);
            rest = last_closing(inner, quote).map_or("", |end| inner.get(end + 1..).unwrap_or_default());
        }
    }
    kept.push_str(rest);
    if end.is_empty() {
        kept.truncate(kept.trim_end().len());
    }
    kept.push_str(end);
    shortened(&kept, MAX_TEXT).into_owned()
}

/// The first quote that does not follow a letter, as an apostrophe does. `before` is what precedes `text`.
fn opening(before: &str, text: &str) -> Option<usize> {
    let follows_letter = |at: usize| {
        let previous = text.get(..at).and_then(|front| front.chars().next_back()).or(before.chars().next_back());
        previous.is_some_and(char::is_alphanumeric)
    };
    let quotes = text.char_indices().filter(|(_, char)| matches!(char, '\'' | '"' | '`'));
    quotes.map(|(at, _)| at).find(|at| !follows_letter(*at))
}

/// The last quote of this kind that no letter follows.
fn last_closing(text: &str, quote: &str) -> Option<usize> {
    let mut quotes = text.rmatch_indices(quote).map(|(at, _)| at);
    quotes.find(|at| !text.get(at + 1..).and_then(|rest| rest.chars().next()).is_some_and(char::is_alphanumeric))
}

fn is_name(text: &str) -> bool {
    let is_part = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'|' | b'-');
    (1..=MAX_NAME).contains(&text.len()) && text.bytes().all(is_part)
}

/// Whether what stands between these texts names a command or a variable.
fn names(before: &str, after: &str, is_script: bool) -> bool {
    // ACL DRYRUN takes the name as an argument. A letter after the quote shows that the quote is a part of the argument.
    if after.starts_with(" not found") || after.starts_with(char::is_alphanumeric) {
        return false;
    }
    let is_word = |start: &str| start.is_empty() || start.ends_with(' ');
    let follows_command = ["command ", "Command "].iter().any(|word| before.strip_suffix(word).is_some_and(is_word))
        || before.ends_with("Command is not available: ")
        // OOM names the setting.
        || before.ends_with(" used memory > ");
    follows_command || after.starts_with(" command") || is_script && LUA.iter().any(|word| before.ends_with(word))
}

/// The start of a text, if it has more than `most` characters.
pub(super) fn shortened(text: &str, most: usize) -> std::borrow::Cow<'_, str> {
    match text.char_indices().nth(most) {
        None => text.into(),
        Some((end, _)) => format!("{}{CUT}", text.get(..end).unwrap_or_default()).into(),
    }
}

/// A cause of which only a text is left.
#[derive(Debug)]
struct Redacted(String);

impl fmt::Display for Redacted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl StdError for Redacted {}

/// Returns the cause of an error. Those of serde quote whole values, which are cut.
pub(super) fn source(source: Box<dyn StdError + Send + Sync>) -> Arc<dyn StdError + Send + Sync> {
    let redacted = match source.downcast_ref::<serde_json::Error>() {
        Some(error) => Some(json(error)),
        None => source.downcast_ref::<serde::de::value::Error>().map(|error| value(&error.to_string())),
    };
    match redacted {
        Some(text) => Arc::new(Redacted(text)),
        None => source.into(),
    }
}

/// Returns the text of an error about JSON, without values.
pub(crate) fn json(error: &serde_json::Error) -> String {
    let text = error.to_string();
    if !error.is_data() {
        // These texts are serde_json's own, and constant.
        return text;
    }
    let place = match error.line() {
        0 => String::new(),
        line => format!(" at line {line} column {}", error.column()),
    };
    format!("{}{place}", value(text.strip_suffix(&place).unwrap_or(&text)))
}

/// Returns the text of an error of serde about a value, without the value. The names of fields and types are the program's
/// own; any other text comes from the type, and can contain anything.
fn value(text: &str) -> String {
    const WITH_VALUE: [&str; 5] =
        ["invalid type: ", "invalid value: ", "invalid length ", "unknown variant ", "unknown field "];
    if text.starts_with("missing field `") || text.starts_with("duplicate field `") {
        return text.to_owned();
    }
    // What was expected is the last part: a value that contains these words does not hide it.
    let expected = || text.rsplit_once(", expected ").or_else(|| text.rsplit_once(", there are "));
    match WITH_VALUE.iter().find(|start| text.starts_with(**start)) {
        Some(start) => {
            let kind = text.get(start.len()..).unwrap_or_default();
            let kind = kind.split(['"', '`', ',']).next().unwrap_or_default().trim_end();
            let expected = expected().map_or(String::new(), |(_, expected)| format!(", expected {expected}"));
            format!("{start}{kind}{}{expected}", if kind.is_empty() { CUT } else { "" })
        }
        None => "the type refused the value".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde::Deserialize;

    use super::*;

    #[test]
    fn arguments_that_redis_repeats_are_cut() {
        for (text, kept) in [
            ("ERR unknown command 'FOO', with args beginning with: 'hunter2' ", "ERR unknown command 'FOO'"),
            (
                "ERR Command is not available: 'SAVE'. See https://x",
                "ERR Command is not available: 'SAVE'. See https://x",
            ),
            ("ERR unknown command 'SET k hunter2'", "ERR unknown command '..'"),
            ("ERR unknown subcommand 'hunter2'. Try ACL HELP.", "ERR unknown subcommand '..'. Try ACL HELP."),
            (
                "ERR wrong number of arguments for 'acl|setuser' command",
                "ERR wrong number of arguments for 'acl|setuser' command",
            ),
            (
                "ERR Error in ACL SETUSER modifier '>hunter2': Syntax error",
                "ERR Error in ACL SETUSER modifier '..': Syntax error",
            ),
            (
                "ERR Error in ACL SETUSER modifier '>a' b': Syntax error",
                "ERR Error in ACL SETUSER modifier '..': Syntax error",
            ),
            (
                "NOGROUP No such key 'it's' or consumer group 'g' in XREADGROUP with GROUP option",
                "NOGROUP No such key '..' in XREADGROUP with GROUP option",
            ),
            (
                "NOPERM User default has no permissions to run the 'get' command",
                "NOPERM User default has no permissions to run the 'get' command",
            ),
            (
                "WRONGPASS invalid username-password pair or user is disabled.",
                "WRONGPASS invalid username-password pair or user is disabled.",
            ),
            ("ERR Path '$.hunter2' does not exist", "ERR Path '..' does not exist"),
            ("ERR parsing \"hunter2\": invalid syntax", "ERR parsing \"..\": invalid syntax"),
            ("ERR Unknown argument `hunter2`", "ERR Unknown argument .."),
            ("ERR Unknown argument hunter2", "ERR Unknown argument .."),
            ("ERR unknown argument: 'a' hunter2", "ERR unknown argument: .."),
            ("ERR Unsupported option hunter2", "ERR Unsupported option .."),
            ("ERR Unsupported option a script: 1f, on @user_script:1.", "ERR Unsupported option .."),
            ("ERR Unknown option given: hunter2", "ERR Unknown option given: .."),
            ("ERR Invalid metadata value given: flags=hunter2", "ERR Invalid metadata value given: .."),
            ("ERR Unexpected engine in script shebang: #!hunter2", "ERR Unexpected engine in script shebang: .."),
            ("ERR Unknown lua shebang option: hunter2=1", "ERR Unknown lua shebang option: .."),
            ("ERR syntax error in FILTER expression near: 2 hunter2", "ERR syntax error in FILTER expression near: .."),
            ("ERR member hunter2 does not exist", "ERR member .. does not exist"),
            ("ERR member of the guild is asleep", "ERR member of the guild is asleep"),
            ("ERR Command 'hunter2' not found", "ERR Command '..' not found"),
            ("ERR Command 'a'hunter2' not found", "ERR Command '..' not found"),
            ("Syntax error at offset 6 near hunter2", "Syntax error at offset 6 near .."),
            (
                "ERR Error running script: user_script:3: attempt to index global 'foo' (a nil value)",
                "ERR Error running script: user_script:3: attempt to index global 'foo' (a nil value)",
            ),
            ("ERR user_script:1: '=' expected near 'hunter2'", "ERR user_script:1: '=' expected near '..'"),
            ("OUT_OF_STOCK the shop's shelves can't be refilled", "OUT_OF_STOCK the shop's shelves can't be refilled"),
            (
                "OOM command not allowed when used memory > 'maxmemory'.",
                "OOM command not allowed when used memory > 'maxmemory'.",
            ),
            ("ERR 'hunter2", "ERR '..'"),
            ("", ""),
        ] {
            assert_eq!(redis_text(text), kept);
        }
        assert_eq!(redis_text(&"x".repeat(10_000)).len(), MAX_TEXT + CUT.len());
    }

    #[derive(Debug, Deserialize)]
    #[expect(dead_code, reason = "only its errors matter")]
    struct Typed {
        age: u8,
        #[serde(default)]
        kind: Option<Kind>,
        #[serde(default)]
        refused: Option<Refused>,
    }

    #[derive(Debug, Deserialize)]
    enum Kind {
        Known,
    }

    #[derive(Debug)]
    struct Refused;

    impl<'de> Deserialize<'de> for Refused {
        fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            let text = String::deserialize(deserializer)?;
            Err(serde::de::Error::custom(format!("no {text}")))
        }
    }

    #[test]
    fn errors_of_json_keep_what_the_program_says() {
        for (text, kept) in [
            (r#"{"age":"hunter2"}"#, "invalid type: string, expected u8 at line 1 column 16"),
            (r#"{"age":"hunter2, expected u8"}"#, "invalid type: string, expected u8 at line 1 column 29"),
            (r#"{"age":4711}"#, "invalid value: integer, expected u8 at line 1 column 11"),
            (r#"{"kind":"Known"}"#, "missing field `age` at line 1 column 16"),
            (r#"{"age":1,"kind":"hunter2"}"#, "unknown variant .., expected `Known` at line 1 column 25"),
            (r#"{"age":1,"refused":"hunter2"}"#, "the type refused the value at line 1 column 29"),
            (r#"{"age":hunter2}"#, "expected value at line 1 column 8"),
            (r#"{"age":1"#, "EOF while parsing an object at line 1 column 8"),
        ] {
            assert_eq!(json(&serde_json::from_str::<Typed>(text).unwrap_err()), kept, "{text}");
        }
    }

    proptest! {
        /// Whatever an argument is, no word of it is left of what Redis quotes.
        #[test]
        fn a_quoted_argument_is_gone(argument in "[a-z' \"`é:.]{0,20}hunter2[a-z' \"`é:.]{0,20}") {
            for text in [
                format!("ERR Error in ACL SETUSER modifier '>{argument}': Syntax error"),
                format!("NOGROUP No such key '{argument}' or consumer group '{argument}' in XREADGROUP with GROUP option"),
                format!("ERR unknown command 'FOO', with args beginning with: '{argument}' "),
            ] {
                prop_assert!(!redis_text(&text).contains("hunter2"), "{} -> {}", text, redis_text(&text));
            }
        }

        /// A program that compares the beginning of a text finds it.
        #[test]
        fn what_stands_before_quotes_remains(words in "[A-Z]{1,9}( [a-zA-Zé,:()]{1,9}){0,9}", rest in any::<String>()) {
            let kept = redis_text(&format!("{words} '{rest}'"));
            prop_assert!(kept.starts_with(&words), "{}", kept);
            prop_assert!(kept.chars().count() <= MAX_TEXT + CUT.len());
        }
    }
}
