//! Every option of every command, and where it is typed: `client/src/commands/options.md`, generated from
//! `tests/options.tsv` and the client's own source. `OPTIONS=overwrite cargo test -p redis-model-tests --test options`
//! writes both again, the list from a real server's `COMMAND DOCS`: run it twice if the list changed.
//!
//! An option that is neither typed nor an [`OMITTED`] one fails, and so does one that no golden test sends.

#![expect(clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod choices;
mod client;
mod golden;
mod mentions;

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;

use redis_model::redis_rest::Result;
use redis_model_tests::sources::{read, root};

use crate::choices::{Choice, SERVER, listed, options, recorded, served};
use crate::client::Client;
use crate::golden::{golden, is_sent};

/// Options that have no method, and why. A command `*` is any.
const OMITTED: [(&str, &str, &str); 10] = [
    ("*", "BLOCK", "the REST API does not carry it: poll"),
    ("*", "=", "the default; `~` is the other choice"),
    ("*", "BYTE", "the default; `BIT` is the other choice"),
    ("ARGREP", "OR", "the default; `AND` is the other choice"),
    ("VECTOR.ADD", "FP32", FP32),
    ("VECTOR.QUERY", "FP32", FP32),
    ("ZINTER", "SUM", SUM),
    ("ZINTERSTORE", "SUM", SUM),
    ("ZUNION", "SUM", SUM),
    ("ZUNIONSTORE", "SUM", SUM),
];

const FP32: &str = "bytes, which a pipeline cannot carry; `BASE64-FP32` has the same numbers";

const SUM: &str = "the default; `MIN` and `MAX` are the other choices";

fn omitted(choice: &Choice) -> Option<&'static str> {
    let fits = |(command, token, _): &&(&str, &str, &str)| {
        (*command == "*" || *command == choice.command) && *token == choice.token
    };
    OMITTED.iter().find(fits).map(|(.., why)| *why)
}

#[test]
fn every_option_is_typed_and_sent_and_the_table_says_where() {
    let (listed, client, golden) = (listed(), Client::read(), golden());
    let mut missing = Vec::new();
    let mut text = String::from(
        "Every option of every command, and where it is typed.\n\n\
         The options are those of Redis 8.2 (its own `COMMAND DOCS`), and those that only the documentation has.\n",
    );
    for (family, choices) in options(&listed) {
        if choices.is_empty() {
            continue;
        }
        let _ = write!(text, "\n# {family}\n\n| command | option | typed as |\n| --- | --- | --- |\n");
        for choice in &choices {
            let Choice { command, token } = choice;
            let places = client.places(choice);
            let typed = match (omitted(choice), places.is_empty()) {
                (Some(why), _) => format!("not typed: {why}"),
                (None, true) => {
                    missing.push(format!("{command} {token}: typed nowhere, and not in OMITTED"));
                    continue;
                }
                (None, false) => places.join(", "),
            };
            if omitted(choice).is_none() && !is_sent(&golden, choice) {
                missing.push(format!("{command} {token}: no golden test sends it"));
            }
            let _ = writeln!(text, "| `{command}` | `{token}` | {typed} |");
        }
    }
    assert!(missing.is_empty(), "{} {missing:#?}", missing.len());
    let path = root().join("client/src/commands/options.md");
    if overwrite() {
        fs::write(&path, &text).expect("the table is written");
    }
    assert!(read(&path) == text, "options.md is out of date: run this test with OPTIONS=overwrite");
}

fn overwrite() -> bool {
    std::env::var_os("OPTIONS").is_some_and(|value| value == "overwrite")
}

#[tokio::test]
async fn the_list_is_what_the_server_says() -> Result<()> {
    let listed = listed();
    let served = served(&listed).await?;
    let path = root().join("tests/options.tsv");
    if overwrite() {
        // Rows from elsewhere were added by hand, and stay.
        let by_hand = recorded().into_iter().filter(|(_, found)| found != SERVER);
        let all: BTreeSet<_> = served.iter().map(|choice| (choice.clone(), SERVER.to_owned())).chain(by_hand).collect();
        let mut text = "command\ttoken\tfound in\n".to_owned();
        for (Choice { command, token }, found) in all {
            let _ = writeln!(text, "{command}\t{token}\t{found}");
        }
        fs::write(&path, text).expect("the list is written");
    }
    let recorded: BTreeSet<Choice> =
        recorded().into_iter().filter(|(_, found)| found == SERVER).map(|(choice, _)| choice).collect();
    assert!(recorded == served, "options.tsv is out of date: run this test with OPTIONS=overwrite");
    Ok(())
}
