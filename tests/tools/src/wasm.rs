//! How to compile for wasm on this machine.
//!
//! The target may be installed. If it is not, the compiler's own source is enough: Cargo builds the standard library from
//! it. That source may be beside the compiler, or be Debian's package of the same version. Nothing is written to the
//! compiler's folder, and no target is added to it.

use std::fs;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::{Outcome, cache, printed};

/// Where the standard library of a target comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Library {
    /// The target is installed.
    Installed,
    /// Cargo builds it from the source beside the compiler.
    Source,
    /// Cargo builds it from Debian's package of the source. The path is that of a `rustc` that finds the source.
    Debian(PathBuf),
}

impl Library {
    /// Finds the standard library of a target.
    ///
    /// The environment variable `WASM_LIBRARY` (`installed`, `source` or `debian`) leaves one of the three ways.
    ///
    /// # Errors
    ///
    /// Returns what is missing and which command installs it, in one line.
    pub fn of(target: &str) -> Outcome<Self> {
        let only = std::env::var("WASM_LIBRARY").ok();
        let may = |way| only.as_deref().is_none_or(|only| only == way);
        let compiler = Compiler::of_this_machine()?;
        let rustlib = compiler.sysroot.join("lib/rustlib");
        if may("installed") && rustlib.join(target).join("lib").is_dir() {
            return Ok(Library::Installed);
        }
        if may("source") && rustlib.join("src/rust/library/Cargo.lock").is_file() {
            return Ok(Library::Source);
        }
        let debian = if may("debian") { debian(&compiler) } else { Err("WASM_LIBRARY leaves it out".into()) };
        debian.map(Library::Debian).map_err(|why| {
            format!(
                "{} has neither the target {target} nor its own source: run `rustup target add {target}`. \
                 Debian's source is not to be had: {why}",
                compiler.version
            )
            .into()
        })
    }

    /// Returns a call of Cargo, such as `cargo check --target wasm32-unknown-unknown`.
    #[must_use]
    pub fn cargo(&self, subcommand: &str, targets: &[&str]) -> Command {
        let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        cargo.arg(subcommand).args(targets.iter().flat_map(|target| ["--target", target]));
        // Flags for the machine's own target do not suit wasm.
        cargo.env_remove("RUSTFLAGS").env_remove("CARGO_ENCODED_RUSTFLAGS");
        if *self != Library::Installed {
            cargo.arg("-Zbuild-std=std,panic_abort").env("RUSTC_BOOTSTRAP", "1");
        }
        if let Library::Debian(rustc) = self {
            cargo.env("RUSTC", rustc);
        }
        cargo
    }
}

/// The compiler that Cargo uses here.
struct Compiler {
    /// As in `rustc 1.95.0 (59807616e 2026-04-14)`.
    version: String,
    sysroot: PathBuf,
}

impl Compiler {
    fn of_this_machine() -> Outcome<Self> {
        let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
        let asked = |question: &[&str]| printed(Command::new(&rustc).args(question));
        let version = asked(&["--version"])?.trim().to_owned();
        Ok(Compiler { version, sysroot: asked(&["--print", "sysroot"])?.trim().into() })
    }

    /// Returns the number of the release: `1.95.0`.
    fn release(&self) -> Outcome<&str> {
        let release = self.version.split(' ').nth(1).ok_or("rustc does not print its version")?;
        if release.contains('-') {
            return Err(format!("{release} is not a stable release, and only those are packages").into());
        }
        Ok(release)
    }
}

/// Where Debian has releases that its stable version does not have, the newest last.
const SUITES: [&str; 2] = ["trixie-backports", "sid"];

/// Installs Debian's package `rust-src` of the compiler's version into the cache, without root. Returns the path of a
/// `rustc` that finds it.
fn debian(compiler: &Compiler) -> Outcome<PathBuf> {
    let release = compiler.release()?;
    // Another compiler of this version has a folder of its own, because the links lead to the compiler.
    let mut place = DefaultHasher::new();
    compiler.sysroot.hash(&mut place);
    let folder = cache()?.join(format!("rust-src-{release}-{:016x}", place.finish()));
    if !folder.is_dir() {
        let half = folder.with_extension(std::process::id().to_string());
        fs::create_dir_all(&half)?;
        let outcome = SUITES.iter().try_fold(false, |done, suite| Ok(done || unpack(suite, release, &half)?));
        let complete = match outcome {
            Ok(true) => mirror(compiler, &half, &folder),
            Ok(false) => Err(format!("none of {} has rust-src {release}", SUITES.join(", ")).into()),
            Err(error) => Err(error),
        };
        // Another process may have been quicker: its folder is as good.
        if complete.is_err() || fs::rename(&half, &folder).is_err() {
            fs::remove_dir_all(&half)?;
        }
        complete?;
    }
    Ok(folder.join("rustc"))
}

