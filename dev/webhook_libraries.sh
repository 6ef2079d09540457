#!/usr/bin/env bash
# Installs the official libraries by which receivers read webhooks (Standard Webhooks and CloudEvents, of Python and, where
# Node is there, of JavaScript) below DEV_HOME, for a test. It must not install anything outside that folder.
source "$(dirname "${BASH_SOURCE[0]}")/paths.sh"

version=1
home="$DEV_HOME/webhook_libraries"
[[ -e $home/.complete-$version ]] && exit 0
say "installing the webhook libraries (about 30 seconds)"
rm -rf "$home"
mkdir -p "$home"
python_environment "$home/python" || die "please install python3-venv, then run this again"
"$home/python/bin/python" -m pip install --quiet --disable-pip-version-check standardwebhooks==1.1.0 cloudevents==2.2.0
if command -v npm >/dev/null; then
    (cd "$home" && npm install --silent --no-audit --no-fund --no-save --prefix "$home" standardwebhooks@1.1.1 cloudevents@10.0.0)
fi
touch "$home/.complete-$version"
