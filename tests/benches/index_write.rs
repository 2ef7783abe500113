//! The server's CPU time for the insert of an indexed record, against the same by hand: MULTI, HSET, three ZADDs, EXEC.
//!
//! `cargo bench -p redis-model-tests --bench index_write`
//!
//! The commands are sent over TCP: each insert in a request of its own, as a REST request makes the server do it, and many
//! inserts in one pipeline, where almost no time goes to the network. The time is the lowest of several rounds, because
//! other programs make it longer only.

#![expect(clippy::print_stdout, clippy::indexing_slicing, reason = "it is there to print, of samples that are there")]

use std::error::Error;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;

use redis_model::prelude::*;
use redis_model::redis_rest::{Build, Command};
use redis_model_tests::{Stack, own_redis_7_0, own_stack, own_valkey};

const RECORDS: usize = 10_000;
const ROUNDS: usize = 5;

#[derive(Debug, Clone, RedisModel)]
#[redis(prefix = "user")]
struct User {
    #[redis(id)]
    id: usize,
    #[redis(unique)]
    email: String,
    #[redis(index)]
    country: String,
    #[redis(index)]
    age: u8,
    name: String,
    street: String,
    city: String,
    zip: String,
    phone: String,
    visits: u64,
    score: f64,
    active: bool,
}

fn user(id: usize) -> User {
    User {
        id,
        email: format!("user{id}@example.org"),
        country: ["TR", "UK", "DE", "FR"][id % 4].into(),
        age: u8::try_from(id % 80).unwrap_or_default(),
        name: format!("Ada Lovelace {id}"),
        street: "12 St James's Square".into(),
        city: "London".into(),
        zip: "SW1Y 4JH".into(),
        phone: "+44 20 7946 0000".into(),
        visits: 17,
        score: 0.25,
        active: true,
    }
}

type Line = Vec<Vec<u8>>;

fn line<A: AsRef<[u8]>>(args: impl IntoIterator<Item = A>) -> Line {
    args.into_iter().map(|arg| arg.as_ref().to_vec()).collect()
}

/// The insert as a program without this crate would write it.
fn by_hand(user: &User) -> Vec<Line> {
    let insert = user.insert(Build).args();
    let key = format!("user:{}", user.id);
    // The fields are the last arguments.
    let fields = insert[insert.len() - 24..].iter().map(|field| field.to_vec());
    let zadd = |index: &str, value: &str| {
        line(["ZADD", &format!("user::index:{index}"), "0", &format!("{value}\0{}", user.id)])
    };
    vec![
        line(["MULTI"]),
        [b"HSET".to_vec(), key.into_bytes()].into_iter().chain(fields).collect(),
        zadd("email", &user.email),
        zadd("country", &user.country),
        zadd("age", &user.age.to_string()),
        line(["EXEC"]),
    ]
}

/// The same script call, with a place to keep the outcome.
fn with_nonce(mut call: Line, id: usize) -> Line {
    let keys: usize = std::str::from_utf8(&call[2]).ok().and_then(|text| text.parse().ok()).unwrap_or_default();
    call[3 + keys] = b"20000".to_vec();
    call.insert(3, format!("user::once:{id:032}").into_bytes());
    call[2] = (keys + 1).to_string().into_bytes();
    call
}

struct Server {
    stream: BufReader<TcpStream>,
}

impl Server {
    fn connect(stack: &Stack) -> Result<Self, Box<dyn Error>> {
        let url = stack.server.url().trim_start_matches("redis://:");
        let (password, address) = url.split_once('@').ok_or("a URL with a password")?;
        let mut server = Server { stream: BufReader::new(TcpStream::connect(address)?) };
        server.run(&[line(["AUTH", password])])?;
        Ok(server)
    }

