#!/usr/bin/env bash
# Runs the tests that live inside the server (`#[pg_test]`).
#   dev/pgtest.sh 18|15|own [name of a test]
# It starts throw-away clusters in a new folder below /tmp and stops only those. It leaves a build of the extension WITH its
# tests in that server's folders: run dev/install_extension.sh afterwards, as `make test` does.
source "$(dirname "${BASH_SOURCE[0]}")/paths.sh"

case "${1:-}" in
    18) pg_config="$PG18_CONFIG" ;;
    15) pg_config="$PG15_CONFIG" ;;
    own) pg_config="${PG_CONFIG:?set PG_CONFIG to the pg_config of your server}" ;;
    *) die "usage: dev/pgtest.sh 18|15|own [name of a test]" ;;
esac
[[ -x $pg_config ]] || { say "leaving out the in-server tests for PostgreSQL ${1}: it is not set up"; exit 0; }
major="$(pg_major "$pg_config")"
shift

data="$(unprivileged mktemp -d /tmp/zerodb_pgtest.XXXXXX)"
trap 'rm -rf "$data"' EXIT
as_nobody=()
if is_root; then
    export PATH="$CHECKOUT/dev/shims:$PATH"
    as_nobody=(--runas nobody)
fi

say "running the in-server tests on PostgreSQL $major (about 3 minutes the first time)"
cd "$CHECKOUT"
cargo pgrx test -p zerodb_hooks "${as_nobody[@]}" --pgdata "$data/pg$major" --no-default-features "pg$major" "$@"
