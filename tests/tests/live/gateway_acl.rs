//! Tokens of ACL users.

use redis_model::redis_rest::{Redis, Result, ServerCommands as _, StringCommands as _};
use redis_model_tests::{own_stack, stack};
use redis_rest_gateway::Gateway;
use reqwest::Method;
use serde_json::{Value, json};

use super::gateway::{answer, events, request_to};

async fn send(gateway: &Gateway, token: &str, path: &str, body: Value) -> (u16, Value) {
    answer(request_to(gateway, Method::POST, path).bearer_auth(token).body(body.to_string())).await
}

#[tokio::test]
async fn a_token_of_a_user_has_the_rights_of_the_user() {
    let stack = own_stack();
    let gateway = &stack.gateway;
    let full = gateway.token();
    // The user exists when the second command runs.
    let setup = json!([
        [
            "ACL",
            "SETUSER",
            "app",
            "on",
            ">s3cret",
            "~cached:*",
            "&*",
            "+get",
            "+acl|whoami",
            "+subscribe",
            "+multi",
            "+exec"
        ],
        ["ACL", "RESTTOKEN", "app", "s3cret"],
        ["SET", "cached:1", "v"],
        ["ACL", "RESTTOKEN", "app", "s3cret"],
    ]);
    let (_, replies) = send(gateway, full, "/pipeline", setup).await;
    let token = replies[1]["result"].as_str().unwrap();
    assert_eq!(replies[3]["result"], token);

    assert_eq!(send(gateway, token, "/", json!(["GET", "cached:1"])).await, (200, json!({"result": "v"})));
    assert_eq!(send(gateway, token, "/", json!(["ACL", "WHOAMI"])).await.1, json!({"result": "app"}));
    let (status, reply) = send(gateway, token, "/", json!(["GET", "other"])).await;
    assert!(status == 400 && reply["error"].as_str().unwrap().starts_with("NOPERM"), "{reply}");
    let (_, replies) = send(gateway, token, "/pipeline", json!([["SET", "cached:1", "w"], ["GET", "cached:1"]])).await;
    assert!(replies[0]["error"].as_str().unwrap().starts_with("NOPERM") && replies[1]["result"] == "v", "{replies}");
    let (_, replies) = send(gateway, token, "/multi-exec", json!([["ACL", "WHOAMI"], ["GET", "cached:1"]])).await;
    assert_eq!(replies, json!([{"result": "app"}, {"result": "v"}]));
    let stream = request_to(gateway, Method::GET, &format!("/subscribe/c?_token={token}"));
    assert_eq!(events(stream, 1).await, ["data: subscribe,c,1"]);
    assert_eq!(send(gateway, token, "/monitor", json!(null)).await.0, 400);
    // No other request is one of the user.
    assert_eq!(send(gateway, full, "/", json!(["ACL", "WHOAMI"])).await.1, json!({"result": "default"}));

    send(gateway, full, "/", json!(["ACL", "SETUSER", "app", "-get"])).await;
    assert_eq!(send(gateway, token, "/", json!(["GET", "cached:1"])).await.0, 400);
    send(gateway, full, "/", json!(["ACL", "DELUSER", "app"])).await;
    let rejected = json!({"error": "WRONGPASS invalid username-password pair or user is disabled"});
    assert_eq!(send(gateway, token, "/", json!(["GET", "cached:1"])).await, (401, rejected));
}

#[tokio::test]
async fn the_typed_commands_return_tokens_that_work() -> Result<()> {
    let stack = own_stack();
    let redis = stack.redis();
    redis.acl_setuser("app", ["on", ">s3cret", "~*", "+get", "+acl|whoami"]).await?;
    for token in [redis.acl_resttoken("app", "s3cret").await?, redis.acl_gentoken("app", Some("s3cret")).await?] {
        let app = Redis::builder(stack.gateway.url(), token).build()?;
        assert_eq!(app.acl_whoami().await?, "app");
        assert_eq!(app.set("k", "v").await.unwrap_err().code(), Some("NOPERM"));
    }
    Ok(())
}

#[tokio::test]
async fn a_transaction_of_a_user_who_may_not_run_multi_executes_nothing() {
    let stack = own_stack();
    let (gateway, full) = (&stack.gateway, stack.gateway.token());
    let setup = json!([["ACL", "SETUSER", "w", "on", ">pw", "~*", "+set"], ["ACL", "RESTTOKEN", "w", "pw"]]);
    let (_, replies) = send(gateway, full, "/pipeline", setup).await;
    let token = replies[1]["result"].as_str().unwrap();
    for rights in ["+set", "+multi"] {
        send(gateway, full, "/", json!(["ACL", "SETUSER", "w", rights])).await;
        let (status, reply) = send(gateway, token, "/multi-exec", json!([["SET", "torn", "1"]])).await;
        assert!(status == 400 && reply["error"].as_str().unwrap().contains("NOPERM"), "{reply}");
        assert_eq!(send(gateway, full, "/", json!(["EXISTS", "torn"])).await.1, json!({"result": 0}), "{rights}");
    }
    send(gateway, full, "/", json!(["ACL", "SETUSER", "w", "+exec"])).await;
    assert_eq!(send(gateway, token, "/multi-exec", json!([["SET", "torn", "1"]])).await.0, 200);
}

#[tokio::test]
async fn resttoken_needs_the_password_and_the_full_token() {
    let gateway = &stack().gateway;
    let command = json!(["acl", "resttoken", "nobody", "fakepass"]);
    let text = "ERR Wrong password or user \"nobody\" does not exist";
    assert_eq!(send(gateway, gateway.token(), "/", command.clone()).await, (400, json!({ "error": text })));
    let (_, reply) = send(gateway, gateway.read_only_token(), "/", command.clone()).await;
    assert!(reply["error"].as_str().unwrap().starts_with("NOPERM"), "{reply}");
    let (_, reply) = send(gateway, gateway.token(), "/", json!(["ACL", "RESTTOKEN", "nobody"])).await;
    assert_eq!(reply, json!({"error": "ERR wrong number of arguments for 'acl|resttoken' command"}));
    let (status, reply) = send(gateway, gateway.token(), "/multi-exec", json!([command])).await;
    assert!(status == 400 && reply["error"].as_str().unwrap().contains("not available in a transaction"), "{reply}");
}

#[tokio::test]
async fn a_generated_token_is_a_password_and_a_token() {
    let stack = own_stack();
    let gateway = &stack.gateway;
    let call = async |command: Value| send(gateway, gateway.token(), "/", command).await.1["result"].clone();
    for (user, password) in [("a", None), ("b", Some("chosen-pass"))] {
        let token = match password {
            None => call(json!(["ACL", "GENTOKEN", user])).await,
            Some(password) => call(json!(["ACL", "GENTOKEN", user, password])).await,
        };
        let token = token.as_str().unwrap();
        assert_eq!(send(gateway, token, "/", json!(["PING"])).await.0, 401, "the user does not exist yet");
        call(json!(["ACL", "SETUSER", user, "on", format!(">{token}"), "+ping", "+acl|whoami"])).await;
        assert_eq!(send(gateway, token, "/", json!(["ACL", "WHOAMI"])).await.1, json!({ "result": user }));
        assert_eq!(call(json!(["ACL", "RESTTOKEN", user, token])).await, token);
        if let Some(password) = password {
            assert_eq!(call(json!(["ACL", "RESTTOKEN", user, password])).await, token);
        }
    }
}
