//! A WebAssembly component (WASI 0.2, as Spin and Wasmtime run it) that saves, patches, queries and follows models.
//!
//! WASI has no HTTP client and no timers that all async runtimes share, so the program gives the client its own: see
//! `platform.rs`. `cargo edge wasi` builds it, and runs it in Node with a local database. For a real one, set
//! `UPSTASH_REDIS_REST_URL` and `UPSTASH_REDIS_REST_TOKEN`.

#[cfg(target_os = "wasi")]
mod app;
#[cfg(target_os = "wasi")]
mod platform;

#[cfg(target_os = "wasi")]
fn main() -> Result<(), Box<dyn std::error::Error>> {
    wstd::runtime::block_on(app::run())
}

#[cfg(not(target_os = "wasi"))]
fn main() {
    eprintln!("This program is for WASI: `cargo edge wasi` builds and runs it.");
}
