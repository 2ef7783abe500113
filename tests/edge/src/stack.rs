//! The server and the gateway that Workers use.

use redis_model_tools::{Outcome, cache};
use redis_rest_gateway::{Gateway, Server, install};

use crate::workerd::Worker;

/// Both stop when they are dropped.
pub struct Stack {
    pub gateway: Gateway,
    _server: Server,
}

impl Stack {
    /// Starts a server that is empty, and a gateway.
    ///
    /// # Errors
    ///
    /// Returns an error if there is no server and none can be installed.
    pub async fn start() -> Outcome<Self> {
        let server = install::redis_8_2_with_json(&cache()?)?.start().await?;
        let gateway = Gateway::over(server.url()).start().await?;
        Ok(Stack { gateway, _server: server })
    }

    /// Returns a Worker whose bindings name this gateway.
    pub fn worker(&self, name: &str) -> Worker {
        Worker::new(name, &self.gateway.url(), self.gateway.token())
    }
}
