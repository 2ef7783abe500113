//! Vector indexes: the nearest of many embeddings. Only the service has these commands.

use super::info::Info;
use crate::arg::ToArg;
use crate::command::{Args, Command, ToArgs};
use crate::error::Result;
use crate::executor::Executor;
use crate::reply::{FromReply, Reply};
use crate::wire::base64;

/// The commands on vector indexes.
///
/// An index is a key: `exists`, `expire` and `del` work on it. They are not the vector sets of Redis 8 (`VADD`), nor the
/// service's separate product for vectors.
///
/// *Unverified*: only the service has these commands, and it was not available for tests. The requests match those of
/// its official TypeScript SDK. The replies are decoded as that SDK and the documentation describe them. The complexity
/// of the commands is not documented.
///
/// ```no_run
/// # async fn example(redis: redis_rest::Redis) -> redis_rest::Result<()> {
/// use redis_rest::VectorCommands;
/// use redis_rest::commands::vector::{VectorIndex, VectorMetric, VectorQuery};
///
/// let index = VectorIndex::new(3, VectorMetric::Cosine).exists_ok();
/// redis.vector_create("docs", index).await?;
/// assert!(redis.vector_add("docs", "doc-1", [0.1, 0.2, 0.3]).await?);
///
/// let hits = redis.vector_query("docs", VectorQuery::new([0.1, 0.2, 0.25], 5)).await?;
/// assert_eq!(hits[0].id, "doc-1");
/// assert!(hits[0].score > 0.9);
///
/// // `None`: there is no such index.
/// assert_eq!(redis.vector_info("no-such-index").await?, None);
/// # Ok(())
/// # }
/// ```
pub trait VectorCommands: Executor {
    /// Stores a vector under an id, and returns whether the id is new. Otherwise the vector replaces the one before.
    /// [VECTOR.ADD](https://upstash.com/docs/redis/commands/vector/vector-add).
    fn vector_add(self, index: impl ToArg, id: impl ToArg, vector: impl Into<Vector>) -> Self::Out<bool> {
        self.execute(Command::write("VECTOR.ADD").arg(index).arg(id).options(vector.into()))
    }

    /// Returns the number of vectors, or 0 if the index does not exist.
    /// [VECTOR.COUNT](https://upstash.com/docs/redis/commands/vector/vector-count).
    fn vector_count(self, index: impl ToArg) -> Self::Out<u64> {
        self.execute(Command::read("VECTOR.COUNT").arg(index))
    }

    /// Creates an index and returns whether it is new. Fails if the index exists, unless [`VectorIndex::exists_ok`] is
    /// set and the index is the same. [VECTOR.CREATE](https://upstash.com/docs/redis/commands/vector/vector-create).
    fn vector_create(self, index: impl ToArg, config: VectorIndex) -> Self::Out<bool> {
        self.execute(Command::write("VECTOR.CREATE").arg(index).options(config))
    }

    /// Deletes the vector under an id, and returns whether it existed.
    /// [VECTOR.DEL](https://upstash.com/docs/redis/commands/vector/vector-del).
    fn vector_del(self, index: impl ToArg, id: impl ToArg) -> Self::Out<bool> {
        self.execute(Command::write("VECTOR.DEL").arg(index).arg(id))
    }

    /// Deletes an index and all its vectors, and returns whether it existed.
    /// [VECTOR.DROP](https://upstash.com/docs/redis/commands/vector/vector-drop).
    fn vector_drop(self, index: impl ToArg) -> Self::Out<bool> {
        self.execute(Command::write("VECTOR.DROP").arg(index))
    }

    /// Returns the vector under an id, or `None` if the id does not exist. The service replies with an error if the index
    /// does not exist. [VECTOR.GET](https://upstash.com/docs/redis/commands/vector/vector-get).
    fn vector_get(self, index: impl ToArg, id: impl ToArg) -> Self::Out<Option<Vec<f32>>> {
        self.execute(Command::read("VECTOR.GET").arg(index).arg(id))
    }

    /// Returns the settings of an index, or `None` if it does not exist.
    /// [VECTOR.INFO](https://upstash.com/docs/redis/commands/vector/vector-info).
    fn vector_info(self, index: impl ToArg) -> Self::Out<Option<VectorInfo>> {
        self.execute(Command::read("VECTOR.INFO").arg(index))
    }

