//! A server, the model of what it holds, and a transport that keeps the two in step.
//!
//! One request at a time is sent, and the model changes as the server's reply says, before the next one is sent. So the
//! order of the writes is known, although tasks take turns between the requests of a call, and although replies are lost.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use async_trait::async_trait;
use redis_model::Redis;
use redis_model::redis_rest::transport::{Body, Request, Response, Transport, TransportError};
use redis_model::redis_rest::{Encoding, RetryPolicy};
use redis_model_tests::Stack;
use redis_model_tests::direct::{Args, Direct, Mutation, Raw, commands_of, parse};
use tokio::sync::OwnedMutexGuard;

use crate::generate::Search;
use crate::op::{Did, Mend, Op, Span, Verdict, What};
use crate::schema::Table;
use crate::state::State;

pub(crate) struct World {
    /// For what happens behind the back of the models.
    pub(crate) raw: Direct,
    pub(crate) state: Arc<tokio::sync::Mutex<State>>,
    /// For clients.
    direct: Direct,
}

/// Where a request's journey ends.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Cut {
    /// There is no connection.
    Before,
    /// The server never sees it.
    During,
    /// The server executes it, and its reply is lost.
    After,
    /// The server executes it after the request that repeats it.
    Late,
}

/// What the running call of a task asks for, and what became of it.
#[derive(Default)]
pub(crate) struct Call {
    pub(crate) ops: Vec<Op>,
    /// Each operation is a command of its own.
    pub(crate) is_pipeline: bool,
    /// What is done to each record of a write that a query has chosen, and what chose it.
    pub(crate) each: Option<(Op, Search)>,
    /// How many records it was done to.
    pub(crate) each_done: u64,
    pub(crate) cuts: VecDeque<Cut>,
    /// Nobody else takes a turn until the call ends.
    pub(crate) is_exclusive: bool,
    pub(crate) held: Option<OwnedMutexGuard<State>>,
    /// What each command did, by the last reply: that of a lone command counts for all operations.
    pub(crate) outcomes: Vec<Result<Vec<Did>, String>>,
    /// Why the row of a record that other programs have written could not be made.
    pub(crate) not_mended: Option<String>,
    pub(crate) lost: usize,
}

pub(crate) type SharedCall = Arc<Mutex<Call>>;

#[derive(Debug)]
struct Gate {
    inner: Arc<dyn Transport>,
    /// For what replies do not tell.
    raw: Direct,
    state: Arc<tokio::sync::Mutex<State>>,
    call: Handle,
    /// The replies to the last requests that were executed, by the key of their outcome.
    executed: Mutex<HashMap<Vec<u8>, Vec<u8>>>,
    /// Requests that have not arrived yet.
    late: Mutex<Vec<(Request, Vec<u8>)>>,
}

#[derive(Clone)]
struct Handle(SharedCall);

impl std::fmt::Debug for Handle {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Handle")
    }
}

pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

pub(crate) fn clock() -> i64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    i64::try_from(now.as_millis()).unwrap()
}

pub(crate) fn now() -> Span {
    Span { from: clock(), to: clock() }
}

impl World {
    pub(crate) fn new(stack: &Stack, mutation: Option<Mutation>) -> Arc<World> {
        let url = stack.server.url();
        Arc::new(World { raw: Direct::new(url), state: Arc::default(), direct: Direct::mutated(url, mutation) })
    }

