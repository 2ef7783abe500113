//! The customers: they place orders, and pay, ship and cancel them.

use std::time::Duration;

use redis_model::prelude::*;

use crate::billing;
use crate::order::{Order, order};

/// The customers that have an account. Guests have none until somebody opens one.
pub(crate) const CUSTOMERS: [&str; 3] = ["ada", "bela", "cahit"];

/// Opens their accounts, and creates the consumer group of the worker. What exists already remains.
pub(crate) async fn prepare(redis: &Redis) -> Result<()> {
    billing::group().create(redis).await?;
    for customer in CUSTOMERS {
        billing::open_account(redis, customer).await?;
    }
    Ok(())
}

/// Takes one order from its beginning to its end, with a pause before each step. Its number decides what happens: every fifth
/// is placed by a guest, every sixth is cancelled, and every fourth is not shipped yet.
pub(crate) async fn shop(redis: &Redis, pause: Duration) -> Result<()> {
    let number = redis.incr("orders-demo-number").await?.unsigned_abs();
    let customer = match number % 5 {
        0 => format!("guest-{number}"),
        1 | 2 => "ada".to_owned(),
        3 => "bela".to_owned(),
        _ => "cahit".to_owned(),
    };
    let teas: &[_] = match number % 3 {
        0 => &[("green", 450), ("mint", 320)],
        1 => &[("white", 990), ("black", 380), ("green", 450)],
        _ => &[("black", 380)],
    };

    let order = order(number);
    tokio::time::sleep(pause).await;
    order.commit(redis, move |order| order.place(&customer, teas)).await?;
    tokio::time::sleep(pause).await;
    if number.is_multiple_of(6) {
        order.commit(redis, |order| order.cancel("changed my mind")).await?;
        return Ok(());
    }
    order.commit(redis, Order::pay).await?;
    tokio::time::sleep(pause).await;
    if !number.is_multiple_of(4) {
        order.commit(redis, |order| order.ship("sea")).await?;
    }
    Ok(())
}

/// Orders without end, by three customers at a time.
pub(crate) async fn keep_shopping(redis: &Redis) -> Result<()> {
    let shop_forever = async |pause| -> Result<()> {
        loop {
            shop(redis, Duration::from_millis(pause)).await?;
        }
    };
    tokio::try_join!(shop_forever(500), shop_forever(700), shop_forever(1100))?;
    Ok(())
}
