//! Which commands the gateway allows.

use std::collections::BTreeSet;

use redis_model_tests::{key, own_stack, stack};
use redis_rest_gateway::Gateway;
use reqwest::Method;
use serde_json::{Value, json};

use super::gateway::{answer, request_to};

async fn pipeline(gateway: &Gateway, token: &str, commands: &[Vec<String>]) -> Vec<Value> {
    let request = request_to(gateway, Method::POST, "/pipeline").bearer_auth(token).body(json!(commands).to_string());
    let (status, body) = answer(request).await;
    assert_eq!(status, 200, "{body}");
    body.as_array().unwrap().clone()
}

fn words(lines: &[&str]) -> Vec<Vec<String>> {
    lines.iter().map(|line| line.split(' ').map(str::to_owned).collect()).collect()
}

fn refusal(name: &str) -> Value {
    let more = "See https://upstash.com/docs/redis/overall/rediscompatibility for details";
    json!({ "error": format!("ERR Command is not available: '{name}'. {more}") })
}

/// Each command of the list and of the server, with its subcommands, as `CONFIG GET`.
fn listed() -> BTreeSet<String> {
    let rows = include_str!("../../commands.tsv").lines().skip(1).map(|row| row.split('\t').collect::<Vec<_>>());
    rows.filter(|row| row[2] == "yes").map(|row| row[1].to_owned()).collect()
}

fn names(command: &Value) -> Vec<String> {
    let name = command[0].as_str().unwrap().to_uppercase();
    let subcommands = command[9].as_array().unwrap().iter();
    let subcommands = subcommands.map(|entry| entry[0].as_str().unwrap().replace('|', " ").to_uppercase());
    [name].into_iter().chain(subcommands).collect()
}

/// Sends each command without arguments: an allowed one fails in Redis, or does no harm to an empty database.
#[tokio::test]
async fn the_commands_of_the_documentation_are_allowed_and_no_others() {
    let stack = own_stack();
    let gateway = &stack.gateway;
    let server = pipeline(gateway, gateway.token(), &words(&["COMMAND"])).await;
    let server: BTreeSet<String> = server[0]["result"].as_array().unwrap().iter().flat_map(names).collect();
    let listed = listed();
    assert!(server.len() > 350 && listed.len() > 230, "{} {}", server.len(), listed.len());

    let all: Vec<&String> = server.union(&listed).collect();
    let commands: Vec<_> = all.iter().map(|name| name.split(' ').map(str::to_owned).collect()).collect();
    let replies = pipeline(gateway, gateway.token(), &commands).await;
    for (name, reply) in all.iter().zip(&replies) {
        let container = name.split(' ').next().unwrap();
        let is_listed = listed.contains(*name) || listed.contains(container);
        let has_listed_subcommands = listed.iter().any(|other| other.starts_with(&format!("{name} ")));
        let error = reply["error"].as_str().unwrap_or_default();
        let is_refused = *reply == refusal(name) || *reply == refusal(container);
        if is_listed || has_listed_subcommands {
            let known = server.contains(*name) || name.starts_with("ACL ");
            assert_eq!(error.contains("but the server behind this gateway does not"), !known, "{name}: {reply}");
            assert!(!is_refused, "{name}: {reply}");
        } else {
            assert!(is_refused || error.contains("is not allowed in REST"), "{name}: {reply}");
        }
    }
    let seen = |text: &str| replies.iter().filter(|reply| reply.to_string().contains(text)).count();
    assert!(seen("Command is not available") > 60 && seen("wrong number of arguments") > 150);
}

#[tokio::test]
async fn all_commands_lifts_the_list_but_nothing_that_would_harm_others() {
    let k = &key("all");
    let lines = [&format!("OBJECT ENCODING {k}"), "SLOWLOG LEN", &format!("SORT {k}"), "CONFIG RESETSTAT", "ROLE"];
    let lines = words(&lines);
    let default = &stack().gateway;
    let refused = pipeline(default, default.token(), &lines).await;
    let names = ["OBJECT", "SLOWLOG", "SORT", "CONFIG RESETSTAT", "ROLE"];
    assert_eq!(refused, names.map(refusal));

    let lifted = Gateway::over(stack().server.url()).all_commands().start().await.unwrap();
    for (reply, line) in pipeline(&lifted, lifted.token(), &lines).await.iter().zip(&lines) {
        assert!(reply.get("result").is_some(), "{line:?}: {reply}");
    }
    for line in ["BLPOP k 0", "SHUTDOWN", "MODULE LIST", "CLIENT ID", "SCRIPT DEBUG YES", "DEBUG SLEEP 9", "NOSUCH"] {
        let reply = pipeline(&lifted, lifted.token(), &words(&[line])).await;
        let error = reply[0]["error"].as_str().unwrap();
        assert!(error.contains("is not available") || error.contains("is not allowed in REST"), "{line}: {error}");
    }
}

#[tokio::test]
async fn the_read_only_token_allows_what_reads() {
    let gateway = &stack().gateway;
    let k = key("read-only");
    let set = words(&[&format!("JSON.SET {k} $ {{\"a\":[1]}}"), &format!("SADD {k}.set m")]);
    assert!(pipeline(gateway, gateway.token(), &set).await.iter().all(|reply| reply.get("result").is_some()));

    let reads = [
        format!("JSON.GET {k} $.a"),
        format!("JSON.TYPE {k} $.a"),
        format!("JSON.MGET {k} $.a"),
        format!("SSCAN {k}.set 0"),
        format!("MEMORY USAGE {k}"),
        "DBSIZE".to_owned(),
        "PING".to_owned(),
        "SELECT 0".to_owned(),
    ];
    let reads: Vec<&str> = reads.iter().map(String::as_str).collect();
    for (reply, line) in pipeline(gateway, gateway.read_only_token(), &words(&reads)).await.iter().zip(reads) {
        assert!(reply.get("result").is_some(), "{line}: {reply}");
    }
    let refused =
        ["JSON.SET k $ 1", "JSON.DEL k", "SCAN 0", "KEYS *", "PUBLISH c m", "ACL WHOAMI", "CONFIG GET *", "INFO"];
    for (reply, line) in pipeline(gateway, gateway.read_only_token(), &words(&refused)).await.iter().zip(refused) {
        assert!(reply["error"].as_str().unwrap().starts_with("NOPERM this user has no permissions"), "{line}: {reply}");
    }
    // An event stream is judged as the command that it runs, and none of these is a command that reads.
    for (path, name) in [("/subscribe/c", "subscribe"), ("/psubscribe/c", "psubscribe"), ("/monitor", "monitor")] {
        let stream = request_to(gateway, Method::POST, path).bearer_auth(gateway.read_only_token());
        let text = format!("NOPERM this user has no permissions to run the '{name}' command or its subcommand");
        assert_eq!(answer(stream).await, (400, json!({ "error": text })));
    }
}
