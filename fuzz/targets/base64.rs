//! Base64 strings of replies, against the crate base64: the same texts are refused, and the same bytes come of the others.

#![no_main]

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use libfuzzer_sys::fuzz_target;
use redis_rest::{Build, Encoding, Executor as _};

fuzz_target!(|text: &[u8]| {
    // A quote or an escape would be JSON's business.
    if text.iter().any(|&byte| byte < 0x20 || matches!(byte, b'"' | b'\\')) || text == b"OK" {
        return;
    }
    let body = [b"{\"result\":\"", text, b"\"}"].concat();
    let ours = Build.execute::<Vec<u8>>(["GET", "k"]).decode(body, Encoding::Base64);
    assert_eq!(ours.ok(), STANDARD.decode(text).ok());
});
