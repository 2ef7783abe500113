//! Values that are stored as JSON text.

use std::ops::{Deref, DerefMut};

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::{FromReply, Reply, Shape};
use crate::arg::{Arg, ToArg};
use crate::error::{Result, json_text};

/// A value that is stored as JSON text. It is an argument if serde can serialize it, and a reply type if serde can
/// deserialize it.
///
/// ```no_run
/// # async fn example(redis: redis_rest::Redis) -> redis_rest::Result<()> {
/// use redis_rest::{Json, StringCommands};
///
/// redis.set("colours", Json(["red", "green"])).await?; // SET colours ["red","green"]
/// let colours: Option<Json<Vec<String>>> = redis.get("colours").await?;
/// assert_eq!(colours.map(Json::into_inner), Some(vec!["red".to_owned(), "green".to_owned()]));
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Json<T>(pub T);

impl<T> Json<T> {
    /// Returns the value.
    pub fn into_inner(self) -> T {
        self.0
    }
}

impl<T: Serialize> ToArg for Json<T> {
    fn to_arg(&self) -> Arg<'_> {
        match serde_json::to_string(&self.0) {
            Ok(text) => Arg::from(text),
            Err(error) => Arg::Invalid(format!("the value cannot be written as JSON: {}", json_text(&error)).into()),
        }
    }
}

impl<T: DeserializeOwned> FromReply for Json<T> {
    fn from_reply(reply: Reply<'_>) -> Result<Self> {
        let decoded = match reply.shape() {
            Shape::Int(int) => serde_json::from_str(&int.to_string()),
            _ => serde_json::from_slice(reply.bytes()?),
        };
        decoded
            .map(Json)
            .map_err(|error| reply.mismatch(&format!("JSON of {}", std::any::type_name::<T>())).with_source(error))
    }
}

impl<T> Deref for Json<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

impl<T> DerefMut for Json<T> {
    fn deref_mut(&mut self) -> &mut T {
        &mut self.0
    }
}
