//! A chat room: its messages are a log that everybody follows, and who is here are records that expire.
//!
//! `cargo run -p chat -- NAME` joins the room if stdin is a terminal. Without a name, or in a script, three users play a scene
//! that ends by itself, and checks what each of them has seen.
//!
//! `room.rs` is the chat, `scene.rs` the scene. If `UPSTASH_REDIS_REST_URL` and `UPSTASH_REDIS_REST_TOKEN` are set, they use that
//! database. Otherwise they start a local server.

mod room;
mod scene;

use std::error::Error;
use std::io::{BufRead as _, IsTerminal as _};
use std::process::ExitCode;

use database::say;
use tokio::sync::mpsc;

use self::room::{Event, Shown};

#[tokio::main]
async fn main() -> ExitCode {
    match chat().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            say(&format!("\nThe chat failed: {error}"));
            ExitCode::FAILURE
        }
    }
}

async fn chat() -> Result<(), Box<dyn Error>> {
    let database = database::open("chat-").await?;
    let redis = &database.redis;
    let Some(user) = std::env::args().nth(1).filter(|_| std::io::stdin().is_terminal()) else {
        return scene::play(redis).await;
    };
    if let Some(variables) = database.variables() {
        say(&format!("Others join from another terminal:\n  {variables} cargo run -p chat -- THEIR-NAME"));
    }
    say("Type what you want to say. /who lists who is here, Ctrl-D leaves.\n");
    match room::visit(redis, "lobby", &user, typed_lines(), |shown| say(&text(&shown))).await {
        Err(error) if error.is_already_exists() => Err(format!("{user} is here already; use another name").into()),
        visited => Ok(visited?),
    }
}

/// Returns the lines that the user types, as they come. A thread reads them, because reading a terminal blocks.
fn typed_lines() -> mpsc::Receiver<String> {
    let (sender, lines) = mpsc::channel(1);
    std::thread::spawn(move || {
        for line in std::io::stdin().lock().lines().map_while(Result::ok) {
            if !line.trim().is_empty() && sender.blocking_send(line).is_err() {
                break;
            }
        }
    });
    lines
}

fn text(shown: &Shown) -> String {
    match shown {
        Shown::Event(entry) => match &entry.event {
            Event::Joined { user } => format!("* {user} joins"),
            Event::Said { user, text } => format!("{user}: {text}"),
            Event::Left { user } => format!("* {user} leaves"),
        },
        Shown::Here(users) => format!("* here: {}", users.join(", ")),
        Shown::Trouble(why) => format!("! {why}"),
    }
}
