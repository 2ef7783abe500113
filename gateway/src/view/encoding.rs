//! The values of indexes: how `redis-model` encodes them so that their bytes sort as they do, and what they say to a person.
//!
//! Like `layout`, this is written a second time; the first is `mapper/src/index/encode.rs`.

use std::net::{IpAddr, SocketAddr};

use serde_json::value::RawValue;

/// How the values of a column are encoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Encoding {
    Text,
    Integer,
    Float,
}

/// Returns whether a column is the one of a record with this text in its field. Returns `None` if only the program knows it: a
/// time is stored as text and indexed as a number.
pub(super) fn agrees(encoding: Encoding, field: Option<&str>, column: &[u8]) -> Option<bool> {
    let Some(field) = field else { return Some(column.is_empty()) };
    let candidates: Vec<_> =
        [column_of(encoding, field), column_of_many(encoding, field)].into_iter().flatten().collect();
    if candidates.is_empty() { None } else { Some(candidates.iter().any(|candidate| candidate.as_bytes() == column)) }
}

/// Returns the column of a field with one value.
fn column_of(encoding: Encoding, field: &str) -> Option<String> {
    let value = match encoding {
        // An address is indexed by its digits.
        Encoding::Text if field.parse::<IpAddr>().is_ok() || field.parse::<SocketAddr>().is_ok() => return None,
        Encoding::Text => encode_text(field),
        Encoding::Integer => encode_integer(field)?,
        Encoding::Float => encode_float(field.parse().ok().filter(|number: &f64| !number.is_nan())?),
    };
    Some(format!("={value}"))
}

/// Returns the column of a field with any number of values, which is a JSON array.
fn column_of_many(encoding: Encoding, field: &str) -> Option<String> {
    let items: Vec<&RawValue> = serde_json::from_str(field).ok()?;
    let text = |item: &RawValue| serde_json::from_str::<String>(item.get()).unwrap_or_else(|_| item.get().to_owned());
    let mut values = items.into_iter().map(|item| column_of(encoding, &text(item))).collect::<Option<Vec<_>>>()?;
    values.sort_unstable();
    values.dedup();
    Some(values.join("\u{2}"))
}

fn encode_text(text: &str) -> String {
    text.replace('\u{1}', "\u{1}\u{4}").replace('\0', "\u{1}\u{3}").replace('\u{2}', "\u{1}\u{5}")
}

fn encode_integer(text: &str) -> Option<String> {
    let (is_negative, digits) = text.strip_prefix('-').map_or((false, text), |digits| (true, digits));
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let digits = digits.trim_start_matches('0');
    let digits = if digits.is_empty() { "0" } else { digits };
    Some(signed(is_negative && digits != "0", &format!("{:02}{digits}", digits.len())))
}

fn encode_float(number: f64) -> String {
    if number == 0.0 {
        return "5".to_owned();
    }
    if number.is_infinite() {
        return if number > 0.0 { "7" } else { "3" }.to_owned();
    }
    let bits = number.abs().to_bits();
    let fraction = bits & ((1 << 52) - 1);
    let (mantissa, exponent) = match bits >> 52 {
        0 => {
            let shift = fraction.leading_zeros().saturating_sub(11);
            (fraction << shift, 79_u64.saturating_sub(shift.into()))
        }
        exponent => (fraction | (1 << 52), exponent + 78),
    };
    signed(number < 0.0, &format!("{exponent:04}{mantissa:016}"))
}

/// Adds the sign. The digits of a negative number are in reverse order of size.
fn signed(is_negative: bool, digits: &str) -> String {
    if is_negative { format!("4{}", flipped(digits)) } else { format!("6{digits}") }
}

fn flipped(digits: &str) -> String {
    let flip = |byte: u8| if byte.is_ascii_digit() { char::from(b'9' - byte + b'0') } else { char::from(byte) };
    digits.bytes().map(flip).collect()
}

/// Returns a value of an index as a person writes it. What is not such a value is returned as it is.
pub(super) fn decoded(encoding: Encoding, value: &[u8]) -> Vec<u8> {
    let number = || {
        let text = std::str::from_utf8(value).ok()?;
        match encoding {
            Encoding::Text => None,
            Encoding::Integer => decode_integer(text),
            Encoding::Float => decode_float(text),
        }
    };
    match encoding {
        Encoding::Text => decode_text(value),
        _ => number().map_or_else(|| value.to_vec(), String::into_bytes),
    }
}

