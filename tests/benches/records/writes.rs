//! The server's CPU time for writes of indexed records, against the insert by hand: MULTI, HSET, three ZADDs, EXEC.
//!
//! Each write is a request of its own, as a REST request makes the server do it; and many writes are one pipeline, where
//! almost no time goes to the network. The lowest of several rounds counts, because other programs make the time longer only.

use redis_model::Unit;
use redis_model::prelude::*;
use redis_model::redis_rest::Build;
use redis_model_tests::Stack;
use redis_model_tests::user::User;

use crate::Outcome;
use crate::commands::{by_hand, hset, put, put_with_nonce};
use crate::server::{Line, Server, line};

const RECORDS: usize = 2_000;
const ROUNDS: usize = 5;
/// How many groups of commands are sent at once.
const TOGETHER: [usize; 2] = [1, 200];

/// A write of each record.
struct Case {
    name: &'static str,
    /// Of how many records one group is.
    records: f64,
    groups: Vec<Vec<Line>>,
    /// Whether the records are there before.
    is_stored: bool,
    bound: Option<f64>,
}

fn cases(users: &[User]) -> Vec<Case> {
    let case = |name, is_stored, bound, group: &dyn Fn(&User) -> Vec<Line>| Case {
        name,
        records: 1.0,
        groups: users.iter().map(group).collect(),
        is_stored,
        bound,
    };
    let save = |user: &User| line(user.save(Build).args());
    let unit = |users: &[User]| users.iter().fold(Unit::new(), Unit::insert);
    let tens = users.chunks(10).map(|ten| vec![line(unit(ten).commit(Build).args())]).collect();
    vec![
        case("MULTI, HSET, 3 ZADD, EXEC", false, None, &by_hand),
        case("HSET alone", false, None, &|user| vec![hset(user)]),
        case("insert", false, Some(2.0), &|user| vec![put(user)]),
        case("insert with a nonce", false, Some(2.5), &|user| vec![put_with_nonce(user)]),
        Case { name: "insert, of a unit of 10", records: 10.0, groups: tens, is_stored: false, bound: None },
        case("save, nothing indexed changed", true, None, &|user| {
            vec![save(&User { visits: 18, name: "Ada King".into(), ..user.clone() })]
        }),
        case("save, two indexed fields changed", true, None, &|user| {
            vec![save(&User { country: "US".into(), age: 99 - user.age, ..user.clone() })]
        }),
        case("patch of a field without index", true, None, &|user| {
            vec![line(User::patch(user.id).incr(User::VISITS, 1).exec(Build).args())]
        }),
        case("patch of an indexed field", true, None, &|user| {
            vec![line(User::patch(user.id).set(User::COUNTRY, "US").exec(Build).args())]
        }),
        case("delete", true, None, &|user| vec![line(User::delete(Build, user.id).args())]),
    ]
}

pub(crate) fn measure(name: &str, stack: &Stack) -> Outcome<()> {
    let mut server = Server::connect(stack)?;
    let users: Vec<_> = (1..=RECORDS).map(User::new).collect();
    let inserted: Vec<_> = users.iter().map(put).collect();
    let cases = cases(&users);
    let mut lowest = vec![[f64::INFINITY; 2]; cases.len()];
    // In turn, so that what else the machine does troubles all alike.
    for _ in 0..ROUNDS {
        for (case, lowest) in cases.iter().zip(&mut lowest) {
            let before = if case.is_stored { inserted.as_slice() } else { &[] };
            for (lowest, together) in lowest.iter_mut().zip(TOGETHER) {
                *lowest = lowest.min(server.measure(&case.groups, before, together)? / case.records);
            }
        }
    }
    println!(
        "{name}: microseconds of the server's CPU for one record of 12 fields with 3 indexes, and times those by hand"
    );
    println!("  {:<34}{:>20}{:>20}", "", "one by one", "in pipelines");
    for (case, lowest_of_case) in cases.iter().zip(&lowest) {
        let figures =
            [0, 1].map(|at| format!("{:>14.1} {:>5.2}", lowest_of_case[at], lowest_of_case[at] / lowest[0][at]));
        let bound = case.bound.map_or(String::new(), |bound| format!("  (the bound is {bound})"));
        println!("  {:<34}{}{bound}", case.name, figures.concat());
    }
    Ok(())
}
