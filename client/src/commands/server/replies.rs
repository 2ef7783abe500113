//! Replies to COMMAND and INFO.

use crate::commands::info::Info;
use crate::error::Result;
use crate::reply::{FromReply, Reply};

/// The description of a command of the server.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct CommandInfo {
    /// The name, such as `get`. A subcommand has both names: `config|get`.
    pub name: String,
    /// The number of arguments, including the name. A negative number is a minimum.
    pub arity: i64,
    /// Flags such as `readonly` and `fast`.
    pub flags: Vec<String>,
    /// The position of the first key, or 0 if the command has no keys.
    pub first_key: i64,
    /// The position of the last key. A negative position counts from the end.
    pub last_key: i64,
    /// The distance from one key to the next.
    pub step: i64,
    /// The ACL categories, such as `@read`. Needs Redis 6.
    pub categories: Vec<String>,
    /// Tips for clients and proxies, such as `nondeterministic_output`. Needs Redis 7.
    pub tips: Vec<String>,
    /// Where the keys are among the arguments. Needs Redis 7.
    pub key_specs: Vec<KeySpec>,
    /// The subcommands. Needs Redis 7.
    pub subcommands: Vec<CommandInfo>,
}

impl FromReply for CommandInfo {
    fn from_reply(reply: Reply<'_>) -> Result<Self> {
        let mut parts = reply.array()?;
        Ok(CommandInfo {
            name: String::from_reply(parts.expect_next()?)?,
            arity: i64::from_reply(parts.expect_next()?)?,
            flags: Vec::from_reply(parts.expect_next()?)?,
            first_key: i64::from_reply(parts.expect_next()?)?,
            last_key: i64::from_reply(parts.expect_next()?)?,
            step: i64::from_reply(parts.expect_next()?)?,
            categories: list_or_empty(&mut parts)?,
            tips: list_or_empty(&mut parts)?,
            key_specs: list_or_empty(&mut parts)?,
            subcommands: list_or_empty(&mut parts)?,
        })
    }
}

fn list_or_empty<'a, T: FromReply>(parts: &mut impl Iterator<Item = Reply<'a>>) -> Result<Vec<T>> {
    parts.next().map(Vec::from_reply).transpose().map(Option::unwrap_or_default)
}

/// Where some of a command's keys are among its arguments, and what the command does with them.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct KeySpec {
    /// Notes, if there are any.
    pub notes: Option<String>,
    /// Flags such as `RO` and `access`.
    pub flags: Vec<String>,
    /// Where the first of these keys is.
    pub first_key: FirstKey,
    /// Which arguments, from the first key on, are keys.
    pub find_keys: FindKeys,
}

impl FromReply for KeySpec {
    fn from_reply(reply: Reply<'_>) -> Result<Self> {
        let info = Info::of(reply)?;
        Ok(KeySpec {
            notes: info.get_optional("notes")?,
            flags: info.get("flags")?,
            first_key: info.get("begin_search")?,
            find_keys: info.get("find_keys")?,
        })
    }
}

/// Where the first key of a [`KeySpec`] is: its `begin_search`.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum FirstKey {
    /// At this position. The command's name is at 0.
    Index(i64),
    /// After this word, which is searched from the position `from` on. A negative position counts from the end, and
    /// the search then goes backwards.
    Keyword {
        /// The word.
        keyword: String,
        /// The position.
        from: i64,
    },
    /// Only the server can find it out.
    Unknown,
}

impl FromReply for FirstKey {
    fn from_reply(reply: Reply<'_>) -> Result<Self> {
        let (kind, spec) = kind_and_spec(reply)?;
        match kind {
            "index" => Ok(FirstKey::Index(spec.get("index")?)),
            "keyword" => Ok(FirstKey::Keyword { keyword: spec.get("keyword")?, from: spec.get("startfrom")? }),
            _ => Ok(FirstKey::Unknown),
        }
    }
}

/// Which arguments of a [`KeySpec`] are keys, from its first key on: its `find_keys`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum FindKeys {
    /// A range.
    Range {
        /// The last key, counted from the first. A negative number counts from the last argument.
        last_key: i64,
        /// The distance from one key to the next.
        step: i64,
        /// If `last_key` is -1, the range ends after this part of the remaining arguments: 2 is a half. 0 and 1 are no
        /// limit.
        limit: i64,
    },
    /// As many keys as one of the arguments specifies.
    KeyNum {
        /// The position of that argument.
        count_at: i64,
        /// The position of the first key.
        first_key: i64,
        /// The distance from one key to the next.
        step: i64,
    },
    /// Only the server can find it out.
    Unknown,
}

impl FromReply for FindKeys {
    fn from_reply(reply: Reply<'_>) -> Result<Self> {
        let (kind, spec) = kind_and_spec(reply)?;
        match kind {
            "range" => Ok(FindKeys::Range {
                last_key: spec.get("lastkey")?,
                step: spec.get("keystep")?,
                limit: spec.get("limit")?,
            }),
            "keynum" => Ok(FindKeys::KeyNum {
                count_at: spec.get("keynumidx")?,
                first_key: spec.get("firstkey")?,
                step: spec.get("keystep")?,
            }),
            _ => Ok(FindKeys::Unknown),
        }
    }
}

/// Splits `type <kind> spec <names and values>`.
fn kind_and_spec(reply: Reply<'_>) -> Result<(&str, Info<'_>)> {
    let [_, kind, _, spec] = reply.array_of()?;
    Ok((kind.text()?, Info::of(spec)?))
}

/// Information about the server, in sections of names and values.
///
/// ```no_run
/// # async fn example(redis: redis_rest::Redis) -> redis_rest::Result<()> {
/// use redis_rest::ServerCommands;
///
/// let info = redis.info_with("server").await?;
/// println!("Redis {}", info.get("redis_version").unwrap_or("of unknown version"));
/// for (section, name, value) in info.iter() {
///     println!("{section}: {name} = {value}");
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerInfo(String);

impl ServerInfo {
    /// Returns the value of `name`.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.iter().find(|(_, found, _)| *found == name).map(|(_, _, value)| value)
    }

    /// Iterates over sections, names and values.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str, &str)> {
        let mut section = "";
        self.0.lines().filter_map(move |line| match line.strip_prefix('#') {
            Some(title) => {
                section = title.trim();
                None
            }
            None => line.split_once(':').map(|(name, value)| (section, name, value)),
        })
    }

    /// Returns the unparsed text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromReply for ServerInfo {
    fn from_reply(reply: Reply<'_>) -> Result<Self> {
        String::from_reply(reply).map(ServerInfo)
    }
}
