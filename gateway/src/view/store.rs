//! What the view reads from the store. All of its commands are built here, and each of them reads.

use bytes::Bytes;

use crate::backend::Unreachable;
use crate::resp::{Args, Value};
use crate::state::State;

/// The name of a command that reads, and of its subcommand. The rest of this folder can make no other command.
#[derive(Debug, Clone, Copy)]
pub(super) struct Read(&'static [&'static str]);

impl Read {
    pub(super) const DBSIZE: Read = Read(&["DBSIZE"]);
    pub(super) const EXISTS: Read = Read(&["EXISTS"]);
    pub(super) const GETRANGE: Read = Read(&["GETRANGE"]);
    pub(super) const HGET: Read = Read(&["HGET"]);
    pub(super) const HLEN: Read = Read(&["HLEN"]);
    pub(super) const HMGET: Read = Read(&["HMGET"]);
    pub(super) const HSCAN: Read = Read(&["HSCAN"]);
    pub(super) const HSTRLEN: Read = Read(&["HSTRLEN"]);
    pub(super) const JSON_GET: Read = Read(&["JSON.GET"]);
    pub(super) const LLEN: Read = Read(&["LLEN"]);
    pub(super) const LRANGE: Read = Read(&["LRANGE"]);
    pub(super) const MEMORY_USAGE: Read = Read(&["MEMORY", "USAGE"]);
    pub(super) const PEXPIRETIME: Read = Read(&["PEXPIRETIME"]);
    pub(super) const PTTL: Read = Read(&["PTTL"]);
    pub(super) const SCAN: Read = Read(&["SCAN"]);
    pub(super) const SCARD: Read = Read(&["SCARD"]);
    pub(super) const SSCAN: Read = Read(&["SSCAN"]);
    pub(super) const STRLEN: Read = Read(&["STRLEN"]);
    pub(super) const TYPE: Read = Read(&["TYPE"]);
    pub(super) const XINFO_CONSUMERS: Read = Read(&["XINFO", "CONSUMERS"]);
    pub(super) const XINFO_GROUPS: Read = Read(&["XINFO", "GROUPS"]);
    pub(super) const XINFO_STREAM: Read = Read(&["XINFO", "STREAM"]);
    pub(super) const XLEN: Read = Read(&["XLEN"]);
    pub(super) const XPENDING: Read = Read(&["XPENDING"]);
    pub(super) const XRANGE: Read = Read(&["XRANGE"]);
    pub(super) const XREAD: Read = Read(&["XREAD"]);
    pub(super) const XREVRANGE: Read = Read(&["XREVRANGE"]);
    pub(super) const ZCARD: Read = Read(&["ZCARD"]);
    pub(super) const ZRANGE: Read = Read(&["ZRANGE"]);
    pub(super) const ZSCORE: Read = Read(&["ZSCORE"]);

    /// Adds the arguments.
    pub(super) fn of(self, args: &[&[u8]]) -> Command {
        let name = self.0.iter().map(|word| Bytes::from_static(word.as_bytes()));
        Command(name.chain(args.iter().map(|arg| Bytes::copy_from_slice(arg))).collect())
    }
}

/// A command that reads.
#[derive(Debug, Clone)]
pub(super) struct Command(Args);

impl Command {
    /// Returns the command for a connection of its own.
    pub(super) fn into_args(self) -> Args {
        self.0
    }
}

/// Why there is no page.
#[derive(Debug)]
pub(super) enum Problem {
    /// What the request names does not exist.
    Missing(String),
    /// The request makes no sense.
    Malformed(&'static str),
    /// The values are larger than a page may be.
    TooLarge,
    /// Redis refuses the command.
    Refused(String),
    Unreachable(Unreachable),
}

impl From<Unreachable> for Problem {
    fn from(error: Unreachable) -> Self {
        Problem::Unreachable(error)
    }
}

/// The largest size of the replies that make one part of a page.
pub(super) const MAX_REPLY: usize = 8 << 20;

/// The most keys that one page looks at.
pub(super) const MAX_LOOKED_AT: u64 = 10_000;

/// The keys that a page has found.
#[derive(Debug)]
pub(super) struct Scanned {
    pub(super) keys: Vec<Bytes>,
    /// Where the next page begins, if there are more keys.
    pub(super) next: Option<u64>,
}

/// The part of a scan of elements: pairs for a hash.
#[derive(Debug)]
pub(super) struct Part {
    pub(super) items: Vec<Value>,
    pub(super) next: Option<u64>,
}

/// The store.
#[derive(Debug, Clone, Copy)]
pub(super) struct Store<'s>(pub(super) &'s State);

