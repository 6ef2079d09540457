//! `zerodb-hooks hooks`: the hooks that the caller may see. Shows no secret: every config passes `hidden`.

use std::process::ExitCode;

use clap::Args;
use serde_json::{Value, json};
use uuid::Uuid;

use super::args::Database;
use super::render::{self, Screen, Tone};
use zerodb_hooks_queries::{HookFilter, HookListing, hidden, hooks};

/// The config is clipped to this on a terminal.
const CONFIG_WIDTH: usize = 80;

/// Options of `zerodb-hooks hooks`.
#[derive(Args, Clone)]
pub struct HooksArgs {
    /// The database to ask.
    #[command(flatten)]
    pub database: Database,

    /// Only hooks on exactly this event type or pattern, such as zerodb.memory.stored or 'zerodb.*'
    #[arg(long, value_name = "TYPE")]
    pub event_type: Option<String>,

    /// Only hooks of this project
    #[arg(long, value_name = "UUID")]
    pub project: Option<Uuid>,

    /// Only active hooks
    #[arg(long)]
    pub active: bool,

    /// Print one JSON document: {"hooks": [...]}
    #[arg(long)]
    pub json: bool,
}

/// Lists the hooks, oldest first.
pub(super) async fn run(args: HooksArgs) -> anyhow::Result<ExitCode> {
    let client = args.database.client("hooks").await?;
    let filter = HookFilter {
        event_type: args.event_type,
        project: args.project,
        active_only: args.active,
    };
    let hooks = hooks(&client, &filter).await?;
    if args.json {
        render::line(&json!({ "hooks": hooks }).to_string())?;
    } else if hooks.is_empty() {
        render::line(
            "There are no such hooks here. A role without admin rights sees those of zerodb.user_id only.",
        )?;
    } else {
        render::line(&table(&hooks, Screen::stdout()))?;
    }
    Ok(ExitCode::SUCCESS)
}

fn table(hooks: &[HookListing], screen: Screen) -> String {
    let mut table = screen.table(&["ID", "EVENT", "TYPE", "NAME", "ACTIVE", "PROJECT", "CONFIG"]);
    for hook in hooks {
        let tone = if hook.is_active { Tone::Plain } else { Tone::Faint };
        let config = summary(&hook.hook_config);
        let config = if screen.terminal {
            render::clip(&config, CONFIG_WIDTH)
        } else {
            config
        };
        let project = hook
            .project_id
            .map_or_else(|| "all".into(), |project| project.to_string());
        table.add_row([
            screen.cell(tone, &hook.id.to_string()),
            screen.cell(tone, &hook.event_type),
            screen.cell(tone, &hook.hook_type),
            screen.cell(tone, &hook.hook_name),
            screen.cell(
                if hook.is_active { Tone::Good } else { Tone::Warning },
                if hook.is_active { "yes" } else { "NO" },
            ),
            screen.cell(tone, &project),
            screen.cell(tone, &config),
        ]);
    }
    render::lines(&table)
}

/// A config on one line, without secrets.
fn summary(config: &Value) -> String {
    let Value::Object(entries) = hidden(config) else {
        return String::new();
    };
    let parts = entries.iter().map(|(name, value)| match value {
        Value::Object(inner) if name == "headers" => {
            format!("headers={}", inner.keys().cloned().collect::<Vec<_>>().join(","))
        }
        Value::String(text) => format!("{name}={text}"),
        other => format!("{name}={other}"),
    });
    parts.collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_config_is_shown_without_its_secrets() {
        let config = json!({
            "url": "${ZERODB_SECRET_URL}", "secret": "hush", "headers": {"Authorization": "hush", "X-Plain": "hush"},
        });
        let shown = "headers=Authorization,X-Plain secret=*** url=${ZERODB_SECRET_URL}";
        assert_eq!(summary(&config), shown);
    }
}
