//! Runs the example `lambda` on this machine, in place of AWS: Lambda's runtime API, and a port in place of API Gateway.
//!
//! `cargo run -p lambda-local` builds and starts it, and serves it at <http://127.0.0.1:9000> until Ctrl-C.
//! `cargo run -p lambda-local -- demo` sends it some requests, prints the answers, and ends. The program is the same as on Lambda:
//! it fetches its events from `AWS_LAMBDA_RUNTIME_API`. `FUNCTION=path` runs another program instead.
//!
//! If `UPSTASH_REDIS_REST_URL` and `UPSTASH_REDIS_REST_TOKEN` are set, the function uses that database, with keys that start with
//! `lambda-`. Otherwise it uses a local server.
//!
//! It does what the example needs. What it leaves out: a restart after a timeout, several programs at a time, freezing, limits of
//! memory. [cargo-lambda](https://www.cargo-lambda.info) has an emulator for all functions, `cargo lambda watch`.

mod demo;
mod http;
mod runtime;

use std::error::Error;
use std::path::PathBuf;
use std::process::Stdio;

use database::say;
use tokio::net::TcpListener;
use tokio::process::{Child, Command};

type Outcome<T = ()> = Result<T, Box<dyn Error>>;

#[tokio::main]
async fn main() -> Outcome {
    let is_demo = std::env::args().nth(1).as_deref() == Some("demo");
    let program = match std::env::var_os("FUNCTION") {
        Some(path) => path.into(),
        None => build().await?,
    };
    let database = database::open("lambda-").await?;

    let (function, api) = runtime::new();
    let api_listener = TcpListener::bind("127.0.0.1:0").await?;
    let api_address = api_listener.local_addr()?.to_string();
    tokio::spawn(axum::serve(api_listener, api).into_future());
    let mut child = start(&program, &api_address, database.variables().as_deref())?;

    let listener = TcpListener::bind(if is_demo { "127.0.0.1:0" } else { "127.0.0.1:9000" }).await?;
    let url = format!("http://{}", listener.local_addr()?);
    tokio::spawn(axum::serve(listener, http::router(function)).into_future());
    if is_demo {
        return demo::run(&url).await;
    }
    say(&format!(
        "Serving {url}. Try, in another terminal:\n\n  curl {url} -d https://example.org/a/long/path\n  curl -i {url}/CODE\n  \
         curl {url}/CODE/visits\n\nCtrl-C stops it."
    ));
    tokio::select! {
        _ = tokio::signal::ctrl_c() => Ok(()),
        status = child.wait() => Err(format!("the function has ended: {}", status?).into()),
    }
}

/// Builds the example in the profile of this program, and returns its path.
async fn build() -> Outcome<PathBuf> {
    let this = std::env::current_exe()?;
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command.args(["build", "--quiet", "--package", "lambda"]).current_dir(env!("CARGO_MANIFEST_DIR"));
    if !cfg!(debug_assertions) {
        command.arg("--release");
    }
    if !command.status().await?.success() {
        return Err("the function does not build".into());
    }
    Ok(this.with_file_name("lambda").with_extension(std::env::consts::EXE_EXTENSION))
}

/// Starts the function as Lambda does. It ends with this program.
fn start(program: &PathBuf, api: &str, database: Option<&str>) -> Outcome<Child> {
    let mut command = Command::new(program);
    command
        .env("AWS_LAMBDA_RUNTIME_API", api)
        .env("AWS_LAMBDA_FUNCTION_NAME", "local")
        .env("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST")
        .env("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "128");
    for (name, value) in database.into_iter().flat_map(str::split_whitespace).filter_map(|pair| pair.split_once('=')) {
        command.env(name, value);
    }
    Ok(command.stdin(Stdio::null()).kill_on_drop(true).spawn()?)
}
