//! Values and keys that are hard to carry.

use redis_model::redis_rest::commands::expiry::Expiry;
use redis_model::redis_rest::commands::string::SetOptions;
use redis_model::redis_rest::{Encoding, HashCommands as _, Result, StringCommands as _, bytes::Bytes};
use redis_model_tests::{ENCODINGS, clients, key, stack};

#[tokio::test]
async fn texts_come_back_as_they_went() -> Result<()> {
    let million = "x".repeat(1_000_000);
    let controls: String = (0..0x20).map(char::from).collect();
    let texts = ["", "OK", "null", "{}", "\"", "\\", "é\u{1f980}\u{0}", "T0s=", "+OK\r\n", &controls, &million];
    for redis in &clients() {
        for text in texts {
            let k = &key("text");
            redis.set(k, text).await?;
            assert!(redis.get::<String>(k).await?.as_deref() == Some(text), "{text:.20}");
            assert_eq!(redis.strlen(k).await?, text.len() as u64);
        }
    }
    Ok(())
}

#[tokio::test]
async fn numbers_at_their_limits() -> Result<()> {
    for redis in &clients() {
        let k = &key("number");
        for int in [i64::MIN, -1, 0, i64::MAX] {
            redis.set(k, int).await?;
            assert_eq!(redis.get::<i64>(k).await?, Some(int));
        }
        redis.set(k, u64::MAX).await?;
        assert_eq!(redis.get::<u64>(k).await?, Some(u64::MAX));
        assert!(redis.get::<i64>(k).await.unwrap_err().is_decode());
        assert!(redis.get::<u32>(k).await.unwrap_err().is_decode());
        for float in [f64::MIN, f64::MIN_POSITIVE, 0.1, f64::MAX, f64::INFINITY, f64::NEG_INFINITY] {
            redis.set(k, float).await?;
            assert_eq!(redis.get::<f64>(k).await?, Some(float));
        }
        redis.set(k, f64::NAN).await?;
        assert!(redis.get::<f64>(k).await?.is_some_and(f64::is_nan));
    }
    Ok(())
}

#[tokio::test]
async fn any_bytes_as_the_last_argument_or_before_options() -> Result<()> {
    let all: Vec<u8> = (0..=255).collect();
    for encoding in [Encoding::Base64, Encoding::Resp2] {
        let redis = stack().builder().encoding(encoding).build()?;
        let k = &key("bytes/ ?&=%é");
        redis.set(k, &all).await?;
        assert_eq!(redis.get::<Vec<u8>>(k).await?.as_deref(), Some(all.as_slice()));
        assert_eq!(redis.get::<Bytes>(k).await?.as_deref(), Some(all.as_slice()));
        assert!(redis.set_with(k, b"\xff", SetOptions::new().xx().expire(Expiry::seconds(60))).await?);
        assert_eq!(redis.set_get::<Vec<u8>>(k, b"\xfe", SetOptions::new()).await?.as_deref(), Some(b"\xff".as_slice()));
        let h = &key("hash");
        redis.hset(h, [("f", &all)]).await?;
        assert_eq!(redis.hget::<Vec<u8>>(h, "f").await?.as_deref(), Some(all.as_slice()));
        assert!(redis.get::<String>(k).await.unwrap_err().to_string().contains("UTF-8"));
    }
    Ok(())
}

#[tokio::test]
async fn plain_json_cannot_carry_bytes_and_says_so_in_its_docs() -> Result<()> {
    let redis = stack().builder().encoding(Encoding::Json).build()?;
    let k = &key("lossy");
    redis.set(k, b"a\xff").await?;
    assert_eq!(redis.get::<String>(k).await?.as_deref(), Some("a\u{fffd}"));
    assert_eq!(redis.strlen(k).await?, 2, "what is stored is what was sent");
    Ok(())
}

#[tokio::test]
async fn bytes_that_cannot_be_sent_are_refused_before() -> Result<()> {
    let redis = stack().redis();
    let k = &key("refused");
    for error in [
        redis.hset(k, [("a", b"\xff"), ("b", b"\xfe")]).await.unwrap_err(),
        redis.set("..", b"\xff").await.unwrap_err(),
        redis.set("", b"\xff").await.unwrap_err(),
        redis.mset([(k.as_str(), b"\xff".as_slice()), ("_token", b"")]).await.unwrap_err(),
    ] {
        assert!(error.is_invalid_input() && !error.may_have_executed(), "{error}");
    }
    assert_eq!(redis.hlen(k).await?, 0);
    Ok(())
}

#[tokio::test]
async fn keys_with_every_odd_character() -> Result<()> {
    for encoding in ENCODINGS {
        let redis = stack().builder().encoding(encoding).build()?;
        let odd: String = (1..=0x2ff).filter_map(char::from_u32).collect();
        for name in
            ["", " ", "/", "//", "a/../b", ".", "..", "?x=1&_token=y", "#", "%2F", "+", "\r\n", "*", "{tag}", &odd]
        {
            redis.set(name, name).await?;
            assert_eq!(redis.get::<String>(name).await?.as_deref(), Some(name));
        }
        // In a path, with the value as the body.
        for name in ["/", "a/../b", "?x=1&_token=y", "#", "%2F", "+", " ", "\r\n", "é", &odd] {
            redis.set(name, b"\xff").await?;
            assert_eq!(redis.strlen(name).await?, 1, "{name:?}");
        }
    }
    Ok(())
}
