//! Finding programs on `PATH`, without trust in the current folder.

use std::env;
use std::ffi::{OsStr, OsString};
use std::path::{Component, Path, PathBuf};

use crate::error::Error;

/// The shell, where POSIX systems have it. It is not looked up on `PATH`.
pub(crate) const SHELL: &str = "/bin/sh";

/// Returns the folders of `PATH` that are absolute.
///
/// A relative or empty entry means the current folder. A repository that someone has cloned could bring a program of a
/// well-known name there.
fn folders() -> Vec<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_else(|| OsString::from("/usr/local/bin:/usr/bin:/bin"));
    env::split_paths(&path).filter(|folder| folder.is_absolute()).collect()
}

/// Returns a `PATH` for the programs that we start. It has only absolute folders.
pub(crate) fn path() -> OsString {
    // Folders that were split from a `PATH` can be joined again.
    env::join_paths(folders()).unwrap_or_default()
}

/// Returns the first file with this name in an absolute folder of `PATH`.
pub(crate) fn find(name: &str) -> Option<PathBuf> {
    folders().into_iter().map(|folder| folder.join(name)).find(|file| file.is_file())
}

/// Returns the absolute path of a program that the user has named. A name without a folder is looked up on `PATH`.
pub(crate) fn named(program: &Path) -> Result<PathBuf, Error> {
    let found = match (program.components().next(), program.components().nth(1)) {
        (Some(Component::Normal(name)), None) => name.to_str().and_then(find),
        _ => std::path::absolute(program).ok().filter(|file| file.is_file()),
    };
    found.ok_or_else(|| Error::new(format!("the server program {} does not exist or is not a file", program.display())))
}

/// Returns the program that an environment variable names, if it is set and not empty.
pub(crate) fn from_variable(variable: impl AsRef<OsStr>) -> Option<PathBuf> {
    env::var_os(variable).filter(|program| !program.is_empty()).map(PathBuf::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_without_a_folder_is_looked_up_on_the_path_and_not_in_the_current_folder() {
        // Tests run in the folder of the crate, which has this file.
        assert!(Path::new("Cargo.toml").is_file());
        assert!(named(Path::new("Cargo.toml")).is_err());
        assert_eq!(named(Path::new("./Cargo.toml")).unwrap(), env::current_dir().unwrap().join("Cargo.toml"));
        assert!(named(Path::new("sh")).unwrap().is_absolute());
    }
}
