// Runs a WebAssembly component (WASI 0.2) in Node: `node run.mjs COMPONENT`.
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { transpile } from "@bytecodealliance/jco-transpile";

const folder = await mkdtemp(new URL("./component-", import.meta.url).pathname);
try {
  const { files } = await transpile(process.argv[2], { name: "app" });
  for (const [name, bytes] of Object.entries(files)) {
    await mkdir(dirname(join(folder, name)), { recursive: true });
    await writeFile(join(folder, name), bytes);
  }
  const { run } = await import(join(folder, "app.js"));
  await run.run();
} finally {
  await rm(folder, { recursive: true });
}
