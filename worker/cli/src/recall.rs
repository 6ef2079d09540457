//! `zerodb-hooks recall`: a search of the store by words and by vectors. The query is embedded by a provider of the
//! worker's file, which SQL cannot ask; the rest is `zerodb.recall`.

use std::process::ExitCode;
use std::time::Duration;

use clap::{Args, value_parser};
use serde_json::json;

use super::args::Database;
use super::failure::CommandFailure;
use super::models::ModelArgs;
use super::render::{self, Screen, Tone};
use zerodb_hooks_providers::{EmbedRequest, LOCAL, Provider, ProviderError};
use zerodb_hooks_queries::{Client, RecallRequest, RecalledRow, recall, vector_space};

/// How long the provider may take.
const PATIENCE: Duration = Duration::from_secs(30);
/// The content is clipped to this on a terminal.
const CONTENT_WIDTH: usize = 100;

/// Options of `zerodb-hooks recall`.
#[derive(Args, Clone)]
pub struct RecallArgs {
    /// What to look for
    #[arg(value_name = "QUERY")]
    pub query: String,

    /// The database to search
    #[command(flatten)]
    pub database: Database,

    /// Where the models are
    #[command(flatten)]
    pub models: ModelArgs,

    /// The provider that embeds the query, if it is not the file's default
    #[arg(long, value_name = "NAME")]
    pub provider: Option<String>,

    /// The model, if it is not the provider's default
    #[arg(long, value_name = "NAME")]
    pub model: Option<String>,

    /// What is searched: zeromemory, memories, vectors or files
    #[arg(long, value_name = "NAME", default_value = "zeromemory")]
    pub source: String,

    /// Only memories about this entity
    #[arg(long, value_name = "ID")]
    pub entity: Option<String>,

    /// Only this namespace
    #[arg(long, value_name = "NAME")]
    pub namespace: Option<String>,

    /// The schema of the store
    #[arg(long, value_name = "NAME", default_value = "zerodb_store")]
    pub schema: String,

    /// The most rows
    #[arg(long, value_name = "N", default_value_t = 10, value_parser = value_parser!(i32).range(1..=1000))]
    pub limit: i32,

    /// Print one JSON document: {"found": [{"id", "content", "score", "similarity", "found_by"}]}
    #[arg(long)]
    pub json: bool,
}

/// Searches and prints what fits best.
pub(super) async fn run(args: RecallArgs) -> anyhow::Result<ExitCode> {
    let providers = args.models.providers(&args.database)?;
    let provider = providers
        .get(args.provider.as_deref())
        .map_err(|error| of_provider(&error))?;
    let client = args.database.client("recall").await?;
    let vector = vector(&client, &args, &provider).await?;
    let request = RecallRequest {
        query: &args.query,
        limit: args.limit,
        source: &args.source,
        entity: args.entity.as_deref(),
        namespace: args.namespace.as_deref(),
        vector,
        schema: &args.schema,
    };
    let found = recall(&client, &request).await?;
    if args.json {
        render::line(&json!({ "found": found }).to_string())?;
    } else if found.is_empty() {
        render::line("Nothing fits.")?;
    } else {
        render::line(&table(&found, Screen::stdout()))?;
    }
    Ok(ExitCode::SUCCESS)
}

/// The query's vector; `None` where the server makes it, or where nothing could be compared with it.
async fn vector(client: &Client, args: &RecallArgs, provider: &Provider) -> anyhow::Result<Option<Vec<f32>>> {
    if provider.name() == LOCAL {
        return Ok(None);
    }
    let model = args.model.as_deref();
    let identity = provider.identity(model).map_err(|error| of_provider(&error))?;
    let space = vector_space(client, &args.source, &args.schema, &identity).await?;
    if !space.has_model {
        let other = space.other_model.map_or_else(
            || "holds no vector yet".to_owned(),
            |other| format!("holds vectors of {other}"),
        );
        eprintln!(
            "warning: {} {other}, none of {identity}: only words are compared. \
             Name the model by --provider and --model.",
            args.source
        );
        return Ok(None);
    }
    let inputs = [args.query.clone()];
    let request = EmbedRequest {
        who: None,
        model,
        dimensions: space.dimensions.and_then(|count| usize::try_from(count).ok()),
        inputs: &inputs,
    };
    let embedded = provider.embed(&request, PATIENCE).await;
    let embedded = embedded.map_err(|error| of_provider(&error))?;
    Ok(embedded.vectors.into_iter().next())
}

fn of_provider(error: &ProviderError) -> CommandFailure {
    CommandFailure::new(
        format!("{}: {error}", error.class()),
        "zerodb-hooks doctor --config FILE tries the models that hooks use",
    )
}

fn table(found: &[RecalledRow], screen: Screen) -> String {
    let mut table = screen.table(&["SCORE", "FOUND BY", "ID", "CONTENT"]);
    for row in found {
        let content = render::clean(row.content.as_deref().unwrap_or_default());
        let content = if screen.terminal {
            render::clip(&content, CONTENT_WIDTH)
        } else {
            content
        };
        table.add_row([
            screen.cell(Tone::Plain, &format!("{:.4}", row.score)),
            screen.cell(Tone::Faint, &row.found_by),
            screen.cell(Tone::Plain, &row.id),
            screen.cell(Tone::Plain, &content),
        ]);
    }
    render::lines(&table)
}
