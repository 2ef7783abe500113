//! Places: members of a sorted set by longitude and latitude.

use crate::arg::ToArg;
use crate::command::Command;
use crate::command::{Args, ToArgs};
use crate::error::Result;
use crate::executor::Executor;
use crate::reply::{FromReply, Reply};

/// The commands on places.
///
/// ```
/// use redis_rest::{Build, GeoCommands};
/// use redis_rest::commands::geo::{Coordinates, GeoFrom, GeoRadiusOptions, GeoSearch, GeoShape, GeoUnit};
///
/// let palermo = Coordinates { longitude: 13.361389, latitude: 38.115556 };
/// assert_eq!(Build.geoadd("Sicily", [(palermo, "Palermo")]).args(), ["GEOADD", "Sicily", "13.361389", "38.115556", "Palermo"]);
/// let near = GeoSearch::new(GeoFrom::Place(palermo), GeoShape::radius(200.0), GeoUnit::Kilometers)
///     .with(GeoRadiusOptions::new().nearest_first().count(3));
/// let args = Build.geosearch::<String>("Sicily", near).args();
/// let expected = "GEOSEARCH Sicily FROMLONLAT 13.361389 38.115556 BYRADIUS 200 km ASC COUNT 3";
/// assert_eq!(args, expected.split(' ').collect::<Vec<_>>());
/// ```
pub trait GeoCommands: Executor {
    /// Adds places, or moves them, and gives how many are new.
    /// [GEOADD](https://redis.io/docs/latest/commands/geoadd/), O(log n) a place.
    fn geoadd<M: ToArg>(self, key: impl ToArg, places: impl IntoIterator<Item = (Coordinates, M)>) -> Self::Out<u64> {
        self.execute(Command::write("GEOADD").arg(key).places(places))
    }

    /// As [`geoadd`](Self::geoadd), under conditions. With [`changed`](GeoAddOptions::changed) it gives how many are new
    /// or have moved.
    fn geoadd_with<M: ToArg>(
        self,
        key: impl ToArg,
        options: GeoAddOptions,
        places: impl IntoIterator<Item = (Coordinates, M)>,
    ) -> Self::Out<u64> {
        self.execute(Command::write("GEOADD").arg(key).options(options).places(places))
    }

    /// How far two places are apart; `None` without one of them.
    /// [GEODIST](https://redis.io/docs/latest/commands/geodist/), O(1).
    fn geodist(self, key: impl ToArg, from: impl ToArg, to: impl ToArg, unit: GeoUnit) -> Self::Out<Option<f64>> {
        self.execute(Command::read("GEODIST").arg(key).arg(from).arg(to).arg(unit.word()))
    }

    /// Each place's geohash, in order. [GEOHASH](https://redis.io/docs/latest/commands/geohash/), O(1) a place.
    fn geohash(self, key: impl ToArg, members: impl IntoIterator<Item = impl ToArg>) -> Self::Out<Vec<Option<String>>> {
        self.execute(Command::read("GEOHASH").arg(key).args_of(members))
    }

    /// Each place's coordinates, in order. [GEOPOS](https://redis.io/docs/latest/commands/geopos/), O(1) a place.
    fn geopos(
        self,
        key: impl ToArg,
        members: impl IntoIterator<Item = impl ToArg>,
    ) -> Self::Out<Vec<Option<Coordinates>>> {
        self.execute(Command::read("GEOPOS").arg(key).args_of(members))
    }

    /// The places around a point. Deprecated in Redis in favour of [`geosearch`](Self::geosearch).
    /// [GEORADIUS](https://redis.io/docs/latest/commands/georadius/), O(n + log m).
    fn georadius<M: FromReply>(
        self,
        key: impl ToArg,
        center: Coordinates,
        radius: f64,
        unit: GeoUnit,
        options: GeoRadiusOptions,
    ) -> Self::Out<Vec<GeoHit<M>>> {
        // Without STORE it changes nothing.
        let command = Command::read("GEORADIUS").arg(key).coordinates(center).distance(radius, unit);
        self.submit(command.options(Details).options(options).decode_with(hits))
    }