    /// A client for one task. `through` is a gateway, if the requests are to take that way.
    pub(crate) fn client(&self, through: Option<&Stack>) -> (Redis, SharedCall) {
        let call = SharedCall::default();
        let handle = Handle(Arc::clone(&call));
        let state = Arc::clone(&self.state);
        let raw = self.raw.clone();
        let gate = move |inner| Gate {
            inner,
            raw: raw.clone(),
            state: Arc::clone(&state),
            call: handle.clone(),
            executed: Mutex::default(),
            late: Mutex::default(),
        };
        let builder = match through {
            Some(stack) => stack.builder(),
            None => Redis::builder("http://127.0.0.1:1", "none").transport(self.direct.clone()),
        };
        let policy = RetryPolicy::default().retries(4).backoff(Duration::from_millis(1), Duration::from_millis(4));
        let builder = builder.encoding(Encoding::Resp2).retry(policy).wrap_transport(gate);
        // The tasks wait for their turns.
        let builder = builder.timeout(Duration::from_secs(60)).deadline(Duration::from_secs(120));
        (builder.build().unwrap(), call)
    }

    pub(crate) fn has_mutated(&self) -> bool {
        self.direct.has_mutated()
    }

    pub(crate) async fn run<A: AsRef<[u8]>>(&self, args: impl IntoIterator<Item = A>) -> Raw {
        self.raw.run(args).await.unwrap()
    }
}

#[async_trait]
impl Transport for Gate {
    async fn send(&self, request: Request) -> Result<Response, TransportError> {
        let held = lock(&self.call.0).held.take();
        let mut state = match held {
            Some(state) => state,
            None => Arc::clone(&self.state).lock_owned().await,
        };
        let result = self.attempt(&mut state, request).await;
        let mut call = lock(&self.call.0);
        if call.is_exclusive {
            call.held = Some(state);
        }
        result
    }
}

impl Gate {
    async fn attempt(&self, state: &mut State, request: Request) -> Result<Response, TransportError> {
        let commands = commands_of(&request).unwrap_or_default();
        let once = match &commands[..] {
            [only] => once_key(only).map(<[u8]>::to_vec),
            _ => None,
        };
        self.deliver_late(state, once.as_ref()).await;
        let reads = commands.iter().all(|args| args.first().is_some_and(|name| name.starts_with(b"HGET")));
        let cut = {
            let mut call = lock(&self.call.0);
            let cut = call.cuts.pop_front();
            if cut.is_some_and(|cut| cut != Cut::Before) {
                call.lost += 1;
            }
            // What nobody repeats is not cut.
            cut.filter(|cut| *cut == Cut::Before || once.is_some() || reads)
        };
        match cut {
            Some(Cut::Before) => return Err(TransportError::not_sent("connection refused, on purpose")),
            Some(Cut::During) => return Err(TransportError::interrupted("connection reset, on purpose")),
            Some(Cut::Late) => {
                if let Some(once) = once {
                    lock(&self.late).push((request, once));
                }
                return Err(TransportError::interrupted("connection reset, on purpose"));
            }
            Some(Cut::After) | None => {}
        }
        state.count("requests");
        let (status, headers, body, span) = self.pass(request.clone()).await?;
        let doubtful = self.observe(state, &commands, once.as_deref(), &body, span);
        self.look(state, doubtful).await;
        if cut == Some(Cut::After) {
            return Err(TransportError::interrupted("connection reset, on purpose"));
        }
        Ok(Response { status, headers, body: Body::whole(body) })
    }

    async fn pass(
        &self,
        request: Request,
    ) -> Result<(http::StatusCode, http::HeaderMap, Vec<u8>, Span), TransportError> {
        let from = clock();
        let Response { status, headers, mut body } = self.inner.send(request).await?;
        let mut bytes = Vec::new();
        while let Some(chunk) = body.chunk().await {
            bytes.extend_from_slice(&chunk?);
        }
        Ok((status, headers, bytes, Span { from, to: clock() }))
    }

    /// Asks the server which of the rows there are.
    async fn look(&self, state: &mut State, doubtful: Vec<Doubtful>) {
        for Doubtful { table, id, rows } in doubtful {
            let mut has_row = false;
            for key in rows {
                has_row |= self.raw.run(["HEXISTS", &key, &id]).await.unwrap() == Raw::Int(1);
            }
            state.count("rows looked at");
            if !has_row {
                state.count("rows swept");
                let slot = state.slot(table, &id);
                (slot.row, slot.mark) = (None, None);
            }
        }
    }

