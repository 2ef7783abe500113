//! Connections to the Redis server behind the gateway.

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
use tokio::sync::{Semaphore, SemaphorePermit};

use crate::budget::Share;
use crate::error::Error;
use crate::limits::Limits;
use crate::resp::{Args, Parser, Value, push_command};

/// A pool of connections to Redis.
///
/// A request has a connection to itself while it runs, so a connection that breaks or blocks affects no other request.
#[derive(Debug)]
pub(crate) struct Backend {
    target: Target,
    idle: Mutex<Vec<Connection>>,
    permits: Semaphore,
    /// Those of the tokens other than the full one, which need one of `permits` as well.
    others: Semaphore,
    /// The largest number of idle connections while others are opened outside the pool.
    max_idle: usize,
}

/// The largest number of pooled connections in use at once. Redis allows 10,000 for all its clients by default.
const MAX_CONNECTIONS: usize = 256;

/// The largest number of pooled connections that the tokens other than the full one use at once.
///
/// Redis keeps the replies to a connection until they are read, and runs one command at a time: more connections would only
/// make it larger, and the token for all commands slower.
const MAX_OTHERS: usize = 8;

/// The time limit for connecting and for the first reply.
///
/// Commands have no time limit: a slow command is not a broken connection, and clients have timeouts of their own.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// The number of commands that are sent before their replies are read.
const PORTION: usize = 128;

/// The largest buffer, in bytes, that an idle connection keeps.
const MAX_IDLE_BUFFER: usize = 64 << 10;

/// Why Redis cannot be reached.
///
/// Clients see this, so it holds no text of the underlying error: that text may contain a password.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unreachable {
    PasswordRejected,
    /// The password of the ACL user that a token stands for.
    UserRejected,
    Disconnected,
    NotRedis,
}

impl fmt::Display for Unreachable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ERR the gateway cannot reach Redis: ")?;
        f.write_str(match self {
            Unreachable::UserRejected => "it rejects the user",
            Unreachable::PasswordRejected => "it rejects the password",
            Unreachable::Disconnected => "the connection is refused or lost",
            Unreachable::NotRedis => "its replies are not those of a Redis server",
        })
    }
}

impl From<std::io::Error> for Unreachable {
    fn from(_: std::io::Error) -> Self {
        Unreachable::Disconnected
    }
}

impl Backend {
    /// Connects to the server at `url` and checks that it answers PING.
    pub(crate) async fn connect(url: &str) -> Result<Self, Error> {
        let target = Target::parse(url).ok_or_else(|| {
            Error::new(
                "the Redis URL is malformed: expected redis://[[user]:password@]host[:port][/database] or unix:///path",
            )
        })?;
        let backend = Backend {
            target,
            idle: Mutex::default(),
            permits: Semaphore::new(MAX_CONNECTIONS),
            others: Semaphore::new(MAX_OTHERS),
            max_idle: usize::MAX,
        };
        let ping = [vec![Bytes::from_static(b"PING")]];
        let outcome = tokio::time::timeout(CONNECT_TIMEOUT, backend.run(&ping, &mut Share::unlimited())).await;
        match outcome.as_ref().map(|reply| reply.as_deref()) {
            Err(_) => Err(Error::new("cannot reach Redis: the server did not answer PING within 5 seconds")),
            Ok(Ok([Value::Status(_)])) => Ok(backend),
            Ok(Ok(_)) => Err(Error::new(
                "the server did not answer PING with PONG: check that the URL names a Redis server and has the right password",
            )),
            Ok(Err(unreachable)) => Err(Error::new(unreachable.to_string())),
        }
    }

    /// Limits the connections.
    pub(crate) fn limit(&mut self, limits: &Limits) {
        self.max_idle = limits.connections / 8;
        self.permits = Semaphore::new(MAX_CONNECTIONS.min(limits.connections));
        self.others = Semaphore::new(MAX_OTHERS.min(limits.connections / 2));
    }

    /// Sends the commands and returns one value for each. A command that fails has an error as its value.
    ///
    /// The replies take their bytes from `share`.
    pub(crate) async fn run(&self, commands: &[Args], share: &mut Share) -> Result<Vec<Value>, Unreachable> {
        // WAIT can block for long, and must not hold a permit that other requests need.
        if commands.iter().any(is_wait) {
            return self.new_connection().await?.run_limited(commands, share).await;
        }
        let _permits = self.permits(share).await?;
        let idle = std::iter::from_fn(|| self.idle().pop()).find_map(Connection::if_alive);
        let mut connection = match idle {
            Some(connection) => connection,
            None => self.new_connection().await?,
        };
        // On an error, or if this future is dropped, the connection is dropped too: unread replies would answer the
        // next request.
        let values = connection.run_limited(commands, share).await?;
        self.idle().extend(connection.if_clean());
        Ok(values)
    }

