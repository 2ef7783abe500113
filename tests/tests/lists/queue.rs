//! Work queues: each call, what is refused, and what a lost reply does.

use std::time::Duration;

use redis_model::list::{JobOptions, Nack, Nacked, QueueStats, RawElement, Ticket};
use redis_model::prelude::*;
use redis_model::redis_rest::{Build, RetryPolicy};
use redis_model::{ErrorKind, Queue};
use redis_model_tests::fault::Cut;
use redis_model_tests::{Stack, key};

use crate::gate::Gate;
use crate::servers;

#[derive(Debug, Clone, PartialEq, RedisModel)]
#[redis(list, prefix = "job")]
pub(crate) struct Job {
    pub(crate) number: u64,
}

#[derive(Debug, Clone, PartialEq, RedisModel)]
#[redis(list, prefix = "mail", max_len = 1)]
struct Address(String);

fn job(number: u64) -> Job {
    Job { number }
}

fn millis(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

async fn number_of(redis: &Redis, queue: &Queue<Job>) -> Result<(Ticket, u64)> {
    let reserved = queue.reserve(redis, "w1").await?.unwrap();
    Ok((reserved.ticket, reserved.element?.number))
}

async fn stats(redis: &Redis, queue: &Queue<Job>) -> Result<(u64, u64, u64, u64)> {
    let QueueStats { waiting, delayed, reserved, dead, .. } = queue.stats(redis).await?;
    Ok((waiting, delayed, reserved, dead))
}

async fn life_of_a_job(redis: &Redis) -> Result<()> {
    let queue = Job::queue("life").hold_for(Duration::from_secs(60)).max_attempts(2);
    assert!(queue.reserve(redis, "w1").await?.is_none());
    let id = queue.push(redis, &job(1)).await?;
    let ids = queue.push_many(redis, &[job(2), job(3)]).await?;
    assert_eq!((ids.clone(), queue.len(redis).await?), (vec![id + 1, id + 2], 3));

    // In order; and each reservation has a higher number.
    let (first, number) = number_of(redis, &queue).await?;
    assert_eq!((first.id(), number), (id, 1));
    let both = queue.reserve_many(redis, "w2", 5).await?;
    assert_eq!(both.iter().map(|job| (job.ticket.id(), job.attempt)).collect::<Vec<_>>(), [(ids[0], 1), (ids[1], 1)]);
    assert!(first.reservation() < both[0].ticket.reservation());
    assert!(both[0].ticket.reservation() < both[1].ticket.reservation());
    assert_eq!(stats(redis, &queue).await?, (0, 0, 3, 0));

    queue.ack(redis, first).await?;
    let error = queue.ack(redis, first).await.unwrap_err();
    assert_eq!((error.kind(), error.key(), error.may_have_executed()), (ErrorKind::NotFound, Some("job:life"), false));

    // Given back: after all others, with a delay, and dead after the last attempt.
    queue.push(redis, &job(4)).await?;
    assert_eq!(queue.nack(redis, both[0].ticket, Nack::new().error("no disk")).await?, Nacked::Waiting);
    let error = queue.nack(redis, both[0].ticket, Nack::new()).await.unwrap_err();
    assert!(error.is_conflict() && error.to_string().contains("given back"), "{error}");
    assert_eq!(number_of(redis, &queue).await?.1, 4);
    let again = queue.reserve(redis, "w3").await?.unwrap();
    assert_eq!((again.ticket.id(), again.attempt), (ids[0], 2));
    let error = queue.ack(redis, both[0].ticket).await.unwrap_err();
    assert!(error.is_conflict() && error.to_string().contains("another worker"), "{error}");
    assert_eq!(queue.nack(redis, again.ticket, Nack::new().error("still none")).await?, Nacked::Dead);
    assert!(queue.ack(redis, again.ticket).await.unwrap_err().is_conflict());
    assert_eq!(queue.nack(redis, both[1].ticket, Nack::new().delay(millis(300))).await?, Nacked::Delayed);
    assert!(queue.reserve(redis, "w1").await?.is_none());
    tokio::time::sleep(millis(320)).await;
    let due = queue.reserve(redis, "w1").await?.unwrap();
    assert_eq!((due.ticket.id(), due.attempt), (ids[1], 2));

    // The dead: their history, a retry, and their removal.
    let dead = queue.dead(redis, 0, 10).await?;
    assert_eq!((dead.len(), dead[0].id, dead[0].attempts), (1, ids[0], 2));
    assert_eq!(dead[0].element.as_ref().ok(), Some(&job(2)));
    let history: Vec<_> = dead[0].failures.iter().map(|f| (f.attempt, f.worker.as_str(), f.error.as_str())).collect();
    assert_eq!(history, [(1, "w2", "no disk"), (2, "w3", "still none")]);
    assert!(dead[0].failures[0].at <= dead[0].failures[1].at && dead[0].failures[1].at <= dead[0].since);
    assert!(!queue.retry(redis, 999).await? && queue.retry(redis, ids[0]).await?);
    assert!(!queue.retry(redis, ids[0]).await?);
    let again = queue.reserve(redis, "w4").await?.unwrap();
    assert_eq!((again.ticket.id(), again.attempt), (ids[0], 1), "new attempts");
    let give_up = Nack::new().error("no such image").dead();
    assert_eq!(queue.nack(redis, again.ticket, give_up).await?, Nacked::Dead);
    let dead = queue.dead(redis, 0, 10).await?;
    assert_eq!((dead[0].attempts, dead[0].failures.len()), (3, 3), "the history remains");
    assert!(queue.dead(redis, 1, 10).await?.is_empty());
    assert_eq!((queue.retry_dead(redis, 10).await?, queue.retry_dead(redis, 10).await?), (1, 0));
    let again = queue.reserve(redis, "w4").await?.unwrap();
    queue.nack(redis, again.ticket, Nack::new().dead()).await?;
    assert!(queue.discard(redis, ids[0]).await? && !queue.discard(redis, ids[0]).await?);
    assert_eq!(queue.discard_dead(redis, 10).await?, 0);

    // In one transaction, and on a blocking client's terms: each call is one command.
    let transaction = queue.push(redis.transaction(), &job(5));
    let (_, reserved, length) = queue.len(queue.reserve(transaction, "w1")).exec().await?;
    assert_eq!((reserved.unwrap().element?.number, length), (5, 0));

    // Clear keeps the numbers, so that what a worker holds now is never what another gets later.
    let held = due.ticket;
    assert_eq!(queue.clear(redis).await?, 3);
    assert_eq!(queue.clear(redis).await?, 0);
    assert!(queue.ack(redis, held).await.unwrap_err().is_not_found());
    assert!(queue.push(redis, &job(6)).await? > held.reservation());
    assert_eq!(stats(redis, &queue).await?, (1, 0, 0, 0));
    Ok(())
}

async fn deadlines(redis: &Redis) -> Result<()> {
    let queue = Job::queue("deadlines").hold_for(millis(400)).max_attempts(2);
    queue.push_many(redis, &[job(1), job(2)]).await?;
    let (late, _) = number_of(redis, &queue).await?;
    let (alive, _) = number_of(redis, &queue).await?;
    let deadline = queue.extend(redis, alive, Duration::from_secs(60)).await?;
    assert!(deadline > std::time::SystemTime::now() + Duration::from_secs(50));
    assert!(queue.reserve(redis, "w2").await?.is_none(), "both are held");
    tokio::time::sleep(millis(420)).await;
    // It comes back by itself, and its first worker is fenced off from then on, not before.
    let again = queue.reserve(redis, "w2").await?.unwrap();
    assert_eq!((again.ticket.id(), again.attempt), (late.id(), 2));
    for error in [
        queue.ack(redis, late).await.unwrap_err(),
        queue.nack(redis, late, Nack::new()).await.map(drop).unwrap_err(),
        queue.extend(redis, late, millis(9)).await.map(drop).unwrap_err(),
    ] {
        assert!(error.is_conflict() && !error.may_have_executed(), "{error}");
    }
    // A deadline that has passed is no loss while nobody has taken the job back.
    tokio::time::sleep(millis(420)).await;
    queue.extend(redis, again.ticket, millis(400)).await?;
    tokio::time::sleep(millis(420)).await;
    let recovered = queue.recover(redis, 100).await?;
    assert_eq!((recovered.returned, recovered.dead, recovered.due), (0, 1, 0));
    let dead = queue.dead(redis, 0, 1).await?;
    let history: Vec<_> = dead[0].failures.iter().map(|f| (f.worker.as_str(), f.error.as_str())).collect();
    assert_eq!(history, [("w1", "the deadline passed"), ("w2", "the deadline passed")]);
    assert!(queue.extend(redis, again.ticket, millis(9)).await.unwrap_err().is_conflict());
    queue.ack(redis, alive).await
}

async fn by_key_and_delayed(redis: &Redis) -> Result<()> {
    let queue = Job::queue("keys");
    let once = JobOptions::new().once("order:17").once_for(millis(800));
    queue.push_with(redis, &job(1), &once).await?;
    let (ticket, number) = number_of(redis, &queue).await?;
    assert_eq!(number, 1);
    queue.ack(redis, ticket).await?;
    tokio::time::sleep(millis(820)).await;
    assert!(queue.push_with(redis, &job(4), &once.delay(millis(400))).await?.is_new);
    assert_eq!(stats(redis, &queue).await?, (0, 1, 0, 0));
    assert!(queue.reserve(redis, "w1").await?.is_none());
    tokio::time::sleep(millis(420)).await;
    assert_eq!(queue.recover(redis, 10).await?.due, 1);
    assert_eq!(number_of(redis, &queue).await?.1, 4);
    Ok(())
}

async fn by_key_alone(redis: &Redis) -> Result<()> {
    let queue = Job::queue("once");
    let once = JobOptions::new().once("order:17");
    let first = queue.push_with(redis, &job(1), &once).await?;
    // The delay is not compared, as it is no part of the job.
    let second = queue.push_with(redis, &job(1), &once.clone().delay(millis(60_000))).await?;
    assert_eq!((first.is_new, second.is_new, first.id == second.id), (true, false, true));
    let error = queue.push_with(redis, &job(2), &once).await.unwrap_err();
    assert!(error.is_conflict() && !error.may_have_executed(), "{error:?}");
    assert!(error.message().contains(&format!("as job {}", first.id)), "{error}");
    assert_eq!(stats(redis, &queue).await?, (1, 0, 0, 0));
    let (ticket, number) = number_of(redis, &queue).await?;
    assert_eq!(number, 1);
    queue.ack(redis, ticket).await?;
    assert!(!queue.push_with(redis, &job(1), &once).await?.is_new, "a finished job is known");
    assert!(queue.push_with(redis, &job(2), &once).await.unwrap_err().is_conflict());
    Ok(())
}

async fn unreadable(redis: &Redis) -> Result<()> {
    let queue = Job::queue("unreadable").max_attempts(1);
    let id = queue.push(redis, &job(1)).await?;
    redis.hset("job:unreadable::queue:jobs", [(id.to_string(), "secret?")]).await?;
    queue.push(redis, &job(2)).await?;
    let [bad, good] = queue.reserve_many(redis, "w1", 2).await?.try_into().unwrap();
    let error = bad.element.unwrap_err();
    assert!(error.is_decode() && error.to_string().contains(&format!("job {id}")), "{error}");
    assert!(!error.to_string().contains("secret"), "{error}");
    assert_eq!(RawElement::of(&error).unwrap().bytes(), b"secret?");
    assert_eq!(good.element?, job(2));
    assert_eq!(queue.nack(redis, bad.ticket, Nack::new().error("not a Job")).await?, Nacked::Dead);
    let dead = queue.dead(redis, 0, 9).await?;
    assert_eq!(RawElement::of(dead[0].element.as_ref().unwrap_err()).unwrap().bytes(), b"secret?");

    // Another program has deleted an element: the others are reserved.
    let id = queue.push(redis, &job(3)).await?;
    queue.push(redis, &job(4)).await?;
    redis.hdel("job:unreadable::queue:jobs", [id.to_string()]).await?;
    assert_eq!(number_of(redis, &queue).await?.1, 4);

    // A key of another type is an error before anything is changed.
    let queue = Job::queue("type");
    queue.push(redis, &job(1)).await?;
    redis.set("job:type::queue:dead", "x").await?;
    assert!(queue.reserve(redis, "w1").await.unwrap_err().is_wrong_type());
    assert!(queue.push(redis, &job(2)).await.unwrap_err().is_wrong_type());
    assert_eq!(queue.len(redis).await?, 1);

    // The bound of a list is none of a queue, and any text is an element.
    let queue = Address::queue(1);
    let texts = ["a\0b", "é:\r\n", ""].map(|text| Address(text.into()));
    queue.push_many(redis, &texts).await?;
    let read = queue.reserve_many(redis, "w\n1", 9).await?.into_iter().map(|job| job.element);
    assert_eq!(read.collect::<Result<Vec<_>>>()?, texts);
    Ok(())
}

/// Every call is executed once, although its reply is lost, and returns what it returned first.
async fn lost_replies(stack: &Stack) -> Result<()> {
    let redis = &stack.redis();
    let gate = Gate::default();
    let cut_off = gate.before(stack.builder()).build()?;
    let queue = Job::queue("lost").hold_for(Duration::from_secs(60)).max_attempts(3);
    for cuts in
        [vec![Cut::After], vec![Cut::After, Cut::After], vec![Cut::Before, Cut::After], vec![Cut::During, Cut::After]]
    {
        queue.clear(redis).await?;
        gate.set(cuts.clone());
        let id = queue.push(&cut_off, &job(1)).await?;
        assert_eq!((queue.len(redis).await?, stats(redis, &queue).await?.0), (1, 1), "{cuts:?}");
        gate.set(cuts.clone());
        let first = queue.reserve(&cut_off, "w1").await?.unwrap();
        assert_eq!((first.ticket.id(), first.attempt), (id, 1), "{cuts:?}");
        gate.set(cuts.clone());
        queue.extend(&cut_off, first.ticket, millis(60_000)).await?;
        gate.set(cuts.clone());
        assert_eq!(queue.nack(&cut_off, first.ticket, Nack::new()).await?, Nacked::Waiting, "{cuts:?}");
        let second = queue.reserve(redis, "w1").await?.unwrap();
        assert_eq!(second.attempt, 2);
        gate.set(cuts.clone());
        queue.ack(&cut_off, second.ticket).await?;
        assert_eq!(stats(redis, &queue).await?, (0, 0, 0, 0), "{cuts:?}");
    }
    // Without a retry, the caller knows that it may have been executed, and the job comes back by its deadline.
    let queue = queue.hold_for(millis(30));
    let id = queue.push(redis, &job(1)).await?;
    let impatient = gate.before(stack.builder().retry(RetryPolicy::never())).build()?;
    queue.recover(&impatient, 1).await?; // so that it knows the server's dialect of scripts
    gate.set([Cut::After]);
    assert!(queue.reserve(&impatient, "w1").await.unwrap_err().may_have_executed());
    tokio::time::sleep(millis(35)).await;
    let again = queue.reserve(redis, "w2").await?.unwrap();
    assert_eq!((again.ticket.id(), again.attempt), (id, 2));
    Ok(())
}

#[test]
fn refused_before_anything_is_sent() {
    let queue = Job::queue("images");
    let refusal = |error: redis_model::Error| {
        assert!(error.is_invalid_input());
        error.to_string()
    };
    let why = refusal(queue.push_many(Build, []).validate().unwrap_err());
    assert!(why.contains("at least one job"), "{why}");
    assert!(refusal(queue.reserve_many(Build, "w", 0).validate().unwrap_err()).contains("1 to 1,000"));
    assert!(refusal(queue.reserve_many(Build, "w", 1001).validate().unwrap_err()).contains("1 to 1,000"));
    let never = queue.clone().hold_for(Duration::ZERO);
    assert!(refusal(never.reserve(Build, "w").validate().unwrap_err()).contains("`hold_for` is 0"));
    for (options, why) in [
        (JobOptions::new().once(""), "empty"),
        (JobOptions::new().once("x".repeat(40_000)), "32 KB"),
        (JobOptions::new().once_for(millis(1)), "no effect without `once`"),
        (JobOptions::new().once("x").once_for(Duration::ZERO), "`once_for` of 0"),
        (JobOptions::new().once("x").once_for(Duration::MAX), "100 years"),
    ] {
        assert!(refusal(queue.push_with(Build, &job(1), &options).validate().unwrap_err()).contains(why), "{why}");
    }
    let options = JobOptions::new().delay(Duration::MAX);
    assert!(refusal(queue.push_with(Build, &job(1), &options).validate().unwrap_err()).contains("100 years"));
    assert!(refusal(queue.dead(Build, 0, 0).validate().unwrap_err()).contains("at least 1"));
    let why = refusal(Job::queue("a:b").push(Build, &job(1)).validate().unwrap_err());
    assert!(why.contains("separates") && why.contains("job:a:b"), "{why}");
}

#[test]
fn keys_are_declared() {
    let queue = Job::queue("images");
    let shown = |command: redis_model::redis_rest::Command<_>| {
        let args = command.args().into_iter().map(|arg| String::from_utf8_lossy(&arg).into_owned());
        args.skip(2).collect::<Vec<_>>().join(" ")
    };
    let keys = "job:images::queue job:images::queue:jobs job:images::queue:delayed job:images::queue:reserved \
                job:images::queue:dead";
    assert_eq!(shown(queue.push(Build, &job(7))), format!(r#"5 {keys} 0 0 0  {{"number":7}}"#));
    let options = JobOptions::new().once("order-17").delay(millis(5));
    let command = queue.push_with(Build, &job(7), &options).and_then(|pushed| Ok(pushed.id));
    let sha1_of_job = "61f587896f0fb446b8367756c2beeb34023cd317";
    assert_eq!(
        shown(command),
        format!(r#"6 {keys} job:images::queue:once:order-17 0 5 86400000 {sha1_of_job} {{"number":7}}"#)
    );
    let command = queue.reserve(Build, "w1").and_then(|_| Ok(0));
    assert_eq!(shown(command), format!("5 {keys} 0 1 60000 5 w1"));
    assert_eq!(shown(queue.clear(Build)), format!("5 {keys} 0"));
    assert_eq!(shown(queue.retry_dead(Build, 3)), format!("5 {keys} 0 retry all 3"));
    let command = queue.dead(Build, 2, 3).and_then(|_| Ok(0));
    assert_eq!(command.args()[0], "EVALSHA_RO");
    assert_eq!(shown(command), "2 job:images::queue:jobs job:images::queue:dead 2 4");
}

#[tokio::test(flavor = "multi_thread")]
async fn queues_on_every_server() -> Result<()> {
    for (name, stack) in servers() {
        println!("{name}");
        let redis = &stack.redis();
        life_of_a_job(redis).await?;
        deadlines(redis).await?;
        by_key_and_delayed(redis).await?;
        by_key_alone(redis).await?;
        unreadable(redis).await?;
        lost_replies(&stack).await?;
        let blocking = stack.blocking();
        let of_thread = std::thread::spawn(move || {
            let queue = Job::queue("blocking");
            queue.push(&blocking, &job(1))?;
            let reserved = queue.reserve(&blocking, "w1")?.unwrap();
            queue.ack(&blocking, reserved.ticket)
        });
        tokio::task::spawn_blocking(move || of_thread.join()).await.unwrap().unwrap()?;
    }
    Ok(())
}

#[tokio::test]
async fn tickets_limits_and_large_jobs() -> Result<()> {
    for (server, stack) in servers() {
        let redis = stack.redis();
        let (one, other) = (Job::queue(key("one")).max_attempts(1), Job::queue(key("other")));
        one.push(&redis, &Job { number: 1 }).await?;
        other.push(&redis, &Job { number: 2 }).await?;
        let ticket = one.reserve(&redis, "w").await?.expect("a job").ticket;
        other.reserve(&redis, "w").await?.expect("a job");
        assert!(other.ack(&redis, ticket).await.unwrap_err().is_invalid_input(), "{server}");
        assert_eq!(other.stats(&redis).await?.reserved, 1, "{server}");

        one.nack(&redis, ticket, Nack::new()).await?;
        assert_eq!((one.retry_dead(&redis, 0).await?, one.discard_dead(&redis, 0).await?), (0, 0), "{server}");
        assert_eq!(one.dead(&redis, 0, u64::MAX).await?.len(), 1, "{server}");
        one.recover(&redis, u64::MAX).await?;
        assert_eq!(one.discard_dead(&redis, u64::MAX).await?, 1, "{server}");
    }
    Ok(())
}
