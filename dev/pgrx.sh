#!/usr/bin/env bash
# Installs cargo-pgrx below DEV_HOME and tells it where our Postgres servers are.
# It must not create or start a cluster, and must not touch a cargo-pgrx or a ~/.pgrx of the caller's own.
source "$(dirname "${BASH_SOURCE[0]}")/paths.sh"

command -v cargo >/dev/null || die "cargo is needed: please install Rust 1.95 or later (rustup.rs), then run this again"

if [[ $("$DEV_HOME/cargo/bin/cargo-pgrx" pgrx --version 2>/dev/null) != "cargo-pgrx $PGRX_VERSION" ]]; then
    say "building cargo-pgrx $PGRX_VERSION (about 3 minutes, once)"
    # It runs for seconds, so building it without optimisation and debug information is quicker all in all.
    CARGO_PROFILE_DEV_DEBUG=0 cargo install cargo-pgrx --version "=$PGRX_VERSION" --locked --debug --quiet --root "$DEV_HOME/cargo"
fi

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
