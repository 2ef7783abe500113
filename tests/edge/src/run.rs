//! `cargo edge run`: a Worker on this machine, until Ctrl-C.

use std::path::Path;

use redis_model_tools::Outcome;

use crate::bundle::{Bundle, Profile};
use crate::stack::Stack;
use crate::workerd::{Worker, Workerd};

/// Serves the Worker in a folder, with the bindings `UPSTASH_REDIS_REST_URL` and `UPSTASH_REDIS_REST_TOKEN`: those of the
/// environment, or those of a local server.
pub async fn run(folder: &str) -> Outcome<bool> {
    let package = Path::new(folder);
    if !package.join("Cargo.toml").is_file() {
        return Err(format!("there is no {folder}/Cargo.toml: run this in the folder of the repository").into());
    }
    let variable = |name: &str| std::env::var(name).ok();
    let named = variable("UPSTASH_REDIS_REST_URL").zip(variable("UPSTASH_REDIS_REST_TOKEN"));
    let local = if named.is_none() { Some(Stack::start().await?) } else { None };
    let worker = match (&named, &local) {
        (Some((url, token)), _) => Worker::new("main", url, token),
        (None, Some(stack)) => stack.worker("main"),
        (None, None) => return Err("there is no database".into()),
    };
    match &local {
        None => println!("Using the database at UPSTASH_REDIS_REST_URL."),
        Some(stack) => println!(
            "UPSTASH_REDIS_REST_URL is not set. Started a local server: UPSTASH_REDIS_REST_URL={} \
             UPSTASH_REDIS_REST_TOKEN={}",
            stack.gateway.url(),
            stack.gateway.token()
        ),
    }
    println!("Compiling {folder} for wasm.");
    let bundle = Bundle::build(package, &Profile::dev())?;
    let workerd = Workerd::start(&bundle, &[worker])?;
    println!(
        "The Worker runs under workerd until Ctrl-C:\n\n    curl -i http://127.0.0.1:{}/\n",
        workerd.port("main")?
    );
    let mut prints = tokio::time::interval(std::time::Duration::from_millis(200));
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
