#!/usr/bin/env bash
# Installs the official OpenAI client into a Python environment below DEV_HOME, for the contract test of the tests' model
# endpoint. It must not install a Python package outside that environment.
source "$(dirname "${BASH_SOURCE[0]}")/paths.sh"

version=3.54.0
home="$DEV_HOME/openai_client"
[[ -e $home/.complete-$version ]] && exit 0
say "installing the OpenAI client $version (about 20 seconds)"
python_environment "$home" || die "please install python3-venv, then run this again"
"$home/bin/python" -m pip install --quiet --disable-pip-version-check "openai==$version"
touch "$home/.complete-$version"