    /// Changes the model as the reply says. Returns the rows that may be there or not.
    fn observe(
        &self,
        state: &mut State,
        commands: &[Args],
        once: Option<&[u8]>,
        body: &[u8],
        span: Span,
    ) -> Vec<Doubtful> {
        let mut call = lock(&self.call.0);
        let mut rest = body;
        let mut doubtful = Vec::new();
        let mut outcomes = Vec::new();
        for (number, args) in commands.iter().enumerate() {
            let Some((reply, after)) = parse(rest) else { break };
            rest = after;
            let text = match reply {
                Raw::Text(text) => text,
                Raw::Array(_) => {
                    doubtful.extend(repairs(state, args, span));
                    continue;
                }
                _ => continue,
            };
            let Some(verdict) = verdict(&text) else { continue };
            if let Some(once) = once {
                let mut executed = lock(&self.executed);
                if let Some(first) = executed.get(once) {
                    if *first != body {
                        let (first, second) = (String::from_utf8_lossy(first), String::from_utf8_lossy(body));
                        state.problem(format!("a repetition differs: {first:?}, then {second:?}, ops {:?}", call.ops));
                    }
                    state.count("repetitions");
                    continue;
                }
                let late = lock(&self.late);
                executed.retain(|of, _| late.iter().any(|(_, late)| late == of));
                executed.insert(once.to_vec(), body.to_vec());
            }
            if let Some((op, search)) = call.each.clone() {
                call.each_done += of_each(state, args, &op, &search, &verdict, span);
                continue;
            }
            let mends = mends(args);
            let is_mended = |op: &Op| {
                mends.iter().any(|mend| {
                    let (Mend::Index(table, id) | Mend::Purge(table, id)) = mend;
                    *table == op.table && *id == op.id
                })
            };
            let ops: Vec<&Op> = if call.is_pipeline {
                call.ops.get(number).into_iter().collect()
            } else if call.ops.iter().any(is_mended)
                || matches!(&verdict, Verdict::Ok(happened) if happened.len() <= mends.len())
            {
                Vec::new()
            } else {
                call.ops.iter().collect()
            };
            if mends.is_empty() && ops.is_empty() {
                state.problem(format!("a write that no call made: {args:?}"));
            }
            state.count(if mends.is_empty() { "writes" } else { "mends" });
            let dids = state.write(&mends, &ops, &verdict, span);
            if ops.is_empty() {
                if let Verdict::Refused { why, .. } = verdict {
                    call.not_mended = Some(why);
                }
            } else {
                outcomes.push(match verdict {
                    Verdict::Ok(_) => Ok(dids),
                    Verdict::Refused { why, .. } => Err(why),
                });
            }
        }
        if !outcomes.is_empty() {
            call.outcomes = outcomes;
        }
        doubtful
    }

    /// Sends the requests of earlier calls that arrive only now: they have been repeated, so they must change nothing.
    async fn deliver_late(&self, state: &mut State, once: Option<&Vec<u8>>) {
        let late: Vec<_> = {
            let mut late = lock(&self.late);
            let (due, rest) = std::mem::take(&mut *late).into_iter().partition(|(_, of)| Some(of) != once);
            *late = rest;
            due
        };
        for (request, of) in late {
            let Ok((_, _, body, _)) = self.pass(request).await else { continue };
            let first = lock(&self.executed).get(&of).cloned();
            match first {
                _ if body.starts_with(b"-NOSCRIPT") => {}
                Some(first) if first == body => state.count("late first attempts"),
                first => {
                    let first = first.map(|first| String::from_utf8_lossy(&first).into_owned());
                    let late = String::from_utf8_lossy(&body).into_owned();
                    state.problem(format!("a late first attempt differs: {first:?}, then {late:?}"));
                }
            }
        }
    }
}

