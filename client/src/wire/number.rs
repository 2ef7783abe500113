//! Integers from their digits, without a check for UTF-8.

/// Reads a number. Returns `None` also if there are so many digits that it may not fit.
#[inline]
pub(crate) fn unsigned(digits: &[u8]) -> Option<u64> {
    // 19 digits always fit.
    if digits.is_empty() || digits.len() > 19 {
        return None;
    }
    let mut number = 0;
    for &byte in digits {
        let digit = byte.wrapping_sub(b'0');
        if digit > 9 {
            return None;
        }
        number = number * 10 + u64::from(digit);
    }
    Some(number)
}

/// Reads a number that may have a minus sign.
#[inline]
pub(crate) fn signed(text: &[u8]) -> Option<i64> {
    match text.strip_prefix(b"-") {
        Some(digits) => i64::try_from(unsigned(digits)?).ok().map(|number| -number),
        None => i64::try_from(unsigned(text)?).ok(),
    }
}

/// Reads an integer of any type. The slow path is for what the quick one does not accept.
#[inline]
pub(crate) fn integer<T: TryFrom<i64> + std::str::FromStr>(text: &[u8]) -> Option<T> {
    match signed(text) {
        // `-0` is not a number of an unsigned type, so the slow path decides.
        Some(number) if number != 0 || text.first() == Some(&b'0') => T::try_from(number).ok(),
        _ => std::str::from_utf8(text).ok()?.parse().ok(),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn any_text_is_read_as_the_standard_library_reads_it(text in "[-+]?[0-9]{0,21}|.*") {
            prop_assert_eq!(integer::<i64>(text.as_bytes()), text.parse().ok());
            prop_assert_eq!(integer::<u8>(text.as_bytes()), text.parse().ok());
            prop_assert_eq!(integer::<u64>(text.as_bytes()), text.parse().ok());
        }
    }
}
