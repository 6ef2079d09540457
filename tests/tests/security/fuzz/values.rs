//! Hostile values of every type, as SQL. It must not know what is called with them.

use rand::Rng;
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;

/// The tenants of those who mean harm: that of the bound role, and one more.
pub const TENANTS: [&str; 2] = [
    "aaaaaaaa-0000-4000-8000-000000000001",
    "cccccccc-0000-4000-8000-000000000003",
];

const TEXTS: &[&str] = &[
    "NULL",
    "''",
    "'*'",
    "'app.thing'",
    "'app.*'",
    "'zerodb.memory.stored'",
    "'on_legal_hold'",
    "'on_hook_failure'",
    "'auto_embed'",
    "'auto_graph'",
    "'webhook'",
    "'log'",
    "'sql'",
    "'first_party'",
    "'pg_catalog'",
    "'zerodb'",
    "'pg_authid'",
    "'content'",
    "'id'",
    "'x'); DROP TABLE zerodb.outbox CASCADE; --'",
    "E'a\\nb\\x1b[31m'",
    "repeat('a.', 100000) || 'a'",
    "repeat('x', 3000000)",
    "repeat('(', 20000)",
    "repeat(chr(1), 100000)",
    "chr(1114111)",
    "'${ZERODB_SECRET_WEBHOOK}'",
    "'evt_ffffffffffffffffffffffffffffffff'",
    "'evt_00000000000000000000000000000000'",
    "'$.a ? (exists(@.b[*] ? (@ > 1)))'",
    "current_user",
    "'-9223372036854775808'",
];

const CONFIGS: &[&str] = &[
    "'{}'",
    "'null'",
    "'[]'",
    "'{\"url\": \"http://127.0.0.1:1/\", \"timeout_ms\": 3600000, \"concurrency\": 10000, \"max_attempts\": 1000}'",
    "'{\"url\": \"http://169.254.169.254/latest\"}'",
    "'{\"message\": \"{% for i in range(100000000) %}{{ i }}{% endfor %}\"}'",
    "'{\"message\": \"{% set n = namespace(x=1) %}{{ data }}\"}'",
    "'{\"when\": \"$.id[*] ? (exists($.id[*] ? (exists($.id[*] ? (@ > 0)))))\"}'",
    "'{\"when\": \"$ like_regex \\\"(a+)+$\\\"\"}'",
    "'{\"order_by\": \"$.**\"}'",
    "'{\"function\": \"pg_catalog.pg_reload_conf\"}'",
    "'{\"function\": \"pg_catalog.pg_sleep\"}'",
    "'{\"function\": \"zerodb._append\"}'",
    "'{\"target_column\": \"relacl\", \"content\": \"rolpassword\", \"dimensions\": 16000}'",
    "'{\"id\": 1e131071, \"note\": -0.0, \"user_id\": \"00000000-0000-0000-0000-000000000000\"}'",
    "('[' || repeat('1,', 100000) || '1]')::jsonb",
    "('{\"id\": ' || repeat('[', 5000) || repeat(']', 5000) || '}')::jsonb",
    "jsonb_build_object('message', repeat('x', 200000))",
    "jsonb_build_object('id', repeat('x', 900000))",
    "jsonb_build_object('id', (SELECT jsonb_agg(i) FROM generate_series(1, 1000) AS i))",
];

const NUMBERS: &[&str] = &[
    "NULL",
    "0",
    "1",
    "-1",
    "2",
    "1000",
    "32767",
    "2147483647",
    "-2147483648",
];
const LARGE: &[&str] = &["9223372036854775807", "(-9223372036854775808)", "1000000000000"];

const TIMES: &[&str] = &[
    "NULL",
    "'-infinity'",
    "'infinity'",
    "now()",
    "'4713-01-01 BC'",
    "'294276-12-31'",
];
const INTERVALS: &[&str] = &[
    "NULL",
    "'0'",
    "'-1 s'",
    "'1 ms'",
    "'178000000 years'",
    "'-178000000 years'",
];
const RELATIONS: &[&str] = &[
    "NULL",
    "'pg_catalog.pg_authid'",
    "'pg_catalog.pg_proc'",
    "'zerodb.zerodb_hooks'",
    "'zerodb.outbox'",
    "'zerodb.hook_detail'",
    "'zerodb.lease'",
    "'information_schema.tables'",
    "0",
    "4294967295",
];
const VECTORS: &[&str] = &[
    "NULL",
    "'{}'",
    "'{1,2,3}'",
    "'{NaN,Infinity,-Infinity}'",
    "array_fill(1e38::real, ARRAY[100000])",
    "'{{1,2},{3,4}}'",
    "array_fill(NULL::real, ARRAY[10])",
];

fn one(random: &mut StdRng, of: &[&str]) -> String {
    of.choose(random).copied().unwrap_or("NULL").to_owned()
}

/// A value of a type, given by its SQL name. `victim` and `own` are schemas with a table each.
pub fn of_type(random: &mut StdRng, type_name: &str, own: &str, victim: &str) -> String {
    let value = match type_name {
        "text" | "character varying" | "name" => one(random, TEXTS),
        "jsonb" | "json" => one(random, CONFIGS),
        "uuid" => match random.random_range(0..6) {
            0 => "NULL".to_owned(),
            1 => "'00000000-0000-0000-0000-000000000000'".to_owned(),
            2 => "'bbbbbbbb-0000-4000-8000-000000000002'".to_owned(),
            3 => format!("'{}'", TENANTS[0]),
            4 => "(SELECT id FROM zerodb.zerodb_hooks ORDER BY random() LIMIT 1)".to_owned(),
            _ => "gen_random_uuid()".to_owned(),
        },
        "integer" | "smallint" => one(random, NUMBERS),
        "bigint" if random.random_bool(0.5) => one(random, LARGE),
        "bigint" => one(random, NUMBERS),
        "double precision" | "real" | "numeric" => {
            one(random, &["NULL", "'NaN'", "'Infinity'", "-1", "0", "1e30"])
        }
        "boolean" => one(random, &["NULL", "true", "false"]),
        "interval" => one(random, INTERVALS),
        "timestamp with time zone" => one(random, TIMES),
        "regclass" | "oid" => match random.random_range(0..3) {
            0 => format!("'{own}.thing'::regclass"),
            1 => format!("'{victim}.secret'::regclass"),
            _ => one(random, RELATIONS),
        },
        "regrole" => one(random, &["NULL", "'postgres'", "current_user::regrole", "0"]),
        "real[]" => one(random, VECTORS),
        other if other.ends_with("[]") => one(random, &["NULL", "'{}'", "'{NULL}'"]),
        _ => "NULL".to_owned(),
    };
    format!("({value})::{type_name}")
}

/// The argument of a trigger that was made by hand.
pub fn trigger_argument(random: &mut StdRng) -> String {
    one(
        random,
        &[
            "'nonsense'",
            "''",
            "'{}'",
            "'null'",
            "'{\"event\": \"app.thing\", \"fields\": [], \"operations\": [\"insert\"], \"user_id\": {\"value\": \"bbbbbbbb-0000-4000-8000-000000000002\"}}'",
            "'{\"event\": \"on_legal_hold\", \"fields\": [[\"id\", \"id\"], [\"x\", {\"value\": 1e400}]], \"operations\": [\"insert\"]}'",
            "'{\"event\": \"no.such.type\", \"fields\": [[\"id\", \"id\"]], \"operations\": [\"insert\", \"update\", \"delete\"]}'",
            "'{\"event\": 1, \"fields\": 2, \"operations\": 3}'",
        ],
    )
}
