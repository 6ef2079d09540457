//! What is wrong in a file is told at once, with line and column; what is right means what it says.

mod yaml;

use super::*;

fn lines(text: impl AsRef<[u8]>) -> Vec<String> {
    let file = HookFile::parse_whole("h.yaml", text.as_ref());
    file.mistakes()
        .map_or_else(Vec::new, |mistakes| mistakes.lines().collect())
}

/// One mistake at the place, with the words.
#[track_caller]
fn is_told(text: impl AsRef<[u8]>, place: &str, words: &str) {
    let said = lines(&text);
    let text = String::from_utf8_lossy(text.as_ref());
    assert_eq!(said.len(), 1, "{text}\n{said:?}");
    assert!(
        said[0].starts_with(&format!("h.yaml:{place}: ")) && said[0].contains(words),
        "{text}\n{}",
        said[0]
    );
}

#[test]
fn all_mistakes_are_told_at_once_with_their_lines() {
    let text = r#"hooks:
  on_retain:
    - type: webhok
      url: https://a.example
    - type: webhook
      ulr: https://a.example
      headers:
        Authorization: "Bearer hush"
        X-Team: 7
      retry_count: -1
      async: yes
  on_pii_detected:
    - level: info
    - type: log
      level: loud
      message: "{{ oops"
      name: no spaces
hoks: {}
"#;
    let expected = [
        "h.yaml:3:13: hooks.on_retain[0].type: there is no such type of hooks. Did you mean webhook?",
        "h.yaml:5:7: hooks.on_retain[1].url: the config of a webhook hook needs \"url\". Add the key",
        "h.yaml:6:7: hooks.on_retain[1].ulr: unknown key in a hook of type webhook. Did you mean url?",
        "h.yaml:8:9: hooks.on_retain[1].headers.Authorization: \"headers.Authorization\" in hook_config holds a literal secret",
        "h.yaml:9:9: hooks.on_retain[1].headers.X-Team: invalid value for \"headers.X-Team\" in hook_config: Expected a text",
        "h.yaml:10:20: hooks.on_retain[1].retry_count: invalid value for \"retry_count\" in hook_config: Expected a whole number",
        "h.yaml:11:14: hooks.on_retain[1].async: invalid value for \"async\"",
        "h.yaml:13:7: hooks.on_pii_detected[0].type: a hook needs a type. Write one of webhook, log",
        "h.yaml:15:14: hooks.on_pii_detected[1].level: invalid value for \"level\" in hook_config: Expected one of",
        "h.yaml:16:16: hooks.on_pii_detected[1].message: \"message\" in hook_config is not a template",
        "h.yaml:17:13: hooks.on_pii_detected[1]: invalid hook name 'no spaces'",
        "h.yaml:18:1: hoks: unknown key. Did you mean hooks?",
    ];
    let said = lines(text);
    assert_eq!(said.len(), expected.len(), "{said:#?}");
    for (said, expected) in said.iter().zip(expected) {
        assert!(said.starts_with(expected), "{said}\n{expected}");
        assert!(!said.contains("hush"), "{said}");
    }
    assert!(
        said[6].contains("In YAML 1.2 this word is a text. Write true or false"),
        "{}",
        said[6]
    );
}

#[test]
fn a_workers_file_may_have_everything_beside_its_hooks() {
    for key in zerodb_hooks_contract::schema::TOP {
        let text = format!(
            "{key}:\n{}",
            if key == "hooks" {
                "  on_retain:\n    - type: log\n"
            } else {
                ""
            }
        );
        assert_eq!(
            HookFile::parse("worker.yaml", text.as_bytes()).mistakes,
            [],
            "{text}"
        );
    }
}

