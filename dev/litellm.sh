#!/usr/bin/env bash
# Installs the LiteLLM proxy, whose rate limiter a benchmark runs against, into a Python environment below DEV_HOME, and
# prints the program that starts it. It must not install a Python package outside that environment, nor start the proxy.
source "$(dirname "${BASH_SOURCE[0]}")/paths.sh"

version=1.102.4
home="$DEV_HOME/litellm"
if [[ ! -e $home/.complete-$version ]]; then
    say "installing the LiteLLM proxy $version (about 2 minutes, 500 MB)" >&2
    python_environment "$home" || die "please install python3-venv, then run this again"
    "$home/bin/python" -m pip install --quiet --disable-pip-version-check "litellm[proxy]==$version" >&2
    touch "$home/.complete-$version"
fi
printf '%s\n' "$home/bin/litellm"
