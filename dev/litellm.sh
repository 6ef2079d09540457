#!/usr/bin/env bash
# Installs the LiteLLM proxy, whose rate limiter a benchmark runs against, into a Python environment below DEV_HOME, and
# prints the program that starts it. It must not install a Python package outside that environment, nor start the proxy.
source "$(dirname "${BASH_SOURCE[0]}")/paths.sh"

version=1.102.4
home="$DEV_HOME/litellm"
if [[ ! -e $home/.complete-$version ]]; then
    say "installing the LiteLLM proxy $version (about 2 minutes, 500 MB)" >&2
    rm -rf "$home"
    if ! python3 -m venv "$home" >/dev/null 2>&1; then
        is_root || die "please install python3-venv, then run this again"
        # A machine that is fresh has no package lists.
        venv() { DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends python3-venv >/dev/null; }
        venv 2>/dev/null || { apt-get update -qq && venv; }
        python3 -m venv --clear "$home" >/dev/null
    fi
    "$home/bin/python" -m pip install --quiet --disable-pip-version-check "litellm[proxy]==$version" >&2
    touch "$home/.complete-$version"
fi
printf '%s\n' "$home/bin/litellm"
