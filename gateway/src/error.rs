//! The error of this crate.

use std::fmt;

/// The reason why a gateway or a server could not be started.
///
/// The text says what is wrong and what to do, and includes the cause. Therefore `source` returns `None`.
///
/// ```
/// use redis_rest_gateway::Gateway;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let error = Gateway::over("localhost:6379").start().await.unwrap_err();
/// assert_eq!(
///     error.to_string(),
///     "the Redis URL is malformed: expected redis://[[user]:password@]host[:port][/database] or unix:///path",
/// );
/// # }
/// ```
#[derive(Debug)]
pub struct Error {
    message: String,
}

impl Error {
    pub(crate) fn new(message: impl Into<String>) -> Self {
        Error { message: message.into() }
    }

    /// Adds the cause to the message.
    pub(crate) fn caused(message: impl fmt::Display, cause: impl fmt::Display) -> Self {
        Error { message: format!("{message}: {cause}") }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Error {}
