//! Programs that run as processes of their own, and what a process uses. It needs Linux.

use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use redis_model::prelude::*;
pub use redis_model_tools::printed;

type Outcome<T> = std::result::Result<T, Box<dyn Error>>;

/// Builds the programs that use redis-rs, in a folder below this one. Returns the path of one.
pub fn redis_rs(program: &str, target: &str) -> Outcome<PathBuf> {
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR")).join("redis-rs/Cargo.toml");
    let target = Path::new(target).join("redis-rs");
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args(["build", "--release", "--quiet", "--manifest-path"]).arg(manifest).arg("--target-dir").arg(&target);
    printed(&mut cargo)?;
    Ok(target.join("release").join(program))
}

/// Runs a part of a client's work. Returns its result, and what it took as members of a JSON object: `seconds`,
/// `cpu_seconds` of this process, and `server_seconds`.
pub async fn measured<T>(redis: &Redis, run: impl Future<Output = Outcome<T>>) -> Outcome<(T, String)> {
    let (server, cpu, start) = (server_seconds(redis).await?, cpu_seconds()?, Instant::now());
    let result = run.await?;
    let (seconds, cpu) = (start.elapsed().as_secs_f64(), cpu_seconds()? - cpu);
    let server = server_seconds(redis).await? - server;
    Ok((result, format!(r#""seconds":{seconds},"cpu_seconds":{cpu},"server_seconds":{server}"#)))
}

async fn server_seconds(redis: &Redis) -> Outcome<f64> {
    let info: String = redis.execute(["INFO", "cpu"]).await?;
    Ok(figures(&info, &["used_cpu_user", "used_cpu_sys"]))
}

/// Returns the sum of these figures of an `INFO`.
pub fn figures(info: &str, names: &[&str]) -> f64 {
    let figures = info.lines().filter_map(|line| line.split_once(':'));
    figures.filter(|(name, _)| names.contains(name)).filter_map(|(_, figure)| figure.parse::<f64>().ok()).sum()
}

/// Returns user and system time of this process, in ticks of which Linux has 100 a second.
pub fn cpu_seconds() -> Outcome<f64> {
    let stat = fs::read_to_string("/proc/self/stat")?;
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
    let ticks = |at: usize| fields.get(at).and_then(|ticks| ticks.parse::<f64>().ok()).ok_or("no ticks");
    Ok((ticks(11)? + ticks(12)?) / 100.0)
}

/// Returns the most that this process has had, in bytes: of memory (`VmHWM`), or of addresses, touched or not (`VmPeak`).
pub fn peak(name: &str) -> Outcome<u64> {
    let status = fs::read_to_string("/proc/self/status")?;
    let mut lines = status.lines().filter_map(|line| line.split_once(':'));
    let (_, peak) = lines.find(|(found, _)| *found == name).ok_or_else(|| format!("no {name}"))?;
    Ok(peak.trim().trim_end_matches(" kB").parse::<u64>()? * 1024)
}