    /// Like [`run`](Self::run), as the ACL user that `auth` logs in.
    ///
    /// Each call has a new connection, so a change of the user's password or rights takes effect at once.
    pub(crate) async fn run_as(
        &self,
        auth: &Args,
        commands: &[Args],
        share: &mut Share,
    ) -> Result<Vec<Value>, Unreachable> {
        let _permits = if commands.iter().any(is_wait) { None } else { Some(self.permits(share).await?) };
        self.new_connection_as(auth).await?.run_limited(commands, share).await
    }

    /// Waits until a request may use a connection.
    async fn permits(&self, share: &Share) -> Result<(Option<SemaphorePermit<'_>>, SemaphorePermit<'_>), Unreachable> {
        // The semaphores are never closed, so this does not fail.
        let other = match share.is_of_others() {
            true => Some(self.others.acquire().await.map_err(|_| Unreachable::Disconnected)?),
            false => None,
        };
        Ok((other, self.permits.acquire().await.map_err(|_| Unreachable::Disconnected)?))
    }

    fn idle(&self) -> MutexGuard<'_, Vec<Connection>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Closes an idle connection if there are many.
    fn drop_surplus(&self) {
        let mut idle = self.idle();
        if idle.len() > self.max_idle {
            idle.pop();
        }
    }

    /// Opens a connection outside the pool.
    pub(crate) async fn new_connection(&self) -> Result<Connection, Unreachable> {
        // Idle connections must not take the open files that subscriptions need.
        self.drop_surplus();
        tokio::time::timeout(CONNECT_TIMEOUT, self.open()).await.unwrap_or(Err(Unreachable::Disconnected))
    }

    /// Opens a connection outside the pool, as the ACL user that `auth` logs in.
    pub(crate) async fn new_connection_as(&self, auth: &Args) -> Result<Connection, Unreachable> {
        // The user may not be allowed to select the database of the URL, so the user of the URL does that first.
        let mut connection = self.new_connection().await?;
        let replies = tokio::time::timeout(CONNECT_TIMEOUT, connection.run(std::slice::from_ref(auth)));
        let replies = replies.await.unwrap_or(Err(Unreachable::Disconnected))?;
        if replies == [Value::ok()] { Ok(connection) } else { Err(Unreachable::UserRejected) }
    }

    async fn open(&self) -> Result<Connection, Unreachable> {
        let stream: Box<dyn Stream> = match &self.target.address {
            Address::Tcp(host, port) => {
                let stream = TcpStream::connect((host.as_str(), *port)).await?;
                stream.set_nodelay(true)?;
                Box::new(stream)
            }
            Address::Unix(path) => Box::new(UnixStream::connect(path).await?),
        };
        let mut connection = Connection { stream, buffer: BytesMut::new(), peak_capacity: 0, parser: Parser::new() };
        for (command, rejected) in
            [(&self.target.auth, Unreachable::PasswordRejected), (&self.target.select, Unreachable::NotRedis)]
        {
            if let Some(command) = command {
                let replies = connection.run(std::slice::from_ref(command)).await?;
                if replies != [Value::ok()] {
                    return Err(rejected);
                }
            }
        }
        Ok(connection)
    }
}

/// Returns whether the command is WAIT or WAITAOF, which block until replicas or the disk have caught up.
fn is_wait(args: &Args) -> bool {
    args.first().is_some_and(|name| name.eq_ignore_ascii_case(b"WAIT") || name.eq_ignore_ascii_case(b"WAITAOF"))
}

/// Returns whether the command is MULTI, which only the gateway sends.
fn is_multi(args: &Args) -> bool {
    matches!(args.as_slice(), [name] if name == "MULTI")
}

trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

/// One connection to Redis.
pub(crate) struct Connection {
    stream: Box<dyn Stream>,
    buffer: BytesMut,
    /// The largest capacity that the buffer has had.
    peak_capacity: usize,
    parser: Parser,
}

impl Connection {
    /// Sends the commands and returns one value for each. A value that is larger than what `share` has left is an error.
    ///
    /// The commands are sent in portions, since Redis keeps the replies to all that it has received. If the first one is
    /// MULTI and fails, its error is the only value: without MULTI, Redis would run the others one by one.
    pub(crate) async fn run_limited(
        &mut self,
        commands: &[Args],
        share: &mut Share,
    ) -> Result<Vec<Value>, Unreachable> {
        let mut values = Vec::with_capacity(commands.len());
        let mut wire = Vec::new();
        let (multi, others) = commands.split_at(commands.iter().take(1).filter(|args| is_multi(args)).count());
        for portion in multi.chunks(1).chain(others.chunks(PORTION)) {
            if let ([_], [Value::Error(_)]) = (multi, values.as_slice()) {
                break;
            }
            wire.clear();
            for args in portion {
                push_command(&mut wire, args);
            }
            self.stream.write_all(&wire).await?;
            for _ in portion {
                values.push(self.receive(share).await?);
            }
        }
        Ok(values)
    }

