//! Sequences and sets of fields, which are stored as a JSON array.

use std::collections::{BTreeSet, HashSet, VecDeque};
use std::hash::{BuildHasher, Hash};

use serde_json::value::RawValue;

use super::Field;
use crate::kind::Kind;
use crate::mismatch::{Mismatch, short_name};

/// A [`Field`] whose `Vec`, `VecDeque`, boxed slice, `HashSet` or `BTreeSet` is a field too: a JSON array.
///
/// ```no_run
/// use redis_model::prelude::*;
///
/// #[derive(RedisModel)]
/// #[redis(prefix = "article")]
/// struct Article {
///     #[redis(id)]
///     id: u64,
///     tags: Vec<String>,
/// }
///
/// # async fn example(redis: Redis) -> Result<()> {
/// Article { id: 7, tags: vec!["redis".into(), "rust".into()] }.save(&redis).await?;
/// assert_eq!(redis.hget("article:7", "tags").await?, Some(r#"["redis","rust"]"#.to_owned()));
/// # Ok(())
/// # }
/// ```
///
/// An element is a JSON string, or a number or a Boolean if that is what the field is. A `None` is `null`. Elements of a
/// `HashSet` are stored in the order of their texts, so that equal sets have one text.
///
/// All fields of this crate are elements but `u8`: bytes are stored with `#[redis(base64)]`. A type that implements
/// [`Field`] by hand is an element with `impl Element for Type {}`.
#[diagnostic::on_unimplemented(
    message = "a sequence of `{Self}` cannot be stored as one field of a model",
    label = "not an element",
    note = "store a `Vec<u8>` with `#[redis(base64)]`, and a sequence of a type that implements serde's traits with `#[redis(json)]` or `#[redis(postcard)]`",
    note = "a type of your own can derive `RedisModel` itself: an enum without data or a newtype as it is, a type with `Display` and `FromStr` with `#[redis(text)]`"
)]
pub trait Element: Field {}

impl<T: Element> Element for Option<T> {}
impl<T: Element> Element for Box<T> {}

/// Returns the JSON of an element.
fn json<T: Field>(element: &T) -> String {
    if element.is_absent() {
        return "null".to_owned();
    }
    let mut text = String::new();
    element.encode(&mut text);
    let is_json = match T::KIND {
        Kind::Text => false,
        Kind::Bool => matches!(text.as_str(), "true" | "false"),
        // JSON has no NaN and no infinities: they are strings.
        Kind::Number => serde_json::from_str::<serde_json::Number>(&text).is_ok(),
        Kind::Json => serde_json::from_str::<&RawValue>(&text).is_ok(),
    };
    // Serializing a &str cannot fail.
    if is_json { text } else { serde_json::to_string(&text).unwrap_or_default() }
}

fn push_array(elements: impl Iterator<Item = String>, text: &mut String) {
    text.push('[');
    for (at, element) in elements.enumerate() {
        if at > 0 {
            text.push(',');
        }
        text.push_str(&element);
    }
    text.push(']');
}

/// Reads an array.
fn read<T: Field, S: FromIterator<T>>(text: &str) -> Result<S, Mismatch> {
    let elements: Vec<&RawValue> =
        serde_json::from_str(text).map_err(|_| Mismatch::expected(format!("a JSON array of {}", short_name::<T>())))?;
    elements.into_iter().map(|element| read_element(element.get())).collect()
}

fn read_element<T: Field>(json: &str) -> Result<T, Mismatch> {
    if let ("null", Some(absent)) = (json, T::absent()) {
        return Ok(absent);
    }
    let decoded = match json {
        "null" => Err(Mismatch::TYPE),
        // The text of a string with escapes is not a part of the JSON.
        _ if json.starts_with('"') && T::KIND != Kind::Json => match serde_json::from_str::<String>(json) {
            Ok(text) => T::decode(&text),
            Err(_) => Err(Mismatch::TYPE),
        },
        _ => T::decode(json),
    };
    decoded.map_err(|mismatch| match mismatch.expected {
        Some(expected) => Mismatch::expected(format!("a JSON array, each element {expected}")),
        None => Mismatch::expected(format!("a JSON array of {}", short_name::<T>())),
    })
}

macro_rules! sequences {
    ($({$($bounds:tt)*} $sequence:ty, $(#[$sorted:meta])? $sort:expr;)*) => {$(
        impl<$($bounds)*> Field for $sequence {
            own_value!();

            const KIND: Kind = Kind::Json;

            fn encode(&self, text: &mut String) {
                let sort: fn(Vec<String>) -> Vec<String> = $sort;
                push_array(sort(self.iter().map(json).collect()).into_iter(), text);
            }

            fn decode(text: &str) -> Result<Self, Mismatch> {
                read(text)
            }
        }

        impl<$($bounds)*> Element for $sequence {}
    )*};
}

sequences! {
    {T: Element} Vec<T>, |elements| elements;
    {T: Element} VecDeque<T>, |elements| elements;
    {T: Element} Box<[T]>, |elements| elements;
    {T: Element + Ord} BTreeSet<T>, |elements| elements;
    {T: Element + Eq + Hash, S: BuildHasher + Default} HashSet<T, S>, |mut elements| {
        elements.sort_unstable();
        elements
    };
}

#[cfg(test)]
mod tests {
    use std::fmt::Debug;

    use proptest::prelude::*;

    use super::*;

    fn text<T: Field>(value: &T) -> String {
        let mut text = String::new();
        value.encode(&mut text);
        text
    }

    fn round_trip<T: Field + PartialEq + Debug>(value: T) {
        assert_eq!(T::decode(&text(&value)), Ok(value));
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(
            texts: Vec<String>, numbers: VecDeque<i64>, wide: BTreeSet<u128>, set: HashSet<String>, flags: Vec<bool>,
            maybe: Vec<Option<String>>, nested: Vec<Option<Vec<char>>>,
        ) {
            prop_assert_eq!(&text(&texts), &serde_json::to_string(&texts).unwrap());
            prop_assert_eq!(&text(&numbers), &serde_json::to_string(&numbers).unwrap());
            prop_assert_eq!(&text(&flags), &serde_json::to_string(&flags).unwrap());
            round_trip(texts.clone().into_boxed_slice());
            round_trip(texts);
            round_trip(numbers);
            round_trip(wide);
            round_trip(set);
            round_trip(flags);
            round_trip(maybe);
            round_trip(nested);
        }
    }

    #[test]
    fn odd_elements() {
        round_trip(vec![f64::INFINITY, -0.0, 1e300]);
        assert_eq!(text(&vec![0.5, f64::NAN]), r#"[0.5,"NaN"]"#);
        assert_eq!(Vec::<u64>::decode(r#" [ 1 , "2" ] "#), Ok(vec![1, 2]));
        assert_eq!(Vec::<String>::decode(r#"["a\u0000\n"]"#), Ok(vec!["a\0\n".to_owned()]));
        assert_eq!(text(&HashSet::<_>::from(["b".to_owned(), "a".to_owned()])), r#"["a","b"]"#);
        let expected = |what: &str| Mismatch::expected(what.to_owned());
        assert_eq!(Vec::<u64>::decode("1,2"), Err(expected("a JSON array of u64")));
        assert_eq!(Vec::<u64>::decode("[-1]"), Err(expected("a JSON array of u64")));
        assert_eq!(Vec::<String>::decode("[null]"), Err(expected("a JSON array of String")));
    }
}
