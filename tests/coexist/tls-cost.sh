#!/usr/bin/env bash
# What aws-lc (the feature `tls`) costs instead of ring (`tls-ring`): the figures in ARCHITECTURE.md, as ratios.
# It builds one small program twice, from nothing, and starts a gateway for the time to the first reply.
set -euo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)
work=$(mktemp -d)
trap 'kill "${gateway:-0}" 2>/dev/null || true; rm -rf "$work"' EXIT

for feature in tls-ring tls; do
    mkdir -p "$work/$feature/src"
    cat > "$work/$feature/Cargo.toml" <<END
[package]
name = "probe"
version = "0.0.0"
edition = "2024"
[dependencies]
redis-rest = { path = "$root/client", default-features = false, features = ["$feature"] }
tokio = { version = "1", features = ["macros", "rt"] }
[workspace]
END
    cp "$root/Cargo.lock" "$work/$feature/"
    cat > "$work/$feature/src/main.rs" <<'END'
use redis_rest::StringCommands;

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let start = std::time::Instant::now();
    let redis = redis_rest::Redis::from_env().unwrap();
    redis.get::<String>("k").await.unwrap();
    println!("{}", start.elapsed().as_micros());
}
END
    echo "building with $feature" >&2
    TIMEFORMAT='%U %S'
    { time cargo build --release --quiet --manifest-path "$work/$feature/Cargo.toml" --target-dir "$work/$feature/target" 2>/dev/null; } 2> "$work/$feature.cpu"
    stat -c %s "$work/$feature/target/release/probe" > "$work/$feature.size"
done

export UPSTASH_REDIS_REST_URL=http://127.0.0.1:8179 UPSTASH_REDIS_REST_TOKEN=cost
cargo build --quiet --manifest-path "$root/Cargo.toml" -p redis-rest-gateway
target=$(cargo metadata --manifest-path "$root/Cargo.toml" --no-deps --format-version 1 | sed 's/.*"target_directory":"\([^"]*\)".*/\1/')
REDIS_REST_TOKEN=cost "$target/debug/redis-rest-gateway" --listen 127.0.0.1:8179 >&2 & gateway=$!
until "$work/tls/target/release/probe" >/dev/null 2>&1; do sleep 0.2; done
for _ in $(seq 60); do
    for feature in tls-ring tls; do "$work/$feature/target/release/probe" >> "$work/$feature.start"; done
done

median() { sort -n "$1" | sed -n 30p; }
ratio() { awk -v ours="$1" -v ring="$2" 'BEGIN { printf "%.2f\n", ours / ring }'; }
echo "CPU time of a cold release build: $(ratio "$(awk '{print $1 + $2}' "$work/tls.cpu")" "$(awk '{print $1 + $2}' "$work/tls-ring.cpu")")"
echo "size of the program: $(ratio "$(cat "$work/tls.size")" "$(cat "$work/tls-ring.size")")"
echo "start to the first reply: $(ratio "$(median "$work/tls.start")" "$(median "$work/tls-ring.start")")"
