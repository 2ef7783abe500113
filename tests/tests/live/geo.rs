use redis_model::redis_rest::commands::geo::{
    Coordinates, GeoAddOptions, GeoFrom, GeoRadiusOptions, GeoSearch, GeoShape, GeoStore, GeoUnit,
};
use redis_model::redis_rest::{GeoCommands, Result, SortedSetCommands as _};
use redis_model_tests::key;
use redis_model_tests::via::{Via, everywhere};

const PALERMO: Coordinates = Coordinates { longitude: 13.361_389, latitude: 38.115_556 };
const CATANIA: Coordinates = Coordinates { longitude: 15.087_269, latitude: 37.502_669 };
const BETWEEN: Coordinates = Coordinates { longitude: 15.0, latitude: 37.0 };

fn is_near(found: f64, expected: f64) -> bool {
    (found - expected).abs() < 0.001
}

async fn places(redis: &Via, k: &str) -> Result<()> {
    assert_eq!(redis.geoadd(k, [(PALERMO, "Palermo"), (CATANIA, "Catania")]).await?, 2);
    assert_eq!(redis.geoadd_with(k, [(BETWEEN, "Palermo")], GeoAddOptions::new().nx().ch()).await?, 0);
    let distance = redis.geodist(k, "Palermo", "Catania", GeoUnit::Kilometers).await?;
    assert!(distance.is_some_and(|distance| is_near(distance, 166.2742)));
    assert_eq!(redis.geodist(k, "Palermo", "none", GeoUnit::Meters).await?, None);
    assert_eq!(redis.geohash(k, ["Palermo", "none"]).await?, [Some("sqc8b49rny0".to_owned()), None]);
    let positions = redis.geopos(k, ["Palermo", "none"]).await?;
    assert!(positions[0].is_some_and(|place| is_near(place.longitude, PALERMO.longitude)) && positions[1].is_none());
    Ok(())
}

async fn searches(redis: &Via, k: &str) -> Result<()> {
    let nearest = GeoRadiusOptions::new().nearest_first();
    let around =
        |radius| GeoSearch::new(GeoFrom::Place(BETWEEN), GeoShape::radius(radius), GeoUnit::Kilometers).with(nearest);
    assert_eq!(redis.geosearch::<String>(k, around(200.0)).await?, ["Catania", "Palermo"]);
    assert_eq!(redis.geosearch::<String>(k, around(100.0)).await?, ["Catania"]);
    let hits = redis.geosearch_hits::<String>(k, around(200.0)).await?;
    assert!(is_near(hits[0].distance, 56.4413) && hits[0].hash == 3_479_447_370_796_909);
    assert!(is_near(hits[1].coordinates.latitude, PALERMO.latitude));
    let from = GeoFrom::Member("Palermo".into());
    let rectangle = GeoSearch::new(from, GeoShape::rectangle(400.0, 400.0), GeoUnit::Kilometers).with(nearest);
    assert_eq!(redis.geosearch::<String>(k, rectangle).await?, ["Palermo", "Catania"]);
    let d = &key("stored");
    assert_eq!(redis.geosearchstore(d, k, around(200.0), GeoStore::Distance).await?, 2);
    assert!(redis.zscore(d, "Catania").await?.is_some_and(|score| is_near(score, 56.4413)));
    assert_eq!(redis.geosearchstore(d, k, around(100.0), GeoStore::Hash).await?, 1);
    assert_eq!(redis.geopos(d, ["Catania"]).await?.len(), 1);
    Ok(())
}

async fn deprecated_searches(redis: &Via, k: &str) -> Result<()> {
    let (unit, first) = (GeoUnit::Kilometers, GeoRadiusOptions::new().nearest_first().count(1));
    for hits in [
        redis.georadius::<String>(k, BETWEEN, 200.0, unit, first).await?,
        redis.georadius_ro::<String>(k, BETWEEN, 200.0, unit, first).await?,
        redis.georadiusbymember::<String>(k, "Catania", 200.0, unit, first).await?,
        redis.georadiusbymember_ro::<String>(k, "Catania", 200.0, unit, first).await?,
    ] {
        assert_eq!((hits.len(), hits[0].member.as_str()), (1, "Catania"));
    }
    let (d, all) = (&key("stored"), GeoRadiusOptions::new());
    assert_eq!(redis.georadius_store(k, BETWEEN, 200.0, unit, GeoStore::Hash, d, all).await?, 2);
    assert_eq!(redis.georadiusbymember_store(k, "Catania", 1.0, unit, GeoStore::Distance, d, all).await?, 1);
    Ok(())
}

#[tokio::test]
async fn every_method_on_every_executor() -> Result<()> {
    for redis in &everywhere() {
        let k = &key("Sicily");
        places(redis, k).await?;
        searches(redis, k).await?;
        deprecated_searches(redis, k).await?;
    }
    Ok(())
}
