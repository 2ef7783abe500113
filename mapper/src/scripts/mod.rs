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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_and_indentation_are_not_sent() {
        let code = "-- What it does.\nlocal text = 'a -- b' -- why\n\n  -- more\n  return text\n";
        assert_eq!(script(code).code(), "local text = 'a -- b' -- why\nreturn text\n");
    }
}
