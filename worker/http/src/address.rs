//! The parts of a URL that decide whether a request may be sent there. Pure.

use std::net::IpAddr;

use reqwest::Url;

pub fn is_https(url: &str) -> bool {
    Url::parse(url).is_ok_and(|url| url.scheme() == "https")
}

/// The host and its address, where a URL spells the address out, in whatever notation.
pub fn literal(url: &str) -> Option<(String, IpAddr)> {
    let url = Url::parse(url).ok()?;
    let host = url.host_str()?;
    let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
    Some((host.to_owned(), bare.unwrap_or(host).parse().ok()?))
}

/// The host in lower case, in the form that a URL has it, and the port; `None` where the URL names no host.
pub fn host_and_port(url: &str) -> Option<(String, Option<u16>)> {
    let url = Url::parse(url).ok()?;
    Some((url.host_str()?.to_ascii_lowercase(), url.port_or_known_default()))
}
