//! The commands of SEARCH, which no server here has: the requests against those that the official SDKs were recorded to
//! send for the same calls (`tests/sdk`), the replies against the documented ones.

use std::collections::BTreeMap;

use redis_model::redis_rest::commands::search::{
    Aggregation, Aggregations, CombineMode, FastField, Highlight, KeywordField, ListIndexesOptions, ScoreField,
    ScoreFunction, ScoreMode, ScoreModifier, SearchFilter, SearchFuzzy, SearchOrder, SearchQuery, SearchSchema,
    TextField,
};
use redis_model::redis_rest::{Build, Command, Encoding, SearchCommands};
use serde_derive::Deserialize;
use serde_json::{Value, json};

use crate::refusal;

type Recorded = BTreeMap<String, Vec<Value>>;

/// The two SDKs write numbers and JSON differently; what they mean is compared.
fn meaning(arg: &Value) -> Value {
    let text = match arg {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    match serde_json::from_str(&text) {
        Ok(json @ Value::Object(_)) => json,
        _ => Value::String(text),
    }
}

struct Recordings {
    python: Recorded,
    typescript: Recorded,
}

impl Recordings {
    fn load() -> Self {
        let parse = |text: &str| serde_json::from_str(text).expect("a recording");
        Recordings {
            python: parse(include_str!("../../sdk/search-python.json")),
            typescript: parse(include_str!("../../sdk/search-typescript.json")),
        }
    }

    /// Takes the call's recordings, of which ours must equal both, or the one that is named.
    fn check<R>(&mut self, call: &str, like: &str, command: Command<R>) {
        command.validate().unwrap_or_else(|error| panic!("{call}: {error}"));
        let _ = crate::lines(&command);
        let ours: Vec<Value> =
            command.args().iter().map(|arg| meaning(&String::from_utf8_lossy(arg).into_owned().into())).collect();
        let theirs = |recorded: &mut Recorded| -> Vec<Value> {
            recorded.remove(call).expect("a recorded call").iter().map(meaning).collect()
        };
        let (python, typescript) = (theirs(&mut self.python), theirs(&mut self.typescript));
        match like {
            "both" => assert_eq!((&ours, &ours), (&python, &typescript), "{call}"),
            "python" => assert_eq!((&ours, python != typescript), (&python, true), "{call}"),
            _ => assert_eq!((&ours, python != typescript), (&typescript, true), "{call}"),
        }
    }
}

#[test]
#[expect(clippy::too_many_lines, reason = "one call after the other")]
fn requests_are_those_of_the_official_sdks() {
    let mut sdks = Recordings::load();
    let f64_fast = || FastField::f64().fast();

    let schema = SearchSchema::json("product:").field("name", TextField::new()).field("price", f64_fast());
    sdks.check("create_json", "both", Build.search_create("products", &schema.field("inStock", FastField::bool())));
    let schema = SearchSchema::hash("user:").prefix("profile:").language("turkish");
    let schema = schema.field("name", TextField::new()).field("score", FastField::u64().fast());
    sdks.check("create_hash_prefixes_language", "both", Build.search_create("people", &schema));
    let schema = SearchSchema::string("doc:").language("english").skip_initial_scan().exists_ok();
    let schema = schema
        .field("title", TextField::new().no_stem().no_tokenize())
        .field("plain", TextField::new())
        .field("u", FastField::u64().fast())
        .field("i", FastField::i64().fast())
        .field("f", f64_fast())
        .field("b", FastField::bool().fast())
        .field("d", FastField::date().fast())
        .field("slowDate", FastField::date())
        .field("k", KeywordField::keyword())
        .field("c", KeywordField::facet());
    // The SDKs put the clauses in another order; ours is the documented one.
    sdks.check("create_string_flags_all_types", "python", Build.search_create("all", &schema));
    let schema = SearchSchema::json("post:")
        .field("title", TextField::new())
        .field("titleExact", TextField::new().no_stem().from_field("title"))
        .field("author.name", TextField::new())
        .field("stats.views", FastField::u64().fast())
        .field("stats.total", f64_fast().from_field("stats.views"));
    // Python's AS is documented nowhere.
    sdks.check("create_nested_from", "typescript", Build.search_create("posts", &schema));
    let schema = |prefix: &str| SearchSchema::json(prefix).field("a", TextField::new());
    sdks.check("create_skip_initial_scan", "python", Build.search_create("s", &schema("s:").skip_initial_scan()));
    sdks.check("create_exists_ok", "python", Build.search_create("e", &schema("e:").exists_ok()));
    let schema = SearchSchema::stream("stream:events").skip_initial_scan();
    let schema = schema.field("message", TextField::new()).field("level", KeywordField::keyword());
    sdks.check("create_stream", "python", Build.search_create("events", &schema));

    let mut query = |call: &str, like: &str, index: &str, query: SearchQuery| {
        sdks.check(call, like, Build.search_query::<Value>(index, &query));
    };
    let of = SearchQuery::new;
    let named = |name: &str| SearchFilter::new().matches("name", name);
    query("query_all", "both", "products", of(SearchFilter::new()));
    let filter = named("wireless headphones").matches("inStock", true).matches("price", 199.5);
    query("query_smart_implicit", "both", "products", of(filter));
    let filter = SearchFilter::new().eq("name", "headphones");
    query("query_limit_offset", "both", "products", of(filter).limit(10).offset(20));
    let filter = SearchFilter::new().eq("inStock", true);
    let ordered = of(filter).limit(5).order_by("price", SearchOrder::Descending);
    query("query_order_by", "both", "products", ordered);
    let highlight = Highlight::fields(["author.name"]).tags("<b>", "</b>");
    let selected = of(SearchFilter::new().eq("author.name", "John")).select(["author.name", "stats.views"]);
    query("query_select_highlight", "python", "posts", selected.highlight(highlight));
    let filter = SearchFilter::new().matches("description", "wireless");
    let highlighted = of(filter).highlight(Highlight::fields(["description", "name"]));
    query("query_highlight_default_tags", "both", "products", highlighted);
    let ordered = of(named("a")).limit(3).offset(1).order_by("price", SearchOrder::Ascending).select(["name"]);
    let highlighted = ordered.highlight(Highlight::fields(["name"]));
    query("query_order_select_highlight", "python", "products", highlighted);
    let popular = ScoreFunction::new([ScoreField::new("popularity")]);
    query("query_score_simple", "both", "products", of(named("headphones")).score_by(popular.clone()));
    let field = ScoreField::new("popularity").modifier(ScoreModifier::Log1p).factor(2.0).missing(1.5);
    let scored = of(named("headphones")).score_by(ScoreFunction::new([field]).mode(ScoreMode::Replace));
    query("query_score_field_full", "both", "products", scored);
    let fields = [
        ScoreField::new("rating"),
        ScoreField::new("popularity").modifier(ScoreModifier::Log1p).factor(0.5),
        ScoreField::new("recency").modifier(ScoreModifier::Sqrt).missing(1.0),
    ];
    let function = ScoreFunction::new(fields).combine(CombineMode::Sum).mode(ScoreMode::Multiply);
    query("query_score_multiple", "both", "products", of(named("headphones")).score_by(function));
    let highlight = Highlight::fields(["name"]).tags("!!", "**");
    let scored = of(named("a")).limit(3).select(["name"]).highlight(highlight).score_by(popular);
    query("query_score_select_highlight", "python", "products", scored);
    query("query_hash_index", "both", "hash-people", of(named("Alice")));
    let filter = SearchFilter::new().and([
        SearchFilter::new().eq("name", "laptop"),
        SearchFilter::new().one_of("name", ["laptop", "phone"]),
        SearchFilter::new().fuzzy("name", "laptopp"),
        SearchFilter::new().fuzzy("name", SearchFuzzy::new("haedphone").distance(2).transposition_cost_two().prefix()),
        SearchFilter::new().phrase("name", "wireless mouse"),
        SearchFilter::new().phrase_slop("name", "wireless mouse", 2),
        SearchFilter::new().phrase_prefix("name", "wireless mo"),
        SearchFilter::new().regex("name", "Lap.*"),
        SearchFilter::new().smart("name", "wireless").boost_field("name", 2.5),
    ]);
    query("filter_text_operators", "both", "products", of(filter));
    let filter = SearchFilter::new().gte("price", 10).lte("price", 99.5).gt("stock", 1).lt("stock", 9);
    let filter = filter.eq("rating", 4.5).one_of("id", [1, 2, 3]);
    query("filter_number_operators", "both", "products", of(filter));
    let filter = SearchFilter::new()
        .eq("inStock", true)
        .one_of("active", [true, false])
        .gte("createdAt", "2026-01-01T00:00:00Z")
        .lt("createdAt", "2026-02-01T00:00:00Z")
        .gt("status", "a")
        .lte("status", "m")
        .one_of("tag", ["x", "y"])
        .eq("category", "/category/books");
    query("filter_bool_date_keyword_facet", "both", "products", of(filter));
    let matches = |field: &str, value: &str| SearchFilter::new().matches(field, value);
    let filter = SearchFilter::new()
        .must(matches("category", "electronics").matches("inStock", true))
        .should([named("wireless").boost(5.5), matches("description", "bluetooth")])
        .must_not(matches("description", "budget"));
    query("filter_boolean_nodes", "both", "products", of(filter));
    let sports = SearchFilter::new()
        .must([matches("category", "sports"), SearchFilter::new().should([named("ball"), named("bat")])])
        .must_not([SearchFilter::new().gt("price", 500)]);
    let cheap = SearchFilter::new().and(matches("category", "electronics").lt("price", 50));
    query("filter_or_nested", "both", "products", of(SearchFilter::new().or([cheap, sports]).boost(1.5)));
    let filter = SearchFilter::new().eq("name", "quote \" back \\ slash / tab\t");
    query("filter_escapes", "both", "products", of(filter));
    let nocontent = Build.search_query_nocontent("products", &of(named("headphones")));
    sdks.check("query_nocontent", "both", nocontent);

    sdks.check("count", "both", Build.search_count("products", &SearchFilter::new().gt("price", 100)));
    let mut aggregate = |call: &str, filter: SearchFilter, aggregations: Aggregations| {
        sdks.check(call, "both", Build.search_aggregate("products", &filter, &aggregations));
    };
    let metrics = Aggregations::new()
        .with("a", Aggregation::avg("price").option("missing", 0))
        .with("s", Aggregation::sum("price"))
        .with("lo", Aggregation::min("price"))
        .with("hi", Aggregation::max("price"))
        .with("n", Aggregation::count("price"))
        .with("d", Aggregation::cardinality("categoryId"));
    aggregate("aggregate_metrics", SearchFilter::new(), metrics);
    let percents = || Aggregation::percentiles("price", [50, 95]);
    let stats = Aggregations::new()
        .with("st", Aggregation::stats("price").option("missing", 0))
        .with("ex", Aggregation::extended_stats("price").option("sigma", 2).option("missing", 0))
        .with("p", percents().option("missing", 0))
        .with("pu", percents().option("keyed", false));
    aggregate("aggregate_stats", SearchFilter::new().matches("inStock", true), stats);
    let ranges = [(None, Some(30)), (Some(30), Some(60)), (Some(60), None)];
    let buckets = Aggregations::new()
        .with("t", Aggregation::terms("category").option("size", 5).nested("avg_price", Aggregation::avg("price")))
        .with("r", Aggregation::range("price", ranges).nested("q", Aggregation::stats("quantity")))
        .with("h", Aggregation::histogram("price", 30));
    aggregate("aggregate_buckets", SearchFilter::new(), buckets);
    let facet = Aggregation::facet("category", "/category").option("depth", 2).option("size", 10);
    let facet = facet.option("minDocCount", 1).option("order", json!({"count": "desc"}));
    aggregate("aggregate_facet", SearchFilter::new(), Aggregations::new().with("f", facet));
    let sources = json!([
        {"category": {"$terms": {"field": "category"}}},
        {"price": {"$histogram": {"field": "price", "interval": 10}}},
    ]);
    let after = json!({"category": "str:books", "price": "f64:20"});
    let composite = Aggregation::composite(sources).option("size", 100).option("after", after);
    let composite = composite.nested("avg", Aggregation::avg("price"));
    aggregate("aggregate_composite", SearchFilter::new(), Aggregations::new().with("c", composite));
    let keyed = Aggregation::histogram("price", 30).option("keyed", true);
    aggregate("aggregate_keyed", SearchFilter::new(), Aggregations::new().with("h", keyed));

    sdks.check("describe", "both", Build.search_describe("products"));
    sdks.check("drop", "both", Build.search_drop("products"));
    sdks.check("wait_indexing", "both", Build.search_waitindexing("products"));
    sdks.check("alias_add", "both", Build.search_aliasadd("products", "products-v2"));
    sdks.check("alias_add_from_index", "both", Build.search_aliasadd("products", "products-v2"));
    sdks.check("alias_del", "both", Build.search_aliasdel("products"));
    sdks.check("alias_list", "both", Build.search_listaliases());
    let page = ListIndexesOptions::new().matching("product*").limit(10).offset(0);
    sdks.check("list_indexes", "both", Build.search_listindexes(page));
    sdks.check("reindex", "both", Build.search_reindex("products"));
    assert!(sdks.python.is_empty() && sdks.typescript.is_empty(), "{:?}", sdks.python.keys());
}

#[derive(Debug, PartialEq, Deserialize)]
struct Product {
    name: String,
    price: f64,
    #[serde(default)]
    tags: Vec<String>,
    author: Option<Author>,
}

#[derive(Debug, PartialEq, Deserialize)]
struct Author {
    name: String,
    verified: bool,
}

#[test]
fn documents_are_whatever_serde_makes_of_them() {
    let query = SearchQuery::new(SearchFilter::new());
    let decode = |content: Value| {
        let body = json!({"result": [["product:1", "1.25", content]]}).to_string();
        Build.search_query::<Product>("products", &query).decode(body, Encoding::Json)
    };
    let author = Some(Author { name: "Ada".into(), verified: true });
    let expected = Product { name: "5".into(), price: 99.5, tags: vec!["a".into()], author };
    let whole = r#"{"name":"5","price":99.5,"tags":["a"],"author":{"name":"Ada","verified":true}}"#;
    // A JSON document, what was selected of one, and a hash with a JSON field.
    for content in [
        json!([["$", whole]]),
        json!([
            ["name", "5"],
            ["price", "99.5"],
            ["tags", "[\"a\"]"],
            ["author.name", "Ada"],
            ["author.verified", "true"]
        ]),
        json!([
            ["name", "5"],
            ["price", 99.5],
            ["tags", "[\"a\"]"],
            ["author", "{\"name\":\"Ada\",\"verified\":true}"]
        ]),
    ] {
        let hits = decode(content).expect("hits").expect("an index");
        assert_eq!((hits[0].key.as_str(), hits[0].score, &hits[0].document), ("product:1", 1.25, &expected));
    }
    let error = decode(json!([["name", "x"], ["price", "cheap"]])).expect_err("no number");
    assert!(error.is_decode() && error.to_string().contains("product:1"), "{error}");
    let none = Build.search_query::<Product>("none", &query).decode(r#"{"result":null}"#, Encoding::Json);
    assert_eq!(none.expect("nil"), None);
    let bare = Build.search_query_nocontent("products", &query);
    let found = bare.decode(r#"{"result":[["a","1.5"],["b","0.75"]]}"#, Encoding::Json).expect("hits");
    assert_eq!(found, Some(vec![("a".to_owned(), 1.5), ("b".to_owned(), 0.75)]));
}

#[test]
fn aggregates_are_read_by_name() {
    let result = json!([
        "avg",
        ["value", "40"],
        "none",
        ["value", null],
        "s",
        ["count", 9, "min", "0", "max", 80, "sum", "360.5", "avg", "40"],
        "p",
        ["values", ["50.0", "40", "95.0", null]],
        "listed",
        ["values", [["key", "50", "value", "40"]]],
        "t",
        [
            "buckets",
            [["key", "books", "docCount", 3, "dearest", ["value", "50"]], ["key", 2, "docCount", 1]],
            "sumOtherDocCount",
            4
        ],
        "r",
        ["buckets", [["key", "*-30", "docCount", 3, "to", "30"]]],
        "keyed",
        [
            "buckets",
            [
                "cheap",
                ["docCount", 3, "to", "30", "dearest", ["value", "29"]],
                "30-*",
                ["key", "30-*", "docCount", "2", "from", "30"]
            ]
        ],
        "c",
        [
            "buckets",
            [["key", ["category", "books", "price", 20], "docCount", 12, "dearest", ["value", "29"]]],
            "afterKey",
            ["category", "str:books", "price", "f64:20", "missing", null]
        ],
        "end",
        ["buckets", [], "afterKey", ["category", "str:books"]],
        "f",
        [
            "path",
            "/",
            "children",
            [["path", "/tech", "docCount", 3, "children", [["docCount", 1, "path", "/tech/ai"]]]]
        ],
    ]);
    let aggregations = Aggregations::new().with("avg", Aggregation::avg("price"));
    let command = Build.search_aggregate("products", &SearchFilter::new(), &aggregations);
    let all =
        command.decode(json!({ "result": result }).to_string(), Encoding::Json).expect("results").expect("an index");
    let get = |name: &str| all.get(name).expect("a result");
    assert_eq!((get("avg").value(), get("none").value()), (Some(40.0), None));
    assert_eq!((get("s").number("count"), get("s").number("sum")), (Some(9.0), Some(360.5)));
    assert_eq!(get("p").percentiles(), [(50.0, Some(40.0)), (95.0, None)]);
    assert_eq!(get("listed").percentiles(), [(50.0, Some(40.0))]);
    let buckets = get("t").buckets();
    assert_eq!((buckets[0].key().as_str(), buckets[0].count(), buckets[1].key().as_str()), ("books", 3, "2"));
    assert_eq!(buckets[0].aggregate("dearest").and_then(|dearest| dearest.value()), Some(50.0));
    assert_eq!(get("t").number("sumOtherDocCount"), Some(4.0));
    assert_eq!(get("r").buckets()[0].fields().number("to"), Some(30.0));
    let keyed = get("keyed").buckets();
    let named: Vec<_> = keyed.iter().map(|bucket| (bucket.key(), bucket.count())).collect();
    assert_eq!(named, [("cheap".to_owned(), 3), ("30-*".to_owned(), 2)]);
    assert_eq!(keyed[0].aggregate("dearest").and_then(|dearest| dearest.value()), Some(29.0));
    assert_eq!(keyed[1].fields().number("from"), Some(30.0));
    let combination = &get("c").buckets()[0];
    let key = combination.fields().part("key").expect("a key of parts");
    assert_eq!((key.text("category").as_deref(), key.number("price")), (Some("books"), Some(20.0)));
    assert_eq!((combination.count(), combination.key().as_str()), (12, ""));
    let after = json!({"category": "str:books", "price": "f64:20", "missing": null});
    assert_eq!((get("c").after_key(), get("end").after_key()), (Some(after), None));
    assert!(get("end").buckets().is_empty());
    let tech = &get("f").facets()[0];
    assert_eq!((tech.path().as_str(), tech.count(), tech.facets()[0].path().as_str()), ("/tech", 3, "/tech/ai"));
    assert!(all.get("no such").is_none() && get("avg").buckets().is_empty());
}

#[test]
fn the_other_replies() {
    let json = |result: Value| json!({ "result": result }).to_string();
    let described = Build.search_describe("products").decode(
        json(json!([
            "name",
            "products",
            "type",
            "JSON",
            "prefixes",
            ["product:"],
            "language",
            "english",
            "indexSize",
            1234,
            "schema",
            [["name", "TEXT"], ["exact", "TEXT", "FROM", "description", "NOSTEM"], ["price", "F64", "FAST"]]
        ])),
        Encoding::Json,
    );
    let index = described.expect("an index").expect("an index");
    assert_eq!((index.name.as_str(), index.size, index.pending_updates), ("products", Some(1234), None));
    assert_eq!((index.fields[1].from.as_deref(), index.fields[1].flags[0].as_str()), (Some("description"), "NOSTEM"));
    let pair = |a: &str, b: &str| vec![(a.to_owned(), b.to_owned())];
    let aliases = |result: Value| Build.search_listaliases().decode(json(result), Encoding::Json).expect("aliases");
    assert_eq!(aliases(json!([["a", "products"]])), pair("a", "products"));
    assert!(aliases(json!(0)).is_empty() && aliases(json!([])).is_empty());
    let indexes = Build.search_listindexes(ListIndexesOptions::new());
    let found = indexes.decode(json(json!([["name", "products", "type", "HASH"]])), Encoding::Json);
    assert_eq!(found.expect("indexes"), pair("products", "HASH"));
    let count = |result: Value| {
        Build.search_count("products", &SearchFilter::new()).decode(json(result), Encoding::Json).expect("a count")
    };
    assert_eq!((count(json!(7)), count(json!(-1))), (Some(7), None));
    let alias = |result: Value| Build.search_aliasadd("a", "b").decode(json(result), Encoding::Json).expect("a code");
    assert!(alias(json!(1)) && !alias(json!(2)));
}

#[test]
fn what_cannot_be_meant_is_not_sent() {
    let all = SearchFilter::new;
    let query = |query: SearchQuery| refusal(Build.search_query::<Value>("products", &query));
    let ordered = SearchQuery::new(all()).order_by("a", SearchOrder::Ascending);
    assert!(query(ordered.score_by(ScoreFunction::new([ScoreField::new("b")]))).contains("exclude each other"));
    assert!(query(SearchQuery::new(all()).limit(0)).contains("at least 1"));
    assert!(query(SearchQuery::new(all().matches("a", 1).gt("a", 2))).contains("`a`"));
    assert!(query(SearchQuery::new(all().gt("a", 1).gt("a", 2))).contains("$gt twice"));
    assert!(query(SearchQuery::new(all().or([]))).contains("at least one"));
    assert!(query(SearchQuery::new(SearchFilter::from(json!([])))).contains("JSON object"));
    let selected = SearchQuery::new(all()).select(["a"]);
    assert!(refusal(Build.search_query_nocontent("products", &selected)).contains("takes no `select`"));
    assert!(refusal(Build.search_create("products", &SearchSchema::json("p:"))).contains("at least one field"));
    let prefixed = SearchSchema::stream("events").prefix("e:").field("message", TextField::new());
    assert!(refusal(Build.search_create("events", &prefixed)).contains("no prefixes"));
    let aggregate = |aggregations: &Aggregations| refusal(Build.search_aggregate("products", &all(), aggregations));
    assert!(aggregate(&Aggregations::new()).contains("at least one aggregation"));
    let twice = Aggregations::new().with("a", Aggregation::avg("x")).with("a", Aggregation::sum("x"));
    assert!(aggregate(&twice).contains("the name `a`"));
}
