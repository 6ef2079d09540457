//! What YAML can do to a reader, and what its values mean.

use proptest::prelude::*;
use serde_json::json;

use super::super::*;
use super::{is_told, lines};

/// The config of the one hook of a file.
#[track_caller]
fn config(entry: &str) -> serde_json::Value {
    let text = format!(
        "hooks:\n  on_retain:\n    - {}\n",
        entry.replace('\n', "\n      ")
    );
    let file = HookFile::parse_whole("h.yaml", text.as_bytes());
    assert_eq!(file.mistakes, [], "{text}");
    serde_json::Value::Object(file.hooks[0].config.clone())
}

#[test]
fn what_yaml_can_do_to_a_reader_is_told() {
    let bomb = format!(
        "a: &a [x, x, x, x, x, x, x, x, x, x]\n{}hooks: {{}}\n",
        ('b'..='k')
            .map(|name| {
                let before = char::from(name as u8 - 1);
                format!(
                    "{name}: &{name} [{}]\n",
                    vec![format!("*{before}"); 10].join(", ")
                )
            })
            .collect::<String>()
    );
    let deep = format!("hooks: {}{}", "[".repeat(100), "]".repeat(100));
    let deeper = format!("hooks: {}", "[".repeat(100_000));
    let blocks: String = (0..2000)
        .map(|depth| format!("{}a:\n", " ".repeat(depth)))
        .collect();
    let large = format!("hooks: {{}}\n#{}", "x".repeat(5 << 20));
    let many = format!("hooks: [{}]\n", "1,".repeat(300_000));
    for (text, words) in [
        (
            bomb.as_str(),
            "too many values, nests too deep, or repeats too much",
        ),
        (&deep, "too many values, nests too deep"),
        (&deeper, ""),
        (&blocks, ""),
        (&large, "more than 4194304 bytes"),
        (&many, "too many values"),
        ("a: &a [*a]\nhooks: {}\n", "repeats what it is a part of"),
        ("hooks: *none\n", "no anchor of this name"),
        ("hooks: {}\n---\nhooks: {}\n", "a second document"),
        ("hooks:\n\ton_retain: []\n", "a tab indents this line"),
        ("hooks: {\n", "no YAML"),
        ("hooks: \"x\n", "no YAML"),
        ("hooks: !mine {}\n", "no YAML"),
        ("hooks: {on_retain: [{type: log, timeout_ms: .inf}]}\n", "no end"),
    ] {
        let said = lines(text);
        let start: String = text.chars().take(60).collect();
        assert_eq!(said.len(), 1, "{start}\n{said:?}");
        assert!(said[0].contains(words), "{start}\n{}", said[0]);
    }
    is_told(b"hooks: {}\n# \xff\n", "2:3", "this is not UTF-8");
    is_told(b"\xff\xfeh\0o\0", "1:1", "this is not UTF-8");
}

#[test]
fn values_mean_what_yaml_1_2_says() {
    for (entry, expected) in [
        ("type: log", json!({})),
        (
            "type: log\nlevel: ~\nmessage: null\ntimeout_ms: Null\nmax_attempts: NULL\nconcurrency:",
            json!({}),
        ),
        ("type: log\nmessage: yes", json!({"message": "yes"})),
        ("type: log\nmessage: \"null\"", json!({"message": "null"})),
        ("type: log\nmessage: '007'", json!({"message": "007"})),
        ("type: log\nmessage: 007", json!({"message": "007"})),
        ("type: log\nmessage: |\n  a\n  b\n", json!({"message": "a\nb\n"})),
        ("type: log\nmessage: >-\n  a\n  b\n", json!({"message": "a b"})),
        ("type: log\ntimeout_ms: 0x10", json!({"timeout_ms": 16})),
        ("type: log\ntimeout_ms: 0o17", json!({"timeout_ms": 15})),
        (
            "{\"type\": \"log\", \"level\": \"info\"}",
            json!({"level": "info"}),
        ),
        (
            "type: webhook\nurl: https://a.example\nheaders: &h {x-a: b, x-c: ~}",
            json!({"url": "https://a.example", "headers": {"x-a": "b"}}),
        ),
        (
            "type: webhook\n<<: {url: https://a.example}",
            json!({"url": "https://a.example"}),
        ),
    ] {
        assert_eq!(config(entry), expected, "{entry}");
    }
    let text = "type: function\nname: f\nconfig: {big: 12345678901234567890.10, exp: 1e400, small: -1.50, none: null, list: [1.0]}\ntimeout_ms: null";
    let expected = r#"{"big":12345678901234567890.10,"exp":1e400,"list":[1.0],"none":null,"small":-1.50}"#;
    assert_eq!(config(text).to_string().replace("1e+400", "1e400"), expected);
    for (entry, words) in [
        ("type: log\n      timeout_ms: 010", "whole number"),
        ("type: log\n      timeout_ms: 1_000", "whole number"),
        ("type: log\n      timeout_ms: '5'", "whole number"),
        ("type: log\n      message: 7", "a Jinja2 template"),
        (
            "type: log\n      message: 2026-01-01T00:00:00Z\n      level: off",
            "one of \"debug\"",
        ),
        ("type: log\n      when: null", "a jsonpath"),
    ] {
        let said = lines(format!("hooks:\n  on_retain:\n    - {entry}\n"));
        assert!(said.len() == 1 && said[0].contains(words), "{entry}: {said:?}");
    }
}

