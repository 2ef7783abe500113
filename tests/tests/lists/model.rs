//! Random calls of a work queue against a simple in-memory model, one after the other: replies are lost before and
//! after the execution, and deadlines really expire.
//!
//! The model never guesses the time. A reservation's deadline tells when it was made; what else depends on the clock is
//! read from the server.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use redis_model::Queue;
use redis_model::list::{JobOptions, Nack, Nacked, Ticket};
use redis_model::prelude::*;
use redis_model::redis_rest::{Build, Command, Encoding, RetryPolicy};
use redis_model_tests::direct::Direct;
use redis_model_tests::fault::Cut;

use crate::gate::Gate;
use crate::queue::Job;
use crate::random::Random;
use crate::{number, servers};

const MAX_ATTEMPTS: u32 = 3;
const HISTORY: usize = 20;

/// Sorts as a sorted set does: by the time, and then by the text of the id.
type At = (u64, String);

#[derive(Debug, Default)]
struct Model {
    jobs: BTreeMap<u64, Known>,
    waiting: VecDeque<u64>,
    delayed: BTreeSet<At>,
    reserved: BTreeSet<At>,
    dead: BTreeSet<At>,
    by_key: BTreeMap<String, (u64, u64)>,
    last_reservation: u64,
}

#[derive(Debug)]
struct Known {
    number: u64,
    attempts: u64,
    from: u64,
    held: Option<(u64, String)>,
    failures: Vec<(u64, String, String)>,
}

fn at(time: u64, id: u64) -> At {
    (time, id.to_string())
}

fn id_of(at: &At) -> u64 {
    at.1.parse().unwrap()
}

fn millis_of(time: SystemTime) -> u64 {
    u64::try_from(time.duration_since(UNIX_EPOCH).unwrap().as_millis()).unwrap()
}

impl Model {
    fn add(&mut self, id: u64, number: u64) {
        let known = Known { number, attempts: 0, from: 0, held: None, failures: Vec::new() };
        assert!(self.jobs.insert(id, known).is_none(), "the id {id} was given twice");
    }

    fn end_attempt(&mut self, id: u64, error: &str) {
        self.reserved.retain(|at| id_of(at) != id);
        let job = self.jobs.get_mut(&id).unwrap();
        let (_, worker) = job.held.take().unwrap();
        job.failures.push((job.attempts, worker, error.to_owned()));
        if job.failures.len() > HISTORY {
            job.failures.remove(0);
        }
    }

    fn is_used_up(&self, id: u64) -> bool {
        let job = &self.jobs[&id];
        job.attempts - job.from >= u64::from(MAX_ATTEMPTS)
    }

    /// Takes back the first `count` reserved jobs, and returns those that had their last attempt.
    fn take_back(&mut self, count: usize) -> Vec<u64> {
        let expired: Vec<_> = self.reserved.iter().take(count).map(id_of).collect();
        let mut died = Vec::new();
        for id in expired.into_iter().rev() {
            self.end_attempt(id, "the deadline passed");
            if self.is_used_up(id) {
                died.push(id);
            } else {
                self.waiting.push_front(id);
            }
        }
        died
    }

    fn end_delays(&mut self, count: usize) {
        for _ in 0..count {
            let due = self.delayed.pop_first().unwrap();
            self.waiting.push_back(id_of(&due));
        }
    }

    fn due(set: &BTreeSet<At>, now: u64) -> usize {
        set.iter().take_while(|(time, _)| *time <= now).count()
    }

    /// The fields that the hash should have.
    fn fields(&self) -> BTreeSet<String> {
        let mut fields = BTreeSet::from([":".to_owned()]);
        for (id, job) in &self.jobs {
            fields.insert(id.to_string());
            if job.attempts > 0 {
                fields.insert(format!("{id}:n"));
            }
            if job.from > 0 {
                fields.insert(format!("{id}:from"));
            }
            if job.held.is_some() {
                fields.insert(format!("{id}:held"));
            }
            fields.extend(job.failures.iter().map(|(attempt, ..)| format!("{id}:{attempt}")));
        }
        fields
    }
}

/// A driver of one server.
pub(crate) struct World {
    random: Random,
    model: Model,
    gate: Gate,
    patient: Redis,
    impatient: Redis,
    raw: Redis,
    queue: Queue<Job>,
    tickets: Vec<Ticket>,
    next_number: u64,
    counts: BTreeMap<&'static str, u64>,
}

