//! A small shop: customers with unique e-mail addresses, products that are searched, orders that are placed all or nothing,
//! and carts that expire.
//!
//! `models.rs` has what is stored; this file is what a shop does with it. If `UPSTASH_REDIS_REST_URL` and
//! `UPSTASH_REDIS_REST_TOKEN` are set, it uses that database. Otherwise it starts a local server.

#![expect(clippy::print_stdout, reason = "an example shows what happens")]

mod models;

use std::error::Error as StdError;
use std::time::SystemTime;

use indicatif::{ProgressBar, ProgressStyle};
use redis_model::prelude::*;
use redis_model::{Ref, Unit};

use self::models::{Cart, Country, Line, Order, Product, Status, User};

#[tokio::main]
async fn main() -> Result<(), Box<dyn StdError>> {
    let database = database::open("shop-").await?;
    let redis = &database.redis;
    clean(redis).await?;
    sign_up(redis).await?;
    stock(redis).await?;
    browse(redis).await?;
    fill_cart(redis).await?;
    check_out(redis).await?;
    history(redis).await?;
    change_name(redis).await?;
    check_indexes(redis).await?;
    Ok(())
}

/// Deletes what an earlier run has left.
async fn clean(redis: &Redis) -> Result<()> {
    User::delete_many(redis, [1, 2]).await?.all()?;
    Order::query().delete(redis).await?;
    Product::query().delete(redis).await?;
    Cart::delete(redis, 1).await?;
    Ok(())
}

/// One command creates a user, its index entries, and its claim on the e-mail address.
async fn sign_up(redis: &Redis) -> Result<()> {
    println!("\nSign up");
    let ada = User {
        id: 1,
        email: "ada@example.org".into(),
        name: "Ada".into(),
        country: Country::Uk,
        orders: 0,
        version: 0,
    };
    ada.insert(redis).await?;

    let twin = User { id: 2, ..ada.clone() };
    match twin.insert(redis).await {
        Err(error) if error.is_duplicate() => println!("  {:?} is taken by user {:?}", error.field(), error.owner()),
        other => drop(other?),
    }

    let invalid = User { id: 2, email: "cahit".into(), ..ada.clone() };
    if let Err(error) = invalid.insert(redis).await {
        println!("  {error}");
    }

    User { id: 2, email: "cahit@example.org".into(), name: "Cahit".into(), country: Country::Tr, ..ada }
        .insert(redis)
        .await?;
    let found = User::find_by(redis, User::EMAIL, "cahit@example.org").await?;
    println!("  found by e-mail: {:?}", found.map(|user| user.name));
    Ok(())
}

/// Many records in one request.
async fn stock(redis: &Redis) -> Result<()> {
    let products: Vec<_> = (1..=60_u32)
        .map(|number| Product {
            sku: format!("tea-{number}"),
            name: format!("Tea No. {number}"),
            cents: 300 + 25 * number,
            tags: if number % 3 == 0 { vec!["green".into(), "organic".into()] } else { vec!["black".into()] },
            stock: 5,
        })
        .collect();
    Product::save_many(redis, &products).await?.all()?;
    Ok(())
}

/// Queries walk an index. A cursor continues where the last page ended, also if products are added in between.
async fn browse(redis: &Redis) -> Result<()> {
    println!("\nGreen teas from 5 to 12, the cheapest first, in pages of 4");
    let query =
        Product::query().contains(Product::TAGS, "green").range(Product::CENTS, 500..1200).order_by(Product::CENTS);
    println!("  {}", query.clone().explain(redis).await?.to_string().replace('\n', "\n  "));
    let mut page = query.clone().limit(4).fetch(redis).await?;
    loop {
        println!("  {:?}", page.items.iter().map(|tea| (tea.name.as_str(), tea.cents)).collect::<Vec<_>>());
        let Some(cursor) = page.cursor else { break };
        page = query.clone().limit(4).after(cursor).fetch(redis).await?;
    }
    println!("  {} black teas", Product::query().contains(Product::TAGS, "black").count(redis).await?);
    Ok(())
}

