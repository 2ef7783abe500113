//! A Redis or Valkey process that we start and stop.

use std::fmt::{self, Write as _};
use std::io::{BufRead, BufReader, Read};
use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::backend::Backend;
use crate::error::Error;
use crate::folder::Folder;
use crate::program;
use crate::secret::random_secret;

/// The environment variable that names the server program.
pub(crate) const SERVER_VARIABLE: &str = "REDIS_SERVER";

/// The `sh` script that starts the server and kills it when the parent process ends.
///
/// The server reads its configuration from standard input, so that the password is not visible on a command line. The
/// script then reads its own standard input, which ends when the parent closes it or dies for any reason.
///
/// It then removes the server's folder, which is its second argument: a process that was killed cannot do that itself.
///
/// The script ignores the signals that a terminal sends to the whole process group: if it died before the parent, nothing
/// would kill the server.
const WATCHDOG: &str = r#"
trap '' HUP INT QUIT TERM
printf '%s\n' "$REDIS_REST_GATEWAY_CONFIG" | "$0" - 2>&1 &
server=$!
exec >/dev/null 2>&1
cat
kill -9 "$server"
wait "$server"
rm -rf -- "$1"
"#;

/// A running Redis or Valkey server. It is killed when this value is dropped or the process ends for any reason.
///
/// The server listens on a free port of 127.0.0.1, has a random password and saves nothing to disk. Its folder, where SAVE
/// would write to, is empty at its start, can be opened only by the current user, and is removed with the server.
///
/// ```no_run
/// use redis_rest_gateway::Server;
///
/// # async fn example() -> Result<(), redis_rest_gateway::Error> {
/// let server = Server::start().await?;
/// assert!(server.url().starts_with("redis://:"));
/// # Ok(())
/// # }
/// ```
pub struct Server {
    watchdog: Child,
    url: String,
    /// Dropped after the watchdog has ended.
    folder: Folder,
}

/// The settings of a [`Server`]; created by [`Server::builder`] or by a function of [`install`](crate::install).
///
/// ```no_run
/// use redis_rest_gateway::Server;
///
/// # async fn example() -> Result<(), redis_rest_gateway::Error> {
/// let server = Server::builder()
///     .program("/opt/redis/bin/redis-server")
///     .module("/opt/redis/lib/rejson.so")
///     .start()
///     .await?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, Default)]
#[must_use = "call `start` to run the server"]
pub struct ServerBuilder {
    program: Option<PathBuf>,
    modules: Vec<PathBuf>,
}

impl Server {
    /// Starts a server with the default settings. [`ServerBuilder::program`] documents which program that is.
    ///
    /// # Errors
    ///
    /// Returns an error if no program is found or it does not start.
    pub async fn start() -> Result<Self, Error> {
        Server::builder().start().await
    }

    /// Returns the default settings.
    pub fn builder() -> ServerBuilder {
        ServerBuilder::default()
    }

    /// Returns the `redis://` URL of the server, with its password.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }
}

impl fmt::Debug for Server {
    /// Leaves out the password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Server").field("folder", &self.folder.path()).finish_non_exhaustive()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Closing its standard input makes the watchdog kill the server and exit. A failure to wait changes nothing.
        drop(self.watchdog.stdin.take());
        let _ = self.watchdog.wait();
    }
}

impl ServerBuilder {
    /// Sets the program to start.
    ///
    /// The default is the one that the environment variable `REDIS_SERVER` names, or else the first `valkey-server` or
    /// `redis-server` on `PATH`. Entries of `PATH` that are empty or relative are ignored, and a name without a folder is
    /// looked up on `PATH`, so a program in the current folder runs only if you name it by its path.
    pub fn program(mut self, path: impl Into<PathBuf>) -> Self {
        self.program = Some(path.into());
        self
    }

    /// Adds a module for the server to load.
    pub fn module(mut self, path: impl Into<PathBuf>) -> Self {
        self.modules.push(path.into());
        self
    }

    /// Starts the server and waits until it answers.
    ///
    /// The password is sent only after the program has printed that it is ready to accept connections.
    ///
    /// # Errors
    ///
    /// Returns an error if no program is found or it does not start.
    pub async fn start(self) -> Result<Server, Error> {
        let program = match self.program.or_else(find_program) {
            Some(program) => program::named(&program)?,
            None => {
                return Err(Error::new(format!(
                    "found no valkey-server or redis-server on PATH: install one, or set {SERVER_VARIABLE} to its path"
                )));
            }
        };
        for _ in 1..5 {
            match start_once(&program, &self.modules).await {
                // Another process took the free port before the server did.
                Err(Failure { port_taken: true, .. }) => {}
                outcome => return outcome.map_err(|failure| failure.error),
            }
        }
        start_once(&program, &self.modules).await.map_err(|failure| failure.error)
    }
}

/// Returns the program that `REDIS_SERVER` names, or else `valkey-server` or `redis-server` from `PATH`.
pub(crate) fn find_program() -> Option<PathBuf> {
    program::from_variable(SERVER_VARIABLE)
        .or_else(|| ["valkey-server", "redis-server"].into_iter().find_map(program::find))
}

