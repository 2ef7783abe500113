// What the parts of a GET by `fetch` cost in JavaScript. Each route adds one to the plainest.
const command = '["GET","bench"]';
const bytes = new TextEncoder().encode(command);
const headers = (env) => ({
  authorization: `Bearer ${env.UPSTASH_REDIS_REST_TOKEN}`,
  "content-type": "application/json",
});
const plain = (env) => ({ method: "POST", headers: headers(env), body: command });
const send = (env, init) => fetch(env.UPSTASH_REDIS_REST_URL, init);
const text = async (response) => JSON.parse(await response.text()).result;

const routes = {
  "/plain": async (env) => text(await send(env, plain(env))),
  "/redirect-manual": async (env) => text(await send(env, { ...plain(env), redirect: "manual" })),
  "/body-of-bytes": async (env) => text(await send(env, { ...plain(env), body: new Uint8Array(bytes) })),
  "/headers-object": async (env) => {
    const list = new Headers();
    for (const [name, value] of Object.entries(headers(env))) list.append(name, value);
    return text(await send(env, { ...plain(env), headers: list }));
  },
  "/nine-headers": async (env) => {
    const more = Object.fromEntries(["a", "b", "c", "d", "e", "f", "g"].map((name) => [`x-${name}`, "some value"]));
    return text(await send(env, { ...plain(env), headers: { ...headers(env), ...more } }));
  },
  "/abort-controller": async (env) => {
    const controller = new AbortController();
    return text(await send(env, { ...plain(env), signal: controller.signal }));
  },
  "/timer": async (env) => {
    const id = setTimeout(() => {}, 10_000);
    const found = await text(await send(env, plain(env)));
    clearTimeout(id);
    return found;
  },
  "/response-headers": async (env) => {
    const response = await send(env, plain(env));
    const all = [];
    for (const [name, value] of response.headers.entries()) all.push([name, value]);
    return all.length > 0 ? text(response) : "";
  },
  "/array-buffer": async (env) => {
    const response = await send(env, plain(env));
    const body = new Uint8Array(await response.arrayBuffer());
    return JSON.parse(new TextDecoder().decode(body)).result;
  },
  "/stream-reader": async (env) => {
    const reader = (await send(env, plain(env))).body.getReader();
    let all = "";
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return JSON.parse(all).result;
      all += new TextDecoder().decode(value);
    }
  },
};

export default {
  async fetch(request, env) {
    const { pathname } = new URL(request.url);
    return new Response(await routes[pathname](env));
  },
};
