//! What the pages show.

use redis_model::HashModel as _;
use redis_model_tests::{own_servers, own_stack, own_valkey};

use crate::demo::{self, fill, run};
use crate::site::{Site, events};

/// Returns whether a page has all of these texts. Says which one it lacks.
fn has(page: &str, texts: &[&str]) {
    for text in texts {
        assert!(page.contains(text), "no {text:?} in {page}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn everything_that_the_mapper_writes_is_shown() {
    let mut shown = 0;
    for (_, stack) in own_servers() {
        let site = Site::start(stack).await;
        fill(&site).await;
        overview(&site).await;
        records(&site).await;
        streams(&site).await;
        others(&site).await;
        shown += 1;
    }
    // The stack of all tests has the JSON module.
    let site = Site::start(own_stack()).await;
    run(&site, &["JSON.SET", "doc:1", "$", r#"{"title":"<b>","n":[1,2]}"#]).await;
    has(&site.key("doc:1").await, &["Document", "{&quot;title&quot;:&quot;&lt;b&gt;&quot;,&quot;n&quot;:[1,2]}"]);
    println!("{shown} servers");
}

async fn overview(site: &Site) {
    let page = site.page("/").await;
    has(
        &page,
        &[
            "Overview",
            ">User</td>",
            ">Device</td>",
            "country+age",
            "email (unique)",
            "key=device%3A%3Aindex%3Aserial%3A0",
        ],
    );
    has(&page, &["data-column=\"Records\">7<", "data-column=\"Records\">9<", "7 hashes", "1 list", "1 stream"]);
}

async fn records(site: &Site) {
    let redis = &site.redis();
    // The mapper's own check, and the view's, agree about each record, whatever it holds.
    for id in 1..=7 {
        let page = site.key(&format!("user:{id}")).await;
        has(&page, &["The indexes agree with the record.", "country+age", "in the index", "agrees with the field"]);
        // An address and a time are indexed in a form that only the program knows.
        assert_eq!(page.matches("not compared").count(), 2, "{page}");
        assert!(!page.contains("missing in the index") && !page.contains("differs"), "{page}");
    }
    for id in 1..=9 {
        has(&site.key(&format!("device:d{id}")).await, &["The indexes agree with the record."]);
    }
    has(&site.key("user:7").await, &["1 h 23 min", "Expiry mark", "agrees with the key"]);
    has(&site.key("user:4").await, &["<code>-1.5</code>", "[[&quot;dark&quot;,true],[&quot;sound&quot;,false]]"]);

    run(site, &["HSET", "user:1", "age", "99"]).await;
    has(&site.key("user:1").await, &["The indexes do not agree", "User::reindex", "differs from the field"]);
    run(site, &["ZREM", "user::index:email", "user2@example.org\x002"]).await;
    has(&site.key("user:2").await, &["The indexes do not agree", "missing in the index"]);
    run(site, &["HSET", "user:100", "id", "100", "email", "x"]).await;
    has(&site.key("user:100").await, &["The record is in no index"]);
    run(site, &["PERSIST", "user:7"]).await;
    has(&site.key("user:7").await, &["The indexes do not agree", "the key expires at another time"]);
    // The record without most of its fields cannot be in an index.
    assert_eq!(demo::User::reindex_to_end(redis).await.unwrap().errors.len(), 1);
    for id in [1, 2, 7] {
        has(&site.key(&format!("user:{id}")).await, &["The indexes agree with the record."]);
    }

    has(&site.key("user::index:country+age").await, &["<code>tr</code> + <code>1</code>", "key=user%3A3"]);
    has(&site.key("user::index:score").await, &["<code>-1.5</code>", "<code>0</code>"]);
    has(&site.key("user::index:levels").await, &["<code>9</code>", "<code>10</code>"]);
    has(&site.key("user::rows").await, &["Marks", "Rows", "email: <code>user3@example.org</code>"]);
    has(&site.key("device::index:serial:1").await, &["Entries"]);
}

async fn streams(site: &Site) {
    let page = site.key("order-events:17").await;
    has(&page, &["quantity", "carrier", "billing", "live tail", "Added in all", "newest first"]);
    assert!(page.find("Shipped").unwrap() < page.find("Placed").unwrap());
    let old = site.page("/key?key=order-events%3A17&order=old").await;
    assert!(old.find("Shipped").unwrap() > old.find("Placed").unwrap());
    has(
        &site.page("/groups").await,
        &["order-events:17", "billing", "data-column=\"Lag\">1<", "data-column=\"Dead letters\">1<"],
    );
    let page = site.page("/group?key=order-events%3A17&group=billing").await;
    has(
        &page,
        &["worker-1", "Pending entries", "Placed", "Dead letters", "card declined", "data-column=\"Deliveries\">1<"],
    );
    // A browser that connects again says what it has seen, and gets the rest.
    let path = "/tail/events?key=order-events%3A17&after=0-0";
    let first = events(site, path, &[], "Placed").await;
    let id = first.split("id: ").nth(1).unwrap().split('\n').next().unwrap();
    let rest = events(site, path, &[("last-event-id", id)], "Shipped").await;
    assert!(rest.contains("Paid") && !rest.contains("Placed"), "{rest}");
    // Entries that are larger together than one read may be.
    let large = "v".repeat(3_000_000);
    for number in ["1-0", "2-0", "3-0", "4-0"] {
        run(site, &["XADD", "large:1", number, "f", &large]).await;
    }
    let read = events(site, "/tail/events?key=large%3A1&after=0-0", &[], "id: 4-0").await;
    assert_eq!(read.matches("event: entry").count(), 4);
    run(site, &["XADD", "large:1", "5-0", "f", &"v".repeat(9_000_000)]).await;
    events(site, "/tail/events?key=large%3A1&after=4-0", &[], "larger than 8 MB").await;
    events(site, "/tail/events?key=inbox%3A42&after=4-0", &[], "event: notice").await;
    run(site, &["DEL", "large:1"]).await;
    // A pending entry that was trimmed is lost.
    run(site, &["XTRIM", "order-events:17", "MAXLEN", "=", "1"]).await;
    has(&site.page("/group?key=order-events%3A17&group=billing").await, &["the entry was trimmed or deleted"]);
    has(&site.page("/tail?key=order-events%3A17").await, &["id=\"tail\"", "<noscript>", "role=\"status\"", "Shipped"]);
}

async fn others(site: &Site) {
    let first = site.key("inbox:42").await;
    has(&first, &["120 elements", "message 1", "message 50", "offset=50", "offset=70", "Last"]);
    assert!(!first.contains("message 51"));
    has(&site.page("/key?key=inbox%3A42&offset=100").await, &["message 101", "message 120", "Previous"]);
    has(&site.page("/value?key=inbox%3A42&index=3").await, &["Position 3", "message 4"]);
    let queue = site.key("job:images::queue:reserved").await;
    has(
        &queue,
        &["The queue", "the jobs of a work queue that wait", "data-column=\"Count\">2<", "2023-11-14 22:13:20"],
    );
    has(&site.key("greeting").await, &["hello", "5 B", "it does not expire"]);
    has(&site.key("colours").await, &["red", "blue", "2 members"]);
    has(&site.key("scores").await, &["cahit", "1.5"]);
    has(&site.key("document").await, &["{\n  &quot;a&quot;: [\n    1,\n    2\n  ],\n", "JSON"]);

    has(&site.page("/keys?search=user%3A1").await, &[">user:1<", ">user:100<"]);
    let lists = site.page("/keys?type=list").await;
    assert!(lists.contains("inbox:42") && !lists.contains("user:1"));
    has(&site.page("/keys?search=*box*").await, &["inbox:42"]);
    has(&site.page("/keys?search=nothing").await, &["There are no such keys."]);

    let long = "x".repeat(5_000);
    run(site, &["HSET", "long", "field", &long]).await;
    let page = site.key("long").await;
    assert!(page.contains("Show all 4.9 KB") && !page.contains(&long));
    has(&site.page("/value?key=long&field=field").await, &[&long]);
    let part = "y".repeat(300_000);
    run(site, &["SET", "longer", &part]).await;
    has(&site.key("longer").await, &["Next part", "293.0 KB"]);

    for (path, status) in [
        ("/key?key=nothing", 404),
        ("/key", 400),
        ("/group?key=greeting&group=x", 404),
        ("/group?key=order-events%3A17&group=nobody", 404),
        ("/value?key=long&field=nothing", 404),
        ("/value?key=greeting&index=0", 422),
        ("/tail?key=greeting", 422),
        ("/tail/events?key=order-events%3A17&after=x", 400),
        ("/elsewhere", 404),
    ] {
        assert_eq!(site.get(path).await.status, status, "{path}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_of_large_stores_are_small() {
    let site = Site::start(own_valkey()).await;
    run(
        &site,
        &[
            "EVAL",
            "for i = 1, 60000 do redis.call('SET', 'bulk:' .. i, i) end
             for i = 1, 50000 do
               redis.call('RPUSH', 'l', i) redis.call('HSET', 'h', i, i) redis.call('SADD', 's', i)
               redis.call('ZADD', 'z', i, i) redis.call('XADD', 'x:1', i .. '-0', 'f', i)
             end
             redis.call('XGROUP', 'CREATE', 'x:1', 'g', '0')
             redis.call('XREADGROUP', 'GROUP', 'g', 'c', 'COUNT', 5000, 'STREAMS', 'x:1', '>')
             local value = string.rep('v', 2000000)
             for i = 1, 30 do
               redis.call('RPUSH', 'large', value) redis.call('HSET', 'hlarge', i, value)
               redis.call('XADD', 'xlarge', '*', 'f', value)
             end
             redis.call('SET', 'string', string.rep('s', 20000000))",
            "0",
        ],
    )
    .await;
    for (path, more) in [
        ("/", "Look at more keys"),
        ("/keys", "More keys"),
        ("/keys?search=nothing", "None among the keys looked at so far."),
        ("/key?key=l", "Next"),
        ("/key?key=h", "More"),
        ("/key?key=s", "More"),
        ("/key?key=z", "Next"),
        ("/key?key=x%3A1", "Older"),
        ("/key?key=large", "Next"),
        ("/key?key=hlarge", "Show all 1.9 MB"),
        ("/key?key=xlarge", "Older"),
        ("/key?key=string", "Next part"),
        ("/tail?key=xlarge", "xlarge"),
        ("/group?key=x%3A1&group=g", "Later ones"),
    ] {
        let started = std::time::Instant::now();
        let answer = site.get(path).await;
        println!("{path}: {} {} bytes in {:?}", answer.status, answer.body.len(), started.elapsed());
        assert!(answer.body.contains(more), "{path}: {:.3000}", answer.body);
        assert!(answer.body.len() < 600_000, "{path}: {}", answer.body.len());
    }
    // Pages lead from one to the next, and miss nothing.
    let mut found = std::collections::BTreeSet::new();
    let mut path = "/key?key=x%3A1&order=old".to_owned();
    for _ in 0..3 {
        let page = site.page(&path).await;
        found.extend(
            page.split("data-id=\"").skip(1).map(|rest| rest.split('-').next().unwrap().parse::<u64>().unwrap()),
        );
        let link = page.split("<a href=\"").find(|rest| rest.contains(">Newer<")).unwrap();
        path = link.split('"').next().unwrap().replace("&amp;", "&");
    }
    assert_eq!(found, (1..=150).collect());
}
