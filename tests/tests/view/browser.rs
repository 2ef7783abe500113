//! The view in a real browser: what it loads, how it fits, the keyboard, and the live tail.

use redis_model::StreamModel as _;
use redis_model_tests::own_stack;
use serde_json::{Value, json};

use crate::cdp::{self, Browser};
use crate::demo::{OrderEvent, fill, run};
use crate::safety::fill_with_hostile;
use crate::site::Site;

const PAGES: [&str; 12] = [
    "/",
    "/keys",
    "/keys?search=user%3A",
    "/groups",
    "/key?key=user%3A7",
    "/key?key=user%3A%3Arows",
    "/key?key=user%3A%3Aindex%3Acountry%2Bage",
    "/key?key=inbox%3A42",
    "/key?key=order-events%3A17",
    "/group?key=order-events%3A17&group=billing",
    "/tail?key=order-events%3A17",
    "/key?key=long%3A1",
];

#[tokio::test(flavor = "multi_thread")]
async fn the_view_works_in_a_browser() {
    let Some(program) = cdp::program() else {
        println!("SKIPPED: this machine has no chromium, so the view was not opened in a browser");
        return;
    };
    let site = Site::start(own_stack()).await;
    fill(&site).await;
    let word = "w".repeat(3_000);
    run(&site, &["HSET", "long:1", &word, &word, "text", &"many words ".repeat(500)]).await;
    let handle = tokio::runtime::Handle::current();
    tokio::task::spawn_blocking(move || {
        let mut browser = Browser::start(&program);
        let base = format!("http://{}", site.address);
        enters_and_loads_nothing_else(&mut browser, &site, &base);
        fits_every_width(&mut browser, &base);
        can_be_used_by_keyboard(&mut browser, &base);
        follows_preferences(&mut browser, &base);
        tails(&mut browser, &base, &handle, &site);
        is_useful_without_javascript(&mut browser, &base);
        hostile_values_are_text(&mut browser, &base, &handle, &site);
        is_closed_to_other_pages(&mut browser, &site, &base);
    })
    .await
    .unwrap();
}

/// Returns the problems that the browser has reported: errors of scripts, and what the policy of the page has blocked.
fn problems(browser: &Browser) -> Vec<&Value> {
    let is_problem = |event: &&Value| {
        let entry = &event["params"]["entry"];
        event["method"] == "Runtime.exceptionThrown"
            || event["method"] == "Log.entryAdded" && ["error", "warning"].contains(&entry["level"].as_str().unwrap())
    };
    browser.events.iter().filter(is_problem).collect()
}

fn enters_and_loads_nothing_else(browser: &mut Browser, site: &Site, base: &str) {
    browser.resize(1100, 800, 1);
    browser.open(site.gateway.view_url().unwrap());
    assert_eq!(browser.evaluate("location.href"), json!(format!("{base}/")), "the key is not in the address bar");
    assert_eq!(browser.evaluate("document.cookie"), json!(""), "scripts cannot read the cookie");
    for path in PAGES {
        browser.open(&format!("{base}{path}"));
        assert_eq!(browser.evaluate("getComputedStyle(document.body).marginTop"), json!("0px"), "the style is loaded");
    }
    let requests: Vec<_> = browser
        .events
        .iter()
        .filter(|event| event["method"] == "Network.requestWillBeSent")
        .map(|event| event["params"]["request"]["url"].as_str().unwrap())
        .collect();
    assert!(requests.len() > PAGES.len());
    for url in requests {
        assert!(url.starts_with(base) || url == "about:blank", "{url}");
    }
    assert!(problems(browser).is_empty(), "{:?}", problems(browser));
}

fn fits_every_width(browser: &mut Browser, base: &str) {
    // 640 px at a scale of 2 is a window of 1280 px at a zoom of 200%.
    for (width, height, scale) in [(320, 640, 1), (640, 450, 2), (1100, 800, 1), (2000, 1000, 1)] {
        browser.resize(width, height, scale);
        for path in PAGES {
            browser.open(&format!("{base}{path}"));
            let overflow = browser.evaluate("document.documentElement.scrollWidth - window.innerWidth");
            assert!(overflow.as_i64().unwrap() <= 0, "{path} at {width} px: {overflow} px too wide");
            let cut = "[...document.querySelectorAll('.table')].filter(t => t.scrollWidth > t.clientWidth + 1).length";
            if width <= 320 {
                assert_eq!(browser.evaluate(cut), json!(0), "{path} at {width} px: a table is scrolled sideways");
            }
            if width == 320 && ["/", "/key?key=user%3A7"].contains(&path) {
                browser.picture(if path == "/" { "narrow-overview" } else { "narrow-record" });
            }
        }
    }
    browser.resize(1100, 800, 1);
}

