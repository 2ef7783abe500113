//! Random tokens, passwords and names of folders.

use std::fmt::Write as _;

use crate::error::Error;

/// Returns 256 random bits of the operating system, in 64 hexadecimal digits.
///
/// A generator that a program seeds itself would not do: who sees one of its secrets can compute the others.
pub(crate) fn random_secret() -> Result<String, Error> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes)
        .map_err(|error| Error::caused("the operating system has no random numbers for a secret", error))?;
    let mut secret = String::with_capacity(64);
    for byte in bytes {
        // Writing to a string does not fail.
        let _ = write!(secret, "{byte:02x}");
    }
    Ok(secret)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn secrets_do_not_follow_from_a_seed() {
        let secret = || {
            fastrand::seed(7);
            random_secret().unwrap()
        };
        assert_ne!(secret(), secret());
    }

    #[test]
    fn secrets_have_256_bits_and_do_not_repeat() {
        let secrets: HashSet<String> = (0..1000).map(|_| random_secret().unwrap()).collect();
        assert_eq!(secrets.len(), 1000);
        for secret in secrets {
            assert!(secret.len() == 64 && secret.bytes().all(|byte| byte.is_ascii_hexdigit()), "{secret}");
        }
    }
}
