//! Publishing, and who listens. Subscribing is a stream of server-sent events, not a command.

use crate::arg::ToArg;
use crate::command::Command;
use crate::executor::Executor;
use crate::reply::FromReply;

/// The commands on channels. To listen is no command but a stream of events: [`Redis::subscribe`](crate::Redis::subscribe).
///
/// ```
/// use redis_rest::{Build, PubSubCommands};
///
/// assert_eq!(Build.publish("chat", "hello").args(), ["PUBLISH", "chat", "hello"]);
/// ```
pub trait PubSubCommands: Executor {
    /// Sends a message to who listens, and gives how many do.
    /// [PUBLISH](https://redis.io/docs/latest/commands/publish/), O(n) in the listeners.
    fn publish(self, channel: impl ToArg, message: impl ToArg) -> Self::Out<u64> {
        self.execute(Command::write("PUBLISH").arg(channel).arg(message))
    }

    /// The channels that somebody listens to, of all or of a glob-style pattern.
    /// [PUBSUB CHANNELS](https://redis.io/docs/latest/commands/pubsub-channels/), O(n) in the channels.
    fn pubsub_channels<C: FromReply>(self, pattern: Option<&str>) -> Self::Out<Vec<C>> {
        self.execute(Command::read("PUBSUB").arg("CHANNELS").args_of(pattern))
    }

    /// How many patterns are listened to. [PUBSUB NUMPAT](https://redis.io/docs/latest/commands/pubsub-numpat/), O(1).
    fn pubsub_numpat(self) -> Self::Out<u64> {
        self.execute(Command::read("PUBSUB").arg("NUMPAT"))
    }

    /// How many listen to each of the channels, those by a pattern aside.
    /// [PUBSUB NUMSUB](https://redis.io/docs/latest/commands/pubsub-numsub/), O(n) in the channels.
    fn pubsub_numsub<C: FromReply>(self, channels: impl IntoIterator<Item = impl ToArg>) -> Self::Out<Vec<(C, u64)>> {
        self.execute(Command::read("PUBSUB").arg("NUMSUB").args_of(channels))
    }
}

impl<E: Executor> PubSubCommands for E {}
