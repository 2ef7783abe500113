//! The order and the equality of values in an index are those of Rust.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::collections::{BTreeSet, HashSet, VecDeque};
use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV6};
use std::num::NonZero;
use std::str::FromStr;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use proptest::prelude::*;

use super::value::{IndexField, IndexValue};
use super::{column_text, encode};
use crate::RedisModel;

/// Returns the bytes of a value, and checks that they contain no separator.
fn bytes<T: IndexValue>(value: &T) -> String {
    let mut text = String::new();
    value.push_index(&mut text).unwrap();
    assert!(!text.contains(['\0', '\u{2}']), "{text:?}");
    text
}

/// Checks that two values compare as their bytes, alone and before an id.
fn compare<T: IndexValue + fmt::Debug>(a: &T, b: &T, expected: Ordering) {
    let (left, right) = (bytes(a), bytes(b));
    assert_eq!(left.cmp(&right), expected, "{a:?} {b:?}: {left:?} {right:?}");
    let member = |text: &str, id: &str| format!("{text}\0{id}");
    assert_eq!(member(&left, "1").cmp(&member(&right, "2")), expected.then(Ordering::Less), "{a:?} {b:?}");
    assert_eq!(member(&left, "2").cmp(&member(&right, "1")), expected.then(Ordering::Greater), "{a:?} {b:?}");
}

#[expect(clippy::needless_pass_by_value, reason = "shorter where it is called")]
fn sorted<T: IndexValue + Ord + fmt::Debug>(a: T, b: T) {
    compare(&a, &b, a.cmp(&b));
    compare(&a, &a, Ordering::Equal);
    compare(&b, &b, Ordering::Equal);
}

/// Checks every pair of values.
fn all<T: IndexValue + Ord + Clone + fmt::Debug>(values: &[T]) {
    for a in values {
        for b in values {
            sorted(a.clone(), b.clone());
        }
    }
}

/// Text of the characters that are special in an index, and of their neighbours.
fn odd_text() -> impl Strategy<Value = String> {
    proptest::collection::vec(
        prop_oneof![
            Just('\0'),
            Just('\u{1}'),
            Just('\u{2}'),
            Just('\u{3}'),
            Just('\u{4}'),
            Just('\u{5}'),
            Just('='),
            Just('a'),
            Just('\u{e9}'),
            Just('\u{10ffff}')
        ],
        0..6,
    )
    .prop_map(|chars| chars.into_iter().collect())
}

macro_rules! integers {
    ($($name:ident: $type:ty;)*) => {$(
        proptest! {
            #[test]
            fn $name(a: $type, b: $type) {
                sorted(a, b);
                if let (Some(a), Some(b)) = (NonZero::new(a), NonZero::new(b)) {
                    sorted(a, b);
                    prop_assert_eq!(bytes(&a), bytes(&a.get()));
                }
                all(&[<$type>::MIN, <$type>::MIN + 1, 0, 1, 9, 10, 99, 100, <$type>::MAX - 1, <$type>::MAX, a, b]);
            }
        }
    )*};
}

integers! {
    int_i8: i8; int_i16: i16; int_i32: i32; int_i64: i64; int_i128: i128; int_isize: isize;
    int_u8: u8; int_u16: u16; int_u32: u32; int_u64: u64; int_u128: u128; int_usize: usize;
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, RedisModel)]
struct Name(String);

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, RedisModel)]
struct Level(i16);

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, RedisModel)]
#[redis(rename_all = "lowercase")]
enum Colour {
    Red,
    Blue,
}

/// Its text is that of a number with two digits, so that it sorts as the number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, RedisModel)]
#[redis(text)]
struct Shelf(u8);

impl fmt::Display for Shelf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:03}", self.0)
    }
}

impl FromStr for Shelf {
    type Err = std::num::ParseIntError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.parse().map(Shelf)
    }
}

/// A newtype of a type that cannot be in an index is still a field.
#[derive(Debug, RedisModel)]
struct Labels(Vec<String>);

