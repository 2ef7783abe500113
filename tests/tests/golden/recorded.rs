//! The requests that the official TypeScript SDK was recorded to send (`tests/sdk/array-vector.mjs`).

use std::collections::BTreeMap;

use redis_model::redis_rest::Command;
use serde_json::Value;

/// Calls by their names, and the arguments that each of them sends.
pub(crate) struct Recorded(BTreeMap<String, Vec<Value>>);

impl Recorded {
    /// The calls whose names begin so.
    pub(crate) fn load(prefix: &str) -> Self {
        let all: BTreeMap<String, Vec<Value>> =
            serde_json::from_str(include_str!("../../sdk/array-vector-typescript.json")).expect("a recording");
        Recorded(all.into_iter().filter(|(call, _)| call.starts_with(prefix)).collect())
    }

    /// Takes the recording of a call, which our command must equal. JavaScript sends numbers, we send their text.
    pub(crate) fn check<R>(&mut self, call: &str, command: Command<R>) {
        command.validate().unwrap_or_else(|error| panic!("{call}: {error}"));
        // Where the keys of commands are tested, it looks at these.
        let _ = crate::lines(&command);
        let theirs = self.0.remove(call).unwrap_or_else(|| panic!("no recording of {call}"));
        let ours = command.args();
        assert_eq!(ours.len(), theirs.len(), "{call}: {ours:?} {theirs:?}");
        for (ours, theirs) in ours.iter().zip(theirs) {
            let ours = std::str::from_utf8(ours).expect("text");
            match theirs.as_str() {
                Some(text) => assert_eq!(ours, text, "{call}"),
                None => assert_eq!(ours.parse().ok(), theirs.as_f64(), "{call}"),
            }
        }
    }

    /// Checks that no recording is left.
    pub(crate) fn finish(self) {
        assert!(self.0.is_empty(), "not compared: {:?}", self.0.keys());
    }
}