impl Store<'_> {
    /// Runs commands. An error of Redis, or a reply that is too large, is the value of its command.
    ///
    /// The view has the share of the tokens that are not trusted with everything: it cannot keep the API from its connections
    /// or its memory.
    pub(super) async fn all(self, commands: Vec<Command>) -> Result<Vec<Value>, Problem> {
        let commands: Vec<Args> = commands.into_iter().map(Command::into_args).collect();
        let mut share = self.0.budget.share(false).at_most(MAX_REPLY);
        Ok(self.0.backend.run(&commands, &mut share).await?)
    }

    /// Runs one command.
    pub(super) async fn one(self, command: Command) -> Result<Value, Problem> {
        checked(self.all(vec![command]).await?.pop().unwrap_or(Value::Nil))
    }

    /// Runs a command with fewer and fewer elements, until the reply is small enough.
    ///
    /// Elements can be so large that those of a usual page would fill the memory.
    async fn shrinking(self, command: impl Fn(&[u8]) -> Command, count: u64) -> Result<(Value, u64), Problem> {
        let mut count = count.max(1);
        loop {
            match self.one(command(count.to_string().as_bytes())).await {
                Err(Problem::TooLarge) if count > 1 => count = (count / 8).max(1),
                reply => return Ok((reply?, count)),
            }
        }
    }

    /// Looks at up to [`MAX_LOOKED_AT`] keys from a cursor on. Stops when it has found `wanted` of them.
    pub(super) async fn scan(
        self,
        cursor: u64,
        pattern: Option<&[u8]>,
        kind: Option<&str>,
        wanted: usize,
    ) -> Result<Scanned, Problem> {
        // Most keys are found if all are wanted, and few if they must match.
        let is_all = pattern.is_none() && kind.is_none();
        let step = if is_all { (wanted as u64).clamp(10, 1_000) } else { 1_000 };
        let mut scanned = Scanned { keys: Vec::new(), next: Some(cursor) };
        let mut looked_at = 0;
        while let Some(cursor) = scanned.next
            && looked_at < MAX_LOOKED_AT
            && scanned.keys.len() < wanted
        {
            let (cursor, count) = (cursor.to_string(), step.to_string());
            let mut args: Vec<&[u8]> = vec![cursor.as_bytes(), b"COUNT", count.as_bytes()];
            args.extend(pattern.into_iter().flat_map(|pattern| [&b"MATCH"[..], pattern]));
            args.extend(kind.into_iter().flat_map(|kind| [&b"TYPE"[..], kind.as_bytes()]));
            let part = part(self.one(Read::SCAN.of(&args)).await?);
            scanned.keys.extend(part.items.into_iter().filter_map(bulk));
            scanned.next = part.next;
            looked_at += step;
        }
        // A scan can return a key twice.
        scanned.keys.sort_unstable();
        scanned.keys.dedup();
        Ok(scanned)
    }

    /// Returns the types of keys. That of a key that is gone is `none`.
    pub(super) async fn types(self, keys: &[Bytes]) -> Result<Vec<String>, Problem> {
        let values = self.all(keys.iter().map(|key| Read::TYPE.of(&[key])).collect()).await?;
        Ok(values.iter().map(|value| value.text().unwrap_or("unknown").to_owned()).collect())
    }

    /// Returns elements of a hash or a set.
    pub(super) async fn scan_in(self, command: Read, key: &[u8], cursor: u64, count: u64) -> Result<Part, Problem> {
        let cursor = cursor.to_string();
        let command = |count: &[u8]| command.of(&[key, cursor.as_bytes(), b"COUNT", count]);
        Ok(part(self.shrinking(command, count).await?.0))
    }

    /// Returns fields of a hash whose values are too large to be returned together, and the lengths of the values.
    pub(super) async fn lengths_in(self, key: &[u8], cursor: u64) -> Result<(Vec<(Bytes, u64)>, Option<u64>), Problem> {
        let cursor = cursor.to_string();
        // Redis 7.0 has no NOVALUES, and refuses it.
        let command = Read::HSCAN.of(&[key, cursor.as_bytes(), b"COUNT", b"100", b"NOVALUES"]);
        let part = match self.one(command).await {
            Err(Problem::Refused(_)) => return Err(Problem::TooLarge),
            reply => part(reply?),
        };
        let mut fields: Vec<_> = part.items.into_iter().filter_map(bulk).collect();
        fields.sort_unstable();
        let lengths = self.all(fields.iter().map(|field| Read::HSTRLEN.of(&[key, field])).collect()).await?;
        let lengths = lengths.iter().map(|length| number(length).unwrap_or_default());
        Ok((fields.into_iter().zip(lengths).collect(), part.next))
    }

    /// Returns the elements of a list or a sorted set from a position on: fewer than `count` if they are large.
    pub(super) async fn range(
        self,
        command: Read,
        key: &[u8],
        start: u64,
        count: u64,
        option: Option<&[u8]>,
    ) -> Result<Vec<Value>, Problem> {
        let from = start.to_string();
        let mut count = count;
        loop {
            let to = start.saturating_add(count.saturating_sub(1)).to_string();
            let mut args: Vec<&[u8]> = vec![key, from.as_bytes(), to.as_bytes()];
            args.extend(option);
            match self.one(command.of(&args)).await {
                Err(Problem::TooLarge) if count > 1 => count = (count / 8).max(1),
                reply => return Ok(items(reply?)),
            }
        }
    }

    /// Returns entries of a stream, and how many were asked for at the end: fewer than `count` if they are large.
    pub(super) async fn entries(
        self,
        command: Read,
        key: &[u8],
        bounds: [&str; 2],
        count: u64,
    ) -> Result<(Vec<Entry>, u64), Problem> {
        let [one, other] = bounds;
        let command = |count: &[u8]| command.of(&[key, one.as_bytes(), other.as_bytes(), b"COUNT", count]);
        let (value, count) = self.shrinking(command, count).await?;
        Ok((items(value).into_iter().filter_map(Entry::of).collect(), count))
    }

    /// Returns the groups of a stream. A key that is no stream has none.
    pub(super) async fn groups(self, key: &[u8]) -> Result<Vec<Facts>, Problem> {
        match self.one(Read::XINFO_GROUPS.of(&[key])).await {
            Err(Problem::Refused(_)) => Ok(Vec::new()),
            reply => Ok(items(reply?).iter().map(Facts::of).collect()),
        }
    }
}

