//! Aggregates: a state that is made of a versioned log, and decisions on it.

use std::fmt;
use std::time::Duration;

use redis_rest::commands::stream::StreamId;
use redis_rest::{Build, Client, Error, Executor as _, Result, Session, StringCommands as _};

use super::append::{Commit, check_id};
use super::fold::{Versioned, replay};
use super::{Expected, VersionedLog, VersionedModel};
use crate::stream::StreamModel;
use crate::stream::page::{self, LogPage};
use crate::stream::snapshot::{Snapshots, Stored};

/// How often a state is loaded and decided on before the call fails as `Conflict`.
const ATTEMPTS: u32 = 16;

/// How long the wait after the first conflict is at most. Each wait can be so much longer than the one before.
const PAUSE: Duration = Duration::from_millis(2);

/// A state that is made of the events of a [versioned log](VersionedLog). Its default is the state before the first
/// event.
///
/// ```no_run
/// use redis_model::{Aggregate, Error, prelude::*};
///
/// #[derive(Debug, Clone, PartialEq, RedisModel)]
/// #[redis(stream, versioned, prefix = "order-events")]
/// enum OrderEvent {
///     Placed { cents: i64 },
///     Paid { cents: i64 },
///     Shipped { carrier: String },
/// }
///
/// #[derive(Debug, Default)]
/// struct Order {
///     due: i64,
///     is_shipped: bool,
/// }
///
/// impl Aggregate for Order {
///     type Event = OrderEvent;
///
///     fn apply(mut self, event: OrderEvent) -> Self {
///         match event {
///             OrderEvent::Placed { cents } => self.due += cents,
///             OrderEvent::Paid { cents } => self.due -= cents,
///             OrderEvent::Shipped { .. } => self.is_shipped = true,
///         }
///         self
///     }
/// }
///
/// /// Why an order cannot be changed: an error of the program's own.
/// #[derive(Debug)]
/// enum OrderError {
///     NotPaid { due: i64 },
///     Redis(Error),
/// }
///
/// impl From<Error> for OrderError {
///     fn from(error: Error) -> Self {
///         OrderError::Redis(error)
///     }
/// }
///
/// impl Order {
///     fn ship(&self, carrier: &str) -> Result<Vec<OrderEvent>, OrderError> {
///         match self {
///             Order { due: 1.., .. } => Err(OrderError::NotPaid { due: self.due }),
///             Order { is_shipped: true, .. } => Ok(vec![]),
///             _ => Ok(vec![OrderEvent::Shipped { carrier: carrier.into() }]),
///         }
///     }
/// }
///
/// # async fn example(redis: Redis) -> Result<(), OrderError> {
/// let order = OrderEvent::log(17).versioned().aggregate::<Order>();
/// // A decision that cannot fail is a `Vec`.
/// order.commit(&redis, |_| vec![OrderEvent::Placed { cents: 990 }]).await?;
///
/// let unpaid = order.commit(&redis, |order| order.ship("post")).await;
/// assert!(matches!(unpaid, Err(OrderError::NotPaid { due: 990 })));
///
/// order.commit(&redis, |order| vec![OrderEvent::Paid { cents: order.due }]).await?;
/// let shipped = order.commit(&redis, |order| order.ship("post")).await?;
/// assert!(shipped.is_shipped && shipped.version == 3);
/// # Ok(())
/// # }
/// ```
pub trait Aggregate: Default + Send + Sync + 'static {
    /// The events, whose attribute has `versioned` or `category`.
    type Event: VersionedModel + Send + Sync;

    /// Returns the state after an event. It cannot refuse: the event has happened.
    #[must_use]
    fn apply(self, event: Self::Event) -> Self;
}

/// What a decision on a state returns: the events that happen, as a `Vec`, or a `Result` of it if they can be refused.
///
/// The error of the `Result` is the error of the whole [`commit`](AggregateLog::commit), so `?` works in it and on it.
/// It can be [`Error`], or any type of your own that is [`From`] it. A closure that cannot fail returns the `Vec`: in a
/// function with an error of your own, the compiler could not know the error of `Ok(vec![..])`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a decision",
    label = "not events of this log",
    note = "return `Vec<Event>`, or `Result<Vec<Event>, E>` with an `E: From<redis_model::Error>`"
)]
pub trait Decision<M>: Send {
    /// The error of the commit.
    type Error: From<Error> + Send + 'static;

    /// Returns the events that happen, or why nothing does.
    ///
    /// # Errors
    ///
    /// That of the decision.
    fn events(self) -> Result<Vec<M>, Self::Error>;
}

impl<M: Send> Decision<M> for Vec<M> {
    type Error = Error;

    fn events(self) -> Result<Vec<M>> {
        Ok(self)
    }
}

