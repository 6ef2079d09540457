//! Which crate may know which: the whole table, so that a new arrow is somebody's decision.

use anyhow::Result;

use super::workspace::packages;

/// A crate of the workspace, and all crates of it that it is built with. Each stands below those that it names.
const ARROWS: &[(&str, &[&str])] = &[
    ("zerodb_hooks_child", &[]),
    ("zerodb_hooks_models", &[]),
    ("zerodb_hooks_lexical", &[]),
    ("zerodb_hooks_english", &["zerodb_hooks_lexical"]),
    (
        "zerodb_hooks_documents",
        &["zerodb_hooks_child", "zerodb_hooks_lexical"],
    ),
    ("zerodb_hooks_templates", &[]),
    ("zerodb_hooks_contract", &["zerodb_hooks_templates"]),
    ("zerodb_hooks_harness", &[]),
    ("zerodb_hooks_schema", &[]),
    (
        "zerodb_hooks",
        &[
            "zerodb_hooks_contract",
            "zerodb_hooks_lexical",
            "zerodb_hooks_templates",
        ],
    ),
    ("zerodb_hooks_delivery", &["zerodb_hooks_contract"]),
    ("zerodb_hooks_metrics", &["zerodb_hooks_delivery"]),
    ("zerodb_hooks_http_server", &[]),
    ("zerodb_hooks_spans", &[]),
    (
        "zerodb_hooks_http",
        &[
            "zerodb_hooks_contract",
            "zerodb_hooks_delivery",
            "zerodb_hooks_spans",
        ],
    ),
    ("zerodb_hooks_turns", &["zerodb_hooks_delivery"]),
    (
        "zerodb_hooks_rendering",
        &[
            "zerodb_hooks_child",
            "zerodb_hooks_delivery",
            "zerodb_hooks_templates",
        ],
    ),
    (
        "zerodb_hooks_providers",
        &[
            "zerodb_hooks_contract",
            "zerodb_hooks_delivery",
            "zerodb_hooks_documents",
            "zerodb_hooks_http",
            "zerodb_hooks_lexical",
            "zerodb_hooks_models",
            "zerodb_hooks_spans",
            "zerodb_hooks_turns",
        ],
    ),
    (
        "zerodb_hooks_store",
        &[
            "zerodb_hooks_contract",
            "zerodb_hooks_delivery",
            "zerodb_hooks_metrics",
            "zerodb_hooks_providers",
            "zerodb_hooks_turns",
        ],
    ),
    (
        "zerodb_hooks_queries",
        &["zerodb_hooks_contract", "zerodb_hooks_store"],
    ),
    (
        "zerodb_hooks_hook_file",
        &[
            "zerodb_hooks_contract",
            "zerodb_hooks_lexical",
            "zerodb_hooks_queries",
            "zerodb_hooks_store",
        ],
    ),
    (
        "zerodb_hooks_engine",
        &[
            "zerodb_hooks_contract",
            "zerodb_hooks_delivery",
            "zerodb_hooks_http",
            "zerodb_hooks_metrics",
            "zerodb_hooks_providers",
            "zerodb_hooks_rendering",
            "zerodb_hooks_spans",
            "zerodb_hooks_store",
            "zerodb_hooks_turns",
        ],
    ),
    (
        "zerodb_hooks_measure",
        &[
            "zerodb_hooks_delivery",
            "zerodb_hooks_engine",
            "zerodb_hooks_queries",
            "zerodb_hooks_store",
        ],
    ),
    (
        "zerodb_hooks_handlers",
        &[
            "zerodb_hooks_contract",
            "zerodb_hooks_delivery",
            "zerodb_hooks_engine",
            "zerodb_hooks_http",
            "zerodb_hooks_metrics",
            "zerodb_hooks_providers",
            "zerodb_hooks_store",
            "zerodb_hooks_templates",
            "zerodb_hooks_turns",
        ],
    ),
    (
        "zerodb_hooks_ai",
        &[
            "zerodb_hooks_contract",
            "zerodb_hooks_delivery",
            "zerodb_hooks_documents",
            "zerodb_hooks_engine",
            "zerodb_hooks_english",
            "zerodb_hooks_lexical",
            "zerodb_hooks_metrics",
            "zerodb_hooks_providers",
            "zerodb_hooks_store",
            "zerodb_hooks_templates",
        ],
    ),
    (
        "zerodb_hooks_trial",
        &[
            "zerodb_hooks_contract",
            "zerodb_hooks_delivery",
            "zerodb_hooks_engine",
            "zerodb_hooks_handlers",
            "zerodb_hooks_http",
            "zerodb_hooks_providers",
            "zerodb_hooks_store",
        ],
    ),
    (
        "zerodb_hooks_cli",
        &[
            "zerodb_hooks_contract",
            "zerodb_hooks_delivery",
            "zerodb_hooks_hook_file",
            "zerodb_hooks_http",
            "zerodb_hooks_http_server",
            "zerodb_hooks_lexical",
            "zerodb_hooks_measure",
            "zerodb_hooks_providers",
            "zerodb_hooks_queries",
            "zerodb_hooks_store",
            "zerodb_hooks_trial",
        ],
    ),
    (
        "zerodb_hooks_worker",
        &[
            "zerodb_hooks_ai",
            "zerodb_hooks_cli",
            "zerodb_hooks_contract",
            "zerodb_hooks_delivery",
            "zerodb_hooks_documents",
            "zerodb_hooks_engine",
            "zerodb_hooks_handlers",
            "zerodb_hooks_hook_file",
            "zerodb_hooks_http",
            "zerodb_hooks_http_server",
            "zerodb_hooks_measure",
            "zerodb_hooks_metrics",
            "zerodb_hooks_providers",
            "zerodb_hooks_queries",
            "zerodb_hooks_rendering",
            "zerodb_hooks_spans",
            "zerodb_hooks_store",
        ],
    ),
    (
        "zerodb_hooks_tests",
        &["zerodb_hooks_contract", "zerodb_hooks_worker"],
    ),
    ("zerodb_hooks_demo", &["zerodb_hooks_harness"]),
    (
        "zerodb_hooks_bench",
        &[
            "zerodb_hooks_harness",
            "zerodb_hooks_lexical",
            "zerodb_hooks_models",
            "zerodb_hooks_worker",
        ],
    ),
];

