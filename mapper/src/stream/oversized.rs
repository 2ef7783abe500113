//! Entries that are larger than a reply may be: they are found without their fields, so that a reader names them and
//! goes on.

use std::ops::Bound;
use std::sync::LazyLock;

use redis_rest::commands::stream::StreamId;
use redis_rest::{Command, Error, FromReply as _, Result, Script, ScriptCall};

use super::{Entry, StreamModel};
use crate::scripts::{lua, script};

static NEXT_ID: LazyLock<Script> = LazyLock::new(|| script(&[lua::NEXT_ID]).read_only().key_locking());

/// Returns the id of the first entry of a range. `command` is the one whose reply was too large: XRANGE, or
/// XREVRANGE, which begins at the end.
pub(super) fn first_id(
    key: &str,
    command: &'static str,
    (start, end): (Bound<StreamId>, Bound<StreamId>),
) -> Command<Option<StreamId>> {
    let (start, end) = (text(start, "-"), text(end, "+"));
    let [first, second] = if command == "XREVRANGE" { [end, start] } else { [start, end] };
    let call = ScriptCall::from(&NEXT_ID).key(key).arg(command).arg(first).arg(second);
    call.command().decode_with(Option::<StreamId>::from_reply)
}

/// Returns the entry with this id, whose event is the error that no reply has room for it.
pub(super) fn entry<M: StreamModel>(id: StreamId, error: Error, key: &str) -> Entry<Result<M>> {
    let what = format!("entry {id}: larger than a reply may be; raise `max_response_bytes` of the client");
    Entry { id, event: Err(error.context(what).about(M::MODEL_NAME, key)) }
}

fn text(bound: Bound<StreamId>, unbounded: &str) -> String {
    match bound {
        Bound::Included(id) => id.to_string(),
        Bound::Excluded(id) => format!("({id}"),
        Bound::Unbounded => unbounded.to_owned(),
    }
}
