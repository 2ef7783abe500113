//! Packages of a registry, by its ordinary client.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::{Outcome, cache, printed};

/// Copies the files of `sources` to the folder `name` of the cache. Before the first time, runs `install` in a folder that
/// becomes that one when all is there. Returns its path.
///
/// # Errors
///
/// Returns an error if the packages cannot be installed.
pub fn installed(name: &str, sources: &Path, install: impl FnOnce(&Path) -> Command) -> Outcome<PathBuf> {
    let folder = cache()?.join(name);
    if !folder.is_dir() {
        let half = folder.with_extension(std::process::id().to_string());
        fs::create_dir_all(&half)?;
        copy(sources, &half)?;
        printed(&mut install(&half))?;
        // Another process may have been quicker: its folder is as good.
        if fs::rename(&half, &folder).is_err() {
            fs::remove_dir_all(&half)?;
        }
    }
    copy(sources, &folder)?;
    Ok(folder)
}

/// Installs what the `package-lock.json` in `sources` lists, as [`installed`] does. No script of a package is run.
///
/// # Errors
///
/// Returns an error if there is no npm, or if the registry cannot be reached.
pub fn of_npm(name: &str, sources: &Path) -> Outcome<PathBuf> {
    installed(name, sources, |folder| {
        let mut npm = Command::new("npm");
        npm.args(["ci", "--loglevel=error", "--ignore-scripts", "--no-audit", "--no-fund"]).current_dir(folder);
        npm
    })
}

/// A program finds its packages beside itself.
fn copy(from: &Path, to: &Path) -> Outcome<()> {
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        if entry.file_type()?.is_file() {
            fs::copy(entry.path(), to.join(entry.file_name()))?;
        }
    }
    Ok(())
}
