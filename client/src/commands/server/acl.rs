//! What the ACL commands reply.

use std::time::Duration;

use crate::commands::info::Info;
use crate::error::Result;
use crate::reply::{FromReply, Reply, Shape};

/// What a user may do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AclUser {
    /// `on`, `nopass` and the like.
    pub flags: Vec<String>,
    /// The SHA-256 of each password.
    pub passwords: Vec<String>,
    /// What the rules outside of selectors allow.
    pub root: AclSelector,
    /// What each selector allows besides. Redis 7.
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

/// A set of rules, each kind in one line.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AclSelector {
    /// Which commands: `-@all +get`.
    pub commands: String,
    /// On which keys: `~cache:* %R~data:*`.
    pub keys: String,
    /// On which channels: `&*`.
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

/// Rules in one line; before Redis 7 they were an array.
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

/// Something that a user tried and was not allowed to.
#[derive(Debug, Clone, PartialEq)]
pub struct AclLogEntry {
    /// How often, within 60 seconds.
    pub count: u64,
    /// Why not: `command`, `key`, `channel` or `auth`.
    pub reason: String,
    /// Where: `toplevel`, `multi`, `lua` or `module`.
    pub context: String,
    /// What: a command, a key, a channel, or `AUTH`.
    pub object: String,
    /// Who.
    pub username: String,
    /// How long ago.
    pub age: Duration,
    /// The connection, as `CLIENT LIST` shows it.
    pub client_info: String,
    /// A number that grows with each entry. Redis 7.2.
    pub entry_id: Option<u64>,
}

impl FromReply for AclLogEntry {
    fn from_reply(reply: Reply<'_>) -> Result<Self> {
        let info = Info::of(reply)?;
        let age = Duration::try_from_secs_f64(info.get("age-seconds")?);
        Ok(AclLogEntry {
            count: info.get("count")?,
            reason: info.get("reason")?,
            context: info.get("context")?,
            object: info.get("object")?,
            username: info.get("username")?,
            age: age.map_err(|_| reply.mismatch("an entry with an age in seconds"))?,
            client_info: info.get("client-info")?,
            entry_id: info.get_optional("entry-id")?,
        })
    }
}
