//! Runs the example `lambda` on this machine, in place of AWS: Lambda's runtime API, and a port in place of API
//! Gateway.
//!
//! | command | what it does |
//! | --- | --- |
//! | `cargo run -p lambda-local` | serves the function at <http://127.0.0.1:9000> until Ctrl-C |
//! | `cargo run -p lambda-local -- demo` | sends it some requests, also while it is frozen, and ends |
//! | `cargo run -p lambda-local -- cold PROGRAM ..` | compares the cold starts of programs, and ends |
//!
//! The function is the same program as on Lambda: it fetches its events from `AWS_LAMBDA_RUNTIME_API`. If
//! `UPSTASH_REDIS_REST_URL` and `UPSTASH_REDIS_REST_TOKEN` are set, it uses that database, with keys that start with
//! `lambda-`. Otherwise it uses a local server.
//!
//! This is what the example needs. [cargo-lambda](https://www.cargo-lambda.info) has an emulator for every function,
//! `cargo lambda watch`.

mod cold;
mod demo;
mod freeze;
mod http;
mod runtime;

use std::error::Error;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use database::{Database, say};
use tokio::net::TcpListener;
use tokio::process::{Child, Command};

use self::freeze::Relay;
use self::runtime::Function;

type Outcome<T = ()> = Result<T, Box<dyn Error>>;

/// Environment variables of the function.
type Variables = Vec<(String, String)>;

#[tokio::main]
async fn main() -> Outcome {
    let mut args = std::env::args().skip(1);
    match args.next().as_deref() {
        None => serve().await,
        Some("demo") => demo().await,
        Some("cold") => {
            let database = database::open("lambda-").await?;
            cold::run(&args.map(PathBuf::from).collect::<Vec<_>>(), &variables(&database)).await
        }
        Some(_) => Err("the first argument is `demo`, or `cold` and the paths of programs".into()),
    }
}

async fn serve() -> Outcome {
    let program = build().await?;
    let database = database::open("lambda-").await?;
    let (function, mut process) = start(&program, &variables(&database)).await?;
    let url = listen("127.0.0.1:9000", http::router(function)).await?;
    say(&format!(
        "Serving {url}. Try, in another terminal:\n\n  curl {url} -d https://example.org/a/long/path\n  \
         curl -i {url}/CODE\n  curl {url}/CODE/visits\n\nCtrl-C stops it."
    ));
    tokio::select! {
        _ = tokio::signal::ctrl_c() => Ok(()),
        status = process.wait() => Err(format!("the function has ended: {}", status?).into()),
    }
}

async fn demo() -> Outcome {
    let program = build().await?;
    let database = database::open("lambda-").await?;
    let mut variables = variables(&database);
    let mut relay = None;
    if let Some((_, url)) = variables.iter_mut().find(|(name, _)| name == "UPSTASH_REDIS_REST_URL") {
        let started = Relay::start(url.trim_start_matches("http://").to_owned()).await?;
        *url = format!("http://{}", started.address);
        relay = Some(started);
    }
    let (function, process) = start(&program, &variables).await?;
    let url = listen("127.0.0.1:0", http::router(function)).await?;
    demo::run(&url, &process, relay.as_ref()).await
}

/// Returns the variables that name the local server. They are empty if the function inherits others.
fn variables(database: &Database) -> Variables {
    let text = database.variables().unwrap_or_default();
    let pairs = text.split_whitespace().filter_map(|pair| pair.split_once('='));
    pairs.map(|(name, value)| (name.into(), value.into())).collect()
}

/// Builds the example beside this program, and returns its path.
async fn build() -> Outcome<PathBuf> {
    let this = std::env::current_exe()?;
    let target = this.ancestors().nth(2).ok_or("this program is not in a target folder of cargo")?;
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command.current_dir(env!("CARGO_MANIFEST_DIR")).args(["build", "--quiet", "--package", "lambda", "--target-dir"]);
    command.arg(target);
    if !cfg!(debug_assertions) {
        command.arg("--release");
    }
    if !command.status().await?.success() {
        return Err("the function does not build".into());
    }
    Ok(this.with_file_name("lambda").with_extension(std::env::consts::EXE_EXTENSION))
}

/// Starts a function with the variables that Lambda sets. It ends with this program.
async fn start(program: &Path, variables: &Variables) -> Outcome<(Function, Child)> {
    let (function, api) = runtime::new();
    let url = listen("127.0.0.1:0", api).await?;
    let mut command = Command::new(program);
    command
        .env("AWS_LAMBDA_RUNTIME_API", url.trim_start_matches("http://"))
        .env("AWS_LAMBDA_FUNCTION_NAME", "local")
        .env("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST")
        .env("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "128")
        .envs(variables.iter().map(|(name, value)| (name, value)));
    Ok((function, command.stdin(Stdio::null()).kill_on_drop(true).spawn()?))
}

/// Serves routes until this program ends, and returns their URL.
async fn listen(address: &str, routes: axum::Router) -> Outcome<String> {
    let listener = TcpListener::bind(address).await?;
    let url = format!("http://{}", listener.local_addr()?);
    tokio::spawn(axum::serve(listener, routes).into_future());
    Ok(url)
}
