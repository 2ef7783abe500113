//! JSON documents: reads and writes serde values at paths.

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::string::was_set;
use crate::arg::{Arg, ToArg};
use crate::command::{Args, Command, ToArgs};
use crate::error::Result;
use crate::executor::Executor;
use crate::reply::{FromReply, Json, Reply, Shape};

/// Commands on JSON documents. The service and Redis 8 have them; older servers need a module.
///
/// Values are any types that serde serializes and deserializes. A `&str` is a JSON string, not JSON text.
///
/// A path that starts with `$` is [JSONPath](https://redis.io/docs/latest/develop/data-types/json/path/), which can
/// match any number of places. The result has one item for each match, with `None` for a value of another type. Any
/// other path (`.name`) has the older syntax and matches one place. The result then has one item, or none if Redis
/// replies with nil.
///
/// ```no_run
/// # async fn example(redis: redis_rest::Redis) -> redis_rest::Result<()> {
/// use redis_rest::JsonCommands;
/// use serde_json::json;
///
/// redis.json_set("user:1", "$", json!({"name": "Ada", "visits": 1, "tags": ["maths"]})).await?;
/// assert_eq!(redis.json_numincrby::<i64>("user:1", "$.visits", 1).await?, [Some(2)]);
/// assert_eq!(redis.json_arrappend("user:1", "$.tags", ["code"]).await?, [Some(2)]);
///
/// let name = redis.json_get_path::<String>("user:1", "$.name").await?;
/// assert_eq!(name, Some(vec!["Ada".to_owned()]));
/// let nobody = redis.json_get::<serde_json::Value>("user:2").await?;
/// assert_eq!(nobody, None);
///
/// // `name` is not a number, and `address` does not exist.
/// assert_eq!(redis.json_numincrby::<i64>("user:1", "$.name", 1).await?, [None]);
/// assert!(!redis.json_set("user:1", "$.address.city", "London").await?);
/// # Ok(())
/// # }
/// ```
pub trait JsonCommands: Executor {
    /// Appends values to arrays and returns their new lengths.
    /// [JSON.ARRAPPEND](https://redis.io/docs/latest/commands/json.arrappend/), O(1) per value.
    fn json_arrappend(
        self,
        key: impl ToArg,
        path: &str,
        values: impl IntoIterator<Item = impl Serialize>,
    ) -> Self::Out<Vec<Option<u64>>> {
        let command = Command::write("JSON.ARRAPPEND").key(key).arg(path);
        self.submit(command.one_or_more("value", values.into_iter().map(Json)).each_match(path))
    }

    /// Returns the index of the first occurrence of a value in arrays, or `None` if an array does not contain it.
    /// [JSON.ARRINDEX](https://redis.io/docs/latest/commands/json.arrindex/), O(n) in an array.
    fn json_arrindex(self, key: impl ToArg, path: &str, value: impl Serialize) -> Self::Out<Vec<Option<u64>>> {
        let command = Command::read("JSON.ARRINDEX").key(key).arg(path).arg(Json(value));
        self.submit(command.each_index(path))
    }

    /// As [`json_arrindex`](Self::json_arrindex), from index `start` to before `stop`. A `stop` of 0 means the end,
    /// and a negative index counts from the end.
    fn json_arrindex_range(
        self,
        key: impl ToArg,
        path: &str,
        value: impl Serialize,
        start: i64,
        stop: i64,
    ) -> Self::Out<Vec<Option<u64>>> {
        let command = Command::read("JSON.ARRINDEX").key(key).arg(path).arg(Json(value)).arg(start).arg(stop);
        self.submit(command.each_index(path))
    }

    /// Inserts values into arrays before `index` and returns the new lengths. A negative index counts from the end.
    /// [JSON.ARRINSERT](https://redis.io/docs/latest/commands/json.arrinsert/), O(n) in an array.
    fn json_arrinsert(
        self,
        key: impl ToArg,
        path: &str,
        index: i64,
        values: impl IntoIterator<Item = impl Serialize>,
    ) -> Self::Out<Vec<Option<u64>>> {
        let command = Command::write("JSON.ARRINSERT").key(key).arg(path).arg(index);
        self.submit(command.one_or_more("value", values.into_iter().map(Json)).each_match(path))
    }

