//! The files, each once in the program, without comments and indentation: a pipeline sends scripts in full, and a Worker is
//! paid for by its size.

/// Reads files as constants.
macro_rules! files {
    ($($name:ident = $file:literal,)*) => {
        $(pub(crate) const $name: &str = {
            const CODE: &str = include_str!($file);
            static STRIPPED: [u8; strip::<0>(CODE).1] = strip(CODE).0;
            match str::from_utf8(&STRIPPED) {
                Ok(code) => code,
                Err(_) => panic!("only whole lines are cut"),
            }
        };)*
    };
}

files! {
    APPEND = "append.lua",
    APPEND_EVENTS = "append_events.lua",
    APPEND_VERSIONED = "append_versioned.lua",
    GROUP_CLAIM = "group_claim.lua",
    GROUP_COMMIT = "group_commit.lua",
    GROUP_REDRIVE = "group_redrive.lua",
    GROUP_REMOVE_CONSUMER = "group_remove_consumer.lua",
    GROUP_TURN = "group_turn.lua",
    LOG_PAGE = "log_page.lua",
    NEXT_ID = "next_id.lua",
    PLAIN = "plain.lua",
    PUT = "put.lua",
    QUERY = "query.lua",
    QUEUE = "queue.lua",
    QUEUE_CLEAR = "queue_clear.lua",
    QUEUE_DEAD = "queue_dead.lua",
    QUEUE_PUSH = "queue_push.lua",
    QUEUE_RECOVER = "queue_recover.lua",
    QUEUE_RESERVE = "queue_reserve.lua",
    QUEUE_RETRY = "queue_retry.lua",
    QUEUE_SETTLE = "queue_settle.lua",
    QUEUE_TURN = "queue_turn.lua",
    REINDEX = "reindex.lua",
    REINDEX_ENTRIES = "reindex_entries.lua",
    REINDEX_FINISH = "reindex_finish.lua",
    REINDEX_RECORDS = "reindex_records.lua",
    REINDEX_ROWS = "reindex_rows.lua",
    REINDEX_START = "reindex_start.lua",
    RETAIN = "retain.lua",
    ROWS = "rows.lua",
    SNAPSHOT = "snapshot.lua",
    STREAM_FACTS = "stream_facts.lua",
    STREAM_MISSED = "stream_missed.lua",
    STREAM_ROOM = "stream_room.lua",
    TOUCH = "touch.lua",
    TRIM = "trim.lua",
    VALUES = "values.lua",
    WRITE = "write.lua",
    WRITE_APPEND = "write_append.lua",
    WRITE_CHANGES = "write_changes.lua",
    WRITE_CLAIMS = "write_claims.lua",
    WRITE_PATCH = "write_patch.lua",
    WRITE_START = "write_start.lua",
}

/// Returns the code without indentation, empty lines and lines of comments, as far as there is room for it, and its length.
#[expect(clippy::indexing_slicing, reason = "it runs when the crate is compiled")]
const fn strip<const ROOM: usize>(code: &str) -> ([u8; ROOM], usize) {
    let code = code.as_bytes();
    let (mut stripped, mut len) = ([0; ROOM], 0);
    let mut at = 0;
    while at < code.len() {
        while at < code.len() && (code[at] == b' ' || code[at] == b'\t') {
            at += 1;
        }
        let is_comment = at + 1 < code.len() && code[at] == b'-' && code[at + 1] == b'-';
        let is_left_out = is_comment || at == code.len() || code[at] == b'\n';
        let mut is_in_line = at < code.len();
        while is_in_line {
            is_in_line = code[at] != b'\n' && at + 1 < code.len();
            if !is_left_out {
                if len < ROOM {
                    stripped[len] = code[at];
                }
                len += 1;
            }
            at += 1;
        }
    }
    (stripped, len)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_and_indentation_are_not_sent() {
        const CODE: &str = "-- What it does.\nlocal text = 'a -- b' -- why\n\n  -- more\n  return text\n";
        let (bytes, len) = strip::<99>(CODE);
        assert_eq!(str::from_utf8(&bytes[..len]).unwrap(), "local text = 'a -- b' -- why\nreturn text\n");
        assert_eq!(strip::<0>(CODE).1, len);
        assert_eq!([strip::<0>("").1, strip::<0>("  ").1, strip::<0>("\n\n").1, strip::<9>("a").1], [0, 0, 0, 1]);
    }

    #[test]
    fn files_end_their_last_lines() {
        assert!(ROWS.ends_with('\n') && !ROWS.contains("\n "));
        assert!(crate::scripts::script(&[ROWS, QUERY]).code().contains("\n"));
    }
}