    /// Returns the ids of the nearest vectors, best first. The search is approximate. The service replies with an error
    /// if the index does not exist.
    /// [VECTOR.QUERY](https://upstash.com/docs/redis/commands/vector/vector-query).
    fn vector_query(self, index: impl ToArg, query: VectorQuery) -> Self::Out<Vec<VectorHit>> {
        self.execute(Command::read("VECTOR.QUERY").arg(index).options(query))
    }
}

impl<E: Executor> VectorCommands for E {}

/// A vector to store or to search for. The service stores numbers of 32 bits.
///
/// Arrays, slices and `Vec`s of `f32` and `f64` convert to it.
///
/// ```
/// use redis_rest::commands::vector::Vector;
/// use redis_rest::{Build, VectorCommands};
///
/// let embedding: Vec<f32> = vec![0.5, 1.0];
/// assert_eq!(Build.vector_add("docs", "1", embedding).args()[3..], ["BASE64-FP32", "AAAAPwAAgD8="]);
/// assert_eq!(Build.vector_add("docs", "1", [0.5, 1.0]).args()[3..], ["VALUES", "2", "0.5", "1"]);
/// // As providers of embeddings return it:
/// let vector = Vector::base64("AAAAPwAAgD8=");
/// assert_eq!(Build.vector_add("docs", "1", vector).args()[3..], ["BASE64-FP32", "AAAAPwAAgD8="]);
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Vector(Form);

#[derive(Debug, Clone, PartialEq)]
enum Form {
    Values(Vec<f64>),
    Fp32(Vec<f32>),
    Base64(String),
}

impl Vector {
    /// A vector as the base64 of its numbers, each of them four bytes in little-endian order: the `base64` format of
    /// embeddings. It is sent as it is.
    #[must_use]
    pub fn base64(text: impl Into<String>) -> Self {
        Vector(Form::Base64(text.into()))
    }
}

macro_rules! vector_from {
    ($($number:ty => $form:ident)*) => {$(
        impl From<Vec<$number>> for Vector {
            fn from(numbers: Vec<$number>) -> Self {
                Vector(Form::$form(numbers))
            }
        }

        impl From<&[$number]> for Vector {
            fn from(numbers: &[$number]) -> Self {
                Vector::from(numbers.to_vec())
            }
        }

        impl From<&Vec<$number>> for Vector {
            fn from(numbers: &Vec<$number>) -> Self {
                Vector::from(numbers.as_slice())
            }
        }

        impl<const N: usize> From<[$number; N]> for Vector {
            fn from(numbers: [$number; N]) -> Self {
                Vector::from(numbers.as_slice())
            }
        }

        impl<const N: usize> From<&[$number; N]> for Vector {
            fn from(numbers: &[$number; N]) -> Self {
                Vector::from(numbers.as_slice())
            }
        }
    )*};
}

vector_from! { f32 => Fp32 f64 => Values }

impl ToArgs for Vector {
    fn write_args(&self, args: &mut Args) {
        let (empty, finite) = match &self.0 {
            Form::Values(numbers) => (numbers.is_empty(), numbers.iter().all(|number| number.is_finite())),
            Form::Fp32(numbers) => (numbers.is_empty(), numbers.iter().all(|number| number.is_finite())),
            Form::Base64(text) => (text.is_empty(), true),
        };
        if empty {
            args.reject("a vector needs at least one number");
        }
        if !finite {
            args.reject("a vector has a number that is not finite");
        }
        match &self.0 {
            Form::Values(numbers) => args.push("VALUES").push(numbers.len()).extend(numbers),
            Form::Fp32(numbers) => {
                let bytes: Vec<u8> = numbers.iter().flat_map(|number| number.to_le_bytes()).collect();
                args.push("BASE64-FP32").push(base64::encode(&bytes))
            }
            Form::Base64(text) => args.push("BASE64-FP32").push(text),
        };
    }
}

/// How an index compares two vectors.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum VectorMetric {
    /// By their direction alone, the usual choice for text: `COSINE`.
    Cosine,
    /// By the distance between them: `EUCLIDEAN`.
    Euclidean,
    /// By their dot product, which grows with their length: `DOT`.
    Dot,
}

impl VectorMetric {
    const ALL: [VectorMetric; 3] = [VectorMetric::Cosine, VectorMetric::Euclidean, VectorMetric::Dot];

    fn word(self) -> &'static str {
        match self {
            VectorMetric::Cosine => "COSINE",
            VectorMetric::Euclidean => "EUCLIDEAN",
            VectorMetric::Dot => "DOT",
        }
    }
}

