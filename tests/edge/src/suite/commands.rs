//! Plain commands.

use futures_util::future::join_all;
use redis_model_tools::Outcome;

use super::{Suite, holds};

pub async fn set_and_get(suite: &Suite) -> Outcome<()> {
    suite.expect("/basics", r#"Some("héllo") None argument Err((Redis, Some("ERR")))"#).await
}

pub async fn pipeline(suite: &Suite) -> Outcome<()> {
    suite.expect("/pipeline", "((), 42, None, [Some(42), None]) Err(Redis)").await
}

pub async fn transaction(suite: &Suite) -> Outcome<()> {
    suite.expect("/transaction", "(30, 20)").await
}

pub async fn one_mebibyte_and_all_bytes(suite: &Suite) -> Outcome<()> {
    suite.expect("/bytes", "all").await
}

pub async fn expiry(suite: &Suite) -> Outcome<()> {
    let answer = suite.call("/expiry").await?;
    let text = answer.text();
    holds(text.contains("100") || text.contains("99"), || text)
}

pub async fn two_thousand_requests_share_a_static_client(suite: &Suite) -> Outcome<()> {
    let calls = (0..2_000).map(|n| async move { (n.to_string(), suite.call(&format!("/static?n={n}")).await) });
    let answers = join_all(calls).await;
    let wrong = answers.iter().find(|(n, answer)| !answer.as_ref().is_ok_and(|answer| answer.text() == *n));
    holds(answers.len() == 2_000 && wrong.is_none(), || format!("{wrong:?}"))
}

/// Every request sets a timer and clears it.
pub async fn memory_stays_constant(suite: &Suite) -> Outcome<()> {
    // A leak of 90 bytes in each request would show as 5 pages.
    let answer = suite.call("/memory?n=4000").await?;
    let pages: u32 = answer.text().parse().map_err(|_| answer.text())?;
    super::holds(pages <= 1, || format!("the memory has grown by {pages} pages"))
}