fn can_be_used_by_keyboard(browser: &mut Browser, base: &str) {
    browser.open(&format!("{base}/key?key=order-events%3A17"));
    browser.press("Tab", 9);
    assert_eq!(browser.evaluate("document.activeElement.textContent"), json!("Skip to content"));
    let left = browser.evaluate("document.activeElement.getBoundingClientRect().left");
    assert!(left.as_f64().unwrap() >= 0.0, "the skip link is seen when it has the focus");
    browser.press("Enter", 13);
    browser.wait("document.activeElement.id === 'content'");
    browser.open(&format!("{base}/key?key=order-events%3A17"));
    // Each stop is seen, and the focus reaches the end of the page.
    let targets = browser.evaluate("document.querySelectorAll('a, button, input, [tabindex=\"0\"]').length");
    for _ in 0..targets.as_u64().unwrap() {
        browser.press("Tab", 9);
        let outline = browser.evaluate("getComputedStyle(document.activeElement).outlineStyle");
        assert_eq!(outline, json!("solid"), "{}", browser.evaluate("document.activeElement.outerHTML"));
    }
    let last = "document.activeElement === [...document.querySelectorAll('a, button, input, [tabindex=\"0\"]')].at(-1)";
    assert_eq!(browser.evaluate(last), json!(true));
    // A search without a mouse.
    browser.evaluate("document.getElementById('search').focus(), document.getElementById('search').select()");
    browser.call("Input.insertText", json!({"text": "user:1"}));
    browser.press("Enter", 13);
    browser.wait("location.search === '?search=user%3A1' && document.readyState === 'complete'");
    assert_eq!(browser.evaluate("document.querySelector('td a').textContent"), json!("user:1"));
}

fn follows_preferences(browser: &mut Browser, base: &str) {
    for scheme in ["light", "dark"] {
        browser.prefer(&[("prefers-color-scheme", scheme), ("prefers-reduced-motion", "reduce")]);
        for (path, name) in [
            ("/", "overview"),
            ("/key?key=user%3A7", "record"),
            ("/key?key=order-events%3A17", "stream"),
            ("/group?key=order-events%3A17&group=billing", "group"),
            ("/key?key=inbox%3A42", "list"),
            ("/tail?key=order-events%3A17", "tail"),
        ] {
            browser.open(&format!("{base}{path}"));
            if name == "tail" {
                browser.wait("document.getElementById('connection').textContent === 'Live'");
                let motion = "getComputedStyle(document.querySelector('.dot')).animationName";
                assert_eq!(browser.evaluate(motion), json!("none"), "no motion");
            }
            browser.picture(&format!("{name}-{scheme}"));
        }
        let ground = browser.evaluate("getComputedStyle(document.body).backgroundColor");
        let expected = if scheme == "light" { "rgb(250, 248, 245)" } else { "rgb(21, 23, 26)" };
        assert_eq!(ground, json!(expected), "{scheme}");
    }
    browser.prefer(&[]);
}

const IDS: &str = "[...document.querySelectorAll('.entries li')].map(li => li.dataset.id)";
const COUNT: &str = "document.querySelectorAll('.entries li').length";

fn tails(browser: &mut Browser, base: &str, handle: &tokio::runtime::Handle, site: &Site) {
    let redis = site.redis();
    let append = |cents: i64| {
        handle.block_on(OrderEvent::log("tail").append(&redis, &OrderEvent::Paid { cents })).unwrap();
    };
    append(1);
    browser.open(&format!("{base}/tail?key=order-events%3Atail"));
    browser.wait("document.getElementById('connection').textContent === 'Live'");
    assert_eq!(browser.evaluate(COUNT), json!(1));
    append(2);
    browser.wait(&format!("{COUNT} === 2"));
    let first = "document.querySelector('.entries li dl').textContent";
    assert_eq!(browser.evaluate(first), json!("eventPaidcents2"), "the newest is the first");
    browser.wait("document.getElementById('status').textContent === '1 new entry'");
    // A pause shows nothing, and loses nothing.
    browser.evaluate("document.getElementById('pause').click()");
    assert_eq!(browser.evaluate("document.getElementById('pause').textContent"), json!("Resume"));
    for cents in 3..10 {
        append(cents);
    }
    std::thread::sleep(std::time::Duration::from_millis(500));
    assert_eq!(browser.evaluate(COUNT), json!(2));
    browser.evaluate("document.getElementById('pause').click()");
    browser.wait(&format!("{COUNT} === 9"));
    let ids: Vec<String> = serde_json::from_value(browser.evaluate(IDS)).unwrap();
    assert_eq!(ids.iter().collect::<std::collections::BTreeSet<_>>().len(), 9, "{ids:?}");
    // A flood: the page keeps the newest ones, and stays usable.
    for cents in 10..60 {
        append(cents);
    }
    handle.block_on(run(
        site,
        &[
            "EVAL",
            "for i = 1, 2000 do redis.call('XADD', KEYS[1], '*', 'event', 'Paid', 'cents', i) end",
            "1",
            "order-events:tail",
        ],
    ));
    browser.wait(&format!("{COUNT} === 500 && {first} === 'eventPaidcents2000'"));
    // A stream that was created again.
    handle.block_on(run(site, &["DEL", "order-events:tail"]));
    handle.block_on(run(site, &["XADD", "order-events:tail", "1-0", "event", "Paid", "cents", "again"]));
    browser.wait(&format!("{first} === 'eventPaidcentsagain'"));
    assert!(problems(browser).is_empty(), "{:?}", problems(browser));
}

