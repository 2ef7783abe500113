//! Nothing that a client sends changes a connection that other requests use.

use std::path::Path;

use redis_rest_gateway::{Gateway, install};
use reqwest::Method;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::gateway::{answer, request_to};

/// Returns the lines of CLIENT LIST, without that of the asking connection.
async fn clients(url: &str) -> Vec<String> {
    let (password, address) = url.strip_prefix("redis://:").unwrap().split_once('@').unwrap();
    let mut connection = TcpStream::connect(address).await.unwrap();
    connection.write_all(format!("AUTH {password}\r\nCLIENT LIST\r\nQUIT\r\n").as_bytes()).await.unwrap();
    let mut text = String::new();
    connection.read_to_string(&mut text).await.unwrap();
    text.lines().filter(|line| line.starts_with("id=") && !line.contains(" cmd=client")).map(str::to_owned).collect()
}

fn attacks() -> Vec<Value> {
    let scripted =
        ["'SELECT', '0'", "'HELLO', '3'", "'MULTI'", "'SUBSCRIBE', 'c'", "'CLIENT', 'REPLY', 'OFF'", "'RESET'"];
    let scripted = scripted.map(|call| json!(["EVAL", format!("redis.setresp(3) return redis.pcall({call})"), "0"]));
    let direct = [
        json!(["SELECT", "0"]),
        json!(["select", 0]),
        json!(["Select", "00"]),
        json!(["SELECT", "1"]),
        json!(["MULTI"]),
        json!(["multi"]),
        json!(["EXEC"]),
        json!(["DISCARD"]),
        json!(["WATCH", "k"]),
        json!(["CLIENT", "REPLY", "OFF"]),
        json!(["CLIENT", "TRACKING", "ON"]),
        json!(["CLIENT", "SETNAME", "x"]),
        json!(["CLIENT", "NO-TOUCH", "ON"]),
        json!(["HELLO", "3"]),
        json!(["AUTH", "nobody", "x"]),
        json!(["RESET"]),
        json!(["QUIT"]),
        json!(["SUBSCRIBE", "c"]),
        json!(["PSUBSCRIBE", "c"]),
        json!(["SSUBSCRIBE", "c"]),
        json!(["MONITOR"]),
        json!(["READONLY"]),
        json!(["ASKING"]),
        json!(["SCRIPT", "DEBUG", "YES"]),
        json!(["SWAPDB", "0", "2"]),
        json!(["MOVE", "mark", "0"]),
        json!(["REPLCONF", "ack", "0"]),
        json!(["PSYNC", "?", "-1"]),
        json!(["FCALL", "leave", "0"]),
    ];
    direct.into_iter().chain(scripted).collect()
}

#[tokio::test]
async fn a_pooled_connection_stays_in_its_database_and_mode() {
    for install in [install::redis_8_2_with_json, install::valkey_9] {
        let server =
            install(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../.servers")).unwrap().start().await.unwrap();
        let url = format!("{}/2", server.url());
        for all_commands in [false, true] {
            let builder = Gateway::over(&url);
            let builder = if all_commands { builder.all_commands() } else { builder };
            let gateway = &builder.start().await.unwrap();
            let send = async |token: &str, path: &str, body: String| {
                answer(request_to(gateway, Method::POST, path).bearer_auth(token).body(body)).await
            };
            let library =
                "#!lua name=leave\nredis.register_function('leave', function() return redis.call('SELECT', 0) end)";
            let setup = json!([["SET", "mark", "here"], ["FUNCTION", "LOAD", "REPLACE", library]]);
            send(gateway.token(), "/pipeline", setup.to_string()).await;
            for token in [gateway.token(), gateway.read_only_token()] {
                for attack in attacks() {
                    send(token, "/", attack.to_string()).await;
                    for path in ["/pipeline", "/multi-exec"] {
                        send(token, path, json!([["GET", "mark"], attack]).to_string()).await;
                        send(token, path, json!([attack, ["NOSUCH"]]).to_string()).await;
                    }
                    let segments: Vec<&str> = attack.as_array().unwrap().iter().filter_map(Value::as_str).collect();
                    // In a path, these are the event streams.
                    if !["EVAL", "MONITOR", "SUBSCRIBE", "PSUBSCRIBE"].contains(&segments[0]) {
                        send(token, &format!("/{}", segments.join("/")), String::new()).await;
                    }
                    let (_, reply) = send(token, "/", r#"["GET","mark"]"#.to_owned()).await;
                    assert_eq!(reply, json!({"result": "here"}), "after {attack}");
                }
            }
            let replies = json!([["SELECT", "0"], ["GET", "mark"], ["select", "0"]]).to_string();
            for path in ["/pipeline", "/multi-exec"] {
                let (_, replies) = send(gateway.read_only_token(), path, replies.clone()).await;
                assert_eq!(replies, json!([{"result": "OK"}, {"result": "here"}, {"result": "OK"}]), "{path}");
            }
            let commands = json!([
                ["COPY", "mark", "copy", "DB", 0, "REPLACE"],
                ["GET", "copy"],
                ["COPY", "mark", "copy", "DB", 1]
            ]);
            let (_, replies) = send(gateway.token(), "/pipeline", commands.to_string()).await;
            assert_eq!(replies, json!([{"result": 1}, {"result": "here"}, {"error": "ERR DB index is out of range"}]));

            let clients = clients(server.url()).await;
            assert!(!clients.is_empty());
            for client in clients {
                for part in [" db=2 ", " sub=0 ", " psub=0 ", " user=default ", " resp=2 ", " name= ", " flags=N "] {
                    assert!(client.contains(part), "{part} in {client}");
                }
            }
        }
    }
}

#[tokio::test]
async fn scripts_can_use_every_database() {
    // As the guide to the differences says.
    for install in [install::redis_8_2_with_json, install::valkey_9] {
        let server =
            install(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../.servers")).unwrap().start().await.unwrap();
        let gateway = &Gateway::over(format!("{}/2", server.url())).start().await.unwrap();
        let eval = async |name: &str, token: &str, script: &str| {
            let body = json!([name, script, "0"]).to_string();
            answer(request_to(gateway, Method::POST, "/").bearer_auth(token).body(body)).await.1
        };
        let write = "redis.call('SELECT', 1) redis.call('SET', 'k', 'v') redis.call('COPY', 'k', 'k', 'DB', 3) \
                     redis.call('SWAPDB', 3, 4) redis.call('SELECT', 4) return redis.call('MOVE', 'k', 5)";
        assert_eq!(eval("EVAL", gateway.token(), write).await, json!({"result": 1}));
        let read = "redis.call('SELECT', 5) return redis.call('GET', 'k')";
        assert_eq!(eval("EVAL_RO", gateway.token(), read).await, json!({"result": "v"}));
        for name in ["EVAL", "EVAL_RO"] {
            let reply = eval(name, gateway.read_only_token(), read).await;
            assert!(reply["error"].as_str().unwrap().starts_with("NOPERM"), "{reply}");
        }
    }
}