impl FromReply for VectorMetric {
    fn from_reply(reply: Reply<'_>) -> Result<Self> {
        let word = reply.text()?;
        let metric = VectorMetric::ALL.into_iter().find(|metric| metric.word().eq_ignore_ascii_case(word));
        metric.ok_or_else(|| reply.mismatch("COSINE, EUCLIDEAN or DOT"))
    }
}

/// The settings of a new index. They cannot be changed later.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct VectorIndex {
    dimension: u32,
    metric: VectorMetric,
    exists_ok: bool,
}

impl VectorIndex {
    /// An index of vectors of `dimension` numbers: 1 to 32,768.
    #[must_use]
    pub fn new(dimension: u32, metric: VectorMetric) -> Self {
        VectorIndex { dimension, metric, exists_ok: false }
    }

    /// Accepts that the same index exists already: `EXISTSOK`.
    #[must_use]
    pub fn exists_ok(mut self) -> Self {
        self.exists_ok = true;
        self
    }
}

impl ToArgs for VectorIndex {
    fn write_args(&self, args: &mut Args) {
        if self.dimension == 0 {
            args.reject("the vectors of an index have a dimension of at least 1");
        }
        args.push("DIM").push(self.dimension).push("METRIC").push(self.metric.word());
        args.extend(self.exists_ok.then_some("EXISTSOK"));
    }
}

/// How thoroughly [`vector_query`](VectorCommands::vector_query) searches.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum VectorProfile {
    /// Searches less of the index, and returns sooner: `FAST`.
    Fast,
    /// The default: `BALANCED`.
    Balanced,
    /// Searches more of the index, and finds more of the true neighbours: `PRECISE`.
    Precise,
}

impl VectorProfile {
    fn word(self) -> &'static str {
        match self {
            VectorProfile::Fast => "FAST",
            VectorProfile::Balanced => "BALANCED",
            VectorProfile::Precise => "PRECISE",
        }
    }
}

/// What [`vector_query`](VectorCommands::vector_query) searches for.
///
/// ```no_run
/// # async fn example(redis: redis_rest::Redis) -> redis_rest::Result<()> {
/// use redis_rest::VectorCommands;
/// use redis_rest::commands::vector::{VectorProfile, VectorQuery};
///
/// let query = VectorQuery::new([0.1, 0.2, 0.3], 10).profile(VectorProfile::Precise);
/// for hit in redis.vector_query("docs", query).await? {
///     println!("{}: {}", hit.id, hit.score);
/// }
///
/// let nothing = VectorQuery::new([0.1, 0.2, 0.3], 0);
/// assert!(redis.vector_query("docs", nothing).await.unwrap_err().is_invalid_input());
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct VectorQuery {
    vector: Vector,
    top_k: u32,
    profile: Option<VectorProfile>,
}

impl VectorQuery {
    /// Finds up to `top_k` neighbours of a vector: 1 to 1,000.
    #[must_use]
    pub fn new(vector: impl Into<Vector>, top_k: u32) -> Self {
        VectorQuery { vector: vector.into(), top_k, profile: None }
    }

    /// Sets how thorough the search is: `PROFILE`.
    #[must_use]
    pub fn profile(mut self, profile: VectorProfile) -> Self {
        self.profile = Some(profile);
        self
    }
}

impl ToArgs for VectorQuery {
    fn write_args(&self, args: &mut Args) {
        if self.top_k == 0 {
            args.reject("a `top_k` of 0 asks for nothing; use at least 1");
        }
        args.push("TOPK").push(self.top_k);
        if let Some(profile) = self.profile {
            args.push("PROFILE").push(profile.word());
        }
        self.vector.write_args(args);
    }
}

/// A vector that a query found.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct VectorHit {
    /// The id.
    pub id: String,
    /// The similarity, from 0 to 1 for every metric. 1 is nearest.
    pub score: f64,
}

impl FromReply for VectorHit {
    fn from_reply(reply: Reply<'_>) -> Result<Self> {
        let [id, score] = reply.array_of()?;
        Ok(VectorHit { id: String::from_reply(id)?, score: f64::from_reply(score)? })
    }
}

/// The settings of an index, from [`vector_info`](VectorCommands::vector_info).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct VectorInfo {
    /// The number of numbers in each vector.
    pub dimension: u32,
    /// How the index compares vectors.
    pub metric: VectorMetric,
}

impl FromReply for VectorInfo {
    fn from_reply(reply: Reply<'_>) -> Result<Self> {
        let info = Info::of(reply)?;
        Ok(VectorInfo { dimension: info.get("dimension")?, metric: info.get("metric")? })
    }
}
