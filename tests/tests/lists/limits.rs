//! Lists and queues at the limits of their numbers and sizes.

use std::time::Duration;

use redis_model::ErrorKind;
use redis_model::list::{PushOptions, RawElement};
use redis_model::prelude::*;
use redis_model_tests::key;

use crate::servers;

#[derive(Debug, Clone, PartialEq, RedisModel)]
#[redis(list, prefix = "limits")]
struct Text {
    text: String,
}

fn text(length: usize) -> Text {
    Text { text: "x".repeat(length) }
}

/// Small jobs beside one that no reply has room for keep their attempts, whatever the client's limit is.
#[tokio::test]
async fn small_jobs_survive_a_large_one() -> Result<()> {
    for (server, stack) in servers() {
        for (limit, large) in [(200_000, 200_000), (1_000_000, 2_000_000), (3_000_000, 3_000_000)] {
            let client = stack.builder().max_response_bytes(limit).build()?;
            let queue = Text::queue(key("large")).hold_for(Duration::from_secs(60)).max_attempts(1);
            let sizes = [1, 2, large, 3, 50_000, 40_000, 4];
            let jobs: Vec<_> = sizes.into_iter().map(text).collect();
            queue.push_many(&stack.redis(), &jobs).await?;
            let (mut done, mut failed) = (Vec::new(), 0);
            while queue.len(&client).await? > 0 {
                match queue.reserve_many(&client, "w", 10).await {
                    Ok(jobs) => {
                        for job in jobs {
                            queue.ack(&client, job.ticket).await?;
                            done.push(job.element?.text.len());
                        }
                    }
                    Err(error) => {
                        assert_eq!(error.kind(), ErrorKind::TooLarge, "{server}");
                        failed += 1;
                    }
                }
            }
            assert_eq!((done, failed), (vec![1, 2, 3, 50_000, 40_000, 4], 1), "{server}, {limit}");
            assert_eq!(queue.stats(&client).await?.reserved, 1, "{server}: the large one");
        }
    }
    Ok(())
}

/// An element that no reply has room for is an error in its place, and the others come.
#[tokio::test]
async fn pages_go_on_after_an_element_that_is_too_large() -> Result<()> {
    for (server, stack) in servers() {
        let client = stack.builder().max_response_bytes(200_000).build()?;
        let list = Text::list(key("pages"));
        let mut sizes = vec![20_000; 30];
        sizes[7] = 300_000;
        sizes.extend([1; 600]);
        let elements: Vec<_> = sizes.iter().map(|size| text(*size)).collect();
        list.push_back_many(&stack.redis(), &elements).await?;
        let mut found = Vec::new();
        let mut pages = list.elements(&client, ..);
        while let Some(element) = pages.next().await {
            found.push(match element? {
                Ok(element) => element.text.len(),
                Err(error) => {
                    assert_eq!((error.kind(), RawElement::of(&error).is_some()), (ErrorKind::TooLarge, false));
                    assert!(error.to_string().contains("element 7"), "{server}: {error}");
                    300_000
                }
            });
        }
        assert_eq!(found, sizes, "{server}");
        let part = list.elements(&client, 6..=8).collect().await?;
        assert_eq!(part.iter().map(Result::is_ok).collect::<Vec<_>>(), [true, false, true], "{server}");
    }
    Ok(())
}

#[tokio::test]
async fn lists_take_every_number() -> Result<()> {
    for (server, stack) in servers() {
        let redis = stack.redis();
        let list = Text::list(key("numbers"));
        let all: Vec<_> = (1..=5).map(text).collect();
        list.push_back_many(&redis, &all).await?;
        // What cannot be asked for is refused before anything is changed.
        for options in [
            PushOptions::new().max_len(0),
            PushOptions::new().ttl(Duration::ZERO),
            PushOptions::new().ttl(Duration::MAX),
        ] {
            let error = list.push_back_with(&redis, &all, options).await.unwrap_err();
            assert!(error.is_invalid_input() && !error.may_have_executed(), "{server}: {error}");
        }
        assert_eq!(list.push_back_with(&redis, &all[..1], PushOptions::new().max_len(u64::MAX)).await?, 6);
        assert_eq!(list.remove(&redis, i64::MIN, &all[0]).await?, 2, "{server}");
        assert_eq!(list.get(&redis, i64::MIN).await?, None);
        assert_eq!(list.range(&redis, i64::MIN..=i64::MAX).await?.len(), 4);
        assert_eq!(list.elements(&redis, i64::MIN..).collect().await?.len(), 4);
        assert_eq!(list.elements(&redis, i64::MIN..i64::MIN).collect().await?.len(), 0);
        assert_eq!(list.pop_front_many(&redis, 0).await?.len(), 0);
        assert_eq!(list.pop_front_many(&redis, u64::MAX).await?.len(), 4, "{server}");
        assert_eq!(list.pop_back_many(&redis, u64::MAX).await?.len(), 0, "{server}");
    }
    Ok(())
}
