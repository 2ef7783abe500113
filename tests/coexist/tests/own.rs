//! In a process of its own, because rustls may keep a default provider once it has looked for one.

#[test]
fn a_client_of_ours_installs_no_provider_for_the_process() {
    redis_rest::Redis::new("https://example.upstash.io", "token").unwrap();
    assert!(rustls::crypto::CryptoProvider::get_default().is_none());
}
