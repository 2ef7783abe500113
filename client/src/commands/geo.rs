//! Places: members of a sorted set with a longitude and a latitude.

use super::sorted_set::{AddOptions, Existence};
use crate::arg::ToArg;
use crate::command::{Args, Command, OneOrMore, OneOrMorePairs, ToArgs};
use crate::error::Result;
use crate::executor::Executor;
use crate::reply::{FromReply, Reply};

/// Commands on places.
///
/// ```no_run
/// # async fn example(redis: redis_rest::Redis) -> redis_rest::Result<()> {
/// use redis_rest::GeoCommands;
/// use redis_rest::commands::geo::{Coordinates, GeoFrom, GeoSearch, GeoShape, GeoUnit};
///
/// let palermo = Coordinates { longitude: 13.361389, latitude: 38.115556 };
/// let catania = Coordinates { longitude: 15.087269, latitude: 37.502669 };
/// assert_eq!(redis.geoadd("Sicily", [(palermo, "Palermo"), (catania, "Catania")]).await?, 2);
///
/// let distance = redis.geodist("Sicily", "Palermo", "Catania", GeoUnit::Kilometers).await?;
/// assert!(distance.is_some_and(|kilometers| (166.0..167.0).contains(&kilometers)));
///
/// let near = GeoSearch::new(GeoFrom::Place(palermo), GeoShape::radius(100.0), GeoUnit::Kilometers);
/// assert_eq!(redis.geosearch::<String>("Sicily", near).await?, ["Palermo"]);
///
/// // A place outside the range that Redis supports is `InvalidInput`, before anything is sent.
/// let pole = Coordinates { longitude: 0.0, latitude: 90.0 };
/// assert!(redis.geoadd("poles", [(pole, "north")]).await.unwrap_err().is_invalid_input());
/// # Ok(())
/// # }
/// ```
pub trait GeoCommands: Executor {
    /// Adds or moves places, and returns the number of new ones.
    /// [GEOADD](https://redis.io/docs/latest/commands/geoadd/), O(log n) per place.
    fn geoadd<K>(
        self,
        key: impl ToArg,
        places: impl OneOrMorePairs<K, First = Coordinates, Second: ToArg>,
    ) -> Self::Out<u64> {
        self.execute(Command::write("GEOADD").key(key).places(places))
    }

    /// As [`geoadd`](Self::geoadd), with options. See [`GeoAddOptions`] for an example.
    /// [GEOADD](https://redis.io/docs/latest/commands/geoadd/), O(log n) per place.
    fn geoadd_with<K>(
        self,
        key: impl ToArg,
        places: impl OneOrMorePairs<K, First = Coordinates, Second: ToArg>,
        options: GeoAddOptions,
    ) -> Self::Out<u64> {
        self.execute(Command::write("GEOADD").key(key).options(options).places(places))
    }

    /// Returns the distance between two places, or `None` if one of them does not exist.
    /// [GEODIST](https://redis.io/docs/latest/commands/geodist/), O(1).
    fn geodist(self, key: impl ToArg, from: impl ToArg, to: impl ToArg, unit: GeoUnit) -> Self::Out<Option<f64>> {
        self.execute(Command::read("GEODIST").key(key).arg(from).arg(to).arg(unit.word()))
    }

    /// Returns the geohash of each place, in order, with `None` for a place that does not exist.
    /// [GEOHASH](https://redis.io/docs/latest/commands/geohash/), O(1) per place.
    fn geohash<K>(self, key: impl ToArg, members: impl OneOrMore<K>) -> Self::Out<Vec<Option<String>>> {
        self.execute(Command::read("GEOHASH").key(key).args_of(members))
    }

    /// Returns the coordinates of each place, in order, with `None` for a place that does not exist.
    /// [GEOPOS](https://redis.io/docs/latest/commands/geopos/), O(1) per place.
    fn geopos<K>(self, key: impl ToArg, members: impl OneOrMore<K>) -> Self::Out<Vec<Option<Coordinates>>> {
        self.execute(Command::read("GEOPOS").key(key).args_of(members))
    }

