//! Cloudflare's runtime for Workers, as npm has it.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use redis_model_tools::{Outcome, packages};
use serde_json::Value;

use crate::bundle::Bundle;

/// Workers behave as the runtime did on this day.
const COMPATIBILITY_DATE: &str = "2026-11-01";

/// The `sh` script that starts workerd and kills it when this process ends. Its standard input ends then. The terminal's
/// signals reach the whole group of processes: the script must outlive them.
const WATCHDOG: &str = r#"
trap '' HUP INT QUIT TERM
"$0" "$@" 2>&1 &
workerd=$!
exec >/dev/null 2>&1
cat
kill -9 "$workerd"
wait "$workerd"
"#;

/// A Worker of a runtime.
#[derive(Debug, Clone)]
pub struct Worker {
    /// Its name in the runtime: letters and digits.
    pub name: String,
    /// The module that starts it.
    pub main: &'static str,
    /// The day whose behavior it gets.
    pub date: &'static str,
    /// Its bindings.
    pub variables: Vec<(String, String)>,
}

impl Worker {
    /// A Worker whose bindings name a database.
    pub fn new(name: &str, url: &str, token: &str) -> Self {
        let variables = [("UPSTASH_REDIS_REST_URL", url), ("UPSTASH_REDIS_REST_TOKEN", token)];
        let variables = variables.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec();
        Worker { name: name.to_owned(), main: "shim.js", date: COMPATIBILITY_DATE, variables }
    }
}

/// A running runtime. It ends when this value is dropped, and when this process ends for any reason.
pub struct Workerd {
    watchdog: Child,
    log: Log,
    ports: BTreeMap<String, u16>,
}

impl Workerd {
    /// Starts the Workers of a bundle, each on a free port.
    ///
    /// # Errors
    ///
    /// Returns an error if the runtime cannot be installed, or does not start.
    pub fn start(bundle: &Bundle, workers: &[Worker]) -> Outcome<Self> {
        let program = program()?;
        let config = bundle.folder.join("config.capnp");
        fs::write(&config, configuration(bundle, workers)?)?;
        let mut command = Command::new("/bin/sh");
        command.args(["-c", WATCHDOG]).arg(program).args(["serve", "--control-fd=1"]).arg(&config);
        for worker in workers {
            for (name, value) in &worker.variables {
                command.env(variable(worker, name), value);
            }
        }
        let mut watchdog = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        let log = Log::default();
        if let Some(output) = watchdog.stdout.take() {
            let log = log.clone();
            std::thread::spawn(move || log.follow(BufReader::new(output)));
        }
        // Dropped at any failure from here on.
        let mut workerd = Workerd { watchdog, log, ports: BTreeMap::new() };
        workerd.ports = workerd.log.ports(workers.len())?;
        Ok(workerd)
    }

    /// Returns the port of a Worker.
    ///
    /// # Errors
    ///
    /// Returns an error if there is none of this name.
    pub fn port(&self, worker: &str) -> Outcome<u16> {
        self.ports.get(worker).copied().ok_or_else(|| format!("there is no Worker {worker}").into())
    }

    /// Returns what the runtime and the Workers have printed since this was called last.
    pub fn printed(&self) -> String {
        std::mem::take(&mut self.log.state().lines).join("\n")
    }
}

impl Drop for Workerd {
    fn drop(&mut self) {
        drop(self.watchdog.stdin.take());
        let _ = self.watchdog.wait();
    }
}

/// Installs workerd, and returns its path. It needs npm, but no Node.js.
fn program() -> Outcome<PathBuf> {
    let folder = packages_folder()?;
    let arch = if cfg!(target_arch = "aarch64") { "arm64" } else { "64" };
    let package = format!("@cloudflare/workerd-linux-{arch}");
    let program = folder.join("node_modules").join(&package).join("bin/workerd");
    if program.is_file() { Ok(program) } else { Err(format!("npm has installed no {package}").into()) }
}

