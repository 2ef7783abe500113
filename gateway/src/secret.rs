//! Random tokens and passwords.

/// Returns 32 random letters and digits.
pub(crate) fn random_secret() -> String {
    (0..32).map(|_| fastrand::alphanumeric()).collect()
}
