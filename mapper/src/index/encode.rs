//! Values as bytes that sort as the values do. The scripts have the same encoding.

/// The most bytes of a text in an index.
pub(crate) const MAX_TEXT: usize = 1024;

/// Stands between the values of a column that holds several.
pub(crate) const BETWEEN_VALUES: &str = "\u{2}";

/// Appends text. Separators are escaped, so that they separate.
pub(crate) fn push_text(text: &str, out: &mut String) {
    for character in text.chars() {
        match character {
            '\0' => out.push_str("\u{1}\u{3}"),
            '\u{1}' => out.push_str("\u{1}\u{4}"),
            '\u{2}' => out.push_str("\u{1}\u{5}"),
            other => out.push(other),
        }
    }
}

/// Appends an integer, from its decimal text.
pub(crate) fn push_integer(decimal: &str, out: &mut String) {
    let (negative, digits) = match decimal.strip_prefix('-') {
        Some("0") | None => (false, decimal.trim_start_matches('-')),
        Some(digits) => (true, digits),
    };
    out.push(if negative { '4' } else { '6' });
    let digits = format!("{:02}{digits}", digits.len());
    push_digits(&digits, negative, out);
}

/// Appends a number that is not NaN: sign, exponent and mantissa.
pub(crate) fn push_float(number: f64, out: &mut String) {
    if number == 0.0 {
        out.push('5');
    } else if number.is_infinite() {
        out.push(if number > 0.0 { '7' } else { '3' });
    } else {
        let negative = number < 0.0;
        let (mantissa, exponent) = split(number.abs());
        out.push(if negative { '4' } else { '6' });
        push_digits(&format!("{:04}{mantissa:016}", exponent + 1100), negative, out);
    }
}

/// Digits in reverse order of size, if the number is negative.
fn push_digits(digits: &str, negative: bool, out: &mut String) {
    if negative {
        out.extend(digits.bytes().map(|digit| char::from(b'9' - digit + b'0')));
    } else {
        out.push_str(digits);
    }
}

/// Returns a mantissa of 53 bits, the highest of which is set, and the exponent: what C's `frexp` returns, its mantissa times
/// 2^53.
fn split(number: f64) -> (u64, i32) {
    let bits = number.to_bits();
    let fraction = bits & ((1 << 52) - 1);
    let exponent = i32::try_from(bits >> 52).unwrap_or_default();
    if exponent > 0 {
        (fraction | (1 << 52), exponent - 1022)
    } else {
        // A subnormal number has leading zeros.
        let shift = fraction.leading_zeros() - 11;
        (fraction << shift, -1021 - i32::try_from(shift).unwrap_or_default())
    }
}
