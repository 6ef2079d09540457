#!/usr/bin/env bash
# Installs cargo-pgrx below DEV_HOME, for the in-server tests and the package. Building and installing need it not.
# It must not touch a cargo-pgrx of the caller's own.
source "$(dirname "${BASH_SOURCE[0]}")/paths.sh"

if [[ $("$DEV_HOME/cargo/bin/cargo-pgrx" pgrx --version 2>/dev/null) != "cargo-pgrx $PGRX_VERSION" ]]; then
    say "building cargo-pgrx $PGRX_VERSION (about 3 minutes, once)"
    # It runs for seconds, so building it without optimisation and debug information is quicker all in all.
    CARGO_PROFILE_DEV_DEBUG=0 cargo install cargo-pgrx --version "=$PGRX_VERSION" --locked --debug --quiet --root "$DEV_HOME/cargo"
fi