    /// As [`georadius`](Self::georadius), also on a replica.
    /// [GEORADIUS_RO](https://redis.io/docs/latest/commands/georadius_ro/), O(n + log m).
    fn georadius_ro<M: FromReply>(
        self,
        key: impl ToArg,
        center: Coordinates,
        radius: f64,
        unit: GeoUnit,
        options: GeoRadiusOptions,
    ) -> Self::Out<Vec<GeoHit<M>>> {
        let command = Command::read("GEORADIUS_RO").arg(key).coordinates(center).distance(radius, unit);
        self.submit(command.options(Details).options(options).decode_with(hits))
    }

    /// Stores the places around a point, and gives how many there are: by their geohash, or by their distance.
    /// [GEORADIUS … STORE](https://redis.io/docs/latest/commands/georadius/), O(n + log m).
    #[expect(clippy::too_many_arguments, reason = "the deprecated command has as many")]
    fn georadius_store(
        self,
        key: impl ToArg,
        center: Coordinates,
        radius: f64,
        unit: GeoUnit,
        options: GeoRadiusOptions,
        store: GeoStore,
        destination: impl ToArg,
    ) -> Self::Out<u64> {
        let command = Command::write("GEORADIUS").arg(key).coordinates(center).distance(radius, unit);
        self.execute(command.options(options).arg(store.word()).arg(destination))
    }

    /// The places around another. Deprecated in Redis in favour of [`geosearch`](Self::geosearch).
    /// [GEORADIUSBYMEMBER](https://redis.io/docs/latest/commands/georadiusbymember/), O(n + log m).
    fn georadiusbymember<M: FromReply>(
        self,
        key: impl ToArg,
        center: impl ToArg,
        radius: f64,
        unit: GeoUnit,
        options: GeoRadiusOptions,
    ) -> Self::Out<Vec<GeoHit<M>>> {
        let command = Command::read("GEORADIUSBYMEMBER").arg(key).arg(center).distance(radius, unit);
        self.submit(command.options(Details).options(options).decode_with(hits))
    }

    /// As [`georadiusbymember`](Self::georadiusbymember), also on a replica.
    /// [GEORADIUSBYMEMBER_RO](https://redis.io/docs/latest/commands/georadiusbymember_ro/), O(n + log m).
    fn georadiusbymember_ro<M: FromReply>(
        self,
        key: impl ToArg,
        center: impl ToArg,
        radius: f64,
        unit: GeoUnit,
        options: GeoRadiusOptions,
    ) -> Self::Out<Vec<GeoHit<M>>> {
        let command = Command::read("GEORADIUSBYMEMBER_RO").arg(key).arg(center).distance(radius, unit);
        self.submit(command.options(Details).options(options).decode_with(hits))
    }

    /// Stores the places around another, and gives how many there are: by their geohash, or by their distance.
    /// [GEORADIUSBYMEMBER … STORE](https://redis.io/docs/latest/commands/georadiusbymember/), O(n + log m).
    #[expect(clippy::too_many_arguments, reason = "the deprecated command has as many")]
    fn georadiusbymember_store(
        self,
        key: impl ToArg,
        center: impl ToArg,
        radius: f64,
        unit: GeoUnit,
        options: GeoRadiusOptions,
        store: GeoStore,
        destination: impl ToArg,
    ) -> Self::Out<u64> {
        let command = Command::write("GEORADIUSBYMEMBER").arg(key).arg(center).distance(radius, unit);
        self.execute(command.options(options).arg(store.word()).arg(destination))
    }

    /// The members within a shape. [GEOSEARCH](https://redis.io/docs/latest/commands/geosearch/), O(n + log m).
    fn geosearch<M: FromReply>(self, key: impl ToArg, search: GeoSearch) -> Self::Out<Vec<M>> {
        self.execute(Command::read("GEOSEARCH").arg(key).options(search))
    }

    /// As [`geosearch`](Self::geosearch), with all that Redis tells of each.
    fn geosearch_hits<M: FromReply>(self, key: impl ToArg, search: GeoSearch) -> Self::Out<Vec<GeoHit<M>>> {
        self.submit(Command::read("GEOSEARCH").arg(key).options(search).options(Details).decode_with(hits))
    }

    /// Stores the members within a shape, and gives how many there are: by their geohash, or by their distance.
    /// [GEOSEARCHSTORE](https://redis.io/docs/latest/commands/geosearchstore/), O(n + log m).
    fn geosearchstore(
        self,
        destination: impl ToArg,
        source: impl ToArg,
        search: GeoSearch,
        store: GeoStore,
    ) -> Self::Out<u64> {
        let command = Command::write("GEOSEARCHSTORE").arg(destination).arg(source).options(search);
        self.execute(match store {
            GeoStore::Hash => command,
            GeoStore::Distance => command.arg("STOREDIST"),
        })
    }
}

