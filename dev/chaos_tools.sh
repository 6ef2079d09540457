#!/usr/bin/env bash
# Unpacks Debian's pgbouncer and faketime into DEV_HOME/chaos, for the chaos tests.
# It must not install the packages (pgbouncer's would start a service) and changes nothing of the system.
# Where they cannot be had it says so and succeeds: the tests that need them then say so too.
source "$(dirname "${BASH_SOURCE[0]}")/paths.sh"

tree="$DEV_HOME/chaos"
[[ -e $tree/.complete ]] && exit 0

skip() { say "leaving out pgbouncer and faketime: $*"; exit 0; }
command -v apt-get >/dev/null || skip "they are taken from Debian's packages, and this is not Debian"

# pgbouncer's libraries that a small system may not have are unpacked beside it.
packages=(pgbouncer faketime libfaketime)
resolve() { apt-cache depends pgbouncer 2>/dev/null | awk '/Depends: lib(c-ares|cares|event)/ { print $2 }'; }
if [[ -z $(resolve) ]] && is_root; then apt-get update -qq || true; fi
mapfile -t libraries < <(resolve)
[[ ${#libraries[@]} -gt 0 ]] || skip "the package lists do not have them (apt-get update may help)"
packages+=("${libraries[@]}")

say "fetching pgbouncer and faketime (1 MB)"
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
download_packages "$work" "${packages[@]}" || skip "their packages cannot be downloaded"

rm -rf "$tree"
mkdir -p "$tree"
for package in "$work"/*.deb; do dpkg-deb -x "$package" "$tree"; done
chmod -R u=rwX,go=rX "$tree"
touch "$tree/.complete"
