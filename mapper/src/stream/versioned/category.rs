//! The events of the category stream: those of all versioned logs of a model, in one order.

use std::time::Duration;

use redis_rest::{Error, ErrorKind, FromReply, Reply, Result};

use crate::kind::Kind;
use crate::model::{Fields, Names, Sink, Source};
use crate::pairs::ReplyPairs;
use crate::stream::StreamModel;
use crate::stream::reserved::{LOG, VERSION, WithoutReserved};

/// An event in the [category stream](StreamModel::category) of its model, and where it comes from.
///
/// ```no_run
/// use redis_model::prelude::*;
/// use redis_model::stream::Expected;
///
/// #[derive(Debug, RedisModel)]
/// #[redis(stream, prefix = "order-events", category)]
/// enum OrderEvent {
///     Paid { cents: i64 },
/// }
///
/// # async fn example(redis: Redis) -> Result<()> {
/// for order in ["17", "18"] {
///     let log = OrderEvent::log(order).versioned();
///     log.append(&redis, Expected::Any, &[OrderEvent::Paid { cents: 990 }]).await?;
/// }
///
/// let mut all = OrderEvent::category().entries(&redis, ..); // XRANGE order-events::category - +
/// while let Some(entry) = all.next().await {
///     let paid = entry?.event?;
///     println!("order {}, version {}: {:?}", paid.log, paid.version, paid.event);
/// }
/// # Ok(())
/// # }
/// ```
///
/// The ids are those that the server makes. Events of one log are in the order of their versions.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Sourced<M> {
    /// The part of the key that names the log: `17` for `order-events:17`.
    pub log: String,
    /// The version that the event made there.
    pub version: u64,
    /// The event.
    pub event: M,
}

impl<M: StreamModel> StreamModel for Sourced<M> {
    const MODEL_NAME: &'static str = M::MODEL_NAME;
    const KEY_PREFIX: &'static str = M::KEY_PREFIX;
    const MAX_LEN: Option<u64> = None;
    const MAX_AGE: Option<Duration> = None;
    const EXACT: bool = false;
    const PUBLISH: bool = M::PUBLISH;
}

impl<M: StreamModel> Fields for Sourced<M> {
    const FIELD_NAMES: Names = Names { own: &[LOG, VERSION], flattened: &[M::FIELD_NAMES] };

    fn write(&self, sink: &mut impl Sink) -> Result<()> {
        sink.set(LOG, self.log.clone(), Kind::Text);
        sink.set(VERSION, self.version.to_string(), Kind::Number);
        self.event.write(sink)
    }

    fn read<'a>(source: impl Source<'a>) -> Result<Self> {
        let log = text(source, LOG)?.to_owned();
        let version = text(source, VERSION)?;
        let version = version.parse().map_err(|_| {
            Error::new(ErrorKind::Decode, "expected a version; another program has written the entry")
                .with_field(VERSION)
        })?;
        Ok(Sourced { log, version, event: M::read(WithoutReserved(source))? })
    }
}

impl<M: StreamModel> FromReply for Sourced<M> {
    fn from_reply(reply: Reply<'_>) -> Result<Self> {
        Self::read(ReplyPairs(reply.pairs()?))
    }
}

/// Returns the text of a field that the script writes.
fn text<'a>(source: impl Source<'a>, name: &'static str) -> Result<&'a str> {
    for field in source.fields() {
        let (found, content) = field?;
        if let (true, Some(text)) = (found == name.as_bytes(), content.for_kind(Kind::Text))
            && let Ok(text) = std::str::from_utf8(text)
        {
            return Ok(text);
        }
    }
    Err(Error::new(ErrorKind::Decode, "missing; another program has written the entry").with_field(name))
}
