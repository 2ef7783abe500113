//! Legal uses of the derive that are easy to break, under the lints of a strict crate: every name, place and shape that
//! the macro must not trip over.

#![deny(warnings, missing_docs, missing_debug_implementations, unused, nonstandard_style)]

use std::collections::BTreeMap;
use std::fmt::Debug;

use redis_model as renamed;
use redis_model::codec::{Codec, CodecError};
use redis_model::prelude::*;
use redis_model_tests::{key, stack};
use serde_derive::{Deserialize, Serialize};

#[derive(Debug, RedisModel)]
#[redis(list, prefix = "paint")]
struct Paint {
    #[redis(with = Hex)]
    colour: u32,
}

/// Numbers as `#rrggbb`.
#[derive(Debug)]
pub struct Hex;

impl Codec<u32> for Hex {
    fn encode(value: &u32, text: &mut String) -> Result<(), CodecError> {
        if *value > 0xff_ffff {
            return Err("more than three bytes".into());
        }
        text.push_str(&format!("#{value:06x}"));
        Ok(())
    }

    fn decode(text: &str) -> Result<u32, CodecError> {
        Ok(u32::from_str_radix(text.strip_prefix('#').ok_or("no # in front")?, 16)?)
    }
}

/// Names that the macro's own code might use.
#[derive(Debug, Clone, PartialEq, RedisModel)]
#[redis(prefix = "names", crate = renamed)]
pub struct Names {
    /// The id.
    #[redis(id)]
    pub id: u64,
    /// A raw identifier.
    pub r#type: String,
    /// What a sink might be called.
    pub sink: u8,
    /// What a source might be called.
    #[redis(default = source)]
    pub source: u8,
    /// And others.
    pub value: bool,
    /// And others.
    pub name: char,
    /// And others.
    pub field: i8,
    /// Not stored.
    #[cfg(any())]
    pub gone: std::sync::Mutex<u8>,
    /// By a codec of our own.
    #[redis(with = Hex)]
    pub colour: Option<u32>,
}

fn source() -> u8 {
    7
}

/// Generic, with bounds, a default and a where clause.
#[derive(Debug, Clone, PartialEq, RedisModel)]
#[redis(prefix = "generic")]
pub struct Generic<I: Clone + Debug, T = u8, const N: usize = 3>
where
    T: PartialOrd,
{
    /// The id.
    #[redis(id)]
    pub id: I,
    /// A parameter.
    pub value: T,
    /// A parameter in an option.
    pub maybe: Option<T>,
    /// Itself, by serde.
    #[redis(skip)]
    pub children: Vec<Self>,
    /// Flattened.
    #[redis(flatten)]
    pub inner: Inner<T>,
}

/// Generic and embedded.
#[derive(Debug, Clone, PartialEq, Default, RedisModel)]
#[redis(embedded)]
pub struct Inner<T> {
    /// A parameter.
    pub deep: T,
    /// Flattened twice.
    #[redis(flatten)]
    pub deeper: Deeper,
}

/// Embedded in what is embedded.
#[derive(Debug, Clone, PartialEq, Default, RedisModel)]
#[redis(embedded, rename_all = "kebab-case")]
pub struct Deeper {
    /// Renamed.
    pub at_the_bottom: Option<String>,
    /// Still read by its old name.
    #[redis(alias = "was", default)]
    pub is: u8,
}

/// A generic newtype.
#[derive(Debug, Clone, PartialEq, RedisModel)]
pub struct Wrapper<T>(pub T);

/// A generic id.
#[derive(Debug, Clone, PartialEq, RedisModel)]
#[redis(id)]
pub struct Key<T>(pub T);

/// A record by a generic id.
#[derive(Debug, Clone, PartialEq, RedisModel)]
#[redis(prefix = "keyed")]
pub struct Keyed {
    /// The id.
    #[redis(id)]
    pub id: Key<u16>,
    /// A newtype of an option.
    pub wrapped: Wrapper<Option<String>>,
}

/// A unit enum for serde.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Kind {
    /// One.
    Mail,
}

