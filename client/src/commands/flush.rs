//! How the commands that remove everything of a kind do it: `FLUSHALL`, `FLUSHDB`, `SCRIPT FLUSH`, `FUNCTION FLUSH`.

/// Whether a flush is complete when the reply comes. Without it, the setting of the server decides.
///
/// ```no_run
/// # async fn example(redis: redis_rest::Redis) -> redis_rest::Result<()> {
/// use redis_rest::ScriptingCommands;
/// use redis_rest::commands::flush::FlushMode;
///
/// let sha1 = redis.script_load("return 1").await?;
/// redis.script_flush_with(FlushMode::Sync).await?;
/// assert_eq!(redis.script_exists([sha1]).await?, [false]);
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FlushMode {
    /// The server frees the memory in the background: `ASYNC`.
    Async,
    /// The server frees the memory before it replies: `SYNC`.
    Sync,
}

impl FlushMode {
    pub(super) fn word(self) -> &'static str {
        match self {
            FlushMode::Async => "ASYNC",
            FlushMode::Sync => "SYNC",
        }
    }
}
