//! Events of variants that an enum does not have.

use redis_rest::{Error, ErrorKind, Result};

use crate::kind::Kind;
use crate::mismatch;
use crate::model::{Sink, Source};

/// An event of a variant that the enum does not have, as it is stored: what a variant marked `#[redis(unknown)]` receives.
///
/// Another version of the program may have appended it. Without such a variant, it is an
/// [error](redis_rest::Error::is_unknown_variant) of its entry.
///
/// ```no_run
/// use redis_model::prelude::*;
/// use redis_model::stream::UnknownEvent;
///
/// #[derive(Debug, RedisModel)]
/// #[redis(stream, prefix = "order-events")]
/// enum OrderEvent {
///     Paid { cents: i64 },
///     #[redis(unknown)]
///     Other(UnknownEvent),
/// }
///
/// # async fn example(redis: Redis) -> Result<()> {
/// let log = OrderEvent::log(17);
/// redis.xadd(log.key(), [("event", "Refunded"), ("cents", "990")]).await?;
///
/// for entry in log.range(&redis, .., 100).await? {
///     match entry.event? {
///         OrderEvent::Paid { cents } => println!("{cents} paid"),
///         OrderEvent::Other(event) => println!("{}: {:?}", event.variant, event.fields), // Refunded: [("cents", "990")]
///     }
/// }
/// # Ok(())
/// # }
/// ```
///
/// It is appended as it was read, so a program can copy events that it does not know. Fields that are not UTF-8 are an error
/// of the entry. For a program that does not need the fields, the variant can be one without data: `#[redis(unknown)] Other`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct UnknownEvent {
    /// The name of the variant.
    pub variant: String,
    /// The names and texts of all other fields, in their order.
    pub fields: Vec<(String, String)>,
}

/// The type of the field of a variant marked `#[redis(unknown)]`.
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot receive unknown variants",
    label = "not an `UnknownEvent`",
    note = "a variant marked `unknown` can be `Other(UnknownEvent)`, with `redis_model::stream::UnknownEvent`, or `Other` alone"
)]
pub trait UnknownVariant: Sized {
    fn read_unknown<'a>(source: impl Source<'a>, tag: &'static str, variant: &str) -> Result<Self>;

    fn write_unknown(&self, sink: &mut impl Sink, tag: &'static str) -> Result<()>;
}

impl UnknownVariant for UnknownEvent {
    fn read_unknown<'a>(source: impl Source<'a>, tag: &'static str, variant: &str) -> Result<Self> {
        let mut fields = Vec::new();
        for field in source.fields() {
            let (name, content) = field?;
            if name == tag.as_bytes() {
                continue;
            }
            let name = std::str::from_utf8(name).map_err(|error| {
                let message = format!("the name of a field has {} bytes that are not UTF-8", name.len());
                Error::new(ErrorKind::Decode, message).with_source(error)
            })?;
            let Some(text) = content.for_kind(Kind::Text) else { continue };
            let text = std::str::from_utf8(text)
                .map_err(|error| mismatch::not_utf8::<String>(text, error).with_field(name.to_owned()))?;
            fields.push((name.to_owned(), text.to_owned()));
        }
        Ok(UnknownEvent { variant: variant.to_owned(), fields })
    }

    fn write_unknown(&self, sink: &mut impl Sink, tag: &'static str) -> Result<()> {
        sink.set(tag, self.variant.clone(), Kind::Text);
        for (name, text) in &self.fields {
            if name == tag {
                let why = "the name of the variant is a field of its own; remove it from `fields`";
                return Err(Error::new(ErrorKind::InvalidInput, why).with_field(tag));
            }
            sink.set_unknown(name, text);
        }
        Ok(())
    }
}

/// Returns the error about appending a variant that stands for any unknown event.
pub(crate) fn not_written(variant: &'static str) -> Error {
    let why = format!("`{variant}` stands for events that the program does not know, so it cannot be appended");
    Error::new(ErrorKind::InvalidInput, why)
}
