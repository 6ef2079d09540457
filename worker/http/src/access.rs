//! How requests of hooks leave: to which addresses, by which name servers, through which proxy, with whose
//! certificates. Nothing of it comes from the environment.

use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;

use reqwest::{Certificate, ClientBuilder, Identity, Proxy};

use crate::failure::HttpError;
use crate::guard::Guard;
use crate::resolver::{GuardedResolver, SharedResolver};

/// The default value reaches public addresses, directly.
#[derive(Clone, Default)]
pub struct Access {
    /// Refuses URLs without TLS.
    pub https_only: bool,
    pub guard: Guard,
    /// Asked instead of the machine's; empty for those.
    pub name_servers: Vec<SocketAddr>,
    /// The URL of a proxy, which then looks up the names itself and must judge them. It may hold a password.
    pub proxy: Option<String>,
    /// The DNS name by which this installation asks endpoints whether they want its requests.
    pub origin: Option<String>,
    /// Certificates of authorities that are trusted beside the system's, in PEM.
    pub authorities: Option<Vec<u8>>,
    /// The worker's own certificate with its key, in PEM.
    pub certificate: Option<Vec<u8>>,
}

impl Access {
    /// # Errors
    /// For a proxy or a certificate that cannot be used.
    pub(crate) fn apply(&self, mut builder: ClientBuilder) -> Result<ClientBuilder, HttpError> {
        let mut guard = self.guard.clone();
        if let Some(url) = &self.proxy {
            let proxy = Proxy::all(url).map_err(|_| invalid("the proxy's url"))?;
            builder = builder.proxy(proxy);
            // The only name that is looked up here is then the proxy's own.
            guard.allow_all = true;
        }
        if let Some(pem) = &self.authorities {
            let authorities =
                Certificate::from_pem_bundle(pem).map_err(|_| invalid("the authorities' file"))?;
            if authorities.is_empty() {
                return Err(invalid("the authorities' file, which holds no certificate"));
            }
            for authority in authorities {
                builder = builder.add_root_certificate(authority);
            }
        }
        if let Some(pem) = &self.certificate {
            let own = Identity::from_pem(pem).map_err(|_| invalid("the client's certificate or key"))?;
            builder = builder.identity(own);
        }
        let resolver = GuardedResolver::new(guard, self.name_servers.clone());
        Ok(builder.dns_resolver(Arc::new(SharedResolver(Arc::new(resolver)))))
    }
}

fn invalid(what: &str) -> HttpError {
    HttpError::Invalid { reason: what.into() }
}

/// Without what may be secret.
impl fmt::Debug for Access {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Access")
            .field("https_only", &self.https_only)
            .field("guard", &self.guard)
            .field("name_servers", &self.name_servers)
            .field("has_proxy", &self.proxy.is_some())
            .finish_non_exhaustive()
    }
}
