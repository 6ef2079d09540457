//! What is rendered of which template.

use serde_json::json;

use super::*;

fn own() -> Own {
    let own = json!({"event_type": "t", "event": {"id": "evt_1", "event": "t"}});
    own.as_object().cloned().unwrap_or_default()
}

fn text(template: &str, data: &serde_json::Value) -> Result<String, Fault> {
    render(
        template,
        data,
        Some(&own()),
        Some(&["none_such".to_owned()]),
        TEXT,
    )
}

const TEXT: Form = Form {
    most: 1000,
    as_json: false,
};
const JSON: Form = Form {
    most: 1000,
    as_json: true,
};

#[test]
fn fields_data_and_envelope_are_variables() {
    let data = json!({"a": 1, "event_type": "forged", "text": "x\"y"});
    let template =
        "{{a}} {{data.a}} {{event.data.a}} {{event.id}} {{event_type}} {{text|tojson}} {{none_such}}";
    assert_eq!(text(template, &data).unwrap(), r#"1 1 1 evt_1 t "x\"y" "#);
    assert_eq!(
        render("{{a}}{{b}}", &data, None, Some(&["b".to_owned()]), TEXT).unwrap(),
        "1"
    );
}

#[test]
fn digits_stay_whatever_the_template_does() {
    let data: serde_json::Value = serde_json::from_str(
        r#"{"a":12345678901234567890.123456789,"b":10.50,"c":1e+400,"list":[{"p":7.10},{"p":8.20}]}"#,
    )
    .unwrap();
    for (template, expected) in [
        (
            "{{ a }} {{ b }} {{ c }}",
            "12345678901234567890.123456789 10.50 1e+400",
        ),
        (
            "{{ data.b|tojson }} {{ 'x' ~ a }}",
            "10.50 x12345678901234567890.123456789",
        ),
        ("{% for one in list %}{{ one.p }};{% endfor %}", "7.10;8.20;"),
        (
            "{% for one in list if one.p > 8 %}{{ one.p }}{% endfor %}",
            "8.20",
        ),
        (
            "{% if b > 10 %}{{ b }} {{ b * 2 }} {{ b|tojson }}{% endif %}",
            "10.50 21.0 10.50",
        ),
        (
            "{{ a|round(1) > 0 }} {{ a }}",
            "True 12345678901234567890.123456789",
        ),
        ("{{ list|tojson }}", r#"[{"p":7.10},{"p":8.20}]"#),
    ] {
        assert_eq!(text(template, &data).as_deref(), Ok(expected), "{template}");
    }
}

#[test]
fn json_stays_json_whatever_a_text_holds() {
    let data = json!({"note": "He said \"hi\" \\ \n\t\u{1} </script> {{ x }}", "n": 1.5, "yes": true, "none": null,
        "map": {"k\"": [1, "a"]}});
    for (template, expected) in [
        (r#"{"t": "{{ note }}"}"#, json!({"t": data["note"]})),
        (
            r#"{"t": "a {{ note|upper|lower|trim }} b"}"#,
            json!({"t": format!("a {} b", data["note"].as_str().unwrap().to_lowercase())}),
        ),
        (
            r#"{"t": {{ note|tojson }}, "n": {{ n }}, "y": {{ yes }}, "z": {{ none }}, "m": {{ map }}}"#,
            json!({"t": data["note"], "n": 1.5, "y": true, "z": null, "m": data["map"]}),
        ),
        (
            r#"{"t": "{% if yes %}{{ note }}{% else %}no{% endif %}", "u": "{{ none_such }}"}"#,
            json!({"t": data["note"], "u": ""}),
        ),
        (
            r#"{% set t %}{"a": "{{ note }}"}{% endset %}{{ t }}"#,
            json!({"a": data["note"]}),
        ),
        (
            r#"{"t": "{{ note if yes else 'x' }}"}"#,
            json!({"t": data["note"]}),
        ),
    ] {
        let made = render(
            template,
            &data,
            Some(&own()),
            Some(&["none_such".to_owned()]),
            JSON,
        )
        .unwrap();
        let read: serde_json::Value = serde_json::from_str(&made).unwrap_or_else(|_| panic!("{made}"));
        assert_eq!(read, expected, "{template}");
    }
}

#[test]
fn a_variable_is_there_or_known_or_asked_for() {
    let known = ["tags".to_owned()];
    let data = json!({"a": 1});
    for form in [TEXT, JSON] {
        for (template, expected) in [
            ("{{ a }}{{ tags }}", Some("1")),
            ("{{ a }}{{ none_such }}", None),
            ("{{ none_such|tojson }}", None),
            ("{{ none_such|upper }}", None),
            ("{{ none_such.deeper }}", None),
            ("{{ none_such ~ 'x' }}", None),
            ("{% for x in none_such %}{% endfor %}", None),
            ("{{ none_such|default('x') }}{{ tags }}{{ a }}", Some("x1")),
            ("{% if none_such is defined %}y{% else %}n{% endif %}", Some("n")),
            ("{% if none_such %}y{% else %}n{% endif %}", Some("n")),
            ("{% for i in range(2) %}{{ i }}{% endfor %}", Some("01")),
            ("{{ data.none_such }}{{ a }}", Some("1")),
        ] {
            let made = render(template, &data, Some(&own()), Some(&known), form);
            assert_eq!(made.ok().as_deref(), expected, "{template} {form:?}");
        }
    }
    assert_eq!(
        render("{{ tags|tojson }}", &data, None, Some(&known), TEXT).as_deref(),
        Ok("null")
    );
}

#[test]
fn steps_and_output_are_bounded() {
    let endless = "{% for i in range(100000) %}{% for j in range(100000) %}x{% endfor %}{% endfor %}";
    let large = Form {
        most: 1 << 20,
        ..TEXT
    };
    let said = render(endless, &json!({}), None, None, large)
        .unwrap_err()
        .to_string();
    assert!(said.contains("fuel"), "{said}");
    let small = Form { most: 100, ..TEXT };
    let long = render("{{ a }}{{ a }}", &json!({"a": "x".repeat(60)}), None, None, small);
    assert_eq!(long, Err(Fault::TooMuch { most: 100 }));
}
