//! What is wrong with the keys of a model's indexes: the same text for writes, queries and `reindex`.

use redis_rest::{Error, ErrorKind};

use super::layout::StoredLayout;
use crate::mismatch::excerpt;

/// Returns the error for what a script says about the keys, or `None` if it says something else.
///
/// `model` and `prefix` are those of the program. `detail` is the label that was found, or the key that was not.
pub(crate) fn error_of(state: &str, model: &str, prefix: &str, detail: &str) -> Option<Error> {
    let message = match state {
        "layout" => message_of_other(model, prefix, detail),
        "lost" => format!(
            "the key {} of the indexes of {model} was deleted or evicted, so they are incomplete; run `{model}::reindex`",
            excerpt(detail)
        ),
        "building" => {
            format!("the indexes of {model} are being built; query again when `{model}::reindex` has finished")
        }
        _ => return None,
    };
    Some(Error::new(ErrorKind::Index, message))
}

fn message_of_other(model: &str, prefix: &str, label: &str) -> String {
    let stored = StoredLayout::model_of_label(label);
    if stored == model {
        return format!(
            "the indexes of {model} are those of another version of the model. If this program is the newer one, run \
             `{model}::reindex`; if not, update it. Stored: {}",
            excerpt(label)
        );
    }
    format!(
        "the prefix {prefix:?} belongs to the indexes of `{}`; use another prefix for `{model}`, or run `{model}::reindex` if \
         the model was renamed",
        stored.escape_debug()
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_version_and_another_model() {
        let message = |label| error_of("layout", "User", "user", label).unwrap().message().to_owned();
        assert!(message("0123abcd User;age i;age=1").contains("another version of the model"));
        assert_eq!(
            message("0123abcd Account;age i;age=1"),
            "the prefix \"user\" belongs to the indexes of `Account`; use another prefix for `User`, or run `User::reindex` if \
             the model was renamed"
        );
    }
}
