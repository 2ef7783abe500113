//! What an error shows: Redis's own words, and no argument.

use std::error::Error as _;

use redis_model::redis_rest::{Error, Executor as _, Json, Result, StringCommands as _, Value};
use redis_model_tests::{ENCODINGS, key, stack};

/// All that an error shows when it is logged.
fn shown(error: &Error) -> String {
    let mut all = format!("{error} {error:?}");
    let mut source = error.source();
    while let Some(error) = source {
        all += &format!(" {error} {error:?}");
        source = error.source();
    }
    all
}

#[tokio::test]
async fn redis_repeats_arguments_and_errors_do_not() -> Result<()> {
    let k = &key("hunter2");
    for encoding in ENCODINGS {
        let redis = &stack().builder().encoding(encoding).build()?;
        redis.set(k, "hunter2").await?;
        let commands: [(&[&str], &str); 19] = [
            (
                &["ACL", "SETUSER", "u", ">hunter2", "nonsense-hunter2"],
                "ERR Error in ACL SETUSER modifier '..': Syntax error",
            ),
            (&["ACL", "SETUSER", "u", "x' hunter2 'it's"], "ERR Error in ACL SETUSER modifier '..': Syntax error"),
            (&["ACL", "hunter2"], "ERR Command is not available: '..'. See"),
            (&["ACL", "CAT", "hunter2"], "ERR Unknown category '..'"),
            (&["XGROUP", "hunter2", "k"], "ERR unknown subcommand '..'. Try XGROUP HELP."),
            (
                &["XREADGROUP", "GROUP", "hunter2", "c", "STREAMS", "missing", ">"],
                "NOGROUP No such key '..' in XREADGROUP with GROUP option",
            ),
            (&["HGET", k, "hunter2"], "WRONGTYPE Operation against a key holding the wrong kind of value"),
            (&["SET", k, "1", "hunter2"], "ERR syntax error"),
            (&["JSON.SET", "missing:hunter2", "$.hunter2", "1"], "ERR new objects must be created at the root"),
            (&["JSON.SET", "json", "$", "{hunter2}"], "key must be a string at line 1 column 2"),
            (&["EVAL", "return redis.call('HGET', KEYS[1], 'f')", "1", k], "WRONGTYPE Operation against a key"),
            (
                &["EVAL", "return hunter2 hunter2", "0"],
                "ERR Error compiling script (new function): user_script:1: '<eof>' expected near '..'",
            ),
            (
                &["EVAL", "return redis.error_reply(\"OUT_OF_STOCK can't 'hunter2' today\")", "0"],
                "OUT_OF_STOCK can't '..' today",
            ),
            (
                &["EVAL", "return missing", "0"],
                "ERR user_script:1: Script attempted to access nonexistent global variable 'missing'",
            ),
            (
                &["FUNCTION", "LOAD", "#!lua name=hunter2\nreturn 'hunter2"],
                "ERR Error compiling function: user_function:2: unfinished string near '..'",
            ),
            (&["EXPIRE", k, "1", "hunter2 x"], "ERR Unsupported option .."),
            (&["FUNCTION", "LIST", "hunter2"], "ERR Unknown argument .."),
            (&["FUNCTION", "LOAD", "hunter2", "x"], "ERR Unknown option given: .."),
            (&["EVAL", "#!hunter2\nreturn 1", "0"], "ERR Unexpected engine in script shebang: .."),
        ];
        for (command, expected) in commands {
            let error = redis.execute::<Value>(command).await.unwrap_err();
            assert!(error.message().starts_with(expected), "{expected}: {error}");
            assert!(!shown(&error).contains("hunter2"), "{error:?}");
        }
    }
    Ok(())
}

#[tokio::test]
async fn a_value_that_cannot_be_read_is_in_no_error() -> Result<()> {
    let (redis, k) = (stack().redis(), key("typed"));
    let long = "hunter2 ".repeat(100);
    redis.set(&k, Json(&long)).await?;
    let error = redis.get::<Json<Vec<u8>>>(&k).await.unwrap_err();
    assert!(error.is_decode() && !shown(&error).contains("hunter2"), "{error:?}");
    let source = error.source().map(ToString::to_string);
    assert_eq!(source.as_deref(), Some("invalid type: string, expected a sequence at line 1 column 802"));
    Ok(())
}
