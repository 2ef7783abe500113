//! Typed lists: every method, how elements are stored, and elements that cannot be read.

use std::time::Duration;

use redis_model::commands::expiry::Ttl;
use redis_model::commands::list::Inserted;
use redis_model::commands::list::ListSide::{Left, Right};
use redis_model::list::{PushOptions, RawElement};
use redis_model::prelude::*;
use redis_model::redis_rest::{Build, Command};
use redis_model::{ErrorKind, List};
use serde_derive::{Deserialize, Serialize};

use crate::servers;

#[derive(Debug, Clone, PartialEq, RedisModel)]
#[redis(list, prefix = "inbox")]
struct Message {
    from: String,
    stars: u8,
}

#[derive(Debug, Clone, PartialEq, RedisModel)]
#[redis(list, prefix = "tags", max_len = 3)]
struct Tag(String);

#[derive(Debug, Clone, PartialEq, RedisModel)]
#[redis(list, prefix = "scores")]
struct Score(i64);

#[derive(Debug, Clone, PartialEq, RedisModel)]
#[redis(list, prefix = "hosts", text)]
struct Host(std::net::Ipv4Addr);

impl std::fmt::Display for Host {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

impl std::str::FromStr for Host {
    type Err = std::net::AddrParseError;

    fn from_str(text: &str) -> std::result::Result<Self, Self::Err> {
        text.parse().map(Host)
    }
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, RedisModel)]
#[redis(list, prefix = "points", bincode)]
struct Point {
    x: i32,
    y: Option<i32>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, RedisModel)]
#[redis(list, prefix = "shapes", json)]
enum Shape {
    Circle(f64),
    Line(i32, i32),
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, RedisModel)]
#[redis(list, prefix = "boxes", postcard)]
struct Boxed<T> {
    inner: T,
}

fn line<R>(command: Command<R>) -> String {
    command.validate().unwrap();
    let text = |args: Vec<bytes::Bytes>| {
        args.iter().map(|arg| String::from_utf8_lossy(arg).into_owned()).collect::<Vec<_>>().join(" ")
    };
    command.commands().into_iter().map(text).collect::<Vec<_>>().join(" | ")
}

fn refusal<R>(command: Command<R>) -> String {
    let error = command.validate().err().unwrap();
    assert!(error.is_invalid_input() && !error.may_have_executed());
    error.to_string()
}

#[test]
fn on_the_wire() {
    let (scores, tags) = (Score::list("a"), Tag::list("a"));
    let (one, two) = (Score(1), Score(2));
    assert_eq!(line(scores.pop_front_many(Build, 7)), "LPOP scores:a 7");
    assert_eq!(line(scores.pop_back_many(Build, 7)), "RPOP scores:a 7");
    assert_eq!(line(scores.set(Build, -1, &one)), "LSET scores:a -1 1");
    assert_eq!(line(scores.insert_before(Build, &one, &two)), "LINSERT scores:a BEFORE 1 2");
    assert_eq!(line(scores.insert_after(Build, &one, &two)), "LINSERT scores:a AFTER 1 2");
    assert_eq!(line(scores.remove(Build, -2, &one)), "LREM scores:a -2 1");
    assert_eq!(line(scores.trim(Build, 1..3)), "LTRIM scores:a 1 2");
    assert_eq!(line(scores.trim(Build, 0..0)), "LTRIM scores:a 1 0");
    assert_eq!(line(scores.position(Build, &one)), "LPOS scores:a 1");
    assert_eq!(line(scores.positions(Build, &one)), "LPOS scores:a 1 COUNT 0");
    assert_eq!(line(scores.range_each(Build, -3..)), "LRANGE scores:a -3 -1");
    assert_eq!(line(scores.exists(Build)), "EXISTS scores:a");
    assert_eq!(line(scores.expire(Build, Duration::from_secs(9))), "PEXPIRE scores:a 9000");
    assert_eq!(line(scores.ttl(Build)), "PTTL scores:a");
    assert_eq!(line(scores.persist(Build)), "PERSIST scores:a");
    for (from, to, words) in [
        (Left, Left, "LEFT LEFT"),
        (Left, Right, "LEFT RIGHT"),
        (Right, Left, "RIGHT LEFT"),
        (Right, Right, "RIGHT RIGHT"),
    ] {
        let other = Score::list("b");
        assert_eq!(line(scores.move_to(Build, from, &other, to)), format!("LMOVE scores:a scores:b {words}"));
    }
    let tag = &Tag("x".into());
    assert_eq!(line(tags.push_back(Build, tag)), "RPUSH tags:a x | LTRIM tags:a -3 -1");
    assert_eq!(line(tags.push_front(Build, tag)), "LPUSH tags:a x | LTRIM tags:a 0 2");
    let other = Tag::list("b");
    assert_eq!(line(tags.move_to(Build, Left, &other, Right)), "LMOVE tags:a tags:b LEFT RIGHT | LTRIM tags:b -3 -1");
    let options = PushOptions::new().max_len(1).ttl(Duration::from_secs(9));
    assert_eq!(
        line(tags.push_front_with(Build, [tag, tag], options)),
        "LPUSH tags:a x x | LTRIM tags:a 0 0 | PEXPIRE tags:a 9000"
    );
    let options = PushOptions::new().ttl(Duration::from_secs(9));
    assert_eq!(line(scores.push_back_with(Build, [&one], options)), "RPUSH scores:a 1 | PEXPIRE scores:a 9000");

    assert!(refusal(tags.push_back_with(Build, [tag], PushOptions::new().max_len(0))).contains("at least 1"));
    assert!(
        refusal(scores.push_back_with(Build, [&one], PushOptions::new().ttl(Duration::ZERO)))
            .contains("nothing was sent")
    );
    assert!(refusal(scores.move_to(Build, Left, &Score::list("a:b"), Left)).contains("separates"));
    assert!(refusal(scores.push_back_many(Build, [])).contains("at least one element"));
}

