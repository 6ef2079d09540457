#!/usr/bin/env bash
# Installs the Debian packages that a build needs and that are missing, and only those.
#   dev/debian.sh [build] [lint]      `build` is the default
# It must not install a Postgres server (that would create and start a cluster), nor upgrade or remove a package.
source "$(dirname "${BASH_SOURCE[0]}")/paths.sh"

# pgrx reads the headers of Postgres with bindgen, which needs clang and libclang. The headers of a Postgres that
# was built with TLS include those of OpenSSL.
declare -A needed=(
    [build]="gcc libc6-dev make pkg-config clang libclang-dev libssl-dev"
    [lint]="shellcheck"
)

if ! command -v apt-get >/dev/null || ! command -v dpkg-query >/dev/null; then
    command -v clang >/dev/null || die "not a Debian system: install gcc, make, pkg-config, clang, libclang and the OpenSSL headers, then run this again"
    exit 0
fi

missing=()
for group in "${@:-build}"; do
    for package in ${needed[$group]:?unknown group of packages: $group}; do
        dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing+=("$package")
    done
done
[[ ${#missing[@]} -eq 0 ]] && exit 0

is_root || die "please install these packages, then run this again: ${missing[*]}"

say "installing Debian packages: ${missing[*]} (about 1 minute)"
# Package lists older than a day may name files that the mirror no longer has.
if [[ -z $(find /var/lib/apt/lists -maxdepth 1 -name '*_InRelease' -mtime -1 -print -quit 2>/dev/null) ]]; then
    apt-get update -qq
fi
DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends --no-upgrade "${missing[@]}" >/dev/null
