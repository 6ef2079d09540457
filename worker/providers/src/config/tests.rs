//! Files as people write them, and what they are told.

use secrecy::ExposeSecret;

use super::*;

fn secrets() -> Secrets {
    Secrets::new(
        [
            "ZERODB_PROVIDER_DIGITALOCEAN",
            "ZERODB_PROVIDER_OPENAI",
            "ZERODB_PROVIDER_TEI",
            "ZERODB_SECRET_DO",
        ]
        .map(|name| (name.to_owned(), "k3y".to_owned())),
    )
}

fn parse(text: &str) -> Result<Config, ConfigError> {
    Config::parse("worker.yaml", text, &secrets())
}

fn endpoint(config: &Config, name: &str) -> EndpointConfig {
    match &config.providers[name] {
        ProviderConfig::Endpoint(endpoint) => (**endpoint).clone(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_file_of_the_documents_is_read() {
    let config = parse(
        r#"
providers:
  digitalocean: { url: "https://inference.example/v1", api_key: "${ZERODB_SECRET_DO}", requests_per_minute: 600 }
  on_disk:      { kind: candle, path: /srv/models/bge-m3 }
default_provider: digitalocean        # a hook may name another
"#,
    )
    .unwrap();
    let digitalocean = endpoint(&config, "digitalocean");
    assert_eq!(digitalocean.api_key.as_ref().unwrap().expose_secret(), "k3y");
    assert_eq!(digitalocean.rates.requests_per_minute, Some(600));
    assert_eq!(config.default_provider, "digitalocean");
    let ProviderConfig::Candle(on_disk) = &config.providers["on_disk"] else {
        panic!("no candle");
    };
    assert_eq!(on_disk.model, "bge-m3");
    assert!(!format!("{config:?}").contains("k3y"));
}

#[test]
fn every_key_has_its_meaning() {
    let config = parse(
        r"
providers:
  one:
    url: https://api.openai.com
    api_key: ${ZERODB_PROVIDER_OPENAI}
    headers: { X-Team: search, Authorization: 'Basic ${ZERODB_PROVIDER_TEI}' }
    models: { bge-m3: BAAI/bge-m3 }
    dimensions: 1024
    tokens_per_minute: 1000000
    max_batch: 100
    max_batch_tokens: 250000
    max_input_tokens: 512
    concurrency: 3
    timeout_ms: 1500
    encoding_format: float
",
    )
    .unwrap();
    let one = endpoint(&config, "one");
    assert_eq!(config.default_provider, "one");
    assert_eq!(one.model.as_deref(), Some("bge-m3"));
    assert_eq!(
        (one.pack.inputs, one.pack.tokens, one.pack.input_tokens),
        (100, 250_000, 512)
    );
    assert_eq!((one.concurrency, one.timeout), (3, Duration::from_millis(1500)));
    assert_eq!(one.encoding, EncodingFormat::Float);
    let headers: Vec<_> = one
        .headers
        .iter()
        .map(|(name, value)| (name.as_str(), value.expose_secret()))
        .collect();
    assert_eq!(headers, [("authorization", "Basic k3y"), ("x-team", "search")]);
}

#[test]
fn a_file_without_providers_has_the_local_one() {
    for text in [
        "",
        "# nothing\n",
        "providers:\n",
        "hooks:\n",
        "hooks:\n  on_retain:\n    - { type: log }\n",
    ] {
        let config = parse(text).unwrap();
        assert_eq!(
            (config.providers.len(), config.default_provider.as_str()),
            (0, "local"),
            "{text}"
        );
    }
}

/// A file with a mistake, and parts of what is said of it.
const MISTAKES: &[(&str, &[&str])] = &[
    (
        "providers:\n  a:\n    url: https://h\n    rpm: 3\n",
        &["worker.yaml:4: rpm: unknown key", "requests_per_minute"],
    ),
    (
        "providers:\n  a: { url: https://h, rpm: 3 }\n",
        &["worker.yaml:2: rpm: unknown key"],
    ),
    (
        "providers:\n  a:\n    url: https://h\n    concurrency: many\n",
        &["worker.yaml:4: concurrency: expected"],
    ),
    (
        "providers:\n  a: { url: https://h, concurrency: 0 }\n",
        &["worker.yaml:2: concurrency: expected", "a whole number above 0"],
    ),
    (
        "providers:\n  a: { url: https://h, kind: opnai }\n",
        &[
            "worker.yaml:2: kind: unknown value",
            "openai, azure, candle, local",
        ],
    ),
    (
        "providers:\n  a: { url: https://h }\n  a: { url: https://i }\n",
        &["worker.yaml:3: ", "twice"],
    ),
    (
        "providers:\n  a: { url: https://h\n",
        &["worker.yaml:", "not YAML"],
    ),
    ("providers: [1]\n", &["worker.yaml:1: "]),
    (
        "provider:\n  a: {}\n",
        &["provider: unknown key; write providers"],
    ),
    (
        "hoooks: {}\n",
        &["worker.yaml:1: hoooks: unknown key; write hooks; known are"],
    ),
    ("defaultProvider: local\n", &["write default_provider"]),
    (
        "providers:\n  a: { kind: candle, path: /m, api_key: '${ZERODB_SECRET_DO}' }\n",
        &["providers.a.api_key: a provider in process has no such key"],
    ),
    (
        "providers:\n  local: { kind: local, model: x }\n",
        &["providers.local.model: the built-in provider has no such key"],
    ),
    (
        "providers:\n  a: {}\n",
        &["worker.yaml:2: providers.a.url: missing", "https://host/v1"],
    ),
    (
        "providers:\n  a:\n    url: host/v1\n",
        &["worker.yaml:3: providers.a.url: not a URL"],
    ),
    (
        "providers:\n  a:\n    url: https://u:p@h\n",
        &["worker.yaml:3: providers.a.url: a user or password"],
    ),
    (
        "providers:\n  a: { kind: candle }\n",
        &["worker.yaml:2: providers.a.path: missing"],
    ),
    (
        "providers:\n  a: { url: https://h, path: /m }\n",
        &["providers.a.path: only kind: candle"],
    ),
    (
        "providers:\n  a: { url: https://h, api_version: '1' }\n",
        &["providers.a.api_version: only kind: azure"],
    ),
    (
        "providers:\n  local: { url: https://h }\n",
        &["worker.yaml:2: providers.local.kind: local is the built-in"],
    ),
    (
        "providers:\n  a: { url: https://h }\ndefault_provider: b\n",
        &["worker.yaml:3: default_provider: not among", "a, local"],
    ),
    (
        "providers:\n  a: { url: https://h }\n  b: { url: https://h }\n",
        &["default_provider is missing", "a, b, local"],
    ),
    (
        "providers:\n  a:\n    url: https://h\n    api_key: ${ZERODB_SECRET_NONE}\n",
        &["worker.yaml:4: providers.a.api_key: the secret ZERODB_SECRET_NONE is not set"],
    ),
    (
        "providers:\n  a:\n    url: https://h\n    headers:\n      X-A: ${HOME}\n",
        &["worker.yaml:5: providers.a.headers.X-A: only variables"],
    ),
];

#[test]
fn the_file_has_the_keys_that_the_contract_says() {
    let message = parse("nonsense: 1\n").unwrap_err().to_string();
    let known = zerodb_hooks_contract::schema::TOP.join(", ");
    assert!(message.ends_with(&format!("known are {known}")), "{message}");
}

#[test]
fn what_is_wrong_is_told_with_its_line_and_what_to_do() {
    for (text, expected) in MISTAKES {
        let message = parse(text).unwrap_err().to_string();
        for part in *expected {
            assert!(message.contains(part), "{text}\n{message}");
        }
    }
}

#[test]
fn a_literal_key_is_refused_and_not_repeated() {
    let files = [
        "providers:\n  a: { url: https://h, api_key: sk-literal }\n",
        "providers:\n  a: { url: https://h, api_key: 'sk-literal ${ZERODB_SECRET_DO}' }\n",
        "providers:\n  a: { url: https://h, headers: { Authorization: 'Bearer sk-literal' } }\n",
        "providers:\n  a: { url: https://h, api_key: [sk-literal] }\n",
        "providers:\n  a: { url: https://h, requests_per_minute: sk-literal }\n",
        "providers:\n  a: { url: https://h, kind: sk-literal }\n",
        "providers:\n  a: sk-literal\n",
        "api_key: 'sk-literal\n",
    ];
    for text in files {
        let message = parse(text).unwrap_err().to_string();
        assert!(!message.contains("sk-literal"), "{message}");
    }
    let message = parse(files[0]).unwrap_err().to_string();
    assert!(message.contains("${ZERODB_PROVIDER_NAME}"), "{message}");
}

#[test]
fn a_file_that_is_not_there_is_named() {
    let message = Config::read(Path::new("/nowhere/worker.yaml"), &secrets())
        .unwrap_err()
        .to_string();
    assert!(
        message.starts_with("/nowhere/worker.yaml: there is no such file"),
        "{message}"
    );
}

#[test]
fn azure_has_its_own_form() {
    let config = parse("providers:\n  a: { kind: azure, url: https://r.openai.azure.com, api_version: '2024-10-21', model: small }\n").unwrap();
    let azure = endpoint(&config, "a");
    assert!(azure.azure);
    assert_eq!(azure.pack.inputs, 2048);
}

#[test]
fn the_examples_of_the_documents_are_read() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/providers");
    let mut names = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let config = Config::read(&path, &secrets()).unwrap();
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        assert_eq!(config.default_provider, name);
        assert!(endpoint(&config, &name).model.is_some(), "{name}");
        names.push(name);
    }
    names.sort();
    assert_eq!(names, ["digitalocean", "ollama", "openai", "tei"]);
}