/// JSON of every kind in a list.
#[derive(Debug, Clone, PartialEq, RedisModel)]
#[redis(list, prefix = "json")]
pub struct Json {
    /// A JSON string.
    #[redis(json)]
    pub kind: Kind,
    /// A JSON string.
    #[redis(json)]
    pub text: String,
    /// Nothing, or null.
    #[redis(json)]
    pub maybe: Option<Option<u8>>,
    /// An object.
    #[redis(json)]
    pub map: BTreeMap<String, u8>,
    /// In base64.
    #[redis(base64)]
    pub bytes: Vec<u8>,
    /// Text that looks like JSON.
    pub looks: String,
    /// With a default.
    #[redis(default, alias = "old")]
    pub number: u8,
    /// Not stored.
    #[redis(skip)]
    pub cache: u8,
}

/// Generic in a field that serde stores.
#[derive(Debug, Clone, PartialEq, RedisModel)]
#[redis(prefix = "document")]
pub struct Document<T: serde::Serialize + serde::de::DeserializeOwned + 'static> {
    /// The id.
    #[redis(id)]
    pub id: u64,
    /// As JSON.
    #[redis(json)]
    pub json: T,
    /// As postcard.
    #[redis(postcard)]
    pub postcard: Option<T>,
    /// A newtype of a type that is known.
    pub wrapped: Option<Wrapper<i32>>,
    /// Owned text of another kind.
    pub boxed: Box<str>,
    /// A number that is not zero.
    pub count: std::num::NonZeroU64,
}

/// A generic type with a text of its own.
#[derive(Debug, Clone, PartialEq, RedisModel)]
#[redis(text, id)]
pub struct Tagged<T>(pub T)
where
    T: std::fmt::Display + std::str::FromStr<Err: std::fmt::Display>;

impl<T> std::fmt::Display for Tagged<T>
where
    T: std::fmt::Display + std::str::FromStr<Err: std::fmt::Display>,
{
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "<{}>", self.0)
    }
}

impl<T> std::str::FromStr for Tagged<T>
where
    T: std::fmt::Display + std::str::FromStr<Err: std::fmt::Display>,
{
    type Err = String;

    fn from_str(text: &str) -> std::result::Result<Self, String> {
        let inner = text.strip_prefix('<').and_then(|text| text.strip_suffix('>')).ok_or("no < and >")?;
        inner.parse().map(Tagged).map_err(|error: T::Err| error.to_string())
    }
}

/// A record by an id with a text of its own.
#[derive(Debug, Clone, PartialEq, RedisModel)]
#[redis(prefix = "tagged")]
pub struct ByTag {
    /// The id.
    #[redis(id)]
    pub id: Tagged<u16>,
}

/// An enum with data, by its text.
#[derive(Debug, Clone, PartialEq, RedisModel)]
#[redis(text)]
pub enum Level {
    /// A number.
    Number(u8),
    /// The maximum.
    Max {},
}

impl std::fmt::Display for Level {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Level::Number(level) => write!(f, "{level}"),
            Level::Max {} => f.write_str("max"),
        }
    }
}

impl std::str::FromStr for Level {
    type Err = std::num::ParseIntError;

    fn from_str(text: &str) -> std::result::Result<Self, Self::Err> {
        if text == "max" { Ok(Level::Max {}) } else { text.parse().map(Level::Number) }
    }
}

/// Every shape of a variant.
#[derive(Debug, Clone, PartialEq, RedisModel)]
#[redis(stream, prefix = "shapes", tag = "kind", rename_all = "kebab-case")]
pub enum Shapes<T> {
    /// Nothing.
    Nothing,
    /// Fields, one flattened.
    SomeFields {
        /// A parameter.
        value: T,
        /// By a codec.
        #[redis(with = Hex, rename = "color")]
        colour: u32,
        /// Not stored.
        #[redis(skip)]
        cache: u8,
        /// Flattened.
        #[redis(flatten)]
        deeper: Deeper,
    },
    /// An embedded struct.
    #[redis(alias = "inner")]
    AnInner(Inner<u8>),
}

