//! The formats in which a server can send replies.

/// The format in which replies travel. It does not change the values that commands return.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Encoding {
    /// JSON with base64 strings. Every server supports it, and any bytes arrive unchanged.
    #[default]
    Base64,
    /// JSON with plain strings: a quarter fewer bytes than base64, but the server replaces bytes that are not UTF-8 with
    /// U+FFFD.
    Json,
    /// Redis's own protocol: any bytes, without base64. Transactions still use base64, because the service answers
    /// `/multi-exec` in JSON only. An error inside an array, which only scripts return, is text in the other encodings.
    Resp2,
}

impl Encoding {
    /// The format in which transactions are answered.
    pub(crate) fn of_transactions(self) -> Self {
        if self == Encoding::Resp2 { Encoding::Base64 } else { self }
    }
}
