//! A server, the model of what it holds, and the calls that tasks make one after the other.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use redis_model::Redis;
use redis_model::redis_rest::{Encoding, RetryPolicy};
use redis_model_tests::Stack;
use redis_model_tests::direct::{Direct, Mutation, Raw};
use tokio::sync::OwnedMutexGuard;

use crate::gate::Gate;
use crate::generate::Search;
use crate::op::{Did, Op, Span};
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
        let (raw, state, shared) = (self.raw.clone(), Arc::clone(&self.state), Arc::clone(&call));
        let gate = move |inner| Gate::new(inner, raw.clone(), Arc::clone(&state), Arc::clone(&shared));
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
