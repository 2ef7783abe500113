//! Commands that execute once, however often they are sent: inside a script that keeps their replies.

use std::collections::BTreeSet;
use std::iter;
use std::mem;
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use super::args::Args;
use super::form::Scripted;
use super::idempotency::Idempotency;
use super::script::{Script, ScriptCall};
use super::{Command, Execution};
use crate::error::{Error, ErrorKind, Result};
use crate::reply::Reply;
use crate::wire::tape::Tape;
use crate::wire::{self, Encoding};

/// Runs the commands whose keys are known.
static LOCKING: LazyLock<Script> = LazyLock::new(|| PLAIN.clone().key_locking());

/// Runs the commands whose keys are unknown, for which the service locks the database.
static PLAIN: LazyLock<Script> = LazyLock::new(|| Script::new(include_str!("../scripts/any.lua")));

/// The most arguments of one command. Lua's stack has room for some 8,000.
const MAX_ARGS: usize = 4000;

/// The longest key that the once key begins with, in bytes.
const MAX_PREFIX: usize = 1024;

/// What once keys begin with if no key of the command is known.
const NO_KEY: &str = "redis-rest";

/// Commands that no server runs inside a script: those with the flag `noscript`, themselves or in all their subcommands.
const NOT_IN_SCRIPTS: &str = "\
    ACL AUTH BGREWRITEAOF BGSAVE CLIENT CONFIG DEBUG DISCARD EVAL EVALSHA EVALSHA_RO EVAL_RO EXEC FAILOVER FCALL FCALL_RO \
    FUNCTION HELLO LATENCY MODULE MONITOR MULTI PSUBSCRIBE PSYNC PUNSUBSCRIBE QUIT REPLCONF REPLICAOF RESET ROLE SAVE \
    SCRIPT SHUTDOWN SLAVEOF SSUBSCRIBE SUBSCRIBE SUNSUBSCRIBE SYNC UNSUBSCRIBE UNWATCH WATCH";

impl<R> Command<R> {
    /// Makes the client execute the command exactly once, although it sends it again after a lost reply: `INCR` counts once,
    /// and returns what it returned first, whatever others wrote in between. Call it last.
    ///
    /// Without it, a lost reply of such a write is an error, because the client cannot know whether it was executed.
    /// [`Request::exactly_once`](crate::Request::exactly_once) and
    /// [`blocking::Redis::exactly_once`](crate::blocking::Redis::exactly_once) are the short forms.
    ///
    /// ```no_run
    /// # async fn example(redis: redis_rest::Redis) -> redis_rest::Result<()> {
    /// use redis_rest::{Build, Command, Executor, StringCommands};
    ///
    /// let hits = redis.submit(Build.incr("hits").exactly_once()).await?;
    /// assert_eq!(hits, 1);
    ///
    /// // A command by its name: `key` marks the keys.
    /// let add = Command::write("BF.ADD").key("seen").arg("ada").reply::<bool>();
    /// let is_new = redis.submit(add.exactly_once()).await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Price
    ///
    /// A script runs the command: still one round trip, and some 6 microseconds of the server's time (an `INCR` alone takes
    /// 0.2). The script keeps the reply under one more key for twice the [deadline](crate::RedisBuilder::deadline) of the
    /// call: some 150 bytes and the reply. Its name is the command's first key, `::once:` and 32 random digits; without a
    /// known key, `redis-rest::once:` and these. The server counts four commands: `EVALSHA`, `GET`, the command, and `SET`.
    /// The first call on a server that does not know the script takes a second round trip, or up to two more on an
    /// open-source server: see [`Script::key_locking`](crate::Script::key_locking).
    ///
    /// On the service, the script locks the keys that the command [marks](Command::key), and the whole database if it marks
    /// none.
    ///
    /// # What it does not do
    ///
    /// - If the server evicts that key before the last attempt, that attempt executes the command again. A server does so only
    ///   if its memory is full within these seconds, and never with the policy `noeviction`.
    /// - It has no effect on a command that only reads, without [retries](crate::RetryPolicy::never), and in a pipeline, a
    ///   transaction or a batch.
    /// - An integer of 2^53 or more in a reply is imprecise in Lua, so it is a `Decode` error. The command was executed.
    /// - A float in a reply can have more digits on Redis 7.0 (`0.10000000000000001`). It is the same number.
    /// - With [`Encoding::Json`](crate::Encoding::Json), bytes that are not UTF-8 make the reply unreadable.
    /// - If all attempts fail, the error says whether the command [may have executed](Error::may_have_executed), as always.
    ///
    /// # Errors
    ///
    /// `InvalidInput` before anything is sent, if the command cannot run inside a script: `EVAL`, `MULTI`, `SUBSCRIBE`,
    /// `CONFIG` and their like, or more than 4,000 arguments.
    pub fn exactly_once(mut self) -> Self {
        let has_slot = self.has_once_slot();
        if self.expect.idempotency.writes() && !has_slot && self.expect.execution == Execution::Plain {
            match self.check() {
                Ok(()) => self.expect.execution = Execution::OnceIfAlone,
                Err(error) => drop(self.args.fail(error)),
            }
        }
        self
    }

