//! Clients in processes of their own, what they take, and ratios of that.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::Command;

use redis_model::prelude::*;
use redis_model_tests::{Stack, process};
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
    process::redis_rs("redis-rs-logs", env!("CARGO_TARGET_TMPDIR"))
}

/// Runs a part of a client, and prints what it took. It returns its requests, if it has counted them.
pub(crate) async fn measure(
    redis: &Redis,
    part: &str,
    count: u64,
    run: impl Future<Output = Outcome<u64>>,
) -> Outcome<()> {
    let (requests, figures) = process::measured(redis, run).await?;
    let peak = process::peak("VmHWM")?;
    println!(r#"{{"part":"{part}","count":{count},"requests":{requests},"peak":{peak},{figures}}}"#);
    Ok(())
}
