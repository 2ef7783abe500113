//! `cargo edge wasi`: a WebAssembly component (WASI 0.2), run in Node by npm's `jco`.

use std::path::{Path, PathBuf};
use std::process::Command;

use redis_model_tools::wasm::Library;
use redis_model_tools::{Outcome, packages, printed};

use crate::bundle::target_folder;
use crate::run::{Database, folder_of};

const TARGET: &str = "wasm32-wasip2";

/// Builds the component in a folder, and runs it against the database of the environment or a local one.
pub async fn run(folder: &str) -> Outcome<bool> {
    let package = folder_of(folder)?;
    let library = Library::of(TARGET)?;
    if library != Library::Installed {
        // The compiler's source has no C library, which a program links.
        return Err(format!("a program for {TARGET} needs the target itself: run `rustup target add {TARGET}`").into());
    }
    let npm = install()?;
    let database = Database::open().await?;
    println!("Compiling {folder} for WASI.");
    let target = target_folder()?.join("wasm");
    let mut cargo = library.cargo("build", &[TARGET]);
    cargo.args(["--quiet", "--message-format", "json-render-diagnostics", "--target-dir"]).arg(&target);
    let component = crate::bundle::built(&printed(cargo.current_dir(package))?)?;
    let mut node = Command::new("node");
    node.arg(npm.join("run.mjs")).arg(component).env("UPSTASH_REDIS_REST_URL", &database.url);
    let status = node.env("UPSTASH_REDIS_REST_TOKEN", &database.token).status()?;
    Ok(status.success())
}

/// Installs the packages. Those for other processors are not in every copy of the registry, so there is no lock file.
fn install() -> Outcome<PathBuf> {
    packages::installed("jco-0.15.0", &Path::new(env!("CARGO_MANIFEST_DIR")).join("wasi"), |folder| {
        let mut npm = Command::new("npm");
        npm.args(["install", "--loglevel=error", "--ignore-scripts", "--no-audit", "--no-fund"]).current_dir(folder);
        npm
    })
}
