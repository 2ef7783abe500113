//! Servers and settings with which nothing is done.

use redis_model_tools::Outcome;

use super::{Suite, error, holds};
use crate::fault::{Act, FaultServer};

/// With an old compatibility date, the runtime would send the token along.
pub async fn a_redirect_is_not_followed(suite: &Suite) -> Outcome<()> {
    let elsewhere = FaultServer::start([Act::hello()]).await?;
    for worker in ["main", "old"] {
        for status in ["307 Temporary Redirect", "308 Permanent Redirect", "302 Found", "301 Moved"] {
            let moved = format!("location: {}/\r\ncontent-length: 0\r\nconnection: close", elsewhere.url);
            let server = FaultServer::start([Act::Send(format!("HTTP/1.1 {status}\r\n{moved}\r\n\r\n"))]).await?;
            let answer = suite.call_on(worker, &format!("/get?key=k&url={}&retries=2", server.url)).await?;
            let code = &status[..3];
            error(&format!("Rejected may_have_executed=false attempts=1 status={code}:"), &answer)?;
            let seen = server.seen();
            holds(seen.len() == 1 && seen[0].head.contains("authorization: bearer "), || format!("{seen:?}"))?;
        }
    }
    holds(elsewhere.seen().is_empty(), || format!("the other host was asked: {:?}", elsewhere.seen()))
}

pub async fn a_url_that_is_not_https(suite: &Suite) -> Outcome<()> {
    let start = "Config may_have_executed=false attempts=0:";
    let why = suite.expect_error("/get?key=k&url=http://192.0.2.1", start).await?;
    holds(why.contains("https"), || why)
}

pub async fn a_url_that_is_none_is_not_quoted(suite: &Suite) -> Outcome<()> {
    let start = "Config may_have_executed=false attempts=0:";
    let why = suite.expect_error("/get?key=k&url=https://user:secret@exa%20mple", start).await?;
    holds(!why.contains("secret"), || why)
}

pub async fn a_missing_binding(suite: &Suite) -> Outcome<()> {
    for (worker, name) in [("noToken", "UPSTASH_REDIS_REST_TOKEN"), ("noUrl", "UPSTASH_REDIS_REST_URL")] {
        let answer = suite.call_on(worker, "/get?key=k").await?;
        let why = error("Config may_have_executed=false attempts=0:", &answer)?;
        holds(why.contains(name), || why)?;
    }
    Ok(())
}

pub async fn a_wrong_token(suite: &Suite) -> Outcome<()> {
    let start = "Unauthorized may_have_executed=false attempts=1 status=401:";
    let why = suite.expect_error("/incr?key=k&token=wrong-secret&retries=2", start).await?;
    holds(!why.contains("wrong-secret"), || why)
}
