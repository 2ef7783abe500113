//! The ACL subcommands that only the service has: RESTTOKEN and GENTOKEN.

use bytes::Bytes;

use crate::auth::{Access, Login};
use crate::backend::Unreachable;
use crate::resp::{Args, Value};
use crate::response::Slot;
use crate::state::State;

/// A command that the gateway runs itself.
#[derive(Debug)]
pub(crate) enum AclCommand {
    /// `ACL RESTTOKEN USER PASSWORD` returns a token of the user.
    RestToken(Login),
    /// `ACL GENTOKEN USER PASSWORD` returns a token that stands for the password, also in `ACL SETUSER`.
    GenToken(Login),
    /// `ACL GENTOKEN USER` returns a token that is the password itself.
    GenPassword(Bytes),
}

impl AclCommand {
    /// Returns the command, or `None` if Redis is to run it.
    pub(crate) fn parse(access: &Access, args: &Args) -> Option<Result<Self, String>> {
        let is = |at: usize, word: &str| args.get(at).is_some_and(|arg| arg.eq_ignore_ascii_case(word.as_bytes()));
        let name = match () {
            () if !is(0, "ACL") => return None,
            () if is(1, "RESTTOKEN") => "resttoken",
            () if is(1, "GENTOKEN") => "gentoken",
            () => return None,
        };
        // Redis cannot be asked whether an ACL user may run them: it does not have these subcommands.
        if !matches!(access, Access::Full) {
            return Some(Err(format!(
                "NOPERM this user has no permissions to run the 'acl|{name}' command or its subcommand"
            )));
        }
        Some(match (name, args.get(2..).unwrap_or_default()) {
            ("resttoken", [user, password]) => Ok(AclCommand::RestToken(login(user, password))),
            ("gentoken", [user]) => Ok(AclCommand::GenPassword(user.clone())),
            ("gentoken", [user, password]) => Ok(AclCommand::GenToken(login(user, password))),
            _ => Err(format!("ERR wrong number of arguments for 'acl|{name}' command")),
        })
    }

    pub(crate) async fn run(self, state: &State) -> Result<Slot, Unreachable> {
        let issued = match self {
            AclCommand::GenPassword(user) => state.tokens.issue_password(user),
            AclCommand::GenToken(login) => state.tokens.issue(login),
            AclCommand::RestToken(login) => {
                let password = state.tokens.password_of(&login.user, &login.password);
                let login = Login { password: password.unwrap_or(login.password), ..login };
                match state.backend.new_connection_as(&login.auth()).await {
                    Ok(_) => state.tokens.issue(login),
                    Err(Unreachable::UserRejected) => {
                        let user = String::from_utf8_lossy(&login.user);
                        return Ok(Err(format!("ERR Wrong password or user \"{user}\" does not exist")));
                    }
                    Err(error) => return Err(error),
                }
            }
        };
        Ok(issued.map(|token| Value::Bulk(token.into())))
    }
}

fn login(user: &Bytes, password: &Bytes) -> Login {
    Login { user: user.clone(), password: password.clone() }
}

/// In `ACL SETUSER USER >TOKEN`, replaces a token from GENTOKEN by the password that it stands for.
pub(crate) fn replace_tokens(state: &State, args: &mut Args) {
    let [acl, setuser, user, rules @ ..] = args.as_mut_slice() else { return };
    if !acl.eq_ignore_ascii_case(b"ACL") || !setuser.eq_ignore_ascii_case(b"SETUSER") {
        return;
    }
    for rule in rules {
        if let Some(token) = rule.strip_prefix(b">")
            && let Some(password) = state.tokens.password_of(user, token)
        {
            *rule = [b">", &*password].concat().into();
        }
    }
}
