//! The live tail of a stream: a page, and the events that it gets.
//!
//! The page is complete without JavaScript: it shows the newest entries, and a reload shows newer ones.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::http::HeaderMap;
use axum::response::Response;
use futures_util::stream::{self, StreamExt as _};
use serde_json::json;

use crate::backend::Connection;
use crate::response;
use crate::state::State;

use super::link::{Link, Parameters};
use super::page::{self, Page, Section};
use super::shown::{self, CUT};
use super::store::{Entry, Facts, MAX_REPLY, Problem, Read, Store, items};
use super::stream::is_id;
use super::time;

/// The entries that the page begins with.
const FIRST: u64 = 20;

/// The most entries of one read.
const MANY: u64 = 100;

/// How long a read waits for an entry. Then the page gets a sign of life.
const WAIT_MS: u64 = 10_000;

/// The time between two reads, so that a quick stream does not take all of the browser's time.
const PAUSE: Duration = Duration::from_millis(100);

pub(super) async fn page(store: Store<'_>, parameters: &Parameters) -> Result<Page, Problem> {
    let key = parameters.bytes("key").ok_or(Problem::Malformed("The address names no key."))?;
    let (entries, _) = store.entries(Read::XREVRANGE, key, ["+", "-"], FIRST).await?;
    // An empty stream begins at its first entry: an id that is read now could be that of an entry which is not shown.
    let last = entries.first().map_or("0-0", |entry| entry.id.as_str());
    let events = Link::to("/tail/events").with("key", key);
    let mut page = Page::new(Section::Keys, format!("Live tail of {}", shown::name(key)));
    page.is_live = true;
    let html = &mut page.body;
    html.tag("p", &[], |html| {
        html.text("Newest first. ");
        html.link(Link::to_key(key).as_str(), "All entries, info and groups");
    });
    let whole = Link::to("/value").with("key", key);
    let attributes =
        [("id", "tail"), ("data-events", events.as_str()), ("data-entry", whole.as_str()), ("data-last", last)];
    html.tag("div", &attributes, |html| {
        // The script shows these. Without it, they would do nothing.
        html.tag("p", &[("class", "controls"), ("id", "controls"), ("hidden", "hidden")], |html| {
            html.leaf("button", &[("type", "button"), ("id", "pause")], "Pause");
            html.tag("span", &[("class", "live"), ("id", "live")], |html| {
                html.leaf("span", &[("class", "dot"), ("aria-hidden", "true")], "");
                html.leaf("span", &[("id", "connection")], "Connecting");
            });
            html.leaf("span", &[("id", "status"), ("role", "status"), ("aria-live", "polite")], "");
        });
        html.tag("noscript", &[], |html| {
            let link = Link::to("/tail").with("key", key);
            html.tag("p", &[("class", "note")], |html| {
                html.text("Without JavaScript, new entries appear when you ");
                html.link(link.as_str(), "reload");
                html.text(".");
            });
        });
        page::entries(html, key, &entries);
    });
    Ok(page)
}

/// A tail between two reads.
struct Tail {
    state: Arc<State>,
    /// A read that waits needs a connection of its own.
    connection: Connection,
    key: Vec<u8>,
    after: String,
    count: u64,
    is_first: bool,
    has_ended: bool,
}

/// Answers with the entries after an id, and then with new ones as they come.
///
/// A browser that has lost the connection sends the id of the last entry it has, so it misses none.
pub(super) async fn events(
    state: &Arc<State>,
    headers: &HeaderMap,
    parameters: &Parameters,
) -> Result<Response, Problem> {
    let key = parameters.bytes("key").ok_or(Problem::Malformed("The address names no key."))?.to_vec();
    let last = headers.get("last-event-id").and_then(|id| id.to_str().ok());
    let after = last.or_else(|| parameters.text("after")).filter(|id| is_id(id));
    let after = after.ok_or(Problem::Malformed("The address names no entry to start after."))?.to_owned();
    let connection = state.backend.new_connection().await?;
    let tail = Tail { state: Arc::clone(state), connection, key, after, count: MANY, is_first: true, has_ended: false };
    let chunks = stream::unfold(tail, |mut tail| async move {
        let chunk = tail.next().await?;
        Some((Ok::<_, Infallible>(Bytes::from(chunk)), tail))
    });
    Ok(response::event_stream(Body::from_stream(chunks.take_until(Box::pin(state.stopped())))))
}

