//! A transport that keeps a server and the model of what it holds in step.
//!
//! One request at a time is sent, and the model changes as the server's reply says, before the next one is sent. So the
//! order of the writes is known, although tasks take turns between the requests of a call, and although replies are lost.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use redis_model::redis_rest::transport::{Body, Request, Response, Transport, TransportError};
use redis_model_tests::direct::{Args, Direct, Raw, commands_of, parse};

use crate::generate::Search;
use crate::op::{Mend, Op, Span, Verdict, What};
use crate::schema::Table;
use crate::state::State;
use crate::wire::{mends, once_key, verdict};
use crate::world::{Cut, SharedCall, clock, lock};

#[derive(Debug)]
pub(crate) struct Gate {
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
    pub(crate) fn new(
        inner: Arc<dyn Transport>,
        raw: Direct,
        state: Arc<tokio::sync::Mutex<State>>,
        call: SharedCall,
    ) -> Self {
        Gate { inner, raw, state, call: Handle(call), executed: Mutex::default(), late: Mutex::default() }
    }

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
