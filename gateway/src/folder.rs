//! The private folder of a server.

use std::fs::{self, DirBuilder};
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};

use crate::error::Error;
use crate::secret::random_secret;

/// A folder that only the current user can open. It is removed when this value is dropped.
///
/// A server reads `dump.rdb` from its folder when it starts, and writes it there on SAVE. In a folder that others share, it
/// would load their data and functions, and they would load its data.
#[derive(Debug)]
pub(crate) struct Folder(PathBuf);

impl Folder {
    /// Creates an empty folder with an unpredictable name in the folder for temporary files.
    pub(crate) fn create() -> Result<Self, Error> {
        // Absolute, since the server may change its current folder.
        let parent = std::path::absolute(std::env::temp_dir())
            .map_err(|error| Error::caused("cannot find the folder for temporary files", error))?;
        let path = parent.join(format!("redis-rest-gateway-{}", random_secret()?));
        // This fails if the path exists, so nobody can have put anything there.
        DirBuilder::new()
            .mode(0o700)
            .create(&path)
            .map_err(|error| Error::caused(format!("cannot create the folder {}", path.display()), error))?;
        Ok(Folder(path))
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // In most cases the watchdog has already removed it.
        let _ = fs::remove_dir_all(&self.0);
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn a_folder_is_private_and_goes_with_its_value() {
        let (one, other) = (Folder::create().unwrap(), Folder::create().unwrap());
        assert_ne!(one.path(), other.path());
        assert_eq!(fs::metadata(one.path()).unwrap().permissions().mode() & 0o777, 0o700);
        let path = one.path().to_owned();
        fs::write(path.join("dump.rdb"), "x").unwrap();
        drop(one);
        assert!(!path.exists());
    }
}
