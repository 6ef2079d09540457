//! The check of a hook: what is refused, and in which words.

use pgrx::prelude::*;

#[pg_schema]
mod tests {
    use pgrx::prelude::*;

    fn check(hook_type: &str, name: &str, config: &str) {
        Spi::run_with_args(
            "SELECT zerodb._check_hook($1, $2, $3)",
            &[hook_type.into(), name.into(), config.into()],
        )
        .expect("the check passes");
    }

    #[pg_test]
    fn accepts_the_documents_examples() {
        check(
            "first_party",
            "auto_embed",
            r#"{"model": "bge-m3", "dimensions": 1024}"#,
        );
        check("first_party", "auto_summarize", r#"{"max_length": 500}"#);
        check(
            "first_party",
            "auto_graph",
            r#"{"extract_entities": true, "max_relations": 10}"#,
        );
        check(
            "webhook",
            "audit",
            r#"{"url": "https://x.example/a", "headers": {"Authorization": "Bearer ${ZERODB_SECRET_K}"}}"#,
        );
        check("log", "warn", r#"{"level": "warning", "message": "{{bank_id}}"}"#);
        check("function", "mine", r#"{"anything": ["of", "its", "own"]}"#);
    }

    #[pg_test(error = "unknown key \"modle\" in the config of a auto_embed hook")]
    fn refuses_an_unknown_key() {
        check("first_party", "auto_embed", r#"{"modle": "bge-m3"}"#);
    }

    #[pg_test(error = "the config of a webhook hook needs \"url\"")]
    fn refuses_a_webhook_without_url() {
        check("webhook", "audit", "{}");
    }

    #[pg_test(error = "invalid value for \"url\" in hook_config")]
    fn refuses_another_scheme() {
        check("webhook", "audit", r#"{"url": "file:///etc/passwd"}"#);
    }

    #[pg_test(error = "\"secret\" in hook_config holds a literal secret")]
    fn refuses_a_literal_secret() {
        check(
            "webhook",
            "audit",
            r#"{"url": "https://x.example", "secret": "whsec_abc"}"#,
        );
    }

    #[pg_test(error = "invalid value for \"timeout_ms\" in hook_config")]
    fn refuses_a_number_out_of_range_for_any_hook() {
        check("function", "mine", r#"{"timeout_ms": 0}"#);
    }

    #[pg_test(error = "'auto_magic' is not a first-party hook")]
    fn refuses_an_unknown_first_party_hook() {
        check("first_party", "auto_magic", "{}");
    }

    #[pg_test(error = "unknown hook type 'telepathy'")]
    fn refuses_an_unknown_type() {
        check("telepathy", "x", "{}");
    }

    #[pg_test(error = "invalid hook name 'no spaces'")]
    fn refuses_a_bad_name() {
        check("log", "no spaces", "{}");
    }

    #[pg_test(error = "hook_config must be a JSON object")]
    fn refuses_an_array() {
        check("log", "x", "[]");
    }
}