    /// Returns the lengths of arrays. [JSON.ARRLEN](https://redis.io/docs/latest/commands/json.arrlen/), O(1) per
    /// match.
    fn json_arrlen(self, key: impl ToArg, path: &str) -> Self::Out<Vec<Option<u64>>> {
        self.submit(Command::read("JSON.ARRLEN").key(key).arg(path).each_match(path))
    }

    /// Removes the item at `index` from arrays and returns it. A negative index counts from the end: -1 is the last
    /// item. [JSON.ARRPOP](https://redis.io/docs/latest/commands/json.arrpop/), O(1) at the end, O(n) elsewhere.
    fn json_arrpop<T: DeserializeOwned>(self, key: impl ToArg, path: &str, index: i64) -> Self::Out<Vec<Option<T>>> {
        let command = Command::write("JSON.ARRPOP").key(key).arg(path).arg(index);
        self.submit(command.each_match_by(path, |reply| each(reply, value), |reply| one(reply, value)))
    }

    /// Trims arrays to the items from `start` to `stop`, both included, and returns the new lengths.
    /// [JSON.ARRTRIM](https://redis.io/docs/latest/commands/json.arrtrim/), O(n) in an array.
    fn json_arrtrim(self, key: impl ToArg, path: &str, start: i64, stop: i64) -> Self::Out<Vec<Option<u64>>> {
        let command = Command::write("JSON.ARRTRIM").key(key).arg(path).arg(start).arg(stop);
        self.submit(command.each_match(path))
    }

    /// Empties arrays and objects, sets numbers to 0, and returns how many values changed.
    /// [JSON.CLEAR](https://redis.io/docs/latest/commands/json.clear/), O(n) in the size of the removed values.
    fn json_clear(self, key: impl ToArg, path: &str) -> Self::Out<u64> {
        self.execute(Command::write("JSON.CLEAR").key(key).arg(path))
    }

    /// Returns the help text of `JSON.DEBUG`, one item per line.
    /// [JSON.DEBUG](https://redis.io/docs/latest/commands/json.debug/), O(1).
    fn json_debug_help(self) -> Self::Out<Vec<String>> {
        self.execute(Command::read("JSON.DEBUG").arg("HELP"))
    }

    /// Returns the memory that values take, in bytes.
    /// [JSON.DEBUG MEMORY](https://redis.io/docs/latest/commands/json.debug-memory/), O(n) in their size.
    fn json_debug_memory(self, key: impl ToArg, path: &str) -> Self::Out<Vec<Option<u64>>> {
        self.submit(Command::read("JSON.DEBUG").arg("MEMORY").key(key).arg(path).each_match(path))
    }

    /// Deletes values, or the whole document at `$`, and returns how many values existed.
    /// [JSON.DEL](https://redis.io/docs/latest/commands/json.del/), O(n) in the size of the removed values.
    fn json_del(self, key: impl ToArg, path: &str) -> Self::Out<u64> {
        self.execute(Command::write("JSON.DEL").key(key).arg(path))
    }

    /// As [`json_del`](Self::json_del), by another name.
    /// [JSON.FORGET](https://redis.io/docs/latest/commands/json.forget/), O(n) in the size of the removed values.
    fn json_forget(self, key: impl ToArg, path: &str) -> Self::Out<u64> {
        self.execute(Command::write("JSON.FORGET").key(key).arg(path))
    }

    /// Returns the whole document, or `None` if the key does not exist.
    /// [JSON.GET](https://redis.io/docs/latest/commands/json.get/), O(n) in its size.
    fn json_get<T: DeserializeOwned>(self, key: impl ToArg) -> Self::Out<Option<T>> {
        self.submit(Command::read("JSON.GET").key(key).decode_with(value))
    }

