//! Tokens, several logs, slow consumers, and readers that end in the middle.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use redis_model::Since;
use redis_model::prelude::*;
use redis_model::stream::{TailOptions, TailToken};
use redis_model_tests::{key, own_stack};

use crate::switch::Switch;
use crate::{SOON, Tick, append, eager, numbers, servers};

#[tokio::test]
async fn a_token_continues_after_the_last_entry_that_was_yielded() -> Result<()> {
    for (_, stack) in servers() {
        let redis = stack.redis();
        let log = Tick::log(key("token"));
        append(&redis, &log, 0..100).await?;
        let mut seen = Vec::new();
        let mut token = TailToken::default();
        while seen.len() < 100 {
            // It reads whole pages, and ends in the middle of one.
            let options = eager().page(20).resume(token);
            let mut tail = log.tail_with(&redis, Since::Start, options);
            seen.extend(numbers(&mut tail, 7.min(100 - seen.len())).await?);
            token = tail.token().to_string().parse()?;
        }
        assert_eq!(seen, (0..100).collect::<Vec<_>>());

        let mut other = Tick::log(key("other")).tail_with(&redis, Since::Start, eager().resume(token));
        let error = other.next().await.unwrap().unwrap_err();
        assert!(error.is_invalid_input() && error.key() == Some(log.key()), "{error}");
        assert!(other.next().await.is_none());
        // Before the start there is nothing to continue from. From then on, `Now` is fixed.
        let mut now = log.tail_with(&redis, Since::Now, eager());
        assert_eq!(now.token(), TailToken::default());
        now.started().await?;
        let token = now.token();
        drop(now);
        append(&redis, &log, 100..103).await?;
        let mut later = log.tail_with(&redis, Since::Now, eager().resume(token));
        assert_eq!(numbers(&mut later, 3).await?, [100, 101, 102]);
    }
    Ok(())
}

