// Makes the calls of SEARCH by the official TypeScript SDK (@upstash/redis on npm), for a server that records what it
// sends. No server outside the service has SEARCH, so what our client sends is compared with what its own SDKs send: the
// same calls, by the same names, are in search.py and in the golden tests. The first segment of the path is the call's
// name. What the SDK makes of the answer, which is always nil, is no matter here.
//
// Usage: UPSTASH_REDIS_REST_URL=… node search.mjs

import { Redis, s } from "@upstash/redis";

async function call(name, run) {
  const url = `${process.env.UPSTASH_REDIS_REST_URL}/${name}`;
  const redis = new Redis({ url, token: "token", retry: { retries: 0 }, enableTelemetry: false });
  try {
    await run(redis);
  } catch {
    // See above.
  }
}
const create = (name, params) => call(name, (r) => r.search.createIndex(params));
const query = (name, options, index = "products") => call(name, (r) => r.search.index({ name: index }).query(options));
const aggregate = (name, options) => call(name, (r) => r.search.index({ name: "products" }).aggregate(options));

// ---- SEARCH.CREATE
await create("create_json", { name: "products", dataType: "json", prefix: "product:",
  schema: s.object({ name: s.string(), price: s.number("F64"), inStock: s.boolean() }) });
await create("create_hash_prefixes_language", { name: "people", dataType: "hash", prefix: ["user:", "profile:"],
  language: "turkish", schema: s.object({ name: s.string(), score: s.number("U64") }) });
await create("create_string_flags_all_types", { name: "all", dataType: "string", prefix: "doc:", language: "english",
  skipInitialScan: true, existsOk: true,
  schema: s.object({ title: s.string().noTokenize().noStem(), plain: s.string(), u: s.number("U64"), i: s.number("I64"),
    f: s.number("F64"), b: s.boolean().fast(), d: s.date().fast(), slowDate: s.date(), k: s.keyword(), c: s.facet() }) });
await create("create_nested_from", { name: "posts", dataType: "json", prefix: "post:",
  schema: s.object({ title: s.string(), titleExact: s.string().noStem().from("title"),
    author: s.object({ name: s.string() }),
    stats: s.object({ views: s.number("U64"), total: s.number("F64").from("stats.views") }) }) });
await create("create_skip_initial_scan", { name: "s", dataType: "json", prefix: "s:", skipInitialScan: true, schema: { a: "TEXT" } });
await create("create_exists_ok", { name: "e", dataType: "json", prefix: "e:", existsOk: true, schema: { a: "TEXT" } });
await create("create_stream", { name: "events", dataType: "stream", stream: "stream:events", skipInitialScan: true,
  schema: { message: "TEXT", level: "KEYWORD" } });

// ---- SEARCH.QUERY: options
await query("query_all", undefined);
await query("query_smart_implicit", { filter: { name: "wireless headphones", inStock: true, price: 199.5 } });
await query("query_limit_offset", { filter: { name: { $eq: "headphones" } }, limit: 10, offset: 20 });
await query("query_order_by", { filter: { inStock: { $eq: true } }, orderBy: { price: "DESC" }, limit: 5 });
await query("query_nocontent", { filter: { name: "headphones" }, select: {} });
await query("query_select_highlight", { filter: { "author.name": { $eq: "John" } },
  select: { "author.name": true, "stats.views": true },
  highlight: { fields: ["author.name"], preTag: "<b>", postTag: "</b>" } }, "posts");
await query("query_highlight_default_tags", { filter: { description: "wireless" }, highlight: { fields: ["description", "name"] } });
await query("query_order_select_highlight", { filter: { name: "a" }, limit: 3, offset: 1, orderBy: { price: "ASC" },
  select: { name: true }, highlight: { fields: ["name"] } });
await query("query_score_simple", { filter: { name: "headphones" }, scoreFunc: "popularity" });
await query("query_score_field_full", { filter: { name: "headphones" },
  scoreFunc: { field: "popularity", modifier: "log1p", factor: 2, missing: 1.5, scoreMode: "replace" } });
await query("query_score_multiple", { filter: { name: "headphones" },
  scoreFunc: { fields: ["rating", { field: "popularity", modifier: "log1p", factor: 0.5 },
    { field: "recency", modifier: "sqrt", missing: 1 }], combineMode: "sum", scoreMode: "multiply" } });
await query("query_score_select_highlight", { filter: { name: "a" }, limit: 3, scoreFunc: "popularity",
  select: { name: true }, highlight: { fields: ["name"], preTag: "!!", postTag: "**" } });
await query("query_hash_index", { filter: { name: "Alice" } }, "hash-people");