#[test]
fn a_mark_of_the_byte_order_and_the_ends_of_lines_of_others_are_read() {
    let text = "\u{feff}hooks:\r\n  on_retain:\r\n    - type: log\r\n      level: info\r\n";
    let file = HookFile::parse_whole("h.yaml", text.as_bytes());
    assert_eq!((file.mistakes.as_slice(), file.hooks.len()), (&[][..], 1));
    assert_eq!(file.hooks[0].place, Place { line: 3, column: 7 });
    let text = "%YAML 1.2\n---\nhooks: {}\n...\n";
    assert_eq!(lines(text), Vec::<String>::new());
}

/// Texts that are YAML now and then.
fn yamlish() -> impl Strategy<Value = String> {
    let piece = prop::sample::select(vec![
        "hooks:",
        "on_retain:",
        "\n",
        "\n  ",
        "\n    - ",
        "\n      ",
        "type: log",
        "type: webhook",
        "url: https://a.example",
        "headers: {",
        "}",
        "[",
        "]",
        "- ",
        ": ",
        "&a ",
        "*a",
        "<<: *a",
        "|",
        ">",
        "'",
        "\"",
        "#",
        "!!str ",
        "---\n",
        "...\n",
        "? ",
        "\t",
        "{{ bank_id }}",
        "${ZERODB_SECRET_A}",
        "null",
        "~",
        "1e9",
        "0x",
        "yes",
        "\u{feff}",
        "é",
        "\0",
        "%YAML",
        "@",
        "`",
        ",",
    ]);
    prop::collection::vec(piece, 0..40).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn any_text_is_read_or_told(text in yamlish()) {
        let file = HookFile::parse_whole("h.yaml", text.as_bytes());
        let most = u64::try_from(text.lines().count() + 2).unwrap();
        for mistake in &file.mistakes {
            prop_assert!(mistake.place.line >= 1 && mistake.place.line <= most, "{:?}", mistake);
        }
    }

    #[test]
    fn any_bytes_are_read_or_told(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        HookFile::parse_whole("h.yaml", &bytes);
    }
}

/// Files that others wrote for other tools; `ZERODB_YAML_FILES` names a folder of them.
#[test]
fn files_of_other_tools_are_read_or_told() {
    let Some(folder) = std::env::var_os("ZERODB_YAML_FILES") else {
        return;
    };
    let (mut trees, mut refused) = (0, Vec::new());
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let bytes = std::fs::read(&path).unwrap();
        match crate::yaml::parse(&bytes) {
            Ok(_) => trees += 1,
            Err(mistake) => refused.push(format!("{}: {mistake:?}", path.display())),
        }
        let file = HookFile::parse_whole(&path.display().to_string(), &bytes);
        assert!(!file.mistakes.is_empty(), "{}", path.display());
    }
    println!("{trees} read, {} refused\n{}", refused.len(), refused.join("\n"));
}
