//! Tables of what calls send.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use redis_model::prelude::*;
use redis_model_tests::counting::{Counting, Seen};
use redis_model_tests::{Stack, own_stack};

/// A table of the guide, and what was sent since its last row.
pub(crate) struct Table {
    seen: Seen,
    text: String,
}

impl Table {
    /// Starts a server, and returns a client of it whose requests the table counts.
    pub(crate) fn of_a_server() -> Result<(Stack, Redis, Table)> {
        let stack = own_stack();
        let seen = Seen::default();
        let shared = seen.clone();
        let redis = stack.builder().wrap_transport(move |inner| Counting::new(inner, shared.clone())).build()?;
        Ok((stack, redis, Table { seen, text: String::new() }))
    }

    /// Forgets what was sent since the last row.
    pub(crate) fn forget(&self) {
        self.seen.take();
    }

    pub(crate) fn section(&mut self, title: &str) {
        let _ = write!(self.text, "\n| {title} | requests | commands |\n| --- | --- | --- |\n");
    }

    /// Adds a row, and checks the number of requests and of commands since the last one.
    pub(crate) fn row(&mut self, call: &str, note: &str, requests: usize, commands: usize) {
        let seen = self.seen.take();
        let sent: usize = seen.iter().map(Vec::len).sum();
        let described: Vec<_> = seen.iter().map(|commands| described(commands)).collect();
        assert_eq!((seen.len(), sent), (requests, commands), "{call}: {described:?}");
        let call = call.replace('|', "\\|");
        let _ = writeln!(self.text, "| `{call}`{note} | {requests} | {} |", repeated(&described));
    }

    /// Compares the table with the one in the guide, or writes it there.
    pub(crate) fn compare(&self, file: &str) {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../mapper/src/guide").join(file);
        let table = self.text.trim_start();
        if std::env::var("GUIDE").as_deref() == Ok("overwrite") {
            fs::write(&path, table).expect("a file that can be written");
        }
        let stored = fs::read_to_string(&path).unwrap_or_default();
        assert!(stored == table, "{file} is not what calls send; run with GUIDE=overwrite, and read the difference");
    }
}

/// Joins the requests of a call. Steps that are repeated are named once.
fn repeated(requests: &[String]) -> String {
    let step = (1..requests.len()).find(|length| {
        requests.len().is_multiple_of(*length)
            && requests.chunks(*length).all(|chunk| Some(chunk) == requests.get(..*length))
    });
    match step.and_then(|length| Some((length, requests.get(..length)?))) {
        Some((length, step)) if length > 1 || requests.len() > 4 => {
            format!("{} times: {}", requests.len() / length, step.join("; "))
        }
        _ => requests.join("; "),
    }
}

/// Names the commands of a request: `2 HGETALL, 1 EVALSHA`.
fn described(commands: &[Vec<Vec<u8>>]) -> String {
    let mut runs: Vec<(String, usize)> = Vec::new();
    for args in commands {
        let name = String::from_utf8_lossy(args.first().expect("a command has a name")).into_owned();
        match runs.last_mut() {
            Some((last, count)) if *last == name => *count += 1,
            _ => runs.push((name, 1)),
        }
    }
    let text =
        |(name, count): &(String, usize)| if *count == 1 { format!("`{name}`") } else { format!("{count} `{name}`") };
    runs.iter().map(text).collect::<Vec<_>>().join(", ")
}
