//! The commands that write a record of 12 fields with 3 indexes: ours, and those of a program without this crate.

use redis_model::prelude::*;
use redis_model::redis_rest::Build;
use redis_model_tests::user::User;

use crate::server::{Line, line};

/// The script call that inserts it.
pub(crate) fn put(user: &User) -> Line {
    line(user.insert(Build).args())
}

/// The same script call, with a place to keep the outcome.
pub(crate) fn put_with_nonce(user: &User) -> Line {
    let mut call = put(user);
    let keys: usize = std::str::from_utf8(&call[2]).ok().and_then(|text| text.parse().ok()).unwrap_or_default();
    call[3 + keys] = b"20000".to_vec();
    call.insert(3, format!("user::once:{:032}", user.id).into_bytes());
    call[2] = (keys + 1).to_string().into_bytes();
    call
}

/// The `HSET` of all fields.
pub(crate) fn hset(user: &User) -> Line {
    let insert = put(user);
    // The fields are the last arguments.
    let fields = insert[insert.len() - 24..].iter().cloned();
    [b"HSET".to_vec(), format!("user:{}", user.id).into_bytes()].into_iter().chain(fields).collect()
}

/// The insert by hand, of one record and three entries.
pub(crate) fn by_hand(user: &User) -> Vec<Line> {
    let zadd = |index: &str, value: &str| {
        line(["ZADD", &format!("user::index:{index}"), "0", &format!("{value}\0{}", user.id)])
    };
    vec![
        line(["MULTI"]),
        hset(user),
        zadd("email", &user.email),
        zadd("country", &user.country),
        zadd("age", &user.age.to_string()),
        line(["EXEC"]),
    ]
}
