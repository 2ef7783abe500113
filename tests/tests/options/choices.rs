//! The options of the listed commands, and where each was found.

use std::collections::BTreeSet;

use redis_model::redis_rest::{Executor as _, Result, Value};
use redis_model_tests::sources::{read, root};
use redis_model_tests::stack;

/// What the third column of `options.tsv` says of a row that `COMMAND DOCS` has.
pub(crate) const SERVER: &str = "COMMAND DOCS";

/// An option of a command.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Choice {
    pub(crate) command: String,
    pub(crate) token: String,
}

impl Choice {
    pub(crate) fn new(command: &str, token: &str) -> Self {
        Choice { command: command.to_owned(), token: token.to_owned() }
    }
}

/// A row of `commands.tsv` that the API carries.
pub(crate) struct Listed {
    family: String,
    command: String,
    syntax: String,
}

pub(crate) fn listed() -> Vec<Listed> {
    let row = |line: &str| match line.split('\t').collect::<Vec<_>>()[..] {
        [family, command, "yes", syntax] => {
            Some(Listed { family: family.into(), command: command.into(), syntax: syntax.into() })
        }
        _ => None,
    };
    read(&root().join("tests/commands.tsv")).lines().skip(1).filter_map(row).collect()
}

impl Listed {
    /// Whether this row documents a command of `COMMAND DOCS`: itself, or a subcommand that its syntax names.
    fn documents(&self, command: &str) -> bool {
        self.command == command || (command.starts_with(&format!("{} ", self.command)) && self.syntax.contains(command))
    }

    /// The words in capitals of the syntax. A placeholder is in angle brackets, unless it is a choice: `<JSON|HASH>`.
    fn words(&self) -> BTreeSet<String> {
        let mut text = self.syntax.replace(&self.command, " ");
        for placeholder in self.syntax.split('<').skip(1).filter_map(|rest| rest.split('>').next()) {
            if !placeholder.contains('|') {
                text = text.replace(&format!("<{placeholder}>"), " ");
            }
        }
        // A subcommand follows the command's name: it is no option.
        let name = self.command.split(' ').next().unwrap_or_default();
        let subcommands: BTreeSet<_> = self.syntax.split(&format!("{name} ")).skip(1).filter_map(first_word).collect();
        text.split(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '_' | '-')))
            .filter(|word| word.len() > 1 && word.starts_with(|c: char| c.is_ascii_uppercase()))
            .filter(|word| *word == word.to_ascii_uppercase() && !subcommands.contains(word))
            .map(str::to_owned)
            .collect()
    }
}

fn first_word(text: &str) -> Option<&str> {
    text.split(' ').next()
}

/// The rows of `options.tsv`, with where each was found.
pub(crate) fn recorded() -> Vec<(Choice, String)> {
    let row = |line: &str| match line.split('\t').collect::<Vec<_>>()[..] {
        [command, token, found] => (Choice::new(command, token), found.to_owned()),
        _ => panic!("three columns: {line}"),
    };
    read(&root().join("tests/options.tsv")).lines().skip(1).map(row).collect()
}

/// What the server's `COMMAND DOCS` says of the listed commands.
pub(crate) async fn served(listed: &[Listed]) -> Result<BTreeSet<Choice>> {
    fn pairs(value: &Value) -> Vec<(String, &Value)> {
        let Value::Array(items) = value else { return Vec::new() };
        let name = |value: &Value| match value {
            Value::Bytes(bytes) => String::from_utf8_lossy(bytes).into_owned(),
            _ => String::new(),
        };
        items.chunks_exact(2).filter_map(|pair| Some((name(pair.first()?), pair.last()?))).collect()
    }
    fn tokens(arguments: &Value, found: &mut BTreeSet<String>) {
        let Value::Array(arguments) = arguments else { return };
        for (name, value) in arguments.iter().flat_map(pairs) {
            match (name.as_str(), value) {
                ("token", Value::Bytes(token)) => {
                    found.insert(String::from_utf8_lossy(token).into_owned());
                }
                ("arguments", deeper) => tokens(deeper, found),
                _ => {}
            }
        }
    }
    fn walk(name: &str, docs: &Value, listed: &[Listed], found: &mut BTreeSet<Choice>) {
        let command = name.replace('|', " ").to_ascii_uppercase();
        for (part, value) in pairs(docs) {
            match part.as_str() {
                "subcommands" => pairs(value).iter().for_each(|(name, docs)| walk(name, docs, listed, found)),
                "arguments" if listed.iter().any(|row| row.documents(&command)) => {
                    let mut all = BTreeSet::new();
                    tokens(value, &mut all);
                    found.extend(all.iter().map(|token| Choice::new(&command, token)));
                }
                _ => {}
            }
        }
    }
    let docs = stack().redis().execute::<Value>(["COMMAND", "DOCS"]).await?;
    let mut found = BTreeSet::new();
    pairs(&docs).iter().for_each(|(name, docs)| walk(name, docs, listed, &mut found));
    Ok(found)
}

/// All options of the listed commands, by family.
pub(crate) fn options(listed: &[Listed]) -> Vec<(&str, BTreeSet<Choice>)> {
    let recorded = recorded();
    let mut families: Vec<(&str, BTreeSet<Choice>)> = Vec::new();
    for row in listed {
        if families.last().is_none_or(|(family, _)| *family != row.family) {
            families.push((&row.family, BTreeSet::new()));
        }
        let Some((_, choices)) = families.last_mut() else { continue };
        let own = recorded.iter().map(|(choice, _)| choice).filter(|choice| row.documents(&choice.command));
        let own: BTreeSet<Choice> = own.cloned().collect();
        let known: BTreeSet<_> = own.iter().map(|choice| choice.token.clone()).collect();
        let others = row.words().into_iter().filter(|word| !known.contains(word));
        choices.extend(others.map(|word| Choice::new(&row.command, &word)));
        choices.extend(own);
    }
    families
}
