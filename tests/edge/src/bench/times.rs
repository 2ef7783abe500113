//! Cold starts and requests, beside the same Worker in JavaScript with `@upstash/redis`.

use std::fs;
use std::time::{Duration, Instant};

use redis_model_tools::Outcome;

use super::worker;
use crate::bundle::{Bundle, target_folder};
use crate::http::{self, Connection};
use crate::stack::Stack;
use crate::workerd::{Worker, Workerd, packages_folder};

const STARTS: usize = 25;
const REQUESTS: usize = 2_000;

/// The least of a Worker.
const HELLO: &str = "export default { async fetch() { return new Response(\"hello\"); } };\n";

pub async fn run() -> Outcome<()> {
    let stack = Stack::start().await?;
    let mut client = Connection::open_url(&stack.gateway.url()).await?;
    client.command(stack.gateway.token(), r#"["SET","bench","hello"]"#).await?;
    let workers = [
        ("JavaScript, no client", hello()?, "hello.js"),
        ("wasm, no client", worker("", "z")?, "shim.js"),
        ("JavaScript, a GET by @upstash/redis", upstash()?, "bench.mjs"),
        ("wasm, a GET, opt-level z", worker("get", "z")?, "shim.js"),
        ("wasm, a GET, opt-level 3", worker("get", "3")?, "shim.js"),
    ];

    println!("\ncold start: from the start of workerd to the first reply, {STARTS} times in turn, milliseconds\n");
    println!("| Worker | median | above the same language without a client |\n| --- | --- | --- |");
    let mut starts = vec![Vec::new(); workers.len()];
    for _ in 0..STARTS {
        for ((_, bundle, main), times) in workers.iter().zip(&mut starts) {
            times.push(cold_start(bundle, Worker { main, ..stack.worker("main") }).await?);
        }
    }
    table(&workers, &mut starts);

    println!(
        "\nwarm: one request after the other on a connection that stays open, {REQUESTS} of each in turn, milliseconds\n"
    );
    println!("| Worker | median | above the same language without a client |\n| --- | --- | --- |");
    let mut running = Vec::new();
    for (_, bundle, main) in &workers {
        let workerd = Workerd::start(bundle, &[Worker { main, ..stack.worker("main") }])?;
        let mut connection = Connection::open(workerd.port("main")?).await?;
        for _ in 0..REQUESTS / 4 {
            connection.get("/").await?;
        }
        running.push((workerd, connection));
    }
    let mut times = vec![Vec::new(); workers.len()];
    let mut direct = Vec::new();
    for _ in 0..REQUESTS {
        for ((_, connection), times) in running.iter_mut().zip(&mut times) {
            let started = Instant::now();
            let answer = connection.get("/").await?;
            times.push(started.elapsed());
            if answer.text() != "hello" {
                return Err(format!("{}: {}", answer.status, answer.text()).into());
            }
        }
        let started = Instant::now();
        client.command(stack.gateway.token(), r#"["GET","bench"]"#).await?;
        direct.push(started.elapsed());
    }
    table(&workers, &mut times);
    println!("\nthe gateway alone: {:.3}", median(&mut direct));
    Ok(())
}

async fn cold_start(bundle: &Bundle, worker: Worker) -> Outcome<Duration> {
    let started = Instant::now();
    let workerd = Workerd::start(bundle, &[worker])?;
    let answer = http::get(workerd.port("main")?, "/").await?;
    let time = started.elapsed();
    if answer.text() == "hello" { Ok(time) } else { Err(format!("{}: {}", answer.status, answer.text()).into()) }
}

fn table(workers: &[(&str, Bundle, &str)], times: &mut [Vec<Duration>]) {
    let medians: Vec<f64> = times.iter_mut().map(|times| median(times)).collect();
    let base = |name: &str| {
        let same = workers.iter().position(|(other, _, _)| other.split(',').next() == name.split(',').next());
        same.and_then(|at| medians.get(at)).copied().unwrap_or_default()
    };
    for ((name, _, _), median) in workers.iter().zip(&medians) {
        println!("| {name} | {median:.3} | {:.3} |", median - base(name));
    }
}

/// Returns the median in milliseconds.
pub fn median(times: &mut [Duration]) -> f64 {
    times.sort();
    times.get(times.len() / 2).map_or(0.0, |time| time.as_secs_f64() * 1e3)
}

/// Returns an empty folder for a Worker in JavaScript.
pub fn javascript(name: &str) -> Outcome<Bundle> {
    let folder = target_folder()?.join("workers").join(name);
    if folder.exists() {
        fs::remove_dir_all(&folder)?;
    }
    Ok(Bundle { folder })
}

fn hello() -> Outcome<Bundle> {
    javascript("hello-js")?.with("hello.js", HELLO)
}

/// The Worker with `@upstash/redis`, whose modules name each other by paths.
fn upstash() -> Outcome<Bundle> {
    let mut bundle = javascript("upstash-js")?.with("bench.mjs", include_str!("../../bench.mjs"))?;
    let packages = packages_folder()?.join("node_modules");
    fs::create_dir_all(bundle.folder.join("redis"))?;
    let uncrypto = fs::read_to_string(packages.join("uncrypto/dist/crypto.web.mjs"))?;
    bundle = bundle.with("redis/uncrypto.mjs", &uncrypto)?;
    for entry in fs::read_dir(packages.join("@upstash/redis"))? {
        let path = entry?.path();
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        if name == "cloudflare.mjs" || (name.starts_with("chunk-") && name.ends_with(".mjs")) {
            let text = fs::read_to_string(&path)?.replace("from \"uncrypto\"", "from \"./uncrypto.mjs\"");
            bundle = bundle.with(&format!("redis/{name}"), &text)?;
        }
    }
    Ok(bundle)
}
