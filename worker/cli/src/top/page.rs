//! A page of `top` for people. Pure.

use std::collections::HashMap;

use comfy_table::{ContentArrangement, Table};
use uuid::Uuid;

use super::Sight;
use crate::render::{self, Screen, Tone};
use crate::status::{health, workers};
use zerodb_hooks_queries::{HookStatus, RunningHook};

pub(super) struct Page<'a> {
    pub sight: &'a Sight,
    pub screen: Screen,
    /// The most hooks.
    pub hooks: usize,
}

impl Page<'_> {
    pub fn text(&self) -> String {
        let table = self.table();
        format!("{}\n\n{}", self.head(), render::lines(&table))
    }

    fn head(&self) -> String {
        let Sight { status, ends, .. } = self.sight;
        let counted = |field: &str, number: i64| match status.is_limited(field) {
            true => format!("{number} or more"),
            false => number.to_string(),
        };
        let waits = status.undispatched_events + status.waiting_deliveries > 0;
        let oldest = if waits {
            render::age(status.oldest_age_seconds)
        } else {
            "-".into()
        };
        let bad = |rate: f64| {
            let tone = if rate > 0.0 { Tone::Warning } else { Tone::Plain };
            self.screen.paint(tone, &format!("{rate:.1}"))
        };
        format!(
            "{}  {}\nWritten   {} events/s\nEnded     {:.1} completed/s, {} failed/s, {} discarded/s\n\
             Backlog   {} to dispatch, {} waiting, {} running; oldest {oldest}\nWorkers   {}",
            self.screen.paint(Tone::Faint, "zerodb-hooks top"),
            render::clock(self.sight.at),
            self.sight
                .written_rate
                .map_or_else(|| "-".into(), |rate| format!("{rate:.1}")),
            ends.completed,
            bad(ends.failed),
            bad(ends.discarded),
            counted("undispatched_events", status.undispatched_events),
            counted("waiting_deliveries", status.waiting_deliveries),
            counted("running_deliveries", status.running_deliveries),
            workers(status, self.screen),
        )
    }

    fn table(&self) -> Table {
        let mut table = self.screen.table(&[
            "HOOK",
            "EVENT",
            "HEALTH",
            "RUNNING",
            "WAITING",
            "RETRYING",
            "COMPLETED 5M",
            "FAILED 5M",
            "DISCARDED 5M",
        ]);
        // The window cuts off what is too wide: a heading over several lines would push hooks out of it.
        table.set_content_arrangement(ContentArrangement::Disabled);
        let running: HashMap<Uuid, i64> = self
            .sight
            .running
            .iter()
            .map(|one| (one.hook_id, one.running))
            .collect();
        let listed = &self.sight.status.hooks;
        for hook in listed.iter().take(self.hooks) {
            table.add_row(self.row(hook, running.get(&hook.id).copied().unwrap_or(0)));
        }
        let others = self
            .sight
            .running
            .iter()
            .filter(|one| listed.iter().all(|hook| hook.id != one.hook_id));
        for hook in others.take(self.hooks.saturating_sub(listed.len())) {
            table.add_row(self.other(hook));
        }
        table
    }

    fn row(&self, hook: &HookStatus, running: i64) -> Vec<comfy_table::Cell> {
        let (tone, health) = health(hook);
        let plain = |text: &str| self.screen.cell(Tone::Plain, text);
        let bad = |number: i64| {
            let tone = if number > 0 { Tone::Warning } else { Tone::Plain };
            self.screen.cell(tone, &number.to_string())
        };
        vec![
            plain(&hook.hook_name),
            plain(&hook.event_type),
            self.screen.cell(tone, health),
            plain(&running.to_string()),
            plain(&hook.waiting.to_string()),
            bad(hook.retryable),
            plain(&hook.completed_5m.to_string()),
            bad(hook.failed_5m),
            bad(hook.discarded_5m),
        ]
    }

    /// A hook that runs and is not among those that `zerodb.status()` lists.
    fn other(&self, hook: &RunningHook) -> Vec<comfy_table::Cell> {
        let known = |text: &Option<String>| text.clone().unwrap_or_else(|| "(deleted)".into());
        let mut row = vec![
            self.screen.cell(Tone::Plain, &known(&hook.hook_name)),
            self.screen.cell(Tone::Plain, &known(&hook.event_type)),
            self.screen.cell(Tone::Faint, "-"),
            self.screen.cell(Tone::Plain, &hook.running.to_string()),
        ];
        row.extend((0..5).map(|_| self.screen.cell(Tone::Faint, "-")));
        row
    }
}
