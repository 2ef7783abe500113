//! Snapshots: a state that is stored beside its log, so that not all events have to be read again.

use std::any::type_name;
use std::fmt;
use std::sync::LazyLock;

use redis_rest::{Command, Result, Script};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::StreamModel;
use super::log::Log;
use super::page::Found;
use super::versioned::Versioned;
use crate::codec::{Codec, CodecError, Json};
use crate::key::Key;
use crate::mismatch::short_name;
use crate::scripts::{lua, script};

static WRITE: LazyLock<Script> = LazyLock::new(|| {
    let code = &[lua::STREAM_FACTS, lua::SNAPSHOT];
    script(code).idempotent().key_locking()
});

/// How often a snapshot of a state is written if the policy does not say so.
const EVERY: u64 = 100;

/// When and how to store snapshots of the state `S`.
///
/// A snapshot is a hash beside the log, `order-events:17::snapshot`, with the fields `version`, `schema`, `state`,
/// `checksum` and `origin`. It only saves time: a snapshot that does not fit is ignored, the log is read from its
/// beginning, and the snapshot is written again. It does not fit if
///
/// - it has another schema: change [`schema`](Self::schema) when the state or the meaning of an event changes;
/// - it cannot be decoded, or its checksum is wrong;
/// - it is of a log that was deleted and begun again: it has the commit of that log's first event in `origin`, or a
///   larger version. If the first event of the log was removed, only the version tells.
///
/// A snapshot that cannot be written, or a state that its codec cannot encode, is no error: the log is the truth.
/// Programs of two schemas replace each other's snapshot as long as both run; give one of them a [`name`](Self::name).
///
/// ```no_run
/// use redis_model::{Aggregate, prelude::*};
/// use redis_model::stream::{Expected, Snapshots};
/// use serde::{Deserialize, Serialize};
///
/// #[derive(Debug, Clone, RedisModel)]
/// #[redis(stream, versioned, prefix = "account-events")]
/// enum AccountEvent {
///     Paid { cents: i64 },
/// }
///
/// #[derive(Debug, Default, Serialize, Deserialize)]
/// struct Account {
///     balance: i64,
/// }
///
/// impl Aggregate for Account {
///     type Event = AccountEvent;
///
///     fn apply(mut self, event: AccountEvent) -> Self {
///         let AccountEvent::Paid { cents } = event;
///         self.balance += cents;
///         self
///     }
/// }
///
/// # async fn example(redis: Redis) -> Result<()> {
/// let log = AccountEvent::log("ada").versioned();
/// let account = log.aggregate::<Account>().snapshots(Snapshots::json().every(50).schema("2"));
/// println!("{}", account.load(&redis).await?.balance); // one request: the snapshot, and the events after it
/// # Ok(())
/// # }
/// ```
pub struct Snapshots<S> {
    every: u64,
    schema: String,
    name: Option<String>,
    codec: &'static str,
    encode: Encode<S>,
    decode: fn(&str) -> Result<S, CodecError>,
}

type Encode<S> = fn(&S, &mut String) -> Result<(), CodecError>;

/// What a load has found in the place of the snapshot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stored {
    /// No snapshot. Its version is 0, which is that of a log without events.
    None,
    /// One that does not fit.
    Unfit,
    /// One of this version.
    Version(u64),
}

impl<S: Serialize + DeserializeOwned> Snapshots<S> {
    /// Stores states as JSON. An added field needs `#[serde(default)]` or another [`schema`](Self::schema).
    pub fn json() -> Self {
        Self::with_codec::<Json>()
    }
}

impl<S> Snapshots<S> {
    /// Stores states with a [codec](crate::codec): `Postcard`, `Bincode`, or one of your own.
    pub fn with_codec<K: Codec<S>>() -> Self {
        Snapshots {
            every: EVERY,
            schema: "1".into(),
            name: None,
            codec: type_name::<K>(),
            encode: K::encode,
            decode: K::decode,
        }
    }

    /// Sets after how many events the next snapshot is due. The default is 100; 0 writes none.
    #[must_use]
    pub fn every(mut self, events: u64) -> Self {
        self.every = events;
        self
    }

    /// Sets the schema of the state. A snapshot of another one is ignored. The default is `1`. The codec is a part of
    /// it.
    #[must_use]
    pub fn schema(mut self, schema: impl Into<String>) -> Self {
        self.schema = schema.into();
        self
    }

    /// Names the snapshot, for logs with several kinds of state: `order-events:17::snapshot:totals`.
    #[must_use]
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }

    pub(super) fn key<M: StreamModel>(&self, log: &Log<M>) -> Key {
        match &self.name {
            None => log.typed_key().beside("snapshot"),
            Some(name) => log.typed_key().beside(&format!("snapshot:{name}")),
        }
    }

    /// Names what the text of a state depends on.
    pub(super) fn tag(&self) -> String {
        let codec = self.codec.rsplit("::").next().unwrap_or_default();
        format!("{} {codec} {}", short_name::<S>(), self.schema)
    }

    /// Reads the state of a snapshot, if it can be read.
    pub(super) fn read(&self, version: u64, found: &Found) -> (Option<S>, Stored) {
        let (state, checksum) = match found {
            Found::None => return (None, Stored::None),
            Found::Unfit => return (None, Stored::Unfit),
            Found::Snapshot { state, checksum } => (state, checksum),
        };
        let decoded = if self.checksum(version, state) == *checksum { (self.decode)(state).ok() } else { None };
        let stored = if decoded.is_some() { Stored::Version(version) } else { Stored::Unfit };
        (decoded, stored)
    }

    /// Returns whether a state is to be written.
    pub(super) fn is_due(&self, version: u64, stored: Stored) -> bool {
        match stored {
            _ if self.every == 0 || version == 0 => false,
            Stored::Unfit => true,
            Stored::None => version >= self.every,
            Stored::Version(stored) => version.saturating_sub(stored) >= self.every,
        }
    }

    /// Returns the command that writes the state, unless the snapshot that is stored is newer.
    pub(super) fn write<M: StreamModel>(&self, log: &Log<M>, of: &Versioned<S>, stored: Stored) -> Option<Command<()>> {
        let mut state = String::new();
        // A state that cannot be encoded has no snapshot.
        (self.encode)(&of.state, &mut state).ok()?;
        let checksum = self.checksum(of.version, &state);
        let call = WRITE.key(self.key(log).as_str()).key(log.key()).arg(of.version).arg(self.tag()).arg(state);
        let call = call.arg(checksum).arg(u32::from(stored == Stored::Unfit));
        Some(log.typed_key().check(call.command()).decode_with(|_| Ok(())))
    }

    /// Tells a damaged snapshot from one that was written: digits can change and still be JSON.
    fn checksum(&self, version: u64, state: &str) -> String {
        let mut sha1 = sha1_smol::Sha1::new();
        for part in [version.to_string().as_str(), &self.tag(), state] {
            sha1.update(part.as_bytes());
            sha1.update(b"\n");
        }
        let mut digits = sha1.digest().to_string();
        digits.truncate(16);
        digits
    }
}

impl<S> Clone for Snapshots<S> {
    fn clone(&self) -> Self {
        Snapshots { schema: self.schema.clone(), name: self.name.clone(), ..*self }
    }
}

impl<S> fmt::Debug for Snapshots<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Snapshots").field("every", &self.every).field("schema", &self.tag()).finish_non_exhaustive()
    }
}
