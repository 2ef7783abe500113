//! Runs the example `lambda` on this machine, in place of AWS: Lambda's runtime API, and a port in place of API
//! Gateway.
//!
//! `cargo run -p lambda-local` builds and starts it, and serves it at <http://127.0.0.1:9000> until Ctrl-C. `cargo run
//! -p lambda-local -- demo` sends it some requests, also while it is frozen, prints the answers, and ends. The program
//! is the same as on Lambda: it fetches its events from `AWS_LAMBDA_RUNTIME_API`. `FUNCTION=PATH` runs another program
//! instead.
//!
//! If `UPSTASH_REDIS_REST_URL` and `UPSTASH_REDIS_REST_TOKEN` are set, the function uses that database, with keys that
//! start with `lambda-`. Otherwise it uses a local server.
//!
//! It does what the example needs, for HTTP events. [cargo-lambda](https://www.cargo-lambda.info) has an emulator for
//! every function, `cargo lambda watch`.

mod demo;
mod freeze;
mod http;
mod runtime;

use std::error::Error;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use database::say;
use tokio::net::TcpListener;
use tokio::process::{Child, Command};

use self::freeze::Relay;

type Outcome<T = ()> = Result<T, Box<dyn Error>>;

#[tokio::main]
async fn main() -> Outcome {
    let is_demo = std::env::args().nth(1).as_deref() == Some("demo");
    let program = match std::env::var_os("FUNCTION") {
        Some(path) => path.into(),
        None => build().await?,
    };
    let database = database::open("lambda-").await?;
    let mut variables: Vec<(String, String)> = database.variables().iter().flat_map(|text| pairs(text)).collect();
    let mut relay = None;
    if let Some((_, url)) = variables.iter_mut().find(|(name, _)| is_demo && name == "UPSTASH_REDIS_REST_URL") {
        let started = Relay::start(url.trim_start_matches("http://").to_owned()).await?;
        *url = format!("http://{}", started.address);
        relay = Some(started);
    }

    let (function, api) = runtime::new();
    let api_listener = TcpListener::bind("127.0.0.1:0").await?;
    let api_address = api_listener.local_addr()?.to_string();
    tokio::spawn(axum::serve(api_listener, api).into_future());
    let mut process = start(&program, &api_address, variables)?;

    let listener = TcpListener::bind(if is_demo { "127.0.0.1:0" } else { "127.0.0.1:9000" }).await?;
    let url = format!("http://{}", listener.local_addr()?);
    tokio::spawn(axum::serve(listener, http::router(function)).into_future());
    if is_demo {
        return demo::run(&url, &process, relay.as_ref()).await;
    }
    say(&format!(
        "Serving {url}. Try, in another terminal:\n\n  curl {url} -d https://example.org/a/long/path\n  curl -i {url}/CODE\n  \
         curl {url}/CODE/visits\n\nCtrl-C stops it."
    ));
    tokio::select! {
        _ = tokio::signal::ctrl_c() => Ok(()),
        status = process.wait() => Err(format!("the function has ended: {}", status?).into()),
    }
}

/// Returns the variables in a text such as `A=1 B=2`.
fn pairs(text: &str) -> impl Iterator<Item = (String, String)> {
    text.split_whitespace().filter_map(|pair| pair.split_once('=')).map(|(name, value)| (name.into(), value.into()))
}

/// Builds the example in the profile of this program, and returns its path.
async fn build() -> Outcome<PathBuf> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command.args(["build", "--quiet", "--package", "lambda"]).current_dir(env!("CARGO_MANIFEST_DIR"));
    if !cfg!(debug_assertions) {
        command.arg("--release");
    }
    if !command.status().await?.success() {
        return Err("the function does not build".into());
    }
    let beside = std::env::current_exe()?;
    Ok(beside.with_file_name("lambda").with_extension(std::env::consts::EXE_EXTENSION))
}

/// Starts the function with the variables that Lambda sets. It ends with this program.
fn start(program: &Path, api: &str, variables: Vec<(String, String)>) -> Outcome<Child> {
    let mut command = Command::new(program);
    command
        .env("AWS_LAMBDA_RUNTIME_API", api)
        .env("AWS_LAMBDA_FUNCTION_NAME", "local")
        .env("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST")
        .env("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "128")
        .envs(variables);
    Ok(command.stdin(Stdio::null()).kill_on_drop(true).spawn()?)
}
