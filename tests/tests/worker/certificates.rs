//! Certificates made on the spot, and an endpoint that shows one.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::sync::Arc;

use anyhow::Result;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair, date_time_ymd};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{ServerConfig, ServerConnection, StreamOwned};

pub struct Authority(CertifiedIssuer<'static, KeyPair>);

/// A certificate with its key.
pub struct Shown(CertificateDer<'static>, PrivateKeyDer<'static>);

impl Authority {
    pub fn new() -> Result<Self> {
        let mut parameters = CertificateParams::new(Vec::new())?;
        parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        Ok(Self(CertifiedIssuer::self_signed(
            parameters,
            KeyPair::generate()?,
        )?))
    }

    /// For a host; one that is not valid any more has ended in 2001.
    pub fn certificate(&self, host: &str, valid: bool) -> Result<Shown> {
        let mut parameters = CertificateParams::new(vec![host.to_owned()])?;
        if !valid {
            parameters.not_before = date_time_ymd(2000, 1, 1);
            parameters.not_after = date_time_ymd(2001, 1, 1);
        }
        let key = KeyPair::generate()?;
        let certificate = parameters.signed_by(&key, &self.0)?;
        let key = PrivateKeyDer::try_from(key.serialize_der()).map_err(anyhow::Error::msg)?;
        Ok(Shown(certificate.der().clone(), key))
    }

    /// What a client shows, as files in PEM: its certificate and its key.
    pub fn client(&self) -> Result<(tempfile::NamedTempFile, tempfile::NamedTempFile)> {
        let mut parameters = CertificateParams::new(vec!["worker.example".to_owned()])?;
        parameters.extended_key_usages = vec![rcgen::ExtendedKeyUsagePurpose::ClientAuth];
        let key = KeyPair::generate()?;
        let certificate = parameters.signed_by(&key, &self.0)?;
        let (mut shown, mut secret) = (tempfile::NamedTempFile::new()?, tempfile::NamedTempFile::new()?);
        shown.write_all(certificate.pem().as_bytes())?;
        secret.write_all(key.serialize_pem().as_bytes())?;
        Ok((shown, secret))
    }

    /// The authority as a file of trusted ones.
    pub fn file(&self) -> Result<tempfile::NamedTempFile> {
        let mut file = tempfile::NamedTempFile::new()?;
        file.write_all(self.0.pem().as_bytes())?;
        Ok(file)
    }
}

/// Answers each request over TLS with 204.
pub struct TlsReceiver {
    pub port: u16,
}

impl TlsReceiver {
    /// Serves until the process ends.
    pub fn start(shown: &Shown) -> Result<Self> {
        Self::start_for(shown, None)
    }

    /// The same, for clients alone that show a certificate of this authority.
    pub fn start_for(shown: &Shown, clients: Option<&Authority>) -> Result<Self> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
            .with_safe_default_protocol_versions()?;
        let builder = match clients {
            None => builder.with_no_client_auth(),
            Some(authority) => {
                let mut roots = rustls::RootCertStore::empty();
                roots.add(authority.0.der().clone())?;
                let verifier =
                    WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider).build()?;
                builder.with_client_cert_verifier(verifier)
            }
        };
        let config = builder.with_single_cert(vec![shown.0.clone()], shown.1.clone_key())?;
        let config = Arc::new(config);
        let listener = TcpListener::bind(("127.0.0.1", 0))?;
        let port = listener.local_addr()?.port();
        std::thread::spawn(move || {
            for connection in listener.incoming().map_while(Result::ok) {
                let Ok(session) = ServerConnection::new(Arc::clone(&config)) else {
                    return;
                };
                std::thread::spawn(move || {
                    let mut stream = StreamOwned::new(session, connection);
                    let mut seen = [0; 16 * 1024];
                    if stream.read(&mut seen).is_ok_and(|bytes| bytes > 0) {
                        let _ = stream.write_all(b"HTTP/1.1 204 No Content\r\nconnection: close\r\n\r\n");
                        let _ = stream.flush();
                    }
                });
            }
        });
        Ok(Self { port })
    }
}
