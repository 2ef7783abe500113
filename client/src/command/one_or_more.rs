//! Parameters that accept one value or many.

use std::iter::{Once, once};

use crate::arg::ToArg;

/// One argument, or the items of a collection or an iterator.
///
/// Commands such as [`del`](crate::GenericCommands::del) take it. `Kind` is always inferred.
///
/// ```
/// use redis_rest::{Build, GenericCommands};
///
/// assert_eq!(Build.del("a").args(), ["DEL", "a"]);
/// assert_eq!(Build.del(["a", "b"]).args(), ["DEL", "a", "b"]);
/// assert_eq!(Build.del((1..3).map(|id| format!("user:{id}"))).args(), ["DEL", "user:1", "user:2"]);
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is neither one argument of a Redis command nor a collection of arguments",
    label = "not a key, field or value, and not a collection of these",
    note = "pass one value (`\"a\"`, `7`) or many (`[\"a\", \"b\"]`, a `Vec`, an iterator)",
    note = "text, bytes, numbers and `bool` are arguments, a `char` or a `u8` is not; wrap anything that serde serializes in `Json(..)`; implement `ToArg` for your own types, and pass the text of others: `value.to_string()`"
)]
pub trait OneOrMore<Kind> {
    /// An argument.
    type Item: ToArg;
    #[doc(hidden)]
    type Items: Iterator<Item = Self::Item>;

    #[doc(hidden)]
    fn items(self) -> Self::Items;
}

/// One pair, or the items of a collection or an iterator of pairs.
///
/// Commands such as [`hset`](crate::HashCommands::hset) take it. `Kind` is always inferred.
///
/// ```
/// use redis_rest::{Build, HashCommands};
///
/// assert_eq!(Build.hset("user:1", ("name", "Ada")).args(), ["HSET", "user:1", "name", "Ada"]);
/// assert_eq!(Build.hset("user:1", [("name", "Ada"), ("lang", "en")]).args().len(), 6);
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is neither a pair nor a collection of pairs",
    label = "expected a pair or a collection of pairs",
    note = "pass one pair (`(\"field\", \"value\")`) or many (`[(\"a\", 1), (\"b\", 2)]`, a `Vec`, a `HashMap`, an iterator)"
)]
pub trait OneOrMorePairs<Kind> {
    /// The first half of a pair.
    type First;
    /// The second half of a pair.
    type Second;
    #[doc(hidden)]
    type Items: Iterator<Item = (Self::First, Self::Second)>;

    #[doc(hidden)]
    fn items(self) -> Self::Items;
}

/// Tells the implementations for one value from those for many. A type can have both only if they differ in this.
#[doc(hidden)]
#[derive(Debug)]
pub enum One {}

#[doc(hidden)]
#[derive(Debug)]
pub enum Many {}

impl<A: ToArg> OneOrMore<One> for A {
    type Item = A;
    type Items = Once<A>;

    fn items(self) -> Once<A> {
        once(self)
    }
}

impl<I: IntoIterator<Item: ToArg>> OneOrMore<Many> for I {
    type Item = I::Item;
    type Items = I::IntoIter;

    fn items(self) -> I::IntoIter {
        self.into_iter()
    }
}

/// A pair. As a trait, so that the compiler considers both implementations for every type, and explains that neither fits.
#[doc(hidden)]
pub trait Pair {
    type First;
    type Second;

    fn into_tuple(self) -> (Self::First, Self::Second);
}

impl<A, B> Pair for (A, B) {
    type First = A;
    type Second = B;

    fn into_tuple(self) -> (A, B) {
        self
    }
}

impl<P: Pair> OneOrMorePairs<One> for P {
    type First = P::First;
    type Second = P::Second;
    type Items = Once<(P::First, P::Second)>;

    fn items(self) -> Self::Items {
        once(self.into_tuple())
    }
}

impl<A, B, I: IntoIterator<Item = (A, B)>> OneOrMorePairs<Many> for I {
    type First = A;
    type Second = B;
    type Items = I::IntoIter;

    fn items(self) -> I::IntoIter {
        self.into_iter()
    }
}