impl Tail {
    /// Returns the next events, or `None` at the end.
    async fn next(&mut self) -> Option<String> {
        if self.has_ended {
            return None;
        }
        if std::mem::take(&mut self.is_first) {
            // The page learns that it is connected, also if there is no entry for long.
            return Some("retry: 2000\n: connected\n\n".to_owned());
        }
        match self.read().await {
            Ok(entries) if entries.is_empty() => Some(self.silence().await),
            Ok(entries) => {
                tokio::time::sleep(PAUSE).await;
                self.count = MANY;
                self.after = entries.last().map(|entry| entry.id.clone())?;
                Some(entries.iter().map(event).collect())
            }
            Err(Problem::TooLarge) if self.count > 1 => {
                self.count = (self.count / 8).max(1);
                Some(": an entry is large\n\n".to_owned())
            }
            Err(Problem::TooLarge) => {
                self.has_ended = true;
                Some(notice(&format!("The entry after {} is larger than 8 MB. The tail ends here.", self.after)))
            }
            Err(Problem::Refused(error)) => {
                self.has_ended = true;
                Some(notice(&format!("Redis refuses to read this key as a stream: {error}")))
            }
            // The browser connects again.
            Err(_) => None,
        }
    }

    async fn read(&mut self) -> Result<Vec<Entry>, Problem> {
        let (wait, count) = (WAIT_MS.to_string(), self.count.to_string());
        let command = Read::XREAD.of(&[
            b"COUNT",
            count.as_bytes(),
            b"BLOCK",
            wait.as_bytes(),
            b"STREAMS",
            &self.key,
            self.after.as_bytes(),
        ]);
        let mut share = self.state.budget.share(false).at_most(MAX_REPLY);
        let replies = self.connection.run_limited(&[command.into_args()], &mut share).await?;
        let reply = super::store::checked(replies.into_iter().next().unwrap_or(crate::resp::Value::Nil))?;
        let stream = items(reply).into_iter().next().map(items).unwrap_or_default();
        let entries = stream.into_iter().nth(1).map(items).unwrap_or_default();
        Ok(entries.into_iter().filter_map(Entry::of).collect())
    }

    /// Returns what follows a read without an entry. A stream that was created again has lower ids, which would never be read.
    async fn silence(&mut self) -> String {
        let info = Store(&self.state).one(Read::XINFO_STREAM.of(&[&self.key])).await;
        let last = info.as_ref().ok().map(Facts::of);
        let last = last.as_ref().and_then(|info| std::str::from_utf8(info.bytes("last-generated-id")?).ok());
        match last {
            Some(last) if parts(last) < parts(&self.after) => {
                self.after = "0-0".to_owned();
                notice("The stream was deleted and created again. Its entries follow from the first one on.")
            }
            _ => ": nothing new\n\n".to_owned(),
        }
    }
}

/// Returns the numbers of an id.
fn parts(id: &str) -> (u64, u64) {
    let (ms, sequence) = id.split_once('-').unwrap_or((id, "0"));
    (ms.parse().unwrap_or_default(), sequence.parse().unwrap_or_default())
}

/// Returns the event for an entry. The JSON is on one line, as an event needs it.
fn event(entry: &Entry) -> String {
    let fields: Vec<_> = entry
        .fields
        .iter()
        .map(|(name, bytes)| {
            let value = shown::value(bytes, CUT);
            json!({"name": shown::name(name), "text": value.text, "label": value.kind.label(), "cut": value.is_cut})
        })
        .collect();
    let data = json!({"id": entry.id, "time": page::time_of(&entry.id).map(time::timestamp), "fields": fields});
    format!("id: {}\nevent: entry\ndata: {data}\n\n", entry.id)
}

/// Returns the event that tells a reader something.
fn notice(text: &str) -> String {
    format!("event: notice\ndata: {}\n\n", json!(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_is_one_line_whatever_the_entry_holds() {
        let entry = Entry { id: "1-0".into(), fields: vec![("a\n\rb".into(), "x\r\n\u{2028}\n</script>".into())] };
        let event = event(&entry);
        assert!(event.starts_with("id: 1-0\nevent: entry\ndata: {") && event.ends_with("}\n\n"), "{event}");
        assert_eq!(event.lines().count(), 4, "{event}");
        assert!(!event.contains('\r'));
    }

    #[test]
    fn ids_are_compared_as_numbers() {
        assert!(parts("9-0") < parts("10-0") && parts("1-9") < parts("1-10"));
    }
}
