//! Dates, times and durations of other crates in an index: the same integers for each crate.

use super::layout::ColumnKind;
use super::value::IndexValue;

/// Values by a function that returns an integer: nanoseconds, or days for a date without a time.
macro_rules! by_integer {
    ($($type:ty: $integer:expr;)*) => {$(
        impl IndexValue for $type {
            const KIND: ColumnKind = ColumnKind::Integer;

            fn push_index(&self, out: &mut String) -> Result<(), &'static str> {
                let integer: fn(&Self) -> i128 = $integer;
                integer(self).push_index(out)
            }
        }
    )*};
}

#[cfg(feature = "chrono")]
mod chrono {
    use ::chrono::{
        DateTime, Datelike as _, FixedOffset, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta, Timelike as _, Utc,
    };

    use super::{ColumnKind, IndexValue};

    /// The day 1970-01-01, counted from the year 1.
    const EPOCH: i32 = 719_163;
    const SECOND: i128 = 1_000_000_000;

    /// Only chrono can hold a leap second: as more nanoseconds than a second has.
    fn nanos(seconds: i64, nanos: u32) -> i128 {
        i128::from(seconds) * SECOND + i128::from(nanos).min(SECOND - 1)
    }

    fn since_epoch(time: NaiveDateTime) -> i128 {
        let utc = time.and_utc();
        nanos(utc.timestamp(), utc.timestamp_subsec_nanos())
    }

    by_integer! {
        DateTime<Utc>: |time| since_epoch(time.naive_utc());
        DateTime<FixedOffset>: |time| since_epoch(time.naive_utc());
        NaiveDateTime: |time| since_epoch(*time);
        NaiveDate: |date| i128::from(date.num_days_from_ce()) - i128::from(EPOCH);
        NaiveTime: |time| nanos(time.num_seconds_from_midnight().into(), time.nanosecond());
        TimeDelta: |delta| i128::from(delta.num_seconds()) * SECOND + i128::from(delta.subsec_nanos());
    }
}

#[cfg(feature = "jiff")]
mod jiff {
    use ::jiff::civil::{Date, DateTime, Time, date};
    use ::jiff::{SignedDuration, Timestamp, Zoned};

    use super::{ColumnKind, IndexValue};

    const EPOCH: Date = date(1970, 1, 1);

    by_integer! {
        Timestamp: |time| time.as_nanosecond();
        Zoned: |time| time.timestamp().as_nanosecond();
        DateTime: |time| time.duration_since(EPOCH.at(0, 0, 0, 0)).as_nanos();
        Date: |date| (date.duration_since(EPOCH).as_hours() / 24).into();
        Time: |time| time.duration_since(Time::midnight()).as_nanos();
        SignedDuration: |duration| duration.as_nanos();
    }
}

#[cfg(feature = "time")]
mod time {
    use ::time::{Date, Duration, OffsetDateTime, PrimitiveDateTime, Time, UtcDateTime};

    use super::{ColumnKind, IndexValue};

    by_integer! {
        UtcDateTime: |time| time.unix_timestamp_nanos();
        OffsetDateTime: |time| time.unix_timestamp_nanos();
        PrimitiveDateTime: |time| time.assume_utc().unix_timestamp_nanos();
        Date: |date| i128::from(date.to_julian_day()) - i128::from(UtcDateTime::UNIX_EPOCH.to_julian_day());
        Time: |time| time.duration_since(Time::MIDNIGHT).whole_nanoseconds();
        Duration: |duration| duration.whole_nanoseconds();
    }
}
