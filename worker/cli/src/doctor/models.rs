//! Check of the models that active hooks use: each is asked once, with a text of one word, as the worker would.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::Value;
use tokio_postgres::Client;
use uuid::Uuid;

use super::DoctorArgs;
use super::finding::{Checked, Finding, some_of};
use crate::{render, statements};
use zerodb_hooks_providers::{ChatRequest, Class, EmbedRequest, Provider, ProviderError, Providers};

/// How long a model may take.
const PATIENCE: Duration = Duration::from_secs(30);

/// What hooks ask of a model.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Use {
    Embed(Option<usize>),
    Chat,
}

/// A provider and a model as hooks name them, and what for.
type Wanted = (Option<String>, Option<String>, Use);

/// Models that do not answer as the hooks that name them need.
pub(super) async fn models(client: &Client, args: &DoctorArgs) -> Checked {
    let wanted = wanted(client).await?;
    let names_one = wanted.keys().any(|(provider, _, _)| provider.is_some());
    if wanted.is_empty() {
        return Ok(Finding::ok("no active hook uses one"));
    }
    if args.models.config.is_none() && names_one {
        return Ok(Finding::warning(
            "hooks name providers, and no file of the worker is given here",
            "run doctor with the worker's --config and environment to try them",
        ));
    }
    let providers = match args.models.providers(&args.database) {
        Ok(providers) => providers,
        Err(failure) => return Ok(Finding::failed(failure.message, failure.hint)),
    };
    let mut faults = Vec::new();
    for ((provider, model, purpose), hooks) in &wanted {
        if let Err(fault) = try_one(&providers, provider.as_deref(), model.as_deref(), *purpose).await {
            faults.push(format!("{fault} (for {})", some_of(hooks)));
        }
    }
    if faults.is_empty() {
        let count = i64::try_from(wanted.len()).unwrap_or(i64::MAX);
        return Ok(Finding::ok(render::count(
            count,
            "answers",
            "answer, all that hooks use",
        )));
    }
    Ok(Finding::failed(
        some_of(&faults),
        "correct the worker's file, its keys, or the hook's \"provider\", \"model\" and \"dimensions\"; deliveries wait until then",
    ))
}

/// What active hooks need, with their names.
async fn wanted(client: &Client) -> Result<BTreeMap<Wanted, Vec<String>>, tokio_postgres::Error> {
    let none: (Option<String>, Option<Uuid>) = (None, None);
    let rows = client
        .query(statements::HOOKS, &[&none.0, &none.1, &true])
        .await?;
    let mut wanted = BTreeMap::<Wanted, Vec<String>>::new();
    for row in &rows {
        let (name, config): (String, Value) = (row.try_get("hook_name")?, row.try_get("hook_config")?);
        let purpose = match (row.try_get::<_, &str>("hook_type")?, name.as_str()) {
            ("first_party", "auto_embed") => Use::Embed(
                config["dimensions"]
                    .as_u64()
                    .and_then(|count| usize::try_from(count).ok()),
            ),
            ("first_party", "auto_summarize" | "auto_graph") => Use::Chat,
            _ => continue,
        };
        let text = |key: &str| config[key].as_str().map(ToOwned::to_owned);
        let hooks = wanted
            .entry((text("provider"), text("model"), purpose))
            .or_default();
        if !hooks.contains(&name) {
            hooks.push(name);
        }
    }
    Ok(wanted)
}

async fn try_one(
    providers: &Providers,
    provider: Option<&str>,
    model: Option<&str>,
    purpose: Use,
) -> Result<(), String> {
    let provider = providers.get(provider).map_err(|error| error.to_string())?;
    let asked = match purpose {
        Use::Embed(dimensions) => embed(&provider, model, dimensions).await,
        // What cannot chat is served by rules.
        Use::Chat if provider.can_chat() => chat(&provider, model).await,
        Use::Chat => Ok(()),
    };
    asked.map_err(|error| format!("{}: {error}", error.class()))
}

async fn embed(
    provider: &Provider,
    model: Option<&str>,
    dimensions: Option<usize>,
) -> Result<(), ProviderError> {
    let request = EmbedRequest {
        who: None,
        model,
        dimensions,
        inputs: &["probe".to_owned()],
    };
    provider.embed(&request, PATIENCE).await.map(drop)
}

async fn chat(provider: &Provider, model: Option<&str>) -> Result<(), ProviderError> {
    let request = ChatRequest {
        who: None,
        model,
        system: "Answer with one word.",
        user: "Say yes.",
        schema: None,
        max_tokens: Some(16),
        temperature: Some(0.0),
    };
    match provider.chat(&request, PATIENCE).await {
        // A model that thinks first has no room for its word, but it answers.
        Err(error) if matches!(error.class, Class::Truncated | Class::EmptyAnswer) => Ok(()),
        answered => answered.map(drop),
    }
}
