//! The URLs of the operations of an endpoint, from the base URL in any of the forms that people write. Pure.

use url::Url;

/// An operation of the protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operation {
    Embeddings,
    Chat,
}

impl Operation {
    /// The name for messages.
    pub fn name(self) -> &'static str {
        match self {
            Self::Embeddings => "embeddings",
            Self::Chat => "chat",
        }
    }

    fn path(self) -> &'static str {
        match self {
            Self::Embeddings => "embeddings",
            Self::Chat => "chat/completions",
        }
    }
}

/// The base of an endpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address {
    /// Without a slash at its end.
    base: Url,
    /// Azure: the path of a deployment is made of the model's name.
    deployments: bool,
}

/// The reason why a URL cannot be that of an endpoint.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum AddressError {
    #[error("not a URL; write it as https://host/v1")]
    NotAUrl,
    #[error("only http and https are possible")]
    Scheme,
    #[error("a user or password in the URL is not allowed; give the key as api_key")]
    Credentials,
}

impl Address {
    /// Reads the URL of an OpenAI-compatible server: `https://host`, `https://host/v1`, with a slash at the end, or
    /// with the path of an operation. A path that is there is kept; where there is none it is `/v1`.
    ///
    /// # Errors
    /// When it is no http URL.
    pub fn openai(url: &str) -> Result<Self, AddressError> {
        let mut base = parse(url)?;
        if base.path() == "/" {
            base.set_path("/v1");
        }
        Ok(Self {
            base,
            deployments: false,
        })
    }

    /// Reads the URL of Azure: the resource, the resource with `/openai/v1`, or a deployment. `api_version` is added,
    /// except where the URL has one.
    ///
    /// # Errors
    /// When it is no http URL.
    pub fn azure(url: &str, api_version: Option<&str>) -> Result<Self, AddressError> {
        let mut base = parse(url)?;
        let deployments = matches!(base.path(), "/" | "/openai" | "/openai/deployments");
        if deployments {
            base.set_path("/openai/deployments");
        }
        let named = base.query_pairs().any(|(name, _)| name == "api-version");
        if let Some(version) = api_version.filter(|_| !named) {
            base.query_pairs_mut().append_pair("api-version", version);
        }
        Ok(Self { base, deployments })
    }

    pub fn host(&self) -> &str {
        self.base.host_str().unwrap_or_default()
    }

    /// True where a key would be readable on its way, other than to this machine.
    pub fn is_plain(&self) -> bool {
        self.base.scheme() == "http" && !matches!(self.host(), "localhost" | "127.0.0.1" | "[::1]")
    }

    /// The URL of an operation with a model.
    pub fn of(&self, operation: Operation, model: &str) -> String {
        let mut url = self.base.clone();
        if let Ok(mut segments) = url.path_segments_mut() {
            if self.deployments {
                segments.push(model);
            }
            segments.extend(operation.path().split('/'));
        }
        url.into()
    }
}

/// The URL without an operation's path and the slash at its end.
fn parse(url: &str) -> Result<Url, AddressError> {
    let mut base = Url::parse(url.trim()).map_err(|_| AddressError::NotAUrl)?;
    if !matches!(base.scheme(), "http" | "https") {
        return Err(AddressError::Scheme);
    }
    if !base.username().is_empty() || base.password().is_some() {
        return Err(AddressError::Credentials);
    }
    let path = base.path().trim_end_matches('/');
    let path = [Operation::Embeddings, Operation::Chat]
        .iter()
        .find_map(|operation| path.strip_suffix(operation.path())?.strip_suffix('/'))
        .unwrap_or(path)
        .trim_end_matches('/')
        .to_owned();
    base.set_path(&path);
    base.set_fragment(None);
    Ok(base)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_of_a_base_leads_to_the_operations() {
        let forms = [
            ("https://host", "https://host/v1"),
            ("https://host/", "https://host/v1"),
            ("https://host/v1", "https://host/v1"),
            ("https://host/v1/", "https://host/v1"),
            ("https://host/v1/embeddings", "https://host/v1"),
            ("https://host/v1/chat/completions/", "https://host/v1"),
            ("http://127.0.0.1:11434", "http://127.0.0.1:11434/v1"),
            ("https://host/my-embeddings", "https://host/my-embeddings"),
            ("https://host/v1beta/openai/", "https://host/v1beta/openai"),
        ];
        for (form, base) in forms {
            let address = Address::openai(form).unwrap();
            assert_eq!(
                address.of(Operation::Embeddings, "m"),
                format!("{base}/embeddings"),
                "{form}"
            );
            assert_eq!(
                address.of(Operation::Chat, "m"),
                format!("{base}/chat/completions"),
                "{form}"
            );
        }
    }

    #[test]
    fn azure_has_deployments_and_a_version() {
        let of = |url| {
            Address::azure(url, Some("2024-10-21"))
                .unwrap()
                .of(Operation::Embeddings, "small/3")
        };
        let deployment =
            "https://r.openai.azure.com/openai/deployments/small%2F3/embeddings?api-version=2024-10-21";
        assert_eq!(of("https://r.openai.azure.com/"), deployment);
        assert_eq!(of("https://r.openai.azure.com/openai/deployments"), deployment);
        assert_eq!(
            of("https://r.openai.azure.com/openai/deployments/own/embeddings?api-version=2023-05-15"),
            "https://r.openai.azure.com/openai/deployments/own/embeddings?api-version=2023-05-15"
        );
        let next = Address::azure("https://r.openai.azure.com/openai/v1/", None).unwrap();
        assert_eq!(
            next.of(Operation::Chat, "m"),
            "https://r.openai.azure.com/openai/v1/chat/completions"
        );
    }

    #[test]
    fn what_is_no_endpoint_is_refused() {
        assert_eq!(Address::openai("host/v1"), Err(AddressError::NotAUrl));
        assert_eq!(Address::openai("ftp://host"), Err(AddressError::Scheme));
        assert_eq!(
            Address::openai("https://u:p@host"),
            Err(AddressError::Credentials)
        );
    }

    #[test]
    fn plain_http_is_noticed_except_on_this_machine() {
        assert!(Address::openai("http://tei:8080").unwrap().is_plain());
        assert!(!Address::openai("http://127.0.0.1:8080").unwrap().is_plain());
        assert!(!Address::openai("https://host").unwrap().is_plain());
    }
}
