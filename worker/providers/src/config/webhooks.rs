//! The block `webhooks`: how requests of hooks leave this installation. Reads the files that it names.

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;

use serde::Deserialize;
use serde_saphyr::Spanned;
use zerodb_hooks_delivery::secret::{HostPattern, Secrets};
use zerodb_hooks_http::{Access, Guard};

use super::ConfigError;

const DNS_PORT: u16 = 53;

/// The block as it is written.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Webhooks {
    pub allow_hosts: Option<Vec<Spanned<String>>>,
    pub allow_networks: Option<Vec<Spanned<String>>>,
    pub name_servers: Option<Vec<Spanned<String>>>,
    pub proxy: Option<Spanned<String>>,
    pub origin: Option<Spanned<String>>,
    pub ca_file: Option<Spanned<PathBuf>>,
    pub client_certificate: Option<Spanned<PathBuf>>,
    pub client_key: Option<Spanned<PathBuf>>,
}

/// The file, for errors.
struct Place<'f>(&'f str);

impl Place<'_> {
    fn wrong(&self, line: u64, key: &str, what: &str) -> ConfigError {
        ConfigError(format!("{}:{line}: webhooks.{key}: {what}", self.0))
    }

    /// Each text of a list, parsed.
    fn each<T>(
        &self,
        key: &str,
        texts: Option<Vec<Spanned<String>>>,
        parse: impl Fn(&str) -> Option<T>,
        what: &str,
    ) -> Result<Vec<T>, ConfigError> {
        let one = |text: Spanned<String>| {
            parse(text.value.trim()).ok_or_else(|| self.wrong(text.referenced.line(), key, what))
        };
        texts.unwrap_or_default().into_iter().map(one).collect()
    }

    fn bytes(&self, key: &str, path: &Spanned<PathBuf>) -> Result<Vec<u8>, ConfigError> {
        std::fs::read(&path.value).map_err(|error| {
            let what = format!("cannot be read: {error}; name a file in PEM that the worker may read");
            self.wrong(path.referenced.line(), key, &what)
        })
    }
}

/// # Errors
/// With the line and the key of what cannot be used.
pub fn access(file: &str, block: Webhooks, secrets: &Secrets) -> Result<Access, ConfigError> {
    let place = Place(file);
    let hosts = place.each(
        "allow_hosts",
        block.allow_hosts,
        |text| HostPattern::parse(text).filter(|host| !host.names_a_port()),
        "not a host; write hooks.example.com or *.example.com, without a port",
    )?;
    let networks = place.each(
        "allow_networks",
        block.allow_networks,
        |text| {
            text.parse()
                .ok()
                .or_else(|| text.parse::<IpAddr>().ok().map(Into::into))
        },
        "not a network; write 10.1.0.0/16, fd00:1::/32 or an address",
    )?;
    let name_servers = place.each(
        "name_servers",
        block.name_servers,
        name_server,
        "not a name server; write 10.0.0.53, \"[fd00::53]:5353\" or \"10.0.0.53:5353\"",
    )?;
    let certificate = certificate(&place, block.client_certificate, block.client_key)?;
    Ok(Access {
        https_only: false,
        guard: Guard {
            allow_all: false,
            hosts,
            networks,
        },
        name_servers,
        proxy: block.proxy.map(|url| proxy(&place, &url, secrets)).transpose()?,
        origin: block.origin.map(|name| origin(&place, &name)).transpose()?,
        authorities: block
            .ca_file
            .map(|path| place.bytes("ca_file", &path))
            .transpose()?,
        certificate,
    })
}

fn name_server(text: &str) -> Option<SocketAddr> {
    let bare = || Some(SocketAddr::new(text.parse().ok()?, DNS_PORT));
    text.parse().ok().or_else(bare)
}

fn origin(place: &Place<'_>, name: &Spanned<String>) -> Result<String, ConfigError> {
    let host = HostPattern::parse(name.value.trim()).filter(|_| !name.value.contains('*'));
    match host.is_some_and(|host| !host.names_a_port()) {
        true => Ok(name.value.trim().to_owned()),
        false => Err(place.wrong(
            name.referenced.line(),
            "origin",
            "not a DNS name; write events.example.com",
        )),
    }
}

