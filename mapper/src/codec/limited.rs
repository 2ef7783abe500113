//! A deserializer that puts limits on another one, so that no stored value can abort or hang the program that reads it.
//!
//! Binary formats trust their lengths: a few bytes can claim a string of 64 TiB, a million nested `Option`s, or a
//! billion elements that take no bytes. [`Limited`] wraps a deserializer, and everything that it passes to visitors:
//!
//! * Strings and bytes are borrowed from the input, so their length is checked before anything is allocated.
//! * Values can be nested up to [`MAX_DEPTH`] deep. `Option`s and newtypes count too, because a type can recurse
//!   through them without reading a byte.
//! * All sequences and maps together have at most one element for each byte of the input, and [`MAX_EMPTY`] more.
//!   An element that takes a byte never exceeds this; only elements like `()` do.

use std::cell::Cell;
use std::fmt;
use std::marker::PhantomData;

use serde::de::{
    Deserialize, DeserializeSeed, Deserializer, EnumAccess, Error, MapAccess, SeqAccess, VariantAccess, Visitor,
};

use crate::mismatch::Reason;

/// The maximum nesting of a value. Objects and arrays of JSON have a limit of 128 of their own, and each of them can be
/// in an `Option`. A debug build takes less than half of a thread's default stack for this depth.
const MAX_DEPTH: usize = 256;

/// The maximum number of elements that take no bytes.
const MAX_EMPTY: usize = 4_096;

/// Reads a value within limits. `read` gets the seed of the value, and passes it a deserializer whose input has `len`
/// bytes.
pub(super) fn read<'de, T: Deserialize<'de>, V, E: fmt::Display>(
    len: usize,
    read: impl FnOnce(Root<'_, T>) -> Result<V, E>,
) -> Result<V, Reason> {
    let state = State { elements: Cell::new(len.saturating_add(MAX_EMPTY)), exceeded: Cell::new(None) };
    read(Root { state: &state, of: PhantomData }).map_err(|error| match state.exceeded.get() {
        Some(limit) => Reason::of(limit),
        None => Reason::of(error),
    })
}

/// The value to read, with all that is inside it.
pub(super) struct Root<'l, T> {
    state: &'l State,
    of: PhantomData<T>,
}

impl<'de, T: Deserialize<'de>> DeserializeSeed<'de> for Root<'_, T> {
    type Value = T;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<T, D::Error> {
        let limits = Limits { depth: MAX_DEPTH, count: true, state: self.state };
        T::deserialize(Limited { inner: deserializer, limits })
    }
}

struct State {
    /// How many more elements there can be.
    elements: Cell<usize>,
    /// The limit that was exceeded. Not all formats keep the text of an error.
    exceeded: Cell<Option<Exceeded>>,
}

#[derive(Clone, Copy)]
enum Exceeded {
    Depth,
    Empty,
}

impl fmt::Display for Exceeded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Exceeded::Depth => write!(f, "it is nested more than {MAX_DEPTH} values deep"),
            Exceeded::Empty => write!(f, "it has more than {MAX_EMPTY} elements that take no bytes"),
        }
    }
}

#[derive(Clone, Copy)]
struct Limits<'l> {
    /// How much deeper values can be nested.
    depth: usize,
    /// Whether the next sequence has elements to count. The length of a tuple is part of its type.
    count: bool,
    state: &'l State,
}