/// Crates from elsewhere that only some may be built with.
const GUARDED: &[(&str, &[&str])] = &[
    ("pgrx", &["zerodb_hooks"]),
    ("reqwest", &["zerodb_hooks_bench", "zerodb_hooks_http"]),
    (
        "tokio-postgres",
        &[
            "zerodb_hooks_bench",
            "zerodb_hooks_demo",
            "zerodb_hooks_harness",
            "zerodb_hooks_hook_file",
            "zerodb_hooks_measure",
            "zerodb_hooks_queries",
            "zerodb_hooks_store",
        ],
    ),
    ("deadpool-postgres", &["zerodb_hooks_store"]),
    (
        "axum",
        &[
            "zerodb_hooks_cli",
            "zerodb_hooks_harness",
            "zerodb_hooks_http_server",
            "zerodb_hooks_providers",
        ],
    ),
];

/// Crates that compute, or are linked into the server: without a runtime, a client or a log of their own.
const WITHOUT_IO: &[&str] = &[
    "zerodb_hooks",
    "zerodb_hooks_contract",
    "zerodb_hooks_delivery",
    "zerodb_hooks_english",
    "zerodb_hooks_lexical",
    "zerodb_hooks_models",
    "zerodb_hooks_templates",
];

#[test]
fn every_crate_knows_those_of_the_table_and_no_other() -> Result<()> {
    let packages = packages()?;
    let ours: Vec<&str> = packages.iter().map(|package| package.name.as_str()).collect();
    for package in &packages {
        let Some((_, expected)) = ARROWS.iter().find(|(name, _)| *name == package.name) else {
            panic!("{} is not in the table of arrows", package.name);
        };
        let found: Vec<&str> = package
            .dependencies
            .iter()
            .map(String::as_str)
            .filter(|name| ours.contains(name))
            .collect();
        assert_eq!(found, *expected, "{}", package.name);
    }
    for (name, _) in ARROWS {
        assert!(ours.contains(name), "{name} has gone from the workspace");
    }
    Ok(())
}

#[test]
fn a_crate_stands_below_those_that_it_knows() {
    let place = |name: &str| ARROWS.iter().position(|(other, _)| *other == name);
    for (name, known) in ARROWS {
        for other in *known {
            assert!(
                place(other) < place(name),
                "{name} knows {other}, which stands below it"
            );
        }
    }
}

#[test]
fn what_few_may_know_is_known_by_them_alone() -> Result<()> {
    for package in packages()? {
        for (guarded, allowed) in GUARDED {
            let knows = package.dependencies.iter().any(|name| name == guarded);
            assert!(
                !knows || allowed.contains(&package.name.as_str()),
                "{} is built with {guarded}, which belongs to {allowed:?}",
                package.name
            );
        }
    }
    Ok(())
}

#[test]
fn what_computes_has_no_runtime() -> Result<()> {
    for package in packages()? {
        let computes = WITHOUT_IO.contains(&package.name.as_str());
        let runs = |name: &String| ["tokio", "tracing", "async-trait"].contains(&name.as_str());
        let found = package.dependencies.iter().find(|name| computes && runs(name));
        assert!(found.is_none(), "{} is built with {found:?}", package.name);
    }
    Ok(())
}
