//! The rows and index entries of records, written without the scripts: a second implementation of the layout to test queries
//! against, and a fast way to fill a server.

use redis_model::commands::sorted_set::ZAddOptions;
use redis_model::model::{Fields, Sink};
use redis_model::redis_rest::{HashCommands as _, Redis, Result, Script, SortedSetCommands as _};
use redis_model::{HashModel, Id};

/// Writes records of one model.
#[derive(Debug)]
pub struct ByHand {
    prefix: &'static str,
    /// Names columns and indexes: `User;age i,email t;email=2!;email+age=2+1;/16`, sorted by name.
    descriptor: &'static str,
    indexes: Vec<(&'static str, Vec<usize>, bool)>,
    partitions: u32,
}

/// What a record writes.
#[derive(Default)]
struct Written {
    fields: Vec<(&'static str, String)>,
    columns: Vec<(&'static str, String)>,
}

impl Sink for Written {
    fn set(&mut self, name: &'static str, text: String, _: redis_model::codec::Kind) {
        self.fields.push((name, text));
    }

    fn clear(&mut self, _: &'static str) {}

    fn column(&mut self, name: &'static str, text: impl FnOnce() -> Result<String>) -> Result<()> {
        self.columns.push((name, text()?));
        Ok(())
    }
}

impl ByHand {
    /// Reads a descriptor.
    pub fn new<M: HashModel>(descriptor: &'static str) -> Self {
        let mut indexes = Vec::new();
        let mut partitions = 1;
        for part in descriptor.split(';').skip(2) {
            if let Some(number) = part.strip_prefix('/') {
                partitions = number.parse().expect("a number");
                continue;
            }
            let (name, positions) = part.split_once('=').expect("an index");
            let unique = positions.ends_with('!');
            let positions = positions.trim_end_matches('!').split('+');
            let positions = positions.map(|position| position.parse::<usize>().expect("a position") - 1).collect();
            indexes.push((name, positions, unique));
        }
        ByHand { prefix: M::KEY_PREFIX, descriptor, indexes, partitions }
    }

    fn tag(&self) -> String {
        Script::new(self.descriptor).sha1().chars().take(8).collect()
    }

    /// Returns the label in the rows.
    pub fn label(&self) -> String {
        format!("{} {}", self.tag(), self.descriptor)
    }

    fn partition_of(&self, text: &str) -> u64 {
        let hash = text.bytes().fold(0_u64, |hash, byte| (hash * 31 + u64::from(byte)) % 2_147_483_647);
        hash % u64::from(self.partitions)
    }

    fn key(&self, name: &str, partition: u64) -> String {
        if self.partitions > 1 {
            format!("{}::{name}:{partition}", self.prefix)
        } else {
            format!("{}::{name}", self.prefix)
        }
    }

    /// Writes labels and sentinels.
    pub async fn create(&self, redis: &Redis) -> Result<()> {
        let mut batch = redis.batch();
        for partition in 0..u64::from(self.partitions) {
            let _ = batch.hset(self.key("rows", partition), (":", self.label()));
            for (name, ..) in &self.indexes {
                let _ = batch.zadd(self.key(&format!("index:{name}"), partition), (0.0, ""));
            }
        }
        if self.partitions > 1 {
            let created: Vec<_> = (0..self.partitions).map(|partition| partition.to_string()).collect();
            let _ = batch.hset(self.key("rows", 0), (":partitions", created.join(",")));
        }
        batch.exec().await.map(drop)
    }

    /// Makes a record expire at a time in ms since 1970, by its mark alone.
    pub async fn mark_expiry(&self, redis: &Redis, id: &str, at: f64) -> Result<()> {
        redis.zadd_with(self.key("expiry", self.partition_of(id)), (at, id), ZAddOptions::new()).await.map(drop)
    }

    /// Writes records that do not exist yet.
    pub async fn insert<M: HashModel>(&self, redis: &Redis, records: &[M]) -> Result<()> {
        self.create(redis).await?;
        for records in records.chunks(1_000) {
            let mut batch = redis.batch();
            for record in records {
                let id = M::Id::key_part(record.id().as_ref()).into_owned();
                let mut written = Written::default();
                Fields::write(record, &mut written)?;
                let _ = batch.hset(format!("{}:{id}", self.prefix), written.fields);
                written.columns.sort_unstable();
                let columns: Vec<_> = written.columns.into_iter().map(|(_, text)| text).collect();
                let row = format!("{}\0{}", self.tag(), columns.join("\0"));
                let _ = batch.hset(self.key("rows", self.partition_of(&id)), (id.as_str(), row));
                for (name, positions, unique) in &self.indexes {
                    for entry in entries(&columns, positions) {
                        let partition = self.partition_of(if *unique { &entry } else { &id });
                        let _ =
                            batch.zadd(self.key(&format!("index:{name}"), partition), (0.0, format!("{entry}\0{id}")));
                    }
                }
            }
            batch.exec().await?;
        }
        Ok(())
    }
}

/// Returns the entries of an index, without the id.
fn entries(columns: &[String], positions: &[usize]) -> Vec<String> {
    let mut entries = vec![String::new()];
    for (at, position) in positions.iter().enumerate() {
        let column = columns.get(*position).expect("a column");
        let values: Vec<_> = column.split('\u{2}').filter_map(|value| value.strip_prefix('=')).collect();
        let separator = if at == 0 { "" } else { "\0" };
        let longer =
            |entry: &String| values.iter().map(|value| format!("{entry}{separator}{value}")).collect::<Vec<_>>();
        entries = entries.iter().flat_map(longer).collect();
    }
    entries
}
