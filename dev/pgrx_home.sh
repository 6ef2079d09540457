#!/usr/bin/env bash
# Tells pgrx where our Postgres servers are, which building the extension needs.
# It must not create or start a cluster, and must not touch a ~/.pgrx of the caller's own.
source "$(dirname "${BASH_SOURCE[0]}")/paths.sh"

command -v cargo >/dev/null || die "cargo is needed: please install Rust 1.95 or later (rustup.rs), then run this again"

# Written by hand: `cargo pgrx init` would also create a cluster for each version, and refuses a server it cannot write to.
mkdir -p "$PGRX_HOME"
wanted="$(
    echo '[configs]'
    if [[ -n ${PG_CONFIG:-} ]]; then
        echo "pg$(pg_major "$PG_CONFIG") = \"$PG_CONFIG\""
    else
        for server in "18 $PG18_CONFIG" "15 $PG15_CONFIG"; do
            [[ -x ${server#* } ]] && echo "pg${server%% *} = \"${server#* }\""
        done
        true
    fi
)"
# Cargo builds the bindings anew (a minute) when this file is newer. Its date therefore changes only when what it
# said before is no longer true, and not when a second server has been added.
config="$PGRX_HOME/config.toml"
touch -a "$config"
if [[ $(cat "$config") != "$wanted" ]]; then
    printf '%s\n' "$wanted" >"$config.new"
    if ! grep -qvxFf "$config.new" "$config"; then touch -r "$config" "$config.new"; fi
    mv "$config.new" "$config"
fi
