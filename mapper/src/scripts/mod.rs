//! The scripts of this folder, as they are sent.

pub(crate) mod lua;

use redis_rest::Script;

/// Creates a script of these files, and of other code. Each ends its last line.
pub(crate) fn script(code: &[&str]) -> Script {
    Script::new(code.concat())
}

/// A script that publishes for some models.
///
/// It locks only its keys if it does not. Whether the service lets a script publish that locks its keys alone is not
/// known: it does not document that. So one that publishes locks the database.
pub(crate) struct MayPublish {
    quiet: Script,
    publishing: Script,
}

impl MayPublish {
    pub(crate) fn new(publishing: Script) -> Self {
        MayPublish { quiet: publishing.clone().key_locking(), publishing }
    }

    pub(crate) fn script(&self, publishes: bool) -> &Script {
        if publishes { &self.publishing } else { &self.quiet }
    }
}
