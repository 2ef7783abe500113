//! Dates, times and durations of the crate `jiff`.

use std::borrow::Cow;

use ::jiff::civil::{Date, DateTime, Time};
use ::jiff::fmt::temporal::DateTimePrinter;
use ::jiff::{SignedDuration, Span, Timestamp, Zoned};

use super::{Field, Kind, Mismatch, push_signed_millis, read_signed_millis, signed_parts};

const PRINTER: DateTimePrinter = DateTimePrinter::new().precision(Some(9));

by_functions! {
    Text Timestamp, "a date and time of RFC 3339":
        |value, text| text.push_str(&PRINTER.timestamp_to_string(value)),
        |text| text.parse().ok();
    Text Zoned, "a date and time of RFC 9557, with a known time zone":
        |value, text| text.push_str(&PRINTER.zoned_to_string(value)),
        |text| text.parse().ok();
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
