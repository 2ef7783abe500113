//! Sends some requests to the function, and prints them and the responses.

use std::time::Duration;

use database::say;
use reqwest::redirect::Policy;
use reqwest::{Client, Method, Response};

use tokio::process::Child;
use tokio::time::sleep;

use crate::Outcome;
use crate::freeze::{Relay, freeze, thaw};

/// Sends the requests to `url`. With a relay, also to a process that was frozen while its connections broke.
pub(crate) async fn run(url: &str, process: &Child, relay: Option<&Relay>) -> Outcome {
    let http = Client::builder().redirect(Policy::none()).build()?;
    let send = async |method: Method, path: &str, body: &'static str, expected: u16| -> Outcome<Response> {
        say(&format!("> {method} {path} {body}"));
        let response = http.request(method, format!("{url}{path}")).body(body).send().await?;
        let status = response.status();
        if status != expected {
            return Err(format!("the answer is {status}, not {expected}").into());
        }
        Ok(response)
    };

    say("\nShorten a URL");
    let code = shown(send(Method::POST, "/", "https://example.org/a/long/path?of=a#page", 201).await?).await?;
    shown(send(Method::POST, "/", "javascript:alert(1)", 422).await?).await?;

    say("\nFollow the link. Each visit is counted, in the command that returns the URL.");
    for _ in 0..3 {
        shown(send(Method::GET, &format!("/{code}"), "", 302).await?).await?;
    }
    let visits = shown(send(Method::GET, &format!("/{code}/visits"), "", 200).await?).await?;
    assert_eq!(visits, "3");
    shown(send(Method::GET, "/unknown", "", 404).await?).await?;
    shown(send(Method::GET, "/not:a:code", "", 404).await?).await?;

    let Some(relay) = relay else { return Ok(()) };
    say(
        "\nFreeze the process, as Lambda does between invocations, and break its connection to the database meanwhile.",
    );
    freeze(process).await?;
    relay.cut();
    let later = async {
        sleep(Duration::from_millis(100)).await;
        thaw(process).await
    };
    let link = format!("/{code}");
    let (thawed, visit) = tokio::join!(later, send(Method::GET, &link, "", 302));
    thawed?;
    shown(visit?).await?;
    let visits = shown(send(Method::GET, &format!("/{code}/visits"), "", 200).await?).await?;
    assert_eq!(visits, "4", "the visit counts, and it counts once");
    Ok(())
}

/// Prints the answer, and returns its body.
async fn shown(response: Response) -> Outcome<String> {
    let status = response.status();
    let location = response.headers().get("location").map(|url| format!("{url:?} ")).unwrap_or_default();
    let body = response.text().await?;
    say(&format!("< {status} {location}{body}"));
    Ok(body)
}
