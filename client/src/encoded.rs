//! Commands put together for one request.

use std::borrow::Cow;

use crate::args::Args;
use crate::command::{Command, Expect, Safety};
use crate::error::Error;

/// The commands of one request, encoded.
#[derive(Debug)]
pub struct Encoded {
    /// `None` while there is no command.
    pub(crate) args: Option<Args>,
    /// The least safe of them all.
    pub(crate) safety: Safety,
    pub(crate) count: usize,
    pub(crate) atomic: bool,
    /// The first command's name.
    pub(crate) name: Cow<'static, str>,
    /// The place and the name of each command that changes data; not kept for a command alone.
    writes: Vec<(usize, Cow<'static, str>)>,
    /// How many commands were pushed; an atomic group is one of them.
    pushed: usize,
    /// Why it cannot be sent: what is wrong with the first command that is.
    pub(crate) problem: Option<Error>,
}

impl Encoded {
    pub(crate) fn new(atomic: bool) -> Self {
        Encoded {
            args: None,
            safety: Safety::Read,
            count: 0,
            atomic,
            name: Cow::Borrowed(""),
            writes: Vec::new(),
            pushed: 0,
            problem: None,
        }
    }

    /// Adds a command, and says what to do with its replies.
    pub(crate) fn push<R>(&mut self, command: Command<R>) -> Expect<R> {
        let problem = command.validate().err();
        let Command { args, expect } = command;
        if self.pushed == 1 && self.changes_data() {
            self.writes.push((0, self.name.clone()));
        }
        if self.pushed > 0 && expect.safety() != Safety::Read {
            self.writes.push((self.pushed, expect.name().clone()));
        }
        self.pushed += 1;
        self.safety = self.safety.max(expect.safety());
        self.atomic |= expect.parts() > 1;
        self.count += expect.parts();
        match &mut self.args {
            Some(all) => all.append(&args),
            None => {
                self.name = expect.name().clone();
                self.args = Some(args);
            }
        }
        // A command that is right by itself may be wrong in a pipeline.
        let problem = problem.or_else(|| {
            let why = self.args.as_ref().and_then(Args::problem)?;
            Some(expect.blame(Error::invalid_input(why.clone())))
        });
        self.problem = self.problem.take().or(problem);
        expect
    }

    /// The commands of several requests in one. Which of them write is not kept: each tells for itself what became of it.
    pub(crate) fn together<'a>(all: impl Iterator<Item = &'a Encoded>) -> Self {
        let mut together = Encoded::new(false);
        for one in all {
            together.safety = together.safety.max(one.safety);
            together.atomic |= one.atomic;
            together.count += one.count;
            match (&mut together.args, &one.args) {
                (Some(all), Some(args)) => all.append(args),
                (all, args) => {
                    together.name = one.name.clone();
                    *all = args.clone();
                }
            }
        }
        together
    }

    /// How many bytes it takes in a request, with a script in whole.
    pub(crate) fn len(&self) -> usize {
        self.args.as_ref().map_or(0, Args::len_in_pipeline)
    }

    /// Whether it cannot travel with others: raw bytes, and atomic groups.
    pub(crate) fn stands_alone(&self) -> bool {
        self.atomic || self.args.as_ref().is_some_and(Args::is_raw)
    }

    /// Takes the place and the name of each command that changes data, if there are several commands.
    pub(crate) fn take_writes(&mut self) -> Vec<(usize, Cow<'static, str>)> {
        std::mem::take(&mut self.writes)
    }

    pub(crate) fn changes_data(&self) -> bool {
        self.safety != Safety::Read
    }
}
