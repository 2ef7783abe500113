//! The Redis behind the gateway: where it is, and connections to it.

use std::fmt;
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use percent_encoding::percent_decode_str;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, ReadBuf};
use tokio::net::{TcpStream, UnixStream};
use tokio::sync::Semaphore;

use crate::error::Error;
use crate::resp::{Args, Parser, Value, push_command};

/// Connections to Redis. Each request has one to itself while it needs it: whatever breaks, or waits, is its own.
#[derive(Debug)]
pub(crate) struct Backend {
    target: Target,
    /// Connections that nobody uses at the moment.
    idle: Mutex<Vec<Connection>>,
    /// How many more may be used at once: Redis has 10,000 for all its clients.
    room: Semaphore,
}

/// How many connections there may be at once.
const MOST_CONNECTIONS: usize = 256;

/// How long it may take until a connection is there, or a first answer. Commands have no limit: the client of the gateway has its own, and a
/// slow command is not a broken connection.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// How large a buffer an idle connection keeps.
const MOST_BUFFERED: usize = 64 << 10;

/// Redis cannot be reached: what a request is told. No more than the kind, since the whole text may name a password.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unreachable {
    RefusesPassword,
    Broken,
    NotRedis,
}

impl fmt::Display for Unreachable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ERR the gateway cannot reach Redis: ")?;
        f.write_str(match self {
            Unreachable::RefusesPassword => "it refuses the password",
            Unreachable::Broken => "the connection is refused or broken",
            Unreachable::NotRedis => "it does not answer as Redis does",
        })
    }
}

impl From<std::io::Error> for Unreachable {
    fn from(_: std::io::Error) -> Self {
        Unreachable::Broken
    }
}

impl Backend {
    pub(crate) async fn connect(url: &str) -> Result<Self, Error> {
        let target = Target::parse(url).ok_or_else(|| {
            Error::new("the Redis URL is malformed: it should be redis://[:password@]host[:port] or unix:///path")
        })?;
        let backend = Backend { target, idle: Mutex::default(), room: Semaphore::new(MOST_CONNECTIONS) };
        let ping = [vec![Bytes::from_static(b"PING")]];
        let answer = tokio::time::timeout(CONNECT_TIMEOUT, backend.run(&ping)).await;
        match answer.as_ref().map(|answer| answer.as_deref()) {
            Err(_) => Err(Error::new("what listens there does not answer within 5 seconds")),
            Ok(Ok([Value::Status(_)])) => Ok(backend),
            Ok(Ok(_)) => {
                Err(Error::new("what listens there does not answer PING as Redis does, or wants another password"))
            }
            Ok(Err(unreachable)) => Err(Error::new(unreachable.to_string())),
        }
    }

    /// Sends commands and gives one value for each, errors among them.
    pub(crate) async fn run(&self, commands: &[Args]) -> Result<Vec<Value>, Unreachable> {
        // Who waits for others must not keep them out.
        if commands.iter().any(waits) {
            return self.new_connection().await?.run(commands).await;
        }
        // It is never closed.
        let _room = self.room.acquire().await.map_err(|_| Unreachable::Broken)?;
        let idle = std::iter::from_fn(|| self.idle().pop()).find_map(Connection::if_alive);
        let mut connection = match idle {
            Some(connection) => connection,
            None => self.new_connection().await?,
        };
        // If it fails, or is not waited for, the connection is gone with what is left of the replies.
        let values = connection.run(commands).await?;
        self.idle().extend(connection.if_clean());
        Ok(values)
    }

    fn idle(&self) -> MutexGuard<'_, Vec<Connection>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A connection for whoever keeps it: subscriptions, MONITOR.
    pub(crate) async fn new_connection(&self) -> Result<Connection, Unreachable> {
        tokio::time::timeout(CONNECT_TIMEOUT, self.connected()).await.unwrap_or(Err(Unreachable::Broken))
    }

    async fn connected(&self) -> Result<Connection, Unreachable> {
        let stream: Box<dyn Stream> = match &self.target.address {
            Address::Tcp(host, port) => {
                let stream = TcpStream::connect((host.as_str(), *port)).await?;
                stream.set_nodelay(true)?;
                Box::new(stream)
            }
            Address::Unix(path) => Box::new(UnixStream::connect(path).await?),
        };
        let mut connection = Connection { stream, buffer: BytesMut::new(), largest: 0, parser: Parser::default() };
        for (command, refused) in
            [(&self.target.auth, Unreachable::RefusesPassword), (&self.target.select, Unreachable::NotRedis)]
        {
            if let Some(command) = command {
                let replies = connection.run(std::slice::from_ref(command)).await?;
                if replies != [Value::ok()] {
                    return Err(refused);
                }
            }
        }
        Ok(connection)
    }
}

/// Whether a command may wait for others, so that it needs a connection beside theirs.
fn waits(args: &Args) -> bool {
    args.first().is_some_and(|name| name.eq_ignore_ascii_case(b"WAIT") || name.eq_ignore_ascii_case(b"WAITAOF"))
}

trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

/// A connection to Redis.
pub(crate) struct Connection {
    stream: Box<dyn Stream>,
    buffer: BytesMut,
    /// How large the buffer was.
    largest: usize,
    parser: Parser,
}

