//! A Redis or Valkey process of our own.

use std::ffi::OsString;
use std::io::{BufRead, BufReader, Read};
use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::backend::Backend;
use crate::error::Error;
use crate::secret::random_secret;

/// The variable that names the server program to start.
pub(crate) const SERVER_VARIABLE: &str = "REDIS_SERVER";

/// How the server is started, by `sh`: its configuration goes in by standard input, so that the password is on no
/// command line. The shell then waits until its own standard input ends, which is when the parent drops it or dies,
/// however it dies, and kills the server.
///
/// Signals that a terminal sends to all of them, it leaves to the parent: were it to die of one first, the server would
/// live on.
const WATCHDOG: &str = r#"
trap '' HUP INT QUIT TERM
printf '%s\n' "$REDIS_REST_GATEWAY_CONFIG" | "$0" - 2>&1 &
server=$!
exec >/dev/null 2>&1
cat
kill -9 "$server"
"#;

/// A server process that listens on a free loopback port, behind a random password, and keeps nothing on disk.
///
/// It is gone when this is dropped, and when the process that started it is killed.
#[derive(Debug)]
pub struct Server {
    watchdog: Child,
    url: String,
}

/// Settings of a server; see [`Server::builder`].
#[derive(Debug, Clone, Default)]
#[must_use = "a server runs once it is started"]
pub struct ServerBuilder {
    program: Option<PathBuf>,
    modules: Vec<PathBuf>,
}

impl Server {
    /// Starts `valkey-server` or `redis-server`: the one that the variable `REDIS_SERVER` names, or else the first on `PATH`.
    ///
    /// # Errors
    ///
    /// When there is none, or it does not run.
    pub async fn start() -> Result<Self, Error> {
        Server::builder().start().await
    }

    /// Settings for a server.
    pub fn builder() -> ServerBuilder {
        ServerBuilder::default()
    }

    /// Its URL, with the password.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Dropping its standard input ends the watchdog's wait. It has no reason to hang then, nor we one to fail.
        drop(self.watchdog.stdin.take());
        let _ = self.watchdog.wait();
    }
}

impl ServerBuilder {
    /// The program to start.
    pub fn program(mut self, path: impl Into<PathBuf>) -> Self {
        self.program = Some(path.into());
        self
    }

    /// A module to load into it.
    pub fn module(mut self, path: impl Into<PathBuf>) -> Self {
        self.modules.push(path.into());
        self
    }

    /// Starts it and waits until it answers.
    ///
    /// # Errors
    ///
    /// When there is no such program, or it does not run.
    pub async fn start(self) -> Result<Server, Error> {
        let program = match self.program {
            Some(program) => program,
            None => find_program().ok_or_else(|| {
                Error::new(format!(
                    "no valkey-server and no redis-server on PATH: install one, or let {SERVER_VARIABLE} name it"
                ))
            })?,
        };
        if !program.is_file() {
            return Err(Error::new(format!("there is no program {}", program.display())));
        }
        // Another process may take the free port before the server does: then the next one is tried.
        let mut last = Error::new("the server was never tried");
        for _ in 0..5 {
            match start_once(&program, &self.modules).await {
                Ok(server) => return Ok(server),
                Err(error) => last = error,
            }
        }
        Err(last)
    }
}

/// The program that the variable names, or the first on `PATH`.
pub(crate) fn find_program() -> Option<PathBuf> {
    if let Some(named) = std::env::var_os(SERVER_VARIABLE).filter(|named| !named.is_empty()) {
        return Some(PathBuf::from(named));
    }
    let path: OsString = std::env::var_os("PATH")?;
    ["valkey-server", "redis-server"]
        .iter()
        .find_map(|name| std::env::split_paths(&path).map(|folder| folder.join(name)).find(|file| file.is_file()))
}

async fn start_once(program: &Path, modules: &[PathBuf]) -> Result<Server, Error> {
    let port = free_port()?;
    let password = random_secret();
    let mut config = format!(
        "bind 127.0.0.1\nport {port}\nrequirepass {password}\nsave \"\"\nappendonly no\nloglevel warning\nlogfile \"\"\ndir \"{}\"",
        std::env::temp_dir().display()
    );
    for module in modules {
        config.push_str(&format!("\nloadmodule \"{}\"", module.display()));
    }
    let mut watchdog = Command::new("sh")
        .arg("-c")
        .arg(WATCHDOG)
        .arg(program)
        .env("REDIS_REST_GATEWAY_CONFIG", config)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .map_err(|error| Error::caused("`sh`, which starts the server, cannot be run", error))?;
    let log = Log::follow(watchdog.stdout.take());
    let server = Server { watchdog, url: format!("redis://:{password}@127.0.0.1:{port}") };
    let began = Instant::now();
    loop {
        // The random password also tells our server from another that took the port.
        if Backend::connect(server.url()).await.is_ok() {
            return Ok(server);
        }
        if log.has_ended() || began.elapsed() > Duration::from_secs(20) {
            return Err(Error::new(format!("{} does not run: {}", program.display(), log.last_lines())));
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

fn free_port() -> Result<u16, Error> {
    let probe = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).and_then(|listener| listener.local_addr());
    probe.map(|address| address.port()).map_err(|error| Error::caused("there is no free port", error))
}

/// The server's log, read all the time so that it never waits for a reader.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<LogState>>);

#[derive(Default)]
struct LogState {
    lines: Vec<String>,
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
            if state.lines.len() == 20 {
                state.lines.remove(0);
            }
            state.lines.push(line);
        }
        self.0.lock().unwrap_or_else(PoisonError::into_inner).ended = true;
    }

    fn has_ended(&self) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).ended
    }

    fn last_lines(&self) -> String {
        let state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if state.lines.is_empty() { "it says nothing".to_owned() } else { state.lines.join("\n") }
    }
}
