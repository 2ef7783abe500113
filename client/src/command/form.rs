//! The forms of a script: by its SHA-1 or in full, in the dialect of the server, with its once slot filled.

use std::borrow::Cow;
use std::ops::Range;
use std::time::Duration;

use super::args::Args;
use super::idempotency::Idempotency;
use super::learned::Dialect;
use super::script::{Script, ScriptCall};
use crate::error::{Error, ErrorKind, Result};
use crate::wire::request::push_text;

/// The script that an encoded command names by its SHA-1.
#[derive(Debug, Clone)]
pub(crate) struct Scripted {
    script: Script,
    /// Where the SHA-1 ends, in bytes of the encoded command.
    sha1_end: usize,
    /// The once slot, while it is empty.
    slot: Option<Slot>,
}

/// An empty once slot: where its key and its time belong in the encoded command.
#[derive(Debug, Clone)]
struct Slot {
    prefix: Cow<'static, str>,
    /// The number of keys, and where it stands.
    keys: usize,
    number: Range<usize>,
    /// Where the time stands.
    time: Range<usize>,
}

/// The position of the number of keys among the arguments, after the command's name and the SHA-1.
const NUMBER: usize = 2;

impl Scripted {
    /// Adds the script's SHA-1, its keys and its arguments to the command's name.
    pub(super) fn encode(args: &mut Args, call: ScriptCall) -> Self {
        let (script, keys, own, once) = call.into_parts();
        args.push(script.sha1());
        let sha1_end = args.len();
        let count = keys.count();
        args.push(count);
        let number = sha1_end..args.len();
        args.append(keys);
        let keys_end = args.len();
        let slot = once.map(|prefix| {
            args.push(0);
            Slot { prefix, keys: count, number, time: keys_end..args.len() }
        });
        args.append(own);
        Scripted { script, sha1_end, slot }
    }

    /// Whether the script has an empty once slot.
    pub(super) fn has_slot(&self) -> bool {
        self.slot.is_some()
    }

    /// Fills the once slot in `args`, so that the script keeps its outcome for `keep`.
    pub(super) fn fill_once(&mut self, args: &mut Args, keep: Duration) -> Result<()> {
        let Some(Slot { prefix, keys, number, time }) = self.slot.take() else { return Ok(()) };
        let key = format!("{prefix}::once:{}", nonce()?);
        // The time first: the bytes in front of it stay where they are.
        args.replace(NUMBER + 1 + keys, time, &[&keep.as_millis().max(1).to_string()]);
        args.replace(NUMBER, number, &[&(keys + 1).to_string(), &key]);
        Ok(())
    }

    pub(crate) fn can_lock_keys(&self) -> bool {
        self.script.can_lock_keys()
    }

    /// Appends the encoded command `json` in another form.
    pub(crate) fn render(&self, json: &[u8], dialect: Dialect, in_full: bool, out: &mut Vec<u8>) {
        let text = self.script.text(dialect);
        let name = match (in_full, self.script.idempotency()) {
            (true, Idempotency::ReadOnly) => "EVAL_RO",
            (true, _) => "EVAL",
            (false, Idempotency::ReadOnly) => "EVALSHA_RO",
            (false, _) => "EVALSHA",
        };
        out.push(b'[');
        push_text(out, name);
        out.push(b',');
        if in_full {
            out.extend_from_slice(&text.json);
        } else {
            push_text(out, &text.sha1);
        }
        out.extend_from_slice(json.get(self.sha1_end..).unwrap_or_default());
    }

    /// The SHA-1 of the script in the plain dialect.
    pub(super) fn sha1(&self) -> &str {
        self.script.sha1()
    }

    /// How many bytes longer a form can be than the command as it is encoded.
    pub(super) fn extra_bytes(&self) -> usize {
        self.script.text(Dialect::Locking).json.len()
    }
}

/// Returns 128 random bits in hexadecimal digits: what tells one call from all others, however often it is sent.
pub fn nonce() -> Result<String> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).map_err(|error| {
        let why = format!("a command that executes once needs a random number from the operating system: {error}");
        Error::new(ErrorKind::Config, why)
    })?;
    Ok(format!("{:032x}", u128::from_ne_bytes(bytes)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::{Command, Encoded, Learned};

    fn once() -> Command {
        Script::new("return 1").key_locking().key("a").key("b").arg("x").once_under("user").command()
    }

    #[test]
    fn an_empty_once_slot_is_a_zero() {
        assert_eq!(once().args().iter().skip(2).collect::<Vec<_>>(), ["2", "a", "b", "0", "x"]);
    }

    #[test]
    fn a_filled_once_slot_has_a_key_and_a_time() {
        let (mut command, mut other) = (once(), once());
        for command in [&mut command, &mut other] {
            command.fill_once(Duration::from_secs(20));
        }
        let args = command.args();
        let [_, _, number, key, rest @ ..] = args.as_slice() else { panic!("{args:?}") };
        assert_eq!((&number[..], rest), (&b"3"[..], &["a", "b", "20000", "x"].map(Into::into)[..]));
        let nonce = key.strip_prefix(b"user::once:").unwrap();
        assert!(nonce.len() == 32 && nonce.iter().all(u8::is_ascii_hexdigit));
        assert_ne!(key, &other.args()[3]);
        // Filled once, it stays as it is.
        command.fill_once(Duration::from_secs(1));
        assert_eq!(command.args(), args);
    }

    #[test]
    fn bytes_that_are_not_text_keep_their_place_behind_the_slot() {
        let call = Script::new("return 1").key("a").arg("x").arg(b"\xff".as_slice()).once_under("user");
        let mut command = call.command();
        command.fill_once(Duration::from_secs(20));
        assert_eq!(command.args().iter().skip(4).collect::<Vec<_>>(), [&b"a"[..], b"20000", b"x", b"\xff"]);
    }

    #[test]
    fn the_slot_stays_empty_in_a_group() {
        let mut group = once().and(once(), |_| Ok(()));
        group.fill_once(Duration::from_secs(20));
        assert_eq!(group.commands()[0][2..], ["2", "a", "b", "0", "x"]);
    }

    #[test]
    fn a_pipeline_has_the_dialect_that_the_server_is_known_to_understand() {
        let body = |mut encoded: Encoded, learned: &Learned| {
            for _ in 0..2 {
                encoded.push(once());
            }
            String::from_utf8(encoded.into_body(learned).unwrap().unwrap().bytes.into()).unwrap()
        };
        let locking = Learned::default();
        locking.set_dialect(Dialect::Locking);
        let flag = "#!lua flags=allow-key-locking";
        let known = body(Encoded::new(), &locking);
        assert!(known.starts_with(&format!("[[\"EVAL\",\"{flag}\\nreturn 1\",\"2\"")), "{known}");
        assert!(known.contains("],[\"EVALSHA\",\""), "{known}");
        for plain in [body(Encoded::new(), &Learned::default()), body(Encoded::atomic(), &locking)] {
            assert!(plain.starts_with("[[\"EVAL\",\"return 1\",\"2\"") && !plain.contains(flag), "{plain}");
        }
    }
}
