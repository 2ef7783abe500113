//! A scene with three users. It checks that each has seen everything once, in order, and who is here at each moment.

use std::error::Error;
use std::time::Duration;

use database::say;
use redis_model::Entry;
use redis_model::prelude::*;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep, timeout};

use crate::room::{self, Event, HISTORY, Presence, Shown};
use crate::text;

const ROOM: &str = "stage";

/// The scene fails if it waits longer for anything.
const PATIENCE: Duration = Duration::from_secs(30);

type Outcome<T = ()> = std::result::Result<T, Box<dyn Error>>;

pub(crate) async fn play(redis: &Redis) -> Outcome {
    Event::log(ROOM).clear(redis).await?;
    Presence::query().eq(Presence::ROOM, ROOM).delete(redis).await?;

    say("\nYesterday 120 messages were sent. The room keeps the last 100.");
    let old: Vec<_> = (1..=120).map(|number| said("eda", &format!("old {number}"))).collect();
    Event::log(ROOM).append_many(redis, &old).await?;
    assert_eq!(Event::log(ROOM).len(redis).await?, 100, "each append trims the log");

    say(&format!("\nAda and Cahit join. Each sees the last {HISTORY} events, and then what happens."));
    let mut ada = Guest::join(redis, "ada");
    ada.sees(&Event::Joined { user: "ada".into() }).await?;
    let mut cahit = Guest::join(redis, "cahit");
    ada.sees(&Event::Joined { user: "cahit".into() }).await?;
    ada.types("Is anybody here?").await?;
    cahit.sees(&said("ada", "Is anybody here?")).await?;
    cahit.types("I am.").await?;
    ada.sees(&said("cahit", "I am.")).await?;
    assert_eq!(cahit.asks_who().await?, ["ada", "cahit"]);

    say("\nEda joins while Ada is talking: her history ends somewhere in the middle, and nothing is missing after it.");
    for number in 1..=4 {
        ada.types(&format!("talk {number}")).await?;
    }
    let mut eda = Guest::join(redis, "eda");
    for number in 5..=8 {
        ada.types(&format!("talk {number}")).await?;
    }
    for guest in [&mut ada, &mut cahit, &mut eda] {
        guest.sees(&said("ada", "talk 8")).await?;
    }
    is_here(redis, &["ada", "cahit", "eda"]).await?;

    say("\nA second Ada is refused.");
    let refused = timeout(PATIENCE, Guest::join(redis, "ada").visit).await??;
    assert!(refused.is_err_and(|error| error.is_already_exists()), "a name is taken while its owner is here");

    say("\nCahit's program dies. Nobody says goodbye for it: its record expires.");
    let dead = Instant::now();
    cahit.visit.abort();
    is_here(redis, &["ada", "eda"]).await?;
    say(&format!("  gone after {:.1} s", dead.elapsed().as_secs_f64()));

    say("\nEda leaves, and then Ada.");
    eda.leaves().await?;
    ada.sees(&Event::Left { user: "eda".into() }).await?;
    ada.leaves().await?;
    is_here(redis, &[]).await?;

    let log = Event::log(ROOM).range(redis, .., 100).await?;
    let log = log.into_iter().map(Entry::into_result).collect::<Result<Vec<_>>>()?;
    for guest in [ada, cahit, eda] {
        let first = guest.seen.first().map(|entry| entry.id);
        let part: Vec<_> = log.iter().skip_while(|entry| Some(entry.id) != first).take(guest.seen.len()).collect();
        assert_eq!(guest.seen.iter().collect::<Vec<_>>(), part, "{} sees every event once, in order", guest.name);
        let joins = Event::Joined { user: guest.name.into() };
        let before = guest.seen.iter().take_while(|entry| entry.event != joins).count();
        assert!(before >= usize::try_from(HISTORY)?, "{} sees what was said before", guest.name);
        say(&format!("  {} has seen {} events: each once, in order, none missing", guest.name, part.len()));
    }
    Ok(())
}

fn said(user: &str, text: &str) -> Event {
    Event::Said { user: user.into(), text: text.into() }
}

/// Waits until exactly these users are here.
async fn is_here(redis: &Redis, users: &[&str]) -> Outcome {
    let start = Instant::now();
    loop {
        let here = room::who(redis, ROOM).await?;
        if here == users {
            say(&format!("  here: {}", if here.is_empty() { "nobody".into() } else { here.join(", ") }));
            return Ok(());
        }
        if start.elapsed() > PATIENCE {
            return Err(format!("{here:?} are here, instead of {users:?}").into());
        }
        sleep(Duration::from_millis(100)).await;
    }
}

/// A user of the scene: the task of the visit, its keyboard and its screen.
struct Guest {
    name: &'static str,
    keyboard: mpsc::Sender<String>,
    screen: mpsc::UnboundedReceiver<Shown>,
    visit: JoinHandle<Result<()>>,
    /// All events that the screen has shown.
    seen: Vec<Entry<Event>>,
}

impl Guest {
    fn join(redis: &Redis, name: &'static str) -> Guest {
        let (keyboard, lines) = mpsc::channel(1);
        let (shows, screen) = mpsc::unbounded_channel();
        let redis = redis.clone();
        let visit = tokio::spawn(async move {
            // An error means that nobody looks at the screen any more.
            room::visit(&redis, ROOM, name, lines, |shown| drop(shows.send(shown))).await
        });
        Guest { name, keyboard, screen, visit, seen: Vec::new() }
    }

    async fn types(&self, line: &str) -> Outcome {
        Ok(self.keyboard.send(line.into()).await?)
    }

    /// Returns what the screen shows next.
    async fn next(&mut self) -> Outcome<Shown> {
        let Some(shown) = timeout(PATIENCE, self.screen.recv()).await? else {
            (&mut self.visit).await??;
            return Err(format!("the visit of {} is over", self.name).into());
        };
        say(&format!("{:>7} | {}", self.name, text(&shown)));
        match &shown {
            Shown::Event(entry) => self.seen.push(entry.clone()),
            Shown::Here(_) => {}
            Shown::Trouble(why) => return Err(why.clone().into()),
        }
        Ok(shown)
    }

    /// Waits until the screen shows an event.
    async fn sees(&mut self, event: &Event) -> Outcome {
        while !matches!(self.next().await?, Shown::Event(entry) if entry.event == *event) {}
        Ok(())
    }

    async fn asks_who(&mut self) -> Outcome<Vec<String>> {
        self.types("/who").await?;
        loop {
            if let Shown::Here(users) = self.next().await? {
                return Ok(users);
            }
        }
    }

    /// Closes the keyboard, which ends the visit.
    async fn leaves(&mut self) -> Outcome {
        self.keyboard = mpsc::channel(1).0;
        Ok((&mut self.visit).await??)
    }
}
