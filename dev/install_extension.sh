#!/usr/bin/env bash
# Builds the extension for one PostgreSQL and installs it into that server's folders.
#   dev/install_extension.sh 18|15 [--release|--if-present]   into the Postgres below DEV_HOME
#   PG_CONFIG=/path/pg_config dev/install_extension.sh own [--release]   into the caller's own server
# It must not start, stop or restart a server, and writes to no other server than the one named.
source "$(dirname "${BASH_SOURCE[0]}")/paths.sh"

case "${1:-}" in
    18) pg_config="$PG18_CONFIG" ;;
    15) pg_config="$PG15_CONFIG" ;;
    own) pg_config="${PG_CONFIG:?set PG_CONFIG to the pg_config of your server}" ;;
    *) die "usage: dev/install_extension.sh 18|15|own [--release|--if-present]" ;;
esac
if [[ ! -x $pg_config && ${2:-} == --if-present ]]; then
    say "leaving out PostgreSQL $1: it is not set up"
    exit 0
fi
[[ -x $pg_config ]] || die "there is no PostgreSQL at $pg_config: run 'make setup' first"
major="$(pg_major "$pg_config")"

profile=()
[[ ${2:-} == --release ]] && profile=(--release)

say "building the extension for PostgreSQL $major (about 2 minutes the first time)"
cd "$CHECKOUT"
# What cargo-pgrx says of its steps is of interest only when one of them fails.
log="$(mktemp)"
trap 'rm -f "$log"' EXIT
CARGO_TERM_QUIET=true cargo pgrx install -p zerodb_hooks --pg-config "$pg_config" --no-default-features --features "pg$major" \
    "${profile[@]}" >"$log" 2>&1 || { cat "$log" >&2; exit 1; }
# The server may run as another user than the one who installed.
installed="$("$pg_config" --sharedir)/extension"
chmod a+r "$("$pg_config" --pkglibdir)/zerodb_hooks.so" "$installed"/zerodb_hooks{.control,--*.sql}
