//! Making a connection: the URL, TLS as libpq means it, and the session's settings.

use std::sync::Arc;

use futures_util::StreamExt;
use futures_util::stream::poll_fn;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{DigitallySignedStruct, SignatureScheme};
use tokio::task::JoinHandle;
use tokio_postgres::config::Host;
use tokio_postgres::tls::MakeTlsConnect;
use tokio_postgres::{AsyncMessage, Client, Config, Socket};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::error::StoreError;
use super::notices::{Notice, Notices};

/// The settings of the worker's own sessions; those of a role or a database must not reach them.
///
/// - Names are found in the catalog alone.
/// - The planner must not guess: tables are read by index or not at all, and one that has just been filled has no
///   statistics yet.
/// - Keys are read and written as texts, so that each must mean the same value in any session.
/// - Several statements of a transaction rest on READ COMMITTED.
/// - A worker that is paused in the middle of a transaction must not keep the dispatcher's lock. Nothing else that a
///   server may set ends statements or sessions.
/// - No session waits for a lock for long, for it serves many tenants: it is tried again.
///
/// By SET and not as a start-up option, which PgBouncer refuses or drops.
pub const SESSION: &str = "SET statement_timeout = 0; SELECT CASE
        WHEN pg_catalog.current_setting('transaction_timeout', true) IS NOT NULL
        THEN pg_catalog.set_config('transaction_timeout', '0', false) END;
    SET search_path = pg_catalog, pg_temp; SET standard_conforming_strings = on;
    SET enable_seqscan = off; SET plan_cache_mode = force_generic_plan; SET jit = off; SET client_min_messages = warning;
    SET default_transaction_isolation = 'read committed'; SET default_transaction_read_only = off;
    SET default_transaction_deferrable = off; SET row_security = on;
    SET idle_in_transaction_session_timeout = '10s'; SET idle_session_timeout = 0; SET lock_timeout = '3s';
    SET DateStyle = 'ISO'; SET IntervalStyle = 'postgres'; SET extra_float_digits = 1; SET bytea_output = 'hex';
    SET array_nulls = on; SET transform_null_equals = off; SET quote_all_identifiers = off; SET xmloption = 'content'";

/// A parsed URL, ready to connect.
pub struct Target {
    pub config: Config,
    pub tls: Tls,
}

/// TLS that also accepts a local socket, for which the driver asks with an empty name before it leaves TLS out.
#[derive(Clone)]
pub struct Tls(MakeRustlsConnect);

impl MakeTlsConnect<Socket> for Tls {
    type Stream = <MakeRustlsConnect as MakeTlsConnect<Socket>>::Stream;
    type TlsConnect = <MakeRustlsConnect as MakeTlsConnect<Socket>>::TlsConnect;
    type Error = <MakeRustlsConnect as MakeTlsConnect<Socket>>::Error;

    fn make_tls_connect(&mut self, host: &str) -> Result<Self::TlsConnect, Self::Error> {
        let name = if host.is_empty() { "localhost" } else { host };
        MakeTlsConnect::<Socket>::make_tls_connect(&mut self.0, name)
    }
}

impl Target {
    /// # Errors
    /// `Config` when the URL does not parse or the system's certificates cannot be read.
    pub fn parse(url: &str, application_name: &str) -> Result<Self, StoreError> {
        let (url, verify) = verification(url);
        let mut config: Config = url
            .parse()
            .map_err(|error: tokio_postgres::Error| StoreError::Config {
                reason: reason(&error),
            })?;
        config.application_name(application_name);
        config.keepalives_idle(std::time::Duration::from_secs(15));
        config.tcp_user_timeout(std::time::Duration::from_secs(30));
        if config.get_connect_timeout().is_none() {
            config.connect_timeout(std::time::Duration::from_secs(5));
        }
        Ok(Self {
            config,
            tls: Tls(MakeRustlsConnect::new(tls_config(verify)?)),
        })
    }

