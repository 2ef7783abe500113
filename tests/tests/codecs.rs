//! The codecs of fields given arbitrary stored contents: a value is read or refused, in little memory.
//!
//! A file of its own, because it measures the memory of its process. `fuzz/targets/codecs.rs` does the same for longer.

#![cfg(target_os = "linux")]

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use redis_model::codec::{Base64, Bincode, Codec, Json, Postcard};
use redis_model_tests::process;
use serde_derive::{Deserialize, Serialize};

#[derive(Debug, PartialEq, Serialize, Deserialize)]
enum Tree {
    Leaf,
    Newtype(Box<Tree>),
    Pair(Box<Tree>, Box<Tree>),
    Struct { next: Option<Box<Tree>>, name: String },
    Seq(Vec<Tree>),
    Map(BTreeMap<String, Tree>),
    Bytes(Vec<[u64; 32]>),
}

/// The most address space that this process has had, in bytes. It counts what was allocated and never touched.
fn peak() -> Option<u64> {
    process::peak("VmPeak").ok()
}

fn read_all(base64: &str, json: &str) {
    macro_rules! read {
        ($($type:ty),*) => {$(
            let _ = <Bincode as Codec<$type>>::decode(base64);
            let _ = <Postcard as Codec<$type>>::decode(base64);
            let _ = <Json as Codec<$type>>::decode(json);
        )*};
    }
    read!(Tree, String, Vec<String>, Vec<()>, Vec<[u64; 32]>, Vec<Vec<Vec<u64>>>, BTreeMap<String, (u128, char)>);
    let _ = Base64::decode(base64);
}

/// Bytes among which lengths that lie, variants and options are frequent.
fn bytes() -> impl Strategy<Value = Vec<u8>> {
    let part = prop_oneof![
        3 => any::<u8>().prop_map(|byte| vec![byte]),
        3 => (0..8_u8).prop_map(|byte| vec![byte]),
        1 => (0..8_u8, 1..2_000_usize).prop_map(|(byte, count)| vec![byte; count]),
        // A length of 2 to 9 bytes, as bincode and as postcard write it.
        1 => any::<u64>().prop_map(|len| [&[253][..], &len.to_le_bytes()].concat()),
        1 => (any::<u32>()).prop_map(|len| [&[252][..], &len.to_le_bytes()].concat()),
        1 => (1..9_usize).prop_map(|count| [vec![0xff; count], vec![0x7f]].concat()),
    ];
    proptest::collection::vec(part, 0..32).prop_map(|parts| parts.concat())
}

fn json() -> impl Strategy<Value = String> {
    let part = prop_oneof![
        r#"[\[\]{}:,"0-9ntf.e-]{1,8}"#,
        (r#"\[|\{"Newtype":|\{"Seq":\["#, 1..500_usize).prop_map(|(part, count)| part.repeat(count)),
        r#""(Leaf|Seq|next|name|a)""#,
    ];
    proptest::collection::vec(part, 0..16).prop_map(|parts| parts.concat())
}

#[test]
fn any_content_is_read_or_refused_in_little_memory() {
    // What reading itself, the strategies and the allocator's arenas take once.
    read_all("AAAA", "[]");
    let before = peak().unwrap();
    let mut runner = TestRunner::new(Config { failure_persistence: None, cases: 2_000, ..Config::default() });
    runner
        .run(&(bytes(), json()), |(bytes, json)| {
            read_all(&STANDARD.encode(bytes), &json);
            Ok(())
        })
        .unwrap();
    let grown = peak().unwrap() - before;
    assert!(grown < 256 << 20, "{grown} bytes for contents of at most 64 kB");
}
