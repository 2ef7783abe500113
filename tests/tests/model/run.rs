//! A run: tasks that make random calls at once, and what came of it.

use std::collections::BTreeMap;
use std::sync::Arc;

use redis_model_tests::Stack;
use redis_model_tests::direct::Mutation;
use redis_model_tests::random::Random;

use crate::check;
use crate::generate::Ids;
use crate::task::Task;
use crate::world::{World, clock};

#[derive(Debug, Clone)]
pub(crate) struct Settings {
    pub(crate) operations: u64,
    pub(crate) seed: u64,
    pub(crate) tasks: usize,
    pub(crate) ids: usize,
    pub(crate) mutation: Option<Mutation>,
    pub(crate) through_gateway: bool,
    /// Stops at the first problem.
    pub(crate) stops: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Settings { operations: 0, seed: 1, tasks: 4, ids: 50, mutation: None, through_gateway: false, stops: false }
    }
}

#[derive(Debug, Default)]
pub(crate) struct Report {
    pub(crate) problems: Vec<String>,
    counts: BTreeMap<String, u64>,
    pub(crate) has_mutated: bool,
    pub(crate) operations: u64,
    millis: i64,
}

impl Report {
    pub(crate) fn summary(&self) -> String {
        format!("{} operations in {} ms: {:?}", self.operations, self.millis, self.counts)
    }
}

/// Runs the operations on an empty server.
pub(crate) async fn run(stack: &Stack, settings: Settings) -> Report {
    let began = clock();
    let world = World::new(stack, settings.mutation.clone());
    world.run(["FLUSHALL"]).await;
    world.run(["SCRIPT", "FLUSH"]).await;
    let each = settings.operations / settings.tasks as u64 + 1;
    let tasks: Vec<_> = (0..settings.tasks)
        .map(|number| {
            // One task's requests go through the gateway.
            let (redis, call) = world.client((number == 0 && settings.through_gateway).then_some(stack));
            let random = Random::new(settings.seed.wrapping_mul(1000) + number as u64);
            let world = Arc::clone(&world);
            let mut task = Task::new(world, redis, call, random, Ids(settings.ids));
            tokio::spawn(async move {
                for done in 0..each {
                    task.step().await;
                    if done % 64 == 0 && settings.stops && !task.world.state.lock().await.problems.is_empty() {
                        return done;
                    }
                }
                each
            })
        })
        .collect();
    let mut operations = 0;
    for task in tasks {
        match task.await {
            Ok(done) => operations += done,
            Err(error) => world.state.lock().await.problem(format!("a task panicked: {error}")),
        }
    }
    let is_clean = world.state.lock().await.problems.is_empty();
    if is_clean {
        check::at_the_end(&world).await;
    }
    let state = world.state.lock().await;
    Report {
        problems: state.problems.clone(),
        counts: state.counts.clone(),
        has_mutated: world.has_mutated(),
        operations,
        millis: clock() - began,
    }
}
