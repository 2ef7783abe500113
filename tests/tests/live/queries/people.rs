//! People and citizens, at random.

use std::collections::BTreeSet;

use redis_model::prelude::*;
use redis_model_tests::random::Random;

#[derive(Debug, Clone, PartialEq, RedisModel)]
#[redis(prefix = "person", index(country, age))]
pub(super) struct Person {
    #[redis(id)]
    pub(super) id: u64,
    #[redis(unique)]
    pub(super) email: String,
    #[redis(index)]
    pub(super) country: String,
    #[redis(index)]
    pub(super) age: i16,
    #[redis(index)]
    pub(super) nick: Option<String>,
    #[redis(index)]
    pub(super) score: f64,
    #[redis(index)]
    pub(super) tags: Vec<String>,
    pub(super) bio: Option<String>,
}

pub(super) const PERSON: &str = "Person;age i,country t,email t,nick t,score f,tags t;age=1;country=2;country+age=2+1;email=3!;nick=4;score=5;tags=6";

/// The same, in 16 parts.
#[derive(Debug, Clone, PartialEq, RedisModel)]
#[redis(prefix = "citizen", index(country, age), partitions = 16)]
pub(super) struct Citizen {
    #[redis(id)]
    pub(super) id: u64,
    #[redis(unique)]
    pub(super) email: String,
    #[redis(index)]
    pub(super) country: String,
    #[redis(index)]
    pub(super) age: i16,
    #[redis(index)]
    pub(super) tags: BTreeSet<u32>,
}

pub(super) const CITIZEN: &str =
    "Citizen;age i,country t,email t,tags i;age=1;country=2;country+age=2+1;email=3!;tags=4;/16";

/// Texts that sort differently by byte and by locale, and that contain the separators.
const TEXTS: [&str; 12] =
    ["", "a", "A", "b", "a\0b", "a\u{1}", "a\u{2}c", "ä", "Zürich", "a b", "\u{10ffff}", "a\u{1}\u{3}b"];

pub(super) fn any_text(random: &Random) -> String {
    random.pick(&TEXTS).to_owned()
}

pub(super) fn person(random: &Random, id: u64) -> Person {
    Person {
        id,
        email: format!("{}@{id}", any_text(random)),
        country: any_text(random),
        age: random.pick(&[i16::MIN, -100, -20, -9, -1, 0, 1, 9, 10, 11, 99, 100, i16::MAX]),
        nick: (random.below(3) > 0).then(|| any_text(random)),
        score: random.pick(&[
            f64::MIN,
            -1.5,
            -0.1,
            -0.0,
            0.0,
            5e-324,
            0.1,
            1.0,
            1e300,
            f64::INFINITY,
            f64::NEG_INFINITY,
        ]),
        tags: (0..random.below(4)).map(|_| any_text(random)).collect(),
        bio: None,
    }
}

pub(super) fn citizen(random: &Random, id: u64) -> Citizen {
    Citizen {
        id,
        email: format!("{}@{id}", any_text(random)),
        country: any_text(random),
        age: random.pick(&[-100, -9, 0, 9, 10, 100]),
        tags: (0..random.below(4)).map(|_| random.below(12)).collect(),
    }
}

pub(super) fn ids(people: &[Person]) -> Vec<u64> {
    people.iter().map(|person| person.id).collect()
}

pub(super) fn sorted(mut ids: Vec<u64>) -> Vec<u64> {
    ids.sort_unstable();
    ids
}
