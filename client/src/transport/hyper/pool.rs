//! The connections that wait for their next request.
//!
//! A connection works only while the runtime that it was opened on is running, so each runtime has connections of its own.
//! A task on the runtime closes those that have waited too long, or that the server has closed, and all of them when the
//! runtime ends.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use tokio::runtime::Id;
use tokio::sync::oneshot;
use tokio::time::timeout;

use super::exchange::Connection;
use crate::platform::Instant;
use crate::transport::socket::IDLE_LIMIT;

/// How often connections are looked through.
const TICK: Duration = Duration::from_secs(10);

#[derive(Default)]
pub(super) struct Pool {
    waiting: Mutex<HashMap<Id, OfRuntime>>,
}

/// The connections of one runtime.
struct OfRuntime {
    waiting: Vec<Waiting>,
    /// Its [`Keeper`] ends when this is dropped.
    _keeper: oneshot::Sender<()>,
}

struct Waiting {
    connection: Box<Connection>,
    since: Instant,
}

impl Waiting {
    fn is_usable(&self) -> bool {
        self.since.elapsed() < IDLE_LIMIT && self.connection.is_open()
    }
}

impl Pool {
    /// Returns the connection that was used last, if there is one that is still open.
    pub(super) fn take(&self, runtime: Id) -> Option<Box<Connection>> {
        loop {
            let last = self.lock().get_mut(&runtime)?.waiting.pop()?;
            if last.is_usable() {
                return Some(last.connection);
            }
        }
    }

    /// Keeps a connection for the next request on its runtime.
    pub(super) fn put(self: &Arc<Self>, connection: Box<Connection>) {
        let id = connection.runtime().id();
        let waiting = Waiting { connection, since: Instant::now() };
        let (runtime, gone) = match self.lock().entry(id) {
            Entry::Occupied(mut of_runtime) => return of_runtime.get_mut().waiting.push(waiting),
            Entry::Vacant(of_runtime) => {
                let runtime = waiting.connection.runtime().clone();
                let (keeper, gone) = oneshot::channel();
                of_runtime.insert(OfRuntime { waiting: vec![waiting], _keeper: keeper });
                (runtime, gone)
            }
        };
        // If the runtime has ended, this drops the keeper at once.
        drop(runtime.spawn(Keeper { pool: Arc::downgrade(self), runtime: id, gone }.run()));
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Id, OfRuntime>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Closes the connections of one runtime. It is dropped when the runtime or the pool ends.
struct Keeper {
    pool: Weak<Pool>,
    runtime: Id,
    gone: oneshot::Receiver<()>,
}

impl Keeper {
    async fn run(mut self) {
        while timeout(TICK, &mut self.gone).await.is_err() {
            let Some(pool) = self.pool.upgrade() else { return };
            if let Some(of_runtime) = pool.lock().get_mut(&self.runtime) {
                of_runtime.waiting.retain(Waiting::is_usable);
            }
        }
    }
}

impl Drop for Keeper {
    fn drop(&mut self) {
        if let Some(pool) = self.pool.upgrade() {
            // Connections are closed after the lock is released.
            let of_runtime = pool.lock().remove(&self.runtime);
            drop(of_runtime);
        }
    }
}
