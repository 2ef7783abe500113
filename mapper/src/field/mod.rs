//! Types that are stored as one field: as text in a hash or a stream, as a JSON value in a list.
//!
//! The types of other crates are in modules of their own, each under its feature. All date and time crates share one
//! text for each kind of value, so a program can change from one to another and keep its data.

use std::borrow::Cow;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::num::NonZero;
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
/// | types of `chrono`, `jiff` and `time` | see [below](#dates-and-times) |
/// | an enum without data that derives `RedisModel` | the name of the variant |
/// | a newtype that derives `RedisModel` | the text of the inner type |
/// | [`Ref`](crate::Ref) | the text of the id |
/// | a type that derives `RedisModel` with `#[redis(text)]` | its `Display` text |
/// | `Vec`, `VecDeque`, `Box<[T]>`, `HashSet`, `BTreeSet` of these, but of `u8` | a JSON array; see [`Element`] |
///
/// Store other types with an attribute of the field: `#[redis(json)]` or `#[redis(postcard)]` for types that implement
/// serde's traits, `#[redis(text)]` for types that implement `Display` and `FromStr`, `#[redis(base64)]` for bytes, and
/// `#[redis(with = Path)]` for a [`Codec`](crate::codec::Codec) of your own.
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
///
/// # Dates and times
///
/// The features `chrono`, `jiff` and `time` make the types of these crates fields. Texts are those of RFC 3339 and ISO
/// 8601, and the same for each crate.
///
/// | kind | `chrono` | `jiff` | `time` | text |
/// | --- | --- | --- | --- | --- |
/// | instant | `DateTime<Utc>` | `Timestamp` | `UtcDateTime` | `2026-11-21T16:07:41.000000000Z` |
/// | instant and offset | `DateTime<FixedOffset>` | | `OffsetDateTime` | `2026-11-21T18:07:41.000000000+02:00`, with `Z` for UTC |
/// | instant and time zone | | `Zoned` | | `2026-11-21T19:07:41.000000000+03:00[Europe/Istanbul]` |
/// | date and time | `NaiveDateTime` | `civil::DateTime` | `PrimitiveDateTime` | `2026-11-21T16:07:41.000000000` |
/// | date | `NaiveDate` | `civil::Date` | `Date` | `2026-11-21` |
/// | time | `NaiveTime` | `civil::Time` | `Time` | `16:07:41.000000000` |
/// | duration | `TimeDelta` | `SignedDuration` | `Duration` | milliseconds, as for the standard library's `Duration`: `-1500`, `0.25` |
/// | calendar duration | | `Span` | | `P1Y2M3DT4H` |
///
/// Times always have nine digits after the point. So texts of one kind have one length, and the bytes sort as the
/// values do, for the years 0 to 9999. Texts with an offset or a time zone sort only if it is the same in all of them.
/// Any text of RFC 3339 can be read, with or without a fraction. `Zoned` can be read only if `jiff` knows the time zone,
/// which needs its default features.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be stored as one field of a model",
    label = "not a field",
    note = "choose how to store it with an attribute of the field: `#[redis(json)]` for a type with serde's traits, `#[redis(text)]` for a type with `Display` and `FromStr`, `#[redis(base64)]` for `Vec<u8>`, or `#[redis(with = ..)]` for a codec of your own",
    note = "a type of your own can derive `RedisModel` itself: an enum without data or a struct with one unnamed field as it is, a struct with named fields with `#[redis(embedded)]`, in a field marked `#[redis(flatten)]`",
    note = "types of `uuid`, `ulid`, `chrono`, `jiff` and `time` are fields with the feature of `redis-model` that has the name of the crate"
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

by_display_and_from_str! { Number: i8, i16, i32, i64, i128, isize, u8, u16, u32, u64, u128, usize, f32, f64 }

by_display_and_from_str! { Number:
    NonZero<i8>, NonZero<i16>, NonZero<i32>, NonZero<i64>, NonZero<i128>, NonZero<isize>,
    NonZero<u8>, NonZero<u16>, NonZero<u32>, NonZero<u64>, NonZero<u128>, NonZero<usize>
}

