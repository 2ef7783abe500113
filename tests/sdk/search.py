"""Makes the calls of SEARCH by the official Python SDK (upstash-redis on PyPI), for a server that records what it sends.

No server outside the service has SEARCH, so what our client sends is compared with what its own SDKs send: the same
calls, by the same names, are in search.mjs and in the golden tests. The first segment of the path is the call's name.
What the SDK makes of the answer, which is always nil, is no matter here.

Usage: UPSTASH_REDIS_REST_URL=… search.py
"""

import contextlib
import os

from upstash_redis import Redis

URL = os.environ["UPSTASH_REDIS_REST_URL"]


def call(name, run):
    redis = Redis(url=f"{URL}/{name}", token="token", rest_retries=0, allow_telemetry=False)
    with contextlib.suppress(Exception):
        run(redis)


def create(name, /, **options):
    call(name, lambda r: r.search.create_index(**options))


def query(name, *, index="products", **options):
    call(name, lambda r: r.search.index(index).query(**options))


def aggregate(name, **options):
    call(name, lambda r: r.search.index("products").aggregate(**options))


# ---- SEARCH.CREATE
create("create_json", name="products", data_type="JSON", prefixes="product:",
       schema={"name": "TEXT", "price": {"type": "F64", "fast": True}, "inStock": "BOOL"})
create("create_hash_prefixes_language", name="people", data_type="HASH", prefixes=["user:", "profile:"],
       language="turkish", schema={"name": "TEXT", "score": {"type": "U64", "fast": True}})
create("create_string_flags_all_types", name="all", data_type="STRING", prefixes="doc:", language="english",
       skip_initial_scan=True, exists_ok=True,
       schema={"title": {"type": "TEXT", "no_stem": True, "no_tokenize": True},
               "plain": "TEXT",
               "u": {"type": "U64", "fast": True},
               "i": {"type": "I64", "fast": True},
               "f": {"type": "F64", "fast": True},
               "b": {"type": "BOOL", "fast": True},
               "d": {"type": "DATE", "fast": True},
               "slowDate": "DATE",
               "k": "KEYWORD",
               "c": "FACET"})
# Python has no nesting: dotted paths. Its alias is sent as AS (not FROM).
create("create_nested_from", name="posts", data_type="JSON", prefixes="post:",
       schema={"title": "TEXT",
               "titleExact": {"type": "TEXT", "no_stem": True, "alias": "title"},
               "author.name": "TEXT",
               "stats.views": {"type": "U64", "fast": True},
               "stats.total": {"type": "F64", "fast": True, "alias": "stats.views"}})
create("create_skip_initial_scan", name="s", data_type="JSON", prefixes="s:", skip_initial_scan=True, schema={"a": "TEXT"})
create("create_exists_ok", name="e", data_type="JSON", prefixes="e:", exists_ok=True, schema={"a": "TEXT"})
# Python has no streams: the documented generic call.
call("create_stream", lambda r: r.execute(["SEARCH.CREATE", "events", "ON", "STREAM", "stream:events", "SKIPINITIALSCAN",
                                           "SCHEMA", "message", "TEXT", "level", "KEYWORD"]))

# ---- SEARCH.QUERY: options
query("query_all")
query("query_smart_implicit", filter={"name": "wireless headphones", "inStock": True, "price": 199.5})
query("query_limit_offset", filter={"name": {"$eq": "headphones"}}, limit=10, offset=20)
query("query_order_by", filter={"inStock": {"$eq": True}}, order_by={"price": "DESC"}, limit=5)
query("query_nocontent", filter={"name": "headphones"}, select={})
query("query_select_highlight", filter={"author.name": {"$eq": "John"}}, index="posts",
      select={"author.name": True, "stats.views": True},
      highlight={"fields": ["author.name"], "tags": ("<b>", "</b>")})
query("query_highlight_default_tags", filter={"description": "wireless"}, highlight={"fields": ["description", "name"]})
query("query_order_select_highlight", filter={"name": "a"}, limit=3, offset=1, order_by={"price": "ASC"},
      select={"name": True}, highlight={"fields": ["name"]})
query("query_score_simple", filter={"name": "headphones"}, score_func="popularity")
query("query_score_field_full", filter={"name": "headphones"},
      score_func={"field": "popularity", "modifier": "log1p", "factor": 2, "missing": 1.5, "scoreMode": "replace"})
query("query_score_multiple", filter={"name": "headphones"},
      score_func={"fields": ["rating", {"field": "popularity", "modifier": "log1p", "factor": 0.5},
                             {"field": "recency", "modifier": "sqrt", "missing": 1}],
                  "combineMode": "sum", "scoreMode": "multiply"})
query("query_score_select_highlight", filter={"name": "a"}, limit=3, score_func="popularity",
      select={"name": True}, highlight={"fields": ["name"], "tags": ("!!", "**")})
query("query_hash_index", index="hash-people", filter={"name": "Alice"})

