//! Glob-style patterns, as Redis matches channels with them.
//!
//! A pattern is matched as a set of states, one bit for each of its elements, so that the time is linear in the name: a
//! search that goes back to the last star is not, and the publisher chooses the name.

/// A parsed pattern: `*` matches any bytes, `?` one byte, `[a-c]` and `[^a-c]` a class, and a backslash escapes the next
/// byte.
#[derive(Debug)]
pub(super) struct Pattern {
    /// The number of elements that match one byte each.
    len: usize,
    /// The 64-bit words that hold a bit for each element, and one for the end.
    words: usize,
    /// Where a star precedes the element.
    stars: Vec<u64>,
    /// The elements that match a byte, for each byte.
    accepts: Vec<u64>,
}

impl Pattern {
    pub(super) fn new(pattern: &[u8]) -> Self {
        let words = pattern.len() / 64 + 1;
        let mut parsed = Pattern { len: 0, words, stars: vec![0; words], accepts: vec![0; 256 * words] };
        let mut at = 0;
        while let Some(&byte) = pattern.get(at) {
            if byte == b'*' {
                set(&mut parsed.stars, parsed.len);
                at += 1;
            } else {
                at = parsed.element(pattern, at);
                parsed.len += 1;
            }
        }
        parsed
    }

    /// Reads the element at `at`. Returns where the next one begins.
    fn element(&mut self, pattern: &[u8], at: usize) -> usize {
        let next = |at: usize| pattern.get(at).copied();
        match (next(at).unwrap_or_default(), next(at + 1)) {
            (b'?', _) => {
                self.accept(0, 255, false);
                at + 1
            }
            (b'\\', Some(escaped)) => {
                self.accept(escaped, escaped, false);
                at + 2
            }
            (b'[', _) => {
                let negated = next(at + 1) == Some(b'^');
                if negated {
                    self.accept(0, 255, false);
                }
                let mut at = if negated { at + 2 } else { at + 1 };
                loop {
                    match (next(at), next(at + 1), next(at + 2)) {
                        // A class without an end extends to the end of the pattern.
                        (None, ..) => return at,
                        (Some(b']'), ..) => return at + 1,
                        (Some(b'\\'), Some(escaped), _) => {
                            self.accept(escaped, escaped, negated);
                            at += 2;
                        }
                        (Some(from), Some(b'-'), Some(to)) => {
                            self.accept(from.min(to), from.max(to), negated);
                            at += 3;
                        }
                        (Some(literal), ..) => {
                            self.accept(literal, literal, negated);
                            at += 1;
                        }
                    }
                }
            }
            (literal, _) => {
                self.accept(literal, literal, false);
                at + 1
            }
        }
    }

    /// Lets the element that is read now match these bytes, or no longer match them.
    fn accept(&mut self, from: u8, to: u8, no_longer: bool) {
        for byte in from..=to {
            let start = usize::from(byte) * self.words;
            let row = self.accepts.get_mut(start..start + self.words).unwrap_or_default();
            if no_longer { clear(row, self.len) } else { set(row, self.len) }
        }
    }

    /// Returns the positions of `text` before which everything matches the pattern, in ascending order.
    pub(super) fn prefixes<'a>(&'a self, text: &'a [u8]) -> impl Iterator<Item = usize> + 'a {
        // Bit `n` is set if the bytes so far can be those of the first `n` elements.
        let mut states = vec![0; self.words];
        set(&mut states, 0);
        (0..=text.len())
            .map_while(move |at| {
                if at > 0 {
                    self.advance(&mut states, text.get(at - 1).copied().unwrap_or_default());
                }
                let is_alive = states.iter().any(|word| *word != 0);
                is_alive.then(|| (at, is_set(&states, self.len)))
            })
            .filter_map(|(at, matches)| matches.then_some(at))
    }

    fn advance(&self, states: &mut [u64], byte: u8) {
        let start = usize::from(byte) * self.words;
        let row = self.accepts.get(start..start + self.words).unwrap_or_default();
        let mut carry = 0;
        for ((state, star), accepts) in states.iter_mut().zip(&self.stars).zip(row) {
            let matched = *state & accepts;
            *state = (*state & star) | (matched << 1) | carry;
            carry = matched >> 63;
        }
    }
}

fn set(bits: &mut [u64], at: usize) {
    if let Some(word) = bits.get_mut(at / 64) {
        *word |= 1 << (at % 64);
    }
}

fn clear(bits: &mut [u64], at: usize) {
    if let Some(word) = bits.get_mut(at / 64) {
        *word &= !(1 << (at % 64));
    }
}

fn is_set(bits: &[u64], at: usize) -> bool {
    bits.get(at / 64).is_some_and(|word| word >> (at % 64) & 1 == 1)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::Pattern;

    fn matches(pattern: &[u8], name: &[u8]) -> bool {
        Pattern::new(pattern).prefixes(name).last() == Some(name.len())
    }

    #[test]
    fn patterns_match_as_in_redis() {
        for (pattern, name, expected) in [
            ("", "", true),
            ("", "a", false),
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
            ("[]", "]", false),
            ("[^]", "x", true),
            ("[ab", "b", true),
            ("a\\", "a\\", true),
            ("a*", "b", false),
        ] {
            assert_eq!(matches(pattern.as_bytes(), name.as_bytes()), expected, "{pattern} {name}");
        }
    }

    /// A search that goes back would take longer than anyone waits for either.
    #[test]
    fn neither_pattern_nor_name_makes_it_slow() {
        let commas = ",".repeat(400_000);
        assert_eq!(Pattern::new(b"news,*x").prefixes(commas.as_bytes()).next(), None);
        assert_eq!(Pattern::new(b"*,x").prefixes(commas.as_bytes()).next(), None);
        assert_eq!(Pattern::new("*,".repeat(30).as_bytes()).prefixes(commas.as_bytes()).next(), Some(30));
        let name = "a".repeat(400_000);
        assert!(!matches("a*".repeat(40).as_bytes(), format!("b{name}").as_bytes()));
        assert!(!matches(format!("{}b", "*a".repeat(40)).as_bytes(), name.as_bytes()));
        assert!(matches(
            name.get(..5000).unwrap_or_default().as_bytes(),
            name.get(..5000).unwrap_or_default().as_bytes()
        ));
    }

    /// By trying everything.
    fn matches_plainly(pattern: &[u8], name: &[u8]) -> bool {
        match (pattern, name) {
            ([], []) => true,
            ([b'*', rest @ ..], _) => {
                matches_plainly(rest, name)
                    || name.split_first().is_some_and(|(_, rest)| matches_plainly(pattern, rest))
            }
            ([b'?', pattern @ ..], [_, name @ ..]) => matches_plainly(pattern, name),
            ([first, pattern @ ..], [byte, name @ ..]) => first == byte && matches_plainly(pattern, name),
            _ => false,
        }
    }

    proptest! {
        #[test]
        fn prefixes_are_those_that_match(pattern in "[ab,*?]{0,8}", name in "[ab,]{0,12}") {
            let (pattern, name) = (pattern.as_bytes(), name.as_bytes());
            let expected: Vec<_> =
                (0..=name.len()).filter(|end| matches_plainly(pattern, name.get(..*end).unwrap_or_default())).collect();
            let parsed = Pattern::new(pattern);
            prop_assert_eq!(parsed.prefixes(name).collect::<Vec<_>>(), expected);
        }
    }
}
