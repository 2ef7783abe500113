//! A task that makes random calls, and compares what it is told with the model.

mod expected;
mod reads;
mod upkeep;
mod writes;

use std::sync::Arc;

use redis_model::prelude::*;
use redis_model_tests::random::Random;

use crate::generate::Ids;
use crate::schema::Table;
use crate::world::{SharedCall, Turn, World};

pub(crate) struct Task {
    pub(crate) world: Arc<World>,
    pub(crate) redis: Redis,
    pub(crate) call: SharedCall,
    pub(crate) random: Random,
    pub(crate) ids: Ids,
    label: &'static str,
}

impl Task {
    pub(crate) fn new(world: Arc<World>, redis: Redis, call: SharedCall, random: Random, ids: Ids) -> Self {
        Task { world, redis, call, random, ids, label: "" }
    }

    fn turn(&self) -> Turn<'_> {
        Turn { call: &self.call }
    }

    async fn problem(&self, text: String) {
        self.world.state.lock().await.problem(text);
    }

    pub(crate) async fn step(&mut self) {
        match self.random.below(1000) {
            0..400 => self.write().await,
            400..480 => self.unit().await,
            480..510 => self.many().await,
            510..550 => self.modify().await,
            550..700 => self.search().await,
            700..720 => self.each().await,
            720..723 => self.upkeep().await,
            723..790 => self.pages().await,
            790..830 => self.counts().await,
            830..870 => self.find_by().await,
            870..930 => self.loads().await,
            _ => self.behind_the_back().await,
        }
    }

    fn table(&mut self) -> Table {
        if self.random.chance(75) { Table::Users } else { Table::Accounts }
    }
}