/// Is run by the test below, in a process of its own.
#[tokio::test]
async fn child() -> Result<()> {
    let Ok(folder) = std::env::var("TAIL_CHILD").map(PathBuf::from) else { return Ok(()) };
    let setting = |name: &str| std::fs::read_to_string(folder.join(name)).unwrap_or_default();
    let redis = Redis::new(setting("url"), setting("gateway"))?;
    let log = Tick::log(setting("log"));
    let place = setting("place");
    let options = TailOptions::new();
    let options = if place.is_empty() { options } else { options.resume(place.parse()?) };
    let mut tail = log.tail_with(&redis, Since::Start, options);
    let mut seen = setting("seen");
    for number in numbers(&mut tail, 40).await? {
        seen = format!("{seen}{number} ");
    }
    std::fs::write(folder.join("seen"), seen).unwrap();
    std::fs::write(folder.join("place"), serde_json::to_string(&tail.token()).unwrap().trim_matches('"')).unwrap();
    // It does not end in an orderly way.
    std::process::abort();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_token_outlives_the_process() -> Result<()> {
    let stack = own_stack();
    let k = key("process");
    append(&stack.redis(), &Tick::log(&k), 0..120).await?;
    let folder = std::env::temp_dir().join(format!("redis-model-tail-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    for (name, text) in [("url", stack.gateway.url()), ("gateway", stack.gateway.token().to_owned()), ("log", k)] {
        std::fs::write(folder.join(name), text).unwrap();
    }
    for _ in 0..3 {
        let mut child = Command::new(std::env::current_exe().unwrap());
        let child = child.args(["--exact", "resume::child"]).env("TAIL_CHILD", &folder).output().unwrap();
        assert!(!child.status.success());
    }
    let seen = std::fs::read_to_string(folder.join("seen")).unwrap();
    let seen: Vec<u64> = seen.split_whitespace().map(|number| number.parse().unwrap()).collect();
    assert_eq!(seen, (0..120).collect::<Vec<_>>());
    std::fs::remove_dir_all(&folder).unwrap();
    Ok(())
}

#[tokio::test]
async fn several_logs_in_one_tail() -> Result<()> {
    for (name, stack) in servers() {
        let switch = Arc::new(Switch::default());
        let (redis, writer) = (switch.redis(&stack), stack.redis());
        let logs: Vec<_> = (0..5).map(|number| Tick::log(format!("{}-{number}", key("many")))).collect();
        for log in &logs[..4] {
            append(&writer, log, 0..300).await?;
        }
        let since = [Since::Start, Since::Last(2), Since::Now, Since::Start, Since::Start];
        let all = || logs.iter().cloned().zip(since);
        let mut tail = Tick::tail_many_with(&redis, all(), TailOptions::new().page(100));
        tail.started().await?;
        let mut expected: Vec<Vec<u64>> = vec![(0..300).collect(), vec![298, 299], vec![], (0..300).collect(), vec![]];
        for (log, expected) in logs.iter().zip(&mut expected) {
            append(&writer, log, 1000..1010).await?;
            expected.extend(1000..1010);
        }
        let mut seen: BTreeMap<String, Vec<u64>> = BTreeMap::new();
        let count: usize = expected.iter().map(Vec::len).sum();
        let mut token = tail.token();
        for number in 0..count {
            if number == 350 {
                // In the middle of a page.
                tail = Tick::tail_many_with(&redis, all(), TailOptions::new().page(100).resume(token.clone()));
            }
            let item = tokio::time::timeout(SOON, tail.next()).await.unwrap().unwrap()?;
            seen.entry(item.log.key().to_owned()).or_default().push(item.entry.event?.number);
            token = tail.token();
        }
        for (log, expected) in logs.iter().zip(&expected) {
            assert_eq!(seen.get(log.key()), Some(expected), "{name}");
        }
        // 652 entries in pages of 20 a log.
        assert!(switch.requests() < 40, "{name}: {} requests", switch.requests());

        // One log that is deleted does not disturb the others.
        writer.del(logs[0].key()).await?;
        append(&writer, &logs[1], [7]).await?;
        let mut items = Vec::new();
        for _ in 0..2 {
            items.push(tokio::time::timeout(SOON, tail.next()).await.unwrap().unwrap());
        }
        let lagged = items.iter().find_map(|item| item.as_ref().err()).unwrap();
        assert!(lagged.is_lagged() && lagged.key() == Some(logs[0].key()), "{lagged}");

        let twice = [(logs[0].clone(), Since::Start), (logs[0].clone(), Since::Now)];
        assert!(Tick::tail_many(&redis, twice).next().await.unwrap().unwrap_err().is_invalid_input());
        assert!(Tick::tail_many(&redis, []).next().await.is_none());
    }
    Ok(())
}

#[tokio::test]
async fn a_slow_consumer_holds_one_page() -> Result<()> {
    let stack = own_stack();
    let switch = Arc::new(Switch::default());
    let (redis, writer) = (switch.redis(&stack), stack.redis());
    let log = Tick::log(key("slow"));
    append(&writer, &log, 0..1000).await?;
    let mut tail = log.tail_with(&redis, Since::Start, TailOptions::new().page(50));
    let mut seen = numbers(&mut tail, 1).await?;
    let requests = switch.requests();
    append(&writer, &log, 1000..2000).await?;
    tokio::time::sleep(Duration::from_millis(300)).await;
    seen.extend(numbers(&mut tail, 49).await?);
    assert_eq!(switch.requests(), requests, "a page is used up before the next one is read");
    seen.extend(numbers(&mut tail, 1950).await?);
    assert_eq!(seen, (0..2000).collect::<Vec<_>>());
    Ok(())
}

#[tokio::test]
async fn a_drop_ends_it_at_once() -> Result<()> {
    let stack = own_stack();
    let switch = Arc::new(Switch::default());
    let (redis, writer) = (switch.redis(&stack), stack.redis());
    let log = Tick::log(key("drop"));
    append(&writer, &log, 0..10).await?;
    let mut tail = log.tail_with(&redis, Since::Start, eager());
    assert_eq!(numbers(&mut tail, 10).await?.len(), 10);
    // In the middle of whatever it waits for.
    assert!(tokio::time::timeout(Duration::from_millis(200), tail.next()).await.is_err());
    assert_eq!(writer.pubsub_numsub::<String>([log.key()]).await?[0].1, 1);
    drop(tail);
    let began = std::time::Instant::now();
    while writer.pubsub_numsub::<String>([log.key()]).await?[0].1 != 0 {
        assert!(began.elapsed() < SOON);
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let requests = switch.requests() + switch.subscriptions();
    append(&writer, &log, 10..20).await?;
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert_eq!(switch.requests() + switch.subscriptions(), requests);
    Ok(())
}

#[test]
fn the_blocking_client_iterates() -> Result<()> {
    let stack = own_stack();
    let redis = stack.blocking();
    let log = Tick::log(key("blocking"));
    let mut tail = log.tail(&redis, Since::Start);
    std::thread::scope(|threads| {
        threads.spawn(|| {
            for number in 0..30 {
                log.append(&stack.blocking(), &Tick { number }).unwrap();
            }
        });
        for number in 0..30 {
            assert_eq!(tail.next().unwrap()?.event?.number, number);
        }
        assert!(tail.get_ref().token().id(log.key()).is_some());
        Ok(())
    })
}
