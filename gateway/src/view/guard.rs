//! Who may see a page, and what a browser may do with it.
//!
//! The view shows all data, so these must not see it:
//!
//! - Other machines: the listener is bound to a loopback address.
//! - Web pages of other origins. There is no CORS header, and a request that a browser sends for a page of another origin is
//!   refused by its `Sec-Fetch-Site` and its `Origin`. `same-site` is refused too: for a browser, all ports of 127.0.0.1 are one
//!   site.
//! - A page whose name was made to resolve to 127.0.0.1 (DNS rebinding). For a browser it would be of the same origin, but its
//!   `Host` is no name of this machine.
//! - Other users of this machine. They can connect, so each request needs a key: 256 random bits in the URL that the program
//!   prints. The first request exchanges it for a cookie with another secret, and a redirect takes the key out of the address
//!   bar. The key can be used again until the gateway stops, since the cookie is gone when the browser is closed.
//!
//! A cookie has no port. A server of another user of this machine gets it if the browser visits that server at the same address.
//! Where that matters, give the view an address of its own: `--view-listen 127.0.0.2:8078`.

use axum::http::header::{COOKIE, HOST, ORIGIN};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method};

use crate::auth::is_same;
use crate::error::Error;
use crate::secret::random_secret;

use super::link::Parameters;

/// The secrets of a view.
pub(crate) struct Guard {
    /// Part of the URL.
    key: String,
    /// Names the cookie of this gateway: browsers share cookies between the ports of a host.
    name: String,
    cookie: String,
}

/// What to do with a request.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Show the page.
    Allow,
    /// Set the cookie, and redirect to the page without the key.
    Enter,
    Refuse(Refusal),
}

/// Why a request is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Refusal {
    Method,
    Host,
    Site,
    Key,
}

impl Guard {
    pub(super) fn new(port: u16) -> Result<Guard, Error> {
        Ok(Guard { key: random_secret()?, name: format!("redis-rest-view-{port}"), cookie: random_secret()? })
    }

    /// Returns the key of the URL.
    pub(super) fn key(&self) -> &str {
        &self.key
    }

    /// Returns the header that sets the cookie.
    pub(super) fn set_cookie(&self) -> String {
        format!("{}={}; Path=/; HttpOnly; SameSite=Strict", self.name, self.cookie)
    }

    /// Judges a request by all but its path.
    pub(super) fn judge(&self, method: &Method, headers: &HeaderMap, parameters: &Parameters) -> Verdict {
        if method != Method::GET {
            Verdict::Refuse(Refusal::Method)
        } else if !is_of_this_machine(headers) {
            Verdict::Refuse(Refusal::Host)
        } else if !is_of_this_origin(headers) {
            Verdict::Refuse(Refusal::Site)
        } else if parameters.text("access").is_some_and(|key| is_same(key, &self.key)) {
            Verdict::Enter
        } else if self.has_cookie(headers) {
            Verdict::Allow
        } else {
            Verdict::Refuse(Refusal::Key)
        }
    }

    fn has_cookie(&self, headers: &HeaderMap) -> bool {
        let cookies = headers.get_all(COOKIE).iter().filter_map(|value| value.to_str().ok());
        let mut pairs = cookies.flat_map(|cookies| cookies.split(';')).filter_map(|pair| pair.trim().split_once('='));
        pairs.any(|(name, value)| name == self.name && is_same(value, &self.cookie))
    }
}

/// Returns the `Host` of a request. Two of them are none: the two ends could read different ones.
fn host(headers: &HeaderMap) -> Option<&str> {
    let mut hosts = headers.get_all(HOST).iter();
    let host = hosts.next()?.to_str().ok()?;
    hosts.next().is_none().then_some(host)
}

/// Returns whether the `Host` is a loopback address or `localhost`. The port may be another one: that of a tunnel.
fn is_of_this_machine(headers: &HeaderMap) -> bool {
    let Some(host) = host(headers) else { return false };
    let (name, port) = match host.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((name, rest)) => (name, rest),
        None => host.split_at(host.find(':').unwrap_or(host.len())),
    };
    let has_port = port.strip_prefix(':').map_or(port.is_empty(), |port| port.parse::<u16>().is_ok());
    let is_loopback = name.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback());
    has_port && (is_loopback || name.eq_ignore_ascii_case("localhost"))
}

/// Returns whether no other web page has caused the request. Programs other than browsers send none of these headers.
fn is_of_this_origin(headers: &HeaderMap) -> bool {
    let header = |name: HeaderName| headers.get(name).map(|value| value.to_str().unwrap_or("invalid"));
    let is_same_site = header(HeaderName::from_static("sec-fetch-site"))
        // `none` is a request that the user has made, such as by a bookmark or in the address bar.
        .is_none_or(|site| site == "same-origin" || site == "none");
    let is_same_origin = header(ORIGIN)
        .is_none_or(|origin| origin.strip_prefix("http://").is_some_and(|origin| Some(origin) == host(headers)));
    is_same_site && is_same_origin
}

