//! The formats in which a server can send replies.

/// The format in which the server sends replies. It does not change the values that commands return.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Encoding {
    /// JSON with base64 strings: any bytes arrive unchanged.
    ///
    /// A server of another make may ignore the header that asks for base64, and send plain strings. A string that is not
    /// base64 is then an error that names [`Encoding::Json`], but one that happens to be valid base64 is decoded to other
    /// bytes, which no client can notice. [`Redis::check`](crate::Redis::check) verifies a server when the program starts.
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