    /// Sends the commands and returns one value for each.
    pub(crate) async fn run(&mut self, commands: &[Args]) -> Result<Vec<Value>, Unreachable> {
        self.run_limited(commands, &mut Share::unlimited()).await
    }

    /// Waits for the next value.
    pub(crate) async fn next(&mut self) -> Result<Value, Unreachable> {
        self.receive(&mut Share::unlimited()).await
    }

    /// Waits for the next value, which takes its bytes from `share`.
    async fn receive(&mut self, share: &mut Share) -> Result<Value, Unreachable> {
        loop {
            if let Some(value) = self.parser.next(&mut self.buffer, share).map_err(|_| Unreachable::NotRedis)? {
                return Ok(value);
            }
            let missing = self.parser.wanted().saturating_sub(self.buffer.len());
            self.buffer.reserve(missing.max(16 << 10));
            self.peak_capacity = self.peak_capacity.max(self.buffer.capacity());
            if self.stream.read_buf(&mut self.buffer).await? == 0 {
                return Err(Unreachable::Disconnected);
            }
        }
    }

    /// Returns the connection if all its input has been read. Frees the memory of large replies.
    fn if_clean(mut self) -> Option<Self> {
        let is_clean = self.buffer.is_empty() && self.parser.is_between_values();
        if self.peak_capacity > MAX_IDLE_BUFFER {
            self.buffer = BytesMut::new();
            self.peak_capacity = 0;
        }
        is_clean.then_some(self)
    }

    /// Returns the connection if it is open and has no unexpected input.
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

/// The address of Redis, and the commands that each connection starts with.
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
    /// Parses `redis://[[user]:password@]host[:port][/database]` or `unix:///path`.
    fn parse(url: &str) -> Option<Self> {
        if let Some(path) = url.strip_prefix("unix://") {
            let address = Address::Unix(path.into());
            return path.starts_with('/').then_some(Target { address, auth: None, select: None });
        }
        let rest = url.strip_prefix("redis://")?;
        let (credentials, rest) = rest.rsplit_once('@').map_or((None, rest), |(left, right)| (Some(left), right));
        let (authority, database) = rest.split_once('/').unwrap_or((rest, ""));
        let (host, port) = match authority.strip_prefix('[') {
            Some(bracketed) => bracketed.split_once(']')?,
            None => authority.split_at(authority.find(':').unwrap_or(authority.len())),
        };
        let port = if port.is_empty() { 6379 } else { port.strip_prefix(':')?.parse().ok()? };
        let host = if host.is_empty() { "127.0.0.1" } else { host };
        let decode = |text: &str| percent_decode_str(text).collect::<Bytes>();
        let auth = credentials.map(|credentials| {
            let (user, password) = credentials.split_once(':').unwrap_or(("", credentials));
            let user = (!user.is_empty()).then(|| decode(user));
            [Bytes::from_static(b"AUTH")].into_iter().chain(user).chain([decode(password)]).collect()
        });
        let select = match database {
            "" | "0" => None,
            number => Some(vec![Bytes::from_static(b"SELECT"), number.parse::<u16>().ok()?.to_string().into()]),
        };
        Some(Target { address: Address::Tcp(host.to_owned(), port), auth, select })
    }
}

impl fmt::Debug for Target {
    /// Leaves out the password.
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
    fn urls_have_an_address_a_password_and_a_database() {
        let cases = [
            ("redis://localhost", "localhost:6379", None, None),
            ("redis://h:7/2", "h:7", None, args(&["SELECT", "2"])),
            ("redis://:p%40ss@h:7/0", "h:7", args(&["AUTH", "p@ss"]), None),
            ("redis://user:p:w@[::1]:7", "::1:7", args(&["AUTH", "user", "p:w"]), None),
            ("unix:///run/redis.sock", "/run/redis.sock", None, None),
        ];
        for (url, address, auth, select) in cases {
            assert_eq!(parsed(url), Some((address.to_owned(), auth, select)), "{url}");
        }
        for url in ["", "localhost", "rediss://h", "redis://h:port", "redis://h/x", "unix://run", "redis://[::1"] {
            assert_eq!(parsed(url), None, "{url}");
        }
    }
}
