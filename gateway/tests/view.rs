//! The option `--view` of the program.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Command, Stdio};

use redis_rest_gateway::{Server, install};

async fn server() -> Server {
    let cache = Path::new(env!("CARGO_MANIFEST_DIR")).join("../.servers");
    install::valkey_9(&cache).unwrap().start().await.unwrap()
}

fn program(server: &Server, options: &[&str]) -> Command {
    let mut program = Command::new(env!("CARGO_BIN_EXE_redis-rest-gateway"));
    program.args(["--listen", "127.0.0.1:0", "--redis-url", server.url()]).args(options);
    program
}

#[tokio::test]
async fn the_program_prints_an_address_that_opens_the_view() {
    let server = server().await;
    let mut running = program(&server, &["--view-listen", "127.0.0.1:0"]).stdout(Stdio::piped()).spawn().unwrap();
    let lines = BufReader::new(running.stdout.take().unwrap()).lines();
    let url = lines.map(Result::unwrap).find_map(|line| line.strip_prefix("view: ").map(str::to_owned)).unwrap();
    let (address, path) = url.strip_prefix("http://").unwrap().split_once('/').unwrap();
    let mut stream = TcpStream::connect(address).unwrap();
    let request = format!("GET /{path} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    running.kill().unwrap();
    running.wait().unwrap();
    assert!(answer.starts_with("HTTP/1.1 303 ") && answer.contains("HttpOnly; SameSite=Strict"), "{answer}");
}

#[tokio::test]
async fn the_view_is_for_this_machine_alone() {
    let server = server().await;
    let output = program(&server, &["--view", "--view-listen", "0.0.0.0:0"]).output().unwrap();
    let error = String::from_utf8(output.stderr).unwrap();
    assert!(!output.status.success() && error.contains("0.0.0.0 is not a loopback address"), "{error}");
    assert!(error.contains("ssh -L"), "{error}");
}
