//! Bytes that are not UTF-8, which another program has written. A reply in JSON replaces them.

use redis_model::ErrorKind;
use redis_model::prelude::*;

use crate::{clients, no_drift, servers};

#[derive(Debug, Clone, PartialEq, RedisModel)]
#[redis(prefix = "page")]
struct Page {
    #[redis(id)]
    id: u64,
    #[redis(index)]
    text: String,
    #[redis(index)]
    rank: u8,
    note: String,
}

fn page(id: u64) -> Page {
    Page { id, text: format!("t{id}"), rank: 7, note: String::new() }
}

/// What an index holds is text, so what would not be is refused.
#[tokio::test]
async fn an_append_to_bytes_does_not_reach_the_index() -> Result<()> {
    for server in servers() {
        for redis in clients(&server)? {
            for id in 1..=3 {
                page(id).save(&redis).await?;
            }
            // The first byte of a character that the patch does not complete.
            redis.hset(Page::key(2)?, [("text", b"t2\xc3".as_slice())]).await?;
            redis.hset(Page::key(2)?, [("note", b"\xff".as_slice())]).await?;
            let error = Page::patch(2).append(Page::TEXT, "x").exec(&redis).await.unwrap_err();
            assert_eq!((error.kind(), error.field()), (ErrorKind::Decode, Some("text")), "{error}");
            assert!(!error.may_have_executed());
            assert_eq!(Page::query().prefix(Page::TEXT, "t").ids(&redis).await?.items, [1, 2, 3]);

            // A field that is in no index takes what it is given, and another text repairs the record.
            redis.hset(Page::key(3)?, [("text", b"t3\xe2\x82".as_slice())]).await?;
            Page::patch(2).append(Page::NOTE, "x").exec(&redis).await?;
            assert_eq!(redis.hstrlen(Page::key(2)?, "note").await?, 2);
            Page::patch(2).set(Page::TEXT, "t2").set(Page::NOTE, "").exec(&redis).await?;
            Page::patch(3).set(Page::TEXT, "t3").append(Page::NOTE, "\u{20ac}").exec(&redis).await?;
            no_drift::<Page>(&redis).await?;
        }
    }
    Ok(())
}

/// A bad entry is left out. The page and those after it are as without it, in both directions.
#[tokio::test]
async fn entries_of_bytes_are_in_no_page() -> Result<()> {
    for server in servers() {
        for redis in clients(&server)? {
            for id in 1..=5 {
                page(id).save(&redis).await?;
            }
            // Before, between and behind the entries, and an id of bytes.
            let strange: [&[u8]; 5] =
                [b"t1\xff\x009", b"t3\x80\x003", b"t3\xed\xa0\x80\x003", b"t4\x00\xf0\x80", b"t9\xf5\x009"];
            for member in strange {
                redis.zadd("page::index:text", [(0.0, member)]).await?;
            }
            let found = Page::query().prefix(Page::TEXT, "t").order_by(Page::TEXT);
            let backwards = Page::query().prefix(Page::TEXT, "t").order_by_desc(Page::TEXT);
            for (query, ids) in [(found, [1, 2, 3, 4, 5]), (backwards, [5, 4, 3, 2, 1])] {
                for limit in 1..=6 {
                    let (mut all, mut query) = (Vec::new(), query.clone().limit(limit));
                    loop {
                        let page = query.clone().fetch(&redis).await?;
                        all.extend(page.items.iter().map(|page| page.id));
                        let Some(cursor) = page.cursor else { break };
                        query = query.after(cursor.to_string().parse()?);
                    }
                    assert_eq!(all, ids, "{limit} a page");
                }
                assert_eq!(query.clone().in_one_request().fetch(&redis).await?.items.len(), 5);
                assert_eq!(query.ids(&redis).await?.items, ids);
            }
            // `reindex` finds them, and removes them.
            assert_eq!(Page::verify_to_end(&redis).await?.len(), strange.len());
            let _ = Page::reindex_to_end(&redis).await?;
            no_drift::<Page>(&redis).await?;
        }
    }
    Ok(())
}

#[derive(Debug, Clone, PartialEq, RedisModel)]
#[redis(prefix = "badge")]
struct Badge {
    #[redis(id)]
    id: u64,
    #[redis(unique)]
    code: String,
}