# ---- SEARCH.QUERY: filters
query("filter_text_operators", filter={"$and": [
    {"name": {"$eq": "laptop"}}, {"name": {"$in": ["laptop", "phone"]}},
    {"name": {"$fuzzy": "laptopp"}},
    {"name": {"$fuzzy": {"value": "haedphone", "distance": 2, "transpositionCostOne": False, "prefix": True}}},
    {"name": {"$phrase": "wireless mouse"}},
    {"name": {"$phrase": {"value": "wireless mouse", "slop": 2}}},
    {"name": {"$phrase": {"value": "wireless mo", "prefix": True}}},
    {"name": {"$regex": "Lap.*"}}, {"name": {"$smart": "wireless", "$boost": 2.5}}]})
query("filter_number_operators", filter={"price": {"$gte": 10, "$lte": 99.5}, "stock": {"$gt": 1, "$lt": 9},
                                         "rating": {"$eq": 4.5}, "id": {"$in": [1, 2, 3]}})
query("filter_bool_date_keyword_facet", filter={
    "inStock": {"$eq": True}, "active": {"$in": [True, False]},
    "createdAt": {"$gte": "2026-01-01T00:00:00Z", "$lt": "2026-02-01T00:00:00Z"},
    "status": {"$gt": "a", "$lte": "m"}, "tag": {"$in": ["x", "y"]},
    "category": {"$eq": "/category/books"}})
query("filter_boolean_nodes", filter={
    "$must": {"category": "electronics", "inStock": True},
    "$should": [{"name": "wireless", "$boost": 5.5}, {"description": "bluetooth"}],
    "$mustNot": {"description": "budget"}})
query("filter_or_nested", filter={"$or": [
    {"$and": {"category": "electronics", "price": {"$lt": 50}}},
    {"$must": [{"category": "sports"}, {"$should": [{"name": "ball"}, {"name": "bat"}]}], "$mustNot": [{"price": {"$gt": 500}}]}],
    "$boost": 1.5})
query("filter_escapes", filter={"name": {"$eq": 'quote " back \\ slash / tab\t'}})

# ---- SEARCH.COUNT
call("count", lambda r: r.search.index("products").count(filter={"price": {"$gt": 100}}))

# ---- SEARCH.AGGREGATE
aggregate("aggregate_metrics", aggregations={
    "a": {"$avg": {"field": "price", "missing": 0}}, "s": {"$sum": {"field": "price"}},
    "lo": {"$min": {"field": "price"}}, "hi": {"$max": {"field": "price"}},
    "n": {"$count": {"field": "price"}}, "d": {"$cardinality": {"field": "categoryId"}}})
aggregate("aggregate_stats", filter={"inStock": True}, aggregations={
    "st": {"$stats": {"field": "price", "missing": 0}},
    "ex": {"$extendedStats": {"field": "price", "sigma": 2, "missing": 0}},
    "p": {"$percentiles": {"field": "price", "percents": [50, 95], "missing": 0}},
    "pu": {"$percentiles": {"field": "price", "percents": [50, 95], "keyed": False}}})
aggregate("aggregate_buckets", aggregations={
    "t": {"$terms": {"field": "category", "size": 5}, "$aggs": {"avg_price": {"$avg": {"field": "price"}}}},
    "r": {"$range": {"field": "price", "ranges": [{"to": 30}, {"from": 30, "to": 60}, {"from": 60}]},
          "$aggs": {"q": {"$stats": {"field": "quantity"}}}},
    "h": {"$histogram": {"field": "price", "interval": 30}}})
aggregate("aggregate_facet", aggregations={"f": {"$facet": {
    "field": "category", "path": "/category", "depth": 2, "size": 10, "minDocCount": 1, "order": {"count": "desc"}}}})
# `$composite` is documented, but has no type in either SDK.
aggregate("aggregate_composite", aggregations={"c": {"$composite": {
    "sources": [{"category": {"$terms": {"field": "category"}}}, {"price": {"$histogram": {"field": "price", "interval": 10}}}],
    "size": 100, "after": {"category": "str:books", "price": "f64:20"}}, "$aggs": {"avg": {"$avg": {"field": "price"}}}}})
aggregate("aggregate_keyed", aggregations={"h": {"$histogram": {"field": "price", "interval": 30, "keyed": True}}})

# ---- the rest
call("describe", lambda r: r.search.index("products").describe())
call("drop", lambda r: r.search.index("products").drop())
call("wait_indexing", lambda r: r.search.index("products").wait_indexing())
call("alias_add", lambda r: r.search.alias.add(index_name="products-v2", alias="products"))
call("alias_add_from_index", lambda r: r.search.index("products-v2").add_alias(alias="products"))
call("alias_del", lambda r: r.search.alias.delete(alias="products"))
call("alias_list", lambda r: r.search.alias.list())
# No method in either SDK: the documented generic call
call("list_indexes", lambda r: r.execute(["SEARCH.LISTINDEXES", "MATCH", "product*", "LIMIT", 10, "OFFSET", 0]))
call("reindex", lambda r: r.execute(["SEARCH.REINDEX", "products"]))
