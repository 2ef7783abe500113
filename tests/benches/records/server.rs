//! A connection to a server of ours, and what the server says of itself.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;

use redis_model::prelude::*;
use redis_model::redis_rest::Encoding;
use redis_model_tests::Stack;
use redis_model_tests::direct::Direct;
use redis_model_tests::process::figures;
use redis_model_tests::user::User;

use crate::{Outcome, float};

/// The arguments of a command.
pub(crate) type Line = Vec<Vec<u8>>;

pub(crate) fn line<A: AsRef<[u8]>>(args: impl IntoIterator<Item = A>) -> Line {
    args.into_iter().map(|arg| arg.as_ref().to_vec()).collect()
}

/// A client that speaks to the server itself.
pub(crate) fn past_the_gateway(stack: &Stack) -> Outcome<Redis> {
    Ok(Redis::builder("http://localhost", "token")
        .encoding(Encoding::Resp2)
        .transport(Direct::new(stack.server.url()))
        .build()?)
}

pub(crate) struct Server {
    stream: BufReader<TcpStream>,
}

impl Server {
    /// Connects to a server, which knows the scripts of writes afterwards.
    pub(crate) fn connect(stack: &Stack) -> Outcome<Self> {
        // Past the gateway, to which the client speaks in the other dialect.
        let redis = past_the_gateway(stack)?;
        tokio::runtime::Runtime::new()?.block_on(async {
            User::new(0).insert(&redis).await?;
            User::patch(0).incr(User::VISITS, 1).exec(&redis).await?;
            User::delete(&redis, 0).await
        })?;
        let url = stack.server.url().trim_start_matches("redis://:");
        let (password, address) = url.split_once('@').ok_or("a URL with a password")?;
        let mut server = Server { stream: BufReader::new(TcpStream::connect(address)?) };
        server.run(&[line(["AUTH", password])])?;
        Ok(server)
    }

    /// Sends commands in one pipeline.
    pub(crate) fn run(&mut self, commands: &[Line]) -> Outcome<Vec<Vec<u8>>> {
        let mut bytes = Vec::new();
        for command in commands {
            write!(bytes, "*{}\r\n", command.len())?;
            for arg in command {
                write!(bytes, "${}\r\n", arg.len())?;
                bytes.extend_from_slice(arg);
                bytes.extend_from_slice(b"\r\n");
            }
        }
        // The replies to a request are less than the buffers of a connection hold.
        self.stream.get_ref().write_all(&bytes)?;
        commands.iter().map(|_| self.reply()).collect()
    }

    fn reply(&mut self) -> Outcome<Vec<u8>> {
        let mut line = String::new();
        self.stream.read_line(&mut line)?;
        let (kind, rest) = line.trim_end().split_at(1);
        match kind {
            "$" => {
                let length: i64 = rest.parse()?;
                let mut text = vec![0; usize::try_from(length + 2).unwrap_or_default()];
                self.stream.read_exact(&mut text)?;
                Ok(text)
            }
            "*" => {
                for _ in 0..rest.parse::<usize>()? {
                    self.reply()?;
                }
                Ok(Vec::new())
            }
            "-" => Err(rest.into()),
            _ => Ok(rest.as_bytes().to_vec()),
        }
    }

    /// The sum of these figures in a section of `INFO`.
    fn info(&mut self, section: &str, names: &[&str]) -> Outcome<f64> {
        let info = self.run(&[line(["INFO", section])])?.concat();
        Ok(figures(&String::from_utf8_lossy(&info), names))
    }

    /// The CPU time that the server has used, in microseconds.
    fn cpu(&mut self) -> Outcome<f64> {
        Ok(self.info("cpu", &["used_cpu_user", "used_cpu_sys"])? * 1e6)
    }

    /// The memory that the server uses, in bytes.
    pub(crate) fn memory(&mut self) -> Outcome<f64> {
        self.info("memory", &["used_memory"])
    }

    /// Runs these commands on an empty server.
    pub(crate) fn fill(&mut self, commands: &[Line]) -> Outcome<()> {
        self.run(&[line(["FLUSHALL", "SYNC"])])?;
        commands.chunks(1000).try_for_each(|portion| self.run(portion).map(drop))
    }

    /// Microseconds for each of the groups, after the commands `before`. So many groups are sent at once.
    pub(crate) fn measure(&mut self, groups: &[Vec<Line>], before: &[Line], together: usize) -> Outcome<f64> {
        self.fill(before)?;
        let start = self.cpu()?;
        for portion in groups.chunks(together) {
            self.run(&portion.concat())?;
        }
        Ok((self.cpu()? - start) / float(groups.len()))
    }
}
