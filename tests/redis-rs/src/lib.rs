//! What the programs here take, printed as the clients of `tests/benches` print it.

use std::error::Error;
use std::fs;
use std::time::Instant;

use redis::Connection;

pub type Outcome<T> = Result<T, Box<dyn Error>>;

/// Runs a part of the work, and prints what it took.
pub fn measure(
    redis: &mut Connection,
    part: &str,
    count: u64,
    run: impl FnOnce(&mut Connection) -> Outcome<()>,
) -> Outcome<()> {
    let (server, cpu, start) = (server_seconds(redis)?, cpu_seconds()?, Instant::now());
    run(redis)?;
    let (seconds, cpu) = (start.elapsed().as_secs_f64(), cpu_seconds()? - cpu);
    let server = server_seconds(redis)? - server;
    let figures = format!(r#""seconds":{seconds},"cpu_seconds":{cpu},"server_seconds":{server}"#);
    println!(r#"{{"part":"{part}","count":{count},{figures}}}"#);
    Ok(())
}

fn server_seconds(redis: &mut Connection) -> Outcome<f64> {
    let info: String = redis::cmd("INFO").arg("cpu").query(redis)?;
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
