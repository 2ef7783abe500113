// Makes the calls of arrays and vector indexes by the official TypeScript SDK (@upstash/redis on npm), for a server that
// records what it sends. The Python SDK has no such calls.
//
// No server here has these commands, so what our client sends is compared with what the SDK sends, as for SEARCH: the same
// calls, by the same names, are in the golden tests. The first segment of the path is the call's name. What the SDK makes
// of the answer, which is always nil, does not matter.
//
// Usage: UPSTASH_REDIS_REST_URL=… node array-vector.mjs

import { Redis } from "@upstash/redis";

const URL = process.env.UPSTASH_REDIS_REST_URL;

async function call(name, run) {
  const redis = new Redis({
    url: `${URL}/${name}`, token: "token", retry: { retries: 0 }, enableAutoPipelining: false, enableTelemetry: false,
  });
  try { await run(redis); } catch { /* it makes nothing of nil */ }
}

// ---- arrays
await call("arcount", (r) => r.arcount("a"));
await call("ardel", (r) => r.ardel("a", 1, "18446744073709551614"));
await call("ardelrange", (r) => r.ardelrange("a", [0, 99], [200, 299]));
await call("arget", (r) => r.arget("a", 5));
await call("argetrange", (r) => r.argetrange("a", 9, 0));
await call("argrep", (r) => r.argrep("a", 0, 99, { predicates: [{ exact: "x" }] }));
await call("argrep_all", (r) => r.argrep("a", "-", "+", {
  predicates: [{ exact: "x" }, { match: "y" }, { glob: "e*" }, { re: "^z+$" }], combine: "AND", noCase: true, limit: 10 }));
await call("argrep_withvalues", (r) => r.argrep("a", "-", 7, {
  predicates: [{ glob: "e*" }, { match: "y" }], withValues: true, limit: 3 }));
await call("arinfo", (r) => r.arinfo("a"));
await call("arinfo_full", (r) => r.arinfo("a", { full: true }));
await call("arinsert", (r) => r.arinsert("a", "x", "y"));
await call("arlastitems", (r) => r.arlastitems("a", 10));
await call("arlastitems_rev", (r) => r.arlastitems("a", 10, { rev: true }));
await call("arlen", (r) => r.arlen("a"));
await call("armget", (r) => r.armget("a", 0, 5, 100));
await call("armset", (r) => r.armset("a", [[0, "x"], [100, "y"]]));
await call("arnext", (r) => r.arnext("a"));
for (const operation of ["SUM", "MIN", "MAX", "AND", "OR", "XOR", "USED"]) {
  await call(`arop_${operation.toLowerCase()}`, (r) => r.arop("a", 0, 99, operation));
}
await call("arop_match", (r) => r.arop("a", 0, 99, { match: "x" }));
await call("arring", (r) => r.arring("a", 100, "x", "y"));
await call("arscan", (r) => r.arscan("a", 0, 1000));
await call("arscan_limit", (r) => r.arscan("a", 0, 1000, { limit: 10 }));
await call("arseek", (r) => r.arseek("a", 7));
await call("arset", (r) => r.arset("a", 7, "x", "y"));

// ---- vector indexes
await call("vector_create", (r) => r.vector.createIndex({ name: "docs", dimension: 3, metric: "COSINE" }));
await call("vector_create_exists_ok", (r) => r.vector.createIndex({
  name: "docs", dimension: 1536, metric: "EUCLIDEAN", existsOk: true }));
await call("vector_create_dot", (r) => r.vector.createIndex({ name: "docs", dimension: 1, metric: "DOT" }));
await call("vector_add", (r) => r.vector.index("docs").add("doc-1", [0.1, -2, 1e-7]));
await call("vector_add_f32", (r) => r.vector.index("docs").add("doc-1", new Float32Array([0.1, -2, 1e-7, 65504])));
await call("vector_add_base64", (r) => r.vector.index("docs").add("doc-1", { base64: "AAAAPwAAgD8=" }));
await call("vector_count", (r) => r.vector.index("docs").count());
await call("vector_del", (r) => r.vector.index("docs").delete("doc-1"));
await call("vector_drop", (r) => r.vector.index("docs").drop());
await call("vector_get", (r) => r.vector.index("docs").get("doc-1"));
await call("vector_info", (r) => r.vector.index("docs").info());
await call("vector_query", (r) => r.vector.index("docs").query({ vector: [0.5, 1], topK: 5 }));
for (const profile of ["FAST", "BALANCED", "PRECISE"]) {
  await call(`vector_query_${profile.toLowerCase()}`,
    (r) => r.vector.index("docs").query({ vector: new Float32Array([0.5, 1]), topK: 1000, profile }));
}
