//! Which addresses requests of hooks may go to. Pure. It judges addresses, never names: a name is whatever its owner
//! says it is at the moment.

use std::net::IpAddr;

use ipnet::IpNet;
use zerodb_hooks_contract::network::is_public;
use zerodb_hooks_delivery::secret::HostPattern;

/// The addresses beyond the public ones. The default value allows none.
#[derive(Clone, Debug, Default)]
pub struct Guard {
    /// Every address.
    pub allow_all: bool,
    /// Hosts that may have any address.
    pub hosts: Vec<HostPattern>,
    pub networks: Vec<IpNet>,
}

impl Guard {
    /// Whether a request for `host`, as its URL has it, may be sent to `address`.
    pub fn allows(&self, host: &str, address: IpAddr) -> bool {
        is_public(address)
            || self.allow_all
            || self.networks.iter().any(|network| network.contains(&address))
            || self.allows_host(host)
    }

    /// Whether the host may have any address.
    pub fn allows_host(&self, host: &str) -> bool {
        let host = host.to_ascii_lowercase();
        self.allow_all || self.hosts.iter().any(|pattern| pattern.matches(&host, None))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_named_is_allowed_beyond_public_addresses() {
        let guard = Guard {
            allow_all: false,
            hosts: vec![HostPattern::parse("*.corp.example").unwrap()],
            networks: vec!["10.1.0.0/16".parse().unwrap(), "fd00:1::/32".parse().unwrap()],
        };
        for (host, address, allowed) in [
            ("a.example", "93.184.216.34", true),
            ("a.example", "10.1.2.3", true),
            ("a.example", "10.2.0.1", false),
            ("a.example", "fd00:1::7", true),
            ("a.example", "::ffff:10.1.2.3", false),
            ("a.corp.example", "127.0.0.1", true),
            ("A.CORP.example.", "127.0.0.1", true),
            ("corp.example", "127.0.0.1", false),
            ("a.corp.example.evil.net", "127.0.0.1", false),
        ] {
            assert_eq!(
                guard.allows(host, address.parse().unwrap()),
                allowed,
                "{host} {address}"
            );
        }
        assert!(!Guard::default().allows("localhost", [127, 0, 0, 1].into()));
    }
}