/// Fields in indexes, flattened into [`Indexed`].
#[derive(Debug, Clone, PartialEq, RedisModel)]
#[redis(embedded, rename_all = "SCREAMING-KEBAB-CASE", index(city, deep))]
pub struct Place<T> {
    /// In three indexes.
    #[redis(index)]
    pub city: String,
    /// A parameter, in one.
    pub deep: T,
    /// With a type that it had.
    #[redis(from = f64, convert = meters)]
    pub height: Option<u16>,
}

fn meters(old: f64) -> std::result::Result<u16, &'static str> {
    (0..=9_000).find(|meters| f64::from(*meters) >= old).ok_or("higher than any place")
}

/// Every attribute about indexes, times to live, versions, evolution and hooks, on a generic record.
#[derive(Debug, Clone, PartialEq, RedisModel)]
#[redis(prefix = "legal", crate = renamed, rename_all = "camelCase")]
#[redis(index(r#type, layout), unique(layout, place.city), index(maybe, r#type, layout))]
#[redis(ttl = "1d", sliding, partitions = 2)]
#[redis(schema_version = 2, upgrade = crate::upgrade)]
#[redis(validate = Indexed::check, before_save = Self::stamp, after_load = "Indexed::loaded")]
pub struct Indexed<T: Clone + Debug>
where
    T: PartialOrd,
{
    /// The id.
    #[redis(id)]
    pub id: u64,
    /// A raw identifier, in two indexes.
    pub r#type: u8,
    /// What the layout is called in the code of the macro.
    #[redis(unique)]
    pub layout: Wrapper<T>,
    /// A parameter in an option.
    #[redis(index, alias = "old")]
    pub maybe: Option<T>,
    /// Elements.
    #[redis(index, default)]
    pub elements: Vec<Tagged<u8>>,
    /// Elements without an index.
    pub others: std::collections::BTreeSet<String>,
    /// Flattened, with indexes of its own.
    #[redis(flatten)]
    pub place: Place<bool>,
    /// The version.
    #[redis(version)]
    pub version: u32,
    /// Whatever else there is.
    #[redis(unknown)]
    pub record: std::collections::HashMap<String, String>,
    /// Names that the macro's own code might use.
    #[redis(skip)]
    pub copy: u8,
}

impl<T: Clone + Debug + PartialOrd> Indexed<T> {
    fn check(&self) -> std::result::Result<(), &'static str> {
        if self.r#type == 0 { Err("the type is 0") } else { Ok(()) }
    }

    fn stamp(&mut self) {
        self.others.insert("stamped".into());
    }

    fn loaded(&mut self) {
        self.copy += 1;
    }
}

fn upgrade(record: &mut redis_model::hash::StoredFields, from: u32) -> std::result::Result<(), String> {
    if record.rename("kind", "type") { Ok(()) } else { Err(format!("no kind in version {from}")) }
}

macro_rules! model {
    ($name:ident, $ty:ty) => {
        /// Made by a macro.
        #[derive(Debug, Clone, PartialEq, RedisModel)]
        #[redis(prefix = "made")]
        pub struct $name {
            /// The id.
            #[redis(id)]
            pub id: u64,
            /// An option that comes through the macro.
            #[redis(json)]
            pub value: $ty,
        }
    };
}

model!(Made, Option<Vec<u8>>);

