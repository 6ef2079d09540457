#!/usr/bin/env bash
# The quick checks of the source text: format, then Clippy with warnings as errors. It must not change a file.
source "$(dirname "${BASH_SOURCE[0]}")/paths.sh"
cd "$CHECKOUT"

say "checking format"
cargo fmt --all --check
say "running Clippy (about 3 minutes the first time)"
cargo clippy --quiet --workspace --exclude zerodb_hooks --exclude zerodb_hooks_schema --all-targets -- -D warnings
# The extension is checked by itself: it is built for one Postgres version at a time, and pgrx asks for other features of
# the crates that macros are made with.
cargo clippy --quiet -p zerodb_hooks -p zerodb_hooks_schema --all-targets --no-default-features \
    --features "zerodb_hooks/pg$(pg_major "$MAIN_PG_CONFIG") zerodb_hooks/pg_test" -- -D warnings
