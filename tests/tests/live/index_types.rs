//! Values of every type in an index of a real server: each is found by itself, and alone.

use std::borrow::Cow;
use std::collections::{BTreeSet, HashSet, VecDeque};
use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::num::NonZero;
use std::str::FromStr;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use chrono::{DateTime, FixedOffset, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta, Utc};
use jiff::{SignedDuration, Timestamp, Zoned, civil};
use redis_model::ErrorKind;
use redis_model::prelude::*;
use redis_model_tests::own_stack;
use time::{Date, OffsetDateTime, PrimitiveDateTime, Time, UtcDateTime};
use ulid::Ulid;
use uuid::Uuid;

#[derive(Debug, Clone, Copy, PartialEq, RedisModel)]
#[redis(rename_all = "lowercase")]
enum Status {
    Open,
    Closed,
}

#[derive(Debug, Clone, PartialEq, RedisModel)]
struct Cents(i64);

#[derive(Debug, Clone, PartialEq, Eq, Hash, RedisModel)]
#[redis(text)]
struct Seat(u8, char);

impl fmt::Display for Seat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.0, self.1)
    }
}

impl FromStr for Seat {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (row, letter) = text.split_once('-').ok_or("no `-`")?;
        Ok(Seat(row.parse().map_err(|_| "no row")?, letter.parse().map_err(|_| "no letter")?))
    }
}

