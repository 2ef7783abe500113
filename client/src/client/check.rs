//! The command with which a client verifies its settings.

use crate::command::Command;
use crate::error::{Error, ErrorKind};
use crate::wire::IGNORES_ENCODING;

/// It is not base64, so a server that ignores `Upstash-Encoding: base64` is noticed.
const PROBE: &str = "réponse";

/// Asks the server to return a text, and verifies that it arrives unchanged.
pub(super) fn command() -> Command<()> {
    Command::read("ECHO").arg(PROBE).decode_with(|reply| match reply.bytes()? {
        bytes if bytes == PROBE.as_bytes() => Ok(()),
        _ => Err(Error::new(ErrorKind::Protocol, format!("the reply is not what was sent; {IGNORES_ENCODING}"))),
    })
}