    /// Sends commands in one pipeline.
    fn run(&mut self, commands: &[Line]) -> Result<Vec<Vec<u8>>, Box<dyn Error>> {
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

    fn reply(&mut self) -> Result<Vec<u8>, Box<dyn Error>> {
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

    /// The CPU time that the server has used, in microseconds.
    fn cpu(&mut self) -> Result<f64, Box<dyn Error>> {
        let info = self.run(&[line(["INFO", "cpu"])])?.concat();
        let info = String::from_utf8_lossy(&info).into_owned();
        let seconds = |name: &str| -> f64 {
            let line = info.lines().find(|line| line.starts_with(name));
            line.and_then(|line| line.split(':').nth(1)?.parse().ok()).unwrap_or_default()
        };
        Ok((seconds("used_cpu_user:") + seconds("used_cpu_sys:")) * 1e6)
    }

    /// Microseconds for each of the groups, of which one record takes one. So many groups are a request.
    fn measure(&mut self, groups: &[Vec<Line>], before: &[Line], together: usize) -> Result<f64, Box<dyn Error>> {
        self.run(&[line(["FLUSHALL"])])?;
        for portion in before.chunks(1000) {
            self.run(portion)?;
        }
        let start = self.cpu()?;
        for portion in groups.chunks(together) {
            self.run(&portion.concat())?;
        }
        Ok((self.cpu()? - start) / f64::from(u32::try_from(groups.len())?))
    }
}

fn measure(name: &str, stack: &Stack) -> Result<(), Box<dyn Error>> {
    let mut server = Server::connect(stack)?;
    // The server learns the script from a call that has it in full, as the first one of a group does.
    let group = user(0).insert(Build).beside(Command::read("PING"), |_| Ok(()));
    server.run(&[line(group.commands().swap_remove(0))])?;
    let users: Vec<_> = (0..RECORDS).map(user).collect();
    let hand: Vec<_> = users.iter().map(by_hand).collect();
    let hset: Vec<_> = hand.iter().map(|group| vec![group[1].clone()]).collect();
    let put = |user: &User| line(user.insert(Build).args());
    let save = |user: &User| line(user.save(Build).args());
    let inserted: Vec<_> = users.iter().map(put).collect();
    let inserts: Vec<_> = inserted.iter().map(|insert| vec![insert.clone()]).collect();
    let nonces: Vec<_> = users.iter().map(|user| vec![with_nonce(put(user), user.id)]).collect();
    let same: Vec<_> = users.iter().map(|user| vec![save(user)]).collect();
    let moved: Vec<_> = users
        .iter()
        .map(|user| vec![save(&User { country: "US".into(), age: 99 - user.age, ..user.clone() })])
        .collect();
    println!("{name}: microseconds of the server's CPU for one record of 12 fields with 3 indexes");
    println!("  {:<34}{:>22}{:>22}", "", "one by one", "in pipelines");
    let mut by_hand = [0.0; 2];
    for (what, groups, before) in [
        ("MULTI, HSET, 3 ZADD, EXEC", &hand, &[][..]),
        ("HSET alone", &hset, &[]),
        ("insert", &inserts, &[]),
        ("insert with a nonce", &nonces, &[]),
        ("save, nothing indexed changed", &same, &inserted),
        ("save, two indexed fields changed", &moved, &inserted),
    ] {
        print!("  {what:<34}");
        for (hand, together) in by_hand.iter_mut().zip([1, 200]) {
            let mut lowest = f64::INFINITY;
            for _ in 0..ROUNDS {
                lowest = lowest.min(server.measure(groups, before, together)?);
            }
            if *hand == 0.0 {
                *hand = lowest;
            }
            print!("{lowest:>10.1} ({:.2} times)", lowest / *hand);
        }
        println!();
    }
    Ok(())
}

fn main() -> Result<(), Box<dyn Error>> {
    measure("Redis 8.2", &own_stack())?;
    measure("Valkey 9.1", &own_valkey())?;
    if let Some(stack) = own_redis_7_0() {
        measure("Redis 7.0", &stack)?;
    }
    Ok(())
}
