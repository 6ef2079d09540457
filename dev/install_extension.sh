#!/usr/bin/env bash
# Builds the extension for one PostgreSQL and installs it into that server's folders.
#   dev/install_extension.sh 18|15 [--release|--if-present|--also PACKAGE…]   into the Postgres below DEV_HOME
#   PG_CONFIG=/path/pg_config dev/install_extension.sh own [--release|--also PACKAGE…]   into the caller's own server
# With --also it builds these packages too, without their default features, in the same run of cargo: what they share
# with the extension is then built once.
# It must not start, stop or restart a server, and writes to no other server than the one named.
source "$(dirname "${BASH_SOURCE[0]}")/paths.sh"

case "${1:-}" in
    18) pg_config="$PG18_CONFIG" ;;
    15) pg_config="$PG15_CONFIG" ;;
    own) pg_config="${PG_CONFIG:?set PG_CONFIG to the pg_config of your server}" ;;
    *) die "usage: dev/install_extension.sh 18|15|own [--release|--if-present|--also PACKAGE…]" ;;
esac
if [[ ! -x $pg_config && ${2:-} == --if-present ]]; then
    say "leaving out PostgreSQL $1: it is not set up"
    exit 0
fi
[[ -x $pg_config ]] || die "there is no PostgreSQL at $pg_config: run 'make setup' first"
major="$(pg_major "$pg_config")"

profile=()
folder=debug
if [[ ${2:-} == --release ]]; then
    profile=(--release)
    folder=release
fi

packages=(-p zerodb_hooks -p zerodb_hooks_schema)
what="the extension"
if [[ ${2:-} == --also ]]; then
    for package in "${@:3}"; do packages+=(-p "$package"); done
    what="the extension and ${*:3}"
fi

say "building $what for PostgreSQL $major (minutes, the first time)"
cd "$CHECKOUT"
built="${CARGO_TARGET_DIR:-target}/$folder"
cargo build --quiet "${packages[@]}" --no-default-features --features "zerodb_hooks/pg$major" "${profile[@]}"

identity="$(cargo pkgid -p zerodb_hooks)"
version="${identity##*[#@]}"
made="$(mktemp -d)"
trap 'rm -rf "$made"' EXIT
"$built/zerodb_hooks_schema" "$built/libzerodb_hooks.so" extension/zerodb_hooks.control >"$made/zerodb_hooks--$version.sql"
for file in extension/zerodb_hooks.control extension/sql/zerodb_hooks--*--*.sql; do
    # Before the first release there is no script that upgrades.
    if [[ -e $file ]]; then sed "s/@CARGO_VERSION@/$version/g" "$file" >"$made/$(basename "$file")"; fi
done
# `install` puts new files in the place of the old ones: a server keeps the library that it has loaded. It may run as
# another user than the one who installs.
install -m 755 -D "$built/libzerodb_hooks.so" "$("$pg_config" --pkglibdir)/zerodb_hooks.so"
install -m 644 -D -t "$("$pg_config" --sharedir)/extension" "$made"/*
