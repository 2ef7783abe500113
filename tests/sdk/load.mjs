// What the official TypeScript SDK (@upstash/redis on npm) takes for many small commands at once: the measure beside
// which our client's own time stands. Concurrent tasks each await one INCR after another; the SDK gathers what is
// issued in the same turn into a pipeline (its auto-pipelining, on by default). Every task has a key of its own. After
// a short warm-up it prints {"commands": …, "seconds": wall time, "cpu_seconds": user and system time of this process}.
//
// Usage: UPSTASH_REDIS_REST_URL=… UPSTASH_REDIS_REST_TOKEN=… node load.mjs TASKS COMMANDS

import { Redis } from "@upstash/redis";

const [tasks, commands] = process.argv.slice(2).map(Number);
const redis = Redis.fromEnv({ enableAutoPipelining: true, enableTelemetry: false, retry: { retries: 0 } });

/** Shares `count` commands among the tasks. */
async function run(count) {
  let issued = 0;
  const task = async (i) => {
    while (issued < count) {
      issued += 1;
      await redis.incr(`load:${i}`);
    }
  };
  await Promise.all(Array.from({ length: tasks }, (_, i) => task(i)));
}

await run(10 * tasks);
const cpu = process.cpuUsage();
const start = performance.now();
await run(commands);
const seconds = (performance.now() - start) / 1e3;
const { user, system } = process.cpuUsage(cpu);
console.log(JSON.stringify({ commands, seconds, cpu_seconds: (user + system) / 1e6 }));