fn proxy(place: &Place<'_>, url: &Spanned<String>, secrets: &Secrets) -> Result<String, ConfigError> {
    let wrong = |what: &str| place.wrong(url.referenced.line(), "proxy", what);
    let expanded = secrets
        .expand(url.value.trim())
        .map_err(|error| wrong(&error.to_string()))?;
    match ["http://", "https://"]
        .iter()
        .any(|scheme| expanded.starts_with(scheme))
    {
        true => Ok(expanded),
        false => Err(wrong("not the URL of a proxy; write http://proxy.example:3128")),
    }
}

/// A certificate and its key, one after the other.
fn certificate(
    place: &Place<'_>,
    certificate: Option<Spanned<PathBuf>>,
    key: Option<Spanned<PathBuf>>,
) -> Result<Option<Vec<u8>>, ConfigError> {
    match (certificate, key) {
        (Some(certificate), Some(key)) => {
            let mut pem = place.bytes("client_certificate", &certificate)?;
            pem.push(b'\n');
            pem.extend(place.bytes("client_key", &key)?);
            Ok(Some(pem))
        }
        (Some(certificate), None) => {
            let line = certificate.referenced.line();
            Err(place.wrong(line, "client_key", "missing beside client_certificate"))
        }
        (None, Some(key)) => {
            let line = key.referenced.line();
            Err(place.wrong(line, "client_certificate", "missing beside client_key"))
        }
        (None, None) => Ok(None),
    }
}

#[cfg(test)]
mod tests {
    use super::super::Config;
    use super::*;

    fn parse(text: &str) -> Result<Access, String> {
        let secrets = Secrets::new([("ZERODB_PROVIDER_PROXY".to_owned(), "p4ss".to_owned())]);
        Config::parse("worker.yaml", text, &secrets)
            .map(|config| config.webhooks)
            .map_err(|error| error.to_string())
    }

    #[test]
    fn what_is_named_is_allowed() {
        let access = parse(
            "webhooks:\n  allow_hosts: [hooks.corp.example, '*.lan']\n  allow_networks: [10.1.0.0/16, '::1']\n  \
             name_servers: [10.0.0.53, '127.0.0.1:5353']\n  proxy: 'http://me:${ZERODB_PROVIDER_PROXY}@proxy.lan:3128'\n",
        )
        .unwrap();
        assert!(access.guard.allows("a.lan", [127, 0, 0, 1].into()));
        assert!(access.guard.allows("x", [10, 1, 0, 7].into()));
        assert!(!access.guard.allows("x", [10, 2, 0, 7].into()));
        assert_eq!(access.name_servers[1].port(), 5353);
        assert!(!format!("{access:?}").contains("p4ss"));
        assert!(
            !parse("")
                .unwrap()
                .guard
                .allows("localhost", [127, 0, 0, 1].into())
        );
    }

    #[test]
    fn what_is_wrong_is_told_with_its_line() {
        for (text, expected) in [
            (
                "webhooks:\n  allow_hosts: ['a:81']\n",
                "worker.yaml:2: webhooks.allow_hosts: not a host",
            ),
            (
                "webhooks:\n  allow_networks: [10.0.0.0/40]\n",
                "webhooks.allow_networks: not a network",
            ),
            (
                "webhooks:\n  name_servers: [dns.example]\n",
                "webhooks.name_servers: not a name server",
            ),
            (
                "webhooks:\n  proxy: 'socks5://a'\n",
                "webhooks.proxy: not the URL of a proxy",
            ),
            (
                "webhooks:\n  proxy: 'http://${HOME}'\n",
                "webhooks.proxy: only variables named",
            ),
            (
                "webhooks:\n  ca_file: /none.pem\n",
                "worker.yaml:2: webhooks.ca_file: cannot be read",
            ),
            ("webhooks:\n  origin: '*'\n", "webhooks.origin: not a DNS name"),
            (
                "webhooks:\n  client_key: /none.pem\n",
                "webhooks.client_certificate: missing beside client_key",
            ),
            (
                "webhooks:\n  allow_host: [a]\n",
                "allow_host: unknown key; write allow_hosts",
            ),
        ] {
            let said = parse(text).unwrap_err();
            assert!(said.contains(expected), "{text}\n{said}");
        }
    }
}
