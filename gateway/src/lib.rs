//! The Upstash Redis REST API over any Redis or Valkey, for development and tests.
//!
//! A [`Gateway`] listens on a loopback port and answers every form of the API: commands as JSON, commands in the
//! path, `/pipeline`, `/multi-exec`, and server-sent events at `/subscribe`, `/psubscribe` and `/monitor`; in JSON,
//! base64 and RESP2; with a full and a read-only token. Behind it is a Redis that you name, or a [`Server`] that it
//! starts for itself.
//!
//! ```no_run
//! # async fn example() -> Result<(), redis_rest_gateway::Error> {
//! use redis_rest_gateway::{Gateway, Server};
//!
//! let server = Server::start().await?; // found on PATH or by REDIS_SERVER; gone when dropped
//! let gateway = Gateway::over(server.url()).start().await?;
//! println!("UPSTASH_REDIS_REST_URL={} UPSTASH_REDIS_REST_TOKEN={}", gateway.url(), gateway.token());
//! # Ok(())
//! # }
//! ```
//!
//! It answers as the service is documented to answer. Where the documentation is silent it follows what the official
//! SDKs send and expect; none of it could be compared with the hosted service from where it was built.

// From the ground up: a module uses only modules above it in this list.
mod error;
mod secret;

mod resp;

mod reply;
mod request;

mod backend;
mod policy;
mod state;

mod response;
mod sse;

mod http;

mod gateway;
mod server;

pub mod install;

pub use crate::error::Error;
pub use crate::gateway::{Gateway, GatewayBuilder};
pub use crate::server::{Server, ServerBuilder};
