//! What redis-rs and commands written by hand take to insert, load and query records of 12 fields with 3 indexes: sorted sets
//! like those of redis-model, with nothing that keeps them and the records together but MULTI. It prints the lines that
//! `tests/sdk/records.py` prints.
//!
//! Usage: redis-rs-by-hand URL RECORDS PASSES

use std::collections::HashMap;

use redis::{Connection, Pipeline};
use redis_rs_by_hand::{Outcome, measure};

const PAGE: usize = 20;

struct User {
    id: usize,
    email: String,
    country: String,
    age: u8,
    name: String,
    street: String,
    city: String,
    zip: String,
    phone: String,
    visits: u64,
    score: f64,
    active: bool,
}

impl User {
    fn new(id: usize) -> Self {
        User {
            id,
            email: format!("user{id}@example.org"),
            country: country(id).into(),
            age: (id % 80) as u8,
            name: format!("Ada Lovelace {id}"),
            street: "12 St James's Square".into(),
            city: "London".into(),
            zip: "SW1Y 4JH".into(),
            phone: "+44 20 7946 0000".into(),
            visits: 17,
            score: 0.25,
            active: true,
        }
    }

    fn push_insert(&self, pipeline: &mut Pipeline) {
        let fields = [
            ("id", self.id.to_string()),
            ("email", self.email.clone()),
            ("country", self.country.clone()),
            ("age", self.age.to_string()),
            ("name", self.name.clone()),
            ("street", self.street.clone()),
            ("city", self.city.clone()),
            ("zip", self.zip.clone()),
            ("phone", self.phone.clone()),
            ("visits", self.visits.to_string()),
            ("score", self.score.to_string()),
            ("active", self.active.to_string()),
        ];
        let id = self.id;
        pipeline.hset_multiple(format!("user:{id}"), &fields).ignore();
        pipeline.zadd("user::index:email", format!("{}\0{id}", self.email), 0).ignore();
        pipeline.zadd("user::index:country", format!("{}\0{id}", self.country), 0).ignore();
        pipeline.zadd("user::index:age", format!("{:02}\0{id}", self.age), 0).ignore();
    }

    fn from_fields(mut fields: HashMap<String, String>) -> Outcome<Self> {
        let mut take = |name: &str| fields.remove(name).ok_or_else(|| format!("no {name}"));
        Ok(User {
            id: take("id")?.parse()?,
            email: take("email")?,
            country: take("country")?,
            age: take("age")?.parse()?,
            name: take("name")?,
            street: take("street")?,
            city: take("city")?,
            zip: take("zip")?,
            phone: take("phone")?,
            visits: take("visits")?.parse()?,
            score: take("score")?.parse()?,
            active: take("active")?.parse()?,
        })
    }
}

fn country(n: usize) -> &'static str {
    ["TR", "UK", "DE", "FR"][n % 4]
}

fn main() -> Outcome<()> {
    let args: Vec<String> = std::env::args().collect();
    let [_, url, records, passes] = args.as_slice() else { return Err("URL RECORDS PASSES".into()) };
    let (records, passes): (usize, usize) = (records.parse()?, passes.parse()?);
    let count = records as u64;
    let redis = &mut redis::Client::open(url.as_str())?.get_connection()?;
    for pass in 0..passes {
        let first = 1 + 2 * pass * records;
        measure(redis, "insert", count, |redis| {
            for id in first..first + records {
                let mut pipeline = redis::pipe();
                User::new(id).push_insert(pipeline.atomic());
                pipeline.exec(redis)?;
            }
            Ok(())
        })?;
        measure(redis, "insert at once", count, |redis| {
            let mut pipeline = redis::pipe();
            for id in first + records..first + 2 * records {
                User::new(id).push_insert(&mut pipeline);
            }
            Ok(pipeline.exec(redis)?)
        })?;
        measure(redis, "load", count, |redis| {
            for id in first..first + records {
                let user = User::from_fields(redis::cmd("HGETALL").arg(format!("user:{id}")).query(redis)?)?;
                assert_eq!(user.visits, 17);
            }
            Ok(())
        })?;
        measure(redis, "query", count, |redis| {
            (0..records / PAGE).try_for_each(|n| {
                let users = query(redis, country(n))?;
                assert!(users.len() == PAGE && users[0].country == country(n));
                Ok(())
            })
        })?;
    }
    Ok(())
}

fn query(redis: &mut Connection, country: &str) -> Outcome<Vec<User>> {
    let mut range = redis::cmd("ZRANGE");
    range.arg("user::index:country").arg(format!("[{country}\0")).arg(format!("({country}\u{1}"));
    let entries: Vec<String> = range.arg(&["BYLEX", "LIMIT", "0"]).arg(PAGE).query(redis)?;
    let mut pipeline = redis::pipe();
    for id in entries.iter().filter_map(|entry| entry.split('\0').next_back()) {
        pipeline.cmd("HGETALL").arg(format!("user:{id}"));
    }
    let records: Vec<HashMap<String, String>> = pipeline.query(redis)?;
    records.into_iter().map(User::from_fields).collect()
}
