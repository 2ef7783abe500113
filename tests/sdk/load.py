"""What the official Python SDK (upstash-redis on PyPI) takes for many small commands at once: the measure beside which
our client's own time stands. Concurrent asyncio tasks each await one INCR after another through the SDK's async client,
which sends a request for each. Every task has a key of its own. After a short warm-up it prints
{"commands": …, "seconds": wall time, "cpu_seconds": user and system time of this process}.

Usage: UPSTASH_REDIS_REST_URL=… UPSTASH_REDIS_REST_TOKEN=… load.py TASKS COMMANDS
"""

import asyncio
import json
import sys
import time

from upstash_redis.asyncio import Redis


async def run(redis, tasks, commands):
    """Shares the commands among the tasks."""
    left = iter(range(commands))

    async def task(i):
        for _ in left:
            await redis.incr(f"load:{i}")

    await asyncio.gather(*(task(i) for i in range(tasks)))


async def main():
    tasks, commands = map(int, sys.argv[1:])
    async with Redis.from_env(rest_retries=0, allow_telemetry=False) as redis:
        await run(redis, tasks, 10 * tasks)
        cpu = time.process_time()
        start = time.perf_counter()
        await run(redis, tasks, commands)
        seconds = time.perf_counter() - start
        cpu_seconds = time.process_time() - cpu
    print(json.dumps({"commands": commands, "seconds": seconds, "cpu_seconds": cpu_seconds}))


asyncio.run(main())
