//! Dates, times and durations of the crate `jiff`.

use std::borrow::Cow;

use ::jiff::civil::{Date, DateTime, Time};
use ::jiff::fmt::temporal::DateTimePrinter;
use ::jiff::tz::TimeZone;
use ::jiff::{SignedDuration, Span, Timestamp, Zoned};

use super::{Element, Field, Kind, Mismatch, push_signed_millis, read_signed_millis, signed_parts};

const PRINTER: DateTimePrinter = DateTimePrinter::new().precision(Some(9));

by_functions! {
    Text Timestamp, "a date and time of RFC 3339":
        |value, text| text.push_str(&PRINTER.timestamp_to_string(value)),
        |text| text.parse().ok();
    Text Zoned, "a date and time of RFC 9557, with a known time zone":
        |value, text| text.push_str(&PRINTER.zoned_to_string(value)),
        |text| text.parse().ok().or_else(|| utc(text));
    Text DateTime, "a date and time of ISO 8601 without an offset":
        |value, text| text.push_str(&PRINTER.datetime_to_string(value)),
        |text| text.parse().ok();
    Text Date, "a date of ISO 8601":
        |value, text| text.push_str(&PRINTER.date_to_string(value)),
        |text| text.parse().ok();
    Text Time, "a time of ISO 8601":
        |value, text| text.push_str(&PRINTER.time_to_string(value)),
        |text| text.parse().ok();
    Number SignedDuration, "a SignedDuration in milliseconds":
        |value, text| push_signed_millis(value.is_negative(), value.unsigned_abs(), text),
        |text| {
            let (seconds, nanos) = signed_parts(read_signed_millis(text)?)?;
            Some(SignedDuration::new(seconds, nanos))
        };
    Text Span, "a duration of ISO 8601":
        |value, text| text.push_str(&value.to_string()),
        |text| text.parse().ok();
}

/// Reads a date and time in the zone UTC, which jiff finds only in a database of time zones.
fn utc(text: &str) -> Option<Zoned> {
    let instant = text.strip_suffix("[UTC]").filter(|instant| instant.ends_with("+00:00") || instant.ends_with('Z'))?;
    Some(instant.parse::<Timestamp>().ok()?.to_zoned(TimeZone::UTC))
}
