//! Each value of the options that several commands share.

use std::time::{Duration, UNIX_EPOCH};

use redis_model::redis_rest::commands::expiry::{ExpireCondition, GetExpiry};
use redis_model::redis_rest::commands::geo::{
    Coordinates, GeoAddOptions, GeoFrom, GeoRadius, GeoRadiusOptions, GeoSearch, GeoShape, GeoStore, GeoUnit,
};
use redis_model::redis_rest::commands::hash::HSetExOptions;
use redis_model::redis_rest::commands::list::ListSide;
use redis_model::redis_rest::commands::search::{ScoreField, ScoreFunction, ScoreModifier, SearchFilter, SearchQuery};
use redis_model::redis_rest::commands::sorted_set::{LexRange, ZCombineOptions, ZRange};
use redis_model::redis_rest::commands::stream::{NewId, RefPolicy, StreamId, Trim, XAddOptions};
use redis_model::redis_rest::commands::string::SetOptions;
use redis_model::redis_rest::{
    Build, GenericCommands, GeoCommands, HashCommands, ListCommands, SearchCommands, SortedSetCommands, StreamCommands,
    StringCommands,
};

use crate::line;

const MINUTE: Duration = Duration::from_secs(60);

#[test]
fn conditions_on_a_time_to_live() {
    let conditions = [
        (ExpireCondition::Nx, "NX"),
        (ExpireCondition::Xx, "XX"),
        (ExpireCondition::Gt, "GT"),
        (ExpireCondition::Lt, "LT"),
    ];
    let time = UNIX_EPOCH + MINUTE;
    for (condition, word) in conditions {
        assert_eq!(line(Build.expire_with("k", MINUTE, condition)), format!("EXPIRE k 60 {word}"));
        assert_eq!(line(Build.expireat_with("k", time, condition)), format!("EXPIREAT k 60 {word}"));
        assert_eq!(line(Build.pexpire_with("k", MINUTE, condition)), format!("PEXPIRE k 60000 {word}"));
        assert_eq!(line(Build.pexpireat_with("k", time, condition)), format!("PEXPIREAT k 60000 {word}"));
        let field = "FIELDS 1 f";
        assert_eq!(line(Build.hexpire_with("k", MINUTE, "f", condition)), format!("HEXPIRE k 60 {word} {field}"));
        assert_eq!(line(Build.hexpireat_with("k", time, "f", condition)), format!("HEXPIREAT k 60 {word} {field}"));
        assert_eq!(line(Build.hpexpire_with("k", MINUTE, "f", condition)), format!("HPEXPIRE k 60000 {word} {field}"));
        assert_eq!(
            line(Build.hpexpireat_with("k", time, "f", condition)),
            format!("HPEXPIREAT k 60000 {word} {field}")
        );
    }
}

/// A duration and a time are an expiry as they are.
#[test]
fn expiries() {
    let millis = Duration::from_millis(1500);
    let durations = [(MINUTE, "EX 60"), (millis, "PX 1500")];
    let expiries = durations.map(|(duration, words)| (GetExpiry::from(duration), words)).into_iter().chain([
        (GetExpiry::from(UNIX_EPOCH + MINUTE), "EXAT 60"),
        (GetExpiry::from(UNIX_EPOCH + millis), "PXAT 1500"),
    ]);
    for (expiry, words) in expiries {
        assert_eq!(line(Build.getex::<String>("k", expiry)), format!("GETEX k {words}"));
        assert_eq!(line(Build.hgetex::<String>("k", ["f"], expiry)), format!("HGETEX k {words} FIELDS 1 f"));
    }
    assert_eq!(line(Build.getex::<String>("k", MINUTE)), "GETEX k EX 60");
    let at = UNIX_EPOCH + millis;
    assert_eq!(line(Build.set_with("k", "v", SetOptions::new().expire(MINUTE))), "SET k v EX 60");
    assert_eq!(line(Build.set_with("k", "v", SetOptions::new().expire(at))), "SET k v PXAT 1500");
    let hsetex = |options| line(Build.hsetex("k", ("f", "v"), options));
    assert_eq!(hsetex(HSetExOptions::new().expire(MINUTE)), "HSETEX k EX 60 FIELDS 1 f v");
    assert_eq!(hsetex(HSetExOptions::new().expire(millis)), "HSETEX k PX 1500 FIELDS 1 f v");
    assert_eq!(hsetex(HSetExOptions::new().expire(UNIX_EPOCH + MINUTE)), "HSETEX k EXAT 60 FIELDS 1 f v");
    assert_eq!(hsetex(HSetExOptions::new().expire(at)), "HSETEX k PXAT 1500 FIELDS 1 f v");
}

