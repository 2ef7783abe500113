//! HyperLogLogs: the approximate number of different elements, within 1%, in 12 KB.

use crate::arg::ToArg;
use crate::command::{Command, OneOrMore};
use crate::executor::Executor;

/// The commands on HyperLogLogs.
///
/// ```no_run
/// # async fn example(redis: redis_rest::Redis) -> redis_rest::Result<()> {
/// use redis_rest::HyperLogLogCommands;
///
/// assert!(redis.pfadd("monday", ["ada", "grace"]).await?);
/// assert!(!redis.pfadd("monday", ["ada"]).await?);
/// redis.pfadd("tuesday", ["ada", "alan"]).await?;
/// assert_eq!(redis.pfcount(["monday", "tuesday"]).await?, 3);
/// # Ok(())
/// # }
/// ```
pub trait HyperLogLogCommands: Executor {
    /// Adds elements, and returns whether the estimate changed.
    ///
    /// Creates the key if it does not exist, even if there are no elements.
    ///
    /// [PFADD](https://redis.io/docs/latest/commands/pfadd/), O(1) per element.
    fn pfadd<K>(self, key: impl ToArg, elements: impl OneOrMore<K>) -> Self::Out<bool> {
        self.execute(Command::write("PFADD").key(key).args_of(elements))
    }

    /// Returns the approximate number of different elements in all keys together.
    ///
    /// [PFCOUNT](https://redis.io/docs/latest/commands/pfcount/), O(n) in the keys.
    fn pfcount<K>(self, keys: impl OneOrMore<K>) -> Self::Out<u64> {
        self.execute(Command::read("PFCOUNT").keys(keys))
    }

    /// Adds the elements of `sources` to `destination`.
    ///
    /// [PFMERGE](https://redis.io/docs/latest/commands/pfmerge/), O(n) in the sources.
    fn pfmerge<K>(self, destination: impl ToArg, sources: impl OneOrMore<K>) -> Self::Out<()> {
        self.execute(Command::idempotent_write("PFMERGE").key(destination).keys_if_any(sources))
    }
}

impl<E: Executor> HyperLogLogCommands for E {}
