//! Types that are stored as one field: as text in a hash or a stream, as a JSON value in a list.

use std::borrow::Cow;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::num::{NonZeroI32, NonZeroI64, NonZeroU32, NonZeroU64};
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::kind::Kind;
use crate::mismatch::Mismatch;

/// A type that is stored as one field of a model.
///
/// | type | text |
/// | --- | --- |
/// | integers, floats | `42`, `0.5`, `inf`, `NaN` |
/// | `bool` | `true`, `false`; `1` and `0` can be read too |
/// | `String`, `char`, `Box<str>`, `Arc<str>`, `Cow<str>` | the text itself |
/// | `Option<T>` | the text of `T`; `None` is stored as no field |
/// | `Duration` | milliseconds: `1500`, `0.25` |
/// | `SystemTime` | milliseconds since 1970 |
/// | IP and socket addresses, `Uuid`, `Ulid` | their `Display` text |
/// | an enum without data that derives `RedisModel` | the name of the variant |
/// | a newtype that derives `RedisModel` | the text of the inner type |
///
/// Store other types with an attribute of the field: `#[redis(json)]` or `#[redis(bincode)]` for types that implement
/// serde's traits, `#[redis(base64)]` for bytes, and `#[redis(with = Path)]` for a [`Codec`](crate::codec::Codec) of
/// your own.
///
/// ```no_run
/// use redis_model::ErrorKind;
/// use redis_model::prelude::*;
///
/// #[derive(Debug, Clone, PartialEq, RedisModel)]
/// #[redis(rename_all = "lowercase")]
/// enum Country {
///     Tr,
///     Uk,
/// }
///
/// #[derive(Debug, Clone, PartialEq, RedisModel)]
/// #[redis(prefix = "user")]
/// struct User {
///     #[redis(id)]
///     id: u64,
///     country: Country,
///     age: Option<u8>,
/// }
///
/// # async fn example(redis: Redis) -> Result<()> {
/// User { id: 42, country: Country::Uk, age: None }.save(&redis).await?;
/// assert_eq!(redis.hget("user:42", "country").await?, Some("uk".to_owned()));
/// assert!(!redis.hexists("user:42", "age").await?);
///
/// redis.hset("user:42", [("country", "mars")]).await?;
/// let error = User::load(&redis, 42).await.unwrap_err();
/// assert_eq!((error.kind(), error.field()), (ErrorKind::Decode, Some("country")));
/// # Ok(())
/// # }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be stored as one field of a model",
    label = "not a field",
    note = "mark the field `#[redis(json)]` or `#[redis(bincode)]` to store it with serde, or `#[redis(flatten)]` to store its own fields",
    note = "an enum without data, or a struct with one unnamed field, can derive `RedisModel` itself"
)]
pub trait Field: Sized {
    /// The type without `Option`: the value of a field that exists.
    type Value;

    /// What the text is.
    const KIND: Kind = Kind::Text;

    /// Appends the text of this value.
    fn encode(&self, text: &mut String);

    /// Reads a value from its text.
    ///
    /// # Errors
    ///
    /// [`Mismatch`] if the text is not a value of this type.
    fn decode(text: &str) -> Result<Self, Mismatch>;

    /// Reads the value of a field that exists.
    ///
    /// # Errors
    ///
    /// [`Mismatch`] if the text is not a value of this type.
    fn decode_value(text: &str) -> Result<Self::Value, Mismatch>;

    /// Returns whether this value is stored as no field.
    fn is_absent(&self) -> bool {
        false
    }

    /// Returns the value of a field that does not exist, or `None` if the field must exist.
    fn absent() -> Option<Self> {
        None
    }
}

/// `Value` and `decode_value` of types that are not an `Option`.
macro_rules! own_value {
    () => {
        type Value = Self;

        fn decode_value(text: &str) -> Result<Self, Mismatch> {
            Self::decode(text)
        }
    };
}