/// Runs one call: what the model is to expect of it, and then the call itself.
pub(crate) struct Turn<'a> {
    pub(crate) call: &'a SharedCall,
}

impl Turn<'_> {
    /// Begins a call.
    pub(crate) fn begin(&self, ops: Vec<Op>, cuts: Vec<Cut>) {
        *lock(self.call) = Call { ops, cuts: cuts.into(), ..Call::default() };
    }

    /// Keeps others from taking turns until [`end`](Turn::end).
    pub(crate) async fn hold(&self, world: &World) {
        let state = Arc::clone(&world.state).lock_owned().await;
        let mut call = lock(self.call);
        (call.is_exclusive, call.held) = (true, Some(state));
    }

    /// Ends a call. Returns what became of it, and the model if nobody else took a turn.
    pub(crate) fn end(&self) -> (Call, Option<OwnedMutexGuard<State>>) {
        let mut call = std::mem::take(&mut *lock(self.call));
        let held = call.held.take();
        (call, held)
    }
}

/// Changes the model as a write of the records that a query has chosen did. Returns how many it has written.
fn of_each(state: &mut State, args: &Args, op: &Op, search: &Search, verdict: &Verdict, span: Span) -> u64 {
    state.count("writes of each");
    let text = |at: usize| args.get(at).and_then(|arg| std::str::from_utf8(arg).ok()).unwrap_or_default();
    let keys: usize = text(2).parse().unwrap_or_default();
    let ids = (3..3 + keys).filter_map(|at| text(at).strip_prefix("user:")).filter(|id| !id.starts_with(':'));
    let ops: Vec<Op> = ids.map(|id| Op { id: id.to_owned(), ..op.clone() }).collect();
    if let Verdict::Refused { why, .. } = verdict {
        // Somebody has written since the records were read.
        if matches!(why.as_str(), "condition" | "missing" | "norow") {
            return 0;
        }
    } else {
        state.settle(span);
        for op in &ops {
            let record = state.get(Table::Users, &op.id).and_then(|slot| slot.record.clone());
            // Without conditions, one that has gone in the meantime is deleted again.
            let is_gone = record.is_none() && search.conditions.is_empty() && matches!(op.what, What::Delete);
            if !is_gone && !record.as_ref().is_some_and(|record| search.holds(record)) {
                state.problem(format!("written without a match: {op:?}, {search:?}, {record:?}"));
            }
        }
    }
    let ops: Vec<&Op> = ops.iter().collect();
    u64::try_from(state.write(&[], &ops, verdict, span).len()).unwrap()
}

/// A row that may be there or not, in one of the hashes of rows.
struct Doubtful {
    table: Table,
    id: String,
    rows: Vec<String>,
}

/// Changes the model as `reindex` did with rows: it removes those of records that are gone, and corrects the marks. Returns the
/// rows of living records that another write may have swept since they were listed, because their marks had passed.
fn repairs(state: &mut State, args: &Args, span: Span) -> Vec<Doubtful> {
    let text = |at: usize| args.get(at).and_then(|arg| std::str::from_utf8(arg).ok()).unwrap_or_default();
    let key_count: usize = text(2).parse().unwrap_or_default();
    let table = Table::ALL.into_iter().find(|table| text(3).starts_with(&format!("{}::rows", table.prefix())));
    let (Some(table), "repair") = (table, text(4 + key_count)) else { return Vec::new() };
    let is_of_rows = matches!(text(5 + key_count), "0" | "1") && (args.len() - key_count - 5).is_multiple_of(2);
    // The script of entries has a number, a partition, a cursor and a count.
    if !is_of_rows
        || (args.len() - key_count == 9 && !(3..3 + key_count).any(|at| text(at) == table.key(text(6 + key_count))))
    {
        return Vec::new();
    }
    let keys = (3..3 + key_count).map(text).filter(|key| key.starts_with(&format!("{}::rows", table.prefix())));
    let rows: Vec<String> = keys.map(str::to_owned).collect();
    let mut doubtful = Vec::new();
    for at in (5 + key_count..args.len()).step_by(2) {
        let slot = state.slot(table, text(at + 1));
        if slot.row.is_some() && slot.is_alive(span) != Some(false) && slot.is_held(span) != Some(true) {
            let id = text(at + 1).to_owned();
            doubtful.push(Doubtful { table, id, rows: rows.clone() });
        }
        slot.remember(span, "repaired");
        match slot.is_alive(span) {
            Some(false) => (slot.row, slot.mark) = (None, None),
            // About to expire: if its row was removed, so will the model's be.
            Some(true) | None => slot.mark = slot.expires,
        }
        state.touch(table, text(at + 1));
    }
    doubtful
}

