//! Scripts, functions, and publishing.

use redis_model::redis_rest::commands::flush::FlushMode;
use redis_model::redis_rest::{
    Build, FromReply as _, FunctionCommands, PubSubCommands, Script, ScriptingCommands, StringCommands as _,
};

use crate::{line, lines, refusal};

const NONE: [&str; 0] = [];

#[test]
fn scripts_as_values() {
    let script = Script::new("return \"hi\"");
    assert_eq!(script.sha1(), "8dbff8b41674e20cc8068fb1b0c18529d5b08f5e");
    let call = |script: &Script| Build.run_script::<String>(script.key("k").arg("a"));
    assert_eq!(line(call(&script)), format!("EVALSHA {} 1 k a", script.sha1()));
    let reading = script.clone().read_only();
    assert_eq!(line(call(&reading)), format!("EVALSHA_RO {} 1 k a", script.sha1()));
    let group = call(&script).and(call(&script), |mut replies| String::from_reply(replies.expect_next()?));
    let whole = "EVAL return \"hi\" 1 k a";
    assert_eq!(lines(&group), [whole.to_owned(), format!("EVALSHA {} 1 k a", script.sha1())]);
    let group = Build.get::<i64>("k").and(call(&reading), |mut replies| i64::from_reply(replies.expect_next()?));
    assert_eq!(lines(&group), ["GET k", "EVAL_RO return \"hi\" 1 k a"]);
}

#[test]
fn scripts() {
    assert_eq!(line(Build.eval::<i64>("return 1", ["a", "b"], [5])), "EVAL return 1 2 a b 5");
    assert_eq!(line(Build.eval_ro::<i64>("return 1", NONE, NONE)), "EVAL_RO return 1 0");
    assert_eq!(line(Build.evalsha::<i64>("e0e1", ["a"], NONE)), "EVALSHA e0e1 1 a");
    assert_eq!(line(Build.evalsha_ro::<i64>("e0e1", NONE, ["x"])), "EVALSHA_RO e0e1 0 x");
    assert_eq!(line(Build.script_exists(["a", "b"])), "SCRIPT EXISTS a b");
    assert_eq!(line(Build.script_flush()), "SCRIPT FLUSH");
    assert_eq!(line(Build.script_flush_with(FlushMode::Async)), "SCRIPT FLUSH ASYNC");
    assert_eq!(line(Build.script_flush_with(FlushMode::Sync)), "SCRIPT FLUSH SYNC");
    assert_eq!(line(Build.script_kill()), "SCRIPT KILL");
    assert_eq!(line(Build.script_load("return 1")), "SCRIPT LOAD return 1");
    assert!(refusal(Build.script_exists(NONE)).contains("at least one SHA-1"));
}

#[test]
fn functions() {
    assert_eq!(line(Build.fcall::<i64>("f", ["a", "b"], [5])), "FCALL f 2 a b 5");
    assert_eq!(line(Build.fcall_ro::<i64>("f", NONE, NONE)), "FCALL_RO f 0");
    assert_eq!(line(Build.function_delete("lib")), "FUNCTION DELETE lib");
    assert_eq!(line(Build.function_flush()), "FUNCTION FLUSH");
    assert_eq!(line(Build.function_flush_with(FlushMode::Async)), "FUNCTION FLUSH ASYNC");
    assert_eq!(line(Build.function_flush_with(FlushMode::Sync)), "FUNCTION FLUSH SYNC");
    assert_eq!(line(Build.function_kill()), "FUNCTION KILL");
    assert_eq!(line(Build.function_list(None)), "FUNCTION LIST");
    assert_eq!(line(Build.function_list_withcode(Some("a*"))), "FUNCTION LIST LIBRARYNAME a* WITHCODE");
    assert_eq!(line(Build.function_load("#!lua")), "FUNCTION LOAD #!lua");
    assert_eq!(line(Build.function_load_replace("#!lua")), "FUNCTION LOAD REPLACE #!lua");
    assert_eq!(line(Build.function_stats()), "FUNCTION STATS");
}

#[test]
fn publishing() {
    assert_eq!(line(Build.publish("chat", "hi")), "PUBLISH chat hi");
    assert_eq!(line(Build.pubsub_channels::<String>(None)), "PUBSUB CHANNELS");
    assert_eq!(line(Build.pubsub_channels::<String>(Some("a*"))), "PUBSUB CHANNELS a*");
    assert_eq!(line(Build.pubsub_numpat()), "PUBSUB NUMPAT");
    assert_eq!(line(Build.pubsub_numsub::<String>(["a", "b"])), "PUBSUB NUMSUB a b");
}