    /// Returns what a path matches in a document, or `None` if the key does not exist.
    /// [JSON.GET](https://redis.io/docs/latest/commands/json.get/), O(n) in the document's size.
    fn json_get_path<T: DeserializeOwned>(self, key: impl ToArg, path: &str) -> Self::Out<Option<Vec<T>>> {
        let command = Command::read("JSON.GET").key(key).arg(path);
        self.submit(if is_json_path(path) { command.decode_with(value) } else { command.decode_with(lone_value) })
    }

    /// Returns what each of several paths matches in a document, or `None` if the key does not exist.
    ///
    /// The reply is an object from each path to an array of its matches. Ask for a map of `Vec`s, or for a struct
    /// whose fields are renamed to the paths. `InvalidInput` if there are fewer than two paths.
    /// [JSON.GET](https://redis.io/docs/latest/commands/json.get/), O(n) in the document's size.
    fn json_get_paths<'a, T: DeserializeOwned>(
        self,
        key: impl ToArg,
        paths: impl IntoIterator<Item = &'a str>,
    ) -> Self::Out<Option<T>> {
        let paths: Vec<_> = paths.into_iter().collect();
        let command = Command::read("JSON.GET").key(key).args_of(&paths).decode_with(value);
        self.submit(match paths.len() {
            2.. => command,
            _ => command
                .reject("needs at least two paths; use `json_get_path` for one, or `json_get` for the whole document"),
        })
    }

    /// Returns the document, or what paths match in it, as text in a format, or `None` if the key does not exist. See
    /// [`JsonFormat`] for an example. [JSON.GET](https://redis.io/docs/latest/commands/json.get/), O(n) in the
    /// document's size.
    fn json_get_with<'a>(
        self,
        key: impl ToArg,
        paths: impl IntoIterator<Item = &'a str>,
        format: JsonFormat,
    ) -> Self::Out<Option<String>> {
        self.execute(Command::read("JSON.GET").key(key).options(format).args_of(paths))
    }

    /// Merges a value into a document as [RFC 7396](https://www.rfc-editor.org/rfc/rfc7396) describes, where `null`
    /// deletes. Returns whether there was a place for the value, as [`json_set`](Self::json_set) does.
    /// [JSON.MERGE](https://redis.io/docs/latest/commands/json.merge/), O(n) in both sizes.
    fn json_merge(self, key: impl ToArg, path: &str, value: impl Serialize) -> Self::Out<bool> {
        // Not idempotent: a null is kept where there was no value, and a second merge deletes it.
        let command = Command::write("JSON.MERGE").key(key).arg(path).arg(Json(value));
        self.submit(command.decode_with(was_set))
    }

    /// Returns what a path matches in each of several documents, with `None` for a key that does not exist.
    /// [JSON.MGET](https://redis.io/docs/latest/commands/json.mget/), O(n) in the documents.
    fn json_mget<T: DeserializeOwned>(
        self,
        keys: impl IntoIterator<Item = impl ToArg>,
        path: &str,
    ) -> Self::Out<Vec<Option<Vec<T>>>> {
        let command = Command::read("JSON.MGET").keys(keys).arg(path);
        self.submit(command.each_match_by(path, |reply| each(reply, value), |reply| each(reply, lone_value)))
    }

    /// Sets values, each at a path of a key, in one atomic step. Skips a value without a place for it, as
    /// [`json_set`](Self::json_set) does, but does not report it.
    /// [JSON.MSET](https://redis.io/docs/latest/commands/json.mset/), O(n) in the values.
    fn json_mset<'a, K: ToArg, V: Serialize>(self, values: impl IntoIterator<Item = (K, &'a str, V)>) -> Self::Out<()> {
        let mut values = values.into_iter().peekable();
        let command = Command::idempotent_write("JSON.MSET");
        let command = if values.peek().is_none() { command.reject("needs at least one value") } else { command };
        self.execute(values.fold(command, |command, (key, path, value)| {
            command.key(key).arg(path).arg(Json(value)).non_idempotent_if(moves(path))
        }))
    }

    /// Adds to numbers and returns the new numbers.
    /// [JSON.NUMINCRBY](https://redis.io/docs/latest/commands/json.numincrby/), O(1) per match.
    fn json_numincrby<T: DeserializeOwned>(
        self,
        key: impl ToArg,
        path: &str,
        increment: impl ToArg,
    ) -> Self::Out<Vec<Option<T>>> {
        let command = Command::write("JSON.NUMINCRBY").key(key).arg(path).number(&increment);
        self.submit(command.each_match_by(path, numbers, |reply| one(reply, value)))
    }

    /// Multiplies numbers and returns the new numbers.
    /// [JSON.NUMMULTBY](https://redis.io/docs/latest/commands/json.nummultby/), O(1) per match.
    fn json_nummultby<T: DeserializeOwned>(
        self,
        key: impl ToArg,
        path: &str,
        factor: impl ToArg,
    ) -> Self::Out<Vec<Option<T>>> {
        let command = Command::write("JSON.NUMMULTBY").key(key).arg(path).number(&factor);
        self.submit(command.each_match_by(path, numbers, |reply| one(reply, value)))
    }

    /// Returns the keys of objects. [JSON.OBJKEYS](https://redis.io/docs/latest/commands/json.objkeys/), O(n) in an
    /// object.
    fn json_objkeys(self, key: impl ToArg, path: &str) -> Self::Out<Vec<Option<Vec<String>>>> {
        self.submit(Command::read("JSON.OBJKEYS").key(key).arg(path).each_match(path))
    }

    /// Returns the number of keys of objects. [JSON.OBJLEN](https://redis.io/docs/latest/commands/json.objlen/), O(1)
    /// per match.
    fn json_objlen(self, key: impl ToArg, path: &str) -> Self::Out<Vec<Option<u64>>> {
        self.submit(Command::read("JSON.OBJLEN").key(key).arg(path).each_match(path))
    }

    /// Returns values as Redis's own types. Arrays start with the item `[`, and objects with `{`.
    /// [JSON.RESP](https://redis.io/docs/latest/commands/json.resp/), O(n) in their size.
    fn json_resp<R: FromReply>(self, key: impl ToArg, path: &str) -> Self::Out<Vec<R>> {
        self.submit(Command::read("JSON.RESP").key(key).arg(path).each_match(path))
    }

    /// Sets a value and returns whether there was a place for it. A path can add a key to an existing object, but it
    /// cannot add the objects above it. A new document starts at `$`.
    /// [JSON.SET](https://redis.io/docs/latest/commands/json.set/), O(n) in the value's size.
    fn json_set(self, key: impl ToArg, path: &str, value: impl Serialize) -> Self::Out<bool> {
        let command = Command::idempotent_write("JSON.SET").key(key).arg(path).arg(Json(value));
        self.submit(command.non_idempotent_if(moves(path)).decode_with(was_set))
    }

    /// As [`json_set`](Self::json_set), under a condition. See [`JsonSetCondition`] for an example.
    /// [JSON.SET](https://redis.io/docs/latest/commands/json.set/), O(n) in the value's size.
    fn json_set_with(
        self,
        key: impl ToArg,
        path: &str,
        value: impl Serialize,
        condition: JsonSetCondition,
    ) -> Self::Out<bool> {
        let command = Command::write("JSON.SET").key(key).arg(path).arg(Json(value)).arg(condition.word());
        self.submit(command.decode_with(was_set))
    }

    /// Appends to strings and returns their new lengths in bytes.
    /// [JSON.STRAPPEND](https://redis.io/docs/latest/commands/json.strappend/), O(1) per match.
    fn json_strappend(self, key: impl ToArg, path: &str, text: &str) -> Self::Out<Vec<Option<u64>>> {
        let command = Command::write("JSON.STRAPPEND").key(key).arg(path).arg(Json(text));
        self.submit(command.each_match(path))
    }

    /// Returns the lengths of strings in bytes. [JSON.STRLEN](https://redis.io/docs/latest/commands/json.strlen/),
    /// O(1) per match.
    fn json_strlen(self, key: impl ToArg, path: &str) -> Self::Out<Vec<Option<u64>>> {
        self.submit(Command::read("JSON.STRLEN").key(key).arg(path).each_match(path))
    }

    /// Inverts booleans and returns the new values. [JSON.TOGGLE](https://redis.io/docs/latest/commands/json.toggle/),
    /// O(1) per match.
    fn json_toggle(self, key: impl ToArg, path: &str) -> Self::Out<Vec<Option<bool>>> {
        self.submit(Command::write("JSON.TOGGLE").key(key).arg(path).each_match(path))
    }

    /// Returns the types of values. [JSON.TYPE](https://redis.io/docs/latest/commands/json.type/), O(1) per match.
    fn json_type(self, key: impl ToArg, path: &str) -> Self::Out<Vec<JsonType>> {
        self.submit(Command::read("JSON.TYPE").key(key).arg(path).each_match(path))
    }
}

