//! Records and logs.

use std::time::Duration;

use redis_model_tools::Outcome;

use super::{Suite, equal};

pub async fn records(suite: &Suite) -> Outcome<()> {
    suite.expect("/records", "true Some(3) Some((3, None)) Err(Duplicate)").await
}

pub async fn queries(suite: &Suite) -> Outcome<()> {
    suite.expect("/query", "[3, 4, 5] Some(4)").await
}

pub async fn a_log_is_appended_to_and_read(suite: &Suite) -> Outcome<()> {
    suite.expect("/log", r#"[Placed { sku: "tea" }, Paid { cents: 990 }, Paid { cents: -1 }]"#).await
}

pub async fn a_tail_follows_appends(suite: &Suite) -> Outcome<()> {
    suite.expect("/append?log=tailed&sku=before", "appended").await?;
    let appends = async {
        // The tail waits for the second entry by then.
        tokio::time::sleep(Duration::from_millis(500)).await;
        suite.expect("/append?log=tailed&sku=after", "appended").await
    };
    let (tail, appended) = tokio::join!(suite.call("/tail?log=tailed&count=2"), appends);
    appended?;
    equal((200, r#"[Placed { sku: "before" }, Placed { sku: "after" }]"#), &tail?)
}

pub async fn ids_are_generated(suite: &Suite) -> Outcome<()> {
    suite.expect("/ids", "36 26").await
}