impl<E: Executor> GeoCommands for E {}

impl<R> Command<R> {
    fn coordinates(self, place: Coordinates) -> Self {
        self.options(place)
    }

    fn places<M: ToArg>(self, places: impl IntoIterator<Item = (Coordinates, M)>) -> Self {
        let mut places = places.into_iter().peekable();
        if places.peek().is_none() {
            return self.reject("needs at least one place and member");
        }
        places.fold(self, |command, (place, member)| command.coordinates(place).arg(member))
    }

    fn distance(self, distance: f64, unit: GeoUnit) -> Self {
        let command = if distance >= 0.0 { self } else { self.reject("a distance is a number that is not negative") };
        command.arg(distance).arg(unit.word())
    }
}

/// A place on earth, in degrees.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Coordinates {
    /// From -180 to 180.
    pub longitude: f64,
    /// From -85.05112878 to 85.05112878.
    pub latitude: f64,
}

impl ToArgs for Coordinates {
    fn write_args(&self, args: &mut Args) {
        // Also false for what is not a number.
        let is_on_the_map = self.longitude.abs() <= 180.0 && self.latitude.abs() <= 85.051_128_78;
        if !is_on_the_map {
            args.reject("the place is not on Redis's map: longitude is from -180 to 180, latitude from -85.05112878 to 85.05112878");
        }
        args.push(self.longitude).push(self.latitude);
    }
}

impl FromReply for Coordinates {
    fn from_reply(reply: Reply<'_>) -> Result<Self> {
        let [longitude, latitude] = <[f64; 2]>::from_reply(reply)?;
        Ok(Coordinates { longitude, latitude })
    }
}

/// A unit of distance.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum GeoUnit {
    /// Metres.
    Meters,
    /// Kilometres.
    Kilometers,
    /// Feet.
    Feet,
    /// Miles.
    Miles,
}

impl GeoUnit {
    fn word(self) -> &'static str {
        match self {
            GeoUnit::Meters => "m",
            GeoUnit::Kilometers => "km",
            GeoUnit::Feet => "ft",
            GeoUnit::Miles => "mi",
        }
    }
}

/// What a search stores as the score of each member.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum GeoStore {
    /// Its geohash: the destination is a set of places too.
    Hash,
    /// Its distance, in the search's unit.
    Distance,
}

impl GeoStore {
    fn word(self) -> &'static str {
        match self {
            GeoStore::Hash => "STORE",
            GeoStore::Distance => "STOREDIST",
        }
    }
}

/// A place that was found.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct GeoHit<M> {
    /// The member.
    pub member: M,
    /// How far it is from the centre, in the search's unit.
    pub distance: f64,
    /// Its geohash, as a number.
    pub hash: u64,
    /// Where it is.
    pub coordinates: Coordinates,
}

fn hits<M: FromReply>(reply: Reply<'_>) -> Result<Vec<GeoHit<M>>> {
    let hit = |reply: Reply<'_>| {
        let [member, distance, hash, coordinates] = reply.array_of()?;
        Ok(GeoHit {
            member: M::from_reply(member)?,
            distance: f64::from_reply(distance)?,
            hash: u64::from_reply(hash)?,
            coordinates: Coordinates::from_reply(coordinates)?,
        })
    };
    reply.array()?.map(hit).collect()
}

/// Asks for all that a [`GeoHit`] has.
struct Details;

impl ToArgs for Details {
    fn write_args(&self, args: &mut Args) {
        args.push("WITHCOORD").push("WITHDIST").push("WITHHASH");
    }
}

/// Conditions of [`geoadd_with`](GeoCommands::geoadd_with): the last one given of those that exclude each other.
#[derive(Debug, Clone, Copy, Default)]
pub struct GeoAddOptions {
    condition: Option<&'static str>,
    changed: bool,
}

impl GeoAddOptions {
    /// No condition.
    #[must_use]
    pub fn new() -> Self {
        GeoAddOptions::default()
    }

    /// Only adds places: `NX`.
    #[must_use]
    pub fn only_add(mut self) -> Self {
        self.condition = Some("NX");
        self
    }

    /// Only moves places that are there: `XX`.
    #[must_use]
    pub fn only_change(mut self) -> Self {
        self.condition = Some("XX");
        self
    }

