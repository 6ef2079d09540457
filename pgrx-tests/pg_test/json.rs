//! Data fields: the trigger writes what to_jsonb would.

use pgrx::prelude::*;

#[pg_schema]
mod tests {
    use pgrx::prelude::*;

    /// Writes one value of a type into a watched table, and returns whether the event's field is to_jsonb's of it.
    fn is_rendered_as_by_postgres(type_name: &str, literal: &str) -> bool {
        let watch = format!(
            "CREATE TABLE rendered (id integer PRIMARY KEY, field {type_name});
             SELECT zerodb.register_event_type('rendered.stored', 'app', '{{row_id,field}}', '');
             SELECT zerodb.watch('rendered', 'rendered.stored');
             SET LOCAL zerodb.capture = 'all';
             INSERT INTO rendered VALUES (1, {literal})"
        );
        Spi::run(&watch).expect("a watched table");
        Spi::get_one(
            "SELECT coalesce(to_jsonb(r.field), 'null') = e.data -> 'field'
             FROM rendered AS r, zerodb.events AS e WHERE e.event = 'rendered.stored'",
        )
        .expect("one event")
        .unwrap_or(false)
    }

    macro_rules! rendered {
        ($($name:ident: $type_name:literal, $value:literal;)*) => {
            $(#[pg_test]
            fn $name() {
                assert!(is_rendered_as_by_postgres($type_name, $value));
            })*
        };
    }

    rendered! {
        renders_true: "boolean", "true";
        renders_null: "text", "NULL";
        renders_smallint: "smallint", "-32768";
        renders_integer: "integer", "-2147483648";
        renders_bigint: "bigint", "9223372036854775807";
        renders_numeric: "numeric(30, 10)", "12345678901234567890.0123456789";
        renders_numeric_nan: "numeric", "'NaN'";
        renders_double: "double precision", "0.1";
        renders_double_infinity: "double precision", "'-Infinity'";
        renders_quotes_and_controls: "text", r#"E'a"b\\c\nd\te\x01 é 🙂'"#;
        renders_padded_char: "char(4)", "'ab'";
        renders_uuid: "uuid", "'0b4c7e4e-6f0c-4c59-9d2f-2f6d1d8e5a01'";
        renders_date: "date", "'2026-06-10'";
        renders_timestamp: "timestamp", "'2026-06-10 08:00:00.25'";
        renders_timestamptz: "timestamptz", "'2026-06-10 08:00:00+02'";
        renders_infinite_timestamp: "timestamptz", "'infinity'";
        renders_interval: "interval", "'1 day 2 hours'";
        renders_json: "json", r#"'{"a": [1, null]}'"#;
        renders_jsonb: "jsonb", r#"'{"b": {"c": "d"}}'"#;
        renders_array: "text[]", r#"ARRAY['x', NULL, 'y"z']"#;
        renders_nested_array: "integer[]", "'{{1,2},{3,4}}'";
        renders_bytea: "bytea", r"'\x00ff'";
        renders_inet: "inet", "'10.0.0.1/8'";
        renders_record: "pg_catalog.pg_type[]", "NULL";
    }
}
