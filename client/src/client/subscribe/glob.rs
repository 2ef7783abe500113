//! Glob-style patterns, as Redis matches channels with them.

/// Whether `name` matches `pattern`: `*` matches any bytes, `?` one byte, `[a-c]` and `[^a-c]` a class, and a backslash
/// escapes the next byte.
pub(super) fn matches(pattern: &[u8], name: &[u8]) -> bool {
    let (mut at, mut on) = (0, 0);
    // The position of the last star, and the end of what it matches so far.
    let mut star: Option<(usize, usize)> = None;
    while on < name.len() {
        let step = match pattern.get(at) {
            Some(b'*') => {
                star = Some((at, on));
                at += 1;
                continue;
            }
            Some(_) => one(pattern, at, name.get(on).copied().unwrap_or_default()),
            None => None,
        };
        match (step, star) {
            (Some(next), _) => (at, on) = (next, on + 1),
            (None, Some((stood, taken))) => {
                star = Some((stood, taken + 1));
                (at, on) = (stood + 1, taken + 1);
            }
            (None, None) => return false,
        }
    }
    pattern.get(at..).unwrap_or_default().iter().all(|&byte| byte == b'*')
}

/// Where the pattern continues, if its element at `at` matches this byte.
fn one(pattern: &[u8], at: usize, byte: u8) -> Option<usize> {
    let next = |at: usize| pattern.get(at).copied();
    match next(at)? {
        b'?' => Some(at + 1),
        b'\\' if next(at + 1).is_some() => (next(at + 1) == Some(byte)).then_some(at + 2),
        b'[' => {
            let negated = next(at + 1) == Some(b'^');
            let mut at = if negated { at + 2 } else { at + 1 };
            let mut found = false;
            loop {
                match next(at) {
                    // A class without an end extends to the end of the pattern.
                    None => break,
                    Some(b']') => {
                        at += 1;
                        break;
                    }
                    Some(b'\\') if next(at + 1).is_some() => {
                        found |= next(at + 1) == Some(byte);
                        at += 2;
                    }
                    Some(from) if next(at + 1) == Some(b'-') && next(at + 2).is_some() => {
                        let to = next(at + 2).unwrap_or(from);
                        found |= (from.min(to)..=from.max(to)).contains(&byte);
                        at += 3;
                    }
                    Some(literal) => {
                        found |= literal == byte;
                        at += 1;
                    }
                }
            }
            (found != negated).then_some(at)
        }
        literal => (literal == byte).then_some(at + 1),
    }
}

#[cfg(test)]
mod tests {
    use super::matches;

    #[test]
    fn patterns_match_as_in_redis() {
        for (pattern, name, expected) in [
            ("", "", true),
            ("*", "", true),
            ("news.*", "news.", true),
            ("news.*", "news", false),
            ("*a*b", "xaxb", true),
            ("*a*b", "xaxbx", false),
            ("h?llo", "hello", true),
            ("h?llo", "hllo", false),
            ("h[ae]llo", "hallo", true),
            ("h[^e]llo", "hello", false),
            ("h[a-c]llo", "hbllo", true),
            ("h[c-a]llo", "hbllo", true),
            ("a[^,]", "ab", true),
            ("a[^,]", "a,", false),
            ("a\\*b", "a*b", true),
            ("a\\*b", "axb", false),
            ("[\\]]", "]", true),
            ("[ab", "b", true),
            ("a\\", "a\\", true),
            ("a*", "b", false),
        ] {
            assert_eq!(matches(pattern.as_bytes(), name.as_bytes()), expected, "{pattern} {name}");
        }
    }
}
