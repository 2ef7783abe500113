use std::collections::BTreeMap;
use std::fmt::Debug;
use std::thread;

use proptest::prelude::*;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::*;

/// A type that recurses in every way that serde knows.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
enum Tree {
    Leaf,
    Newtype(Box<Tree>),
    Tuple(Box<Tree>, u8),
    Struct { next: Option<Box<Tree>> },
    Seq(Vec<Tree>),
    Map(BTreeMap<String, Tree>),
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Node {
    next: Option<Box<Node>>,
}

#[derive(Debug, Serialize, Deserialize)]
struct Keyed {
    key: u8,
}

/// Recurses without reading a byte of JSON.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Wrapper(Option<Box<Wrapper>>);

fn chain(len: usize) -> Node {
    (1..len).fold(Node { next: None }, |node, _| Node { next: Some(Box::new(node)) })
}

fn base64(bytes: &[u8]) -> String {
    let mut text = String::new();
    push_base64(bytes, &mut text);
    text
}

fn text<C: Codec<T>, T>(value: &T) -> Result<String, String> {
    let mut text = String::new();
    C::encode(value, &mut text).map(|()| text).map_err(|error| error.to_string())
}

fn round_trip<C: Codec<T>, T: PartialEq + Debug>(value: &T) {
    assert_eq!(&C::decode(&text::<C, T>(value).unwrap()).unwrap(), value);
}

fn reason<C: Codec<T>, T: Debug>(text: &str) -> String {
    C::decode(text).unwrap_err().to_string()
}

proptest! {
    #[test]
    fn codecs_read_what_they_write(bytes: Vec<u8>, pairs: Vec<(String, Option<i64>)>, wide: (i128, u128, char, f32)) {
        round_trip::<Base64, _>(&bytes);
        round_trip::<Json, _>(&pairs);
        round_trip::<Bincode, _>(&pairs);
        round_trip::<Postcard, _>(&pairs);
        round_trip::<Bincode, _>(&wide);
        round_trip::<Postcard, _>(&wide);
    }
}

/// The limits are around all that serde does for JSON.
#[test]
fn json_of_every_kind() {
    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    #[serde(tag = "kind", rename_all = "lowercase")]
    enum Tagged {
        Circle { radius: f64 },
        Text { text: String, wide: Option<i64> },
        Nothing,
    }

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    #[serde(untagged)]
    enum Untagged {
        Number(u8),
        List(Vec<Tagged>),
        Map(BTreeMap<String, u32>),
    }

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Flat {
        id: u64,
        #[serde(flatten)]
        rest: BTreeMap<String, serde_json::Value>,
    }

    round_trip::<Json, _>(&vec![Tagged::Circle { radius: 0.5 }, Tagged::Nothing]);
    round_trip::<Json, _>(&Untagged::Number(7));
    round_trip::<Json, _>(&Untagged::List(vec![Tagged::Text { text: "\u{1f980}\n".into(), wide: Some(i64::MIN) }]));
    round_trip::<Json, _>(&Untagged::Map(BTreeMap::from([("seven".into(), 7)])));
    let rest = BTreeMap::from([("more".into(), serde_json::json!({"list": [1, null, true, 0.5, "x"], "empty": {}}))]);
    round_trip::<Json, _>(&Flat { id: u64::MAX, rest });
    let raw = <Json as Codec<Box<serde_json::value::RawValue>>>::decode(r#" {"a" : [1] } "#).unwrap();
    assert_eq!(raw.get(), r#"{"a" : [1] }"#);
}

#[test]
fn recursive_types_have_a_depth() {
    for len in [1, 100] {
        round_trip::<Json, _>(&chain(len));
    }
    for len in [1, 125] {
        round_trip::<Bincode, _>(&chain(len));
        round_trip::<Postcard, _>(&chain(len));
    }
    let error = text::<Postcard, _>(&chain(1_000)).unwrap_err();
    assert_eq!(error, "it could not be read back: it is nested more than 256 values deep");

    let ones = base64(&[1; 1_000_000]);
    assert!(reason::<Bincode, Node>(&ones).contains("nested"));
    assert!(reason::<Bincode, Wrapper>(&ones).contains("nested"));
    assert!(reason::<Bincode, Tree>(&ones).contains("nested"));
    assert!(reason::<Postcard, Node>(&ones).contains("nested"));
    assert!(reason::<Postcard, Wrapper>(&ones).contains("nested"));
    assert!(reason::<Postcard, Tree>(&ones).contains("nested"));
    assert!(reason::<Json, Wrapper>("1").contains("nested"));
    assert!(reason::<Json, serde_json::Value>(&"[".repeat(1_000_000)).contains("recursion limit"));
    assert!(reason::<Json, Tree>(&r#"{"Newtype":"#.repeat(1_000_000)).contains("recursion limit"));
}

#[test]
fn the_deepest_value_needs_little_stack() {
    let deep = || {
        for variant in 0..6_u8 {
            let deepest = base64(&[variant; 10_000]);
            let _ = <Bincode as Codec<Tree>>::decode(&deepest);
            let _ = <Postcard as Codec<Tree>>::decode(&deepest);
        }
        let _ = <Json as Codec<Wrapper>>::decode("1");
    };
    // A thread of Rust has 2 MiB. This crate is tested without optimization, where frames are largest.
    thread::Builder::new().stack_size(1 << 20).spawn(deep).unwrap().join().unwrap();
}

#[test]
fn elements_of_no_size_are_bounded() {
    // The length is 2^32, in 5 or 6 bytes.
    let (bincode, postcard) = (base64(&[253, 0, 0, 0, 0, 1, 0, 0, 0]), base64(&[0x80, 0x80, 0x80, 0x80, 0x10]));
    assert!(reason::<Bincode, Vec<()>>(&bincode).contains("take no bytes"));
    assert!(reason::<Postcard, Vec<()>>(&postcard).contains("take no bytes"));
    assert!(reason::<Postcard, Vec<[(); 3]>>(&postcard).contains("take no bytes"));
    round_trip::<Bincode, _>(&vec![(); 4_096]);
    round_trip::<Postcard, _>(&vec![[0_u8; 3]; 5_000]);
    round_trip::<Postcard, _>(&vec![vec![0_u8; 3]; 5_000]);
    round_trip::<Postcard, _>(&(0..5_000).map(|n| (n, n)).collect::<BTreeMap<_, _>>());
    assert!(text::<Postcard, _>(&vec![(); 100_000]).unwrap_err().contains("could not be read back"));
}

#[test]
fn what_could_not_be_read_is_not_written() {
    #[derive(Debug, Serialize, Deserialize)]
    #[serde(untagged)]
    enum Any {
        Number(u8),
    }
    for error in [text::<Bincode, _>(&Any::Number(1)), text::<Postcard, _>(&Any::Number(1))] {
        assert!(error.unwrap_err().starts_with("it could not be read back: "));
    }
}

#[test]
fn bytes_after_a_value_are_an_error() {
    assert_eq!(reason::<Bincode, u8>(&base64(&[1, 2, 3])), "2 bytes are left over");
    assert_eq!(reason::<Postcard, u8>(&base64(&[1, 2, 3])), "2 bytes are left over");
    assert_eq!(reason::<Json, u8>("1 2"), "trailing characters at line 1 column 3");
}

#[test]
fn reasons_do_not_quote_the_value() {
    assert_eq!(reason::<Json, u64>(r#""secret""#), "invalid type: string `..`, expected u64 at line 1 column 8");
    assert_eq!(reason::<Json, Keyed>("{}"), "missing field `key` at line 1 column 2");
    for json in [r#""secret""#, r#"{"secret":1}"#, "5", r#"{"Newtype":"secret"}"#] {
        assert!(!reason::<Json, Tree>(json).contains("secret"), "{json}");
    }
}

fn decode_all<T: DeserializeOwned + Serialize>(bytes: &[u8], json: &str) {
    let base64 = base64(bytes);
    let _ = <Bincode as Codec<T>>::decode(&base64);
    let _ = <Postcard as Codec<T>>::decode(&base64);
    let _ = <Json as Codec<T>>::decode(json);
}

proptest! {
    #[test]
    fn any_content_is_read_or_refused(bytes: Vec<u8>, json in r#"([\[\]{}:,"0-9ntf.e-]|"Seq"|"Leaf"|"Newtype"|null){0,64}"#) {
        decode_all::<Tree>(&bytes, &json);
        decode_all::<Node>(&bytes, &json);
        decode_all::<Wrapper>(&bytes, &json);
        decode_all::<Vec<()>>(&bytes, &json);
        decode_all::<(String, Vec<String>, Option<char>)>(&bytes, &json);
        decode_all::<BTreeMap<String, Vec<u64>>>(&bytes, &json);
    }
}
