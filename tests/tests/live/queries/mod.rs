//! Queries by indexed fields.

mod calls;
mod changed;
mod cursors;
mod each;
mod filter;
mod layouts;
mod people;

use redis_model::Unit;
use redis_model::prelude::*;

#[derive(Debug, Clone, PartialEq, RedisModel)]
#[redis(prefix = "account", index(plan, seats))]
struct Account {
    #[redis(id)]
    id: u64,
    #[redis(unique)]
    email: String,
    #[redis(index)]
    plan: Plan,
    #[redis(index)]
    seats: u32,
    #[redis(index)]
    tags: Vec<String>,
    #[redis(flatten)]
    address: Address,
    note: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, RedisModel)]
enum Plan {
    Free,
    Team,
}

#[derive(Debug, Clone, PartialEq, RedisModel)]
#[redis(embedded)]
struct Address {
    #[redis(index)]
    city: String,
}

fn account(id: u64) -> Account {
    Account {
        id,
        email: format!("{id}@example.org"),
        plan: if id.is_multiple_of(3) { Plan::Team } else { Plan::Free },
        seats: (id % 10) as u32,
        tags: vec![format!("t{}", id % 4), "all".into()],
        address: Address { city: if id.is_multiple_of(2) { "Izmir".into() } else { "Ankara".into() } },
        note: None,
    }
}

async fn accounts(redis: &Redis, count: u64) -> Result<Vec<Account>> {
    redis.flushall().await?;
    let accounts: Vec<_> = (1..=count).map(account).collect();
    let mut unit = Unit::new();
    for account in &accounts {
        unit = unit.insert(account);
    }
    unit.commit(redis).await?;
    Ok(accounts)
}