by_display_and_from_str! { Text:
    char, IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr,
    #[cfg(feature = "uuid")] uuid::Uuid,
    #[cfg(feature = "ulid")] ulid::Ulid
}

macro_rules! elements {
    ($($(#[$gate:meta])? $type:ty),*) => {$(
        $(#[$gate])?
        impl Element for $type {}
    )*};
}

// All fields but `u8`, whose sequences are bytes.
elements! {
    i8, i16, i32, i64, i128, isize, u16, u32, u64, u128, usize, f32, f64,
    NonZero<i8>, NonZero<i16>, NonZero<i32>, NonZero<i64>, NonZero<i128>, NonZero<isize>,
    NonZero<u8>, NonZero<u16>, NonZero<u32>, NonZero<u64>, NonZero<u128>, NonZero<usize>,
    bool, char, String, Box<str>, Arc<str>, Cow<'static, str>, Duration, SystemTime,
    IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr,
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

/// Appends milliseconds before or after a point in time.
fn push_signed_millis(is_negative: bool, distance: Duration, text: &mut String) {
    if is_negative {
        text.push('-');
    }
    push_millis(distance, text);
}

/// Returns whether a number of milliseconds is negative, and how large it is.
fn read_signed_millis(text: &str) -> Option<(bool, Duration)> {
    match text.strip_prefix('-') {
        Some(distance) => Some((true, read_millis(distance)?)),
        None => Some((false, read_millis(text)?)),
    }
}

impl Field for SystemTime {
    own_value!();

    const KIND: Kind = Kind::Number;

    fn encode(&self, text: &mut String) {
        match self.duration_since(UNIX_EPOCH) {
            Ok(since) => push_signed_millis(false, since, text),
            Err(before) => push_signed_millis(true, before.duration(), text),
        }
    }

    fn decode(text: &str) -> Result<Self, Mismatch> {
        let time = match read_signed_millis(text) {
            Some((true, before)) => UNIX_EPOCH.checked_sub(before),
            Some((false, since)) => UNIX_EPOCH.checked_add(since),
            None => None,
        };
        time.ok_or_else(|| Mismatch::expected("a SystemTime in milliseconds since 1970"))
    }
}

/// Fields by a function that writes the text, and one that reads it.
#[cfg(any(feature = "chrono", feature = "jiff", feature = "time"))]
macro_rules! by_functions {
    ($($kind:ident $type:ty, $expected:literal: $write:expr, $read:expr;)*) => {$(
        impl Field for $type {
            own_value!();

            const KIND: Kind = Kind::$kind;

            fn encode(&self, text: &mut String) {
                let write: fn(&Self, &mut String) = $write;
                write(self, text);
            }

            fn decode(text: &str) -> Result<Self, Mismatch> {
                let read: fn(&str) -> Option<Self> = $read;
                read(text).ok_or(Mismatch { expected: Some(Cow::Borrowed($expected)) })
            }
        }

        impl Element for $type {}
    )*};
}

/// Returns the whole seconds and the nanoseconds of a duration with a sign.
#[cfg(any(feature = "jiff", feature = "time"))]
fn signed_parts((is_negative, distance): (bool, Duration)) -> Option<(i64, i32)> {
    let sign = if is_negative { -1 } else { 1 };
    let seconds = i64::try_from(sign * i128::from(distance.as_secs())).ok()?;
    Some((seconds, i32::try_from(sign * i128::from(distance.subsec_nanos())).ok()?))
}

#[cfg(feature = "chrono")]
mod chrono;
#[cfg(feature = "jiff")]
mod jiff;
mod sequence;
#[cfg(feature = "time")]
mod time;

pub use self::sequence::Element;

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

    #[cfg(all(feature = "chrono", feature = "jiff", feature = "time"))]
    mod dates {
        use ::chrono::{DateTime, FixedOffset, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta, Utc};
        use ::jiff::{SignedDuration, Span, Timestamp, Zoned, civil};
        use ::time::{Date, OffsetDateTime, PrimitiveDateTime, Time, UtcDateTime, UtcOffset};

        use super::*;

        fn text<T: Field>(value: &T) -> String {
            let mut text = String::new();
            value.encode(&mut text);
            text
        }

        /// Reads a text as a `T`, and returns how that is written.
        fn rewritten<T: Field>(from: &str) -> String {
            text(&T::decode(from).unwrap_or_else(|error| panic!("{from}: {error}")))
        }

        proptest! {
            #[test]
            fn each_crate_reads_and_writes_the_same_text(
                seconds in -62_167_219_200..=253_402_300_799_i64, nanos in 0..1_000_000_000_u32,
                other in -62_167_219_200..=253_402_300_799_i64, minutes in -1_439..=1_439,
            ) {
                let utc = DateTime::<Utc>::from_timestamp(seconds, nanos).unwrap();
                round_trip(utc);
                let instant = text(&utc);
                prop_assert_eq!(instant.len(), 30);
                prop_assert_eq!(&rewritten::<Timestamp>(&instant), &instant);
                prop_assert_eq!(&rewritten::<UtcDateTime>(&instant), &instant);
                prop_assert_eq!(&rewritten::<OffsetDateTime>(&instant), &instant);

                let later = DateTime::<Utc>::from_timestamp(other, 0).unwrap();
                prop_assert_eq!(utc.cmp(&later), instant.cmp(&text(&later)));

                let local = utc.naive_utc();
                round_trip(local);
                prop_assert_eq!(&rewritten::<civil::DateTime>(&text(&local)), &text(&local));
                prop_assert_eq!(&rewritten::<PrimitiveDateTime>(&text(&local)), &text(&local));
                prop_assert_eq!(&rewritten::<civil::Date>(&text(&local.date())), &text(&local.date()));
                prop_assert_eq!(&rewritten::<Date>(&text(&local.date())), &text(&local.date()));
                prop_assert_eq!(&rewritten::<civil::Time>(&text(&local.time())), &text(&local.time()));
                prop_assert_eq!(&rewritten::<Time>(&text(&local.time())), &text(&local.time()));
                prop_assert_eq!(&rewritten::<NaiveDate>(&text(&local.date())), &text(&local.date()));
                prop_assert_eq!(&rewritten::<NaiveTime>(&text(&local.time())), &text(&local.time()));

                if (1..9_999).contains(&::chrono::Datelike::year(&local)) && minutes != 0 {
                    let offset = utc.with_timezone(&FixedOffset::east_opt(minutes * 60).unwrap());
                    round_trip(offset);
                    prop_assert_eq!(&rewritten::<OffsetDateTime>(&text(&offset)), &text(&offset));
                    prop_assert_eq!(rewritten::<Timestamp>(&text(&offset)), instant);
                }
            }

            #[test]
            fn durations_are_milliseconds(seconds in -9_000_000_000_i64..9_000_000_000, nanos in 0..1_000_000_000_u32) {
                let delta = TimeDelta::new(seconds, nanos).unwrap();
                round_trip(delta);
                prop_assert_eq!(rewritten::<SignedDuration>(&text(&delta)), text(&delta));
                prop_assert_eq!(rewritten::<::time::Duration>(&text(&delta)), text(&delta));
            }
        }

        #[test]
        fn the_ends_of_each_type() {
            round_trip(DateTime::<Utc>::MIN_UTC);
            round_trip(DateTime::<Utc>::MAX_UTC);
            round_trip(NaiveDateTime::MIN);
            round_trip(NaiveDateTime::MAX);
            round_trip(NaiveDate::MIN);
            round_trip(NaiveDate::MAX);
            round_trip(TimeDelta::MIN);
            round_trip(TimeDelta::MAX);
            round_trip(Timestamp::MIN);
            round_trip(Timestamp::MAX);
            round_trip(civil::DateTime::MIN);
            round_trip(civil::DateTime::MAX);
            round_trip(SignedDuration::MIN);
            round_trip(SignedDuration::MAX);
            round_trip(UtcDateTime::MIN);
            round_trip(UtcDateTime::MAX);
            round_trip(PrimitiveDateTime::MIN);
            round_trip(Date::MIN);
            round_trip(Date::MAX);
            round_trip(::time::Duration::MIN);
            round_trip(::time::Duration::MAX);
        }

        #[test]
        fn texts_of_other_programs() {
            let read = |text| DateTime::<Utc>::decode(text).map(|time| time.timestamp());
            assert_eq!(read("2026-11-21T16:07:41Z"), Ok(1_795_277_261));
            assert_eq!(read("2026-11-21T18:07:41.5+02:00"), Ok(1_795_277_261));
            assert_eq!(rewritten::<Timestamp>("2026-11-21T18:07:41.5+02:00"), "2026-11-21T16:07:41.500000000Z");
            assert_eq!(rewritten::<UtcDateTime>("2026-11-21T18:07:41.5+02:00"), "2026-11-21T16:07:41.500000000Z");
            assert_eq!(rewritten::<OffsetDateTime>("2026-11-21T16:07:41Z"), "2026-11-21T16:07:41.000000000Z");
            assert_eq!(rewritten::<Span>("P1Y2M3DT4H"), "P1Y2M3DT4H");
            for odd in ["", "yesterday", "2026-11-21", "2026-13-21T16:07:41Z", "1795277261"] {
                let expected = Mismatch::expected("a date and time of RFC 3339");
                assert_eq!(DateTime::<Utc>::decode(odd), Err(expected.clone()), "{odd}");
                assert_eq!(Timestamp::decode(odd), Err(expected.clone()), "{odd}");
                assert_eq!(OffsetDateTime::decode(odd), Err(expected), "{odd}");
            }
        }

        #[test]
        fn an_offset_past_the_last_year_is_no_panic() {
            assert!(OffsetDateTime::decode("9999-12-31T23:59:59-23:59").is_ok());
            assert!(UtcDateTime::decode("9999-12-31T23:59:59-23:59").is_err());
            for (end, hours) in [(DateTime::<Utc>::MAX_UTC, 14), (DateTime::<Utc>::MIN_UTC, -12)] {
                round_trip(end.with_timezone(&FixedOffset::east_opt(hours * 3_600).unwrap()));
            }
        }

        #[test]
        fn an_offset_with_seconds_at_the_ends_of_time_is_no_panic() {
            for (date, time, sign) in [(Date::MAX, Time::MAX, -1), (Date::MIN, Time::MIDNIGHT, 1)] {
                for minutes in [0, 30] {
                    let offset = UtcOffset::from_hms(sign * 5, sign * minutes, sign * 17).unwrap();
                    round_trip(PrimitiveDateTime::new(date, time).assume_offset(offset));
                }
            }
        }

        #[test]
        fn an_offset_with_seconds_is_written_as_utc() {
            let utc = DateTime::<Utc>::from_timestamp(1_795_277_261, 0).unwrap();
            round_trip(utc.with_timezone(&FixedOffset::east_opt(7_017).unwrap()));
            let offset = UtcOffset::from_hms(1, 56, 57).unwrap();
            round_trip(OffsetDateTime::from_unix_timestamp(1_795_277_261).unwrap().to_offset(offset));
        }

        #[test]
        fn a_time_zone_is_kept() {
            // Zones with a name need the database of time zones, which is a default feature of jiff.
            let zone = ::jiff::tz::TimeZone::fixed(::jiff::tz::offset(3));
            let zoned = Timestamp::from_second(1_795_277_261).unwrap().to_zoned(zone);
            assert_eq!(text(&zoned), "2026-11-21T19:07:41.000000000+03:00[+03:00]");
            round_trip(zoned);
            round_trip(Timestamp::MAX.to_zoned(::jiff::tz::TimeZone::UTC));
            assert!(Zoned::decode("2026-11-21T16:07:41+03:00[UTC]").is_err());
            let expected = Mismatch::expected("a date and time of RFC 9557, with a known time zone");
            assert_eq!(Zoned::decode("2026-11-21T16:07:41Z[Middle/Earth]"), Err(expected));
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
