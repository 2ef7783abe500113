//! A transport that speaks to Redis itself: without HTTP, a model test makes ten times as many requests in the same time.
//!
//! It answers as the API does with `Encoding::Resp2`, and passes on what the server says. Transactions are answered in base64,
//! as there.

use std::collections::HashMap;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::{Buf as _, Bytes, BytesMut};
use http::{HeaderMap, StatusCode};
use redis_model::redis_rest::Script;
use redis_model::redis_rest::transport::{Body, Endpoint, Request, Response, Transport, TransportError};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// A reply of Redis.
#[derive(Debug, Clone, PartialEq)]
pub enum Raw {
    /// No value.
    Nil,
    /// An integer.
    Int(i64),
    /// A string or a status.
    Text(Vec<u8>),
    /// An error.
    Error(String),
    /// An array.
    Array(Vec<Raw>),
}

/// The arguments of a command.
pub type Args = Vec<Vec<u8>>;

/// A change to the text of the scripts, which a test must notice.
#[derive(Debug, Clone)]
pub struct Mutation {
    /// What it breaks.
    pub name: &'static str,
    /// Each text is replaced by the next one, in all scripts that have it.
    pub replace: Vec<(String, String)>,
}

/// A pool of connections to a server.
#[derive(Debug, Clone)]
pub struct Direct(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    address: String,
    password: String,
    idle: Mutex<Vec<Connection>>,
    mutation: Option<Mutation>,
    /// The SHA-1 of each script whose text was changed, and that of the changed text.
    changed: Mutex<HashMap<Vec<u8>, String>>,
}

#[derive(Debug)]
struct Connection {
    stream: TcpStream,
    read: BytesMut,
}

impl Direct {
    /// Connects to `redis://:PASSWORD@ADDRESS` when the first command is sent.
    pub fn new(url: &str) -> Self {
        Direct::mutated(url, None)
    }

    /// As [`new`](Direct::new), with changed scripts.
    #[expect(clippy::expect_used, reason = "a test that cannot be set up should say so at once")]
    pub fn mutated(url: &str, mutation: Option<Mutation>) -> Self {
        let (password, address) =
            url.strip_prefix("redis://:").and_then(|rest| rest.split_once('@')).expect("the URL of a server of ours");
        Direct(Arc::new(Shared {
            address: address.to_owned(),
            password: password.to_owned(),
            idle: Mutex::default(),
            mutation,
            changed: Mutex::default(),
        }))
    }

    /// Whether a script was changed by the mutation.
    pub fn has_mutated(&self) -> bool {
        !lock(&self.0.changed).is_empty()
    }

    /// Runs a command.
    ///
    /// # Errors
    ///
    /// If the connection breaks.
    pub async fn run<A: AsRef<[u8]>>(&self, args: impl IntoIterator<Item = A>) -> io::Result<Raw> {
        let args: Args = args.into_iter().map(|arg| arg.as_ref().to_vec()).collect();
        let reply = self.commands(vec![args]).await?;
        parse(&reply).map(|(raw, _)| raw).ok_or_else(|| io::Error::other("no reply"))
    }

    /// Runs commands, and returns their replies as they came.
    async fn commands(&self, mut commands: Vec<Args>) -> io::Result<Vec<u8>> {
        for args in &mut commands {
            self.mutate(args);
        }
        let mut wire = Vec::new();
        for args in &commands {
            wire.extend_from_slice(format!("*{}\r\n", args.len()).as_bytes());
            for arg in args {
                wire.extend_from_slice(format!("${}\r\n", arg.len()).as_bytes());
                wire.extend_from_slice(arg);
                wire.extend_from_slice(b"\r\n");
            }
        }
        let idle = lock(&self.0.idle).pop();
        let mut connection = match idle {
            Some(connection) => connection,
            None => self.connect().await?,
        };
        connection.stream.write_all(&wire).await?;
        let mut replies = Vec::new();
        for _ in &commands {
            replies.extend_from_slice(&connection.reply().await?);
        }
        lock(&self.0.idle).push(connection);
        Ok(replies)
    }

    async fn connect(&self) -> io::Result<Connection> {
        let stream = TcpStream::connect(&self.0.address).await?;
        stream.set_nodelay(true)?;
        let mut connection = Connection { stream, read: BytesMut::new() };
        connection.stream.write_all(format!("AUTH {}\r\n", self.0.password).as_bytes()).await?;
        connection.reply().await?;
        Ok(connection)
    }

    /// Puts the changed text or its SHA-1 in place of a script's own.
    fn mutate(&self, args: &mut Args) {
        let Some(mutation) = &self.0.mutation else { return };
        let (Some(name), Some(script)) = (args.first().cloned(), args.get_mut(1)) else { return };
        if name.starts_with(b"EVALSHA") {
            if let Some(changed) = lock(&self.0.changed).get(script) {
                *script = changed.clone().into_bytes();
            }
        } else if name.starts_with(b"EVAL") {
            let original = String::from_utf8_lossy(script).into_owned();
            let mut text = original.clone();
            for (from, to) in &mutation.replace {
                text = text.replace(from, to);
            }
            if text != original {
                let sha = Script::new(text.clone()).sha1().to_owned();
                lock(&self.0.changed).insert(Script::new(original).sha1().as_bytes().to_vec(), sha);
                *script = text.into_bytes();
            }
        }
    }
}

