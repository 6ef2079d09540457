#!/usr/bin/env bash
# Unpacks Debian's PostgreSQL 15 into DEV_HOME/pg15, as the second version that the tests run against.
# It must not install the server package (that would create and start a cluster) and changes nothing of the system.
# Where Debian has no PostgreSQL 15 it says so and succeeds: the tests then run against PostgreSQL 18 only.
source "$(dirname "${BASH_SOURCE[0]}")/paths.sh"

tree="$DEV_HOME/pg15"
[[ -e $tree/.complete ]] && exit 0

skip() { say "leaving out PostgreSQL 15: $*"; exit 0; }
command -v apt-get >/dev/null || skip "it is taken from Debian's packages, and this is not Debian"
candidate() { apt-cache policy "$1" 2>/dev/null | awk '/Candidate:/ && $2 != "(none)" { print $2 }'; }
if [[ -z $(candidate postgresql-15) ]] && is_root; then apt-get update -qq || true; fi
[[ -n $(candidate postgresql-15) ]] || skip "this release of Debian does not have it"

say "fetching PostgreSQL 15 (25 MB, about 10 seconds)"
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
download_packages "$work" postgresql-15 postgresql-client-15 postgresql-server-dev-15 ||
    skip "its packages cannot be downloaded (apt-get update may help)"

# What is there without .complete is our own half-finished attempt.
rm -rf "$tree"
mkdir -p "$tree"
for package in "$work"/*.deb; do dpkg-deb -x "$package" "$tree"; done
# The just-in-time compiler would need 100 MB of LLVM; Postgres works without it when the file is not there.
rm -rf "$tree"/usr/lib/postgresql/15/lib/{llvmjit.so,bitcode}
chmod -R u=rwX,go=rX "$tree"

# Plain shared libraries (libpq5, libicu…) are all that may be added to the system.
bin="$(dirname "$PG15_CONFIG")"
missing_libraries() { ldd "$bin"/{postgres,psql,initdb,pg_ctl,pg_config} "$bin"/../lib/*.so | awk '/not found/ { print $1 }' | sort -u | xargs; }
if [[ -n $(missing_libraries) ]]; then
    mapfile -t libraries < <(for package in "$work"/*.deb; do dpkg-deb -f "$package" Depends; done |
        grep -oE '\blib[a-z0-9.+-]+' | grep -Ev '^(libllvm|lib.*-dev$)' | sort -u)
    is_root || skip "shared libraries are missing ($(missing_libraries)); installing ${libraries[*]} brings them"
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends --no-upgrade "${libraries[@]}" >/dev/null
    [[ -z $(missing_libraries) ]] || skip "shared libraries are missing: $(missing_libraries)"
fi

[[ $(try_postgres "$PG15_CONFIG" "SELECT current_setting('server_version_num')::int / 10000") == 15 ]] ||
    skip "it was unpacked but does not run here"
touch "$tree/.complete"
