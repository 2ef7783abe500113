//! The Redis behind the gateway, by TCP.

use std::time::Duration;

use redis::aio::{MultiplexedConnection, PubSub};
use redis::{AsyncConnectionConfig, Client, Cmd, ErrorKind, Pipeline, RedisError, RedisResult, Value};
use tokio::sync::Mutex;

use crate::error::Error;
use crate::policy::waits;

/// A command's arguments, its name first.
pub(crate) type Args = Vec<Vec<u8>>;

/// One connection for all requests, made anew when it breaks. Nothing here blocks it: blocking commands are refused
/// before, and subscriptions have connections of their own.
#[derive(Debug)]
pub(crate) struct Backend {
    client: Client,
    connection: Mutex<Option<MultiplexedConnection>>,
}

/// Redis cannot be reached: what a request is told.
#[derive(Debug)]
pub(crate) struct Unreachable(RedisError);

impl std::fmt::Display for Unreachable {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "ERR the gateway cannot reach Redis: {}", self.0.kind_name())
    }
}

trait KindName {
    fn kind_name(&self) -> &'static str;
}

impl KindName for RedisError {
    /// No more than the kind: the whole text may name the URL, and with it a password.
    fn kind_name(&self) -> &'static str {
        match self.kind() {
            ErrorKind::AuthenticationFailed => "it refuses the password",
            ErrorKind::Io => "the connection is refused or broken",
            _ => "it does not answer as Redis does",
        }
    }
}

impl Backend {
    pub(crate) async fn connect(url: &str) -> Result<Self, Error> {
        let client = Client::open(url).map_err(|error| Error::caused("the Redis URL is malformed", error))?;
        let backend = Backend { client, connection: Mutex::new(None) };
        let ping = [vec![b"PING".to_vec()]];
        let answer = tokio::time::timeout(Duration::from_secs(5), backend.run(&ping)).await;
        match answer.as_ref().map(|answer| answer.as_deref()) {
            Err(_) => Err(Error::new("what listens there does not answer within 5 seconds")),
            Ok(Ok([Value::SimpleString(_)])) => Ok(backend),
            Ok(Ok(_)) => {
                Err(Error::new("what listens there does not answer PING as Redis does, or wants another password"))
            }
            Ok(Err(unreachable)) => Err(Error::new(unreachable.to_string())),
        }
    }

    /// Sends commands and gives one value for each, errors among them. Those that wait for others go by a connection
    /// of their own, so that nobody waits for them.
    pub(crate) async fn run(&self, commands: &[Args]) -> Result<Vec<Value>, Unreachable> {
        if commands.iter().any(waits) {
            return send(&mut self.new_connection().await?, commands).await.map_err(Unreachable);
        }
        let mut connection = self.connection().await?;
        match send(&mut connection, commands).await {
            Ok(values) => Ok(values),
            Err(error) => {
                *self.connection.lock().await = None;
                Err(Unreachable(error))
            }
        }
    }

    async fn connection(&self) -> Result<MultiplexedConnection, Unreachable> {
        let mut slot = self.connection.lock().await;
        if let Some(connection) = &*slot {
            return Ok(connection.clone());
        }
        Ok(slot.insert(self.new_connection().await?).clone())
    }

    async fn new_connection(&self) -> Result<MultiplexedConnection, Unreachable> {
        // No timeout for replies: the client of the gateway has its own, and a slow command is not a broken connection.
        let config = AsyncConnectionConfig::new().set_response_timeout(None);
        self.client.get_multiplexed_async_connection_with_config(&config).await.map_err(Unreachable)
    }

    /// A connection for subscriptions.
    pub(crate) async fn pubsub(&self) -> Result<PubSub, Unreachable> {
        self.client.get_async_pubsub().await.map_err(Unreachable)
    }

    /// A connection for MONITOR.
    pub(crate) async fn monitor(&self) -> Result<redis::aio::Monitor, Unreachable> {
        self.client.get_async_monitor().await.map_err(Unreachable)
    }
}

async fn send(connection: &mut MultiplexedConnection, commands: &[Args]) -> RedisResult<Vec<Value>> {
    let mut pipeline = Pipeline::with_capacity(commands.len());
    for args in commands {
        let mut command = Cmd::new();
        for arg in args {
            command.arg(arg.as_slice());
        }
        pipeline.add_command(command);
    }
    connection.send_packed_commands(&pipeline, 0, commands.len()).await
}
