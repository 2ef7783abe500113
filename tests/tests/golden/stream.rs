use std::time::{Duration, UNIX_EPOCH};

use redis_model::redis_rest::commands::stream::{
    GroupPosition, GroupStart, NewId, ReadPosition, RefPolicy, StreamId, Trim, XAddOptions, XClaimOptions,
    XGroupCreateOptions, XPendingOptions, XReadGroupOptions,
};
use redis_model::redis_rest::{Build, StreamCommands};

use crate::{line, refusal};

type Fields = Vec<(String, String)>;

const ID: StreamId = StreamId::new(5, 1);
const SECOND: Duration = Duration::from_secs(1);

#[test]
fn entries() {
    assert_eq!(line(Build.xadd("k", [("f", "v")])), "XADD k * f v");
    let xadd = |options| line(Build.xadd_with("k", [("f", "v")], options));
    assert_eq!(xadd(XAddOptions::new().id(NewId::At(7)).no_mkstream()), "XADD k NOMKSTREAM 7-* f v");
    let trim = Trim::max_len(10).approximately().limit(5).policy(RefPolicy::Acked);
    assert_eq!(xadd(XAddOptions::new().id(NewId::Exact(ID)).trim(trim)), "XADD k ACKED MAXLEN ~ 10 LIMIT 5 5-1 f v");
    assert_eq!(line(Build.xdel("k", [ID])), "XDEL k 5-1");
    assert_eq!(line(Build.xdelex("k", [ID, ID], RefPolicy::Delete)), "XDELEX k DELREF IDS 2 5-1 5-1");
    assert_eq!(line(Build.xlen("k")), "XLEN k");
    assert_eq!(line(Build.xrange::<Fields>("k", .., None)), "XRANGE k - +");
    assert_eq!(
        line(Build.xrange::<Fields>("k", ID..StreamId::MAX, Some(2))),
        format!("XRANGE k 5-1 ({} COUNT 2", StreamId::MAX)
    );
    assert_eq!(line(Build.xrevrange::<Fields>("k", ID.., Some(1))), "XREVRANGE k + 5-1 COUNT 1");
    let streams = [("a", StreamId::MIN), ("b", ID)];
    assert_eq!(line(Build.xread::<String, Fields>(streams, Some(2))), "XREAD COUNT 2 STREAMS a b 0-0 5-1");
    let streams = [("a", ReadPosition::Last), ("b", ReadPosition::End), ("c", ID.into())];
    assert_eq!(line(Build.xread::<String, Fields>(streams, None)), "XREAD STREAMS a b c + $ 5-1");
    assert_eq!(line(Build.xtrim("k", Trim::min_id(ID))), "XTRIM k MINID 5-1");
    assert_eq!(line(Build.xtrim("k", trim)), "XTRIM k MAXLEN ~ 10 LIMIT 5 ACKED");
}

