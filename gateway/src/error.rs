//! The error of this crate.

use std::fmt;

/// The reason why a gateway or a server could not be started.
///
/// The text says what is wrong and what to do, and includes the cause.
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
    source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

impl Error {
    pub(crate) fn new(message: impl Into<String>) -> Self {
        Error { message: message.into(), source: None }
    }

    pub(crate) fn with_source(
        message: impl Into<String>,
        source: impl Into<Box<dyn std::error::Error + Send + Sync>>,
    ) -> Self {
        Error { message: message.into(), source: Some(source.into()) }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        match &self.source {
            Some(source) => write!(f, ": {source}"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.source.as_deref().map(|source| source as _)
    }
}