    /// Returns the places within a radius of a point. Redis deprecates this command in favour of
    /// [`geosearch`](Self::geosearch). [GEORADIUS](https://redis.io/docs/latest/commands/georadius/), O(n + log m) for
    /// n places in the area and m in the set.
    fn georadius<M: FromReply>(
        self,
        key: impl ToArg,
        center: Coordinates,
        within: GeoRadius,
    ) -> Self::Out<Vec<GeoHit<M>>> {
        self.submit(Command::read("GEORADIUS").key(key).options(center).hits_within(within))
    }

    /// As [`georadius`](Self::georadius), for replicas too.
    /// [GEORADIUS_RO](https://redis.io/docs/latest/commands/georadius_ro/), O(n + log m).
    fn georadius_ro<M: FromReply>(
        self,
        key: impl ToArg,
        center: Coordinates,
        within: GeoRadius,
    ) -> Self::Out<Vec<GeoHit<M>>> {
        self.submit(Command::read("GEORADIUS_RO").key(key).options(center).hits_within(within))
    }

    /// Stores the places within a radius of a point and returns their number.
    /// [GEORADIUS … STORE](https://redis.io/docs/latest/commands/georadius/), O(n + log m).
    fn georadius_store(
        self,
        key: impl ToArg,
        center: Coordinates,
        within: GeoRadius,
        store: GeoStore,
        destination: impl ToArg,
    ) -> Self::Out<u64> {
        let command = Command::write("GEORADIUS").key(key).options(center).circle(&within).options(within.options);
        self.execute(command.store(store, destination))
    }

    /// Returns the places within a radius of a member. Redis deprecates this command in favour of
    /// [`geosearch`](Self::geosearch). [GEORADIUSBYMEMBER](https://redis.io/docs/latest/commands/georadiusbymember/),
    /// O(n + log m) for n places in the area and m in the set.
    fn georadiusbymember<M: FromReply>(
        self,
        key: impl ToArg,
        center: impl ToArg,
        within: GeoRadius,
    ) -> Self::Out<Vec<GeoHit<M>>> {
        self.submit(Command::read("GEORADIUSBYMEMBER").key(key).arg(center).hits_within(within))
    }

    /// As [`georadiusbymember`](Self::georadiusbymember), for replicas too.
    /// [GEORADIUSBYMEMBER_RO](https://redis.io/docs/latest/commands/georadiusbymember_ro/), O(n + log m).
    fn georadiusbymember_ro<M: FromReply>(
        self,
        key: impl ToArg,
        center: impl ToArg,
        within: GeoRadius,
    ) -> Self::Out<Vec<GeoHit<M>>> {
        self.submit(Command::read("GEORADIUSBYMEMBER_RO").key(key).arg(center).hits_within(within))
    }

    /// Stores the places within a radius of a member and returns their number.
    /// [GEORADIUSBYMEMBER … STORE](https://redis.io/docs/latest/commands/georadiusbymember/), O(n + log m).
    fn georadiusbymember_store(
        self,
        key: impl ToArg,
        center: impl ToArg,
        within: GeoRadius,
        store: GeoStore,
        destination: impl ToArg,
    ) -> Self::Out<u64> {
        let command = Command::write("GEORADIUSBYMEMBER").key(key).arg(center).circle(&within).options(within.options);
        self.execute(command.store(store, destination))
    }

    /// Returns the members within a shape. See [`GeoSearch`] for an example.
    /// [GEOSEARCH](https://redis.io/docs/latest/commands/geosearch/), O(n + log m) for n places in the area and m in
    /// the set.
    fn geosearch<M: FromReply>(self, key: impl ToArg, search: GeoSearch) -> Self::Out<Vec<M>> {
        self.execute(Command::read("GEOSEARCH").key(key).options(search))
    }