impl<M: Send, E: From<Error> + Send + 'static> Decision<M> for Result<Vec<M>, E> {
    type Error = E;

    fn events(self) -> Result<Vec<M>, E> {
        self
    }
}

/// A versioned log whose events make the state `A`, from [`VersionedLog::aggregate`].
#[must_use = "an aggregate does nothing until it is loaded or written"]
pub struct AggregateLog<A: Aggregate> {
    log: VersionedLog<A::Event>,
    snapshots: Option<Snapshots<A>>,
}

/// A state, and what is stored of it.
struct Loaded<A> {
    of: Versioned<A>,
    stored: Stored,
}

impl<M: StreamModel> VersionedLog<M> {
    /// Returns the log with the state that its events make. Nothing is sent.
    pub fn aggregate<A: Aggregate<Event = M>>(&self) -> AggregateLog<A> {
        AggregateLog { log: self.clone(), snapshots: None }
    }
}

impl<A: Aggregate> AggregateLog<A> {
    /// Loads states from snapshots, and writes these.
    pub fn snapshots(mut self, snapshots: Snapshots<A>) -> Self {
        self.snapshots = Some(snapshots);
        self
    }

    /// Returns the log.
    pub fn log(&self) -> &VersionedLog<A::Event> {
        &self.log
    }

    /// Returns the state, and its version: 0 if there are no events.
    ///
    /// One request: a read-only script returns the snapshot and up to 500 events after it, as they are at one moment. A
    /// pipeline could not, because which events to read depends on the snapshot. Each further 500 events are one more
    /// request. If a snapshot is due, or the one that is stored does not fit, one more request writes it.
    ///
    /// # Errors
    ///
    /// Those of [`VersionedLog::fold`]. A snapshot that cannot be written is no error: the next call writes it.
    pub fn load<C: Client>(&self, client: C) -> C::Out<Versioned<A>> {
        let this = self.clone();
        client.run(move |session| async move {
            let loaded = this.load_with(&session).await?;
            this.write_snapshot(&session, &loaded).await;
            Ok(loaded.of)
        })
    }

    /// Loads the state, decides which events happen, and appends them to the version that was loaded. If another writer
    /// was faster, it loads the new events and decides again. Returns the state after the events.
    ///
    /// Two requests: those of [`load`](Self::load) and [`append`](VersionedLog::append). Each conflict costs two more.
    /// If the decision is that nothing happens, nothing is appended.
    ///
    /// `decide` may run several times, so it must have no effects outside. It sees only states that existed. It owns what
    /// it uses, and lends that to each run: `move |order| order.ship(&carrier)`, with a `carrier: String`.
    ///
    /// # Errors
    ///
    /// That of `decide`, and nothing is appended then. `Conflict` if other writers were faster 16 times. The errors of
    /// [`load`](Self::load) and [`append`](VersionedLog::append). All of them are the error of the [`Decision`].
    pub fn commit<C: Client, D: Decision<A::Event>>(
        &self,
        client: C,
        decide: impl FnMut(&A) -> D + Send + 'static,
    ) -> C::OutOr<Versioned<A>, D::Error> {
        let this = self.clone();
        C::or(client.run(move |session| async move { Ok(this.commit_with(session, None, decide).await) }))
    }

    /// Commits as [`commit`](Self::commit) does, once for an id of the caller: that of a request, of a message or of a
    /// payment. If the log has a commit with this id from the last 24 hours, nothing is decided and nothing is
    /// appended. Returns the state as it is then.
    ///
    /// So a program can repeat the call, also after a crash: `decide` never sees the events that it has decided itself.
    /// The guide has [the whole rule](crate::guide::logs#once-by-a-key-of-yours).
    ///
    /// Four requests: a `GET`, those of [`commit`](Self::commit), and one that reads what was appended. It keeps a
    /// string for 24 hours, `order-events:17::commit:ID`.
    ///
    /// ```no_run
    /// # use redis_model::{Aggregate, prelude::*};
    /// # #[derive(Debug, Clone, RedisModel)]
    /// # #[redis(stream, versioned, prefix = "account-events")]
    /// # enum AccountEvent { Withdrawn { cents: i64 } }
    /// # #[derive(Debug, Default)]
    /// # struct Account { withdrawn: i64 }
    /// # impl Aggregate for Account {
    /// #     type Event = AccountEvent;
    /// #     fn apply(mut self, event: AccountEvent) -> Self {
    /// #         let AccountEvent::Withdrawn { cents } = event;
    /// #         self.withdrawn += cents;
    /// #         self
    /// #     }
    /// # }
    /// # async fn example(redis: Redis) -> Result<()> {
    /// let account = AccountEvent::log("ada").versioned().aggregate::<Account>();
    /// let withdraw = |_: &Account| vec![AccountEvent::Withdrawn { cents: 500 }];
    /// let once = account.commit_as(&redis, "request-17", withdraw).await?;
    /// let again = account.commit_as(&redis, "request-17", withdraw).await?;
    /// assert_eq!((once.withdrawn, again.withdrawn), (500, 500));
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// Those of [`commit`](Self::commit), and `InvalidInput` if the id is empty or longer than 256 bytes.
    pub fn commit_as<C: Client, D: Decision<A::Event>>(
        &self,
        client: C,
        commit_id: &str,
        decide: impl FnMut(&A) -> D + Send + 'static,
    ) -> C::OutOr<Versioned<A>, D::Error> {
        let (this, id) = (self.clone(), commit_id.to_owned());
        C::or(client.run(move |session| async move { Ok(this.commit_with(session, Some(id), decide).await) }))
    }