impl Limits<'_> {
    fn exceeded<E: Error>(self, limit: Exceeded) -> E {
        self.state.exceeded.set(Some(limit));
        E::custom(limit)
    }

    /// Returns the limits of a value inside this one.
    fn inside<E: Error>(self) -> Result<Self, E> {
        match self.depth.checked_sub(1) {
            Some(depth) => Ok(Limits { depth, count: true, ..self }),
            None => Err(self.exceeded(Exceeded::Depth)),
        }
    }

    fn uncounted(self) -> Self {
        Limits { count: false, ..self }
    }

    /// Counts an element.
    fn element<E: Error>(self) -> Result<(), E> {
        if !self.count {
            return Ok(());
        }
        match self.state.elements.get().checked_sub(1) {
            Some(left) => {
                self.state.elements.set(left);
                Ok(())
            }
            None => Err(self.exceeded(Exceeded::Empty)),
        }
    }

    /// Elements that take a byte cannot be more than the rest of the input, and others need no memory in advance.
    fn size_hint(self, hint: Option<usize>) -> Option<usize> {
        let rest = self.state.elements.get().saturating_sub(MAX_EMPTY);
        hint.map(|hint| if self.count { hint.min(rest) } else { hint })
    }
}

/// A deserializer, or what one passes on to visitors, with limits.
struct Limited<'l, T> {
    inner: T,
    limits: Limits<'l>,
}

/// Methods that wrap the visitor and nothing else.
macro_rules! forward {
    ($($method:ident($($arg:ident: $type:ty),*);)*) => {$(
        fn $method<V: Visitor<'de>>(self, $($arg: $type,)* visitor: V) -> Result<V::Value, D::Error> {
            self.inner.$method($($arg,)* Limited { inner: visitor, limits: self.limits })
        }
    )*};
}

impl<'de, D: Deserializer<'de>> Deserializer<'de> for Limited<'_, D> {
    type Error = D::Error;

    forward! {
        deserialize_any();
        deserialize_bool();
        deserialize_i8();
        deserialize_i16();
        deserialize_i32();
        deserialize_i64();
        deserialize_i128();
        deserialize_u8();
        deserialize_u16();
        deserialize_u32();
        deserialize_u64();
        deserialize_u128();
        deserialize_f32();
        deserialize_f64();
        deserialize_char();
        deserialize_str();
        deserialize_bytes();
        deserialize_option();
        deserialize_unit();
        deserialize_unit_struct(name: &'static str);
        deserialize_newtype_struct(name: &'static str);
        deserialize_seq();
        deserialize_map();
        deserialize_enum(name: &'static str, variants: &'static [&'static str]);
        deserialize_identifier();
        deserialize_ignored_any();
    }

    // bincode allocates as much as the length claims, unless the string is borrowed.
    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
        self.deserialize_str(visitor)
    }

    fn deserialize_byte_buf<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
        self.deserialize_bytes(visitor)
    }

    fn deserialize_tuple<V: Visitor<'de>>(self, len: usize, visitor: V) -> Result<V::Value, D::Error> {
        self.inner.deserialize_tuple(len, Limited { inner: visitor, limits: self.limits.uncounted() })
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        len: usize,
        visitor: V,
    ) -> Result<V::Value, D::Error> {
        self.inner.deserialize_tuple_struct(name, len, Limited { inner: visitor, limits: self.limits.uncounted() })
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, D::Error> {
        self.inner.deserialize_struct(name, fields, Limited { inner: visitor, limits: self.limits.uncounted() })
    }

    fn is_human_readable(&self) -> bool {
        self.inner.is_human_readable()
    }
}

/// Methods of visitors that hold no other values.
macro_rules! forward_scalars {
    ($($method:ident($type:ty);)*) => {$(
        fn $method<E: Error>(self, value: $type) -> Result<V::Value, E> {
            self.inner.$method(value)
        }
    )*};
}

impl<'de, V: Visitor<'de>> Visitor<'de> for Limited<'_, V> {
    type Value = V::Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.expecting(f)
    }

    forward_scalars! {
        visit_bool(bool);
        visit_i8(i8);
        visit_i16(i16);
        visit_i32(i32);
        visit_i64(i64);
        visit_i128(i128);
        visit_u8(u8);
        visit_u16(u16);
        visit_u32(u32);
        visit_u64(u64);
        visit_u128(u128);
        visit_f32(f32);
        visit_f64(f64);
        visit_char(char);
        visit_str(&str);
        visit_borrowed_str(&'de str);
        visit_string(String);
        visit_bytes(&[u8]);
        visit_borrowed_bytes(&'de [u8]);
        visit_byte_buf(Vec<u8>);
    }

    fn visit_none<E: Error>(self) -> Result<V::Value, E> {
        self.inner.visit_none()
    }

    fn visit_unit<E: Error>(self) -> Result<V::Value, E> {
        self.inner.visit_unit()
    }

    fn visit_some<D: Deserializer<'de>>(self, value: D) -> Result<V::Value, D::Error> {
        self.inner.visit_some(Limited { inner: value, limits: self.limits.inside()? })
    }

    fn visit_newtype_struct<D: Deserializer<'de>>(self, value: D) -> Result<V::Value, D::Error> {
        self.inner.visit_newtype_struct(Limited { inner: value, limits: self.limits.inside()? })
    }

    fn visit_seq<A: SeqAccess<'de>>(self, elements: A) -> Result<V::Value, A::Error> {
        self.inner.visit_seq(Limited { inner: elements, limits: self.limits })
    }

