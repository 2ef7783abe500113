// Replays a session of raw commands by the official TypeScript SDK (@upstash/redis on npm) and prints what came back.
//
// The Upstash service cannot be asked in a test, but its own SDKs know how it answers. So the same session goes by the
// SDKs and by our client through the same gateway, and the values are compared: where they differ, one of us reads the
// API wrongly. The session begins by emptying the database, so none that matters belongs here, and it can run twice:
// first with a request for each command, then in pipelines. One JSON line is printed for each command of the first pass,
// then one for each of the second: {"result": …} or {"error": "the server's text"}. What the SDK cannot hold is printed
// as it gave it: integers past 2^53 rounded, bytes that are not UTF-8 as U+FFFD, and text without the byte order mark
// that it began with.
//
// Usage: UPSTASH_REDIS_REST_URL=… UPSTASH_REDIS_REST_TOKEN=… node session.mjs SESSION_FILE

import { readFileSync } from "node:fs";
import { Redis, errors } from "@upstash/redis";

const COMMANDS_PER_PIPELINE = 25;

async function outcome(redis, command) {
  try {
    return { result: await redis.exec(command) };
  } catch (error) {
    if (!(error instanceof errors.UpstashError)) throw error;
    return { error: withoutCommand(error.message, command) };
  }
}

/** The server's text: the SDK appends the command to it, each argument as a string. */
function withoutCommand(message, command) {
  const appended = `, command was: ${JSON.stringify(command.map(String))}`;
  if (!message.endsWith(appended)) throw new Error(`not what this SDK appends to an error: ${message}`);
  return message.slice(0, -appended.length);
}

async function outcomes(redis, commands) {
  const pipeline = redis.pipeline();
  for (const command of commands) {
    // Its types hide `chain`, but a pipeline has no other way for a command as it is.
    pipeline.chain({ command, deserialize: (value) => value });
  }
  const slots = await pipeline.exec({ keepErrors: true });
  return slots.map(({ result, error }) => (error === undefined ? { result } : { error }));
}

const session = JSON.parse(readFileSync(process.argv[2], "utf8"));
const redis = Redis.fromEnv({
  automaticDeserialization: false,
  enableAutoPipelining: false,
  enableTelemetry: false,
  // One attempt: `retry: false` would make two.
  retry: { retries: 0 },
});

for (const command of session) {
  console.log(JSON.stringify(await outcome(redis, command)));
}
for (let at = 0; at < session.length; at += COMMANDS_PER_PIPELINE) {
  for (const slot of await outcomes(redis, session.slice(at, at + COMMANDS_PER_PIPELINE))) {
    console.log(JSON.stringify(slot));
  }
}
