#!/usr/bin/env bash
# Runs one command with the environment of the development servers (see dev/paths.sh):
#   dev/with_env.sh cargo test -p zerodb_hooks_tests
# It must not do anything else.
source "$(dirname "${BASH_SOURCE[0]}")/paths.sh"
cd "$CHECKOUT"
exec "$@"