impl<E: Executor> JsonCommands for E {}

impl<R> Command<R> {
    /// Returns an item for each match of `path`.
    fn each_match<T: FromReply>(self, path: &str) -> Command<Vec<T>> {
        self.each_match_by(path, |reply| each(reply, T::from_reply), |reply| one(reply, T::from_reply))
    }

    /// Returns an index for each match of `path`.
    fn each_index(self, path: &str) -> Command<Vec<Option<u64>>> {
        self.each_match_by(path, |reply| each(reply, index), |reply| one(reply, index))
    }

    fn each_match_by<T>(
        self,
        path: &str,
        of_json_path: fn(Reply<'_>) -> Result<Vec<T>>,
        of_older_path: fn(Reply<'_>) -> Result<Vec<T>>,
    ) -> Command<Vec<T>> {
        self.decode_with(if is_json_path(path) { of_json_path } else { of_older_path })
    }

    /// Adds a number that JSON can hold.
    fn number(self, number: &impl ToArg) -> Self {
        let arg = number.to_arg();
        let is_number = match &arg {
            Arg::Int(_) | Arg::Uint(_) => true,
            Arg::Float(float) => float.is_finite(),
            Arg::Text(text) => text.parse().is_ok_and(f64::is_finite),
            _ => false,
        };
        if is_number { self.arg(arg) } else { self.reject("an increment or factor must be a finite number") }
    }
}

fn is_json_path(path: &str) -> bool {
    path.starts_with('$')
}

/// Returns whether a path can match another place after a write: it matches at any depth, or by a condition.
fn moves(path: &str) -> bool {
    path.contains("..") || path.contains('?')
}

/// Decodes an item for each reply, or none if the key does not exist.
fn each<T>(reply: Reply<'_>, item: fn(Reply<'_>) -> Result<T>) -> Result<Vec<T>> {
    if reply.is_nil() { Ok(Vec::new()) } else { reply.array()?.map(item).collect() }
}

/// Decodes the one item of a path of the older syntax, or none if nothing is there.
fn one<T>(reply: Reply<'_>, item: fn(Reply<'_>) -> Result<T>) -> Result<Vec<T>> {
    if reply.is_nil() { Ok(Vec::new()) } else { Ok(vec![item(reply)?]) }
}

