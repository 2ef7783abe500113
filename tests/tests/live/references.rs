//! Fields that refer to other records.

use std::collections::{BTreeSet, HashMap, HashSet};

use redis_model::prelude::*;
use redis_model::{ErrorKind, Ref};
use redis_model_tests::{stack, valkey};
use serde_derive::{Deserialize, Serialize};
use uuid::Uuid;

/// It refers to others of its own kind, and has none of the traits that a `Ref` has.
#[derive(RedisModel)]
#[redis(prefix = "ref-person")]
struct Person {
    #[redis(id)]
    id: u64,
    name: String,
    #[redis(index)]
    boss: Option<Ref<Person>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, RedisModel)]
#[redis(id)]
struct TeamId(Uuid);

#[derive(Debug, Clone, PartialEq, RedisModel)]
#[redis(prefix = "ref-team")]
struct Team {
    #[redis(id)]
    id: TeamId,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Approval {
    by: Ref<Person>,
    with: Vec<Ref<Person>>,
}

#[derive(Debug, Clone, PartialEq, RedisModel)]
#[redis(prefix = "ref-task", index(team, owner), unique(owner, title))]
struct Task {
    #[redis(id)]
    id: String,
    title: String,
    #[redis(index)]
    owner: Ref<Person>,
    #[redis(index)]
    helpers: Vec<Ref<Person>>,
    #[redis(index)]
    team: Ref<Team>,
    #[redis(index)]
    parent: Option<Ref<Task>>,
    watchers: HashSet<Ref<Person>>,
    #[redis(json)]
    approval: Option<Approval>,
}

fn person(id: u64) -> Ref<Person> {
    Ref::new(id)
}

fn task(id: &str, owner: u64, helpers: &[u64], team: Ref<Team>) -> Task {
    Task {
        id: id.into(),
        title: format!("task {id}"),
        owner: person(owner),
        helpers: helpers.iter().copied().map(person).collect(),
        team,
        parent: None,
        watchers: HashSet::from([person(owner)]),
        approval: Some(Approval { by: person(owner), with: vec![person(7)] }),
    }
}

#[tokio::test]
async fn references_are_stored_loaded_and_found() -> Result<()> {
    for redis in [stack().redis(), valkey().redis()] {
        let boss = Person { id: 9, name: "Ada".into(), boss: None };
        boss.save(&redis).await?;
        Person { id: 10, name: "Bob".into(), boss: Some(Ref::to(&boss)) }.save(&redis).await?;
        let team = Team { id: TeamId(Uuid::now_v7()) };
        team.save(&redis).await?;
        let team: Ref<Team> = Ref::to(&team);

        let first = task("a", 9, &[10, 100], team);
        let second = Task { parent: Some(Ref::to(&first)), ..task("b", 10, &[], team) };
        Task::save_many(&redis, [&first, &second]).await?.all()?;
        let stored: HashMap<String, String> = redis.hgetall("ref-task:b").await?;
        let text = |field: &str| stored.get(field).map(String::as_str);
        assert_eq!((text("owner"), text("parent"), text("helpers")), (Some("10"), Some("a"), Some("[]")));
        let approval = r#"{"by":10,"with":[7]}"#;
        assert_eq!((text("watchers"), text("approval")), (Some(r#"["10"]"#), Some(approval)));
        assert_eq!(Task::load(&redis, "b").await?.as_ref(), Some(&second));

        // From one record to the other.
        let bob = second.owner.load(&redis).await?.unwrap();
        assert_eq!(bob.name, "Bob");
        assert_eq!(bob.boss.unwrap().load(&redis).await?.unwrap().name, "Ada");
        assert_eq!(second.parent.as_ref().unwrap().load(&redis).await?.as_ref(), Some(&first));
        assert!(second.team.load(&redis).await?.is_some());
        let people = Ref::load_many(&redis, [&first, &second].map(|task| task.owner)).await?;
        assert_eq!(people.iter().flatten().map(|person| person.name.as_str()).collect::<Vec<_>>(), ["Ada", "Bob"]);
        let helpers = Ref::load_many(&redis, &first.helpers).await?;
        assert_eq!(helpers.iter().map(Option::is_some).collect::<Vec<_>>(), [true, false]);
        assert!(Ref::<Person>::load_many(&redis, Vec::<Ref<Person>>::new()).await?.is_empty());
        let (owner, name) = second.owner.load(redis.pipeline()).load_field(9, Person::NAME).exec().await?;
        assert_eq!((owner.unwrap().id, name.as_deref()), (10, Some("Ada")));

        // By references. Those to integers are in order by number: 9 is before 10.
        let ids = async |query: redis_model::Query<Task>| Ok::<_, redis_model::Error>(query.ids(&redis).await?.items);
        assert_eq!(ids(Task::query().eq(Task::OWNER, person(10))).await?, ["b"]);
        assert_eq!(ids(Task::query().range(Task::OWNER, ..=person(10))).await?, ["a", "b"]);
        assert_eq!(ids(Task::query().range(Task::OWNER, person(10)..)).await?, ["b"]);
        assert_eq!(ids(Task::query().contains(Task::HELPERS, person(100))).await?, ["a"]);
        assert_eq!(ids(Task::query().eq(Task::TEAM, team).eq(Task::OWNER, first.owner)).await?, ["a"]);
        assert_eq!(ids(Task::query().eq(Task::PARENT, Ref::new("a".to_owned()))).await?, ["b"]);
        assert_eq!(Person::query().eq(Person::BOSS, Ref::to(&boss)).count(&redis).await?, 1);
        let same = Task { id: "c".into(), title: "task a".into(), ..first.clone() };
        assert_eq!(same.insert(&redis).await.unwrap_err().owner(), Some("a"));

        Task::patch("b").set(Task::OWNER, person(9)).clear(Task::PARENT).exec(&redis).await?;
        assert_eq!(ids(Task::query().eq(Task::OWNER, person(9))).await?, ["a", "b"]);
        assert_eq!(Task::verify_to_end(&redis).await?, []);

        // An argument and a reply.
        redis.sadd("ref-set", [person(9), person(10)]).await?;
        let members: BTreeSet<Ref<Person>> = redis.smembers("ref-set").await?;
        assert_eq!(members, BTreeSet::from([person(9), person(10)]));

        redis.hset("ref-task:b", [("owner", "nobody")]).await?;
        let error = Task::load(&redis, "b").await.unwrap_err();
        assert_eq!((error.kind(), error.field()), (ErrorKind::Decode, Some("owner")));
        assert_eq!(error.message(), r#"expected the id of a Person, found "nobody""#);
    }
    Ok(())
}

#[test]
fn references_are_shown_by_what_they_refer_to() {
    let reference = person(42);
    assert_eq!(format!("{reference} {reference:?}"), "42 Ref(Person 42)");
    assert_eq!((*reference.id(), reference.into_id()), (42, 42));
    let text = serde_json::to_string(&reference).unwrap();
    assert_eq!((text.as_str(), serde_json::from_str::<Ref<Person>>(&text).unwrap()), ("42", person(42)));
    assert!(person(9) < person(10));

    let blocking = stack().blocking();
    assert!(matches!(person(77_777).load(&blocking), Ok(None)));
    assert_eq!(Ref::<Person>::load_many(&blocking, [person(77_777)]).unwrap().len(), 1);
}