    /// As [`geosearch`](Self::geosearch), with the distance, geohash and coordinates of each member.
    fn geosearch_hits<M: FromReply>(self, key: impl ToArg, search: GeoSearch) -> Self::Out<Vec<GeoHit<M>>> {
        self.submit(Command::read("GEOSEARCH").key(key).options(search).options(Details).decode_with(hits))
    }

    /// As [`geosearch`](Self::geosearch), with the distance of each member from the centre, in the search's unit.
    fn geosearch_withdist<M: FromReply>(self, key: impl ToArg, search: GeoSearch) -> Self::Out<Vec<(M, f64)>> {
        self.submit(Command::read("GEOSEARCH").key(key).options(search).arg("WITHDIST").decode_with(with_one))
    }

    /// As [`geosearch`](Self::geosearch), with the geohash of each member, as a number.
    fn geosearch_withhash<M: FromReply>(self, key: impl ToArg, search: GeoSearch) -> Self::Out<Vec<(M, u64)>> {
        self.submit(Command::read("GEOSEARCH").key(key).options(search).arg("WITHHASH").decode_with(with_one))
    }

    /// As [`geosearch`](Self::geosearch), with the coordinates of each member.
    fn geosearch_withcoord<M: FromReply>(self, key: impl ToArg, search: GeoSearch) -> Self::Out<Vec<(M, Coordinates)>> {
        self.submit(Command::read("GEOSEARCH").key(key).options(search).arg("WITHCOORD").decode_with(with_one))
    }

    /// Stores the members within a shape and returns their number.
    /// [GEOSEARCHSTORE](https://redis.io/docs/latest/commands/geosearchstore/), O(n + log m).
    fn geosearchstore(
        self,
        destination: impl ToArg,
        source: impl ToArg,
        search: GeoSearch,
        store: GeoStore,
    ) -> Self::Out<u64> {
        let command = Command::write("GEOSEARCHSTORE").key(destination).key(source).options(search);
        self.execute(match store {
            GeoStore::Hash => command,
            GeoStore::Distance => command.arg("STOREDIST"),
        })
    }
}

impl<E: Executor> GeoCommands for E {}

impl<R> Command<R> {
    fn places<K>(self, places: impl OneOrMorePairs<K, First = Coordinates, Second: ToArg>) -> Self {
        let mut places = places.items().peekable();
        if places.peek().is_none() {
            return self.reject("needs at least one place and member");
        }
        places.fold(self, |command, (place, member)| command.options(place).arg(member))
    }

    fn hits_within<M: FromReply>(self, within: GeoRadius) -> Command<Vec<GeoHit<M>>> {
        self.circle(&within).options(Details).options(within.options).decode_with(hits)
    }

    /// Adds the circle itself. Its options come after what is requested of each place.
    fn circle(self, within: &GeoRadius) -> Self {
        self.options(Lengths(&[within.radius])).arg(within.unit.word())
    }

    fn store(self, store: GeoStore, destination: impl ToArg) -> Self {
        let word = match store {
            GeoStore::Hash => "STORE",
            GeoStore::Distance => "STOREDIST",
        };
        self.arg(word).key(destination)
    }
}

/// The radius of a circle, or the sides of a rectangle.
struct Lengths<'a>(&'a [f64]);

