//! Everything that talks: through the gateway, with a real Redis behind it.

#![expect(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test fails by panicking")]

mod auto_pipeline;
mod bitmap;
mod cuts;
mod dialects;
mod entries;
mod errors;
mod evolution;
mod exactly_once;
mod executors;
mod faults;
mod fields;
mod gateway;
mod gateway_acl;
mod gateway_cors;
mod gateway_limits;
mod gateway_policy;
mod gateway_pool;
mod gateway_protocol;
mod generic;
mod geo;
mod hash;
mod hostile;
mod index_types;
mod index_writes;
mod iter;
mod json;
mod list;
mod models;
mod patches;
mod queries;
mod records;
mod references;
mod reindex;
mod requests;
mod scripting;
mod server;
mod set;
mod sorted_set;
mod stream;
mod string;
mod subscribe;
mod trace;
mod values;
mod writes;
