//! The addresses of a server's endpoints, parsed once.

use std::fmt::Display;

use super::Endpoint;

/// Addresses in the type of an HTTP client.
pub(super) struct Endpoints<U> {
    pub(super) command: U,
    pipeline: U,
    transaction: U,
}

impl<U: Clone + Display> Endpoints<U> {
    /// `parse` takes what stands after the slash at the end of the database's URL.
    pub(super) fn new<E>(parse: impl Fn(&str) -> Result<U, E>) -> Result<Self, E> {
        Ok(Endpoints { command: parse("")?, pipeline: parse("pipeline")?, transaction: parse("multi-exec")? })
    }

    /// Returns the address of an endpoint. `parse` takes a whole address: that of a command in the path.
    pub(super) fn of<E>(&self, endpoint: &Endpoint, parse: impl FnOnce(&str) -> Result<U, E>) -> Result<U, E> {
        match endpoint {
            Endpoint::Command => Ok(self.command.clone()),
            Endpoint::Pipeline => Ok(self.pipeline.clone()),
            Endpoint::Transaction => Ok(self.transaction.clone()),
            Endpoint::Path(path) => {
                let relative = path.strip_prefix('/').unwrap_or(path);
                parse(&format!("{}{relative}", self.command))
            }
        }
    }
}