impl Connection {
    async fn reply(&mut self) -> io::Result<Bytes> {
        loop {
            if let Some(end) = end_of(&self.read, 0) {
                return Ok(self.read.copy_to_bytes(end));
            }
            if self.stream.read_buf(&mut self.read).await? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        }
    }
}

/// Where the reply that begins at `at` ends, if all of it is there.
fn end_of(bytes: &[u8], at: usize) -> Option<usize> {
    let line = bytes.get(at..)?.windows(2).position(|pair| pair == b"\r\n")? + at;
    let number = || std::str::from_utf8(bytes.get(at + 1..line)?).ok()?.parse::<i64>().ok();
    let next = line + 2;
    match bytes.get(at)? {
        b'$' => match usize::try_from(number()?) {
            Ok(length) => (bytes.len() >= next + length + 2).then_some(next + length + 2),
            Err(_) => Some(next),
        },
        b'*' => (0..number()?).try_fold(next, |at, _| end_of(bytes, at)),
        _ => Some(next),
    }
}

/// The reply at the start of these bytes, and what follows it.
pub fn parse(bytes: &[u8]) -> Option<(Raw, &[u8])> {
    let line = bytes.windows(2).position(|pair| pair == b"\r\n")?;
    let text = std::str::from_utf8(bytes.get(1..line)?).unwrap_or_default();
    let rest = bytes.get(line + 2..)?;
    Some(match bytes.first()? {
        b'$' => match usize::try_from(text.parse::<i64>().ok()?) {
            Ok(length) => (Raw::Text(rest.get(..length)?.to_vec()), rest.get(length + 2..)?),
            Err(_) => (Raw::Nil, rest),
        },
        b'*' => {
            let count = text.parse::<i64>().ok()?;
            let (mut items, mut rest) = (Vec::new(), rest);
            for _ in 0..count {
                let (item, after) = parse(rest)?;
                items.push(item);
                rest = after;
            }
            (if count < 0 { Raw::Nil } else { Raw::Array(items) }, rest)
        }
        b':' => (Raw::Int(text.parse().ok()?), rest),
        b'-' => (Raw::Error(text.to_owned()), rest),
        _ => (Raw::Text(text.as_bytes().to_vec()), rest),
    })
}

/// The commands of a request: one, or those of a pipeline.
pub fn commands_of(request: &Request) -> Option<Vec<Args>> {
    let commands: Vec<Vec<serde_json::Value>> = match request.endpoint {
        Endpoint::Command => vec![serde_json::from_slice(&request.body).ok()?],
        Endpoint::Pipeline | Endpoint::Transaction => serde_json::from_slice(&request.body).ok()?,
        _ => return None,
    };
    let text = |arg: serde_json::Value| match arg {
        serde_json::Value::String(text) => text.into_bytes(),
        other => other.to_string().into_bytes(),
    };
    Some(commands.into_iter().map(|args| args.into_iter().map(text).collect()).collect())
}

/// The reply to EXEC, which is the last one, as the API writes it.
fn base64_of_transaction(mut replies: &[u8]) -> String {
    let mut last = Raw::Nil;
    while let Some((reply, rest)) = parse(replies) {
        (last, replies) = (reply, rest);
    }
    let items = match last {
        Raw::Array(items) => items,
        other => vec![other],
    };
    let envelope = |item: &Raw| match item {
        Raw::Error(error) => serde_json::json!({ "error": error }),
        other => serde_json::json!({ "result": json_of(other) }),
    };
    serde_json::Value::Array(items.iter().map(envelope).collect()).to_string()
}

fn json_of(raw: &Raw) -> serde_json::Value {
    match raw {
        Raw::Nil => serde_json::Value::Null,
        Raw::Int(number) => (*number).into(),
        Raw::Text(text) => STANDARD.encode(text).into(),
        Raw::Error(text) => STANDARD.encode(text).into(),
        Raw::Array(items) => items.iter().map(json_of).collect(),
    }
}

#[async_trait]
impl Transport for Direct {
    async fn send(&self, request: Request) -> Result<Response, TransportError> {
        let Some(mut commands) = commands_of(&request) else {
            return Err(TransportError::not_sent("this transport takes no argument in the path"));
        };
        let is_single = request.endpoint == Endpoint::Command;
        let is_transaction = request.endpoint == Endpoint::Transaction;
        if is_transaction {
            commands.insert(0, vec![b"MULTI".to_vec()]);
            commands.push(vec![b"EXEC".to_vec()]);
        }
        let mut replies = self.commands(commands).await.map_err(TransportError::interrupted)?;
        if is_transaction {
            replies = base64_of_transaction(&replies).into_bytes();
        }
        let refused = is_single && replies.first() == Some(&b'-');
        let status = if refused { StatusCode::BAD_REQUEST } else { StatusCode::OK };
        Ok(Response { status, headers: HeaderMap::new(), body: Body::whole(replies) })
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
