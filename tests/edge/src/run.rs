//! `cargo edge run`: a Worker on this machine, until Ctrl-C.

use std::path::Path;
use std::time::Duration;

use redis_model_tools::Outcome;

use crate::bundle::{Bundle, Profile};
use crate::stack::Stack;
use crate::workerd::{Worker, Workerd};

/// The database of the environment, or a local one, which stops when this is dropped.
pub struct Database {
    pub url: String,
    pub token: String,
    _local: Option<Stack>,
}

impl Database {
    /// Finds the database that `UPSTASH_REDIS_REST_URL` and `UPSTASH_REDIS_REST_TOKEN` name, or starts one.
    pub async fn open() -> Outcome<Self> {
        let variable = |name: &str| std::env::var(name).ok();
        if let Some((url, token)) = variable("UPSTASH_REDIS_REST_URL").zip(variable("UPSTASH_REDIS_REST_TOKEN")) {
            println!("Using the database at UPSTASH_REDIS_REST_URL.");
            return Ok(Database { url, token, _local: None });
        }
        let stack = Stack::start().await?;
        let (url, token) = (stack.gateway.url(), stack.gateway.token().to_owned());
        println!(
            "UPSTASH_REDIS_REST_URL is not set. Started a local server, which stops with this program:\n\n    \
             UPSTASH_REDIS_REST_URL={url}\n    UPSTASH_REDIS_REST_TOKEN={token}\n"
        );
        Ok(Database { url, token, _local: Some(stack) })
    }
}

/// Returns the folder of a package.
pub fn folder_of(folder: &str) -> Outcome<&Path> {
    let package = Path::new(folder);
    if package.join("Cargo.toml").is_file() {
        return Ok(package);
    }
    Err(format!("there is no {folder}/Cargo.toml: run this in the folder of the repository").into())
}

/// Serves the Worker in a folder, with the database as its bindings.
pub async fn run(folder: &str) -> Outcome<bool> {
    let package = folder_of(folder)?;
    let database = Database::open().await?;
    println!("Compiling {folder} for wasm.");
    let bundle = Bundle::build(package, &Profile::dev())?;
    let workerd = Workerd::start(&bundle, &[Worker::new("main", &database.url, &database.token)])?;
    println!(
        "The Worker runs under workerd until Ctrl-C:\n\n    curl -i http://127.0.0.1:{}/\n",
        workerd.port("main")?
    );
    let mut prints = tokio::time::interval(Duration::from_millis(200));
    loop {
        tokio::select! {
            _ = prints.tick() => {
                let printed = workerd.printed();
                if !printed.is_empty() {
                    println!("{printed}");
                }
            }
            stop = tokio::signal::ctrl_c() => return stop.map(|()| true).map_err(Into::into),
        }
    }
}