/// Downloads the package by apt, with state of our own, and unpacks the library's source. Returns `false` if this suite has
/// another version.
fn unpack(suite: &str, release: &str, folder: &Path) -> Outcome<bool> {
    let keys = "/usr/share/keyrings/debian-archive-keyring.gpg";
    if !Path::new(keys).is_file() {
        return Err(format!("this is not Debian: there is no {keys}").into());
    }
    let apt = folder.join("apt");
    fs::create_dir_all(apt.join("lists/partial"))?;
    fs::create_dir_all(apt.join("cache/archives/partial"))?;
    let list = apt.join("sources.list");
    fs::write(&list, format!("deb [signed-by={keys}] http://deb.debian.org/debian {suite} main\n"))?;
    let tool = |program: &str| {
        let mut command = Command::new(program);
        command.current_dir(&apt).arg("-qq");
        for (setting, value) in [
            ("Dir::Etc::SourceList", list.as_path()),
            ("Dir::Etc::SourceParts", Path::new("/dev/null")),
            ("Dir::State", &apt),
            ("Dir::State::Lists", &apt.join("lists")),
            ("Dir::State::status", Path::new("/dev/null")),
            ("Dir::Cache", &apt.join("cache")),
            ("APT::Sandbox::User", Path::new("")),
        ] {
            command.arg("-o").arg(format!("{setting}={}", value.display()));
        }
        command
    };
    printed(tool("apt-get").arg("update"))?;
    // As in ` rust-src | 1.95.0+dfsg1-2~bpo13+1 | http://deb.debian.org/debian trixie-backports/main amd64 Packages`.
    let versions = printed(tool("apt-cache").args(["madison", "rust-src"]))?;
    let versions = versions.lines().filter_map(|line| line.split('|').nth(1)).map(str::trim);
    let Some(version) = versions.into_iter().find(|version| version.split(['+', '-']).next() == Some(release)) else {
        return Ok(false);
    };
    printed(tool("apt-get").args(["download", &format!("rust-src={version}")]))?;
    let script = format!(
        "dpkg-deb --fsys-tarfile rust-src_*.deb | tar -x -C .. --strip-components=4 ./usr/src/rustc-{release}/library"
    );
    printed(Command::new("/bin/sh").args(["-c", &script]).current_dir(&apt))?;
    fs::remove_dir_all(&apt)?;
    Ok(true)
}

/// Adds a folder that is the compiler's but for the source, and a `rustc` that takes that folder for its own. `folder` is
/// where `half` will be.
fn mirror(compiler: &Compiler, half: &Path, folder: &Path) -> Outcome<()> {
    let rustlib = half.join("sysroot/lib/rustlib");
    fs::create_dir_all(rustlib.join("src/rust"))?;
    symlink("../../../../../library", rustlib.join("src/rust/library"))?;
    for entry in fs::read_dir(compiler.sysroot.join("lib/rustlib"))? {
        let entry = entry?;
        if entry.file_name() != "src" {
            symlink(entry.path(), rustlib.join(entry.file_name()))?;
        }
    }
    let [program, sysroot] = [compiler.sysroot.join("bin/rustc"), folder.join("sysroot")];
    let script = format!("#!/bin/sh\nexec {} --sysroot {} \"$@\"\n", quoted(&program), quoted(&sysroot));
    fs::write(half.join("rustc"), script)?;
    fs::set_permissions(half.join("rustc"), fs::Permissions::from_mode(0o755))?;
    Ok(())
}

/// Returns a path as a word of the shell.
fn quoted(path: &Path) -> String {
    format!("'{}'", path.display().to_string().replace('\'', r"'\''"))
}
