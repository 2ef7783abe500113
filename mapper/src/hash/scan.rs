//! All records of a model, a page at a time.

use std::marker::PhantomData;

use redis_rest::bytes::Bytes;
use redis_rest::commands::generic::KeyType;
use redis_rest::commands::scan::{Cursor, ScanOptions, ScanPage};
use redis_rest::{Build, Command, FromReply, GenericCommands, Paging, Replies, Result};

use super::commands;
use super::hash_model::HashModel;
use crate::id::Id;
use crate::key::{Key, SEPARATOR};

/// Options of [`scan_with`](crate::HashModel::scan_with).
///
/// ```no_run
/// use redis_model::hash::RecordScanOptions;
/// use redis_model::prelude::*;
///
/// #[derive(Debug, RedisModel)]
/// #[redis(prefix = "invoice")]
/// struct Invoice {
///     #[redis(id)]
///     id: String,
/// }
///
/// # async fn example(redis: Redis) -> Result<()> {
/// Invoice { id: "2026-17".into() }.save(&redis).await?;
/// Invoice { id: "2027-1".into() }.save(&redis).await?;
///
/// let options = RecordScanOptions::new().matching("2026-*").count(1000);
/// let invoices = Invoice::scan_with(&redis, options).collect().await?;
/// assert_eq!(invoices.len(), 1);
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct RecordScanOptions {
    pattern: Option<String>,
    count: u64,
}

impl Default for RecordScanOptions {
    fn default() -> Self {
        RecordScanOptions { pattern: None, count: 250 }
    }
}

impl RecordScanOptions {
    /// Creates options for all records, in pages of about 250 keys.
    #[must_use]
    pub fn new() -> Self {
        RecordScanOptions::default()
    }

    /// Returns only records whose id matches the glob-style `pattern`: `*`, `?`, `[ab]`, and `\\` before one of these.
    #[must_use]
    pub fn matching(mut self, pattern: impl Into<String>) -> Self {
        self.pattern = Some(pattern.into());
        self
    }

    /// Sets roughly how many keys of the database the server looks at for one page. A page has at most about as many
    /// records, and it can be empty.
    ///
    /// A count of 0 fails with `InvalidInput`.
    #[must_use]
    pub fn count(mut self, count: u64) -> Self {
        self.count = count;
        self
    }

    fn of_keys(&self, prefix: &str) -> ScanOptions {
        let ids = self.pattern.as_deref().unwrap_or("*");
        let pattern = format!("{}{SEPARATOR}{ids}", escape_glob(prefix));
        ScanOptions::new().matching(pattern).of_type(KeyType::Hash).count(self.count)
    }
}

/// A page takes two requests: one for its keys, and one for their records.
pub(super) struct Scan<M> {
    options: RecordScanOptions,
    next: Next,
    of: PhantomData<fn() -> M>,
}

enum Next {
    Keys(Cursor),
    Records { keys: Vec<Key>, cursor: Cursor },
}

pub(super) enum Found<M> {
    Keys(ScanPage<Bytes>),
    Records(Vec<Result<Option<M>>>),
}

impl<M: HashModel> Scan<M> {
    pub(super) fn new(options: RecordScanOptions) -> Self {
        Scan { options, next: Next::Keys(Cursor::START), of: PhantomData }
    }

    fn at(self, next: Next) -> Self {
        Scan { next, ..self }
    }

    /// Goes on with the keys of the next page, if there is one.
    fn after(self, cursor: Cursor) -> Option<Self> {
        (!cursor.is_finished()).then(|| self.at(Next::Keys(cursor)))
    }
}

impl<M: HashModel + Send> Paging for Scan<M> {
    type Item = M;
    type Reply = Found<M>;

    fn command(&self) -> Command<Found<M>> {
        match &self.next {
            Next::Keys(cursor) => {
                let command = Build.scan::<Bytes>(cursor.clone(), self.options.of_keys(M::KEY_PREFIX));
                command.decode_with(|reply| ScanPage::from_reply(reply).map(Found::Keys))
            }
            Next::Records { keys, .. } => load_all(keys),
        }
    }

    fn advance(self, reply: Found<M>) -> (Vec<Result<M>>, Option<Self>) {
        match (reply, &self.next) {
            (Found::Keys(page), _) => {
                let keys: Vec<_> = page.items.iter().filter_map(|key| key_of_record::<M>(key)).collect();
                let next = if keys.is_empty() {
                    self.after(page.cursor)
                } else {
                    Some(self.at(Next::Records { keys, cursor: page.cursor }))
                };
                (Vec::new(), next)
            }
            (Found::Records(records), Next::Records { keys, cursor }) => {
                let found = keys.iter().zip(records).filter_map(|(key, record)| {
                    // A record that was deleted after the SCAN is left out.
                    let record = record.transpose()?.and_then(|record| commands::with_id_of_key(record, key.as_str()));
                    Some(
                        record.map_err(|error| error.with_command("HGETALL".into()).about(M::MODEL_NAME, key.as_str())),
                    )
                });
                let (found, cursor) = (found.collect(), cursor.clone());
                (found, self.after(cursor))
            }
            // Records are only found where they were asked for.
            (Found::Records(_), Next::Keys(_)) => (Vec::new(), None),
        }
    }
}

/// Returns the key of the record that a key of the database stands for, if it does.
fn key_of_record<M: HashModel>(key: &[u8]) -> Option<Key> {
    id_in_key::<M>(key).map(|id| Key::new(M::MODEL_NAME, M::KEY_PREFIX, id))
}

/// Returns the part of a key of the database that stands for the id of a record, if the key is that of a record.
pub(super) fn id_in_key<M: HashModel>(key: &[u8]) -> Option<&str> {
    let part = key.strip_prefix(M::KEY_PREFIX.as_bytes())?;
    let part = std::str::from_utf8(part).ok()?.strip_prefix(SEPARATOR)?;
    is_id::<M>(part).then_some(part)
}

/// Returns whether the part of a key stands for an id.
pub(super) fn is_id<M: HashModel>(part: &str) -> bool {
    // No id contains the separator: `user:unique:email` may belong to the application, and is not a record.
    if part.is_empty() || part.contains(SEPARATOR) {
        return false;
    }
    // `user:007` reads as the id 7, whose record is at `user:7`: it would be found twice.
    M::Id::from_key_part(part).is_some_and(|id| M::Id::key_part(id.as_ref()) == part)
}

/// Loads the records with these keys in one request. It names none of them in its errors, which are about all.
fn load_all<M: HashModel>(keys: &[Key]) -> Command<Found<M>> {
    let mut commands = keys.iter().map(|key| Command::read("HGETALL").key(key.as_str()));
    let Some(first) = commands.next() else {
        return Command::read("HGETALL")
            .reject("needs at least one key")
            .decode_with(|_| Ok(Found::Records(Vec::new())));
    };
    let first = first.decode_with(|reply| Ok(Found::Records(vec![commands::read_record(reply)])));
    commands.fold(first, |group, command| {
        group.beside(command, |replies: Replies<'_>| Ok(Found::Records(replies.map(commands::read_record).collect())))
    })
}

/// Escapes `text` so that a glob-style pattern matches it literally.
pub(super) fn escape_glob(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        if matches!(character, '*' | '?' | '[' | ']' | '\\') {
            escaped.push('\\');
        }
        escaped.push(character);
    }
    escaped
}
