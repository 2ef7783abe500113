//! References from one record to another.

use std::borrow::Borrow;
use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};

use redis_rest::{Arg, Client, Executor, FromReply, Reply, Result, ToArg};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::field::{Element, Field};
use crate::hash::HashModel;
use crate::id::Id;
use crate::index::{ColumnKind, IndexValue};
use crate::mismatch::Mismatch;
use crate::value;

/// A reference to a record of the model `M`: a field that holds its id.
///
/// The field is stored as the text of the id, as an id of its own would be. Nothing checks whether the record exists: it may
/// be deleted later, and [`load`](Ref::load) then returns `None`.
///
/// ```no_run
/// use redis_model::Ref;
/// use redis_model::prelude::*;
///
/// #[derive(Debug, Clone, PartialEq, RedisModel)]
/// #[redis(prefix = "user")]
/// struct User {
///     #[redis(id)]
///     id: u64,
///     name: String,
/// }
///
/// #[derive(Debug, Clone, PartialEq, RedisModel)]
/// #[redis(prefix = "order")]
/// struct Order {
///     #[redis(id)]
///     id: u64,
///     #[redis(index)]
///     buyer: Ref<User>,
///     gift_for: Option<Ref<User>>,
/// }
///
/// # async fn example(redis: Redis) -> Result<()> {
/// let ada = User { id: 42, name: "Ada".into() };
/// ada.save(&redis).await?;
/// let order = Order { id: 7, buyer: Ref::to(&ada), gift_for: None };
/// order.save(&redis).await?;
///
/// assert_eq!(order.buyer.load(&redis).await?, Some(ada));
/// let orders = Order::query().eq(Order::BUYER, order.buyer).fetch(&redis).await?.items;
/// assert_eq!(orders, [order]);
///
/// // The buyers of many orders, in one request:
/// let buyers: Vec<Option<User>> = Ref::load_many(&redis, orders.iter().map(|order| order.buyer)).await?;
/// # Ok(())
/// # }
/// ```
///
/// In an index, references sort as their ids do: `u64` by number, `String` and `Uuid` by their text. In a field marked
/// `#[redis(json)]`, a reference is what its id is, so a type that holds one can derive serde's traits.
///
/// A `Ref` is `Copy`, `Ord` or `Hash` if the id is. The model itself needs none of these traits.
pub struct Ref<M: HashModel> {
    id: M::Id,
}

impl<M: HashModel> Ref<M> {
    /// Creates a reference to the record with this id.
    #[must_use]
    pub const fn new(id: M::Id) -> Self {
        Ref { id }
    }

    /// Creates a reference to a record.
    #[must_use]
    pub fn to(record: &M) -> Self
    where
        M::Id: Clone,
    {
        Ref { id: record.id().clone() }
    }

    /// Returns the id of the record.
    #[must_use]
    pub const fn id(&self) -> &M::Id {
        &self.id
    }

    /// Returns the id of the record.
    #[must_use]
    pub fn into_id(self) -> M::Id {
        self.id
    }

    /// Loads the record; see [`HashModel::load`]. Returns `None` if it does not exist.
    ///
    /// # Errors
    ///
    /// Those of [`HashModel::load`].
    pub fn load<E: Executor>(&self, executor: E) -> E::Out<Option<M>> {
        M::load(executor, self.id.as_ref())
    }

    /// Loads the records of several references in one request, in order; see [`HashModel::load_many`]. A record that several
    /// of them refer to is loaded several times.
    ///
    /// # Errors
    ///
    /// Those of [`HashModel::load_many`].
    pub fn load_many<C: Client>(
        client: C,
        references: impl IntoIterator<Item = impl Borrow<Ref<M>>>,
    ) -> C::Out<Vec<Option<M>>> {
        let references: Vec<_> = references.into_iter().collect();
        M::load_many(client, references.iter().map(|reference| reference.borrow().id.as_ref()))
    }
}

impl<M: HashModel> Field for Ref<M> {
    type Value = Self;

    fn encode(&self, text: &mut String) {
        text.push_str(&M::Id::key_part(self.id.as_ref()));
    }

    fn decode(text: &str) -> Result<Self, Mismatch> {
        let id = M::Id::from_key_part(text);
        id.map(Ref::new).ok_or_else(|| Mismatch::expected(format!("the id of a {}", M::MODEL_NAME)))
    }

    fn decode_value(text: &str) -> Result<Self, Mismatch> {
        Self::decode(text)
    }
}

impl<M: HashModel> Element for Ref<M> {}

impl<M: HashModel<Id: IndexValue>> IndexValue for Ref<M> {
    const KIND: ColumnKind = M::Id::KIND;

    fn push_index(&self, out: &mut String) -> Result<(), &'static str> {
        self.id.push_index(out)
    }
}

impl<M: HashModel> ToArg for Ref<M> {
    fn to_arg(&self) -> Arg<'_> {
        value::to_arg(self)
    }
}

impl<M: HashModel> FromReply for Ref<M> {
    fn from_reply(reply: Reply<'_>) -> Result<Self> {
        value::from_reply(reply)
    }
}

impl<M: HashModel<Id: Serialize>> Serialize for Ref<M> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.id.serialize(serializer)
    }
}

impl<'de, M: HashModel<Id: Deserialize<'de>>> Deserialize<'de> for Ref<M> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        M::Id::deserialize(deserializer).map(Ref::new)
    }
}

impl<M: HashModel<Id: Clone>> Clone for Ref<M> {
    fn clone(&self) -> Self {
        Ref { id: self.id.clone() }
    }
}

impl<M: HashModel<Id: Copy>> Copy for Ref<M> {}

impl<M: HashModel<Id: PartialEq>> PartialEq for Ref<M> {
    fn eq(&self, other: &Self) -> bool {
        self.id == other.id
    }
}

impl<M: HashModel<Id: Eq>> Eq for Ref<M> {}

impl<M: HashModel<Id: PartialOrd>> PartialOrd for Ref<M> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        self.id.partial_cmp(&other.id)
    }
}

impl<M: HashModel<Id: Ord>> Ord for Ref<M> {
    fn cmp(&self, other: &Self) -> Ordering {
        self.id.cmp(&other.id)
    }
}

impl<M: HashModel<Id: Hash>> Hash for Ref<M> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.id.hash(state);
    }
}

/// The text of the id.
impl<M: HashModel> fmt::Display for Ref<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&M::Id::key_part(self.id.as_ref()))
    }
}

impl<M: HashModel> fmt::Debug for Ref<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Ref({} {self})", M::MODEL_NAME)
    }
}
