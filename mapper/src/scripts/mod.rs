//! The scripts of this folder, as they are sent.

use redis_rest::Script;

/// Creates a script without the comments and the indentation of its code: a pipeline sends scripts in full.
pub(crate) fn script(code: &str) -> Script {
    let mut sent = String::with_capacity(code.len());
    let lines = code.lines().map(str::trim_start);
    for line in lines.filter(|line| !line.is_empty() && !line.starts_with("--")) {
        sent.push_str(line);
        sent.push('\n');
    }
    Script::new(sent)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_and_indentation_are_not_sent() {
        let code = "-- What it does.\nlocal text = 'a -- b' -- why\n\n  -- more\n  return text\n";
        assert_eq!(script(code).code(), "local text = 'a -- b' -- why\nreturn text\n");
    }
}
