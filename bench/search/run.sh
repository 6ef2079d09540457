#!/usr/bin/env bash
# How well the labelled passages are found by words, by the `local` embedding, by all-MiniLM-L6-v2, and by words and an
# embedding together. What is measured and how to read it is in README.md.
#   bench/search/run.sh
# It must not install anything outside DEV_HOME.
source "$(dirname "${BASH_SOURCE[0]}")/../../dev/paths.sh"
cd "$CHECKOUT"

dev/models.sh
say "building the measuring program for release (10 to 20 minutes the first time)"
cargo build --quiet --release -p zerodb_hooks_bench --bin search_quality
"${CARGO_TARGET_DIR:-target}/release/search_quality" bench/search "$DEV_HOME/models/all-MiniLM-L6-v2"