impl Connection {
    /// Sends commands and gives one value for each.
    pub(crate) async fn run(&mut self, commands: &[Args]) -> Result<Vec<Value>, Unreachable> {
        let mut wire = Vec::with_capacity(commands.len() * 48);
        for args in commands {
            push_command(&mut wire, args);
        }
        self.stream.write_all(&wire).await?;
        let mut values = Vec::with_capacity(commands.len());
        while values.len() < commands.len() {
            values.push(self.next().await?);
        }
        Ok(values)
    }

    /// The next value that comes.
    pub(crate) async fn next(&mut self) -> Result<Value, Unreachable> {
        loop {
            if let Some(value) = self.parser.next(&mut self.buffer).map_err(|_| Unreachable::NotRedis)? {
                return Ok(value);
            }
            self.buffer.reserve(16 << 10);
            self.largest = self.largest.max(self.buffer.capacity());
            if self.stream.read_buf(&mut self.buffer).await? == 0 {
                return Err(Unreachable::Broken);
            }
        }
    }

    /// The connection, unless something is left of what it said. The memory of a large reply is given back.
    fn if_clean(mut self) -> Option<Self> {
        let is_clean = self.buffer.is_empty() && self.parser.is_between_values();
        if self.largest > MOST_BUFFERED {
            self.buffer = BytesMut::new();
            self.largest = 0;
        }
        is_clean.then_some(self)
    }

    /// The connection, unless Redis has closed it or said what nobody asked for.
    fn if_alive(mut self) -> Option<Self> {
        let mut byte = [0];
        let mut byte = ReadBuf::new(&mut byte);
        let mut context = Context::from_waker(Waker::noop());
        let read = Pin::new(&mut self.stream).poll_read(&mut context, &mut byte);
        matches!(read, Poll::Pending).then_some(self)
    }
}

impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Connection")
    }
}

/// Where Redis is, and what is said to it first.
struct Target {
    address: Address,
    auth: Option<Args>,
    select: Option<Args>,
}

enum Address {
    Tcp(String, u16),
    Unix(PathBuf),
}

impl Target {
    /// `redis://[[user]:password@]host[:port][/database]` or `unix:///path`.
    fn parse(url: &str) -> Option<Self> {
        if let Some(path) = url.strip_prefix("unix://") {
            let address = Address::Unix(path.into());
            return path.starts_with('/').then_some(Target { address, auth: None, select: None });
        }
        let rest = url.strip_prefix("redis://")?;
        let (credentials, rest) = rest.rsplit_once('@').map_or((None, rest), |(left, right)| (Some(left), right));
        let (place, database) = rest.split_once('/').unwrap_or((rest, ""));
        let (host, port) = match place.strip_prefix('[') {
            Some(place) => place.split_once(']')?,
            None => place.split_at(place.find(':').unwrap_or(place.len())),
        };
        let port = if port.is_empty() { 6379 } else { port.strip_prefix(':')?.parse().ok()? };
        let host = if host.is_empty() { "127.0.0.1" } else { host };
        let decoded = |text: &str| percent_decode_str(text).collect::<Bytes>();
        let auth = credentials.map(|credentials| {
            let (user, password) = credentials.split_once(':').unwrap_or(("", credentials));
            let user = (!user.is_empty()).then(|| decoded(user));
            [Bytes::from_static(b"AUTH")].into_iter().chain(user).chain([decoded(password)]).collect()
        });
        let select = match database {
            "" | "0" => None,
            number => Some(vec![Bytes::from_static(b"SELECT"), number.parse::<u16>().ok()?.to_string().into()]),
        };
        Some(Target { address: Address::Tcp(host.to_owned(), port), auth, select })
    }
}

impl fmt::Debug for Target {
    /// Without the password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.address {
            Address::Tcp(host, port) => write!(f, "{host}:{port}"),
            Address::Unix(path) => write!(f, "{}", path.display()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(url: &str) -> Option<(String, Option<Args>, Option<Args>)> {
        let target = Target::parse(url)?;
        Some((format!("{target:?}"), target.auth, target.select))
    }

    fn args(words: &[&str]) -> Option<Args> {
        Some(words.iter().map(|word| word.as_bytes().to_vec().into()).collect())
    }

    #[test]
    fn urls_name_the_place_the_password_and_the_database() {
        let cases = [
            ("redis://localhost", "localhost:6379", None, None),
            ("redis://h:7/2", "h:7", None, args(&["SELECT", "2"])),
            ("redis://:p%40ss@h:7/0", "h:7", args(&["AUTH", "p@ss"]), None),
            ("redis://user:p:w@[::1]:7", "::1:7", args(&["AUTH", "user", "p:w"]), None),
            ("unix:///run/redis.sock", "/run/redis.sock", None, None),
        ];
        for (url, place, auth, select) in cases {
            assert_eq!(parsed(url), Some((place.to_owned(), auth, select)), "{url}");
        }
        for url in ["", "localhost", "rediss://h", "redis://h:port", "redis://h/x", "unix://run", "redis://[::1"] {
            assert_eq!(parsed(url), None, "{url}");
        }
    }
}
