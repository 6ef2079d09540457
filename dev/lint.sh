#!/usr/bin/env bash
# The slower checks: the shell scripts, then licences, advisories and banned dependencies. It must not change a file.
source "$(dirname "${BASH_SOURCE[0]}")/paths.sh"
cd "$CHECKOUT"

DENY_VERSION=0.20.2

say "checking the shell scripts"
shellcheck -x -P SCRIPTDIR dev/*.sh dev/shims/sudo .ci/run

if ! command -v cargo-deny >/dev/null; then
    say "building cargo-deny $DENY_VERSION (about 2 minutes, once)"
    CARGO_PROFILE_DEV_DEBUG=0 cargo install cargo-deny --version "=$DENY_VERSION" --locked --debug --quiet --root "$DEV_HOME/cargo"
fi
say "checking dependencies: licences, bans, sources, advisories"
cargo deny --log-level warn check licenses bans sources
# The advisories are the one check that asks the network; a machine that cannot reach them can still lint.
if cargo deny --log-level off fetch db >/dev/null 2>&1; then
    cargo deny --log-level warn check advisories
else
    say "leaving out the advisories: their database cannot be fetched"
fi