#[tokio::test]
async fn records() -> Result<()> {
    let redis = stack().redis();
    let names = Names {
        id: 1,
        r#type: "t".into(),
        sink: 1,
        source: 2,
        value: true,
        name: 'é',
        field: -1,
        colour: Some(0x12_3456),
    };
    names.save(&redis).await?;
    assert_eq!(redis.hget::<String>("names:1", "colour").await?.as_deref(), Some("#123456"));
    assert_eq!(Names::load(&redis, 1).await?, Some(names.clone()));
    assert_eq!(Names::load_field(&redis, 1, Names::TYPE).await?.as_deref(), Some("t"));
    assert_eq!(Names::load_field(&redis, 1, Names::COLOUR).await?, Some(0x12_3456));
    redis.hdel("names:1", ["source"]).await?;
    assert_eq!(Names::load(&redis, 1).await?.unwrap().source, 7);

    let inner = Inner { deep: 1.5, deeper: Deeper { at_the_bottom: Some("x".into()), is: 3 } };
    let generic = Generic::<String, f64, 9> { id: "a".into(), value: 0.5, maybe: None, children: Vec::new(), inner };
    generic.save(&redis).await?;
    assert_eq!(Generic::load(&redis, "a").await?, Some(generic));
    redis.hdel("generic:a", ["is"]).await?;
    redis.hset("generic:a", [("was", 4)]).await?;
    assert_eq!(Generic::<String, f64, 9>::load(&redis, "a").await?.unwrap().inner.deeper.is, 4);

    for wrapped in [None, Some("w".to_owned())] {
        let keyed = Keyed { id: Key(5), wrapped: Wrapper(wrapped) };
        keyed.save(&redis).await?;
        assert_eq!(Keyed::load(&redis, &Key(5)).await?, Some(keyed));
    }
    assert_eq!(Keyed::next_id(&redis).await?, Key(1));

    for value in [None, Some(vec![1, 2])] {
        let made = Made { id: 1, value };
        made.save(&redis).await?;
        assert_eq!(redis.hexists("made:1", "value").await?, made.value.is_some());
        assert_eq!(Made::load(&redis, 1).await?, Some(made));
    }
    Ok(())
}

#[tokio::test]
async fn records_with_indexes() -> Result<()> {
    let redis = stack().redis();
    let mut record = Indexed {
        id: 1,
        r#type: 2,
        layout: Wrapper(0.5),
        maybe: None,
        elements: vec![Tagged(1), Tagged(1), Tagged(2)],
        others: ["stamped".to_owned()].into(),
        place: Place { city: "Izmir".into(), deep: true, height: Some(30) },
        version: 0,
        record: [("more".to_owned(), "x".to_owned())].into(),
        copy: 1,
    };
    record.version = record.insert(&redis).await?;
    assert_eq!(Indexed::load(&redis, 1).await?, Some(record.clone()));
    redis.hset("legal:1", [("HEIGHT", "29.5")]).await?;
    assert_eq!(Indexed::load(&redis, 1).await?, Some(record.clone()));
    let city = Indexed::<f64>::PLACE.field(Place::CITY);
    assert_eq!(Indexed::query().eq(city, "Izmir").ids(&redis).await?.into_iter().next(), Some(1));
    assert_eq!(Indexed::<f64>::query().contains(Indexed::ELEMENTS, Tagged(2)).count(&redis).await?, 1);
    record.r#type = 0;
    assert!(record.save(&redis).await.unwrap_err().is_invalid_input());
    Ok(())
}

#[tokio::test]
async fn records_of_generic_values_and_texts() -> Result<()> {
    let redis = stack().redis();
    let document = Document {
        id: 1,
        json: vec![Some(1), None],
        postcard: Some(vec![None]),
        wrapped: Some(Wrapper(-1)),
        boxed: "b".into(),
        count: std::num::NonZeroU64::MIN,
    };
    document.save(&redis).await?;
    assert_eq!(Document::load(&redis, 1).await?, Some(document));
    let error = Document::<u8>::load(&redis, 1).await.unwrap_err();
    assert!(
        error.to_string().contains("expected u8, found \"[1,null]\": invalid type: sequence, expected u8"),
        "{error}"
    );

    let record = ByTag { id: Tagged(7) };
    record.save(&redis).await?;
    assert_eq!(redis.hget("tagged:<7>", "id").await?, Some("<7>".to_owned()));
    assert_eq!(ByTag::load(&redis, &Tagged(7)).await?, Some(record));

    for (level, text) in [(Level::Number(3), "3"), (Level::Max {}, "max")] {
        let mut written = String::new();
        redis_model::Field::encode(&level, &mut written);
        assert_eq!((written.as_str(), redis_model::Field::decode(text)), (text, Ok(level)));
    }
    Ok(())
}

