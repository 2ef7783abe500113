//! Runs the commands of a request, and puts each reply in its place.

use axum::response::Response;
use bytes::Bytes;

use crate::acl::{self, AclCommand};
use crate::auth::Access;
use crate::backend::Unreachable;
use crate::budget::Share;
use crate::policy::{Verdict, copy_within_database};
use crate::reply::Format;
use crate::request;
use crate::resp::{Args, Value};
use crate::response::{self, Refusal, Slot};
use crate::script::Renamed;
use crate::state::State;

/// What to do with a command.
enum Plan {
    /// Reply without Redis.
    Reply(Slot),
    /// Send it to Redis.
    Send(Args, Option<Renamed>),
    /// Run it in the gateway.
    Own(AclCommand),
}

fn plan(state: &State, access: &Access, mut args: Args) -> Plan {
    match state.policy.judge(&args, !matches!(access, Access::ReadOnly)) {
        Verdict::Ok => return Plan::Reply(Ok(Value::ok())),
        Verdict::Refuse(text) => return Plan::Reply(Err(text)),
        Verdict::Run => {}
    }
    match AclCommand::parse(access, &args) {
        Some(Ok(command)) => return Plan::Own(command),
        Some(Err(text)) => return Plan::Reply(Err(text)),
        None => acl::replace_tokens(state, &mut args),
    }
    if let Err(text) = copy_within_database(&mut args) {
        return Plan::Reply(Err(text));
    }
    let renamed = state.scripts.replace(&mut args);
    Plan::Send(args, renamed)
}

async fn send(state: &State, access: &Access, commands: &[Args], share: &mut Share) -> Result<Vec<Value>, Unreachable> {
    match access {
        Access::Full | Access::ReadOnly => state.backend.run(commands, share).await,
        Access::User(login) => state.backend.run_as(&login.auth(), commands, share).await,
    }
}

/// Commands for Redis, and the replies that are known without it.
#[derive(Default)]
struct Batch {
    commands: Vec<Args>,
    slots: Vec<Waiting>,
}

enum Waiting {
    Replied(Slot),
    Sent(Option<Renamed>),
}

impl Batch {
    fn reply(&mut self, slot: Slot) {
        self.slots.push(Waiting::Replied(slot));
    }

    fn send(&mut self, args: Args, renamed: Option<Renamed>) {
        self.commands.push(args);
        self.slots.push(Waiting::Sent(renamed));
    }

    /// Returns all replies in order, with the values from Redis.
    fn replies<V: IntoIterator<Item = Value>>(slots: Vec<Waiting>, values: V) -> impl Iterator<Item = Slot> + use<V> {
        let mut values = values.into_iter();
        slots.into_iter().map(move |slot| match slot {
            Waiting::Replied(slot) => slot,
            Waiting::Sent(renamed) => {
                let value = values.next().unwrap_or(Value::Nil);
                Ok(match renamed {
                    Some(renamed) => renamed.restore(value),
                    None => value,
                })
            }
        })
    }

    /// Runs the commands and returns all replies in order. Leaves an empty batch.
    async fn run(
        &mut self,
        state: &State,
        access: &Access,
        share: &mut Share,
    ) -> Result<impl Iterator<Item = Slot> + use<>, Unreachable> {
        let Batch { commands, slots } = std::mem::take(self);
        let values = if commands.is_empty() { Vec::new() } else { send(state, access, &commands, share).await? };
        Ok(Batch::replies(slots, values))
    }
}

pub(crate) async fn single(
    state: &State,
    access: &Access,
    format: Format,
    args: Args,
    mut share: Share,
) -> Result<Response, Refusal> {
    let mut slots = run_all(state, access, vec![Ok(args)], &mut share).await?;
    Ok(response::single(format, slots.pop().unwrap_or(Ok(Value::Nil)), share).await)
}

/// The size above which a body is parsed on another thread. It would block the requests of others.
const LARGE_BODY: usize = 64 << 10;