#[test]
fn units_and_orders() {
    let place = Coordinates { longitude: 1.0, latitude: 2.0 };
    let units = [(GeoUnit::Meters, "m"), (GeoUnit::Kilometers, "km"), (GeoUnit::Feet, "ft"), (GeoUnit::Miles, "mi")];
    let options = GeoRadiusOptions::new();
    let orders = [
        (options.nearest_first().count_any(3), "ASC", "COUNT 3 ANY"),
        (options.farthest_first().count(3), "DESC", "COUNT 3"),
    ];
    let details = "WITHCOORD WITHDIST WITHHASH";
    for (unit, name) in units {
        assert_eq!(line(Build.geodist("k", "a", "b", unit)), format!("GEODIST k a b {name}"));
        for (options, order, count) in orders {
            let search = GeoSearch::new(GeoFrom::Member("a".into()), GeoShape::radius(5.0), unit).with(options);
            let shape = format!("FROMMEMBER a BYRADIUS 5 {name} {order} {count}");
            assert_eq!(line(Build.geosearch::<String>("k", search.clone())), format!("GEOSEARCH k {shape}"));
            assert_eq!(
                line(Build.geosearchstore("d", "k", search, GeoStore::Hash)),
                format!("GEOSEARCHSTORE d k {shape}")
            );
            let within = GeoRadius::new(5.0, unit).with(options);
            let all = format!("5 {name} {details} {count} {order}");
            assert_eq!(line(Build.georadius::<String>("k", place, within)), format!("GEORADIUS k 1 2 {all}"));
            assert_eq!(line(Build.georadius_ro::<String>("k", place, within)), format!("GEORADIUS_RO k 1 2 {all}"));
            assert_eq!(
                line(Build.georadiusbymember::<String>("k", "a", within)),
                format!("GEORADIUSBYMEMBER k a {all}")
            );
            assert_eq!(
                line(Build.georadiusbymember_ro::<String>("k", "a", within)),
                format!("GEORADIUSBYMEMBER_RO k a {all}")
            );
        }
    }
    assert_eq!(line(Build.geoadd_with("k", (place, "a"), GeoAddOptions::new().nx())), "GEOADD k NX 1 2 a");
}

#[test]
fn ends_and_weights() {
    assert_eq!(line(Build.lmpop::<String, String>(["a"], ListSide::Left, 1)), "LMPOP 1 a LEFT COUNT 1");
    let lowest = || ZCombineOptions::new().weights([2.0]).min();
    assert_eq!(line(Build.zinter::<Vec<String>>(["a"], lowest())), "ZINTER 1 a WEIGHTS 2 AGGREGATE MIN");
    assert_eq!(line(Build.zinterstore("d", "a", lowest())), "ZINTERSTORE d 1 a WEIGHTS 2 AGGREGATE MIN");
    let highest = ZCombineOptions::new().max();
    assert_eq!(line(Build.zinterstore("d", "a", highest)), "ZINTERSTORE d 1 a AGGREGATE MAX");
    assert_eq!(line(Build.zunion::<Vec<String>>(["a"], lowest())), "ZUNION 1 a WEIGHTS 2 AGGREGATE MIN");
    assert_eq!(line(Build.zunionstore("d", "a", lowest())), "ZUNIONSTORE d 1 a WEIGHTS 2 AGGREGATE MIN");
    let words = ZRange::lex(LexRange::all());
    assert_eq!(line(Build.zrangestore("d", "k", words)), "ZRANGESTORE d k - + BYLEX");
    assert_eq!(
        line(Build.zrevrangebylex::<Vec<String>>("k", LexRange::all(), Some((1, 2)))),
        "ZREVRANGEBYLEX k + - LIMIT 1 2"
    );
}

#[test]
fn references_to_removed_entries() {
    let id = StreamId::new(5, 1);
    let policies = [(RefPolicy::Keep, "KEEPREF"), (RefPolicy::Delete, "DELREF"), (RefPolicy::Acked, "ACKED")];
    for (policy, word) in policies {
        assert_eq!(line(Build.xackdel("k", "g", [id], policy)), format!("XACKDEL k g {word} IDS 1 5-1"));
        assert_eq!(line(Build.xdelex("k", [id], policy)), format!("XDELEX k {word} IDS 1 5-1"));
        let trim = Trim::min_id(id).policy(policy);
        assert_eq!(line(Build.xtrim("k", trim)), format!("XTRIM k MINID 5-1 {word}"));
        let add = XAddOptions::new().id(NewId::Auto).trim(trim);
        assert_eq!(line(Build.xadd_with("k", ("f", "v"), add)), format!("XADD k {word} MINID 5-1 * f v"));
    }
}

#[test]
fn modifiers_of_a_score() {
    let modifiers = [
        (ScoreModifier::None, "NONE"),
        (ScoreModifier::Log, "LOG"),
        (ScoreModifier::Log1p, "LOG1P"),
        (ScoreModifier::Log2p, "LOG2P"),
        (ScoreModifier::Ln, "LN"),
        (ScoreModifier::Ln1p, "LN1P"),
        (ScoreModifier::Ln2p, "LN2P"),
        (ScoreModifier::Square, "SQUARE"),
        (ScoreModifier::Sqrt, "SQRT"),
        (ScoreModifier::Reciprocal, "RECIPROCAL"),
    ];
    for (modifier, word) in modifiers {
        let function = ScoreFunction::new([ScoreField::new("f").modifier(modifier)]);
        let query = SearchQuery::new(SearchFilter::new().eq("f", 1)).score_by(function);
        assert_eq!(
            line(Build.search_query::<String>("i", &query)),
            format!("SEARCH.QUERY i {{\"f\":{{\"$eq\":1}}}} SCOREFUNC FIELDVALUE f MODIFIER {word}")
        );
    }
}
