#!/usr/bin/env bash
# Installs the official messages of OTLP for Python into an environment below DEV_HOME, for the tests' collector. It must
# not install a Python package outside that environment.
source "$(dirname "${BASH_SOURCE[0]}")/paths.sh"

version=1.45.2
home="$DEV_HOME/otlp_sink"
[[ -e $home/.complete-$version ]] && exit 0
say "installing the messages of OTLP $version (about 10 seconds)"
python_environment "$home" || die "please install python3-venv, then run this again"
"$home/bin/python" -m pip install --quiet --disable-pip-version-check "opentelemetry-proto==$version"
touch "$home/.complete-$version"
