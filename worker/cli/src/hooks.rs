//! `zerodb-hooks hooks`: the hooks that the caller may see. Shows no secret: every config passes `secret`.

use std::process::ExitCode;

use clap::Args;
use jiff::Timestamp;
use serde_json::{Value, json};
use tokio_postgres::Row;
use uuid::Uuid;

use super::args::Database;
use super::render::{self, Screen, Tone};
use super::{secret, statements};

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

struct Hook {
    id: Uuid,
    user_id: Uuid,
    project_id: Option<Uuid>,
    event_type: String,
    hook_type: String,
    hook_name: String,
    config: Value,
    is_active: bool,
    created_at: Timestamp,
    updated_at: Timestamp,
}

impl Hook {
    fn from_row(row: &Row) -> Result<Self, tokio_postgres::Error> {
        Ok(Self {
            id: row.try_get("id")?,
            user_id: row.try_get("user_id")?,
            project_id: row.try_get("project_id")?,
            event_type: row.try_get("event_type")?,
            hook_type: row.try_get("hook_type")?,
            hook_name: row.try_get("hook_name")?,
            config: row.try_get("hook_config")?,
            is_active: row.try_get("is_active")?,
            created_at: row.try_get("created_at")?,
            updated_at: row.try_get("updated_at")?,
        })
    }

    fn json(&self) -> Value {
        json!({
            "id": self.id, "user_id": self.user_id, "project_id": self.project_id, "event_type": self.event_type,
            "hook_type": self.hook_type, "hook_name": self.hook_name, "hook_config": secret::hidden(&self.config),
            "is_active": self.is_active, "created_at": self.created_at, "updated_at": self.updated_at
        })
    }
}

/// Lists the hooks, oldest first.
pub(super) async fn run(args: HooksArgs) -> anyhow::Result<ExitCode> {
    let client = args.database.client("hooks").await?;
    let rows = client
        .query(
            statements::HOOKS,
            &[&args.event_type, &args.project, &args.active],
        )
        .await?;
    let hooks = rows.iter().map(Hook::from_row).collect::<Result<Vec<_>, _>>()?;
    if args.json {
        let hooks: Vec<_> = hooks.iter().map(Hook::json).collect();
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

fn table(hooks: &[Hook], screen: Screen) -> String {
    let mut table = screen.table(&["ID", "EVENT", "TYPE", "NAME", "ACTIVE", "PROJECT", "CONFIG"]);
    for hook in hooks {
        let tone = if hook.is_active { Tone::Plain } else { Tone::Faint };
        let config = secret::summary(&hook.config);
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
