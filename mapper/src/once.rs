//! Once, by a key of the caller: what appends and jobs have in common. The guide `logs` has the whole rule.

use std::borrow::Cow;
use std::time::Duration;

use crate::key::MAX_KEY;

/// For how long a key is known, if the caller does not say.
const ONCE_FOR: Duration = Duration::from_secs(24 * 60 * 60);

/// The longest time for which a key is known.
const LONGEST: Duration = Duration::from_secs(100 * 365 * 86_400);

/// The key of a caller, and for how long it is known.
#[derive(Debug, Clone, Default)]
pub(crate) struct Once {
    pub(crate) key: Option<Cow<'static, str>>,
    pub(crate) known_for: Option<Duration>,
}

impl Once {
    /// Always.
    pub(crate) const NO: Once = Once { key: None, known_for: None };

    /// Returns the name of the string that stands for the key, if there is one, and for how long it does. `room` is
    /// what its name begins with. The error says why that is not possible.
    pub(crate) fn slot(&self, room: &str) -> Result<Option<(String, Duration)>, &'static str> {
        let known_for = self.known_for.unwrap_or(ONCE_FOR);
        match self.key.as_deref() {
            None if self.known_for.is_some() => {
                Err("`once_for` has no effect without `once`; add `once`, or remove it")
            }
            None => Ok(None),
            Some("") => Err("the key of `once` is empty; use what identifies the reason of the call"),
            Some(_) if known_for > LONGEST => Err("`once_for` is longer than 100 years; use a shorter time"),
            Some(_) if known_for.is_zero() => Err("`once_for` of 0 would know no key; use at least a millisecond"),
            Some(key) if room.len() + 1 + key.len() > MAX_KEY => {
                Err("the key of `once` is too long: with what it belongs to, it has at most 32 KB; use a hash of it")
            }
            Some(key) => Ok(Some((format!("{room}:{key}"), known_for))),
        }
    }
}