// ---- SEARCH.QUERY: filters
await query("filter_text_operators", { filter: { $and: [
  { name: { $eq: "laptop" } }, { name: { $in: ["laptop", "phone"] } },
  { name: { $fuzzy: "laptopp" } },
  { name: { $fuzzy: { value: "haedphone", distance: 2, transpositionCostOne: false, prefix: true } } },
  { name: { $phrase: "wireless mouse" } },
  { name: { $phrase: { value: "wireless mouse", slop: 2 } } },
  { name: { $phrase: { value: "wireless mo", prefix: true } } },
  { name: { $regex: "Lap.*" } }, { name: { $smart: "wireless", $boost: 2.5 } }] } });
await query("filter_number_operators", { filter: { price: { $gte: 10, $lte: 99.5 }, stock: { $gt: 1, $lt: 9 },
  rating: { $eq: 4.5 }, id: { $in: [1, 2, 3] } } });
await query("filter_bool_date_keyword_facet", { filter: {
  inStock: { $eq: true }, active: { $in: [true, false] },
  createdAt: { $gte: "2026-01-01T00:00:00Z", $lt: "2026-02-01T00:00:00Z" },
  status: { $gt: "a", $lte: "m" }, tag: { $in: ["x", "y"] },
  category: { $eq: "/category/books" } } });
await query("filter_boolean_nodes", { filter: {
  $must: { category: "electronics", inStock: true },
  $should: [{ name: "wireless", $boost: 5.5 }, { description: "bluetooth" }],
  $mustNot: { description: "budget" } } });
await query("filter_or_nested", { filter: { $or: [
  { $and: { category: "electronics", price: { $lt: 50 } } },
  { $must: [{ category: "sports" }, { $should: [{ name: "ball" }, { name: "bat" }] }], $mustNot: [{ price: { $gt: 500 } }] }],
  $boost: 1.5 } });
await query("filter_escapes", { filter: { name: { $eq: 'quote " back \\ slash / tab\t' } } });

// ---- SEARCH.COUNT
await call("count", (r) => r.search.index({ name: "products" }).count({ filter: { price: { $gt: 100 } } }));

// ---- SEARCH.AGGREGATE
await aggregate("aggregate_metrics", { aggregations: {
  a: { $avg: { field: "price", missing: 0 } }, s: { $sum: { field: "price" } },
  lo: { $min: { field: "price" } }, hi: { $max: { field: "price" } },
  n: { $count: { field: "price" } }, d: { $cardinality: { field: "categoryId" } } } });
await aggregate("aggregate_stats", { filter: { inStock: true }, aggregations: {
  st: { $stats: { field: "price", missing: 0 } },
  ex: { $extendedStats: { field: "price", sigma: 2, missing: 0 } },
  p: { $percentiles: { field: "price", percents: [50, 95], missing: 0 } },
  pu: { $percentiles: { field: "price", percents: [50, 95], keyed: false } } } });
await aggregate("aggregate_buckets", { aggregations: {
  t: { $terms: { field: "category", size: 5 }, $aggs: { avg_price: { $avg: { field: "price" } } } },
  r: { $range: { field: "price", ranges: [{ to: 30 }, { from: 30, to: 60 }, { from: 60 }] },
    $aggs: { q: { $stats: { field: "quantity" } } } },
  h: { $histogram: { field: "price", interval: 30 } } } });
await aggregate("aggregate_facet", { aggregations: { f: { $facet: {
  field: "category", path: "/category", depth: 2, size: 10, minDocCount: 1, order: { count: "desc" } } } } });
// `$composite` is documented, but has no type in either SDK.
await aggregate("aggregate_composite", { aggregations: { c: { $composite: {
  sources: [{ category: { $terms: { field: "category" } } }, { price: { $histogram: { field: "price", interval: 10 } } }],
  size: 100, after: { category: "str:books", price: "f64:20" } }, $aggs: { avg: { $avg: { field: "price" } } } } } });
await aggregate("aggregate_keyed", { aggregations: { h: { $histogram: { field: "price", interval: 30, keyed: true } } } });

// ---- the rest
await call("describe", (r) => r.search.index({ name: "products" }).describe());
await call("drop", (r) => r.search.index({ name: "products" }).drop());
await call("wait_indexing", (r) => r.search.index({ name: "products" }).waitIndexing());
await call("alias_add", (r) => r.search.alias.add({ indexName: "products-v2", alias: "products" }));
await call("alias_add_from_index", (r) => r.search.index({ name: "products-v2" }).addAlias({ alias: "products" }));
await call("alias_del", (r) => r.search.alias.delete({ alias: "products" }));
await call("alias_list", (r) => r.search.alias.list());
await call("list_indexes", (r) => r.exec(["SEARCH.LISTINDEXES", "MATCH", "product*", "LIMIT", 10, "OFFSET", 0]));
await call("reindex", (r) => r.exec(["SEARCH.REINDEX", "products"]));
