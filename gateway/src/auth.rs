//! Tokens, and what each of them allows.

use std::fmt;
use std::hint::black_box;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::http::header::AUTHORIZATION;
use axum::http::{HeaderMap, StatusCode};
use bytes::Bytes;

use crate::request;
use crate::resp::Args;
use crate::response::Refusal;
use crate::secret::random_secret;

/// What a token allows.
#[derive(Debug, Clone)]
pub(crate) enum Access {
    /// All commands.
    Full,
    /// Commands that read.
    ReadOnly,
    /// What Redis allows an ACL user.
    User(Arc<Login>),
}

/// The name and the password of an ACL user.
#[derive(PartialEq, Eq)]
pub(crate) struct Login {
    pub(crate) user: Bytes,
    pub(crate) password: Bytes,
}

impl Login {
    /// Returns the command that makes a connection one of this user.
    pub(crate) fn auth(&self) -> Args {
        vec![Bytes::from_static(b"AUTH"), self.user.clone(), self.password.clone()]
    }
}

impl fmt::Debug for Login {
    /// Leaves out the password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Login").finish_non_exhaustive()
    }
}

/// The tokens of a gateway.
pub(crate) struct Tokens {
    full: String,
    read_only: String,
    /// The tokens of ACL users. They end with the gateway.
    users: Mutex<Vec<(String, Arc<Login>)>>,
}

/// The largest number of tokens of ACL users. Each token is compared with that of a request.
const MAX_USER_TOKENS: usize = 1000;

impl Tokens {
    pub(crate) fn new(full: String, read_only: String) -> Self {
        Tokens { full, read_only, users: Mutex::default() }
    }

    /// Returns what the token of a request allows.
    ///
    /// The token is that of the header `Authorization: Bearer TOKEN`, or that of the query parameter `_token` if there is no
    /// such header. A header without a token, or of another scheme, has none that is valid.
    pub(crate) fn authorize(&self, headers: &HeaderMap, query: &str) -> Result<Access, Refusal> {
        let token = match headers.get(AUTHORIZATION) {
            Some(header) => std::str::from_utf8(header.as_bytes()).ok().and_then(bearer).map(str::to_owned),
            None => request::query_token(query),
        };
        let token = token.unwrap_or_default();
        // Each token is compared, whichever matches, so the time of a response tells nothing about them.
        let user =
            self.users().iter().fold(
                None,
                |found, (candidate, login)| {
                    if is_same(candidate, &token) { Some(Arc::clone(login)) } else { found }
                },
            );
        let (is_full, is_read_only) = (is_same(&self.full, &token), is_same(&self.read_only, &token));
        match user {
            _ if is_full => Ok(Access::Full),
            _ if is_read_only => Ok(Access::ReadOnly),
            Some(login) => Ok(Access::User(login)),
            None => Err(Refusal(
                StatusCode::UNAUTHORIZED,
                "WRONGPASS invalid or missing auth token. \
                 See https://docs.upstash.com/redis/troubleshooting/http_unauthorized for details."
                    .to_owned(),
            )),
        }
    }

    /// Returns the token of a user: the same one for the same password.
    pub(crate) fn issue(&self, login: Login) -> Result<String, String> {
        let mut users = self.users();
        match users.iter().find(|(_, known)| **known == login) {
            Some((token, _)) => Ok(token.clone()),
            None => add(&mut users, new_token()?, login),
        }
    }

    /// Returns a new token of a user that is the user's password as well.
    pub(crate) fn issue_password(&self, user: Bytes) -> Result<String, String> {
        let token = new_token()?;
        add(&mut self.users(), token.clone(), Login { user, password: token.into() })
    }

    /// Returns the password that a token of this user stands for.
    pub(crate) fn password_of(&self, user: &[u8], token: &[u8]) -> Option<Bytes> {
        let users = self.users();
        let (_, login) = users.iter().find(|(known, login)| known.as_bytes() == token && login.user == user)?;
        Some(login.password.clone())
    }

    fn users(&self) -> MutexGuard<'_, Vec<(String, Arc<Login>)>> {
        self.users.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Tokens {
    /// Leaves out the tokens.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tokens").finish_non_exhaustive()
    }
}

fn add(users: &mut Vec<(String, Arc<Login>)>, token: String, login: Login) -> Result<String, String> {
    if users.len() >= MAX_USER_TOKENS {
        return Err(format!("ERR the gateway holds no more than {MAX_USER_TOKENS} tokens of ACL users"));
    }
    users.push((token.clone(), Arc::new(login)));
    Ok(token)
}

fn new_token() -> Result<String, String> {
    random_secret().map_err(|error| format!("ERR {error}"))
}

/// Returns the token in `Bearer TOKEN`. The case of the scheme is free, as HTTP has it.
fn bearer(header: &str) -> Option<&str> {
    let (scheme, token) = header.trim().split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim_start())
}

/// Returns whether two tokens are the same, in a time that depends only on their lengths.
pub(crate) fn is_same(left: &str, right: &str) -> bool {
    let differences = left.bytes().zip(right.bytes()).fold(0, |found, (left, right)| black_box(found | (left ^ right)));
    left.len() == right.len() && differences == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn access(header: Option<&str>, query: &str) -> Option<bool> {
        let tokens = Tokens::new("full".to_owned(), "reader".to_owned());
        let headers = header.map(|value| (AUTHORIZATION, value.parse().unwrap())).into_iter().collect();
        Some(matches!(tokens.authorize(&headers, query).ok()?, Access::Full))
    }

    #[test]
    fn a_token_is_in_the_header_or_else_in_the_query() {
        for (header, query, expected) in [
            (Some("Bearer full"), "", Some(true)),
            (Some("bearer full"), "", Some(true)),
            (Some("BEARER   reader "), "", Some(false)),
            (None, "a=b&_token=full", Some(true)),
            // The header wins, also if it has no token or a wrong one.
            (Some("Basic full"), "_token=reader", None),
            (Some("Bearer"), "_token=full", None),
            (Some("Bearer "), "_token=full", None),
            (Some(""), "_token=full", None),
            (Some("Bearer f\u{fc}ll"), "_token=full", None),
            (Some("Bearer reader"), "_token=full", Some(false)),
            (Some("Bearer wrong"), "_token=full", None),
            (Some("Bearer ful"), "", None),
            (Some("Bearer fulll"), "", None),
            (Some("Bearer "), "", None),
            (Some("full"), "", None),
            (None, "", None),
        ] {
            assert_eq!(access(header, query), expected, "{header:?} {query}");
        }
    }

    #[test]
    fn a_user_has_one_token_for_a_password() {
        let tokens = Tokens::new("full".to_owned(), "reader".to_owned());
        let login = |password: &'static str| Login { user: "app".into(), password: password.into() };
        let token = tokens.issue(login("p")).unwrap();
        assert_eq!(tokens.issue(login("p")).unwrap(), token);
        assert_ne!(tokens.issue(login("q")).unwrap(), token);
        assert_eq!(tokens.password_of(b"app", token.as_bytes()).unwrap(), "p");
        assert_eq!(tokens.password_of(b"other", token.as_bytes()), None);
        assert!(!format!("{tokens:?} {:?}", login("hunter2")).contains("hunter2"));
    }
}
