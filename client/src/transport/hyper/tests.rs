//! HTTPS, against a server with a certificate of its own.
//!
//! `certificates/make.sh` made its key, its certificate, and the root that signed it.

#![cfg(any(feature = "tls", feature = "tls-ring"))]

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, Uri};
use rustls::pki_types::{CertificateDer, PrivatePkcs8KeyDer};
use rustls::{ClientConfig, RootCertStore, ServerConfig};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

use super::HyperTransport;
use super::connect::Security;
use crate::transport::{Endpoint, Request, Transport as _, TransportError};

#[cfg(feature = "tls")]
use rustls::crypto::aws_lc_rs as backend;
#[cfg(not(feature = "tls"))]
use rustls::crypto::ring as backend;

/// Serves TLS as `localhost`: it echoes the body of each request.
struct Server {
    port: u16,
    root: RootCertStore,
    handshakes: Arc<AtomicUsize>,
}

impl Server {
    async fn start(closes: bool) -> Self {
        let certificate = CertificateDer::from_slice(include_bytes!("certificates/localhost.der"));
        let key = PrivatePkcs8KeyDer::from(&include_bytes!("certificates/localhost-key.der")[..]);
        let mut config = ServerConfig::builder_with_provider(backend::default_provider().into())
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![certificate], key.into())
            .unwrap();
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let handshakes = Arc::<AtomicUsize>::default();
        let counter = Arc::clone(&handshakes);
        tokio::spawn(async move {
            while let Ok((tcp, _)) = listener.accept().await {
                let (acceptor, counter) = (acceptor.clone(), Arc::clone(&counter));
                tokio::spawn(async move {
                    let Ok(mut stream) = acceptor.accept(tcp).await else { return };
                    counter.fetch_add(1, Ordering::SeqCst);
                    assert_eq!(stream.get_ref().1.alpn_protocol(), Some(&b"http/1.1"[..]));
                    let mut read = Vec::new();
                    loop {
                        let head = read.windows(4).position(|four| four == b"\r\n\r\n");
                        let text = head.map(|end| String::from_utf8_lossy(&read[..end]).into_owned());
                        let length = text.map(|text| {
                            let length = text.lines().find_map(|line| line.strip_prefix("content-length: "));
                            length.unwrap_or("0").parse::<usize>().unwrap()
                        });
                        if let (Some(end), Some(length)) = (head, length)
                            && read.len() == end + 4 + length
                        {
                            let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {length}\r\n\r\n");
                            stream.write_all(head.as_bytes()).await.unwrap();
                            stream.write_all(&read[end + 4..]).await.unwrap();
                            stream.flush().await.unwrap();
                            read.clear();
                            if closes {
                                stream.shutdown().await.unwrap();
                                return;
                            }
                        }
                        if stream.read_buf(&mut read).await.unwrap_or(0) == 0 {
                            return;
                        }
                    }
                });
            }
        });
        let mut root = RootCertStore::empty();
        root.add(CertificateDer::from_slice(include_bytes!("certificates/root.der"))).unwrap();
        Server { port, root, handshakes }
    }

    fn uri(&self, host: &str) -> Uri {
        format!("https://{host}:{}/", self.port).parse().unwrap()
    }

    /// A transport that trusts this server.
    fn transport(&self, host: &str) -> HyperTransport {
        let config = ClientConfig::builder_with_provider(backend::default_provider().into())
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(self.root.clone())
            .with_no_client_auth();
        let security = Security::tls(&self.uri(host), config).unwrap();
        HyperTransport::secured(self.uri(host), Duration::from_secs(5), security).unwrap()
    }
}

async fn echo(transport: &HyperTransport, body: impl Into<Bytes>) -> Result<Vec<u8>, TransportError> {
    let request = Request { endpoint: Endpoint::Command, headers: HeaderMap::new(), body: body.into() };
    let mut response = transport.send(request).await?;
    assert_eq!(response.status, 200);
    let mut all = Vec::new();
    while let Some(chunk) = response.body.chunk().await {
        all.extend_from_slice(&chunk?);
    }
    Ok(all)
}

#[tokio::test]
async fn requests_share_an_encrypted_connection() {
    let server = Server::start(false).await;
    let transport = server.transport("localhost");
    for body in ["[]".into(), Bytes::new(), vec![0xff; 3 << 20].into(), "[]".into()] {
        assert!(echo(&transport, body.clone()).await.unwrap() == body);
    }
    assert_eq!(server.handshakes.load(Ordering::SeqCst), 1);
}

/// The thread does not run the runtime while the server closes its connection, so only the system knows.
#[tokio::test]
async fn an_encrypted_connection_that_the_server_closed_is_not_used() {
    let server = std::thread::spawn(|| {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let server = runtime.block_on(Server::start(true));
        (runtime, server)
    });
    let (runtime, server) = server.join().unwrap();
    let transport = server.transport("localhost");
    for n in 1..=10 {
        assert_eq!(echo(&transport, "[]").await.unwrap(), b"[]");
        assert_eq!(server.handshakes.load(Ordering::SeqCst), n);
        std::thread::sleep(Duration::from_millis(50));
    }
    runtime.shutdown_background();
}

#[tokio::test]
async fn other_certificates_are_refused_before_anything_is_sent() {
    let server = Server::start(false).await;
    // A root that is unknown, and a name that the certificate does not have.
    let unknown = HyperTransport::new(&server.uri("localhost").to_string(), Duration::from_secs(5)).unwrap();
    for transport in [unknown, server.transport("127.0.0.1")] {
        let error = echo(&transport, "[]").await.unwrap_err();
        assert!(error.not_sent && error.source.to_string().contains("certificate"), "{error:?}");
    }
}

/// The server takes the connection, and never answers the handshake.
#[tokio::test]
async fn a_handshake_has_a_limit() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("https://{}/", listener.local_addr().unwrap());
    let transport = HyperTransport::new(&url, Duration::from_millis(50)).unwrap();
    assert!(echo(&transport, "[]").await.unwrap_err().not_sent);
}