/// Decodes JSON text.
fn value<T: DeserializeOwned>(reply: Reply<'_>) -> Result<Option<T>> {
    Ok(Option::<Json<T>>::from_reply(reply)?.map(|Json(value)| value))
}

fn lone_value<T: DeserializeOwned>(reply: Reply<'_>) -> Result<Option<Vec<T>>> {
    Ok(value(reply)?.map(|value| vec![value]))
}

/// Decodes the text of a JSON array of numbers, or an array of texts.
fn numbers<T: DeserializeOwned>(reply: Reply<'_>) -> Result<Vec<Option<T>>> {
    match reply.shape() {
        Shape::Array(items) => items.map(value).collect(),
        _ => Ok(value(reply)?.unwrap_or_default()),
    }
}

/// Decodes an index, where -1 means not found.
fn index(reply: Reply<'_>) -> Result<Option<u64>> {
    Ok(Option::<i64>::from_reply(reply)?.and_then(|index| u64::try_from(index).ok()))
}

/// The condition of [`json_set_with`](JsonCommands::json_set_with).
///
/// ```no_run
/// # async fn example(redis: redis_rest::Redis) -> redis_rest::Result<()> {
/// use redis_rest::JsonCommands;
/// use redis_rest::commands::json::JsonSetCondition;
///
/// redis.json_set("user:1", "$", serde_json::json!({"name": "Ada"})).await?;
/// assert!(!redis.json_set_with("user:1", "$.name", "Alan", JsonSetCondition::Nx).await?);
/// assert!(redis.json_set_with("user:1", "$.name", "Grace", JsonSetCondition::Xx).await?);
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum JsonSetCondition {
    /// Sets only if the path has no value yet: `NX`.
    Nx,
    /// Sets only if the path has a value: `XX`.
    Xx,
}

