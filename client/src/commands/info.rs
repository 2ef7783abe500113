//! Replies that alternate names and values: XINFO, FUNCTION LIST, ACL GETUSER.

use crate::error::{Error, ErrorKind, Result};
use crate::reply::{FromReply, Reply};

/// A flat array of names and values, looked up by name.
pub(super) struct Info<'a>(Vec<(&'a str, Reply<'a>)>);

impl<'a> Info<'a> {
    pub(super) fn of(reply: Reply<'a>) -> Result<Self> {
        reply.pairs()?.map(|(name, value)| Ok((name.text()?, value))).collect::<Result<Vec<_>>>().map(Info)
    }

    /// Returns the value of `name`.
    pub(super) fn get<T: FromReply>(&self, name: &str) -> Result<T> {
        match self.0.iter().find(|(found, _)| *found == name) {
            Some((_, value)) => T::from_reply(*value),
            None => Err(Error::new(ErrorKind::Decode, format!("the reply has no `{name}`"))),
        }
    }

    /// Returns the value of `name`, which older servers omit.
    pub(super) fn get_optional<T: FromReply>(&self, name: &str) -> Result<Option<T>> {
        match self.0.iter().find(|(found, _)| *found == name) {
            Some((_, value)) => Option::from_reply(*value),
            None => Ok(None),
        }
    }
}