    /// Counts the places that are new or have moved, not the new ones alone: `CH`.
    #[must_use]
    pub fn changed(mut self) -> Self {
        self.changed = true;
        self
    }
}

impl ToArgs for GeoAddOptions {
    fn write_args(&self, args: &mut Args) {
        if let Some(condition) = self.condition {
            args.push(condition);
        }
        if self.changed {
            args.push("CH");
        }
    }
}

/// In which order, and how many: what all searches share.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct GeoRadiusOptions {
    order: Option<&'static str>,
    count: Option<u64>,
    any: bool,
}

impl GeoRadiusOptions {
    /// All, in no order.
    #[must_use]
    pub fn new() -> Self {
        GeoRadiusOptions::default()
    }

    /// The nearest first: `ASC`.
    #[must_use]
    pub fn nearest_first(mut self) -> Self {
        self.order = Some("ASC");
        self
    }

    /// The farthest first: `DESC`.
    #[must_use]
    pub fn farthest_first(mut self) -> Self {
        self.order = Some("DESC");
        self
    }

    /// No more than so many: `COUNT`.
    #[must_use]
    pub fn count(mut self, count: u64) -> Self {
        self.count = Some(count);
        self.any = false;
        self
    }

    /// The first so many that are found, near or far: `COUNT … ANY`.
    #[must_use]
    pub fn count_any(mut self, count: u64) -> Self {
        self.count = Some(count);
        self.any = true;
        self
    }

    fn write_order(&self, args: &mut Args) {
        if let Some(order) = self.order {
            args.push(order);
        }
    }

    fn write_count(&self, args: &mut Args) {
        if let Some(count) = self.count {
            if count == 0 {
                args.reject("a count of 0 asks for nothing; give at least 1");
            }
            args.push("COUNT").push(count);
            if self.any {
                args.push("ANY");
            }
        }
    }
}

impl ToArgs for GeoRadiusOptions {
    fn write_args(&self, args: &mut Args) {
        self.write_count(args);
        self.write_order(args);
    }
}

/// Where a search is centred.
#[derive(Debug, Clone, PartialEq)]
pub enum GeoFrom {
    /// On a member.
    Member(String),
    /// On a place.
    Place(Coordinates),
}

/// How far a search goes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct GeoShape(Shape);

#[derive(Debug, Clone, Copy, PartialEq)]
enum Shape {
    Radius(f64),
    Box(f64, f64),
}

impl GeoShape {
    /// A circle: `BYRADIUS`.
    #[must_use]
    pub fn radius(radius: f64) -> Self {
        GeoShape(Shape::Radius(radius))
    }

    /// A rectangle along the axes: `BYBOX`.
    #[must_use]
    pub fn rectangle(width: f64, height: f64) -> Self {
        GeoShape(Shape::Box(width, height))
    }
}

/// What [`geosearch`](GeoCommands::geosearch) looks for.
#[derive(Debug, Clone, PartialEq)]
pub struct GeoSearch {
    from: GeoFrom,
    shape: GeoShape,
    unit: GeoUnit,
    options: GeoRadiusOptions,
}

impl GeoSearch {
    /// All within `shape` around `from`, in no order.
    #[must_use]
    pub fn new(from: GeoFrom, shape: GeoShape, unit: GeoUnit) -> Self {
        GeoSearch { from, shape, unit, options: GeoRadiusOptions::new() }
    }

    /// In which order, and how many.
    #[must_use]
    pub fn with(mut self, options: GeoRadiusOptions) -> Self {
        self.options = options;
        self
    }
}

impl ToArgs for GeoSearch {
    fn write_args(&self, args: &mut Args) {
        match &self.from {
            GeoFrom::Member(member) => {
                args.push("FROMMEMBER").push(member);
            }
            GeoFrom::Place(place) => {
                args.push("FROMLONLAT");
                place.write_args(args);
            }
        }
        let sizes = match self.shape.0 {
            Shape::Radius(radius) => {
                args.push("BYRADIUS").push(radius);
                [radius, radius]
            }
            Shape::Box(width, height) => {
                args.push("BYBOX").push(width).push(height);
                [width, height]
            }
        };
        if !sizes.iter().all(|&size| size >= 0.0) {
            args.reject("a distance is a number that is not negative");
        }
        args.push(self.unit.word());
        self.options.write_order(args);
        self.options.write_count(args);
    }
}
