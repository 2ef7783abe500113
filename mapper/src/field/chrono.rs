//! Dates, times and durations of the crate `chrono`.

use std::borrow::Cow;

use ::chrono::{DateTime, FixedOffset, NaiveDate, NaiveDateTime, NaiveTime, SecondsFormat, TimeDelta, Utc};

use super::{Element, Field, Kind, Mismatch, push_signed_millis, read_signed_millis};

by_functions! {
    Text DateTime<Utc>, "a date and time of RFC 3339":
        |value, text| text.push_str(&value.to_rfc3339_opts(SecondsFormat::Nanos, true)),
        |text| text.parse().ok();
    Text DateTime<FixedOffset>, "a date and time of RFC 3339":
        |value, text| {
            // An offset with seconds has no text, nor has a local time past the last year. UTC is the same instant.
            let has_text = value.offset().local_minus_utc() % 60 == 0
                && value.naive_utc().checked_add_offset(*value.offset()).is_some();
            if has_text {
                text.push_str(&value.to_rfc3339_opts(SecondsFormat::Nanos, true));
            } else {
                value.to_utc().encode(text);
            }
        },
        |text| text.parse().ok();
    Text NaiveDateTime, "a date and time of ISO 8601 without an offset":
        |value, text| text.push_str(&value.format("%Y-%m-%dT%H:%M:%S%.9f").to_string()),
        |text| text.parse().ok();
    Text NaiveDate, "a date of ISO 8601":
        |value, text| text.push_str(&value.format("%Y-%m-%d").to_string()),
        |text| text.parse().ok();
    Text NaiveTime, "a time of ISO 8601":
        |value, text| text.push_str(&value.format("%H:%M:%S%.9f").to_string()),
        |text| text.parse().ok();
    Number TimeDelta, "a TimeDelta in milliseconds":
        |value, text| {
            // The absolute value of a TimeDelta is one, so it is a std Duration.
            push_signed_millis(*value < TimeDelta::zero(), value.abs().to_std().unwrap_or_default(), text);
        },
        |text| {
            let (is_negative, distance) = read_signed_millis(text)?;
            let distance = TimeDelta::from_std(distance).ok()?;
            Some(if is_negative { -distance } else { distance })
        };
}
