//! One client for each way in which a command can travel: what runs on all of them runs on every executor.

use std::pin::Pin;

use redis_model::redis_rest::{
    AutoPipelining, Command, ConnectionCommands as _, Encoding, Executor, Redis, Result, blocking,
};

use tokio::join;

use crate::{ENCODINGS, Stack, stack};

/// A client that sends each command in the one way that it stands for.
#[derive(Debug)]
pub struct Via {
    redis: Redis,
    blocking: blocking::Redis,
    way: Way,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Way {
    Async,
    AutoPipelined,
    Pipeline,
    Transaction,
    Batch,
    Blocking,
    BlockingTransaction,
}

/// Every executor in every encoding, over the server of this program.
pub fn everywhere() -> Vec<Via> {
    everywhere_over(stack())
}

/// Every executor in every encoding, over a server.
pub fn everywhere_over(stack: &Stack) -> Vec<Via> {
    use Way::{Async, AutoPipelined, Batch, Blocking, BlockingTransaction, Pipeline, Transaction};

    let ways = [Async, AutoPipelined, Pipeline, Transaction, Batch, Blocking, BlockingTransaction];
    ENCODINGS.iter().flat_map(|&encoding| ways.map(|way| Via::new(stack, encoding, way))).collect()
}

impl Via {
    #[expect(clippy::expect_used, reason = "a test that cannot be set up should say so at once")]
    fn new(stack: &Stack, encoding: Encoding, way: Way) -> Self {
        let builder = stack.builder().encoding(encoding);
        let builder = if way == Way::AutoPipelined { builder.auto_pipelining(AutoPipelining::new()) } else { builder };
        let blocking = builder.clone().build_blocking().expect("a client");
        Via { redis: builder.build().expect("a client"), blocking, way }
    }

    /// Whether bytes that are not UTF-8 can be sent this way.
    pub fn carries_bytes(&self) -> bool {
        matches!(self.way, Way::Async | Way::AutoPipelined | Way::Blocking)
    }
}

impl<'a> Executor for &'a Via {
    type Out<R> = Sent<'a, R>;

    fn submit<R>(self, command: Command<R>) -> Sent<'a, R> {
        Sent { via: self, command }
    }
}

/// A command on its way: await it for the reply.
#[derive(Debug)]
#[must_use = "nothing is sent until it is awaited"]
pub struct Sent<'a, R> {
    via: &'a Via,
    command: Command<R>,
}

impl<'a, R: 'static> IntoFuture for Sent<'a, R> {
    type Output = Result<R>;
    type IntoFuture = Pin<Box<dyn Future<Output = Result<R>> + 'a>>;

    fn into_future(self) -> Self::IntoFuture {
        let Via { redis, blocking, way } = self.via;
        Box::pin(async move {
            // Among others, so that a reply that is taken from the wrong place would be noticed.
            let (before, reply, after) = match way {
                Way::Async => return redis.submit(self.command).await,
                Way::Blocking => return blocking.submit(self.command),
                Way::AutoPipelined => {
                    let reply = redis.submit(self.command);
                    join!(redis.ping(), reply, redis.echo::<i64>(7))
                }
                Way::Pipeline => redis.pipeline().ping().submit(self.command).echo::<i64>(7).exec_each().await?,
                Way::Transaction => redis.transaction().ping().submit(self.command).echo::<i64>(7).exec_each().await?,
                Way::BlockingTransaction => {
                    blocking.transaction().ping().submit(self.command).echo::<i64>(7).exec_each()?
                }
                Way::Batch => {
                    let mut batch = redis.batch();
                    let slots = (batch.ping(), (&mut batch).submit(self.command), batch.echo::<i64>(7));
                    let replies = batch.exec().await?;
                    (replies.take(slots.0), replies.take(slots.1), replies.take(slots.2))
                }
            };
            assert_eq!((before?.as_str(), after?), ("PONG", 7));
            reply
        })
    }
}
