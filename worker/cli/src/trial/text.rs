//! A trial for people. Pure.

use crate::render::{self, Screen, Tone};
use zerodb_hooks_queries::NamedHook;
use zerodb_hooks_trial::{About, Report, Shown, ShownAnswer, ShownTimes, Trial};

/// Characters of a body that are shown; `--json` has all of it.
const MOST: usize = 4000;

pub fn preview(hook: &NamedHook, trial: &Trial, action: &Shown, screen: Screen) -> String {
    let nothing = screen.paint(Tone::Faint, "nothing was sent, and nothing was written");
    format!(
        "{}\n\n{}\n\n{nothing}",
        head(hook, trial, screen),
        of_action(action, screen)
    )
}

pub fn report(hook: &NamedHook, trial: &Trial, report: &Report, screen: Screen) -> String {
    let mut parts = vec![head(hook, trial, screen), of_action(&report.action, screen)];
    parts.extend(report.answer.as_ref().map(|answer| of_answer(answer, screen)));
    parts.extend(report.times.as_ref().map(of_times));
    parts.push(end(report, screen));
    parts.join("\n\n")
}

fn head(hook: &NamedHook, trial: &Trial, screen: Screen) -> String {
    let active = if hook.is_active { "" } else { ", not active" };
    let about = match trial.about {
        About::Past => "from the log",
        About::Unwanted => {
            "from the log; the hook's \"when\" is not true for it, so it would not be delivered"
        }
        About::Given => "with the given data",
        About::Sample => "a sample: --event gives another",
    };
    format!(
        "{} {} ({}{active}) {}\n{} {} {}, {about}",
        screen.paint(Tone::Faint, "hook "),
        render::clean(&hook.hook_name),
        hook.hook_type,
        hook.id,
        screen.paint(Tone::Faint, "event"),
        render::clean(trial.event_type()),
        trial.event_id(),
    )
}

fn of_action(action: &Shown, screen: Screen) -> String {
    match action {
        Shown::Request {
            method,
            url,
            headers,
            body,
        } => format!(
            "{method} {}\n{}\n\n{}",
            render::clean(url),
            of_headers(headers, screen),
            of_body(body)
        ),
        Shown::Line { level, message } => format!("{} {}", level.to_uppercase(), render::clean(message)),
        Shown::Call { function, envelope } => format!("{}('{}')", render::clean(function), of_body(envelope)),
    }
}

fn of_answer(answer: &ShownAnswer, screen: Screen) -> String {
    let tone = match answer.status {
        200..=299 => Tone::Good,
        _ => Tone::Bad,
    };
    let status = screen.paint(tone, &format!("answer {}", answer.status));
    let mut text = format!("{status}\n{}", of_headers(&answer.headers, screen));
    if !answer.body.is_empty() {
        text.push_str(&format!("\n\n{}", of_body(&answer.body)));
    }
    text
}

fn of_headers(headers: &[(String, String)], screen: Screen) -> String {
    let lines = headers.iter().map(|(name, value)| {
        let name = screen.paint(Tone::Faint, &format!("{}:", render::clean(name)));
        format!("{name} {}", render::clean(value))
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// Line by line, so that no text steers the terminal.
fn of_body(body: &str) -> String {
    let shown: Vec<String> = body.lines().map(render::clean).collect();
    render::clip(&shown.join("\n"), MOST)
}

fn of_times(times: &ShownTimes) -> String {
    let ShownTimes {
        lookup_ms,
        connect_ms,
        first_byte_ms,
        total_ms,
    } = times;
    let parts = [
        ("look-up", *lookup_ms),
        ("connect", *connect_ms),
        ("first byte", *first_byte_ms),
        ("total", Some(*total_ms)),
    ];
    let known = parts
        .iter()
        .filter_map(|(name, ms)| Some(format!("{name} {:.1} ms", (*ms)?)));
    known.collect::<Vec<_>>().join(", ")
}

fn end(report: &Report, screen: Screen) -> String {
    let Some(error) = &report.error else {
        return screen.paint(Tone::Good, "succeeded; no delivery was made");
    };
    let what = match report.is_tried_again {
        true => "a delivery would be tried again",
        false => "a delivery would be given up",
    };
    format!(
        "{} {}; {what}",
        screen.paint(Tone::Bad, "failed:"),
        render::clean(error)
    )
}
