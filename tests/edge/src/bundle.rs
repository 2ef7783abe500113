//! Builds a Worker of the crate `worker`: Cargo, wasm-bindgen, and the module that the runtime calls.
//!
//! `worker-build` does the same, with programs that it downloads. Its module also creates a new instance after a panic; a
//! panic is a failure here.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use redis_model_tools::wasm::Library;
use redis_model_tools::{Outcome, printed};
use serde_json::Value;
use wasm_bindgen_cli_support::Bindgen;

const TARGET: &str = "wasm32-unknown-unknown";

/// The module of a Worker that handles `fetch` events.
const SHIM: &str = r#"import { WorkerEntrypoint } from "cloudflare:workers";
import * as exports from "./index.js";

export default class extends WorkerEntrypoint {
  fetch(request) {
    return exports.fetch.call(this, request, this.env, this.ctx);
  }
}
"#;

/// How Cargo compiles a Worker.
#[derive(Debug, Clone, Default)]
pub struct Profile {
    /// Part of the folder's name.
    pub name: String,
    /// As in `--release --features x`.
    pub args: Vec<&'static str>,
    /// As in `CARGO_PROFILE_RELEASE_OPT_LEVEL=z`.
    pub variables: Vec<(&'static str, &'static str)>,
}

impl Profile {
    /// Compiles quickly, and checks for overflows.
    pub fn dev() -> Self {
        // Without optimization, the Worker has 10 times the size, and wasm-bindgen takes longer than the compiler.
        let variables = vec![("CARGO_PROFILE_DEV_DEBUG", "0"), ("CARGO_PROFILE_DEV_OPT_LEVEL", "1")];
        Profile { name: "dev".to_owned(), args: Vec::new(), variables }
    }

    /// For the smallest size.
    pub fn small(opt_level: &'static str) -> Self {
        let variables = vec![
            ("CARGO_PROFILE_RELEASE_OPT_LEVEL", opt_level),
            ("CARGO_PROFILE_RELEASE_LTO", "true"),
            ("CARGO_PROFILE_RELEASE_CODEGEN_UNITS", "1"),
            ("CARGO_PROFILE_RELEASE_PANIC", "abort"),
        ];
        Profile { name: opt_level.to_owned(), args: vec!["--release"], variables }
    }
}

/// The modules of a Worker, in a folder of their own. `shim.js` is the first.
#[derive(Debug, Clone)]
pub struct Bundle {
    pub folder: PathBuf,
}

impl Bundle {
    /// Builds the Worker in a folder with a `Cargo.toml`.
    ///
    /// # Errors
    ///
    /// Returns an error if there is no way to compile for wasm, if the Worker does not compile, or if its `Cargo.lock` has
    /// another version of wasm-bindgen than this program.
    pub fn build(package: &Path, profile: &Profile) -> Outcome<Self> {
        let target = target_folder()?;
        let wasm = compile(package, profile, &target.join("wasm"))?;
        check_version(package)?;
        let name = wasm.file_stem().and_then(|name| name.to_str()).ok_or("a Worker without a name")?;
        let folder = target.join("workers").join(format!("{name}-{}", profile.name));
        if folder.exists() {
            fs::remove_dir_all(&folder)?;
        }
        // As `wasm-bindgen --target module --no-typescript --out-name index` does.
        let mut bindgen = Bindgen::new();
        bindgen.input_path(&wasm).out_name("index").typescript(false).module(true)?.generate(&folder)?;
        // The runtime gives a compiled module for an ordinary import.
        let index = fs::read_to_string(folder.join("index.js"))?;
        fs::write(folder.join("index.js"), index.replace("import source ", "import "))?;
        Bundle { folder }.with("shim.js", SHIM)
    }

    /// Writes another module.
    ///
    /// # Errors
    ///
    /// Returns an error if the file cannot be written.
    pub fn with(self, name: &str, text: &str) -> Outcome<Self> {
        fs::create_dir_all(&self.folder)?;
        fs::write(self.folder.join(name), text)?;
        Ok(self)
    }

    /// Returns the path of the WebAssembly.
    pub fn wasm(&self) -> PathBuf {
        self.folder.join("index_bg.wasm")
    }

    /// Returns the paths of all modules, within the folder.
    ///
    /// # Errors
    ///
    /// Returns an error if the folder cannot be read.
    pub fn modules(&self) -> Outcome<Vec<String>> {
        let mut modules = Vec::new();
        let mut folders = vec![self.folder.clone()];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder)? {
                let path = entry?.path();
                let extension = path.extension().and_then(|extension| extension.to_str());
                match extension {
                    _ if path.is_dir() => folders.push(path),
                    Some("js" | "mjs" | "wasm") => modules.push(path.strip_prefix(&self.folder)?.display().to_string()),
                    _ => {}
                }
            }
        }
        modules.sort();
        Ok(modules)
    }
}

/// Returns an error if there is no way to compile for wasm.
pub fn can_build() -> Outcome<()> {
    Library::of(TARGET).map(drop)
}

/// Returns the folder in which Cargo has built this program.
pub fn target_folder() -> Outcome<PathBuf> {
    let program = std::env::current_exe()?;
    Ok(program.ancestors().nth(2).ok_or("a program without a folder")?.to_owned())
}

/// Returns the path of the WebAssembly that Cargo has built.
fn compile(package: &Path, profile: &Profile, target: &Path) -> Outcome<PathBuf> {
    let mut cargo = Library::of(TARGET)?.cargo("build", &[TARGET]);
    cargo.args(["--lib", "--quiet", "--message-format", "json-render-diagnostics", "--target-dir"]).arg(target);
    cargo.args(&profile.args).envs(profile.variables.iter().copied()).current_dir(package);
    built(&printed(&mut cargo)?)
}

/// Returns the path of the last WebAssembly in Cargo's messages.
pub fn built(messages: &str) -> Outcome<PathBuf> {
    let messages = messages.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let file = |message: Value| {
        let files = message.get("filenames")?.as_array()?.clone();
        files.iter().filter_map(Value::as_str).find(|file| file.ends_with(".wasm")).map(PathBuf::from)
    };
    messages.filter_map(file).next_back().ok_or_else(|| "this is neither a program nor a `cdylib`".into())
}

/// A Worker contains descriptions that only the same version of wasm-bindgen can read.
fn check_version(package: &Path) -> Outcome<()> {
    let ours = version(include_str!("../Cargo.lock")).ok_or("our Cargo.lock has no wasm-bindgen")?;
    let mut locate = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    locate.args(["locate-project", "--workspace", "--message-format", "plain"]).current_dir(package);
    let lock = Path::new(printed(&mut locate)?.trim()).with_file_name("Cargo.lock");
    let text = fs::read_to_string(&lock).map_err(|error| format!("{}: {error}", lock.display()))?;
    match version(&text) {
        Some(theirs) if theirs == ours => Ok(()),
        Some(theirs) => Err(format!(
            "{} has wasm-bindgen {theirs}, and tests/edge/Cargo.lock has {ours}. Make them equal: `cargo update -p \
             wasm-bindgen --precise VERSION` in one, or `cargo update -p wasm-bindgen-cli-support` in tests/edge",
            lock.display()
        )
        .into()),
        None => Err(format!("{} has no wasm-bindgen: this is not a Worker", lock.display()).into()),
    }
}

/// Returns the version of wasm-bindgen that a `Cargo.lock` has.
fn version(lock: &str) -> Option<&str> {
    let (_, rest) = lock.split_once("name = \"wasm-bindgen\"\nversion = \"")?;
    rest.split('"').next()
}