    /// Hosts, database and user, for a person. The password is not in it.
    pub fn description(&self) -> String {
        let ports = self.config.get_ports();
        let hosts = self.config.get_hosts().iter().enumerate().map(|(at, host)| {
            let port = ports.get(at).or(ports.first()).copied().unwrap_or(5432);
            match host {
                Host::Tcp(name) => format!("{name}:{port}"),
                #[cfg(unix)]
                Host::Unix(folder) => format!("{}/.s.PGSQL.{port}", folder.display()),
            }
        });
        let mut text = hosts.collect::<Vec<_>>().join(" or ");
        if let Some(database) = self.config.get_dbname() {
            text = format!("{text}, database {database}");
        }
        if let Some(user) = self.config.get_user() {
            text = format!("{text}, user {user}");
        }
        text
    }

    /// One connection, driven by a task of its own until it ends.
    ///
    /// # Errors
    /// `Unavailable` when the server cannot be reached, else what the server says.
    pub async fn client(&self) -> Result<Client, StoreError> {
        let (client, _driver) = self.connect().await?;
        Ok(client)
    }

    /// The same, and what the server says over it beside its answers.
    ///
    /// # Errors
    /// As for `client`.
    pub async fn client_and_notices(&self) -> Result<(Client, Notices), StoreError> {
        let (client, mut connection) = self.config.connect(self.tls.clone()).await?;
        let notices = Notices::default();
        let kept = notices.clone();
        #[expect(
            clippy::disallowed_methods,
            reason = "the driver of a connection ends with its client"
        )]
        tokio::spawn(async move {
            let mut messages = poll_fn(move |context| connection.poll_message(context));
            while let Some(Ok(message)) = messages.next().await {
                if let AsyncMessage::Notice(said) = message {
                    kept.keep(Notice::from(&said));
                }
            }
        });
        Ok((client, notices))
    }

    /// A connection and the task that drives it, until it ends or is aborted.
    ///
    /// # Errors
    /// `Unavailable` when the server cannot be reached, else what the server says.
    pub(super) async fn connect(&self) -> Result<(Client, JoinHandle<()>), StoreError> {
        let (client, connection) = self.config.connect(self.tls.clone()).await?;
        #[expect(
            clippy::disallowed_methods,
            reason = "the driver of a connection ends with its client"
        )]
        let driver = tokio::spawn(async move {
            if let Err(error) = connection.await {
                tracing::debug!(%error, "a connection ended");
            }
        });
        Ok((client, driver))
    }
}

/// `verify-ca` and `verify-full` are libpq's words that the driver does not know; both mean `require` to it.
fn verification(url: &str) -> (String, bool) {
    let verify = ["sslmode=verify-full", "sslmode=verify-ca"]
        .iter()
        .any(|mode| url.contains(mode));
    let url = url
        .replace("sslmode=verify-full", "sslmode=require")
        .replace("sslmode=verify-ca", "sslmode=require");
    (url, verify)
}

fn tls_config(verify: bool) -> Result<rustls::ClientConfig, StoreError> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = |error: rustls::Error| StoreError::Config {
        reason: error.to_string(),
    };
    let builder = rustls::ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .map_err(config)?;
    if verify {
        let mut roots = rustls::RootCertStore::empty();
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        return Ok(builder.with_root_certificates(roots).with_no_client_auth());
    }
    let verifier = Arc::new(Unverified(provider));
    Ok(builder
        .dangerous()
        .with_custom_certificate_verifier(verifier)
        .with_no_client_auth())
}

fn reason(error: &tokio_postgres::Error) -> String {
    std::error::Error::source(error).map_or_else(|| error.to_string(), ToString::to_string)
}

/// `sslmode=prefer` and `require` encrypt without asking who answers, as libpq does; `verify-full` asks.
#[derive(Debug)]
struct Unverified(Arc<CryptoProvider>);

impl ServerCertVerifier for Unverified {
    fn verify_server_cert(
        &self,
        _end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        rustls::crypto::verify_tls12_signature(message, cert, dss, &self.0.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        rustls::crypto::verify_tls13_signature(message, cert, dss, &self.0.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_password_is_never_part_of_the_description() {
        let url = "postgres://me:hush@a,b:6000/app?sslmode=verify-full";
        let target = Target::parse(url, "test").expect("a URL");
        assert_eq!(target.description(), "a:5432 or b:6000, database app, user me");
    }
}
