//! Publishing messages, and counting subscribers. A subscription is a stream of server-sent events, not a command.

use crate::arg::ToArg;
use crate::command::Command;
use crate::executor::Executor;
use crate::reply::FromReply;

/// The commands on channels. To receive messages, use [`Redis::subscribe`](crate::Redis::subscribe).
///
/// ```no_run
/// # async fn example(redis: redis_rest::Redis) -> redis_rest::Result<()> {
/// use redis_rest::PubSubCommands;
///
/// let receivers = redis.publish("chat", "hello").await?;
/// println!("{receivers} subscribers received the message");
/// let channels: Vec<String> = redis.pubsub_channels(Some("chat*")).await?;
/// let subscribers: Vec<(String, u64)> = redis.pubsub_numsub(&channels).await?;
/// assert_eq!(subscribers.len(), channels.len());
/// # Ok(())
/// # }
/// ```
pub trait PubSubCommands: Executor {
    /// Sends a message to the subscribers of `channel`, and returns how many received it.
    ///
    /// [PUBLISH](https://redis.io/docs/latest/commands/publish/), O(n) in the subscribers.
    fn publish(self, channel: impl ToArg, message: impl ToArg) -> Self::Out<u64> {
        self.execute(Command::write("PUBLISH").arg(channel).arg(message))
    }

    /// Returns the channels that have subscribers: all of them, or those that match a glob-style pattern.
    ///
    /// [PUBSUB CHANNELS](https://redis.io/docs/latest/commands/pubsub-channels/), O(n) in the channels.
    fn pubsub_channels<C: FromReply>(self, pattern: Option<&str>) -> Self::Out<Vec<C>> {
        self.execute(Command::read("PUBSUB").arg("CHANNELS").args_of(pattern))
    }

    /// Returns the number of patterns that have subscribers.
    ///
    /// [PUBSUB NUMPAT](https://redis.io/docs/latest/commands/pubsub-numpat/), O(1).
    fn pubsub_numpat(self) -> Self::Out<u64> {
        self.execute(Command::read("PUBSUB").arg("NUMPAT"))
    }

    /// Returns the number of subscribers of each channel, not counting those of patterns.
    ///
    /// [PUBSUB NUMSUB](https://redis.io/docs/latest/commands/pubsub-numsub/), O(n) in the channels.
    fn pubsub_numsub<C: FromReply>(self, channels: impl IntoIterator<Item = impl ToArg>) -> Self::Out<Vec<(C, u64)>> {
        self.execute(Command::read("PUBSUB").arg("NUMSUB").args_of(channels))
    }
}

impl<E: Executor> PubSubCommands for E {}