impl World {
    pub(crate) fn new(direct: &Direct, unchanged: &Direct, seed: u64) -> Result<World> {
        let gate = Gate::default();
        let builder = |direct: &Direct| {
            Redis::builder("http://127.0.0.1:1", "none").transport(direct.clone()).encoding(Encoding::Resp2)
        };
        let quick = RetryPolicy::default().backoff(Duration::from_millis(1), Duration::from_millis(5));
        Ok(World {
            random: Random::new(seed),
            model: Model::default(),
            patient: gate.before(builder(direct).retry(quick)).build()?,
            impatient: gate.before(builder(direct).retry(RetryPolicy::never())).build()?,
            raw: builder(unchanged).build()?,
            gate,
            queue: Job::queue("random").max_attempts(MAX_ATTEMPTS),
            tickets: Vec::new(),
            next_number: 0,
            counts: BTreeMap::new(),
        })
    }

    /// Makes a call, perhaps with lost replies. `None` if it was not executed.
    async fn call<R: Send + 'static>(&mut self, command: Command<R>) -> Option<Result<R>> {
        const CUTS: [Cut; 3] = [Cut::Before, Cut::During, Cut::After];
        match self.random.below(10) {
            0 | 1 => {
                let cuts: Vec<_> = (0..=self.random.below(2)).map(|_| self.random.pick(&CUTS)).collect();
                self.gate.set(cuts);
                self.count("repeated by the client");
                Some(self.patient.submit(command).await)
            }
            2 => {
                let cut = self.random.pick(&CUTS);
                self.gate.set([cut]);
                let error = self.impatient.submit(command.clone()).await.err().unwrap();
                match self.gate.last() {
                    // The server has not seen the script before.
                    Some(body) if body.starts_with(b"-NOSCRIPT") => None,
                    Some(body) => {
                        assert!(error.may_have_executed());
                        self.count("executed, and the reply lost");
                        Some(command.decode(body, Encoding::Resp2))
                    }
                    None => None,
                }
            }
            _ => {
                self.gate.set([]);
                Some(self.patient.submit(command).await)
            }
        }
    }

    fn count(&mut self, what: &'static str) {
        *self.counts.entry(what).or_default() += 1;
    }

    fn new_job(&mut self) -> Job {
        self.next_number += 1;
        Job { number: self.next_number }
    }

    /// The time of an id in a sorted set.
    async fn score(&self, set: &str, id: u64) -> Result<u64> {
        let score: String = self.raw.execute(["ZSCORE", &format!("job:random::queue:{set}"), &id.to_string()]).await?;
        Ok(score.parse().unwrap())
    }

    async fn bury(&mut self, ids: Vec<u64>) -> Result<()> {
        for id in ids {
            self.count("dead");
            let since = self.score("dead", id).await?;
            self.model.dead.insert(at(since, id));
        }
        Ok(())
    }

    async fn step(&mut self) -> Result<()> {
        match self.random.below(100) {
            0..=14 => self.push().await,
            15..=19 => self.push_by_key().await,
            20..=54 => self.reserve().await,
            55..=84 => self.settle().await,
            85..=89 => self.recover().await,
            90..=94 => self.retry().await,
            95..=98 => {
                tokio::time::sleep(Duration::from_millis(self.random.below(12))).await;
                Ok(())
            }
            _ if self.random.one_in(20) => self.clear().await,
            _ => self.check().await,
        }
    }

    async fn push(&mut self) -> Result<()> {
        // Now and then more than one call takes back.
        let most = if self.random.one_in(40) { 200 } else { 3 };
        let jobs: Vec<_> = (0..=self.random.below(most)).map(|_| self.new_job()).collect();
        let Some(ids) = self.call(self.queue.push_many(Build, &jobs)).await else { return Ok(()) };
        for (id, job) in ids?.into_iter().zip(jobs) {
            self.model.add(id, job.number);
            self.model.waiting.push_back(id);
        }
        Ok(())
    }

    async fn push_by_key(&mut self) -> Result<()> {
        let key = self.random.below(40).to_string();
        let known = self.model.by_key.get(&key).copied();
        let job = match known {
            Some((_, number)) if self.random.one_in(2) => Job { number },
            _ => self.new_job(),
        };
        let delay = if self.random.one_in(2) { 0 } else { self.random.below(30) };
        let options = JobOptions::new().once(key.clone()).delay(Duration::from_millis(delay));
        let before = clock();
        let Some(pushed) = self.call(self.queue.push_with(Build, &job, &options)).await else { return Ok(()) };
        if let Some((id, number)) = known {
            if job.number == number {
                let pushed = pushed?;
                assert_eq!((pushed.id, pushed.is_new), (id, false), "the key {key}");
                self.count("pushed under a known key");
            } else {
                assert!(pushed.unwrap_err().is_conflict(), "the key {key}");
                self.count("another job under a known key");
            }
            return Ok(());
        }
        let pushed = pushed?;
        assert!(pushed.is_new, "the key {key}");
        self.model.by_key.insert(key, (pushed.id, job.number));
        self.model.add(pushed.id, job.number);
        if delay == 0 {
            self.model.waiting.push_back(pushed.id);
        } else {
            let due = self.score("delayed", pushed.id).await?;
            assert!(before + delay <= due && due <= clock() + delay);
            self.model.delayed.insert(at(due, pushed.id));
        }
        Ok(())
    }

    async fn reserve(&mut self) -> Result<()> {
        let worker = format!("w{}", self.random.below(5));
        let hold_for = self.random.below(120) + 1;
        let most = if self.random.one_in(20) { 200 } else { 5 };
        let count = if self.random.one_in(3) { self.random.below(most) + 1 } else { 1 };
        let queue = self.queue.clone().hold_for(Duration::from_millis(hold_for));
        let before = clock();
        let Some(jobs) = self.call(queue.reserve_many(Build, &worker, count)).await else { return Ok(()) };
        let jobs = jobs?;
        // The script's clock: the reply begins with the deadline, also if it has no job.
        let now = first_number(&self.gate.last().unwrap()) - hold_for;
        assert!(before <= now && now <= clock());

        let limit = usize::try_from(count.max(100)).unwrap();
        let taken_back = Model::due(&self.model.reserved, now).min(limit);
        let died = self.model.take_back(taken_back);
        self.bury(died).await?;
        self.model.end_delays(Model::due(&self.model.delayed, now).min(limit));
        let expected: Vec<_> = (0..count).map_while(|_| self.model.waiting.pop_front()).collect();
        assert_eq!(jobs.iter().map(|job| job.ticket.id()).collect::<Vec<_>>(), expected, "the order");
        for job in jobs {
            let (id, reservation) = (job.ticket.id(), job.ticket.reservation());
            assert!(reservation > self.model.last_reservation, "the numbers of reservations grow");
            self.model.last_reservation = reservation;
            assert_eq!(millis_of(job.deadline), now + hold_for);
            let known = self.model.jobs.get_mut(&id).unwrap();
            known.attempts += 1;
            assert_eq!((job.element?.number, job.attempt), (known.number, known.attempts - known.from));
            assert!(known.held.replace((reservation, worker.clone())).is_none(), "held by two at once");
            self.model.reserved.insert(at(now + hold_for, id));
            self.tickets.push(job.ticket);
            self.count("reserved");
        }
        Ok(())
    }

    /// What a call with this ticket should be refused with.
    fn refusal(&self, ticket: Ticket) -> Option<&'static str> {
        match self.model.jobs.get(&ticket.id()) {
            None => Some("no such job"),
            Some(Known { held: None, .. }) => Some("taken back"),
            Some(Known { held: Some((reservation, _)), .. }) => {
                (*reservation != ticket.reservation()).then_some("another worker")
            }
        }
    }

    fn is_refused<T: std::fmt::Debug>(&mut self, ticket: Ticket, outcome: &Result<T>) -> bool {
        let Some(why) = self.refusal(ticket) else { return false };
        let error = outcome.as_ref().expect_err("a worker that is late is refused");
        assert!(error.to_string().contains(why), "{why}: {error}");
        assert_eq!((error.is_not_found(), error.is_conflict()), (why == "no such job", why != "no such job"));
        self.count("refused: too late");
        true
    }

    async fn settle(&mut self) -> Result<()> {
        if self.tickets.is_empty() {
            return Ok(());
        }
        // Old tickets are used as well.
        let newest = self.tickets.len() - 1;
        let any = usize::try_from(self.random.below(self.tickets.len() as u64)).unwrap();
        let position = if self.random.one_in(4) { any } else { newest };
        let ticket = if self.random.one_in(5) { self.tickets[position] } else { self.tickets.swap_remove(position) };
        while self.tickets.len() > 200 {
            self.tickets.remove(0);
        }
        match self.random.below(4) {
            0 | 1 => self.ack(ticket).await,
            2 => self.nack(ticket).await,
            _ => self.extend(ticket).await,
        }
    }

    async fn ack(&mut self, ticket: Ticket) -> Result<()> {
        let Some(outcome) = self.call(self.queue.ack(Build, ticket)).await else { return Ok(()) };
        if !self.is_refused(ticket, &outcome) {
            outcome?;
            self.count("acknowledged");
            self.model.reserved.retain(|at| id_of(at) != ticket.id());
            self.model.jobs.remove(&ticket.id());
        }
        Ok(())
    }

    async fn nack(&mut self, ticket: Ticket) -> Result<()> {
        let delay = if self.random.one_in(2) { 0 } else { self.random.below(20) };
        let is_final = self.random.one_in(10);
        let error = format!("error {}", self.random.below(1000));
        let nack = Nack::new().error(error.clone()).delay(Duration::from_millis(delay));
        let nack = if is_final { nack.dead() } else { nack };
        let Some(outcome) = self.call(self.queue.nack(Build, ticket, nack)).await else { return Ok(()) };
        if self.is_refused(ticket, &outcome) {
            return Ok(());
        }
        let id = ticket.id();
        self.count("given back");
        self.model.end_attempt(id, &error);
        let expected = match delay {
            _ if is_final || self.model.is_used_up(id) => Nacked::Dead,
            0 => Nacked::Waiting,
            _ => Nacked::Delayed,
        };
        assert_eq!(outcome?, expected);
        match expected {
            Nacked::Dead => self.bury(vec![id]).await?,
            Nacked::Waiting => self.model.waiting.push_back(id),
            Nacked::Delayed => {
                let due = self.score("delayed", id).await?;
                self.model.delayed.insert(at(due, id));
            }
        }
        Ok(())
    }

    async fn extend(&mut self, ticket: Ticket) -> Result<()> {
        let time = self.random.below(50) + 1;
        let before = clock();
        let command = self.queue.extend(Build, ticket, Duration::from_millis(time));
        let Some(outcome) = self.call(command).await else { return Ok(()) };
        if !self.is_refused(ticket, &outcome) {
            let deadline = millis_of(outcome?);
            assert!(before + time <= deadline && deadline <= clock() + time);
            self.count("extended");
            self.model.reserved.retain(|at| id_of(at) != ticket.id());
            self.model.reserved.insert(at(deadline, ticket.id()));
        }
        Ok(())
    }

    async fn recover(&mut self) -> Result<()> {
        let limit = self.random.below(5) + 1;
        let before = clock();
        let Some(outcome) = self.call(self.queue.recover(Build, limit)).await else { return Ok(()) };
        let (outcome, after) = (outcome?, clock());
        let taken_back = outcome.returned + outcome.dead;
        // As many as had expired: at least those before the call, at most those after it.
        for (number, set) in [(taken_back, &self.model.reserved), (outcome.due, &self.model.delayed)] {
            let (least, most) = (Model::due(set, before) as u64, Model::due(set, after) as u64);
            assert!(least.min(limit) <= number && number <= most.min(limit), "{least} {number} {most} {limit}");
        }
        let died = self.model.take_back(usize::try_from(taken_back).unwrap());
        assert_eq!(died.len() as u64, outcome.dead);
        self.bury(died).await?;
        self.model.end_delays(usize::try_from(outcome.due).unwrap());
        Ok(())
    }

    async fn retry(&mut self) -> Result<()> {
        let (one, discards) = (self.random.one_in(2), self.random.one_in(3));
        let limit = self.random.below(3) + 1;
        let ids: Vec<_> = self.model.dead.iter().take(usize::try_from(limit).unwrap()).map(id_of).collect();
        let ids = if one { ids.into_iter().take(1).collect() } else { ids };
        let id = ids.first().copied().unwrap_or(u64::MAX);
        let number = |is_dead: bool| Ok(u64::from(is_dead));
        let command = match (one, discards) {
            (true, true) => self.queue.discard(Build, id).and_then(number),
            (true, false) => self.queue.retry(Build, id).and_then(number),
            (false, true) => self.queue.discard_dead(Build, limit),
            (false, false) => self.queue.retry_dead(Build, limit),
        };
        let Some(outcome) = self.call(command).await else { return Ok(()) };
        assert_eq!(outcome?, ids.len() as u64);
        for id in ids {
            self.model.dead.retain(|at| id_of(at) != id);
            if discards {
                self.model.jobs.remove(&id);
            } else {
                self.count("retried after death");
                let job = self.model.jobs.get_mut(&id).unwrap();
                job.from = job.attempts;
                self.model.waiting.push_back(id);
            }
        }
        Ok(())
    }

    async fn clear(&mut self) -> Result<()> {
        let Some(outcome) = self.call(self.queue.clear(Build)).await else { return Ok(()) };
        assert_eq!(outcome?, self.model.jobs.len() as u64);
        let Model { by_key, last_reservation, .. } = std::mem::take(&mut self.model);
        // The keys of callers remain.
        self.model = Model { by_key, last_reservation, ..Model::default() };
        Ok(())
    }

    /// Compares everything.
    async fn check(&mut self) -> Result<()> {
        let stats = self.queue.stats(&self.raw).await?;
        let model = &self.model;
        assert_eq!(
            (stats.waiting, stats.delayed, stats.reserved, stats.dead),
            (
                model.waiting.len() as u64,
                model.delayed.len() as u64,
                model.reserved.len() as u64,
                model.dead.len() as u64
            )
        );
        let waiting = self.raw.lrange::<u64>("job:random::queue", 0, -1).await?;
        assert_eq!(VecDeque::from(waiting), model.waiting, "what waits, in order");
        for (name, set) in [("delayed", &model.delayed), ("reserved", &model.reserved), ("dead", &model.dead)] {
            let key = format!("job:random::queue:{name}");
            let stored: Vec<String> = self.raw.execute(["ZRANGE", key.as_str(), "0", "-1", "WITHSCORES"]).await?;
            let stored: Vec<_> =
                stored.chunks(2).map(|pair| (pair[1].parse::<u64>().unwrap(), pair[0].clone())).collect();
            assert_eq!(stored, set.iter().cloned().collect::<Vec<_>>(), "{name}");
        }
        let fields: Vec<String> = self.raw.hkeys("job:random::queue:jobs").await?;
        if !fields.is_empty() || !model.jobs.is_empty() {
            assert_eq!(fields.into_iter().collect::<BTreeSet<_>>(), model.fields(), "the fields of the hash");
        }
        if !model.dead.is_empty() {
            let dead = self.queue.dead(&self.raw, 0, model.dead.len() as u64 + 1).await?;
            assert_eq!(dead.len(), model.dead.len());
            for (job, at) in dead.iter().zip(&model.dead) {
                let known = &model.jobs[&job.id];
                assert_eq!((millis_of(job.since), job.id, job.attempts), (at.0, id_of(at), known.attempts));
                let failures = job.failures.iter();
                let failures: Vec<_> = failures.map(|f| (f.attempt, f.worker.clone(), f.error.clone())).collect();
                assert_eq!(failures, known.failures);
                assert_eq!(job.element.as_ref().unwrap().number, known.number);
            }
        }
        self.count("compared");
        Ok(())
    }

    pub(crate) async fn run(mut self, operations: u64) -> Result<BTreeMap<&'static str, u64>> {
        // So that the clients know the server's dialect of scripts, and the server knows the scripts.
        for redis in [&self.patient, &self.impatient] {
            self.queue.clear(redis).await?;
        }
        for _ in 0..operations {
            self.step().await?;
        }
        // Nothing is lost: all that is left can be handled.
        self.check().await?;
        let until = Instant::now() + Duration::from_secs(20);
        while !self.model.jobs.is_empty() {
            assert!(Instant::now() < until, "{} jobs are left", self.model.jobs.len());
            self.reserve().await?;
            for ticket in std::mem::take(&mut self.tickets) {
                self.ack(ticket).await?;
            }
            while !self.model.dead.is_empty() {
                self.retry().await?;
            }
        }
        self.check().await?;
        Ok(self.counts)
    }
}

/// This machine's clock, which is the server's too.
fn clock() -> u64 {
    millis_of(SystemTime::now())
}

/// The first text of an outcome in a RESP2 body: a number.
fn first_number(body: &[u8]) -> u64 {
    let text = String::from_utf8_lossy(body);
    let (_, outcome) = text.split_once("\r\n").unwrap();
    let (length, rest) = outcome.split_once(':').unwrap();
    rest[..length.parse::<usize>().unwrap()].parse().unwrap()
}

#[test]
fn random_calls_against_the_model() {
    let operations = number("QUEUE_OPERATIONS").unwrap_or(2000);
    let seed = number("QUEUE_SEED").unwrap_or_else(clock);
    println!("QUEUE_SEED={seed}, {operations} operations on each server");
    let servers = servers();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let runs = servers.iter().map(|(name, stack)| {
        let direct = Direct::new(stack.server.url());
        let world = World::new(&direct, &direct, seed).unwrap();
        async move { (*name, Box::pin(world.run(operations)).await) }
    });
    for (name, counts) in runtime.block_on(futures_util::future::join_all(runs)) {
        println!("{name}: {:?}", counts.unwrap_or_else(|error| panic!("{name}, QUEUE_SEED={seed}: {error}")));
    }
}
