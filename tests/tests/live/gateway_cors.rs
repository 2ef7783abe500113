//! Web pages of another origin use the gateway: the headers, and a page in a real browser.
//!
//! `BROWSER=required` makes the test of the page fail where there is no Chromium; without that it is skipped there.

use std::io::Write as _;
use std::process::{Command, Stdio};
use std::time::Duration;

use axum::Router;
use axum::response::Html;
use redis_model_tests::{key, own_stack, stack};
use reqwest::{Method, RequestBuilder};
use serde_json::json;
use tokio::net::TcpListener;

use super::gateway::{answer, request_to};

async fn header(request: RequestBuilder, name: &str) -> (u16, Option<String>) {
    let response = request.send().await.unwrap();
    let value = response.headers().get(name).map(|value| value.to_str().unwrap().to_owned());
    (response.status().as_u16(), value)
}

#[tokio::test]
async fn a_preflight_request_needs_no_token() {
    let preflight = |path: &str| {
        let request = request_to(&stack().gateway, Method::OPTIONS, path).header("Origin", "https://app.example");
        request
            .header("Access-Control-Request-Method", "POST")
            .header("Access-Control-Request-Headers", "authorization,content-type,upstash-telemetry-sdk")
    };
    for path in ["/", "/pipeline", "/get/k", "/subscribe/c"] {
        for (name, value) in [
            ("access-control-allow-origin", "*"),
            ("access-control-allow-methods", "HEAD, GET, POST, PUT"),
            ("access-control-max-age", "86400"),
        ] {
            assert_eq!(header(preflight(path), name).await, (204, Some(value.to_owned())), "{path} {name}");
        }
        let (_, headers) = header(preflight(path), "access-control-allow-headers").await;
        let headers = headers.unwrap().to_lowercase();
        let allowed: Vec<&str> = headers.split(", ").collect();
        for name in ["authorization", "content-type", "upstash-encoding", "upstash-response-format", "*"] {
            assert!(allowed.contains(&name), "{name} in {allowed:?}");
        }
        assert_eq!(header(preflight(path), "access-control-allow-credentials").await.1, None);
    }
    // Any other OPTIONS is a method that the API does not have.
    let options = request_to(&stack().gateway, Method::OPTIONS, "/").bearer_auth(stack().gateway.token());
    assert_eq!(answer(options).await, (405, json!({"error": "ERR method not allowed"})));
}

#[tokio::test]
async fn every_response_may_be_read_by_a_page() {
    let gateway = &stack().gateway;
    let with = |method: Method, path: &str| request_to(gateway, method, path).bearer_auth(gateway.token());
    let subscription = format!("/subscribe/{}", key("cors"));
    for (request, status) in [
        (with(Method::GET, "/ping"), 200),
        (with(Method::GET, "/nosuch"), 400),
        (with(Method::POST, "/pipeline").body("["), 400),
        (with(Method::DELETE, "/"), 405),
        (request_to(gateway, Method::GET, "/ping"), 401),
        (with(Method::POST, "/").body("x".repeat(11 << 20)), 400),
        (with(Method::GET, &subscription), 200),
    ] {
        let copy = request.try_clone().unwrap();
        assert_eq!(header(request, "access-control-allow-origin").await, (status, Some("*".to_owned())));
        let (_, exposed) = header(copy, "access-control-expose-headers").await;
        assert!(exposed.unwrap().to_lowercase().contains("upstash-sync-token"));
    }
}

/// What the page does: each outcome is a line.
const PAGE: &str = r#"<!DOCTYPE html><pre id="out">pending</pre><script>
const url = "URL", token = "READER", listener = "LISTENER", lines = [];
const headers = { "Authorization": "Bearer " + token, "Content-Type": "application/json" };
const tell = async (name, outcome) => {
  try { lines.push(name + " " + JSON.stringify(await outcome())); } catch (error) { lines.push(name + " failed: " + error); }
};
const post = async (path, body, more) => {
  const response = await fetch(url + path, { method: "POST", headers: { ...headers, ...more }, body: JSON.stringify(body) });
  return [response.status, await response.json()];
};
const message = () => new Promise((resolve, reject) => {
  const events = new EventSource(url + "/subscribe/CHANNEL?_token=" + listener);
  events.onmessage = event => { if (event.data.startsWith("message,")) { events.close(); resolve(event.data); } };
  events.onerror = () => reject("EventSource failed");
});
(async () => {
  await tell("origin", async () => new URL(url).origin !== location.origin);
  await tell("simple", async () => (await fetch(url + "/get/KEY?_token=" + token)).json());
  await tell("preflighted", () => post("/", ["GET", "KEY"]));
  await tell("encoded", () => post("/", ["GET", "KEY"], { "Upstash-Encoding": "base64", "Upstash-Telemetry-Sdk": "page" }));
  await tell("pipeline", () => post("/pipeline", [["PING"], ["SET", "KEY", "no"]]));
  await tell("refused", () => post("/", ["SET", "KEY", "no"]));
  await tell("unauthorized", async () => (await fetch(url + "/get/KEY")).status);
  await tell("exposed", async () => (await fetch(url + "/ping", { headers })).headers.get("Upstash-Sync-Token").length > 0);
  await tell("message", message);
  document.getElementById("out").textContent = lines.join("\n") + "\ndone";
})();
</script>"#;

