//! Clients in processes of their own, what they take, and ratios of that.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::Instant;

use redis_model::prelude::*;
use redis_model_tests::Stack;
use serde_derive::Deserialize;

use crate::Outcome;

/// What a client's process prints about a part of its work.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Measured {
    part: String,
    /// How many things were done.
    pub(crate) count: f64,
    pub(crate) seconds: f64,
    pub(crate) cpu_seconds: f64,
    pub(crate) server_seconds: f64,
    /// The most memory of the process, in bytes.
    #[serde(default)]
    pub(crate) peak: f64,
    #[serde(default)]
    pub(crate) requests: f64,
}

impl Measured {
    pub(crate) fn per_second(&self) -> f64 {
        self.count / self.seconds
    }

    /// CPU time of the server for one, in µs.
    pub(crate) fn server(&self) -> f64 {
        self.server_seconds / self.count * 1e6
    }

    /// CPU time of the client for one, in µs.
    pub(crate) fn cpu(&self) -> f64 {
        self.cpu_seconds / self.count * 1e6
    }
}

/// What processes have printed in all rounds.
#[derive(Debug, Default)]
pub(crate) struct Rounds(BTreeMap<String, Vec<Measured>>);

impl Rounds {
    pub(crate) fn add(&mut self, printed: &str) -> Outcome<()> {
        for line in printed.lines() {
            let measured: Measured = serde_json::from_str(line)?;
            self.0.entry(measured.part.clone()).or_default().push(measured);
        }
        Ok(())
    }

    fn of(&self, part: &str) -> &[Measured] {
        self.0.get(part).map_or(&[], Vec::as_slice)
    }

    pub(crate) fn median(&self, part: &str, figure: impl Fn(&Measured) -> f64) -> f64 {
        median(self.of(part).iter().map(figure).collect())
    }

    /// The median of the ratios of the same round.
    pub(crate) fn ratio(&self, part: &str, to: &str, figure: impl Fn(&Measured) -> f64) -> f64 {
        median(self.of(part).iter().zip(self.of(to)).map(|(one, other)| figure(one) / figure(other)).collect())
    }
}

pub(crate) fn median(values: Vec<f64>) -> f64 {
    quantile(values, 0.5)
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    reason = "an index of a few samples"
)]
pub(crate) fn quantile(mut values: Vec<f64>, quantile: f64) -> f64 {
    values.sort_by(f64::total_cmp);
    let at = (values.len() as f64 * quantile) as usize;
    values.get(at.min(values.len().saturating_sub(1))).copied().unwrap_or(f64::NAN)
}

/// Starts this program again, as a client of this stack.
pub(crate) fn client(stack: &Stack, scenario: &str, args: &[&str]) -> Outcome<Command> {
    let mut command = Command::new(std::env::current_exe()?);
    command.args(["client", scenario, &stack.gateway.url(), stack.gateway.token()]).args(args);
    Ok(command)
}

/// Builds the program that uses redis-rs.
pub(crate) fn redis_rs() -> Outcome<PathBuf> {
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR")).join("redis-rs/Cargo.toml");
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).join("redis-rs");
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args(["build", "--release", "--quiet", "--manifest-path"]).arg(manifest).arg("--target-dir").arg(&target);
    printed(&mut cargo)?;
    Ok(target.join("release/redis-rs-logs"))
}

pub(crate) fn printed(command: &mut Command) -> Outcome<String> {
    let Output { status, stdout, stderr } = command.output()?;
    if !status.success() {
        return Err(format!("{command:?}: {status}: {}", String::from_utf8_lossy(&stderr)).into());
    }
    Ok(String::from_utf8(stdout)?)
}

/// Runs a part of a client, and prints what it took. It returns its requests, if it has counted them.
pub(crate) async fn measure(
    redis: &Redis,
    part: &str,
    count: u64,
    run: impl Future<Output = Outcome<u64>>,
) -> Outcome<()> {
    let (server, cpu, start) = (server_seconds(redis).await?, cpu_seconds()?, Instant::now());
    let requests = run.await?;
    let (seconds, cpu, peak) = (start.elapsed().as_secs_f64(), cpu_seconds()? - cpu, peak()?);
    let server = server_seconds(redis).await? - server;
    let figures = format!(r#""seconds":{seconds},"cpu_seconds":{cpu},"server_seconds":{server},"peak":{peak}"#);
    println!(r#"{{"part":"{part}","count":{count},"requests":{requests},{figures}}}"#);
    Ok(())
}

async fn server_seconds(redis: &Redis) -> Outcome<f64> {
    let info: String = redis.execute(["INFO", "cpu"]).await?;
    let figures = info.lines().filter_map(|line| line.split_once(':'));
    let used = figures.filter(|(name, _)| ["used_cpu_user", "used_cpu_sys"].contains(name));
    Ok(used.filter_map(|(_, seconds)| seconds.parse::<f64>().ok()).sum())
}

/// User and system time of this process, in ticks of which Linux has 100 a second.
fn cpu_seconds() -> Outcome<f64> {
    let stat = fs::read_to_string("/proc/self/stat")?;
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
    let ticks = |at: usize| fields.get(at).and_then(|ticks| ticks.parse::<f64>().ok()).ok_or("no ticks");
    Ok((ticks(11)? + ticks(12)?) / 100.0)
}

/// The most memory that this process had, in bytes.
fn peak() -> Outcome<u64> {
    let status = fs::read_to_string("/proc/self/status")?;
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).ok_or("no VmHWM")?;
    Ok(peak.trim().trim_end_matches(" kB").parse::<u64>()? * 1024)
}