/// Hashes, rows, marks and claims with ids of bytes, which this crate never writes.
#[tokio::test]
async fn ids_of_bytes_stop_neither_scans_nor_repairs() -> Result<()> {
    for server in servers() {
        for redis in clients(&server)? {
            let records: Vec<_> = (1..=3).map(|id| Badge { id, code: format!("c{id}") }).collect();
            Badge::save_many(&redis, &records).await?.all()?;
            let code = r"
                redis.call('HSET', 'badge:\255', 'id', '9')
                redis.call('ZADD', 'badge::index:code', 0, 'c1\0\254')
                redis.call('ZADD', 'badge::expiry', 1e15, '\253')
                redis.call('HSET', 'badge::rows', '\252', redis.call('HGET', 'badge::rows', '1'))";
            redis.execute::<Option<String>>(["EVAL", code, "0"]).await?;

            let mut scanned: Vec<_> = Badge::scan(&redis).collect().await?.iter().map(|badge| badge.id).collect();
            scanned.sort_unstable();
            assert_eq!(scanned, [1, 2, 3]);
            assert_eq!(Badge::find_by(&redis, Badge::CODE, "c1").await?.map(|badge| badge.id), Some(1));
            assert!(!Badge::verify_to_end(&redis).await?.is_empty());
            let _ = Badge::reindex_to_end(&redis).await?;
            no_drift::<Badge>(&redis).await?;
        }
    }
    Ok(())
}

/// More bad entries than one call looks at.
#[tokio::test]
async fn a_walk_over_many_entries_of_bytes_goes_on() -> Result<()> {
    for server in servers() {
        let redis = server.redis();
        page(1).insert(&redis).await?;
        page(2).insert(&redis).await?;
        let code = r"for n = 1, 25000 do redis.call('ZADD', KEYS[1], 0, 't1\255' .. n .. '\0' .. '9') end";
        redis.execute::<Option<String>>(["EVAL", code, "1", "page::index:text"]).await?;
        assert_eq!(Page::query().prefix(Page::TEXT, "t").ids(&redis).await?.items, [1, 2]);
        assert_eq!(Page::query().range(Page::TEXT, "t2"..).ids(&redis).await?.items, [2]);
    }
    Ok(())
}

/// Fields that the model does not know.
#[tokio::test]
async fn writes_by_a_query_do_not_mind_other_fields_of_bytes() -> Result<()> {
    for server in servers() {
        for redis in clients(&server)? {
            page(1).insert(&redis).await?;
            redis.hset(Page::key(1)?, [("blob", b"\xff".as_slice())]).await?;
            assert_eq!(Page::query().eq(Page::RANK, 7).patch(&redis, |patch| patch.set(Page::RANK, 8)).await?, 1);
            assert_eq!(Page::query().eq(Page::RANK, 8).in_one_request().fetch(&redis).await?.items.len(), 1);
            assert_eq!(Page::query().eq(Page::RANK, 8).delete(&redis).await?, 1);
        }
    }
    Ok(())
}

#[derive(Debug, Clone, PartialEq, RedisModel)]
#[redis(prefix = "slide", ttl = "1h", sliding)]
struct Slide {
    #[redis(id)]
    id: u64,
    #[redis(index)]
    age: u8,
    name: String,
}

/// The script returns all fields in one text.
#[tokio::test]
async fn a_sliding_load_reads_the_record_around_bytes() -> Result<()> {
    for server in servers() {
        for redis in clients(&server)? {
            let record = Slide { id: 1, age: 7, name: "Zoë \u{1f980}".into() };
            record.save(&redis).await?;
            redis.hset(Slide::key(1)?, [("blob", b"\xff\xfe\0".as_slice())]).await?;
            let code = r"return redis.call('HSET', KEYS[1], '\254', '')";
            redis.execute::<u64>(["EVAL", code, "1", "slide:1"]).await?;
            assert_eq!(Slide::load(&redis, 1).await?, Some(record));
            redis.hset(Slide::key(1)?, [("name", b"\xff".as_slice())]).await?;
            let error = Slide::load(&redis, 1).await.unwrap_err();
            assert_eq!((error.kind(), error.field()), (ErrorKind::Decode, Some("name")), "{error}");
        }
    }
    Ok(())
}

#[derive(Debug, Clone, PartialEq, RedisModel)]
#[redis(prefix = "ver")]
struct Ver {
    #[redis(id)]
    id: u64,
    age: u8,
    #[redis(version)]
    version: u64,
}

/// A refusal is read, whatever it tells about.
#[tokio::test]
async fn a_stored_version_of_bytes_is_a_conflict() -> Result<()> {
    for server in servers() {
        for redis in clients(&server)? {
            let record = Ver { id: 1, age: 1, version: 0 };
            Ver::delete(&redis, 1).await?;
            record.insert(&redis).await?;
            redis.hset(Ver::key(1)?, [("version", b"\xff".as_slice())]).await?;
            let error = Ver { version: 1, ..record }.save(&redis).await.unwrap_err();
            assert_eq!((error.kind(), error.field()), (ErrorKind::Conflict, Some("version")), "{error}");
            assert_eq!(error.stored_version(), None);
            assert!(Ver::delete(&redis, 1).await?);
        }
    }
    Ok(())
}
