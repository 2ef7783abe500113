//! RESP2 replies: any bytes give a value or an error, and a value is what its own encoding reads back as.

#![no_main]

use libfuzzer_sys::fuzz_target;
use redis_rest::{Build, Encoding, Executor as _, Value};

fuzz_target!(|body: &[u8]| {
    let command = Build.execute::<Value>(["GET", "k"]);
    if let Ok(value) = command.decode(body, Encoding::Resp2) {
        let mut encoded = Vec::new();
        encode(&value, &mut encoded);
        assert_eq!(command.decode(encoded, Encoding::Resp2).ok(), Some(value));
    }
});

fn encode(value: &Value, wire: &mut Vec<u8>) {
    match value {
        Value::Nil => wire.extend_from_slice(b"$-1\r\n"),
        Value::Int(int) => wire.extend_from_slice(format!(":{int}\r\n").as_bytes()),
        Value::Bytes(bytes) => {
            wire.extend_from_slice(format!("${}\r\n", bytes.len()).as_bytes());
            wire.extend_from_slice(bytes);
            wire.extend_from_slice(b"\r\n");
        }
        Value::Error(text) => wire.extend_from_slice(format!("-{text}\r\n").as_bytes()),
        Value::Array(items) => {
            wire.extend_from_slice(format!("*{}\r\n", items.len()).as_bytes());
            items.iter().for_each(|item| encode(item, wire));
        }
        _ => unreachable!("a kind of value that this does not know"),
    }
}
