//! Deserializes a found document.
//!
//! A JSON document arrives whole, as text. A hash, or a selection from a document, arrives as paths and values. The
//! values are untyped text, so the requested type decides what each one is. A path `a.b` is the field `b` of `a`.

use serde::de::value::{Error as SerdeError, MapDeserializer};
use serde::de::{DeserializeOwned, Deserializer, Error as _, IntoDeserializer, Visitor};
use serde::forward_to_deserialize_any;

use crate::error::Result;
use crate::reply::{FromReply as _, Json, Reply, Shape};

/// Decodes the content of a hit. `hit` is the whole reply, for the error.
pub(super) fn decode<D: DeserializeOwned>(content: Option<Reply<'_>>, hit: Reply<'_>) -> Result<D> {
    let mut fields = Vec::new();
    if let Some(content) = content.filter(|content| !content.is_nil()) {
        for field in content.array()? {
            let [path, value] = field.array_of()?;
            if path.text()? == "$" {
                return Ok(Json::from_reply(value)?.0);
            }
            fields.push((path.text()?, value));
        }
    }
    D::deserialize(MapDeserializer::new(nested(fields).into_iter()))
        .map_err(|error| hit.mismatch(&format!("a document of {}", std::any::type_name::<D>())).with_source(error))
}

/// A value, or the values below a path.
enum Node<'a> {
    Value(Reply<'a>),
    Object(Vec<(&'a str, Reply<'a>)>),
}

fn nested<'a>(fields: Vec<(&'a str, Reply<'a>)>) -> Vec<(&'a str, Node<'a>)> {
    let mut nodes: Vec<(&str, Node<'_>)> = Vec::new();
    for (path, value) in fields {
        let Some((head, rest)) = path.split_once('.') else {
            nodes.push((path, Node::Value(value)));
            continue;
        };
        let below = nodes.iter_mut().find_map(|(name, node)| match node {
            Node::Object(below) if *name == head => Some(below),
            _ => None,
        });
        match below {
            Some(below) => below.push((rest, value)),
            None => nodes.push((head, Node::Object(vec![(rest, value)]))),
        }
    }
    nodes
}

impl<'a> Node<'a> {
    fn text(&self) -> std::result::Result<String, SerdeError> {
        match self {
            Node::Value(reply) => String::from_reply(*reply).map_err(SerdeError::custom),
            Node::Object(_) => Err(SerdeError::custom("expected a value, found an object")),
        }
    }

    /// Deserializes an object, or JSON text.
    fn compound<V: Visitor<'a>>(
        self,
        visitor: V,
        of_text: impl FnOnce(
            &mut serde_json::Deserializer<serde_json::de::SliceRead<'a>>,
            V,
        ) -> serde_json::Result<V::Value>,
    ) -> std::result::Result<V::Value, SerdeError> {
        match self {
            Node::Object(fields) => visitor.visit_map(MapDeserializer::new(nested(fields).into_iter())),
            Node::Value(reply) => {
                let text = reply.bytes().map_err(SerdeError::custom)?;
                let mut json = serde_json::Deserializer::from_slice(text);
                let value = of_text(&mut json, visitor).map_err(SerdeError::custom)?;
                json.end().map_err(SerdeError::custom)?;
                Ok(value)
            }
        }
    }
}

impl<'a> IntoDeserializer<'a> for Node<'a> {
    type Deserializer = Node<'a>;

    fn into_deserializer(self) -> Node<'a> {
        self
    }
}

macro_rules! numbers {
    ($($method:ident $visit:ident $number:ty)*) => {$(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> std::result::Result<V::Value, SerdeError> {
            match self {
                Node::Value(reply) => visitor.$visit(<$number>::from_reply(reply).map_err(SerdeError::custom)?),
                Node::Object(_) => Err(SerdeError::custom("expected a number, found an object")),
            }
        }
    )*};
}

impl<'de> Deserializer<'de> for Node<'de> {
    type Error = SerdeError;

    numbers! {
        deserialize_bool visit_bool bool
        deserialize_i8 visit_i8 i8
        deserialize_i16 visit_i16 i16
        deserialize_i32 visit_i32 i32
        deserialize_i64 visit_i64 i64
        deserialize_i128 visit_i128 i128
        deserialize_u8 visit_u8 u8
        deserialize_u16 visit_u16 u16
        deserialize_u32 visit_u32 u32
        deserialize_u64 visit_u64 u64
        deserialize_u128 visit_u128 u128
        deserialize_f32 visit_f32 f32
        deserialize_f64 visit_f64 f64
    }

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> std::result::Result<V::Value, SerdeError> {
        match self {
            Node::Object(fields) => visitor.visit_map(MapDeserializer::new(nested(fields).into_iter())),
            Node::Value(reply) => match reply.shape() {
                Shape::Nil => visitor.visit_unit(),
                Shape::Int(int) => visitor.visit_i64(int),
                _ => visitor.visit_string(String::from_reply(reply).map_err(SerdeError::custom)?),
            },
        }
    }

    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> std::result::Result<V::Value, SerdeError> {
        visitor.visit_string(self.text()?)
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> std::result::Result<V::Value, SerdeError> {
        visitor.visit_string(self.text()?)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> std::result::Result<V::Value, SerdeError> {
        match &self {
            Node::Value(reply) if reply.is_nil() => visitor.visit_none(),
            _ => visitor.visit_some(self),
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> std::result::Result<V::Value, SerdeError> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> std::result::Result<V::Value, SerdeError> {
        visitor.visit_enum(self.text()?.into_deserializer())
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> std::result::Result<V::Value, SerdeError> {
        self.compound(visitor, |json, visitor| json.deserialize_seq(visitor))
    }

    fn deserialize_tuple<V: Visitor<'de>>(self, len: usize, visitor: V) -> std::result::Result<V::Value, SerdeError> {
        self.compound(visitor, |json, visitor| json.deserialize_tuple(len, visitor))
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> std::result::Result<V::Value, SerdeError> {
        self.compound(visitor, |json, visitor| json.deserialize_map(visitor))
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> std::result::Result<V::Value, SerdeError> {
        self.compound(visitor, |json, visitor| json.deserialize_struct(name, fields, visitor))
    }

    forward_to_deserialize_any! { char bytes byte_buf unit unit_struct tuple_struct identifier ignored_any }
}
