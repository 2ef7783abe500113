//! Base64 (standard alphabet, padded), decoded in place: a reply's strings become slices of the reply itself.

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// Marks a byte outside the alphabet. No 24-bit group is this large.
const INVALID: u32 = 1 << 31;

/// For each position in a group of four, the value of each byte, shifted to its place.
#[expect(clippy::indexing_slicing, reason = "evaluated by the compiler, where a wrong index is an error")]
const SHIFTED: [[u32; 256]; 4] = {
    let mut tables = [[INVALID; 256]; 4];
    let mut value = 0;
    while value < 64 {
        let mut place = 0;
        while place < 4 {
            tables[place][ALPHABET[value] as usize] = (value as u32) << (18 - 6 * place);
            place += 1;
        }
        value += 1;
    }
    tables
};

#[expect(clippy::indexing_slicing, reason = "a byte is below 256")]
fn group([a, b, c, d]: [u8; 4]) -> u32 {
    let [first, second, third, fourth] = &SHIFTED;
    first[usize::from(a)] | second[usize::from(b)] | third[usize::from(c)] | fourth[usize::from(d)]
}

/// Decodes `text` in place, from its beginning, and returns the number of decoded bytes; `None` if it is not base64.
///
/// Padding is required and the unused bits must be zero, so that each value has one encoding.
#[expect(clippy::indexing_slicing, reason = "every index is below the length that the loop's condition checked")]
pub(crate) fn decode_in_place(text: &mut [u8]) -> Option<usize> {
    if text.is_empty() {
        return Some(0);
    }
    if !text.len().is_multiple_of(4) {
        return None;
    }
    let last = text.len() - 4;
    let mut invalid = 0;
    let (mut read, mut write) = (0, 0);
    while read < last {
        let value = group([text[read], text[read + 1], text[read + 2], text[read + 3]]);
        invalid |= value;
        let [_, a, b, c] = value.to_be_bytes();
        text[write] = a;
        text[write + 1] = b;
        text[write + 2] = c;
        read += 4;
        write += 3;
    }
    let (chars, bytes) = match [text[last], text[last + 1], text[last + 2], text[last + 3]] {
        [a, b, b'=', b'='] => ([a, b, b'A', b'A'], 1),
        [a, b, c, b'='] => ([a, b, c, b'A'], 2),
        chars => (chars, 3),
    };
    let value = group(chars);
    let unused = 0xFF_FFFF_u32 >> (8 * bytes);
    if (invalid | value) & INVALID != 0 || value & unused != 0 {
        return None;
    }
    let decoded = value.to_be_bytes();
    text[write..write + bytes].copy_from_slice(&decoded[1..=bytes]);
    Some(write + bytes)
}

/// Encodes bytes.
#[expect(clippy::indexing_slicing, reason = "a chunk has at most three bytes, and a digit is below 64")]
pub(crate) fn encode(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let mut group = [0; 4];
        group[1..=chunk.len()].copy_from_slice(chunk);
        let value = u32::from_be_bytes(group);
        for place in 0..4 {
            let digit = (value >> (18 - 6 * place)) as usize & 63;
            text.push(if place <= chunk.len() { char::from(ALPHABET[digit]) } else { '=' });
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn decode(text: &str) -> Option<Vec<u8>> {
        let mut buffer = text.as_bytes().to_vec();
        let length = decode_in_place(&mut buffer)?;
        buffer.truncate(length);
        Some(buffer)
    }

    /// RFC 4648, section 10.
    #[test]
    fn test_vectors_of_the_rfc() {
        let vectors = [
            ("", ""),
            ("Zg==", "f"),
            ("Zm8=", "fo"),
            ("Zm9v", "foo"),
            ("Zm9vYg==", "foob"),
            ("Zm9vYmE=", "fooba"),
            ("Zm9vYmFy", "foobar"),
        ];
        for (text, bytes) in vectors {
            assert_eq!(decode(text).as_deref(), Some(bytes.as_bytes()), "{text}");
            assert_eq!(encode(bytes.as_bytes()), text);
        }
    }

    #[test]
    fn what_is_not_base64_is_refused() {
        for text in ["Z", "Zg", "Zg=", "Zg==Zg==", "Z===", "====", "Zh==", "Zm9=", "Zm-v", "Zm v", "Zm9\n", "é==="] {
            assert_eq!(decode(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn decoding_undoes_encoding(bytes: Vec<u8>) {
            prop_assert_eq!(decode(&encode(&bytes)), Some(bytes));
        }

        #[test]
        fn any_bytes_are_decoded_or_refused(mut bytes: Vec<u8>) {
            let _ = decode_in_place(&mut bytes);
        }
    }
}