#[test]
fn groups() {
    assert_eq!(line(Build.xack("k", "g", [ID])), "XACK k g 5-1");
    assert_eq!(line(Build.xackdel("k", "g", [ID], RefPolicy::Keep)), "XACKDEL k g KEEPREF IDS 1 5-1");
    assert_eq!(
        line(Build.xautoclaim::<Fields>("k", "g", "c", SECOND, StreamId::MIN, Some(9))),
        "XAUTOCLAIM k g c 1000 0-0 COUNT 9"
    );
    assert_eq!(
        line(Build.xautoclaim_justid("k", "g", "c", SECOND, StreamId::MIN, None)),
        "XAUTOCLAIM k g c 1000 0-0 JUSTID"
    );
    let options = XClaimOptions::new().idle(SECOND).retry_count(3).force();
    assert_eq!(
        line(Build.xclaim::<Fields>("k", "g", "c", SECOND, [ID], options)),
        "XCLAIM k g c 1000 5-1 IDLE 1000 RETRYCOUNT 3 FORCE"
    );
    // Of an idle time and a time, the last one set counts.
    let options = XClaimOptions::new().idle(SECOND).time(UNIX_EPOCH + SECOND).last_id(ID);
    assert_eq!(
        line(Build.xclaim::<Fields>("k", "g", "c", SECOND, [ID], options)),
        "XCLAIM k g c 1000 5-1 TIME 1000 LASTID 5-1"
    );
    let before = XClaimOptions::new().time(UNIX_EPOCH - SECOND);
    assert!(refusal(Build.xclaim_justid("k", "g", "c", SECOND, [ID], before)).contains("before 1970"));
    assert_eq!(
        line(Build.xclaim_justid("k", "g", "c", SECOND, [ID], XClaimOptions::new())),
        "XCLAIM k g c 1000 5-1 JUSTID"
    );
    assert_eq!(line(Build.xgroup_create_mkstream("k", "g", GroupStart::Beginning)), "XGROUP CREATE k g 0 MKSTREAM");
    assert_eq!(line(Build.xgroup_create("k", "g", GroupStart::End)), "XGROUP CREATE k g $");
    let options = XGroupCreateOptions::new().entries_read(7).mkstream();
    assert_eq!(
        line(Build.xgroup_create_with("k", "g", GroupStart::End, options)),
        "XGROUP CREATE k g $ MKSTREAM ENTRIESREAD 7"
    );
    assert_eq!(line(Build.xgroup_createconsumer("k", "g", "c")), "XGROUP CREATECONSUMER k g c");
    assert_eq!(line(Build.xgroup_delconsumer("k", "g", "c")), "XGROUP DELCONSUMER k g c");
    assert_eq!(line(Build.xgroup_destroy("k", "g")), "XGROUP DESTROY k g");
    assert_eq!(line(Build.xgroup_setid("k", "g", GroupStart::After(ID))), "XGROUP SETID k g 5-1");
    assert_eq!(line(Build.xgroup_setid("k", "g", GroupStart::End)), "XGROUP SETID k g $");
    assert_eq!(
        line(Build.xgroup_setid_entriesread("k", "g", GroupStart::After(ID), 7)),
        "XGROUP SETID k g 5-1 ENTRIESREAD 7"
    );
    assert_eq!(line(Build.xinfo_consumers("k", "g")), "XINFO CONSUMERS k g");
    assert_eq!(line(Build.xinfo_groups("k")), "XINFO GROUPS k");
    assert_eq!(line(Build.xinfo_stream::<Fields>("k")), "XINFO STREAM k");
    assert_eq!(line(Build.xinfo_stream_full::<Fields>("k", None)), "XINFO STREAM k FULL");
    assert_eq!(line(Build.xinfo_stream_full::<Fields>("k", Some(2))), "XINFO STREAM k FULL COUNT 2");
    assert_eq!(line(Build.xpending("k", "g")), "XPENDING k g");
    let options = XPendingOptions::new().idle(SECOND).consumer("c");
    assert_eq!(line(Build.xpending_range("k", "g", .., 9, options)), "XPENDING k g IDLE 1000 - + 9 c");
    assert_eq!(line(Build.xpending_range("k", "g", ID.., 9, XPendingOptions::new())), "XPENDING k g 5-1 + 9");
    let streams = [("a", GroupPosition::New), ("b", GroupPosition::PendingAfter(ID))];
    let options = XReadGroupOptions::new().count(2).no_ack();
    assert_eq!(
        line(Build.xreadgroup::<String, Fields>("g", "c", streams, options)),
        "XREADGROUP GROUP g c COUNT 2 NOACK STREAMS a b > 5-1"
    );
}

#[test]
fn what_redis_would_refuse_is_not_sent() {
    let nothing: [(&str, &str); 0] = [];
    assert!(refusal(Build.xadd("k", nothing)).contains("at least one field and value"));
    assert!(refusal(Build.xack("k", "g", [] as [StreamId; 0])).contains("at least one id"));
    assert!(refusal(Build.xread::<String, Fields>([] as [(&str, StreamId); 0], None)).contains("at least one stream"));
    assert!(refusal(Build.xrange::<Fields>("k", .., Some(0))).contains("at least 1"));
    assert!(refusal(Build.xtrim("k", Trim::max_len(1).limit(1))).contains("only an approximate trim"));
}
