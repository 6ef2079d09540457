#!/usr/bin/env bash
# Installs pgspot, the linter for SQL that runs with the rights of others, into a Python environment below DEV_HOME.
# It must not install a Python package outside that environment. Without Python's venv it says so and leaves pgspot out:
# the test that needs it says so too.
source "$(dirname "${BASH_SOURCE[0]}")/paths.sh"

version=0.9.4
[[ -e $DEV_HOME/pgspot/.complete-$version ]] && exit 0
say "installing pgspot (about 10 seconds)"
python_environment "$DEV_HOME/pgspot" || { say "leaving out pgspot: install python3-venv to have it"; exit 0; }
"$DEV_HOME/pgspot/bin/python" -m pip install --quiet --disable-pip-version-check "pgspot==$version"
touch "$DEV_HOME/pgspot/.complete-$version"
