//! All records of a model, a page at a time.

use redis_rest::commands::generic::KeyType;
use redis_rest::commands::scan::{Cursor, ScanOptions};
use redis_rest::{Executor, GenericCommands, Redis, Result};

use super::commands;
use crate::id::Id;
use crate::key::{Key, SEPARATOR};
use crate::model::Fields;

/// Loads the records whose keys are in one page of a SCAN. Returns them, and the cursor of the next page if there is
/// one.
pub(super) async fn load_page<M: Fields + Send, I: Id>(
    redis: Redis,
    model: &'static str,
    prefix: &'static str,
    cursor: Cursor,
) -> Result<(Vec<Result<M>>, Option<Cursor>)> {
    let pattern = format!("{}{SEPARATOR}*", escape_glob(prefix));
    let options = ScanOptions::new().matching(pattern).of_type(KeyType::Hash).count(250);
    let page = redis.scan::<String>(cursor, options).await?;
    // No id contains the separator: `user:unique:email` may belong to the application, and is not a record.
    let ids = page.items.iter().filter_map(|key| {
        let part = key.strip_prefix(prefix)?.strip_prefix(SEPARATOR)?;
        if part.is_empty() || part.contains(SEPARATOR) { None } else { I::from_key_part(part) }
    });
    let keys: Vec<_> = ids.map(|id| Key::new(model, prefix, &I::key_part(id.as_ref()))).collect();
    let mut batch = redis.batch();
    let slots: Vec<_> = keys.iter().map(|key| (&mut batch).submit(commands::load::<M>(key))).collect();
    let replies = batch.exec().await?;
    // A record that was deleted after the SCAN is left out.
    let records = slots.into_iter().filter_map(|slot| replies.take(slot).transpose()).collect();
    Ok((records, (!page.cursor.is_finished()).then_some(page.cursor)))
}

/// Escapes `text` so that a glob-style pattern matches it literally.
fn escape_glob(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        if matches!(character, '*' | '?' | '[' | ']' | '\\') {
            escaped.push('\\');
        }
        escaped.push(character);
    }
    escaped
}
