//! Commands put together for one request.

use crate::args::Args;
use crate::command::{Command, Expect, Safety};

/// The commands of one request, encoded.
pub struct Encoded {
    /// `None` while there is no command.
    pub(crate) args: Option<Args>,
    /// The least safe of them all.
    pub(crate) safety: Safety,
    pub(crate) count: usize,
    pub(crate) atomic: bool,
}

impl Encoded {
    pub(crate) fn new(atomic: bool) -> Self {
        Encoded { args: None, safety: Safety::Read, count: 0, atomic }
    }

    /// Adds a command, and says what to do with its replies.
    pub(crate) fn push<R>(&mut self, command: Command<R>) -> Expect<R> {
        let Command { args, expect } = command;
        self.safety = self.safety.max(expect.safety());
        self.atomic |= expect.parts() > 1;
        self.count += expect.parts();
        match &mut self.args {
            Some(all) => all.append(args),
            None => self.args = Some(args),
        }
        expect
    }

    pub(crate) fn changes_data(&self) -> bool {
        self.safety != Safety::Read
    }
}
