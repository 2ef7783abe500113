//! A view over a server, and requests to it as a program sends them.

use std::time::Duration;

use redis_model::redis_rest::Redis;
use redis_model_tests::Stack;
use redis_rest_gateway::Gateway;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// A gateway with a view, over the server of a stack.
pub(crate) struct Site {
    pub(crate) stack: Stack,
    pub(crate) gateway: Gateway,
    /// `127.0.0.1:PORT` of the view.
    pub(crate) address: String,
    /// The cookie that opens it.
    pub(crate) cookie: String,
}

/// A response.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: String,
}

impl Answer {
    /// Returns a header, or `""`.
    pub(crate) fn header(&self, name: &str) -> &str {
        let mut pairs = self.head.lines().filter_map(|line| line.split_once(": "));
        pairs.find(|(candidate, _)| candidate.eq_ignore_ascii_case(name)).map_or("", |(_, value)| value)
    }
}

impl Site {
    /// Starts a view over an empty server.
    pub(crate) async fn start(stack: Stack) -> Site {
        let gateway =
            Gateway::over(stack.server.url()).view(([127, 0, 0, 1], 0).into()).all_commands().start().await.unwrap();
        let url = gateway.view_url().unwrap().to_owned();
        let (address, path) = url.trim_start_matches("http://").split_once('/').unwrap();
        let entered = send(address, "GET", &format!("/{path}"), &[("host", address)]).await;
        assert_eq!((entered.status, entered.header("location")), (303, "/"));
        let cookie = entered.header("set-cookie").split(';').next().unwrap().to_owned();
        Site { address: address.to_owned(), cookie, gateway, stack }
    }

    pub(crate) fn redis(&self) -> Redis {
        Redis::builder(self.gateway.url(), self.gateway.token()).build().unwrap()
    }

    /// Requests a page as the one who has the cookie.
    pub(crate) async fn get(&self, path: &str) -> Answer {
        send(&self.address, "GET", path, &[("host", &self.address), ("cookie", &self.cookie)]).await
    }

    /// Returns a page that must exist.
    pub(crate) async fn page(&self, path: &str) -> String {
        let answer = self.get(path).await;
        assert_eq!(answer.status, 200, "{path}: {}", answer.body);
        answer.body
    }

    /// Returns the page of a key.
    pub(crate) async fn key(&self, key: &str) -> String {
        self.page(&format!("/key?key={}", encoded(key.as_bytes()))).await
    }
}

/// Reads the events of a tail until a text has arrived, and then leaves.
pub(crate) async fn events(site: &Site, path: &str, headers: &[(&str, &str)], until: &str) -> String {
    let mut stream = TcpStream::connect(&site.address).await.unwrap();
    let headers: String = headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
    let (host, cookie) = (&site.address, &site.cookie);
    let request = format!("GET {path} HTTP/1.1\r\nhost: {host}\r\ncookie: {cookie}\r\n{headers}\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut read = Vec::new();
    while !read.windows(until.len()).any(|window| window == until.as_bytes()) {
        let length = tokio::time::timeout(Duration::from_secs(20), stream.read_buf(&mut read)).await;
        assert!(length.unwrap().unwrap() > 0, "{}", String::from_utf8_lossy(&read));
    }
    String::from_utf8(read).unwrap()
}

/// Returns bytes as a part of a query.
pub(crate) fn encoded(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("%{byte:02X}")).collect()
}

/// Sends a request on a connection of its own.
pub(crate) async fn send(address: &str, method: &str, path: &str, headers: &[(&str, &str)]) -> Answer {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let headers: String = headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
    let request = format!("{method} {path} HTTP/1.1\r\n{headers}connection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut read = Vec::new();
    tokio::time::timeout(Duration::from_secs(30), stream.read_to_end(&mut read)).await.unwrap().unwrap();
    let text = String::from_utf8(read).unwrap();
    let (head, body) = text.split_once("\r\n\r\n").unwrap();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    Answer { status, head: head.to_owned(), body: body.to_owned() }
}
