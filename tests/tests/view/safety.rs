//! Who may see the view, that it only reads, and that stored bytes are never markup.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

use redis_model_tests::direct::{Direct, Raw};
use redis_model_tests::{own_stack, own_valkey};
use redis_rest_gateway::Gateway;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::demo::{fill, run};
use crate::markup;
use crate::site::{Site, events, send};

#[tokio::test(flavor = "multi_thread")]
async fn it_listens_on_this_machine_alone_and_only_if_asked() {
    let stack = own_valkey();
    for address in ["0.0.0.0:0", "[::]:0", "192.0.2.1:80", "[::ffff:192.0.2.1]:80"] {
        let refused = Gateway::over(stack.server.url()).view(address.parse().unwrap()).start().await;
        let error = refused.unwrap_err().to_string();
        assert!(error.contains("is not a loopback address") && error.contains("127.0.0.1"), "{error}");
    }
    let gateway = Gateway::over(stack.server.url()).start().await.unwrap();
    assert_eq!(gateway.view_url(), None);
    // The API has no pages.
    let api = gateway.url();
    let answer = send(api.trim_start_matches("http://"), "GET", "/keys", &[("host", "127.0.0.1")]).await;
    assert_eq!(answer.status, 401);
    let site = Site::start(own_valkey()).await;
    let debug = format!("{:?}", site.gateway);
    assert!(!debug.contains(site.gateway.view_url().unwrap().split('=').nth(1).unwrap()), "{debug}");
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_that_may_not_see_the_view_are_refused() {
    let site = Site::start(own_valkey()).await;
    run(&site, &["SET", "secret", "tell-nobody"]).await;
    let host = ("host", site.address.as_str());
    let cookie = ("cookie", site.cookie.as_str());
    let token = format!("Bearer {}", site.gateway.token());
    let evil = format!("evil.example:{}", site.address.split(':').nth(1).unwrap());
    let api = site.gateway.url();
    for path in ["/", "/key?key=secret", "/tail/events?key=secret&after=0-0", "/assets/view.css", "/elsewhere"] {
        for (method, headers, status) in [
            ("GET", vec![host], 401),
            ("GET", vec![host, ("authorization", token.as_str())], 401),
            ("GET", vec![("host", evil.as_str()), cookie], 421),
            ("GET", vec![host, cookie, ("origin", "http://evil.example")], 403),
            ("GET", vec![host, cookie, ("origin", api.as_str())], 403),
            ("GET", vec![host, cookie, ("sec-fetch-site", "cross-site")], 403),
            ("GET", vec![host, cookie, ("sec-fetch-site", "same-site")], 403),
            ("POST", vec![host, cookie], 405),
            ("PUT", vec![host, cookie], 405),
            ("DELETE", vec![host, cookie], 405),
            ("HEAD", vec![host, cookie], 405),
            ("OPTIONS", vec![host, cookie, ("origin", "http://evil.example")], 405),
        ] {
            let answer = send(&site.address, method, path, &headers).await;
            assert_eq!(answer.status, status, "{method} {path} {headers:?}");
            assert!(!answer.body.contains("tell-nobody"), "{}", answer.body);
            headers_are_strict(&answer.head);
        }
    }
    // The key leads to the first page, whatever the path.
    let key = site.gateway.view_url().unwrap().split('=').nth(1).unwrap().to_owned();
    for (path, target) in [
        (format!("/?access={key}"), "/"),
        (format!("/key?key=a%26b&access={key}&offset=1"), "/"),
        (format!("//evil.example/x?access={key}"), "/"),
        (format!("/\\evil.example/?access={key}"), "/"),
    ] {
        let answer = send(&site.address, "GET", &path, &[host]).await;
        assert_eq!((answer.status, answer.header("location")), (303, target));
    }
    // Over the view, the API does not exist: neither its commands nor its tokens.
    let path = format!("/set/secret/changed?_token={}", site.gateway.token());
    assert_eq!(site.get(&path).await.status, 404);
    let answer = site.get("/key?key=secret").await;
    assert!(answer.status == 200 && answer.body.contains("tell-nobody"));
    headers_are_strict(&answer.head);
    assert_eq!(site.get("/assets/icon.svg").await.header("content-type"), "image/svg+xml");
}

fn headers_are_strict(head: &str) {
    let head = head.to_ascii_lowercase();
    for header in [
        "content-security-policy: default-src 'none';",
        "frame-ancestors 'none'",
        "x-content-type-options: nosniff",
        "referrer-policy: no-referrer",
        "x-frame-options: deny",
        "cache-control: no-store",
        "cross-origin-resource-policy: same-origin",
    ] {
        assert!(head.contains(header), "no {header} in {head}");
    }
    assert!(!head.contains("access-control") && !head.contains("unsafe"), "{head}");
}

/// What somebody may have stored.
const HOSTILE: [&[u8]; 9] = [
    b"<script>window.pwned = 1</script>",
    b"\"><img src=x onerror=window.pwned=1>",
    b"' onmouseover='window.pwned=1",
    b"javascript:window.pwned=1",
    b"</title></pre></main><iframe src=//evil.example>",
    b"\xff\xfe\x00<b>\x80",
    "\u{202e}evil\u{2066}\u{0}".as_bytes(),
    b"&lt;script&gt;&#x3c;",
    b"{\"a\":\"</pre><script>window.pwned=1</script>\"}",
];

/// Stores hostile bytes in each place that a page shows.
pub(crate) async fn fill_with_hostile(site: &Site) {
    for text in HOSTILE {
        let key = |name: &[u8]| [name, text].concat();
        let commands: Vec<Vec<Vec<u8>>> = vec![
            vec![b"SET".into(), key(b""), text.into()],
            vec![b"SET".into(), key(b"prefix:"), text.into()],
            vec![b"HSET".into(), key(b"h:"), text.into(), text.into()],
            vec![b"RPUSH".into(), key(b"l:"), text.into()],
            vec![b"SADD".into(), key(b"s:"), text.into()],
            vec![b"ZADD".into(), key(b"z:"), b"1".into(), text.into()],
            vec![b"XADD".into(), key(b"x:"), b"*".into(), text.into(), text.into()],
            vec![b"XGROUP".into(), b"CREATE".into(), key(b"x:"), text.into(), b"0".into()],
            vec![
                b"XREADGROUP".into(),
                b"GROUP".into(),
                text.into(),
                text.into(),
                b"STREAMS".into(),
                key(b"x:"),
                b">".into(),
            ],
            vec![
                b"XADD".into(),
                [&key(b"x:"), b"::dead:".as_slice(), text].concat(),
                b"*".into(),
                text.into(),
                text.into(),
            ],
            // Indexes whose mark is as hostile as the record.
            vec![
                b"HSET".into(),
                [&key(b"m"), b"::rows".as_slice()].concat(),
                b":".into(),
                [b"0123abcd ", text, b";", text, b" t;", text, b"=1"].concat(),
                b"1".into(),
                [b"0123abcd\0=", text].concat(),
            ],
            vec![b"HSET".into(), [&key(b"m"), b":1".as_slice()].concat(), text.into(), text.into()],
            vec![b"ZADD".into(), [&key(b"m"), b"::index:".as_slice(), text].concat(), b"0".into(), key(b"a\0")],
        ];
        for command in &commands {
            run(site, command).await;
        }
    }
}

/// Follows all links of the view from these on. Checks each page, and returns how many there are.
async fn crawl(site: &Site, most: usize) -> usize {
    let mut seen: BTreeSet<String> = BTreeSet::from(["/".to_owned()]);
    let mut open: VecDeque<String> = seen.iter().cloned().collect();
    let mut visited = 0;
    while let Some(path) = open.pop_front().filter(|_| visited < most) {
        visited += 1;
        let answer = site.get(&path).await;
        // The hostile indexes name records that do not exist.
        let is_missing = answer.status == 404 && path.starts_with("/key?key=m%");
        assert!(answer.status == 200 || is_missing, "{path}: {} {}", answer.status, answer.body);
        headers_are_strict(&answer.head);
        if answer.header("content-type").starts_with("text/html") {
            for link in markup::check(&path, &answer.body) {
                if seen.insert(link.clone()) {
                    open.push_back(link);
                }
            }
        }
    }
    visited
}

#[tokio::test(flavor = "multi_thread")]
async fn every_page_is_sound_markup_and_only_reads() {
    let site = Site::start(own_stack()).await;
    fill(&site).await;
    fill_with_hostile(&site).await;
    let monitor = Monitor::start(site.stack.server.url()).await;
    let visited = crawl(&site, 1_500).await;
    // A tail has a connection of its own.
    let read = events(&site, "/tail/events?key=order-events%3A17&after=0-0", &[], "Shipped").await;
    assert!(read.contains("text/event-stream") && read.contains("event: entry\ndata: {"), "{read}");
    let commands = monitor.stop().await;
    println!("{visited} pages, {commands:?}");
    assert!(visited > 200, "{visited}");
    let direct = Direct::new(site.stack.server.url());
    for command in commands.keys() {
        let info = direct.run(["COMMAND", "INFO", command]).await.unwrap();
        let Raw::Array(info) = info else { panic!("{info:?}") };
        let Raw::Array(info) = &info[0] else { panic!("{command}: {info:?}") };
        let Raw::Array(flags) = &info[2] else { panic!("{command}: {info:?}") };
        assert!(flags.contains(&Raw::Text(b"readonly".to_vec())), "{command} is no command that reads: {flags:?}");
        assert!(!["keys", "hgetall", "smembers", "hvals"].contains(&command.as_str()), "{command} has no bound");
    }
    for expected in ["scan", "hscan", "xinfo|stream", "xpending", "xrange", "zscore", "xread", "memory|usage"] {
        assert!(commands.contains_key(expected), "{expected} was not seen");
    }
}

/// Sees the commands that a server runs.
struct Monitor(tokio::task::JoinHandle<BTreeMap<String, u64>>, Direct);

/// Ends the watch.
const END: &str = "the-end-of-the-watch";

impl Monitor {
    async fn start(url: &str) -> Monitor {
        let (password, address) = url.trim_start_matches("redis://:").split_once('@').unwrap();
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(format!("AUTH {password}\r\nMONITOR\r\n").as_bytes()).await.unwrap();
        let mut ready = [0; 10];
        stream.read_exact(&mut ready).await.unwrap();
        assert_eq!(&ready, b"+OK\r\n+OK\r\n");
        let watch = tokio::spawn(async move {
            let mut seen: Vec<u8> = Vec::new();
            let mut searched = 0;
            while !seen[searched..].windows(END.len()).any(|window| window == END.as_bytes()) {
                searched = seen.len().saturating_sub(END.len());
                assert!(stream.read_buf(&mut seen).await.unwrap() > 0);
            }
            commands_of(&String::from_utf8_lossy(&seen))
        });
        Monitor(watch, Direct::new(url))
    }

    /// Returns how often each command was run.
    async fn stop(self) -> BTreeMap<String, u64> {
        self.1.run(["ECHO", END]).await.unwrap();
        tokio::time::timeout(Duration::from_secs(60), self.0).await.unwrap().unwrap()
    }
}

fn commands_of(lines: &str) -> BTreeMap<String, u64> {
    let mut commands = BTreeMap::new();
    for line in lines.lines().filter(|line| !line.contains(END)) {
        let words: Vec<_> = line.split('"').skip(1).step_by(2).map(str::to_ascii_lowercase).collect();
        let Some(name) = words.first() else { continue };
        // A new connection says who it is.
        if name == "auth" || line.contains(" lua]") {
            continue;
        }
        let name = match words.get(1).filter(|_| ["xinfo", "memory"].contains(&name.as_str())) {
            Some(subcommand) => format!("{name}|{subcommand}"),
            None => name.clone(),
        };
        *commands.entry(name).or_default() += 1;
    }
    commands
}
