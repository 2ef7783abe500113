//! Serves the Upstash Redis REST API from any Redis or Valkey server, for development and tests.
//!
//! A [`Gateway`] is an HTTP server in your process. It runs each command of a request on a Redis server and encodes the
//! reply as the hosted service does. With it, you can develop and test programs that use the REST API without an account
//! or a network. The program `redis-rest-gateway` does the same from a terminal; see `redis-rest-gateway --help`.
//!
//! Do not use the gateway in production: it has no TLS, no rate limits and no replicas. [`Gateway`] lists its limits.
//!
//! # In a test
//!
//! Start a [`Server`] and a gateway to it, and pass the URL and the token of the gateway to the client:
//!
//! ```no_run
//! use redis_rest_gateway::{Gateway, Server};
//!
//! # async fn test() -> Result<(), redis_rest_gateway::Error> {
//! // The first valkey-server or redis-server on PATH, on a free port and with an empty database.
//! let server = Server::start().await?;
//! let gateway = Gateway::over(server.url()).start().await?;
//!
//! let url = gateway.url(); // for UPSTASH_REDIS_REST_URL
//! let token = gateway.token(); // for UPSTASH_REDIS_REST_TOKEN
//! assert!(url.starts_with("http://127.0.0.1:"));
//! # Ok(())
//! # }
//! ```
//!
//! Clients then get the replies of the hosted service:
//!
//! ```text
//! $ curl $UPSTASH_REDIS_REST_URL -H "Authorization: Bearer $UPSTASH_REDIS_REST_TOKEN" -d '["SET", "greeting", "hello"]'
//! {"result":"OK"}
//! $ curl $UPSTASH_REDIS_REST_URL/get/greeting -H "Authorization: Bearer $UPSTASH_REDIS_REST_TOKEN"
//! {"result":"hello"}
//! ```
//!
//! Keep both values until the test ends: each of them stops when it is dropped. The gateway also stops with the tokio runtime
//! that started it, and every `#[tokio::test]` has a runtime of its own. Tests that share a gateway therefore need a
//! runtime that outlives them.
//!
//! # Types
//!
//! | type | purpose |
//! | --- | --- |
//! | [`Gateway`], [`GatewayBuilder`] | the gateway; its address, tokens, limits and which commands it allows |
//! | [`Server`], [`ServerBuilder`] | a Redis or Valkey process that ends with your process; its program and modules |
//! | [`install`] | finds a server program, or installs one where there is none, such as in CI |
//! | [`Error`] | why a gateway or a server did not start |
//!
//! # What it covers
//!
//! - Commands as a JSON array (`POST /`) or in the path (`/set/key/value`), `/pipeline` and `/multi-exec`.
//! - Server-sent events at `/subscribe`, `/psubscribe` and `/monitor`, with a comment after each 15 seconds of silence
//!   ([`GatewayBuilder::heartbeat`]).
//! - Replies in JSON, base64 and RESP2.
//! - A token for all commands, a read-only token, and tokens of ACL users (`ACL RESTTOKEN`).
//! - Web pages of any origin (CORS).
//! - Scripts with the flag `allow-key-locking`, which open-source servers refuse.
//!
//! # The web view
//!
//! [`GatewayBuilder::view`], or the option `--view` of the program, adds pages that show the store in a browser: the models and
//! the keys by prefix, records and whether their indexes agree with them, lists, and streams with a live tail, their groups, and
//! what is pending or dead. It only reads, listens on this machine alone, and opens with the key in the URL that is printed.
//!
//! Commands that the service does not document are refused with its error; [`GatewayBuilder::all_commands`] allows them.
//! Which of the documented commands exist depends on the server behind the gateway. A request cannot choose a database:
//! `SELECT 0` is that of the gateway's URL.
//!
//! The gateway follows the documentation of the service, and the requests and expectations of the official SDKs where the
//! documentation is silent. It has not been compared with the hosted service. What is known to differ is listed in the
//! documentation of the client, `redis_rest::guide::differences`.

// From the ground up: a module uses only modules above it in this list.
mod budget;
mod error;
mod limits;
mod program;
mod secret;

mod folder;

mod resp;

mod reply;
mod request;

mod backend;
mod documented;
mod policy;
mod script;

mod response;

mod auth;
mod listener;

mod state;

mod acl;
mod cors;
mod sse;

mod execute;
mod http;
mod view;

mod gateway;
mod server;

pub mod install;

pub use crate::error::Error;
pub use crate::gateway::{Gateway, GatewayBuilder};
pub use crate::server::{Server, ServerBuilder};
