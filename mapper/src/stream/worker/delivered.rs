//! What a handler takes.

use std::borrow::Cow;

use redis_rest::commands::stream::StreamId;
use redis_rest::{Error, ErrorKind, Result};

use super::turn::{Field, Fields, Ticket};
use crate::pairs::OutcomePairs;
use crate::stream::StreamModel;
use crate::write::Netstrings;

/// The number of fields that describe a redriven entry, before those of its event.
const DESCRIPTION: usize = 2;

/// An event that a [`Worker`](super::Worker) passes to its handler.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Delivered<M> {
    /// The id of its entry in the log. It stays the same however often the event is handled, so it is a good key for
    /// what must happen once.
    pub id: StreamId,
    /// The event.
    pub event: M,
    /// How often its handling has begun, this time included: 1 at first.
    pub attempt: u64,
    /// How often it was a dead letter and was moved back.
    pub redrives: u64,
}

impl<M: StreamModel> Delivered<M> {
    /// Reads an event from the fields of an entry.
    pub(super) fn read(ticket: Ticket, attempt: u64, fields: &Fields, key: &str) -> Result<Self> {
        let (id, redrives, own) = if ticket.is_redriven {
            let number = |at: usize| Some(std::str::from_utf8(fields.get(at)?.1.as_deref()?).ok()?.to_owned());
            let id = number(0).and_then(|id| id.parse().ok());
            let redrives = number(1).and_then(|redrives| redrives.parse().ok());
            let (Some(id), Some(redrives)) = (id, redrives) else {
                return Err(Error::new(ErrorKind::Decode, "the redriven entry does not name its entry in the log"));
            };
            (id, redrives, fields.get(DESCRIPTION..).unwrap_or_default())
        } else {
            (ticket.id, 0, fields.as_slice())
        };
        let event = read_event(own).map_err(|error| error.context(format!("entry {id}")).about(M::MODEL_NAME, key))?;
        Ok(Delivered { id, event, attempt, redrives })
    }
}

/// Reads an event from its fields.
pub(super) fn read_event<M: StreamModel>(fields: &[Field]) -> Result<M> {
    M::read(OutcomePairs(&unpacked(fields)))
}

/// Returns the fields of an entry that had so many that a script could not copy them: it made one field of all, in
/// which each name and each text follows its length, as in `3:sku3:tea`.
pub(super) fn unpacked(fields: &[Field]) -> Cow<'_, [Field]> {
    let [(name, Some(packed))] = fields else { return Cow::Borrowed(fields) };
    if name != b"::fields" {
        return Cow::Borrowed(fields);
    }
    // What is no such text was not made by the script.
    unpack(Netstrings(packed)).map_or(Cow::Borrowed(fields), Cow::Owned)
}

fn unpack(mut texts: Netstrings<'_>) -> Result<Fields> {
    let mut fields = Vec::new();
    while !texts.0.is_empty() {
        let name = texts.text()?.unwrap_or_default().into_owned();
        fields.push((name, texts.text()?.map(Cow::into_owned)));
    }
    Ok(fields)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packed_fields_come_back() {
        let packed = |text: &str| vec![(b"::fields".to_vec(), Some(text.as_bytes().to_vec()))];
        let pairs = [("sku", "tea"), ("", "5:x"), ("n", "")];
        let all: Fields =
            pairs.iter().map(|(name, text)| (name.as_bytes().to_vec(), Some(text.as_bytes().to_vec()))).collect();
        assert_eq!(*unpacked(&packed("3:sku3:tea0:3:5:x1:n0:")), *all);
        for odd in ["9:sku", "3sku", "99999999999999999999:x", "3:sku3:tea4", "3:sku"] {
            assert_eq!(*unpacked(&packed(odd)), *packed(odd), "{odd}");
        }
    }
}
