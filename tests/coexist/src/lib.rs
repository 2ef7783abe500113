//! Proves that adding `redis-rest` to a program breaks none of its other crates. Features of Cargo are united over all
//! crates of a program, so what we enable in reqwest and rustls is enabled for everybody.
