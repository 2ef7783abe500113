//! Dates, times and durations of the crate `time`.

use std::borrow::Cow;

use ::time::format_description::well_known::Iso8601;
use ::time::format_description::well_known::iso8601::{Config, EncodedConfig, FormattedComponents};
use ::time::{Date, Duration, OffsetDateTime, PrimitiveDateTime, Time, UtcDateTime, UtcOffset};

use super::{Element, Field, Kind, Mismatch, push_signed_millis, read_signed_millis, signed_parts};

/// A format whose years have a sign and six digits.
const fn long_years(components: FormattedComponents) -> EncodedConfig {
    Config::DEFAULT.set_formatted_components(components).set_year_is_six_digits(true).encode()
}

const LONG_DATE: Iso8601<{ long_years(FormattedComponents::Date) }> = Iso8601;
const LONG_DATE_TIME: Iso8601<{ long_years(FormattedComponents::DateTime) }> = Iso8601;
const LONG_DATE_TIME_OFFSET: Iso8601<{ long_years(FormattedComponents::DateTimeOffset) }> = Iso8601;

by_functions! {
    Text UtcDateTime, "a date and time of RFC 3339":
        |value, text| OffsetDateTime::from(*value).encode(text),
        // An instant with an offset can be in a year that UTC does not have.
        |text| OffsetDateTime::decode(text).ok()?.checked_to_utc();
    Text OffsetDateTime, "a date and time of RFC 3339":
        |value, text| {
            let value = if value.offset().seconds_past_minute() == 0 { *value } else { without_seconds(*value) };
            text.push_str(&either(value.format(&Iso8601::DATE_TIME_OFFSET), || value.format(&LONG_DATE_TIME_OFFSET)));
        },
        |text| OffsetDateTime::parse(text, &Iso8601::DEFAULT).ok();
    Text PrimitiveDateTime, "a date and time of ISO 8601 without an offset":
        |value, text| text.push_str(&either(value.format(&Iso8601::DATE_TIME), || value.format(&LONG_DATE_TIME))),
        |text| PrimitiveDateTime::parse(text, &Iso8601::DEFAULT).ok();
    Text Date, "a date of ISO 8601":
        |value, text| text.push_str(&either(value.format(&Iso8601::DATE), || value.format(&LONG_DATE))),
        |text| Date::parse(text, &Iso8601::DEFAULT).ok();
    Text Time, "a time of ISO 8601":
        |value, text| text.push_str(&value.format(&Iso8601::TIME).unwrap_or_default()),
        |text| Time::parse(text, &Iso8601::DEFAULT).ok();
    Number Duration, "a Duration in milliseconds":
        |value, text| push_signed_millis(value.is_negative(), value.unsigned_abs(), text),
        |text| {
            let (seconds, nanos) = signed_parts(read_signed_millis(text)?)?;
            Some(Duration::new(seconds, nanos))
        };
}

/// The same instant in UTC, since an offset with seconds has no text. If that is in a year that does not exist, the instant
/// with the nearest offset of whole minutes.
fn without_seconds(value: OffsetDateTime) -> OffsetDateTime {
    let (hours, minutes, seconds) = value.offset().as_hms();
    let with_offset = |minutes: i8| {
        let total = i32::from(hours) * 3600 + i32::from(minutes) * 60;
        value.checked_to_offset(UtcOffset::from_whole_seconds(total).ok()?)
    };
    let utc = value.checked_to_utc().map(OffsetDateTime::from);
    utc.or_else(|| with_offset(minutes)).or_else(|| with_offset(minutes + seconds.signum())).unwrap_or(value)
}

type Formatted = Result<String, ::time::error::Format>;

/// Returns the text with a year of four digits, or with a longer one if it needs more.
fn either(short: Formatted, long: impl FnOnce() -> Formatted) -> String {
    short.or_else(|_| long()).unwrap_or_default()
}
