//! Looks up the names of hooks' receivers, and gives on only addresses that may be called. What it gives is what is
//! dialled, so a name that points elsewhere a moment later gains nothing.
//!
//! The names are asked for in process, not through the C library: its look-up cannot be given up, so that names whose
//! servers are silent would take all threads there are for it. `/etc/resolv.conf` and `/etc/hosts` count; other
//! sources that `/etc/nsswitch.conf` may name do not.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use hickory_resolver::TokioResolver;
use hickory_resolver::config::{LookupIpStrategy, NameServerConfig, ResolverConfig, ResolverOpts};
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use parking_lot::Mutex;
use reqwest::dns::{Name, Resolve, Resolving};

use crate::connecting;
use crate::guard::Guard;

/// The files of the machine that an answer rests on.
const FILES: [&str; 2] = ["/etc/resolv.conf", "/etc/hosts"];
/// Of an answer that names many.
const MOST_ADDRESSES: usize = 16;
/// What is believed no longer, whatever an answer says.
const LONGEST_MEMORY: Duration = Duration::from_secs(60);
/// Of one question to one server.
const PATIENCE: Duration = Duration::from_secs(3);

/// All addresses of a host were refused.
#[derive(Debug, thiserror::Error)]
#[error("no address of the host is public")]
pub struct NoPublicAddress;

pub struct GuardedResolver {
    guard: Guard,
    /// Asked instead of the machine's; empty for those.
    name_servers: Vec<SocketAddr>,
    current: Mutex<Option<Current>>,
}

/// A resolver, and when the files were changed that it was made of.
struct Current {
    resolver: TokioResolver,
    of: [Option<SystemTime>; 2],
}

impl GuardedResolver {
    pub fn new(guard: Guard, name_servers: Vec<SocketAddr>) -> Self {
        Self {
            guard,
            name_servers,
            current: Mutex::new(None),
        }
    }

    /// The resolver of the files as they are now.
    fn resolver(&self) -> Result<TokioResolver, hickory_resolver::net::NetError> {
        let now = FILES.map(|file| std::fs::metadata(file).and_then(|file| file.modified()).ok());
        let mut current = self.current.lock();
        if let Some(current) = current.as_ref().filter(|current| current.of == now) {
            return Ok(current.resolver.clone());
        }
        let resolver = self.build()?;
        *current = Some(Current {
            resolver: resolver.clone(),
            of: now,
        });
        Ok(resolver)
    }

    fn build(&self) -> Result<TokioResolver, hickory_resolver::net::NetError> {
        let mut builder = match self.name_servers.as_slice() {
            [] => TokioResolver::builder_tokio()?,
            servers => {
                let servers = servers.iter().copied().map(name_server).collect();
                let config = ResolverConfig::from_parts(None, Vec::new(), servers);
                TokioResolver::builder_with_config(config, TokioRuntimeProvider::default())
            }
        };
        limit(builder.options_mut());
        builder.build()
    }
}

fn name_server(address: SocketAddr) -> NameServerConfig {
    let mut server = NameServerConfig::udp_and_tcp(address.ip());
    for connection in &mut server.connections {
        connection.port = address.port();
    }
    server
}

fn limit(options: &mut ResolverOpts) {
    options.ip_strategy = LookupIpStrategy::Ipv4AndIpv6;
    options.positive_max_ttl = Some(LONGEST_MEMORY);
    options.negative_max_ttl = Some(LONGEST_MEMORY);
    options.timeout = PATIENCE;
}

/// The resolver that a client is given.
#[derive(Clone)]
pub struct SharedResolver(pub Arc<GuardedResolver>);

impl Resolve for SharedResolver {
    fn resolve(&self, name: Name) -> Resolving {
        let resolver = Arc::clone(&self.0);
        Box::pin(async move {
            let begun = Instant::now();
            let found = resolver.resolver()?.lookup_ip(name.as_str()).await?;
            connecting::looked_up(begun.elapsed());
            let allowed: Vec<IpAddr> = found
                .iter()
                .filter(|address| resolver.guard.allows(name.as_str(), *address))
                .take(MOST_ADDRESSES)
                .collect();
            if allowed.is_empty() {
                return Err(NoPublicAddress.into());
            }
            let addresses = allowed.into_iter().map(|address| SocketAddr::new(address, 0));
            Ok(Box::new(addresses) as Box<dyn Iterator<Item = SocketAddr> + Send>)
        })
    }
}
