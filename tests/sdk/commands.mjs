// Prints the name of every command that the official TypeScript SDK (@upstash/redis on npm) can send, one in each line,
// as its code spells it and with the word after it, if that is fixed too: `script exists`.
//
// They are read from the SDK's code, so a command that a later version adds is found without a call of it here. A class
// of a command in which no name is found ends the program with an error.
//
// Usage: node commands.mjs

import { readFileSync, readdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const folder = dirname(fileURLToPath(import.meta.resolve("@upstash/redis")));
const code = readdirSync(folder)
  .filter((name) => name.endsWith(".mjs"))
  .map((name) => readFileSync(join(folder, name), "utf8"))
  .join("\n");

/** The start of a command: `["script", "exists"` or `["get", ...`. */
const START = /\[\s*"([A-Za-z][A-Za-z_.]*)"(?:,\s*"([A-Za-z]+)"(?=[,\]]))?/;

const names = new Set();
for (const body of code.split(/\bvar (?:\w+ = class extends Command|\w+Command = class) \{/).slice(1)) {
  const constructor = body.split(/\n\};/, 1)[0];
  // `exec`, which takes any command.
  if (constructor.includes("super(normalizedCmd, opts)")) continue;
  const start = START.exec(constructor);
  if (start === null) throw new Error(`a command without a name: ${constructor}`);
  names.add([start[1], start[2]].filter(Boolean).join(" "));
}
// Those of SEARCH are no classes.
for (const [, name] of code.matchAll(/"(SEARCH\.[A-Z]+)"/g)) names.add(name);

for (const name of names) console.log(name);
