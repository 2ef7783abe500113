//! What the scripts of writes are called with, and what they answer.

use redis_model_tests::direct::Args;

use crate::op::{Mend, Verdict};
use crate::schema::Table;

/// The key that the outcome of a write is kept under.
pub(crate) fn once_key(args: &Args) -> Option<&[u8]> {
    let first = args.get(3).filter(|_| args.first().is_some_and(|name| name.starts_with(b"EVAL")))?;
    first.windows(7).any(|part| part == b"::once:").then_some(first)
}

/// The netstrings of a script's reply.
fn texts(mut bytes: &[u8]) -> Option<Vec<Option<String>>> {
    let mut texts = Vec::new();
    while !bytes.is_empty() {
        let colon = bytes.iter().position(|byte| *byte == b':')?;
        let length = std::str::from_utf8(&bytes[..colon]).ok()?;
        bytes = &bytes[colon + 1..];
        if length == "-" {
            texts.push(None);
            continue;
        }
        let length: usize = length.parse().ok()?;
        texts.push(Some(String::from_utf8_lossy(bytes.get(..length)?).into_owned()));
        bytes = &bytes[length..];
    }
    Some(texts)
}

/// What a write script answered.
pub(crate) fn verdict(reply: &[u8]) -> Option<Verdict> {
    let texts = texts(reply)?;
    let text = |at: usize| texts.get(at).cloned().flatten().unwrap_or_default();
    match texts.first()?.as_deref()? {
        "ok" => {
            let (mut at, mut happened) = (1, Vec::new());
            while at < texts.len() {
                happened.push(text(at + 1) == "1");
                at += 1 + text(at).parse::<usize>().ok()?;
            }
            Some(Verdict::Ok(happened))
        }
        "refused" => {
            let details = (1..texts.len()).map(text).collect();
            Some(Verdict::Refused { why: text(2), details })
        }
        _ => None,
    }
}

/// The operations of a write that no caller asked for. The values of the test are none of these words.
pub(crate) fn mends(args: &Args) -> Vec<Mend> {
    let text = |at: usize| args.get(at).and_then(|arg| std::str::from_utf8(arg).ok()).unwrap_or_default();
    let keys: usize = text(2).parse().unwrap_or_default();
    let is_number = |at: usize| !text(at).is_empty() && text(at).bytes().all(|byte| byte.is_ascii_digit());
    // The labels of the layouts, each a tag and the name of its model, in the order in which operations count them.
    let is_mark = |text: &str| text.get(..8).is_some_and(|tag| tag.bytes().all(|byte| byte.is_ascii_hexdigit()));
    let models: Vec<&str> = (3 + keys..args.len())
        .filter_map(|at| Some(text(at)).filter(|text| is_mark(text))?.get(8..)?.strip_prefix(' ')?.split(';').next())
        .collect();
    let mut mends = Vec::new();
    for at in 3 + keys..args.len() {
        let what = text(at);
        if !matches!(what, "index" | "purge") || !is_number(at + 1) || !is_number(at + 2) {
            continue;
        }
        let id = text(at + 3).to_owned();
        let layout = text(at + 1).parse::<usize>().ok().and_then(|number| models.get(number.checked_sub(1)?));
        let table = Table::ALL.into_iter().find(|table| layout.is_some_and(|layout| *layout == table.model()));
        if let Some(table) = table {
            mends.push(if what == "index" { Mend::Index(table, id) } else { Mend::Purge(table, id) });
        }
    }
    mends
}