/// Installs the packages of `package-lock.json`. Returns the folder that has their `node_modules`.
///
/// # Errors
///
/// Returns an error if there is no npm, or if the registry cannot be reached.
pub fn packages_folder() -> Outcome<PathBuf> {
    // A folder for each version.
    packages::of_npm("workerd-1.20261117.1", Path::new(env!("CARGO_MANIFEST_DIR")))
}

/// The environment variable that has a binding: a file would keep it.
fn variable(worker: &Worker, name: &str) -> String {
    format!("{}_{name}", worker.name)
}

/// Returns workerd's configuration.
fn configuration(bundle: &Bundle, workers: &[Worker]) -> Outcome<String> {
    let mut modules = bundle.modules()?;
    let mut services = String::new();
    let mut sockets = String::new();
    let mut details = String::new();
    for worker in workers {
        let Worker { name, date, .. } = worker;
        writeln!(services, "    (name = \"{name}\", worker = .{name}),")?;
        writeln!(sockets, "    (name = \"{name}\", address = \"127.0.0.1:0\", http = (), service = \"{name}\"),")?;
        // The first module is the one that starts.
        modules.sort_by_key(|module| (module != worker.main, module.clone()));
        writeln!(details, "const {name} :Workerd.Worker = (\n  compatibilityDate = \"{date}\",\n  modules = [")?;
        for module in &modules {
            let kind = if module.ends_with(".wasm") { "wasm" } else { "esModule" };
            writeln!(details, "    (name = \"{module}\", {kind} = embed \"{module}\"),")?;
        }
        writeln!(details, "  ],\n  bindings = [")?;
        for (binding, _) in &worker.variables {
            let variable = variable(worker, binding);
            writeln!(details, "    (name = \"{binding}\", fromEnvironment = \"{variable}\"),")?;
        }
        writeln!(details, "  ],\n);\n")?;
    }
    Ok(format!(
        "using Workerd = import \"/workerd/workerd.capnp\";\n\n\
         const config :Workerd.Config = (\n  services = [\n{services}    \
         (name = \"internet\", network = (allow = [\"public\", \"private\"], tlsOptions = (trustBrowserCas = true))),\n  ],\n  \
         sockets = [\n{sockets}  ],\n);\n\n{details}"
    ))
}

/// What the runtime prints. A thread reads it all the time, so that the runtime never waits for a full pipe.
#[derive(Clone, Default)]
struct Log(Arc<(Mutex<State>, Condvar)>);

#[derive(Default)]
struct State {
    lines: Vec<String>,
    ports: BTreeMap<String, u16>,
    ended: bool,
}

impl Log {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn follow(&self, output: impl BufRead) {
        for line in output.lines().map_while(Result::ok) {
            let mut state = self.state();
            match listening(&line) {
                Some((socket, port)) => drop(state.ports.insert(socket, port)),
                None => state.lines.push(line),
            }
            self.0.1.notify_all();
        }
        self.state().ended = true;
        self.0.1.notify_all();
    }

    /// Waits until all Workers have a port.
    fn ports(&self, count: usize) -> Outcome<BTreeMap<String, u16>> {
        let started = Instant::now();
        let mut state = self.state();
        while state.ports.len() < count {
            if state.ended || started.elapsed() > Duration::from_secs(60) {
                return Err(format!("workerd did not start: {}", state.lines.join("\n")).into());
            }
            let waited = self.0.1.wait_timeout(state, Duration::from_secs(1));
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
        Ok(state.ports.clone())
    }
}

/// Reads a message such as `{"event":"listen","socket":"main","port":8080}`.
fn listening(line: &str) -> Option<(String, u16)> {
    let message: Value = serde_json::from_str(line).ok()?;
    message.get("event").filter(|event| *event == "listen")?;
    let port = u16::try_from(message.get("port")?.as_u64()?).ok()?;
    Some((message.get("socket")?.as_str()?.to_owned(), port))
}
