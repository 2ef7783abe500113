//! What tests and benchmarks need from outside Cargo. It is installed into `.servers`, beside the servers.
//!
//! A crate without dependencies: `tests/edge`, which is not in this workspace, uses it too.

pub mod packages;
pub mod wasm;

use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// What fails here is explained to a person, and not told apart by a program.
pub type Outcome<T> = Result<T, Box<dyn Error>>;

/// Returns the folder of what is installed.
///
/// # Errors
///
/// Returns an error if it cannot be created.
pub fn cache() -> Outcome<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../.servers");
    fs::create_dir_all(&folder)?;
    // Cargo compares paths as text.
    Ok(fs::canonicalize(folder)?)
}

/// Runs a program to its end. Returns what it has printed.
///
/// # Errors
///
/// Returns an error if it cannot be run, or if it fails: what it printed about that.
pub fn printed(command: &mut Command) -> Outcome<String> {
    let name = command.get_program().to_string_lossy().into_owned();
    let output = command.output().map_err(|error| format!("{name} cannot be run: {error}"))?;
    let Output { status, stdout, stderr } = output;
    if !status.success() {
        return Err(format!("{command:?}: {status}: {}", String::from_utf8_lossy(&stderr)).into());
    }
    Ok(String::from_utf8(stdout)?)
}
