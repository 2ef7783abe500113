//! What COMMAND and INFO reply.

use crate::error::Result;
use crate::reply::{FromReply, Reply};

/// A command that the server has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommandInfo {
    /// Its name: `get`; a subcommand's is `config|get`.
    pub name: String,
    /// How many arguments it takes, its name included; negative: at least so many.
    pub arity: i64,
    /// `readonly`, `fast` and the like.
    pub flags: Vec<String>,
    /// At which argument its keys begin; 0 when it has none.
    pub first_key: i64,
    /// At which argument they end; negative: counted from the end.
    pub last_key: i64,
    /// From one key to the next, so many arguments.
    pub step: i64,
    /// Its ACL categories: `@read`. Redis 6.
    pub categories: Vec<String>,
    /// Its subcommands. Redis 7.
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

/// What the server says of itself, in sections of names and values.
///
/// ```no_run
/// # async fn example(redis: redis_rest::Redis) -> redis_rest::Result<()> {
/// use redis_rest::ServerCommands;
///
/// let info = redis.info(Some("server")).await?;
/// println!("Redis {}", info.get("redis_version").unwrap_or("of unknown version"));
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerInfo(String);

impl ServerInfo {
    /// The value of this name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.iter().find(|(_, found, _)| *found == name).map(|(_, _, value)| value)
    }

    /// All sections, names and values.
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

    /// The text as it came.
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