fn is_useful_without_javascript(browser: &mut Browser, base: &str) {
    browser.call("Emulation.setScriptExecutionDisabled", json!({"value": true}));
    browser.open(&format!("{base}/tail?key=order-events%3A17"));
    let text = browser.evaluate("document.querySelector('main').innerText");
    let text = text.as_str().unwrap();
    assert!(text.contains("Without JavaScript") && text.contains("Shipped") && !text.contains("Pause"), "{text}");
    browser.call("Emulation.setScriptExecutionDisabled", json!({"value": false}));
}

fn hostile_values_are_text(browser: &mut Browser, base: &str, handle: &tokio::runtime::Handle, site: &Site) {
    handle.block_on(fill_with_hostile(site));
    let hostile = "<img src=x onerror=\"window.pwned=1\">";
    handle.block_on(run(site, &["XADD", "h:tail", "*", hostile, hostile]));
    browser.events.clear();
    browser.open(&format!("{base}/tail?key=h%3Atail"));
    browser.wait("document.getElementById('connection').textContent === 'Live'");
    handle.block_on(run(site, &["XADD", "h:tail", "*", hostile, hostile]));
    browser.wait(&format!("{COUNT} === 2"));
    let texts = "[...document.querySelectorAll('.entries dd pre')].map(pre => pre.textContent)";
    assert_eq!(browser.evaluate(texts), json!([hostile, hostile]));
    let mut visited = 0;
    let mut open = vec![format!("{base}/keys"), format!("{base}/"), format!("{base}/groups")];
    let mut seen: std::collections::BTreeSet<String> = open.iter().cloned().collect();
    while let Some(url) = open.pop().filter(|_| visited < 60) {
        visited += 1;
        browser.open(&url);
        let state = browser
            .evaluate("[window.pwned === undefined, document.querySelectorAll('img, iframe, main script').length]");
        assert_eq!(state, json!([true, 0]), "{url}");
        let links = browser.evaluate("[...document.querySelectorAll('main a')].map(a => a.href)");
        let links: Vec<String> = serde_json::from_value(links).unwrap();
        open.extend(links.into_iter().filter(|link| link.starts_with(base) && seen.insert(link.clone())));
    }
    assert!(problems(browser).is_empty(), "{:?}", problems(browser));
}

fn is_closed_to_other_pages(browser: &mut Browser, site: &Site, base: &str) {
    // The browser has the cookie. A page of another port of this machine is of the same site, so it would be sent.
    browser.open(&site.gateway.url());
    let attempt = "const attempt = (mode) => fetch(TARGET, { credentials: 'include', mode })
        .then((response) => response.text()).then((text) => text.length, () => -1);
        Promise.all([attempt('cors'), attempt('no-cors')])";
    let attempt = attempt.replace("TARGET", &json!(format!("{base}/")).to_string());
    assert_eq!(browser.evaluate(&attempt), json!([-1, -1]));
    browser.open(&format!("{base}/"));
    assert_eq!(browser.evaluate("document.querySelector('h1').textContent"), json!("Overview"), "the cookie is there");
    // By a name that resolves to this machine, as one that was rebound: the cookie is another name's, and so is the page.
    let rebound = base.replace("127.0.0.1", "rebound.localhost");
    browser.open(&rebound);
    let text = browser.evaluate("document.body.innerText");
    assert!(text.as_str().unwrap().contains("127.0.0.1, [::1] and localhost only"), "{text}");
}