    fn visit_map<A: MapAccess<'de>>(self, entries: A) -> Result<V::Value, A::Error> {
        self.inner.visit_map(Limited { inner: entries, limits: self.limits })
    }

    fn visit_enum<A: EnumAccess<'de>>(self, value: A) -> Result<V::Value, A::Error> {
        self.inner.visit_enum(Limited { inner: value, limits: self.limits })
    }
}

/// A value inside another one: an element, a field, the data of a variant.
impl<'de, S: DeserializeSeed<'de>> DeserializeSeed<'de> for Limited<'_, S> {
    type Value = S::Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<S::Value, D::Error> {
        self.inner.deserialize(Limited { inner: deserializer, limits: self.limits.inside()? })
    }
}

impl<'de, A: SeqAccess<'de>> SeqAccess<'de> for Limited<'_, A> {
    type Error = A::Error;

    fn next_element_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, A::Error> {
        let element = self.inner.next_element_seed(Limited { inner: seed, limits: self.limits })?;
        if element.is_some() {
            self.limits.element()?;
        }
        Ok(element)
    }

    fn size_hint(&self) -> Option<usize> {
        self.limits.size_hint(self.inner.size_hint())
    }
}

impl<'de, A: MapAccess<'de>> MapAccess<'de> for Limited<'_, A> {
    type Error = A::Error;

    fn next_key_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, A::Error> {
        let key = self.inner.next_key_seed(Limited { inner: seed, limits: self.limits })?;
        if key.is_some() {
            self.limits.element()?;
        }
        Ok(key)
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, A::Error> {
        self.inner.next_value_seed(Limited { inner: seed, limits: self.limits })
    }

    fn size_hint(&self) -> Option<usize> {
        self.limits.size_hint(self.inner.size_hint())
    }
}

impl<'de, 'l, A: EnumAccess<'de>> EnumAccess<'de> for Limited<'l, A> {
    type Error = A::Error;
    type Variant = Limited<'l, A::Variant>;

    fn variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Result<(S::Value, Self::Variant), A::Error> {
        let limits = self.limits;
        let (variant, data) = self.inner.variant_seed(Limited { inner: seed, limits })?;
        Ok((variant, Limited { inner: data, limits }))
    }
}

impl<'de, A: VariantAccess<'de>> VariantAccess<'de> for Limited<'_, A> {
    type Error = A::Error;

    fn unit_variant(self) -> Result<(), A::Error> {
        self.inner.unit_variant()
    }

    fn newtype_variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Result<S::Value, A::Error> {
        self.inner.newtype_variant_seed(Limited { inner: seed, limits: self.limits })
    }

    fn tuple_variant<V: Visitor<'de>>(self, len: usize, visitor: V) -> Result<V::Value, A::Error> {
        self.inner.tuple_variant(len, Limited { inner: visitor, limits: self.limits.uncounted() })
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, A::Error> {
        self.inner.struct_variant(fields, Limited { inner: visitor, limits: self.limits.uncounted() })
    }
}