    /// Checks that a script can run the commands.
    fn check(&self) -> Result<()> {
        let forms = iter::once(&self.form).chain(self.others.iter().map(|(_, form)| form));
        if forms.flatten().next().is_some() {
            return Err(Error::invalid_input(
                "a script cannot run inside another, so it has no `exactly_once`; use `Script::idempotent` if running it twice is the same as running it once",
            ));
        }
        for args in self.all_args() {
            let name = args.name();
            if NOT_IN_SCRIPTS.split(' ').any(|refused| name.eq_ignore_ascii_case(refused.as_bytes())) {
                return Err(Error::invalid_input(
                    "the command cannot run inside a script, so it has no `exactly_once`; send it without",
                ));
            }
            if args.count() > MAX_ARGS {
                return Err(Error::invalid_input(format!(
                    "the command has {} arguments, but `exactly_once` takes up to {MAX_ARGS}; divide it",
                    args.count()
                )));
            }
        }
        Ok(())
    }

    pub(super) fn all_args(&self) -> impl Iterator<Item = &Args> {
        iter::once(&self.args).chain(self.others.iter().map(|(args, _)| args))
    }

    /// Whether the command, on its own, is to be repeated by its nonce.
    pub(crate) fn takes_nonce(&self) -> bool {
        self.expect.execution == Execution::OnceIfAlone || self.has_once_slot()
    }

    /// Gives a command that takes a nonce one. The server keeps its outcome under it for `keep`.
    pub(crate) fn fill_once(&mut self, keep: Duration) {
        if !self.takes_nonce() {
            return;
        }
        if self.expect.execution == Execution::OnceIfAlone {
            self.put_in_script();
        }
        let Some(script) = self.form.as_mut().map(Arc::make_mut) else { return };
        match script.fill_once(&mut self.args, keep) {
            Ok(()) => self.expect.idempotency = Idempotency::Once,
            Err(error) => drop(self.args.fail(error)),
        }
    }

    /// Makes the command one that runs the script, which runs what the command was.
    fn put_in_script(&mut self) {
        let script = if self.all_args().all(Args::has_known_keys) { &LOCKING } else { &PLAIN };
        let keys: BTreeSet<String> = self.all_args().flat_map(Args::marked_keys).collect();
        let own = self.args.marked_keys().into_iter().next().filter(|key| key.len() <= MAX_PREFIX);
        let prefix = own.unwrap_or_else(|| NO_KEY.to_owned());
        let mut call = ScriptCall::from(script).keys(keys).once_under(prefix);
        let first = mem::replace(&mut self.args, Args::new("EVALSHA"));
        let others = mem::take(&mut self.others).into_iter().map(|(args, _)| args);
        for args in iter::once(first).chain(others) {
            call = call.command_args(args);
        }
        self.form = Some(Arc::new(Scripted::encode(&mut self.args, call)));
        self.expect.atomic = false;
        self.expect.execution = Execution::InScript;
    }
}

/// The replies that the script has returned as text. The tape holds one array.
pub(super) fn replies_in(reply: Reply<'_>) -> Result<Tape> {
    let text = reply.bytes()?.to_vec();
    wire::parse_one(text, Encoding::Resp2, usize::MAX).map_err(|error| {
        let why = "the reply cannot be read, perhaps because it has bytes that are not UTF-8; the command was executed. \
                   Use another `Encoding` than `Json`";
        Error::new(ErrorKind::Decode, why).with_source(error)
    })
}