/// The cart has a time to live of its own, which every load extends.
async fn fill_cart(redis: &Redis) -> Result<()> {
    println!("\nCart");
    let lines = vec![Line { sku: "tea-3".into(), quantity: 2 }, Line { sku: "tea-6".into(), quantity: 1 }];
    Cart { user: 1, lines }.save(redis).await?;
    println!("  time to live: {:?}", Cart::ttl(redis, 1).await?);
    Ok(())
}

/// An order takes from the stock, empties the cart, and counts for its user: all or nothing, in one request.
async fn check_out(redis: &Redis) -> Result<()> {
    println!("\nCheck out");
    while let Some(cart) = Cart::load(redis, 1).await? {
        let skus = cart.lines.iter().map(|line| line.sku.as_str());
        let products = Product::load_many(redis, skus).await?;
        let cents = cart.lines.iter().zip(products.iter().flatten()).map(|(line, tea)| line.quantity * tea.cents).sum();
        let order = Order {
            id: Order::generate_id(),
            user: Ref::new(1),
            placed_at: SystemTime::now(),
            status: Status::Placed,
            cents,
            lines: cart.lines.clone(),
        };
        let mut unit = Unit::new().insert(&order).patch(User::patch(1).incr(User::ORDERS, 1)).delete::<Cart>(1);
        for line in &cart.lines {
            unit = unit.patch(Product::patch(&line.sku).incr(Product::STOCK, -i64::from(line.quantity)));
        }
        match unit.commit(redis).await {
            Ok(_) => {
                println!("  order {} over {cents} cents", order.id);
                // The customer likes it, and orders the same again.
                cart.save(redis).await?;
            }
            // The stock would have become negative. Nothing was written: the cart is still there.
            Err(error) if error.is_conflict() => {
                println!("  {error}");
                Cart::delete(redis, 1).await?;
            }
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// The compound index of `user` and `placed_at` has the orders of a user in their order.
async fn history(redis: &Redis) -> Result<()> {
    println!("\nThe latest orders of user 1");
    let orders =
        Order::query().eq(Order::USER, Ref::new(1)).order_by_desc(Order::PLACED_AT).limit(10).fetch(redis).await?;
    for order in &orders.items {
        let user = order.user.load(redis).await?;
        println!("  {} by {:?}: {} cents", order.id, user.map(|user| user.name), order.cents);
    }
    if let Some(order) = orders.items.first() {
        Order::patch(order.id).set(Order::STATUS, Status::Shipped).exec(redis).await?;
    }
    println!("  {} of them not shipped yet", Order::query().eq(Order::STATUS, Status::Placed).count(redis).await?);
    Ok(())
}

/// A stale copy cannot overwrite what others have changed. `modify` loads, changes and saves until it holds.
async fn change_name(redis: &Redis) -> Result<()> {
    println!("\nTwo writers");
    let Some(mut mine) = User::load(redis, 1).await? else { return Ok(()) };
    User::modify(redis, 1, |user| user.name = "Ada Lovelace".into()).await?;
    mine.country = Country::Tr;
    if let Err(error) = mine.save(redis).await {
        println!("  version {} is stale, the stored one is {:?}", mine.version, error.stored_version());
    }
    let user = User::modify(redis, 1, |user| user.country = Country::Tr).await?;
    println!("  {} in {:?}, version {}", user.name, user.country, user.version);
    Ok(())
}

/// Indexes are always up to date, unless somebody writes past them. `verify` finds that, and `reindex` repairs it.
async fn check_indexes(redis: &Redis) -> Result<()> {
    println!("\nIndexes");
    redis.hset("shop-product:tea-3", [("cents", "1")]).await?; // behind our back
    for drift in Product::verify_to_end(redis).await? {
        println!("  {drift}");
    }
    let bar = ProgressBar::new(0).with_style(
        ProgressStyle::with_template("  {bar:30} {pos}/{len} {msg}").unwrap_or_else(|_| ProgressStyle::default_bar()),
    );
    let mut steps = Product::reindex(redis);
    while let Some(step) = steps.next().await {
        let step = step?;
        bar.set_length(step.total());
        bar.set_position(step.looked_at());
        bar.set_message(format!("{:?}", step.phase()));
    }
    bar.finish();
    println!(
        "  the cheapest tea: {:?}",
        Product::query().order_by(Product::CENTS).first(redis).await?.map(|tea| tea.name)
    );
    Ok(())
}