#[test]
fn elements_are_stored_as_the_type_says() {
    let of = |command: Command<u64>| line(command);
    assert_eq!(
        of(Tag::list(1).push_back_with(Build, [&Tag("a \"b\"".into())], PushOptions::new().max_len(9))),
        "RPUSH tags:1 a \"b\" | LTRIM tags:1 -9 -1"
    );
    assert_eq!(of(Score::list(1).push_back(Build, &Score(-7))), "RPUSH scores:1 -7");
    assert_eq!(of(Host::list(1).push_back(Build, &Host([127, 0, 0, 1].into()))), "RPUSH hosts:1 127.0.0.1");
    assert_eq!(of(Point::list(1).push_back(Build, &Point { x: 1, y: None })), "RPUSH points:1 AgA=");
    assert_eq!(of(Shape::list(1).push_back(Build, &Shape::Line(1, 2))), r#"RPUSH shapes:1 {"Line":[1,2]}"#);
    assert_eq!(of(Boxed::<u8>::list(1).push_back(Build, &Boxed { inner: 7_u8 })), "RPUSH boxes:1 Bw==");
    // An element is an argument of any command too.
    assert_eq!(line(Build.rpush("k", [Point { x: 1, y: None }])), "RPUSH k AgA=");
    assert_eq!(line(Build.rpush("k", [Tag("x".into())])), "RPUSH k x");
}

async fn methods(redis: &Redis) -> Result<()> {
    let list = Score::list("methods");
    let scores = |numbers: &[i64]| numbers.iter().copied().map(Score).collect::<Vec<_>>();
    assert!(!list.exists(redis).await?);
    assert_eq!(list.push_back_many(redis, &scores(&[1, 2, 3, 2, 1])).await?, 5);
    assert_eq!(list.position(redis, &Score(2)).await?, Some(1));
    assert_eq!(list.positions(redis, &Score(2)).await?, [1, 3]);
    assert_eq!(list.position(redis, &Score(9)).await?, None);
    list.set(redis, -1, &Score(5)).await?;
    let error = list.set(redis, 99, &Score(5)).await.unwrap_err();
    assert_eq!(
        (error.kind(), error.key(), error.may_have_executed()),
        (ErrorKind::Redis, Some("scores:methods"), false)
    );
    assert_eq!(list.insert_before(redis, &Score(3), &Score(0)).await?, Inserted::Length(6));
    assert_eq!(list.insert_after(redis, &Score(5), &Score(6)).await?, Inserted::Length(7));
    assert_eq!(list.insert_after(redis, &Score(99), &Score(6)).await?, Inserted::NoPivot);
    assert_eq!(Score::list("none").insert_after(redis, &Score(99), &Score(6)).await?, Inserted::NoList);
    assert_eq!(list.range(redis, ..).await?, scores(&[1, 2, 0, 3, 2, 5, 6]));
    assert_eq!(list.remove(redis, -1, &Score(2)).await?, 1);
    assert_eq!(list.remove(redis, 0, &Score(99)).await?, 0);
    assert_eq!(list.range(redis, ..).await?, scores(&[1, 2, 0, 3, 5, 6]));
    list.trim(redis, 1..=4).await?;
    assert_eq!(list.range(redis, ..).await?, scores(&[2, 0, 3, 5]));

    let other = Score::list("other");
    assert_eq!(list.move_to(redis, Left, &other, Right).await?, Some(Score(2)));
    assert_eq!(list.move_to(redis, Right, &other, Left).await?, Some(Score(5)));
    assert_eq!(list.move_to(redis, Left, &list, Right).await?, Some(Score(0)));
    assert_eq!((list.range(redis, ..).await?, other.range(redis, ..).await?), (scores(&[3, 0]), scores(&[5, 2])));
    assert_eq!(Score::list("none").move_to(redis, Left, &other, Left).await?, None);

    let popped = list.pop_back_many(redis, 9).exactly_once().await?;
    assert_eq!(popped.into_iter().collect::<Result<Vec<_>>>()?, scores(&[0, 3]));
    assert!(list.pop_front_many(redis, 9).await?.is_empty());
    assert_eq!(other.pop_front_many(redis, 1).await?.len(), 1);

    assert_eq!(other.ttl(redis).await?, Ttl::Persistent);
    assert!(other.expire(redis, Duration::from_secs(60)).await?);
    assert!(matches!(other.ttl(redis).await?, Ttl::Expires(_)));
    assert!(other.persist(redis).await? && other.exists(redis).await?);
    let options = PushOptions::new().ttl(Duration::from_secs(60));
    assert_eq!(other.push_back_with(redis, &scores(&[7]), options).exactly_once().await?, 2);
    assert!(matches!(other.ttl(redis).await?, Ttl::Expires(_)));
    assert!(other.clear(redis).await?);
    Ok(())
}

async fn bounded(redis: &Redis) -> Result<()> {
    let (list, other) = (Tag::list("bounded"), Tag::list("other"));
    let tags = |text: &str| text.chars().map(|c| Tag(c.to_string())).collect::<Vec<_>>();
    assert_eq!(list.push_back_many(redis, &tags("abcde")).await?, 3);
    assert_eq!(list.range(redis, ..).await?, tags("cde"), "the newest remain");
    assert_eq!(list.push_front(redis, &tags("x")[0]).await?, 3);
    assert_eq!(list.range(redis, ..).await?, tags("xcd"));
    assert_eq!(list.push_back_with(redis, &tags("y"), PushOptions::new().max_len(9)).await?, 4);
    assert_eq!(other.push_back_many(redis, &tags("klm")).await?, 3);
    assert_eq!(list.move_to(redis, Left, &other, Right).await?.as_ref(), Some(&tags("x")[0]));
    assert_eq!(other.range(redis, ..).await?, tags("lmx"));
    // No reader sees a list that is too long, in a pipeline either.
    let pipeline = list.push_back(redis.pipeline(), &tags("z")[0]);
    assert_eq!(list.len(pipeline).exec().await?, (3, 3));
    let mut batch = redis.batch();
    let slots: Vec<_> = tags("pqr").iter().map(|tag| list.push_front(&mut batch, tag)).collect();
    let replies = batch.exec().await?;
    drop((slots, replies));
    assert_eq!(list.range(redis, ..).await?, tags("rqp"));
    Ok(())
}

async fn unreadable(redis: &Redis) -> Result<()> {
    let inbox = Message::list("unreadable");
    let good = Message { from: "ada".into(), stars: 3 };
    let bad = r#"{"from":"eve","stars":"secret"}"#;
    let raw_of =
        |error: &redis_model::Error| String::from_utf8(RawElement::of(error).unwrap().bytes().to_vec()).unwrap();
    let fill = || async {
        inbox.clear(redis).await?;
        inbox.push_back(redis, &good).await?;
        redis.rpush(inbox.key(), [bad]).await?;
        inbox.push_back(redis, &good).await
    };

    fill().await?;
    assert_eq!(inbox.range(redis, ..).await.unwrap_err().field(), Some("stars"));
    let each = inbox.range_each(redis, ..).await?;
    assert_eq!((each[0].as_ref().ok(), each[2].as_ref().ok()), (Some(&good), Some(&good)));
    let error = each[1].as_ref().unwrap_err();
    assert_eq!((raw_of(error).as_str(), error.field(), error.key()), (bad, Some("stars"), Some("inbox:unreadable")));
    assert!(error.to_string().contains("element 1"), "{error}");
    let whole = format!("{error:?} {:?}", std::error::Error::source(error).unwrap());
    assert!(!RawElement::of(error).unwrap().to_string().contains("secret") && !whole.contains("{\"from"), "{whole}");

    // Nothing is lost by popping.
    let popped = inbox.pop_front_many(redis, 2).await?;
    assert_eq!((popped[0].as_ref().ok(), raw_of(popped[1].as_ref().unwrap_err()).as_str()), (Some(&good), bad));
    fill().await?;
    inbox.pop_back(redis).await?;
    assert_eq!(raw_of(&inbox.pop_back(redis).await.unwrap_err()), bad);
    redis.rpush("inbox:moved", [bad]).await?;
    assert_eq!(raw_of(&Message::list("moved").move_to(redis, Left, &inbox, Left).await.unwrap_err()), bad);
    assert_eq!(inbox.len(redis).await?, 2, "moved all the same");
    // The commands of the client keep it as well.
    assert_eq!(raw_of(&redis.lpop::<Message>(inbox.key()).await.unwrap_err()), bad);

    // Bytes that are no text, for each way of storing.
    let bytes: &[u8] = &[0xff, 0xfe];
    redis.rpush("scores:bytes", [bytes]).await?;
    let error = Score::list("bytes").pop_front(redis).await.unwrap_err();
    assert_eq!(RawElement::of(&error).unwrap().bytes(), bytes);
    redis.rpush("points:bad", ["AgA"]).await?;
    assert_eq!(raw_of(&Point::list("bad").pop_front(redis).await.unwrap_err()), "AgA");
    redis.rpush("shapes:bad", ["{}"]).await?;
    assert!(Shape::list("bad").get(redis, 0).await.unwrap_err().is_decode());
    Ok(())
}

async fn stored_and_read<M: ListModel + PartialEq + std::fmt::Debug>(
    redis: &Redis,
    list: List<M>,
    element: M,
) -> Result<()> {
    list.push_back(redis, &element).await?;
    assert_eq!(list.get(redis, 0).await?.as_ref(), Some(&element));
    assert_eq!(list.pop_front(redis).await?, Some(element));
    Ok(())
}

async fn pages(redis: &Redis, blocking: blocking::Redis) -> Result<()> {
    let list = Score::list("pages");
    let all: Vec<_> = (0..1201).map(Score).collect();
    list.push_back_many(redis, &all).await?;
    redis.execute::<()>(["LSET", "scores:pages", "700", "seven hundred"]).await?;

    let mut elements = list.elements(redis, ..);
    let mut read = Vec::new();
    while let Some(element) = elements.next().await {
        read.push(element?);
    }
    assert_eq!(read.len(), 1201);
    let bad: Vec<_> = read.iter().enumerate().filter_map(|(at, element)| Some((at, element.as_ref().err()?))).collect();
    assert_eq!((bad.len(), bad[0].0), (1, 700));
    assert!(bad[0].1.to_string().contains("element 700"), "{}", bad[0].1);
    assert_eq!(read[1200].as_ref().ok(), Some(&Score(1200)));

    // Ranges of either kind of index, as `range` reads them.
    for (start, end) in
        [(0, 10), (3, 503), (3, 504), (-501, -1), (-501, -500), (10, -1190), (-5000, 2), (1200, 5000), (5, 2)]
    {
        let paged =
            list.elements(redis, start..end).collect().await?.into_iter().map(|e| e.map_err(|e| e.to_string()).ok());
        let direct = list.range_each(redis, start..end).await?.into_iter().map(std::result::Result::ok);
        assert_eq!(paged.collect::<Vec<_>>(), direct.collect::<Vec<_>>(), "{start}..{end}");
    }
    let of_thread = std::thread::spawn(move || {
        Score::list("pages")
            .elements(&blocking, -600..)
            .map(|element| element.map(|e| e.is_ok()))
            .collect::<Result<Vec<_>>>()
    });
    let of_thread = tokio::task::spawn_blocking(move || of_thread.join()).await.unwrap().unwrap()?;
    assert_eq!((of_thread.len(), of_thread.iter().filter(|ok| !**ok).count()), (600, 1));

    redis.set("scores:text", "x").await?;
    let mut elements = Score::list("text").elements(redis, ..);
    assert!(elements.next().await.unwrap().unwrap_err().is_wrong_type());
    assert!(elements.next().await.is_none());
    let mut elements = Score::list("a:b").elements(redis, -3..);
    assert!(elements.next().await.unwrap().unwrap_err().is_invalid_input());
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn lists_on_every_server() -> Result<()> {
    for (name, stack) in servers() {
        println!("{name}");
        let redis = &stack.redis();
        methods(redis).await?;
        bounded(redis).await?;
        unreadable(redis).await?;
        pages(redis, stack.blocking()).await?;
        stored_and_read(redis, Tag::list("one"), Tag("a\nb".into())).await?;
        stored_and_read(redis, Host::list("one"), Host([1, 2, 3, 4].into())).await?;
        stored_and_read(redis, Point::list("one"), Point { x: -1, y: Some(2) }).await?;
        stored_and_read(redis, Shape::list("one"), Shape::Circle(0.5)).await?;
        stored_and_read(redis, Boxed::list("one"), Boxed { inner: "x".to_owned() }).await?;
        stored_and_read(redis, Message::list("one"), Message { from: "ada".into(), stars: 1 }).await?;
    }
    Ok(())
}