/// The key that the outcome of a write is kept under.
fn once_key(args: &Args) -> Option<&[u8]> {
    let first = args.get(3).filter(|_| args.first().is_some_and(|name| name.starts_with(b"EVAL")))?;
    first.windows(7).any(|part| part == b"::once:").then_some(first)
}

/// The netstrings of a script's reply.
fn texts(mut bytes: &[u8]) -> Option<Vec<Option<String>>> {
    let mut texts = Vec::new();
    while !bytes.is_empty() {
        let colon = bytes.iter().position(|byte| *byte == b':')?;
        let length = std::str::from_utf8(&bytes[..colon]).ok()?;
        bytes = &bytes[colon + 1..];
        if length == "-" {
            texts.push(None);
            continue;
        }
        let length: usize = length.parse().ok()?;
        texts.push(Some(String::from_utf8_lossy(bytes.get(..length)?).into_owned()));
        bytes = &bytes[length..];
    }
    Some(texts)
}

/// What a write script answered.
fn verdict(reply: &[u8]) -> Option<Verdict> {
    let texts = texts(reply)?;
    let text = |at: usize| texts.get(at).cloned().flatten().unwrap_or_default();
    match texts.first()?.as_deref()? {
        "ok" => {
            let (mut at, mut happened) = (1, Vec::new());
            while at < texts.len() {
                happened.push(text(at + 1) == "1");
                at += 1 + text(at).parse::<usize>().ok()?;
            }
            Some(Verdict::Ok(happened))
        }
        "refused" => {
            let details = (1..texts.len()).map(text).collect();
            Some(Verdict::Refused { why: text(2), details })
        }
        _ => None,
    }
}

/// The operations of a write that no caller asked for. The values of the test are none of these words.
fn mends(args: &Args) -> Vec<Mend> {
    let text = |at: usize| args.get(at).and_then(|arg| std::str::from_utf8(arg).ok()).unwrap_or_default();
    let keys: usize = text(2).parse().unwrap_or_default();
    let is_number = |at: usize| !text(at).is_empty() && text(at).bytes().all(|byte| byte.is_ascii_digit());
    // The labels of the layouts, each a tag and the name of its model, in the order in which operations count them.
    let is_mark = |text: &str| text.get(..8).is_some_and(|tag| tag.bytes().all(|byte| byte.is_ascii_hexdigit()));
    let models: Vec<&str> = (3 + keys..args.len())
        .filter_map(|at| Some(text(at)).filter(|text| is_mark(text))?.get(8..)?.strip_prefix(' ')?.split(';').next())
        .collect();
    let mut mends = Vec::new();
    for at in 3 + keys..args.len() {
        let what = text(at);
        if !matches!(what, "index" | "purge") || !is_number(at + 1) || !is_number(at + 2) {
            continue;
        }
        let id = text(at + 3).to_owned();
        let layout = text(at + 1).parse::<usize>().ok().and_then(|number| models.get(number.checked_sub(1)?));
        let table = Table::ALL.into_iter().find(|table| layout.is_some_and(|layout| *layout == table.model()));
        if let Some(table) = table {
            mends.push(if what == "index" { Mend::Index(table, id) } else { Mend::Purge(table, id) });
        }
    }
    mends
}