async fn parse(body: Bytes, endpoint: &'static str) -> Result<Vec<Result<Args, String>>, Refusal> {
    let parsed = if body.len() <= LARGE_BODY {
        request::commands(&body, endpoint)
    } else {
        // It fails if the runtime shuts down, and then nobody gets the response.
        let parsed = tokio::task::spawn_blocking(move || request::commands(&body, endpoint)).await;
        parsed.unwrap_or_else(|_| Err("ERR the gateway shuts down".to_owned()))
    };
    parsed.map_err(Refusal::bad_request)
}

pub(crate) async fn pipeline(
    state: &State,
    access: &Access,
    format: Format,
    body: Bytes,
    mut share: Share,
) -> Result<Response, Refusal> {
    let commands = parse(body, "pipeline").await?;
    let slots = run_all(state, access, commands, &mut share).await?;
    Ok(response::several(format, slots.into_iter(), share).await)
}

/// Lets other requests have a turn after every 1,024 commands.
async fn take_turns(number: usize) {
    if number % 1024 == 1023 {
        tokio::task::yield_now().await;
    }
}

/// Runs commands in order. A command that fails does not affect the others.
async fn run_all(
    state: &State,
    access: &Access,
    commands: Vec<Result<Args, String>>,
    share: &mut Share,
) -> Result<Vec<Slot>, Unreachable> {
    let mut slots = Vec::with_capacity(commands.len());
    let mut batch = Batch::default();
    for (number, command) in commands.into_iter().enumerate() {
        take_turns(number).await;
        match command.map(|args| plan(state, access, args)) {
            Err(text) => batch.reply(Err(text)),
            Ok(Plan::Reply(slot)) => batch.reply(slot),
            Ok(Plan::Send(args, renamed)) => batch.send(args, renamed),
            Ok(Plan::Own(command)) => {
                // The commands before it may create the user that it names.
                slots.extend(batch.run(state, access, share).await?);
                slots.push(command.run(state).await?);
            }
        }
    }
    slots.extend(batch.run(state, access, share).await?);
    Ok(slots)
}

pub(crate) async fn transaction(
    state: &State,
    access: &Access,
    format: Format,
    body: Bytes,
    mut share: Share,
) -> Result<Response, Refusal> {
    let mut batch = Batch::default();
    batch.commands.push(vec![Bytes::from_static(b"MULTI")]);
    for (number, command) in parse(body, "multi-exec").await?.into_iter().enumerate() {
        take_turns(number).await;
        match plan(state, access, command.map_err(Refusal::bad_request)?) {
            Plan::Send(args, renamed) => batch.send(args, renamed),
            // SELECT 0 is not sent: it would move the connection of a URL that names another database.
            Plan::Reply(Ok(value)) => batch.reply(Ok(value)),
            Plan::Reply(Err(text)) => return Err(Refusal::bad_request(text)),
            Plan::Own(_) => {
                return Err(Refusal::bad_request(
                    "ERR ACL RESTTOKEN and ACL GENTOKEN are not available in a transaction: send them on their own",
                ));
            }
        }
    }
    batch.commands.push(vec![Bytes::from_static(b"EXEC")]);
    let Batch { commands, slots } = batch;
    let mut replies = send(state, access, &commands, &mut share).await?;
    let executed = replies.pop();
    if let Some(Value::Error(error)) = replies.iter().find(|value| matches!(value, Value::Error(_))) {
        return Err(Refusal::bad_request(String::from_utf8_lossy(error)));
    }
    match executed {
        Some(Value::Array(values)) => {
            Ok(response::several(json_only(format), Batch::replies(slots, values), share).await)
        }
        Some(Value::Error(error)) => Err(Refusal::bad_request(String::from_utf8_lossy(&error))),
        _ => Err(Refusal::bad_request("EXECABORT the transaction was discarded")),
    }
}

/// Replaces RESP2, which the API does not offer for transactions, by JSON.
fn json_only(format: Format) -> Format {
    if format == Format::Resp2 { Format::Json } else { format }
}