/// The headers of each response.
///
/// The page can load nothing from elsewhere, run no script but its own, and send nothing anywhere. No other page can show it in a
/// frame, and no cache keeps it.
const HEADERS: [(&str, &str); 8] = [
    (
        "content-security-policy",
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'; \
         base-uri 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'",
    ),
    ("x-content-type-options", "nosniff"),
    ("x-frame-options", "DENY"),
    ("referrer-policy", "no-referrer"),
    ("cache-control", "no-store"),
    ("cross-origin-resource-policy", "same-origin"),
    ("cross-origin-opener-policy", "same-origin"),
    ("permissions-policy", "camera=(), geolocation=(), microphone=()"),
];

/// Adds the headers of each response.
pub(super) fn protect(headers: &mut HeaderMap) {
    for (name, value) in HEADERS {
        headers.insert(HeaderName::from_static(name), HeaderValue::from_static(value));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn guard() -> Guard {
        Guard { key: "the-key".into(), name: "view".into(), cookie: "secret".into() }
    }

    fn verdict(headers: &[(&str, &str)], query: &str) -> Verdict {
        let pair = |(name, value): &(&str, &str)| (name.parse::<HeaderName>().unwrap(), value.parse().unwrap());
        let mut map = HeaderMap::new();
        for (name, value) in headers.iter().map(pair) {
            map.append(name, value);
        }
        guard().judge(&Method::GET, &map, &Parameters::of(query))
    }

    const COOKIES: (&str, &str) = ("cookie", "other=1; view=secret");

    #[test]
    fn the_host_is_a_name_of_this_machine() {
        for (host, expected) in [
            ("127.0.0.1:8078", Verdict::Allow),
            ("127.0.0.1", Verdict::Allow),
            ("127.8.8.8:1", Verdict::Allow),
            ("localhost:9000", Verdict::Allow),
            ("LOCALHOST", Verdict::Allow),
            ("[::1]:8078", Verdict::Allow),
            ("[::1]", Verdict::Allow),
            ("evil.example:8078", Verdict::Refuse(Refusal::Host)),
            ("127.0.0.1.evil.example", Verdict::Refuse(Refusal::Host)),
            ("localhost.evil.example:8078", Verdict::Refuse(Refusal::Host)),
            ("127.0.0.1:8078:x", Verdict::Refuse(Refusal::Host)),
            ("127.0.0.1:", Verdict::Refuse(Refusal::Host)),
            ("[::1", Verdict::Refuse(Refusal::Host)),
            ("[::1].evil.example", Verdict::Refuse(Refusal::Host)),
            ("[::1]evil.example", Verdict::Refuse(Refusal::Host)),
            ("10.0.0.1:8078", Verdict::Refuse(Refusal::Host)),
            ("0.0.0.0:8078", Verdict::Refuse(Refusal::Host)),
            ("", Verdict::Refuse(Refusal::Host)),
        ] {
            assert_eq!(verdict(&[("host", host), COOKIES], ""), expected, "{host}");
        }
        assert_eq!(verdict(&[COOKIES], ""), Verdict::Refuse(Refusal::Host));
        let twice = [("host", "localhost"), ("host", "localhost"), COOKIES];
        assert_eq!(verdict(&twice, ""), Verdict::Refuse(Refusal::Host));
    }

    #[test]
    fn other_pages_cause_no_requests() {
        let host = ("host", "127.0.0.1:8078");
        for (header, expected) in [
            (("sec-fetch-site", "same-origin"), Verdict::Allow),
            (("sec-fetch-site", "none"), Verdict::Allow),
            (("sec-fetch-site", "same-site"), Verdict::Refuse(Refusal::Site)),
            (("sec-fetch-site", "cross-site"), Verdict::Refuse(Refusal::Site)),
            (("origin", "http://127.0.0.1:8078"), Verdict::Allow),
            (("origin", "http://127.0.0.1:3000"), Verdict::Refuse(Refusal::Site)),
            (("origin", "https://127.0.0.1:8078"), Verdict::Refuse(Refusal::Site)),
            (("origin", "null"), Verdict::Refuse(Refusal::Site)),
        ] {
            assert_eq!(verdict(&[host, COOKIES, header], ""), expected, "{header:?}");
            // The key does not help them either.
            let by_key = if expected == Verdict::Allow { Verdict::Enter } else { expected };
            assert_eq!(verdict(&[host, header], "access=the-key"), by_key, "{header:?}");
        }
    }

    #[test]
    fn a_request_has_the_key_or_the_cookie() {
        let host = ("host", "localhost");
        for (cookie, query, expected) in [
            ("view=secret", "", Verdict::Allow),
            ("", "access=the-key", Verdict::Enter),
            ("view=secret", "access=wrong", Verdict::Allow),
            ("", "access=wrong", Verdict::Refuse(Refusal::Key)),
            ("", "access=", Verdict::Refuse(Refusal::Key)),
            ("", "", Verdict::Refuse(Refusal::Key)),
            ("view=", "", Verdict::Refuse(Refusal::Key)),
            ("view=the-key", "", Verdict::Refuse(Refusal::Key)),
            ("other=secret", "", Verdict::Refuse(Refusal::Key)),
            ("", "access=secret", Verdict::Refuse(Refusal::Key)),
        ] {
            assert_eq!(verdict(&[host, ("cookie", cookie)], query), expected, "{cookie} {query}");
        }
    }
}
