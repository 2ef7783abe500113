//! Times and durations as a person reads them.

/// Returns a time in ms since 1970 as RFC 3339, such as `2026-11-21T22:31:05.123Z`.
pub(super) fn timestamp(ms: u64) -> String {
    let (seconds, ms) = (ms / 1000, ms % 1000);
    let (days, second) = (seconds / 86_400, seconds % 86_400);
    let (year, month, day) = date(days);
    let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{ms:03}Z")
}

/// Returns a time in ms since 1970 as text to read, such as `2026-11-21 22:31:05.123 UTC`.
pub(super) fn readable(ms: u64) -> String {
    timestamp(ms).replace('T', " ").replace('Z', " UTC")
}

/// Returns the date of a day that is counted from 1970-01-01, in the Gregorian calendar.
fn date(days: u64) -> (u64, u64, u64) {
    // Years that begin in March have their leap day at the end. 400 of them have 146,097 days.
    let days = days + 719_468;
    let (era, day) = (days / 146_097, days % 146_097);
    let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let day_of_month = day - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    (400 * era + year + u64::from(month <= 2), month, day_of_month)
}

/// Returns a duration with its two largest units, such as `2 h 5 min`. Milliseconds are only those of less than a second.
pub(super) fn duration(ms: u64) -> String {
    let units = [(86_400_000, "d"), (3_600_000, "h"), (60_000, "min"), (1000, "s"), (1, "ms")];
    let Some(at) = units.iter().position(|(length, _)| ms >= *length) else { return "0 ms".to_owned() };
    let mut parts = Vec::new();
    let mut rest = if ms < 1000 { ms } else { ms - ms % 1000 };
    for (length, unit) in units.iter().skip(at).take(2) {
        if rest / length > 0 {
            parts.push(format!("{} {unit}", rest / length));
        }
        rest %= length;
    }
    parts.join(" ")
}

/// Returns a number of bytes, such as `1.5 KB`.
#[expect(clippy::cast_precision_loss, reason = "it is rounded to one digit")]
pub(super) fn size(bytes: u64) -> String {
    match bytes {
        0..1024 => format!("{bytes} B"),
        1024..1_048_576 => format!("{:.1} KB", bytes as f64 / 1024.0),
        _ => format!("{:.1} MB", bytes as f64 / 1_048_576.0),
    }
}

/// Returns a number with commas, such as `1,234,567`.
pub(super) fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_those_of_the_calendar() {
        for (ms, expected) in [
            (0, "1970-01-01T00:00:00.000Z"),
            (951_782_399_999, "2000-02-28T23:59:59.999Z"),
            (951_782_400_000, "2000-02-29T00:00:00.000Z"),
            (951_868_800_000, "2000-03-01T00:00:00.000Z"),
            (1_735_689_599_001, "2024-12-31T23:59:59.001Z"),
            (4_107_542_400_000, "2100-03-01T00:00:00.000Z"),
        ] {
            assert_eq!(timestamp(ms), expected);
        }
        // No time overflows.
        timestamp(u64::MAX);
    }

    #[test]
    fn durations_sizes_and_counts_are_short() {
        for (ms, expected) in
            [(0, "0 ms"), (999, "999 ms"), (61_000, "1 min 1 s"), (24_473, "24 s"), (86_400_000, "1 d")]
        {
            assert_eq!(duration(ms), expected);
        }
        assert_eq!((size(1023), size(1536), size(5 << 20)), ("1023 B".into(), "1.5 KB".into(), "5.0 MB".into()));
        assert_eq!((count(999), count(1000), count(1_234_567)), ("999".into(), "1,000".into(), "1,234,567".into()));
    }
}