/// Returns an error in place of a value that is one.
pub(super) fn checked(value: Value) -> Result<Value, Problem> {
    match value {
        Value::Error(text) if text.starts_with(b"ERR max request size exceeded") => Err(Problem::TooLarge),
        Value::Error(text) => Err(Problem::Refused(String::from_utf8_lossy(&text).into_owned())),
        value => Ok(value),
    }
}

/// Returns the items of an array. Any other value has none.
pub(super) fn items(value: Value) -> Vec<Value> {
    match value {
        Value::Array(items) => items.into_iter().collect(),
        _ => Vec::new(),
    }
}

/// Returns the bytes of a string.
pub(super) fn bulk(value: Value) -> Option<Bytes> {
    match value {
        Value::Bulk(bytes) | Value::Status(bytes) => Some(bytes),
        Value::Int(number) => Some(number.to_string().into()),
        _ => None,
    }
}

/// Returns a number that is not negative, or `None` for any other value.
pub(super) fn number(value: &Value) -> Option<u64> {
    match value {
        Value::Int(number) => u64::try_from(*number).ok(),
        other => other.text().and_then(|text| text.parse().ok()),
    }
}

/// Reads the reply of a scan.
fn part(value: Value) -> Part {
    let mut halves = items(value).into_iter();
    let cursor = halves.next().as_ref().and_then(number).unwrap_or_default();
    Part { items: halves.next().map(items).unwrap_or_default(), next: (cursor != 0).then_some(cursor) }
}

/// Pairs of a flat array.
pub(super) fn pairs(values: Vec<Value>) -> Vec<(Bytes, Bytes)> {
    let mut values = values.into_iter();
    let pair = || Some((bulk(values.next()?).unwrap_or_default(), values.next().and_then(bulk).unwrap_or_default()));
    std::iter::from_fn(pair).collect()
}

/// An entry of a stream.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) id: String,
    /// Empty if the entry was deleted while a group had it.
    pub(super) fields: Vec<(Bytes, Bytes)>,
}

impl Entry {
    pub(super) fn of(value: Value) -> Option<Entry> {
        let mut halves = items(value).into_iter();
        let id = halves.next()?.text()?.to_owned();
        Some(Entry { id, fields: halves.next().map(|fields| pairs(items(fields))).unwrap_or_default() })
    }
}

/// Named values, as XINFO returns them.
#[derive(Debug)]
pub(super) struct Facts(Vec<(String, Value)>);

impl Facts {
    pub(super) fn of(value: &Value) -> Facts {
        let pair = |pair: &[Value]| match pair {
            [name, Value::Int(number)] => Some((name.text()?.to_owned(), Value::Int(*number))),
            [name, Value::Bulk(bytes)] => Some((name.text()?.to_owned(), Value::Bulk(bytes.clone()))),
            _ => None,
        };
        Facts(value.items().chunks(2).filter_map(pair).collect())
    }

    /// Returns a value. Servers differ in which ones they have.
    pub(super) fn bytes(&self, name: &str) -> Option<&[u8]> {
        match self.value(name)? {
            Value::Bulk(bytes) => Some(bytes),
            _ => None,
        }
    }

    pub(super) fn number(&self, name: &str) -> Option<u64> {
        number(self.value(name)?)
    }

    fn value(&self, name: &str) -> Option<&Value> {
        self.0.iter().find(|(candidate, _)| candidate == name).map(|(_, value)| value)
    }
}
