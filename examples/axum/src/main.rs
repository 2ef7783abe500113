//! A web service on axum: users, sessions, a leaderboard, and traces by OpenTelemetry.
//!
//! `cargo run -p axum-app` serves it at <http://127.0.0.1:3000>, or at the address in `LISTEN`, until Ctrl-C, and
//! prints `curl` lines to try. `cargo run -p axum-app -- demo` sends itself the requests of a tour, prints the
//! responses, and ends.
//!
//! If `UPSTASH_REDIS_REST_URL` and `UPSTASH_REDIS_REST_TOKEN` are set, it uses that database, with keys that start with
//! `axum-`. Otherwise it starts a local server. Your own service calls `Redis::from_env()?` in place of
//! `database::open`.
//!
//! | file | what it has |
//! | --- | --- |
//! | `models.rs` | what is stored |
//! | `routes.rs` | the routes, users, the leaderboard |
//! | `session.rs` | login, logout, and the extractor of the session |
//! | `failure.rs` | the HTTP status of an error |
//! | `telemetry.rs` | traces |
//! | `demo.rs` | the tour |

mod demo;
mod failure;
mod models;
mod routes;
mod session;
mod telemetry;

use std::error::Error;
use std::time::Duration;

use database::say;
use tokio::net::TcpListener;
use tokio::sync::{mpsc, oneshot};

use self::routes::{App, Mail, router};

type Outcome<T = ()> = Result<T, Box<dyn Error>>;

#[tokio::main]
async fn main() -> Outcome {
    // The default is 30 seconds, which is too long for a user who waits.
    let database = database::open_with("axum-", |builder| builder.deadline(Duration::from_secs(5))).await?;
    let redis = &database.redis;
    let traces = telemetry::install();
    let (post, mut outbox) = mpsc::channel(100);
    let app = router(App { redis: redis.clone(), post });

    if std::env::args().nth(1).as_deref() == Some("demo") {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let url = format!("http://{}", listener.local_addr()?);
        let (stop, stopped) = oneshot::channel::<()>();
        let serving = axum::serve(listener, app).with_graceful_shutdown(async { drop(stopped.await) });
        let server = tokio::spawn(serving.into_future());
        demo::run(redis, url, &mut outbox).await?;
        drop(stop);
        server.await??;
    } else {
        let address = std::env::var("LISTEN").unwrap_or_else(|_| "127.0.0.1:3000".into());
        let listener = TcpListener::bind(&address).await?;
        say(&help(&format!("http://{}", listener.local_addr()?)));
        tokio::spawn(print_mails(outbox));
        // It stops when all requests that have begun are finished.
        axum::serve(listener, app).with_graceful_shutdown(asked_to_stop()).await?;
    }
    traces.shutdown()?;
    Ok(())
}

/// Waits for Ctrl-C, or for the signal with which a platform stops a container.
async fn asked_to_stop() {
    let interrupt = async { drop(tokio::signal::ctrl_c().await) };
    #[cfg(unix)]
    if let Ok(mut terminate) = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()) {
        tokio::select! {
            () = interrupt => {}
            _ = terminate.recv() => {}
        }
        return;
    }
    interrupt.await;
}

async fn print_mails(mut outbox: mpsc::Receiver<Mail>) {
    while let Some(Mail { to, token }) = outbox.recv().await {
        say(&format!("\nAn e-mail to {to}, with the token {token}\n"));
    }
}

fn help(url: &str) -> String {
    format!(
        r#"Serving {url}. Try, in another terminal:

  j='content-type: application/json'
  curl {url}/users -H "$j" -d '{{"email": "you@example.org", "name": "You", "country": "tr"}}'
  curl {url}/login -H "$j" -d '{{"email": "you@example.org"}}'       # this terminal shows the token
  curl {url}/session -c jar -H "$j" -d '{{"token": "TOKEN"}}'
  curl {url}/me -b jar
  curl {url}/me -b jar -H "$j" -X PATCH -d '{{"version": 1, "name": "You there"}}'
  curl {url}/scores -b jar -H "$j" -d '{{"points": 40}}'
  curl '{url}/users?country=tr'
  curl {url}/session -b jar -X DELETE

Ctrl-C stops it."#
    )
}
