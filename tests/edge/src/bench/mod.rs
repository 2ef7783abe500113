//! `cargo edge bench`: figures of one run, to be compared with each other.

mod parts;
mod sizes;
mod times;

use std::path::Path;

use redis_model_tools::Outcome;

use crate::bundle::{Bundle, Profile};

/// Measures `sizes`, `times`, `parts`, or all of them.
pub async fn run(part: &str) -> Outcome<bool> {
    if matches!(part, "" | "sizes") {
        sizes::run()?;
    }
    if matches!(part, "" | "times") {
        times::run().await?;
    }
    if matches!(part, "" | "parts") {
        parts::run().await?;
    }
    Ok(true)
}

/// A Worker of `bench-worker`. `feature` is `get` or `models`, or empty for one without a client.
fn worker(feature: &'static str, opt_level: &'static str) -> Outcome<Bundle> {
    let mut profile = Profile::small(opt_level);
    profile.name = format!("{}-{opt_level}", if feature.is_empty() { "hello" } else { feature });
    if !feature.is_empty() {
        profile.args.extend(["--features", feature]);
    }
    Bundle::build(&Path::new(env!("CARGO_MANIFEST_DIR")).join("bench-worker"), &profile)
}
