//! Check of the models that active hooks use: each is asked once, with a text of one word, as the worker would.

use std::collections::BTreeMap;
use std::time::Duration;

use super::DoctorArgs;
use super::finding::{Checked, Finding, some_of};
use crate::render;
use zerodb_hooks_contract::HookConfig;
use zerodb_hooks_contract::setting::Name;
use zerodb_hooks_providers::{ChatRequest, Class, EmbedRequest, Provider, ProviderError, Providers};
use zerodb_hooks_queries::{Client, HookFilter, QueryError, hooks};

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
        "correct the worker's file, its keys, or the hook's \"provider\", \"model\" and \"dimensions\"; \
         deliveries wait until then",
    ))
}

/// What active hooks need, with their names.
async fn wanted(client: &Client) -> Result<BTreeMap<Wanted, Vec<String>>, QueryError> {
    let mut wanted = BTreeMap::<Wanted, Vec<String>>::new();
    for hook in hooks(client, &HookFilter::active()).await? {
        // What cannot be read is said by the check of hooks.
        let settings = hook.settings().ok();
        let Some(asked) = settings.and_then(|settings| asked(&settings.config)) else {
            continue;
        };
        let names = wanted.entry(asked).or_default();
        if !names.contains(&hook.hook_name) {
            names.push(hook.hook_name);
        }
    }
    Ok(wanted)
}

/// What a hook asks, and whom; `None` where it asks no model.
fn asked(config: &HookConfig) -> Option<Wanted> {
    let (provider, model, purpose) = match config {
        HookConfig::AutoEmbed(embed) => {
            let dimensions = embed.dimensions.map(|count| count.as_usize());
            (&embed.provider, &embed.model, Use::Embed(dimensions))
        }
        HookConfig::AutoSummarize(summarize) => (&summarize.provider, &summarize.model, Use::Chat),
        HookConfig::AutoGraph(graph) => (&graph.provider, &graph.model, Use::Chat),
        _ => return None,
    };
    let text = |name: &Option<Name>| name.as_deref().map(str::to_owned);
    Some((text(provider), text(model), purpose))
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
