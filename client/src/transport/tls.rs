//! TLS as both transports of this crate use it.

use crate::error::{Error, ErrorKind, Result};

/// Mozilla's root certificates are compiled in: a cold start reads no files, and an image without `/etc/ssl` works.
///
/// The provider is passed explicitly. One that is installed for the process would change other crates.
pub(super) fn config() -> Result<rustls::ClientConfig> {
    #[cfg(feature = "tls")]
    use rustls::crypto::aws_lc_rs as backend;
    #[cfg(not(feature = "tls"))]
    use rustls::crypto::ring as backend;

    let roots = rustls::RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
    Ok(rustls::ClientConfig::builder_with_provider(backend::default_provider().into())
        .with_safe_default_protocol_versions()
        .map_err(|error| Error::new(ErrorKind::Config, "TLS cannot be set up").with_source(error))?
        .with_root_certificates(roots)
        .with_no_client_auth())
}