impl JsonSetCondition {
    fn word(self) -> &'static str {
        match self {
            JsonSetCondition::Nx => "NX",
            JsonSetCondition::Xx => "XX",
        }
    }
}

/// The format of the text that [`json_get_with`](JsonCommands::json_get_with) returns: compact by default.
///
/// ```no_run
/// # async fn example(redis: redis_rest::Redis) -> redis_rest::Result<()> {
/// use redis_rest::JsonCommands;
/// use redis_rest::commands::json::JsonFormat;
///
/// redis.json_set("user:1", "$", serde_json::json!({"name": "Ada"})).await?;
/// let text = redis.json_get_with("user:1", ["."], JsonFormat::new().space(" ")).await?;
/// assert_eq!(text.as_deref(), Some(r#"{"name": "Ada"}"#));
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, Default)]
pub struct JsonFormat {
    indent: Option<String>,
    newline: Option<String>,
    space: Option<String>,
}

impl JsonFormat {
    /// Compact: no white space between values.
    #[must_use]
    pub fn new() -> Self {
        JsonFormat::default()
    }

    /// Readable: one value per line, indented by four spaces.
    #[must_use]
    pub fn pretty() -> Self {
        JsonFormat::new().indent("    ").newline("\n").space(" ")
    }

    /// Sets the indentation of nested values: `INDENT`.
    #[must_use]
    pub fn indent(mut self, text: impl Into<String>) -> Self {
        self.indent = Some(text.into());
        self
    }

    /// Sets the text at the end of each line: `NEWLINE`.
    #[must_use]
    pub fn newline(mut self, text: impl Into<String>) -> Self {
        self.newline = Some(text.into());
        self
    }

    /// Sets the text between a key and its value: `SPACE`.
    #[must_use]
    pub fn space(mut self, text: impl Into<String>) -> Self {
        self.space = Some(text.into());
        self
    }
}

impl ToArgs for JsonFormat {
    fn write_args(&self, args: &mut Args) {
        for (word, text) in [("INDENT", &self.indent), ("NEWLINE", &self.newline), ("SPACE", &self.space)] {
            if let Some(text) = text {
                args.push(word).push(text);
            }
        }
    }
}

/// The type of a JSON value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum JsonType {
    /// `null`.
    Null,
    /// `true` or `false`.
    Boolean,
    /// A number without a fraction.
    Integer,
    /// A number with a fraction.
    Number,
    /// A string.
    String,
    /// An array.
    Array,
    /// An object.
    Object,
}

impl FromReply for JsonType {
    fn from_reply(reply: Reply<'_>) -> Result<Self> {
        Ok(match reply.text()? {
            "null" => JsonType::Null,
            "boolean" => JsonType::Boolean,
            "integer" => JsonType::Integer,
            "number" => JsonType::Number,
            "string" => JsonType::String,
            "array" => JsonType::Array,
            "object" => JsonType::Object,
            _ => return Err(reply.mismatch("the name of a JSON type")),
        })
    }
}
