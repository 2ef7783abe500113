//! Where there is no HTTP client that all programs share: the user sets a transport.

use std::convert::Infallible;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;

use super::{Transport, TransportError};
use crate::error::{Error, ErrorKind, Result};

pub(crate) fn open(_base: &str, _connect_timeout: Duration) -> Result<Arc<dyn Transport>> {
    let message = "there is no HTTP client for this platform: set one with `RedisBuilder::transport`";
    Err(Error::new(ErrorKind::Config, message))
}

/// What an interrupted request means.
pub(crate) const INTERRUPTED: &str = "the connection broke before the whole reply arrived";

/// There are none.
pub(super) struct Chunks(Infallible);

impl Chunks {
    pub(super) fn poll_next(
        &mut self,
        _: &mut Context<'_>,
    ) -> Poll<Option<std::result::Result<Bytes, TransportError>>> {
        match self.0 {}
    }

    pub(super) fn announced_bytes(&self) -> u64 {
        match self.0 {}
    }
}