/// The program, or nothing where there is none.
fn chromium() -> Option<&'static str> {
    let runs = |program: &&str| {
        let version = Command::new(program).arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status();
        version.is_ok_and(|status| status.success())
    };
    ["chromium", "chromium-browser", "google-chrome"].into_iter().find(runs)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_in_a_browser_uses_the_read_only_token() {
    let Some(program) = chromium() else {
        assert!(std::env::var_os("BROWSER").is_none_or(|value| value != "required"), "there is no Chromium here");
        // Written past the test harness, which hides what a test that passes prints.
        let _ = writeln!(std::io::stderr(), "SKIPPED: there is no Chromium here, so no page used the gateway");
        return;
    };
    let stack = own_stack();
    let gateway = &stack.gateway;
    let (k, channel) = (key("page"), key("page-channel"));
    let call = async |body: serde_json::Value| {
        answer(request_to(gateway, Method::POST, "/").bearer_auth(gateway.token()).body(body.to_string())).await.1
    };
    call(json!(["SET", k, "hello"])).await;
    call(json!(["ACL", "SETUSER", "listener", "on", ">listener", "&*", "+subscribe"])).await;
    let listener_token = call(json!(["ACL", "RESTTOKEN", "listener", "listener"])).await["result"].clone();

    let page = PAGE
        .replace("URL", &gateway.url())
        .replace("READER", gateway.read_only_token())
        .replace("LISTENER", listener_token.as_str().unwrap())
        .replace("CHANNEL", &channel)
        .replace("KEY", &k)
        .replace(&format!("new {}(", gateway.url()), "new URL(");
    let site = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://localhost:{}/", site.local_addr().unwrap().port());
    let serving = tokio::spawn(async move {
        axum::serve(site, Router::new().fallback(move || std::future::ready(Html(page.clone())))).await
    });
    // The page hears the message whenever its subscription begins.
    let publishing = async {
        loop {
            call(json!(["PUBLISH", channel, "from afar"])).await;
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    let profile = std::env::temp_dir().join(format!("redis-rest-gateway-chromium-{}", std::process::id()));
    let arguments =
        ["--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--virtual-time-budget=20000"];
    let mut browser = Command::new(program);
    browser.args(arguments).arg(format!("--user-data-dir={}", profile.display())).arg("--dump-dom").arg(address);
    let browsing = tokio::task::spawn_blocking(move || browser.output());
    let output = tokio::select! {
        output = browsing => output.unwrap().unwrap(),
        () = publishing => panic!("publishing does not end"),
    };
    serving.abort();
    let _ = std::fs::remove_dir_all(profile);
    let dom = String::from_utf8_lossy(&output.stdout);
    let out = dom.split_once("<pre id=\"out\">").and_then(|(_, rest)| rest.split_once("</pre>")).map(|(out, _)| out);
    let no = "NOPERM this user has no permissions to run the 'set' command or its subcommand";
    let expected = [
        "origin true".to_owned(),
        r#"simple {"result":"hello"}"#.to_owned(),
        r#"preflighted [200,{"result":"hello"}]"#.to_owned(),
        r#"encoded [200,{"result":"aGVsbG8="}]"#.to_owned(),
        format!(r#"pipeline [200,[{{"result":"PONG"}},{{"error":"{no}"}}]]"#),
        format!(r#"refused [400,{{"error":"{no}"}}]"#),
        "unauthorized 401".to_owned(),
        "exposed true".to_owned(),
        format!(r#"message "message,{channel},from afar""#),
        "done".to_owned(),
    ];
    let lines: Vec<&str> = out.unwrap_or_default().lines().collect();
    assert_eq!(lines, expected, "{dom}\n{}", String::from_utf8_lossy(&output.stderr));
}
