// The Worker of bench-worker with the feature `get`, in JavaScript.
import { Redis } from "./redis/cloudflare.mjs";

let redis;

export default {
  async fetch(request, env) {
    redis ??= Redis.fromEnv(env);
    return new Response(await redis.get("bench"));
  },
};