fn decode_text(value: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(value.len());
    let mut bytes = value.iter().copied();
    while let Some(byte) = bytes.next() {
        match byte {
            1 => out.extend(bytes.next().map(|escaped| escaped.wrapping_sub(3))),
            other => out.push(other),
        }
    }
    out
}

/// Returns whether a number is negative, and its digits.
fn unsigned(text: &str) -> Option<(bool, String)> {
    match text.split_at_checked(1)? {
        ("6", digits) => Some((false, digits.to_owned())),
        ("4", digits) => Some((true, flipped(digits))),
        _ => None,
    }
}

fn decode_integer(text: &str) -> Option<String> {
    let (is_negative, digits) = unsigned(text)?;
    let mut out = if is_negative { String::from("-") } else { String::new() };
    out.push_str(digits.get(2..)?);
    Some(out)
}

#[expect(clippy::cast_precision_loss, reason = "the mantissa has 53 bits")]
fn decode_float(text: &str) -> Option<String> {
    let number = match text {
        "5" => 0.0,
        "7" => f64::INFINITY,
        "3" => f64::NEG_INFINITY,
        _ => {
            let (is_negative, digits) = unsigned(text)?;
            let (exponent, mantissa) = digits.split_at_checked(4)?;
            let (exponent, mantissa) = (exponent.parse::<i32>().ok()?, mantissa.parse::<u64>().ok()?);
            // In two steps: the power alone would be 0 for a subnormal number.
            let power = exponent - 1100 - 53;
            let number = mantissa as f64 * 2_f64.powi(power / 2) * 2_f64.powi(power - power / 2);
            if is_negative { -number } else { number }
        }
    };
    Some(number.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_read_as_they_are_written() {
        for (encoding, text, encoded) in [
            (Encoding::Integer, "31", "60231"),
            (Encoding::Integer, "0", "6010"),
            (Encoding::Integer, "-7", "4982"),
            (Encoding::Text, "a\0b\u{1}c\u{2}", "a\u{1}\u{3}b\u{1}\u{4}c\u{1}\u{5}"),
            (Encoding::Float, "0", "5"),
            (Encoding::Float, "inf", "7"),
            (Encoding::Float, "1.5", "611016755399441055744"),
        ] {
            assert_eq!(column_of(encoding, text).unwrap(), format!("={encoded}"), "{text}");
            assert_eq!(decoded(encoding, encoded.as_bytes()), text.as_bytes());
        }
        for number in [f64::MIN_POSITIVE, 5e-324, -1.25e-310, f64::MAX, -0.1] {
            let column = column_of(Encoding::Float, &number.to_string()).unwrap();
            assert_eq!(decoded(Encoding::Float, &column.as_bytes()[1..]), number.to_string().as_bytes());
        }
    }

    #[test]
    fn a_row_agrees_with_the_fields_of_its_record() {
        for (encoding, field, column, expected) in [
            (Encoding::Integer, Some("31"), "=60231", Some(true)),
            (Encoding::Integer, Some("32"), "=60231", Some(false)),
            (Encoding::Integer, None, "", Some(true)),
            (Encoding::Integer, None, "=60231", Some(false)),
            (Encoding::Integer, Some("[2,1,2]"), "=6011\u{2}=6012", Some(true)),
            (Encoding::Text, Some(r#"["b","a","b"]"#), "=a\u{2}=b", Some(true)),
            (Encoding::Text, Some("[]"), "", Some(true)),
            (Encoding::Text, Some("[]"), "=[]", Some(true)),
            // Only the program knows how these are indexed.
            (Encoding::Integer, Some("2026-11-21"), "=605", None),
            (Encoding::Text, Some("127.0.0.1"), "=47f000001", None),
            (Encoding::Float, Some("NaN"), "=5", None),
        ] {
            assert_eq!(agrees(encoding, field, column.as_bytes()), expected, "{field:?} {column:?}");
        }
    }
}
