#!/usr/bin/env bash
# Embeddings a second of zerodb_hooks_models and of sentence-transformers: the same model, texts and processors, taking
# turns. What is measured and how to read it is in README.md.
#   bench/models/run.sh [ROUNDS] [TEXTS]
# PYTHON=/path/python    use a Python that has the packages of models/tests/reference/requirements.txt already
# It must not install anything outside DEV_HOME.
source "$(dirname "${BASH_SOURCE[0]}")/../../dev/paths.sh"
cd "$CHECKOUT"

rounds="${1:-7}"
count="${2:-2000}"
requirements=models/tests/reference/requirements.txt
venv="$DEV_HOME/rivals/sentence-transformers"

dev/models.sh
if [[ -z ${PYTHON:-} ]]; then
    PYTHON="$venv/bin/python"
    if ! cmp --silent "$requirements" "$venv/installed.txt"; then
        say "installing sentence-transformers and torch into $venv (3 GB to fetch)"
        rm -rf "$venv"
        python3 -m venv "$venv"
        "$PYTHON" -m pip install --quiet --disable-pip-version-check --no-cache-dir -r "$requirements"
        cp "$requirements" "$venv/installed.txt"
    fi
fi

say "building the measuring program for release (about 4 minutes the first time)"
cargo build --quiet --release -p zerodb_hooks_models --example embed_rate
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
"$PYTHON" bench/models/texts.py "$count" >"$work/texts.txt"
"$PYTHON" bench/models/compare.py --rounds "$rounds" --texts "$work/texts.txt" \
    --model "$DEV_HOME/models/all-MiniLM-L6-v2" --ours "${CARGO_TARGET_DIR:-target}/release/examples/embed_rate"