/// A text, the place of its one mistake, and words of it.
const SLIPS: &[(&str, &str, &str)] = &[
    ("", "1:1", "the file has no hooks. Write `hooks:`"),
    ("# nothing\n", "1:1", "the file has no hooks"),
    ("providers: {}\n", "1:1", "the file has no hooks"),
    ("- a\n", "1:1", "the file is a list"),
    ("hello\n", "1:1", "the file is a text"),
    ("hooks: 7\n", "1:8", "this is a number, not event types"),
    (
        "hooks:\n  on_retain: log\n",
        "2:14",
        "this is a text, not a list of hooks. Begin each hook with `- `",
    ),
    (
        "hooks:\n  on_retain:\n    type: log\n",
        "3:5",
        "this is keys with values, not a list of hooks",
    ),
    (
        "hooks:\n  on_retain:\n    - log\n",
        "3:7",
        "this is a text, not a hook",
    ),
    (
        "hooks:\n  on_retain:\n    - type: [log]\n",
        "3:13",
        "there is no such type",
    ),
    (
        "hooks:\n  on_retain:\n    - type: function\n",
        "3:7",
        "a function needs a name",
    ),
    (
        "hooks:\n  on_retain:\n    - {type: function, name: f, mine: 1}\n",
        "3:33",
        "Write the handler's own keys below `config`",
    ),
    (
        "hooks:\n  on_retain:\n    - {type: function, name: f, config: {timeout_ms: 1}}\n",
        "3:42",
        "Write it beside `config`",
    ),
    (
        "hooks:\n  on_retain:\n    - {type: auto_embed, name: x}\n",
        "3:32",
        "Leave the name out",
    ),
    (
        "hooks:\n  on_retain:\n    - {type: log, name: 7}\n",
        "3:25",
        "a name is a text",
    ),
    (
        "hooks:\n  on_retain:\n    - {type: log, project: me}\n",
        "3:28",
        "Write a project's UUID",
    ),
    (
        "hooks:\n  on_retain:\n    - {type: log, active: on}\n",
        "3:27",
        "Write true or false",
    ),
    (
        "hooks:\n  on_retain:\n    - {type: log, managed_by: x}\n",
        "3:19",
        "this key is set by `apply`",
    ),
    (
        "hooks:\n  on_retain:\n    - {type: log, config: {}}\n",
        "3:19",
        "unknown key in a hook of type log",
    ),
    (
        "hooks:\n  a.b:\n    - {type: log, name: x}\n    - {type: sql, name: x, function: f}\n",
        "4:7",
        "the hook in line 3 has this name already",
    ),
];

#[test]
fn a_slip_of_the_form_is_told() {
    for (text, place, words) in SLIPS {
        is_told(text, place, words);
    }
}

#[test]
fn a_key_that_is_there_twice_is_told_wherever_it_is() {
    let text = "hooks:\n  on_retain:\n    - type: webhook\n      type: log\n      url: https://a.example\n      headers:\n        x-a: b\n        x-a: c\n  on_retain: []\nhooks: {}\n";
    let said = lines(text);
    let places: Vec<_> = said.iter().filter_map(|line| line.split(": ").next()).collect();
    assert_eq!(
        places,
        ["h.yaml:4:7", "h.yaml:8:9", "h.yaml:9:3", "h.yaml:10:1"],
        "{said:#?}"
    );
    assert!(said.iter().all(|line| line.contains("there twice")), "{said:#?}");
}

#[test]
fn hooks_without_names_are_counted_by_their_type() {
    let text = "hooks:\n  on_retain:\n    - {type: log}\n    - {type: webhook, url: 'https://a.example'}\n    - {type: log, name: mine}\n    - {type: log}\n    - {type: log, project: aaaaaaaa-0000-4000-8000-000000000001}\n  on_recall: [{type: log}]\n  on_import:\n";
    let file = HookFile::parse_whole("h.yaml", text.as_bytes());
    assert_eq!(file.mistakes, []);
    let names: Vec<_> = file
        .hooks
        .iter()
        .map(|hook| (hook.event_type.as_str(), hook.hook_name()))
        .collect();
    let expected = [
        ("on_retain", "log"),
        ("on_retain", "webhook"),
        ("on_retain", "mine"),
        ("on_retain", "log-2"),
        ("on_retain", "log"),
        ("on_recall", "log"),
    ];
    assert_eq!(names, expected);
}

#[test]
fn a_variable_that_is_no_secret_is_told_with_its_new_name() {
    let text = "hooks:\n  on_retain:\n    - type: webhook\n      url: https://a.example/${PATH_KEY}\n      headers: {Authorization: 'Bearer ${AUDIT_API_KEY}'}\n";
    let said = lines(text);
    assert_eq!(said.len(), 2, "{said:?}");
    assert!(said[0].contains("write ${ZERODB_SECRET_PATH_KEY}"), "{}", said[0]);
    assert!(
        said[1].contains("write ${ZERODB_SECRET_AUDIT_API_KEY}"),
        "{}",
        said[1]
    );
}