/// Why a server did not start.
struct Failure {
    error: Error,
    /// Whether another process has the server's port, so that a start on another one may succeed.
    port_taken: bool,
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Failure { error, port_taken: false }
    }
}

/// Returns the path as a string of Redis's configuration.
///
/// Quotes and line breaks are escaped: they would end the string, and begin another setting.
fn quoted(path: &Path) -> String {
    let mut quoted = String::from("\"");
    for byte in path.as_os_str().as_encoded_bytes() {
        // Writing to a string does not fail.
        let _ = match byte {
            b'"' | b'\\' => write!(quoted, "\\{}", char::from(*byte)),
            0x20..=0x7e => write!(quoted, "{}", char::from(*byte)),
            _ => write!(quoted, "\\x{byte:02x}"),
        };
    }
    quoted.push('"');
    quoted
}

async fn start_once(program: &Path, modules: &[PathBuf]) -> Result<Server, Failure> {
    let port = free_port()?;
    let password = random_secret()?;
    let folder = Folder::create()?;
    let mut config = format!(
        "bind 127.0.0.1\nport {port}\nrequirepass {password}\nsave \"\"\nappendonly no\nloglevel notice\nlogfile \"\"\ndir {}",
        quoted(folder.path())
    );
    for module in modules {
        let module = std::path::absolute(module)
            .map_err(|error| Error::caused(format!("cannot find the module {}", module.display()), error))?;
        config.push_str(&format!("\nloadmodule {}", quoted(&module)));
    }
    let mut watchdog = Command::new(program::SHELL)
        .arg("-c")
        .arg(WATCHDOG)
        .arg(program)
        .arg(folder.path())
        .env("PATH", program::path())
        .env("REDIS_REST_GATEWAY_CONFIG", config)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .map_err(|error| Error::caused(format!("cannot run {} to start the server", program::SHELL), error))?;
    let log = Log::follow(watchdog.stdout.take());
    let server = Server { watchdog, url: format!("redis://:{password}@127.0.0.1:{port}"), folder };
    let started = Instant::now();
    loop {
        // Before that, another process may have the port, and must not learn the password.
        if log.is_ready() && !log.has_ended() && Backend::connect(server.url()).await.is_ok() {
            return Ok(server);
        }
        if log.has_ended() || started.elapsed() > Duration::from_secs(20) {
            let lines = log.last_lines();
            return Err(Failure {
                port_taken: lines.contains("Address already in use"),
                error: Error::caused(format!("{} did not start", program.display()), lines),
            });
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

fn free_port() -> Result<u16, Error> {
    let probe = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).and_then(|listener| listener.local_addr());
    probe.map(|address| address.port()).map_err(|error| Error::caused("cannot find a free port on 127.0.0.1", error))
}

/// What Redis and Valkey print when they listen on their port. No other process can have it from then on.
const READY: &str = "eady to accept connections";

/// The last lines of the server's log.
///
/// A thread reads the log all the time, so that the server never blocks on a full pipe.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<LogState>>);

#[derive(Default)]
struct LogState {
    /// Without those that are only notices.
    lines: Vec<String>,
    ready: bool,
    ended: bool,
}

impl Log {
    fn follow(output: Option<impl Read + Send + 'static>) -> Self {
        let log = Log::default();
        if let Some(output) = output {
            let writer = log.clone();
            std::thread::spawn(move || writer.read(BufReader::new(output)));
        }
        log
    }

    fn read(&self, output: impl BufRead) {
        for line in output.lines().map_while(Result::ok) {
            let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            state.ready |= line.contains(READY);
            // As in `7:M 21 Nov 2026 17:28:08.873 * Server initialized`.
            if line.split(' ').nth(5) == Some("*") {
                continue;
            }
            if state.lines.len() == 20 {
                state.lines.remove(0);
            }
            state.lines.push(line);
        }
        self.0.lock().unwrap_or_else(PoisonError::into_inner).ended = true;
    }

    fn is_ready(&self) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).ready
    }

    fn has_ended(&self) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).ended
    }

    fn last_lines(&self) -> String {
        let state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if state.lines.is_empty() { "it printed nothing".to_owned() } else { state.lines.join("\n") }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_cannot_add_settings() {
        assert_eq!(quoted(Path::new("/a b/\"\nrequirepass x\\")), r#""/a b/\"\x0arequirepass x\\""#);
    }

    #[test]
    fn a_log_tells_readiness_and_keeps_what_is_more_than_a_notice() {
        let log = Log::default();
        log.read(
            "7:M 21 Nov 2026 17:28:08.873 * Server initialized\n7:M 21 Nov 2026 17:28:08.873 # No space\n".as_bytes(),
        );
        assert!(!log.is_ready() && log.has_ended());
        assert_eq!(log.last_lines(), "7:M 21 Nov 2026 17:28:08.873 # No space");
        for line in [
            "7:M 21 Nov 2026 17:28:08.873 * Ready to accept connections tcp",
            "The server is now ready to accept connections on port 7",
        ] {
            let log = Log::default();
            log.read(line.as_bytes());
            assert!(log.is_ready());
        }
    }
}