impl ToArgs for Lengths<'_> {
    fn write_args(&self, args: &mut Args) {
        // A comparison with NaN is false.
        if !self.0.iter().all(|&length| length >= 0.0) {
            args.reject("a distance must be a number that is not negative");
        }
        args.extend(self.0);
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
        // A comparison with NaN is false.
        let is_on_the_map = self.longitude.abs() <= 180.0 && self.latitude.abs() <= 85.051_128_78;
        if !is_on_the_map {
            args.reject("a longitude must be from -180 to 180, and a latitude from -85.05112878 to 85.05112878");
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
    /// Metres: `m`.
    Meters,
    /// Kilometres: `km`.
    Kilometers,
    /// Feet: `ft`.
    Feet,
    /// Miles: `mi`.
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

/// The score that a search stores for each member.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum GeoStore {
    /// The geohash, so that the destination is a set of places too: `STORE`.
    Hash,
    /// The distance, in the search's unit: `STOREDIST`.
    Distance,
}

/// A place that a search found.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub struct GeoHit<M> {
    /// The member.
    pub member: M,
    /// The distance from the centre, in the search's unit.
    pub distance: f64,
    /// The geohash, as a number.
    pub hash: u64,
    /// The coordinates.
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

/// Decodes members, each with the one detail that was requested.
fn with_one<M: FromReply, T: FromReply>(reply: Reply<'_>) -> Result<Vec<(M, T)>> {
    let hit = |reply: Reply<'_>| {
        let [member, detail] = reply.array_of()?;
        Ok((M::from_reply(member)?, T::from_reply(detail)?))
    };
    reply.array()?.map(hit).collect()
}

/// Requests everything that a [`GeoHit`] contains.
struct Details;

impl ToArgs for Details {
    fn write_args(&self, args: &mut Args) {
        args.push("WITHCOORD").push("WITHDIST").push("WITHHASH");
    }
}

/// Options of [`geoadd_with`](GeoCommands::geoadd_with).
///
/// `nx` and `xx` exclude each other: the last one set counts.
///
/// ```no_run
/// # async fn example(redis: redis_rest::Redis) -> redis_rest::Result<()> {
/// use redis_rest::GeoCommands;
/// use redis_rest::commands::geo::{Coordinates, GeoAddOptions};
///
/// let bike = Coordinates { longitude: 13.4, latitude: 52.5 };
/// let existing = GeoAddOptions::new().xx().ch();
/// // Returns the number of bikes that moved. A bike that does not exist is not added.
/// assert_eq!(redis.geoadd_with("bikes", [(bike, "bike:7")], existing).await?, 0);
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, Copy, Default)]
pub struct GeoAddOptions(AddOptions);

impl GeoAddOptions {
    /// Sets no condition.
    #[must_use]
    pub fn new() -> Self {
        GeoAddOptions::default()
    }

    /// Adds new places and leaves existing ones as they are: `NX`.
    #[must_use]
    pub fn nx(mut self) -> Self {
        self.0.existence = Some(Existence::Nx);
        self
    }

    /// Moves existing places and adds none: `XX`.
    #[must_use]
    pub fn xx(mut self) -> Self {
        self.0.existence = Some(Existence::Xx);
        self
    }

    /// Makes `geoadd_with` return the number of places that are new or have moved: `CH`.
    #[must_use]
    pub fn ch(mut self) -> Self {
        self.0.changed = true;
        self
    }
}

impl ToArgs for GeoAddOptions {
    fn write_args(&self, args: &mut Args) {
        self.0.write_args(args);
    }
}

/// A circle around the centre that a deprecated search such as [`georadius`](GeoCommands::georadius) takes.
///
/// ```no_run
/// # async fn example(redis: redis_rest::Redis) -> redis_rest::Result<()> {
/// use redis_rest::GeoCommands;
/// use redis_rest::commands::geo::{Coordinates, GeoRadius, GeoRadiusOptions, GeoUnit};
///
/// let here = Coordinates { longitude: 15.0, latitude: 37.0 };
/// let nearest = GeoRadius::new(200.0, GeoUnit::Kilometers).with(GeoRadiusOptions::new().nearest_first().count(1));
/// for hit in redis.georadius::<String>("Sicily", here, nearest).await? {
///     println!("{} is {} km away", hit.member, hit.distance);
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct GeoRadius {
    radius: f64,
    unit: GeoUnit,
    options: GeoRadiusOptions,
}

impl GeoRadius {
    /// All places within `radius`, in no particular order.
    #[must_use]
    pub fn new(radius: f64, unit: GeoUnit) -> Self {
        GeoRadius { radius, unit, options: GeoRadiusOptions::new() }
    }

