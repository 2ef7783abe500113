//! Scripts with the flag `allow-key-locking`, which only the service has.
//!
//! Open-source servers refuse a script with an unknown flag, so the gateway removes the flag from the text that it sends.
//! The SHA-1 of the text that is sent differs from that of the client's text. The gateway remembers both, so the client can
//! use that of its own text everywhere.

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};

use bytes::Bytes;

use crate::resp::{Args, Value};

const FLAG: &[u8] = b"allow-key-locking";

/// The largest number of scripts to remember. A client sends a forgotten script again, as it does if Redis has forgotten it.
const MAX_SCRIPTS: usize = 10_000;

/// The SHA-1s of the scripts whose text was changed.
#[derive(Debug, Default)]
pub(crate) struct Scripts(Mutex<Known>);

#[derive(Debug, Default)]
struct Known {
    /// The SHA-1 of each client's text, and that of the text that was sent instead.
    sent: HashMap<Bytes, Bytes>,
    oldest_first: VecDeque<Bytes>,
}

/// The SHA-1 of a script in both texts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Renamed {
    original: Bytes,
    sent: Bytes,
}

impl Renamed {
    /// Puts the SHA-1 of the client's text into the reply of SCRIPT LOAD, and into an error.
    pub(crate) fn restore(&self, reply: Value) -> Value {
        match reply {
            Value::Bulk(sha) if sha == self.sent => Value::Bulk(self.original.clone()),
            Value::Error(text) => match text.windows(self.sent.len()).position(|part| part == self.sent) {
                None => Value::Error(text),
                Some(at) => {
                    let (before, rest) = text.split_at(at);
                    let after = rest.get(self.sent.len()..).unwrap_or_default();
                    Value::Error([before, &self.original, after].concat().into())
                }
            },
            other => other,
        }
    }
}

impl Scripts {
    /// Replaces texts and SHA-1s by those that Redis is to get. Returns what the reply needs, if the text has changed.
    pub(crate) fn replace(&self, args: &mut Args) -> Option<Renamed> {
        let is = |at: usize, word: &str| args.get(at).is_some_and(|arg| arg.eq_ignore_ascii_case(word.as_bytes()));
        let text_at = match () {
            () if is(0, "EVAL") || is(0, "EVAL_RO") => 1,
            () if is(0, "SCRIPT") && is(1, "LOAD") => 2,
            () if is(0, "EVALSHA") || is(0, "EVALSHA_RO") => return self.replace_sha(args.get_mut(1)?),
            () if is(0, "SCRIPT") && is(1, "EXISTS") => {
                args.iter_mut().skip(2).for_each(|sha| drop(self.replace_sha(sha)));
                return None;
            }
            () => return None,
        };
        let text = args.get_mut(text_at)?;
        let renamed = {
            let sent = without_flag(text)?;
            let renamed = Renamed { original: sha1(text), sent: sha1(&sent) };
            *text = sent;
            renamed
        };
        self.remember(&renamed);
        Some(renamed)
    }

    fn replace_sha(&self, sha: &mut Bytes) -> Option<Renamed> {
        let original = Bytes::from(sha.to_ascii_lowercase());
        let sent = self.known().sent.get(&original)?.clone();
        *sha = sent.clone();
        Some(Renamed { original, sent })
    }