proptest! {
    #[test]
    fn texts(a in odd_text(), b in odd_text(), c: String, d: String, e: char, f: char) {
        sorted(a.clone(), b.clone());
        sorted(c.clone(), d.clone());
        sorted(a.clone(), c.clone());
        sorted(e, f);
        sorted(Name(a.clone()), Name(b.clone()));
        sorted(a.clone().into_boxed_str(), b.clone().into_boxed_str());
        sorted(Arc::<str>::from(a.clone()), Arc::from(b));
        sorted(Cow::<'static, str>::Owned(a.clone()), Cow::Owned(c));
        prop_assert_eq!(bytes(&Name(a.clone())), bytes(&a));
    }

    #[test]
    fn floats(a: f64, b: f64, c: f32, d: f32, bits: u64, more: u64) {
        for (a, b) in [(a, b), (f64::from_bits(bits), f64::from_bits(more)), (c.into(), d.into())] {
            if let Some(order) = a.partial_cmp(&b) {
                compare(&a, &b, order);
            }
        }
        if let Some(order) = c.partial_cmp(&d) {
            compare(&c, &d, order);
            prop_assert_eq!(bytes(&c), bytes(&f64::from(c)));
        }
    }

    #[test]
    fn addresses(a: u128, b: u128, c: u32, d: u32, port: u16, other: u16, flow: u32, scope: u32) {
        let (six, seven) = (Ipv6Addr::from_bits(a), Ipv6Addr::from_bits(b));
        let (four, five) = (Ipv4Addr::from_bits(c), Ipv4Addr::from_bits(d));
        sorted(six, seven);
        sorted(four, five);
        let addresses = [IpAddr::V4(four), IpAddr::V4(five), IpAddr::V6(six), IpAddr::V6(seven)];
        all(&addresses);
        let mut sockets: Vec<SocketAddr> = addresses.map(|address| SocketAddr::new(address, port)).into();
        sockets.extend(addresses.map(|address| SocketAddr::new(address, other)));
        sockets.push(SocketAddrV6::new(six, port, flow, scope).into());
        sockets.push(SocketAddrV6::new(six, port, flow, scope ^ 1).into());
        all(&sockets);
    }

    #[test]
    fn times(a: (u64, u32), b: (u64, u32)) {
        let duration = |(seconds, nanos): (u64, u32)| Duration::new(seconds, nanos % 1_000_000_000);
        let (a, b) = (duration(a), duration(b));
        sorted(a, b);
        all(&[Duration::ZERO, Duration::MAX, a, b]);
        let times = [a, b, Duration::from_secs(1)]
            .into_iter()
            .flat_map(|distance| [UNIX_EPOCH.checked_add(distance), UNIX_EPOCH.checked_sub(distance)]);
        all(&times.flatten().collect::<Vec<SystemTime>>());
    }

    #[test]
    fn newtypes_and_texts(a: i16, b: i16, c: u8, d: u8) {
        sorted(Level(a), Level(b));
        sorted(Shelf(c), Shelf(d));
        sorted(Box::new(a), Box::new(b));
        prop_assert_eq!(bytes(&Level(a)), bytes(&i64::from(a)));
    }

    #[test]
    fn a_column_does_not_depend_on_the_order_of_elements(values: HashSet<String>) {
        let ascending: BTreeSet<_> = values.iter().cloned().collect();
        let twice: Vec<_> = values.iter().chain(&values).cloned().collect();
        let column = column(&ascending);
        prop_assert_eq!(&column, &column_text(&values).unwrap());
        prop_assert_eq!(&column, &column_text(&twice).unwrap());
        prop_assert_eq!(column.split('\u{2}').filter(|value| !value.is_empty()).count(), values.len());
    }
}

#[cfg(all(feature = "uuid", feature = "ulid"))]
proptest! {
    #[test]
    fn unique_ids(a: u128, b: u128) {
        sorted(uuid::Uuid::from_u128(a), uuid::Uuid::from_u128(b));
        sorted(ulid::Ulid(a), ulid::Ulid(b));
    }
}

fn column<T: IndexField>(field: &T) -> String {
    column_text(field).unwrap()
}

#[test]
fn columns() {
    assert_eq!(column(&"a\0b\u{1}c\u{2}".to_owned()), "=a\u{1}\u{3}b\u{1}\u{4}c\u{1}\u{5}");
    assert_eq!(column(&String::new()), "=");
    assert_eq!(column(&None::<String>), "");
    assert_eq!(column(&Some(-5_i8)), "=4984");
    assert_eq!(column(&0_u8), "=6010");
    assert_eq!(column(&true), "=true");
    assert_eq!(column(&Colour::Blue), "=blue");
    assert_eq!(column(&vec![Colour::Red, Colour::Blue, Colour::Red]), "=blue\u{2}=red");
    assert_eq!(column(&VecDeque::from(["b".to_owned(), String::new()])), "=\u{2}=b");
    assert_eq!(column(&Vec::<u8>::new()), "");
    assert_eq!(column(&Some(vec![1_u8])), "=6011");
    assert_eq!(column(&None::<Vec<u8>>), "");
    assert_eq!(column(&vec![7_u8].into_boxed_slice()), "=6017");
    assert_eq!(column(&IpAddr::V4(Ipv4Addr::LOCALHOST)), "=47f000001");
    assert_eq!(column(&Duration::from_millis(1)), "=6071000000");
    assert_eq!(column(&Labels(vec!["a".into()]).0), "=a");
}

#[test]
fn odd_floats() {
    assert_eq!(column(&0.0), column(&-0.0));
    let ascending = [
        f64::NEG_INFINITY,
        f64::MIN,
        -1.0,
        -f64::MIN_POSITIVE,
        -5e-324,
        0.0,
        5e-324,
        1e-310,
        f64::MIN_POSITIVE,
        f64::EPSILON,
        1.0,
        f64::MAX,
        f64::INFINITY,
    ];
    for pair in ascending.windows(2) {
        compare(&pair[0], &pair[1], Ordering::Less);
    }
    assert!(column_text(&f64::NAN).is_err());
    assert!(column_text(&vec![1.0, f32::NAN]).is_err());
}

#[test]
fn long_text_is_refused() {
    // The limit is that of the text, not of its escapes.
    assert!(column_text(&"\0".repeat(encode::MAX_TEXT)).is_ok());
    assert!(column_text(&"a".repeat(encode::MAX_TEXT + 1)).is_err());
    assert!(column_text(&vec![String::new(), "\u{e9}".repeat(encode::MAX_TEXT / 2 + 1)]).is_err());
}

#[cfg(all(feature = "chrono", feature = "jiff", feature = "time"))]
mod dates {
    use ::chrono::{DateTime, FixedOffset, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta, Utc};
    use ::jiff::{SignedDuration, Timestamp, Zoned, civil, tz};
    use ::time::{Date, OffsetDateTime, PrimitiveDateTime, Time, UtcDateTime, UtcOffset};

    use super::*;

    /// Checks that values of different crates have the same bytes.
    fn same(a: &impl IndexValue, b: &impl IndexValue, c: &impl IndexValue) {
        assert_eq!(bytes(a), bytes(b));
        assert_eq!(bytes(a), bytes(c));
    }

    proptest! {
        #[test]
        fn each_crate_has_the_same_values(
            a in -62_135_596_800..=253_402_214_400_i64, b in -62_135_596_800..=253_402_214_400_i64,
            nanos in 0..1_000_000_000_u32, minutes in -1_439..=1_439,
        ) {
            let (utc, other) = (DateTime::<Utc>::from_timestamp(a, nanos).unwrap(), DateTime::<Utc>::from_timestamp(b, 0).unwrap());
            sorted(utc, other);
            let instant = Timestamp::new(a, nanos.cast_signed()).unwrap();
            let moment = OffsetDateTime::from_unix_timestamp_nanos(instant.as_nanosecond()).unwrap();
            same(&utc, &instant, &moment);
            same(&utc, &UtcDateTime::from(moment), &instant.to_zoned(tz::TimeZone::UTC));
            let offset = FixedOffset::east_opt(minutes * 60).unwrap();
            prop_assert_eq!(bytes(&utc), bytes(&utc.with_timezone(&offset)));
            sorted(utc.with_timezone(&offset), other.into());
            let offset = UtcOffset::from_whole_seconds(minutes * 60).unwrap();
            if let Some(time) = OffsetDateTime::from_unix_timestamp(a).unwrap().checked_to_offset(offset) {
                sorted(time, OffsetDateTime::from_unix_timestamp(b).unwrap());
            }
            let zone = tz::TimeZone::fixed(tz::Offset::from_seconds(minutes * 60).unwrap());
            let (first, second) = (Timestamp::from_second(a).unwrap(), Timestamp::from_second(b).unwrap());
            sorted(first, second);
            sorted(first.to_zoned(zone), second.to_zoned(tz::TimeZone::UTC));

            let (local, later) = (utc.naive_utc(), other.naive_utc());
            sorted(local, later);
            sorted(local.date(), later.date());
            sorted(local.time(), later.time());
            let civil = tz::Offset::UTC.to_datetime(instant);
            same(&local, &civil, &PrimitiveDateTime::new(moment.date(), moment.time()));
            same(&local.date(), &civil.date(), &moment.date());
            same(&local.time(), &civil.time(), &moment.time());

            let (short, long) = (TimeDelta::new(a, nanos).unwrap(), TimeDelta::new(b, nanos).unwrap());
            sorted(short, long);
            let fraction = nanos.cast_signed();
            same(&short, &SignedDuration::new(a, 0).saturating_add(SignedDuration::new(0, fraction)), &(::time::Duration::new(a, 0) + ::time::Duration::new(0, fraction)));
        }
    }

    #[test]
    fn the_ends_of_each_type() {
        let all_utc = [DateTime::<Utc>::MIN_UTC, DateTime::UNIX_EPOCH, DateTime::<Utc>::MAX_UTC];
        all(&all_utc);
        all(&all_utc.map(DateTime::<FixedOffset>::from));
        all(&[NaiveDateTime::MIN, DateTime::UNIX_EPOCH.naive_utc(), NaiveDateTime::MAX]);
        all(&[NaiveDate::MIN, NaiveDate::from_ymd_opt(1970, 1, 1).unwrap(), NaiveDate::MAX]);
        all(&[TimeDelta::MIN, TimeDelta::zero(), TimeDelta::nanoseconds(-1), TimeDelta::MAX]);
        all(&[Timestamp::MIN, Timestamp::UNIX_EPOCH, Timestamp::MAX]);
        all(&[Timestamp::MIN, Timestamp::MAX].map(|time| Zoned::new(time, tz::TimeZone::UTC)));
        all(&[civil::DateTime::MIN, civil::DateTime::MAX]);
        all(&[civil::Date::MIN, civil::date(1969, 12, 31), civil::date(1970, 1, 1), civil::Date::MAX]);
        all(&[civil::Time::MIN, civil::Time::MAX]);
        all(&[SignedDuration::MIN, SignedDuration::ZERO, SignedDuration::MAX]);
        all(&[UtcDateTime::MIN, UtcDateTime::MAX]);
        all(&[PrimitiveDateTime::MIN, PrimitiveDateTime::MAX]);
        all(&[Date::MIN, Date::MAX]);
        all(&[Time::MIDNIGHT, Time::MAX]);
        all(&[::time::Duration::MIN, ::time::Duration::ZERO, ::time::Duration::MAX]);
        assert_eq!(bytes(&civil::date(1969, 12, 31)), bytes(&-1));
        assert_eq!(bytes(&NaiveDate::from_ymd_opt(1970, 1, 2).unwrap()), bytes(&1));
    }

    #[test]
    fn a_leap_second_is_the_end_of_its_minute() {
        let date = NaiveDate::from_ymd_opt(2016, 12, 31).unwrap();
        let leap = date.and_hms_nano_opt(23, 59, 59, 1_500_000_000).unwrap();
        let next = NaiveDate::from_ymd_opt(2017, 1, 1).unwrap().and_hms_opt(0, 0, 0).unwrap();
        sorted(leap, next);
        assert_eq!(bytes(&leap), bytes(&date.and_hms_nano_opt(23, 59, 59, 999_999_999).unwrap()));
        assert_eq!(bytes(&NaiveTime::from_hms_nano_opt(0, 0, 59, 1_000_000_000).unwrap()), bytes(&59_999_999_999_i64));
    }
}
