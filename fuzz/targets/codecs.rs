//! The codecs of fields, given any stored text: a value is read or refused, within bounds of memory, stack and time. A
//! value that is read can be written and read again.

#![no_main]

use std::collections::BTreeMap;
use std::fmt::Debug;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use libfuzzer_sys::fuzz_target;
use redis_model::codec::{Bincode, Codec, Json, Postcard};
use serde::{Deserialize, Serialize};

/// A type that recurses in every way that serde knows.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
enum Tree {
    Leaf,
    Newtype(Box<Tree>),
    Tuple(Box<Tree>, u8),
    Struct { next: Option<Box<Tree>> },
    Seq(Vec<Tree>),
    Map(BTreeMap<String, Tree>),
    Empty(Vec<()>),
}

/// Recurses without reading a byte of JSON.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Wrapper(Option<Box<Wrapper>>);

type Flat = (String, Vec<u64>, Option<char>, i128, Vec<[(); 2]>, bool);

fuzz_target!(|stored: &[u8]| {
    let base64 = STANDARD.encode(stored);
    read::<Bincode, Tree>(&base64);
    read::<Bincode, Wrapper>(&base64);
    read::<Bincode, Flat>(&base64);
    read::<Postcard, Tree>(&base64);
    read::<Postcard, Wrapper>(&base64);
    read::<Postcard, Flat>(&base64);
    if let Ok(text) = std::str::from_utf8(stored) {
        read::<Bincode, Flat>(text);
        read::<Json, Tree>(text);
        read::<Json, Flat>(text);
        // A wrapper of a wrapper of nothing is written as `null`, like one of nothing: it does not come back.
        let _ = <Json as Codec<Wrapper>>::decode(text);
    }
});

fn read<C: Codec<T>, T: PartialEq + Debug>(text: &str) {
    if let Ok(value) = C::decode(text) {
        let mut again = String::new();
        C::encode(&value, &mut again).expect("what was read can be written");
        assert_eq!(C::decode(&again).expect("what was written can be read"), value);
    }
}