    async fn commit_with<D: Decision<A::Event>>(
        self,
        session: Session,
        commit_id: Option<String>,
        mut decide: impl FnMut(&A) -> D + Send,
    ) -> Result<Versioned<A>, D::Error> {
        commit_id.as_deref().map_or(Ok(()), check_id)?;
        let mut loaded = self.load_with(&session).await?;
        let mut attempts = 0;
        loop {
            if let Some(id) = &commit_id
                && self.is_committed(&session, id).await?
            {
                loaded.of = self.replay(&session, loaded.of, None).await?;
                break;
            }
            let events = decide(&loaded.of.state).events()?;
            if events.is_empty() {
                break;
            }
            let commit = Commit { id: commit_id.as_deref(), is_kept: commit_id.is_some() };
            let append = self.log.append_command(commit, Expected::Exact(loaded.of.version), &events);
            attempts += 1;
            match session.submit(append).await {
                // The outcome can be that of another call with the same id, which has decided otherwise.
                Ok(_) if commit_id.is_some() => {
                    loaded.of = self.replay(&session, loaded.of, None).await?;
                    break;
                }
                Ok(appended) => {
                    let state = events.into_iter().fold(loaded.of.state, A::apply);
                    loaded.of = Versioned { version: appended.version, state };
                    break;
                }
                Err(error) if error.is_conflict() && attempts < ATTEMPTS => session.pause(PAUSE * attempts).await,
                Err(error) => return Err(error.into()),
            }
            loaded.of = self.replay(&session, loaded.of, None).await?;
        }
        self.write_snapshot(&session, &loaded).await;
        Ok(loaded.of)
    }

    /// Whether a commit with this id was made.
    async fn is_committed(&self, session: &Session, id: &str) -> Result<bool> {
        let key = self.log.outcome_key(id);
        let outcome: Option<String> = session.submit(key.check(Build.get(key.as_str()))).await?;
        Ok(outcome.is_some_and(|outcome| outcome.starts_with("ok ")))
    }

    async fn load_with(&self, session: &Session) -> Result<Loaded<A>> {
        let log = self.log.log();
        let empty = || Versioned { version: 0, state: A::default() };
        let Some(snapshots) = &self.snapshots else {
            let of = self.replay(session, empty(), None).await?;
            return Ok(Loaded { of, stored: Stored::None });
        };
        let page = page::read_with_snapshot(session, log, &snapshots.key(log), &snapshots.tag()).await?;
        let (state, stored) = snapshots.read(page.after.millis, &page.snapshot);
        let of = match state {
            Some(state) => {
                let from = Versioned { version: page.after.millis, state };
                self.replay(session, from, Some(page)).await?
            }
            // The page begins after the version of a snapshot that is damaged.
            None if page.after > StreamId::MIN => self.replay(session, empty(), None).await?,
            None => self.replay(session, empty(), Some(page)).await?,
        };
        Ok(Loaded { of, stored })
    }

    async fn replay(
        &self,
        session: &Session,
        from: Versioned<A>,
        first: Option<LogPage<A::Event>>,
    ) -> Result<Versioned<A>> {
        replay(session, self.log.log(), from, first, &mut A::apply).await
    }

    /// Writes a snapshot if one is due. An error is not that of the caller, whose events are stored; it is in the span
    /// of the request.
    async fn write_snapshot(&self, session: &Session, loaded: &Loaded<A>) {
        let Some(snapshots) = &self.snapshots else { return };
        if !snapshots.is_due(loaded.of.version, loaded.stored) {
            return;
        }
        if let Some(command) = snapshots.write(self.log.log(), &loaded.of, loaded.stored) {
            let _ = session.submit(command).await;
        }
    }
}

impl<A: Aggregate> Clone for AggregateLog<A> {
    fn clone(&self) -> Self {
        AggregateLog { log: self.log.clone(), snapshots: self.snapshots.clone() }
    }
}

impl<A: Aggregate> fmt::Debug for AggregateLog<A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AggregateLog").field("log", &self.log).field("snapshots", &self.snapshots).finish()
    }
}
