//! What other crates of the program do with reqwest and rustls. Nothing of ours is called before.

#[test]
fn a_default_reqwest_client_can_be_built() {
    reqwest::Client::new();
}

#[test]
fn rustls_finds_a_default_provider() {
    rustls::ClientConfig::builder();
}
