//! Which addresses belong to the Internet, and so may be called by whoever may make a webhook. Pure: the extension asks
//! it of what a URL spells out, the worker of every address that it is about to dial.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Blocks of IPv4 that are nobody's on the Internet (IANA's special-purpose registry), and what a cloud answers its own
/// machines at.
const REFUSED_V4: &[(Ipv4Addr, u8)] = &[
    (Ipv4Addr::new(0, 0, 0, 0), 8),
    (Ipv4Addr::new(10, 0, 0, 0), 8),
    // Carriers' own, which some clouds have their metadata in.
    (Ipv4Addr::new(100, 64, 0, 0), 10),
    (Ipv4Addr::new(127, 0, 0, 0), 8),
    // Azure's machines reach their host there; a public address by its number.
    (Ipv4Addr::new(168, 63, 129, 16), 32),
    // Link-local, with the metadata of most clouds.
    (Ipv4Addr::new(169, 254, 0, 0), 16),
    (Ipv4Addr::new(172, 16, 0, 0), 12),
    (Ipv4Addr::new(192, 0, 0, 0), 24),
    (Ipv4Addr::new(192, 0, 2, 0), 24),
    // Relays of 6to4.
    (Ipv4Addr::new(192, 88, 99, 0), 24),
    (Ipv4Addr::new(192, 168, 0, 0), 16),
    (Ipv4Addr::new(198, 18, 0, 0), 15),
    (Ipv4Addr::new(198, 51, 100, 0), 24),
    (Ipv4Addr::new(203, 0, 113, 0), 24),
    // Multicast.
    (Ipv4Addr::new(224, 0, 0, 0), 4),
    // Reserved, and the broadcast.
    (Ipv4Addr::new(240, 0, 0, 0), 4),
];

/// The block that IPv6 addresses of the Internet are in. Loopback, mapped and compatible IPv4, NAT64, private,
/// link-local and multicast addresses lie outside.
const GLOBAL_V6: (Ipv6Addr, u8) = (Ipv6Addr::new(0x2000, 0, 0, 0, 0, 0, 0, 0), 3);

/// What of that block is refused.
const REFUSED_V6: &[(Ipv6Addr, u8)] = &[
    // Protocols' own, with Teredo and benchmarks.
    (Ipv6Addr::new(0x2001, 0, 0, 0, 0, 0, 0, 0), 23),
    (Ipv6Addr::new(0x2001, 0x0db8, 0, 0, 0, 0, 0, 0), 32),
    // 6to4: an address of IPv4, whichever, is within.
    (Ipv6Addr::new(0x2002, 0, 0, 0, 0, 0, 0, 0), 16),
    (Ipv6Addr::new(0x3fff, 0, 0, 0, 0, 0, 0, 0), 20),
];

/// Whether an address is one of the Internet's, and leads to nothing that only a machine itself or its neighbours
/// should reach. An address that holds another one (mapped, translated, tunnelled) is refused whichever that is.
pub fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => !REFUSED_V4.iter().any(|block| holds_v4(block, address)),
        IpAddr::V6(address) => {
            holds_v6(&GLOBAL_V6, address) && !REFUSED_V6.iter().any(|block| holds_v6(block, address))
        }
    }
}

/// Whether a name is that of the machine itself, wherever it is looked up (RFC 6761).
pub fn is_own_name(host: &str) -> bool {
    let host = host.strip_suffix('.').unwrap_or(host).to_ascii_lowercase();
    host == "localhost" || host.ends_with(".localhost")
}

fn holds_v4(&(base, bits): &(Ipv4Addr, u8), address: Ipv4Addr) -> bool {
    let mask = u32::MAX.unbounded_shl(32 - u32::from(bits));
    base.to_bits() & mask == address.to_bits() & mask
}

fn holds_v6(&(base, bits): &(Ipv6Addr, u8), address: Ipv6Addr) -> bool {
    let mask = u128::MAX.unbounded_shl(128 - u32::from(bits));
    base.to_bits() & mask == address.to_bits() & mask
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Each block's first and last address is refused, and those beside it are not, unless another block begins there.
    #[test]
    fn blocks_end_where_they_end() {
        for &(base, bits) in REFUSED_V4 {
            let size = u64::from(u32::MAX.unbounded_shr(bits.into())) + 1;
            let last = u32::try_from(u64::from(base.to_bits()) + size - 1).unwrap();
            for inside in [base.to_bits(), last] {
                assert!(!is_public(IpAddr::V4(inside.into())), "{base}/{bits}");
            }
        }
        for outside in [
            "1.0.0.0",
            "9.255.255.255",
            "11.0.0.0",
            "100.63.255.255",
            "100.128.0.0",
            "126.255.255.255",
            "128.0.0.0",
            "168.63.129.15",
            "168.63.129.17",
            "169.253.255.255",
            "169.255.0.0",
            "172.15.255.255",
            "172.32.0.0",
            "192.0.1.0",
            "192.0.3.0",
            "192.88.98.255",
            "192.88.100.0",
            "192.167.255.255",
            "192.169.0.0",
            "198.17.255.255",
            "198.20.0.0",
            "198.51.99.255",
            "198.51.101.0",
            "203.0.112.255",
            "203.0.114.0",
            "223.255.255.255",
            "2001:200::",
            "2001:4860:4860::8888",
            "2606:4700:4700::1111",
            "2003::",
            "3fff:1000::",
        ] {
            assert!(is_public(outside.parse().unwrap()), "{outside}");
        }
    }

    #[test]
    fn what_holds_another_address_is_refused() {
        for inside in [
            "::",
            "::1",
            "::7f00:1",
            "::ffff:127.0.0.1",
            "::ffff:8.8.8.8",
            "::ffff:0:7f00:1",
            "::5efe:7f00:1",
            "64:ff9b::7f00:1",
            "64:ff9b::808:808",
            "64:ff9b:1::1",
            "100::1",
            "2001::1",
            "2001:0:7f00:1::",
            "2001:2::1",
            "2001:1ff:ffff::",
            "2001:db8::1",
            "2002:7f00:1::1",
            "3fff:fff:ffff::",
            "4000::1",
            "5f00::1",
            "fc00::1",
            "fd00:ec2::254",
            "fe80::1",
            "febf::1",
            "fec0::1",
            "ff02::1",
        ] {
            assert!(!is_public(inside.parse().unwrap()), "{inside}");
        }
    }

    #[test]
    fn the_machines_own_names_are_known() {
        for (name, own) in [
            ("localhost", true),
            ("LOCALHOST.", true),
            ("a.localhost", true),
            ("localhost.example", false),
            ("mylocalhost", false),
        ] {
            assert_eq!(is_own_name(name), own, "{name}");
        }
    }
}
