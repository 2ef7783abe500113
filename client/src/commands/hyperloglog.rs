//! HyperLogLogs: how many different elements there were, within 1%, in 12 KB.

use crate::arg::ToArg;
use crate::command::Command;
use crate::executor::Executor;

/// The commands on HyperLogLogs.
///
/// ```
/// use redis_rest::{Build, HyperLogLogCommands};
///
/// assert_eq!(Build.pfadd("visitors", ["ada", "cahit"]).args(), ["PFADD", "visitors", "ada", "cahit"]);
/// ```
pub trait HyperLogLogCommands: Executor {
    /// Adds elements, and says whether the estimate changed; without elements it makes the key.
    /// [PFADD](https://redis.io/docs/latest/commands/pfadd/), O(1) an element.
    fn pfadd(self, key: impl ToArg, elements: impl IntoIterator<Item = impl ToArg>) -> Self::Out<bool> {
        self.execute(Command::write("PFADD").arg(key).args_of(elements))
    }

    /// About how many different elements there are in all of the keys together.
    /// [PFCOUNT](https://redis.io/docs/latest/commands/pfcount/), O(n) in the keys.
    fn pfcount(self, keys: impl IntoIterator<Item = impl ToArg>) -> Self::Out<u64> {
        self.execute(Command::read("PFCOUNT").one_or_more("key", keys))
    }

    /// Adds the elements of others to `destination`. [PFMERGE](https://redis.io/docs/latest/commands/pfmerge/), O(n) in
    /// the sources.
    fn pfmerge(self, destination: impl ToArg, sources: impl IntoIterator<Item = impl ToArg>) -> Self::Out<()> {
        self.execute(Command::idempotent_write("PFMERGE").arg(destination).args_of(sources))
    }
}

impl<E: Executor> HyperLogLogCommands for E {}
