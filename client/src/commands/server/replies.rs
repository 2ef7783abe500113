//! Replies to COMMAND and INFO.

use crate::error::Result;
use crate::reply::{FromReply, Reply};

/// The description of a command of the server.
#[derive(Debug, Clone, PartialEq, Eq)]
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
    /// The subcommands. Needs Redis 7.
    pub subcommands: Vec<CommandInfo>,
}

impl FromReply for CommandInfo {
    fn from_reply(reply: Reply<'_>) -> Result<Self> {
        let mut parts = reply.array()?;
        let info = CommandInfo {
            name: String::from_reply(parts.expect_next()?)?,
            arity: i64::from_reply(parts.expect_next()?)?,
            flags: Vec::from_reply(parts.expect_next()?)?,
            first_key: i64::from_reply(parts.expect_next()?)?,
            last_key: i64::from_reply(parts.expect_next()?)?,
            step: i64::from_reply(parts.expect_next()?)?,
            categories: list_or_empty(&mut parts)?,
            // Read below: tips and key specifications come before them.
            subcommands: Vec::new(),
        };
        Ok(CommandInfo { subcommands: list_or_empty(&mut parts.skip(2))?, ..info })
    }
}

fn list_or_empty<'a, T: FromReply>(parts: &mut impl Iterator<Item = Reply<'a>>) -> Result<Vec<T>> {
    parts.next().map(Vec::from_reply).transpose().map(Option::unwrap_or_default)
}

/// Information about the server, in sections of names and values.
///
/// ```no_run
/// # async fn example(redis: redis_rest::Redis) -> redis_rest::Result<()> {
/// use redis_rest::ServerCommands;
///
/// let info = redis.info(Some("server")).await?;
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
