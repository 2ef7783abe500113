use redis_model::redis_rest::commands::geo::{
    Coordinates, GeoAddOptions, GeoFrom, GeoRadius, GeoRadiusOptions, GeoSearch, GeoShape, GeoStore, GeoUnit,
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
    let distances = redis.geosearch_withdist::<String>(k, around(200.0)).await?;
    assert!(distances[0].0 == "Catania" && is_near(distances[0].1, 56.4413));
    let hashes = redis.geosearch_withhash::<String>(k, around(100.0)).await?;
    assert_eq!(hashes, [("Catania".to_owned(), 3_479_447_370_796_909)]);
    let coordinates = redis.geosearch_withcoord::<String>(k, around(200.0)).await?;
    assert!(coordinates[1].0 == "Palermo" && is_near(coordinates[1].1.latitude, PALERMO.latitude));
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
    let within = |radius| GeoRadius::new(radius, GeoUnit::Kilometers);
    let first = within(200.0).with(GeoRadiusOptions::new().nearest_first().count(1));
    for hits in [
        redis.georadius::<String>(k, BETWEEN, first).await?,
        redis.georadius_ro::<String>(k, BETWEEN, first).await?,
        redis.georadiusbymember::<String>(k, "Catania", first).await?,
        redis.georadiusbymember_ro::<String>(k, "Catania", first).await?,
    ] {
        assert_eq!((hits.len(), hits[0].member.as_str()), (1, "Catania"));
    }
    let d = &key("stored");
    assert_eq!(redis.georadius_store(k, BETWEEN, within(200.0), GeoStore::Hash, d).await?, 2);
    assert_eq!(redis.georadiusbymember_store(k, "Catania", within(1.0), GeoStore::Distance, d).await?, 1);
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
