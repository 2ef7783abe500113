//! Measures cold starts: the time from the start of a program to its answer to the first event, which is one Redis
//! command.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use axum::body::Bytes;
use axum::http::Request;
use database::say;
use tokio::process::Command;
use tokio::time::Instant;

use crate::{Outcome, Variables, http, start};

const ROUNDS: usize = 40;

/// Prints the size and the median time of each program, and both relative to the first program.
pub(crate) async fn run(programs: &[PathBuf], variables: &Variables) -> Outcome {
    let mut times = vec![Vec::new(); programs.len()];
    // The programs alternate, so that other work of the machine affects all of them.
    for _ in 0..ROUNDS {
        for (program, times) in programs.iter().zip(&mut times) {
            forget(program).await?;
            times.push(first_answer(program, variables).await?);
        }
    }
    let mut first = None;
    for (program, mut times) in programs.iter().zip(times) {
        times.sort_unstable();
        let millis = times.get(ROUNDS / 2).map(Duration::as_secs_f64).unwrap_or_default() * 1000.0;
        let megabytes = f64::from(u32::try_from(std::fs::metadata(program)?.len())?) / 1e6;
        let (first_megabytes, first_millis) = *first.get_or_insert((megabytes, millis));
        let (size, time) = (megabytes / first_megabytes, millis / first_millis);
        say(&format!("{megabytes:.2} MB ({size:.2})  {millis:.1} ms ({time:.2})  {}", program.display()));
    }
    Ok(())
}

/// Makes the system forget the file, as a machine that starts the program for the first time does not have it in
/// memory.
async fn forget(program: &Path) -> Outcome {
    let mut file = std::ffi::OsString::from("if=");
    file.push(program);
    // GNU dd; what it has copied, nothing, is on stderr.
    let status = Command::new("dd").arg(file).args(["iflag=nocache", "count=0"]).stderr(Stdio::null()).status().await?;
    if status.success() { Ok(()) } else { Err(format!("dd failed for {}", program.display()).into()) }
}

async fn first_answer(program: &Path, variables: &Variables) -> Outcome<Duration> {
    let (parts, ()) = Request::get("/unknown").body(())?.into_parts();
    let event = http::event(&parts, &Bytes::new()).to_string();
    let began = Instant::now();
    let (function, mut process) = start(program, variables).await?;
    function.invoke(event).await?;
    let elapsed = began.elapsed();
    process.kill().await?;
    Ok(elapsed)
}