/// The error for a reply that the script could not return.
pub(super) fn without_imprecise(error: Error) -> Error {
    if error.code() == Some("IMPRECISE") {
        let why = "the reply has an integer of 2^53 or more, which a script cannot return exactly; the command was executed. \
                   Send it without `exactly_once`, or read the value";
        return Error::new(ErrorKind::Decode, why);
    }
    error
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::Encoded;
    use crate::transport::Endpoint;

    /// The arguments after the SHA-1, and whether the service locks the keys alone. The nonce is cut.
    fn prepared<R>(command: Command<R>) -> (Vec<String>, bool) {
        let mut command = command.exactly_once();
        command.validate().unwrap();
        assert!(command.takes_nonce());
        command.fill_once(Duration::from_secs(20));
        assert_eq!(command.expect.idempotency, Idempotency::Once);
        let can_lock = command.form.as_deref().is_some_and(Scripted::can_lock_keys);
        let text = |arg: bytes::Bytes| {
            let text = String::from_utf8_lossy(&arg).into_owned();
            match text.split_once("::once:") {
                Some((prefix, nonce)) if nonce.len() == 32 => format!("{prefix}::once:"),
                _ => text,
            }
        };
        let mut args: Vec<_> = command.args().into_iter().map(text).collect();
        assert_eq!(args.drain(..2).next().as_deref(), Some("EVALSHA"));
        (args, can_lock)
    }

    fn refused<R>(command: Command<R>) -> String {
        let error = command.exactly_once().validate().unwrap_err();
        assert!(error.is_invalid_input());
        error.to_string()
    }

    fn set(key: &str) -> Command {
        Command::idempotent_write("SET").key(key).arg("v")
    }

    #[test]
    fn a_command_is_in_the_arguments_of_the_script() {
        let (args, can_lock) = prepared(Command::write("INCRBY").key("hits").arg(5));
        assert_eq!(args, ["2", "hits::once:", "hits", "20000", "3", "INCRBY", "hits", "5"]);
        assert!(can_lock);
    }

    #[test]
    fn a_group_is_there_as_a_whole_and_names_each_key_once() {
        let group = set("b").and(Command::write("DEL").keys(["a", "b"]), |_| Ok(()));
        let (args, can_lock) = prepared(group);
        let expected = "3 b::once: a b 20000 3 SET b v 3 DEL a b";
        assert_eq!((args.join(" ").as_str(), can_lock), (expected, true));
    }

    #[test]
    fn a_group_is_one_command_on_the_wire() {
        let mut group = set("a").and(set("b"), |_| Ok(())).exactly_once();
        group.fill_once(Duration::from_secs(1));
        let mut encoded = Encoded::new();
        assert_eq!(encoded.push(group).parts(), 1);
        assert_eq!((encoded.count(), encoded.is_atomic()), (1, false));
    }

    #[test]
    fn without_known_keys_the_database_is_locked() {
        let (args, can_lock) = prepared(Command::write("PUBLISH").arg("chat").arg("hi"));
        assert_eq!((args.join(" ").as_str(), can_lock), ("1 redis-rest::once: 20000 3 PUBLISH chat hi", false));
        let many = Command::write("DEL").keys((0..64).map(|n| format!("k{n}")));
        assert!(!prepared(many).1);
        let (args, can_lock) = prepared(set("a").and(Command::write("PUBLISH").arg("chat").arg("hi"), |_| Ok(())));
        assert!(args.join(" ").starts_with("2 a::once: a ") && !can_lock);
    }

    #[test]
    fn bytes_that_are_not_text_are_still_the_body() {
        let mut command = Command::write("APPEND").key("k").arg(b"\xff".as_slice()).exactly_once();
        command.fill_once(Duration::from_secs(1));
        let mut encoded = Encoded::new();
        encoded.push(command);
        let body = encoded.into_body(&crate::command::Learned::default()).unwrap().unwrap();
        assert!(
            matches!(body.endpoint, Endpoint::Path(path) if path.starts_with("/EVAL/") && path.ends_with("/3/APPEND/k"))
        );
        assert_eq!(body.bytes, b"\xff".as_slice());
        // The key is not declared, because it would be in the request twice.
        let (args, can_lock) = prepared(Command::write("INCR").key(b"\xff".as_slice()));
        assert_eq!((args[..2].join(" ").as_str(), can_lock), ("1 redis-rest::once:", false));
    }

    #[test]
    fn what_needs_no_script_stays_as_it_is() {
        assert!(!Command::read("GET").key("k").exactly_once().takes_nonce());
        let mut script = Script::new("return 1").key("k").once_under("user").command().exactly_once();
        script.fill_once(Duration::from_secs(1));
        assert_eq!(script.args()[2], "2");
    }

    #[test]
    fn what_no_script_can_run_is_refused() {
        for name in ["EVAL", "multi", "SUBSCRIBE", "CONFIG", "fcall"] {
            assert!(refused(Command::write(name)).contains("cannot run inside a script"));
        }
        assert!(refused(Script::new("return 1").key("k").command()).contains("inside another"));
        assert!(refused(set("k").and(Command::write("EVAL"), |_| Ok(()))).contains("cannot run inside"));
        let long = Command::write("DEL").keys((0..4000).map(|n| n.to_string()));
        assert!(refused(long).contains("4001 arguments"));
    }
}
