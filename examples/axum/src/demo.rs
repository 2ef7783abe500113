//! A tour: sends real requests to the service, and prints them and the responses.

use database::say;
use redis_model::prelude::*;
use reqwest::Method;
use reqwest::header::{CONTENT_TYPE, COOKIE, SET_COOKIE};
use serde_json::{Value, json};
use tokio::sync::mpsc;
use uuid::Uuid;

use crate::Outcome;
use crate::models::{LEADERBOARD, User};
use crate::routes::Mail;

/// A user with a browser, which keeps a cookie.
struct Browser {
    http: reqwest::Client,
    url: String,
    cookie: Option<String>,
}

impl Browser {
    /// Sends a request, and returns the JSON of the response. Another status than the expected one is an error.
    async fn send(&mut self, method: Method, path: &str, body: Value, expected: u16) -> Outcome<Value> {
        let mut request = self.http.request(method.clone(), format!("{}{path}", self.url));
        if let Some(cookie) = &self.cookie {
            request = request.header(COOKIE, cookie);
        }
        if body.is_null() {
            say(&format!("> {method} {path}"));
        } else {
            say(&format!("> {method} {path} {body}"));
            request = request.header(CONTENT_TYPE, "application/json").body(body.to_string());
        }
        let response = request.send().await?;
        let status = response.status();
        if let Some(cookie) = response.headers().get(SET_COOKIE) {
            self.cookie = cookie.to_str()?.split(';').next().map(String::from);
        }
        let text = response.text().await?;
        say(&format!("< {status} {text}\n"));
        if status != expected {
            return Err(format!("{method} {path} returned {status}, not {expected}").into());
        }
        Ok(serde_json::from_str(&text).unwrap_or_default())
    }
}

pub(crate) async fn run(redis: &Redis, url: String, outbox: &mut mpsc::Receiver<Mail>) -> Outcome {
    // Delete what an earlier tour has left.
    User::query().delete(redis).await?;
    redis.del([LEADERBOARD]).await?;

    let mut browser = Browser { http: reqwest::Client::new(), url, cookie: None };
    let (get, post, patch, delete) = (Method::GET, Method::POST, Method::PATCH, Method::DELETE);
    let none = Value::Null;

    say("\nRegister. An e-mail address can be used once.");
    let ada = json!({"email": "Ada@example.org", "name": "Ada", "country": "uk"});
    browser.send(post.clone(), "/users", ada.clone(), 201).await?;
    browser.send(post.clone(), "/users", ada, 409).await?;
    browser.send(post.clone(), "/users", json!({"email": "cahit", "name": "Cahit", "country": "tr"}), 422).await?;
    for name in ["Alan", "Grace"] {
        let email = format!("{name}@example.org");
        browser.send(post.clone(), "/users", json!({"email": email, "name": name, "country": "uk"}), 201).await?;
    }

    say("Find users by an index, in pages.");
    let page = browser.send(get.clone(), "/users?country=uk", none.clone(), 200).await?;
    let next = page.get("next").and_then(Value::as_str).ok_or("the first page has no cursor")?;
    browser.send(get.clone(), &format!("/users?country=uk&after={next}"), none.clone(), 200).await?;
    browser.send(get.clone(), &format!("/users/{}", Uuid::nil()), none.clone(), 404).await?;

    say("Log in by a link, which works once.");
    browser.send(get.clone(), "/me", none.clone(), 401).await?;
    browser.send(post.clone(), "/login", json!({"email": "ada@example.org"}), 202).await?;
    let mail = outbox.recv().await.ok_or("no mail has come")?;
    let link = json!({"token": mail.token});
    browser.send(post.clone(), "/session", link.clone(), 201).await?;
    browser.send(post.clone(), "/session", link, 401).await?;
    let me = browser.send(get.clone(), "/me", none.clone(), 200).await?;

    say("Two tabs change the same user. The second has a stale version.");
    browser.send(patch.clone(), "/me", json!({"version": me.get("version"), "name": "Ada Lovelace"}), 200).await?;
    browser.send(patch, "/me", json!({"version": me.get("version"), "country": "tr"}), 409).await?;

    say("A lower score does not replace a better one.");
    browser.send(post.clone(), "/scores", json!({"points": 40}), 200).await?;
    let board = browser.send(post, "/scores", json!({"points": 30}), 200).await?;
    assert_eq!(board, json!({"rank": 1, "top": [["Ada Lovelace", 40.0]]}));

    say("Log out.");
    let cookie = browser.cookie.clone();
    browser.send(delete, "/session", none.clone(), 204).await?;
    // A copy of the cookie does not work either.
    browser.cookie = cookie;
    browser.send(get, "/me", none, 401).await?;
    Ok(())
}
