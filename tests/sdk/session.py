"""Replays a session of raw commands by the official Python SDK (upstash-redis on PyPI) and prints what came back.

The Upstash service cannot be asked in a test, but its own SDKs know how it answers. So the same session goes by the
SDKs and by our client through the same gateway, and the values are compared: where they differ, one of us reads the
API wrongly. The session begins by emptying the database, so none that matters belongs here. One JSON line is printed
for each command: {"result": …}, {"error": "the server's text"}, or {"lost": …} where the SDK raised in place of a value
that is not UTF-8. The SDK turns the replies of some commands into types of Python (SET's OK into True), and finds those
commands by their names in upper case; in lower case a name means the same to the server and its reply stays as it is.
There is no pass by pipelines: Pipeline.exec() raises at the first error and drops all other replies.

Usage: UPSTASH_REDIS_REST_URL=… UPSTASH_REDIS_REST_TOKEN=… session.py SESSION_FILE
"""

import json
import sys

from upstash_redis import Redis
from upstash_redis.errors import UpstashError


def outcome(redis, command):
    name, *args = command
    try:
        return {"result": redis.execute([name.lower(), *args])}
    except UpstashError as error:
        return {"error": str(error)}
    except UnicodeDecodeError as error:
        return {"lost": error.reason}


def main():
    sys.stdout.reconfigure(encoding="utf-8")
    with open(sys.argv[1], encoding="utf-8") as file:
        session = json.load(file)
    with Redis.from_env(rest_retries=0, allow_telemetry=False) as redis:
        for command in session:
            # As compact as JSON.stringify, so that the lines of both SDKs can be compared as text.
            print(json.dumps(outcome(redis, command), ensure_ascii=False, separators=(",", ":")))


main()