macro_rules! by_display_and_from_str {
    ($kind:ident: $($(#[$gate:meta])? $type:ty),*) => {$(
        $(#[$gate])?
        impl Field for $type {
            own_value!();

            const KIND: Kind = Kind::$kind;

            fn encode(&self, text: &mut String) {
                text.push_str(&self.to_string());
            }

            fn decode(text: &str) -> Result<Self, Mismatch> {
                text.parse().map_err(|_| Mismatch::TYPE)
            }
        }
    )*};
}

by_display_and_from_str! { Number:
    i8, i16, i32, i64, i128, isize, u8, u16, u32, u64, u128, usize, NonZeroI32, NonZeroI64, NonZeroU32, NonZeroU64, f32, f64
}

by_display_and_from_str! { Text:
    char, IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr,
    #[cfg(feature = "uuid")] uuid::Uuid,
    #[cfg(feature = "ulid")] ulid::Ulid
}

impl Field for bool {
    own_value!();

    const KIND: Kind = Kind::Bool;

    fn encode(&self, text: &mut String) {
        text.push_str(if *self { "true" } else { "false" });
    }

    fn decode(text: &str) -> Result<Self, Mismatch> {
        match text {
            "true" | "1" => Ok(true),
            "false" | "0" => Ok(false),
            _ => Err(Mismatch::TYPE),
        }
    }
}

macro_rules! text_fields {
    ($($type:ty)*) => {$(
        impl Field for $type {
            own_value!();

            fn encode(&self, text: &mut String) {
                text.push_str(self);
            }

            fn decode(text: &str) -> Result<Self, Mismatch> {
                Ok(Self::from(text.to_owned()))
            }
        }
    )*};
}

text_fields! { String Box<str> Arc<str> Cow<'static, str> }

/// Appends a duration in milliseconds, with a fraction only if it is not zero.
fn push_millis(duration: Duration, text: &mut String) {
    text.push_str(&duration.as_millis().to_string());
    let fraction = duration.subsec_nanos() % 1_000_000;
    if fraction > 0 {
        text.push_str(format!(".{fraction:06}").trim_end_matches('0'));
    }
}

fn read_millis(text: &str) -> Option<Duration> {
    let (millis, fraction) = text.split_once('.').unwrap_or((text, "0"));
    let millis: u128 = millis.parse().ok()?;
    let digits = u32::try_from(fraction.len()).ok().filter(|digits| (1..=6).contains(digits))?;
    let nanos = u128::from(fraction.parse::<u32>().ok()?) * 10_u128.pow(6 - digits);
    let nanos = millis.checked_mul(1_000_000)?.checked_add(nanos)?;
    let seconds = u64::try_from(nanos / 1_000_000_000).ok()?;
    Some(Duration::new(seconds, u32::try_from(nanos % 1_000_000_000).ok()?))
}

impl Field for Duration {
    own_value!();

    const KIND: Kind = Kind::Number;

    fn encode(&self, text: &mut String) {
        push_millis(*self, text);
    }

    fn decode(text: &str) -> Result<Self, Mismatch> {
        read_millis(text).ok_or_else(|| Mismatch::expected("a Duration in milliseconds"))
    }
}

impl Field for SystemTime {
    own_value!();

    const KIND: Kind = Kind::Number;

    fn encode(&self, text: &mut String) {
        match self.duration_since(UNIX_EPOCH) {
            Ok(since) => push_millis(since, text),
            Err(before) => {
                text.push('-');
                push_millis(before.duration(), text);
            }
        }
    }

    fn decode(text: &str) -> Result<Self, Mismatch> {
        let time = match text.strip_prefix('-') {
            Some(before) => read_millis(before).and_then(|before| UNIX_EPOCH.checked_sub(before)),
            None => read_millis(text).and_then(|since| UNIX_EPOCH.checked_add(since)),
        };
        time.ok_or_else(|| Mismatch::expected("a SystemTime in milliseconds since 1970"))
    }
}

impl<T: Field> Field for Option<T> {
    type Value = T::Value;

    const KIND: Kind = T::KIND;

    fn encode(&self, text: &mut String) {
        if let Some(value) = self {
            value.encode(text);
        }
    }

    fn decode(text: &str) -> Result<Self, Mismatch> {
        T::decode(text).map(Some)
    }

    fn decode_value(text: &str) -> Result<T::Value, Mismatch> {
        T::decode_value(text)
    }

    fn is_absent(&self) -> bool {
        self.as_ref().is_none_or(T::is_absent)
    }

    fn absent() -> Option<Self> {
        Some(None)
    }
}

impl<T: Field> Field for Box<T> {
    type Value = T::Value;

    const KIND: Kind = T::KIND;

    fn encode(&self, text: &mut String) {
        (**self).encode(text);
    }

    fn decode(text: &str) -> Result<Self, Mismatch> {
        T::decode(text).map(Box::new)
    }

    fn decode_value(text: &str) -> Result<T::Value, Mismatch> {
        T::decode_value(text)
    }

    fn is_absent(&self) -> bool {
        (**self).is_absent()
    }

    fn absent() -> Option<Self> {
        T::absent().map(Box::new)
    }
}

#[cfg(test)]
mod tests {
    use std::fmt::Debug;

    use proptest::prelude::*;

    use super::*;

    fn round_trip<T: Field + PartialEq + Debug>(value: T) {
        let mut text = String::new();
        value.encode(&mut text);
        assert_eq!(T::decode(&text), Ok(value), "{text}");
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(
            int: i64, unsigned: u64, wide: i128, float in any::<f64>().prop_filter("equal to itself", |f| !f.is_nan()), flag: bool,
            letter: char, text: String, seconds in 0..1_u64 << 40, nanos in 0..1_000_000_000_u32,
        ) {
            round_trip(int);
            round_trip(unsigned);
            round_trip(wide);
            round_trip(float);
            round_trip(flag);
            round_trip(letter);
            round_trip(text.clone());
            round_trip(Some(text));
            round_trip(Duration::new(seconds, nanos));
            round_trip(UNIX_EPOCH + Duration::new(seconds, nanos));
            round_trip(UNIX_EPOCH - Duration::new(seconds, nanos));
        }
    }

    #[test]
    fn limits_and_odd_floats() {
        round_trip(i64::MIN);
        round_trip(u64::MAX);
        round_trip(f64::INFINITY);
        round_trip(f64::NEG_INFINITY);
        round_trip(Duration::MAX);
        for odd in ["", "1.", ".5", "1.1234567", "-1", "1e3"] {
            assert!(Duration::decode(odd).is_err(), "{odd}");
        }
        assert!(f64::decode("NaN").unwrap().is_nan());
        assert_eq!(u8::decode("256"), Err(Mismatch::TYPE));
        assert_eq!(bool::decode("yes"), Err(Mismatch::TYPE));
    }
}