/// Declares a model with an indexed field of each type, and a test that finds a record by each of its fields.
macro_rules! every_type {
    ($($constant:ident $field:ident: $type:ty = $first:expr, $second:expr;)*) => {
        #[derive(Debug, Clone, PartialEq, RedisModel)]
        #[redis(prefix = "every")]
        struct Every {
            #[redis(id)]
            id: u64,
            $(#[redis(index)] $field: $type,)*
        }

        /// Two records that differ in each field.
        fn records() -> [Every; 2] {
            [Every { id: 1, $($field: $first,)* }, Every { id: 2, $($field: $second,)* }]
        }

        #[tokio::test]
        async fn a_record_is_found_by_each_of_its_fields() -> Result<()> {
            let stack = own_stack();
            let redis = stack.redis();
            for record in &records() {
                record.insert(&redis).await?;
                assert_eq!(Every::load(&redis, record.id).await?.as_ref(), Some(record));
            }
            for record in &records() {
                $(
                    let found = Every::query().eq(Every::$constant, &record.$field).ids(&redis).await?;
                    assert_eq!(found.into_iter().collect::<Vec<_>>(), [record.id], stringify!($field));
                    let found = Every::query().order_by(Every::$constant).ids(&redis).await?;
                    assert_eq!(found.into_iter().count(), 2, stringify!($field));
                )*
            }
            // The first record takes the place of the second one: nothing of that is left.
            let first = Every { id: 2, ..records()[0].clone() };
            first.save(&redis).await?;
            $(assert!(!Every::query().eq(Every::$constant, &records()[1].$field).exists(&redis).await?);)*
            assert!(Every::delete(&redis, 1).await? && Every::delete(&redis, 2).await?);
            $(assert_eq!(redis.zcard(concat!("every::index:", stringify!($field))).await?, 1);)*
            Ok(())
        }
    };
}

fn utc(seconds: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(seconds, 5).unwrap()
}

fn timestamp(seconds: i64) -> Timestamp {
    Timestamp::from_second(seconds).unwrap()
}

fn day(day: u32) -> NaiveDate {
    NaiveDate::from_ymd_opt(2026, 11, day).unwrap()
}

every_type! {
    A a: i8 = i8::MIN, -1;
    B b: i16 = i16::MIN, 0;
    C c: i32 = i32::MAX, 7;
    D d: i64 = i64::MIN, i64::MAX;
    E e: i128 = i128::MIN, i128::MAX;
    F f: isize = -1, 1;
    G g: u8 = 0, 255;
    H h: u16 = 1, 2;
    I i: u32 = 3, 4;
    J j: u64 = u64::MAX, 0;
    K k: u128 = u128::MAX, 1 << 100;
    L l: usize = 10, 9;
    M m: NonZero<u8> = NonZero::<u8>::MIN, NonZero::<u8>::MAX;
    N n: NonZero<i128> = NonZero::<i128>::MIN, NonZero::<i128>::MAX;
    O o: f32 = 0.5, -0.5;
    P p: f64 = f64::MIN_POSITIVE, f64::NEG_INFINITY;
    Q q: bool = true, false;
    R r: char = '\0', 'ß';
    S s: String = String::new(), "a\0b\u{1}c\u{2}d=e".into();
    T t: Box<str> = "x".into(), "y".into();
    U u: Arc<str> = "x".into(), "y".into();
    V v: Cow<'static, str> = "x".into(), "y".into();
    W w: Duration = Duration::MAX, Duration::from_nanos(1);
    X x: SystemTime = UNIX_EPOCH, UNIX_EPOCH - Duration::from_nanos(1);
    Y y: IpAddr = Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into();
    Z z: Ipv4Addr = Ipv4Addr::BROADCAST, Ipv4Addr::UNSPECIFIED;
    AA aa: Ipv6Addr = Ipv6Addr::LOCALHOST, Ipv6Addr::UNSPECIFIED;
    AB ab: SocketAddr = "1.2.3.4:80".parse().unwrap(), "[::1]:80".parse().unwrap();
    AC ac: Uuid = Uuid::nil(), Uuid::max();
    AD ad: Ulid = Ulid(0), Ulid(u128::MAX);
    AE ae: DateTime<Utc> = utc(0), utc(-1);
    AF af: DateTime<FixedOffset> = utc(0).into(), utc(1).with_timezone(&FixedOffset::east_opt(3_600).unwrap());
    AG ag: NaiveDateTime = utc(0).naive_utc(), utc(9).naive_utc();
    AH ah: NaiveDate = day(21), day(22);
    AI ai: NaiveTime = utc(1).time(), utc(2).time();
    AJ aj: TimeDelta = TimeDelta::milliseconds(-1), TimeDelta::zero();
    AK ak: Timestamp = timestamp(-1), timestamp(1);
    AL al: Zoned = timestamp(2).to_zoned(jiff::tz::TimeZone::UTC), timestamp(3).to_zoned(jiff::tz::TimeZone::UTC);
    AM am: civil::DateTime = civil::date(2026, 11, 21).at(1, 2, 3, 4), civil::date(1, 1, 1).at(0, 0, 0, 0);
    AN an: civil::Date = civil::date(2026, 11, 21), civil::date(-1, 1, 1);
    AO ao: civil::Time = civil::time(1, 2, 3, 4), civil::time(4, 3, 2, 1);
    AP ap: SignedDuration = SignedDuration::from_secs(-1), SignedDuration::from_secs(1);
    AQ aq: UtcDateTime = UtcDateTime::UNIX_EPOCH, UtcDateTime::UNIX_EPOCH + time::Duration::SECOND;
    AR ar: OffsetDateTime = OffsetDateTime::UNIX_EPOCH, OffsetDateTime::UNIX_EPOCH + time::Duration::SECOND;
    PD pd: PrimitiveDateTime = PrimitiveDateTime::MIN, PrimitiveDateTime::MAX;
    AT at: Date = Date::MIN, Date::MAX;
    AU au: Time = Time::MIDNIGHT, Time::MAX;
    AV av: time::Duration = time::Duration::SECOND, -time::Duration::SECOND;
    AW aw: Status = Status::Open, Status::Closed;
    AX ax: Cents = Cents(-990), Cents(990);
    AY ay: Seat = Seat(12, 'C'), Seat(1, 'A');
    AZ az: Box<u16> = Box::new(1), Box::new(2);
}

/// A field with several values, of every kind, in every shape of a model.
#[derive(Debug, Clone, PartialEq, RedisModel)]
#[redis(prefix = "sequences")]
struct Sequences {
    #[redis(id)]
    id: u64,
    #[redis(index)]
    tags: Vec<String>,
    #[redis(index)]
    numbers: HashSet<i32>,
    #[redis(unique)]
    serials: Option<BTreeSet<u128>>,
    #[redis(index)]
    seats: Box<[Seat]>,
    #[redis(index, json)]
    scores: VecDeque<f64>,
    #[redis(flatten)]
    plain: Plain,
}

/// Without an index.
#[derive(Debug, Clone, PartialEq, RedisModel)]
#[redis(embedded)]
struct Plain {
    nested: Vec<Vec<bool>>,
    maybe: Option<Vec<Option<String>>>,
}

#[derive(Debug, Clone, PartialEq, RedisModel)]
#[redis(list, prefix = "sequences-list")]
struct Element {
    tags: Vec<String>,
    #[redis(flatten)]
    plain: Plain,
}

#[derive(Debug, Clone, PartialEq, RedisModel)]
#[redis(stream, prefix = "sequences-log")]
enum Event {
    Tagged { tags: BTreeSet<String>, seats: VecDeque<Seat> },
}

fn sequences() -> Sequences {
    Sequences {
        id: 1,
        tags: vec!["b".into(), "a\0".into(), "b".into()],
        numbers: HashSet::from([3, -1]),
        serials: Some(BTreeSet::from([u128::MAX, 0])),
        seats: [Seat(1, 'A'), Seat(2, 'B')].into(),
        scores: VecDeque::from([0.5, -0.0]),
        plain: Plain { nested: vec![vec![true, false], vec![]], maybe: Some(vec![None, Some("null".into())]) },
    }
}

#[tokio::test]
async fn a_record_is_found_by_each_of_its_elements() -> Result<()> {
    let stack = own_stack();
    let redis = stack.redis();
    let record = sequences();
    record.insert(&redis).await?;
    assert_eq!(Sequences::load(&redis, 1).await?, Some(record.clone()));
    let stored = |name| redis.hget::<String>("sequences:1", name);
    assert_eq!(stored("tags").await?.as_deref(), Some(r#"["b","a\u0000","b"]"#));
    assert_eq!(stored("nested").await?.as_deref(), Some("[[true,false],[]]"));
    assert_eq!(stored("maybe").await?.as_deref(), Some(r#"[null,"null"]"#));

    // An entry for each distinct element, and the sentinel.
    assert_eq!(redis.zcard("sequences::index:tags").await?, 3);
    assert_eq!(Sequences::query().contains(Sequences::TAGS, "b").count(&redis).await?, 1);
    assert!(Sequences::query().contains(Sequences::NUMBERS, -1).exists(&redis).await?);
    assert!(Sequences::query().contains(Sequences::SEATS, Seat(2, 'B')).exists(&redis).await?);
    assert!(Sequences::query().contains(Sequences::SCORES, 0.0).exists(&redis).await?);
    assert!(!Sequences::query().contains(Sequences::TAGS, "a").exists(&redis).await?);

    let other = Sequences { id: 2, serials: Some(BTreeSet::from([7, u128::MAX])), ..sequences() };
    let error = other.insert(&redis).await.unwrap_err();
    assert_eq!((error.kind(), error.field()), (ErrorKind::Duplicate, Some("serials")));

    Sequences { serials: None, tags: vec![], ..record }.save(&redis).await?;
    other.insert(&redis).await?;
    assert_eq!(Sequences::query().contains(Sequences::TAGS, "b").ids(&redis).await?.into_iter().next(), Some(2));
    Ok(())
}

#[tokio::test]
async fn sequences_are_fields_of_lists_and_logs() -> Result<()> {
    let stack = own_stack();
    let redis = stack.redis();
    let element = Element { tags: vec!["a".into()], plain: sequences().plain };
    Element::list(1).push_back(&redis, &element).await?;
    let json = redis.lindex::<String>("sequences-list:1", 0).await?.unwrap();
    assert_eq!(json, r#"{"tags":["a"],"nested":[[true,false],[]],"maybe":[null,"null"]}"#);
    assert_eq!(Element::list(1).pop_front(&redis).await?, Some(element));

    let event = Event::Tagged { tags: BTreeSet::from(["a".into()]), seats: VecDeque::from([Seat(1, 'A')]) };
    Event::log(1).append(&redis, &event).await?;
    let entry = Event::log(1).range(&redis, .., 10).await?.remove(0);
    assert_eq!(entry.event?, event);
    Ok(())
}

#[tokio::test]
async fn values_that_cannot_be_in_an_index_are_refused_before_anything_is_sent() -> Result<()> {
    let stack = own_stack();
    let redis = stack.redis();
    let refused = async |record: Sequences, field: &str, why: &str| {
        let error = record.save(&redis).await.unwrap_err();
        assert_eq!((error.kind(), error.field()), (ErrorKind::InvalidInput, Some(field)));
        assert!(error.to_string().contains(why), "{error}");
        assert!(!error.may_have_executed());
    };
    refused(Sequences { scores: VecDeque::from([f64::NAN]), ..sequences() }, "scores", "not a number").await;
    refused(Sequences { tags: vec!["a".repeat(1_025)], ..sequences() }, "tags", "longer than 1,024 bytes").await;
    assert_eq!(redis.dbsize().await?, 0);
    Sequences { tags: vec!["\0".repeat(1_024)], ..sequences() }.save(&redis).await?;
    Ok(())
}
