//! Replies to the ACL commands.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::commands::info::Info;
use crate::error::Result;
use crate::reply::{FromReply, Reply, Shape};

/// The permissions of a user.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct AclUser {
    /// Flags such as `on` and `nopass`.
    pub flags: Vec<String>,
    /// The SHA-256 of each password.
    pub passwords: Vec<String>,
    /// The permissions outside of selectors.
    pub root: AclSelector,
    /// The additional permissions of each selector. Needs Redis 7.
    pub selectors: Vec<AclSelector>,
}

impl FromReply for AclUser {
    fn from_reply(reply: Reply<'_>) -> Result<Self> {
        let info = Info::of(reply)?;
        Ok(AclUser {
            flags: info.get("flags")?,
            passwords: info.get("passwords")?,
            root: AclSelector::of(&info)?,
            selectors: info.get_optional("selectors")?.unwrap_or_default(),
        })
    }
}

/// A set of permissions, with one line of rules per kind.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct AclSelector {
    /// The commands: `-@all +get`.
    pub commands: String,
    /// The keys: `~cache:* %R~data:*`.
    pub keys: String,
    /// The channels: `&*`.
    pub channels: String,
}

impl AclSelector {
    fn of(info: &Info<'_>) -> Result<Self> {
        let line = |name| Ok(info.get_optional::<Line>(name)?.unwrap_or_default().0);
        Ok(AclSelector { commands: line("commands")?, keys: line("keys")?, channels: line("channels")? })
    }
}

impl FromReply for AclSelector {
    fn from_reply(reply: Reply<'_>) -> Result<Self> {
        AclSelector::of(&Info::of(reply)?)
    }
}

/// Rules in one line. Before Redis 7, the reply is an array.
#[derive(Default)]
struct Line(String);

impl FromReply for Line {
    fn from_reply(reply: Reply<'_>) -> Result<Self> {
        match reply.shape() {
            Shape::Array(_) => Ok(Line(Vec::<String>::from_reply(reply)?.join(" "))),
            _ => String::from_reply(reply).map(Line),
        }
    }
}

/// A violation of a user's permissions.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct AclLogEntry {
    /// How often it happened within 60 seconds.
    pub count: u64,
    /// The kind of permission that is missing: `command`, `key`, `channel` or `auth`.
    pub reason: String,
    /// Where it happened: `toplevel`, `multi`, `lua` or `module`.
    pub context: String,
    /// The command, key or channel, or `AUTH`.
    pub object: String,
    /// The user.
    pub username: String,
    /// How long ago it happened.
    pub age: Duration,
    /// When it happened first. Needs Redis 7.2.
    pub created: Option<SystemTime>,
    /// When it happened last. Needs Redis 7.2.
    pub last_updated: Option<SystemTime>,
    /// The connection, in the format of `CLIENT LIST`.
    pub client_info: String,
    /// A number that increases with each entry. Needs Redis 7.2.
    pub entry_id: Option<u64>,
}

impl FromReply for AclLogEntry {
    fn from_reply(reply: Reply<'_>) -> Result<Self> {
        let info = Info::of(reply)?;
        let age = Duration::try_from_secs_f64(info.get("age-seconds")?);
        let time = |name| -> Result<Option<SystemTime>> {
            let millis = info.get_optional(name)?.map(Duration::from_millis);
            Ok(millis.and_then(|since| UNIX_EPOCH.checked_add(since)))
        };
        Ok(AclLogEntry {
            count: info.get("count")?,
            reason: info.get("reason")?,
            context: info.get("context")?,
            object: info.get("object")?,
            username: info.get("username")?,
            age: age.map_err(|_| reply.mismatch("an entry with an age in seconds"))?,
            created: time("timestamp-created")?,
            last_updated: time("timestamp-last-updated")?,
            client_info: info.get("client-info")?,
            entry_id: info.get_optional("entry-id")?,
        })
    }
}