#[tokio::test]
async fn what_cannot_be_encoded_is_not_sent() -> Result<()> {
    let redis = stack().redis();
    let too_large = Names {
        id: 2,
        r#type: String::new(),
        sink: 0,
        source: 0,
        value: false,
        name: 'x',
        field: 0,
        colour: Some(u32::MAX),
    };
    let error = too_large.save(&redis).await.unwrap_err();
    let expected = "HSET for Names at \"names:2\": field \"colour\": the Option<u32> cannot be encoded: more than three bytes; nothing was sent";
    assert_eq!(error.to_string(), expected);
    assert!(!Names::exists(&redis, 2).await?);
    let error = redis.hset("names:2", Names::COLOUR.pair(&Some(u32::MAX))).await.unwrap_err();
    let expected = "HSET: field \"colour\": the Option<u32> cannot be encoded: more than three bytes; nothing was sent";
    assert_eq!(error.to_string(), expected);
    let error = redis.rpush("paints", &Paint { colour: u32::MAX }).await.unwrap_err();
    let expected = "RPUSH: field \"colour\": the u32 cannot be encoded: more than three bytes; nothing was sent";
    assert_eq!(error.to_string(), expected);
    Ok(())
}

#[tokio::test]
async fn lists() -> Result<()> {
    let redis = stack().redis();
    let list = Json::list(key("json"));
    for maybe in [None, Some(None), Some(Some(1))] {
        let element = Json {
            kind: Kind::Mail,
            text: "\"quoted\" null".into(),
            maybe,
            map: BTreeMap::from([("a".into(), 1)]),
            bytes: vec![0, 255],
            looks: "null".into(),
            number: 1,
            cache: 0,
        };
        list.push_back(&redis, &element).await?;
        assert_eq!(list.pop_front(&redis).await?, Some(element));
    }
    let old = r#"{"kind":"Mail","text":"t","map":{},"bytes":"","looks":"x","old":"9","unknown":[{}]}"#;
    redis.execute::<u64>(["RPUSH", list.key(), old]).await?;
    assert_eq!(list.pop_back(&redis).await?.unwrap().number, 9);
    Ok(())
}

#[tokio::test]
async fn events() -> Result<()> {
    let redis = stack().redis();
    let log = Shapes::<u64>::log(key("shapes"));
    let deeper = Deeper { at_the_bottom: None, is: 1 };
    let events = [
        Shapes::Nothing,
        Shapes::SomeFields { value: u64::MAX, colour: 0xff, cache: 0, deeper: deeper.clone() },
        Shapes::AnInner(Inner { deep: 2, deeper }),
    ];
    log.append_many(&redis, &events).await?;
    redis.execute::<StreamId>(["XADD", log.key(), "*", "kind", "lost"]).await?;
    redis.execute::<StreamId>(["XADD", log.key(), "*", "deep", "5", "kind", "inner"]).await?;
    let mut entries = log.entries(&redis, ..);
    for event in &events {
        assert_eq!(&entries.next().await.unwrap()?.event?, event);
    }
    let error = entries.next().await.unwrap()?.event.unwrap_err();
    assert!(error.to_string().contains(": entry ") && error.key() == Some(log.key()), "{error}");
    let last = entries.next().await.unwrap()?;
    assert_eq!(last.event?, Shapes::AnInner(Inner { deep: 5, deeper: Deeper::default() }));
    assert!(entries.next().await.is_none(), "an entry that cannot be read does not end the stream");
    Ok(())
}

#[tokio::test]
async fn a_record_that_cannot_be_read_does_not_end_a_scan() -> Result<()> {
    let redis = stack().redis();
    for id in 100..103 {
        Keyed { id: Key(id), wrapped: Wrapper(None) }.save(&redis).await?;
    }
    redis.hset("keyed:101", [("id", "x")]).await?;
    let mut found = Vec::new();
    let mut broken = Vec::new();
    let mut records = Keyed::scan(&redis);
    while let Some(record) = records.next().await {
        match record {
            Ok(record) => found.push(record.id.0),
            Err(error) => broken.push(error.key().unwrap().to_owned()),
        }
    }
    assert!(found.contains(&100) && found.contains(&102) && broken == ["keyed:101"], "{found:?} {broken:?}");
    Ok(())
}