    fn remember(&self, renamed: &Renamed) {
        let mut known = self.known();
        if known.sent.insert(renamed.original.clone(), renamed.sent.clone()).is_some() {
            return;
        }
        known.oldest_first.push_back(renamed.original.clone());
        if known.oldest_first.len() > MAX_SCRIPTS
            && let Some(oldest) = known.oldest_first.pop_front()
        {
            known.sent.remove(&oldest);
        }
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn sha1(text: &[u8]) -> Bytes {
    sha1_smol::Sha1::from(text).digest().to_string().into()
}

/// Returns the script without the flag in its first line, or `None` if it does not have the flag.
///
/// A line with nothing else is left empty: with `#!lua`, a server whose memory is full would refuse scripts that only delete.
fn without_flag(script: &[u8]) -> Option<Bytes> {
    let end = script.iter().position(|&byte| byte == b'\n')?;
    let (line, body) = script.split_at(end);
    if !line.starts_with(b"#!") {
        return None;
    }
    let mut has_flag = false;
    let mut sent = Vec::with_capacity(script.len());
    for option in line.split(u8::is_ascii_whitespace).filter(|option| !option.is_empty()) {
        let Some(flags) = option.strip_prefix(b"flags=") else {
            push_word(&mut sent, option);
            continue;
        };
        let others: Vec<&[u8]> = flags.split(|&byte| byte == b',').filter(|flag| *flag != FLAG).collect();
        has_flag |= others.len() < flags.split(|&byte| byte == b',').count();
        if !others.is_empty() {
            push_word(&mut sent, b"flags=");
            sent.extend(others.join(&b','));
        }
    }
    if sent == b"#!lua" {
        sent.clear();
    }
    sent.extend_from_slice(body);
    has_flag.then(|| sent.into())
}

fn push_word(line: &mut Vec<u8>, word: &[u8]) {
    if !line.is_empty() {
        line.push(b' ');
    }
    line.extend_from_slice(word);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_flag_is_removed() {
        for (script, sent) in [
            ("#!lua flags=allow-key-locking\nreturn 1", Some("\nreturn 1")),
            ("#!lua  flags=no-writes,allow-key-locking\n\nx", Some("#!lua flags=no-writes\n\nx")),
            ("#!lua flags=allow-key-locking,no-writes\r\nx", Some("#!lua flags=no-writes\nx")),
            ("#!lua flags=no-writes\nx", None),
            ("#!lua\nreturn 'flags=allow-key-locking'", None),
            ("return 1 -- flags=allow-key-locking\n", None),
            ("#!lua flags=allow-key-locking", None),
            ("\n#!lua flags=allow-key-locking\nx", None),
            ("", None),
        ] {
            assert_eq!(without_flag(script.as_bytes()), sent.map(|sent| sent.as_bytes().to_vec().into()), "{script}");
        }
    }

    #[test]
    fn a_sha1_is_that_of_the_clients_text() {
        let scripts = Scripts::default();
        let text = "#!lua flags=allow-key-locking\nreturn 1";
        let original = sha1(text.as_bytes());
        let mut load: Args = vec!["script".into(), "load".into(), text.into()];
        let renamed = scripts.replace(&mut load).unwrap();
        assert_eq!(renamed.restore(Value::Bulk(sha1(&load[2]))), Value::Bulk(original.clone()));
        let error = Value::Error([b"ERR script: ", &*sha1(&load[2]), b", on x"].concat().into());
        let expected = Value::Error([b"ERR script: ", &*original, b", on x"].concat().into());
        assert_eq!(renamed.restore(error), expected);

        let upper = Bytes::from(original.to_ascii_uppercase());
        let mut call: Args = vec!["EVALSHA".into(), upper.clone(), "0".into()];
        assert_eq!(scripts.replace(&mut call), Some(renamed));
        assert_eq!(call[1], sha1(&load[2]));
        let mut exists: Args = vec!["SCRIPT".into(), "EXISTS".into(), "0".into(), upper];
        assert_eq!(scripts.replace(&mut exists), None);
        assert_eq!(exists, [&b"SCRIPT"[..], b"EXISTS", b"0", &sha1(&load[2])]);
    }

    #[test]
    fn old_scripts_are_forgotten() {
        let scripts = Scripts::default();
        for number in 0..=MAX_SCRIPTS {
            let text = format!("#!lua flags=allow-key-locking\nreturn {number}");
            scripts.replace(&mut vec!["EVAL".into(), text.into(), "0".into()]);
        }
        let known = scripts.known();
        assert_eq!((known.sent.len(), known.oldest_first.len()), (MAX_SCRIPTS, MAX_SCRIPTS));
    }
}
