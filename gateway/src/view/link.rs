//! Links between the pages, and their parameters. Keys are bytes, which need not be UTF-8.

use percent_encoding::{NON_ALPHANUMERIC, percent_decode, percent_encode};

/// The path and the parameters of a link.
#[derive(Debug, Clone)]
pub(super) struct Link(String);

impl Link {
    /// Returns a link to a page without parameters.
    pub(super) fn to(path: &'static str) -> Link {
        Link(path.to_owned())
    }

    /// Returns a link to the page of a key.
    pub(super) fn to_key(key: &[u8]) -> Link {
        Link::to("/key").with("key", key)
    }

    /// Adds a parameter.
    pub(super) fn with(mut self, name: &'static str, value: impl AsRef<[u8]>) -> Link {
        self.0.push(if self.0.contains('?') { '&' } else { '?' });
        self.0.push_str(name);
        self.0.push('=');
        self.0.extend(percent_encode(value.as_ref(), NON_ALPHANUMERIC));
        self
    }

    pub(super) fn as_str(&self) -> &str {
        &self.0
    }
}

/// The parameters of a request.
#[derive(Debug)]
pub(super) struct Parameters(Vec<(Vec<u8>, Vec<u8>)>);

impl Parameters {
    /// Reads the query of a URL.
    pub(super) fn of(query: &str) -> Parameters {
        let decode = |text: &str| percent_decode(text.replace('+', " ").as_bytes()).collect();
        let pairs = query.split('&').filter(|pair| !pair.is_empty());
        Parameters(
            pairs
                .map(|pair| {
                    let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
                    (decode(name), decode(value))
                })
                .collect(),
        )
    }

    /// Returns a parameter, or `None` if it is missing or empty.
    pub(super) fn bytes(&self, name: &str) -> Option<&[u8]> {
        let found = self.0.iter().find(|(candidate, _)| candidate == name.as_bytes());
        found.map(|(_, value)| value.as_slice()).filter(|value| !value.is_empty())
    }

    /// Returns a parameter that is text.
    pub(super) fn text(&self, name: &str) -> Option<&str> {
        std::str::from_utf8(self.bytes(name)?).ok()
    }

    /// Returns a parameter that is a number, or 0.
    pub(super) fn number(&self, name: &str) -> u64 {
        self.text(name).and_then(|text| text.parse().ok()).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_any_bytes() {
        let key: Vec<u8> = (0..=255).collect();
        let link = Link::to_key(&key).with("field", "a&b=c d+e");
        let parameters = Parameters::of(link.as_str().split_once('?').unwrap().1);
        assert_eq!(parameters.bytes("key"), Some(key.as_slice()));
        assert_eq!(parameters.text("field"), Some("a&b=c d+e"));
        let typed = Parameters::of("search=two+words&empty=&offset=7&offset=8&=&&x");
        assert_eq!(typed.text("search"), Some("two words"));
        assert_eq!((typed.bytes("empty"), typed.number("offset"), typed.number("search")), (None, 7, 0));
    }
}
