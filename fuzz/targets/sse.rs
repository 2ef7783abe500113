//! Server-sent events: however the bytes are cut into chunks, the same events come of them, and of written events their data.

#![no_main]

use libfuzzer_sys::fuzz_target;
use redis_rest::fuzzing::events;

fuzz_target!(|input: (u8, &[u8])| {
    let (size, bytes) = input;
    let whole = events(bytes, usize::MAX);
    assert_eq!(events(bytes, usize::from(size).max(1)), whole);
    let mut written = Vec::new();
    for data in &whole {
        for line in data.split(|&byte| byte == b'\n') {
            written.extend_from_slice(b"data: ");
            written.extend_from_slice(line);
            written.push(b'\n');
        }
        written.push(b'\n');
    }
    assert_eq!(events(&written, usize::from(size).max(1)), whole);
});
