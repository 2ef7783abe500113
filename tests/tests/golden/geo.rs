use redis_model::redis_rest::commands::geo::{
    Coordinates, GeoAddOptions, GeoFrom, GeoRadius, GeoRadiusOptions, GeoSearch, GeoShape, GeoStore, GeoUnit,
};
use redis_model::redis_rest::{Build, GeoCommands};

use crate::{line, refusal};

const PLACE: Coordinates = Coordinates { longitude: 13.5, latitude: -38.25 };

#[test]
fn places() {
    assert_eq!(line(Build.geoadd("k", [(PLACE, "a"), (PLACE, "b")])), "GEOADD k 13.5 -38.25 a 13.5 -38.25 b");
    let options = GeoAddOptions::new().nx().xx().ch();
    assert_eq!(line(Build.geoadd_with("k", [(PLACE, "a")], options)), "GEOADD k XX CH 13.5 -38.25 a");
    assert_eq!(line(Build.geodist("k", "a", "b", GeoUnit::Feet)), "GEODIST k a b ft");
    assert_eq!(line(Build.geohash("k", ["a", "b"])), "GEOHASH k a b");
    assert_eq!(line(Build.geopos("k", ["a", "b"])), "GEOPOS k a b");
}

#[test]
fn searches() {
    let options = GeoRadiusOptions::new().nearest_first().count_any(3);
    let circle = GeoSearch::new(GeoFrom::Place(PLACE), GeoShape::radius(200.0), GeoUnit::Kilometers).with(options);
    let shape = "FROMLONLAT 13.5 -38.25 BYRADIUS 200 km ASC COUNT 3 ANY";
    assert_eq!(line(Build.geosearch::<String>("k", circle.clone())), format!("GEOSEARCH k {shape}"));
    assert_eq!(
        line(Build.geosearch_hits::<String>("k", circle.clone())),
        format!("GEOSEARCH k {shape} WITHCOORD WITHDIST WITHHASH")
    );
    assert_eq!(
        line(Build.geosearch_withcoord::<String>("k", circle.clone())),
        format!("GEOSEARCH k {shape} WITHCOORD")
    );
    assert_eq!(line(Build.geosearch_withdist::<String>("k", circle.clone())), format!("GEOSEARCH k {shape} WITHDIST"));
    assert_eq!(line(Build.geosearch_withhash::<String>("k", circle.clone())), format!("GEOSEARCH k {shape} WITHHASH"));
    assert_eq!(
        line(Build.geosearchstore("d", "k", circle.clone(), GeoStore::Hash)),
        format!("GEOSEARCHSTORE d k {shape}")
    );
    assert_eq!(
        line(Build.geosearchstore("d", "k", circle, GeoStore::Distance)),
        format!("GEOSEARCHSTORE d k {shape} STOREDIST")
    );
    let rectangle = GeoSearch::new(GeoFrom::Member("a".into()), GeoShape::rectangle(1.0, 2.0), GeoUnit::Miles);
    assert_eq!(line(Build.geosearch::<String>("k", rectangle)), "GEOSEARCH k FROMMEMBER a BYBOX 1 2 mi");
}

#[test]
fn deprecated_searches() {
    let all = GeoRadius::new(5.0, GeoUnit::Meters);
    let within = all.with(GeoRadiusOptions::new().farthest_first().count(3));
    let details = "WITHCOORD WITHDIST WITHHASH COUNT 3 DESC";
    assert_eq!(line(Build.georadius::<String>("k", PLACE, within)), format!("GEORADIUS k 13.5 -38.25 5 m {details}"));
    assert_eq!(
        line(Build.georadius_ro::<String>("k", PLACE, within)),
        format!("GEORADIUS_RO k 13.5 -38.25 5 m {details}")
    );
    assert_eq!(
        line(Build.georadiusbymember::<String>("k", "a", within)),
        format!("GEORADIUSBYMEMBER k a 5 m {details}")
    );
    assert_eq!(
        line(Build.georadiusbymember_ro::<String>("k", "a", within)),
        format!("GEORADIUSBYMEMBER_RO k a 5 m {details}")
    );
    assert_eq!(
        line(Build.georadius_store("k", PLACE, within, GeoStore::Hash, "d")),
        "GEORADIUS k 13.5 -38.25 5 m COUNT 3 DESC STORE d"
    );
    assert_eq!(
        line(Build.georadiusbymember_store("k", "a", all, GeoStore::Distance, "d")),
        "GEORADIUSBYMEMBER k a 5 m STOREDIST d"
    );
}

#[test]
fn what_redis_would_refuse_is_not_sent() {
    let nowhere = Coordinates { longitude: f64::NAN, latitude: 0.0 };
    let pole = Coordinates { longitude: 0.0, latitude: 90.0 };
    assert!(refusal(Build.geoadd("k", [(nowhere, "a")])).contains("a longitude must be from -180 to 180"));
    assert!(refusal(Build.geoadd("k", [(pole, "a")])).contains("a longitude must be from -180 to 180"));
    assert!(refusal(Build.geoadd("k", [] as [(Coordinates, &str); 0])).contains("at least one place"));
    let search = |shape| GeoSearch::new(GeoFrom::Place(PLACE), shape, GeoUnit::Miles);
    assert!(refusal(Build.geosearch::<String>("k", search(GeoShape::radius(-1.0)))).contains("not negative"));
    let none = search(GeoShape::radius(1.0)).with(GeoRadiusOptions::new().count(0));
    assert!(refusal(Build.geosearch::<String>("k", none)).contains("at least 1"));
}
