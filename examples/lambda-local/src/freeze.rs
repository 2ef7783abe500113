//! What Lambda does to a process between two invocations: it stops it, and the process's connections may die meanwhile.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::process::{Child, Command};
use tokio::task::JoinSet;

use crate::Outcome;

/// Stands between the function and the local database, to cut their connections.
#[derive(Debug)]
pub(crate) struct Relay {
    pub(crate) address: SocketAddr,
    connections: Arc<Mutex<JoinSet<()>>>,
}

impl Relay {
    pub(crate) async fn start(database: String) -> Outcome<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let relay = Relay { address: listener.local_addr()?, connections: Arc::default() };
        let connections = Arc::clone(&relay.connections);
        tokio::spawn(async move {
            while let Ok((mut function, _)) = listener.accept().await {
                let database = database.clone();
                connections.lock().unwrap_or_else(PoisonError::into_inner).spawn(async move {
                    if let Ok(mut database) = TcpStream::connect(database).await {
                        drop(copy_bidirectional(&mut function, &mut database).await);
                    }
                });
            }
        });
        Ok(relay)
    }

    /// Closes all connections.
    pub(crate) fn cut(&self) {
        self.connections.lock().unwrap_or_else(PoisonError::into_inner).abort_all();
    }
}

/// Stops a process.
pub(crate) async fn freeze(process: &Child) -> Outcome {
    signal(process, "-STOP").await
}

/// Lets a stopped process continue.
pub(crate) async fn thaw(process: &Child) -> Outcome {
    signal(process, "-CONT").await
}

async fn signal(process: &Child, signal: &str) -> Outcome {
    let id = process.id().ok_or("the function has ended")?.to_string();
    let status = Command::new("kill").args([signal, &id]).status().await?;
    if status.success() { Ok(()) } else { Err(format!("kill {signal}: {status}").into()) }
}