    /// Sets the order and the number of the places.
    #[must_use]
    pub fn with(mut self, options: GeoRadiusOptions) -> Self {
        self.options = options;
        self
    }
}

/// The order and the number of the places that a [`GeoSearch`] or a [`GeoRadius`] returns.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct GeoRadiusOptions {
    order: Option<&'static str>,
    count: Option<u64>,
    any: bool,
}

impl GeoRadiusOptions {
    /// All places, in no order.
    #[must_use]
    pub fn new() -> Self {
        GeoRadiusOptions::default()
    }

    /// Returns the nearest place first: `ASC`.
    #[must_use]
    pub fn nearest_first(mut self) -> Self {
        self.order = Some("ASC");
        self
    }

    /// Returns the farthest place first: `DESC`.
    #[must_use]
    pub fn farthest_first(mut self) -> Self {
        self.order = Some("DESC");
        self
    }

    /// Returns at most `count` places, the nearest if no order is set: `COUNT`.
    #[must_use]
    pub fn count(mut self, count: u64) -> Self {
        self.count = Some(count);
        self.any = false;
        self
    }

    /// Returns the first `count` places that are found, which need not be the nearest: `COUNT … ANY`.
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
                args.reject("a count of 0 asks for nothing; use at least 1");
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

/// The centre of a search.
#[derive(Debug, Clone, PartialEq)]
pub enum GeoFrom {
    /// The place of a member: `FROMMEMBER`.
    Member(String),
    /// A place: `FROMLONLAT`.
    Place(Coordinates),
}

/// The area of a search.
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

    /// A rectangle whose sides run along the meridians and parallels: `BYBOX`.
    #[must_use]
    pub fn rectangle(width: f64, height: f64) -> Self {
        GeoShape(Shape::Box(width, height))
    }
}

/// A search for [`geosearch`](GeoCommands::geosearch), [`geosearch_hits`](GeoCommands::geosearch_hits) and
/// [`geosearchstore`](GeoCommands::geosearchstore).
///
/// ```no_run
/// # async fn example(redis: redis_rest::Redis) -> redis_rest::Result<()> {
/// use redis_rest::GeoCommands;
/// use redis_rest::commands::geo::{GeoFrom, GeoRadiusOptions, GeoSearch, GeoShape, GeoUnit};
///
/// let around = GeoSearch::new(GeoFrom::Member("Palermo".into()), GeoShape::rectangle(400.0, 400.0), GeoUnit::Kilometers)
///     .with(GeoRadiusOptions::new().nearest_first().count(3));
/// let hits = redis.geosearch_hits::<String>("Sicily", around.clone()).await?;
/// assert_eq!(hits[0].member, "Palermo");
/// assert_eq!(hits[0].distance, 0.0);
/// let distances = redis.geosearch_withdist::<String>("Sicily", around).await?;
/// assert_eq!(distances[0], ("Palermo".to_owned(), 0.0));
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct GeoSearch {
    from: GeoFrom,
    shape: GeoShape,
    unit: GeoUnit,
    options: GeoRadiusOptions,
}

impl GeoSearch {
    /// All places within `shape` around `from`, in no order.
    #[must_use]
    pub fn new(from: GeoFrom, shape: GeoShape, unit: GeoUnit) -> Self {
        GeoSearch { from, shape, unit, options: GeoRadiusOptions::new() }
    }

    /// Sets the order and the number of the places.
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
        match self.shape.0 {
            Shape::Radius(radius) => {
                args.push("BYRADIUS");
                Lengths(&[radius]).write_args(args);
            }
            Shape::Box(width, height) => {
                args.push("BYBOX");
                Lengths(&[width, height]).write_args(args);
            }
        }
        args.push(self.unit.word());
        self.options.write_order(args);
        self.options.write_count(args);
    }
}
