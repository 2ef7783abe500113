//! Events in a unit of work.

use redis_rest::{Error, ErrorKind, Result};

use super::append::fields_for_script;
use super::retention::Retention;
use super::{Log, StreamModel};
use crate::hash::Unit;
use crate::index::Layout;
use crate::write::{Action, Operation};

/// The type that the layout of a log is known by: it has no indexes, and names the model.
struct LogOf<M>(std::marker::PhantomData<M>);

impl Unit {
    /// Appends an event to a log: the records are written and the event is in the log, or neither. No reader sees one
    /// without the other, and there is no second write that a crash could prevent. This is what a transactional outbox
    /// is for; here the log itself is part of the transaction.
    ///
    /// The log keeps what its model says (`max_len`, `max_age`), and its readers wake up if the model has `publish`.
    /// Several appends to one log are in the order of the calls. In [`Worker::run_exactly`](crate::Worker::run_exactly)
    /// and in a [`Projection`](crate::Projection), the unit carries the event on: each event handled makes the next one
    /// exactly once.
    ///
    /// ```no_run
    /// use redis_model::Unit;
    /// use redis_model::prelude::*;
    ///
    /// #[derive(Debug, RedisModel)]
    /// #[redis(prefix = "order")]
    /// struct Order {
    ///     #[redis(id)]
    ///     id: u64,
    ///     cents: i64,
    /// }
    ///
    /// #[derive(Debug, RedisModel)]
    /// #[redis(stream, prefix = "order-events", publish)]
    /// enum OrderEvent {
    ///     Placed { cents: i64 },
    /// }
    ///
    /// # async fn example(redis: Redis) -> Result<()> {
    /// let (order, log) = (Order { id: 17, cents: 990 }, OrderEvent::log(17));
    /// let placed = OrderEvent::Placed { cents: 990 };
    ///
    /// let done = Unit::new().insert(&order).append(&log, &placed).commit(&redis).await?;
    /// // The unit is operation 0, which has created the order, and operation 1, which has added one entry.
    /// assert!(done.created(0));
    /// let entry = log.get(&redis, done.ids(1)[0]).await?;
    /// assert!(entry.is_some());
    ///
    /// // The order exists, so the event is not appended either.
    /// let again = Unit::new().insert(&order).append(&log, &placed).commit(&redis).await;
    /// assert!(again.unwrap_err().is_already_exists());
    /// assert_eq!(log.len(&redis).await?, 1);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Price
    ///
    /// No request more. The script of the unit also calls `TYPE`, `XLEN`, `EXISTS`, `XINFO STREAM` and `XADD` for the log,
    /// `XTRIM` for each limit, and `PUBLISH`. A unit that publishes locks the whole database of the hosted service, as
    /// each script that publishes.
    ///
    /// # Errors
    ///
    /// The unit fails, and nothing is written:
    ///
    /// - `InvalidInput` if all fields of the event are `None`, if it has more than 3,950 fields, or if its model is
    ///   [versioned](Log::versioned): a unit appends under ids that the server makes, and there the id is the version.
    ///   Append by `.versioned()`, and keep the records with a [`Projection`](crate::Projection).
    /// - `Redis` with `WRONGTYPE` if the key of the log holds no stream.
    /// - `Conflict` if the log has had the greatest possible id.
    pub fn append<M: StreamModel>(self, log: &Log<M>, event: &M) -> Self {
        self.append_many(log, [event])
    }

    /// Appends events to a log, as [`append`](Unit::append) does. They are one operation of the unit, and no other
    /// client's entry comes between them.
    ///
    /// Without events, the unit fails as `InvalidInput`.
    pub fn append_many<'m, M: StreamModel>(self, log: &Log<M>, events: impl IntoIterator<Item = &'m M>) -> Self {
        let events: Vec<_> = events.into_iter().collect();
        self.with(log.typed_key(), operation(log, &events))
    }
}

fn operation<M: StreamModel>(log: &Log<M>, events: &[&M]) -> Result<Operation> {
    let retention = Retention::of::<M>();
    let problem = if M::VERSIONED {
        Some(
            "a versioned log cannot be part of a unit of work; append to it by `.versioned()`, and keep the records \
             that follow it with a `Projection`",
        )
    } else if events.is_empty() {
        Some("needs at least one event")
    } else {
        retention.problem_of_append()
    };
    if let Some(why) = problem {
        return Err(Error::new(ErrorKind::InvalidInput, why));
    }
    let layout = Layout::of::<LogOf<M>>(|builder| builder.model(M::MODEL_NAME, M::KEY_PREFIX));
    let action =
        Action::Append { events: fields_for_script(events)?, retention: retention.texts(), publishes: M::PUBLISH };
    Ok(Operation { layout, key: log.typed_key().clone(), id: log.typed_key().part().to_owned(), action })
}
